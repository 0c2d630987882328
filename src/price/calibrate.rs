//! The errors that intervals rest on, collected from the past.
//!
//! *Averaged* prices: those that the combination, or the last price where it answers, made at every origin of the
//! backtest. *Posted* prices: those that the chosen rule would have made from origins all along recent weeks, not three
//! nights only; rules cost microseconds. Those reach back as far as the farthest step asks for. Beside each table stands one
//! of the errors that were known at the newest judged origin, by which coverage is measured.

use super::backtest::{ORIGINS, Plan, fitted};
use super::catalogue::{COMBINATION, LAST_PRICE, LSTM, Model, REGRESSION, model_for};
use super::combine::{errors, weights_without};
use super::frequency::Frequency;
use super::intervals::{Pools, Table};
use super::judges::Judges;
use super::profile::{CLASSES, Kind, class};
use super::series::last_value;
use super::subject::{Source, Subject};
use crate::fit::{Control, Stopped};
use rayon::prelude::*;

/// Quantiles of errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// Of averaged prices, in units of their step: class 0 the combination's, 1 the last price's, 2 the regression's.
    pub averaged: Table,
    /// The same, as known at the newest judged origin.
    pub averaged_older: Table,
    /// Of posted prices, as logarithms, by how often they move.
    pub posted: Table,
    /// The same, as known at the newest judged origin.
    pub posted_older: Table,
}

/// Origins of posted prices: the distance between two in steps, and how many: two weeks of days, half a year of weeks, a
/// year of months.
fn recent(frequency: Frequency) -> (usize, usize) {
    match frequency {
        Frequency::Hourly => (24, 14),
        Frequency::Daily => (7, 24),
        Frequency::Weekly => (1, 24),
        Frequency::Monthly => (1, 12),
    }
}

/// Origins that each step ahead of a posted price rests on at the least, where the history is long enough: twice the
/// fewest that count at all ([`ORIGINS`]).
const EACH_STEP: usize = 6;

/// Whether the errors `step` steps ahead (0 is one step) of the origin `offset` steps back count: it lies within the recent
/// origins or, for far steps, among the newest [`EACH_STEP`] that reached so far.
fn counts(offset: usize, step: usize, distance: usize, count: usize) -> bool {
    let farthest = (step / distance + EACH_STEP).max(count) * distance;
    (step + 1..=farthest).contains(&offset)
}

/// Series of posted prices that are looked at; more would move no quantile.
const SERIES: usize = 4000;
/// Series looked at together.
const CHUNK: usize = 256;
/// Values before an origin of posted prices.
const WARM_UP: usize = 8;

/// The class of a model's errors in [`Tables::averaged`].
pub(super) fn class_of(model: Model) -> usize {
    match model {
        COMBINATION => 0,
        REGRESSION => 2,
        _ => 1,
    }
}

/// Collects errors and takes their quantiles.
///
/// # Errors
/// Stopped by the control.
pub(super) fn calibrate(judges: &Judges<'_>, plan: &Plan, control: &Control) -> Result<Tables, Stopped> {
    let (averaged, averaged_older) = averaged(judges, plan);
    let (posted, posted_older) = posted(judges, plan, control)?;
    Ok(Tables {
        averaged,
        averaged_older,
        posted,
        posted_older,
    })
}

fn averaged(judges: &Judges<'_>, plan: &Plan) -> (Table, Table) {
    let mut pools = Pools::new(3, plan.horizon, ORIGINS);
    // By the newest judged origin one less was known.
    let mut older = Pools::new(3, plan.horizon, ORIGINS - 1);
    let offsets: Vec<usize> = (1..=ORIGINS)
        .map(|k| k * plan.horizon)
        .chain(plan.further.iter().copied())
        .collect();
    for record in judges.records {
        if record.kind != Kind::Averaged {
            continue;
        }
        for (k, (origin, offset)) in record.origins.iter().zip(&offsets).enumerate() {
            let Some(origin) = origin.as_ref().filter(|origin| origin.scaled) else {
                continue;
            };
            let weights = weights_without(record, &judges.ratios, k);
            let made = [
                errors(origin, &weights).unwrap_or_default(),
                origin.trials[0].errors.to_vec(),
                if origin.tried(REGRESSION) {
                    origin.of(REGRESSION).errors.to_vec()
                } else {
                    Vec::new()
                },
            ];
            for (of, made) in made.iter().enumerate() {
                for (step, error) in made.iter().enumerate() {
                    pools.push(of, step, *offset, *error);
                    // What it was about had happened by the newest judged origin.
                    if offset - step > plan.horizon {
                        older.push(of, step, *offset, *error);
                    }
                }
            }
        }
    }
    (pools.table(), older.table())
}

