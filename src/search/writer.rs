//! The one writer of the index.

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::directory::Shared;
use serde::{Deserialize, Serialize};
use tantivy::{Index, IndexSettings, ReloadPolicy, Term};

use super::document::{Change, Document, Fields};
use super::error::{SearchError, guarded};
use super::layout::{self, Pointer};
use super::{Key, analyzer};

/// Changes with the schema and with what is put into its fields; an index of another format is rebuilt.
pub(super) const FORMAT: u32 = 3;
/// Memory of a thread that collects documents before they are written as a segment.
const ARENA: usize = 48 << 20;
/// Bytes of texts that are compressed together. A snippet unpacks all of them for one text, so that four times as many, the
/// engine's own number, make it dearer than everything else of a search.
const STORED_TOGETHER: usize = 4096;
/// Threads of a rebuild. Changes by the day are few: one thread.
const REBUILD_THREADS: usize = 2;

/// What is written together with the documents of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) format: u32,
    /// Identity of the database the documents come from.
    pub(super) instance: String,
    /// The last change that is in the index.
    pub(super) seq: i64,
    /// What the database knows this commit by: see [`IndexWriter::sign_with`].
    #[serde(default)]
    pub(super) mark: String,
}

/// Takes one document of a rebuild.
pub type Put<'a> = &'a mut dyn FnMut(Document) -> Result<(), SearchError>;

/// How an index was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It holds every change up to `seq`. The caller compares: a `seq` beyond the database's own newest change means
    /// that the database was restored from an older copy, and the index has to be rebuilt.
    Current {
        /// The last change that is in the index.
        seq: i64,
        /// The mark of its last commit.
        mark: String,
    },
    /// It cannot be used, and takes no change before [`IndexWriter::rebuild`].
    MustRebuild {
        /// For people.
        why: String,
    },
}

/// The result of [`IndexWriter::open`].
#[derive(Debug)]
pub struct Opened {
    /// The writer; it holds the folder's lock until it is dropped.
    pub writer: IndexWriter,
    /// How the index was found.
    pub state: State,
}

/// The one writer of an index folder.
///
/// Keep it alive while changes come in: merging segments happens behind it, and [`IndexWriter::close`] waits for that.
pub struct IndexWriter {
    folder: PathBuf,
    instance: String,
    mark: String,
    fields: Fields,
    engine: Result<tantivy::IndexWriter, String>,
    _lock: File,
}

impl std::fmt::Debug for IndexWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexWriter")
            .field("folder", &self.folder)
            .field("instance", &self.instance)
            .finish()
    }
}

impl IndexWriter {
    /// Opens the index folder for writing, creates it if need be, verifies every file's checksum and removes what
    /// earlier writers left behind. `instance` is the identity of the database.
    ///
    /// Fails with [`SearchError::Locked`] while another writer lives. A missing, foreign or damaged index is no
    /// error: see [`State`].
    pub fn open(folder: &Path, instance: &str) -> Result<Opened, SearchError> {
        let lock = layout::lock(folder)?;
        let fields = Fields::new();
        let pointer = layout::pointer(folder)?;
        let current = match &pointer {
            Pointer::To(name) => Some(name.as_str()),
            _ => None,
        };
        layout::sweep(folder, current);
        let found = match &pointer {
            Pointer::Absent => Err("there is no index yet".to_owned()),
            Pointer::Broken(text) => Err(format!("its pointer names no generation but {text:?}")),
            Pointer::To(name) => {
                guarded(|| examine(&folder.join(name), instance, &fields)).and_then(|found| found)
            }
        };
        let (engine, state) = match found {
            Ok((index, Payload { seq, mark, .. })) => match index.writer_with_num_threads(1, ARENA) {
                Ok(engine) => (Ok(engine), State::Current { seq, mark }),
                Err(error) => (
                    Err(error.to_string()),
                    State::MustRebuild {
                        why: error.to_string(),
                    },
                ),
            },
            Err(why) => (Err(why.clone()), State::MustRebuild { why }),
        };
        let writer = IndexWriter {
            folder: folder.to_owned(),
            instance: instance.to_owned(),
            mark: String::new(),
            fields,
            engine,
            _lock: lock,
        };
        Ok(Opened { writer, state })
    }

    /// What commits bear from now on. The database writes a new mark down before the commit that bears it: so an index and a
    /// file that are not of one time, because one of them was restored from a copy, do not know each other's marks, even
    /// when the numbers of their changes agree.
    pub fn sign_with(&mut self, mark: String) {
        self.mark = mark;
    }

    /// Applies changes in order and returns how many. Nobody sees them before [`IndexWriter::commit`].
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<u64, SearchError> {
        let engine = self
            .engine
            .as_ref()
            .map_err(|why| SearchError::MustRebuild(why.clone()))?;
        let mut applied = 0;
        for change in changes {
            match change {
                Change::Put(document) => {
                    engine.delete_term(self.key(&document.key()));
                    engine.add_document(document.to_engine(&self.fields))?;
                }
                Change::Remove(key) => {
                    engine.delete_term(self.key(&key));
                }
            }
            applied += 1;
        }
        Ok(applied)
    }

