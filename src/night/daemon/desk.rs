//! By day: the loop that answers tickets as they come, by the models of the published night. The index loop tells it which tickets
//! something has happened to; now and then it looks through all of them, so that nothing is missed for long whatever happened.

use super::pulse::{Part, Pulse};
use crate::fit::{self, Control};
use crate::pipeline::index::Touched;
use crate::pipeline::support::Desk;
use crate::store::Shop;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{error, info};

/// Between two looks whether another night was published.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks through all open tickets.
const SWEEP: Duration = Duration::from_secs(600);
/// After a trouble the next try waits this long.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// What the desk is told.
pub(super) enum Told {
    /// Something has happened to these tickets.
    Touched(Touched),
    /// Let go of the file, and then of this.
    Pause(Sender<()>),
    GoOn,
}

/// Starts the loop.
pub(super) fn start(
    database: &Path,
    pulse: Arc<Pulse>,
    stop: Arc<AtomicBool>,
) -> Result<(Sender<Told>, JoinHandle<()>)> {
    let (told, inbox) = channel();
    let mut clerk = Clerk {
        database: database.to_owned(),
        pulse,
        stop,
        at_work: None,
        paused: false,
        swept: None,
    };
    let thread = std::thread::Builder::new()
        .name("desk".into())
        .spawn(move || clerk.go_round(&inbox))?;
    Ok((told, thread))
}

struct Clerk {
    database: PathBuf,
    pulse: Arc<Pulse>,
    stop: Arc<AtomicBool>,
    /// The file and the desk, while they are open.
    at_work: Option<(Shop, Desk)>,
    paused: bool,
    swept: Option<Instant>,
}

impl Clerk {
    fn go_round(&mut self, inbox: &Receiver<Told>) {
        let mut rest = LOOK;
        let mut touched = Touched::NONE;
        while !self.stop.load(Ordering::Relaxed) {
            match inbox.recv_timeout(rest) {
                Ok(told) => self.hear(told, &mut touched),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Ok(told) = inbox.try_recv() {
                self.hear(told, &mut touched); // a burst is one errand
            }
            if self.paused {
                self.pulse.well(Part::Desk);
                rest = LOOK;
                continue;
            }
            if self.swept.is_none_or(|then| then.elapsed() >= SWEEP) {
                touched = Touched::All;
            }
            let all = matches!(touched, Touched::All);
            match self.work(std::mem::replace(&mut touched, Touched::NONE)) {
                Ok(waiting) => {
                    if all {
                        self.swept = Some(Instant::now());
                    }
                    rest = if waiting { Duration::ZERO } else { LOOK };
                }
                Err(_) if self.stop.load(Ordering::Relaxed) => break,
                Err(e) => {
                    let what = format!("{e:#}");
                    if self.pulse.trouble(Part::Desk, &what) && fit::stopped(e.chain()).is_none() {
                        error!("desk: {what}; it is tried again by itself, tickets wait until then");
                    }
                    // Whoever stands in line stays there; only a file that was not opened is opened anew.
                    self.swept = None;
                    rest = AFTER_TROUBLE;
                }
            }
        }
        self.at_work = None;
    }

    fn hear(&mut self, told: Told, touched: &mut Touched) {
        match told {
            Told::Touched(more) => touched.add(more),
            Told::Pause(done) => {
                self.at_work = None;
                self.paused = true;
                drop(done);
            }
            Told::GoOn => {
                self.paused = false;
                self.swept = None;
            }
        }
    }

    /// One errand; whether somebody is still in line.
    fn work(&mut self, touched: Touched) -> Result<bool> {
        let (shop, desk) = match &mut self.at_work {
            Some(at_work) => at_work,
            none => none.insert((Shop::open(&self.database)?, Desk::new())),
        };
        let control = Control::unbounded().with_cancel(self.stop.clone());
        let answered = desk.answer(shop, touched, &control)?;
        if let Some(took) = answered.loaded {
            info!(
                generation = answered.generation.unwrap_or(0),
                "the desk has read the night's models in {:.1} s",
                took.as_secs_f64()
            );
        }
        self.pulse
            .add_answered(answered.routed + answered.triaged, answered.longest_wait);
        match answered.blocked {
            Some(why) => {
                self.pulse.trouble(Part::Desk, &why);
                Ok(false)
            }
            None => {
                self.pulse.well(Part::Desk);
                Ok(answered.waiting > 0)
            }
        }
    }
}
