//! `nightclerk backup`: a copy of a shop in use, as one file and its manifest. Works beside a night and a checkout.

use super::{Failure, Global, Out, cancel_flag, screen};
use crate::store::copies::{Manifest, manifest_path};
use crate::store::{Error, Shop, Table, Value, beside};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The copy; it must not exist yet. Its manifest is FILE.manifest.json
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Copies, reads the copy back, and says what is in it.
pub fn run(args: &BackupArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    for own in ["", "-wal", "-shm", ".lock"] {
        if same(&beside(&global.db, own), &args.file) {
            let file = args.file.display();
            return Err(Failure::Usage(format!(
                "{file} belongs to the database itself; name another file"
            ))
            .into());
        }
    }
    let manifest = copying("backup", global, |go_on| shop.back_up(&args.file, go_on))?;
    Out::new(global).table(&table(&args.file, Some(&manifest)))
}

/// Runs a copy with its progress bar; Ctrl-C ends it between two steps.
pub(super) fn copying<T>(
    what: &str,
    global: &Global,
    copy: impl FnOnce(&mut dyn FnMut(u64, u64) -> crate::store::Result<()>) -> crate::store::Result<T>,
) -> Result<T> {
    let bar = screen::bar(global.quiet, 1);
    bar.set_prefix(what.to_owned());
    let cancel = cancel_flag();
    let mut go_on = |done: u64, of: u64| {
        bar.set_length(of.max(1));
        bar.set_position(done);
        match cancel.load(Ordering::SeqCst) {
            true => Err(Error::Refused(format!(
                "{what} was stopped; nothing was written under its name"
            ))),
            false => Ok(()),
        }
    };
    let copied = copy(&mut go_on);
    bar.finish_and_clear();
    Ok(copied?)
}

/// What a backup holds. A file without a manifest says less.
pub(super) fn table(file: &Path, manifest: Option<&Manifest>) -> Table {
    let mut rows = vec![("file".to_owned(), Value::from(file.display().to_string()))];
    if let Some(m) = manifest {
        rows.push((
            "manifest".into(),
            manifest_path(file).display().to_string().into(),
        ));
        rows.push(("made_at".into(), Value::from(m.made_at)));
        rows.push(("program".into(), Value::from(m.program.as_str())));
        rows.push(("schema".into(), Value::from(m.schema)));
        rows.push(("bytes".into(), Value::from(m.bytes as i64)));
        rows.push(("xxh3".into(), Value::from(m.xxh3.as_str())));
        let counted = m
            .rows
            .iter()
            .map(|(table, rows)| (format!("rows of {table}"), Value::from(*rows as i64)));
        rows.extend(counted);
        let published = m.published.iter();
        rows.extend(
            published.map(|(family, generation)| (format!("published {family}"), Value::from(*generation))),
        );
    }
    Table {
        columns: ["what", "value"].map(String::from).to_vec(),
        rows: rows
            .into_iter()
            .map(|(what, value)| vec![what.into(), value])
            .collect(),
    }
}

/// Whether two names are one file.
fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
