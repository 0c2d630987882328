//! Nameless temporary files: gone when closed, and gone when the program is killed.

use super::ImportError;
use std::fs::{File, OpenOptions};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Opens a new file in the system's temporary folder (TMPDIR) and takes its name away at once where the system
/// allows that; elsewhere the system clears the folder.
pub fn file() -> Result<File, ImportError> {
    let folder = std::env::temp_dir();
    let failed = |error: std::io::Error| {
        ImportError::Input(format!(
            "cannot make a temporary file in {}: {error}; TMPDIR names another folder",
            folder.display()
        ))
    };
    for _ in 0..1000 {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("nightclerk-{}-{count}.tmp", std::process::id()));
        match OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
        {
            Ok(file) => {
                std::fs::remove_file(&path).map_err(failed)?;
                return Ok(file);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(std::io::ErrorKind::AlreadyExists.into()))
}
