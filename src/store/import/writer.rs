//! Writing batches: each row inserted, changed, found unchanged, or refused by the database.
//!
//! Only the columns a row brings change on a row that exists, and a row that says what is stored already is not
//! touched at all: no trigger fires, nothing is queued for the search index. New rows are by far the most, so
//! a row is inserted first (doing nothing when its key is taken), and only then compared and updated.
//!
//! The first row of a key in a file stands. A later one that says the same is unchanged; one that says something
//! else is refused, or importing the file again would flip the row back and forth.

use super::batch::{Batch, By, Stored};
use super::row::Reason;
use super::seen::ContentKey;
use super::table::{Empty, Key, Table};
use super::{ImportError, identity};
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement};
use std::collections::{BTreeMap, HashMap};

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A new row.
    Inserted,
    /// A row that existed and now differs.
    Changed,
    /// A row that existed and said the same.
    Unchanged,
    /// A row the database or the rest of the file speaks against.
    Refused(Reason),
}

/// The statements for rows that bring the same columns and are found the same way.
struct Statements<'c> {
    /// Absent when the columns cannot make a new row.
    insert: Option<Statement<'c>>,
    /// Absent when the row is nothing but its key.
    update: Option<Statement<'c>>,
    /// One row when the key exists: whether it says the same.
    same: Option<Statement<'c>>,
    /// Columns a new row would need and the file does not bring.
    missing: Vec<&'static str>,
}

/// Writes rows of one table.
pub struct Writer<'c> {
    connection: &'c Connection,
    table: &'static Table,
    statements: BTreeMap<(u32, By), Statements<'c>>,
    /// By::Content: how many rows of each content are stored, by the columns compared.
    stored: BTreeMap<u32, HashMap<ContentKey, u32>>,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}

impl<'c> Writer<'c> {
    /// A writer into `table`.
    pub fn new(connection: &'c Connection, table: &'static Table) -> Writer<'c> {
        Writer {
            connection,
            table,
            statements: BTreeMap::new(),
            stored: BTreeMap::new(),
        }
    }

    /// A new file begins: what is stored now counts as there before it.
    pub fn begin_file(&mut self) {
        self.stored.clear();
    }

    /// Writes row `at` of `batch`, inside the caller's transaction.
    pub fn write(&mut self, batch: &Batch, at: usize) -> Result<Fate, ImportError> {
        let row = batch.rows[at];
        if let Some((content, count)) = row.content
            && self.stored_like(row.present, content)? >= count
        {
            return Ok(Fate::Unchanged);
        }
        let (connection, table) = (self.connection, self.table);
        let statements = match self.statements.entry((row.present, row.by)) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Statements::prepare(connection, table, row.present, row.by)?)
            }
        };
        let result = statements.write(batch, at);
        match result {
            Ok(fate) => Ok(fate),
            Err(error) => match refusal(&error) {
                Some(reason) => Ok(Fate::Refused(reason)),
                None => Err(error.into()),
            },
        }
    }

    /// How many stored rows say the same in the columns of `mask`.
    fn stored_like(&mut self, mask: u32, content: ContentKey) -> Result<u32, ImportError> {
        if !self.stored.contains_key(&mask) {
            let mut counts: HashMap<ContentKey, u32> = HashMap::new();
            let mut select = self
                .connection
                .prepare(&format!("SELECT * FROM main.{}", self.table.name))?;
            let mut rows = select.query([])?;
            let mut bytes = Vec::new();
            while let Some(row) = rows.next()? {
                bytes.clear();
                for at in (0..self.table.columns.len()).filter(|at| mask & 1 << at != 0) {
                    match row.get_ref(at)? {
                        ValueRef::Integer(value) => identity::push_integer(&mut bytes, at, value),
                        ValueRef::Real(value) => identity::push_real(&mut bytes, at, value),
                        ValueRef::Text(text) => {
                            identity::push_text(&mut bytes, at, &String::from_utf8_lossy(text))
                        }
                        ValueRef::Null | ValueRef::Blob(_) => {}
                    }
                }
                *counts.entry(identity::content_key(&bytes)).or_default() += 1;
            }
            self.stored.insert(mask, counts);
        }
        Ok(self.stored[&mask].get(&content).copied().unwrap_or(0))
    }
}

