//! Searching, from any process, with no right to write.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{NaiveDate, NaiveTime};
use tantivy::{Index, ReloadPolicy, Searcher};

use super::analyzer;
use super::directory::ReadOnly;
use super::document::Fields;
use super::error::{SearchError, guarded};
use super::held::Held;
use super::layout::{self, Pointer};
use super::segment::{self, Segment, Segments};
use super::synonyms::Synonyms;
use super::writer::{FORMAT, Payload, verified};

/// How often a generation that vanishes while it is being opened is looked for again.
const TRIES: usize = 5;

/// When a local day begins, in Unix seconds.
type DayStart = Arc<dyn Fn(NaiveDate) -> i64 + Send + Sync>;

/// A reader of an index folder.
///
/// It holds what it has opened until the index changes; a search looks for that first. Safe to share between threads.
pub struct Reader {
    opened: Arc<Opened>,
    pub(super) day_start: DayStart,
    pub(super) synonyms: Synonyms,
}

/// What readers of one folder may share: see [`Reader::sharing`].
struct Opened {
    folder: PathBuf,
    fields: Fields,
    /// The files, where they are not mapped.
    held: Option<Arc<Held>>,
    open: Mutex<Arc<Generation>>,
}

/// An open generation, as of one commit.
pub(super) struct Generation {
    name: String,
    meta: Stamp,
    pub(super) searcher: Searcher,
    pub(super) segments: Arc<Segments>,
    payload: Option<Payload>,
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    file: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("folder", &self.folder()).finish()
    }
}

impl Reader {
    /// Opens the index of a folder and verifies the checksum of every file, which takes about as long as reading them.
    ///
    /// Fails with [`SearchError::Missing`] where none was built yet, [`SearchError::Damaged`] where it cannot be read.
    pub fn open(folder: &Path) -> Result<Reader, SearchError> {
        Reader::open_checked(folder, true, None)
    }

    /// Opens the index without verifying it: for a host that opens it anew for every request. The engine trusts what
    /// it reads, and over a damaged file it may end the process; the writer verifies the files whenever it is opened.
    pub fn open_trusting(folder: &Path) -> Result<Reader, SearchError> {
        Reader::open_checked(folder, false, None)
    }

    /// Opens the index in a process that is not ours: no file is mapped, so that one cut short by somebody is an error and
    /// not the end of the process, and every file is verified when it is first seen, those of later commits included.
    pub fn open_as_guest(folder: &Path) -> Result<Reader, SearchError> {
        Reader::open_checked(folder, false, Some(Arc::default()))
    }

    fn open_checked(folder: &Path, verify: bool, held: Option<Arc<Held>>) -> Result<Reader, SearchError> {
        let fields = Fields::new();
        let generation = open_current(folder, &fields, verify, held.as_ref(), &[])?;
        Ok(Reader::of(Arc::new(Opened {
            folder: folder.to_owned(),
            fields,
            held,
            open: Mutex::new(Arc::new(generation)),
        })))
    }

    fn of(opened: Arc<Opened>) -> Reader {
        Reader {
            opened,
            day_start: Arc::new(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp()),
            synonyms: Synonyms::default(),
        }
    }

    /// Another reader of the same folder, with days and synonyms of its own: what is opened is opened once.
    pub fn sharing(&self) -> Reader {
        Reader::of(Arc::clone(&self.opened))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.opened.folder
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.opened.fields
    }

    /// Lets `created_at:` count days as the shop does. Without it days are UTC.
    pub fn with_days(mut self, day_start: impl Fn(NaiveDate) -> i64 + Send + Sync + 'static) -> Reader {
        self.day_start = Arc::new(day_start);
        self
    }

    /// Lets words be found by others that mean the same: pairs, each good in both directions (the table `synonyms`).
    pub fn with_synonyms(mut self, pairs: &[(String, String)]) -> Reader {
        self.synonyms = Synonyms::new(pairs);
        self
    }

    /// The identity of the database, the last change that is in the index and the mark it was committed with, as of the
    /// newest commit.
    pub fn state(&self) -> Result<Option<(String, i64, String)>, SearchError> {
        Ok(self
            .current()?
            .payload
            .as_ref()
            .map(|payload| (payload.instance.clone(), payload.seq, payload.mark.clone())))
    }

