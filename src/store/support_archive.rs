//! Routes and drafts that wait for what people do: kept small, judged once, gone then.

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// A route of a ticket that nobody had decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedRoute {
    /// Ticket.
    pub ticket_id: String,
    /// The night's instant, Unix seconds.
    pub made_at: i64,
    /// What was guessed: category or team.
    pub label: String,
    /// The best guess.
    pub guess: String,
    /// The most frequent class.
    pub naive: String,
    /// route or triage.
    pub decision: String,
    /// Where it was sent.
    pub team: Option<String>,
}

/// A draft for a ticket that nobody had answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedDraft {
    /// Ticket.
    pub ticket_id: String,
    /// The night's instant, Unix seconds.
    pub made_at: i64,
    /// Messages of the ticket when it was made.
    pub replies_seen: i64,
    /// send or suggest.
    pub decision: String,
    /// The text.
    pub draft: String,
    /// The reply to the nearest old ticket.
    pub nearest: String,
}

/// Where a published route put a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// What it was routed as.
    pub category: Option<String>,
    /// Team.
    pub team: Option<String>,
    /// Agent.
    pub agent_id: Option<String>,
}

impl Shop {
    /// The published routes, by ticket: what a new night continues.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn published_routes(&self) -> Result<BTreeMap<String, Held>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT ticket_id, category, team, agent_id FROM ticket_routes
             WHERE decision = 'route' AND (team IS NOT NULL OR agent_id IS NOT NULL)",
        )?;
        let rows = statement.query_map([], |r| {
            let held = Held {
                category: r.get(1)?,
                team: r.get(2)?,
                agent_id: r.get(3)?,
            };
            Ok((r.get(0)?, held))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps routes; one of the same ticket is replaced.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn archive_routes(&self, routes: impl Iterator<Item = ArchivedRoute>) -> Result<u64> {
        paced(self, &Pace::default(), routes, |conn, one| {
            put_route(conn, &one)?;
            Ok(1)
        })
    }

    /// Keeps drafts; one of the same ticket is replaced.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn archive_drafts(&self, drafts: impl Iterator<Item = ArchivedDraft>) -> Result<u64> {
        paced(self, &Pace::default(), drafts, |conn, one| {
            put_draft(conn, &one)?;
            Ok(1)
        })
    }

    /// All routes kept, by ticket.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn archived_routes(&self) -> Result<Vec<ArchivedRoute>> {
        let mut statement = self.conn().prepare(
            "SELECT ticket_id, made_at, label, guess, naive, decision, team FROM clerk_route_archive ORDER BY ticket_id",
        )?;
        let rows = statement.query_map([], |r| {
            Ok(ArchivedRoute {
                ticket_id: r.get(0)?,
                made_at: r.get(1)?,
                label: r.get(2)?,
                guess: r.get(3)?,
                naive: r.get(4)?,
                decision: r.get(5)?,
                team: r.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// All drafts kept, by ticket.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn archived_drafts(&self) -> Result<Vec<ArchivedDraft>> {
        let mut statement = self.conn().prepare(
            "SELECT ticket_id, made_at, replies_seen, decision, draft, nearest FROM clerk_draft_archive ORDER BY ticket_id",
        )?;
        let rows = statement.query_map([], |r| {
            Ok(ArchivedDraft {
                ticket_id: r.get(0)?,
                made_at: r.get(1)?,
                replies_seen: r.get(2)?,
                decision: r.get(3)?,
                draft: r.get(4)?,
                nearest: r.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets the routes and drafts of these tickets, and all made before an instant.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn forget_archived(&self, routes: &[String], drafts: &[String], before: i64) -> Result<()> {
        for (ids, one, old) in [
            (
                routes,
                "DELETE FROM clerk_route_archive WHERE ticket_id = ?1",
                "DELETE FROM clerk_route_archive WHERE made_at < ?1",
            ),
            (
                drafts,
                "DELETE FROM clerk_draft_archive WHERE ticket_id = ?1",
                "DELETE FROM clerk_draft_archive WHERE made_at < ?1",
            ),
        ] {
            paced(self, &Pace::default(), ids.iter(), |conn, id| {
                Ok(conn.prepare_cached(one)?.execute([id])? as u64)
            })?;
            self.conn().execute(old, [before])?;
        }
        Ok(())
    }
}

/// Keeps one route.
pub(super) fn put_route(conn: &Connection, one: &ArchivedRoute) -> Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO clerk_route_archive (ticket_id, made_at, label, guess, naive, decision, team)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        one.ticket_id,
        one.made_at,
        one.label,
        one.guess,
        one.naive,
        one.decision,
        one.team
    ])?;
    Ok(())
}

/// Keeps one draft.
pub(super) fn put_draft(conn: &Connection, one: &ArchivedDraft) -> Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO clerk_draft_archive (ticket_id, made_at, replies_seen, decision, draft, nearest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        one.ticket_id,
        one.made_at,
        one.replies_seen,
        one.decision,
        one.draft,
        one.nearest
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_kept_until_it_is_judged_or_old() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let route = |ticket: &str, made_at: i64, guess: &str| ArchivedRoute {
            ticket_id: ticket.into(),
            made_at,
            label: "category".into(),
            guess: guess.into(),
            naive: "parcel".into(),
            decision: "triage".into(),
            team: None,
        };
        let draft = |ticket: &str, made_at: i64| ArchivedDraft {
            ticket_id: ticket.into(),
            made_at,
            replies_seen: 0,
            decision: "suggest".into(),
            draft: "yes".into(),
            nearest: "no".into(),
        };
        shop.archive_routes([route("a", 10, "x"), route("b", 10, "x"), route("a", 20, "y")].into_iter())
            .unwrap();
        shop.archive_drafts([draft("a", 20), draft("b", 10)].into_iter())
            .unwrap();
        assert_eq!(
            shop.archived_routes().unwrap(),
            [route("a", 20, "y"), route("b", 10, "x")]
        );
        shop.forget_archived(&[], &["a".into()], 5).unwrap();
        assert_eq!(shop.archived_drafts().unwrap(), [draft("b", 10)]);
        shop.forget_archived(&["a".into()], &[], 15).unwrap();
        assert!(shop.archived_routes().unwrap().is_empty() && shop.archived_drafts().unwrap().is_empty());
        assert!(shop.published_routes().unwrap().is_empty());
    }
}
