//! Searching, from any process, with no right to write.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{NaiveDate, NaiveTime};
use tantivy::collector::TopDocs;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByString};
use tantivy::schema::Value;
use tantivy::{Index, Order, ReloadPolicy, Searcher, TantivyDocument};

use super::compile::compile;
use super::directory::ReadOnly;
use super::document::{Fields, Kind};
use super::error::{SearchError, guarded};
use super::layout::{self, Pointer};
use super::query::Query;
use super::snippet::{Texts, snippet};
use super::writer::{FORMAT, Payload, verified};
use super::{analyzer, query};

/// The most hits one search returns.
pub const LARGEST_LIMIT: usize = 10_000;

/// How often a generation that vanishes while it is being opened is looked for again.
const TRIES: usize = 5;

/// One document found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// BM25 over the text fields, larger is better; conditions without words score 0.
    pub score: f64,
    /// An excerpt as HTML: text escaped, hits in `<mark>`.
    pub snippet: String,
}

/// When a local day begins, in Unix seconds.
type DayStart = Arc<dyn Fn(NaiveDate) -> i64 + Send + Sync>;

/// A reader of an index folder.
///
/// It holds what it has opened until the index changes; a search looks for that first. Safe to share between threads.
pub struct Reader {
    folder: PathBuf,
    fields: Fields,
    open: Mutex<Arc<Generation>>,
    day_start: DayStart,
}

/// An open generation, as of one commit.
struct Generation {
    name: String,
    meta: Stamp,
    searcher: Searcher,
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
        f.debug_struct("Reader").field("folder", &self.folder).finish()
    }
}

impl Reader {
    /// Opens the index of a folder and verifies the checksum of every file, which takes about as long as reading them.
    ///
    /// Fails with [`SearchError::Missing`] where none was built yet, [`SearchError::Damaged`] where it cannot be read.
    pub fn open(folder: &Path) -> Result<Reader, SearchError> {
        Reader::open_checked(folder, true)
    }

    /// Opens the index without verifying it: for a host that opens it anew for every request. The engine trusts what
    /// it reads, and over a damaged file it may end the process; the writer verifies the files whenever it is opened.
    pub fn open_trusting(folder: &Path) -> Result<Reader, SearchError> {
        Reader::open_checked(folder, false)
    }

    fn open_checked(folder: &Path, verify: bool) -> Result<Reader, SearchError> {
        let fields = Fields::new();
        let generation = open_current(folder, &fields, verify)?;
        let day_start: DayStart = Arc::new(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp());
        Ok(Reader {
            folder: folder.to_owned(),
            fields,
            open: Mutex::new(Arc::new(generation)),
            day_start,
        })
    }

    /// Lets `created_at:` count days as the shop does. Without it days are UTC.
    pub fn with_days(mut self, day_start: impl Fn(NaiveDate) -> i64 + Send + Sync + 'static) -> Reader {
        self.day_start = Arc::new(day_start);
        self
    }

    /// The identity of the database and the last change that is in the index, as of the newest commit.
    pub fn state(&self) -> Result<Option<(String, i64)>, SearchError> {
        Ok(self
            .current()?
            .payload
            .as_ref()
            .map(|payload| (payload.instance.clone(), payload.seq)))
    }

    /// Number of documents of all kinds, as of the newest commit.
    pub fn documents(&self) -> Result<u64, SearchError> {
        Ok(self.current()?.searcher.num_docs())
    }

    /// The `limit` best documents of a kind for a query ([`query`] has the language), best first, equal scores by id.
    ///
    /// No query is an error: what does not parse is searched as plain words. A query without any word or condition
    /// finds nothing. At most [`LARGEST_LIMIT`] hits.
    pub fn search(&self, kind: Kind, query: &str, limit: usize) -> Result<Vec<Hit>, SearchError> {
        let generation = self.current()?;
        let query = query::parse(query);
        let limit = limit.min(LARGEST_LIMIT);
        if limit == 0 || query.clauses.is_empty() {
            return Ok(Vec::new());
        }
        guarded(|| self.find(&generation.searcher, &query, kind, limit))
            .and_then(|found| found.map_err(|error| error.to_string()))
            .map_err(|what| SearchError::Damaged {
                folder: self.folder.clone(),
                what,
            })
    }

    fn find(
        &self,
        searcher: &Searcher,
        query: &Query,
        kind: Kind,
        limit: usize,
    ) -> tantivy::Result<Vec<Hit>> {
        let compiled = compile(query, kind, &self.fields, &*self.day_start);
        // The engine breaks ties by where a document happens to lie. One hit more shows whether a tie crosses the
        // limit; only then are all matches ranked by score and id, which costs the engine its short cuts.
        let mut best = searcher.search(&compiled, &TopDocs::with_limit(limit + 1).order_by_score())?;
        if best.len() > limit {
            if best[limit - 1].0 == best[limit].0 {
                let by_id = (SortByString::for_field("id"), Order::Asc);
                let ranked = TopDocs::with_limit(limit).order_by((SortBySimilarityScore, by_id));
                best = searcher
                    .search(&compiled, &ranked)?
                    .into_iter()
                    .map(|((score, _), at)| (score, at))
                    .collect();
            }
            best.truncate(limit);
        }
        let mut hits = Vec::with_capacity(best.len());
        for (score, address) in best {
            let document: TantivyDocument = searcher.doc(address)?;
            let all = |field| document.get_all(field).filter_map(|value| value.as_str());
            let texts = Texts {
                subject: all(self.fields.subject).next().unwrap_or_default(),
                body: all(self.fields.body).next().unwrap_or_default(),
                replies: all(self.fields.replies).collect(),
                notes: all(self.fields.notes).collect(),
            };
            let id = all(self.fields.id).next().unwrap_or_default().to_owned();
            hits.push(Hit {
                id,
                score: f64::from(score),
                snippet: snippet(&texts, query),
            });
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        Ok(hits)
    }

    /// The newest generation and commit, opened again if it is not the one at hand.
    fn current(&self) -> Result<Arc<Generation>, SearchError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let same = match layout::pointer(&self.folder)? {
            Pointer::To(name) => name == open.name && stamp(&self.folder, &name) == Some(open.meta),
            // Somebody deletes the folder, or writes the pointer by hand: say so.
            Pointer::Absent | Pointer::Broken(_) => false,
        };
        if !same {
            // What a writer committed meanwhile it wrote just now: not verified, or every commit would cost a reading.
            *open = Arc::new(open_current(&self.folder, &self.fields, false)?);
        }
        Ok(Arc::clone(&open))
    }
}

/// Opens what the pointer names. A writer may flip it and remove the old generation meanwhile: look again.
fn open_current(folder: &Path, fields: &Fields, verify: bool) -> Result<Generation, SearchError> {
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
        match guarded(|| open_generation(folder, &name, fields, verify)).and_then(|found| found) {
            Ok(generation) => return Ok(generation),
            Err(why) => what = why,
        }
    }
    Err(damaged(what))
}

fn open_generation(folder: &Path, name: &str, fields: &Fields, verify: bool) -> Result<Generation, String> {
    // Taken before reading, so that a commit in between is noticed by the next search.
    let meta = stamp(folder, name).ok_or_else(|| format!("{name} has no meta.json"))?;
    let directory = ReadOnly::open(&folder.join(name)).map_err(|error| error.to_string())?;
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
    Ok(Generation {
        name: name.to_owned(),
        meta,
        searcher: reader.searcher(),
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
