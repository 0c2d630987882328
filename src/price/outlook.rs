//! The answer for every series, from what the past says: the model, the forecast, its bounds, and why.
//!
//! Kept are a path and the unit of its errors, not bounds for every step: [`Outlooks::steps`] spells them out where they
//! are written. A shop of 100,000 products forecasts 2.8 million steps.

use super::backtest::{Plan, Record};
use super::calibrate::{Tables, calibrate, class_of};
use super::catalogue::{COMBINATION, LAST_PRICE, LSTM, Model, NAMES, POSTED, season};
use super::choose::{Gate, Standing, Standings, gates, standings};
use super::combine::{Admission, Ratios, errors};
use super::intervals::{Step, covered, random_walk, step_deviation};
use super::judges::{Choice, Judges};
use super::path::{Path, combined, single};
use super::profile::{ENOUGH, Kind, class, scale, zero_steps};
use super::series::{Life, constant, last_value, observed};
use super::subject::{Source, Subject};
use crate::fit::{Control, Stopped};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How the bounds around a path are found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spread {
    /// By errors in money, in this unit; of the combination, the last price or the regression.
    Units { unit: f64, of: usize },
    /// By errors of the logarithm of prices that move this often.
    Logs { class: usize },
}

/// The answer for one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Number of the model.
    pub model: Model,
    /// What it estimated, a JSON object.
    pub parameters: String,
    /// Steps with a price.
    pub observations: usize,
    /// 1 - error / error of the last price over this series' past origins; `None` where that made no error.
    pub skill: Option<f64>,
    /// Share of the newest origin's prices inside the 95 % interval that older origins would have given.
    pub coverage95: Option<f64>,
    /// Why this model, in plain words.
    pub why: Arc<str>,
    path: Path,
    spread: Spread,
    deviation: f64,
}

impl Outlook {
    /// Whether there is a forecast.
    pub fn is_forecast(&self) -> bool {
        self.path != Path::None
    }
}

/// What the night found out over all series.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlooks {
    /// One per series.
    pub series: Vec<Outlook>,
    /// Per group: how each model did.
    pub standings: Vec<Standings>,
    /// Per group: what the gate decided.
    pub gates: Vec<Gate>,
    /// How what is published did over the shop.
    pub published: Standing,
    /// Prices at the newest origin inside the 80 % interval, inside the 95 % one, and how many.
    pub coverage: [u32; 3],
    /// Judged origins of single series that were left out because a price jumped beyond reason.
    pub jumps: usize,
    /// How many steps ahead have bounds of their own, of averaged and of posted prices; later ones are grown from those.
    pub measured: [usize; 2],
    /// Series whose chosen model failed on the whole history; the last price stands in.
    pub failed: usize,
    /// What the past said of the network in the combination; `None` where none was tried on averaged prices.
    pub admission: Option<Admission>,
    horizon: usize,
    tables: Tables,
}

impl Outlooks {
    /// Of averaged and of posted prices, where not every step's bounds are measured by past nights: the last step whose are,
    /// and how many prices are forecast so.
    pub fn grown(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..2).filter_map(|kind| {
            let of = |outlook: &&Outlook| {
                outlook.is_forecast() && usize::from(matches!(outlook.spread, Spread::Logs { .. })) == kind
            };
            let count = self.series.iter().filter(of).count();
            (self.measured[kind] < self.horizon && count > 0).then_some((self.measured[kind], count))
        })
    }

    /// The steps ahead of series `s`; none where it has ended.
    pub fn steps(&self, s: usize) -> impl Iterator<Item = Step> + '_ {
        let outlook = &self.series[s];
        let horizon = if outlook.is_forecast() { self.horizon } else { 0 };
        (0..horizon).map(|step| {
            let price = match &outlook.path {
                Path::Each(prices) => prices[step],
                Path::Flat(price) => *price,
                Path::None => f64::NAN,
            };
            let walk = || Step::in_logs(price, &random_walk(outlook.deviation, step));
            match outlook.spread {
                Spread::Units { unit, of } => self
                    .tables
                    .averaged
                    .at(of, step)
                    .map_or_else(walk, |q| Step::in_units(price, unit, &q)),
                Spread::Logs { class } => self
                    .tables
                    .posted
                    .at(class, step)
                    .map_or_else(walk, |q| Step::in_logs(price, &q)),
            }
        })
    }
}

/// Chooses per group, fits the chosen model to each whole series, and finds the bounds around it.
///
/// # Errors
/// Stopped by the control.
pub fn outlooks(
    source: &dyn Source,
    records: &[Record],
    plan: &Plan,
    horizon: usize,
    control: &Control,
) -> Result<Outlooks, Stopped> {
    let groups = source.groups();
    let (ratios, admission) = Ratios::of(records).admit(LSTM, records);
    let mut judges = Judges {
        source,
        records,
        ratios,
        gates: Vec::new(),
    };
    let standings = standings(groups, records.iter().map(|record| judges.standings_of(record)));
    judges.gates = gates(groups, &judges.on_posted(&standings), &POSTED);
    let quiet = control.quiet();
    let tables = calibrate(&judges, plan, &quiet)?;
    let mut series = Vec::with_capacity(records.len());
    let (mut published, mut coverage, mut failed) = (Standing::default(), [0u32; 3], 0);
    for start in (0..records.len()).step_by(CHUNK) {
        let end = (start + CHUNK).min(records.len());
        let answers: Vec<(Outlook, Standing, [u32; 3], bool)> = (start..end)
            .into_par_iter()
            .map(|s| answer(&judges, &tables, s, plan, horizon, &quiet))
            .collect::<Result<_, Stopped>>()?;
        for (outlook, standing, counts, fell) in answers {
            published.join(&standing);
            (0..3).for_each(|k| coverage[k] += counts[k]);
            failed += usize::from(fell);
            series.push(outlook);
        }
        control.progress("forecasts", series.len() as u64, records.len() as u64);
    }
    Ok(Outlooks {
        series,
        standings,
        gates: judges.gates,
        published,
        coverage,
        jumps: records.iter().map(|record| record.jumps).sum(),
        measured: [tables.averaged.measured(), tables.posted.measured()],
        failed,
        admission,
        horizon,
        tables,
    })
}

