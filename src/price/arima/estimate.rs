//! Maximum likelihood: the search and what it found. L-BFGS from the start of [`super::start`]; Nelder-Mead where it
//! finds no way.

use super::super::model::Drivers;
use super::Arima;
use super::kalman::{State, filter};
use super::likelihood::natural;
use super::polynomial::Arma;
use super::prepare::Prepared;
use crate::fit::{Control, FitError, Lbfgs, NelderMead, lbfgs, nelder_mead};

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

    /// Akaike's criterion, corrected for small samples (Hurvich and Tsai, Biometrika 76, 1989); infinite where there
    /// are too few values for it.
    pub fn aicc(&self) -> f64 {
        let (k, n) = (self.parameters() as f64, self.observations as f64);
        if n - k - 1.0 <= 0.0 {
            return f64::INFINITY;
        }
        -2.0 * self.log_likelihood + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)
    }
}

impl Arima {
    /// Fits `values` (one per step, `NaN` missing), with drivers known at every step of the series.
    ///
    /// # Errors
    /// Stopped; too few values, a driver that is not known throughout, no fit possible.
    pub fn estimate(&self, values: &[f64], drivers: &Drivers, control: &Control) -> Result<Fitted, FitError> {
        let prepared = self.prepare(values, drivers)?;
        let x = prepared.search(None, control)?;
        self.finish(&prepared, &x, values, drivers)
    }

    /// The estimates at the free parameters `x`.
    pub(super) fn finish(
        &self,
        prepared: &Prepared,
        x: &[f64],
        values: &[f64],
        drivers: &Drivers,
    ) -> Result<Fitted, FitError> {
        let lost = || FitError::Invalid(format!("{} has no finite likelihood here", self.order));
        let coefficients = natural(&self.order, x);
        let arma = Arma::of(&self.order, &coefficients);
        let effects = prepared.effects(&arma).ok_or_else(lost)?;
        let residual = prepared.residual(&effects);
        let (squares, logs) = prepared.sums(&arma, &residual).ok_or_else(lost)?;
        let n = prepared.observations as f64;
        let sigma2 = squares / n;
        let log_likelihood = -0.5
            * (n * ((2.0 * std::f64::consts::PI * sigma2).ln() + 2.0 * prepared.scale.ln() + 1.0) + logs);
        if !sigma2.is_finite() || log_likelihood.is_nan() {
            return Err(lost());
        }
        let effects: Vec<f64> = effects
            .iter()
            .zip(&prepared.sizes)
            .map(|(b, size)| b / size * prepared.scale)
            .collect();
        let regressors = self.regressors(values.len(), drivers)?;
        let kept: Vec<&[f64]> = prepared
            .kept
            .iter()
            .map(|&j| regressors[j].1.as_slice())
            .collect();
        // The series without its regressors, in the state's units.
        let rest: Vec<f64> = (0..values.len())
            .map(|t| {
                let explained: f64 = kept.iter().zip(&effects).map(|(column, b)| b * column[t]).sum();
                (values[t] - prepared.base - explained) / prepared.scale
            })
            .collect();
        let state = if prepared.gaps {
            filter(&arma, &prepared.delta, &[&rest], |_, _, _| ()).ok_or_else(lost)?
        } else {
            let state = filter(&arma, &[], &[&residual], |_, _, _| ()).ok_or_else(lost)?;
            let newest: Vec<f64> = rest.iter().rev().take(prepared.delta.len()).copied().collect();
            state.integrated(&prepared.delta, &newest)
        };
        let known = drivers
            .iter()
            .map(|(_, values)| values.len())
            .min()
            .unwrap_or(usize::MAX);
        let future = future_of(self, &prepared.kept, values.len(), known, drivers);
        Ok(Fitted {
            model: *self,
            coefficients,
            regressors: prepared.names.clone(),
            effects,
            left_out: prepared.left_out.clone(),
            sigma2: sigma2 * prepared.scale * prepared.scale,
            log_likelihood,
            observations: prepared.observations,
            state,
            steps: values.len(),
            scale: prepared.scale,
            base: prepared.base,
            future,
        })
    }
}

/// Rows of the kept regressors after the series.
fn future_of(arima: &Arima, kept: &[usize], n: usize, known: usize, drivers: &Drivers) -> Vec<Vec<f64>> {
    let constants = usize::from(arima.constant);
    if kept.iter().all(|&j| j < constants) {
        return Vec::new();
    }
    let columns: Vec<&[f64]> = drivers.iter().map(|(_, values)| values).collect();
    (n..known)
        .map(|t| {
            kept.iter()
                .filter(|j| **j >= constants)
                .map(|&j| columns[j - constants][t])
                .collect()
        })
        .collect()
}

impl Prepared {
    /// The free parameters of the highest likelihood found.
    pub(super) fn search(&self, from: Option<&[f64]>, control: &Control) -> Result<Vec<f64>, FitError> {
        let k = self.order.coefficients();
        if k == 0 {
            control.check()?;
            return Ok(Vec::new());
        }
        let start = match from {
            Some(from) => from.to_vec(),
            None => self.start(),
        };
        let options = Lbfgs {
            tolerance: 1e-7,
            cost_tolerance: 1e-14,
            max_iterations: 100,
            ..Lbfgs::default()
        };
        let fitted = match lbfgs(self, start, &options, control) {
            Err(FitError::NoFiniteCost { .. } | FitError::Solver(_)) => {
                nelder_mead(self, vec![0.0; k], &NelderMead::default(), control)?
            }
            other => other?,
        };
        Ok(fitted.params)
    }
}
