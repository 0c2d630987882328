//! Exponential smoothing in state space form (ETS), chosen by the corrected information criterion.
//!
//! Hyndman, Koehler, Ord and Snyder, *Forecasting with Exponential Smoothing*, 2008. A model has three letters: its error
//! (additive or multiplicative), its trend (none, additive, damped) and its season (none, additive, multiplicative).
//! Whatever the letters, with `q` the level and trend expected, `mu` the value expected and `e = y - mu`:
//!
//! ```text
//! q  = level + phi slope          mu = q, q + season or q season
//! level  = q + alpha e            (alpha e / season where the season multiplies)
//! slope  = phi slope + beta e     (beta e / season)
//! season = season + gamma e       (gamma e / q)
//! ```
//!
//! so the point forecasts do not depend on the kind of error, the likelihood does: with `r = e`, or `e / mu` where errors
//! multiply, `-2 log L = n log(sum r^2) + 2 sum log |mu|` (the second sum for multiplicative errors only), up to a
//! constant. It is minimised over the smoothing weights *and* the initial states by L-BFGS with the exact gradient, which
//! one pass backwards over the recursion yields (`recursion`); a monthly series has 15 to 17 parameters, too many for
//! a simplex. Weights keep to the usual region `0 < alpha < 1, 0 < beta < alpha, 0 < gamma < 1 - alpha,
//! 0.8 < phi < 0.98` by their parametrisation, and models whose forecasts would not forget their initial states are
//! refused (`region`).
//!
//! Left away, as in R's `ets`: multiplicative trends, which run away, and a multiplicative season with additive errors.
//! A missing value updates nothing and is not counted.

mod fit;
mod forecast;
mod recursion;
mod region;
mod start;
#[cfg(test)]
mod tests;

pub use fit::{Fitted, fit};

use super::model::{Fit, Predict};
use super::series::observed;
use crate::fit::{Control, FitError};

/// How errors enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The same size at any level.
    Additive,
    /// In proportion to the value expected.
    Multiplicative,
}

/// How the series moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It stays.
    None,
    /// A straight line.
    Additive,
    /// A line that flattens.
    Damped,
}

/// How a season enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// There is none.
    None,
    /// The same amount each time.
    Additive,
    /// The same share each time.
    Multiplicative,
}

/// One member of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Its first letter.
    pub error: Error,
    /// Its second.
    pub trend: Trend,
    /// Its third.
    pub season: Season,
}

impl Spec {
    /// The short name, such as `ETS(M,Ad,A)`.
    pub fn name(self) -> String {
        let error = match self.error {
            Error::Additive => "A",
            Error::Multiplicative => "M",
        };
        let trend = match self.trend {
            Trend::None => "N",
            Trend::Additive => "A",
            Trend::Damped => "Ad",
        };
        let season = match self.season {
            Season::None => "N",
            Season::Additive => "A",
            Season::Multiplicative => "M",
        };
        format!("ETS({error},{trend},{season})")
    }

    /// Parameters estimated, the error variance among them, at seasons of `period` steps.
    pub fn parameters(self, period: usize) -> usize {
        let trend = match self.trend {
            Trend::None => 0,
            Trend::Additive => 2,
            Trend::Damped => 3,
        };
        let season = if self.season == Season::None { 0 } else { period };
        3 + trend + season
    }
}

/// The longest season whose states are estimated one by one; longer ones are taken out first ([`super::stl`]).
pub const LONGEST_SEASON: usize = 24;

/// The members worth a try for a series: seasonal ones with a season of 2 to 24 steps seen twice, multiplicative ones for
/// positive values, damped ones last so that a tie goes to the simpler.
pub fn members(values: &[f64], period: usize) -> Vec<Spec> {
    let positive = values.iter().all(|value| value.is_nan() || *value > 0.0);
    let count = observed(values);
    let seasonal = (2..=LONGEST_SEASON).contains(&period) && values.len() >= 2 * period;
    let mut found = Vec::new();
    for error in [Error::Additive, Error::Multiplicative] {
        for trend in [Trend::None, Trend::Additive, Trend::Damped] {
            for season in [Season::None, Season::Additive, Season::Multiplicative] {
                let spec = Spec { error, trend, season };
                let kind = positive || error == Error::Additive;
                let stable = season != Season::Multiplicative || error == Error::Multiplicative;
                let fits = season == Season::None || seasonal;
                // The criterion divides by n - k - 1.
                if kind && stable && fits && count > spec.parameters(period) + 1 {
                    found.push(spec);
                }
            }
        }
    }
    found
}

/// The member with the smallest corrected criterion.
#[derive(Debug, Clone, Copy)]
pub struct AutoEts {
    /// Steps of a season; 1 where there is none.
    pub period: usize,
}

/// Fits every member and keeps the best.
///
/// # Errors
/// Stopped, or no member could be fitted.
pub fn auto(values: &[f64], period: usize, control: &Control) -> Result<Fitted, FitError> {
    let mut best: Option<Fitted> = None;
    let mut refused: Option<FitError> = None;
    for spec in members(values, period) {
        match fit(values, spec, period, control) {
            Ok(found) => {
                if best.as_ref().is_none_or(|best| found.aicc < best.aicc) {
                    best = Some(found);
                }
            }
            Err(FitError::Stopped(stopped)) => return Err(stopped.into()),
            Err(other) => refused = Some(other),
        }
    }
    best.ok_or_else(|| {
        refused.unwrap_or_else(|| FitError::Invalid("too few values for exponential smoothing".into()))
    })
}

impl Fit for AutoEts {
    fn name(&self) -> &'static str {
        "ETS"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(auto(values, self.period, control)?))
    }
}

/// One member, estimated without a search among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub spec: Spec,
    /// Steps of a season; 1 where there is none.
    pub period: usize,
}

impl Fit for Member {
    fn name(&self) -> &'static str {
        "ETS"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(fit(values, self.spec, self.period, control)?))
    }
}

/// Holt's damped trend: ETS(A,Ad,N).
#[derive(Debug, Clone, Copy)]
pub struct DampedTrend;

impl Fit for DampedTrend {
    fn name(&self) -> &'static str {
        "damped trend"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        let spec = Spec {
            error: Error::Additive,
            trend: Trend::Damped,
            season: Season::None,
        };
        Ok(Box::new(fit(values, spec, 1, control)?))
    }
}
#[cfg(test)]
mod tests_references;
