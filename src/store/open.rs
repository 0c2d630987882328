//! Opening the file: who it belongs to, which version it has, and the pragmas every connection gets.
//!
//! | pragma | value | why |
//! |---|---|---|
//! | journal_mode | WAL | readers never wait for a night |
//! | synchronous | NORMAL | a crash of the process loses nothing, a power cut at most the last commits |
//! | busy_timeout | 10 s | a checkout may write in between |
//! | secure_delete | on | what is forgotten is overwritten |
//! | auto_vacuum | incremental | `upkeep` gives space back in small steps |
//! | trusted_schema | off | the schema calls core functions only, and keeps it so |

use super::error::{Error, Result};
use super::migrate;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `PRAGMA application_id` of our files: "NCLK".
pub const APPLICATION_ID: i64 = 0x4E43_4C4B;

/// How long a connection waits for another one's write.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open shop: one connection to one file.
#[derive(Debug)]
pub struct Shop {
    path: PathBuf,
    conn: Connection,
    longest_write: Cell<Duration>,
    patience: Cell<Duration>,
    /// Opened inside a process that is not ours: see [`Shop::open_as_guest`].
    guest: bool,
}

/// How long a guest waits for a lock that no reader of a write-ahead log should ever meet.
const GUEST_TIMEOUT: Duration = Duration::from_millis(100);

impl Shop {
    /// Opens the file, creating it when it is not there, and brings its schema up to date.
    pub fn create(path: &Path) -> Result<Shop> {
        Shop::writable(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )
    }

