//! The book of runs: a row is written before a run begins, so that even one that dies at once has left a trace,
//! and closed when it ends. Whoever takes the leader's lock closes the rows a crash left open.

use super::clock::now;
use super::error::Result;
use super::open::Shop;

use rusqlite::params;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It did what it was asked to, which may be to publish nothing: see `why`.
    Done,
    /// An error; yesterday's results stay.
    Failed,
    /// It passed its `timeout`.
    Timeout,
    /// Ctrl-C, a shutdown or a crash.
    Interrupted,
    /// It was not due after all.
    Skipped,
}

impl RunStatus {
    /// The word in the view `runs`.
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Done => "done",
            RunStatus::Failed => "failed",
            RunStatus::Timeout => "timeout",
            RunStatus::Interrupted => "interrupted",
            RunStatus::Skipped => "skipped",
        }
    }
}

/// A figure a model reached on data it had not seen: a row of the view `scores`.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The result view it is about.
    pub result: &'static str,
    /// The model, or the naive answer.
    pub model: String,
    /// A part of the observations; '' = all.
    pub slice: String,
    /// ndcg@10, accuracy, mase ...
    pub metric: String,
    /// The figure; None = it has no value here (a scale of zero).
    pub value: Option<f64>,
    /// 90 % interval from, if measured.
    pub lo90: Option<f64>,
    /// 90 % interval to, if measured.
    pub hi90: Option<f64>,
    /// How the held-out part was cut.
    pub split: String,
    /// Whether this model's answers are the ones written.
    pub chosen: bool,
}

/// An open row of the book.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Its number.
    pub run_id: i64,
}

impl Shop {
    /// Opens the row of an attempt that begins now. `scheduled_at` None = started by hand.
    pub fn begin_run(&self, job: &str, scheduled_at: Option<i64>, attempt: i64) -> Result<Run> {
        self.conn().execute(
                "INSERT INTO clerk_runs (job, attempt, scheduled_at, started_at, status) VALUES (?1, ?2, ?3, ?4, 'running')",
                params![job, attempt, scheduled_at, now()],
            )?;
        Ok(Run {
            run_id: self.conn().last_insert_rowid(),
        })
    }

    /// Notes the stage a run has come to, and how far it is in all, 0 to 1.
    pub fn note_stage(&self, run: Run, stage: &str, progress: f64) -> Result<()> {
        self.conn()
            .prepare_cached("UPDATE clerk_runs SET stage = ?2, progress = ?3 WHERE run_id = ?1")?
            .execute(params![run.run_id, stage, progress])?;
        Ok(())
    }

    /// Notes the instant a run is computed as of.
    pub fn note_as_of(&self, run: Run, as_of: i64) -> Result<()> {
        self.conn().execute(
            "UPDATE clerk_runs SET as_of = ?2 WHERE run_id = ?1",
            params![run.run_id, as_of],
        )?;
        Ok(())
    }

    /// Closes the row: `said` is the error of a failed run, the reason of any other. A row that is closed stays as it is: whoever
    /// leads may have given up on this process.
    pub fn end_run(&self, run: Run, status: RunStatus, rows: Option<u64>, said: &str) -> Result<()> {
        let failed = matches!(status, RunStatus::Failed | RunStatus::Timeout);
        let (error, why) = if failed {
            (Some(said), None)
        } else {
            (None, Some(said))
        };
        let sql = "UPDATE clerk_runs SET status = ?2, finished_at = ?3, rows = ?4, error = ?5, why = ?6,
                    progress = CASE WHEN ?2 = 'done' THEN 1.0 ELSE progress END
             WHERE run_id = ?1 AND status IN ('queued', 'running')";
        self.conn().execute(
            sql,
            params![
                run.run_id,
                status.as_str(),
                now(),
                rows.map(|r| r as i64),
                error,
                why
            ],
        )?;
        Ok(())
    }

    /// Closes the rows of runs that a crash ended; what was queued still waits. Only the holder of the leader's lock may call it. Returns how many.
    pub fn close_crashed_runs(&self) -> Result<usize> {
        Ok(self.conn().execute(
            "UPDATE clerk_runs SET status = 'interrupted', finished_at = ?1,
                    why = 'the process ended before the run did; the next run starts again'
             WHERE status = 'running'",
            [now()],
        )?)
    }

    /// Records what a run left out, by table and reason.
    pub fn record_drops<'a>(
        &self,
        run: Run,
        drops: impl Iterator<Item = (&'a str, &'a str, u64)>,
    ) -> Result<()> {
        let transaction = self.write()?;
        for (table, reason, rows) in drops {
            transaction
                .prepare_cached(
                    "INSERT INTO clerk_run_drops (run_id, table_name, reason, rows) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET rows = excluded.rows",
                )?
                .execute(params![run.run_id, table, reason, rows as i64])?;
        }
        Ok(transaction.commit()?)
    }

    /// Records the scores of a run.
    pub fn record_scores(&self, run: Run, as_of: i64, scores: &[Score]) -> Result<()> {
        let transaction = self.write()?;
        for s in scores {
            transaction
                .prepare_cached(
                    "INSERT INTO clerk_scores (run_id, result, model, slice, metric, value, lo90, hi90, split, as_of, chosen)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    run.run_id, s.result, s.model, s.slice, s.metric, s.value, s.lo90, s.hi90, s.split, as_of, s.chosen
                ])?;
        }
        Ok(transaction.commit()?)
    }

    /// Marks the scores of a run as nobody's: its answers were not written after all.
    pub fn choose_none(&self, run: Run) -> Result<()> {
        self.conn().execute(
            "UPDATE clerk_scores SET chosen = 0 WHERE run_id = ?1",
            [run.run_id],
        )?;
        Ok(())
    }
}
