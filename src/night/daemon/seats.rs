//! The planner's other half: answering requests, and giving the free seats to what waits.

use super::super::job::{Job, Kind};
use super::super::plan::{self, Room};
use super::super::requests::{ERASE, RunOrders, is_erasure};
use super::child::{Child, Start};
use super::planner::Planner;
use crate::store::{Queued, Run, RunStatus, now};
use anyhow::Result;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;
use tracing::{info, warn};

/// An erasure may take its time.
const ERASURE: Duration = Duration::from_secs(6 * 3600);

/// How far an erasure is.
#[derive(Debug)]
pub(super) enum Erasure {
    /// The loops of the day were asked to let go; the run waits.
    Pausing(Receiver<()>, i64),
    /// The run is under way.
    Under(i64),
}

impl Planner<'_> {
    /// Answers what was asked for.
    pub(super) fn requests(&mut self) -> Result<()> {
        for request in self.shop.open_requests()? {
            let orders = RunOrders::parse(request.orders.as_deref());
            let refused = match &orders {
                Err(e) => Some(e.clone()),
                Ok(orders) if !orders.erase.is_empty() => None,
                Ok(_) => self.why_not(&request.job),
            };
            if let Some(why) = &refused {
                let job: String = request.job.chars().take(80).collect();
                warn!(job, "asked for and refused: {why}");
            }
            // Whom an erasure is about stays in the request alone, where it is written over.
            let kept = match &orders {
                Ok(orders) if !orders.erase.is_empty() => Some(ERASE),
                _ => request.orders.as_deref(),
            };
            self.shop.answer_request(&request, kept, refused.as_deref())?;
        }
        Ok(())
    }

    /// Why a job that was asked for cannot run.
    fn why_not(&self, job: &str) -> Option<String> {
        if let Some(bad) = self.listing.bad.iter().find(|bad| bad.name == job) {
            return Some(bad.reason.clone());
        }
        if self.listing.jobs.iter().any(|known| known.name == job) {
            return None;
        }
        let known: Vec<&str> = self.listing.jobs.iter().map(|job| job.name.as_str()).collect();
        let job: String = job.chars().take(80).collect();
        Some(format!(
            "there is no job `{job}`; the jobs are {}",
            known.join(", ")
        ))
    }

    /// Begins what may begin. An erasure is alone: it waits for all that runs, and nothing begins beside it.
    pub(super) fn begin_what_waits(&mut self) -> Result<()> {
        loop {
            match &self.erasure {
                Some(Erasure::Under(_)) => return Ok(()),
                Some(Erasure::Pausing(..)) => return self.begin_erasure(),
                None => {}
            }
            let queue = self.shop.queue()?;
            if let Some(run) = queue.iter().find(|run| is_erasure(run)) {
                if self.children.is_empty() && self.inside.is_empty() {
                    info!(run = run.run_id, "an erasure begins; the index and the desk wait");
                    self.erasure = Some(Erasure::Pausing(self.days.pause(), run.run_id));
                    continue;
                }
                return Ok(());
            }
            let now = now();
            let room = Room {
                busy: &self.busy(),
                unfinished: &plan::unfinished(&self.shop, &self.listing, self.zone, now)?,
                has_seat: self.children.len() < self.serve.at_once,
                zone: self.zone,
                now,
            };
            let Some(run) = plan::next(&queue, &self.listing, &room) else {
                return Ok(());
            };
            let Some(job) = self.listing.jobs.iter().find(|job| job.name == run.job).cloned() else {
                return Ok(());
            };
            self.begin(&job, &run)?;
        }
    }

    fn begin(&mut self, job: &Job, queued: &Queued) -> Result<()> {
        let run = Run {
            run_id: queued.run_id,
        };
        let orders = RunOrders::parse(queued.orders.as_deref()).unwrap_or_default();
        let asked = queued.scheduled_at.map_or("asked for", |_| "due");
        info!(
            job = job.name,
            run = run.run_id,
            attempt = queued.attempt,
            "begins: {asked}"
        );
        if matches!(job.kind, Kind::Search(_)) && !orders.dry_run {
            self.inside.insert(job.name.clone(), run.run_id);
            self.days.search(run);
            return Ok(());
        }
        let start = Start::job(
            &self.serve.database,
            self.serve.threads,
            self.serve.seed,
            job,
            run,
            &orders,
        );
        let turn = queued.scheduled_at;
        let aside = queued.orders.is_some();
        match Child::start(&start, &job.name, run, turn, aside, self.wake.0.clone()) {
            Ok(child) => self.children.push(child),
            Err(e) => {
                let said = format!("{e:#}");
                self.shop.close_run(run, RunStatus::Failed, &said)?;
                self.ended(&job.name, run, queued.scheduled_at, "failed", &said);
            }
        }
        Ok(())
    }

    /// Begins the erasure that waits for the loops of the day to let go of what they hold.
    fn begin_erasure(&mut self) -> Result<()> {
        let Some(Erasure::Pausing(paused, run_id)) = &self.erasure else {
            return Ok(());
        };
        let run = Run { run_id: *run_id };
        match paused.try_recv() {
            Err(TryRecvError::Disconnected) => {} // both have let go
            _ => return Ok(()),
        }
        let begun = self.start_erasing(run);
        match &begun {
            Ok(true) => self.erasure = Some(Erasure::Under(run.run_id)),
            Ok(false) => {
                self.erasure = None;
                self.days.go_on();
            }
            Err(_) => {} // tried again in the next round
        }
        begun.map(drop)
    }

    /// Whether the process was started; if not, the run is closed.
    fn start_erasing(&mut self, run: Run) -> Result<bool> {
        let Some(request) = self.shop.request_of_run(run.run_id)? else {
            self.shop
                .close_run(run, RunStatus::Skipped, "the request was taken back")?;
            return Ok(false);
        };
        if !self.shop.start_run(run)? {
            return Ok(false);
        }
        let start = Start {
            database: &self.serve.database,
            threads: self.serve.threads,
            arguments: vec![
                "erase".into(),
                "--under-leader".into(),
                request.to_string(),
                run.run_id.to_string(),
            ],
            seed: self.serve.seed,
            timeout: ERASURE,
            memory: None,
        };
        match Child::start(&start, ERASE, run, None, true, self.wake.0.clone()) {
            Ok(child) => {
                self.children.push(child);
                Ok(true)
            }
            Err(e) => {
                self.shop.close_run(run, RunStatus::Failed, &format!("{e:#}"))?;
                Ok(false)
            }
        }
    }

    /// After an erasure the loops of the day go on; tickets have models again after the next run of their jobs.
    pub(super) fn erased(&mut self, done: bool) {
        self.erasure = None;
        self.days.go_on();
        if !done {
            return;
        }
        let support: Vec<&str> = self
            .listing
            .jobs
            .iter()
            .filter(|job| job.enabled && matches!(job.kind, Kind::Support(_)))
            .map(|job| job.name.as_str())
            .collect();
        if let Err(e) = self.shop.request_runs(&support, None) {
            warn!("the support job could not be asked for after the erasure: {e}");
        }
    }
}
