//! The model of what is bought again: which of a customer's products, times whether they come back at all.
//!
//! Two logistic regressions ([`Logistic`]), one over pairs and one over customers; both learn from earlier cuts, four weeks
//! apart, each with the four weeks that followed it.

use super::examples::{Customer, Cut, Example, pairs, returns};
use super::facts::HORIZON;
use super::features::{CROSSED, HABITS};
use super::logistic::{Logistic, Rows};
use super::visits::Visits;
use crate::fit::{Control, FitError};

/// Pairs bought again below which nothing is learned.
const LEAST_PAIRS: usize = 100;
/// Ridge of the model of who comes back.
const HABITS_RIDGE: f64 = 1e-3;

/// Bounds of the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Pairs a model learns from, at most (about).
    pub pairs: usize,
    /// Customers the model of who comes back learns from, at most (about).
    pub customers: usize,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pairs: 100_000,
            customers: 50_000,
            seed: 1,
        }
    }
}

/// Who comes back.
#[derive(Debug, Clone, PartialEq)]
enum Whether {
    Model(Logistic),
    /// Everybody or nobody did: the share.
    Share(f64),
}

/// What ranks and scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    which: Logistic,
    whether: Whether,
}

/// What a model learns from.
pub(super) struct Lesson {
    pairs: Rows,
    returns: Rows,
}

impl Lesson {
    /// A sample of the `cuts` cuts whose four weeks end at or before `now`.
    pub(super) fn before(visits: &Visits, now: i64, cuts: usize, options: &Options) -> Lesson {
        let (first, _) = visits.span().unwrap_or((now, now));
        let instants = (1..=cuts as i64).map(|number| now - number * HORIZON);
        let known: Vec<Cut<'_>> = instants
            .filter(|&at| at >= first)
            .map(|at| Cut::at(visits, at))
            .collect();
        let known: Vec<&Cut<'_>> = known.iter().collect();
        Lesson {
            pairs: pairs(&known, options.pairs, options.seed),
            returns: returns(&known, options.customers, options.seed),
        }
    }
}

impl Model {
    /// Learns a lesson.
    ///
    /// # Errors
    /// [`FitError::Invalid`] where too little was bought again; else those of the fit.
    pub(super) fn fit(lesson: &Lesson, ridge: f64, control: &Control) -> Result<Model, FitError> {
        let (_, again) = lesson.pairs.counts();
        if again < LEAST_PAIRS {
            return Err(FitError::Invalid(format!(
                "{again} products were bought again within 28 days, and {LEAST_PAIRS} are needed to learn from"
            )));
        }
        let which = Logistic::fit(&lesson.pairs, &CROSSED, ridge, control)?;
        let (all, back) = lesson.returns.counts();
        let whether = if back == 0 || back == all {
            Whether::Share(back as f64 / all.max(1) as f64)
        } else {
            let crossed: Vec<usize> = (0..HABITS).collect();
            Whether::Model(Logistic::fit(&lesson.returns, &crossed, HABITS_RIDGE, control)?)
        };
        Ok(Model { which, whether })
    }

    /// The probability, for each pair of a customer, that it is bought again within [`HORIZON`].
    pub fn scores(&self, customer: &Customer) -> Vec<f32> {
        let mut row = Vec::new();
        let comes = match &self.whether {
            Whether::Model(model) => model.probability(&customer.habits, &mut row),
            Whether::Share(share) => *share,
        };
        let of_pair = |pair: &Example| (comes * self.which.probability(&pair.features, &mut row)) as f32;
        customer.pairs.iter().map(of_pair).collect()
    }
}
