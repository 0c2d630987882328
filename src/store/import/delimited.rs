//! CSV and TSV: csv-core's state machine over our own buffers.
//!
//! RFC 4180 with the ways of the world: CRLF, LF or CR between rows, quotes doubled inside quotes, line breaks
//! inside quotes, blank lines skipped. An empty field is NULL, quoted or not. A row whose number of cells is
//! not the header's is refused: guessing which cell is missing would shift values into wrong columns.
//!
//! Memory is bounded: once a row is known to be refused (a cell past 16 MB, say) what follows of it is read and
//! dropped, so that a cell of 2 GB costs time but no memory.

use super::ImportError;
use super::row::{CELL_BYTES, Cell, MOST_COLUMNS, ROW_BYTES, Reason, Records, Row};
use super::source::read_error;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::io::Read;

const BUFFER: usize = 256 << 10;

/// A delimited file being read.
pub struct Delimited {
    name: String,
    bytes: Box<dyn Read>,
    core: Reader,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
    /// The line the next byte of the buffer stands on, from 1.
    line: u64,
    /// The last byte was CR: an LF right behind it belongs to the same line end.
    after_cr: bool,
    ends: Vec<usize>,
    columns: Vec<String>,
}

impl std::fmt::Debug for Delimited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delimited")
            .field("name", &self.name)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// The delimiter of a file called CSV: a comma if its first line has one outside quotes, else the semicolon
/// that spreadsheets of half the world write, else a tab.
pub fn delimiter_of(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut seen = [false; 2];
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            b',' if !quoted => return b',',
            b';' if !quoted => seen[0] = true,
            b'\t' if !quoted => seen[1] = true,
            _ => {}
        }
    }
    match seen {
        [true, _] => b';',
        [_, true] => b'\t',
        _ => b',',
    }
}

impl Delimited {
    /// Reads the header of `bytes`; it must name every column once.
    pub fn open(name: &str, bytes: Box<dyn Read>, delimiter: u8) -> Result<Delimited, ImportError> {
        let mut reader = Delimited {
            name: name.to_string(),
            bytes,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: vec![0; BUFFER],
            from: 0,
            to: 0,
            ended: false,
            line: 1,
            after_cr: false,
            ends: vec![0; 64],
            columns: Vec::new(),
        };
        let mut row = Row::default();
        if !reader.read(&mut row, None)? {
            return Err(ImportError::Input(format!(
                "{name} is empty: its first line must name the columns"
            )));
        }
        if let Some(problem) = row.problem {
            return Err(ImportError::Input(format!(
                "{name}: the header cannot be read: {}",
                problem.text()
            )));
        }
        let Some(text) = row.str() else {
            return Err(ImportError::Input(format!(
                "{name}: the header is not UTF-8; name its encoding, --encoding windows-1252 for example"
            )));
        };
        for (at, cell) in row.cells.iter().enumerate() {
            let column = match *cell {
                Cell::Text(from, to) => text.get(from..to).unwrap_or("").trim(),
                _ => "",
            };
            if column.is_empty() {
                return Err(ImportError::Input(format!(
                    "{name}: column {} has no name in the header",
                    at + 1
                )));
            }
            if column.contains('\0') {
                return Err(ImportError::Input(format!(
                    "{name}: the header holds NUL characters; is it UTF-16? Then name it: --encoding utf-16le"
                )));
            }
            reader.columns.push(column.to_string());
        }
        super::no_name_twice(name, &reader.columns)?;
        Ok(reader)
    }

