//! The shop's calendar: two fixed years, their rhythm of weeks and seasons, and its holidays. The
//! demo ends on a fixed day and not today, so that it is the same shop for ever.

use chrono::{DateTime, Datelike, NaiveDate};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// The first second: 2024-07-01 00:00 UTC.
pub(super) const START: i64 = 1_719_792_000;
/// The number of days: 2024-07-01 to 2026-06-30.
pub(super) const DAYS: i64 = 730;
/// The first second after the last day: 2026-07-01 00:00 UTC.
pub(super) const END: i64 = START + DAYS * DAY;

/// The date of day number `day` (0 = the first), which may lie after the last.
pub(super) fn date(day: i64) -> NaiveDate {
    DateTime::from_timestamp(START + day * DAY, 0)
        .map(|at| at.date_naive())
        .unwrap_or_default()
}

/// How a category sells on a day relative to its mean: a cosine over the year around its peak month.
pub(super) fn season(day: i64, peak: u32, swing: f64) -> f64 {
    let at = f64::from(date(day).ordinal());
    let peak = (f64::from(peak) - 0.5) * 365.25 / 12.0;
    1.0 + swing * (std::f64::consts::TAU * (at - peak) / 365.25).cos()
}

/// How busy the whole shop is on a day, at most 1: growth, week, the weeks before Christmas.
pub(super) fn bustle(day: i64) -> f64 {
    const WEEK: [f64; 7] = [1.0, 0.92, 0.9, 0.95, 0.98, 1.1, 1.25]; // Monday first
    let date = date(day);
    let growth = 0.7 + 0.3 * day as f64 / DAYS as f64;
    let christmas = match (date.month(), date.day()) {
        (11, 20..) | (12, 1..=20) => 1.6,
        (12, 24..=26) | (1, 1) => 0.5,
        _ => 1.0,
    };
    growth * WEEK[date.weekday().num_days_from_monday() as usize] * christmas / 2.0
}

/// Whether the shop's staff have the day off: a driver known for the future too.
pub(super) fn holiday(day: i64) -> bool {
    let date = date(day);
    matches!(
        (date.month(), date.day()),
        (1, 1) | (5, 1) | (10, 3) | (12, 25 | 26)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_years_begin_and_end_where_the_essay_says() {
        assert_eq!(date(0).to_string(), "2024-07-01");
        assert_eq!(date(DAYS - 1).to_string(), "2026-06-30");
    }

    #[test]
    fn bustle_is_a_probability_and_toys_peak_in_december() {
        assert!((0..DAYS).all(|day| (0.0..=1.0).contains(&bustle(day))));
        assert!(season(168, 12, 0.9) > 1.8 && season(350, 12, 0.9) < 0.2);
    }
}
