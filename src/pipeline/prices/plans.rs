//! Promotions known ahead: which of the shop's drivers they are, and on which steps they run.
//!
//! A driver is a promotion if it belongs to single products, its values lie between 0 and 1, its rows reach beyond the
//! night, and prices were lower while it was above zero than while it was not. So a shop names its drivers as it likes:
//! 'deal', 'feat', 'Aktion'. Only the shop's own prices follow them.

use super::collect::Prepared;
use crate::pipeline::Night;
use crate::price::subject::Source;
use crate::store::Snapshot;
use anyhow::Result;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

/// One driver as read: the days on which each product has it.
#[derive(Debug, Default)]
struct Flag {
    /// Days above zero by product, ascending.
    on: BTreeMap<String, Vec<i32>>,
    /// The newest day of any row.
    last: i32,
}

/// Drivers of single products with values between 0 and 1, by name.
#[derive(Debug, Default)]
pub(super) struct Flags(BTreeMap<String, Flag>);

/// 'YYYY-MM-DD' as days since 1970-01-01.
fn day(text: &str) -> Option<i32> {
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
            flag.last = flag.last.max(day);
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
    flags: Vec<Flag>,
    /// Local days of the steps up to the night, the newest first, and of one more.
    days: Vec<i32>,
    /// Local days of the steps ahead that are known.
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
        let found: Vec<Flag> = flags
            .0
            .into_values()
            .filter(|flag| flag.last > tonight && lowers(flag, &days, prepared))
            .collect();
        // Beyond the day on which the first of them ends nobody knows the state.
        let known = found.iter().map(|flag| flag.last).min().unwrap_or(tonight);
        Self {
            ahead: ahead.into_iter().take_while(|day| *day <= known).collect(),
            flags: found,
            days,
        }
    }

    /// The states of a series of `steps` steps, the newest last, and of the steps ahead; `None` where nothing is known
    /// ahead. A step flagged by the price row itself counts as well.
    pub(super) fn of(
        &self,
        name: &(String, String),
        steps: usize,
        promoted: Option<&[f64]>,
    ) -> Option<Vec<f64>> {
        let (product, seller) = name;
        if self.ahead.is_empty()
            || !seller.is_empty()
            || !self.flags.iter().any(|f| f.on.contains_key(product))
        {
            return None;
        }
        // From the day after the step before up to the step's own.
        let mut bounds: Vec<i32> = self.days.iter().take(steps + 1).copied().rev().collect();
        if bounds.len() == steps {
            bounds.insert(0, i32::MIN);
        }
        bounds.extend(&self.ahead);
        let mut plan = vec![0.0; bounds.len() - 1];
        for days in self.flags.iter().filter_map(|flag| flag.on.get(product)) {
            for (step, slot) in plan.iter_mut().enumerate() {
                if runs(days, bounds[step], bounds[step + 1]) {
                    *slot = 1.0;
                }
            }
        }
        for (slot, flag) in plan.iter_mut().zip(promoted.unwrap_or_default()) {
            *slot = f64::max(*slot, *flag);
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
    let (mut sum, mut lower, mut asked) = (0.0, 0usize, 0usize);
    for &s in own.iter().step_by(own.len().div_ceil(ASKED).max(1)) {
        let subject = prepared.subject(s);
        let on = &flag.on[&prepared.names[s].0];
        let mut states = [(0.0, 0usize); 2];
        for (back, value) in subject.values.iter().rev().enumerate() {
            if back + 1 < days.len() && !value.is_nan() {
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
    fn states_reach_as_far_as_every_driver_is_known() {
        let flag = |days: &[i32]| Flag {
            on: [("tea".to_owned(), days.to_vec())].into(),
            last: 0,
        };
        let plans = Plans {
            flags: vec![flag(&[12, 40]), flag(&[30])],
            days: vec![28, 21, 14, 7],
            ahead: vec![35, 42],
        };
        let of = |product: &str, seller: &str, steps| plans.of(&(product.into(), seller.into()), steps, None);
        assert_eq!(of("tea", "", 3), Some(vec![1.0, 0.0, 0.0, 1.0, 1.0]));
        assert_eq!(
            of("tea", "", 4),
            Some(vec![0.0, 1.0, 0.0, 0.0, 1.0, 1.0]),
            "the oldest step has no beginning"
        );
        assert_eq!((of("tea", "rival", 3), of("oil", "", 3)), (None, None));
        let flagged = plans.of(&("tea".into(), String::new()), 2, Some(&[0.0, 1.0]));
        assert_eq!(flagged, Some(vec![0.0, 1.0, 1.0, 1.0]));
    }
}
