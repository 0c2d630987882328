//! What is left of deleted rows, and how it goes.
//!
//! `secure_delete` zeroes what *we* delete where it stood. That is not enough: balancing a b-tree leaves copies of a row
//! in the free part of pages, an application's own connection deletes without it, ANALYZE keeps samples of ids in
//! `sqlite_stat4`, and the write-ahead log holds pages as they were. So the samples are emptied, the file is written
//! anew by VACUUM, and the log is moved into it and truncated. VACUUM holds the write lock while it works (readers go on):
//! nothing smaller rewrites every page, because a page's free part belongs to no row that could be touched.

use super::super::error::{Error, Result};
use super::super::open::{Shop, beside};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long one attempt at truncating the log may keep writers waiting.
const ATTEMPT: Duration = Duration::from_millis(50);
/// Between two attempts.
const REST: Duration = Duration::from_millis(250);

/// Whether the write-ahead log was emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// It is empty.
    Yes,
    /// A reader needs it still; so many bytes.
    Held(u64),
}

impl Shop {
    /// Empties the planner's samples of index keys, which are ids. The counts by which it plans stay.
    pub fn forget_samples(&self) -> Result<()> {
        let has = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat4'";
        if self.conn().prepare(has)?.exists([])? {
            self.conn().execute("DELETE FROM sqlite_stat4", [])?;
        }
        Ok(())
    }

    /// Moves the write-ahead log into the file and truncates it, trying for `wait`. Each attempt keeps writers waiting
    /// for a moment only. `stop` is asked between two.
    pub fn truncate_wal(&self, wait: Duration, stop: impl Fn() -> bool) -> Result<Truncated> {
        let begun = Instant::now();
        loop {
            let patience = self.patience();
            self.conn().busy_timeout(ATTEMPT)?;
            let busy = self
                .conn()
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
                .map_err(Error::from);
            self.conn().busy_timeout(patience)?;
            let held = match busy {
                Ok(busy) => busy != 0,
                Err(error) if error.is_busy() => true,
                Err(error) => return Err(error),
            };
            if !held {
                return Ok(Truncated::Yes);
            }
            if begun.elapsed() >= wait || stop() {
                let size = std::fs::metadata(self.beside("-wal")).map_or(0, |file| file.len());
                return Ok(Truncated::Held(size));
            }
            std::thread::sleep(REST);
        }
    }

    /// Writes the file anew, page by page, without what was deleted from it. Writers wait meanwhile, readers do not. Needs
    /// room for two more copies while it works: one in the temporary folder, one in the write-ahead log. `stop` is asked
    /// now and then; stopped, the file is as before.
    ///
    /// # Errors
    /// [`Error::Refused`] when the disk is full or when it was stopped.
    pub fn write_anew(&mut self, stop: impl FnMut() -> bool + Send + 'static) -> Result<()> {
        let conn = self.conn_mut();
        conn.flush_prepared_statement_cache();
        conn.progress_handler(10_000, Some(stop))?;
        let done = conn.execute_batch("VACUUM");
        conn.progress_handler(0, None::<fn() -> bool>)?;
        done.map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Refused(format!(
                "{}: the disk is full; writing the file anew needs room for two more copies of it ({} MB each), one beside \
                 it and one in the temporary folder (SQLITE_TMPDIR names another); make room and erase again, it goes on here",
                self.path().display(),
                self.size() >> 20
            )),
            Some(rusqlite::ErrorCode::OperationInterrupted) => Error::Refused(
                "stopped while the file was written anew: it is as before; erase again, it goes on here".into(),
            ),
            _ => Error::Sqlite(error),
        })
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        std::fs::metadata(self.path()).map_or(0, |file| file.len())
    }

    /// The copies that were made beside the file before an older schema was brought up to date.
    pub fn backups_beside(&self) -> Vec<PathBuf> {
        let made = |version| beside(self.path(), &format!(".before-v{version}.bak"));
        (1..=super::super::schema_version())
            .flat_map(|version| [made(version), beside(&made(version), ".part")])
            .filter(|path| path.exists())
            .collect()
    }
}
