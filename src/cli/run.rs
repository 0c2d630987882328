//! `nightclerk run`: one night, now.

use super::screen::Terminal;
use super::{Failure, Global, Out, cancel_flag, jobs_folder};
use crate::night::{self, Orders, Screen, Silent};
use crate::store::{RunStatus, Shop, Table, Value};
use anyhow::Result;
use std::sync::Arc;

/// Which jobs, and as of when.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Names of files in jobs/ [default: every enabled job]
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
    /// Compute as of the end of this day, in settings.time_zone
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<String>,
    /// Let an older --as-of replace what is published
    #[arg(long, requires = "as_of")]
    publish: bool,
    /// Compute and measure, publish nothing
    #[arg(long, conflicts_with = "publish")]
    dry_run: bool,
    /// The number of the run, for the process a daemon starts
    #[arg(long, hide = true, value_name = "RUN")]
    under_leader: Option<i64>,
}

/// Runs the jobs; exit code 1 when one failed.
pub fn run(args: &RunArgs, global: &Global) -> Result<()> {
    if let Some(day) = &args.as_of {
        // Checked before anything begins; the zone does not matter for that.
        night::end_of_day(day, chrono_tz::UTC).map_err(|e| Failure::Usage(format!("--as-of: {e:#}")))?;
    }
    let shop = Shop::open(&global.db)?;
    let orders = Orders {
        jobs: args.jobs.clone(),
        as_of: args.as_of.clone(),
        publish: args.publish,
        dry_run: args.dry_run,
        seed: global.seed,
        cancel: cancel_flag(),
    };
    if let Some(run) = args.under_leader {
        night::hold_on_to_lifeline(orders.cancel.clone())?;
        let screen: Arc<dyn Screen> = Arc::new(Silent);
        return night::run_under_leader(&shop, &jobs_folder(&global.db), run, &orders, &screen).map(drop);
    }
    let screen: Arc<dyn Screen> = Arc::new(Terminal::new(global));
    let ran = night::run(&shop, &jobs_folder(&global.db), &orders, &screen)?;
    let out = Out::new(global);
    if out.json() {
        out.table(&Table {
            columns: ["job", "run_id", "status", "rows", "seconds", "why"]
                .map(String::from)
                .to_vec(),
            rows: ran
                .iter()
                .map(|r| {
                    vec![
                        Value::Text(r.job.clone()),
                        r.run_id.map_or(Value::Null, Value::Integer),
                        Value::Text(r.status.as_str().into()),
                        Value::Integer(r.rows as i64),
                        Value::Real(r.seconds),
                        Value::Text(r.said.clone()),
                    ]
                })
                .collect(),
        })?;
    }
    let failed: Vec<&str> = ran
        .iter()
        .filter(|r| r.status != RunStatus::Done)
        .map(|r| r.job.as_str())
        .collect();
    if let Some(first) = failed.first() {
        let run = ran.iter().find(|r| r.job == **first).and_then(|r| r.run_id);
        let see = run.map_or(String::new(), |id| format!("; see `nightclerk runs {id}`"));
        return Err(Failure::Some(format!("not done: {}{see}", failed.join(", "))).into());
    }
    Ok(())
}
