//! What a person sees of a night: one progress bar on the standard error stream (when it is a terminal), one line on
//! standard output for each job that is final.

use super::output::{self, Out};
use crate::night::{Ran, Screen};
use crate::store::RunStatus;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::{Mutex, PoisonError};

/// A terminal, or a pipe that gets the lines without the bar.
#[derive(Debug)]
pub(super) struct Terminal {
    out: Out,
    quiet: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    pub(super) fn new(global: &super::Global) -> Terminal {
        Terminal {
            out: Out::new(global),
            quiet: global.quiet,
            bar: Mutex::new(None),
        }
    }

    fn with_bar(&self, act: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            act(bar);
        }
    }

    fn finish_bar(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// A bar of thousandths; hidden by itself when the stream is no terminal.
pub(super) fn bar(quiet: bool, length: u64) -> ProgressBar {
    let bar = if quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(length)
    };
    let style = ProgressStyle::with_template("{prefix:16} {bar:30} {percent:>3} %  {msg}");
    bar.set_style(
        style
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> "),
    );
    bar
}

impl Screen for Terminal {
    fn say(&self, line: &str) {
        if !self.quiet {
            self.with_bar(|b| b.suspend(|| ()));
            output::complain(line);
        }
    }

    fn begin(&self, job: &str) {
        let bar = bar(self.quiet, 1000);
        bar.set_prefix(job.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(250));
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn stage(&self, _: &str, stage: &str, overall: f64) {
        self.with_bar(|b| {
            b.set_position((overall * 1000.0) as u64);
            b.set_message(stage.to_owned());
        });
    }

    fn step(&self, _: &str, what: &str, done: u64, of: u64, overall: f64) {
        self.with_bar(|b| {
            b.set_position((overall * 1000.0) as u64);
            b.set_message(format!("{what} {done}/{of}"));
        });
    }

    fn end(&self, ran: &Ran) {
        self.finish_bar();
        let rows = if ran.rows > 0 {
            format!("{} rows. ", ran.rows)
        } else {
            String::new()
        };
        let line = format!(
            "{:16} {:11} {:6.1} s  {rows}{}",
            ran.job,
            ran.status.as_str(),
            ran.seconds,
            ran.said
        );
        if matches!(ran.status, RunStatus::Failed | RunStatus::Timeout) && !self.out.json() {
            output::complain(&line);
        } else {
            let _ = self.out.say(&line); // a closed pipe shows at the next result
        }
    }
}
