//! The support desk between two nights: what is asked of a ticket that came or changed, and where its answer goes
//! (schema/0008_day.sql).
//!
//! The race to lose nothing in: (1) a ticket is read with its messages in one read transaction, and what was read is hashed;
//! (2) for some milliseconds its answer is computed, with no transaction open; (3) the answer is written in a transaction that
//! first reads and hashes the ticket again. If the customer wrote between 1 and 3, the hashes differ, nothing is written, and
//! the ticket is answered anew. The application waits for neither: the transaction is a few milliseconds long ([`Pace`]).
//!
//! In step 3 it is also looked whether another generation was published meanwhile, and whether the rows a draft quotes are
//! still there: a customer may have been erased.

use super::error::{Error, Result};
use super::inputs::{Agent, Reply, Ticket};
use super::open::Shop;
use super::pace::{Pace, paced};
use super::results::{TicketDraft, TicketNeighbour, TicketRoute};
use super::settings::Settings;
use super::snapshot;
use super::support_archive::{self, ArchivedDraft, ArchivedRoute, Held};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Instant;
use xxhash_rust::xxh3::Xxh3;

/// What the views show of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The hash of what a day's answer was made of; none = it is a night's answer.
    pub seen: Option<i64>,
    /// Where it was put; nothing in triage.
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

/// An answer to be written.
#[derive(Debug, Clone)]
pub struct DayAnswer {
    /// The route.
    pub route: TicketRoute,
    /// The nearest solved tickets.
    pub neighbours: Vec<TicketNeighbour>,
    /// The draft; none where the last word is the shop's.
    pub draft: Option<TicketDraft>,
    /// Keys of the tickets that the draft quotes a reply of, and of these replies.
    pub quoted: Vec<(String, i64)>,
    /// Of what it was made.
    pub seen: i64,
    /// For the report card.
    pub archived_route: Option<ArchivedRoute>,
    /// For the report card.
    pub archived_draft: Option<ArchivedDraft>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayWritten {
    /// Nothing: another generation is published.
    Moved,
    /// Beside the first answers, as many as fitted into the transaction: false = the ticket has changed meanwhile.
    Written(Vec<bool>),
}

/// Answers kept for the report card, at most: what is judged is a sample.
const ARCHIVED: i64 = 2000;

impl Shop {
    /// Reads these tickets, the agents and the settings at one instant.
    ///
    /// # Errors
    /// Those of SQLite; settings that cannot be read.
    pub fn desk_now(&self, ids: &[String]) -> Result<DeskNow> {
        let transaction = self.conn().unchecked_transaction()?;
        let mut agents = Vec::new();
        {
            let mut statement = transaction.prepare_cached(snapshot::AGENTS)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match snapshot::agent(row) {
                    Ok(agent) => agents.extend(agent),
                    Err(e) if snapshot::is_no_text(&e) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
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

    /// Writes answers of the published `generation` in one short transaction: the first of them, until it has taken as long as
    /// one may. Nobody's answer is written who has changed since it was read.
    ///
    /// # Errors
    /// Those of SQLite; then nothing is written.
    pub fn write_day(&self, generation: i64, answers: &[DayAnswer]) -> Result<DayWritten> {
        let pace = Pace::default();
        let transaction = self.write()?;
        let begun = Instant::now();
        let published: Option<i64> = transaction
            .prepare_cached("SELECT generation FROM clerk_published WHERE family = 'support'")?
            .query_row([], |r| r.get(0))
            .optional()?;
        if published != Some(generation) {
            return Ok(DayWritten::Moved);
        }
        let mut written = Vec::with_capacity(answers.len());
        for answer in answers {
            if begun.elapsed() >= pace.hold && !written.is_empty() {
                break;
            }
            let unchanged = still_so(&transaction, answer)?;
            if unchanged {
                put(&transaction, generation, answer)?;
            }
            written.push(unchanged);
        }
        transaction.commit()?;
        self.note_write(begun.elapsed());
        Ok(DayWritten::Written(written))
    }

    /// Removes what is left of tickets that are closed or gone. Returns how many.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn forget_day(&self, ids: &[String]) -> Result<u64> {
        paced(self, &Pace::default(), ids.iter(), |conn, id| {
            let open = conn
                .prepare_cached("SELECT 1 FROM tickets WHERE ticket_id = ?1 AND status <> 'closed'")?
                .exists([id])?;
            if open { Ok(0) } else { forget(conn, id) }
        })
    }

    /// Removes the answers by day of tickets that are closed or gone, and those that no rollback can bring back: a
    /// later night has spoken, and the generation they were made with is no longer kept. Returns how many.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn prune_day(&self) -> Result<u64> {
        let mut statement = self.conn().prepare(
            "SELECT d.ticket_id, d.routed_at FROM clerk_day_routes AS d
             WHERE NOT EXISTS (SELECT 1 FROM tickets AS t WHERE t.ticket_id = d.ticket_id AND t.status <> 'closed')
                OR (d.generation < (SELECT min(generation) FROM clerk_generations
                                    WHERE family = 'support' AND swept = 0 AND status IN ('published', 'retired'))
                    AND EXISTS (SELECT 1 FROM clerk_ticket_routes AS r
                                WHERE r.generation = (SELECT generation FROM clerk_published WHERE family = 'support')
                                  AND r.ticket_id = d.ticket_id AND r.routed_at > d.routed_at))",
        )?;
        let old: Vec<(String, i64)> = statement
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        paced(
            self,
            &Pace {
                rows: 50,
                ..Pace::default()
            },
            old.into_iter(),
            |conn, (id, routed_at)| {
                // Answered again meanwhile: that answer stays.
                let same = conn
                    .prepare_cached("SELECT 1 FROM clerk_day_routes WHERE ticket_id = ?1 AND routed_at = ?2")?
                    .exists(params![id, routed_at])?;
                if same { forget(conn, &id) } else { Ok(0) }
            },
        )
    }

    /// Whether the models of a generation are there: an erasure takes them away and leaves the generation.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn has_models(&self, generation: i64) -> Result<bool> {
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT 1 FROM clerk_artefacts WHERE generation = ?1 AND name = 'support policy'",
            )?
            .exists([generation])?)
    }
}

