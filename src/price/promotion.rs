//! Prices of two states: the regular price, and promotions off it.
//!
//! A posted price mostly stands at its *regular* price and now and then on *promotion* below it. The states come from
//! the flag of the price rows where the shop sets it, else from the prices: a step is a promotion if its price lies 5 %
//! or more below the most frequent price of the half year up to it.
//!
//! [`TwoStates`] asks how long promotions of this series last: one that has already run for `r` steps goes on for another
//! `j` with the share of past promotions of at least `r` steps that reached `r + j`. The forecast is the median, which
//! for two states is the likelier one: a regular price stays, a promotion ends when it more likely than not is over.
//! (After IBM's two-state split, US 2015/0019289, in its simplest form.)
//!
//! [`PromotionPlan`] knows when promotions will run, because the shop has entered them as drivers. Where the plan changes
//! state, the price is expected half way between the last one and the median of the newest eight prices in the state to
//! come. Why half way: on 83 stores' orange-juice prices over six test nights the whole way lost up to 10 %, half way
//! gained at each of them (1 to 13 %), because a promotion's depth differs from its forerunner's.

use super::model::{Drivers, Fit, Forecast, LastPrice, Predict};
use super::seasonal::median;
use super::series::last_value;
use crate::fit::{Control, FitError};
use serde_json::{Value, json};

/// The name of the driver that holds the price rows' own promotion flag, 0 or 1 at each step up to the night.
pub const FLAG: &str = "promotion";
/// The name of the driver that holds the plan: 0 or 1 at each step, those to come included.
pub const PLAN: &str = "promotion plan";

/// Steps over which the regular price is the most frequent one.
const REGULAR_WINDOW: usize = 26;
/// By how much a promotion lies below it.
const DEPTH: f64 = 0.05;
/// Prices of a state whose median stands for it.
const OF_A_STATE: usize = 8;

/// Prices closer than this, relatively, are the same price.
const SAME: f64 = 1e-3;

/// The most frequent price of `sorted` ascending; the higher of two equally frequent ones.
fn most_frequent(sorted: &[f64]) -> Option<f64> {
    let (mut best, mut start) = (None, 0);
    for end in 1..=sorted.len() {
        if end == sorted.len() || sorted[end] > sorted[start] * (1.0 + SAME) {
            if best.is_none_or(|(count, _)| end - start >= count) {
                best = Some((end - start, sorted[(start + end) / 2]));
            }
            start = end;
        }
    }
    best.map(|(_, price)| price)
}

/// The regular price as it was at each step: the most frequent one of the newest 26 steps; `NaN` before the first value.
pub fn regular_prices(values: &[f64]) -> Vec<f64> {
    let mut window: Vec<f64> = Vec::with_capacity(REGULAR_WINDOW + 1);
    values
        .iter()
        .enumerate()
        .map(|(t, &value)| {
            if !value.is_nan() {
                let at = window.partition_point(|other| *other < value);
                window.insert(at, value);
            }
            if let Some(old) = t.checked_sub(REGULAR_WINDOW).map(|t| values[t])
                && !old.is_nan()
            {
                let at = window.partition_point(|other| *other < old);
                window.remove(at);
            }
            most_frequent(&window).unwrap_or(f64::NAN)
        })
        .collect()
}

/// Whether each step is a promotion, by its price.
pub fn inferred(values: &[f64], regular: &[f64]) -> Vec<bool> {
    values
        .iter()
        .zip(regular)
        .map(|(value, regular)| *value <= regular * (1.0 - DEPTH))
        .collect()
}

fn column<'a>(drivers: &'a Drivers, name: &str) -> Option<&'a [f64]> {
    drivers
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, values)| values)
}

/// Regular price and promotions by their usual length.
#[derive(Debug, Clone, Copy)]
pub struct TwoStates;

/// Promotions a series is given for nothing, with a median length of three steps, so that its first ones are not taken
/// for a law.
const PRIOR: f64 = 2.0;

struct Switching {
    last: f64,
    regular: f64,
    /// Steps until the promotion is more likely over than not; `None` when there is none, or it may last.
    ends_after: Option<usize>,
    promotions: usize,
    flagged: bool,
    step_variance: f64,
}

