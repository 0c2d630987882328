//! The host: the process that loaded us, its SQLite, and the files it has open.
//!
//! SQLite hands an extension a table of its functions, which grows with its versions. rusqlite copies it into statics of this
//! library and refuses tables older than 3.45, in a way that ends the process; we use nothing younger than 3.37. So
//! [`adopt`] looks at the version first and gives rusqlite a table of its own: the host's slots as far as the host has
//! them. Of the younger ones rusqlite needs two on our ways, those that keep something with a connection: it lets go of a busy
//! handler there that we never set. Before 3.44 these are functions of ours that keep nothing. Any other missing slot is a panic
//! when it is called, and so an SQL error.
//!
//! The statics serve one SQLite. A process can hold two (the system's, and one that came inside some package), and each
//! might load us: the second one is refused, because its connections must never meet the first one's functions.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::offset_of;
use std::path::PathBuf;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use rusqlite::{Connection, ffi};

/// The oldest SQLite that can be a host: STRICT tables need it.
const OLDEST: c_int = 3_037_000;
/// What rusqlite is told instead of the host's version: the oldest it takes.
const TOLD: c_int = 3_045_003;

/// The version of the host's SQLite.
static VERSION: AtomicI32 = AtomicI32::new(0);
/// A function of the SQLite that we serve.
static SERVED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn told() -> c_int {
    TOLD
}

unsafe extern "C" fn nothing_kept(_: *mut ffi::sqlite3, _: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn keep_nothing(
    _: *mut ffi::sqlite3,
    _: *const c_char,
    data: *mut c_void,
    free: Option<unsafe extern "C" fn(*mut c_void)>,
) -> c_int {
    if data.is_null() {
        return ffi::SQLITE_OK;
    }
    if let Some(free) = free {
        // SAFETY: what is not kept is freed, as the real one does when it fails.
        unsafe { free(data) };
    }
    ffi::SQLITE_ERROR
}

/// The host's version, 3040001 for 3.40.1.
pub(super) fn version() -> c_int {
    VERSION.load(Ordering::Relaxed)
}

/// A version number as people write it.
pub(super) fn written(version: c_int) -> String {
    format!(
        "{}.{}.{}",
        version / 1_000_000,
        version / 1000 % 1000,
        version % 1000
    )
}

/// Whether a SQLite of this version can damage a write-ahead log when two connections write and checkpoint at the wrong
/// instant (fixed in 3.51.3, and before that in 3.44.6 and 3.50.7).
pub(super) fn has_wal_bug(version: c_int) -> bool {
    let fixed = version >= 3_051_003
        || (3_044_006..3_045_000).contains(&version)
        || (3_050_007..3_051_000).contains(&version);
    !fixed
}

/// The table to hand to rusqlite, or why this host cannot be served.
///
/// # Safety
/// `api` is the table that SQLite handed to the entry point.
pub(super) unsafe fn adopt(
    api: *const ffi::sqlite3_api_routines,
) -> Result<*mut ffi::sqlite3_api_routines, String> {
    // SAFETY: both slots are among the first of the table, which every SQLite that loads extensions fills.
    let (version, marker) = unsafe { ((*api).libversion_number, (*api).create_module_v2) };
    let (Some(version), Some(marker)) = (version, marker) else {
        return Err("this SQLite hands its extensions an empty table".into());
    };
    // SAFETY: a function without arguments of the host.
    let version = unsafe { version() };
    if version < OLDEST {
        return Err(format!(
            "this SQLite is {}, nightclerk needs {} or newer",
            written(version),
            written(OLDEST)
        ));
    }
    let marker = marker as usize;
    if SERVED
        .compare_exchange(0, marker, Ordering::AcqRel, Ordering::Acquire)
        .is_err_and(|served| served != marker)
    {
        return Err(
            "nightclerk already serves another copy of SQLite in this process; it can serve only one".into(),
        );
    }
    VERSION.store(version, Ordering::Relaxed);
    // One table for as long as the process: SQLite hands out the same each time, and a host may load us for every request.
    static TABLE: OnceLock<usize> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        // SAFETY: `api` is the table of a SQLite of this version.
        let copy = unsafe { copied(api, version) };
        Box::into_raw(copy).expose_provenance()
    });
    Ok(ptr::with_exposed_provenance_mut(*table))
}

/// The host's table as far as its version has it, with what rusqlite asks for beside that.
///
/// # Safety
/// `api` is the table of a SQLite of this version.
unsafe fn copied(api: *const ffi::sqlite3_api_routines, version: c_int) -> Box<ffi::sqlite3_api_routines> {
    // SAFETY: all slots are optional functions, for which zero is "none".
    let mut copy: Box<ffi::sqlite3_api_routines> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: the host's table has at least so many bytes in its version; the copy has at least as many.
    unsafe {
        ptr::copy_nonoverlapping(api.cast::<u8>(), (&raw mut *copy).cast::<u8>(), length(version));
    }
    copy.libversion_number = Some(told);
    copy.get_clientdata.get_or_insert(nothing_kept);
    copy.set_clientdata.get_or_insert(keep_nothing);
    copy
}

