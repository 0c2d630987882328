//! Maximum likelihood: the search and what it found. L-BFGS from the start of [`super::start`]; Nelder-Mead where it
//! finds no way.

use super::super::model::Drivers;
use super::Arima;
use super::kalman::{State, filter};
use super::likelihood::natural;
use super::polynomial::Arma;
use super::prepare::Prepared;
use crate::fit::{Control, FitError, Lbfgs, NelderMead, Objective, lbfgs, nelder_mead};

/// An estimated model. Coefficients have R's signs.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What was estimated.
    pub model: Arima,
    /// ar, ma, sar, sma, in this order.
    pub coefficients: Vec<f64>,
    /// The regressors' names, the constant ("mean" or "drift") first; without those left out.
    pub regressors: Vec<String>,
    /// One coefficient per regressor.
    pub effects: Vec<f64>,
    /// Regressors left out because differencing or the others make them redundant.
    pub left_out: Vec<String>,
    /// The innovation variance: `S / observations`.
    pub sigma2: f64,
    /// The log-likelihood; infinite where the series follows without any error.
    pub log_likelihood: f64,
    /// Values that told something: those there, less the ones that differencing costs.
    pub observations: usize,
    pub(super) state: State<f64>,
    /// Steps of the series.
    pub(super) steps: usize,
    /// What the state's numbers are multiplied by and added to.
    pub(super) scale: f64,
    pub(super) base: f64,
    /// The regressors after the series, one row per step, as far as known.
    pub(super) future: Vec<Vec<f64>>,
}

impl Fitted {
    /// Parameters estimated, sigma^2 among them.
    pub fn parameters(&self) -> usize {
        self.coefficients.len() + self.effects.len() + 1
    }

    /// Akaike's criterion, corrected for small samples; infinite where there are too few values for it.
    pub fn aicc(&self) -> f64 {
        aicc(self.log_likelihood, self.parameters(), self.observations)
    }
}

/// Akaike's criterion for `k` parameters and `n` values, corrected for small samples (Hurvich and Tsai, Biometrika 76,
/// 1989); infinite where there are too few values for it.
pub(super) fn aicc(log_likelihood: f64, k: usize, n: usize) -> f64 {
    if n <= k + 1 {
        return f64::INFINITY;
    }
    let (k, n) = (k as f64, n as f64);
    -2.0 * log_likelihood + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)
}

/// How close a search comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// To compare orders: the log-likelihood to about 1e-6.
    Rough,
    /// To report: the coefficients to about 1e-6.
    Fine,
}

/// Free parameters and the cost there.
pub(super) type Found = (Vec<f64>, f64);

impl Arima {
    /// Fits `values` (one per step, `NaN` missing), with drivers known at every step of the series.
    ///
    /// # Errors
    /// Stopped; too few values, a driver that is not known throughout, no fit possible.
    pub fn estimate(&self, values: &[f64], drivers: &Drivers, control: &Control) -> Result<Fitted, FitError> {
        let prepared = self.prepare(values, drivers)?;
        if prepared.exact() {
            return prepared.finish(&vec![0.0; self.order.coefficients()], self.constant);
        }
        let (x, _) = prepared.search(&[], Effort::Fine, control)?;
        prepared.finish(&x, self.constant)
    }
}

impl Prepared {
    /// The free parameters of the highest likelihood found, from the best of some starts and our own.
    pub(super) fn search(
        &self,
        starts: &[Vec<f64>],
        effort: Effort,
        control: &Control,
    ) -> Result<Found, FitError> {
        let k = self.order.coefficients();
        if k == 0 {
            control.check()?;
            let cost = self.cost(&[]);
            return if cost.is_finite() {
                Ok((Vec::new(), cost))
            } else {
                Err(self.lost())
            };
        }
        let mut start = (vec![0.0; k], self.cost(&vec![0.0; k]));
        for other in starts.iter().cloned().chain(self.guess()) {
            let cost = self.cost(&other);
            if cost < start.1 {
                start = (other, cost);
            }
        }
        self.search_from(start.0, effort, control)
    }

    /// The same from one start.
    pub(super) fn search_from(
        &self,
        start: Vec<f64>,
        effort: Effort,
        control: &Control,
    ) -> Result<Found, FitError> {
        let k = start.len();
        let options = match effort {
            Effort::Rough => Lbfgs {
                tolerance: 1e-5,
                cost_tolerance: 1e-9,
                max_iterations: 40,
                ..Lbfgs::default()
            },
            Effort::Fine => Lbfgs {
                tolerance: 1e-7,
                cost_tolerance: 1e-13,
                max_iterations: 100,
                ..Lbfgs::default()
            },
        };
        let fitted = match lbfgs(self, start, &options, control) {
            Err(FitError::NoFiniteCost { .. } | FitError::Solver(_)) => {
                nelder_mead(self, vec![0.0; k], &NelderMead::default(), control)?
            }
            other => other?,
        };
        Ok((fitted.params, fitted.cost))
    }

    fn lost(&self) -> FitError {
        FitError::Invalid(format!("{} has no finite likelihood here", self.order))
    }

    /// The estimates at the free parameters `x`.
    pub(super) fn finish(&self, x: &[f64], constant: bool) -> Result<Fitted, FitError> {
        let lost = || self.lost();
        let coefficients = natural(&self.order, x);
        let arma = Arma::of(&self.order, &coefficients);
        let effects = self.effects(&arma).ok_or_else(lost)?;
        let residual = self.residual(&effects);
        let (mut squares, logs) = self.sums(&arma, &residual).ok_or_else(lost)?;
        let n = self.observations as f64;
        if squares <= n * 1e-26 {
            squares = 0.0;
        }
        let sigma2 = squares / n * self.scale * self.scale;
        let log_likelihood = self.log_likelihood(self.concentrated(squares, logs));
        if !sigma2.is_finite() || log_likelihood.is_nan() {
            return Err(lost());
        }
        // The series without its regressors.
        let mut rest = self.levels[0].clone();
        for (level, b) in self.levels[1..].iter().zip(&effects) {
            for (value, x) in rest.iter_mut().zip(level) {
                *value -= b * x;
            }
        }
        let state = if self.gaps {
            filter(&arma, &self.delta, &[&rest], |_, _, _| ()).ok_or_else(lost)?
        } else {
            let state = filter(&arma, &[], &[&residual], |_, _, _| ()).ok_or_else(lost)?;
            state.integrated(&self.delta, &rest[rest.len() - self.delta.len()..])
        };
        Ok(Fitted {
            model: Arima {
                order: self.order,
                constant,
            },
            coefficients,
            regressors: self.names.clone(),
            effects: effects
                .iter()
                .zip(&self.sizes)
                .map(|(b, size)| b / size * self.scale)
                .collect(),
            left_out: self.left_out.clone(),
            sigma2,
            log_likelihood,
            observations: self.observations,
            state,
            steps: self.levels[0].len(),
            scale: self.scale,
            base: self.base,
            future: self.future.clone(),
        })
    }
}
