//! `nightclerk status`: the jobs, how they last ended, when they are due, and what readers see of each; with an exit code that a
//! monitor can act on.

use super::{Failure, Global, Out, output};
use crate::store::{LeaderRow, Shop, now};
use anyhow::Result;

/// No arguments of its own.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {}

/// Prints the view `jobs` joined to what is published, and what is wrong; exit code 1 when something is.
pub fn run(_: &StatusArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    let out = Out::new(global);
    let table = shop.select(
        "SELECT j.job, j.kind, j.last_status, g.generation AS published, g.rows,
                datetime(g.as_of, 'unixepoch') AS as_of, datetime(g.published_at, 'unixepoch') AS published_at,
                j.schedule, j.next_run_local AS next_run, j.disabled_reason
         FROM jobs AS j LEFT JOIN generations AS g ON g.family = j.kind AND g.status = 'published' ORDER BY j.job",
        &[],
    )?;
    out.table(&table)?;
    if table.rows.is_empty() {
        out.say("no job has run yet: nightclerk run")?;
    }
    if let Some(leader) = shop.leader()? {
        out.say(&daemon(&leader))?;
    }
    let troubles = shop.troubles()?;
    for trouble in &troubles {
        output::complain(&format!("nightclerk: {trouble}"));
    }
    match troubles.len() {
        0 => Ok(()),
        n => Err(Failure::Some(format!("{n} thing(s) want looking at")).into()),
    }
}

/// A line about the daemon.
fn daemon(leader: &LeaderRow) -> String {
    let since = |at: i64| (now() - at).max(0);
    let page = leader
        .listen
        .as_ref()
        .map_or(String::new(), |listen| format!(", http://{listen}/healthz"));
    match leader.ended_at {
        Some(_) => "the daemon was stopped; start it with nightclerk serve".into(),
        None => format!(
            "the daemon is process {} on {}{page}; its last sign of life is {} s old",
            leader.process,
            leader.host,
            since(leader.beat_at)
        ),
    }
}
