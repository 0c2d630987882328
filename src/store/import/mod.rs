//! Importing files: shop data in, row by row, with every row that was not taken accounted for.
//!
//! The way of a row:
//!
//! | step | file |
//! |---|---|
//! | bytes: file or stdin, gzip, encodings | [`source`] |
//! | rows of cells: CSV and TSV, JSON lines, Parquet | [`delimited`], [`jsonl`], [`parquet`] into [`row`] |
//! | with `--select`: staged as `input`, selected from | [`stage`] |
//! | cells to what the columns of the table hold | [`table`], [`value`], [`times`] |
//! | an id for rows that bring none, from content and count | [`identity`], [`seen`] |
//! | batches, written in short transactions | [`batch`], [`writer`] |
//! | rows not taken, by reason | [`rejected`] |
//!
//! Words: a *row* is one of the file; it is *inserted*, *changed* (its key exists and says something else),
//! *unchanged* or *rejected*. A *source* is the name a file's rejected rows are stored under.
//!
//! Invariants. Importing a file twice changes nothing the second time. Identical rows without an id inside one
//! file are all kept; identical rows of two files are the same rows (each file counts for itself). Memory is
//! bounded whatever the file: by the largest row, not by the number of rows. Without `--strict` a transaction
//! holds at most [`BATCH_ROWS`] rows and reading and checking happen between transactions, so an application
//! gets its turn, and a kill leaves a file that opens and an import that can be run again. With `--strict` all
//! is one transaction, rolled back when one row is rejected.

pub mod batch;
pub mod delimited;
pub mod identity;
pub mod jsonl;
pub mod parquet;
pub mod rejected;
pub mod row;
mod scratch;
pub mod seen;
pub mod source;
pub mod stage;
pub mod table;
pub mod times;
pub mod value;
pub mod writer;

use batch::Batch;
use chrono_tz::Tz;
use rejected::Rejections;
use row::{Records, Row};
use rusqlite::Connection;
use seen::Seen;
pub use source::{Input, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use table::{Key, Table};
use writer::{Fate, Writer};

/// Rows in one transaction.
pub const BATCH_ROWS: usize = 2000;
/// Bytes of text in one transaction.
const BATCH_BYTES: usize = 4 << 20;

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The input or the way it was asked for cannot be used; says what, where and what to do.
    #[error("{0}")]
    Input(String),
    /// The database failed.
    #[error("SQLite: {0}")]
    Database(#[from] rusqlite::Error),
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma separated; a semicolon or tab is recognised.
    Csv,
    /// Tab separated.
    Tsv,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// What is asked of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// A SELECT over the staged file `input`, instead of matching the file's columns by name.
    pub select: Option<String>,
    /// Nothing is taken unless every row of every file is good.
    pub strict: bool,
    /// The encoding's label; nothing = UTF-8, or UTF-16 with a byte order mark.
    pub encoding: Option<String>,
    /// The format; nothing = by content and name.
    pub format: Option<Format>,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows read from the files (with `--select`: rows of its result).
    pub read: u64,
    /// Rows staged for `--select`, of which the SELECT made `read`.
    pub staged: Option<u64>,
    /// New rows.
    pub inserted: u64,
    /// Rows that existed and changed.
    pub changed: u64,
    /// Rows that existed and said the same.
    pub unchanged: u64,
    /// Rows not taken.
    pub rejected: u64,
    /// Of these, rows kept in rejected_rows.
    pub rejected_kept: u64,
    /// Rows not taken, by column and fault.
    pub by_reason: BTreeMap<String, u64>,
    /// Strict, and something was rejected: nothing was taken.
    pub rolled_back: bool,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The file being read, from 0.
    pub file: usize,
    /// Bytes of it read, as it lies on disk.
    pub done: u64,
    /// Its bytes; unknown for stdin.
    pub total: Option<u64>,
    /// Rows read of all files.
    pub rows: u64,
}

/// Opens `source` as rows. The flag says whether cells are typed (JSON lines, Parquet).
pub fn open_records(source: Source, format: Option<Format>) -> Result<(Box<dyn Records>, bool), ImportError> {
    let format = format.unwrap_or_else(|| format_of(&source));
    let name = source.name.clone();
    Ok(match format {
        Format::Csv => {
            let delimiter = delimited::delimiter_of(&source.head);
            (
                Box::new(delimited::Delimited::open(&name, source.bytes, delimiter)?),
                false,
            )
        }
        Format::Tsv => (
            Box::new(delimited::Delimited::open(&name, source.bytes, b'\t')?),
            false,
        ),
        Format::JsonLines => {
            if source.head.is_empty() {
                return Err(ImportError::Input(format!(
                    "{name} is empty: one JSON object a line is needed"
                )));
            }
            (Box::new(jsonl::JsonLines::open(&name, source.bytes)), true)
        }
        Format::Parquet => (Box::new(parquet::Parquet::open(source)?), true),
    })
}

/// The format by content where that is certain, else by name, else by the first character.
fn format_of(source: &Source) -> Format {
    if source.head.starts_with(b"PAR1") {
        return Format::Parquet;
    }
    let name = source.name.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => Format::Csv,
        Some("tsv" | "tab") => Format::Tsv,
        Some("jsonl" | "ndjson" | "json") => Format::JsonLines,
        Some("parquet" | "pq") => Format::Parquet,
        _ if matches!(source.head.trim_ascii_start().first(), Some(b'{' | b'[')) => Format::JsonLines,
        _ => Format::Csv,
    }
}

