//! One import under way: files in, batches out, and the choice between many short transactions and one.

use super::batch::Batch;
use super::rejected::Rejections;
use super::row::{Cell, Reason, Records, Row};
use super::seen::Seen;
use super::source::{Input, Source};
use super::stage::Stage;
use super::table::{self, Empty, Key, Table};
use super::writer::{Fate, Writer};
use super::{ImportError, ImportOptions, ImportReport, Progress, open_records};
use chrono_tz::Tz;
use rusqlite::Connection;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows in one transaction while another program writes to the file.
pub const POLITE_ROWS: usize = 1000;
/// Rows in one transaction while nobody else does.
pub const BATCH_ROWS: usize = 5000;
/// Bytes of text in one transaction.
const BATCH_BYTES: usize = 4 << 20;
/// Transactions after another program's last commit before it counts as gone.
const PATIENCE: u32 = 200;
/// Pages of cache during an import (64 MB): indices that do not follow the file's order stay in memory.
const CACHE_KB: i64 = -65_536;
/// Pages in the WAL before we move them into the file: more than SQLite's 1,000, because an import touches the
/// same pages again and again.
const CHECKPOINT_PAGES: i64 = 4000;
/// The same while another program writes.
const POLITE_PAGES: i64 = 400;
/// The rest between two transactions while another program writes.
const POLITE_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Which file is being read, and how far.
struct Place {
    file: usize,
    total: Option<u64>,
    done: Arc<AtomicU64>,
}

/// One import under way.
pub(super) struct Session<'c, 'p> {
    connection: &'c Connection,
    table: &'static Table,
    zone: Tz,
    strict: bool,
    /// Strict, and a row was rejected: rows are only checked from here on.
    failed: bool,
    /// Strict: the one transaction is open.
    open: bool,
    batch: Batch,
    writer: Writer<'c>,
    seen: Seen,
    rejections: Rejections,
    report: ImportReport,
    targets: Vec<Option<usize>>,
    place: Place,
    /// `PRAGMA data_version` at our last commit: it moves when somebody else commits.
    version: i64,
    /// Transactions left in which we stay polite.
    polite: u32,
    progress: &'p mut dyn FnMut(&Progress),
}

impl<'c, 'p> Session<'c, 'p> {
    pub(super) fn new(
        connection: &'c Connection,
        table: &'static Table,
        zone: Tz,
        strict: bool,
        progress: &'p mut dyn FnMut(&Progress),
    ) -> Session<'c, 'p> {
        Session {
            connection,
            table,
            zone,
            strict,
            failed: false,
            open: false,
            batch: Batch::new(table),
            writer: Writer::new(connection, table),
            seen: Seen::default(),
            rejections: Rejections::default(),
            report: ImportReport::default(),
            targets: Vec::new(),
            place: Place {
                file: 0,
                total: None,
                done: Arc::default(),
            },
            version: 0,
            polite: 0,
            progress,
        }
    }

    /// Runs the import with a cache and a WAL of its size, and puts both back.
    pub(super) fn run(&mut self, inputs: &[Input], options: &ImportOptions) -> Result<(), ImportError> {
        let connection = self.connection;
        let get = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (cache, checkpoint) = (get("cache_size")?, get("wal_autocheckpoint")?);
        self.version = get("data_version")?;
        connection.pragma_update(None, "cache_size", CACHE_KB)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let outcome = self.all(inputs, options);
        if outcome.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        connection.pragma_update(None, "wal_autocheckpoint", checkpoint)?;
        connection.pragma_update(None, "cache_size", cache)?;
        outcome
    }

    /// How many rows the next transaction may hold: few as long as somebody else writes too, because a writer that
    /// polls for the lock needs many gaps, not long ones.
    fn most_rows(&self) -> usize {
        if self.polite > 0 { POLITE_ROWS } else { BATCH_ROWS }
    }

