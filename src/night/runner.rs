//! One night: take the lead, clean up after crashes, then each job in order, each with a row in the book that is
//! written before it begins and closed however it ends. A job that fails costs its own results and no other's.

use super::job::{self, Job, Kind, Listing};
use super::leader::Leader;
use super::schedule;
use super::watch::{Book, Screen};
use super::{child, order, requests, upkeep};
use crate::fit::{self, Control, Stopped};
use crate::pipeline::prices::Prices;
use crate::pipeline::recommendations::Recommendations;
use crate::pipeline::support::Support;
use crate::pipeline::{self, AsOf, Brief, Outcome, Watch};
use crate::store::{JobRow, Run, RunStatus, Shop, Swept, now};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What a night is asked for.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Names of jobs; empty = every enabled one.
    pub jobs: Vec<String>,
    /// `--as-of`: 'YYYY-MM-DD'.
    pub as_of: Option<String>,
    /// `--publish`: an older `--as-of` may replace what is published.
    pub publish: bool,
    /// Compute and measure, write nothing.
    pub dry_run: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// Set by Ctrl-C.
    pub cancel: Arc<AtomicBool>,
}

/// How one job ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its name.
    pub job: String,
    /// Its row in the book; None = it never began.
    pub run_id: Option<i64>,
    /// How it ended.
    pub status: RunStatus,
    /// Result rows written.
    pub rows: u64,
    /// What was decided, or what went wrong.
    pub said: String,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// An order that cannot be carried out as given: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// Runs a night on the file of `shop`, with the job files of `folder` (the shipped ones when there is no such folder).
pub fn run(shop: &Shop, folder: &Path, orders: &Orders, screen: &Arc<dyn Screen>) -> Result<Vec<Ran>> {
    let listing = read(folder)?;
    let control = Control::unbounded().with_cancel(orders.cancel.clone());
    shop.be_patient()?;
    let (chosen, mut ran) = choose(&listing, &orders.jobs)?;
    if requests::daemon_leads(shop.path())? {
        screen.say("a daemon leads: the jobs run there");
        if let Some(ran) = requests::follow_night(shop, &listing, orders, &control, &**screen)? {
            return Ok(ran);
        }
    }
    mirror(shop, &listing)?;

    let _leader = Leader::take(
        shop.path(),
        "run",
        |holder| screen.say(&format!("waiting for {holder} to finish ...")),
        || Ok(control.check()?),
    )?;
    let crashed = shop.close_crashed_runs()?;
    // Settings nobody can read keep old rows; each job that needs them fails by itself, with its row in the book.
    let swept = shop
        .settings()
        .map_or(Ok(Swept::default()), |settings| shop.sweep(settings.keep))?;
    if crashed > 0 {
        screen.say(&format!(
            "{crashed} run(s) were interrupted earlier; {} unfinished rows removed",
            swept.rows
        ));
    }

    let order = match order::order(&chosen) {
        Ok(order) => order,
        Err(circle) => bail!(
            "jobs {} wait for one another: correct `after` in their files",
            circle.join(", ")
        ),
    };
    for job in order.into_iter().map(|i| chosen[i]) {
        if control.check().is_err() {
            break;
        }
        screen.begin(&job.name);
        let one = run_job(shop, job, orders, &control, screen).unwrap_or_else(|e| Ran {
            job: job.name.clone(),
            run_id: None,
            status: RunStatus::Failed,
            rows: 0,
            said: format!("its row in the book could not be written: {e:#}"),
            seconds: 0.0,
        });
        screen.end(&one);
        ran.push(one);
    }
    mirror(shop, &listing)?; // next_run_at has moved on
    control
        .check()
        .map_err(|stopped| anyhow::Error::from(stopped).context("the night was cancelled"))?;
    Ok(ran)
}

