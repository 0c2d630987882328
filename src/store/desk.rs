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
        Ok(self
            .conn()
            .query_row("SELECT body FROM replies WHERE reply_id = ?1", [reply_id], |r| {
                r.get(0)
            })
            .optional()?)
    }
}