    /// Makes the applied changes durable and visible, together with the number of the last of them.
    pub fn commit(&mut self, seq: i64) -> Result<(), SearchError> {
        let payload = Payload {
            format: FORMAT,
            instance: self.instance.clone(),
            seq,
            mark: self.mark.clone(),
        };
        let engine = self
            .engine
            .as_mut()
            .map_err(|why| SearchError::MustRebuild(why.clone()))?;
        commit(engine, &payload)
    }

    /// Builds the index anew from all documents: see [`IndexWriter::rebuild_with`].
    pub fn rebuild<E: Display>(
        &mut self,
        documents: impl IntoIterator<Item = Result<Document, E>>,
        seq: i64,
    ) -> Result<u64, SearchError> {
        self.rebuild_with(seq, |put| {
            for document in documents {
                put(document.map_err(|error| SearchError::Source(error.to_string()))?)?;
            }
            Ok(())
        })
    }

    /// Builds the index anew from every document that `source` hands to the function it is given, into a new
    /// generation that takes the place of the old one at the end; until then readers use the old one. Returns how
    /// many documents there are. `seq` is the last change that was made before `source` began to read.
    ///
    /// When it fails, the old generation stays and the new one is removed. An error of the source's own is best
    /// handed on as [`SearchError::Source`].
    pub fn rebuild_with(
        &mut self,
        seq: i64,
        source: impl FnOnce(Put<'_>) -> Result<(), SearchError>,
    ) -> Result<u64, SearchError> {
        let (name, path) = layout::create_next(&self.folder)?;
        let payload = Payload {
            format: FORMAT,
            instance: self.instance.clone(),
            seq,
            mark: self.mark.clone(),
        };
        let built = fill(&path, &self.fields, source, &payload)
            .and_then(|(index, count)| layout::point(&self.folder, &name).map(|()| (index, count)));
        match built {
            Ok((index, count)) => {
                self.engine = Ok(index.writer_with_num_threads(1, ARENA)?);
                layout::sweep(&self.folder, Some(&name));
                Ok(count)
            }
            Err(error) => {
                let _ = fs::remove_dir_all(&path);
                Err(error)
            }
        }
    }

    /// Waits for merges under way and lets the folder go. Dropping the writer instead abandons them.
    pub fn close(self) -> Result<(), SearchError> {
        match self.engine {
            Ok(engine) => Ok(engine.wait_merging_threads()?),
            Err(_) => Ok(()),
        }
    }

    fn key(&self, key: &Key) -> Term {
        Term::from_field_text(self.fields.key, &key.term())
    }
}

fn commit(engine: &mut tantivy::IndexWriter, payload: &Payload) -> Result<(), SearchError> {
    let text = serde_json::to_string(payload).map_err(|error| SearchError::Source(error.to_string()))?;
    let mut prepared = engine.prepare_commit()?;
    prepared.set_payload(&text);
    prepared.commit()?;
    Ok(())
}

/// Fills a new generation and makes it durable.
fn fill(
    path: &Path,
    fields: &Fields,
    source: impl FnOnce(Put<'_>) -> Result<(), SearchError>,
    payload: &Payload,
) -> Result<(Index, u64), SearchError> {
    let directory = Shared::open(path).map_err(tantivy::TantivyError::from)?;
    let settings = IndexSettings {
        docstore_blocksize: STORED_TOGETHER,
        ..IndexSettings::default()
    };
    let index = Index::create(directory, fields.schema.clone(), settings)?;
    analyzer::register(&index);
    let mut engine: tantivy::IndexWriter =
        index.writer_with_num_threads(REBUILD_THREADS, REBUILD_THREADS * ARENA)?;
    let mut count = 0;
    source(&mut |document: Document| {
        engine.add_document(document.to_engine(fields))?;
        count += 1;
        Ok(())
    })?;
    commit(&mut engine, payload)?;
    engine.wait_merging_threads()?;
    Ok((index, count))
}

/// Opens a generation and looks whether it can be trusted: the index and what its last commit says, or why not.
fn examine(path: &Path, instance: &str, fields: &Fields) -> Result<(Index, Payload), String> {
    let directory = Shared::open(path).map_err(|error| format!("it cannot be opened: {error}"))?;
    let index = Index::open(directory).map_err(|error| format!("it cannot be opened: {error}"))?;
    if index.schema() != fields.schema {
        return Err("its fields are those of another version".into());
    }
    analyzer::register(&index);
    let metas = index
        .load_metas()
        .map_err(|error| format!("its meta.json is damaged: {error}"))?;
    let payload: Payload = metas
        .payload
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or("its last commit does not say which changes it holds")?;
    if payload.format != FORMAT {
        return Err(format!(
            "it has format {}, this version writes {FORMAT}",
            payload.format
        ));
    }
    if payload.instance != instance {
        return Err("it was made from another database".into());
    }
    verified(&index)?;
    // A checksum is taken of the files that exist; opening the segments misses those that do not.
    index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .try_into()
        .map_err(|error| format!("its segments cannot be read: {error}"))?;
    Ok((index, payload))
}

/// Compares every file with its checksum.
pub(super) fn verified(index: &Index) -> Result<(), String> {
    let damaged = index
        .validate_checksum()
        .map_err(|error| format!("its files cannot be verified: {error}"))?;
    match damaged.iter().min() {
        Some(file) => Err(format!("the checksum of {} is wrong", file.display())),
        None => Ok(()),
    }
}
