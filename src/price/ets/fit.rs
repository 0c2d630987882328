//! One member fitted to one series.

use super::super::series::{constant, observed};
use super::recursion::{Parameters, Pass};
use super::region::{admissible, fold_gradient, start as start_weights, unfold, weights};
use super::start::states;
use super::{Season, Spec, Trend};
use crate::fit::{Control, Differentiable, FitError, Lbfgs, NelderMead, Objective, lbfgs, nelder_mead};
use std::cell::RefCell;

/// A fitted member.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Which.
    pub spec: Spec,
    /// Weight of an error on the level.
    pub alpha: f64,
    /// On the slope; 0 without.
    pub beta: f64,
    /// On the season; 0 without.
    pub gamma: f64,
    /// Damping; 1 for a straight line, 0 without trend.
    pub phi: f64,
    /// The level after the newest value.
    pub level: f64,
    /// The slope there.
    pub slope: f64,
    /// The season of the next step and the following ones; empty without.
    pub season: Vec<f64>,
    /// Variance of the residuals, relative ones where errors multiply: their sum of squares over n less the parameters.
    pub sigma2: f64,
    /// The log-likelihood as R's `ets` counts it, constants left away: `-1/2 (n log(sum r^2) + 2 sum log |mu|)`.
    pub log_likelihood: f64,
    /// Corrected criterion of Akaike.
    pub aicc: f64,
}

/// What is minimised, and the buffers of a pass over it.
struct Problem<'a> {
    values: &'a [f64],
    spec: Spec,
    /// States the search starts from, and the unit it walks in.
    from: Parameters,
    unit: f64,
    season_unit: f64,
    work: RefCell<(Pass, Parameters, Parameters)>,
}

impl Problem<'_> {
    /// Sets `p` from the unbounded numbers: weights, level, slope, and all seasons but the last, which balances them.
    fn unfold(&self, x: &[f64], p: &mut Parameters) {
        let first = weights(self.spec);
        unfold(self.spec, &x[..first], p);
        let mut next = x[first..].iter();
        let mut take = || next.next().copied().unwrap_or(0.0);
        p.level = self.from.level + self.unit * take();
        p.slope = match self.spec.trend {
            Trend::None => 0.0,
            _ => self.from.slope + 0.1 * self.unit * take(),
        };
        p.season.clone_from(&self.from.season);
        if let Some((last, others)) = p.season.split_last_mut() {
            for season in others {
                let change = self.season_unit * take();
                *season += change;
                *last -= change;
            }
        }
    }
}

impl Objective for Problem<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        let (pass, p, _) = &mut *self.work.borrow_mut();
        self.unfold(x, p);
        if pass.forwards(self.values, self.spec, p) {
            pass.cost()
        } else {
            f64::INFINITY
        }
    }
}

impl Differentiable for Problem<'_> {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (pass, p, d) = &mut *self.work.borrow_mut();
        self.unfold(x, p);
        if !pass.forwards(self.values, self.spec, p) {
            return f64::INFINITY;
        }
        pass.backwards(self.spec, p, d);
        let first = weights(self.spec);
        fold_gradient(self.spec, &x[..first], p, d, &mut gradient[..first]);
        let mut next = first;
        gradient[next] = self.unit * d.level;
        next += 1;
        if self.spec.trend != Trend::None {
            gradient[next] = 0.1 * self.unit * d.slope;
            next += 1;
        }
        if let Some((last, others)) = d.season.split_last() {
            for (slot, by) in gradient[next..].iter_mut().zip(others) {
                *slot = self.season_unit * (by - last);
            }
        }
        pass.cost()
    }
}

/// How precisely the cost, -2 log L per value, is minimised.
const COST_TOLERANCE: f64 = 1e-8;

/// Fits one member to a series (`NaN` missing) with seasons of `period` steps.
///
/// # Errors
/// Stopped; too few values or values that never change; a member whose forecasts would not forget their start.
pub fn fit(values: &[f64], spec: Spec, period: usize, control: &Control) -> Result<Fitted, FitError> {
    let count = observed(values);
    let parameters = spec.parameters(period);
    if count <= parameters + 1 || constant(values) {
        return Err(FitError::Invalid(format!(
            "{} wants more than {} values that are not all the same",
            spec.name(),
            parameters + 1
        )));
    }
    let (from, unit) = states(values, spec, period);
    let season_unit = match spec.season {
        Season::Multiplicative => unit / from.level.abs().max(unit),
        _ => unit,
    };
    let states = from.season.len().max(1) + usize::from(spec.trend != Trend::None);
    let mut x = start_weights(spec, period);
    x.resize(x.len() + states, 0.0);
    let problem = Problem {
        values,
        spec,
        from,
        unit,
        season_unit,
        work: RefCell::default(),
    };
    let options = Lbfgs {
        memory: 8,
        tolerance: 1e-6,
        cost_tolerance: COST_TOLERANCE,
        max_iterations: 300,
        ..Lbfgs::default()
    };
    let found = match lbfgs(&problem, x.clone(), &options, control) {
        Err(FitError::NoFiniteCost { .. } | FitError::Solver(_)) => {
            nelder_mead(&problem, x, &NelderMead::default(), control)?
        }
        other => other?,
    };
    let (pass, p, _) = &mut *problem.work.borrow_mut();
    problem.unfold(&found.params, p);
    if !pass.forwards(values, spec, p) {
        return Err(FitError::NoFiniteCost {
            evaluations: found.evaluations,
        });
    }
    if !admissible(spec, p) {
        return Err(FitError::Invalid(format!(
            "{}: the best weights lie outside the admissible region",
            spec.name()
        )));
    }
    let (n, k) = (count as f64, parameters as f64);
    let log_likelihood = -0.5 * (n * pass.squares.ln() + 2.0 * pass.logs);
    let mut season = pass.season.clone();
    let next = values.len() % season.len().max(1);
    season.rotate_left(next);
    Ok(Fitted {
        spec,
        alpha: p.alpha,
        beta: p.beta,
        gamma: p.gamma,
        phi: p.phi,
        level: pass.level,
        slope: pass.slope,
        season,
        sigma2: pass.squares / (n - k).max(1.0),
        log_likelihood,
        aicc: -2.0 * log_likelihood + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0),
    })
}
