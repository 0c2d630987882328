//! The gate: whose answer the series of a group get.
//!
//! *Posted* prices get the last price unless a candidate beats it, over the series of a group, at each of three past
//! nights and by 5 % on average. Choosing series by series, or by one night, loses more often than it wins. Promotions
//! known ahead are no guess: where a group's past shows any gain from its plans, they are followed.
//!
//! *Averaged* prices get the combination, if over the series of their group it beat the last price on average; a single
//! series leaves it only where the last price was better by more than a quarter over its own past nights. (Measured on
//! 725 monthly series: leaving at the slightest loss costs 5 % of accuracy, at a quarter nothing.) A posted price leaves
//! whatever its group decided at the slightest loss: there the last price is the likelier winner to begin with.
//!
//! A group with too few series follows the next larger one: brand, category, shop.
//!
//! The measure is the mean absolute scaled error (Hyndman and Koehler, 2006): the error in units of the mean absolute
//! step before the origin. A price that had not moved has no such unit; it is left out, never infinite.

use super::backtest::{ORIGINS, Record};
use super::catalogue::{COMBINATION, LAST_PRICE, Model, NAMES, PLAN, REGRESSION};
use super::combine::errors;
use super::profile::Kind;
use super::subject::{Groups, SHOP};
use std::sync::Arc;

/// By how much a candidate has to win on average.
pub const MARGIN: f64 = 0.05;
/// Series with a scale, at each origin, that a group needs to decide for itself.
pub const SERIES_TO_DECIDE: u32 = 8;
/// How much better the last price must have been for a single averaged series to leave the combination.
pub const TO_LEAVE: f64 = 0.25;

/// How a model did over the series that tried it, beside the last price on the same.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    scaled: [f64; ORIGINS],
    naive: [f64; ORIGINS],
    money: [f64; ORIGINS],
    /// Series with a scale, per origin.
    pub series: [u32; ORIGINS],
    /// Series, per origin.
    pub all: [u32; ORIGINS],
    /// Fits that failed and were answered by the last price.
    pub failed: u32,
}

impl Standing {
    /// Adds what a series' origin `k` says: mean absolute errors in units, of the model and of the last price.
    fn add(&mut self, k: usize, unit: f64, scaled: bool, own: f64, naive: f64) {
        self.money[k] += own * unit;
        self.all[k] += 1;
        if scaled {
            self.scaled[k] += own;
            self.naive[k] += naive;
            self.series[k] += 1;
        }
    }

    /// Adds another's sums.
    pub fn join(&mut self, other: &Self) {
        (0..ORIGINS).for_each(|k| self.join_at(other, k));
        self.failed += other.failed;
    }

    /// Adds another's sums of origin `k`.
    pub fn join_at(&mut self, other: &Self, k: usize) {
        self.scaled[k] += other.scaled[k];
        self.naive[k] += other.naive[k];
        self.money[k] += other.money[k];
        self.series[k] += other.series[k];
        self.all[k] += other.all[k];
    }

    /// Mean scaled error per origin, newest first; `None` where no series had a scale.
    pub fn mase(&self) -> [Option<f64>; ORIGINS] {
        std::array::from_fn(|k| (self.series[k] > 0).then(|| self.scaled[k] / f64::from(self.series[k])))
    }

    /// Mean absolute error per origin, in money.
    pub fn mae(&self) -> [Option<f64>; ORIGINS] {
        std::array::from_fn(|k| (self.all[k] > 0).then(|| self.money[k] / f64::from(self.all[k])))
    }

    /// Skill at each origin: 1 - error / error of the last price on the same series; `None` where that is not defined.
    pub fn skills(&self) -> [Option<f64>; ORIGINS] {
        std::array::from_fn(|k| (self.naive[k] > 0.0).then(|| 1.0 - self.scaled[k] / self.naive[k]))
    }

    /// The mean skill over the origins.
    pub fn skill(&self) -> Option<f64> {
        mean(&self.skills())
    }
}

/// The mean of the values that are there; `None` when none is.
pub fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, count) = values
        .iter()
        .flatten()
        .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Standings of every model (by number) in one group.
pub type Standings = [Standing; NAMES.len()];

