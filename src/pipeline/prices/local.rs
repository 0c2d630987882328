//! Local days of the shop's zone, where a day has 23 to 25 hours and may begin after midnight.

use crate::price::calendar::Calendar;
use chrono::{Datelike, Days, NaiveDate, TimeZone};
use chrono_tz::Tz;

/// Local days of the shop's zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local(pub(super) Tz);

impl Calendar for Local {
    fn day_of(&self, at: i64) -> i32 {
        let local = self
            .0
            .timestamp_opt(at, 0)
            .single()
            .map(|instant| instant.date_naive());
        local.map_or_else(
            || at.div_euclid(86_400) as i32,
            |date| date.num_days_from_ce() - 719_163,
        )
    }

    fn end_of(&self, day: i32) -> i64 {
        // The next day begins at its first moment that exists: midnight, or later where the clock jumps over it.
        let epoch = NaiveDate::default();
        let next = u64::try_from(i64::from(day) + 1)
            .ok()
            .and_then(|days| epoch.checked_add_days(Days::new(days)));
        let Some(next) = next else {
            return (i64::from(day) + 1) * 86_400 - 1;
        };
        (0..=24)
            .find_map(|quarter| {
                let local = next.and_hms_opt(quarter / 4, quarter % 4 * 15, 0)?;
                self.0.from_local_datetime(&local).earliest()
            })
            .map_or((i64::from(day) + 1) * 86_400 - 1, |start| start.timestamp() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_days_end_where_the_zone_says() {
        let berlin = Local(chrono_tz::Europe::Berlin);
        // 2024-03-31 has 23 hours there: from 2024-03-30T23:00Z to 2024-03-31T22:00Z.
        let day = berlin.day_of(1_711_839_600);
        assert_eq!(berlin.end_of(day) + 1, 1_711_922_400);
        assert_eq!(berlin.end_of(day - 1) + 1, 1_711_839_600);
        assert_eq!(berlin.day_of(1_711_839_599), day - 1);
        // Midnight of 2018-11-04 does not exist in Sao Paulo: the day begins at one o'clock, 03:00Z.
        let brazil = Local(chrono_tz::America::Sao_Paulo);
        let day = brazil.day_of(1_541_300_400);
        assert_eq!(brazil.end_of(day - 1) + 1, 1_541_300_400);
        assert_eq!(brazil.day_of(1_541_300_399), day - 1);
    }
}
