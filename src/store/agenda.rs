//! The daemon's agenda: which turns of a schedule are decided, and what waits in the queue.
//!
//! A *turn* is one instant at which a job's schedule makes it due. It is decided once: a run is queued for it, or it is
//! left out with a reason. The queue is the rows of the book with status 'queued': it survives the daemon. A run begins
//! only from that status, and whoever closes it first has closed it: so two processes never both have it.

use super::clock::now;
use super::error::Result;
use super::open::Shop;
use super::runs::{Run, RunStatus};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// Up to when a job's turns are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turns {
    /// Pattern and zone they belong to.
    pub schedule: String,
    /// Unix seconds.
    pub decided_until: i64,
    /// When the job was first seen with this schedule.
    pub since: i64,
}

/// What becomes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn<'a> {
    /// A run is queued.
    Run,
    /// It is left out, and why.
    Skip(&'a str),
}

/// The last attempt at a job's last turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its row.
    pub run_id: i64,
    /// The turn.
    pub scheduled_at: i64,
    /// From 1.
    pub attempt: i64,
    /// As in the view `runs`.
    pub status: String,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Attempts at this turn that failed; the others were interrupted.
    pub failures: i64,
}

/// A run that waits for its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its row.
    pub run_id: i64,
    /// The job.
    pub job: String,
    /// The turn; None = asked for.
    pub scheduled_at: Option<i64>,
    /// From 1.
    pub attempt: i64,
    /// How it differs from a plain run; 'erase' = it is no job's.
    pub orders: Option<String>,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// As in the view `runs`.
    pub status: String,
    /// collect to publish.
    pub stage: Option<String>,
    /// 0 to 1.
    pub progress: f64,
    /// Result rows, when it is done.
    pub rows: Option<i64>,
    /// The error, else the reason.
    pub said: Option<String>,
    /// When it began and ended.
    pub times: (Option<i64>, Option<i64>),
}

