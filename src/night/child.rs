//! What a process does that a daemon started: hold on to its lifeline, and keep within its memory.

use anyhow::Result;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a child that was told to stop may still work.
const LAST: Duration = Duration::from_secs(10);

/// Watches the standard input, on which nothing is ever sent: when it ends, the daemon wants this process to stop, or is gone.
/// Then `cancel` is set, and if that does not end the process, the process is ended.
///
/// # Errors
/// No thread could be started.
pub fn hold_on_to_lifeline(cancel: Arc<AtomicBool>) -> Result<()> {
    std::thread::Builder::new()
        .name("lifeline".into())
        .spawn(move || {
            let mut nothing = [0; 64];
            while let Ok(1..) = std::io::stdin().lock().read(&mut nothing) {}
            cancel.store(true, Ordering::SeqCst);
            std::thread::sleep(LAST);
            std::process::exit(1);
        })?;
    Ok(())
}

/// Limits what this process may allocate, bytes: beyond it an allocation fails and ends the process, with a message the daemon
/// knows. Program text and mapped index files do not count.
#[cfg(unix)]
pub(super) fn limit_memory(bytes: Option<u64>) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    if let Some(bytes) = bytes {
        let hard = getrlimit(Resource::Data).maximum;
        let limit = Rlimit {
            current: Some(hard.map_or(bytes, |hard| hard.min(bytes))),
            maximum: hard,
        };
        setrlimit(Resource::Data, limit)?;
    }
    Ok(())
}

/// There is no such limit on this system; the job's `memory` is not enforced (docs/operations.md says so).
#[cfg(not(unix))]
pub(super) fn limit_memory(_: Option<u64>) -> Result<()> {
    Ok(())
}

/// Goes wrong on demand, so that tests can see what a daemon makes of it: `NIGHTCLERK_TEST_FAULT=JOB:panic`, `hang`, `leak` or
/// `exit`. Only in builds with debug assertions.
#[cfg(debug_assertions)]
pub(super) fn misbehave(job: &str) {
    let Ok(order) = std::env::var("NIGHTCLERK_TEST_FAULT") else {
        return;
    };
    match order.split_once(':') {
        Some((name, what)) if name == job => match what {
            "panic" => panic!("a fault that a test asked for"),
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            "leak" => {
                let mut kept = Vec::new();
                loop {
                    kept.push(vec![1u8; 16 << 20]);
                }
            }
            "exit" => std::process::exit(7),
            other => panic!("NIGHTCLERK_TEST_FAULT: {other:?} is no fault"),
        },
        _ => {}
    }
}

/// Nothing goes wrong on demand.
#[cfg(not(debug_assertions))]
pub(super) fn misbehave(_: &str) {}
