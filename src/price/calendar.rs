//! Local days, without knowing time zones: the caller brings them.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Turns instants into the shop's days and back. Days are counted from 1970-01-01.
pub trait Calendar: Sync {
    /// The local day in which the instant `at` (Unix seconds) falls.
    fn day_of(&self, at: i64) -> i32;
    /// The last second of a local day.
    fn end_of(&self, day: i32) -> i64;
}

/// Days of the prime meridian.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utc;

impl Calendar for Utc {
    fn day_of(&self, at: i64) -> i32 {
        at.div_euclid(86_400) as i32
    }

    fn end_of(&self, day: i32) -> i64 {
        (i64::from(day) + 1) * 86_400 - 1
    }
}

fn date(day: i32) -> NaiveDate {
    let epoch = NaiveDate::default();
    let distance = Days::new(u64::from(day.unsigned_abs()));
    let moved = if day < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    };
    moved.unwrap_or(epoch)
}

/// A day as YYYY-MM-DD.
pub fn day_text(day: i32) -> String {
    date(day).format("%Y-%m-%d").to_string()
}

/// The day `months` months after (or before) `day`: the same day of the month, or its last one.
pub fn add_months(day: i32, months: i32) -> i32 {
    let distance = Months::new(months.unsigned_abs());
    let start = date(day);
    let moved = if months < 0 {
        start.checked_sub_months(distance)
    } else {
        start.checked_add_months(distance)
    };
    moved.unwrap_or(start).num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_names_and_months_have_ends() {
        assert_eq!(Utc.day_of(-1), -1);
        assert_eq!(Utc.end_of(0), 86_399);
        assert_eq!(day_text(0), "1970-01-01");
        let leap = Utc.day_of(1_709_200_800);
        assert_eq!(day_text(leap), "2024-02-29");
        assert_eq!(day_text(add_months(leap, 12)), "2025-02-28");
        assert_eq!(day_text(add_months(leap, -1)), "2024-01-29");
        assert_eq!(day_text(add_months(add_months(leap, 2), 0)), "2024-04-29");
    }
}
