//! Small looks at the support desk as it is now, for answers between nights.

use super::error::Result;
use super::open::Shop;
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;

impl Shop {
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
