//! The planner's other half: answering requests, and giving the free seats to what waits.

use super::super::job::{Job, Kind};
use super::super::plan;
use super::super::requests::{ERASE, RunOrders, is_erasure};
use super::child::{Child, Start};
use super::planner::Planner;
use crate::store::{Queued, Run, RunStatus};
use anyhow::Result;
use std::collections::BTreeSet;
use std::time::Duration;
use tracing::{info, warn};

/// An erasure may take its time.
const ERASURE: Duration = Duration::from_secs(6 * 3600);

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
                warn!(job = request.job, "asked for and refused: {why}");
            }
            self.shop.answer_request(&request, refused.as_deref())?;
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
        Some(format!(
            "there is no job `{job}`; the jobs are {}",
            known.join(", ")
        ))
    }

    /// Begins what may begin. An erasure is alone: it waits for all that runs, and nothing begins beside it.
    pub(super) fn begin_what_waits(&mut self) -> Result<()> {
        loop {
            let queue = self.shop.queue()?;
            if self.erasing.is_some() {
                return Ok(());
            }
            if let Some(run) = queue.iter().find(|run| is_erasure(run)) {
                if self.children.is_empty() && self.inside.is_empty() {
                    self.begin_erasure(run)?;
                }
                return Ok(());
            }
            let busy = self.busy();
            let searches: BTreeSet<&str> = self
                .listing
                .jobs
                .iter()
                .filter(|job| matches!(job.kind, Kind::Search(_)))
                .map(|job| job.name.as_str())
                .collect();
            let full = self.children.len() >= self.serve.at_once;
            let may: Vec<Queued> = match full {
                // The index loop has room when the children's seats are taken.
                true => queue
                    .iter()
                    .filter(|run| searches.contains(run.job.as_str()))
                    .cloned()
                    .collect(),
                false => queue,
            };
            let Some(run) = plan::next(&may, &self.listing, &busy) else {
                return Ok(());
            };
            let Some(job) = self.listing.jobs.iter().find(|job| job.name == run.job).cloned() else {
                let what = "there is no such job any more";
                self.shop
                    .close_run(Run { run_id: run.run_id }, RunStatus::Failed, what)?;
                continue;
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
        let turn = (queued.scheduled_at, queued.attempt);
        match Child::start(&start, &job.name, run, turn, self.wake.0.clone()) {
            Ok(child) => self.children.push(child),
            Err(e) => {
                let said = format!("{e:#}");
                self.shop.close_run(run, RunStatus::Failed, &said)?;
                self.ended(&job.name, run, turn, "failed", &said);
            }
        }
        Ok(())
    }

    fn begin_erasure(&mut self, queued: &Queued) -> Result<()> {
        let run = Run {
            run_id: queued.run_id,
        };
        let Some(request) = self.shop.request_of_run(run.run_id)? else {
            let what = "the request was taken back";
            self.shop.close_run(run, RunStatus::Skipped, what)?;
            return Ok(());
        };
        info!(run = run.run_id, "an erasure begins; the index and the desk wait");
        self.days.pause();
        if !self.shop.start_run(run)? {
            self.days.go_on();
            return Ok(());
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
        match Child::start(&start, ERASE, run, (None, 1), self.wake.0.clone()) {
            Ok(child) => {
                self.children.push(child);
                self.erasing = Some(run.run_id);
            }
            Err(e) => {
                self.shop.close_run(run, RunStatus::Failed, &format!("{e:#}"))?;
                self.days.go_on();
            }
        }
        Ok(())
    }
}
