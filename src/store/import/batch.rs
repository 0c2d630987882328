//! Rows that were checked and wait to be written.
//!
//! Reading and checking happen outside any transaction; a batch is what one short transaction writes. A batch
//! keeps its text in one buffer, so that a row costs no allocation.

use super::row::{Cell, Reason, Row};
use super::seen::{ContentKey, Seen};
use super::table::{Empty, Key, Table};
use super::value::{Value, check};
use super::{ImportError, identity};
use chrono_tz::Tz;

/// One value of a checked row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stored {
    /// NULL.
    Null,
    /// An INTEGER.
    Integer(i64),
    /// A REAL.
    Real(f64),
    /// A TEXT, as a range of the batch's text.
    Text(usize, usize),
}

/// How the row this is about is found in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// By the key columns every row has.
    Columns,
    /// By the integer in column 0.
    Id,
    /// By the shop's own key in column 1.
    Source,
    /// By its like: new unless as many like it are there as the file has brought so far.
    Content,
}

/// One checked row; its values are in the batch.
#[derive(Clone, Copy, Debug)]
pub struct Checked {
    /// The line it began on.
    pub line: u64,
    /// The columns it brings, one bit each.
    pub present: u32,
    /// How its row is found.
    pub by: By,
    /// A row with the same key came earlier in the file.
    pub repeats: bool,
    /// By::Content only: the content, and its count in the file so far.
    pub content: Option<(ContentKey, u32)>,
    /// Its raw text, as a range of the batch's raw bytes.
    raw: (usize, usize),
}

/// Checked rows of one table.
#[derive(Debug)]
pub struct Batch {
    table: &'static Table,
    /// The text of all values.
    pub text: String,
    /// The values, as many per row as the table has columns.
    values: Vec<Stored>,
    /// The rows.
    pub rows: Vec<Checked>,
    raws: Vec<u8>,
    scratch: Vec<u8>,
}

