//! What a family knows of the night it works in: the instant, the zone, the seed, who may stop it, who listens,
//! and the count of what it left out.

use crate::fit::{Checkpoints, Control, Progress};
use crate::store::{Run, Settings, Shop, StoredCheckpoints};
use anyhow::{Context, Result};
use chrono::{Datelike, TimeZone, Timelike};
use chrono_tz::Tz;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The steps, as `runs.stage` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// One read transaction over the inputs.
    Collect,
    /// Clean, count, index, cut.
    Prepare,
    /// Candidate models.
    Fit,
    /// Held-out figures, choice.
    Evaluate,
    /// A new generation.
    Publish,
}

impl Stage {
    /// The word in `runs.stage`.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Collect => "collect",
            Stage::Prepare => "prepare",
            Stage::Fit => "fit",
            Stage::Evaluate => "evaluate",
            Stage::Publish => "publish",
        }
    }

    /// Which part of a run the stage usually is, as (begin, end) of 0 to 1: measured on a real shop, good enough for
    /// a progress bar.
    pub fn span(self) -> (f64, f64) {
        match self {
            Stage::Collect => (0.0, 0.05),
            Stage::Prepare => (0.05, 0.1),
            Stage::Fit => (0.1, 0.6),
            Stage::Evaluate => (0.6, 0.8),
            Stage::Publish => (0.8, 1.0),
        }
    }
}

/// Who hears how a run goes: its row in the book, a progress bar, nobody.
pub trait Watch: Progress {
    /// A stage begins.
    fn stage(&self, stage: Stage);
}

/// Which instant a night is computed as of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The newest input that is not in the future.
    Data,
    /// The wall clock.
    Now,
    /// A given instant, Unix seconds: the end of `--as-of DAY`.
    At(i64),
}

/// What a run is told from outside.
pub struct Brief<'a> {
    /// The file.
    pub shop: &'a Shop,
    /// The run's row in the book.
    pub run: Run,
    /// The wall clock when the run began, Unix seconds.
    pub now: i64,
    /// Which instant to work as of.
    pub as_of: AsOf,
    /// Seed of everything random.
    pub seed: u64,
    /// Cancel flag and deadline.
    pub control: Control,
    /// Compute and measure, write nothing.
    pub dry_run: bool,
    /// `--publish`: an `--as-of` older than what is published may replace it.
    pub publish_older: bool,
    /// Who listens.
    pub watch: Arc<dyn Watch>,
}

impl std::fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brief")
            .field("run", &self.run)
            .field("as_of", &self.as_of)
            .finish_non_exhaustive()
    }
}

/// The night, as the steps see it.
pub struct Night<'a> {
    /// The file: keys, artefacts of the published generation.
    pub shop: &'a Shop,
    /// The run's row in the book.
    pub run: Run,
    /// The instant: rows later than it are left out and counted.
    pub as_of: i64,
    /// The wall clock when the run began.
    pub now: i64,
    /// Settings of the shop.
    pub settings: Settings,
    /// The zone days are counted in.
    pub zone: Tz,
    /// Seed of everything random.
    pub seed: u64,
    /// Cancel flag, deadline, progress within the stage, checkpoints. Look at it ([`Control::check`]) in long loops.
    pub control: Control,
    /// Compute and measure, write nothing.
    pub dry_run: bool,
    asked: AsOf,
    publish_older: bool,
    watch: Arc<dyn Watch>,
    drops: RefCell<BTreeMap<(&'static str, String), u64>>,
}

impl std::fmt::Debug for Night<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Night")
            .field("run", &self.run)
            .field("as_of", &self.as_of)
            .finish_non_exhaustive()
    }
}