fn posted(judges: &Judges<'_>, plan: &Plan, control: &Control) -> Result<(Table, Table), Stopped> {
    let mut pools = Pools::new(CLASSES, plan.horizon, ORIGINS);
    let mut older = Pools::new(CLASSES, plan.horizon, ORIGINS);
    let (distance, count) = recent(judges.source.frequency());
    // A shop too young for long horizons is too young for long distances.
    let distance = distance.min(plan.horizon);
    // The oldest origin that the farthest step asks for, as of the newest judged origin.
    let oldest = plan.horizon + (plan.horizon / distance + EACH_STEP).max(count) * distance;
    let all: Vec<usize> = (0..judges.records.len())
        .filter(|&s| judges.records[s].kind != Kind::Averaged)
        .collect();
    let sample: Vec<usize> = all
        .iter()
        .copied()
        .step_by(all.len().div_ceil(SERIES).max(1))
        .collect();
    for chunk in sample.chunks(CHUNK) {
        // (class at the origin, its offset, errors)
        let found: Vec<Vec<(usize, usize, Vec<f32>)>> = chunk
            .par_iter()
            .map(|&s| {
                let subject = judges.source.subject(s);
                let number = judges.choice(s, subject.plan.is_some()).model;
                let mut found = Vec::new();
                for offset in (1..=oldest / distance).map(|k| k * distance) {
                    let Some(cut) = subject
                        .values
                        .len()
                        .checked_sub(offset)
                        .filter(|cut| *cut >= WARM_UP)
                    else {
                        break;
                    };
                    // Of anything older the network has learned: its errors there would flatter it.
                    if number == LSTM && offset > ORIGINS * plan.horizon {
                        break;
                    }
                    let made = log_errors(judges.source, &subject, number, cut, plan.horizon, control)?;
                    found.push((class(&subject.values[..cut]), offset, made));
                }
                Ok(found)
            })
            .collect::<Result<_, Stopped>>()?;
        for (class, offset, made) in found.into_iter().flatten() {
            for (step, error) in made.iter().enumerate() {
                if counts(offset, step, distance, count) {
                    pools.push(class, step, offset, *error);
                }
                if let Some(offset) = offset.checked_sub(plan.horizon)
                    && counts(offset, step, distance, count)
                {
                    older.push(class, step, offset, *error);
                }
            }
        }
    }
    Ok((pools.table(), older.table()))
}

/// ln(actual / forecast) of a model that knew the first `cut` values, as far as there are actual values and at most
/// `horizon` steps; the last price's where the model has no answer.
///
/// # Errors
/// Stopped by the control.
pub(super) fn log_errors(
    source: &dyn Source,
    subject: &Subject,
    number: Model,
    cut: usize,
    horizon: usize,
    control: &Control,
) -> Result<Vec<f32>, Stopped> {
    let (past, future) = subject.values.split_at(cut);
    let future = &future[..horizon.min(future.len())];
    let Some(last) = last_value(past) else {
        return Ok(Vec::new());
    };
    let forecast = match model_for(number, source, subject, None, false) {
        Some(fit) if number != LAST_PRICE && number != COMBINATION => {
            fitted(fit.as_ref(), past, &subject.beside(number, cut), horizon, control)?
                .map(|(prices, _)| prices)
        }
        _ => None,
    };
    Ok(future
        .iter()
        .enumerate()
        .map(|(step, actual)| {
            let expected = forecast.as_ref().map_or(last, |prices| prices[step]);
            (actual / expected).ln() as f32
        })
        .collect())
}
