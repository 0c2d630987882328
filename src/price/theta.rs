//! Theta, and the dynamic optimised Theta.
//!
//! The Theta method (Assimakopoulos and Nikolopoulos, International Journal of Forecasting 16, 2000) adds exponential
//! smoothing and half the slope of a straight line. Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler (International
//! Journal of Forecasting 32, 2016) write it in state space form with the line `A + B t` updated at every step and its
//! weight `w = 1 - 1/theta` estimated:
//!
//! ```text
//! mu[t]    = level[t-1] + w T[t],   T[t] = (1 - alpha)^(t-1) A[t-1] + (1 - (1 - alpha)^t) / alpha B[t-1]
//! level[t] = level[t-1] + alpha (y[t] - level[t-1])
//! mean[t]  = mean[t-1] + (y[t] - mean[t-1]) / t
//! B[t]     = ((t - 2) B[t-1] + 6 (y[t] - mean[t-1]) / t) / (t + 1),   A[t] = mean[t] - B[t] (t + 1) / 2
//! ```
//!
//! Theta itself, in the same form, is `w = 1/2` with the least-squares line of the whole series in place of the moving one.
//!
//! The authors search over (level_0, alpha, theta). But `level_(t-1) = L_(t-1) + (1 - alpha)^(t-1) level_0` with `L` free
//! of it, so for a given alpha the errors are linear in `level[0]` and `w`: those two come from least squares, and one
//! dimension is left for Brent's method. That finds the least squares everywhere instead of somewhere, at a hundredth of
//! the cost.
//!
//! A season is taken out first where the test of [`super::season::is_seasonal`] finds one, multiplicatively where values
//! allow. A missing value is filled with the one before it.

use super::model::{Fit, Forecast, Predict};
use super::season::{Kind, indices, is_seasonal};
use super::series::{constant, observed};
use crate::fit::{Brent, Control, FitError, brent};
use serde_json::{Value, json};

/// The dynamic optimised Theta, with seasons of `period` steps (1: none).
#[derive(Debug, Clone, Copy)]
pub struct DynamicTheta {
    /// Steps of a season.
    pub period: usize,
}

/// Theta with `w = 1/2`, with seasons of `period` steps (1: none).
#[derive(Debug, Clone, Copy)]
pub struct Theta {
    /// Steps of a season.
    pub period: usize,
}

/// A fitted one.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTheta {
    /// Smoothing of the level.
    pub alpha: f64,
    /// theta: 1 is exponential smoothing, infinity the whole slope.
    pub theta: f64,
    /// The level before the first value.
    pub level0: f64,
    /// Mean squared error of one step, from the third on.
    pub sigma2: f64,
    state: State,
    season: Option<(Kind, Vec<f64>)>,
}

/// The recursion after `t` values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    /// Whether the line moves.
    moving: bool,
    t: f64,
    level: f64,
    mean: f64,
    a: f64,
    b: f64,
    /// (1 - alpha)^t.
    decay: f64,
}

impl State {
    /// Before the first value; with a line that moves, or with the one given.
    fn start(level: f64, line: Option<(f64, f64)>) -> Self {
        let (a, b) = line.unwrap_or((0.0, 0.0));
        Self {
            moving: line.is_none(),
            t: 0.0,
            level,
            mean: 0.0,
            a,
            b,
            decay: 1.0,
        }
    }

    /// The line's part of what the next step is expected to be.
    fn line(&self, alpha: f64) -> f64 {
        self.decay * self.a + (1.0 - self.decay * (1.0 - alpha)) / alpha * self.b
    }

    fn update(&mut self, value: f64, alpha: f64) {
        self.t += 1.0;
        let deviation = value - self.mean;
        self.level += alpha * (value - self.level);
        self.decay *= 1.0 - alpha;
        if !self.moving {
            return;
        }
        self.b = if self.t < 1.5 {
            0.0
        } else {
            ((self.t - 2.0) * self.b + 6.0 * deviation / self.t) / (self.t + 1.0)
        };
        self.mean += deviation / self.t;
        self.a = self.mean - self.b * (self.t + 1.0) / 2.0;
    }
}

/// The sums of the least-squares problem at one alpha: errors are `u - level0 p - w q`.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    uu: f64,
    up: f64,
    uq: f64,
    pp: f64,
    pq: f64,
    qq: f64,
}

impl Sums {
    /// Steps before this one only warm up the line.
    const FIRST: usize = 2;

    fn of(values: &[f64], line: Option<(f64, f64)>, alpha: f64) -> Self {
        let mut sums = Self::default();
        let mut state = State::start(0.0, line);
        for (i, &value) in values.iter().enumerate() {
            if i >= Self::FIRST {
                let (u, p, q) = (value - state.level, state.decay, state.line(alpha));
                sums.uu += u * u;
                sums.up += u * p;
                sums.uq += u * q;
                sums.pp += p * p;
                sums.pq += p * q;
                sums.qq += q * q;
            }
            state.update(value, alpha);
        }
        sums
    }

    /// (level0, w, sum of squared errors) at the least squares for this w.
    fn given(&self, w: f64) -> (f64, f64, f64) {
        // Ridged a hair, so that a series which forgot its start has an answer.
        let level0 = (self.up - w * self.pq) / (self.pp + 1e-12);
        let error = self.uu - 2.0 * (level0 * self.up + w * self.uq)
            + level0 * level0 * self.pp
            + 2.0 * level0 * w * self.pq
            + w * w * self.qq;
        (level0, w, error)
    }

    /// The same for the best w from 0 to 1.
    fn best(&self) -> (f64, f64, f64) {
        let determinant = self.pp * self.qq - self.pq * self.pq;
        let free = (self.pp * self.uq - self.pq * self.up) / determinant;
        if free > 0.0 && free < 1.0 && determinant > 1e-12 * self.pp * self.qq {
            return self.given(free);
        }
        let (none, whole) = (self.given(0.0), self.given(1.0));
        if whole.2 < none.2 { whole } else { none }
    }
}

