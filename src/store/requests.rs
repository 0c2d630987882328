//! Talking to a daemon through the file: requests for runs, the daemon's own row, its signs of life.
//!
//! A request is a row that any program may insert. The daemon answers it by writing the number of a run into it; whoever asked
//! follows that run in the book. A request that no daemon answers waits.

use super::clock::now;
use super::error::Result;
use super::open::Shop;
use rusqlite::{OptionalExtension, params};

/// What of a request's texts is read: no job has a longer name, and what is read is repeated in book and log.
const LONGEST: usize = 4096;
/// A row this fresh, in seconds, was written as it happened.
const LIVE: i64 = 900;

/// Somebody asks for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its key.
    pub request_id: i64,
    /// The job; '' with orders that are no job's.
    pub job: String,
    /// How it differs from a plain run.
    pub orders: Option<String>,
}

/// What the daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderRow {
    /// Process number.
    pub process: i64,
    /// Name of the machine.
    pub host: String,
    /// Address of the page.
    pub listen: Option<String>,
    /// Began.
    pub started_at: i64,
    /// Last sign of life.
    pub beat_at: i64,
    /// Ended in good order.
    pub ended_at: Option<i64>,
    /// What is wrong beside what the book says, a line each.
    pub troubles: Option<String>,
}

impl Shop {
    /// Asks a daemon for runs; returns the requests' keys.
    pub fn request_runs(&self, jobs: &[&str], orders: Option<&str>) -> Result<Vec<i64>> {
        let transaction = self.write()?;
        let mut keys = Vec::with_capacity(jobs.len());
        for job in jobs {
            transaction
                .prepare_cached("INSERT INTO run_requests (job, orders) VALUES (?1, ?2)")?
                .execute(params![job, orders])?;
            keys.push(transaction.last_insert_rowid());
        }
        transaction.commit()?;
        Ok(keys)
    }

