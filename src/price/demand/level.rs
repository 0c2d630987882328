//! Where a product stands now: its constant, the level of its newest weeks, the spread around them; and its forecasts.

use super::block::{Block, Kind, dot};
use super::columns::{Knowledge, fill};
use super::panel::{Item, Panel};
use super::pooled::{ItemFit, Model};

/// Constant, level, spread and range of one product. `level`: half-life in weeks, and weeks of no deviation that it
/// must outweigh.
pub(super) fn settle(
    model: &Model,
    block: &Block,
    pooled: &[f64],
    slope: f64,
    price_squares: f64,
    level: (f64, f64),
) -> ItemFit {
    let p = pooled.len();
    let intercept = block.mean_z - dot(pooled, &block.mean_x) - slope * block.mean_x[0];
    let newest = model.until - 1;
    let (mut above, mut lately, mut expected) = (0.0, 0.0, 0.0);
    let (mut spread, mut age) = (0.0, 0.0);
    for (i, row) in block.x.chunks_exact(p).enumerate() {
        let fitted = dot(row, pooled) + slope * row[0];
        let now = (-((newest - block.weeks[i]) as f64) / level.0).exp2();
        lately += now;
        match model.kind {
            Kind::Steady => {
                let e = block.z[i] - fitted;
                above += now * e;
                spread += block.age[i] * e.exp();
                age += block.age[i];
            }
            Kind::Slow => {
                above += now * block.units[i];
                expected += now * (block.mean_z + fitted).exp();
            }
        }
    }
    let level = match model.kind {
        Kind::Steady => above / (lately + level.1),
        Kind::Slow => {
            // In units of the product's own expected week.
            let week = expected / lately * level.1;
            let ratio = ((above + week) / (expected + week)).ln();
            if ratio.is_finite() { ratio } else { 0.0 }
        }
    };
    let largest = block.units.iter().copied().fold(0.0, f64::max).ln();
    let least = block
        .units
        .iter()
        .copied()
        .filter(|y| *y > 0.0)
        .fold(f64::INFINITY, f64::min);
    ItemFit {
        intercept,
        slope,
        level,
        smear: if age > 0.0 { spread / age } else { 1.0 },
        range: match model.kind {
            Kind::Steady => (
                if block.units.contains(&0.0) {
                    least / 2.0
                } else {
                    least
                }
                .ln(),
                largest,
            ),
            Kind::Slow => (f64::NEG_INFINITY, largest),
        },
        means: block.mean_x.iter().map(|mean| *mean as f32).collect(),
        price_squares,
        weeks: block.weeks.len() as u32,
    }
}

/// Weeks that a product's own spread must outweigh against its kind's.
const OWN_SPREAD: f64 = 20.0;

/// The mean of exp(residual) of each product, shrunk to that of all (Duan, JASA 78, 1983).
pub(super) fn spread(model: &mut Model) {
    let (mut sum, mut weeks) = (0.0, 0.0);
    for fit in model.items.iter().flatten() {
        sum += fit.smear * f64::from(fit.weeks);
        weeks += f64::from(fit.weeks);
    }
    let common = sum / weeks;
    for fit in model.items.iter_mut().flatten() {
        let own = f64::from(fit.weeks);
        fit.smear = (fit.smear * own + common * OWN_SPREAD) / (own + OWN_SPREAD);
    }
}

impl Model {
    /// ln of the typical units (for slow products: the mean) in each of `weeks`, within what was seen; `slot` is the
    /// item's place among the members.
    pub fn forecast(
        &self,
        panel: &Panel,
        item: &Item,
        slot: usize,
        weeks: impl Iterator<Item = usize>,
        knowledge: Knowledge,
    ) -> Option<Vec<f64>> {
        let fit = self.items[slot].as_ref()?;
        let mut rows = Vec::new();
        fill(&self.columns, panel, item, weeks, knowledge, &mut rows);
        let coefficients = self.coefficients(item);
        Some(
            rows.chunks_exact(self.columns.len())
                .map(|row| (self.eta(&coefficients, fit, row) + fit.level).clamp(fit.range.0, fit.range.1))
                .collect(),
        )
    }

    /// The elasticity of an item: pooled and its own part.
    pub fn elasticity(&self, item: &Item, slot: usize) -> Option<f64> {
        let fit = self.items[slot].as_ref().filter(|fit| fit.price_squares > 0.0)?;
        Some(self.coefficients(item)[0] + fit.slope)
    }
}
