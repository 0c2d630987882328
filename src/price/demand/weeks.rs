//! The weeks demand is counted in, and what one product cost in each of them.
//!
//! A week is seven local days; the newest ends with the last day that is over at the night's instant, the others lie
//! back to back before it, four more after it. So no week is cut short, whatever weekday the night falls on, and a
//! week with a change of the clocks has 167 or 169 hours and stays one week.

use crate::price::calendar::Calendar;
use crate::price::series::{BELIEVED, Posted};
use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Weeks of history that are looked at: four years.
pub const HISTORY: usize = 208;
/// Weeks ahead: the 28 days of `price_whatif`.
pub const AHEAD: usize = 4;

/// The weeks, past and to come: week `t` of `0..past()` is over, `past()..all()` are the next ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Weeks {
    /// Last second of each week, preceded by the second before the first week.
    ends: Vec<i64>,
    /// First day of the first week.
    first_day: i32,
    past: usize,
    feasts: Vec<[f64; FEASTS.len()]>,
}

impl Weeks {
    /// The newest `past` weeks as of an instant, and [`AHEAD`] more.
    pub fn new(as_of: i64, past: usize, calendar: &dyn Calendar) -> Self {
        let today = calendar.day_of(as_of);
        let last = if calendar.end_of(today) == as_of {
            today
        } else {
            today - 1
        };
        let first_day = last - 7 * past as i32 + 1;
        Self {
            ends: (0..=past + AHEAD)
                .map(|week| calendar.end_of(first_day - 1 + 7 * week as i32))
                .collect(),
            first_day,
            past,
            feasts: (0..past + AHEAD)
                .map(|week| feasts(first_day + 7 * week as i32))
                .collect(),
        }
    }

    /// Weeks that are over.
    pub fn past(&self) -> usize {
        self.past
    }

    /// Weeks past and ahead.
    pub fn all(&self) -> usize {
        self.ends.len() - 1
    }

    /// The week an instant falls in, past or ahead.
    pub fn of(&self, at: i64) -> Option<usize> {
        self.ends
            .partition_point(|end| *end < at)
            .checked_sub(1)
            .filter(|week| *week < self.all())
    }

    /// The week a local day falls in, past or ahead.
    pub fn of_day(&self, day: i32) -> Option<usize> {
        let offset = usize::try_from(day.checked_sub(self.first_day)?).ok()?;
        (offset / 7 < self.all()).then_some(offset / 7)
    }

    /// First and last second of a week.
    pub fn bounds(&self, week: usize) -> (i64, i64) {
        (self.ends[week] + 1, self.ends[week + 1])
    }

    /// The share of a week's days that belong to each of [`FEASTS`].
    pub fn feasts(&self, week: usize) -> &[f64; FEASTS.len()] {
        &self.feasts[week]
    }

    /// The first of a week's seven days, counted from 1970-01-01.
    pub fn first_day(&self, week: usize) -> i32 {
        self.first_day + 7 * week as i32
    }
}

/// What a product cost in one week: averages over the time it was on sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Mean of ln(price), by time.
    pub log_price: f64,
    /// Share of the time that was a promotion.
    pub promotion: f64,
    /// Share of the week it was on sale.
    pub offered: f64,
}

/// A week with less time on sale than this tells nothing of a week's demand.
pub const HALF: f64 = 0.5;

/// The price of every past week from cleaned rows of one product at one seller; `None` where it was not on sale.
/// `own`: the shop's own prices hold until its next row, another seller's at most 30 days.
pub fn weekly(rows: &[Posted], own: bool, weeks: &Weeks) -> Vec<Option<Asked>> {
    let mut row = 0;
    (0..weeks.past())
        .map(|week| {
            let (start, end) = weeks.bounds(week);
            // The last row up to the week's start is still in force in it.
            while row + 1 < rows.len() && rows[row + 1].at <= start {
                row += 1;
            }
            let (mut seconds, mut log_price, mut promotion) = (0.0, 0.0, 0.0);
            for (i, posted) in rows.iter().enumerate().skip(row) {
                if posted.at > end {
                    break;
                }
                let mut until = rows.get(i + 1).map_or(end, |next| (next.at - 1).min(end));
                if !own {
                    until = until.min(posted.at.saturating_add(BELIEVED));
                }
                let length = (until - posted.at.max(start) + 1) as f64;
                if let Some(price) = posted.price.filter(|_| length > 0.0) {
                    seconds += length;
                    log_price += length * price.ln();
                    promotion += if posted.promotion { length } else { 0.0 };
                }
            }
            (seconds > 0.0).then(|| Asked {
                log_price: log_price / seconds,
                promotion: promotion / seconds,
                offered: seconds / (end - start + 1) as f64,
            })
        })
        .collect()
}

/// Days of the year on which shops sell differently nearly everywhere; a shop's own go into the table `drivers`.
pub const FEASTS: [&str; 4] = [
    "the fortnight before Christmas",
    "Christmas to New Year",
    "the week before Easter",
    "the week of Black Friday",
];

