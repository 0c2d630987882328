//! The files of an index, read and never mapped: what a guest in somebody else's process may do.
//!
//! A mapped file that is cut short while it is mapped ends the process with a signal that nobody can catch, and the process
//! is the shop's web server. So here bytes are copied: small files that every query needs (terms, lengths, columns,
//! deletions, and the postings and texts of an index of usual size) are held in memory, whatever is large is read from an
//! open file at the place asked for. A file that ends too early is then an error like any other.
//!
//! The engine trusts what it reads, so every file is compared with its checksum before the engine sees the first byte of
//! it, once: an index's files are never changed, only added and removed. What is held in memory cannot go bad after that.
//! [`Held`] is shared by everybody in a process who reads the index, and outlives a commit: of the files of a new commit
//! only the new ones are read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tantivy::HasLen;
use tantivy::directory::error::OpenReadError;
use tantivy::directory::{FileHandle, OwnedBytes};

/// A file of postings or positions up to so many bytes is held in memory.
const HOLD: u64 = 64 << 20;
/// A file of texts. A search with snippets reads twenty places of them, and each costs the system as much as unpacking it costs us.
const HOLD_TEXTS: u64 = 16 << 20;
/// Bytes that are read at a time where only their checksum is wanted.
const STEP: usize = 1 << 18;
/// The two numbers at the very end of a file: the length of its footer, and the engine's mark.
const ENDING: usize = 8;
/// The engine's mark.
const MARK: u32 = 1337;
/// A longer footer is none.
const LONGEST_FOOTER: u32 = 50_000;

/// The files of one index that were opened and found sound, or found not to be.
#[derive(Debug, Default)]
pub(super) struct Held {
    known: Mutex<HashMap<PathBuf, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    state: State,
    found: Result<Arc<dyn FileHandle>, String>,
    /// Whether the opening under way has asked for it.
    used: bool,
}

/// Tells one file of a name from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    length: u64,
    modified: Option<SystemTime>,
    file: u64,
}

impl Held {
    /// A file, verified.
    pub(super) fn open(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(error, path.to_owned()),
        };
        // Whoever waits for the other end of a pipe waits for ever.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidData,
                "no plain file",
            )));
        }
        let file = File::open(path).map_err(failed)?;
        let state = State::of(&file).map_err(failed)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get_mut(path).filter(|entry| entry.state == state);
        let found = match entry {
            Some(entry) => {
                entry.used = true;
                entry.found.clone()
            }
            None => {
                let found = match read(file, path, state.length) {
                    // A file that could not be read now may be another time; what is damaged stays so.
                    Err(error) if error.kind() != io::ErrorKind::InvalidData => return Err(failed(error)),
                    found => found.map_err(|error| error.to_string()),
                };
                let entry = Known {
                    state,
                    found: found.clone(),
                    used: true,
                };
                known.insert(path.to_owned(), entry);
                found
            }
        };
        found.map_err(|why| failed(io::Error::new(io::ErrorKind::InvalidData, why)))
    }

    /// Begins an opening: what it does not ask for is let go at its [`Held::end`].
    pub(super) fn begin(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values_mut().for_each(|entry| entry.used = false);
    }

    /// Ends an opening.
    pub(super) fn end(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, entry| entry.used);
    }
}

impl State {
    fn of(file: &File) -> io::Result<State> {
        let found = file.metadata()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let number = 0;
        Ok(State {
            length: found.len(),
            modified: found.modified().ok(),
            file: number,
        })
    }
}

fn read(file: File, path: &Path, length: u64) -> io::Result<Arc<dyn FileHandle>> {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or("");
    match holds(kind, length) {
        true => Ok(Arc::new(in_memory(file, length)?)),
        false => Ok(Arc::new(in_place(file, length)?)),
    }
}

/// Whether a file of this kind and length is held in memory.
fn holds(kind: &str, length: u64) -> bool {
    match kind {
        "store" => length <= HOLD_TEXTS,
        "idx" | "pos" => length <= HOLD,
        _ => true,
    }
}

fn in_memory(mut file: File, length: u64) -> io::Result<OwnedBytes> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    let ending = bytes.len().saturating_sub(LONGEST_FOOTER as usize + ENDING);
    let (body, checksum) = footer(&bytes[ending..])?;
    compare(checksum, crc32fast::hash(&bytes[..ending + body]))?;
    Ok(OwnedBytes::new(bytes))
}

