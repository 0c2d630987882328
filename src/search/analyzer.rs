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

#[derive(Clone)]
struct Analyzer;

impl Tokenizer for Analyzer {
    type TokenStream<'a> = Stream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream {
        Stream {
            tokens: crate::text::tokens(text).into_iter(),
            token: Token::default(),
        }
    }
}

struct Stream {
    tokens: std::vec::IntoIter<crate::text::Token>,
    token: Token,
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        let Some(next) = self.tokens.next() else {
            return false;
        };
        self.token = Token {
            offset_from: next.from,
            offset_to: next.to,
            position: next.position as usize,
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