/// Refuses names that differ in nothing but capitals.
fn no_name_twice(source: &str, names: &[String]) -> Result<(), ImportError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.to_lowercase()) {
            let name = table::cut(name, 60);
            return Err(ImportError::Input(format!(
                "{source} has the column {name:?} twice; give each its own name"
            )));
        }
    }
    Ok(())
}

/// Imports `inputs` into the table called `table` and says what became of every row.
///
/// `progress` is called a few times a second's worth of rows. An error leaves what was committed before it (with
/// `strict` nothing); running the import again takes up the rest.
pub fn import(
    connection: &Connection,
    table: &str,
    inputs: &[Input],
    options: &ImportOptions,
    progress: &mut dyn FnMut(&Progress),
) -> Result<ImportReport, ImportError> {
    let table = Table::named(table)?;
    let zone = time_zone(connection)?;
    let mut session = Session {
        connection,
        table,
        zone,
        strict: options.strict,
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
        progress,
    };
    let outcome = session.all(inputs, options);
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    outcome?;
    Ok(session.report())
}

/// The shop's time zone, for times without an offset.
fn time_zone(connection: &Connection) -> Result<Tz, ImportError> {
    let mut select = connection
        .prepare("SELECT value FROM main.settings WHERE name = 'time_zone' AND value IS NOT NULL")?;
    let mut rows = select.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(Tz::UTC);
    };
    let name: String = row.get(0)?;
    name.parse().map_err(|_| {
        ImportError::Input(format!(
            "settings.time_zone is {name:?}, which is no IANA time zone; set it to one like Europe/Berlin or UTC"
        ))
    })
}

struct Place {
    file: usize,
    total: Option<u64>,
    done: Arc<AtomicU64>,
}

/// One import under way.
struct Session<'c, 'p> {
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
    progress: &'p mut dyn FnMut(&Progress),
}

impl Session<'_, '_> {
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
            if self.targets.len() < records.columns().len() {
                // A row of JSON lines brings a key the first one did not have.
                for at in self.targets.len()..records.columns().len() {
                    self.targets.push(self.table.position(&records.columns()[at]));
                }
            }
            if let Some(at) = (0..row.cells.len())
                .find(|&at| self.targets[at].is_none() && row.cells[at] != row::Cell::Absent)
            {
                let unknown = table::cut(&records.columns()[at], 60);
                row.refuse(row::Reason::row("a key that the table does not have").found(unknown));
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
            stage::Stage::fill(name, records, typed, &mut self.rejections, &mut tick)?
        };
        self.failed |= self.strict && self.rejections.count > before;
        *self.report.staged.get_or_insert(0) += stage.rows;
        // Both closures need the session; one after the other, never at once.
        let session = std::cell::RefCell::new(self);
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
                .filter(|&at| self.table.columns[at].empty == table::Empty::Refused)
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
        if self.batch.rows.len() >= BATCH_ROWS
            || self.batch.bytes() >= BATCH_BYTES
            || self.rejections.waiting() >= BATCH_ROWS
        {
            self.flush()?;
        }
        Ok(())
    }

    /// Rejects a row; with strict this gives up the transaction, and the rest is only checked.
    fn reject(&mut self, line: u64, reason: &row::Reason, raw: &[u8]) -> Result<(), ImportError> {
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
        }
        Ok(())
    }

    fn report(self) -> ImportReport {
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
