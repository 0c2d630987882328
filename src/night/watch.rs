//! Who hears how a run goes: the row in the book, and a screen if somebody sits in front of one.

use crate::fit::Progress;
use crate::pipeline::{Stage, Watch};
use crate::store::{Run, Shop};
use anyhow::Result;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a person sees of a night. All methods may be called from any thread.
pub trait Screen: Send + Sync {
    /// Something worth a line of its own.
    fn say(&self, line: &str);
    /// A job begins.
    fn begin(&self, job: &str);
    /// It has come to a stage; `overall` is the share of the job done, 0 to 1.
    fn stage(&self, job: &str, stage: &str, overall: f64);
    /// `done` of `of` steps of `what` inside the stage.
    fn step(&self, job: &str, what: &str, done: u64, of: u64, overall: f64);
    /// It is final.
    fn end(&self, ran: &super::Ran);
}

/// Nobody looks.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Screen for Silent {
    fn say(&self, _: &str) {}
    fn begin(&self, _: &str) {}
    fn stage(&self, _: &str, _: &str, _: f64) {}
    fn step(&self, _: &str, _: &str, _: u64, _: u64, _: f64) {}
    fn end(&self, _: &super::Ran) {}
}

/// Notes progress in the run's row at most once a second, on a connection that never waits: a missed note is made up
/// by the next, and one that waited could wait for a transaction of its own thread.
pub(super) struct Book {
    shop: Mutex<Shop>,
    run: Run,
    job: String,
    screen: Arc<dyn Screen>,
    state: Mutex<(Stage, Instant)>,
}

impl Book {
    pub(super) fn new(shop: &Shop, run: Run, job: &str, screen: Arc<dyn Screen>) -> Result<Book> {
        Ok(Book {
            shop: Mutex::new(shop.impatient()?),
            run,
            job: job.into(),
            screen,
            state: Mutex::new((Stage::Collect, Instant::now())),
        })
    }

    fn note(&self, stage: Stage, overall: f64) {
        let shop = self.shop.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = shop.note_stage(self.run, stage.as_str(), overall);
    }
}

impl Progress for Book {
    fn step(&self, what: &str, done: u64, of: u64) {
        let (stage, due) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let due = state.1.elapsed() >= Duration::from_secs(1);
            if due {
                state.1 = Instant::now();
            }
            (state.0, due)
        };
        let (from, to) = stage.span();
        let overall = from + (to - from) * (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
        self.screen.step(&self.job, what, done, of, overall);
        if due {
            self.note(stage, overall);
        }
    }
}

impl Watch for Book {
    fn stage(&self, stage: Stage) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (stage, Instant::now());
        self.screen.stage(&self.job, stage.as_str(), stage.span().0);
        self.note(stage, stage.span().0);
    }
}
