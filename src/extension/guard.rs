//! The guard at every door.
//!
//! SQLite calls us from C, and a panic that reaches C ends the host's process. So every callback runs its body in
//! [`guarded`]: a panic becomes an SQL error that says so, and the host lives. (rusqlite guards scalar functions itself but
//! not virtual tables, and its message says nothing.)
//!
//! Builds with debug assertions have a switch for tests: the environment variable `NIGHTCLERK_TEST_PANIC` names a callback
//! that is to panic, `ticket_search.filter` for example.

use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};

use rusqlite::Error;

thread_local! {
    /// Where the last panic of this thread happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps our panics off the host's standard error; where they happened goes into the SQL error. The hook is that of the
/// standard library inside this library, and of nothing else in the process.
pub(super) fn quiet() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let _ = PLACE.try_with(|last| *last.borrow_mut() = place);
    }));
}

/// Runs the body of a callback; a panic is an error.
pub(super) fn guarded<T, E: Display>(
    name: &str,
    callback: &str,
    body: impl FnOnce() -> Result<T, E>,
) -> rusqlite::Result<T> {
    let body = || {
        forced(name, callback);
        body()
    };
    match panic::catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failed(format!("{name}: {error:#}"))),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("");
            let place = PLACE.with(|last| last.borrow_mut().take());
            let place = place.map_or_else(String::new, |place| format!(" at {place}"));
            Err(failed(format!(
                "{name}: a mistake inside nightclerk{place}: {said}; the statement failed, the connection is fine"
            )))
        }
    }
}

/// Lets something go; a panic in that is nobody's business any more.
pub(super) fn let_go<T>(name: &str, callback: &str, what: T) {
    let _ = guarded(name, callback, || {
        drop(what);
        Ok::<(), String>(())
    });
}

/// An error with a message of ours.
pub(super) fn failed(message: String) -> Error {
    Error::ModuleError(message)
}

#[cfg(debug_assertions)]
fn forced(name: &str, callback: &str) {
    if let Some(wanted) = std::env::var_os("NIGHTCLERK_TEST_PANIC") {
        assert!(
            wanted.to_str() != Some(&format!("{name}.{callback}")),
            "asked for by NIGHTCLERK_TEST_PANIC"
        );
    }
}

#[cfg(not(debug_assertions))]
fn forced(_: &str, _: &str) {}