/// The last slot that [`length`] knows of is the last there is: of a longer table the youngest versions might have less.
const _: () = assert!(
    size_of::<ffi::sqlite3_api_routines>()
        == offset_of!(ffi::sqlite3_api_routines, set_clientdata) + size_of::<usize>()
);

/// Bytes of the table of a version, as far as we know it: up to the first slot that came later.
fn length(version: c_int) -> usize {
    type Table = ffi::sqlite3_api_routines;
    match version {
        ..3_038_000 => offset_of!(Table, error_offset),
        3_038_000..3_039_000 => offset_of!(Table, deserialize),
        3_039_000..3_040_000 => offset_of!(Table, value_encoding),
        3_040_000..3_041_000 => offset_of!(Table, is_interrupted),
        3_041_000..3_043_000 => offset_of!(Table, stmt_explain),
        3_043_000..3_044_000 => offset_of!(Table, get_clientdata),
        _ => size_of::<Table>(),
    }
}

/// Gives the host a message for the person who tried to load us, in the host's own memory.
///
/// # Safety
/// `api` and `message` are those of the entry point.
pub(super) unsafe fn say(
    api: *const ffi::sqlite3_api_routines,
    message: *mut *mut c_char,
    text: &str,
) -> c_int {
    let text = CString::new(format!("nightclerk: {text}")).unwrap_or_default();
    let bytes = text.as_bytes_with_nul();
    // SAFETY: `malloc` is among the first slots; what it gives is as long as asked for or null, and becomes the host's.
    unsafe {
        if let (false, Some(malloc)) = (message.is_null(), (*api).malloc) {
            let place = malloc(c_int::try_from(bytes.len()).unwrap_or(0)).cast::<c_char>();
            if !place.is_null() {
                ptr::copy_nonoverlapping(bytes.as_ptr().cast(), place, bytes.len());
                *message = place;
            }
        }
    }
    ffi::SQLITE_ERROR
}

/// The host's connection that loaded us.
///
/// It is used inside its own callbacks only, by the thread that it called us from, and for looking at it only.
#[derive(Debug)]
pub(super) struct Host(*mut ffi::sqlite3);

// SAFETY: SQLite calls us from one thread at a time per connection (its own mutex, or the host's promise), and the pointer is
// used inside such calls only.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// A connection's handle; it must outlive this.
    pub(super) fn new(handle: *mut ffi::sqlite3) -> Host {
        Host(handle)
    }

    /// The absolute path of a schema's file; none for a schema that is not there or lives in memory.
    pub(super) fn file_of(&self, schema: &str) -> Option<PathBuf> {
        let schema = CString::new(schema).ok()?;
        // SAFETY: the connection is alive (we are in one of its callbacks), the name ends with a zero.
        let name = unsafe { ffi::sqlite3_db_filename(self.0, schema.as_ptr()) };
        if name.is_null() {
            return None;
        }
        // SAFETY: SQLite's own text; it stays until the schema is detached, and we copy it.
        let name = unsafe { CStr::from_ptr(name) };
        let path = as_path(name);
        (!path.as_os_str().is_empty()).then_some(path)
    }

    /// The names of all schemas but temp, `main` first.
    pub(super) fn schemas(&self) -> rusqlite::Result<Vec<String>> {
        if version() >= 3_039_000 {
            // SAFETY: the connection is alive; behind the last schema there is none.
            let name = |number| unsafe { ffi::sqlite3_db_name(self.0, number) };
            let names = (0..).map(name).take_while(|name| !name.is_null());
            // SAFETY: SQLite's own text, copied before anything is detached.
            let names = names.map(|name| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned());
            return Ok(names.filter(|name| name != "temp").collect());
        }
        // It reads no file and so begins no transaction.
        let conn = self.lent()?;
        let mut statement = conn.prepare("PRAGMA database_list")?;
        let names = statement.query_map([], |row| row.get::<_, String>(1))?;
        let all: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
        Ok(all.into_iter().filter(|name| name != "temp").collect())
    }

    fn lent(&self) -> rusqlite::Result<Connection> {
        // SAFETY: the connection is alive; this one does not own it and will not close it.
        unsafe { Connection::from_handle(self.0) }
    }
}

#[cfg(unix)]
fn as_path(name: &CStr) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

#[cfg(not(unix))]
fn as_path(name: &CStr) -> PathBuf {
    PathBuf::from(name.to_string_lossy().into_owned())
}
