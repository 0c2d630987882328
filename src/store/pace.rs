//! How a night writes beside a checkout.
//!
//! SQLite has one writer. The race we avoid, in steps: (1) the clerk begins a transaction and writes a million
//! rows; (2) the checkout inserts an order and waits; (3) half a second later the customer has left. So nightly
//! rows go in transactions of at most [`Pace::rows`] rows or [`Pace::hold`], whichever ends first, with
//! [`Pace::pause`] between two of them: back-to-back short transactions would starve a waiting writer as well,
//! because it polls and we would be back before it looks.
//!
//! The WAL is the other half. A commit that fills it past SQLite's limit (1,000 pages) pays for moving all of it
//! into the file; that must not be the checkout's. So we checkpoint (PASSIVE: waits for nobody) between our own
//! transactions, when the write lock is free.

use super::error::{Error, Result};
use super::open::{Shop, checkpoint};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::time::{Duration, Instant};

/// Limits of one write transaction, and the rest after it.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Most rows in one transaction.
    pub rows: u64,
    /// Longest time the write lock is held before committing.
    pub hold: Duration,
    /// Rest between two transactions.
    pub pause: Duration,
    /// Transactions between two passive checkpoints.
    pub checkpoint_every: u32,
    /// The run this is written for: nothing is written any more once its row in the book is closed. (1) A daemon is killed;
    /// (2) the next one leads, closes the run and sweeps what it built; (3) the run's process, not yet ended, would write on
    /// under a number nobody sweeps again. The row is looked at inside each transaction, so there is no moment between.
    pub run: Option<i64>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            rows: 1000,
            hold: Duration::from_millis(3),
            pause: Duration::from_millis(5),
            checkpoint_every: 4,
            run: None,
        }
    }
}

/// Feeds `items` to `write` in paced transactions; `write` returns how many rows it touched. Returns their sum.
/// An error rolls back the transaction it happened in; those before it stay.
pub(crate) fn paced<T>(
    shop: &Shop,
    pace: &Pace,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&Connection, T) -> Result<u64>,
) -> Result<u64> {
    let conn = shop.conn();
    let mut items = items.peekable();
    let (mut total, mut transactions) = (0, 0u32);
    while items.peek().is_some() {
        let transaction = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        let begun = Instant::now();
        if let Some(run) = pace.run {
            still_ours(&transaction, run)?;
        }
        let mut rows = 0;
        // `>=`: an item may be worth many rows, or none.
        while rows < pace.rows && begun.elapsed() < pace.hold {
            let Some(item) = items.next() else { break };
            rows += write(&transaction, item)?;
        }
        transaction.commit()?;
        shop.note_write(begun.elapsed());
        total += rows;
        transactions += 1;
        if transactions.is_multiple_of(pace.checkpoint_every) {
            checkpoint(conn)?;
        }
        if items.peek().is_some() {
            std::thread::sleep(pace.pause);
        }
    }
    if transactions > 0 {
        checkpoint(conn)?;
    }
    Ok(total)
}

/// Refuses to go on for a run whose row somebody else closed.
pub(crate) fn still_ours(conn: &Connection, run: i64) -> Result<()> {
    let status: Option<String> = conn
        .prepare_cached("SELECT status FROM clerk_runs WHERE run_id = ?1")?
        .query_row([run], |r| r.get(0))
        .optional()?;
    match status {
        Some(status) if status != "running" => Err(Error::Refused(format!(
            "run {run} was closed as {status} by whoever leads now; nothing more is written for it"
        ))),
        _ => Ok(()),
    }
}
