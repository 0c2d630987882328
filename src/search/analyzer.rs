//! The analyzer of [`crate::text`] in the engine's clothes.
//!
//! It has to be registered every time an index is opened: the index remembers a tokenizer's name only, and a reader
//! that splits text in another way than the writer finds nothing.
//!
//! The text of all kinds of documents stands in one field, and each of its terms begins with the letter of its kind
//! ([`Kind::letter`]): `trefund` is *refund* in a ticket, `arefund` in an article. So no query has to sort tickets from
//! products, which would cost the engine its short cuts, while the average length that BM25 measures a document by
//! stays that of all documents.

use tantivy::Index;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};

use super::document::Kind;
use crate::text::Splitter;

/// The names in the schema; the number changes when the analyzer does. This one takes a text as it is.
pub(super) const PLAIN: &str = "nightclerk-2";
/// The first character of each value is the letter of its kind.
pub(super) const BY_KIND: &str = "nightclerk-2-kind";

/// Makes the analyzers known to an index that was just opened.
pub(super) fn register(index: &Index) {
    for (name, by_kind) in [(PLAIN, false), (BY_KIND, true)] {
        index
            .tokenizers()
            .register(name, TextAnalyzer::from(Analyzer::new(by_kind)));
    }
}

/// A text as the field by kind takes it.
pub(super) fn of_kind(kind: Kind, text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 1);
    value.push(kind.letter());
    value.push_str(text);
    value
}

/// Bytes of a text that are taken apart at a time, at least: a long text must not stand in memory token by token.
const PIECE: usize = 1 << 16;

/// One analyzer serves text after text, and keeps its memory from each to the next.
struct Analyzer {
    by_kind: bool,
    splitter: Splitter,
    texts: String,
    spans: Vec<Span>,
}

impl Analyzer {
    fn new(by_kind: bool) -> Analyzer {
        Analyzer {
            by_kind,
            splitter: Splitter::default(),
            texts: String::new(),
            spans: Vec::new(),
        }
    }
}

impl Clone for Analyzer {
    fn clone(&self) -> Analyzer {
        Analyzer::new(self.by_kind)
    }
}

impl Tokenizer for Analyzer {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        let letter = if self.by_kind { text.chars().next() } else { None };
        let begin = letter.map_or(0, char::len_utf8);
        self.spans.clear();
        Stream {
            splitter: &mut self.splitter,
            texts: &mut self.texts,
            spans: &mut self.spans,
            letter,
            rest: &text[begin..],
            piece: Place::default(),
            next: Place {
                byte: begin,
                position: 0,
            },
            at: 0,
            token: Token::default(),
        }
    }
}

struct Stream<'a> {
    splitter: &'a mut Splitter,
    letter: Option<char>,
    /// What has not been taken apart yet.
    rest: &'a str,
    /// Where the piece at hand begins, in bytes and in positions, and where the next one will.
    piece: Place,
    next: Place,
    /// The tokens of the piece at hand: their texts one after another, and where each ends.
    texts: &'a mut String,
    spans: &'a mut Vec<Span>,
    /// The next of them, and where its text begins.
    at: usize,
    token: Token,
}

#[derive(Clone, Copy, Default)]
struct Place {
    byte: usize,
    position: usize,
}

struct Span {
    text_from: usize,
    text_to: usize,
    from: usize,
    to: usize,
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
        let (texts, spans) = (&mut *self.texts, &mut *self.spans);
        texts.clear();
        spans.clear();
        self.splitter.each_token(piece, |token| {
            let text_from = texts.len();
            texts.push_str(token.text);
            spans.push(Span {
                text_from,
                text_to: texts.len(),
                from: token.from,
                to: token.to,
            });
        });
        self.piece = self.next;
        self.next = Place {
            byte: self.piece.byte + piece.len(),
            position: self.piece.position + self.spans.len(),
        };
        self.rest = rest;
        self.at = 0;
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        while self.at == self.spans.len() {
            if self.rest.is_empty() {
                return false;
            }
            self.refill();
        }
        let span = &self.spans[self.at];
        self.token.text.clear();
        self.token.text.extend(self.letter);
        self.token
            .text
            .push_str(&self.texts[span.text_from..span.text_to]);
        self.token.offset_from = self.piece.byte + span.from;
        self.token.offset_to = self.piece.byte + span.to;
        // A token's position is its number, so positions go on where the last piece ended.
        self.token.position = self.piece.position + self.at;
        self.token.position_length = 1;
        self.at += 1;
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
        let mut analyzer = TextAnalyzer::from(Analyzer::new(false));
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

    #[test]
    fn a_kind_begins_every_term_and_moves_no_place() {
        let mut analyzer = TextAnalyzer::from(Analyzer::new(true));
        let text = of_kind(Kind::Ticket, "Refund 订单号");
        let mut stream = analyzer.token_stream(&text);
        let mut seen = Vec::new();
        while stream.advance() {
            let token = stream.token();
            seen.push((
                token.text.clone(),
                text[token.offset_from..token.offset_to].to_owned(),
                token.position,
            ));
        }
        let expected = [
            ("trefund", "Refund", 0),
            ("t订单", "订单", 1),
            ("t单号", "单号", 2),
            ("t号", "号", 3),
        ];
        assert_eq!(
            seen,
            expected.map(|(term, text, position)| (term.to_owned(), text.to_owned(), position))
        );
        drop(stream);
        for nothing in ["t", ""] {
            assert!(!analyzer.token_stream(nothing).advance());
        }
    }
}
