//! Any view or table as named columns and values, for the command line.

use super::error::Result;
use super::open::Shop;
use rusqlite::types::ValueRef;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT; bytes that are no UTF-8 are replaced.
    Text(String),
}

/// Rows with named columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names.
    pub columns: Vec<String>,
    /// One value a column.
    pub rows: Vec<Vec<Value>>,
}

impl Shop {
    /// Runs one SELECT of ours, with text parameters.
    pub fn select(&self, sql: &str, parameters: &[&str]) -> Result<Table> {
        let mut statement = self.conn().prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut table = Table {
            columns,
            rows: Vec::new(),
        };
        while let Some(row) = rows.next()? {
            let values = (0..table.columns.len()).map(|i| {
                Ok(match row.get_ref(i)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(n) => Value::Integer(n),
                    ValueRef::Real(x) => Value::Real(x),
                    ValueRef::Text(t) | ValueRef::Blob(t) => {
                        Value::Text(String::from_utf8_lossy(t).into_owned())
                    }
                })
            });
            table.rows.push(values.collect::<rusqlite::Result<_>>()?);
        }
        Ok(table)
    }

    /// `PRAGMA quick_check`, or `integrity_check` when `thorough`: the first problems, empty = none.
    pub fn check_integrity(&self, thorough: bool) -> Result<Vec<String>> {
        let pragma = if thorough {
            "integrity_check"
        } else {
            "quick_check"
        };
        let mut statement = self.conn().prepare(&format!("PRAGMA {pragma}(20)"))?;
        let found: Vec<String> = statement
            .query_map([], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(if found == ["ok"] { Vec::new() } else { found })
    }

    /// Gives at most `pages` free pages back to the file system.
    pub fn vacuum_some(&self, pages: u32) -> Result<()> {
        let mut statement = self
            .conn()
            .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {} // each step frees one page
        Ok(())
    }

    /// Pages nobody uses.
    pub fn free_pages(&self) -> Result<u32> {
        Ok(self
            .conn()
            .pragma_query_value(None, "freelist_count", |r| r.get(0))?)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Integer(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Value {
        Value::Real(x)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
