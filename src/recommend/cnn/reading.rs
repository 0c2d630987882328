//! A product's text as numbers: its first characters and words, folded and hashed into fixed tables.

use super::TextOptions;
use crate::text::{fold, tokens};

/// Characters and words of a text that are read, the first.
const CHARACTERS: usize = 96;
const WORDS: usize = 24;
/// Places of the hashed tables; number 0 is the filling.
pub(super) const CHARACTER_PLACES: usize = 1 << 10;
pub(super) const WORD_PLACES: usize = 1 << 13;

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Characters,
    Words,
}

/// A text as the network reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    pub(super) characters: Vec<u32>,
    pub(super) words: Vec<u32>,
}

impl Reading {
    /// Folds and hashes a text.
    pub fn of(text: &str) -> Reading {
        let place = |bytes: &[u8], places: usize| {
            1 + (xxhash_rust::xxh3::xxh3_64(bytes) % (places as u64 - 1)) as u32
        };
        let mut bytes = [0; 4];
        let folded = fold(text);
        let characters = folded.chars().take(CHARACTERS);
        let words = tokens(text);
        Reading {
            characters: characters
                .map(|c| place(c.encode_utf8(&mut bytes).as_bytes(), CHARACTER_PLACES))
                .collect(),
            words: words
                .iter()
                .take(WORDS)
                .map(|t| place(t.text.as_bytes(), WORD_PLACES))
                .collect(),
        }
    }

    pub(super) fn part(&self, kind: Kind) -> &[u32] {
        match kind {
            Kind::Characters => &self.characters,
            Kind::Words => &self.words,
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.characters.is_empty() && self.words.is_empty()
    }
}

/// Over everything that shapes a fit.
pub(super) fn fingerprint(texts: &[Reading], vectors: &[f32], known: &[bool], options: &TextOptions) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(format!("{} {options:?}", env!("CARGO_PKG_VERSION")).as_bytes());
    for (text, known) in texts.iter().zip(known) {
        hash.update(&[u8::from(*known)]);
        for part in [&text.characters, &text.words] {
            hash.update(&(part.len() as u64).to_le_bytes());
            part.iter().for_each(|id| hash.update(&id.to_le_bytes()));
        }
    }
    vectors.iter().for_each(|value| hash.update(&value.to_le_bytes()));
    hash.digest128()
}
