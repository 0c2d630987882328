//! Rows that could not be taken: counted by reason, and kept with their text for whoever mends the file.
//!
//! An import replaces what an earlier import of the same source into the same table left. At most [`KEPT`] rows
//! and [`KEPT_BYTES`] bytes are kept of one source, so that a hopeless file cannot fill the disk; all are counted.

use super::row::{RAW_BYTES, Reason};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Rejected rows kept of one source.
pub const KEPT: u64 = 100_000;
/// Bytes kept of one source.
pub const KEPT_BYTES: u64 = 64 << 20;
/// Reasons counted one by one; what comes after is counted together.
const MOST_REASONS: usize = 1000;
/// Old rejections removed in one transaction.
const REMOVED: i64 = 2000;

/// The rejected rows of one import.
#[derive(Debug, Default)]
pub struct Rejections {
    /// Rejected rows of all sources.
    pub count: u64,
    /// Of these, rows kept in the table.
    pub kept: u64,
    /// Rows by reason.
    pub by_reason: BTreeMap<String, u64>,
    kept_here: u64,
    bytes_here: u64,
    source: Arc<str>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    source: Arc<str>,
    line: u64,
    reason: String,
    raw: String,
}

impl Rejections {
    /// Rows rejected from here on are of `source`.
    pub fn begin(&mut self, source: &str) {
        (self.kept_here, self.bytes_here) = (0, 0);
        self.source = source.into();
    }

    /// Removes what an earlier import of `source` left, in short transactions.
    pub fn forget(connection: &Connection, table: &str, source: &str) -> rusqlite::Result<()> {
        let mut remove = connection.prepare(
            "DELETE FROM clerk_rejected_rows WHERE rejected_id IN
                 (SELECT rejected_id FROM clerk_rejected_rows WHERE table_name = ?1 AND source = ?2 LIMIT ?3)",
        )?;
        let mut any =
            connection.prepare("SELECT 1 FROM clerk_rejected_rows WHERE table_name = ?1 AND source = ?2")?;
        while any.exists(params![table, source])? {
            remove.execute(params![table, source, REMOVED])?;
        }
        Ok(())
    }

    /// Counts a row and keeps it to be written.
    pub fn add(&mut self, line: u64, reason: &Reason, raw: &[u8]) {
        self.count += 1;
        let group = reason.group();
        let group = if self.by_reason.len() < MOST_REASONS || self.by_reason.contains_key(&group) {
            group
        } else {
            "other reasons".to_string()
        };
        *self.by_reason.entry(group).or_default() += 1;
        if self.kept_here < KEPT && self.bytes_here < KEPT_BYTES {
            let row = Waiting {
                source: Arc::clone(&self.source),
                line,
                reason: reason.text(),
                raw: readable(raw),
            };
            self.kept_here += 1;
            self.bytes_here += (row.reason.len() + row.raw.len()) as u64;
            self.waiting.push_back(row);
        }
    }

    /// Rows that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Writes up to `most` waiting rows; inside the caller's transaction.
    pub fn write(&mut self, connection: &Connection, table: &str, most: usize) -> rusqlite::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut insert = connection.prepare(
            "INSERT INTO clerk_rejected_rows (table_name, source, line, reason, raw) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let most = most.min(self.waiting.len());
        for row in self.waiting.drain(..most) {
            insert.execute(params![table, &*row.source, row.line as i64, row.reason, row.raw])?;
            self.kept += 1;
        }
        Ok(())
    }
}

/// Bytes as text that every program can show: bad UTF-8 and NUL as signs for them, at most 4 KB.
fn readable(raw: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&raw[..raw.len().min(RAW_BYTES)]).replace('\0', "␀");
    if text.len() > RAW_BYTES {
        let end = (0..=RAW_BYTES)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_is_readable_and_short() {
        assert_eq!(readable(b"a\0b\xff"), "a␀b\u{fffd}");
        assert!(readable(&[0xff; 5000]).len() <= RAW_BYTES);
        assert_eq!(readable("é".repeat(2048).as_bytes()).len(), 4096);
    }

    #[test]
    fn reasons_are_counted_without_end_and_kept_within_bounds() {
        let mut rejections = Rejections::default();
        for i in 0..KEPT + 10 {
            rejections.add(i, &Reason::row(format!("reason {}", i % 1500)), b"x");
        }
        assert_eq!((rejections.count, rejections.waiting() as u64), (KEPT + 10, KEPT));
        assert_eq!(rejections.by_reason.values().sum::<u64>(), KEPT + 10);
        assert_eq!(rejections.by_reason.len(), MOST_REASONS + 1);
    }
}
