//! Who decides what a series gets: the shop's evidence, and the series' own.
//!
//! The group decides ([`super::choose`]), the series itself may leave, and the parts of its combination weigh what its past says
//! ([`super::combine`]). Whatever is said about a judged origin is said by weights and choices that had not seen it.

use super::backtest::{Record, mean_absolute};
use super::catalogue::{COMBINATION, LAST_PRICE, LSTM, Model};
use super::choose::{Gate, Standing, Standings, decision, leaves, standings, standings_of, why_left};
use super::combine::{Ratios, errors, weights_without};
use super::profile::Kind;
use super::subject::Source;
use std::sync::Arc;

/// The choice for one series before it is fitted to the whole of it.
pub(super) struct Choice {
    pub(super) model: Model,
    pub(super) why: Arc<str>,
    pub(super) weights: Vec<(Model, f64)>,
}

/// What decides.
pub(super) struct Judges<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) records: &'a [Record],
    pub(super) ratios: Ratios,
    pub(super) gates: Vec<Gate>,
}

impl Judges<'_> {
    /// The choice for series `s`.
    pub(super) fn choice(&self, s: usize, has_plan: bool) -> Choice {
        self.choice_without(s, has_plan, usize::MAX)
    }

    /// The choice that series `s` would have made had it not seen its own judged origin `left_out`; its group's is the same.
    pub(super) fn choice_without(&self, s: usize, has_plan: bool, left_out: usize) -> Choice {
        let record = &self.records[s];
        let gate = &self.gates[self.source.groups().of(s)];
        let (model, why) = match decision(gate, record.kind, has_plan, record.driven()) {
            None => (LAST_PRICE, "".into()),
            Some(decided) => {
                let (own, naive) = self.errors_of(record, decided.model, left_out);
                if leaves(decided.model, own, naive) {
                    (LAST_PRICE, why_left(decided.model).into())
                } else {
                    (decided.model, decided.why.clone())
                }
            }
        };
        Choice {
            model,
            why,
            weights: weights_without(record, &self.ratios, left_out),
        }
    }

    /// The errors of a model and of the last price over the judged origins of a series but one, in money. The combination's
    /// weights at each origin are those that had not seen it.
    fn errors_of(&self, record: &Record, number: Model, left_out: usize) -> (f64, f64) {
        let (mut own, mut naive) = (0.0, 0.0);
        for (k, origin) in record.judged().filter(|(k, _)| *k != left_out) {
            let made = match number {
                COMBINATION => {
                    let weights = weights_without(record, &self.ratios, k);
                    errors(origin, &weights).map_or(origin.trials[0].mean, |made| {
                        mean_absolute(made.iter().map(|e| f64::from(*e)))
                    })
                }
                number => origin.of(number).mean,
            };
            own += made * origin.unit;
            naive += origin.trials[0].mean * origin.unit;
        }
        (own, naive)
    }

    /// 1 - error / error of the last price over the judged origins; `None` where that made none.
    pub(super) fn skill(&self, record: &Record, number: Model) -> Option<f64> {
        let (own, naive) = self.errors_of(record, number, usize::MAX);
        (naive > 0.0).then(|| 1.0 - own / naive)
    }

    /// What every model did on one series.
    pub(super) fn standings_of(&self, record: &Record) -> Standings {
        standings_of(record, |k| weights_without(record, &self.ratios, k))
    }

    /// The standings with the network's on posted prices alone: it is the only candidate for those that is tried on averaged ones
    /// too, and there it would win a case that is not theirs.
    pub(super) fn on_posted(&self, all: &[Standings]) -> Vec<Standings> {
        let mut found = all.to_vec();
        if self.source.networks().is_some() {
            let posted = standings(
                self.source.groups(),
                self.records.iter().map(|record| {
                    let mut own = self.standings_of(record);
                    if record.kind != Kind::Posted {
                        own[LSTM] = Standing::default();
                    }
                    own
                }),
            );
            for (all, posted) in found.iter_mut().zip(&posted) {
                all[LSTM] = posted[LSTM];
            }
        }
        found
    }
}
