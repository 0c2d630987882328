//! Full-text search: the Tantivy index of tickets with their replies, articles and products.
//!
//! The index is a cache of the database. It lives in a folder of its own, is written by one [`IndexWriter`] from
//! plain [`Document`]s, and may be deleted at any time. The words used here:
//!
//! - A **generation** is a sub-folder `gen-N` with one complete Tantivy index. The small file `current` names the one
//!   that counts; a rebuild fills a new generation and renames that file, so a reader sees the old index or the new
//!   one and never a half. Generations nobody points to are removed when the writer is opened next.
//! - The **payload** of a commit holds the identity of the database and the number of the last change that is in the
//!   index. It is written together with the documents, so that after a crash the caller knows where to go on. Another
//!   identity, another format, a damaged file: the writer says [`State::MustRebuild`] and why.
//! - A **reader** ([`Reader`]) needs no write permission and starts no thread; before each search it looks whether
//!   `current` or the index's `meta.json` changed.
//!
//! Documents and queries go through the one analyzer of [`crate::text`]; the query language is in [`query`]. This is
//! the only room that knows Tantivy.

mod analyzer;
mod beginning;
mod best;
mod collected;
mod compile;
mod directory;
mod document;
mod error;
mod facets;
mod find;
mod held;
mod layout;
mod like;
pub mod query;
mod reader;
mod segment;
mod snippet;
mod synonyms;
mod typos;
mod vocabulary;
mod writer;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_find;
#[cfg(test)]
mod tests_torn;
#[cfg(test)]
mod tests_typos;
#[cfg(test)]
mod tests_upkeep;

pub use document::{Change, Document, Key, Kind};
pub use error::SearchError;
pub use facets::{Counts, Facet};
pub use find::{Found, Hit, LARGEST_LIMIT, Options};
pub use layout::left_over;
pub use reader::Reader;
pub use writer::{IndexWriter, Opened, Put, State};
