//! The program: parse, call one verb, map its error to an exit code.
//!
//! One night from here: `run` on the command line is `cli::run`, which asks [`nightclerk::night::run`] for a night;
//! that takes the lead and walks the jobs in order; a job of models is [`nightclerk::pipeline::run`], the five steps.

use clap::Parser;
use nightclerk::cli::{Cli, report};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse(); // bad usage ends here, with code 2
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}
