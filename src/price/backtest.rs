//! Rolling origins: what each model would have said at nights of the past, and what then happened.
//!
//! Judged origin `k` (1, 2, 3) lies `k * horizon` steps before the newest value; what follows it is forecast over the
//! whole horizon, knowing only what came before. A series takes part in an origin if it has [`ENOUGH`] values there.
//! What one origin says of one model is kept as the signed errors it made, so that the errors of any weighted mean of
//! models follow without fitting anything again.
//!
//! A model that searches for its form (the members of ETS, the order of ARIMA) searches at the oldest origin, which knows
//! nothing of the later ones, and is only estimated anew at those; the night itself searches again, from there.

use super::arima::Arima;
use super::catalogue::{BENCHMARKS, LAST_PRICE, LSTM, Model, PLAN, REGRESSION, model_for, parts, season};
use super::model::{Drivers, Fit, Predict};
use super::profile::{ENOUGH, Kind, kind, scale};
use super::promotion::PLAN as PLANNED;
use super::series::{constant, last_value, observed};
use super::subject::{Source, Subject};
use crate::fit::{Control, FitError, Stopped};
use rayon::prelude::*;

/// Past nights that models are judged by.
pub const ORIGINS: usize = 3;
/// Series between two reports of progress.
const CHUNK: usize = 512;

/// One model at one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Which.
    pub model: Model,
    /// The mean absolute error, in units of [`Origin::unit`].
    pub mean: f64,
    /// Actual less forecast at each step, in the same units; `NaN` where nothing was seen. Kept for the last price, the
    /// regression and the parts of the combination of averaged prices, whose intervals need them; `f32` because there are many and no decision hangs on their eighth digit.
    pub errors: Box<[f32]>,
    /// The model could not be fitted and the last price stood in.
    pub failed: bool,
}

/// The mean of the absolute values that are there.
pub fn mean_absolute(errors: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = errors
        .filter(|error| !error.is_nan())
        .fold((0.0, 0u32), |(sum, count), error| (sum + error.abs(), count + 1));
    sum / f64::from(count.max(1))
}

/// One series from one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// What errors are counted in: the mean absolute (seasonal) step before the origin, or the last price of a series
    /// that had not moved by then.
    pub unit: f64,
    /// Whether it had moved, so that its errors have a scale.
    pub scaled: bool,
    /// One per model, the last price first.
    pub trials: Vec<Trial>,
}

impl Origin {
    /// What a model did here; the last price where it was not tried.
    pub fn of(&self, model: Model) -> &Trial {
        self.trials
            .iter()
            .find(|trial| trial.model == model)
            .unwrap_or(&self.trials[0])
    }

    /// Whether a model was tried here.
    pub fn tried(&self, model: Model) -> bool {
        self.trials.iter().any(|trial| trial.model == model)
    }
}

/// What the past says of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its kind as of the night.
    pub kind: Kind,
    /// The parts of its combination, for an averaged price.
    pub parts: &'static [Model],
    /// Judged origins, the newest first, then further ones; `None` where it has too few values, nothing to compare with, or
    /// a price that jumped beyond reason.
    pub origins: Vec<Option<Origin>>,
    /// Judged origins left out for such a jump: whatever stood there, one price would be the whole shop's error.
    pub jumps: usize,
    /// The ARIMA order found at the oldest origin, from which the night's own search starts.
    pub start: Option<Arima>,
}

impl Record {
    /// Whether a past night tried drivers.
    pub fn driven(&self) -> bool {
        self.judged().any(|(_, origin)| origin.tried(REGRESSION))
    }

    /// Judged origins in which it took part, with their number.
    pub fn judged(&self) -> impl Iterator<Item = (usize, &Origin)> {
        self.origins
            .iter()
            .take(ORIGINS)
            .enumerate()
            .filter_map(|(k, origin)| Some((k, origin.as_ref()?)))
    }
}

/// Where the origins lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Steps forecast from each judged origin.
    pub horizon: usize,
    /// Further origins of averaged series, in steps before the newest value. A shop with few such series needs them
    /// for its intervals.
    pub further: Vec<usize>,
}

impl Plan {
    /// Origins for a night of `horizon` steps over series with these numbers of values, `averaged` of which are
    /// averaged prices.
    pub fn new(lengths: &[usize], averaged: usize, horizon: usize) -> Self {
        let horizon = backtest_horizon(lengths, horizon);
        // 60 errors a step make a quantile: 20 series with three origins each have them.
        let wanted = 60usize.div_ceil(averaged.max(1)).clamp(ORIGINS, 24) - ORIGINS;
        let span = ORIGINS * horizon;
        let further = (1..=wanted)
            .map(|i| 1 + (i * span).div_ceil(wanted + 1))
            .filter(|offset| offset % horizon != 0 && *offset < span)
            .collect::<Vec<usize>>();
        let mut further = further;
        further.dedup();
        Self { horizon, further }
    }
}

/// The horizon the backtest looks at: the night's own, or shorter where most series are too short for it.
fn backtest_horizon(lengths: &[usize], horizon: usize) -> usize {
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

/// Runs every model at every origin of every series, in parallel over series. `posted` are the models that a posted price
/// may get, the last price first.
///
/// # Errors
/// Stopped by the control.
pub fn backtest(
    source: &dyn Source,
    plan: &Plan,
    posted: &[Model],
    control: &Control,
) -> Result<Vec<Record>, Stopped> {
    let quiet = control.quiet();
    let count = source.count();
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let end = (found.len() + CHUNK).min(count);
        let answers: Result<Vec<Record>, Stopped> = (found.len()..end)
            .into_par_iter()
            .map(|s| one(&source.subject(s), source, plan, posted, &quiet))
            .collect();
        found.extend(answers?);
        control.progress("past forecasts", found.len() as u64, count as u64);
    }
    Ok(found)
}

