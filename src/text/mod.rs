//! Text as the rest of the house sees it: one analyzer, for search and for models.
//!
//! The words used here:
//!
//! - A **run** is a stretch of letters and digits of one kind: a *word* (any script that separates its words) or a
//!   *CJK run* (Han, Hiragana, Katakana, Hangul, Bopomofo), which does not.
//! - A **token** ([`Token`]) is what the search index stores: a whole folded word, or two neighbouring characters of
//!   a CJK run. [`tokens`] is the only way to make one, for documents and for queries alike; an index that splits
//!   its queries differently from its documents finds nothing and says nothing.
//! - A **feature** ([`Features`]) is what a model counts: words and pairs of words, CJK characters and pairs, and on
//!   request the character n-grams inside words, which absorb misspellings.
//!
//! Invariants: folding is the same everywhere (lower case, compatibility forms, no accents on Latin, Greek and
//! Cyrillic letters); offsets always point into the ORIGINAL text and always lie on character boundaries; nothing in
//! this room reads a file, a clock or a random number, and every result is independent of the number of threads.

mod analyze;
mod csr;
mod features;
mod language;
mod message;
mod neighbours;
mod stored;
mod terms;
mod tfidf;

pub use analyze::{LONGEST_WORD, Script, Token, fold, is_cjk, tokens};
pub(crate) use analyze::{Splitter, each_token};
pub use csr::Csr;
pub use features::Features;
pub use language::language_of;
pub use message::{CLOSINGS, plain, unquoted, written};
pub use neighbours::Neighbours;
pub use tfidf::{TfIdf, TfIdfOptions, Weighting};
