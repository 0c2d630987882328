//! A reader's view of an index folder: it writes nothing.
//!
//! The engine's own directory opens its lock file for writing, so a user who may only read could not search. This one
//! opens it for reading and takes the lock shared, which still keeps the writer's garbage collection from removing
//! files while they are being opened. Where there is no lock file, or it may not be opened, nothing is locked: a file
//! that vanishes in between is an error at opening, and the caller opens again.
//!
//! Files are mapped in a process of our own, and copied in somebody else's: see [`super::held`].

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};

use super::held::Held;

/// An index folder opened for reading.
#[derive(Debug, Clone)]
pub(super) struct ReadOnly {
    files: MmapDirectory,
    held: Option<Arc<Held>>,
    folder: PathBuf,
}

impl ReadOnly {
    /// Maps the files, or reads them through `held`.
    pub(super) fn open(folder: &Path, held: Option<Arc<Held>>) -> Result<ReadOnly, OpenDirectoryError> {
        Ok(ReadOnly {
            files: MmapDirectory::open(folder)?,
            held,
            folder: folder.to_owned(),
        })
    }
}

fn refused() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the index was opened for reading",
    )
}

impl Directory for ReadOnly {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        match &self.held {
            Some(held) => held.open(&self.folder.join(path)),
            None => self.files.get_file_handle(path),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        let Ok(file) = File::open(self.folder.join(&lock.filepath)) else {
            return Ok(DirectoryLock::from(Box::new(())));
        };
        file.lock_shared()
            .map_err(|error| LockError::IoError(Arc::new(error)))?;
        Ok(DirectoryLock::from(Box::new(file)))
    }

    /// Readers are told to reload; they do not watch.
    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError {
            io_error: Arc::new(refused()),
            filepath: path.to_owned(),
        })
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(refused(), path.to_owned()))
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(refused())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}