/// Values without their season, gaps filled by carrying forward; and the season.
fn deseasonalise(values: &[f64], period: usize) -> (Vec<f64>, Option<(Kind, Vec<f64>)>) {
    let mut filled = values.to_vec();
    let mut last = values
        .iter()
        .copied()
        .find(|value| !value.is_nan())
        .unwrap_or(0.0);
    for value in &mut filled {
        if value.is_nan() {
            *value = last;
        }
        last = *value;
    }
    if !is_seasonal(values, period) {
        return (filled, None);
    }
    let positive = filled.iter().all(|value| *value > 0.0);
    let shape = positive
        .then(|| {
            indices(values, period, Kind::Multiplicative).filter(|found| found.iter().all(|i| *i > 0.01))
        })
        .flatten()
        .map(|found| (Kind::Multiplicative, found))
        .or_else(|| indices(values, period, Kind::Additive).map(|found| (Kind::Additive, found)));
    if let Some((kind, found)) = &shape {
        for (t, value) in filled.iter_mut().enumerate() {
            match kind {
                Kind::Additive => *value -= found[t % period],
                Kind::Multiplicative => *value /= found[t % period],
            }
        }
    }
    (filled, shape)
}

/// alpha from and to, the bounds of the authors' program.
const ALPHA: (f64, f64) = (0.1, 0.99);

/// Fits the dynamic optimised Theta.
///
/// # Errors
/// Stopped, or fewer than four values, or values that never change.
pub fn dynamic_theta(values: &[f64], period: usize, control: &Control) -> Result<FittedTheta, FitError> {
    fit(values, period, true, control)
}

/// Fits Theta.
///
/// # Errors
/// Stopped, or fewer than four values, or values that never change.
pub fn theta(values: &[f64], period: usize, control: &Control) -> Result<FittedTheta, FitError> {
    fit(values, period, false, control)
}

fn fit(values: &[f64], period: usize, dynamic: bool, control: &Control) -> Result<FittedTheta, FitError> {
    if observed(values) < 4 || constant(values) {
        return Err(FitError::Invalid(
            "Theta wants at least four values that are not all the same".into(),
        ));
    }
    let (plain, season) = deseasonalise(values, period);
    let line = (!dynamic).then(|| {
        let mut state = State::start(0.0, None);
        plain.iter().for_each(|&value| state.update(value, 0.5));
        (state.a, state.b)
    });
    let solve = |alpha: f64| {
        let sums = Sums::of(&plain, line, alpha);
        if dynamic { sums.best() } else { sums.given(0.5) }
    };
    let options = Brent {
        tolerance: 1e-5,
        ..Brent::default()
    };
    let cost = |alpha: f64| solve(alpha).2;
    // The cost may have two valleys: look where it is lowest before going down.
    let grid = 8;
    let at = |i: usize| ALPHA.0 + (ALPHA.1 - ALPHA.0) * i as f64 / grid as f64;
    let mut lowest = (0, f64::INFINITY);
    for i in 0..=grid {
        let found = cost(at(i));
        if found < lowest.1 {
            lowest = (i, found);
        }
    }
    let (from, to) = (lowest.0.saturating_sub(1), (lowest.0 + 1).min(grid));
    let found = brent(cost, at(from), at(to), &options, control)?;
    let alpha = if found.cost < lowest.1 {
        found.params[0]
    } else {
        at(lowest.0)
    };
    let (level0, w, squares) = solve(alpha);
    let mut state = State::start(level0, line);
    plain.iter().for_each(|&value| state.update(value, alpha));
    let count = (plain.len() - Sums::FIRST).max(1) as f64;
    Ok(FittedTheta {
        alpha,
        theta: 1.0 / (1.0 - w).max(1e-10),
        level0,
        sigma2: (squares / count).max(0.0),
        state,
        season: rotated(season, values.len()),
    })
}

/// The season of the steps to come.
fn rotated(season: Option<(Kind, Vec<f64>)>, length: usize) -> Option<(Kind, Vec<f64>)> {
    season.map(|(kind, mut found)| {
        let next = length % found.len();
        found.rotate_left(next);
        (kind, found)
    })
}

impl Predict for FittedTheta {
    fn forecast(&self, horizon: usize) -> Forecast {
        let w = 1.0 - 1.0 / self.theta;
        let mut state = self.state;
        let price = (0..horizon)
            .map(|h| {
                let expected = state.level + w * state.line(self.alpha);
                state.update(expected, self.alpha);
                match &self.season {
                    Some((Kind::Additive, season)) => expected + season[h % season.len()],
                    Some((Kind::Multiplicative, season)) => expected * season[h % season.len()],
                    None => expected,
                }
            })
            .collect();
        Forecast {
            price,
            variance: (0..horizon)
                .map(|h| self.sigma2 * (1.0 + h as f64 * self.alpha * self.alpha))
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({
            "alpha": self.alpha,
            "theta": self.theta.min(1e10),
            "level0": self.level0,
            "sigma2": self.sigma2,
            "season": match &self.season {
                Some((Kind::Additive, _)) => "additive",
                Some((Kind::Multiplicative, _)) => "multiplicative",
                None => "none",
            },
        })
    }
}

impl Fit for DynamicTheta {
    fn name(&self) -> &'static str {
        "dynamic optimised Theta"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(dynamic_theta(values, self.period, control)?))
    }
}

impl Fit for Theta {
    fn name(&self) -> &'static str {
        "Theta"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(theta(values, self.period, control)?))
    }
}

#[cfg(test)]
mod tests;
