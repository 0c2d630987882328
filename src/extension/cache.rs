//! What all connections of a process share: models, and open indexes.
//!
//! A model can take a second to read and a hundred megabytes to keep, so it is read once, by the first call that asks for
//! it, while others that want the same wait. Only the cache holds it: of each file and kind one generation, the one asked
//! for last; all together at most [`MOST_BYTES`] of stored models, the longest unused going first.
//!
//! After a fork a child begins anew: a lock of its parent may be held by a thread that the child does not have.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::search::{Reader, SearchError};
use crate::store::ModelsKey;

/// Stored bytes of the models that are kept, together.
const MOST_BYTES: usize = 256 << 20;
/// Indexes that are kept open.
const MOST_INDEXES: usize = 8;

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// What is known of tickets.
    Support,
    /// What comes next in a session.
    Sessions,
}

impl Kind {
    /// As people call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Support => "support",
            Kind::Sessions => "sessions",
        }
    }
}

type Model = Arc<dyn Any + Send + Sync>;

/// Where one model is or will be.
#[derive(Default)]
struct Seat {
    model: Mutex<Option<Model>>,
}

struct Entry<S> {
    seat: Arc<S>,
    used: u64,
}

struct Cached {
    key: ModelsKey,
    bytes: usize,
    entry: Entry<Seat>,
}

#[derive(Default)]
struct Shelf {
    clock: u64,
    models: HashMap<(PathBuf, Kind), Cached>,
    indexes: HashMap<PathBuf, Entry<Mutex<Option<Reader>>>>,
}

struct Cache {
    process: u32,
    shelf: Mutex<Shelf>,
}

static CACHE: AtomicPtr<Cache> = AtomicPtr::new(std::ptr::null_mut());

/// The shelf of this process.
fn shelf() -> MutexGuard<'static, Shelf> {
    let process = std::process::id();
    let mut found = CACHE.load(Ordering::Acquire);
    loop {
        // SAFETY: what is stored here came from `Box::leak` below and is never freed.
        if let Some(cache) = unsafe { found.as_ref() }
            && cache.process == process
        {
            return cache.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        }
        let new = Box::leak(Box::new(Cache {
            process,
            shelf: Mutex::default(),
        }));
        match CACHE.compare_exchange(found, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => found = new,
            Err(other) => found = other, // another thread was faster; ours stays unused
        }
    }
}

/// The model of a file, read by `read` unless it is at hand. `read` returns it with the bytes it is stored in.
pub(super) fn model<T: Any + Send + Sync, E>(
    file: &Path,
    kind: Kind,
    key: &ModelsKey,
    read: impl FnOnce() -> Result<(T, usize), E>,
) -> Result<Arc<T>, E> {
    let place = (file.to_owned(), kind);
    let seat = {
        let mut shelf = shelf();
        shelf.clock += 1;
        let now = shelf.clock;
        let known = shelf.models.get_mut(&place).filter(|cached| cached.key == *key);
        match known {
            Some(cached) => {
                cached.entry.used = now;
                Arc::clone(&cached.entry.seat)
            }
            None => {
                let seat = Arc::new(Seat::default());
                let cached = Cached {
                    key: key.clone(),
                    bytes: 0,
                    entry: Entry {
                        seat: Arc::clone(&seat),
                        used: now,
                    },
                };
                shelf.models.insert(place.clone(), cached);
                seat
            }
        }
    };
    let mut model = seat.model.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(model) = &*model
        && let Ok(model) = Arc::clone(model).downcast::<T>()
    {
        return Ok(model);
    }
    let (read, bytes) = read()?;
    let read = Arc::new(read);
    *model = Some(Arc::clone(&read) as Model);
    drop(model);
    let mut shelf = shelf();
    if let Some(cached) = shelf.models.get_mut(&place).filter(|cached| cached.key == *key) {
        cached.bytes = bytes;
    }
    shelf.bound(&place);
    Ok(read)
}

/// The open index of a folder, for a reader to share; opened unless it is.
pub(super) fn index(folder: &Path) -> Result<Reader, SearchError> {
    let seat = {
        let mut shelf = shelf();
        shelf.clock += 1;
        let now = shelf.clock;
        if shelf.indexes.len() >= MOST_INDEXES
            && !shelf.indexes.contains_key(folder)
            && let Some(oldest) = oldest(shelf.indexes.iter().map(|(folder, entry)| (folder, entry.used)))
        {
            shelf.indexes.remove(&oldest);
        }
        let entry = shelf.indexes.entry(folder.to_owned()).or_insert_with(|| Entry {
            seat: Arc::default(),
            used: now,
        });
        entry.used = now;
        Arc::clone(&entry.seat)
    };
    let mut reader = seat.lock().unwrap_or_else(PoisonError::into_inner);
    let reader = match &*reader {
        Some(reader) => reader,
        None => reader.insert(Reader::open_as_guest(folder)?),
    };
    Ok(reader.sharing())
}

/// What is kept of a file's models: kind, generation, stored bytes.
pub(super) fn kept(file: &Path) -> Vec<(Kind, i64, usize)> {
    let shelf = shelf();
    let of_file = shelf.models.iter().filter(|((path, _), _)| path == file);
    let mut kept: Vec<(Kind, i64, usize)> = of_file
        .filter(|(_, cached)| cached.bytes > 0)
        .map(|((_, kind), cached)| (*kind, cached.key.generation, cached.bytes))
        .collect();
    kept.sort_by_key(|(kind, ..)| kind.as_str());
    kept
}

impl Shelf {
    /// Lets the longest unused models go until the rest is within the bound; never the one that is in use now.
    fn bound(&mut self, in_use: &(PathBuf, Kind)) {
        while self.models.values().map(|cached| cached.bytes).sum::<usize>() > MOST_BYTES {
            let others = self.models.iter().filter(|(place, _)| *place != in_use);
            let Some(place) = oldest(others.map(|(place, cached)| (place, cached.entry.used))) else {
                break;
            };
            self.models.remove(&place);
        }
    }
}

fn oldest<'a, K: Clone + Eq + Hash + 'a>(entries: impl Iterator<Item = (&'a K, u64)>) -> Option<K> {
    entries.min_by_key(|(_, used)| *used).map(|(key, _)| key.clone())
}
