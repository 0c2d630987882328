//! The analyzer of [`crate::text`] in the engine's clothes.
//!
//! It has to be registered every time an index is opened: the index remembers a tokenizer's name only, and a reader
//! that splits text in another way than the writer finds nothing.

use tantivy::Index;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};

/// The name in the schema; the number changes when the analyzer does.
pub(super) const NAME: &str = "nightclerk-1";

/// Makes the analyzer known to an index that was just opened.
pub(super) fn register(index: &Index) {
    index.tokenizers().register(NAME, TextAnalyzer::from(Analyzer));
}

/// Bytes of a text that are taken apart at a time, at least: a long text must not stand in memory token by token.
const PIECE: usize = 1 << 16;

#[derive(Clone)]
struct Analyzer;

impl Tokenizer for Analyzer {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        Stream {
            rest: text,
            piece: Place::default(),
            next: Place::default(),
            tokens: Vec::new().into_iter(),
            token: Token::default(),
        }
    }
}

struct Stream<'a> {
    /// What has not been taken apart yet.
    rest: &'a str,
    /// Where the piece at hand begins, in bytes and in positions, and where the next one will.
    piece: Place,
    next: Place,
    tokens: std::vec::IntoIter<crate::text::Token>,
    token: Token,
}

#[derive(Clone, Copy, Default)]
struct Place {
    byte: usize,
    position: usize,
}

impl Stream<'_> {
    /// Takes the next piece apart. It ends at ASCII white space, which ends every run.
    fn refill(&mut self) {
        let white = self
            .rest
            .as_bytes()
            .iter()
            .skip(PIECE)
            .position(u8::is_ascii_whitespace);
        let (piece, rest) = self.rest.split_at(white.map_or(self.rest.len(), |at| PIECE + at));
        let tokens = crate::text::tokens(piece);
        self.piece = self.next;
        self.next = Place {
            byte: self.piece.byte + piece.len(),
            position: self.piece.position + tokens.len(),
        };
        self.rest = rest;
        self.tokens = tokens.into_iter();
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        let next = loop {
            match self.tokens.next() {
                Some(next) => break next,
                None if self.rest.is_empty() => return false,
                None => self.refill(),
            }
        };
        self.token = Token {
            offset_from: self.piece.byte + next.from,
            offset_to: self.piece.byte + next.to,
            // A token's position is its number, so positions go on where the last piece ended.
            position: self.piece.position + next.position as usize,
            text: next.text,
            position_length: 1,
        };
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_long_text_give_the_tokens_of_the_whole() {
        let mut random = fastrand::Rng::with_seed(2);
        let words = ["order", "我的订单", "A-1234", "\n", "!", "caf\u{e9}"];
        let text: String = (0..60_000)
            .flat_map(|_| [words[random.usize(..words.len())], " "])
            .collect();
        assert!(text.len() > 4 * PIECE);
        let whole = crate::text::tokens(&text);
        let mut analyzer = TextAnalyzer::from(Analyzer);
        let mut stream = analyzer.token_stream(&text);
        for expected in &whole {
            assert!(stream.advance());
            let token = stream.token();
            assert_eq!(
                (&token.text, token.offset_from, token.offset_to, token.position),
                (
                    &expected.text,
                    expected.from,
                    expected.to,
                    expected.position as usize
                )
            );
        }
        assert!(!stream.advance() && !stream.advance());
    }
}
