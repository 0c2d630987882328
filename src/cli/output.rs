//! Standard output: tables for people, arrays of objects for programs. The only file that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use super::Global;
use crate::store::{Table, Value};
use anyhow::Result;
use std::io::{IsTerminal, Write};

/// Where results go.
#[derive(Debug)]
pub struct Out {
    json: bool,
    quiet: bool,
}

/// Columns of a table are cut at this width on a terminal; a pipe gets them whole.
const WIDEST: usize = 60;

impl Out {
    /// As the global options say.
    pub fn new(global: &Global) -> Out {
        Out {
            json: global.json,
            quiet: global.quiet,
        }
    }

    /// Whether a program reads.
    pub fn json(&self) -> bool {
        self.json
    }

    /// A line for people: not printed with --json or --quiet.
    pub fn say(&self, line: &str) -> Result<()> {
        if !self.json && !self.quiet {
            writeln!(std::io::stdout().lock(), "{line}")?;
        }
        Ok(())
    }

    /// A line that is the result itself.
    pub fn line(&self, line: &str) -> Result<()> {
        Ok(writeln!(std::io::stdout().lock(), "{line}")?)
    }

    /// A table, or with --json an array of objects.
    pub fn table(&self, table: &Table) -> Result<()> {
        let text = if self.json {
            json(table)?
        } else {
            columns(table, std::io::stdout().is_terminal())
        };
        Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
    }
}

/// A line on the standard error stream.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// An array of objects keyed by column names, in column order.
fn json(table: &Table) -> Result<String> {
    let mut text = String::from("[");
    for (i, row) in table.rows.iter().enumerate() {
        text.push_str(if i == 0 { "\n  {" } else { ",\n  {" });
        for (j, (name, value)) in table.columns.iter().zip(row).enumerate() {
            if j > 0 {
                text.push_str(", ");
            }
            text.push_str(&serde_json::to_string(name)?);
            text.push_str(": ");
            text.push_str(&match value {
                Value::Null => "null".into(),
                Value::Integer(n) => n.to_string(),
                Value::Real(x) => serde_json::to_string(x)?,
                Value::Text(t) => serde_json::to_string(t)?,
            });
        }
        text.push('}');
    }
    text.push_str(if table.rows.is_empty() { "]\n" } else { "\n]\n" });
    Ok(text)
}

/// Aligned columns; numbers to the right.
fn columns(table: &Table, cut: bool) -> String {
    let cell = |v: &Value| {
        let text = match v {
            Value::Null => String::new(),
            Value::Integer(n) => n.to_string(),
            Value::Real(x) => real(*x),
            Value::Text(t) => t.replace(['\n', '\r', '\t'], " "),
        };
        if cut && width(&text) > WIDEST {
            let mut short = String::new();
            for c in text.chars() {
                if width(&short) + width(c.encode_utf8(&mut [0; 4])) >= WIDEST {
                    break;
                }
                short.push(c);
            }
            short + "…"
        } else {
            text
        }
    };
    let cells: Vec<Vec<String>> = table.rows.iter().map(|r| r.iter().map(cell).collect()).collect();
    let last = table.columns.len().saturating_sub(1);
    let mut text = String::new();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(j, name)| {
            cells
                .iter()
                .map(|r| width(&r[j]))
                .chain([width(name)])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|j| table.rows.iter().all(|r| !matches!(r[j], Value::Text(_))) && !table.rows.is_empty())
        .collect();
    let mut put = |row: &mut dyn Iterator<Item = &str>| {
        for (j, cell) in row.enumerate() {
            let pad = " ".repeat(widths[j] - width(cell));
            match (numeric[j], j == last) {
                (true, _) => text.extend([&pad, cell]),
                (false, true) => text.push_str(cell),
                (false, false) => text.extend([cell, &pad]),
            }
            text.push_str(if j == last { "\n" } else { "  " });
        }
    };
    put(&mut table.columns.iter().map(String::as_str));
    for row in &cells {
        put(&mut row.iter().map(String::as_str));
    }
    text
}

/// Four significant decimals, without trailing zeros.
fn real(x: f64) -> String {
    if x != 0.0 && (x.abs() >= 1e9 || x.abs() < 1e-4) {
        return format!("{x:.4e}");
    }
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Columns on a terminal: wide characters (Chinese, Japanese, Korean, full-width forms) take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c as u32 {
            0x1100..=0x115F
            | 0x2E80..=0xA4CF
            | 0xAC00..=0xD7A3
            | 0xF900..=0xFAFF
            | 0xFE30..=0xFE6F
            | 0xFF00..=0xFF60
            | 0xFFE0..=0xFFE6
            | 0x1F300..=0x1FAFF
            | 0x20000..=0x3FFFD => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec!["id".into(), "titel".into(), "n".into()],
            rows: vec![
                vec![
                    Value::Text("a".into()),
                    Value::Text("蓝色 lamp".into()),
                    Value::Real(0.5),
                ],
                vec![Value::Text("\"b\"".into()), Value::Null, Value::Integer(12)],
            ],
        }
    }

    #[test]
    fn tables_line_up_whatever_the_script() {
        let expected = "id   titel        n\na    蓝色 lamp  0.5\n\"b\"              12\n";
        assert_eq!(columns(&table(), false), expected);
        assert_eq!(real(1234.5), "1234.5");
        assert_eq!(real(0.0), "0");
        assert_eq!(real(0.00001), "1.0000e-5");
    }

    #[test]
    fn json_is_an_array_of_objects_in_column_order() {
        let text = json(&table()).unwrap();
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back[1]["id"], "\"b\"");
        assert_eq!(back[1]["titel"], serde_json::Value::Null);
        assert!(text.find("\"id\"").unwrap() < text.find("\"titel\"").unwrap());
        assert_eq!(
            json(&Table {
                columns: vec!["x".into()],
                rows: vec![]
            })
            .unwrap(),
            "[]\n"
        );
    }
}
