//! What can go wrong in the index, by what the caller can do about it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// An error of the search index.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// There is no index yet.
    #[error("there is no search index in {0} yet: `nightclerk run search` builds it")]
    Missing(PathBuf),
    /// A file stands where the index folder belongs.
    #[error(
        "{0} is a file, and the search index is a folder of that name: move the file away, then `nightclerk run search` \
         builds the index"
    )]
    NotAFolder(PathBuf),
    /// The index cannot be used as it is.
    #[error("the search index in {folder} is damaged: {what}: `nightclerk run search` builds it anew")]
    Damaged {
        /// The index folder.
        folder: PathBuf,
        /// What was found.
        what: String,
    },
    /// Another process writes the index.
    #[error("another process is writing the search index in {0}; wait until it ends")]
    Locked(PathBuf),
    /// A change was offered to an index that has to be rebuilt first.
    #[error("the search index has to be rebuilt before it takes changes: {0}")]
    MustRebuild(String),
    /// The documents for a rebuild could not be read.
    #[error("the documents for the search index could not be read: {0}")]
    Source(String),
    /// A file could not be read or written.
    #[error("search index, {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The engine failed.
    #[error("search engine: {0}")]
    Engine(#[from] tantivy::TantivyError),
}

impl SearchError {
    /// Names the file an input/output error is about.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> SearchError + '_ {
        move |source| SearchError::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Runs what reads index files. The engine checks no checksum while reading and panics over some damaged files; here
/// that becomes the message of an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "the engine gave up reading it".into())
    })
}
