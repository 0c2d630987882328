//! What is known beside prices and is no promotion: costs, exchange rates, holidays, weather, as entered in `drivers`.
//!
//! A row speaks of its own day and a day without a row counts as 0, as everywhere ([`super::plans`]); a step's value is the mean
//! of its days. A forecast needs to know what comes, so a driver takes part if its rows reach beyond the night: to the last
//! step ahead where it is a quantity with a row nearly every day, or at all where it is an event now and then, whose days
//! without a row say that there is none.

use super::local::Local;
use super::plans::day;
use crate::pipeline::Night;
use crate::price::calendar::Calendar;
use crate::store::Snapshot;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Drivers at most, those with the most rows: each is a column of every regression.
const DRIVERS: usize = 8;
/// Rows held in memory at most.
const ROWS: u64 = 4_000_000;
/// A driver with rows on a smaller share of its days is an event.
const EVENT: f64 = 0.5;

/// Rows of one driver: day and value, ascending, by product; '' is every product.
#[derive(Debug, Default)]
struct Rows {
    of: BTreeMap<String, Vec<(i32, f64)>>,
    /// The oldest and newest day of any row.
    span: Option<(i32, i32)>,
    count: u64,
}

/// All drivers, by name.
#[derive(Debug, Default)]
pub(super) struct Entered(BTreeMap<String, Rows>);

impl Entered {
    /// Reads those that reach beyond the night, the smaller ones first, as far as [`ROWS`] go. Days and values that are none
    /// are counted where promotions and demand read the same rows.
    pub(super) fn read(snapshot: &Snapshot, night: &Night<'_>) -> Result<Self> {
        let tonight = Local(night.zone).day_of(night.as_of);
        // Rows are counted before any is kept: a flag for every product and day may be more than a night should hold.
        let mut counts: BTreeMap<String, (u64, i32)> = BTreeMap::new();
        each(snapshot, |name, _, day, _| match counts.get_mut(name) {
            Some((count, last)) => (*count, *last) = (*count + 1, day.max(*last)),
            None => {
                counts.insert(name.to_owned(), (1, day));
            }
        })?;
        let mut ahead: Vec<(u64, String)> = counts
            .into_iter()
            .filter(|(_, (_, last))| *last > tonight)
            .map(|(name, (count, _))| (count, name))
            .collect();
        ahead.sort();
        let (mut all, mut rows, mut left_out): (BTreeMap<String, Rows>, u64, u64) = (BTreeMap::new(), 0, 0);
        for (count, name) in ahead {
            rows += count;
            if rows <= ROWS {
                all.insert(name, Rows::default());
            } else {
                left_out += count;
            }
        }
        night.drop_rows(
            "drivers",
            format!("more than {ROWS} rows are known ahead: the names with the most explain no price by regression"),
            left_out,
        );
        if !all.is_empty() {
            each(snapshot, |name, product, day, value| {
                let Some(rows) = all.get_mut(name) else { return };
                let (first, last) = rows.span.unwrap_or((day, day));
                rows.span = Some((first.min(day), last.max(day)));
                rows.count += 1;
                match rows.of.get_mut(product) {
                    Some(of) => of.push((day, value)),
                    None => {
                        rows.of.insert(product.to_owned(), vec![(day, value)]);
                    }
                }
            })?;
        }
        Ok(Self(all))
    }
}

/// Lends name, product, day and value of every usable row.
fn each(snapshot: &Snapshot, mut take: impl FnMut(&str, &str, i32, f64)) -> Result<()> {
    snapshot.drivers(|driver| {
        if let Some(day) = day(driver.day).filter(|_| driver.value.abs() < 1e12) {
            take(driver.name, driver.product_id, day, driver.value);
        }
    })?;
    Ok(())
}

/// One driver that takes part.
#[derive(Debug)]
struct Driver {
    name: Arc<str>,
    rows: Rows,
    /// The value of every product's rows at every step, the oldest first.
    general: Option<Vec<f64>>,
}

/// The drivers that take part, on the night's steps.
#[derive(Debug, Default)]
pub(super) struct Outside {
    drivers: Vec<Driver>,
    /// Local days of the ends of all steps, the oldest first, those ahead included, and of the step before the oldest.
    days: Vec<i32>,
    ahead: usize,
}

