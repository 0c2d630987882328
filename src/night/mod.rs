//! The night: which jobs there are, in what order they run, and the run of each.
//!
//! A *job* is a file `jobs/NAME.toml` ([`Job`]). A *run* is one attempt at a job, with a row in the book that is
//! written before it begins. The *leader* is whoever holds the lock beside the database ([`Leader`]): only the
//! leader runs jobs, writes the search index and cleans up after crashes.
//!
//! One night from top to bottom is [`run`]: read the job files, take the lead, clean up, then each job in order of
//! `after`. What a job of models does is [`crate::pipeline::run`].

mod child;
pub mod daemon;
mod duration;
mod erase;
mod job;
mod keys;
mod leader;
mod order;
mod plan;
mod requests;
mod runner;
mod schedule;
mod upkeep;
mod watch;

pub use child::hold_on_to_lifeline;
pub use erase::{Erased, Told, erase, would_erase};
pub use job::{Bad, CatchUp, DEFAULTS, Job, Kind, Listing, defaults, load};
pub use leader::Leader;
pub use requests::{RunOrders, erase_under_leader};
pub use runner::{Orders, Ran, Unusable, run, run_under_leader};
pub use schedule::{end_of_day, next_run};
pub use watch::{Screen, Silent};