fn in_place(file: File, length: u64) -> io::Result<Placed> {
    let placed = Placed {
        length: usize::try_from(length).map_err(io::Error::other)?,
        file,
    };
    let ending = placed.length.saturating_sub(LONGEST_FOOTER as usize + ENDING);
    let (body, checksum) = footer(&placed.copy(ending..placed.length)?)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; STEP];
    let (mut at, end) = (0, ending + body);
    while at < end {
        let step = STEP.min(end - at);
        placed.fill(&mut buffer[..step], at)?;
        hasher.update(&buffer[..step]);
        at += step;
    }
    compare(checksum, hasher.finalize())?;
    Ok(placed)
}

/// Where the body ends and what its checksum is, from the end of a file.
fn footer(ending: &[u8]) -> io::Result<(usize, u32)> {
    #[derive(serde::Deserialize)]
    struct Footer {
        crc: u32,
    }
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let at = ending
        .len()
        .checked_sub(ENDING)
        .ok_or_else(|| wrong("the file is cut short"))?;
    let number = |from: usize| {
        let bytes = ending[from..from + 4].try_into().unwrap_or_default();
        u32::from_le_bytes(bytes)
    };
    let (length, mark) = (number(at), number(at + 4));
    if mark != MARK || length > LONGEST_FOOTER {
        return Err(wrong("the file has no footer: it is damaged or cut short"));
    }
    let body = at
        .checked_sub(length as usize)
        .ok_or_else(|| wrong("the file is cut short"))?;
    let footer: Footer = serde_json::from_slice(&ending[body..at]).map_err(io::Error::other)?;
    Ok((body, footer.crc))
}

fn compare(expected: u32, found: u32) -> io::Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "its checksum is wrong",
    ))
}

/// A file that is read where it is asked for.
#[derive(Debug)]
struct Placed {
    file: File,
    length: usize,
}

impl Placed {
    fn copy(&self, range: Range<usize>) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; range.len()];
        self.fill(&mut bytes, range.start)?;
        Ok(bytes)
    }

    #[cfg(unix)]
    fn fill(&self, bytes: &mut [u8], at: usize) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at as u64)
    }

    #[cfg(windows)]
    fn fill(&self, mut bytes: &mut [u8], mut at: usize) -> io::Result<()> {
        while !bytes.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, bytes, at as u64)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[read..];
            at += read;
        }
        Ok(())
    }
}

impl HasLen for Placed {
    fn len(&self) -> usize {
        self.length
    }
}

impl FileHandle for Placed {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.length {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(OwnedBytes::new(self.copy(range)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{build, ticket};
    use super::*;

    #[test]
    fn what_is_read_in_place_is_what_is_held_and_a_file_cut_short_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        build(
            folder.path(),
            (0..300)
                .map(|i| ticket(&i.to_string(), "order", "text"))
                .collect(),
        );
        let name = std::fs::read_to_string(folder.path().join("current")).unwrap();
        let files = std::fs::read_dir(folder.path().join(name.trim())).unwrap();
        let texts = files.map(|entry| entry.unwrap().path());
        let texts = texts.filter(|path| path.extension().is_some_and(|kind| kind == "store"));
        let mut seen = 0;
        for path in texts {
            let length = std::fs::metadata(&path).unwrap().len();
            let held = in_memory(File::open(&path).unwrap(), length).unwrap();
            let placed = in_place(File::open(&path).unwrap(), length).unwrap();
            assert_eq!(placed.len(), held.len());
            let bytes = |file: &dyn FileHandle, range| file.read_bytes(range).map(|bytes| bytes.to_vec());
            for range in [0..held.len(), 3..17, 5..5] {
                assert_eq!(
                    bytes(&placed, range.clone()).unwrap(),
                    bytes(&held, range).unwrap()
                );
            }
            assert!(placed.read_bytes(0..held.len() + 1).is_err());
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(3)
                .unwrap();
            assert!(placed.read_bytes(0..10).is_err() && bytes(&held, 0..10).is_ok());
            assert!(in_place(File::open(&path).unwrap(), 3).is_err());
            assert!(in_memory(File::open(&path).unwrap(), 3).is_err());
            seen += 1;
        }
        assert!(seen > 0);
        assert!(holds("store", HOLD_TEXTS) && !holds("store", HOLD_TEXTS + 1));
        assert!(holds("idx", HOLD) && !holds("pos", HOLD + 1) && holds("term", u64::MAX));
    }
}
