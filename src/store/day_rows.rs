//! Answers by day as rows: written when what they were made of is still so, removed when nobody can see them again. The
//! race is told in [`super::day`].

use super::day::{read, seen};
use super::error::{Error, Result};
use super::open::Shop;
use super::pace::{Pace, paced};
use super::results::{TicketDraft, TicketNeighbour, TicketRoute};
use super::snapshot;
use super::support_archive::{self, ArchivedDraft, ArchivedRoute};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Instant;

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