/// What one series says of every model, its combination among them, whose weights at judged origin `k` are `weights(k)`: those
/// that had not seen what happened there.
pub fn standings_of(record: &Record, weights: impl Fn(usize) -> Vec<(Model, f64)>) -> Standings {
    let mut found = [Standing::default(); NAMES.len()];
    for (k, origin) in record.judged() {
        let naive = origin.trials[0].mean;
        for trial in &origin.trials {
            let standing = &mut found[trial.model];
            standing.add(k, origin.unit, origin.scaled, trial.mean, naive);
            standing.failed += u32::from(trial.failed);
        }
        if let Some(errors) = errors(origin, &weights(k)) {
            let own = super::backtest::mean_absolute(errors.iter().map(|error| f64::from(*error)));
            found[COMBINATION].add(k, origin.unit, origin.scaled, own, naive);
        }
    }
    found
}

/// Sums what series say up to every group that they belong to.
pub fn standings(groups: &Groups, of_each: impl Iterator<Item = Standings>) -> Vec<Standings> {
    let mut found = vec![[Standing::default(); NAMES.len()]; groups.count()];
    for (s, one) in of_each.enumerate() {
        let mut group = groups.of(s);
        loop {
            found[group]
                .iter_mut()
                .zip(&one)
                .for_each(|(sum, one)| sum.join(one));
            if group == SHOP {
                break;
            }
            group = groups.parent(group);
        }
    }
    found
}

/// What the gate decided for one kind of answer in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Number of the model.
    pub model: Model,
    /// The reason in plain words.
    pub why: Arc<str>,
}

/// The decisions of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// For posted prices.
    pub posted: Decision,
    /// For posted prices with promotions known ahead; `None` where plans gained nothing, or were never measured.
    pub planned: Option<Decision>,
    /// For averaged prices.
    pub averaged: Decision,
    /// For posted and for averaged prices with drivers; `None` where those explained too little, or were never measured.
    pub driven: [Option<Decision>; 2],
}

/// Decides for every group, the shop first.
pub fn gates(groups: &Groups, standings: &[Standings], candidates: &[Model]) -> Vec<Gate> {
    let mut found: Vec<Gate> = Vec::with_capacity(groups.count());
    for (group, standings) in standings.iter().enumerate() {
        let place = groups.name(group);
        let parent = (group != SHOP).then(|| groups.parent(group));
        let posted = posted(standings, candidates, place).unwrap_or_else(|| match parent {
            Some(parent) => found[parent].posted.clone(),
            None => Decision {
                model: LAST_PRICE,
                why: "last price: too few series with a past to judge another model by".into(),
            },
        });
        let planned = match planned(&standings[PLAN], place, group == SHOP) {
            Some(decision) => decision,
            None => parent.and_then(|parent| found[parent].planned.clone()),
        };
        let averaged =
            averaged(&standings[COMBINATION], place, group == SHOP).unwrap_or_else(|| match parent {
                Some(parent) => found[parent].averaged.clone(),
                None => Decision {
                    model: LAST_PRICE,
                    why: "last price: too short a past to judge another model by".into(),
                },
            });
        let driven = [Kind::Posted, Kind::Averaged].map(|kind| {
            let other = match kind {
                Kind::Posted => posted.model,
                _ => averaged.model,
            };
            driven(&standings[REGRESSION], &standings[other], place, group == SHOP)
        });
        let driven = std::array::from_fn(|i| match &driven[i] {
            Some(decided) => decided.clone(),
            None => parent.and_then(|parent| found[parent].driven[i].clone()),
        });
        found.push(Gate {
            posted,
            planned,
            averaged,
            driven,
        });
    }
    found
}

/// Whether enough series took part at each origin.
fn decides(standing: &Standing) -> bool {
    standing.series.iter().all(|series| *series >= SERIES_TO_DECIDE)
}

fn posted(standings: &Standings, candidates: &[Model], place: &str) -> Option<Decision> {
    // (model, mean skill); ties go to the earlier, simpler model.
    let mut best: Option<(Model, f64)> = None;
    let mut nearest: Option<(Model, f64)> = None;
    let mut judged = false;
    for &model in candidates
        .iter()
        .filter(|model| ![LAST_PRICE, PLAN, REGRESSION].contains(model))
    {
        let standing = &standings[model];
        judged |= decides(standing);
        let skills = standing.skills();
        let Some(average) = mean(&skills).filter(|_| decides(standing)) else {
            continue;
        };
        if nearest.is_none_or(|(_, other)| average > other) {
            nearest = Some((model, average));
        }
        let everywhere = skills.iter().all(|skill| skill.is_some_and(|skill| skill > 0.0));
        if everywhere && average >= MARGIN && best.is_none_or(|(_, other)| average > other) {
            best = Some((model, average));
        }
    }
    if !judged {
        return None;
    }
    Some(match (best, nearest) {
        (Some((model, skill)), _) => Decision {
            model,
            why: format!(
                "{} beat the last price at each of {ORIGINS} past nights {place}, by {} on average",
                NAMES[model],
                percent(skill)
            )
            .into(),
        },
        (None, Some((model, skill))) => Decision {
            model: LAST_PRICE,
            why: format!(
                "no model beat the last price at each of {ORIGINS} past nights and by 5 % on average {place} \
                 (nearest: {} with {})",
                NAMES[model],
                percent(skill)
            )
            .into(),
        },
        (None, None) => Decision {
            model: LAST_PRICE,
            why: format!("no price moved {place}").into(),
        },
    })
}

