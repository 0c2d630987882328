//! The figures people read first: last price, lowest, average, and the price before the promotion.
//!
//! All of them are taken from the step function itself, not from steps: a price of one hour counts as one hour in an
//! average and can be the lowest of the month.
//!
//! "The lowest price of the 30 days before the promotion" is what article 6a of the European Union's directive 98/6/EC
//! (put in by the Omnibus directive, 2019/2161) wants beside an announced reduction. What it says, and what follows here:
//!
//! - It is the lowest price *before* the reduction applied: the running promotion's own prices do not count, a promotion
//!   that ended a week earlier does.
//! - The period is not shorter than 30 days: it begins with the first second of the local day 30 days before, so that
//!   neither the hour of the day nor a change of the clocks makes it shorter.
//! - A reduction that grows in steps without a break counts from its first step. One that shrinks is a new, smaller
//!   reduction: the deeper price before it counts. So does a promotion after a day off sale.
//! - An article younger than 30 days is compared with the time since its first price; one that was on promotion from its
//!   first day, or not on sale at all before, has nothing to compare with.

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
    /// The lowest price in force in the 30 days before the running promotion began (see above); `None` without a
    /// promotion, and where nothing was offered in those days.
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
            let first_day = calendar.day_of(start) - 30;
            lowest(rows, own, calendar.end_of(first_day - 1) + 1, start - 1)
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

/// When the promotion that the last row belongs to began: the first of the unbroken run of promotion rows whose price
/// never rises.
fn promotion_start(rows: &[Posted], own: bool) -> i64 {
    let mut start = rows.len() - 1;
    while start > 0 {
        let (earlier, later) = (&rows[start - 1], &rows[start]);
        let unbroken = earlier.promotion && in_force(earlier, later.at, own).is_some();
        if !unbroken || earlier.price < later.price {
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
    // A running mean never leaves the prices it is made of; a sum of large ones times seconds may pass every number.
    let (mut mean, mut seconds) = (0.0, 0.0);
    for (price, start, end) in stretches(rows, own, from, to) {
        let length = (end - start + 1) as f64;
        seconds += length;
        let share = length / seconds;
        mean = mean * (1.0 - share) + price * share;
    }
    (seconds > 0.0).then_some(mean)
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

    fn before(rows: &[Posted], day: i64) -> Option<f64> {
        of(rows, true, day).min30_before_promotion
    }

    #[test]
    fn steps_of_a_promotion_and_promotions_after_one_another() {
        let regular = row(0, 12.0, false);
        // Deeper in steps, repeated by a daily writer: one promotion since day 60.
        let deeper = [
            regular,
            row(60, 10.0, true),
            row(61, 10.0, true),
            row(64, 8.0, true),
        ];
        assert_eq!(before(&deeper, 70), Some(12.0));
        // Shrinking: since day 64 ten are asked, eight were asked before.
        let shrinking = [regular, row(60, 8.0, true), row(64, 10.0, true)];
        assert_eq!(before(&shrinking, 70), Some(8.0));
        // A promotion that ended ten days before the next counts, one that ended 40 days before does not.
        let again = [
            regular,
            row(60, 8.0, true),
            row(63, 12.0, false),
            row(73, 9.0, true),
        ];
        assert_eq!(before(&again, 80), Some(8.0));
        let long_ago = [
            regular,
            row(60, 8.0, true),
            row(63, 12.0, false),
            row(103, 9.0, true),
        ];
        assert_eq!(before(&long_ago, 110), Some(12.0));
        // Raised just before: the lower price of the weeks before the raise counts.
        let raised = [regular, row(55, 15.0, false), row(60, 12.0, true)];
        assert_eq!(before(&raised, 61), Some(12.0));
        // Sold out for three days in between: nothing says it is the same promotion.
        let gap = [
            regular,
            row(60, 8.0, true),
            row(62, 0.0, false),
            row(65, 8.0, true),
        ];
        assert_eq!(before(&gap, 70), Some(8.0));
    }

    #[test]
    fn young_articles_gaps_and_the_edge_of_the_thirty_days() {
        // Three weeks old.
        assert_eq!(before(&[row(39, 5.0, false), row(60, 4.0, true)], 61), Some(5.0));
        // Off sale for the whole of the 30 days: nothing to compare with; for a part of them: the rest.
        let season = [row(0, 5.0, false), row(10, 0.0, false), row(60, 4.0, true)];
        assert_eq!(before(&season, 61), None);
        let partly = [
            row(0, 5.0, false),
            row(40, 0.0, false),
            row(50, 6.0, false),
            row(60, 4.0, true),
        ];
        assert_eq!(before(&partly, 61), Some(5.0));
        // The promotion begins on day 60 at noon: a price of the morning of day 30 is within 30 days, one of the last
        // hour of day 29 is not.
        let at = |hours: i64, price: f64, promotion: bool| Posted {
            at: hours * 3600,
            price: Some(price),
            promotion,
        };
        let morning = [
            at(0, 9.0, false),
            at(29 * 24, 3.0, false),
            at(30 * 24 + 1, 9.0, false),
            at(60 * 24 + 12, 8.0, true),
        ];
        assert_eq!(before(&morning, 62), Some(3.0));
        let evening = [
            at(0, 9.0, false),
            at(29 * 24, 3.0, false),
            at(30 * 24, 9.0, false),
            at(60 * 24 + 12, 8.0, true),
        ];
        assert_eq!(before(&evening, 62), Some(9.0));
    }

    /// Days of 24 hours, but day 40 has 25.
    struct Autumn;

    impl Calendar for Autumn {
        fn day_of(&self, at: i64) -> i32 {
            let shifted = if at >= 41 * DAY + 3600 {
                at - 3600
            } else {
                at.min(41 * DAY - 1)
            };
            Utc.day_of(shifted)
        }
        fn end_of(&self, day: i32) -> i64 {
            Utc.end_of(day) + if day >= 40 { 3600 } else { 0 }
        }
    }

    #[test]
    fn thirty_local_days_are_not_shortened_by_the_clocks() {
        // The promotion begins at midnight of day 60; the 30 days begin at midnight of day 30, 721 hours earlier. The
        // price of 3 held for their first hour only.
        let rows = [
            Posted {
                at: 29 * DAY,
                price: Some(3.0),
                promotion: false,
            },
            Posted {
                at: 30 * DAY + 1800,
                price: Some(9.0),
                promotion: false,
            },
            Posted {
                at: 60 * DAY + 3600,
                price: Some(8.0),
                promotion: true,
            },
        ];
        let got = stats(&rows, true, 61 * DAY, &Autumn).unwrap();
        assert_eq!(got.min30_before_promotion, Some(3.0));
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
    fn an_average_of_enormous_prices_is_a_number() {
        let got = of(&[row(0, 1e308, false), row(85, 1.7e308, false)], true, 100);
        let (avg30, avg90) = (got.avg30.unwrap(), got.avg90.unwrap());
        assert!((avg30 / 1.35e308 - 1.0).abs() < 1e-4, "{avg30}");
        assert!(avg90.is_finite() && avg90 < avg30, "{avg90}");
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
