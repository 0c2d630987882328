//! `nightclerk runs`: the book of runs, newest first, or everything about one run.

use super::{Failure, Global, Out};
use crate::store::{Shop, Value};
use anyhow::Result;

/// Which run.
#[derive(Debug, clap::Args)]
pub struct RunsArgs {
    /// A run_id: its row, what it left out and its scores
    #[arg(value_name = "ID")]
    id: Option<u32>,
    /// How many of the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Prints them.
pub fn run(args: &RunsArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    let out = Out::new(global);
    let Some(id) = args.id else {
        let limit = args.limit.to_string();
        let columns = if out.json() {
            "*"
        } else {
            "run_id, job, status, stage, datetime(started_at, 'unixepoch') AS started_at,
             coalesce(finished_at, CAST(strftime('%s', 'now') AS INTEGER)) - started_at AS seconds, rows,
             coalesce(error, why) AS why"
        };
        let sql = format!("SELECT {columns} FROM runs ORDER BY run_id DESC LIMIT CAST(?1 AS INTEGER)");
        return out.table(&shop.select(&sql, &[&limit])?);
    };
    let id = id.to_string();
    let row = shop.select("SELECT * FROM runs WHERE run_id = CAST(?1 AS INTEGER)", &[&id])?;
    if row.rows.is_empty() {
        return Err(Failure::Usage(format!("there is no run {id}; `nightclerk runs` lists them")).into());
    }
    if out.json() {
        return out.table(&row);
    }
    for (name, value) in row.columns.iter().zip(&row.rows[0]) {
        let value = match value {
            Value::Null => continue,
            Value::Integer(n) => n.to_string(),
            Value::Real(x) => x.to_string(),
            Value::Text(t) => t.clone(),
        };
        out.line(&format!("{name:14} {value}"))?;
    }
    for (title, sql) in [
        (
            "left out:",
            "SELECT table_name, reason, rows FROM run_drops WHERE run_id = CAST(?1 AS INTEGER)",
        ),
        (
            "scores:",
            "SELECT result, model, slice, metric, value, lo90, hi90, split, chosen FROM scores
             WHERE run_id = CAST(?1 AS INTEGER) ORDER BY result, slice, metric, chosen DESC, model",
        ),
    ] {
        let table = shop.select(sql, &[&id])?;
        if !table.rows.is_empty() {
            out.line(&format!("\n{title}"))?;
            out.table(&table)?;
        }
    }
    Ok(())
}
