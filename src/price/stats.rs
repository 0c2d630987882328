//! The figures people read first: last price, lowest, average, and the price before the promotion.
//!
//! All of them are taken from the step function itself, not from steps: a price of one hour counts as one hour in an
//! average and can be the lowest of the month. "The lowest price of the 30 days before the promotion" is what the
//! European Union's Omnibus directive (2019/2161, article 2) wants beside a price reduction: the promotion's own
//! prices do not count, and neither does what came before those 30 days.

use super::calendar::Calendar;
use super::series::{BELIEVED, Posted, in_force};

const DAY: i64 = 86_400;

/// One row of `price_stats`, without its volatilities. Days are counted from 1970-01-01.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// The newest price, also of an offer that ended.
    pub last_price: f64,
    /// When it was seen last: the instant of the newest row with a price.
    pub last_seen_at: i64,
    /// The day of the newest row whose price differs from the one before; `None` when it never changed.
    pub last_change_day: Option<i32>,
    /// The lowest price in force in the last 30 days.
    pub min30: Option<f64>,
    /// The lowest price in force in the 30 days before the running promotion began; `None` without a promotion, and
    /// where nothing was offered in those days.
    pub min30_before_promotion: Option<f64>,
    /// The average over the last 30 days, weighted by time offered.
    pub avg30: Option<f64>,
    /// The same over 90 days.
    pub avg90: Option<f64>,
    /// The lowest price ever.
    pub min_ever: f64,
    /// The first day it was asked.
    pub min_ever_day: i32,
    /// The highest price ever.
    pub max_ever: f64,
    /// The first day it was asked.
    pub max_ever_day: i32,
    /// Whether the price in force is a promotion.
    pub on_promotion: bool,
}

/// The figures of one (product, seller) from its cleaned rows; `None` when it never had a price.
pub fn stats(rows: &[Posted], own: bool, as_of: i64, calendar: &dyn Calendar) -> Option<Stats> {
    let priced = || {
        rows.iter()
            .filter_map(|row| row.price.map(|price| (row.at, price)))
    };
    let (last_seen_at, last_price) = priced().next_back()?;
    let (mut min, mut max) = ((i64::MAX, f64::INFINITY), (i64::MAX, f64::NEG_INFINITY));
    let (mut before, mut changed_at) = (None, None);
    for (at, price) in priced() {
        if price < min.1 {
            min = (at, price);
        }
        if price > max.1 {
            max = (at, price);
        }
        if before.is_some_and(|old| old != price) {
            changed_at = Some(at);
        }
        before = Some(price);
    }
    let day = |at: i64| calendar.day_of(at);
    let running = rows
        .last()
        .filter(|row| row.promotion && in_force(row, as_of, own).is_some());
    Some(Stats {
        last_price,
        last_seen_at,
        last_change_day: changed_at.map(day),
        min30: lowest(rows, own, as_of - 30 * DAY, as_of),
        min30_before_promotion: running.and_then(|_| {
            let start = promotion_start(rows, own);
            lowest(rows, own, start - 30 * DAY, start - 1)
        }),
        avg30: average(rows, own, as_of - 30 * DAY, as_of),
        avg90: average(rows, own, as_of - 90 * DAY, as_of),
        min_ever: min.1,
        min_ever_day: day(min.0),
        max_ever: max.1,
        max_ever_day: day(max.0),
        on_promotion: running.is_some(),
    })
}

/// When the promotion that the last row belongs to began: the first of the unbroken run of promotion rows.
fn promotion_start(rows: &[Posted], own: bool) -> i64 {
    let mut start = rows.len() - 1;
    while start > 0 {
        let earlier = &rows[start - 1];
        if !earlier.promotion || in_force(earlier, rows[start].at, own).is_none() {
            break;
        }
        start -= 1;
    }
    rows[start].at
}

