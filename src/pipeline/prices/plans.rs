//! Promotions known ahead: which of the shop's drivers they are, and on which steps they run.
//!
//! A driver is a promotion if it belongs to single products, its values lie between 0 and 1, its rows reach beyond the
//! night, and prices were lower while it was above zero than while it was not. So a shop names its drivers as it likes:
//! 'deal', 'feat', 'Aktion'. Only the shop's own prices follow them.
//!
//! One rule for all drivers, here and where units are explained: a row speaks of its own day, and a day without a row
//! counts as 0. So a promotion is over on the day after its last row, whatever other drivers say, and one that lasts a week
//! has seven rows. Before a driver's first row, of whatever product, nobody entered it: then nothing was known.

use super::collect::Prepared;
use crate::pipeline::Night;
use crate::price::subject::Source;
use crate::store::Snapshot;
use anyhow::Result;
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};

/// One driver as read: the days on which each product has it.
#[derive(Debug, Default)]
struct Flag {
    /// Days above zero by product, ascending.
    on: BTreeMap<String, Vec<i32>>,
    /// The oldest and newest day of any row.
    span: Option<(i32, i32)>,
}

/// Drivers of single products with values between 0 and 1, by name.
#[derive(Debug, Default)]
pub(super) struct Flags(BTreeMap<String, Flag>);

/// 'YYYY-MM-DD' as days since 1970-01-01.
pub(super) fn day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.num_days_from_ce() - NaiveDate::default().num_days_from_ce())
}

impl Flags {
    /// Reads the drivers that may be promotions.
    pub(super) fn read(snapshot: &Snapshot, night: &Night<'_>) -> Result<Self> {
        let mut flags: BTreeMap<String, Option<Flag>> = BTreeMap::new();
        let mut undated = 0;
        snapshot.drivers(|driver| {
            let Some(day) = day(driver.day) else {
                undated += 1;
                return;
            };
            if !flags.contains_key(driver.name) {
                flags.insert(driver.name.to_owned(), Some(Flag::default()));
            }
            let Some(entry) = flags.get_mut(driver.name) else {
                return;
            };
            if driver.product_id.is_empty() || !(0.0..=1.0).contains(&driver.value) {
                // A driver of the whole shop, or a quantity.
                *entry = None;
            }
            let Some(flag) = entry else { return };
            flag.span = Some(
                flag.span
                    .map_or((day, day), |(first, last)| (first.min(day), last.max(day))),
            );
            if driver.value > 0.0 {
                match flag.on.get_mut(driver.product_id) {
                    Some(days) => days.push(day),
                    None => {
                        flag.on.insert(driver.product_id.to_owned(), vec![day]);
                    }
                }
            }
        })?;
        night.drop_rows("drivers", "day is not YYYY-MM-DD", undated);
        Ok(Self(
            flags
                .into_iter()
                .filter_map(|(name, flag)| Some((name, flag?)))
                .collect(),
        ))
    }
}

/// The promotions known ahead.
#[derive(Debug, Default)]
pub(super) struct Plans {
    names: BTreeSet<String>,
    flags: Vec<Flag>,
    /// Local days of the steps up to the night, the newest first, and of one more.
    days: Vec<i32>,
    /// Local days of the steps ahead.
    ahead: Vec<i32>,
}

/// Own prices that are asked whether a driver lowers them.
const ASKED: usize = 2000;
/// By how much prices are lower, on average over those series.
const LOWER: f64 = 0.01;
/// Steps in each state that a series needs to be asked.
const STEPS: usize = 3;

impl Plans {
    /// Those of `flags` that are promotions. `days` are the local days of the steps up to the night, the newest first, and
    /// of one more; `ahead` those of the steps to come.
    pub(super) fn find(flags: Flags, days: Vec<i32>, ahead: Vec<i32>, prepared: &Prepared) -> Self {
        let tonight = days.first().copied().unwrap_or(0);
        let (names, found) = flags
            .0
            .into_iter()
            .filter(|(_, flag)| {
                flag.span.is_some_and(|(_, last)| last > tonight) && lowers(flag, &days, prepared)
            })
            .unzip();
        Self {
            ahead,
            names,
            flags: found,
            days,
        }
    }

