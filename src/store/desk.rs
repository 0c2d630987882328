//! Small looks at the support desk as it is now, for answers between nights.

use super::error::Result;
use super::inputs::Agent;
use super::open::Shop;
use super::snapshot;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

impl Shop {
    /// Whether any of these tickets is no longer there.
    pub fn lacks_any_ticket(&self, ids: &[String]) -> Result<bool> {
        let mut statement = self
            .conn()
            .prepare("SELECT 1 FROM tickets WHERE ticket_id = ?1")?;
        for id in ids {
            if !statement.exists([id])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All agents that can be read, by agent_id.
    pub fn agents(&self) -> Result<Vec<Agent>> {
        agents(self.conn())
    }

    /// Open tickets by the agent who holds them, as `ticket_queue` shows them.
    pub fn open_tickets_by_agent(&self) -> Result<BTreeMap<String, u64>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT agent_id, count(*) FROM ticket_queue WHERE agent_id IS NOT NULL GROUP BY agent_id",
        )?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The text of a reply, if it is still there.
    pub fn reply_body(&self, reply_id: i64) -> Result<Option<String>> {
        self.body("SELECT body FROM replies WHERE reply_id = ?1", reply_id)
    }

    /// The text of a ticket, if it is still there.
    pub fn ticket_body(&self, ticket_id: &str) -> Result<Option<String>> {
        self.body("SELECT body FROM tickets WHERE ticket_id = ?1", ticket_id)
    }

    /// The text of an article, if it is still there.
    pub fn article_body(&self, article_id: &str) -> Result<Option<String>> {
        self.body("SELECT body FROM articles WHERE article_id = ?1", article_id)
    }

    fn body(&self, sql: &str, id: impl rusqlite::ToSql) -> Result<Option<String>> {
        Ok(self
            .conn()
            .prepare_cached(sql)?
            .query_row([id], |r| r.get(0))
            .optional()?)
    }
}

/// All agents whose languages and skills can be read, by agent_id.
pub(super) fn agents(conn: &Connection) -> Result<Vec<Agent>> {
    let mut statement = conn.prepare_cached(snapshot::AGENTS)?;
    let mut rows = statement.query([])?;
    let mut agents = Vec::new();
    while let Some(row) = rows.next()? {
        match snapshot::agent(row) {
            Ok(agent) => agents.extend(agent),
            Err(e) if snapshot::is_no_text(&e) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(agents)
}

#[cfg(test)]
mod tests {
    use super::super::results::{TicketDraft, TicketRoute};
    use super::super::{GenerationWriter, NewGeneration, now};
    use super::*;

    /// A desk with one ticket of each id, routed to delivery and drafted by a night an hour ago.
    fn desk(ids: &[&str]) -> (tempfile::TempDir, Shop) {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let made_at = now() - 3600;
        for id in ids {
            shop.conn()
                .execute(
                    "INSERT INTO tickets (ticket_id, subject, body, created_at) VALUES (?1, 'where', 'is it', 1700000000)",
                    [id],
                )
                .unwrap();
            shop.conn()
                .execute(
                    "INSERT INTO replies (reply_id, ticket_id, author, body, at) VALUES (NULL, ?1, 'customer', 'hello?', 1700000000)",
                    [id],
                )
                .unwrap();
        }
        let new = NewGeneration {
            family: "support",
            run_id: 1,
            as_of: made_at,
            exclude_bought: false,
        };
        let mut generation = GenerationWriter::begin(&shop, &new).unwrap();
        let route = |id: &&str| TicketRoute {
            ticket_id: (*id).into(),
            decision: "route".into(),
            category: Some("delivery".into()),
            category_confidence: Some(0.9),
            team: Some("parcels".into()),
            agent_id: Some("A1".into()),
            agent_confidence: None,
            priority: Some("low".into()),
            language: Some("en".into()),
            due_at: Some(1_700_100_000),
            why: "said so".into(),
            routed_at: made_at,
        };
        generation.write(ids.iter().map(route)).unwrap();
        let draft = |id: &&str| TicketDraft {
            ticket_id: (*id).into(),
            reply_to: None,
            replies_seen: 1,
            decision: "suggest".into(),
            reply: Some("on its way".into()),
            confidence: 0.5,
            sources: "[]".into(),
            drafted_at: made_at,
        };
        generation.write(ids.iter().map(draft)).unwrap();
        generation.publish("test").unwrap();
        (dir, shop)
    }

    fn one(shop: &Shop, sql: &str) -> String {
        let text = |r: &rusqlite::Row<'_>| r.get::<_, Option<String>>(0);
        shop.conn()
            .query_row(sql, [], text)
            .unwrap()
            .unwrap_or_else(|| "NULL".into())
    }

    #[test]
    fn a_draft_vanishes_when_what_it_answers_changes() {
        for change in [
            "UPDATE tickets SET body = 'please cancel' WHERE ticket_id = 't'",
            "UPDATE tickets SET subject = 'another matter' WHERE ticket_id = 't'",
            "UPDATE OR IGNORE tickets SET body = 'please cancel' WHERE ticket_id = 't'",
            "REPLACE INTO tickets (ticket_id, body, created_at) VALUES ('t', 'please cancel', 1)",
            "UPDATE replies SET body = 'found it' WHERE ticket_id = 't'",
            "DELETE FROM replies WHERE ticket_id = 't';
             INSERT INTO replies (ticket_id, author, body, at) VALUES ('t', 'customer', 'found it', 1)",
            "UPDATE replies SET ticket_id = 'u' WHERE ticket_id = 't';
             INSERT INTO replies (ticket_id, author, body, at) VALUES ('t', 'customer', 'found it', 1)",
            "UPDATE tickets SET status = 'closed' WHERE ticket_id = 't'",
        ] {
            let (_dir, shop) = desk(&["t", "other"]);
            let drafts =
                "SELECT group_concat(ticket_id) FROM (SELECT ticket_id FROM ticket_drafts ORDER BY 1)";
            assert_eq!(one(&shop, drafts), "other,t");
            shop.conn().execute_batch(change).unwrap();
            assert_eq!(one(&shop, drafts), "other", "{change}");
        }
        for harmless in [
            "UPDATE tickets SET team = 'money', body = body",
            "INSERT INTO replies (ticket_id, author, body, at) VALUES ('t', 'note', 'ask Ann', 1);
             UPDATE replies SET body = 'ask Bob' WHERE author = 'note'; DELETE FROM replies WHERE author = 'note'",
        ] {
            let (_dir, shop) = desk(&["t"]);
            shop.conn().execute_batch(harmless).unwrap();
            assert_eq!(one(&shop, "SELECT ticket_id FROM ticket_drafts"), "t", "{harmless}");
        }
        // What is void is remembered as long as a draft from before can be seen again.
        let (_dir, shop) = desk(&["t"]);
        shop.conn()
            .execute_batch("UPDATE tickets SET body = 'please cancel'")
            .unwrap();
        assert_eq!(shop.prune_void_drafts().unwrap(), 0);
        shop.conn()
            .execute_batch("UPDATE clerk_ticket_drafts SET drafted_at = drafted_at + 7200")
            .unwrap();
        assert_eq!(
            one(&shop, "SELECT ticket_id FROM ticket_drafts"),
            "t",
            "a later night's"
        );
        assert_eq!(shop.prune_void_drafts().unwrap(), 1);
    }

    #[test]
    fn what_a_person_enters_by_day_never_stands_beside_what_belongs_to_something_else() {
        let row = "SELECT concat_ws('|', coalesce(category, '?'), coalesce(team, '?'), coalesce(agent_id, '?'), coalesce(priority, '?'),
                          decided_by, coalesce(due_at, '?')) FROM ticket_queue";
        for (change, expected) in [
            ("SELECT 1", "delivery|parcels|A1|low|model|1700100000"),
            (
                "UPDATE tickets SET team = '', category = '', agent_id = '', language = ''",
                "delivery|parcels|A1|low|model|1700100000",
            ),
            (
                "UPDATE tickets SET category = 'refund'",
                "refund|?|?|?|person|1700100000",
            ),
            (
                "UPDATE tickets SET category = 'delivery'",
                "delivery|parcels|A1|low|person|1700100000",
            ),
            ("UPDATE tickets SET category = '-'", "-|?|?|?|person|1700100000"),
            (
                "UPDATE tickets SET priority = 'urgent'",
                "delivery|parcels|A1|urgent|model|?",
            ),
            (
                "UPDATE tickets SET priority = 'low'",
                "delivery|parcels|A1|low|model|1700100000",
            ),
            (
                "UPDATE tickets SET team = 'money'",
                "delivery|money|?|low|person|1700100000",
            ),
        ] {
            let (_dir, shop) = desk(&["t"]);
            shop.conn().execute_batch(change).unwrap();
            assert_eq!(one(&shop, row), expected, "{change}");
        }
    }
}