impl Batch {
    /// An empty batch.
    pub fn new(table: &'static Table) -> Batch {
        Batch {
            table,
            text: String::new(),
            values: Vec::new(),
            rows: Vec::new(),
            raws: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Empties it, keeping its buffers unless a giant grew them.
    pub fn clear(&mut self) {
        self.text.clear();
        if self.text.capacity() > 16 << 20 {
            self.text.shrink_to(1 << 20);
        }
        self.values.clear();
        self.rows.clear();
        self.raws.clear();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.raws.len()
    }

    /// The values of row `at`, one per column of the table.
    pub fn values(&self, at: usize) -> &[Stored] {
        let width = self.table.columns.len();
        &self.values[at * width..(at + 1) * width]
    }

    /// The raw text of row `at`.
    pub fn raw(&self, at: usize) -> &[u8] {
        let (from, to) = self.rows[at].raw;
        &self.raws[from..to]
    }

    /// Checks `row` and takes it, or says why not. `targets` gives each cell its column of the table.
    pub fn take(
        &mut self,
        row: &Row,
        targets: &[Option<usize>],
        zone: Tz,
        seen: &mut Seen,
    ) -> Result<Result<(), Reason>, ImportError> {
        let (text_before, values_before) = (self.text.len(), self.values.len());
        let taken = self.take_values(row, targets, zone);
        let taken = match taken {
            Ok(present) => self.identify(present, row, seen)?,
            Err(reason) => Err(reason),
        };
        if taken.is_err() {
            self.text.truncate(text_before);
            self.values.truncate(values_before);
        }
        Ok(taken)
    }

    fn take_values(&mut self, row: &Row, targets: &[Option<usize>], zone: Tz) -> Result<u32, Reason> {
        if let Some(problem) = &row.problem {
            return Err(problem.clone());
        }
        let text = row.str().ok_or_else(|| Reason::row("not UTF-8"))?;
        let first = self.values.len();
        let columns = self.table.columns;
        self.values.resize(first + columns.len(), Stored::Null);
        let mut present = 0u32;
        if let Key::Columns(key) = self.table.key {
            // Key columns with a default ('' = the shop itself) count as present even when the file has none.
            for &at in key {
                if columns[at].empty != Empty::Refused {
                    present |= 1 << at;
                    self.values[first + at] =
                        empty(columns[at].empty, &mut self.text).unwrap_or(Stored::Null);
                }
            }
        }
        for (cell, target) in row.cells.iter().zip(targets) {
            let Some(at) = *target else { continue };
            if *cell == Cell::Absent {
                continue;
            }
            let column = &columns[at];
            let value = check(column.kind, *cell, text, zone)
                .map_err(|fault| reason(column.name, fault.into_owned(), *cell, text))?;
            self.values[first + at] = match value {
                Value::Integer(value) => Stored::Integer(value),
                Value::Real(value) => Stored::Real(value),
                Value::Text(value) => {
                    let from = self.text.len();
                    self.text.push_str(&value);
                    Stored::Text(from, self.text.len())
                }
                Value::Null if column.empty == Empty::Keep => continue,
                Value::Null => match empty(column.empty, &mut self.text) {
                    Some(value) => value,
                    None => {
                        return Err(Reason {
                            column: column.name,
                            fault: "empty".into(),
                            found: String::new(),
                        });
                    }
                },
            };
            present |= 1 << at;
        }
        Ok(present)
    }

    /// Finds out how the row is told from others, and gives it an id from its content where it has none.
    fn identify(
        &mut self,
        mut present: u32,
        row: &Row,
        seen: &mut Seen,
    ) -> Result<Result<(), Reason>, ImportError> {
        let width = self.table.columns.len();
        let first = self.values.len() - width;
        let brought = present;
        let has = |values: &[Stored], at: usize| brought & 1 << at != 0 && values[first + at] != Stored::Null;
        let mut content = None;
        let mut repeats = false;
        let by = match self.table.key {
            Key::Columns(key) => {
                if let Some(&missing) = key.iter().find(|&&at| !has(&self.values, at)) {
                    let column = self.table.columns[missing].name;
                    return Ok(Err(Reason {
                        column,
                        fault: "missing, and it is part of the key".into(),
                        found: String::new(),
                    }));
                }
                let mask = key.iter().fold(0, |mask, at| mask | 1 << at);
                repeats = seen.count(self.content(first, mask, false))? > 1;
                By::Columns
            }
            _ if has(&self.values, 0) => {
                repeats = seen.count(self.content(first, 1, false))? > 1;
                By::Id
            }
            Key::Source if has(&self.values, 1) => {
                present &= !1;
                repeats = seen.count(self.content(first, 2, false))? > 1;
                By::Source
            }
            Key::Source => {
                present &= !1;
                if let Some(missing) = self.table.required().find(|&at| !has(&self.values, at)) {
                    let column = self.table.columns[missing].name;
                    return Ok(Err(Reason {
                        column,
                        fault: "missing".into(),
                        found: String::new(),
                    }));
                }
                let key = self.content(first, present & !3, true);
                let count = seen.count(key)?;
                let Stored::Integer(at) = self.values[first + identity::time_column(self.table)] else {
                    return Ok(Err(Reason::row("without a time")));
                };
                let from = self.text.len();
                identity::push_source_id(&mut self.text, at, key, count);
                self.values[first + 1] = Stored::Text(from, self.text.len());
                present |= 2;
                By::Source
            }
            Key::Assigned => {
                present &= !1;
                let key = self.content(first, present, false);
                content = Some((key, seen.count(key)?));
                By::Content
            }
        };
        let from = self.raws.len();
        row.raw_text(&mut self.raws);
        self.rows.push(Checked {
            line: row.line,
            present,
            by,
            repeats,
            content,
            raw: (from, self.raws.len()),
        });
        Ok(Ok(()))
    }

    /// The content of the columns in `mask` of the row whose values begin at `first`. NULLs are left out, and
    /// with `defaults_out` so are values an empty cell would mean as well.
    fn content(&mut self, first: usize, mask: u32, defaults_out: bool) -> ContentKey {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        for (at, column) in self.table.columns.iter().enumerate() {
            if mask & 1 << at == 0 {
                continue;
            }
            match self.values[first + at] {
                Stored::Null => {}
                Stored::Integer(value) if defaults_out && column.empty == Empty::Integer(value) => {}
                Stored::Real(value) if defaults_out && column.empty == Empty::Real(value) => {}
                Stored::Integer(value) => identity::push_integer(&mut bytes, at, value),
                Stored::Real(value) => identity::push_real(&mut bytes, at, value),
                Stored::Text(from, to) => {
                    let text = &self.text[from..to];
                    if !(defaults_out && matches!(column.empty, Empty::Text(default) if default == text)) {
                        identity::push_text(&mut bytes, at, text);
                    }
                }
            }
        }
        let key = identity::content_key(&bytes);
        self.scratch = bytes;
        key
    }
}

/// What an empty cell stores; nothing when it may not be empty.
fn empty(empty: Empty, text: &mut String) -> Option<Stored> {
    Some(match empty {
        Empty::Refused => return None,
        Empty::Null | Empty::Keep => Stored::Null,
        Empty::Integer(value) => Stored::Integer(value),
        Empty::Real(value) => Stored::Real(value),
        Empty::Text(default) => {
            let from = text.len();
            text.push_str(default);
            Stored::Text(from, text.len())
        }
    })
}

fn reason(column: &'static str, fault: String, cell: Cell, text: &str) -> Reason {
    let found = match cell {
        Cell::Text(from, to) | Cell::Json(from, to) => {
            super::table::cut(text.get(from..to).unwrap_or(""), 40).replace('\0', "␀")
        }
        Cell::Integer(value) | Cell::Instant(value) => value.to_string(),
        Cell::Real(value) => value.to_string(),
        Cell::Bool(value) => value.to_string(),
        Cell::Null | Cell::Absent => String::new(),
    };
    Reason { column, fault, found }
}
