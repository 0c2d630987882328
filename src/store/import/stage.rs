//! `--select`: the file as a table `input`, and a SELECT over it.
//!
//! The file is staged in SQLite's own nameless temporary database: on disk once it is larger than a cache of
//! 64 MB, and gone with the process however that ends. CSV columns are TEXT, as `sqlite3 .import` makes them
//! (compare numbers with CAST or `+ 0`); JSON lines and Parquet keep their types. `rowid` is the line in the
//! file; a result column called `line` gives rejected rows their line, without one it is the number of the
//! result's row. The SELECT sees nothing but `input`.

use super::ImportError;
use super::rejected::Rejections;
use super::row::{Cell, Reason, Records, Row};
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, Statement};

/// The most columns SQLite gives one table.
const MOST_STAGED: usize = 2000;

/// A staged file.
pub struct Stage {
    connection: Connection,
    columns: Vec<String>,
    /// Rows staged.
    pub rows: u64,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("columns", &self.columns)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Stage {
    /// Stages all rows of `records`. Rows that cannot be read are rejected here, with their line.
    pub fn fill(
        name: &str,
        records: &mut dyn Records,
        typed: bool,
        rejections: &mut Rejections,
        tick: &mut dyn FnMut(u64),
    ) -> Result<Stage, ImportError> {
        let connection = Connection::open("")?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;
             PRAGMA temp_store = FILE; PRAGMA locking_mode = EXCLUSIVE",
        )?;
        let mut stage = Stage {
            connection,
            columns: Vec::new(),
            rows: 0,
        };
        let mut row = Row::default();
        let mut more = records.next(&mut row)?;
        let sql = stage.widen(name, records.columns(), typed, true)?;
        stage.connection.execute_batch(&sql)?;
        while more {
            let sql = stage.widen(name, records.columns(), typed, false)?;
            stage.connection.execute_batch(&sql)?;
            more = stage.insert_while_narrow(records, &mut row, rejections, tick)?;
        }
        stage.connection.execute_batch("COMMIT; PRAGMA query_only = ON")?;
        Ok(stage)
    }

    /// The SQL that makes the table, or adds the columns that JSON lines brought since.
    fn widen(
        &mut self,
        name: &str,
        columns: &[String],
        typed: bool,
        new: bool,
    ) -> Result<String, ImportError> {
        if columns.len() > MOST_STAGED {
            let found = columns.len();
            return Err(ImportError::Input(format!(
                "{name} has {found} columns; --select can stage {MOST_STAGED}. Cut the file down first"
            )));
        }
        let fresh = &columns[self.columns.len()..];
        for (at, column) in columns.iter().enumerate().skip(self.columns.len()) {
            if columns[..at]
                .iter()
                .any(|known| known.to_lowercase() == column.to_lowercase())
            {
                return Err(ImportError::Input(format!(
                    "{name} has the column {column:?} twice, once with other capitals; SQL cannot tell them apart"
                )));
            }
        }
        let declared = if typed { "" } else { " TEXT" };
        let each = fresh.iter().map(|column| format!("{}{declared}", quoted(column)));
        let sql = if new {
            // A file of no rows and no columns still answers a SELECT.
            let list = if fresh.is_empty() {
                "\"(no columns)\"".to_string()
            } else {
                each.collect::<Vec<_>>().join(", ")
            };
            format!("CREATE TABLE input ({list}); BEGIN")
        } else {
            each.map(|column| format!("ALTER TABLE input ADD COLUMN {column};"))
                .collect()
        };
        self.columns.extend_from_slice(fresh);
        Ok(sql)
    }

    /// Inserts `row` and those after it, until the file ends (false) or `row` is one that brings new columns (true).
    fn insert_while_narrow(
        &mut self,
        records: &mut dyn Records,
        row: &mut Row,
        rejections: &mut Rejections,
        tick: &mut dyn FnMut(u64),
    ) -> Result<bool, ImportError> {
        let list = self
            .columns
            .iter()
            .map(|column| format!(", {}", quoted(column)))
            .collect::<String>();
        let places = (2..=self.columns.len() + 1)
            .map(|place| format!(", ?{place}"))
            .collect::<String>();
        let mut insert = self.connection.prepare(&format!(
            "INSERT OR REPLACE INTO input (rowid{list}) VALUES (?1{places})"
        ))?;
        loop {
            match row.problem.take().or_else(|| text_problem(row)) {
                Some(problem) => rejections.add(row.line, &problem, &row.raw),
                None => {
                    bind(&mut insert, row, self.columns.len())?;
                    insert.raw_execute()?;
                    self.rows += 1;
                    if self.rows.is_multiple_of(4096) {
                        tick(self.rows);
                    }
                }
            }
            if !records.next(row)? {
                return Ok(false);
            }
            if records.columns().len() > self.columns.len() {
                return Ok(true);
            }
        }
    }

