//! How a fitted vocabulary is kept: small, and checked when it is read.

use serde::{Deserialize, Serialize};

use super::analyze::LONGEST_WORD;
use super::terms::Terms;
use super::tfidf::{TfIdf, TfIdfOptions};

/// A pair of words, in bytes.
const LONGEST_FEATURE: usize = 2 * 4 * LONGEST_WORD + 1;

/// The stored form: sorted features share their beginnings (front coding), weights are computed again.
#[derive(Serialize, Deserialize)]
pub(super) struct Compact {
    options: TfIdfOptions,
    documents: u64,
    split: u64,
    /// Bytes each feature shares with the one before it.
    shared: Vec<u32>,
    /// Bytes each feature adds.
    added: Vec<u32>,
    tails: Vec<u8>,
    df: Vec<u32>,
}

impl From<TfIdf> for Compact {
    fn from(model: TfIdf) -> Compact {
        let n = model.vocabulary_len();
        let mut stored = Compact {
            options: model.options,
            documents: model.documents,
            split: model.split as u64,
            shared: Vec::with_capacity(n),
            added: Vec::with_capacity(n),
            tails: Vec::new(),
            df: model.df,
        };
        let mut previous: &[u8] = &[];
        for column in 0..n {
            let term = model.terms.get(column).as_bytes();
            let shared = previous.iter().zip(term).take_while(|(a, b)| a == b).count();
            stored.shared.push(shared as u32);
            stored.added.push((term.len() - shared) as u32);
            stored.tails.extend_from_slice(&term[shared..]);
            previous = term;
        }
        stored
    }
}

impl TryFrom<Compact> for TfIdf {
    type Error = String;

    fn try_from(stored: Compact) -> Result<TfIdf, String> {
        let n = stored.df.len();
        let split = stored.split as usize;
        if stored.shared.len() != n || stored.added.len() != n || split > n {
            return Err("vocabulary: its parts differ in length".into());
        }
        let mut terms = Terms::default();
        let mut term: Vec<u8> = Vec::new();
        let mut tails = &stored.tails[..];
        for column in 0..n {
            let (shared, added) = (stored.shared[column] as usize, stored.added[column] as usize);
            if shared > term.len() || added > tails.len() {
                return Err(format!("vocabulary: feature {column} is cut short"));
            }
            // Each may repeat all of the one before it: long ones would make much of few bytes.
            if shared + added > LONGEST_FEATURE {
                return Err(format!("vocabulary: feature {column} is too long to be one"));
            }
            term.truncate(shared);
            term.extend_from_slice(&tails[..added]);
            tails = &tails[added..];
            terms.push(
                std::str::from_utf8(&term).map_err(|_| format!("vocabulary: feature {column} is no text"))?,
            );
            let sorted = column == 0 || column == split || terms.get(column - 1) < terms.get(column);
            if !sorted || stored.df[column] == 0 || u64::from(stored.df[column]) > stored.documents {
                return Err(format!(
                    "vocabulary: feature {column} is out of order or its count impossible"
                ));
            }
        }
        if !tails.is_empty() {
            return Err("vocabulary: more text than features".into());
        }
        Ok(TfIdf::assemble(
            stored.options,
            stored.documents,
            terms,
            split,
            stored.df,
        ))
    }
}