impl<'a> Night<'a> {
    pub(super) fn begin(brief: Brief<'a>, settings: Settings, newest: Option<i64>) -> Result<Night<'a>> {
        let zone = zone(&settings.time_zone)?;
        let as_of = match brief.as_of {
            AsOf::Data => newest.unwrap_or(brief.now),
            AsOf::Now => brief.now,
            AsOf::At(at) => at.min(brief.now),
        };
        brief.shop.note_as_of(brief.run, as_of)?;
        let progress: Arc<dyn Progress> = Arc::new(Forward(brief.watch.clone()));
        Ok(Night {
            shop: brief.shop,
            run: brief.run,
            as_of,
            now: brief.now,
            settings,
            zone,
            seed: brief.seed,
            control: brief.control.with_progress(progress),
            dry_run: brief.dry_run,
            asked: brief.as_of,
            publish_older: brief.publish_older,
            watch: brief.watch,
            drops: RefCell::default(),
        })
    }

    /// Counts rows of an input table that are left out, by reason. The reason is read by people: "product not in
    /// the catalogue", not "E17".
    pub fn drop_rows(&self, table: &'static str, reason: impl Into<String>, rows: u64) {
        if rows > 0 {
            *self.drops.borrow_mut().entry((table, reason.into())).or_default() += rows;
        }
    }

    /// The control with this family's checkpoints in it, for fits worth resuming.
    pub fn control_with_checkpoints(&self, family: &str) -> Result<Control> {
        let kept: Arc<dyn Checkpoints> = Arc::new(Kept {
            store: StoredCheckpoints::new(self.shop, family)?,
            saved: Mutex::new(Instant::now()),
            every: worth_saving(),
        });
        Ok(self.control.clone().with_checkpoints(kept))
    }

    /// The instant whose rules are applied: now, because a rule is somebody's word for the next publication, however
    /// old the data is; an older day's with `--as-of`.
    pub fn rules_at(&self) -> i64 {
        match self.asked {
            AsOf::At(_) => self.as_of,
            AsOf::Data | AsOf::Now => self.now,
        }
    }

    /// The local day of an instant, counted from 1970-01-01.
    pub fn day_of(&self, at: i64) -> i64 {
        let day = self.zone.timestamp_opt(at, 0).single().map_or_else(
            || {
                chrono::DateTime::from_timestamp(at, 0)
                    .unwrap_or_default()
                    .date_naive()
            },
            |local| local.date_naive(),
        );
        i64::from(day.num_days_from_ce()) - 719_163
    }

    /// Seconds since local midnight of an instant.
    pub fn second_of_day(&self, at: i64) -> i64 {
        self.zone
            .timestamp_opt(at, 0)
            .single()
            .map_or(0, |t| i64::from(t.num_seconds_from_midnight()))
    }

    pub(super) fn enter(&self, stage: Stage) -> Result<()> {
        self.control.check()?;
        self.watch.stage(stage);
        Ok(())
    }

    pub(super) fn record_drops(&self) -> Result<()> {
        let drops = self.drops.borrow();
        Ok(self
            .shop
            .record_drops(self.run, drops.iter().map(|((t, r), n)| (*t, r.as_str(), *n)))?)
    }

    /// Why this night may not replace what is published: it was asked to look at an older day.
    pub(super) fn would_go_back_in_time(&self, family: &str) -> Result<Option<String>> {
        let published = self.shop.published(family)?.and_then(|g| g.as_of);
        Ok(match (self.asked, published) {
            (AsOf::At(_), Some(published)) if self.as_of < published && !self.publish_older => Some(
                "evaluated only: --as-of is older than what is published; add --publish to replace it".into(),
            ),
            _ => None,
        })
    }
}

/// The IANA zone of a name.
pub fn zone(name: &str) -> Result<Tz> {
    name.parse::<Tz>().ok().with_context(|| {
        format!("setting time_zone is {name:?}; an IANA name such as 'Europe/Berlin' or 'UTC' was expected")
    })
}

/// A listener as the room `fit` knows it.
struct Forward(Arc<dyn Watch>);

impl Progress for Forward {
    fn step(&self, what: &str, done: u64, of: u64) {
        self.0.step(what, done, of);
    }
}

/// Checkpoints of the room `fit` in the store, at most one every [`WORTH_SAVING`]: a fit that is over before that is
/// sooner done again than saved.
struct Kept {
    store: StoredCheckpoints,
    saved: Mutex<Instant>,
    every: Duration,
}

/// Work that a crash may cost.
const WORTH_SAVING: Duration = Duration::from_secs(20);

/// The same in whole seconds from `NIGHTCLERK_TEST_CHECKPOINTS`, in builds with debug assertions: tests kill fits that are too small for a
/// checkpoint.
#[cfg(debug_assertions)]
fn worth_saving() -> Duration {
    let set = std::env::var("NIGHTCLERK_TEST_CHECKPOINTS").ok();
    set.and_then(|seconds| seconds.parse().ok())
        .map_or(WORTH_SAVING, Duration::from_secs)
}

#[cfg(not(debug_assertions))]
fn worth_saving() -> Duration {
    WORTH_SAVING
}

impl Checkpoints for Kept {
    fn load(&self, name: &str, fingerprint: u128) -> Result<Option<Vec<u8>>, String> {
        self.store
            .load_bytes(name, fingerprint)
            .map_err(|e| e.to_string())
    }
    fn due(&self) -> bool {
        self.saved.lock().is_ok_and(|saved| saved.elapsed() >= self.every)
    }
    fn save(&self, name: &str, fingerprint: u128, state: &[u8]) -> Result<(), String> {
        self.store
            .save_bytes(name, fingerprint, state)
            .map_err(|e| e.to_string())?;
        if let Ok(mut saved) = self.saved.lock() {
            *saved = Instant::now();
        }
        Ok(())
    }
    fn clear(&self, name: &str) -> Result<(), String> {
        self.store.clear_bytes(name).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::{Checkpoint, Differentiable, FitError, Lbfgs, Objective, lbfgs};
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Rosenbrock's valley, in ten dimensions; sets the flag at its given evaluation, as Ctrl-C would.
    struct Valley {
        evaluations: Cell<u32>,
        cancel_at: u32,
        flag: Arc<AtomicBool>,
    }

    impl Objective for Valley {
        fn cost(&self, x: &[f64]) -> f64 {
            x.windows(2)
                .map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2))
                .sum()
        }
    }