    /// Runs the SELECT and hands each of its rows to `take`, with the names of its columns known before.
    pub fn select(
        &self,
        sql: &str,
        columns: &mut dyn FnMut(&[String]) -> Result<(), ImportError>,
        take: &mut dyn FnMut(&mut Row) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let failed = |error: rusqlite::Error| {
            let what = match error {
                rusqlite::Error::SqliteFailure(_, Some(message)) => message,
                rusqlite::Error::SqlInputError { msg, .. } => msg,
                rusqlite::Error::MultipleStatement => "more than one statement".to_string(),
                other => other.to_string(),
            };
            ImportError::Input(format!(
                "--select: {what}. Columns of input: {}",
                self.columns.join(", ")
            ))
        };
        let mut select = self.connection.prepare(sql).map_err(failed)?;
        if select.column_count() == 0 || !select.readonly() {
            return Err(ImportError::Input(
                "--select takes one SELECT over the table input".into(),
            ));
        }
        let mut names: Vec<String> = select.column_names().map(String::from).collect();
        let line_at = names.iter().position(|name| name == "line");
        if let Some(at) = line_at {
            names.remove(at);
        }
        super::no_name_twice("--select", &names)?;
        columns(&names)?;
        let width = names.len() + usize::from(line_at.is_some());
        let mut rows = select.query([]).map_err(failed)?;
        let mut row = Row::default();
        let mut count = 0;
        while let Some(found) = rows.next().map_err(failed)? {
            row.clear();
            count += 1;
            row.line = count;
            for at in 0..width {
                let value = found.get_ref(at).map_err(failed)?;
                if line_at == Some(at) {
                    if let ValueRef::Integer(line @ 0..) = value {
                        row.line = line as u64;
                    }
                    continue;
                }
                match value {
                    ValueRef::Null => row.cells.push(Cell::Null),
                    ValueRef::Integer(value) => row.cells.push(Cell::Integer(value)),
                    ValueRef::Real(value) => row.cells.push(Cell::Real(value)),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        let from = row.text.len();
                        row.text.extend_from_slice(bytes);
                        row.cells.push(Cell::Text(from, row.text.len()));
                    }
                }
            }
            take(&mut row)?;
        }
        Ok(())
    }
}

/// Text that is not UTF-8 must not reach SQLite; text with NUL would be cut by its functions.
fn text_problem(row: &Row) -> Option<Reason> {
    let Some(text) = row.str() else {
        return Some(Reason::row("not UTF-8"));
    };
    if row.text.contains(&0) {
        return Some(Reason::row("holds a NUL character"));
    }
    let cut = row.cells.iter().any(|cell| match cell {
        Cell::Text(from, to) | Cell::Json(from, to) => text.get(*from..*to).is_none(),
        _ => false,
    });
    cut.then(|| Reason::row("not UTF-8"))
}

fn bind(insert: &mut Statement<'_>, row: &Row, width: usize) -> rusqlite::Result<()> {
    let text = row.str().unwrap_or("");
    insert.raw_bind_parameter(1, row.line as i64)?;
    for at in 0..width {
        let place = at + 2;
        match row.cells.get(at).copied().unwrap_or(Cell::Null) {
            Cell::Absent | Cell::Null => insert.raw_bind_parameter(place, Null)?,
            Cell::Text(from, to) | Cell::Json(from, to) => {
                insert.raw_bind_parameter(place, text.get(from..to).unwrap_or(""))?;
            }
            Cell::Integer(value) | Cell::Instant(value) => insert.raw_bind_parameter(place, value)?,
            Cell::Real(value) => insert.raw_bind_parameter(place, value)?,
            Cell::Bool(value) => insert.raw_bind_parameter(place, value)?,
        }
    }
    Ok(())
}
