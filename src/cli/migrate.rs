//! `nightclerk migrate`: the schema brought up to this program's, in the open. Every writing verb does the same when it
//! meets an older file; this one says beforehand what would happen.

use super::{Global, Out, lead};
use crate::store::{Shop, Table, Value, beside, pending_migrations, schema_version};
use anyhow::Result;

/// Whether to look only.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    /// Say what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Migrates, and lists what was or would be applied.
pub fn run(args: &MigrateArgs, global: &Global) -> Result<()> {
    let out = Out::new(global);
    let (found, pending) = pending_migrations(&global.db)?;
    if !args.dry_run {
        let _leader = lead(global, "migrate")?;
        drop(Shop::open(&global.db)?);
    }
    let state = if args.dry_run { "pending" } else { "applied" };
    out.table(&Table {
        columns: ["migration", "state"].map(String::from).to_vec(),
        rows: pending
            .iter()
            .map(|name| vec![Value::from(*name), Value::from(state)])
            .collect(),
    })?;
    if pending.is_empty() {
        return out.say(&format!("schema {found} is this program's: nothing to do"));
    }
    let copy = beside(&global.db, &format!(".before-v{}.bak", schema_version()));
    let verb = if args.dry_run { "would be" } else { "is" };
    out.say(&format!("the file as it was {verb} kept in {}", copy.display()))
}
