//! Inserting many rows into an input table at once, for callers that make their rows themselves.

use super::error::Result;
use super::open::Shop;
use super::views::Value;
use rusqlite::types::{ToSqlOutput, ValueRef};

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(n) => ValueRef::Integer(*n),
            Value::Real(x) => ValueRef::Real(*x),
            Value::Text(t) => ValueRef::Text(t.as_bytes()),
        }))
    }
}

impl Shop {
    /// Inserts rows of the named columns, ten thousand a transaction. For a file nobody else works with yet.
    pub fn fill(
        &self,
        table: &'static str,
        columns: &[&str],
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> Result<u64> {
        let places: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        let (mut rows, mut total) = (rows.peekable(), 0);
        while rows.peek().is_some() {
            let transaction = self.write()?;
            {
                let mut statement = transaction.prepare_cached(&sql)?;
                for row in rows.by_ref().take(10_000) {
                    statement.execute(rusqlite::params_from_iter(&row))?;
                    total += 1;
                }
            }
            transaction.commit()?;
        }
        Ok(total)
    }
}
