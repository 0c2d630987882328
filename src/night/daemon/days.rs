//! By day: the loop that keeps the search index fresh, and the handle of both loops of the day. It looks for changes four times a second, takes them over in one commit, and rests
//! as long as that took, so that a burst costs few commits and a quiet shop next to nothing.
//!
//! The planner speaks to it over a channel: a run of a `search` job, a pause (an erasure builds the index anew and must be
//! alone with it), and the end.

use super::desk::{self, Told};
use super::pulse::{Part, Pulse};
use crate::fit::{self, Control};
use crate::pipeline::index::{Drained, Keeper, Touched};
use crate::store::{Run, RunStatus, Shop};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{error, info};

/// Between two looks for changes.
const LOOK: Duration = Duration::from_millis(250);
/// The longest rest after a busy commit.
const REST: Duration = Duration::from_millis(600);
/// After a trouble the next try waits this long.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// Between two checkpoints of the write-ahead log.
const CHECKPOINT: Duration = Duration::from_secs(60);

enum Order {
    Search(Run),
    /// Let go of the index, and then of this.
    Pause(Sender<()>),
    GoOn,
}

/// The loops' handle.
#[derive(Debug)]
pub(super) struct Days {
    orders: Sender<Order>,
    desk: Sender<Told>,
    threads: Vec<JoinHandle<()>>,
}

impl Days {
    /// Starts the loops.
    pub(super) fn start(database: &Path, pulse: Arc<Pulse>, stop: Arc<AtomicBool>) -> Result<Days> {
        let (orders, inbox) = channel();
        let (desk, at_desk) = desk::start(database, pulse.clone(), stop.clone())?;
        let tells = desk.clone();
        let database = database.to_owned();
        let thread = std::thread::Builder::new().name("index".into()).spawn(move || {
            let mut index = Index {
                database,
                pulse,
                stop,
                shop: None,
                keeper: None,
                seen: None,
                desk: tells,
                paused: false,
                owed: None,
                checkpointed: Instant::now(),
            };
            index.go_round(&inbox);
        })?;
        Ok(Days {
            orders,
            desk,
            threads: vec![thread, at_desk],
        })
    }

    /// Has a run of a search job done.
    pub(super) fn search(&self, run: Run) {
        let _ = self.orders.send(Order::Search(run)); // fails only when the loop is gone with the process
    }

    /// Has both loops let go of what they hold. They have when nobody can answer on the channel any more: a rebuild may take
    /// minutes, and the planner must not wait for it.
    pub(super) fn pause(&self) -> Receiver<()> {
        let (done, is_done) = channel();
        let _ = self.orders.send(Order::Pause(done.clone()));
        let _ = self.desk.send(Told::Pause(done));
        is_done
    }

    /// Whether a loop has ended, which none does by itself.
    pub(super) fn is_broken(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// They may go on.
    pub(super) fn go_on(&self) {
        let _ = self.orders.send(Order::GoOn);
        let _ = self.desk.send(Told::GoOn);
    }

    /// Waits for the loops' end, which `stop` asked for; false = it takes longer.
    pub(super) fn stop(&mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while !self.threads.iter().all(JoinHandle::is_finished) {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.threads.drain(..).all(|thread| thread.join().is_ok())
    }
}

/// What the loop holds.
struct Index {
    database: PathBuf,
    pulse: Arc<Pulse>,
    stop: Arc<AtomicBool>,
    shop: Option<Shop>,
    keeper: Option<Keeper>,
    /// The file as it was when all of it had been taken over.
    seen: Option<i64>,
    /// Hears which tickets changed.
    desk: Sender<Told>,
    paused: bool,
    /// A run that waits for its end in the book, however often that has to be tried.
    owed: Option<Run>,
    checkpointed: Instant,
}

impl Index {
    fn go_round(&mut self, inbox: &Receiver<Order>) {
        let mut rest = LOOK;
        while !self.stop.load(Ordering::Relaxed) {
            match inbox.recv_timeout(rest) {
                Ok(Order::Search(run)) => self.owed = Some(run),
                Ok(Order::Pause(done)) => {
                    self.let_go();
                    self.paused = true;
                    drop(done);
                }
                Ok(Order::GoOn) => self.paused = false,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.paused {
                self.pulse.well(Part::Index);
                continue;
            }
            let begun = Instant::now();
            match self.round() {
                Ok(_) => {
                    self.pulse.well(Part::Index);
                    rest = begun.elapsed().clamp(LOOK, REST);
                }
                Err(_) if self.stop.load(Ordering::Relaxed) => break,
                Err(e) => {
                    let what = format!("{e:#}");
                    if self.pulse.trouble(Part::Index, &what) {
                        error!(
                            "search index: {what}; it is tried again every {} s",
                            AFTER_TROUBLE.as_secs()
                        );
                    }
                    self.let_go();
                    // The desk needs no index, only to hear that something may have changed.
                    let _ = self.desk.send(Told::Touched(Touched::All));
                    rest = AFTER_TROUBLE;
                }
            }
        }
        self.let_go();
    }

    /// One look.
    fn round(&mut self) -> Result<()> {
        let run = self.owed;
        if self.shop.is_none() {
            self.shop = Some(Shop::open(&self.database)?);
            self.seen = None;
        }
        let Some(shop) = &self.shop else { return Ok(()) };
        if self.checkpointed.elapsed() >= CHECKPOINT {
            shop.checkpoint()?;
            self.checkpointed = Instant::now();
        }
        if self.keeper.is_some() && !shop.beside(".search").exists() {
            self.keeper = None; // somebody deleted it: it is built anew
            self.seen = None;
        }
        let version = shop.data_version()?;
        if run.is_none() && self.seen == Some(version) {
            return Ok(());
        }
        if let Some(run) = run {
            shop.start_run(run)?;
        }
        let caught_up = catch_up(&mut self.keeper, shop, &self.stop);
        if let Some(run) = run {
            let (status, said) = match &caught_up {
                Ok(drained) => (RunStatus::Done, told(drained)),
                Err(e) if fit::stopped(e.chain()).is_some() => (
                    RunStatus::Interrupted,
                    "the daemon was stopped; it goes on after the next start".into(),
                ),
                Err(e) => (RunStatus::Failed, format!("{e:#}")),
            };
            shop.end_run(run, status, (status == RunStatus::Done).then_some(0), &said)?;
            self.owed = None;
        }
        let drained = caught_up?;
        if drained.tickets != Touched::NONE {
            let _ = self.desk.send(Told::Touched(drained.tickets)); // fails only when the daemon ends
        }
        if let Some(why) = &drained.rebuilt {
            info!(
                "search index built anew of {} documents: {why}",
                drained.documents
            );
        }
        self.pulse
            .add_indexed(drained.documents, drained.rebuilt.is_some());
        self.seen = Some(version);
        Ok(())
    }

    fn let_go(&mut self) {
        if let Some(keeper) = self.keeper.take()
            && let Err(e) = keeper.close()
        {
            error!("search index: {e:#}");
        }
        self.shop = None;
    }
}

fn catch_up(keeper: &mut Option<Keeper>, shop: &Shop, stop: &Arc<AtomicBool>) -> Result<Drained> {
    let control = Control::unbounded().with_cancel(stop.clone());
    let keeper = match keeper {
        Some(keeper) => keeper,
        None => keeper.insert(Keeper::open(shop)?),
    };
    keeper.catch_up(shop, &control)
}

fn told(drained: &Drained) -> String {
    match &drained.rebuilt {
        Some(why) => format!("index built anew of {} documents: {why}", drained.documents),
        None => format!("{} changes taken into the index", drained.documents),
    }
}
