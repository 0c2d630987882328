//! `nightclerk init`: a database and its jobs folder.

use super::{Global, Out, jobs_folder};
use crate::night::DEFAULTS;
use crate::store::{Shop, Table, Value};
use anyhow::{Context, Result};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// No arguments of its own.
#[derive(Debug, clap::Args)]
pub struct InitArgs {}

/// Creates what is missing and touches nothing that is there.
pub fn run(_: &InitArgs, global: &Global) -> Result<()> {
    let out = Out::new(global);
    let new = !global.db.exists();
    let shop = Shop::create(&global.db)?;
    shop.instance()?; // the file's own name, for its index
    let folder = jobs_folder(&global.db);
    let written = write_jobs(&folder)?;
    let shown = global.db.display();
    if out.json() {
        return out.table(&Table {
            columns: ["database", "created", "job_files_written"]
                .map(String::from)
                .to_vec(),
            rows: vec![vec![
                Value::from(shown.to_string()),
                Value::from(i64::from(new)),
                Value::from(written as i64),
            ]],
        });
    }
    out.say(&format!(
        "{shown}: {}",
        if new {
            "created"
        } else {
            "was there already, schema up to date"
        }
    ))?;
    out.say(&format!("{}: {written} job file(s) written", folder.display()))?;
    out.say(&format!(
        "next: nightclerk --db {shown} import events FILE.csv, then nightclerk --db {shown} run"
    ))
}

/// Writes the default job files that are not there; returns how many.
pub(super) fn write_jobs(folder: &Path) -> Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    let mut written = 0;
    for (name, text) in DEFAULTS {
        let path = folder.join(format!("{name}.toml"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())
                    .with_context(|| format!("writing {}", path.display()))?;
                written += 1;
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e).with_context(|| format!("writing {}", path.display())),
        }
    }
    Ok(written)
}
