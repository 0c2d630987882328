//! `nightclerk status`: the jobs, how they last ended, when they are due, and what readers see of each.

use super::{Global, Out};
use crate::store::Shop;
use anyhow::Result;

/// No arguments of its own.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {}

/// Prints the view `jobs` joined to what is published.
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
    Ok(())
}
