//! Whether all is well: what the loops say of themselves, and what the book says of the jobs.

use crate::night::daemon::Pulse;
use crate::store::Shop;
use serde::Serialize;
use std::path::Path;

/// What /healthz answers, and with 503 instead of 200 when there are problems.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// ok, or problems.
    pub status: &'static str,
    pub version: &'static str,
    /// In plain words, each with its part or job.
    pub problems: Vec<String>,
}

pub(super) fn look(database: &Path, pulse: &Pulse) -> Health {
    let mut problems = pulse.problems();
    match Shop::open_read_only(database).and_then(|shop| shop.troubles_in_book()) {
        Ok(troubles) => problems.extend(troubles),
        Err(e) => problems.push(format!("database: {e}")),
    }
    Health {
        status: if problems.is_empty() { "ok" } else { "problems" },
        version: env!("CARGO_PKG_VERSION"),
        problems,
    }
}
