//! What every reader of a file hands on: one row after the other, whatever the format.
//!
//! A reader fills the same [`Row`] again and again, so that reading a file allocates nothing per row. The
//! text of all cells lies in one buffer; a [`Cell`] is a range in it or a typed value. A row that cannot
//! be read (ragged, bad UTF-8, a cell too large) is still a row: it carries its [`Reason`] and goes to the
//! rejected rows with the line it began on and the first bytes it was made of.

use super::ImportError;

/// The most bytes one cell may hold.
pub const CELL_BYTES: usize = 16 << 20;
/// The most bytes one row may hold: four of the largest cells.
pub const ROW_BYTES: usize = 64 << 20;
/// The most columns one file may have.
pub const MOST_COLUMNS: usize = 10_000;
/// What is kept of a rejected row's own text.
pub const RAW_BYTES: usize = 4096;

/// One cell as its file holds it, before anybody asks what the column wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// The row does not mention the column (JSON lines); the stored value stays.
    Absent,
    /// Nothing: an empty CSV field, a JSON or Parquet null.
    Null,
    /// Text, as a range of bytes in [`Row::text`].
    Text(usize, usize),
    /// JSON text of a nested value, as a range of bytes in [`Row::text`].
    Json(usize, usize),
    /// A whole number that was one in the file.
    Integer(i64),
    /// A number that was one in the file.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// An instant in Unix seconds, known to be one (Parquet timestamps in UTC).
    Instant(i64),
}

/// Why a row was not taken: a column ('' = the whole row), a fault that rows share, and what is special here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The column at fault, or nothing.
    pub column: &'static str,
    /// The fault, worded so that equal faults read equal: the report counts by it.
    pub fault: String,
    /// What was found, for this row's entry only.
    pub found: String,
}

impl Reason {
    /// A fault of the row as a whole.
    pub fn row(fault: impl Into<String>) -> Reason {
        Reason {
            column: "",
            fault: fault.into(),
            found: String::new(),
        }
    }

    /// The same with what was found.
    pub fn found(mut self, found: impl Into<String>) -> Reason {
        self.found = found.into();
        self
    }

    /// What the report counts by: column and fault.
    pub fn group(&self) -> String {
        if self.column.is_empty() {
            self.fault.clone()
        } else {
            format!("{}: {}", self.column, self.fault)
        }
    }

    /// What the rejected row's entry says.
    pub fn text(&self) -> String {
        let group = self.group();
        if self.found.is_empty() {
            group
        } else {
            format!("{group} ({})", self.found)
        }
    }
}

/// One row of a file, reused from row to row.
#[derive(Debug, Default)]
pub struct Row {
    /// The line the row begins on, from 1; for Parquet the row's number, from 1.
    pub line: u64,
    /// The text of the cells. Not yet known to be UTF-8: [`Row::str`] says so.
    pub text: Vec<u8>,
    /// One cell per column of the file, in the file's order.
    pub cells: Vec<Cell>,
    /// The row as the file has it, its first [`RAW_BYTES`] bytes.
    pub raw: Vec<u8>,
    /// Why the row cannot be used, found while reading it.
    pub problem: Option<Reason>,
}

impl Row {
    /// Empties the row for the next one, keeping its buffers unless a giant grew them.
    pub fn clear(&mut self) {
        self.text.clear();
        if self.text.capacity() > 1 << 20 {
            self.text.shrink_to(1 << 16);
        }
        self.cells.clear();
        self.raw.clear();
        self.problem = None;
    }

    /// The text buffer as text, or nothing when it is not UTF-8.
    pub fn str(&self) -> Option<&str> {
        std::str::from_utf8(&self.text).ok()
    }

    /// Appends a text cell.
    pub fn push_text(&mut self, text: &str) {
        let from = self.text.len();
        self.text.extend_from_slice(text.as_bytes());
        self.cells.push(Cell::Text(from, self.text.len()));
    }

    /// Keeps as much of `bytes` as the raw text still has room for.
    pub fn keep_raw(&mut self, bytes: &[u8]) {
        let room = RAW_BYTES.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Refuses the row for `reason`, unless it already was.
    pub fn refuse(&mut self, reason: Reason) {
        self.problem.get_or_insert(reason);
    }
}

/// A file being read row by row.
pub trait Records {
    /// The names of the columns known so far. JSON lines learn more while they are read.
    fn columns(&self) -> &[String];

    /// True when a row need not name every column and later rows may bring new ones.
    fn grows(&self) -> bool {
        false
    }

    /// Reads the next row into `row`; false at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool, ImportError>;
}

impl Row {
    /// Appends what the row looked like to `bytes`: its raw text, or its cells where it has none (Parquet and the
    /// rows of a SELECT).
    pub fn raw_text(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        if !self.raw.is_empty() {
            bytes.extend_from_slice(&self.raw);
            return;
        }
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                bytes.push(b',');
            }
            match cell {
                Cell::Absent | Cell::Null => {}
                Cell::Text(from, to) | Cell::Json(from, to) => {
                    let room = RAW_BYTES.saturating_sub(bytes.len() - start);
                    bytes.extend_from_slice(&self.text[*from..(*to).min(from + room)]);
                }
                Cell::Integer(value) | Cell::Instant(value) => {
                    bytes.extend_from_slice(value.to_string().as_bytes())
                }
                Cell::Real(value) => bytes.extend_from_slice(value.to_string().as_bytes()),
                Cell::Bool(value) => bytes.extend_from_slice(value.to_string().as_bytes()),
            }
            if bytes.len() - start >= RAW_BYTES {
                break;
            }
        }
    }
}