impl<'c> Statements<'c> {
    fn prepare(
        connection: &'c Connection,
        table: &Table,
        present: u32,
        by: By,
    ) -> rusqlite::Result<Statements<'c>> {
        let brings: Vec<usize> = (0..table.columns.len())
            .filter(|at| present & 1 << at != 0)
            .collect();
        let key: &[usize] = match (by, table.key) {
            (By::Columns, Key::Columns(key)) => key,
            (By::Id, _) => &[0],
            (By::Source, _) => &[1],
            _ => &[],
        };
        let name = |at: usize| table.columns[at].name;
        let parameter = |at: usize| brings.iter().position(|&b| b == at).map_or(0, |place| place + 1);
        let join = |list: &[usize], each: &dyn Fn(usize) -> String, between: &str| {
            list.iter().map(|&at| each(at)).collect::<Vec<_>>().join(between)
        };
        let plain = |at: usize| name(at).to_string();
        let numbered = |at: usize| format!("?{}", parameter(at));
        let others: Vec<usize> = brings.iter().copied().filter(|at| !key.contains(at)).collect();
        let missing: Vec<&'static str> = (0..table.columns.len())
            .filter(|&at| table.columns[at].empty == Empty::Refused && !brings.contains(&at))
            .map(name)
            .collect();
        let insert = if missing.is_empty() {
            let conflict = if key.is_empty() {
                String::new()
            } else {
                format!(" ON CONFLICT ({}) DO NOTHING", join(key, &plain, ", "))
            };
            let (columns, values) = (join(&brings, &plain, ", "), join(&brings, &numbered, ", "));
            let sql = format!(
                "INSERT INTO main.{} ({columns}) VALUES ({values}){conflict}",
                table.name
            );
            Some(connection.prepare(&sql)?)
        } else {
            None
        };
        let place = join(key, &|at| format!("{} = ?{}", name(at), parameter(at)), " AND ");
        let update = if key.is_empty() || others.is_empty() {
            None
        } else {
            let set = join(&others, &|at| format!("{} = ?{}", name(at), parameter(at)), ", ");
            let differs = join(
                &others,
                &|at| format!("{} IS NOT ?{}", name(at), parameter(at)),
                " OR ",
            );
            Some(connection.prepare(&format!(
                "UPDATE main.{} SET {set} WHERE {place} AND ({differs})",
                table.name
            ))?)
        };
        let same = if key.is_empty() {
            None
        } else {
            let mut same = join(
                &others,
                &|at| format!("{} IS ?{}", name(at), parameter(at)),
                " AND ",
            );
            if same.is_empty() {
                same.push('1');
            }
            Some(connection.prepare(&format!("SELECT {same} FROM main.{} WHERE {place}", table.name))?)
        };
        Ok(Statements {
            insert,
            update,
            same,
            missing,
        })
    }

    fn write(&mut self, batch: &Batch, at: usize) -> rusqlite::Result<Fate> {
        if batch.rows[at].repeats
            && let Some(same) = &mut self.same
        {
            bind(same, batch, at)?;
            let mut found = same.raw_query();
            if let Some(row) = found.next()? {
                return Ok(if row.get::<_, i64>(0)? == 1 {
                    Fate::Unchanged
                } else {
                    Fate::Refused(Reason::row(
                        "an earlier row of the file has the same key and says something else",
                    ))
                });
            }
        }
        if let Some(insert) = &mut self.insert {
            bind(insert, batch, at)?;
            if insert.raw_execute()? > 0 {
                return Ok(Fate::Inserted);
            }
        }
        if let Some(update) = &mut self.update {
            bind(update, batch, at)?;
            if update.raw_execute()? > 0 {
                return Ok(Fate::Changed);
            }
        }
        if self.insert.is_none()
            && let Some(same) = &mut self.same
        {
            bind(same, batch, at)?;
            if same.raw_query().next()?.is_none() {
                let fault = format!(
                    "a new row, and the file has no column {}",
                    self.missing.join(", ")
                );
                return Ok(Fate::Refused(Reason::row(fault)));
            }
        }
        Ok(Fate::Unchanged)
    }
}

/// Binds the values a row brings, in the table's order.
fn bind(statement: &mut Statement<'_>, batch: &Batch, at: usize) -> rusqlite::Result<()> {
    let present = batch.rows[at].present;
    let mut place = 1;
    for (column, value) in batch.values(at).iter().enumerate() {
        if present & 1 << column == 0 {
            continue;
        }
        match *value {
            Stored::Null => statement.raw_bind_parameter(place, Null)?,
            Stored::Integer(value) => statement.raw_bind_parameter(place, value)?,
            Stored::Real(value) => statement.raw_bind_parameter(place, value)?,
            Stored::Text(from, to) => statement.raw_bind_parameter(place, &batch.text[from..to])?,
        }
        place += 1;
    }
    Ok(())
}

/// A refusal of this one row by a constraint, or nothing when the database itself failed.
fn refusal(error: &rusqlite::Error) -> Option<Reason> {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return None;
    };
    match code.code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            let message = message.as_deref().unwrap_or("a constraint of the table");
            Some(Reason::row(format!("refused by the table: {message}")))
        }
        ErrorCode::TooBig => Some(Reason::row("too large for SQLite")),
        _ => None,
    }
}