fn forget(conn: &Connection, id: &str) -> Result<u64> {
    for sql in [
        "DELETE FROM clerk_day_drafts WHERE ticket_id = ?1",
        "DELETE FROM clerk_day_neighbours WHERE ticket_id = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([id])?;
    }
    Ok(conn
        .prepare_cached("DELETE FROM clerk_day_routes WHERE ticket_id = ?1")?
        .execute([id])? as u64)
}

/// A ticket that is not closed, with its messages but notes.
fn read(conn: &Connection, id: &str) -> Result<Option<(Ticket, Vec<Reply>)>> {
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
fn seen(ticket: &Ticket, thread: &[Reply]) -> i64 {
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

fn look(conn: &Connection, id: &String) -> Result<DayLook> {
    let Some((ticket, thread)) = read(conn, id)? else {
        let left = conn
            .prepare_cached("SELECT 1 FROM clerk_day_routes WHERE ticket_id = ?1")?
            .exists([id])?;
        return Ok(DayLook::Over(left));
    };
    let shown = conn
        .prepare_cached(
            "SELECT r.decision, r.category, r.team, r.agent_id, r.priority, r.language, r.routed_at,
                    (SELECT d.seen FROM clerk_day_routes AS d WHERE d.ticket_id = r.ticket_id AND d.routed_at = r.routed_at),
                    EXISTS (SELECT 1 FROM ticket_drafts AS p WHERE p.ticket_id = ?1)
             FROM ticket_routes AS r WHERE r.ticket_id = ?1",
        )?
        .query_row([id], |r| {
            let routed = r.get_ref(0)?.as_str().is_ok_and(|decision| decision == "route");
            let held = Held {
                category: r.get(1)?,
                team: r.get(2)?,
                agent_id: r.get(3)?,
            };
            Ok(Shown {
                held: if routed { held } else { Held::default() },
                priority: r.get(4)?,
                language: r.get(5)?,
                routed_at: r.get(6)?,
                seen: r.get(7)?,
                drafted: r.get(8)?,
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

/// Whether what an answer was made of is still so.
fn still_so(conn: &Connection, answer: &DayAnswer) -> Result<bool> {
    let now = match read(conn, &answer.route.ticket_id) {
        Err(Error::Sqlite(e)) if snapshot::is_no_text(&e) => None,
        now => now?,
    };
    if now.is_none_or(|(ticket, thread)| seen(&ticket, &thread) != answer.seen) {
        return Ok(false);
    }
    let mut there = conn.prepare_cached(
        "SELECT 1 FROM replies AS r JOIN tickets AS t ON t.ticket_id = r.ticket_id
         WHERE r.reply_id = ?2 AND t.ticket_id = ?1",
    )?;
    for quoted in &answer.quoted {
        if !there.exists(params![quoted.0, quoted.1])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn put(conn: &Connection, generation: i64, answer: &DayAnswer) -> Result<()> {
    let route = &answer.route;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO clerk_day_routes (ticket_id, generation, seen, decision, category, category_confidence, team, agent_id,
             agent_confidence, priority, language, due_at, why, routed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        route.ticket_id,
        generation,
        answer.seen,
        route.decision,
        route.category,
        route.category_confidence,
        route.team,
        route.agent_id,
        route.agent_confidence,
        route.priority,
        route.language,
        route.due_at,
        route.why,
        route.routed_at
    ])?;
    conn.prepare_cached("DELETE FROM clerk_day_neighbours WHERE ticket_id = ?1")?
        .execute([&route.ticket_id])?;
    // One that was erased since the models learned from it is not named again.
    let mut insert = conn.prepare_cached(
        "INSERT INTO clerk_day_neighbours (ticket_id, generation, rank, neighbour_ticket_id, distance)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM tickets WHERE ticket_id = ?4)",
    )?;
    for near in &answer.neighbours {
        insert.execute(params![
            near.ticket_id,
            generation,
            near.rank,
            near.neighbour_ticket_id,
            near.distance
        ])?;
    }
    conn.prepare_cached("DELETE FROM clerk_day_drafts WHERE ticket_id = ?1")?
        .execute([&route.ticket_id])?;
    if let Some(draft) = &answer.draft {
        conn.prepare_cached(
            "INSERT INTO clerk_day_drafts (ticket_id, generation, reply_to, replies_seen, decision, reply, confidence, sources, drafted_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            draft.ticket_id,
            generation,
            draft.reply_to,
            draft.replies_seen,
            draft.decision,
            draft.reply,
            draft.confidence,
            draft.sources,
            draft.drafted_at
        ])?;
    }
    archive(conn, answer)
}

/// Keeps an answer for the report card, unless so many are kept already.
fn archive(conn: &Connection, answer: &DayAnswer) -> Result<()> {
    let room = |table: &str, id: &str| -> Result<bool> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {table} WHERE ticket_id = ?1) OR (SELECT count(*) FROM {table}) < ?2"
        );
        Ok(conn
            .prepare_cached(&sql)?
            .query_row(params![id, ARCHIVED], |r| r.get(0))?)
    };
    if let Some(one) = &answer.archived_route
        && room("clerk_route_archive", &one.ticket_id)?
    {
        support_archive::put_route(conn, one)?;
    }
    if let Some(one) = &answer.archived_draft
        && room("clerk_draft_archive", &one.ticket_id)?
    {
        support_archive::put_draft(conn, one)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
