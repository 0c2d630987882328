//! What the book says of the health of the jobs: for `status`, /healthz and /metrics alike.

use super::clock::now;
use super::error::Result;
use super::open::Shop;
use chrono::{DateTime, Utc};

/// A daemon that has given no sign of life for this long, in seconds, is dead.
const SILENT: i64 = 60;
/// A job of which so many turns were left out in a row wants looking at.
const LEFT_OUT: i64 = 3;

/// The figures of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFigures {
    /// Its name.
    pub job: String,
    /// When a run was last done.
    pub last_done_at: Option<i64>,
    /// How long that run took.
    pub last_seconds: Option<i64>,
    /// Whether its last run failed, or its file cannot be used.
    pub failing: bool,
    /// When it is due.
    pub next_run_at: Option<i64>,
}

impl Shop {
    /// The figures of every job, by name.
    pub fn job_figures(&self) -> Result<Vec<JobFigures>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT j.job, r.finished_at, r.finished_at - r.started_at,
                    CASE WHEN j.enabled THEN 0 ELSE j.kind IS NULL END
                    OR coalesce((SELECT l.status IN ('failed', 'timeout') FROM clerk_runs AS l
                                 WHERE l.job = j.job AND l.status NOT IN ('queued', 'running', 'skipped')
                                   AND l.started_at IS NOT NULL AND l.orders IS NULL
                                 ORDER BY l.run_id DESC LIMIT 1), 0),
                    j.next_run_at
             FROM clerk_jobs AS j LEFT JOIN clerk_runs AS r
               ON r.run_id = (SELECT max(d.run_id) FROM clerk_runs AS d WHERE d.job = j.job AND d.status = 'done' AND d.orders IS NULL)
             ORDER BY j.job",
        )?;
        let rows = statement.query_map([], |r| {
            Ok(JobFigures {
                job: r.get(0)?,
                last_done_at: r.get(1)?,
                last_seconds: r.get(2)?,
                failing: r.get(3)?,
                next_run_at: r.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many runs stand in the book with each status.
    pub fn runs_by_status(&self) -> Result<Vec<(String, i64)>> {
        let mut statement = self
            .conn()
            .prepare_cached("SELECT status, count(*) FROM clerk_runs GROUP BY status ORDER BY status")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the published results of each family were published.
    pub fn publications(&self) -> Result<Vec<(String, i64)>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT family, published_at FROM clerk_generations WHERE status = 'published' AND published_at IS NOT NULL
             ORDER BY family",
        )?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What somebody should look at, in plain words: what the book says, and what the daemon says of itself or its silence.
    /// Nothing = all is well.
    pub fn troubles(&self) -> Result<Vec<String>> {
        let mut troubles = self.troubles_in_book()?;
        let Some(leader) = self.leader()?.filter(|leader| leader.ended_at.is_none()) else {
            return Ok(troubles); // no daemon, or one that was stopped on purpose
        };
        if now() - leader.beat_at > SILENT {
            troubles.push(format!(
                "daemon: process {} on {} has given no sign of life since {}; start it again",
                leader.process,
                leader.host,
                utc(leader.beat_at)
            ));
        } else if let Some(own) = leader.troubles {
            troubles.extend(own.lines().map(str::to_owned));
        }
        Ok(troubles)
    }

    /// What the book says: jobs that fail, cannot run, or are left out again and again. Runs that were refused, or that were no
    /// plain night (`--dry-run`, `--as-of`), say nothing of a job's health.
    pub fn troubles_in_book(&self) -> Result<Vec<String>> {
        let mut troubles = Vec::new();
        let mut statement = self.conn().prepare_cached(
            "SELECT j.job, j.disabled_reason FROM clerk_jobs AS j WHERE j.kind IS NULL ORDER BY j.job",
        )?;
        let bad = statement.query_map([], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, Option<String>>(1)?))
        })?;
        for row in bad {
            let (job, reason) = row?;
            troubles.push(format!("{job}: {}", reason.unwrap_or_default()));
        }
        let mut statement = self.conn().prepare_cached(
            "SELECT j.job, r.run_id, r.status, coalesce(r.error, '') FROM clerk_jobs AS j JOIN clerk_runs AS r
               ON r.run_id = (SELECT max(l.run_id) FROM clerk_runs AS l
                              WHERE l.job = j.job AND l.status NOT IN ('queued', 'running', 'skipped')
                                AND l.started_at IS NOT NULL AND l.orders IS NULL)
             WHERE j.enabled AND r.status IN ('failed', 'timeout') ORDER BY j.job",
        )?;
        let failed = statement.query_map([], |r| {
            Ok((
                r.get::<_, String>(0)?,
                r.get::<_, i64>(1)?,
                r.get::<_, String>(2)?,
                r.get::<_, String>(3)?,
            ))
        })?;
        for row in failed {
            let (job, run, status, error) = row?;
            troubles.push(format!("{job}: run {run} {status}: {error}"));
        }
        let mut statement = self.conn().prepare_cached(
            "SELECT j.job, count(*), sum(l.status = 'skipped'), max(l.why) FROM clerk_jobs AS j JOIN clerk_runs AS l
               ON l.run_id IN (SELECT run_id FROM clerk_runs AS t WHERE t.job = j.job AND t.scheduled_at IS NOT NULL
                               ORDER BY t.scheduled_at DESC, t.attempt DESC LIMIT ?1)
             WHERE j.enabled GROUP BY j.job HAVING count(*) = ?1 AND sum(l.status = 'skipped') = ?1 ORDER BY j.job",
        )?;
        let left_out = statement.query_map([LEFT_OUT], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, Option<String>>(3)?))
        })?;
        for row in left_out {
            let (job, why) = row?;
            troubles.push(format!(
                "{job}: its last {LEFT_OUT} turns were left out: {}",
                why.unwrap_or_default()
            ));
        }
        Ok(troubles)
    }
}

