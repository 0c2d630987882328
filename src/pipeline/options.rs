//! The options of each kind of job: the table `[KIND]` in its file. Every option has a default, which the shipped
//! job files state; a test holds the two together.

mod recommendations;

pub use recommendations::{AlreadyBought, Purpose, RecommendationOptions, Weights};

use serde::Deserialize;

/// `[prices]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceOptions {
    /// The step of a series.
    pub frequency: Frequency,
    /// Steps forecast.
    pub horizon: usize,
    /// What advice improves.
    pub goal: Goal,
    /// Largest change advised, as a fraction of the price now.
    pub max_change: f64,
    /// Steps that the network over all series learns in a night; 0 = no network.
    pub lstm_steps: u64,
}

/// The step of a price series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Told from the data.
    Auto,
    /// An hour.
    Hourly,
    /// A local day.
    Daily,
    /// Seven local days.
    Weekly,
    /// A calendar month.
    Monthly,
}

/// What price advice improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Revenue minus cost.
    Margin,
    /// Revenue.
    Revenue,
}

impl Default for PriceOptions {
    fn default() -> Self {
        PriceOptions {
            frequency: Frequency::Auto,
            horizon: 28,
            goal: Goal::Margin,
            max_change: 0.10,
            lstm_steps: 4000,
        }
    }
}

/// `[support]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupportOptions {
    /// Share of routed tickets that must be right; below it a ticket goes to triage.
    pub precision: f64,
    /// Categories whose drafts may be 'send'.
    pub send: Vec<String>,
    /// A draft is suggested from so many times the overlap of a random old reply on; 0: every draft is.
    pub suggest_above_chance: f64,
    /// Steps (32 replies each) that a network which writes replies learns each night in a language; 0 = none learns.
    pub network_steps: u64,
}

impl Default for SupportOptions {
    fn default() -> Self {
        SupportOptions {
            precision: 0.95,
            send: Vec::new(),
            suggest_above_chance: 1.25,
            network_steps: 100,
        }
    }
}

/// `[search]`: nothing to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchOptions {}

/// `[upkeep]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpkeepOptions {
    /// Days of finished runs, with their scores and drops, that stay in the book.
    pub keep_runs_days: u32,
}

impl Default for UpkeepOptions {
    fn default() -> Self {
        UpkeepOptions { keep_runs_days: 400 }
    }
}
