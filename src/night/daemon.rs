//! The daemon: nights that always happen, days that are always fresh.
//!
//! One process leads a file (see [`Leader`]). It has four loops, and none of them knows anything that is not in the file:
//!
//! ```text
//! planner   clock + jobs/ + book -> what is due           runs each job as a child process
//! index     outbox               -> search index          within a second, and the `search` jobs
//! desk      changed tickets      -> routes and drafts     within two, by the published models
//! ticker    a tick a second      -> wakes the planner     which wakes by itself every five
//! ```
//!
//! The ticker is tokio-cron-scheduler with one pattern, every second. It freezes offsets, forgets what it missed and falls silent when
//! the clock is put back: so it says "look", and never what is due.
//!
//! However it ends, the next one goes on: runs that were under way are interrupted in the book and tried again, half generations
//! are swept, the index is checked against the file.

mod calls;
mod child;
mod days;
mod desk;
mod planner;
mod pulse;
mod seats;

pub use pulse::{Counts, Part, Pulse};

use super::leader::Leader;
use crate::store::{LeaderRow, Shop, Swept, now};
use anyhow::{Context, Result};
use days::Days;
use planner::Planner;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tracing::{info, warn};

/// What was asked for and interrupted is begun again if it was asked for within this many seconds, and so often.
const ASKED: i64 = 12 * 3600;
const ATTEMPTS: i64 = 4;

/// How the daemon is to serve.
#[derive(Debug)]
pub struct Serve {
    /// The file.
    pub database: PathBuf,
    /// The folder of job files.
    pub jobs: PathBuf,
    /// The address of the page, for others to read; None = there is none.
    pub listen: Option<String>,
    /// Threads of each child.
    pub threads: Option<u16>,
    /// Seed of everything random.
    pub seed: u64,
    /// Children at the same time.
    pub at_once: usize,
    /// Fetched once a minute.
    pub heartbeat: Option<String>,
    /// How long runs may take to stop, before they are killed.
    pub patience: Duration,
    /// Whether the ticker ticks; tests silence it.
    pub ticker: bool,
    /// Set by SIGTERM and Ctrl-C.
    pub stop: Arc<AtomicBool>,
}

impl Serve {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Serves until it is told to stop. The lead was taken by the caller, so that a second daemon hears at once that it is one.
///
/// # Errors
/// What keeps it from beginning: a file that cannot be opened or written. Later troubles are logged, shown on the page, and tried
/// again.
pub fn serve(
    orders: &Serve,
    leader: Leader,
    pulse: &Arc<Pulse>,
    runtime: &tokio::runtime::Handle,
) -> Result<()> {
    let shop = Shop::open(&orders.database)?;
    let crashed = shop.close_crashed_runs()?;
    let swept = shop
        .settings()
        .map_or(Ok(Swept::default()), |settings| shop.sweep(settings.keep))?;
    if crashed > 0 {
        warn!(
            "{crashed} run(s) were interrupted earlier; {} unfinished rows removed",
            swept.rows
        );
    }
    let asked = shop.ask_again(now() - ASKED, ATTEMPTS)?;
    if asked > 0 {
        info!("{asked} run(s) that were asked for begin again");
    }
    shop.be_brisk()?; // from here on whatever cannot be written is written in the next round
    let began = now();
    shop.lead(
        &LeaderRow {
            process: i64::from(std::process::id()),
            host: host(),
            listen: orders.listen.clone(),
            started_at: began,
            beat_at: began,
            ended_at: None,
            troubles: None,
        },
        env!("CARGO_PKG_VERSION"),
    )?;
    let (wake, wakes) = channel();
    if orders.ticker {
        runtime.block_on(tick(wake.clone())).context("the ticker")?;
    }
    if let Some(url) = &orders.heartbeat {
        calls::heartbeat(url.clone(), pulse.clone(), orders.stop.clone())?;
    }
    let days = Days::start(&orders.database, pulse.clone(), orders.stop.clone())?;
    info!(
        database = %orders.database.display(),
        listen = orders.listen.as_deref().unwrap_or("none"),
        "nightclerk {} serves",
        env!("CARGO_PKG_VERSION")
    );
    let ended = Planner::new(orders, &leader, shop, pulse.clone(), days, (wake, wakes)).run();
    drop(leader);
    ended
}

/// Wakes the planner once a second.
async fn tick(wake: Sender<()>) -> Result<()> {
    let scheduler = tokio_cron_scheduler::JobScheduler::new().await?;
    let job = tokio_cron_scheduler::Job::new_async("* * * * * *", move |_, _| {
        let wake = wake.clone();
        Box::pin(async move {
            let _ = wake.send(()); // the planner is gone: so are we, soon
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(())
}

/// The name of this machine, as far as it says.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".into())
}
