//! `nightclerk erase`: forgets customers everywhere: rows, lists, answers that quote them, models that learned from their
//! words, the search index, and the bytes all that leaves behind.

use super::screen::bar;
use super::{Failure, Global, Out, cancel_flag, output};
use crate::fit::{Control, Progress};
use crate::night::{self, Erased, Screen, Told};
use crate::store::{Shop, Table, Value};
use anyhow::Result;
use indicatif::ProgressBar;
use std::sync::Arc;

/// Whom to forget.
#[derive(Debug, clap::Args)]
pub struct EraseArgs {
    /// Ids of customers, as in users, events and tickets: compared to the letter
    #[arg(value_name = "USER", required_unless_present = "under_leader")]
    users: Vec<String>,
    /// Count what would go, change nothing
    #[arg(long)]
    dry_run: bool,
    /// The number of the request and of its run, for the process a daemon starts
    #[arg(long, hide = true, num_args = 2, value_names = ["REQUEST", "RUN"], conflicts_with_all = ["users", "dry_run"])]
    under_leader: Option<Vec<i64>>,
}

/// A bar, and what is being done.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn step(&self, what: &str, done: u64, of: u64) {
        self.0.set_length(of.max(1));
        self.0.set_position(done);
        self.0.set_message(what.to_owned());
    }
}

/// What is said above the bar, and the bar of an erasure that a daemon does.
struct Above(ProgressBar, bool);

impl Screen for Above {
    fn say(&self, line: &str) {
        if !self.1 {
            self.0.suspend(|| output::complain(line));
        }
    }
    fn begin(&self, _: &str) {
        self.0.set_message("the daemon erases");
    }
    fn stage(&self, _: &str, _: &str, _: f64) {}
    fn step(&self, _: &str, _: &str, _: u64, _: u64, _: f64) {}
    fn end(&self, _: &night::Ran) {}
}

/// Erases and says what went; exit code 1 when something is left that we know of.
pub fn run(args: &EraseArgs, global: &Global) -> Result<()> {
    let out = Out::new(global);
    if args.dry_run {
        let shop = Shop::open_read_only(&global.db)?;
        return out.table(&table(&night::would_erase(&shop, &args.users)?));
    }
    let mut shop = Shop::open(&global.db)?;
    if let Some([request, run]) = args.under_leader.as_deref() {
        let cancel = cancel_flag();
        night::hold_on_to_lifeline(cancel.clone())?;
        let control = Control::unbounded().with_cancel(cancel);
        return night::erase_under_leader(&mut shop, *request, *run, &control);
    }
    let bar = bar(global.quiet, 1);
    bar.set_prefix("erase");
    bar.enable_steady_tick(std::time::Duration::from_millis(250));
    let control = Control::unbounded()
        .with_cancel(cancel_flag())
        .with_progress(Arc::new(Bar(bar.clone())));
    let screen = Above(bar.clone(), global.quiet);
    let erased = night::erase(&mut shop, &args.users, &control, &screen);
    bar.finish_and_clear();
    let erased = erased.map_err(|e| match control.check() {
        Err(_) => e.context("erase was stopped before its end; erase again, it goes on where it stopped"),
        Ok(()) => e,
    })?;
    out.table(&table(&erased.told))?;
    tell(&erased, global, &out)
}

/// What a table of numbers does not say.
fn tell(erased: &Erased, global: &Global, out: &Out) -> Result<()> {
    if erased.resumed {
        out.say("an erasure that had been interrupted was gone on with")?;
    }
    if erased.models_gone {
        out.say(&format!(
            "the models of tickets are gone with the words they learned: new tickets, drafts and ask wait for \
             nightclerk --db {} run support",
            global.db.display()
        ))?;
    }
    for path in &erased.left {
        output::complain(&format!(
            "nightclerk: {} may still hold the customer and was left: delete it when you can do without",
            path.display()
        ));
    }
    match &erased.unfinished {
        Some(why) => Err(Failure::Some(why.clone()).into()),
        None => out.say(&format!(
            "nothing of it is left in {} ({} KB, was {} KB) and its index; backups are yours to delete",
            global.db.display(),
            erased.size.1.div_ceil(1024),
            erased.size.0.div_ceil(1024)
        )),
    }
}

fn table(told: &[Told]) -> Table {
    Table {
        columns: ["place", "rows"].map(String::from).to_vec(),
        rows: told
            .iter()
            .map(|one| vec![Value::from(&*one.place), Value::from(one.rows as i64)])
            .collect(),
    }
}