    /// Takes all files; what remains open or waiting is finished.
    fn all(&mut self, inputs: &[Input], options: &ImportOptions) -> Result<(), ImportError> {
        // Old rejections go first, outside the strict transaction: this attempt replaces them either way.
        for input in inputs {
            Rejections::forget(self.connection, self.table.name, &input.name())?;
        }
        for (at, input) in inputs.iter().enumerate() {
            self.place.file = at;
            self.rejections.begin(&input.name());
            self.seen.clear();
            self.writer.begin_file();
            self.one(input, options)?;
            self.flush()?;
        }
        if self.open {
            self.connection
                .execute_batch(if self.failed { "ROLLBACK" } else { "COMMIT" })?;
            self.open = false;
        }
        while self.rejections.waiting() > 0 {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.rejections
                .write(self.connection, self.table.name, BATCH_ROWS)?;
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    fn one(&mut self, input: &Input, options: &ImportOptions) -> Result<(), ImportError> {
        let source = Source::open(input, options.encoding.as_deref())?;
        let name = source.name.clone();
        (self.place.total, self.place.done) = (source.total, Arc::clone(&source.done));
        let (mut records, typed) = open_records(source, options.format)?;
        match &options.select {
            None => self.direct(&name, &mut *records),
            Some(sql) => self.selected(&name, &mut *records, typed, sql),
        }
    }

    /// Takes rows whose columns carry the table's names.
    fn direct(&mut self, name: &str, records: &mut dyn Records) -> Result<(), ImportError> {
        let mut row = Row::default();
        let mut more = records.next(&mut row)?;
        self.aim(name, records.columns())?;
        while more {
            if records.grows() && row.problem.is_none() {
                // A row of JSON lines may bring a key the first one did not have.
                for at in self.targets.len()..records.columns().len() {
                    self.targets.push(self.table.position(&records.columns()[at]));
                }
                let unknown = |at: &usize| self.targets[*at].is_none() && row.cells[*at] != Cell::Absent;
                if let Some(at) = (0..row.cells.len()).find(unknown) {
                    let unknown = table::cut(&records.columns()[at], 60);
                    row.refuse(Reason::row("a key that the table does not have").found(unknown));
                }
            }
            self.take(&mut row)?;
            more = records.next(&mut row)?;
        }
        Ok(())
    }

    /// Takes the rows of a SELECT over the staged file.
    fn selected(
        &mut self,
        name: &str,
        records: &mut dyn Records,
        typed: bool,
        sql: &str,
    ) -> Result<(), ImportError> {
        let before = self.rejections.count;
        let stage = {
            let (place, progress) = (&self.place, &mut *self.progress);
            let mut tick = |rows| progress(&place.at(rows));
            Stage::fill(name, records, typed, &mut self.rejections, &mut tick)?
        };
        self.failed |= self.strict && self.rejections.count > before;
        *self.report.staged.get_or_insert(0) += stage.rows;
        // Both closures need the session; one after the other, never at once.
        let session = RefCell::new(self);
        stage.select(
            sql,
            &mut |columns| session.borrow_mut().aim("--select", columns),
            &mut |row| session.borrow_mut().take(row),
        )
    }

    /// Finds the column of the table for each of these; the key must be among them.
    fn aim(&mut self, name: &str, columns: &[String]) -> Result<(), ImportError> {
        self.targets.clear();
        for column in columns {
            match self.table.position(column) {
                Some(at) => self.targets.push(Some(at)),
                None => return Err(self.table.unknown_column(column, name)),
            }
        }
        if columns.is_empty() {
            return Ok(());
        }
        let has = |at: usize| self.targets.contains(&Some(at));
        let needed: Vec<usize> = match self.table.key {
            Key::Columns(key) => key
                .iter()
                .copied()
                .filter(|&at| self.table.columns[at].empty == Empty::Refused)
                .collect(),
            Key::Source if has(0) || has(1) => Vec::new(),
            Key::Assigned if has(0) => Vec::new(),
            Key::Source | Key::Assigned => self.table.required().collect(),
        };
        // JSON lines may bring the rest in later rows; those rows are judged one by one.
        if let Some(&missing) = needed.iter().find(|&&at| !has(at)) {
            let names: Vec<&str> = columns.iter().map(String::as_str).collect();
            return Err(ImportError::Input(format!(
                "{name} has no column {}, which rows of {} need. It has: {}. If it is there under another name: \
                 --select 'SELECT its_name AS {} FROM input'",
                self.table.columns[missing].name,
                self.table.name,
                table::cut(&names.join(", "), 600),
                self.table.columns[missing].name,
            )));
        }
        Ok(())
    }

    fn take(&mut self, row: &mut Row) -> Result<(), ImportError> {
        self.report.read += 1;
        match self.batch.take(row, &self.targets, self.zone, &mut self.seen)? {
            Ok(()) => {}
            Err(reason) => {
                let mut raw = Vec::new();
                row.raw_text(&mut raw);
                self.reject(row.line, &reason, &raw)?;
            }
        }
        if self.batch.rows.len() >= self.most_rows()
            || self.batch.bytes() >= BATCH_BYTES
            || self.rejections.waiting() >= BATCH_ROWS
        {
            self.flush()?;
        }
        Ok(())
    }

    /// Rejects a row; with strict this gives up the transaction, and the rest is only checked.
    fn reject(&mut self, line: u64, reason: &Reason, raw: &[u8]) -> Result<(), ImportError> {
        self.rejections.add(line, reason, raw);
        if self.strict && !self.failed {
            self.failed = true;
            if self.open {
                self.connection.execute_batch("ROLLBACK")?;
                self.open = false;
            }
        }
        Ok(())
    }

    /// Writes the batch in one transaction and reports progress.
    fn flush(&mut self) -> Result<(), ImportError> {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(self.table));
        let outcome = self.write(&batch);
        batch.clear();
        self.batch = batch;
        outcome?;
        (self.progress)(&self.place.at(self.report.read));
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> Result<(), ImportError> {
        if self.strict {
            self.failed |= self.rejections.count > 0;
            if self.failed {
                return Ok(());
            }
            if !self.open && !batch.rows.is_empty() {
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
                self.open = true;
            }
        } else if batch.rows.is_empty() && self.rejections.waiting() == 0 {
            return Ok(());
        } else {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        for at in 0..batch.rows.len() {
            match self.writer.write(batch, at)? {
                Fate::Inserted => self.report.inserted += 1,
                Fate::Changed => self.report.changed += 1,
                Fate::Unchanged => self.report.unchanged += 1,
                Fate::Refused(reason) => {
                    self.reject(batch.rows[at].line, &reason, batch.raw(at))?;
                    if self.strict {
                        return Ok(());
                    }
                }
            }
        }
        if !self.strict {
            self.rejections
                .write(self.connection, self.table.name, BATCH_ROWS)?;
            self.connection.execute_batch("COMMIT")?;
            let version = self
                .connection
                .pragma_query_value(None, "data_version", |row| row.get(0))?;
            let was_polite = self.polite > 0;
            if version != self.version {
                self.version = version;
                self.polite = PATIENCE;
            }
            self.polite = self.polite.saturating_sub(1);
            let polite = self.polite > 0;
            if polite != was_polite {
                // Beside a checkout the WAL must stay below the 1,000 pages at which its commit would pay for ours.
                let pages = if polite { POLITE_PAGES } else { CHECKPOINT_PAGES };
                self.connection.pragma_update(None, "wal_autocheckpoint", pages)?;
            }
            if polite {
                std::thread::sleep(POLITE_PAUSE); // who waits for the write lock polls: leave it a moment
            }
        }
        Ok(())
    }

    pub(super) fn report(self) -> ImportReport {
        let mut report = self.report;
        report.rejected = self.rejections.count;
        report.rejected_kept = self.rejections.kept;
        report.by_reason = self.rejections.by_reason;
        if self.failed {
            report.rolled_back = true;
            (report.inserted, report.changed, report.unchanged) = (0, 0, 0);
        }
        report
    }
}

impl Place {
    fn at(&self, rows: u64) -> Progress {
        Progress {
            file: self.file,
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            rows,
        }
    }
}
