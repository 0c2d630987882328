//! The files of an index, read and never mapped: what a guest in somebody else's process may do.
//!
//! A mapped file that is cut short while it is mapped ends the process with a signal that nobody can catch, and the process
//! is the shop's web server. So here bytes are copied: small files that every query needs (terms, lengths, columns,
//! deletions, and the postings of an index of usual size) are held in memory, the texts and whatever is large are read from
//! an open file at the place asked for. A file that ends too early is then an error like any other.
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

fn read(mut file: File, path: &Path, length: u64) -> io::Result<Arc<dyn FileHandle>> {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or("");
    let hold = match kind {
        "store" => false,
        "idx" | "pos" => length <= HOLD,
        _ => true,
    };
    if hold {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        let ending = bytes.len().saturating_sub(LONGEST_FOOTER as usize + ENDING);
        let (body, checksum) = footer(&bytes[ending..])?;
        compare(checksum, crc32fast::hash(&bytes[..ending + body]))?;
        return Ok(Arc::new(OwnedBytes::new(bytes)));
    }
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
    Ok(Arc::new(placed))
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
