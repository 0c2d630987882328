//! JSON lines: one object a line.
//!
//! A key that a row does not have is absent, not NULL: the stored value stays. Nested objects and arrays are
//! kept as JSON text. Lines and cells are bounded as in the other formats; a line that is no object is refused
//! and the next one read.

use super::ImportError;
use super::row::{CELL_BYTES, Cell, MOST_COLUMNS, ROW_BYTES, Reason, Records, Row};
use super::source::read_error;
use super::table::cut;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;

const BUFFER: usize = 256 << 10;

/// A file of JSON lines being read.
pub struct JsonLines {
    name: String,
    bytes: Box<dyn Read>,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    line: u64,
    text: Vec<u8>,
    columns: Vec<String>,
    positions: HashMap<String, usize>,
}

impl std::fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonLines")
            .field("name", &self.name)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl JsonLines {
    /// Reads `bytes`; the first row's keys are the first columns.
    pub fn open(name: &str, bytes: Box<dyn Read>) -> JsonLines {
        JsonLines {
            name: name.to_string(),
            bytes,
            buffer: vec![0; BUFFER],
            from: 0,
            to: 0,
            line: 0,
            text: Vec::new(),
            columns: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// Reads the next line into `text`, at most 64 MB of it; says whether there was one and whether it fitted.
    fn read_line(&mut self, row: &mut Row) -> Result<Option<bool>, ImportError> {
        self.text.clear();
        let (mut any, mut fits) = (false, true);
        self.line += 1;
        loop {
            if self.from == self.to {
                self.from = 0;
                self.to = match self.bytes.read(&mut self.buffer) {
                    Ok(got) => got,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(read_error(&self.name, error)),
                };
                if self.to == 0 {
                    return Ok(any.then_some(fits));
                }
            }
            any = true;
            let left = &self.buffer[self.from..self.to];
            let end = left.iter().position(|&byte| byte == b'\n');
            let piece = &left[..end.unwrap_or(left.len())];
            row.keep_raw(piece);
            if fits {
                self.text.extend_from_slice(piece);
                if self.text.len() > ROW_BYTES {
                    fits = false;
                    self.text = Vec::new();
                }
            }
            self.from += piece.len() + usize::from(end.is_some());
            if end.is_some() {
                return Ok(Some(fits));
            }
        }
    }

    fn place(&mut self, name: String) -> Option<usize> {
        if let Some(&at) = self.positions.get(&name) {
            return Some(at);
        }
        if self.columns.len() == MOST_COLUMNS {
            return None;
        }
        self.columns.push(name.clone());
        self.positions.insert(name, self.columns.len() - 1);
        Some(self.columns.len() - 1)
    }

    fn parse(&mut self, row: &mut Row) {
        let object = match serde_json::from_slice::<Value>(&self.text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return row.refuse(Reason::row("not a JSON object")),
            Err(_) if std::str::from_utf8(&self.text).is_err() => {
                return row.refuse(Reason::row("not UTF-8"));
            }
            Err(error) => {
                // The position serde_json names is inside the line; the row's own line is known already.
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or("").to_string();
                return row
                    .refuse(Reason::row("not JSON").found(format!("{what} at column {}", error.column())));
            }
        };
        row.cells.resize(self.columns.len(), Cell::Absent);
        for (name, value) in object {
            let Some(at) = self.place(name) else {
                return row.refuse(Reason::row(format!(
                    "brings more than {MOST_COLUMNS} columns to the file"
                )));
            };
            if row.cells.len() <= at {
                row.cells.resize(at + 1, Cell::Absent);
            }
            let from = row.text.len();
            row.cells[at] = match value {
                Value::Null => Cell::Null,
                Value::Bool(value) => Cell::Bool(value),
                Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(whole), _) => Cell::Integer(whole),
                    (None, Some(real)) => Cell::Real(real),
                    (None, None) => return row.refuse(Reason::row("a number that cannot be stored")),
                },
                Value::String(text) => {
                    row.text.extend_from_slice(text.as_bytes());
                    Cell::Text(from, row.text.len())
                }
                nested => {
                    row.text.extend_from_slice(nested.to_string().as_bytes());
                    Cell::Json(from, row.text.len())
                }
            };
            if row.text.len() - from > CELL_BYTES {
                let name = cut(&self.columns[at], 60);
                return row.refuse(Reason::row("a cell of more than 16 MB").found(name));
            }
        }
    }
}

impl Records for JsonLines {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn grows(&self) -> bool {
        true
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        loop {
            row.clear();
            let Some(fits) = self.read_line(row)? else {
                return Ok(false);
            };
            row.line = self.line;
            if !fits {
                row.refuse(Reason::row("a row of more than 64 MB"));
                return Ok(true);
            }
            if self.text.trim_ascii().is_empty() {
                continue;
            }
            if self.columns.is_empty() && self.text.trim_ascii_start().starts_with(b"[") {
                return Err(ImportError::Input(format!(
                    "{} is one JSON array; one object a line is needed (jq -c '.[]' makes them)",
                    self.name
                )));
            }
            self.parse(row);
            if self.text.capacity() > 1 << 20 {
                self.text = Vec::new();
            }
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn objects_become_rows_and_missing_keys_are_absent() {
        let text = "{\"a\": 1, \"b\": \"x\"}\r\n\n{\"b\": null, \"c\": {\"d\": [1.5]}}\n[1]\n{\"a\": 1e999}\n{oops\n\
                    {\"a\": 18446744073709551615, \"b\": true}";
        let mut reader = JsonLines::open("t", Box::new(Cursor::new(text)));
        let mut row = Row::default();
        assert!(reader.next(&mut row).unwrap());
        assert_eq!(
            (row.line, &row.cells[..]),
            (1, &[Cell::Integer(1), Cell::Text(0, 1)][..])
        );
        assert!(reader.next(&mut row).unwrap());
        assert_eq!(
            (row.line, &row.cells[..]),
            (3, &[Cell::Absent, Cell::Null, Cell::Json(0, 11)][..])
        );
        assert_eq!(row.text, b"{\"d\":[1.5]}");
        let mut problems = Vec::new();
        for _ in 0..3 {
            assert!(reader.next(&mut row).unwrap());
            problems.push(row.problem.clone().unwrap().group());
        }
        assert_eq!(problems, ["not a JSON object", "not JSON", "not JSON"]);
        assert!(reader.next(&mut row).unwrap());
        assert_eq!(
            row.cells,
            [Cell::Real(18446744073709551615.0), Cell::Bool(true), Cell::Absent]
        );
        assert!(!reader.next(&mut row).unwrap());
        assert_eq!(reader.columns(), ["a", "b", "c"]);
    }

    #[test]
    fn hostile_lines_are_refused_one_by_one() {
        let deep = "[".repeat(100_000);
        let text = [
            format!("{{\"a\": {deep}\n").as_bytes(),
            b"{\"a\": \"\xff\"}\n{\"a\": 2}\n",
        ]
        .concat();
        let mut reader = JsonLines::open("t", Box::new(Cursor::new(text)));
        let mut row = Row::default();
        assert!(reader.next(&mut row).unwrap() && row.problem.is_some());
        assert!(reader.next(&mut row).unwrap());
        assert_eq!(row.problem.as_ref().unwrap().fault, "not UTF-8");
        assert!(reader.next(&mut row).unwrap() && row.cells == [Cell::Integer(2)]);
        let mut array = JsonLines::open("t", Box::new(Cursor::new("[{\"a\": 1}]")));
        assert!(array.next(&mut row).unwrap_err().to_string().contains("jq"));
    }
}