/// The jobs asked for, and an end for each that cannot run.
pub(super) fn choose<'l>(listing: &'l Listing, names: &[String]) -> Result<(Vec<&'l Job>, Vec<Ran>)> {
    let failed = |bad: &job::Bad| Ran {
        job: bad.name.clone(),
        run_id: None,
        status: RunStatus::Failed,
        rows: 0,
        said: bad.reason.clone(),
        seconds: 0.0,
    };
    if names.is_empty() {
        let jobs = listing.jobs.iter().filter(|j| j.enabled).collect();
        return Ok((jobs, listing.bad.iter().map(failed).collect()));
    }
    let mut jobs = Vec::new();
    for name in names {
        if let Some(bad) = listing.bad.iter().find(|b| b.name == *name) {
            return Err(Unusable(format!("job {name} cannot run: {}", bad.reason)).into());
        }
        let Some(job) = listing.jobs.iter().find(|j| j.name == *name) else {
            let known: Vec<_> = listing.jobs.iter().map(|j| j.name.as_str()).collect();
            return Err(Unusable(format!(
                "there is no job `{name}`; the jobs are {}",
                known.join(", ")
            ))
            .into());
        };
        if !jobs.iter().any(|j: &&Job| j.name == job.name) {
            jobs.push(job);
        }
    }
    Ok((jobs, Vec::new()))
}

/// The run of a daemon's child: the row is in the book already, and the leader's lock is the daemon's.
///
/// # Errors
/// A job that is not there, a row that somebody closed, a broken book. How the run ended is in the book.
pub fn run_under_leader(
    shop: &Shop,
    folder: &Path,
    run_id: i64,
    orders: &Orders,
    screen: &Arc<dyn Screen>,
) -> Result<Ran> {
    let listing = read(folder)?;
    let (chosen, _) = choose(&listing, &orders.jobs)?;
    let [job] = chosen.as_slice() else {
        bail!("one job was expected, not {}", chosen.len());
    };
    child::limit_memory(job.memory)?;
    shop.be_patient()?;
    let run = Run { run_id };
    if !shop.start_run(run)? {
        bail!("run {run_id} was closed before it began");
    }
    child::misbehave(&job.name);
    let control = Control::unbounded().with_cancel(orders.cancel.clone());
    attempt(shop, job, run, orders, &control, screen)
}

/// The job files, or the shipped ones when there is no folder.
pub(super) fn read(folder: &Path) -> Result<Listing> {
    if folder.exists() {
        job::load(folder).with_context(|| format!("reading {}", folder.display()))
    } else {
        Ok(job::defaults())
    }
}

/// One attempt at one job, with a new row. Only a broken book is an error here: a job's own failure is an answer.
fn run_job(
    shop: &Shop,
    job: &Job,
    orders: &Orders,
    control: &Control,
    screen: &Arc<dyn Screen>,
) -> Result<Ran> {
    let run = shop.begin_run(&job.name, None, 1)?;
    let asked = requests::RunOrders {
        as_of: orders.as_of.clone(),
        publish: orders.publish,
        dry_run: orders.dry_run,
        ..requests::RunOrders::default()
    };
    if let Some(text) = asked.text()? {
        shop.note_orders(run, &text)?;
    }
    attempt(shop, job, run, orders, control, screen)
}

