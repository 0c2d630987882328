//! The support desk between two nights: what is asked of a ticket that came or changed, and where its answer goes
//! (schema/0010_day.sql).
//!
//! The race to lose nothing in: (1) a ticket is read with its messages in one read transaction, and what was read is hashed;
//! (2) for some milliseconds its answer is computed, with no transaction open; (3) the answer is written in a transaction that
//! first reads and hashes the ticket again ([`super::day_rows`]). If the customer wrote between 1 and 3, the hashes differ, nothing is written, and
//! the ticket is answered anew. The application waits for neither: the transaction is a few milliseconds long ([`super::pace`]).
//!
//! In step 3 it is also looked whether another generation was published meanwhile, and whether the rows a draft quotes are
//! still there: a customer may have been erased.

use super::desk;
use super::error::{Error, Result};
use super::inputs::{Agent, Reply, Ticket};
use super::open::Shop;
use super::settings::Settings;
use super::snapshot;
use super::support_archive::Held;
use rusqlite::{Connection, OptionalExtension, params};
use xxhash_rust::xxh3::Xxh3;

/// What the views show of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The hash of what a day's answer was made of; none = it is a night's answer.
    pub seen: Option<i64>,
    /// Where it was put; in triage the best guess alone.
    pub held: Held,
    /// low to urgent.
    pub priority: Option<String>,
    /// Tag.
    pub language: Option<String>,
    /// When it was routed.
    pub routed_at: i64,
    /// Whether its draft stands.
    pub drafted: bool,
}

/// A ticket that is not closed, as the desk sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct DayTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// Its messages without notes, oldest first.
    pub thread: Vec<Reply>,
    /// A hash of all that.
    pub seen: i64,
    /// The answer it has.
    pub shown: Option<Shown>,
    /// Who had this customer's last ticket.
    pub last_agent: Option<String>,
}

/// What became of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub enum DayLook {
    /// It is to be answered, or is.
    Open(Box<DayTicket>),
    /// It is closed or gone; whether a day's answer is left of it.
    Over(bool),
    /// It bears bytes that are no text.
    Unreadable,
}

/// The desk at one instant.
#[derive(Debug)]
pub struct DeskNow {
    /// The settings.
    pub settings: Settings,
    /// Who answers tickets, by agent_id.
    pub agents: Vec<Agent>,
    /// Beside the ids asked for.
    pub tickets: Vec<DayLook>,
}

/// How a ticket that waits is lined up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InLine {
    /// Ticket.
    pub ticket_id: String,
    /// As a person entered it.
    pub priority: Option<String>,
    /// When it came; none = it is gone.
    pub created_at: Option<i64>,
}

impl Shop {
    /// Reads these tickets, the agents and the settings at one instant.
    ///
    /// # Errors
    /// Those of SQLite; settings that cannot be read.
    pub fn desk_now(&self, ids: &[String]) -> Result<DeskNow> {
        let transaction = self.conn().unchecked_transaction()?;
        let agents = desk::agents(&transaction)?;
        let look = |id: &String| match look(&transaction, id) {
            Err(Error::Sqlite(e)) if snapshot::is_no_text(&e) => Ok(DayLook::Unreadable),
            found => found,
        };
        Ok(DeskNow {
            settings: Settings::read(&transaction)?,
            agents,
            tickets: ids.iter().map(look).collect::<Result<_>>()?,
        })
    }

    /// How these tickets are lined up.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn line_up(&self, ids: Vec<String>) -> Result<Vec<InLine>> {
        let transaction = self.conn().unchecked_transaction()?;
        let mut statement =
            transaction.prepare_cached("SELECT priority, created_at FROM tickets WHERE ticket_id = ?1")?;
        let line = |ticket_id: String| {
            let found = statement
                .query_row([&ticket_id], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            let (priority, created_at) = found.unwrap_or_default();
            Ok(InLine {
                ticket_id,
                priority,
                created_at,
            })
        };
        ids.into_iter().map(line).collect()
    }

    /// Everything that could need an answer: tickets that are not closed, and those that are but have a day's answer left.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn line_up_all(&self) -> Result<Vec<InLine>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT ticket_id, priority, created_at FROM tickets WHERE status <> 'closed'
             UNION ALL
             SELECT d.ticket_id, NULL, NULL FROM clerk_day_routes AS d
             WHERE NOT EXISTS (SELECT 1 FROM tickets AS t WHERE t.ticket_id = d.ticket_id AND t.status <> 'closed')",
        )?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            // An id that is no text is no id.
            if let Some(id) = snapshot::text(row, 0).ok().flatten() {
                all.push(InLine {
                    ticket_id: id.to_owned(),
                    priority: row.get(1)?,
                    created_at: row.get(2)?,
                });
            }
        }
        Ok(all)
    }
}

