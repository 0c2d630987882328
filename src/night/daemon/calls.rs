//! Calls to the outside: a command after a failure, and the heartbeat whose silence somebody else notices. Neither may hold up a
//! night: each goes in a thread of its own, with a limit, and what goes wrong is one line in the log.

use super::pulse::{Part, Pulse};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// A command that runs longer is ended.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two heartbeats.
const EVERY: Duration = Duration::from_secs(60);

/// Runs a job's `on_failure` with the shell; what failed is in its environment.
pub(super) fn on_failure(command: &str, database: &Path, job: &str, run: i64, status: &str, said: &str) {
    let mut shell = if cfg!(windows) {
        let mut shell = Command::new("cmd");
        shell.args(["/C", command]);
        shell
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        shell
    };
    shell
        .env("NIGHTCLERK_DB", database)
        .env("NIGHTCLERK_JOB", job)
        .env("NIGHTCLERK_RUN", run.to_string())
        .env("NIGHTCLERK_STATUS", status)
        .env("NIGHTCLERK_ERROR", said)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (job, command) = (job.to_owned(), command.to_owned());
    let started = std::thread::Builder::new()
        .name("on_failure".into())
        .spawn(move || {
            let mut process = match shell.spawn() {
                Ok(process) => process,
                Err(e) => {
                    warn!(job, "on_failure could not be started: {e}");
                    return;
                }
            };
            let begun = Instant::now();
            loop {
                match process.try_wait() {
                    Ok(Some(status)) if status.success() => {
                        info!(job, "on_failure was run");
                        return;
                    }
                    Ok(Some(status)) => {
                        warn!(job, "on_failure ended with {status}: {command}");
                        return;
                    }
                    Ok(None) if begun.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(100)),
                    Ok(None) => {
                        let _ = process.kill();
                        let _ = process.wait();
                        warn!(job, "on_failure was ended after {} s: {command}", LIMIT.as_secs());
                        return;
                    }
                    Err(e) => {
                        warn!(job, "on_failure cannot be waited for: {e}");
                        return;
                    }
                }
            }
        });
    if let Err(e) = started {
        warn!("on_failure could not be started: {e}");
    }
}

/// Fetches `url` once a minute while the planner goes round without trouble: a dead-man's switch there raises the alarm when it stops.
pub(super) fn heartbeat(url: String, pulse: Arc<Pulse>, stop: Arc<AtomicBool>) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("heartbeat".into())
        .spawn(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(10)))
                .build()
                .into();
            let mut last: Option<Instant> = None;
            let mut failed = false;
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                let due = last.is_none_or(|then| then.elapsed() >= EVERY);
                if !due || pulse.not_well_for(Part::Planner) > Part::Planner.patience() {
                    continue;
                }
                last = Some(Instant::now());
                match agent.get(&url).call() {
                    Ok(_) => failed = false,
                    Err(e) => {
                        if !std::mem::replace(&mut failed, true) {
                            warn!("the heartbeat did not arrive: {e}; tried again every minute");
                        }
                    }
                }
            }
        })
        .map(drop)
}
