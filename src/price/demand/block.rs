//! The rows of one product as a regression wants them: the working response, weights, regressors, each less its mean.
//!
//! Two kinds of products are told apart, because zero has no logarithm. A *steady* one sold something in nine of ten
//! weeks on sale: its response is ln(units), half its smallest week standing in for a week without a sale. A *slow* one
//! is counted: units are Poisson-like around `exp(eta)` (the pseudo-likelihood of Santos Silva and Tenreyro, Review of
//! Economics and Statistics 88, 2006, which asks for the mean only and takes zeros as they are), fitted by iterated
//! weighted regression with response `eta + (units - mu) / mu` and weight `mu`. Counting everything would be simpler,
//! but loses a tenth of the accuracy on fast sellers, whose large weeks it weighs most.
//!
//! Subtracting a product's means sweeps out its own constant (Frisch and Waugh, Econometrica 1, 1933). Older weeks
//! weigh less, by half every `half_life` weeks.

use super::columns::{Column, Knowledge, fill};
use super::panel::{Item, Panel, Week};
use super::pooled::Model;

/// How a product's units are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Logarithms of units.
    Steady,
    /// Counts.
    Slow,
}

/// Weeks on sale that make a product steady or slow; fewer tell too little.
pub const ENOUGH: usize = 12;

impl Kind {
    /// The kind of an item by its weeks before `until`; `None` with fewer than [`ENOUGH`] of them, or without a sale.
    pub fn of(item: &Item, until: usize) -> Option<Kind> {
        let (mut weeks, mut zero) = (0, 0);
        for (_, week) in item.on_sale(until) {
            weeks += 1;
            zero += usize::from(week.units <= 0.0);
        }
        if weeks < ENOUGH || zero == weeks {
            None
        } else if zero * 10 <= weeks {
            Some(Kind::Steady)
        } else {
            Some(Kind::Slow)
        }
    }

    /// The word in `scores`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Steady => "steady",
            Kind::Slow => "slow",
        }
    }
}

/// Where blocks come from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The shop.
    pub panel: &'a Panel,
    /// The regressors.
    pub columns: &'a [Column],
    /// The kind of all products asked for.
    pub kind: Kind,
    /// Weeks before this one are used.
    pub until: usize,
    /// Weeks after which a week weighs half.
    pub half_life: f64,
    /// The fit before this one, for counts.
    pub previous: Option<&'a Model>,
}

/// One product's rows.
#[derive(Debug, Clone)]
pub struct Block {
    /// The week of each row.
    pub weeks: Vec<usize>,
    /// Regressors less their means, row-major; missing values are the mean.
    pub x: Vec<f64>,
    /// Working response less its mean.
    pub z: Vec<f64>,
    /// Weight of each row in the regression.
    pub w: Vec<f64>,
    /// Weight of each row by age alone.
    pub age: Vec<f64>,
    /// Units of each row.
    pub units: Vec<f64>,
    /// Means of the regressors.
    pub mean_x: Vec<f64>,
    /// Mean of the working response.
    pub mean_z: f64,
}

/// Bounds of ln(mu) while counts are fitted: a wild step must not become an infinity.
const ETA: (f64, f64) = (-12.0, 25.0);

impl Source<'_> {
    /// The rows of an item (the `slot`-th member of the fit), `None` where it has too few to compare.
    pub fn block(&self, slot: usize, item: &Item) -> Option<Block> {
        let p = self.columns.len();
        let on_sale: Vec<(usize, Week)> = item.on_sale(self.until).collect();
        if on_sale.len() < 2 {
            return None;
        }
        let weeks: Vec<usize> = on_sale.iter().map(|(t, _)| *t).collect();
        let units: Vec<f64> = on_sale.iter().map(|(_, week)| f64::from(week.units)).collect();
        let age: Vec<f64> = weeks
            .iter()
            .map(|t| (-((self.until - 1 - t) as f64) / self.half_life).exp2())
            .collect();
        let mut x = Vec::with_capacity(p * weeks.len());
        fill(
            self.columns,
            self.panel,
            item,
            weeks.iter().copied(),
            Knowledge::AsItWas,
            &mut x,
        );
        let (mut z, w) = match self.kind {
            Kind::Steady => (log_units(&units)?, age.clone()),
            Kind::Slow => self.working(slot, item, &x, &units, &age)?,
        };
        let mean_z = center(&mut z, 1, 0, &w);
        let mean_x = (0..p).map(|j| center(&mut x, p, j, &w)).collect();
        Some(Block {
            weeks,
            x,
            z,
            w,
            age,
            units,
            mean_x,
            mean_z,
        })
    }

    /// Working response and weight of counts.
    fn working(
        &self,
        slot: usize,
        item: &Item,
        x: &[f64],
        units: &[f64],
        age: &[f64],
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let p = self.columns.len();
        let mean = dot(units, age) / age.iter().sum::<f64>();
        if mean <= 0.0 {
            return None;
        }
        let fit = self
            .previous
            .and_then(|model| Some((model, model.items[slot].as_ref()?, model.coefficients(item))));
        Some(
            units
                .iter()
                .zip(x.chunks_exact(p))
                .zip(age)
                .map(|((y, row), age)| {
                    let eta = fit
                        .as_ref()
                        .map_or_else(
                            || ((y + mean) / 2.0).ln(),
                            |(model, fit, coefficients)| model.eta(coefficients, fit, row),
                        )
                        .clamp(ETA.0, ETA.1);
                    let mu = eta.exp();
                    (eta + (y - mu) / mu, mu * age)
                })
                .unzip(),
        )
    }
}

/// ln(units), half the smallest sale for a week without one.
fn log_units(units: &[f64]) -> Option<Vec<f64>> {
    let least = units.iter().copied().filter(|y| *y > 0.0).reduce(f64::min)?;
    Some(units.iter().map(|y| y.max(least / 2.0).ln()).collect())
}

/// Subtracts the weighted mean of column `j` of `p`, over the values that are there; the others become 0.
fn center(values: &mut [f64], p: usize, j: usize, w: &[f64]) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (value, w) in values.iter().skip(j).step_by(p).zip(w) {
        if !value.is_nan() {
            sum += w * value;
            weight += w;
        }
    }
    let mean = if weight > 0.0 { sum / weight } else { 0.0 };
    let mut widest = 0.0f64;
    for value in values.iter_mut().skip(j).step_by(p) {
        *value = if value.is_nan() { 0.0 } else { *value - mean };
        widest = widest.max(value.abs());
    }
    if widest <= NOISE {
        values
            .iter_mut()
            .skip(j)
            .step_by(p)
            .for_each(|value| *value = 0.0);
    }
    mean
}

/// What rounding alone makes of a constant in single precision; regressors are logarithms, shares and waves.
const NOISE: f64 = 2e-6;

/// The sum of products.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
