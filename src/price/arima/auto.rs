//! The order, by Akaike's criterion over a small set.
//!
//! Differences come from tests ([`super::differences`]), because likelihoods of different data do not compare. Then a
//! fixed small set of orders is fitted and the neighbours of the best are tried until none is better (Hyndman and
//! Khandakar, J. Statistical Software 27, 2008, with the exact likelihood throughout). An order given from before is
//! tried first, and where it has the same differences only its neighbours are.

use super::super::model::{Drivers, Fit, Predict};
use super::differences::{level_differences, seasonal_difference};
use super::estimate::{Effort, aicc};
use super::prepare::Prepared;
use super::{Arima, Fitted, Order};
use crate::fit::{Control, FitError};

/// ARIMA of an order found by AICc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoArima {
    /// Steps in a season; 1 where there is none.
    pub season: usize,
    /// The order to start from, such as last night's.
    pub start: Option<Arima>,
    /// Differences at the most, without seasonal ones.
    pub max_d: usize,
    /// Fits at the most.
    pub budget: usize,
    /// Values looked at, the newest ones: what was before says little of what comes next, and the time is bounded. A search
    /// over 1,500 days costs five times one over 520, which are ten years of weeks or a year and a half of days.
    pub longest: usize,
}

impl AutoArima {
    /// The search for a season.
    pub const fn new(season: usize) -> Self {
        Self {
            season,
            start: None,
            max_d: 1,
            budget: 40,
            longest: 520,
        }
    }
}

/// An order that was fitted.
struct Tried {
    model: Arima,
    x: Vec<f64>,
    criterion: f64,
}

/// Fits so far and the best of them.
struct Search<'a> {
    /// Without and with a constant.
    prepared: [Option<Prepared>; 2],
    control: &'a Control,
    tried: Vec<Arima>,
    best: Option<Tried>,
    reason: Option<FitError>,
    budget: usize,
}

impl Search<'_> {
    /// Fits one; whether it is the best so far.
    fn try_one(&mut self, model: Arima) -> Result<bool, FitError> {
        if self.tried.contains(&model) || self.tried.len() >= self.budget {
            return Ok(false);
        }
        self.tried.push(model);
        let Some(prepared) = &mut self.prepared[usize::from(model.constant)] else {
            return Ok(false);
        };
        let starts: Vec<Vec<f64>> = self
            .best
            .iter()
            .map(|best| carried(&best.model.order, &best.x, &model.order))
            .collect();
        let found = prepared
            .aim(model.order)
            .and_then(|()| prepared.search(&starts, Effort::Rough, self.control));
        let (x, cost) = match found {
            Ok(found) => found,
            Err(stopped @ FitError::Stopped(_)) => return Err(stopped),
            Err(other) => {
                self.reason.get_or_insert(other);
                return Ok(false);
            }
        };
        let parameters = model.order.coefficients() + prepared.names.len() + 1;
        let criterion = aicc(prepared.log_likelihood(cost), parameters, prepared.observations);
        if self.best.as_ref().is_none_or(|best| criterion < best.criterion) {
            self.best = Some(Tried { model, x, criterion });
            return Ok(true);
        }
        Ok(false)
    }

    fn finish(mut self) -> Result<Fitted, FitError> {
        let best = self.best.expect("the search ends with an order or with a reason");
        let prepared = self.prepared[usize::from(best.model.constant)]
            .as_mut()
            .expect("it was fitted");
        prepared.aim(best.model.order)?;
        let (x, _) = prepared.search(&[best.x], Effort::Fine, self.control)?;
        prepared.finish(&x, best.model.constant)
    }
}

/// Adds the first `pairs` pairs of sine and cosine of a season of `period` steps, for the steps `from..to`: how a yearly
/// season comes into a model, whose states it would otherwise multiply by 52 or 365.
pub fn fourier(drivers: &mut Drivers, period: f64, pairs: usize, from: usize, to: usize) {
    for pair in 1..=pairs {
        let angle = |t: usize| std::f64::consts::TAU * pair as f64 * t as f64 / period;
        drivers.push(
            format!("sin {pair}/{period}"),
            (from..to).map(|t| angle(t).sin()).collect(),
        );
        drivers.push(
            format!("cos {pair}/{period}"),
            (from..to).map(|t| angle(t).cos()).collect(),
        );
    }
}

/// Free parameters of one order as a start for another: a partial autocorrelation more is 0, the others stay.
fn carried(from: &Order, x: &[f64], to: &Order) -> Vec<f64> {
    let mut start = Vec::with_capacity(to.coefficients());
    let mut at = 0;
    for (old, new) in [(from.p, to.p), (from.q, to.q), (from.sp, to.sp), (from.sq, to.sq)] {
        let block = &x[at..at + old];
        start.extend((0..new).map(|i| block.get(i).copied().unwrap_or(0.0)));
        at += old;
    }
    start
}

