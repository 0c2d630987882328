//! The planner's loop: it wakes, looks at clock, files and book, and sees to it that what is due runs. It remembers nothing that
//! matters: only the processes it has started.

use super::super::job::Listing;
use super::super::leader::{Leader, identity};
use super::super::plan::{self, in_words};
use super::super::runner;
use super::Serve;
use super::calls;
use super::child::Child;
use super::days::Days;
use super::pulse::{Part, Pulse};
use super::seats::Erasure;
use crate::pipeline;
use crate::store::{self, Run, Shop, now};
use anyhow::{Result, bail};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// The planner wakes at least this often, whatever the ticker does: measured by a clock nobody can set.
const INTERVAL: Duration = Duration::from_secs(5);
/// Between two signs of life in the file.
const BEAT: Duration = Duration::from_secs(10);
/// A file that somebody else writes for longer is a trouble.
const BUSY: Duration = Duration::from_secs(30);
/// Between two looks for what waits in vain.
const TIDY: Duration = Duration::from_secs(60);

/// What the planner holds.
pub(super) struct Planner<'a> {
    pub(super) serve: &'a Serve,
    pub(super) leader: &'a Leader,
    /// Why this daemon must end: it may not be the leader any more, or is not whole.
    pub(super) deposed: Option<&'static str>,
    /// The database as it was when we began.
    pub(super) identity: Option<(u64, u64)>,
    /// That of jobs without one.
    pub(super) zone: Tz,
    pub(super) shop: Shop,
    pub(super) pulse: Arc<Pulse>,
    pub(super) days: Days,
    pub(super) wake: (Sender<()>, Receiver<()>),
    pub(super) children: Vec<Child>,
    /// Runs that the index loop does, by job.
    pub(super) inside: BTreeMap<String, i64>,
    /// The erasure under way.
    pub(super) erasure: Option<Erasure>,
    /// Whether a jobs folder was ever there.
    pub(super) has_folder: bool,
    /// The files as they were last seen, and what was said of the bad ones.
    pub(super) listing: Listing,
    pub(super) said: BTreeMap<String, String>,
    pub(super) beaten: Option<Instant>,
    pub(super) tidied: Option<Instant>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        serve: &'a Serve,
        leader: &'a Leader,
        shop: Shop,
        pulse: Arc<Pulse>,
        days: Days,
        wake: (Sender<()>, Receiver<()>),
    ) -> Planner<'a> {
        Planner {
            serve,
            leader,
            deposed: None,
            identity: identity(&serve.database),
            zone: chrono_tz::UTC,
            shop,
            pulse,
            days,
            wake,
            children: Vec::new(),
            inside: BTreeMap::new(),
            erasure: None,
            has_folder: false,
            listing: Listing::default(),
            said: BTreeMap::new(),
            beaten: None,
            tidied: None,
        }
    }

    /// Goes round until it is told to stop, then stops what runs.
    pub(super) fn run(mut self) -> Result<()> {
        while !self.serve.stopping() && self.deposed.is_none() {
            match self.round() {
                Ok(()) => self.pulse.well(Part::Planner),
                // Somebody writes for longer than we wait: the next round comes in a second.
                Err(e) if is_busy(&e) && self.pulse.not_well_for(Part::Planner) < BUSY => {}
                Err(e) => {
                    let what = format!("{e:#}");
                    if self.pulse.trouble(Part::Planner, &what) {
                        error!("planner: {what}; it goes on trying");
                    }
                }
            }
            let _ = self.wake.1.recv_timeout(INTERVAL);
            while self.wake.1.try_recv().is_ok() {} // many wakes, one round
        }
        if let Some(why) = self.deposed {
            self.serve.stop.store(true, Ordering::SeqCst); // the loops of the day end too
            self.children.iter_mut().for_each(|child| child.kill("stopped"));
            bail!("{}: {why}; this daemon ends", self.serve.database.display());
        }
        self.stop()
    }

    /// Every step by itself: one that cannot be done must not keep the others from being done. The first error is told.
    fn round(&mut self) -> Result<()> {
        let steps: [fn(&mut Self) -> Result<()>; 6] = [
            Self::beat,
            Self::reap,
            Self::read_files,
            Self::requests,
            Self::decide,
            Self::begin_what_waits,
        ];
        let mut first = Ok(());
        for step in steps {
            let done = step(self);
            if first.is_ok() {
                first = done;
            }
        }
        first?;
        runner::mirror(&self.shop, &self.listing)
    }

    /// A sign of life, if the lead is still ours and we are whole.
    fn beat(&mut self) -> Result<()> {
        if self.days.is_broken() && !self.serve.stopping() {
            self.deposed = Some("a loop of the day ended by a fault of nightclerk's");
        }
        if self.beaten.is_none_or(|then| then.elapsed() >= BEAT) {
            if !self.leader.still_leads() {
                self.deposed = Some("its lock file was removed or replaced, and another daemon may lead");
            } else if identity(&self.serve.database) != self.identity {
                self.deposed = Some("another file was put in its place while it was served");
            }
            if self.deposed.is_some() {
                return Ok(());
            }
            self.shop.beat(&self.pulse.problems(), false)?;
            self.beaten = Some(Instant::now());
        }
        Ok(())
    }

    fn decide(&mut self) -> Result<()> {
        let now = now();
        let nights = self.children.iter().filter(|child| !child.aside);
        let nights: BTreeSet<String> = nights
            .map(|child| child.job.clone())
            .chain(self.inside.keys().cloned())
            .collect();
        let decided = plan::decide(&self.shop, &self.listing, self.zone, &nights, now)?;
        if let Some(back) = decided.put_back {
            warn!("the clock was put back by {}", in_words(back));
        }
        for (job, why) in &decided.skipped {
            info!(job, "left out: {why}");
        }
        if self.tidied.is_none_or(|then| then.elapsed() >= TIDY) {
            plan::tidy(&self.shop, &self.listing, now)?;
            self.tidied = Some(Instant::now());
        }
        Ok(())
    }

    /// Reads the job files anew, and the zone of the shop.
    fn read_files(&mut self) -> Result<()> {
        match self.look_at_folder() {
            Ok(()) => self.pulse.well(Part::Jobs),
            // What was read last goes on.
            Err(e) => {
                let what = format!("{e:#}");
                if self.pulse.trouble(Part::Jobs, &what) {
                    error!("jobs: {what}; the jobs as they were go on until then");
                }
            }
        }
        let mut said = BTreeMap::new();
        for bad in &self.listing.bad {
            if self.said.get(&bad.name) != Some(&bad.reason) {
                error!(job = bad.name, "disabled: {}", bad.reason);
            }
            said.insert(bad.name.clone(), bad.reason.clone());
        }
        for name in self.said.keys().filter(|name| !said.contains_key(*name)) {
            info!(job = name, "its file reads well again, or is gone");
        }
        self.said = said;
        let zone = self
            .shop
            .settings()
            .map_err(anyhow::Error::from)
            .and_then(|settings| pipeline::zone(&settings.time_zone));
        match zone {
            Ok(zone) => {
                self.pulse.well(Part::Settings);
                self.zone = zone;
            }
            // The last zone that could be read goes on: another one would begin every schedule anew.
            Err(e) => {
                let what = format!("{e:#}");
                if self.pulse.trouble(Part::Settings, &what) {
                    error!(
                        "settings: {what}; schedules are read in {} until then",
                        self.zone.name()
                    );
                }
            }
        }
        Ok(())
    }

    fn look_at_folder(&mut self) -> Result<()> {
        let folder = &self.serve.jobs;
        if !folder.exists() {
            if self.has_folder {
                bail!("the folder {} is gone", folder.display());
            }
            if self.listing.jobs.is_empty() {
                info!(
                    "there is no folder {}: the shipped jobs run at their times",
                    folder.display()
                );
                self.listing = super::super::job::defaults();
            }
            return Ok(());
        }
        self.has_folder = true;
        self.listing = runner::read(folder)?;
        Ok(())
    }

    /// Jobs that run.
    pub(super) fn busy(&self) -> BTreeSet<String> {
        let children = self.children.iter().map(|child| child.job.clone());
        children.chain(self.inside.keys().cloned()).collect()
    }

    /// Looks after what has ended.
    fn reap(&mut self) -> Result<()> {
        let mut at = 0;
        while at < self.children.len() {
            let Some(status) = self.children[at].ended()? else {
                at += 1;
                continue;
            };
            let (word, said) = self.children[at].close(&self.shop, status)?;
            let child = self.children.swap_remove(at);
            if matches!(self.erasure, Some(Erasure::Under(run)) if run == child.run.run_id) {
                self.erased(word == "done");
            }
            self.ended(&child.job, child.run, child.scheduled_at, &word, &said);
        }
        let inside: Vec<(String, i64)> = self.inside.iter().map(|(job, run)| (job.clone(), *run)).collect();
        for (job, run_id) in inside {
            let standing = self.shop.standing(run_id)?;
            let ended = standing
                .as_ref()
                .is_none_or(|run| !matches!(run.status.as_str(), "queued" | "running"));
            if ended {
                self.inside.remove(&job);
                if let Some(run) = standing {
                    let said = run.said.unwrap_or_default();
                    let last = self.shop.last_attempt(&job)?.filter(|last| last.run_id == run_id);
                    let turn = last.map(|last| last.scheduled_at);
                    self.ended(&job, Run { run_id }, turn, &run.status, &said);
                }
            }
        }
        Ok(())
    }

    /// Says how a run ended, and calls for help when no further attempt is to come.
    pub(super) fn ended(&self, job: &str, run: Run, scheduled_at: Option<i64>, status: &str, said: &str) {
        match status {
            "failed" | "timeout" => error!(job, run = run.run_id, "{status}: {said}"),
            "interrupted" => warn!(job, run = run.run_id, "{status}: {said}"),
            _ => info!(job, run = run.run_id, "{status}: {said}"),
        }
        let Some(file) = self.listing.jobs.iter().find(|file| file.name == job) else {
            return;
        };
        let ("failed" | "timeout", Some(command)) = (status, &file.on_failure) else {
            return;
        };
        let last = self
            .shop
            .last_attempt(job)
            .ok()
            .flatten()
            .filter(|last| Some(last.scheduled_at) == scheduled_at);
        if last.is_none_or(|last| plan::is_final(file, self.zone, &last, now())) {
            calls::on_failure(command, &self.serve.database, job, run.run_id, status, said);
        }
    }

    /// Stops what runs, within the limit; then the days' loops, and says good-bye in the file.
    fn stop(mut self) -> Result<()> {
        let until = Instant::now() + self.serve.patience;
        if !self.children.is_empty() {
            info!(
                "stopping: {} run(s) are told to stop, and go on after the next start",
                self.children.len()
            );
        }
        self.children.iter_mut().for_each(Child::stop);
        while !self.children.is_empty() {
            if Instant::now() >= until {
                self.children.iter_mut().for_each(|child| child.kill("stopped"));
            }
            if let Err(e) = self.reap() {
                warn!(
                    "a run that was stopped could not be closed in the book: {e:#}; the next start does it"
                );
                if Instant::now() >= until {
                    break;
                }
            }
            if !self.children.is_empty() {
                let _ = self.wake.1.recv_timeout(Duration::from_millis(50));
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if !self.days.stop(left.max(Duration::from_secs(1))) {
            warn!("the index was not closed in time; it is checked at the next start");
        }
        if let Err(e) = self
            .shop
            .beat(&[], true)
            .and_then(|()| self.shop.checkpoint().map(drop))
        {
            warn!("somebody holds the file: its end is not noted there: {e}");
        }
        info!("ended in good order");
        Ok(())
    }
}

/// Whether somebody else held the file for longer than we waited.
fn is_busy(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<store::Error>()
            .is_some_and(store::Error::is_busy)
    })
}
