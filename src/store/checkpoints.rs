//! Where an interrupted fit goes on: the optimiser's whole state, in parts, replaced as a unit. A checkpoint
//! carries the fingerprint of its data and options; another fingerprint means other work, and it is ignored.

use super::clock::now;
use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::{OptionalExtension, params};
use std::sync::Mutex;
use std::time::Duration;

/// Largest part, bytes.
const PART: usize = 256 * 1024;

/// One part a transaction: a checkpoint is megabytes, and a checkout may be waiting.
const SLOWLY: Pace = Pace {
    rows: 1,
    hold: Duration::from_millis(3),
    pause: Duration::from_millis(5),
    checkpoint_every: 4,
    run: None,
};

/// The checkpoints of one family, on a connection of their own: a fit may save from another thread.
#[derive(Debug)]
pub struct StoredCheckpoints {
    shop: Mutex<Shop>,
    family: String,
}

impl StoredCheckpoints {
    /// For the family of a run.
    pub fn new(shop: &Shop, family: &str) -> Result<StoredCheckpoints> {
        Ok(StoredCheckpoints {
            shop: Mutex::new(shop.again()?),
            family: family.into(),
        })
    }

    fn shop(&self) -> std::sync::MutexGuard<'_, Shop> {
        // A panic elsewhere leaves the connection usable: SQLite rolled back what was open.
        self.shop
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The state saved under `name` for the same work, whole, or nothing.
    pub fn load_bytes(&self, name: &str, fingerprint: u128) -> Result<Option<Vec<u8>>> {
        let shop = self.shop();
        let save: Option<i64> = shop
            .conn()
            .prepare_cached(
                "SELECT save FROM clerk_checkpoints WHERE family = ?1 AND name = ?2 AND fingerprint = ?3
                 GROUP BY save HAVING count(*) = max(parts) ORDER BY save DESC LIMIT 1",
            )?
            .query_row(params![self.family, name, format!("{fingerprint:032x}")], |r| {
                r.get(0)
            })
            .optional()?;
        let Some(save) = save else { return Ok(None) };
        let mut statement = shop.conn().prepare_cached(
            "SELECT bytes FROM clerk_checkpoints WHERE family = ?1 AND name = ?2 AND save = ?3 ORDER BY part",
        )?;
        let mut rows = statement.query(params![self.family, name, save])?;
        let mut bytes = Vec::new();
        while let Some(row) = rows.next()? {
            bytes.extend_from_slice(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        }
        Ok(Some(bytes))
    }

    /// Saves the state under `name`; what was saved before goes once this is whole.
    pub fn save_bytes(&self, name: &str, fingerprint: u128, state: &[u8]) -> Result<()> {
        let shop = self.shop();
        let save: i64 = shop.conn().query_row(
            "SELECT coalesce(max(save), 0) + 1 FROM clerk_checkpoints WHERE family = ?1 AND name = ?2",
            params![self.family, name],
            |r| r.get(0),
        )?;
        let parts = state.len().div_ceil(PART) as i64;
        paced(
            &shop,
            &SLOWLY,
            state.chunks(PART).enumerate(),
            |conn, (part, bytes)| {
                conn.prepare_cached(
                "INSERT INTO clerk_checkpoints (family, name, save, part, fingerprint, parts, bytes, saved_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![self.family, name, save, part as i64, format!("{fingerprint:032x}"), parts, bytes, now()])?;
                Ok(1)
            },
        )?;
        self.forget(&shop, name, save)
    }

    /// Forgets the state saved under `name`.
    pub fn clear_bytes(&self, name: &str) -> Result<()> {
        self.forget(&self.shop(), name, i64::MAX)
    }

    /// Forgets all states of the family: a night that has published has no fit to go on with, and what an interrupted one left under
    /// another fingerprint, or under a name that is no longer fitted, would stay for ever.
    pub fn clear_family(&self) -> Result<()> {
        let shop = self.shop();
        let mut statement = shop
            .conn()
            .prepare("SELECT DISTINCT name FROM clerk_checkpoints WHERE family = ?1")?;
        let names: Vec<String> = statement
            .query_map([&self.family], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        drop(statement);
        names
            .iter()
            .try_for_each(|name| self.forget(&shop, name, i64::MAX))
    }

    /// Deletes the saves before `save`, a part at a time.
    fn forget(&self, shop: &Shop, name: &str, save: i64) -> Result<()> {
        let mut statement = shop
            .conn()
            .prepare("SELECT rowid FROM clerk_checkpoints WHERE family = ?1 AND name = ?2 AND save < ?3")?;
        let old: Vec<i64> = statement
            .query_map(params![self.family, name, save], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        paced(shop, &SLOWLY, old.into_iter(), |conn, rowid| {
            Ok(conn
                .prepare_cached("DELETE FROM clerk_checkpoints WHERE rowid = ?1")?
                .execute([rowid])? as u64)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_belongs_to_its_work() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let checkpoints = StoredCheckpoints::new(&shop, "support").unwrap();
        let state: Vec<u8> = (0..3_000_000u32).map(|i| i as u8).collect();
        checkpoints.save_bytes("classifier", 7, &state).unwrap();
        checkpoints.save_bytes("classifier", 7, &state[1..]).unwrap();
        assert_eq!(
            checkpoints.load_bytes("classifier", 7).unwrap().unwrap(),
            state[1..]
        );
        assert_eq!(checkpoints.load_bytes("classifier", 8).unwrap(), None);
        checkpoints.clear_bytes("classifier").unwrap();
        assert_eq!(checkpoints.load_bytes("classifier", 7).unwrap(), None);
        // What nobody will ask for again goes with its family, and no other.
        let other = StoredCheckpoints::new(&shop, "prices").unwrap();
        other.save_bytes("network", 7, &state).unwrap();
        checkpoints.save_bytes("classifier", 7, &state).unwrap();
        checkpoints.save_bytes("replies en", 9, &state).unwrap();
        checkpoints.clear_family().unwrap();
        assert_eq!(checkpoints.load_bytes("replies en", 9).unwrap(), None);
        assert_eq!(other.load_bytes("network", 7).unwrap().unwrap(), state);
    }
}
