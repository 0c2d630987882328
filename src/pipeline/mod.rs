//! The five steps every family takes, and the families that take them.
//!
//! ```text
//! collect   one read transaction over the inputs, as of one instant
//! prepare   clean, count what was dropped and why, map ids to dense indices, cut by time
//! fit       every candidate model the data can carry
//! evaluate  on the held-out end of the time line, against the naive answer; choose
//! publish   a new generation in small transactions, then one pointer row
//! ```
//!
//! [`Family`] is that shape as a trait and [`run`] walks it: nothing else knows the order of the steps, so no family
//! can publish what it has not evaluated. One file per family ([`recommendations`], [`prices`], [`support`]) joins
//! the store to the pure rooms of models; [`index`] keeps the full-text index, which has no models and no steps.
//!
//! Invariants: the snapshot is closed before anything is computed; rows reach the file only after a verdict;
//! whatever a night leaves out is counted in `run_drops`.

mod family;
pub mod finder;
pub mod index;
mod night;
mod options;
pub mod prices;
pub mod recommendations;
pub mod support;

pub use family::{Family, Outcome, Verdict, run};
pub use index::Touched;
pub use night::{AsOf, Brief, Night, Stage, Watch, zone};
pub use options::{
    AlreadyBought, Frequency, Goal, PriceOptions, Purpose, RecommendationOptions, SearchOptions,
    SupportOptions, UpkeepOptions, Weights,
};
pub use recommendations::Recommendations;
