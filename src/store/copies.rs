//! Copies of the file: a backup of a shop that is in use, and a shop made of a backup.
//!
//! A *backup* is one file without a log beside it, and a *manifest* next to it (`NAME.manifest.json`): what it is a copy
//! of, when it was made, how many rows it holds, and the checksum of its bytes. Both appear under their names only when
//! they are complete and were read back; whatever stops before leaves a `.part` that the next backup takes away.
//!
//! The whole copy is made inside one read transaction. Without it every write of the application would make SQLite begin
//! the copy anew, and in a busy shop it would never end. Writers go on meanwhile; the write-ahead log grows by what they
//! write, because our reader pins it.
//!
//! A *restored* file gets a new instance: the search index beside it may hold changes that the copy has never seen, and
//! only the name of the instance tells. Two backups of one night are equal but for the time in the manifest.

use super::clock::now;
use super::error::{Error, Result};
use super::migrate;
use super::open::{APPLICATION_ID, BUSY_TIMEOUT, Shop, beside};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this description.
    pub format: u32,
    /// The program that made it.
    pub program: String,
    /// `user_version` of the copy.
    pub schema: i64,
    /// Unix seconds.
    pub made_at: i64,
    /// Size of the copy.
    pub bytes: u64,
    /// XXH3, 128 bits, of the copy's bytes, in hexadecimal.
    pub xxh3: String,
    /// Rows of the input tables.
    pub rows: BTreeMap<String, u64>,
    /// The generation readers see, by family.
    pub published: BTreeMap<String, i64>,
}

/// Version of [`Manifest`].
const FORMAT: u32 = 1;
/// Pages copied between two looks at the clock.
const STEP: i32 = 2000;
/// The tables whose rows are counted.
const COUNTED: [&str; 7] = [
    "products", "users", "events", "prices", "tickets", "replies", "articles",
];

/// Hears (pages done, pages in all); an error ends the copy.
pub type GoOn<'a> = &'a mut dyn FnMut(u64, u64) -> Result<()>;

/// Where the manifest of a backup lies.
pub fn manifest_path(backup: &Path) -> PathBuf {
    beside(backup, ".manifest.json")
}

impl Shop {
    /// Copies the file as it is now to `target`, which must not exist, and reads the copy back.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is such a file; [`Error::Corrupt`] when the copy is not sound (then the file itself is
    /// not); those of the disk. Nothing is left of a copy that failed but its `.part`, where even that cannot be removed.
    pub fn back_up(&self, target: &Path, go_on: GoOn<'_>) -> Result<Manifest> {
        let manifest_at = manifest_path(target);
        for path in [target, &manifest_at] {
            refuse_existing(
                path,
                "backups are never overwritten: name another file, or remove this one",
            )?;
        }
        let part = fresh_part(target)?;
        let made = self.copy_into(&part, go_on);
        let manifest = made.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
        let text = serde_json::to_string_pretty(&manifest).map_err(std::io::Error::other);
        let written = text.and_then(|text| {
            let manifest_part = fresh_part(&manifest_at).map_err(std::io::Error::other)?;
            std::fs::write(&manifest_part, text + "\n")?;
            File::open(&manifest_part)?.sync_all()?;
            std::fs::rename(&part, target)?;
            std::fs::rename(&manifest_part, &manifest_at)
        });
        written.map_err(io(target))?;
        sync_folder(target);
        Ok(manifest)
    }

    fn copy_into(&self, part: &Path, go_on: GoOn<'_>) -> Result<Manifest> {
        let copy = {
            let reading = self.conn().unchecked_transaction()?;
            reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?; // the snapshot begins here
            copy(self.conn(), part, go_on)?
        };
        describe(copy, part)
    }
}

