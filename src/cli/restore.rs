//! `nightclerk restore`: a new database made of a backup, once the backup has proved sound. Never over an existing one: a
//! restore goes wrong in the night in which it is needed most, and then the old file is all there is.

use super::backup::{copying, table};
use super::{Global, Out, lead};
use crate::store::copies;
use anyhow::Result;
use std::path::PathBuf;

/// What of.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Restores into `--db`.
pub fn run(args: &RestoreArgs, global: &Global) -> Result<()> {
    let _leader = lead(global, "restore")?;
    let manifest = copying("restore", global, |go_on| {
        copies::restore(&args.file, &global.db, go_on)
    })?;
    let out = Out::new(global);
    out.table(&table(&args.file, manifest.as_ref()))?;
    if manifest.is_none() {
        out.say("no manifest lies beside it: its pages are sound, but nothing says that none is missing")?;
    }
    out.say(&format!(
        "{} is there; the search index is built anew by the next run",
        global.db.display()
    ))
}
