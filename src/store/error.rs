//! What can go wrong with the file. Corruption, a foreign file, a newer file and a busy file are different
//! kinds, because the remedy differs; `cli` maps them to exit codes.

use std::path::PathBuf;

/// Every way the store can fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no database at the path.
    #[error("{}: no such database; `nightclerk --db {} init` creates one", .path.display(), .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A database of another program.
    #[error("{}: a database, but not a nightclerk one; name another file with --db", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A file stands where a new one was to be made. Exit code 2.
    #[error("{}: exists already; {remedy}", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        remedy: String,
    },
    /// Written by a newer nightclerk. Exit code 4.
    #[error(
        "{}: written by a newer nightclerk (schema {found}, this one knows {known}); update nightclerk, or restore \
         the backup made before the upgrade", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its user_version.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// The file or a part of it is damaged.
    #[error("{}: damaged: {detail}; run `nightclerk doctor`, then restore a backup", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A stored model failed its checksum or does not decode.
    #[error("artefact `{name}` of generation {generation}: {detail}; the next run writes it again")]
    Artefact {
        /// Its name.
        name: String,
        /// The generation it belongs to.
        generation: i64,
        /// What was found.
        detail: String,
    },
    /// A value in a table that nobody should have put there.
    #[error("table {table}, {what}")]
    Value {
        /// The table.
        table: &'static str,
        /// Row, column, value, and what to do.
        what: String,
    },
    /// A request that cannot be met, with its reason and remedy.
    #[error("{0}")]
    Refused(String),
    /// A file operation failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// SQLite's own word; of a disk that is full, ours.
    #[error("{}", told(.0))]
    Sqlite(#[from] rusqlite::Error),
}

/// A full disk shows in two ways: a page that cannot be written, and a `-shm` file that cannot grow, which SQLite calls an I/O
/// error.
fn told(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) if code.code == rusqlite::ErrorCode::DiskFull => {
            format!("SQLite: the disk is full: make room, what is published stays ({error})")
        }
        Some(code) if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
            format!(
                "SQLite: the disk is full, or a quota is: the file -shm beside the database cannot grow ({error})"
            )
        }
        _ => format!("SQLite: {error}"),
    }
}

/// Result of the store.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether another connection held the file longer than the busy timeout.
    pub fn is_busy(&self) -> bool {
        matches!(self, Error::Sqlite(rusqlite::Error::SqliteFailure(e, _))
            if matches!(e.code, rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_one_whichever_file_met_it() {
        for (code, full) in [
            (rusqlite::ffi::SQLITE_FULL, true),
            (rusqlite::ffi::SQLITE_IOERR_SHMSIZE, true),
            (rusqlite::ffi::SQLITE_IOERR_READ, false),
        ] {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let said = Error::from(error).to_string();
            assert_eq!(said.contains("the disk is full"), full, "{said}");
            assert!(said.starts_with("SQLite: "), "{said}");
        }
    }
}