    /// Opens an existing file and brings its schema up to date (after a backup, see `migrate`).
    pub fn open(path: &Path) -> Result<Shop> {
        if !path.exists() {
            return Err(Error::Missing { path: path.into() });
        }
        Shop::writable(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens an existing file for reading only. The schema must be this version's.
    pub fn open_read_only(path: &Path) -> Result<Shop> {
        if !path.exists() {
            return Err(Error::Missing { path: path.into() });
        }
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found = migrate::version(&conn, path)?;
        if found < migrate::known() {
            return Err(Error::Refused(format!(
                "{}: schema {found} is older than this program's {}; any writing verb, `nightclerk run` for \
                 example, brings it up to date (a backup is kept beside it)",
                path.display(),
                migrate::known()
            )));
        }
        Ok(Shop::of(path, conn))
    }

    /// Opens an existing file for reading inside a process that is not ours, with that process's own SQLite. Such a
    /// connection waits for nobody and never checkpoints: the host's SQLite may be one of those that can damage a log when
    /// two connections do (3.7.0 to 3.51.2).
    pub fn open_as_guest(path: &Path) -> Result<Shop> {
        let mut shop = Shop::open_read_only(path)?;
        shop.guest = true;
        shop.wait_for(GUEST_TIMEOUT)?;
        Ok(shop)
    }

    /// Whether a file is one of ours, asked through a connection that is closed at once; `None` for one that is empty yet.
    pub fn is_one(path: &Path) -> Result<Option<bool>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(GUEST_TIMEOUT)?;
        let number = |pragma: &str| conn.pragma_query_value(None, pragma, |r| r.get::<_, i64>(0));
        match number("page_count").and_then(|pages| Ok((pages, number("application_id")?))) {
            Ok((0, _)) => Ok(None),
            Ok((_, id)) => Ok(Some(id == APPLICATION_ID)),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                Ok(Some(false))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Runs what reads the file, all of it as of one instant. It must begin no transaction of its own.
    pub fn at_one_instant<T>(&self, read: impl FnOnce() -> T) -> Result<T> {
        let transaction = self.conn.unchecked_transaction()?; // deferred: the first SELECT fixes the instant
        let read = read();
        transaction.commit()?;
        Ok(read)
    }

    /// Begins to read the file as of one instant, that of the first SELECT: see [`Shop::at_one_instant`].
    pub fn begin(&self) -> Result<()> {
        Ok(self.conn.prepare_cached("BEGIN")?.execute([]).map(drop)?)
    }

    /// Ends that.
    pub fn end(&self) -> Result<()> {
        Ok(self.conn.prepare_cached("COMMIT")?.execute([]).map(drop)?)
    }

    fn writable(path: &Path, flags: OpenFlags) -> Result<Shop> {
        let conn = connect(path, flags)?;
        migrate::prepare_file(&conn, path)?;
        // WAL is a property of the file, the rest of the connection.
        conn.pragma_update(None, "journal_mode", "wal")?;
        conn.pragma_update(None, "synchronous", "normal")?;
        conn.pragma_update(None, "secure_delete", "on")?;
        migrate::migrate(&conn, path)?;
        Ok(Shop::of(path, conn))
    }

    fn of(path: &Path, conn: Connection) -> Shop {
        Shop {
            path: path.into(),
            conn,
            longest_write: Cell::default(),
            patience: Cell::new(BUSY_TIMEOUT),
            guest: false,
        }
    }

    /// The longest any paced transaction of this connection has held the write lock: what a checkout can have waited
    /// for us at most.
    pub fn longest_write(&self) -> Duration {
        self.longest_write.get()
    }

    pub(super) fn note_write(&self, held: Duration) {
        self.longest_write.set(self.longest_write.get().max(held));
    }

    /// Another connection to the same file, with the same rights.
    pub fn again(&self) -> Result<Shop> {
        let shop = Shop::writable(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        shop.wait_for(self.patience.get())?;
        Ok(shop)
    }

    /// From now on waits up to five minutes for the write lock, as do the connections made by
    /// [`again`](Shop::again): a night must outlast whatever an application does in one transaction. (One that holds
    /// the lock longer is stuck.)
    pub fn be_patient(&self) -> Result<()> {
        self.wait_for(Duration::from_secs(300))
    }

    /// From now on waits two seconds at most: for whoever tries again anyway and must not be held up.
    pub fn be_brisk(&self) -> Result<()> {
        self.wait_for(Duration::from_secs(2))
    }

    fn wait_for(&self, patience: Duration) -> Result<()> {
        self.patience.set(patience);
        Ok(self.conn.busy_timeout(patience)?)
    }

    /// How long this connection waits for another one's write.
    #[cfg(feature = "daemon")]
    pub(super) fn patience(&self) -> Duration {
        self.patience.get()
    }

    /// Another connection that gives up at once when somebody else writes: for notes that may be missed, such as
    /// progress. (It may be used while this thread holds the write lock through the first one.)
    pub fn impatient(&self) -> Result<Shop> {
        let shop = self.again()?;
        shop.conn.busy_timeout(Duration::from_millis(1))?;
        Ok(shop)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path with something appended to its name: `shop.db` and ".search" give `shop.db.search`.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    /// The connection, for the files of this room.
    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The same, for hooks.
    #[cfg(feature = "daemon")]
    pub(super) fn conn_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// A write transaction that takes the lock at once: one that reads first and writes later would be refused
    /// with SQLITE_BUSY, timeout or not, when somebody wrote in between.
    pub(crate) fn write(&self) -> Result<Transaction<'_>> {
        Ok(Transaction::new_unchecked(
            &self.conn,
            TransactionBehavior::Immediate,
        )?)
    }

    /// Moves the WAL into the file as far as readers allow; never waits for anybody.
    /// Returns (frames in the WAL, frames moved).
    pub fn checkpoint(&self) -> Result<(i64, i64)> {
        checkpoint(&self.conn)
    }
}

impl Drop for Shop {
    /// Leaves the file whole by itself, as far as readers allow: the WAL stays beside it (see `connect`), but whoever
    /// copies only the file gets everything.
    fn drop(&mut self) {
        if !self.guest {
            let _ = checkpoint(&self.conn);
        }
    }
}

/// `path` with `suffix` appended to its file name. A link is followed, as SQLite does for its log: whatever name the file is
/// opened by, there is one lock and one index.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|file| file.is_symlink());
    let real = if is_link {
        std::fs::canonicalize(path).ok()
    } else {
        None
    };
    let mut name = real.as_deref().unwrap_or(path).as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn checkpoint(conn: &Connection) -> Result<(i64, i64)> {
    Ok(conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |r| {
        Ok((r.get(1)?, r.get(2)?))
    })?)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    // A host may have made shared caches its default: inside one of its calls a guest would wait for its own thread.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| match e {
        rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::CannotOpen => {
            Error::Io {
                path: path.into(),
                source: std::io::Error::other(
                    "cannot be opened or created; check the folder and its permissions",
                ),
            }
        }
        other => Error::Sqlite(other),
    })?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "trusted_schema", "off")?;
    // Closing must leave the WAL where it is: a user who may read the file but not write its folder cannot open
    // it without one.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}
