//! What 28 days would bring at another price: units with an interval, revenue, margin.
//!
//! Units at price `p` are those at the price of the plan times `(p / plan)^elasticity`. Two things are not known: how
//! many units the plan itself will bring, and how buyers react. The first is measured: `ln((sold + 1/2) / (expected +
//! 1/2))` of every total of four weeks in the past windows, its 10 % and 90 % quantiles by fifths of the expected
//! units, because a product that sells three a month is less certain than one that sells three hundred. The products of
//! a window err together, so a coming window is less certain than the pool says: the quantiles are widened until each
//! past window, judged by the others alone, holds 80 % on average. The second is the elasticity's error times the
//! distance on the log scale. They add up as squares, being unrelated.
//!
//! What is not known of the plan is the same at every price, so its part is that of the plan's units. And whatever buyers
//! are like, they do not buy more because it is dearer: a bound that would rise with the price is widened until it does not.

use super::clustered::Elasticity;
use super::trial::Total;

/// Totals a part needs for its own quantiles.
const ENOUGH: usize = 60;
/// Parts at most.
const PARTS: usize = 5;
/// Steps of five percent that the quantiles are widened at most.
const WIDEST: i32 = 40;

/// The spread of totals around what was expected, by size.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Up to this many expected units, and the quantiles of ln((sold + 1/2) / (expected + 1/2)).
    parts: Vec<(f64, (f64, f64))>,
}

impl Spread {
    /// From the totals of past windows; `None` with fewer than nine totals, which have no 90 % quantile.
    pub fn new(windows: &[&[Total]]) -> Option<Spread> {
        let mut spread = Self::pooled(windows.iter().copied())?;
        let others = |left_out: usize| {
            let rest = windows.iter().enumerate().filter(move |(w, _)| *w != left_out);
            Self::pooled(rest.map(|(_, totals)| *totals))
        };
        // Each window by the others; with one window there is nobody to judge it.
        let judges: Vec<(Spread, &[Total])> = windows
            .iter()
            .enumerate()
            .filter_map(|(w, totals)| Some((others(w)?, *totals)))
            .filter(|(_, totals)| !totals.is_empty())
            .collect();
        let holds = |factor: f64| {
            let shares = judges
                .iter()
                .map(|(judge, totals)| judge.widened(factor).covers(totals));
            shares.sum::<f64>() >= 0.8 * judges.len() as f64
        };
        let factor = (0..WIDEST)
            .map(|step| 1.0 + 0.05 * f64::from(step))
            .find(|factor| holds(*factor));
        spread = spread.widened(factor.unwrap_or(1.0 + 0.05 * f64::from(WIDEST)));
        Some(spread)
    }

    fn pooled<'a>(windows: impl Iterator<Item = &'a [Total]>) -> Option<Spread> {
        let mut pairs: Vec<(f64, f64)> = windows
            .flatten()
            .map(|total| (total.expected, ((total.sold + 0.5) / (total.expected + 0.5)).ln()))
            .filter(|(expected, error)| expected.is_finite() && error.is_finite())
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let count = (pairs.len() / ENOUGH).clamp(1, PARTS);
        let mut parts = Vec::new();
        for part in 0..count {
            let range = pairs.len() * part / count..pairs.len() * (part + 1) / count;
            let bound = if part + 1 == count {
                f64::INFINITY
            } else {
                pairs[range.end - 1].0
            };
            let mut errors: Vec<f64> = pairs[range].iter().map(|pair| pair.1).collect();
            errors.sort_by(f64::total_cmp);
            let above = conformal_quantile(&errors, 0.9)?;
            errors.iter_mut().for_each(|error| *error = -*error);
            errors.reverse();
            parts.push((bound, (-conformal_quantile(&errors, 0.9)?, above)));
        }
        Some(Spread { parts })
    }

    fn widened(&self, factor: f64) -> Spread {
        let parts = self.parts.iter();
        Spread {
            parts: parts
                .map(|(bound, (low, high))| (*bound, (low.min(0.0) * factor, high.max(0.0) * factor)))
                .collect(),
        }
    }

    /// The share of totals inside their intervals.
    pub fn covers(&self, totals: &[Total]) -> f64 {
        let inside = totals.iter().filter(|total| {
            let (low, high) = self.around(total.expected, 0.0);
            (low..=high).contains(&total.sold)
        });
        inside.count() as f64 / totals.len() as f64
    }

    /// The 80 % interval of an expectation, with `more` log error on both sides; it always holds the expectation.
    pub fn around(&self, expected: f64, more: f64) -> (f64, f64) {
        self.around_like(expected, expected, more)
    }

    /// The same with the quantiles of expectations of another size.
    fn around_like(&self, size: f64, expected: f64, more: f64) -> (f64, f64) {
        let (_, (low, high)) = self
            .parts
            .iter()
            .find(|(bound, _)| size <= *bound)
            .unwrap_or(&self.parts[self.parts.len() - 1]);
        let at = |log: f64| ((expected + 0.5) * log.exp() - 0.5).max(0.0);
        (
            at(-low.hypot(more)).min(expected),
            at(high.hypot(more)).max(expected),
        )
    }
}

