//! The leader's lock: `shop.db.lock` beside the database. Whoever holds it may run jobs, write the search index and
//! clean up after a crash.
//!
//! Why a lock of the operating system and not a row: (1) a process writes "I lead" into the file and is killed;
//! (2) the next one reads it and waits for ever, or guesses from its age. A file lock goes with the process, however
//! it ends. What the file says (who leads) is for people.

use anyhow::{Context, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// What a daemon writes into its lock file first.
pub(super) const SERVE: &str = "serve";

/// The right to lead, until dropped.
#[derive(Debug)]
pub struct Leader {
    file: File,
    path: PathBuf,
}

impl Leader {
    /// Takes the lead, or says who has it.
    pub fn try_take(database: &Path, what: &str) -> Result<std::result::Result<Leader, String>> {
        let path = lock_path(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("{}: the lock file cannot be opened", path.display()))?;
        match patiently(&file) {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                writeln!(file, "{what}, process {}", std::process::id())?;
                Ok(Ok(Leader { file, path }))
            }
            Err(TryLockError::WouldBlock) => Ok(Err(name_in(&mut file))),
            Err(TryLockError::Error(e)) => {
                Err(e).with_context(|| format!("{}: the lock cannot be taken", path.display()))
            }
        }
    }

    /// Whether the lock file is still the one that was locked: whoever removes it lets another one lead beside us.
    #[cfg(unix)]
    pub(super) fn still_leads(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        match (self.file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    /// A locked file cannot be removed here.
    #[cfg(not(unix))]
    pub(super) fn still_leads(&self) -> bool {
        self.path.exists()
    }

    /// Who leads, without taking the lead: nothing is written.
    pub fn holder(database: &Path) -> Result<Option<String>> {
        let path = lock_path(database);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                return Err(e).with_context(|| format!("{}: the lock file cannot be read", path.display()));
            }
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(name_in(&mut file))),
            Err(TryLockError::Error(e)) => {
                Err(e).with_context(|| format!("{}: the lock cannot be looked at", path.display()))
            }
        }
    }

    /// Takes the lead, waiting for whoever has it. `waiting` hears once who that is; `go_on` is asked now and then.
    pub fn take(
        database: &Path,
        what: &str,
        waiting: impl FnOnce(&str),
        go_on: impl Fn() -> Result<()>,
    ) -> Result<Leader> {
        let mut waiting = Some(waiting);
        loop {
            match Leader::try_take(database, what)? {
                Ok(leader) => return Ok(leader),
                Err(holder) => {
                    if let Some(waiting) = waiting.take() {
                        waiting(&holder);
                    }
                }
            }
            go_on()?;
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }
}

/// Tries for a moment: whoever only looks who leads ([`Leader::holder`]) holds the lock for an instant too.
fn patiently(file: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(30)),
            locked => return locked,
        }
    }
    file.try_lock()
}

/// Which file a path leads to, where the system can tell.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Nobody can tell here; an open file cannot be replaced either.
#[cfg(not(unix))]
pub(super) fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}

/// What the holder wrote into its lock file. It takes the lock first and writes then: a name that is not there yet is waited
/// for.
fn name_in(file: &mut File) -> String {
    for _ in 0..50 {
        let mut holder = String::new();
        let _ = file.rewind();
        let _ = file.read_to_string(&mut holder);
        if let Some(holder) = holder.strip_suffix('\n') {
            return holder.into();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    "another nightclerk".into()
}

impl Drop for Leader {
    /// Whoever asks next must not read our name for another's.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

fn lock_path(database: &Path) -> PathBuf {
    crate::store::beside(database, ".lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leads_and_the_other_hears_who() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("shop.db");
        let first = Leader::try_take(&database, "run").unwrap().unwrap();
        let holder = Leader::try_take(&database, "run").unwrap().unwrap_err();
        assert_eq!(holder, format!("run, process {}", std::process::id()));
        assert_eq!(Leader::holder(&database).unwrap(), Some(holder));
        assert!(first.still_leads());
        drop(first);
        assert_eq!(Leader::holder(&database).unwrap(), None);
        assert!(Leader::try_take(&database, "serve").unwrap().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_the_same_file_and_a_lock_that_was_removed_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (database, link) = (dir.path().join("shop.db"), dir.path().join("link.db"));
        std::fs::write(&database, "").unwrap();
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let first = Leader::try_take(&database, "serve").unwrap().unwrap();
        assert!(Leader::try_take(&link, "serve").unwrap().is_err());
        std::fs::remove_file(lock_path(&database)).unwrap();
        assert!(!first.still_leads());
        let _second = Leader::try_take(&link, "serve").unwrap().unwrap();
        assert!(!first.still_leads());
    }
}
