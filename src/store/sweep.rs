//! Taking away what nobody may see any more: generations that crashed while building, were rejected, or are
//! older than the ones kept for rollback. In chunks by key range, paced like everything a night writes.

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use super::results::TABLES;
use rusqlite::{OptionalExtension, params};

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Generations whose rows went.
    pub generations: u64,
    /// Their rows and artefact parts.
    pub rows: u64,
}

/// Rows looked at in one step.
const CHUNK: i64 = 400;

impl Shop {
    /// Sweeps every family, keeping `keep` retired generations of each. Only the holder of the leader's lock may
    /// call it: to anybody else a 'building' generation might be somebody's work in progress.
    pub fn sweep(&self, keep: usize) -> Result<Swept> {
        let doomed = self.doomed(keep)?;
        self.sweep_these(doomed)
    }

    /// Generation, family and status of what may go.
    pub(super) fn doomed(&self, keep: usize) -> Result<Vec<(i64, String, String)>> {
        // swept = 1 first, rows next, swept = 2 last: a sweep killed half-way leaves nothing to roll back to by
        // mistake, and the next one goes on with it.
        let mut statement = self.conn().prepare(
            "SELECT v.generation, v.family, v.status FROM clerk_generations AS v
             WHERE v.swept = 1
                OR (v.swept = 0 AND v.status IN ('building', 'rejected'))
                OR (v.swept = 0 AND v.status = 'retired'
                    AND (SELECT count(*) FROM clerk_generations AS w
                         WHERE w.family = v.family AND w.status = 'retired' AND w.generation > v.generation) >= ?1)
             ORDER BY v.generation",
        )?;
        let doomed: Vec<(i64, String, String)> = statement
            .query_map([keep as i64], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(doomed)
    }

    pub(super) fn sweep_these(&self, doomed: Vec<(i64, String, String)>) -> Result<Swept> {
        let mut swept = Swept::default();
        for (generation, family, status) in doomed {
            let transaction = self.write()?;
            // Asked again under the lock: a rollback needs no lead, and may have published it since.
            let marked = transaction.execute(
                "UPDATE clerk_generations SET swept = 1 WHERE generation = ?1 AND status <> 'published'
                 AND generation NOT IN (SELECT generation FROM clerk_published)",
                [generation],
            )?;
            if marked == 0 {
                continue;
            }
            if status == "building" {
                transaction.execute(
                    "UPDATE clerk_generations SET status = 'rejected', why = 'interrupted while it was being built'
                     WHERE generation = ?1",
                    [generation],
                )?;
            }
            transaction.commit()?;
            let rows = self.sweep_rows(generation, &family)?;
            self.conn().execute(
                "UPDATE clerk_generations SET swept = 2 WHERE generation = ?1",
                [generation],
            )?;
            swept.rows += rows;
            swept.generations += u64::from(rows > 0);
        }
        Ok(swept)
    }

    fn sweep_rows(&self, generation: i64, family: &str) -> Result<u64> {
        let mut rows = 0;
        for table in TABLES.iter().filter(|t| t.family == family) {
            let (name, key) = (table.table, table.key);
            loop {
                let step = match key {
                    // The chunk ends at the key CHUNK rows further on; a key's own rows go together.
                    Some(key) => {
                        let last: Option<rusqlite::types::Value> = self
                            .conn()
                            .prepare_cached(&format!(
                                "SELECT max({key}) FROM (SELECT {key} FROM {name} WHERE generation = ?1 ORDER BY {key} LIMIT {CHUNK})"
                            ))?
                            .query_row([generation], |r| r.get(0))
                            .optional()?;
                        match last {
                            None | Some(rusqlite::types::Value::Null) => 0,
                            Some(last) => self.paced_one(
                                &format!("DELETE FROM {name} WHERE generation = ?1 AND {key} <= ?2"),
                                params![generation, last],
                            )?,
                        }
                    }
                    None => self.paced_one(
                        &format!(
                            "DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} WHERE generation = ?1 LIMIT {CHUNK})"
                        ),
                        params![generation],
                    )?,
                };
                rows += step;
                if step == 0 {
                    break;
                }
            }
        }
        loop {
            // Parts are up to 256 KB each: few at a time.
            let step = self.paced_one(
                "DELETE FROM clerk_artefacts WHERE rowid IN (SELECT rowid FROM clerk_artefacts WHERE generation = ?1 LIMIT 2)",
                params![generation],
            )?;
            rows += step;
            if step == 0 {
                break;
            }
        }
        Ok(rows)
    }

    /// One deletion as a transaction of its own, followed by the pause.
    fn paced_one(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<u64> {
        let rows = paced(self, &Pace::default(), std::iter::once(()), |conn, ()| {
            Ok(conn.prepare_cached(sql)?.execute(values)? as u64)
        })?;
        if rows > 0 {
            std::thread::sleep(Pace::default().pause);
        }
        Ok(rows)
    }
}