    /// Number of documents of all kinds, as of the newest commit.
    pub fn documents(&self) -> Result<u64, SearchError> {
        Ok(self.current()?.searcher.num_docs())
    }

    /// The newest generation and commit, opened again if it is not the one at hand.
    pub(super) fn current(&self) -> Result<Arc<Generation>, SearchError> {
        let Opened {
            folder,
            fields,
            held,
            open,
        } = &*self.opened;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let same = match layout::pointer(folder)? {
            Pointer::To(name) => name == open.name && stamp(folder, &name) == Some(open.meta),
            // Somebody deletes the folder, or writes the pointer by hand: say so.
            Pointer::Absent | Pointer::Broken(_) => false,
        };
        if !same {
            // What a writer committed meanwhile it wrote just now: not verified, or every commit would cost a reading.
            *open = Arc::new(open_current(
                folder,
                fields,
                false,
                held.as_ref(),
                &open.segments.each,
            )?);
        }
        Ok(Arc::clone(&open))
    }
}

/// Opens what the pointer names. A writer may flip it and remove the old generation meanwhile: look again.
fn open_current(
    folder: &Path,
    fields: &Fields,
    verify: bool,
    held: Option<&Arc<Held>>,
    before: &[Arc<Segment>],
) -> Result<Generation, SearchError> {
    let damaged = |what: String| SearchError::Damaged {
        folder: folder.to_owned(),
        what,
    };
    let mut what = String::new();
    for _ in 0..TRIES {
        let name = match layout::pointer(folder)? {
            Pointer::Absent => return Err(SearchError::Missing(folder.to_owned())),
            Pointer::Broken(text) => {
                return Err(damaged(format!("its pointer names no generation but {text:?}")));
            }
            Pointer::To(name) => name,
        };
        if let Some(held) = held {
            held.begin();
        }
        match guarded(|| open_generation(folder, &name, fields, verify, held, before)).and_then(|found| found)
        {
            Ok(generation) => {
                if let Some(held) = held {
                    held.end();
                }
                return Ok(generation);
            }
            Err(why) => what = why,
        }
        // Not damaged, but somebody else's: another index would not help.
        let path = folder.join(&name).join("meta.json");
        match fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(SearchError::io(&path)(error));
            }
            _ => {}
        }
    }
    Err(damaged(what))
}

fn open_generation(
    folder: &Path,
    name: &str,
    fields: &Fields,
    verify: bool,
    held: Option<&Arc<Held>>,
    before: &[Arc<Segment>],
) -> Result<Generation, String> {
    // Taken before reading, so that a commit in between is noticed by the next search.
    let meta = stamp(folder, name).ok_or_else(|| format!("{name} has no meta.json"))?;
    let directory = ReadOnly::open(&folder.join(name), held.cloned()).map_err(|error| error.to_string())?;
    let index = Index::open(directory).map_err(|error| error.to_string())?;
    if index.schema() != fields.schema {
        return Err("its fields are those of another version".into());
    }
    analyzer::register(&index);
    let payload = index.load_metas().map_err(|error| error.to_string())?.payload;
    let payload: Option<Payload> = payload
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    if let Some(other) = payload
        .as_ref()
        .map(|payload| payload.format)
        .filter(|&format| format != FORMAT)
    {
        return Err(format!("it has format {other}, this version reads {FORMAT}"));
    }
    if verify {
        verified(&index)?;
    }
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .try_into()
        .map_err(|error| error.to_string())?;
    let searcher = reader.searcher();
    Ok(Generation {
        name: name.to_owned(),
        meta,
        segments: Arc::new(segment::segments(&searcher, fields, before).map_err(|error| error.to_string())?),
        searcher,
        payload,
    })
}

fn stamp(folder: &Path, name: &str) -> Option<Stamp> {
    let found = fs::metadata(folder.join(name).join("meta.json")).ok()?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let file = 0;
    Some(Stamp {
        modified: found.modified().ok(),
        length: found.len(),
        file,
    })
}