/// Series between two reports of progress.
const CHUNK: usize = 512;

/// The answer for series `s`, how such answers did at its past origins, how its newest one was covered, and whether its
/// model failed.
fn answer(
    judges: &Judges<'_>,
    tables: &Tables,
    s: usize,
    plan: &Plan,
    horizon: usize,
    control: &Control,
) -> Result<(Outlook, Standing, [u32; 3], bool), Stopped> {
    control.check()?;
    let subject = judges.source.subject(s);
    let (record, frequency) = (&judges.records[s], judges.source.frequency());
    let Choice {
        model: mut number,
        mut why,
        weights,
    } = judges.choice(s, subject.plan.is_some());
    let covered = newest_covered(judges, tables, s, &subject, number, &weights, plan, control)?;
    if let Some(reason) = reason(&subject, record.kind) {
        why = reason;
    }
    let (mut path, mut parameters, mut failed) = (Path::None, Map::new(), false);
    if let (Life::Offered, Some(last)) = (subject.life, last_value(&subject.values)) {
        let found = match number {
            LAST_PRICE => None,
            COMBINATION => combined(&subject, &weights, record.start, judges.source, horizon, control)?,
            number => single(&subject, number, judges.source, horizon, control)?,
        };
        failed = found.is_none() && number != LAST_PRICE;
        if failed {
            why = format!(
                "{} could not be fitted to this series, so the last price stands in",
                NAMES[number]
            )
            .into();
            number = LAST_PRICE;
        }
        (path, parameters) = found.unwrap_or_else(|| (Path::Flat(last), Map::new()));
    }
    if let Some(share) = zero_steps(&subject.values) {
        parameters.insert("zero_steps".into(), json!((share * 1e4).round() / 1e4));
    }
    let unit = scale(&subject.values, season(frequency)).or_else(|| scale(&subject.values, 1));
    let spread = match (record.kind, unit) {
        (Kind::Averaged, Some(unit)) => Spread::Units {
            unit,
            of: class_of(number),
        },
        _ => Spread::Logs {
            class: class(&subject.values),
        },
    };
    // Bounds of later steps are grown from the last one that past nights measured: said where that is so.
    let measured = match spread {
        Spread::Units { .. } => tables.averaged.measured(),
        Spread::Logs { .. } => tables.posted.measured(),
    };
    if measured < horizon && !matches!(path, Path::None) {
        parameters.insert("bounds_measured_to_step".into(), json!(measured));
    }
    let outlook = Outlook {
        model: number,
        parameters: Value::Object(parameters).to_string(),
        observations: observed(&subject.values),
        skill: judges.skill(record, number),
        coverage95: (covered[2] > 0).then(|| f64::from(covered[1]) / f64::from(covered[2])),
        why,
        path,
        spread,
        deviation: step_deviation(&subject.values),
    };
    // At each origin the answer that knew the others only, so that a series' own choice is judged by what it had not seen.
    let (mut standing, own) = (Standing::default(), judges.standings_of(record));
    for (k, _) in record.judged() {
        let chosen = match failed {
            true => LAST_PRICE,
            false => judges.choice_without(s, subject.plan.is_some(), k).model,
        };
        let tried = if own[chosen].all[k] > 0 {
            chosen
        } else {
            LAST_PRICE
        };
        standing.join_at(&own[tried], k);
    }
    Ok((outlook, standing, covered, failed))
}

/// How the newest judged origin's prices lay in the intervals that older origins would have given.
fn newest_covered(
    judges: &Judges<'_>,
    tables: &Tables,
    s: usize,
    subject: &Subject,
    number: Model,
    weights: &[(Model, f64)],
    plan: &Plan,
    control: &Control,
) -> Result<[u32; 3], Stopped> {
    let record = &judges.records[s];
    let Some(Some(newest)) = record.origins.first() else {
        return Ok([0; 3]);
    };
    if record.kind == Kind::Averaged {
        let made = match number {
            COMBINATION => errors(newest, weights),
            number => Some(newest.of(number).errors.to_vec()),
        };
        let of = class_of(number);
        return Ok(made.map_or([0; 3], |made| {
            covered(&made, |step| tables.averaged_older.at(of, step))
        }));
    }
    let cut = subject.values.len() - plan.horizon;
    let made = super::calibrate::log_errors(judges.source, subject, number, cut, plan.horizon, control)?;
    let class = class(&subject.values[..cut]);
    Ok(covered(&made, |step| tables.posted_older.at(class, step)))
}

/// Why a series gets no model, or no forecast at all.
fn reason(subject: &Subject, kind: Kind) -> Option<Arc<str>> {
    let observed = observed(&subject.values);
    match subject.life {
        Life::Ended => Some("no forecast: the offer has ended".into()),
        Life::Silent => Some("no forecast: this seller was not seen for more than 30 days".into()),
        Life::Offered if observed < ENOUGH => Some(
            format!("last price: {observed} steps with a price are fewer than the {ENOUGH} a model needs")
                .into(),
        ),
        Life::Offered if constant(&subject.values) => Some("last price: the price never changed".into()),
        Life::Offered => {
            debug_assert_ne!(kind, Kind::Still, "screened out for another reason");
            None
        }
    }
}

#[cfg(test)]
mod tests;