/// The stretches in which a price was in force, cut to `[from, to]`: price, first and last instant.
fn stretches(rows: &[Posted], own: bool, from: i64, to: i64) -> impl Iterator<Item = (f64, i64, i64)> + '_ {
    let first = rows.partition_point(|row| row.at <= from).saturating_sub(1);
    rows[first..].iter().enumerate().filter_map(move |(i, row)| {
        let next = rows.get(first + i + 1).map_or(i64::MAX, |next| next.at - 1);
        let until = if own {
            next
        } else {
            next.min(row.at.saturating_add(BELIEVED))
        };
        let (start, end) = (row.at.max(from), until.min(to));
        row.price
            .filter(|_| start <= end)
            .map(|price| (price, start, end))
    })
}

fn lowest(rows: &[Posted], own: bool, from: i64, to: i64) -> Option<f64> {
    stretches(rows, own, from, to)
        .map(|(price, _, _)| price)
        .reduce(f64::min)
}

fn average(rows: &[Posted], own: bool, from: i64, to: i64) -> Option<f64> {
    let (mut sum, mut seconds) = (0.0, 0.0);
    for (price, start, end) in stretches(rows, own, from, to) {
        let length = (end - start + 1) as f64;
        sum += price * length;
        seconds += length;
    }
    (seconds > 0.0).then(|| sum / seconds)
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Utc;
    use super::*;

    fn row(day: i64, price: f64, promotion: bool) -> Posted {
        Posted {
            at: day * DAY,
            price: (price > 0.0).then_some(price),
            promotion,
        }
    }

    fn of(rows: &[Posted], own: bool, day: i64) -> Stats {
        stats(rows, own, day * DAY - 1, &Utc).unwrap()
    }

    #[test]
    fn the_promotion_is_measured_against_the_thirty_days_before_it() {
        // 8 long ago, 12 in force when the 30 days begin, 10 within them, 9 and 7 are the promotion itself.
        let rows = [
            row(0, 8.0, false),
            row(20, 12.0, false),
            row(70, 10.0, false),
            row(75, 11.0, false),
            row(90, 9.0, true),
            row(95, 7.0, true),
        ];
        let got = of(&rows, true, 100);
        assert_eq!(got.min30_before_promotion, Some(10.0));
        assert_eq!(
            (got.min30, got.on_promotion, got.last_price),
            (Some(7.0), true, 7.0)
        );
        assert_eq!((got.min_ever, got.max_ever), (7.0, 12.0));
        assert_eq!((got.min_ever_day, got.max_ever_day), (95, 20));
        assert_eq!(got.last_change_day, Some(95));
        // Over: no promotion, no such price.
        let mut over = rows.to_vec();
        over.push(row(98, 11.0, false));
        let got = of(&over, true, 100);
        assert_eq!((got.on_promotion, got.min30_before_promotion), (false, None));
        // Nothing was offered before: on promotion from its first day.
        assert_eq!(of(&rows[4..], true, 100).min30_before_promotion, None);
    }

    #[test]
    fn averages_are_weighted_by_time_offered() {
        // 30 days: 10 days at 4, 10 days not offered, 10 days at 1.
        let rows = [row(0, 4.0, false), row(80, 0.0, false), row(90, 1.0, false)];
        let got = of(&rows, true, 100);
        assert!((got.avg30.unwrap() - 2.5).abs() < 1e-4, "{got:?}");
        assert!(
            (got.avg90.unwrap() - (70.0 * 4.0 + 10.0) / 80.0).abs() < 1e-4,
            "{got:?}"
        );
        assert_eq!(got.min30, Some(1.0));
    }

    #[test]
    fn ended_and_silent_offers_keep_what_was() {
        let ended = of(&[row(0, 4.0, true), row(10, 0.0, false)], true, 100);
        assert_eq!((ended.last_price, ended.last_seen_at), (4.0, 0));
        assert_eq!(
            (ended.min30, ended.avg30, ended.on_promotion),
            (None, None, false)
        );
        assert_eq!(ended.last_change_day, None);
        let silent = of(&[row(0, 4.0, true)], false, 100);
        assert_eq!(
            (silent.min30, silent.avg90.is_some(), silent.on_promotion),
            (None, true, false)
        );
        assert_eq!(stats(&[row(0, 0.0, false)], true, 100 * DAY, &Utc), None);
        assert_eq!(stats(&[], true, 100 * DAY, &Utc), None);
    }
}
