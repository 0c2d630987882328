//! Rolling origins: what each model would have said at three nights of the past, and what then happened.
//!
//! Origin `k` (1, 2, 3) lies `k * horizon` steps before the newest value; what follows it is forecast over the whole
//! horizon, knowing only what came before. A series takes part in an origin if it has [`ENOUGH`] values there; one that
//! never changed before an origin is answered by the last price, like in the night itself.

use super::model::{Fit, Forecast};
use super::series::{constant, observed};
use crate::fit::{Control, FitError, Stopped};
use rayon::prelude::*;

/// Values a series needs before any model but the last price is tried.
pub const ENOUGH: usize = 20;
/// Past origins.
pub const ORIGINS: usize = 3;

/// How one model did on one series from one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Mean absolute error over the steps that have an actual value.
    pub mae: f64,
    /// Per step `|ln(actual / forecast)|`; `NaN` where there is no actual value.
    pub log_errors: Vec<f64>,
    /// The model could not be fitted and the last price stood in.
    pub failed: bool,
}

/// One series from one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The mean absolute step before the origin, the unit of MASE; `None` where the price never moved.
    pub scale: Option<f64>,
    /// One per model, in the order of the candidates.
    pub trials: Vec<Trial>,
}

/// One series from every origin, newest first; `None` where it has too few values or nothing to compare with.
pub type Backtest = [Option<Origin>; ORIGINS];

/// Whether a series is worth a model: enough values, and not all the same.
pub fn screened_out(values: &[f64]) -> bool {
    observed(values) < ENOUGH || constant(values)
}

/// Runs every model at every origin of every series, in parallel over series.
///
/// `series` may hold series that are too short: they take part in no origin.
///
/// # Errors
/// Stopped by the control.
pub fn backtest(
    series: &[&[f64]],
    models: &[Box<dyn Fit>],
    horizon: usize,
    control: &Control,
) -> Result<Vec<Backtest>, Stopped> {
    let quiet = control.quiet();
    series.par_iter().map(|values| one(values, models, horizon, &quiet)).collect()
}

fn one(values: &[f64], models: &[Box<dyn Fit>], horizon: usize, control: &Control) -> Result<Backtest, Stopped> {
    let mut origins: Backtest = [const { None }; ORIGINS];
    for (k, slot) in origins.iter_mut().enumerate() {
        control.check()?;
        let Some(cut) = values.len().checked_sub((k + 1) * horizon) else { break };
        let (past, rest) = values.split_at(cut);
        let future = &rest[..horizon];
        if observed(past) < ENOUGH || observed(future) == 0 {
            continue;
        }
        let still = constant(past);
        let naive = models[0].fit(past, control).map(|model| model.forecast(horizon)).map_err(only_stops)?;
        let Some(naive) = naive.ok() else { continue };
        let mut trials = Vec::with_capacity(models.len());
        for (m, model) in models.iter().enumerate() {
            let trial = if m == 0 || still {
                judge(&naive, future, false)
            } else {
                match forecast(model.as_ref(), past, horizon, control)? {
                    Some(forecast) => judge(&forecast, future, false),
                    None => judge(&naive, future, true),
                }
            };
            trials.push(trial);
        }
        *slot = Some(Origin { scale: scale(past), trials });
    }
    Ok(origins)
}

/// Fits and forecasts; `None` where the model has no usable answer.
///
/// # Errors
/// Stopped by the control.
pub fn forecast(
    model: &dyn Fit,
    values: &[f64],
    horizon: usize,
    control: &Control,
) -> Result<Option<Forecast>, Stopped> {
    match model.fit(values, control) {
        Ok(fitted) => {
            let forecast = fitted.forecast(horizon);
            Ok(forecast.price.iter().all(|price| price.is_finite() && *price > 0.0).then_some(forecast))
        }
        Err(FitError::Stopped(stopped)) => Err(stopped),
        Err(_) => Ok(None),
    }
}

fn judge(forecast: &Forecast, future: &[f64], failed: bool) -> Trial {
    let (mut sum, mut count) = (0.0, 0u32);
    for (price, actual) in forecast.price.iter().zip(future) {
        if !actual.is_nan() {
            sum += (actual - price).abs();
            count += 1;
        }
    }
    let log_errors = forecast.price.iter().zip(future).map(|(price, actual)| (actual / price).ln().abs()).collect();
    Trial { mae: sum / f64::from(count), log_errors, failed }
}

/// The mean absolute change from step to step, if there was any.
pub fn scale(values: &[f64]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for pair in values.windows(2) {
        let change = (pair[1] - pair[0]).abs();
        if !change.is_nan() {
            sum += change;
            count += 1;
        }
    }
    (sum > 0.0).then(|| sum / f64::from(count))
}
