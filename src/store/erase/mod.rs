//! Forgetting a customer: every row that names or quotes one, wherever it stands, and then every byte.
//!
//! Words: a *place* is a table together with the SQL that finds a customer's rows in it (`places`). A *trace* is what
//! SQLite leaves of a row after it was deleted: the old bytes in the free part of a page, in the write-ahead log, in
//! the planner's samples (`traces`).
//!
//! Rows go in the small transactions of everything a night writes ([`super::pace`]), not in one: a customer may have bought a
//! hundred thousand times, and a checkout must not wait for that. What makes it whole nevertheless is a mark in the
//! settings, set before the first row goes and taken away after the last byte is gone, and that every place is found
//! by what is still there. Killed at any moment, the next `erase` goes on, even for a customer of whom no row is left.

mod places;
mod traces;

pub use places::{CHECKPOINTS, DERIVED, INPUTS, MODELS, Place};
pub use traces::Truncated;

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::{Connection, Statement, params};
use std::collections::BTreeSet;

use super::upkeep::ERASING as MARK;

/// Whose rows go.
#[derive(Debug)]
pub struct Customers {
    ids: Vec<String>,
    tickets: BTreeSet<String>,
}

impl Customers {
    /// Customers by id, to the letter.
    pub fn new(ids: &[String]) -> Customers {
        Customers {
            ids: ids.to_vec(),
            tickets: BTreeSet::new(),
        }
    }

    /// Their ids.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether a ticket of theirs has been seen.
    pub fn have_tickets(&self) -> bool {
        !self.tickets.is_empty()
    }

    /// The two lists every statement begins with.
    fn lists(&self) -> (String, String) {
        let json = |ids: &mut dyn Iterator<Item = &String>| {
            serde_json::Value::from(ids.map(String::as_str).collect::<Vec<&str>>()).to_string()
        };
        (json(&mut self.ids.iter()), json(&mut self.tickets.iter()))
    }
}

/// A statement over the two lists.
fn prepare<'c>(conn: &'c Connection, sql: &str) -> Result<Statement<'c>> {
    Ok(conn.prepare(&format!("{}{sql}", places::LISTS))?)
}

impl Shop {
    /// Those of the customers of whom nothing is known: no row names them, and no rejected line of an import.
    pub fn unknown_customers(&self, customers: &Customers) -> Result<Vec<String>> {
        let mut known = self.conn().prepare(
            "SELECT EXISTS (SELECT 1 FROM users WHERE user_id = ?1) OR EXISTS (SELECT 1 FROM user_keys WHERE user_id = ?1)
                 OR EXISTS (SELECT 1 FROM tickets WHERE user_id = ?1) OR EXISTS (SELECT 1 FROM events WHERE user_id = ?1)
                 OR EXISTS (SELECT 1 FROM rules WHERE user_id = ?1)",
        )?;
        let mut lines = self
            .conn()
            .prepare("SELECT raw FROM clerk_rejected_rows WHERE instr(raw, ?1)")?;
        let mut unknown = Vec::new();
        for id in customers.ids() {
            let mut found: bool = known.query_row([id], |r| r.get(0))?;
            let mut rows = lines.query([id])?;
            while let Some(row) = rows.next()? {
                found |= names(
                    &String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or_default()),
                    id,
                );
            }
            if !found {
                unknown.push(id.clone());
            }
        }
        Ok(unknown)
    }

    /// Adds the tickets the customers have now to those already seen.
    pub fn look_for_tickets(&self, customers: &mut Customers) -> Result<()> {
        let (ids, seen) = customers.lists();
        let mut statement = prepare(
            self.conn(),
            "SELECT ticket_id FROM tickets WHERE user_id IN (SELECT id FROM customer)",
        )?;
        let mut rows = statement.query(params![ids, seen])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(0)?.as_bytes().unwrap_or_default();
            customers.tickets.insert(String::from_utf8_lossy(id).into_owned());
        }
        Ok(())
    }

    /// How many rows of the customers stand in a place.
    pub fn count_rows_of(&self, customers: &Customers, place: &Place) -> Result<u64> {
        let (ids, tickets) = customers.lists();
        let count = match place.count {
            Some(count) => count.to_owned(),
            None => format!("SELECT count(*) FROM ({})", place.find),
        };
        let rows: i64 = prepare(self.conn(), &count)?.query_row(params![ids, tickets], |r| r.get(0))?;
        Ok(rows as u64)
    }

    /// Takes the rows of the customers out of a place; how many there were.
    pub fn erase_rows_of(&self, customers: &Customers, place: &Place) -> Result<u64> {
        let (ids, tickets) = customers.lists();
        let keys: Vec<i64> = prepare(self.conn(), place.find)?
            .query_map(params![ids, tickets], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut statements = place
            .delete
            .iter()
            .map(|sql| prepare(self.conn(), sql))
            .collect::<Result<Vec<_>>>()?;
        paced(self, &Pace::default(), keys.into_iter(), |_, key| {
            let mut rows = 0;
            for statement in &mut statements {
                rows = statement.execute(params![ids, tickets, key])?;
            }
            Ok(rows as u64)
        })
    }

    /// Sets the mark, and asks for a new search index: whatever happens from here on, the next run of the search job
    /// builds one.
    pub fn begin_erasing(&self) -> Result<()> {
        let transaction = self.write()?;
        transaction.execute(
            "INSERT INTO settings (name, value) VALUES (?1, 'begun and not finished') ON CONFLICT DO NOTHING",
            [MARK],
        )?;
        transaction.execute("INSERT INTO outbox (kind, id) VALUES ('rebuild', '')", [])?;
        Ok(transaction.commit()?)
    }

    /// Takes the mark away.
    pub fn end_erasing(&self) -> Result<()> {
        self.conn()
            .execute("DELETE FROM settings WHERE name = ?1", [MARK])?;
        Ok(())
    }

    /// Puts one request for a new index in place of all changes that wait for the index: they name tickets.
    pub fn outbox_start_anew(&self) -> Result<()> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM outbox", [])?;
        transaction.execute("INSERT INTO outbox (kind, id) VALUES ('rebuild', '')", [])?;
        Ok(transaction.commit()?)
    }
}

/// Whether an id stands in a text as a word of its own.
fn names(text: &str, id: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !id.is_empty()
        && text.match_indices(id).any(|(at, _)| {
            !inside(text[..at].chars().next_back()) && !inside(text[at + id.len()..].chars().next())
        })
}

#[cfg(test)]
mod tests;