/// The attempt itself; closes its row.
fn attempt(
    shop: &Shop,
    job: &Job,
    run: Run,
    orders: &Orders,
    control: &Control,
    screen: &Arc<dyn Screen>,
) -> Result<Ran> {
    let begun = Instant::now();
    let control = control.clone().with_deadline(begun + job.timeout);
    let worked = work(shop, job, run, orders, control, screen);
    let (status, rows, said) = match worked {
        Ok(outcome) => (RunStatus::Done, outcome.rows, outcome.why),
        Err(e) => match fit::stopped(e.chain()) {
            Some(Stopped::Cancelled) => (
                RunStatus::Interrupted,
                0,
                "cancelled; what was published stays".into(),
            ),
            Some(Stopped::Deadline) => (
                RunStatus::Timeout,
                0,
                format!(
                    "longer than `timeout` in jobs/{}.toml; what was published stays",
                    job.name
                ),
            ),
            None => (RunStatus::Failed, 0, format!("{e:#}")),
        },
    };
    shop.end_run(run, status, (status == RunStatus::Done).then_some(rows), &said)?;
    Ok(Ran {
        job: job.name.clone(),
        run_id: Some(run.run_id),
        status,
        rows,
        said,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The work of a job by its kind.
fn work(
    shop: &Shop,
    job: &Job,
    run: Run,
    orders: &Orders,
    control: Control,
    screen: &Arc<dyn Screen>,
) -> Result<Outcome> {
    let watch: Arc<dyn Watch> = Arc::new(Book::new(shop, run, &job.name, screen.clone())?);
    let as_of = match &orders.as_of {
        Some(day) => AsOf::At(schedule::end_of_day(
            day,
            pipeline::zone(&shop.settings()?.time_zone)?,
        )?),
        None if job.as_of_now.map_or_else(|| shop.is_live(), Ok)? => AsOf::Now,
        None => AsOf::Data,
    };
    let brief = Brief {
        shop,
        run,
        now: now(),
        as_of,
        seed: orders.seed,
        control: control.clone(),
        dry_run: orders.dry_run,
        publish_older: orders.publish,
        watch: watch.clone(),
    };
    match &job.kind {
        Kind::Recommendations(options) => pipeline::run(
            &Recommendations {
                options: options.clone(),
            },
            brief,
        ),
        Kind::Prices(options) => {
            // The shop's own price changes become history first, unless this night looks at another day.
            if orders.as_of.is_none() && !orders.dry_run {
                shop.append_changed_prices(brief.now)?;
            }
            pipeline::run(
                &Prices {
                    options: options.clone(),
                },
                brief,
            )
        }
        Kind::Support(options) => pipeline::run(
            &Support {
                options: options.clone(),
            },
            brief,
        ),
        Kind::Search(_) if orders.dry_run => Ok(idle("dry run: the index is left as it is")),
        Kind::Search(_) => {
            let control = control.with_progress(Arc::new(Steps(watch)));
            let drained = pipeline::index::drain(shop, &control)?;
            Ok(idle(&match drained.rebuilt {
                Some(why) => format!("index built anew of {} documents: {why}", drained.documents),
                None => format!("{} changes taken into the index", drained.documents),
            }))
        }
        Kind::Upkeep(_) if orders.dry_run => Ok(idle("dry run: nothing is cleaned up")),
        Kind::Upkeep(options) => {
            let control = control.with_progress(Arc::new(Steps(watch)));
            Ok(idle(&upkeep::run(shop, options, brief.now, &control)?))
        }
    }
}

fn idle(why: &str) -> Outcome {
    Outcome {
        generation: None,
        rows: 0,
        why: why.into(),
    }
}

/// A watch where only its progress is wanted.
struct Steps(Arc<dyn Watch>);

impl crate::fit::Progress for Steps {
    fn step(&self, what: &str, done: u64, of: u64) {
        self.0.step(what, done, of);
    }
}

/// Writes the view `jobs` as the files say now.
pub(super) fn mirror(shop: &Shop, listing: &Listing) -> Result<()> {
    // A setting nobody can read must not hide the jobs: their times are shown in UTC then.
    let shop_zone = shop
        .settings()
        .ok()
        .and_then(|settings| pipeline::zone(&settings.time_zone).ok())
        .unwrap_or(chrono_tz::UTC);
    let mut rows: Vec<JobRow> = Vec::new();
    for job in &listing.jobs {
        let zone = job.zone.unwrap_or(shop_zone);
        let next = schedule::next_run(&job.schedule, zone, now()).filter(|_| job.enabled);
        rows.push(JobRow {
            job: job.name.clone(),
            kind: Some(job.kind.as_str().into()),
            schedule: Some(job.schedule.as_str().into()),
            time_zone: Some(zone.name().into()),
            enabled: job.enabled,
            after: job.after.clone(),
            next_run_at: next.map(|t| t.timestamp()),
            next_run_local: next.map(|t| t.format("%Y-%m-%d %H:%M %Z").to_string()),
            disabled_reason: (!job.enabled).then(|| "enabled = false in its file".into()),
        });
    }
    for bad in &listing.bad {
        rows.push(JobRow {
            job: bad.name.clone(),
            kind: None,
            schedule: None,
            time_zone: None,
            enabled: false,
            after: None,
            next_run_at: None,
            next_run_local: None,
            disabled_reason: Some(bad.reason.clone()),
        });
    }
    rows.sort_by(|a, b| a.job.cmp(&b.job));
    Ok(shop.mirror_jobs(&rows)?)
}
