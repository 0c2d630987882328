//! A run as a process of its own, so that a crash, a hang or a hunger for memory of one fit costs one run.
//!
//! The child is this program again, told by a hidden option which row of the book it is. Three bonds tie it to the daemon:
//!
//! - **The lifeline**: its standard input, a pipe on which nothing is ever sent. When it ends, because the daemon asks it to
//!   stop or is gone, however it went, the child stops at the next look at its control, and after a while at any rate.
//! - **The deadline**: past its job's `timeout` the child stops by itself; if it does not, it is killed.
//! - **The row**: whoever closes it first has closed it, and nothing is written for a run whose row is closed
//!   ([`crate::store::pace`]).

use super::super::job::Job;
use super::super::plan::in_words;
use crate::store::{Run, RunStatus, Shop};
use anyhow::{Context, Result};
use std::io::Read;
use std::path::Path;
use std::process::{Child as Process, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What of a child's last words is kept.
const LAST_WORDS: usize = 8 * 1024;

/// A run under way.
#[derive(Debug)]
pub(super) struct Child {
    pub job: String,
    pub run: Run,
    pub scheduled_at: Option<i64>,
    /// Whether it is no plain night: a dry run, or another day's.
    pub aside: bool,
    /// When it has to be killed.
    deadline: Instant,
    /// `timeout` and `memory`, as they were when it began.
    timeout: Duration,
    memory: Option<u64>,
    process: Process,
    lifeline: Option<ChildStdin>,
    words: Arc<Mutex<Vec<u8>>>,
    killed: Option<&'static str>,
}

/// How a child is started.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub database: &'a Path,
    pub threads: Option<u16>,
    /// The verb and its options, after the global ones.
    pub arguments: Vec<String>,
    pub seed: u64,
    pub timeout: Duration,
    pub memory: Option<u64>,
}

impl Child {
    /// Starts one; `wake` hears when it ends.
    pub(super) fn start(
        start: &Start<'_>,
        job: &str,
        run: Run,
        scheduled_at: Option<i64>,
        aside: bool,
        wake: Sender<()>,
    ) -> Result<Child> {
        let program = std::env::current_exe().context("the program does not find itself")?;
        let mut command = Command::new(program);
        command.arg("--db").arg(start.database).arg("--quiet");
        command.arg("--seed").arg(start.seed.to_string());
        if let Some(threads) = start.threads {
            command.arg("--threads").arg(threads.to_string());
        }
        command
            .args(&start.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.spawn().context("a child process could not be started")?;
        let lifeline = process.stdin.take();
        let words = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut stderr) = process.stderr.take() {
            let words = words.clone();
            let job = job.to_owned();
            std::thread::Builder::new()
                .name(format!("words of {job}"))
                .spawn(move || {
                    let mut part = [0; 4096];
                    while let Ok(read @ 1..) = stderr.read(&mut part) {
                        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
                        words.extend_from_slice(&part[..read]);
                        let over = words.len().saturating_sub(LAST_WORDS);
                        words.drain(..over);
                    }
                    let _ = wake.send(()); // its words end when it does
                })
                .context("a thread could not be started")?;
        }
        // It stops by itself at its timeout; what does not is given a tenth more.
        let more = (start.timeout / 10).clamp(Duration::from_secs(1), Duration::from_secs(30));
        Ok(Child {
            job: job.into(),
            run,
            scheduled_at,
            aside,
            deadline: Instant::now() + start.timeout + more,
            timeout: start.timeout,
            memory: start.memory,
            process,
            lifeline,
            words,
            killed: None,
        })
    }

    /// Asks it to stop.
    pub(super) fn stop(&mut self) {
        self.lifeline = None;
    }

    /// Ends it now.
    pub(super) fn kill(&mut self, why: &'static str) {
        self.killed.get_or_insert(why);
        let _ = self.process.kill(); // it may have ended meanwhile
    }

    /// Kills it past its deadline; its end, when it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.killed.is_none() && Instant::now() >= self.deadline {
            self.kill("deadline");
        }
        self.process.try_wait().context("a child cannot be asked")
    }

    /// Closes the row of a child that has ended, if it did not do so itself; returns how the run ended and what was said.
    pub(super) fn close(&self, shop: &Shop, status: ExitStatus) -> Result<(String, String)> {
        let (verdict, said) = match self.killed {
            Some("deadline") => (
                RunStatus::Timeout,
                format!(
                    "it did not stop at its `timeout` of {} and was killed; what was published stays",
                    in_words(self.timeout.as_secs() as i64)
                ),
            ),
            Some(_) => (
                RunStatus::Interrupted,
                "the daemon was stopped and did not wait longer; what was published stays".into(),
            ),
            None if self.lifeline.is_none() => (
                RunStatus::Interrupted,
                "the daemon was stopped; what was published stays".into(),
            ),
            None => (RunStatus::Failed, self.reason(status)),
        };
        shop.close_run(self.run, verdict, &said)?;
        Ok(match shop.standing(self.run.run_id)? {
            Some(standing) => (standing.status, standing.said.unwrap_or_default()),
            None => (verdict.as_str().into(), said),
        })
    }

    /// Why a process ended that did not say so in the book.
    fn reason(&self, status: ExitStatus) -> String {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&words);
        let last = words
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty() && !line.starts_with("note:"));
        if words.contains("memory allocation of") {
            let allowed = self.memory.map_or("the machine has".into(), |bytes| {
                format!("`memory` allows ({} MB)", bytes >> 20)
            });
            return format!("out of memory: it needed more than {allowed}; what was published stays");
        }
        if let Some(at) = words.find(" panicked at ") {
            // The place and, on the next line, what was wrong.
            let told: Vec<&str> = words[at..].lines().take(2).map(str::trim).collect();
            return format!(
                "it {}; that is a fault of nightclerk's, please report it",
                told.join(" ")
            );
        }
        if let Some(signal) = signal(status) {
            let memory = if signal == 9 {
                ", as the kernel does when memory runs out"
            } else {
                ""
            };
            return format!("its process was ended by signal {signal}{memory}; what was published stays");
        }
        match (status.code(), last) {
            (Some(code), Some(last)) => format!("its process exited with code {code}: {last}"),
            (code, _) => format!(
                "its process exited with code {} and said nothing",
                code.unwrap_or(-1)
            ),
        }
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

impl<'a> Start<'a> {
    /// The run of a job.
    pub(super) fn job(
        database: &'a Path,
        threads: Option<u16>,
        seed: u64,
        job: &Job,
        run: Run,
        orders: &super::super::requests::RunOrders,
    ) -> Start<'a> {
        let mut arguments = vec![
            "run".into(),
            job.name.clone(),
            "--under-leader".into(),
            run.run_id.to_string(),
        ];
        if let Some(day) = &orders.as_of {
            arguments.extend(["--as-of".into(), day.clone()]);
        }
        if orders.publish {
            arguments.push("--publish".into());
        }
        if orders.dry_run {
            arguments.push("--dry-run".into());
        }
        Start {
            database,
            threads,
            arguments,
            seed: orders.seed.unwrap_or(seed),
            timeout: job.timeout,
            memory: job.memory,
        }
    }
}