/// `None`: too little seen here. `Some(None)`: seen, and no gain.
fn planned(standing: &Standing, place: &str, last_resort: bool) -> Option<Option<Decision>> {
    let skill = standing.skill()?;
    if !(decides(standing) || last_resort) {
        return None;
    }
    Some((skill > 0.0).then(|| Decision {
        model: PLAN,
        why: format!(
            "promotions are known ahead; following them beat the last price by {} on average over past nights {place}",
            percent(skill)
        )
        .into(),
    }))
}

/// As [`planned`], of drivers: they have to win at each origin and by [`MARGIN`] on average, against the last price and
/// against what the group got without them.
fn driven(standing: &Standing, other: &Standing, place: &str, last_resort: bool) -> Option<Option<Decision>> {
    let skill = standing.skill()?;
    if !(decides(standing) || last_resort) {
        return None;
    }
    let everywhere = standing
        .skills()
        .iter()
        .all(|skill| skill.is_none_or(|skill| skill > 0.0));
    let ahead = skill >= other.skill().unwrap_or(0.0).max(0.0) + MARGIN;
    Some((everywhere && ahead).then(|| Decision {
        model: REGRESSION,
        why: format!(
            "a regression on drivers known ahead beat the last price at each past night {place}, by {} on average",
            percent(skill)
        )
        .into(),
    }))
}

fn averaged(standing: &Standing, place: &str, last_resort: bool) -> Option<Decision> {
    let skill = standing.skill()?;
    if !(decides(standing) || last_resort) {
        return None;
    }
    Some(if skill > 0.0 {
        Decision {
            model: COMBINATION,
            why: format!(
                "the price moves at nearly every step; the combination of models beat the last price by {} on average \
                 over past nights {place}",
                percent(skill)
            )
            .into(),
        }
    } else {
        Decision {
            model: LAST_PRICE,
            why: format!(
                "the combination of models did not beat the last price over past nights {place} ({})",
                percent(skill)
            )
            .into(),
        }
    })
}

/// Whether one series should leave the model that its group decided for, from the sums of the model's errors and of the last
/// price's over its own past nights.
pub fn leaves(model: Model, own: f64, naive: f64) -> bool {
    let allowed = if model == COMBINATION { TO_LEAVE } else { 0.0 };
    // Sums of equal errors differ by rounding.
    model != LAST_PRICE && own > naive * (1.0 + allowed) * (1.0 + 1e-9)
}

/// Why it left, in plain words.
pub fn why_left(model: Model) -> String {
    let by = if model == COMBINATION {
        " by more than a quarter"
    } else {
        ""
    };
    format!(
        "the last price was better than {}{by} at this series' own past nights",
        NAMES[model]
    )
}

/// A fraction as people read it; never "-0.0 %".
fn percent(fraction: f64) -> String {
    let tenths = (fraction * 1000.0).round() / 10.0;
    format!("{:.1} %", if tenths == 0.0 { 0.0 } else { tenths })
}

/// Which model a series gets by its kind and group, and why; the single series' own exception is not looked at.
pub fn decision(gate: &Gate, kind: Kind, has_plan: bool, has_drivers: bool) -> Option<&Decision> {
    let [posted, averaged] = [0, 1].map(|i| gate.driven[i].as_ref().filter(|_| has_drivers));
    match kind {
        Kind::Still => None,
        Kind::Averaged => Some(averaged.unwrap_or(&gate.averaged)),
        Kind::Posted => Some(match &gate.planned {
            Some(planned) if has_plan => planned,
            _ => posted.unwrap_or(&gate.posted),
        }),
    }
}

#[cfg(test)]
mod tests;