/// A ticket that is not closed, with its messages but notes.
pub(super) fn read(conn: &Connection, id: &str) -> Result<Option<(Ticket, Vec<Reply>)>> {
    let ticket = conn
        .prepare_cached(
            "SELECT ticket_id, user_id, subject, body, language, status, category, team, agent_id, priority,
                    decided_by = 'person', created_at, closed_at FROM tickets WHERE ticket_id = ?1 AND status <> 'closed'",
        )?
        .query_row([id], snapshot::ticket)
        .optional()?;
    let Some(ticket) = ticket else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT reply_id, ticket_id, author, agent_id, body, at FROM replies
         WHERE ticket_id = ?1 AND author <> 'note' ORDER BY at, reply_id",
    )?;
    let thread = statement
        .query_map([id], snapshot::reply)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some((ticket, thread)))
}

/// A hash of everything an answer is made of. Open or pending makes no difference to it.
pub(super) fn seen(ticket: &Ticket, thread: &[Reply]) -> i64 {
    let mut state = Xxh3::new();
    let mut text = |text: Option<&str>| {
        state.update(&text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        state.update(text.unwrap_or_default().as_bytes());
    };
    for value in [
        &ticket.user_id,
        &ticket.language,
        &ticket.category,
        &ticket.team,
        &ticket.agent_id,
        &ticket.priority,
    ] {
        text(value.as_deref());
    }
    text(Some(&ticket.subject));
    text(Some(&ticket.body));
    text(Some(if ticket.by_person { "person" } else { "clerk" }));
    text(Some(&ticket.created_at.to_string()));
    for reply in thread {
        text(Some(&reply.reply_id.to_string()));
        text(Some(&reply.author));
        text(reply.agent_id.as_deref());
        text(Some(&reply.body));
    }
    state.digest() as i64
}

fn look(conn: &Connection, id: &str) -> Result<DayLook> {
    let Some((ticket, thread)) = read(conn, id)? else {
        let left = conn
            .prepare_cached("SELECT 1 FROM clerk_day_routes WHERE ticket_id = ?1")?
            .exists([id])?;
        return Ok(DayLook::Over(left));
    };
    let shown = conn
        .prepare_cached(
            "SELECT r.category, r.team, r.agent_id, r.priority, r.language, r.routed_at,
                    (SELECT d.seen FROM clerk_day_routes AS d WHERE d.ticket_id = r.ticket_id AND d.routed_at = r.routed_at),
                    EXISTS (SELECT 1 FROM ticket_drafts AS p WHERE p.ticket_id = ?1)
             FROM ticket_routes AS r WHERE r.ticket_id = ?1",
        )?
        .query_row([id], |r| {
            Ok(Shown {
                held: Held {
                    category: r.get(0)?,
                    team: r.get(1)?,
                    agent_id: r.get(2)?,
                },
                priority: r.get(3)?,
                language: r.get(4)?,
                routed_at: r.get(5)?,
                seen: r.get(6)?,
                drafted: r.get(7)?,
            })
        })
        .optional()?;
    let last_agent = match &ticket.user_id {
        Some(user) => last_agent(conn, user, &ticket)?,
        None => None,
    };
    Ok(DayLook::Open(Box::new(DayTicket {
        seen: seen(&ticket, &thread),
        ticket,
        thread,
        shown,
        last_agent,
    })))
}

/// The agent of the customer's last ticket before this one: who answered it first, else whom a person entered.
fn last_agent(conn: &Connection, user: &str, ticket: &Ticket) -> Result<Option<String>> {
    // What a night calls an old ticket: people categorised it or answered it.
    let mut statement = conn.prepare_cached(
        "SELECT CASE WHEN p.agent_id IS NOT NULL THEN p.agent_id
                     WHEN t.decided_by = 'person' AND t.agent_id <> ''
                          AND (p.reply_id IS NOT NULL OR t.category <> '' OR t.team <> '') THEN t.agent_id END
         FROM tickets AS t
         LEFT JOIN replies AS p ON p.reply_id =
              (SELECT a.reply_id FROM replies AS a
               WHERE a.ticket_id = t.ticket_id AND a.author = 'agent' AND trim(a.body, char(9, 10, 11, 12, 13, 32)) <> ''
               ORDER BY a.at, a.reply_id LIMIT 1)
         WHERE t.user_id = ?1 AND (t.created_at < ?2 OR (t.created_at = ?2 AND t.ticket_id < ?3))
         ORDER BY t.created_at DESC, t.ticket_id DESC LIMIT 20",
    )?;
    let mut rows = statement.query(params![user, ticket.created_at, ticket.ticket_id])?;
    while let Some(row) = rows.next()? {
        if let Some(agent) = row.get(0)? {
            return Ok(Some(agent));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