/// The share of the seven days from `first_day` that belong to each feast.
fn feasts(first_day: i32) -> [f64; FEASTS.len()] {
    let mut shares = [0.0; FEASTS.len()];
    for day in first_day..first_day.saturating_add(7) {
        let Some(date) = u64::try_from(day)
            .ok()
            .and_then(|day| NaiveDate::default().checked_add_days(Days::new(day)))
        else {
            continue;
        };
        let before_easter = easter(date.year()).map_or(0, |easter| (easter - date).num_days());
        let black_friday = NaiveDate::from_weekday_of_month_opt(date.year(), 11, Weekday::Thu, 4)
            .map_or(i64::MAX, |thanks| (date - thanks).num_days());
        let belongs = [
            date.month() == 12 && (11..=24).contains(&date.day()),
            date.month() == 12 && date.day() > 24,
            (1..=7).contains(&before_easter),
            (-3..=4).contains(&black_friday), // Monday to Cyber Monday
        ];
        for (share, belongs) in shares.iter_mut().zip(belongs) {
            *share += f64::from(belongs) / 7.0;
        }
    }
    shares
}

/// Easter Sunday of a year of the Gregorian calendar (the anonymous algorithm; Meeus, Astronomical Algorithms, 1991,
/// chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, (n / 31) as u32, (n % 31 + 1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::calendar::Utc;

    const DAY: i64 = 86_400;

    fn row(at: i64, price: f64, promotion: bool) -> Posted {
        Posted {
            at,
            price: (price > 0.0).then_some(price),
            promotion,
        }
    }

    #[test]
    fn weeks_end_with_the_last_day_that_is_over() {
        // As of the last second of day 20 the newest week is days 14 to 20; an hour later, too.
        for as_of in [21 * DAY - 1, 21 * DAY + 3600] {
            let weeks = Weeks::new(as_of, 2, &Utc);
            assert_eq!((weeks.past(), weeks.all()), (2, 6));
            assert_eq!(weeks.bounds(0), (7 * DAY, 14 * DAY - 1));
            assert_eq!(weeks.bounds(1), (14 * DAY, 21 * DAY - 1));
            assert_eq!(weeks.of(7 * DAY - 1), None);
            assert_eq!(weeks.of(7 * DAY), Some(0));
            assert_eq!(weeks.of(14 * DAY - 1), Some(0));
            assert_eq!(weeks.of(14 * DAY), Some(1));
            assert_eq!(weeks.of(49 * DAY - 1), Some(5));
            assert_eq!(weeks.of(49 * DAY), None);
            assert_eq!((weeks.of_day(6), weeks.of_day(7)), (None, Some(0)));
            assert_eq!((weeks.of_day(48), weeks.of_day(49)), (Some(5), None));
            assert_eq!(weeks.first_day(1), 14);
        }
    }

    #[test]
    fn a_weeks_price_is_its_mean_by_time() {
        let weeks = Weeks::new(35 * DAY - 1, 5, &Utc);
        let rows = [
            row(7 * DAY, 2.0, false),
            row(18 * DAY, 8.0, true), // four days of the third week at 2, three at 8
            row(21 * DAY, 0.0, false),
            row(26 * DAY, 4.0, false), // two days of the fourth week on sale
        ];
        let got = weekly(&rows, true, &weeks);
        assert_eq!(got[0], None);
        let asked = |week: usize| got[week].unwrap();
        assert!((asked(1).log_price - 2f64.ln()).abs() < 1e-12);
        let mean = (4.0 * 2f64.ln() + 3.0 * 8f64.ln()) / 7.0;
        assert!((asked(2).log_price - mean).abs() < 1e-12);
        assert!((asked(2).promotion - 3.0 / 7.0).abs() < 1e-12);
        assert!((asked(3).offered - 2.0 / 7.0).abs() < 1e-12);
        assert!((asked(4).offered - 1.0).abs() < 1e-12 && asked(4).promotion == 0.0);
        assert_eq!(weekly(&[], true, &weeks), vec![None; 5]);
    }

    #[test]
    fn another_seller_is_believed_for_thirty_days() {
        let weeks = Weeks::new(49 * DAY - 1, 7, &Utc);
        let got = weekly(&[row(0, 3.0, false)], false, &weeks);
        assert!(got[3].is_some() && got[5].is_none());
        let last = got[4].unwrap().offered; // days 28 to 34: believed up to the first second of day 30
        assert!((last - 2.0 / 7.0).abs() < 1e-5, "{last}");
        assert!(weekly(&[row(0, 3.0, false)], true, &weeks)[6].is_some());
    }

    #[test]
    fn feasts_fall_where_the_calendar_says() {
        // Easter Sundays of three years as published.
        for (year, month, day) in [(1990, 4, 15), (2024, 3, 31), (2025, 4, 20)] {
            assert_eq!(easter(year), NaiveDate::from_ymd_opt(year, month, day));
        }
        let day =
            |y, m, d| (NaiveDate::from_ymd_opt(y, m, d).unwrap() - NaiveDate::default()).num_days() as i32;
        let week = feasts(day(2024, 12, 23)); // Monday: two days before Christmas Day, five after
        assert!((week[0] - 2.0 / 7.0).abs() < 1e-12 && (week[1] - 5.0 / 7.0).abs() < 1e-12);
        assert!((feasts(day(2024, 3, 25))[2] - 6.0 / 7.0).abs() < 1e-12);
        assert!((feasts(day(2024, 11, 25))[3] - 1.0).abs() < 1e-12);
        assert_eq!(feasts(day(2024, 7, 1)), [0.0; 4]);
    }
}