impl Outside {
    /// Those that are known ahead and are none of the `promotions`. `days` are the local days of the steps up to the night, the
    /// newest first, and of one more; `ahead` those of the steps to come.
    pub(super) fn find(
        entered: Entered,
        promotions: &BTreeSet<String>,
        days: &[i32],
        ahead: &[i32],
        night: &Night<'_>,
    ) -> Self {
        let tonight = days.first().copied().unwrap_or(0);
        let end = ahead.last().copied().unwrap_or(tonight);
        let mut found: Vec<(String, Rows)> = entered
            .0
            .into_iter()
            .filter(|(name, rows)| {
                let Some((first, last)) = rows.span.filter(|_| !promotions.contains(name)) else {
                    return false;
                };
                let dense = rows.count as f64 / (f64::from(last - first + 1) * rows.of.len() as f64);
                first <= tonight && last > tonight && (last >= end || dense < EVENT)
            })
            .collect();
        found.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0)));
        let left_out: u64 = found.iter().skip(DRIVERS).map(|(_, rows)| rows.count).sum();
        night.drop_rows(
            "drivers",
            format!("more than {DRIVERS} names are known ahead: those with the fewest rows explain no price"),
            left_out,
        );
        found.truncate(DRIVERS);
        let days: Vec<i32> = days.iter().rev().chain(ahead).copied().collect();
        let drivers = found
            .into_iter()
            .map(|(name, rows)| Driver {
                name: name.into(),
                general: rows.of.get("").map(|of| steps(of, &days, rows.span)),
                rows,
            })
            .collect();
        Self {
            drivers,
            days,
            ahead: ahead.len(),
        }
    }

    /// The drivers of a product at its newest `count` steps and at those ahead; its own rows stand before those of every
    /// product.
    pub(super) fn of(&self, product: &str, count: usize) -> Vec<(Arc<str>, Vec<f64>)> {
        let wanted = count + self.ahead;
        let newest = |all: &[f64]| all[all.len().saturating_sub(wanted)..].to_vec();
        let mut found = Vec::new();
        for driver in &self.drivers {
            let own = driver.rows.of.get(product).filter(|_| !product.is_empty());
            let values = match (own, &driver.general) {
                (Some(own), _) => {
                    let days = &self.days[self.days.len().saturating_sub(wanted + 1)..];
                    steps(own, days, driver.rows.span)
                }
                (None, Some(general)) => general.clone(),
                (None, None) => continue,
            };
            found.push((driver.name.clone(), newest(&values)));
        }
        found
    }
}

/// The mean of each step's days, `NaN` before the first row of the driver. `days` are the ends of the steps and of the one
/// before the first.
fn steps(rows: &[(i32, f64)], days: &[i32], span: Option<(i32, i32)>) -> Vec<f64> {
    let first = span.map_or(i32::MAX, |(first, _)| first);
    days.windows(2)
        .map(|pair| {
            let (end, begin) = (pair[1], pair[0].min(pair[1] - 1));
            if end < first {
                return f64::NAN;
            }
            let from = rows.partition_point(|(day, _)| *day <= begin);
            let sum: f64 = rows[from..]
                .iter()
                .take_while(|(day, _)| *day <= end)
                .map(|(_, value)| value)
                .sum();
            sum / f64::from(end - begin)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_mean_of_its_days() {
        let rows = [(3, 7.0), (9, 14.0), (10, 7.0), (20, 1.0)];
        let span = Some((3, 20));
        let weeks = steps(&rows, &[-5, 2, 9, 16, 23], span);
        assert!(weeks[0].is_nan(), "before its first row");
        assert_eq!(weeks[1..], [3.0, 1.0, 1.0 / 7.0]);
        // Hours of one day have the day's value.
        assert_eq!(steps(&rows, &[9, 9, 9, 10], span), [14.0, 14.0, 7.0]);
        assert!(steps(&[], &[0, 1], None)[0].is_nan());
    }

    #[test]
    fn a_product_has_its_own_rows_before_everybodys() {
        let mut rows = Rows {
            span: Some((0, 4)),
            ..Rows::default()
        };
        rows.of.insert("tea".into(), vec![(2, 5.0)]);
        let days = vec![-1, 0, 1, 2, 3, 4];
        let general = [(0, 1.0), (4, 1.0)];
        let outside = Outside {
            drivers: vec![Driver {
                name: "cost".into(),
                general: Some(steps(&general, &days, rows.span)),
                rows,
            }],
            days,
            ahead: 1,
        };
        assert_eq!(outside.of("tea", 3)[0].1, [0.0, 5.0, 0.0, 0.0]);
        assert_eq!(outside.of("oil", 2)[0].1, [0.0, 0.0, 1.0]);
        assert_eq!(outside.of("oil", 4)[0].1, [1.0, 0.0, 0.0, 0.0, 1.0][..5]);
    }
}
