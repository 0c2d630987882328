//! The files of the index folder: generations, the pointer, the lock.
//!
//! ```text
//! shop.db.search/
//!     current        the name of the generation that counts, one line
//!     writer.lock    locked by the one writer; its existence means nothing
//!     gen-7/         a complete Tantivy index
//! ```

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::SearchError;

const POINTER: &str = "current";
const NEW_POINTER: &str = "current.tmp";
const LOCK: &str = "writer.lock";

/// The pointer as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    /// There is none.
    Absent,
    /// It names no generation.
    Broken(String),
    /// The folder of the current generation, by name.
    To(String),
}

/// Reads the pointer.
pub(super) fn pointer(folder: &Path) -> Result<Pointer, SearchError> {
    no_file(folder)?;
    let path = folder.join(POINTER);
    // Whoever waits for the other end of a pipe waits for ever.
    if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Ok(Pointer::Broken("what is no plain file".to_owned()));
    }
    match fs::read(&path) {
        Ok(bytes) => {
            let name = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            Ok(if number(&name).is_some() {
                Pointer::To(name)
            } else {
                Pointer::Broken(name)
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Pointer::Absent),
        Err(error) => Err(SearchError::io(&path)(error)),
    }
}

/// Makes `name` the current generation: a new file, made durable, renamed over the old one.
pub(super) fn point(folder: &Path, name: &str) -> Result<(), SearchError> {
    let (new, path) = (folder.join(NEW_POINTER), folder.join(POINTER));
    let mut file = File::create(&new).map_err(SearchError::io(&new))?;
    file.write_all(format!("{name}\n").as_bytes())
        .map_err(SearchError::io(&new))?;
    file.sync_all().map_err(SearchError::io(&new))?;
    fs::rename(&new, &path).map_err(SearchError::io(&path))?;
    sync_folder(folder)
}

/// A folder for a new generation, empty.
pub(super) fn create_next(folder: &Path) -> Result<(String, PathBuf), SearchError> {
    let newest = entries(folder)?
        .iter()
        .filter_map(|name| number(name))
        .max()
        .unwrap_or(0);
    let name = format!("gen-{}", newest + 1);
    let path = folder.join(&name);
    fs::create_dir(&path).map_err(SearchError::io(&path))?;
    Ok((name, path))
}

/// Removes what earlier writers left: generations other than `keep`, unfinished pointers, temporary files. A reader
/// that still has such a generation open keeps its files until it lets go; what cannot be removed now is tried again
/// at the next opening.
pub(super) fn sweep(folder: &Path, keep: Option<&str>) {
    for name in entries(folder).unwrap_or_default() {
        if number(&name).is_some() && Some(name.as_str()) != keep {
            let _ = fs::remove_dir_all(folder.join(&name));
        } else if name == NEW_POINTER {
            let _ = fs::remove_file(folder.join(&name));
        }
    }
    // The engine writes through `.tmp*` files and forgets those of a writer that was killed.
    if let Some(generation) = keep.map(|keep| folder.join(keep)) {
        for name in entries(&generation)
            .unwrap_or_default()
            .iter()
            .filter(|name| name.starts_with(".tmp"))
        {
            let _ = fs::remove_file(generation.join(name));
        }
    }
}

/// The generations of a folder that nobody points to: old indexes that could not be removed.
///
/// # Errors
/// A folder or pointer that cannot be read.
pub fn left_over(folder: &Path) -> Result<Vec<PathBuf>, SearchError> {
    let current = pointer(folder)?;
    let old = |name: &String| number(name).is_some() && current != Pointer::To(name.clone());
    Ok(entries(folder)?
        .into_iter()
        .filter(old)
        .map(|name| folder.join(name))
        .collect())
}

/// That nothing but a folder stands where the index belongs.
fn no_file(folder: &Path) -> Result<(), SearchError> {
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(SearchError::NotAFolder(folder.to_owned())),
        _ => Ok(()),
    }
}

/// Locks the folder for writing; the lock goes with the file.
pub(super) fn lock(folder: &Path) -> Result<File, SearchError> {
    no_file(folder)?;
    fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
    let path = folder.join(LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(SearchError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SearchError::Locked(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(SearchError::io(&path)(error)),
    }
}

fn sync_folder(folder: &Path) -> Result<(), SearchError> {
    // Windows has no such thing and needs none.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|file| file.sync_all())
            .map_err(SearchError::io(folder))?;
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<String>, SearchError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(SearchError::io(folder))? {
        names.push(
            entry
                .map_err(SearchError::io(folder))?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

/// The number of a generation's name; other names, and paths, have none.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("gen-")?;
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}
