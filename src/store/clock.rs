//! The wall clock, and the one place where a test may move it.
//!
//! A daemon has to live with clocks that jump. A build with debug assertions therefore adds what stands in the file named by
//! `NIGHTCLERK_TEST_CLOCK` (seconds, read at every look), and a unit test may set its own thread's clock. In a release build
//! there is nothing to set.

/// The wall clock, Unix seconds.
pub fn now() -> i64 {
    #[cfg(test)]
    if let Some(set) = testing::set() {
        return set;
    }
    let wall = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as i64);
    wall + skew()
}

#[cfg(debug_assertions)]
fn skew() -> i64 {
    static FILE: std::sync::OnceLock<Option<std::path::PathBuf>> = std::sync::OnceLock::new();
    FILE.get_or_init(|| std::env::var_os("NIGHTCLERK_TEST_CLOCK").map(Into::into))
        .as_ref()
        .and_then(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(not(debug_assertions))]
fn skew() -> i64 {
    0
}

/// A clock that stands where a test has put it.
#[cfg(test)]
pub mod testing {
    use std::cell::Cell;

    thread_local! {
        static CLOCK: Cell<Option<i64>> = const { Cell::new(None) };
    }

    /// Sets this thread's clock; none = the wall's again.
    pub fn set_clock(now: Option<i64>) {
        CLOCK.set(now);
    }

    pub(super) fn set() -> Option<i64> {
        CLOCK.get()
    }
}
