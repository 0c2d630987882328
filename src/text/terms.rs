//! The strings of a vocabulary and the way from a feature to its column.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// 64 bits stand for a feature while counting: a collision among a million features has a chance of 3 in 10^8.
pub(super) fn hash(block: usize, feature: &str) -> u64 {
    xxh3_64_with_seed(feature.as_bytes(), block as u64)
}

/// Strings end to end in one allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    all: String,
    ends: Vec<usize>,
}

impl Terms {
    pub(super) fn push(&mut self, term: &str) {
        self.all.push_str(term);
        self.ends.push(self.all.len());
    }

    pub(super) fn get(&self, i: usize) -> &str {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.all[from..self.ends[i]]
    }
}

/// From hash to column. Only ever looked up, never iterated.
pub(super) type Index = HashMap<u64, u32, BuildHasherDefault<AlreadyHashed>>;

/// The keys are hashes themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed here")
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
