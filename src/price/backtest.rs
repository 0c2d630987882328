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

/// Series between two reports of progress.
const CHUNK: usize = 512;

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
    /// How often the price moved before the origin ([`class`]).
    pub class: usize,
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
    let mut found = Vec::with_capacity(series.len());
    for chunk in series.chunks(CHUNK) {
        let answers: Result<Vec<Backtest>, Stopped> = chunk
            .par_iter()
            .map(|values| one(values, models, horizon, &quiet))
            .collect();
        found.extend(answers?);
        control.progress("past forecasts", found.len() as u64, series.len() as u64);
    }
    Ok(found)
}

fn one(
    values: &[f64],
    models: &[Box<dyn Fit>],
    horizon: usize,
    control: &Control,
) -> Result<Backtest, Stopped> {
    let mut origins: Backtest = [const { None }; ORIGINS];
    for (k, slot) in origins.iter_mut().enumerate() {
        control.check()?;
        let Some(cut) = values.len().checked_sub((k + 1) * horizon) else {
            break;
        };
        let (past, rest) = values.split_at(cut);
        let future = &rest[..horizon];
        if observed(past) < ENOUGH || observed(future) == 0 {
            continue;
        }
        let still = constant(past);
        let Some(naive) = forecast(models[0].as_ref(), past, horizon, control)? else {
            continue;
        };
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
        *slot = Some(Origin {
            class: class(past),
            scale: scale(past),
            trials,
        });
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
            Ok(forecast
                .price
                .iter()
                .all(|price| price.is_finite() && *price > 0.0)
                .then_some(forecast))
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
    let log_errors = forecast
        .price
        .iter()
        .zip(future)
        .map(|(price, actual)| (actual / price).ln().abs())
        .collect();
    Trial {
        mae: sum / f64::from(count),
        log_errors,
        failed,
    }
}

/// The horizon the backtest looks at: the night's own, or shorter where most series are too short for it.
pub fn backtest_horizon(lengths: &[usize], horizon: usize) -> usize {
    let mut long_enough: Vec<usize> = lengths
        .iter()
        .copied()
        .filter(|&length| length > ENOUGH)
        .collect();
    long_enough.sort_unstable();
    match long_enough.get(long_enough.len() / 2) {
        Some(median) => horizon.min((median - ENOUGH) / ORIGINS).max(1),
        None => horizon,
    }
}

/// Number of classes.
pub const CLASSES: usize = 5;

/// How often a price moves, by its share of steps without a change: 0 is under a half, then under four fifths, under
/// 19 of 20, under all of them; 4 never moved. Errors of one class are alike, whatever the category.
pub fn class(values: &[f64]) -> usize {
    let (mut still, mut count) = (0u32, 0u32);
    for pair in values.windows(2) {
        if !(pair[0].is_nan() || pair[1].is_nan()) {
            count += 1;
            still += u32::from(constant(pair));
        }
    }
    if still == count {
        return 4;
    }
    let share = f64::from(still) / f64::from(count);
    [0.5, 0.8, 0.95].iter().filter(|bound| share >= **bound).count()
}

/// The mean absolute change from step to step; `None` where the price never moved.
pub fn scale(values: &[f64]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for pair in values.windows(2) {
        let change = (pair[1] - pair[0]).abs();
        if !change.is_nan() {
            sum += change;
            count += 1;
        }
    }
    (sum > 0.0 && !constant(values)).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::super::model::candidates;
    use super::*;

    fn run(values: &[f64], horizon: usize) -> Backtest {
        backtest(&[values], &candidates(), horizon, &Control::unbounded())
            .unwrap()
            .remove(0)
    }

    #[test]
    fn the_last_price_is_scored_by_hand() {
        // 30 values alternating 10, 11; then the four steps after the newest origin are 11, 10, 11, 10 after an 10.
        let values: Vec<f64> = (0..40).map(|i| 10.0 + f64::from(i % 2)).collect();
        let origins = run(&values, 4);
        let newest = origins[0].as_ref().unwrap();
        assert_eq!(newest.scale, Some(1.0));
        assert_eq!(newest.trials[0].mae, 0.5, "last is 11: errors 1, 0, 1, 0");
        assert!((newest.trials[0].log_errors[0] - (11.0f64 / 10.0).ln()).abs() < 1e-12);
        assert!(newest.trials.iter().all(|trial| !trial.failed));
    }

    #[test]
    fn knows_nothing_of_what_comes_after_the_origin() {
        let mut values: Vec<f64> = (0..60).map(|i| 10.0 + f64::from(i * 7 % 11)).collect();
        let before = run(&values, 5);
        // Changing the newest horizon must not change what was forecast for the older ones.
        for value in &mut values[55..] {
            *value *= 3.0;
        }
        let after = run(&values, 5);
        assert_eq!(before[1..], after[1..]);
        assert_ne!(before[0], after[0]);
    }

    #[test]
    fn short_still_and_gappy_series_take_part_as_far_as_they_can() {
        assert_eq!(run(&[1.0; 22], 3), [const { None }; ORIGINS]);
        let one = run(&[1.0; 23], 3);
        assert!(
            one[0]
                .as_ref()
                .is_some_and(|o| o.scale.is_none() && o.trials[2].mae == 0.0)
                && one[1].is_none()
        );
        let mut gappy = vec![2.0; 60];
        gappy[57..].fill(f64::NAN);
        gappy[10] = 3.0;
        let origins = run(&gappy, 3);
        assert!(origins[0].is_none(), "nothing to compare with");
        assert!(origins[1].is_some());
        assert!(screened_out(&[1.0; 50]) && screened_out(&[1.0, 2.0]) && !screened_out(&gappy));
    }

    #[test]
    fn rounding_is_no_change_of_price() {
        let mut values = vec![3.57; 40];
        for i in (0..40).step_by(3) {
            values[i] = 3.57 * (1.0 + 4e-16);
        }
        assert!(values[0] != values[1]);
        assert!(screened_out(&values));
        assert_eq!(scale(&values), None);
        values[5] = 3.58;
        assert!(scale(&values).is_some_and(|scale| scale > 1e-4));
    }

    #[test]
    fn the_horizon_shrinks_with_the_series() {
        assert_eq!(backtest_horizon(&[400, 400, 10], 28), 28);
        assert_eq!(backtest_horizon(&[50, 50], 28), 10);
        assert_eq!(backtest_horizon(&[21], 28), 1);
        assert_eq!(backtest_horizon(&[], 28), 28);
    }
}