/// The `ceil(level (n + 1))`-th smallest of `sorted`, which a further value exceeds with at most 1 - level; `None` when
/// there is no such one (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005).
fn conformal_quantile(sorted: &[f64], level: f64) -> Option<f64> {
    let rank = (level * (sorted.len() + 1) as f64 - 1e-9).ceil() as usize;
    rank.checked_sub(1).and_then(|index| sorted.get(index)).copied()
}

/// A row of the what-if table: totals of 28 days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhatIf {
    /// At this price.
    pub price: f64,
    /// Units expected.
    pub units: f64,
    /// 80 % from.
    pub lo80: f64,
    /// 80 % to.
    pub hi80: f64,
    /// Price times units.
    pub revenue: f64,
    /// (Price - cost) times units; `None` where the cost is not known.
    pub margin: Option<f64>,
}

/// What a plan brings: this price, so many units in 28 days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The price.
    pub price: f64,
    /// Units expected at it.
    pub units: f64,
}

/// The rows at `prices`, which ascend, in their order.
pub fn whatif(
    plan: Plan,
    prices: &[f64],
    elasticity: &Elasticity,
    spread: &Spread,
    cost: Option<f64>,
) -> Vec<WhatIf> {
    let z = 1.281_551_565_544_6;
    let mut rows: Vec<WhatIf> = prices
        .iter()
        .map(|&price| {
            let distance = (price / plan.price).ln();
            let units = plan.units * (elasticity.value * distance).exp();
            let (lo80, hi80) = spread.around_like(plan.units, units, z * elasticity.std_error * distance);
            WhatIf {
                price,
                units,
                lo80,
                hi80,
                revenue: price * units,
                margin: cost.map(|cost| (price - cost) * units),
            }
        })
        .collect();
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for row in &mut rows {
        low = low.min(row.lo80);
        row.lo80 = low;
    }
    for row in rows.iter_mut().rev() {
        high = high.max(row.hi80);
        row.hi80 = high;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_never_rise_with_the_price() {
        // Small totals are far less certain than large ones, and an elasticity that is hardly known.
        let mut dice = fastrand::Rng::with_seed(3);
        let totals: Vec<Total> = (0..600)
            .map(|i| {
                let expected = 2.0 + f64::from(i);
                let wide = if i < 120 { 2.0 } else { 0.2 };
                Total {
                    expected,
                    sold: expected * (wide * (dice.f64() - 0.5)).exp(),
                    before: expected,
                }
            })
            .collect();
        let spread = Spread::new(&[&totals[..]]).unwrap();
        let elasticity = Elasticity {
            value: -1.0,
            std_error: 0.9,
            lo95: -2.8,
            hi95: 0.8,
            lo80: -2.2,
            hi80: 0.2,
            weeks: 50,
            own: 1.0,
        };
        let plan = Plan {
            price: 10.0,
            units: 125.0,
        };
        let prices: Vec<f64> = (5..=20).map(f64::from).collect();
        let rows = whatif(plan, &prices, &elasticity, &spread, Some(4.0));
        for pair in rows.windows(2) {
            assert!(
                pair[1].lo80 <= pair[0].lo80 && pair[1].hi80 <= pair[0].hi80,
                "{pair:?}"
            );
        }
        assert!(
            rows.iter()
                .all(|row| row.lo80 <= row.units && row.units <= row.hi80)
        );
        // At the plan's own price the interval is the spread's, widened by nobody.
        assert_eq!(
            (rows[5].lo80, rows[5].hi80).0,
            spread.around(125.0, 0.0).0.min(rows[4].lo80)
        );
    }
}