impl TwoStates {
    fn look(values: &[f64], flags: Option<&[f64]>, horizon: usize) -> Option<Switching> {
        let last = last_value(values)?;
        let regulars = regular_prices(values);
        let on: Vec<bool> = match flags {
            Some(flags) => flags.iter().take(values.len()).map(|flag| *flag > 0.0).collect(),
            None => inferred(values, &regulars),
        };
        // The regular price is that of the steps off promotion, where there are enough of them.
        let off: Vec<f64> = values
            .iter()
            .zip(&on)
            .rev()
            .take(REGULAR_WINDOW)
            .filter(|(value, on)| !**on && !value.is_nan())
            .map(|(value, _)| *value)
            .collect();
        let regular = match flags {
            Some(_) => off.first().copied(),
            None => regulars.last().copied().filter(|price| !price.is_nan()),
        }
        .unwrap_or(last);
        let (mut runs, mut run): (Vec<usize>, usize) = (Vec::new(), 0);
        for on in &on {
            if *on {
                run += 1;
            } else if run > 0 {
                runs.push(run);
                run = 0;
            }
        }
        let reached = |length: usize| runs.iter().filter(|run| **run >= length).count() as f64;
        let ends_after = (run > 0)
            .then(|| {
                (1..=horizon).find(|&j| {
                    let goes_on = reached(run + j) + PRIOR * 0.8f64.powi(j as i32);
                    goes_on / (reached(run) + PRIOR) < 0.5
                })
            })
            .flatten();
        let steps: Vec<f64> = values
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).powi(2))
            .filter(|square| !square.is_nan())
            .collect();
        Some(Switching {
            last,
            regular,
            ends_after,
            promotions: runs.len() + usize::from(run > 0),
            flagged: flags.is_some(),
            step_variance: steps.iter().sum::<f64>() / steps.len().max(1) as f64,
        })
    }
}

/// The longest promotion whose end is looked for, in steps.
const LONGEST: usize = 400;

impl Fit for TwoStates {
    fn name(&self) -> &'static str {
        "two states"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        self.fit_driven(values, &Drivers::default(), control)
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        _: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        // A flag that was never set tells nothing: infer.
        let flags = column(drivers, FLAG).filter(|flags| flags.iter().any(|flag| *flag > 0.0));
        Self::look(values, flags, LONGEST)
            .map(|found| Box::new(found) as Box<dyn Predict>)
            .ok_or_else(|| FitError::Invalid("a series without values".into()))
    }
}

impl Predict for Switching {
    fn forecast(&self, horizon: usize) -> Forecast {
        Forecast {
            price: (1..=horizon)
                .map(|step| match self.ends_after {
                    Some(end) if step >= end => self.regular,
                    _ => self.last,
                })
                .collect(),
            variance: (1..=horizon)
                .map(|step| step as f64 * self.step_variance)
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({
            "regular": self.regular,
            "promotions": self.promotions,
            "ends_after": self.ends_after,
            "states": if self.flagged { "flagged" } else { "inferred" },
        })
    }
}

/// Half way to the usual price of the state that the plan says comes next.
#[derive(Debug, Clone, Copy)]
pub struct PromotionPlan;

struct Planned {
    last: f64,
    /// Medians of the newest prices off and on promotion.
    of_state: [Option<f64>; 2],
    now: bool,
    plan: Vec<bool>,
    step_variance: f64,
}

impl Fit for PromotionPlan {
    fn name(&self) -> &'static str {
        "promotion plan"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        LastPrice.fit(values, control)
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        let Some(plan) = column(drivers, PLAN).filter(|plan| plan.len() >= values.len()) else {
            return self.fit(values, control);
        };
        let last = last_value(values).ok_or_else(|| FitError::Invalid("a series without values".into()))?;
        let of_state = [false, true].map(|state| {
            let newest: Vec<f64> = values
                .iter()
                .zip(plan)
                .rev()
                .filter(|(value, on)| !value.is_nan() && (**on > 0.0) == state)
                .map(|(value, _)| *value)
                .take(OF_A_STATE)
                .collect();
            median(&newest)
        });
        let step_variance = LastPrice.fit(values, control)?.forecast(1).variance[0];
        Ok(Box::new(Planned {
            last,
            of_state,
            now: values.len().checked_sub(1).is_some_and(|t| plan[t] > 0.0),
            plan: plan[values.len()..].iter().map(|on| *on > 0.0).collect(),
            step_variance,
        }))
    }
}

impl Predict for Planned {
    fn forecast(&self, horizon: usize) -> Forecast {
        let price = (0..horizon)
            .map(|h| {
                // A day that nobody entered has no promotion, beyond the plan as within it.
                let state = self.plan.get(h).copied().unwrap_or(false);
                match self.of_state[usize::from(state)] {
                    Some(usual) if state != self.now => self.last + 0.5 * (usual - self.last),
                    _ => self.last,
                }
            })
            .collect();
        Forecast {
            price,
            variance: (1..=horizon)
                .map(|step| step as f64 * self.step_variance)
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({"on_promotion": self.now, "usual_off": self.of_state[0], "usual_on": self.of_state[1]})
    }
}

#[cfg(test)]
mod tests;
