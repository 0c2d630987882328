//! A reader's view of an index folder: it writes nothing.
//!
//! The engine's own directory opens its lock file for writing, so a user who may only read could not search. This one
//! opens it for reading and takes the lock shared, which still keeps the writer's garbage collection from removing
//! files while they are being opened. Where there is no lock file, or it may not be opened, nothing is locked: a file
//! that vanishes in between is an error at opening, and the caller opens again.
//!
//! The writer's own view ([`Shared`]) is the engine's but for one thing: the engine writes its lists of files through temporary
//! files that only their owner may read, and who may read the shop's file must be able to search.
//!
//! Files are mapped in a process of our own, and copied in somebody else's: see [`super::held`].

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};

use super::held::Held;

/// How long a reader waits for the lock; without it it goes on as where there is none.
const PATIENCE: Duration = Duration::from_millis(500);

/// An index folder opened for writing.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    files: MmapDirectory,
    folder: PathBuf,
}

impl Shared {
    pub(super) fn open(folder: &Path) -> Result<Shared, OpenDirectoryError> {
        Ok(Shared {
            files: MmapDirectory::open(folder)?,
            folder: folder.to_owned(),
        })
    }
}

impl Directory for Shared {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.files.delete(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.files.open_write(path)
    }

    /// Made durable, then renamed over the old file; with the rights that a new file gets here. What is left of a writer that was
    /// killed begins with `.tmp`, as the engine's own does, and is swept.
    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let new = self.folder.join(format!(".tmp-{name}"));
        let mut file = File::create(&new)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&new, self.folder.join(path))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.files.sync_directory()
    }
}

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
        // The writer holds it for milliseconds; whoever may read the file could hold it for ever.
        let begun = Instant::now();
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(DirectoryLock::from(Box::new(file))),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => return Ok(DirectoryLock::from(Box::new(()))),
                Err(TryLockError::Error(error)) => return Err(LockError::IoError(Arc::new(error))),
            }
        }
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