/// The record of one series.
///
/// # Errors
/// Stopped by the control.
pub fn one(
    subject: &Subject,
    source: &dyn Source,
    plan: &Plan,
    posted: &[Model],
    control: &Control,
) -> Result<Record, Stopped> {
    let values = &subject.values;
    let (frequency, network) = (source.frequency(), source.networks().is_some());
    let kind = kind(values);
    let parts = match kind {
        Kind::Averaged => parts(frequency, values.len(), network),
        Kind::Posted | Kind::Still => &[],
    };
    let (lag, mut models, further): (usize, Vec<Model>, &[usize]) = match kind {
        Kind::Averaged => (
            season(frequency),
            [parts, &BENCHMARKS, &[REGRESSION]].concat(),
            &plan.further,
        ),
        Kind::Posted => (1, posted.to_vec(), &[]),
        Kind::Still => (1, Vec::new(), &[]),
    };
    let planned = subject.plan.is_some();
    models.retain(|model| match *model {
        LAST_PRICE => false,
        PLAN => planned,
        REGRESSION => !subject.outside.is_empty(),
        LSTM => network,
        _ => true,
    });
    let offsets: Vec<usize> = (1..=ORIGINS)
        .map(|k| k * plan.horizon)
        .chain(further.iter().copied())
        .collect();
    let mut fits: Vec<Option<Box<dyn Fit + '_>>> = models
        .iter()
        .map(|number| model_for(*number, source, subject, None, false))
        .collect();
    let mut origins: Vec<Option<Origin>> = vec![None; offsets.len()];
    let (mut jumps, mut start) = (0, None);
    // From the oldest on, so that a form found there serves the later ones.
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&k| std::cmp::Reverse(offsets[k]));
    for k in order {
        control.check()?;
        let Some(cut) = values.len().checked_sub(offsets[k]) else {
            continue;
        };
        let (past, rest) = values.split_at(cut);
        let future = &rest[..plan.horizon.min(rest.len())];
        let Some(last) = last_value(past).filter(|_| observed(past) >= ENOUGH && observed(future) > 0) else {
            continue;
        };
        if future.iter().any(|actual| jumped(last, *actual)) {
            jumps += usize::from(k < ORIGINS);
            continue;
        }
        let step = scale(past, lag).or_else(|| scale(past, 1));
        let unit = step.unwrap_or(last);
        let judge = |forecast: &[f64], failed, model| {
            let errors = || {
                future
                    .iter()
                    .zip(forecast)
                    .map(|(actual, forecast)| (actual - forecast) / unit)
            };
            Trial {
                model,
                mean: mean_absolute(errors()),
                errors: if kind == Kind::Averaged
                    && (parts.contains(&model) || [LAST_PRICE, REGRESSION].contains(&model))
                {
                    errors().map(|error| error as f32).collect()
                } else {
                    Box::default()
                },
                failed,
            }
        };
        let naive = vec![last; plan.horizon];
        let mut trials = vec![judge(&naive, false, LAST_PRICE)];
        let still = constant(past);
        let drivers = subject.drivers(cut);
        let outside = subject.beside(REGRESSION, cut);
        let planned = drivers.iter().any(|(name, _)| name == PLANNED);
        for (number, fit) in models.iter().zip(&mut fits) {
            if *number == PLAN && !planned {
                continue; // nothing was entered ahead yet: there was no plan to follow
            }
            let answer = match fit {
                Some(model) if !still => {
                    let drivers = if *number == REGRESSION { &outside } else { &drivers };
                    fitted(model.as_ref(), past, drivers, plan.horizon, control)?
                }
                _ => None,
            };
            match answer {
                Some((forecast, predict)) => {
                    trials.push(judge(&forecast, false, *number));
                    start = start.or_else(|| predict.order());
                    if let Some(same) = predict.again() {
                        *fit = Some(same);
                    }
                }
                None => trials.push(judge(&naive, !still, *number)),
            }
        }
        origins[k] = Some(Origin {
            unit,
            scaled: step.is_some(),
            trials,
        });
    }
    Ok(Record {
        kind,
        parts,
        origins,
        jumps,
        start,
    })
}

/// A price so many times the last one, or that part of it, is no move that a model could be blamed for.
const JUMP: f64 = 100.0;

fn jumped(last: f64, actual: f64) -> bool {
    let (last, actual) = (last.abs(), actual.abs());
    actual > last * JUMP || actual * JUMP < last
}

/// A forecast this many times as far from zero as the series ever was has run away.
const RUN_AWAY: f64 = 10.0;

/// What a model forecasts, and the model.
pub type Fitting = (Vec<f64>, Box<dyn Predict>);

/// Fits and forecasts; `None` where the model has no usable answer.
///
/// # Errors
/// Stopped by the control.
pub fn fitted(
    model: &dyn Fit,
    values: &[f64],
    drivers: &Drivers,
    horizon: usize,
    control: &Control,
) -> Result<Option<Fitting>, Stopped> {
    match model.fit_driven(values, drivers, control) {
        Ok(fitted) => {
            let price = fitted.forecast(horizon).price;
            let highest = values
                .iter()
                .fold(0.0f64, |highest, value| highest.max(value.abs()));
            let usable = price.iter().all(|price| price.abs() <= RUN_AWAY * highest);
            Ok(usable.then_some((price, fitted)))
        }
        Err(FitError::Stopped(stopped)) => Err(stopped),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
pub(super) mod tests;