/// The orders looked at first, for given differences.
fn first(order: Order) -> Vec<(usize, usize, usize, usize)> {
    let plain: &[(usize, usize)] = if order.d == 0 {
        &[(1, 0), (0, 1), (2, 0), (1, 1), (0, 0)]
    } else {
        &[(0, 1), (1, 1), (1, 0), (0, 2), (0, 0)]
    };
    let seasonal: &[(usize, usize)] = match (order.season > 1, order.sd) {
        (false, _) => &[(0, 0)],
        (true, 0) => &[(0, 0), (1, 0)],
        (true, _) => &[(0, 1)],
    };
    seasonal
        .iter()
        .flat_map(|&(sp, sq)| plain.iter().map(move |&(p, q)| (p, q, sp, sq)))
        .collect()
}

/// Orders one step away: one coefficient more or less, or one of both sides, and the constant.
fn neighbours(model: Arima) -> Vec<Arima> {
    let mut found = Vec::new();
    let o = model.order;
    let mut add = |p: isize, q: isize, sp: isize, sq: isize, flip: bool| {
        let step =
            |now: usize, by: isize, most: usize| now.checked_add_signed(by).filter(|next| *next <= most);
        let (Some(p), Some(q), Some(sp), Some(sq)) = (
            step(o.p, p, 3),
            step(o.q, q, 3),
            step(o.sp, sp, 2),
            step(o.sq, sq, 2),
        ) else {
            return;
        };
        if o.season == 1 && sp + sq > 0 {
            return;
        }
        found.push(Arima {
            order: Order { p, q, sp, sq, ..o },
            constant: model.constant != flip,
        });
    };
    for (p, q) in [
        (-1, 0),
        (1, 0),
        (0, -1),
        (0, 1),
        (-1, -1),
        (1, 1),
        (1, -1),
        (-1, 1),
    ] {
        add(p, q, 0, 0, false);
    }
    for (sp, sq) in [(-1, 0), (1, 0), (0, -1), (0, 1), (1, -1), (-1, 1)] {
        add(0, 0, sp, sq, false);
    }
    if o.d + o.sd <= 1 {
        add(0, 0, 0, 0, true);
    }
    found
}

impl AutoArima {
    /// Finds the order and fits it.
    ///
    /// # Errors
    /// Stopped; a series that no order fits, with the reason of the first one.
    pub fn find(&self, values: &[f64], drivers: &Drivers, control: &Control) -> Result<Fitted, FitError> {
        let season = self.season.max(1);
        let skipped = values.len().saturating_sub(self.longest);
        let (values, drivers) = (&values[skipped..], &drivers.without_first(skipped));
        let sd = usize::from(season > 1 && seasonal_difference(values, season));
        let seasonally: Vec<f64> = if sd == 1 {
            (season..values.len())
                .map(|t| values[t] - values[t - season])
                .collect()
        } else {
            values.to_vec()
        };
        let d = level_differences(&seasonally, self.max_d);
        let differences = Order::new(0, d, 0).seasonal(0, sd, 0, season);
        let ready = |constant| {
            Arima {
                order: differences,
                constant,
            }
            .prepare(values, drivers)
        };
        let with = match (d + sd < 2).then(|| ready(true)) {
            Some(Ok(prepared)) => Some(prepared),
            _ => None,
        };
        let without = ready(false)?;
        for (prepared, constant) in [(Some(&without), false), (with.as_ref(), true)] {
            if let Some(prepared) = prepared.filter(|prepared| prepared.exact()) {
                return prepared.finish(&[], constant);
            }
        }
        let mut search = Search {
            prepared: [Some(without), with],
            control,
            tried: Vec::new(),
            best: None,
            reason: None,
            budget: self.budget.max(1),
        };
        let mean = d + sd == 0;
        let started = match self.start {
            Some(start)
                if Order {
                    p: 0,
                    q: 0,
                    sp: 0,
                    sq: 0,
                    ..start.order
                } == differences =>
            {
                search.try_one(start)?
            }
            _ => false,
        };
        if !started {
            for (p, q, sp, sq) in first(differences) {
                search.try_one(Arima {
                    order: Order {
                        p,
                        q,
                        sp,
                        sq,
                        ..differences
                    },
                    constant: mean,
                })?;
            }
        }
        loop {
            let Some(best) = &search.best else {
                return Err(search
                    .reason
                    .unwrap_or_else(|| FitError::Invalid("no ARIMA order fits".into())));
            };
            let mut better = false;
            for model in neighbours(best.model) {
                if search.try_one(model)? {
                    better = true;
                    break;
                }
            }
            if !better {
                break;
            }
        }
        search.finish()
    }
}

impl Fit for AutoArima {
    fn name(&self) -> &'static str {
        "ARIMA"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(self.find(values, &Drivers::default(), control)?))
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(self.find(values, drivers, control)?))
    }
}