impl Shop {
    /// Up to when the turns of each job are decided.
    pub fn turns(&self) -> Result<BTreeMap<String, Turns>> {
        let mut statement = self
            .conn()
            .prepare_cached("SELECT job, schedule, decided_until, since FROM clerk_turns")?;
        let rows = statement.query_map([], |r| {
            Ok((
                r.get(0)?,
                Turns {
                    schedule: r.get(1)?,
                    decided_until: r.get(2)?,
                    since: r.get(3)?,
                },
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Decides the turns of a job up to `turns.decided_until`: `last`, if there is one, is the last of them and what becomes
    /// of it. One transaction: a turn whose run is in the book is decided. Returns the run queued, if one was: a turn that is in
    /// the book already (a clock that was put back) gets no second one.
    pub fn decide(&self, job: &str, turns: &Turns, last: Option<(i64, Turn<'_>)>) -> Result<Option<Run>> {
        let transaction = self.write()?;
        transaction
            .prepare_cached(
                "INSERT INTO clerk_turns (job, schedule, decided_until, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule, decided_until = excluded.decided_until,
                                                 since = excluded.since",
            )?
            .execute(params![job, turns.schedule, turns.decided_until, turns.since])?;
        let mut queued = None;
        if let Some((at, turn)) = last {
            // Left out while the clock was wrong is not left out for ever.
            transaction
                .prepare_cached(
                    "DELETE FROM clerk_runs WHERE job = ?1 AND scheduled_at = ?2 AND status = 'skipped'",
                )?
                .execute(params![job, at])?;
            let known: bool = transaction
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM clerk_runs WHERE job = ?1 AND scheduled_at = ?2)",
                )?
                .query_row(params![job, at], |r| r.get(0))?;
            match turn {
                _ if known => {}
                Turn::Run => {
                    transaction
                        .prepare_cached(
                            "INSERT INTO clerk_runs (job, attempt, scheduled_at, status) VALUES (?1, 1, ?2, 'queued')",
                        )?
                        .execute(params![job, at])?;
                    queued = Some(Run {
                        run_id: transaction.last_insert_rowid(),
                    });
                }
                Turn::Skip(why) => {
                    transaction
                        .prepare_cached(
                            "INSERT INTO clerk_runs (job, attempt, scheduled_at, finished_at, status, why)
                             VALUES (?1, 1, ?2, ?3, 'skipped', ?4)",
                        )?
                        .execute(params![job, at, now(), why])?;
                }
            }
        }
        transaction.commit()?;
        Ok(queued)
    }

    /// The turns of a job that was switched off are nobody's: switched on again, it begins anew.
    pub fn forget_turns(&self, job: &str) -> Result<()> {
        self.conn()
            .execute("DELETE FROM clerk_turns WHERE job = ?1", [job])?;
        Ok(())
    }

    /// The job's runs of turns after `now`, made while the clock was ahead, count for no turn any more. (Of a clock that begins at
    /// 1970 all history would lie ahead: that far it does not go.)
    pub fn free_turns(&self, job: &str, now: i64) -> Result<()> {
        self.conn().execute(
            "UPDATE clerk_runs SET scheduled_at = NULL WHERE job = ?1 AND scheduled_at > ?2 AND scheduled_at < ?3",
            params![job, now, now + 40 * 86_400],
        )?;
        Ok(())
    }

    /// Queues a further attempt at a turn, unless it is in the book.
    pub fn queue_attempt(&self, job: &str, scheduled_at: i64, attempt: i64) -> Result<()> {
        self.conn().execute(
            "INSERT INTO clerk_runs (job, attempt, scheduled_at, status) VALUES (?1, ?2, ?3, 'queued') ON CONFLICT DO NOTHING",
            params![job, attempt, scheduled_at],
        )?;
        Ok(())
    }

    /// The last attempt at the job's last turn that was not left out.
    pub fn last_attempt(&self, job: &str) -> Result<Option<Attempt>> {
        let read = |r: &rusqlite::Row<'_>| {
            Ok(Attempt {
                run_id: r.get(0)?,
                scheduled_at: r.get(1)?,
                attempt: r.get(2)?,
                status: r.get(3)?,
                finished_at: r.get(4)?,
                failures: r.get(5)?,
            })
        };
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT run_id, scheduled_at, attempt, status, finished_at,
                        (SELECT count(*) FROM clerk_runs AS f WHERE f.job = r.job AND f.scheduled_at = r.scheduled_at
                         AND f.status IN ('failed', 'timeout'))
                 FROM clerk_runs AS r WHERE job = ?1 AND scheduled_at IS NOT NULL AND status <> 'skipped'
                 ORDER BY scheduled_at DESC, attempt DESC LIMIT 1",
            )?
            .query_row([job], read)
            .optional()?)
    }

    /// What waits, oldest first.
    pub fn queue(&self) -> Result<Vec<Queued>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT run_id, job, scheduled_at, attempt, orders FROM clerk_runs WHERE status = 'queued' ORDER BY run_id",
        )?;
        let rows = statement.query_map([], |r| {
            Ok(Queued {
                run_id: r.get(0)?,
                job: r.get(1)?,
                scheduled_at: r.get(2)?,
                attempt: r.get(3)?,
                orders: r.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes how a run differs from a plain one.
    pub fn note_orders(&self, run: Run, orders: &str) -> Result<()> {
        self.conn().execute(
            "UPDATE clerk_runs SET orders = ?2 WHERE run_id = ?1",
            params![run.run_id, orders],
        )?;
        Ok(())
    }

    /// A queued run begins; false = somebody closed it meanwhile.
    pub fn start_run(&self, run: Run) -> Result<bool> {
        Ok(self.conn().execute(
            "UPDATE clerk_runs SET status = 'running', started_at = ?2 WHERE run_id = ?1 AND status = 'queued'",
            params![run.run_id, now()],
        )? == 1)
    }

    /// Closes a run that its own process did not close. Returns whether it was still open.
    pub fn close_run(&self, run: Run, status: RunStatus, said: &str) -> Result<bool> {
        let open: bool = self
            .conn()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM clerk_runs WHERE run_id = ?1 AND status IN ('queued', 'running'))",
            )?
            .query_row([run.run_id], |r| r.get(0))?;
        if open {
            self.end_run(run, status, None, said)?;
        }
        Ok(open)
    }

    /// How a run stands; None = it is not in the book any more.
    pub fn standing(&self, run_id: i64) -> Result<Option<Standing>> {
        let read = |r: &rusqlite::Row<'_>| {
            Ok(Standing {
                status: r.get(0)?,
                stage: r.get(1)?,
                progress: r.get(2)?,
                rows: r.get(3)?,
                said: r.get(4)?,
                times: (r.get(5)?, r.get(6)?),
            })
        };
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT status, stage, progress, rows, coalesce(error, why), started_at, finished_at
                 FROM clerk_runs WHERE run_id = ?1",
            )?
            .query_row([run_id], read)
            .optional()?)
    }

    /// Changes whenever another connection has committed: a cheap question whether anything happened.
    pub fn data_version(&self) -> Result<i64> {
        Ok(self
            .conn()
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |r| r.get(0))?)
    }
}
