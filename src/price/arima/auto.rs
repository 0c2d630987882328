//! The order, by Akaike's criterion over a small set.
//!
//! Differences come from tests ([`super::differences`]), because likelihoods of different data do not compare. Then a
//! fixed small set of orders is fitted and the neighbours of the best are tried until none is better (Hyndman and
//! Khandakar, J. Statistical Software 27, 2008, with the exact likelihood throughout). An order given from before is
//! tried first, and where it has the same differences only its neighbours are.

use super::super::model::{Drivers, Fit, Predict};
use super::differences::{level_differences, seasonal_difference};
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
}

impl AutoArima {
    /// The search for a season.
    pub const fn new(season: usize) -> Self {
        Self {
            season,
            start: None,
            max_d: 1,
            budget: 40,
        }
    }
}

/// Fits so far and the best of them.
struct Search<'a> {
    values: &'a [f64],
    drivers: &'a Drivers,
    control: &'a Control,
    tried: Vec<Arima>,
    best: Option<(f64, Fitted)>,
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
        let fitted = match model.estimate(self.values, self.drivers, self.control) {
            Ok(fitted) => fitted,
            Err(stopped @ FitError::Stopped(_)) => return Err(stopped),
            Err(other) => {
                self.reason.get_or_insert(other);
                return Ok(false);
            }
        };
        let criterion = fitted.aicc();
        if self.best.as_ref().is_none_or(|(best, _)| criterion < *best) {
            self.best = Some((criterion, fitted));
            return Ok(true);
        }
        Ok(false)
    }
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
        let mut search = Search {
            values,
            drivers,
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
            let Some((_, best)) = &search.best else {
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
        Ok(search.best.expect("left the loop with one").1)
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