    fn fill(&mut self) -> Result<(), ImportError> {
        if self.from == self.to && !self.ended {
            (self.from, self.to) = (0, 0);
            loop {
                match self.bytes.read(&mut self.buffer) {
                    Ok(got) => {
                        self.to = got;
                        self.ended = got == 0;
                        return Ok(());
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        let line = self.line;
                        return Err(match read_error(&self.name, error) {
                            ImportError::Input(what) => {
                                ImportError::Input(format!("{what} (reached line {line})"))
                            }
                            other => other,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts line ends in what was just consumed: LF, CR LF and CR alone.
    fn count_lines(&mut self, from: usize, to: usize) {
        let bytes = &self.buffer[from..to];
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
            return;
        };
        self.line += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        if self.after_cr && first != b'\n' {
            self.line += 1;
        }
        if bytes.contains(&b'\r') {
            self.line += bytes
                .windows(2)
                .filter(|pair| pair[0] == b'\r' && pair[1] != b'\n')
                .count() as u64;
        }
        self.after_cr = last == b'\r';
    }

    /// Steps over the line ends before a row, so that `line` is where the row begins. False at the end.
    fn skip_blank(&mut self) -> Result<bool, ImportError> {
        loop {
            self.fill()?;
            if self.from == self.to {
                return Ok(false);
            }
            let blank = self.buffer[self.from..self.to]
                .iter()
                .take_while(|b| matches!(b, b'\n' | b'\r'))
                .count();
            self.count_lines(self.from, self.from + blank);
            self.from += blank;
            if self.from < self.to {
                if self.after_cr {
                    self.line += 1;
                    self.after_cr = false;
                }
                return Ok(true);
            }
        }
    }

    /// Reads one row of `width` cells (any number for the header).
    fn read(&mut self, row: &mut Row, width: Option<usize>) -> Result<bool, ImportError> {
        row.clear();
        if !self.skip_blank()? {
            return Ok(false);
        }
        row.line = self.line;
        let (mut cells, mut written, mut dropped) = (0, 0, 0);
        if row.text.capacity() == 0 {
            row.text.reserve(4096);
        }
        row.text.resize(row.text.capacity(), 0);
        loop {
            self.fill()?;
            let input = &self.buffer[self.from..self.to];
            let (result, read, wrote, ended) =
                self.core
                    .read_record(input, &mut row.text[written..], &mut self.ends[cells..]);
            row.keep_raw(&input[..read]);
            self.count_lines(self.from, self.from + read);
            self.from += read;
            for end in &mut self.ends[cells..cells + ended] {
                *end -= dropped;
            }
            written += wrote;
            cells += ended;
            if row.problem.is_none() {
                let open = if cells == 0 { 0 } else { self.ends[cells - 1] };
                if written.saturating_sub(open) > CELL_BYTES {
                    row.refuse(Reason::row("a cell of more than 16 MB").found(format!("cell {}", cells + 1)));
                } else if written > ROW_BYTES {
                    row.refuse(Reason::row("a row of more than 64 MB"));
                } else if cells > MOST_COLUMNS {
                    row.refuse(Reason::row(format!("more than {MOST_COLUMNS} cells")));
                }
            }
            if row.problem.is_some() {
                // Nothing of this row will be used: read on to its end over the same piece of memory.
                dropped += written;
                (written, cells) = (0, 0);
                row.text.truncate(4096);
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    let grown = (row.text.len() * 2).max(4096);
                    row.text.resize(grown, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    let grown = self.ends.len() * 2;
                    self.ends.resize(grown, 0);
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        row.text.truncate(written);
        while let Some(b'\n' | b'\r') = row.raw.last() {
            row.raw.pop();
        }
        if row.problem.is_some() {
            return Ok(true);
        }
        let mut from = 0;
        for &to in &self.ends[..cells] {
            row.cells.push(if from == to {
                Cell::Null
            } else {
                Cell::Text(from, to)
            });
            from = to;
        }
        if let Some(width) = width
            && cells != width
        {
            let mut found = format!("{cells} instead of {width}");
            if self.line > row.line + 1 {
                found.push_str(&format!(
                    "; lines {} to {}: is a quote not closed?",
                    row.line, self.line
                ));
            }
            row.refuse(Reason::row("not as many cells as the header").found(found));
        }
        Ok(true)
    }
}

impl Records for Delimited {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        self.read(row, Some(self.columns.len()))
    }
}

#[cfg(test)]
mod tests;
