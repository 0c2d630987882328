//! The command line: one file per verb, each with its arguments and one function `run`.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed |
//! | 2 | bad usage or bad input |
//! | 3 | somebody else leads |
//! | 4 | the file was written by a newer version |
//!
//! Errors say what, where and what to do, on the standard error stream; results go to standard output, as a table or
//! with `--json` as an array of objects keyed by column names.

mod ask;
mod backup;
mod demo;
mod doctor;
mod erase;
mod import;
mod init;
mod migrate;
mod output;
mod restore;
mod rollback;
mod run;
mod runs;
mod scores;
mod screen;
mod search;
mod serve;
mod status;

pub use output::Out;

use crate::night;
use crate::store;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The night clerk of a shop: recommendations, prices and ticket routing as tables in SQLite.
#[derive(Debug, Parser)]
#[command(
    name = "nightclerk",
    version,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Global {
    /// The shop's database
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "shop.db",
        env = "NIGHTCLERK_DB",
        hide_env_values = true,
        value_parser = database,
        allow_hyphen_values = true
    )]
    pub db: PathBuf,
    /// Print an array of JSON objects instead of a table
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Threads to compute with [default: all cores]; the results do not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Seed of everything random
    #[arg(long, global = true, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// A path; `--db --quiet` is a forgotten file name, not a file called `--quiet`.
fn database(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("the name of a file was expected".into()),
        text if text.starts_with('-') => Err(format!(
            "a file was expected; for one of that name write ./{text}"
        )),
        text => Ok(PathBuf::from(text)),
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create the database and, beside it, the default jobs folder (never overwrites)
    Init(init::InitArgs),
    /// Make a seeded little shop, run every job on it and show the results
    Demo(demo::DemoArgs),
    /// Take CSV, TSV, JSON lines or Parquet files into an input table
    Import(import::ImportArgs),
    /// Run jobs now, in order of `after`
    Run(run::RunArgs),
    /// The daemon: jobs at their times, a fresh search index, tickets routed as they come
    Serve(serve::ServeArgs),
    /// The jobs: how they last ended, when they are due, what is published
    Status(status::StatusArgs),
    /// The runs, newest first, or everything about one
    Runs(runs::RunsArgs),
    /// How each model of the last runs did, beside the naive answer
    Scores(scores::ScoresArgs),
    /// Full-text search in tickets, articles or products
    Search(search::SearchArgs),
    /// Classify, route and draft for a ticket that is not stored
    Ask(ask::AskArgs),
    /// Publish an older generation of a result's family again
    Rollback(rollback::RollbackArgs),
    /// Forget a customer everywhere, to the last byte
    Erase(erase::EraseArgs),
    /// Check the database, its index and its jobs, and say the remedy for what is wrong
    Doctor(doctor::DoctorArgs),
    /// Copy the database as it is now to a new file, beside a manifest
    Backup(backup::BackupArgs),
    /// Make the database of a backup; it must not exist yet
    Restore(restore::RestoreArgs),
    /// Bring the database's schema up to this program's, after a copy
    Migrate(migrate::MigrateArgs),
}

impl Cli {
    /// Calls the verb.
    pub fn run(&self) -> Result<()> {
        let global = &self.global;
        if let Some(threads) = global.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.into())
                .build_global()?;
        }
        match &self.verb {
            Verb::Init(args) => init::run(args, global),
            Verb::Demo(args) => demo::run(args, global),
            Verb::Import(args) => import::run(args, global),
            Verb::Run(args) => run::run(args, global),
            Verb::Serve(args) => serve::run(args, global),
            Verb::Status(args) => status::run(args, global),
            Verb::Runs(args) => runs::run(args, global),
            Verb::Scores(args) => scores::run(args, global),
            Verb::Search(args) => search::run(args, global),
            Verb::Ask(args) => ask::run(args, global),
            Verb::Rollback(args) => rollback::run(args, global),
            Verb::Erase(args) => erase::run(args, global),
            Verb::Doctor(args) => doctor::run(args, global),
            Verb::Backup(args) => backup::run(args, global),
            Verb::Restore(args) => restore::run(args, global),
            Verb::Migrate(args) => migrate::run(args, global),
        }
    }
}

/// Failures whose exit code is not plain 1.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Exit code 2: the arguments or the input are unusable.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3: somebody else leads.
    #[error("{0}")]
    Led(String),
    /// Exit code 1 after everything was said already: a job failed, a check was bad.
    #[error("{0}")]
    Some(String),
}

/// Prints an error with its causes and chooses the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS; // `nightclerk runs | head`: the reader has what it wanted
    }
    // A message that already says what its cause says (ours do) is not repeated.
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !line.contains(&cause) {
            line = if line.is_empty() {
                cause
            } else {
                format!("{line}: {cause}")
            };
        }
    }
    output::complain(&format!("nightclerk: {line}"));
    let code = error.chain().find_map(|cause| {
        if cause.is::<night::Unusable>() {
            return Some(2);
        }
        match (
            cause.downcast_ref::<Failure>(),
            cause.downcast_ref::<store::Error>(),
        ) {
            (Some(Failure::Usage(_)), _) => Some(2),
            (Some(Failure::Led(_)), _) => Some(3),
            (Some(Failure::Some(_)), _) => Some(1),
            (None, Some(store::Error::Newer { .. })) => Some(4),
            (
                None,
                Some(
                    store::Error::Missing { .. } | store::Error::NotOurs { .. } | store::Error::Exists { .. },
                ),
            ) => Some(2),
            _ => None,
        }
    });
    ExitCode::from(code.unwrap_or(1))
}

/// The jobs folder of a database: beside it.
pub(crate) fn jobs_folder(database: &Path) -> PathBuf {
    database.parent().unwrap_or(Path::new("")).join("jobs")
}

/// The lead for a verb that cannot work beside another leader: exit code 3 when there is one.
pub(crate) fn lead(global: &Global, what: &str) -> Result<night::Leader> {
    night::Leader::try_take(&global.db, what)?.map_err(|holder| {
        let file = global.db.display();
        Failure::Led(format!("{file}: {holder} leads; end it, then {what} again")).into()
    })
}

/// A flag that Ctrl-C or SIGTERM sets. A second one ends the program at once.
pub(crate) fn cancel_flag() -> Arc<AtomicBool> {
    static FLAG: std::sync::OnceLock<Arc<AtomicBool>> = std::sync::OnceLock::new();
    FLAG.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let set = flag.clone();
        // Fails only when another handler is there already, which nobody else sets.
        let _ = ctrlc::set_handler(move || {
            if set.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            let told = "stopping; what is published stays (press again to stop at once)";
            if tracing::dispatcher::has_been_set() {
                tracing::info!("{told}"); // a daemon: in the form of its other lines
            } else {
                output::complain(&format!("nightclerk: {told}"));
            }
        });
        flag
    })
    .clone()
}