/// Makes `target`, which must not exist, of a backup. The manifest is compared when there is one; returned with it.
///
/// # Errors
/// [`Error::Missing`], [`Error::NotOurs`] and [`Error::Newer`] for what is no backup of ours or a later version's;
/// [`Error::Corrupt`] when the backup is not what its manifest says, or unsound; [`Error::Refused`] when the target exists.
pub fn restore(backup: &Path, target: &Path, go_on: GoOn<'_>) -> Result<Option<Manifest>> {
    if !backup.is_file() {
        return Err(Error::Missing { path: backup.into() });
    }
    for suffix in ["", "-wal", "-journal"] {
        let path = beside(target, suffix);
        refuse_existing(
            &path,
            "a backup is restored into a new file only: move the old one, with its -wal and -shm, out of the way",
        )?;
    }
    let manifest = read_manifest(backup)?;
    if let Some(manifest) = &manifest {
        let (bytes, xxh3) = checksum(backup)?;
        if (bytes, xxh3.as_str()) != (manifest.bytes, manifest.xxh3.as_str()) {
            return Err(Error::Corrupt {
                path: backup.into(),
                detail: format!(
                    "its manifest speaks of {} bytes with the checksum {}, these are {bytes} with {xxh3}",
                    manifest.bytes, manifest.xxh3
                ),
            });
        }
    }
    let source = Connection::open_with_flags(
        backup,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    source.busy_timeout(BUSY_TIMEOUT)?;
    if migrate::version(&source, backup)? == 0 {
        return Err(Error::NotOurs { path: backup.into() });
    }
    let part = fresh_part(target)?;
    let made = (|| {
        let copy = {
            let reading = source.unchecked_transaction()?;
            reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            copy(&source, &part, go_on)?
        };
        copy.execute(
            "UPDATE settings SET value = lower(hex(randomblob(16))) WHERE name = 'instance'",
            [],
        )?;
        describe(copy, &part)?;
        std::fs::rename(&part, target).map_err(io(target))
    })();
    made.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    sync_folder(target);
    Ok(manifest)
}

/// What a backup's manifest says; None = it has none.
fn read_manifest(backup: &Path) -> Result<Option<Manifest>> {
    let path = manifest_path(backup);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(&path)(e)),
    };
    let manifest: Manifest = serde_json::from_str(&text).map_err(|e| Error::Corrupt {
        path: path.clone(),
        detail: format!("not a manifest: {e}"),
    })?;
    match manifest.format {
        FORMAT => Ok(Some(manifest)),
        other => Err(Error::Refused(format!(
            "{}: a manifest of format {other}, this nightclerk knows {FORMAT}; update nightclerk",
            path.display()
        ))),
    }
}

/// All pages of `source`, which holds a snapshot, into a new file.
fn copy(source: &Connection, part: &Path, go_on: GoOn<'_>) -> Result<Connection> {
    let mut copy = Connection::open(part)?;
    {
        let backup = Backup::new(source, &mut copy)?;
        loop {
            let step = backup.step(STEP)?;
            let progress = backup.progress();
            let of = u64::try_from(progress.pagecount).unwrap_or(0);
            go_on(of - u64::try_from(progress.remaining).unwrap_or(0).min(of), of)?;
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(20)), // busy or locked: somebody migrates
            }
        }
    }
    // The copied header says WAL; one file alone must be whole, readable from a folder nobody may write.
    copy.query_row("PRAGMA journal_mode = delete", [], |_| Ok(()))?;
    Ok(copy)
}

/// Reads a copy through and lets it go.
fn describe(copy: Connection, part: &Path) -> Result<Manifest> {
    let mut statement = copy.prepare("PRAGMA integrity_check(1)")?;
    let found: String = statement.query_row([], |r| r.get(0))?;
    drop(statement);
    if found != "ok" {
        return Err(Error::Corrupt {
            path: part.into(),
            detail: format!("the copy is not sound: {found}"),
        });
    }
    let pragma = |name: &str| copy.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
    if pragma("application_id")? != APPLICATION_ID {
        return Err(Error::NotOurs { path: part.into() });
    }
    let schema = pragma("user_version")?;
    let mut rows = BTreeMap::new();
    for table in COUNTED {
        let count: Option<i64> = copy
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .optional()?;
        rows.insert(table.to_owned(), count.unwrap_or(0) as u64);
    }
    let mut statement = copy.prepare("SELECT family, generation FROM clerk_published ORDER BY family")?;
    let published = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    drop(statement);
    copy.close().map_err(|(_, e)| e)?;
    File::open(part).and_then(|f| f.sync_all()).map_err(io(part))?;
    let (bytes, xxh3) = checksum(part)?;
    Ok(Manifest {
        format: FORMAT,
        program: format!("nightclerk {}", env!("CARGO_PKG_VERSION")),
        schema,
        made_at: now(),
        bytes,
        xxh3,
        rows,
        published,
    })
}

/// Size and checksum of a file's bytes.
fn checksum(path: &Path) -> Result<(u64, String)> {
    let mut file = File::open(path).map_err(io(path))?;
    let mut buffer = vec![0; 1 << 20];
    let (mut bytes, mut hash) = (0, Xxh3::new());
    loop {
        match file.read(&mut buffer).map_err(io(path))? {
            0 => return Ok((bytes, format!("{:032x}", hash.digest128()))),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

fn refuse_existing(path: &Path, remedy: &str) -> Result<()> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Exists {
            path: path.into(),
            remedy: remedy.into(),
        }),
        Err(e) => Err(io(path)(e)),
    }
}

/// The name a file has until it is complete; what a killed copy left under it goes.
fn fresh_part(target: &Path) -> Result<PathBuf> {
    let part = beside(target, ".part");
    for path in [part.clone(), beside(&part, "-journal"), beside(&part, "-wal")] {
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&path)(e)),
            _ => {}
        }
    }
    Ok(part)
}

/// A rename is durable once its folder is written. Not every system can: then the next one does it.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all());
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
#[path = "copies/tests.rs"]
mod tests;