    /// Requests that no run answers yet.
    pub fn open_requests(&self) -> Result<Vec<Request>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT request_id, job, orders FROM run_requests WHERE run_id IS NULL ORDER BY request_id",
        )?;
        // Any program writes here, in whatever encoding: a row nobody can read must not hide the others.
        let text = |value: rusqlite::types::ValueRef<'_>| {
            value.as_bytes_or_null().ok().flatten().map(|bytes| {
                let text = String::from_utf8_lossy(bytes);
                text.chars().take(LONGEST).collect::<String>()
            })
        };
        let rows = statement.query_map([], |r| {
            Ok(Request {
                request_id: r.get(0)?,
                job: text(r.get_ref(1)?).unwrap_or_default(),
                orders: text(r.get_ref(2)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Answers a request with a new run: queued with these `orders`, or failed at once where `refused` says why it cannot be. A
    /// plain request joins a plain run of the job that waits already.
    pub fn answer_request(
        &self,
        request: &Request,
        orders: Option<&str>,
        refused: Option<&str>,
    ) -> Result<()> {
        let transaction = self.write()?;
        let waiting: Option<i64> = transaction
            .query_row(
                "SELECT run_id FROM clerk_runs WHERE job = ?1 AND status = 'queued' AND orders IS NULL AND ?2 IS NULL
                 ORDER BY run_id LIMIT 1",
                params![request.job, orders],
                |r| r.get(0),
            )
            .optional()?;
        let run_id = match (waiting, refused) {
            (_, Some(why)) => {
                transaction.execute(
                    "INSERT INTO clerk_runs (job, status, finished_at, error) VALUES (?1, 'failed', ?2, ?3)",
                    params![request.job, now(), why],
                )?;
                transaction.last_insert_rowid()
            }
            (Some(run_id), None) => run_id,
            (None, None) => {
                transaction.execute(
                    "INSERT INTO clerk_runs (job, status, orders) VALUES (?1, 'queued', ?2)",
                    params![request.job, orders],
                )?;
                transaction.last_insert_rowid()
            }
        };
        transaction.execute(
            "UPDATE run_requests SET run_id = ?2 WHERE request_id = ?1",
            params![request.request_id, run_id],
        )?;
        Ok(transaction.commit()?)
    }

    /// Queues again what was asked for and a crash or shutdown interrupted, at most `most` times, if it was asked for after
    /// `since`. Returns how many runs. (An erasure is asked for again by whoever wanted it: nobody else knows of whom.)
    pub fn ask_again(&self, since: i64, most: i64) -> Result<usize> {
        let transaction = self.write()?;
        let interrupted: Vec<(i64, String, i64, Option<String>)> = transaction
            .prepare(
                "SELECT r.run_id, r.job, r.attempt, r.orders FROM clerk_runs AS r
                 WHERE r.status = 'interrupted' AND r.scheduled_at IS NULL AND r.orders IS NOT 'erase' AND r.attempt < ?2
                   AND EXISTS (SELECT 1 FROM run_requests AS q WHERE q.run_id = r.run_id AND q.requested_at >= ?1)
                 ORDER BY r.run_id",
            )?
            .query_map([since, most], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (run_id, job, attempt, orders) in &interrupted {
            transaction.execute(
                "INSERT INTO clerk_runs (job, attempt, status, orders) VALUES (?1, ?2, 'queued', ?3)",
                params![job, attempt + 1, orders],
            )?;
            transaction.execute(
                "UPDATE run_requests SET run_id = ?2 WHERE run_id = ?1",
                [*run_id, transaction.last_insert_rowid()],
            )?;
        }
        transaction.commit()?;
        Ok(interrupted.len())
    }

    /// The run that answers a request: None = none yet; the outer None = the request is gone.
    pub fn run_of_request(&self, request_id: i64) -> Result<Option<Option<i64>>> {
        Ok(self
            .conn()
            .prepare_cached("SELECT run_id FROM run_requests WHERE request_id = ?1")?
            .query_row([request_id], |r| r.get(0))
            .optional()?)
    }

    /// The request that a run answers, the oldest if there are several.
    pub fn request_of_run(&self, run_id: i64) -> Result<Option<i64>> {
        Ok(self
            .conn()
            .query_row(
                "SELECT min(request_id) FROM run_requests WHERE run_id = ?1",
                [run_id],
                |r| r.get(0),
            )
            .optional()?
            .flatten())
    }

    /// What stands in a request's orders.
    pub fn orders_of_request(&self, request_id: i64) -> Result<Option<String>> {
        Ok(self
            .conn()
            .query_row(
                "SELECT orders FROM run_requests WHERE request_id = ?1",
                [request_id],
                |r| r.get(0),
            )
            .optional()?
            .flatten())
    }

    /// Writes over a request's orders.
    pub fn set_orders(&self, request_id: i64, orders: Option<&str>) -> Result<()> {
        self.conn().execute(
            "UPDATE run_requests SET orders = ?2 WHERE request_id = ?1",
            params![request_id, orders],
        )?;
        Ok(())
    }

    /// Takes back a request; false = a run answers it already.
    pub fn withdraw_request(&self, request_id: i64) -> Result<bool> {
        Ok(self.conn().execute(
            "DELETE FROM run_requests WHERE request_id = ?1 AND run_id IS NULL",
            [request_id],
        )? == 1)
    }

    /// Forgets a request that was answered.
    pub fn forget_request(&self, request_id: i64) -> Result<()> {
        self.conn()
            .execute("DELETE FROM run_requests WHERE request_id = ?1", [request_id])?;
        Ok(())
    }

    /// A daemon begins to lead.
    pub fn lead(&self, row: &LeaderRow, version: &str) -> Result<()> {
        self.conn().execute(
            "INSERT INTO clerk_leader (one, process, host, version, listen, started_at, beat_at)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (one) DO UPDATE SET process = ?1, host = ?2, version = ?3, listen = ?4, started_at = ?5, beat_at = ?6,
                 ended_at = NULL, troubles = NULL",
            params![
                row.process,
                row.host,
                version,
                row.listen,
                row.started_at,
                row.beat_at
            ],
        )?;
        Ok(())
    }

    /// A sign of life, with what is wrong now; `ended` = the last one. The first that finds an event or a waiting ticket of
    /// the last quarter of an hour among the newest rows notes that the shop writes live.
    pub fn beat(&self, troubles: &[String], ended: bool) -> Result<()> {
        let troubles = (!troubles.is_empty()).then(|| troubles.join("\n"));
        self.conn()
            .prepare_cached(
                "UPDATE clerk_leader SET beat_at = ?1, ended_at = CASE WHEN ?2 THEN ?1 END, troubles = ?3,
                     live_since = coalesce(live_since, CASE WHEN
                         EXISTS (SELECT 1 FROM (SELECT at FROM events ORDER BY rowid DESC LIMIT 64) WHERE at BETWEEN ?1 - ?4 AND ?1)
                         OR EXISTS (SELECT 1 FROM tickets WHERE status <> 'closed' AND created_at BETWEEN ?1 - ?4 AND ?1)
                     THEN ?1 END)",
            )?
            .execute(params![now(), ended, troubles, LIVE])?;
        Ok(())
    }

    /// Whether a daemon ever saw the shop write events or tickets as they happened.
    pub fn is_live(&self) -> Result<bool> {
        Ok(self
            .conn()
            .query_row(
                "SELECT 1 FROM clerk_leader WHERE live_since IS NOT NULL",
                [],
                |_| Ok(()),
            )
            .optional()?
            .is_some())
    }

    /// The daemon that leads or led last.
    pub fn leader(&self) -> Result<Option<LeaderRow>> {
        let read = |r: &rusqlite::Row<'_>| {
            Ok(LeaderRow {
                process: r.get(0)?,
                host: r.get(1)?,
                listen: r.get(2)?,
                started_at: r.get(3)?,
                beat_at: r.get(4)?,
                ended_at: r.get(5)?,
                troubles: r.get(6)?,
            })
        };
        Ok(self
            .conn()
            .query_row(
                "SELECT process, host, listen, started_at, beat_at, ended_at, troubles FROM clerk_leader",
                [],
                read,
            )
            .optional()?)
    }
}
