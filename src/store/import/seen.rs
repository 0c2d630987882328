//! How often an identical row was seen in this file, for any number of rows in bounded memory.
//!
//! Two identical rows of a shop's export are two facts (two lines of one invoice), so an id from content alone
//! would lose one. The id is the content and the row's count among identical rows of its file: the same file
//! gives the same ids each time.
//!
//! Counts live in a table in memory of at most `TABLE` rows. When it is full it is sorted and written to a
//! temporary file as one run; a Bloom filter of ten bits a row and the first key of every block stay in
//! memory. A row is looked for in the table, then in the runs, newest first, which hold the newest count.
//! Eighty million rows need about 250 MB.

use super::{ImportError, scratch};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// Rows counted in memory before they become a run.
const TABLE: usize = 3_600_000;
/// Rows in one block of a run.
const BLOCK: usize = 128;
/// Bytes of one row in a run: the key and its count.
const ENTRY: usize = 20;
/// Probes of a Bloom filter with ten bits a row: about one false answer in a hundred.
const PROBES: u64 = 7;

/// The key of a row's content: two independent halves of a 128-bit hash, so a table needs no hash of its own.
pub type ContentKey = (u64, u64);

/// Hands the first half of the key to the table: it is uniform already.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, value: u64) {
        // The table uses high and low bits; both halves go in.
        self.0 = self.0.rotate_left(32) ^ value;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Counts of identical rows.
#[derive(Debug)]
pub struct Seen {
    most: usize,
    table: HashMap<ContentKey, u32, BuildHasherDefault<AsIs>>,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    file: File,
    rows: usize,
    firsts: Vec<ContentKey>,
    filter: Vec<u64>,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen::with_table(TABLE)
    }
}

impl Seen {
    /// Counts with at most `most` rows in memory.
    pub fn with_table(most: usize) -> Seen {
        Seen {
            most,
            table: HashMap::default(),
            runs: Vec::new(),
        }
    }

    /// Forgets everything: another file begins.
    pub fn clear(&mut self) {
        self.table.clear();
        self.runs.clear();
    }

    /// Counts one more row of this content; 1 for the first.
    pub fn count(&mut self, key: ContentKey) -> Result<u32, ImportError> {
        let full = self.table.len() >= self.most;
        match self.table.entry(key) {
            Entry::Occupied(mut entry) => {
                *entry.get_mut() += 1;
                return Ok(*entry.get());
            }
            Entry::Vacant(entry) if !full => {
                let before = find(&mut self.runs, key).map_err(failed)?;
                return Ok(*entry.insert(before + 1));
            }
            Entry::Vacant(_) => {}
        }
        self.spill().map_err(failed)?;
        let count = find(&mut self.runs, key).map_err(failed)? + 1;
        self.table.insert(key, count);
        Ok(count)
    }

    /// Writes the table as one sorted run.
    fn spill(&mut self) -> Result<(), io::Error> {
        let mut rows: Vec<(ContentKey, u32)> = self.table.drain().collect();
        rows.sort_unstable();
        let file = scratch::file().map_err(|error| io::Error::other(error.to_string()))?;
        let mut run = Run {
            file,
            rows: rows.len(),
            firsts: Vec::new(),
            filter: vec![0; rows.len() * 10 / 64 + 1],
        };
        let mut writer = BufWriter::with_capacity(1 << 20, &run.file);
        for (at, (key, count)) in rows.iter().enumerate() {
            if at % BLOCK == 0 {
                run.firsts.push(*key);
            }
            for bit in bits(*key, run.filter.len()) {
                run.filter[(bit / 64) as usize] |= 1 << (bit % 64);
            }
            writer.write_all(&key.0.to_le_bytes())?;
            writer.write_all(&key.1.to_le_bytes())?;
            writer.write_all(&count.to_le_bytes())?;
        }
        writer.flush()?;
        drop(writer);
        self.runs.push(run);
        Ok(())
    }
}

fn failed(error: io::Error) -> ImportError {
    ImportError::Input(format!(
        "cannot count identical rows in a temporary file: {error}; TMPDIR names another folder"
    ))
}

/// The bits of a filter of `words` words that stand for `key`.
fn bits(key: ContentKey, words: usize) -> impl Iterator<Item = u64> {
    let most = words as u64 * 64;
    (0..PROBES).map(move |probe| key.0.wrapping_add(key.1.wrapping_mul(2 * probe + 1)) % most)
}

/// The newest count of `key` in the runs; 0 when it is in none.
fn find(runs: &mut [Run], key: ContentKey) -> Result<u32, io::Error> {
    for run in runs.iter_mut().rev() {
        if bits(key, run.filter.len()).all(|bit| run.filter[(bit / 64) as usize] >> (bit % 64) & 1 == 1)
            && let Some(count) = run.count_of(key)?
        {
            return Ok(count);
        }
    }
    Ok(0)
}

impl Run {
    fn count_of(&mut self, key: ContentKey) -> Result<Option<u32>, io::Error> {
        let Some(block) = self.firsts.partition_point(|first| *first <= key).checked_sub(1) else {
            return Ok(None);
        };
        let rows = BLOCK.min(self.rows - block * BLOCK);
        let mut bytes = [0; BLOCK * ENTRY];
        let bytes = &mut bytes[..rows * ENTRY];
        self.file.seek(SeekFrom::Start((block * BLOCK * ENTRY) as u64))?;
        self.file.read_exact(bytes)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        Ok(bytes
            .chunks_exact(ENTRY)
            .find(|entry| (number(&entry[..8]), number(&entry[8..16])) == key)
            .map(|entry| number(&entry[16..]) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_same_whatever_fits_in_memory() {
        let mut random = fastrand::Rng::with_seed(7);
        let keys: Vec<ContentKey> = (0..3_000).map(|_| (random.u64(..), random.u64(..))).collect();
        let mut large = Seen::default();
        let mut small = Seen::with_table(257);
        for _ in 0..20_000 {
            let key = keys[random.usize(..keys.len())];
            assert_eq!(small.count(key).unwrap(), large.count(key).unwrap());
        }
        assert!(small.runs.len() > 10 && large.runs.is_empty());
        small.clear();
        assert_eq!(small.count(keys[0]).unwrap(), 1);
    }
}
