//! The trained network among the other models: it fits nothing any more, so that to "fit" a series is to read its window.

use super::form::{Form, MIDDLE};
use super::net::{Batch, Work};
use super::window::{Beside, Track};
use super::{Network, Phases, Quantiles};
use crate::fit::{Control, FitError};
use crate::price::model::{Fit, Forecast, Predict};
use crate::price::subject::Subject;
use serde_json::{Value, json};
use std::cell::RefCell;

/// The networks of a night.
#[derive(Debug, Clone, Copy)]
pub struct Networks<'a> {
    /// Knows nothing of any judged origin.
    pub past: &'a Network,
    /// Knows all that the night knows.
    pub tonight: &'a Network,
    /// The calendar.
    pub phases: &'a Phases,
}

impl<'a> Networks<'a> {
    /// The forecaster of a series: the one that knows the past only up to the judged origins, or tonight's.
    pub fn of(&self, subject: &'a Subject, tonight: bool) -> Seer<'a> {
        Seer {
            network: if tonight { self.tonight } else { self.past },
            phases: self.phases,
            subject,
        }
    }
}

/// What is known of a series beside its first `cut` values.
pub fn beside(subject: &Subject, form: &Form, cut: usize) -> Beside {
    let n = subject.values.len();
    let known = |values: &[f64], ahead: usize| -> Vec<f32> {
        let until = (cut + ahead).min(values.len());
        values[..until].iter().map(|x| *x as f32).collect()
    };
    let reaches = |values: &[f64]| values.len().saturating_sub(n);
    let mut found = Beside {
        shelf: subject.shelf,
        ..Beside::default()
    };
    if form.promotions {
        found.promoted = subject
            .promoted
            .as_deref()
            .map_or_else(Vec::new, |flags| known(flags, 0));
        found.plan = subject
            .plan
            .as_deref()
            .map_or_else(Vec::new, |plan| known(plan, reaches(plan)));
    }
    found.drivers = form
        .drivers
        .iter()
        .map(|name| {
            let values = subject.outside.iter().find(|(other, _)| **other == **name);
            values.map_or_else(Vec::new, |(_, values)| known(values, reaches(values)))
        })
        .collect();
    found
}

/// The network, looking at one series.
#[derive(Debug, Clone, Copy)]
pub struct Seer<'a> {
    network: &'a Network,
    phases: &'a Phases,
    subject: &'a Subject,
}

thread_local! {
    /// Work space: a forecast takes less time than its buffers.
    static WORK: RefCell<(Batch, Work)> = RefCell::default();
}

impl Seer<'_> {
    /// The quantiles of the steps after the first `cut` values; `None` where there is nothing to go by.
    pub fn quantiles(&self, cut: usize) -> Option<Vec<Quantiles>> {
        let (form, n) = (&self.network.form, self.subject.values.len());
        let track = Track::new(&self.subject.values[..cut], form, beside(self.subject, form, cut));
        WORK.with_borrow_mut(|(batch, work)| {
            let phases = self.phases.from(n - cut);
            self.network.forecast(&track, cut, phases, batch, work)
        })
    }
}

/// What it said.
struct Said {
    price: Vec<f64>,
    variance: Vec<f64>,
    parameters: Value,
}

/// The distance of the quantiles 0.1 and 0.9 of a normal distribution, in deviations.
const TENTHS: f64 = 2.563_103_131_089_201;

impl Fit for Seer<'_> {
    fn name(&self) -> &'static str {
        "lstm"
    }

    /// Forecasts what follows `values`, which are the first ones of the series.
    fn fit(&self, values: &[f64], _: &Control) -> Result<Box<dyn Predict>, FitError> {
        let invalid = |why: &str| FitError::Invalid(format!("lstm: {why}"));
        let cut = values.len();
        if cut > self.subject.values.len() {
            return Err(invalid("wants the values of its own series"));
        }
        let said = self
            .quantiles(cut)
            .ok_or_else(|| invalid("too few values, no newest one, or none that ever moved"))?;
        if said.iter().flatten().any(|price| !price.is_finite()) {
            return Err(invalid("a forecast is no number"));
        }
        Ok(Box::new(Said {
            price: said.iter().map(|q| q[MIDDLE]).collect(),
            variance: said
                .iter()
                .map(|q| ((q[MIDDLE + 1] - q[MIDDLE - 1]) / TENTHS).powi(2))
                .collect(),
            parameters: json!({
                "window": self.network.form.window(),
                "parameters": self.network.params.len(),
                "lo80": said.first().map(|q| q[MIDDLE - 1]),
                "hi80": said.first().map(|q| q[MIDDLE + 1]),
            }),
        }))
    }
}

impl Predict for Said {
    fn forecast(&self, horizon: usize) -> Forecast {
        // It answers for as many steps as it was made for; beyond them the last one stays.
        let take = |values: &[f64]| -> Vec<f64> {
            let last = values.last().copied().unwrap_or(f64::NAN);
            (0..horizon)
                .map(|step| values.get(step).copied().unwrap_or(last))
                .collect()
        };
        Forecast {
            price: take(&self.price),
            variance: take(&self.variance),
        }
    }

    fn parameters(&self) -> Value {
        self.parameters.clone()
    }
}