fn utc(at: i64) -> String {
    DateTime::<Utc>::from_timestamp(at, 0)
        .map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_else(|| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::clock::testing::set_clock;
    use super::super::{JobRow, LeaderRow, RunStatus};
    use super::*;

    #[test]
    fn troubles_are_told_by_job_and_go_with_their_cause() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let job = |name: &str, kind: Option<&str>| JobRow {
            job: name.into(),
            kind: kind.map(Into::into),
            schedule: None,
            time_zone: None,
            enabled: kind.is_some(),
            after: None,
            next_run_at: None,
            next_run_local: None,
            disabled_reason: kind.is_none().then(|| "jobs/odd.toml: no such key".into()),
        };
        assert_eq!(shop.troubles().unwrap(), Vec::<String>::new());
        shop.mirror_jobs(&[job("prices", Some("prices")), job("odd", None)])
            .unwrap();
        let run = shop.begin_run("prices", None, 1).unwrap();
        shop.end_run(run, RunStatus::Failed, None, "disk full").unwrap();
        assert_eq!(
            shop.troubles().unwrap(),
            [
                "odd: jobs/odd.toml: no such key",
                "prices: run 1 failed: disk full"
            ]
        );
        assert_eq!(
            shop.job_figures()
                .unwrap()
                .iter()
                .map(|job| job.failing)
                .collect::<Vec<_>>(),
            [true, true]
        );
        shop.mirror_jobs(&[job("prices", Some("prices"))]).unwrap();
        let run = shop.begin_run("prices", None, 1).unwrap();
        shop.end_run(run, RunStatus::Done, Some(3), "published").unwrap();
        assert_eq!(shop.troubles().unwrap(), Vec::<String>::new());
        let row = LeaderRow {
            process: 7,
            host: "till".into(),
            listen: None,
            started_at: now(),
            beat_at: now(),
            ended_at: None,
            troubles: None,
        };
        shop.lead(&row, "0").unwrap();
        assert_eq!(shop.troubles().unwrap(), Vec::<String>::new());
        shop.beat(&["index: no room".into()], false).unwrap();
        assert_eq!(shop.troubles().unwrap(), ["index: no room"]);
        // A dry run and a request that was refused say nothing of the job.
        let run = shop.begin_run("prices", None, 1).unwrap();
        shop.note_orders(run, "{\"dry_run\":true}").unwrap();
        shop.end_run(run, RunStatus::Failed, None, "as asked").unwrap();
        shop.request_runs(&["prices"], None).unwrap();
        let request = shop.open_requests().unwrap().remove(0);
        shop.answer_request(&request, None, Some("no")).unwrap();
        assert_eq!(shop.troubles().unwrap(), ["index: no room"]);
        // Left out again and again.
        for turn in 1..=3 {
            assert_eq!(shop.troubles().unwrap().len(), 1, "turn {turn}");
            let turns = super::super::Turns {
                schedule: String::new(),
                decided_until: turn,
                since: 0,
            };
            let skip = super::super::Turn::Skip("too late");
            shop.decide("prices", &turns, Some((turn, skip))).unwrap();
        }
        assert_eq!(
            shop.troubles().unwrap(),
            [
                "prices: its last 3 turns were left out: too late",
                "index: no room"
            ]
        );
        let turns = super::super::Turns {
            schedule: String::new(),
            decided_until: 4,
            since: 0,
        };
        shop.decide("prices", &turns, Some((4, super::super::Turn::Run)))
            .unwrap();
        shop.beat(&[], false).unwrap();
        assert_eq!(shop.troubles().unwrap(), Vec::<String>::new());
        set_clock(Some(now() + 100));
        let said = shop.troubles().unwrap();
        assert!(said[0].contains("process 7 on till"), "{said:?}");
        shop.beat(&[], true).unwrap();
        set_clock(Some(now() + 100));
        assert_eq!(shop.troubles().unwrap(), Vec::<String>::new(), "ended on purpose");
        set_clock(None);
    }
}
