//! The SQLite extension: search and models inside the application's own SQL.
//!
//! `load_extension('nightclerk')` gives a connection the table functions `ticket_search`, `article_search`,
//! `product_search`, `recommend_session` and `forecast_price`, and the functions `classify_ticket`, `route_ticket`,
//! `draft_reply`, `nightclerk_status` and `nightclerk_version` (docs/extension.md). It only reads, and answers by the code of
//! the daemon and the command line, so that all of them say the same to the bit.
//!
//! Words: the *host* is the process that loaded us; a *clerk* ([`clerk`]) is what one of its connections keeps; a *guest* is
//! the clerk's own read-only connection to the shop's file, opened with the host's SQLite. Through it a call sees the
//! published state of one instant, whatever the host's transaction is at, and nothing of ours is ever prepared on the
//! host's connection, which would keep it from closing.
//!
//! What a guest in somebody else's process must not do, and what keeps it from that:
//!
//! | it must not | because |
//! |---|---|
//! | let a panic out | [`guard`] stands at every callback; files of the index are verified, models checked |
//! | die of a file cut short | index files are read, never mapped ([`crate::search::Reader::open_as_guest`]) |
//! | start a thread | readers reload when asked; one ticket is decided by the thread that asks |
//! | survive a fork badly | every child begins anew: clerks and [`cache`] know whose process they are of |
//! | be unloaded | the library stays once loaded; connections come and go |
//! | meet a second SQLite | [`host`] serves the first one of a process |
//! | grow without end | models are kept by [`cache`] within a bound, one generation of each file |

#![allow(unsafe_code)] // C calls us here; each block says why it may

mod arguments;
mod cache;
mod clerk;
mod guard;
mod host;
mod scalars;
mod status;
mod table;
mod tables;

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::{Connection, ffi};

use self::clerk::Clerk;
use self::host::Host;

/// What SQLite calls when the library is loaded: registers everything on the connection.
///
/// # Safety
/// SQLite's own promise to an extension: a live connection, a place for a message (or null), its table of functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sqlite3_nightclerk_init(
    db: *mut ffi::sqlite3,
    message: *mut *mut c_char,
    api: *mut ffi::sqlite3_api_routines,
) -> c_int {
    if api.is_null() || db.is_null() {
        return ffi::SQLITE_ERROR;
    }
    let load = || {
        guard::quiet();
        // SAFETY: the table is SQLite's; the host is known to be one we can serve before rusqlite touches it.
        let table = unsafe { host::adopt(api) }?;
        // SAFETY: as above; the copied table stays for as long as the process.
        unsafe { ffi::rusqlite_extension_init2(table) }.map_err(|error| error.to_string())?;
        // SAFETY: the connection is alive; the one made of it here does not own it.
        let conn = unsafe { Connection::from_handle(db) }.map_err(|error| error.to_string())?;
        register(&conn, Host::new(db)).map_err(|error| error.to_string())
    };
    match catch_unwind(AssertUnwindSafe(load)) {
        // Statics, thread-locals and the models in memory are of no use to anybody when the library goes and comes again.
        Ok(Ok(())) => ffi::SQLITE_OK_LOAD_PERMANENTLY,
        // SAFETY: the arguments are those of this function.
        Ok(Err(why)) => unsafe { host::say(api, message, &why) },
        // SAFETY: as above.
        Err(_) => unsafe { host::say(api, message, "a mistake inside nightclerk kept it from loading") },
    }
}

fn register(conn: &Connection, host: Host) -> rusqlite::Result<()> {
    let clerk = Arc::new(Clerk::new(host));
    scalars::register(conn, &clerk)?;
    tables::register(conn, &clerk)
}