    impl Differentiable for Valley {
        fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            self.evaluations.set(self.evaluations.get() + 1);
            if self.evaluations.get() == self.cancel_at {
                self.flag.store(true, Ordering::Relaxed);
            }
            gradient.fill(0.0);
            for i in 0..x.len() - 1 {
                let gap = x[i + 1] - x[i] * x[i];
                gradient[i] += -400.0 * x[i] * gap - 2.0 * (1.0 - x[i]);
                gradient[i + 1] += 200.0 * gap;
            }
            self.cost(x)
        }
    }

    #[test]
    fn a_fit_killed_in_the_night_goes_on_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let long_ago = || Instant::now().checked_sub(WORTH_SAVING).unwrap();
        let fit = |cancel_at: u32, kept: bool| {
            let flag = Arc::new(AtomicBool::new(false));
            let valley = Valley {
                evaluations: Cell::new(0),
                cancel_at,
                flag: flag.clone(),
            };
            let mut control = Control::unbounded().with_cancel(flag);
            if kept {
                let store = StoredCheckpoints::new(&shop, "support").unwrap();
                control = control.with_checkpoints(Arc::new(Kept {
                    store,
                    saved: Mutex::new(long_ago()),
                    every: WORTH_SAVING,
                }));
            }
            let checkpoint = Checkpoint {
                name: "valley".into(),
                fingerprint: 7,
                every: 1,
            };
            let options = Lbfgs {
                checkpoint: Some(checkpoint),
                ..Lbfgs::default()
            };
            let fitted = lbfgs(&valley, vec![-1.2; 10], &options, &control);
            (fitted, valley.evaluations.get())
        };
        let (whole, evaluations) = fit(u32::MAX, false);
        let whole = whole.unwrap();
        assert!(evaluations > 20);
        let (stopped, _) = fit(evaluations / 2, true);
        assert!(matches!(stopped, Err(FitError::Stopped(_))), "{stopped:?}");
        let saved = shop
            .select("SELECT count(*) FROM clerk_checkpoints", &[])
            .unwrap();
        assert_ne!(saved.rows[0][0], crate::store::Value::Integer(0));
        // The second store is due only after a while, so it resumes from the one checkpoint there is.
        let (resumed, again) = fit(u32::MAX, true);
        let resumed = resumed.unwrap();
        assert!(
            again < evaluations,
            "{again} evaluations after resuming, {evaluations} in all"
        );
        assert_eq!(resumed.params, whole.params, "to the bit");
        let saved = shop
            .select("SELECT count(*) FROM clerk_checkpoints", &[])
            .unwrap();
        assert_eq!(
            saved.rows[0][0],
            crate::store::Value::Integer(0),
            "a finished fit leaves none"
        );
    }
}