    /// The names of the drivers that are promotions known ahead.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The states of a series of `steps` steps, the newest last, and of the steps ahead, `NaN` before the first row of any
    /// of the drivers; `None` where nothing is known ahead.
    pub(super) fn of(&self, name: &(String, String), steps: usize) -> Option<Vec<f64>> {
        let (product, seller) = name;
        if !seller.is_empty() || !self.flags.iter().any(|f| f.on.contains_key(product)) {
            return None;
        }
        // From the day after the step before up to the step's own.
        let mut bounds: Vec<i32> = self.days.iter().take(steps + 1).copied().rev().collect();
        if bounds.len() == steps {
            bounds.insert(0, i32::MIN);
        }
        bounds.extend(&self.ahead);
        let since = self
            .flags
            .iter()
            .filter_map(|flag| flag.span)
            .map(|span| span.0)
            .min();
        let unknown = |end: &i32| since.is_none_or(|since| *end < since);
        let mut plan: Vec<f64> = bounds[1..]
            .iter()
            .map(|end| if unknown(end) { f64::NAN } else { 0.0 })
            .collect();
        for days in self.flags.iter().filter_map(|flag| flag.on.get(product)) {
            for (step, slot) in plan.iter_mut().enumerate() {
                if runs(days, bounds[step], bounds[step + 1]) {
                    *slot = 1.0;
                }
            }
        }
        Some(plan)
    }
}

/// Whether any of `days` lies after `from` and not after `to`; within one day (steps of an hour), on that day.
fn runs(days: &[i32], from: i32, to: i32) -> bool {
    let from = from.min(to - 1);
    days.get(days.partition_point(|day| *day <= from))
        .is_some_and(|day| *day <= to)
}

/// Whether own prices were lower while the driver was above zero.
fn lowers(flag: &Flag, days: &[i32], prepared: &Prepared) -> bool {
    let own: Vec<usize> = (0..prepared.count())
        .filter(|&s| prepared.own(s) && flag.on.contains_key(&prepared.names[s].0))
        .collect();
    let first = flag.span.map_or(i32::MAX, |(first, _)| first);
    let (mut sum, mut lower, mut asked) = (0.0, 0usize, 0usize);
    for &s in own.iter().step_by(own.len().div_ceil(ASKED).max(1)) {
        let subject = prepared.subject(s);
        let on = &flag.on[&prepared.names[s].0];
        let mut states = [(0.0, 0usize); 2];
        for (back, value) in subject.values.iter().rev().enumerate() {
            if back + 1 < days.len() && days[back] >= first && !value.is_nan() {
                let (log, count) = &mut states[usize::from(runs(on, days[back + 1], days[back]))];
                *log += value.ln();
                *count += 1;
            }
        }
        let [(off, offs), (on, ons)] = states;
        if offs >= STEPS && ons >= STEPS {
            let difference = on / ons as f64 - off / offs as f64;
            sum += difference;
            lower += usize::from(difference < 0.0);
            asked += 1;
        }
    }
    asked > 0 && sum <= -LOWER * asked as f64 && lower * 2 > asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_strictly() {
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(day("2024-02-29"), Some(19_782));
        for text in ["", "2024-02-30", "02/29/2024", "1709164800", "2024-02-29 00:00"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_step_runs_where_a_day_falls_into_it() {
        let days = [3, 10, 11];
        assert!(runs(&days, 2, 9) && runs(&days, 9, 10) && runs(&days, i32::MIN, 3));
        assert!(!runs(&days, 3, 9) && !runs(&days, 11, 18) && !runs(&[], 0, 9));
        assert!(runs(&days, 10, 10), "an hour of that day");
    }

    #[test]
    fn a_day_without_a_row_has_no_promotion_whatever_other_drivers_say() {
        let flag = |days: &[i32], span| Flag {
            on: [("tea".to_owned(), days.to_vec())].into(),
            span: Some(span),
        };
        // One driver ends on day 40, another on day 30, long before the night's reach.
        let plans = Plans {
            names: BTreeSet::new(),
            flags: vec![flag(&[12, 40], (10, 40)), flag(&[30], (12, 30))],
            days: vec![28, 21, 14, 7],
            ahead: vec![35, 42, 49],
        };
        let of = |product: &str, seller: &str, steps| plans.of(&(product.into(), seller.into()), steps);
        assert_eq!(of("tea", "", 3), Some(vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]));
        let four = of("tea", "", 4).unwrap();
        assert!(four[0].is_nan(), "nobody had entered anything by day 7");
        assert_eq!(four[1..], [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!((of("tea", "rival", 3), of("oil", "", 3)), (None, None));
    }
}
