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
//! holds some thousand rows, fewer as soon as somebody else writes, and reading and checking happen between
//! transactions, so an application gets its turn; a kill leaves a file that opens and an import that can be run
//! again. With `--strict` all is one transaction, rolled back when one row is rejected.

pub mod batch;
pub mod delimited;
pub mod identity;
pub mod jsonl;
pub mod parquet;
pub mod rejected;
pub mod row;
mod scratch;
pub mod seen;
mod session;
pub mod source;
pub mod stage;
pub mod table;
pub mod times;
pub mod value;
pub mod writer;

use super::open::Shop;
use chrono_tz::Tz;
use row::Records;
use rusqlite::Connection;
use session::Session;
pub use source::{Input, Source};
use std::collections::{BTreeMap, BTreeSet};
use table::Table;

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
    shop: &Shop,
    table: &str,
    inputs: &[Input],
    options: &ImportOptions,
    progress: &mut dyn FnMut(&Progress),
) -> Result<ImportReport, ImportError> {
    let connection = shop.conn();
    let table = Table::named(table)?;
    let zone = time_zone(connection)?;
    let mut session = Session::new(connection, table, zone, options.strict, progress);
    session.run(inputs, options)?;
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
