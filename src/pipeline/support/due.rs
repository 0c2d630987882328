//! When the first answer to a ticket is due: so many hours after it came, counted while somebody works.
//!
//! `settings.working_hours` is `09:00-17:00`, or with days before it `Mon-Fri 09:00-17:00`, `Mon,Wed,Sat 10:00-14:00`; an
//! end before the beginning is the next day's. Hours are those of the clock on the wall in the shop's zone, so a day when
//! clocks change is an hour shorter or longer where the change falls into working hours.

use anyhow::{Result, bail};
use chrono::{Datelike, Days, NaiveDate, TimeZone};
use chrono_tz::Tz;

/// Working hours in a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    zone: Tz,
    /// Minutes after midnight and days from Monday on; none = around the clock.
    hours: Option<(u32, u32, [bool; 7])>,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Days looked through; what is not due by then is counted around the clock.
const FARTHEST: u64 = 3660;

impl Clock {
    /// # Errors
    /// Working hours that cannot be read.
    pub(super) fn new(zone: Tz, hours: Option<&str>) -> Result<Clock> {
        let hours = match hours.map(str::trim).filter(|hours| !hours.is_empty()) {
            None => None,
            Some(text) => match parse(text) {
                Some(hours) => Some(hours),
                None => bail!(
                    "settings: working_hours is {text:?}; '09:00-17:00' or 'Mon-Fri 09:00-17:00' was expected"
                ),
            },
        };
        Ok(Clock { zone, hours })
    }

    /// The instant `hours` of working time after `from`.
    pub(super) fn due(&self, from: i64, hours: f64) -> i64 {
        let mut left = (hours.max(0.0) * 3600.0).round() as i64;
        let Some((open, close, days)) = self.hours else {
            return from + left;
        };
        let Some(today) = self
            .zone
            .timestamp_opt(from, 0)
            .single()
            .map(|at| at.date_naive())
        else {
            return from + left;
        };
        // From yesterday on: its night shift may still run.
        for ahead in 0..FARTHEST {
            let Some(day) = today
                .pred_opt()
                .and_then(|day| day.checked_add_days(Days::new(ahead)))
            else {
                break;
            };
            if !days[day.weekday().num_days_from_monday() as usize] {
                continue;
            }
            let end = if close > open { Some(day) } else { day.succ_opt() };
            let (Some(begin), Some(end)) = (self.at(day, open), end.and_then(|day| self.at(day, close)))
            else {
                continue;
            };
            let begin = begin.max(from);
            if begin > end || (begin == end && left > 0) {
                continue;
            }
            if left <= end - begin {
                return begin + left;
            }
            left -= end - begin;
        }
        from + left
    }

    /// The instant of a wall clock's time; the next that exists where clocks jump over it, the first of two.
    fn at(&self, day: NaiveDate, minutes: u32) -> Option<i64> {
        let (day, minutes) = if minutes == 24 * 60 {
            (day.succ_opt()?, 0)
        } else {
            (day, minutes)
        };
        (0..=12).find_map(|quarter| {
            let minutes = minutes + quarter * 15;
            let (day, minutes) = if minutes >= 24 * 60 {
                (day.succ_opt()?, minutes - 24 * 60)
            } else {
                (day, minutes)
            };
            let local = day.and_hms_opt(minutes / 60, minutes % 60, 0)?;
            Some(self.zone.from_local_datetime(&local).earliest()?.timestamp())
        })
    }
}

fn parse(text: &str) -> Option<(u32, u32, [bool; 7])> {
    let (days, hours) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
    let minutes = |time: &str| {
        let (hour, minute) = time.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
    };
    let (open, close) = hours.split_once(['-', '–'])?;
    let (open, close) = (minutes(open)?, minutes(close)?);
    if open == close || open == 24 * 60 {
        return None;
    }
    let mut works = [days.trim().is_empty(); 7];
    for part in days.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let day = |name: &str| {
            let name = name.trim().to_lowercase();
            DAYS.iter().position(|day| name.starts_with(day))
        };
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                let length = (last + 7 - first) % 7;
                (0..=length).for_each(|ahead| works[(first + ahead) % 7] = true);
            }
            None => works[day(part)?] = true,
        }
    }
    Some((open, close, works))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: Tz, text: &str) -> i64 {
        let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        zone.from_local_datetime(&naive).earliest().unwrap().timestamp()
    }

    #[test]
    fn hours_are_counted_while_somebody_works() {
        let zone = chrono_tz::Europe::Berlin;
        for (hours, from, wanted, due) in [
            (None, "2025-11-07 16:00", 8.0, "2025-11-08 00:00"),
            (Some("09:00-17:00"), "2025-11-07 16:00", 2.0, "2025-11-08 10:00"),
            (Some("09:00-17:00"), "2025-11-07 03:00", 2.0, "2025-11-07 11:00"),
            (Some("09:00-17:00"), "2025-11-07 16:00", 1.0, "2025-11-07 17:00"),
            (Some("09:00-17:00"), "2025-11-07 18:00", 0.0, "2025-11-08 09:00"),
            (Some("09:00-17:00"), "2025-11-07 09:00", 24.0, "2025-11-09 17:00"),
            // 2025-11-07 is a Friday.
            (
                Some("Mon-Fri 09:00-17:00"),
                "2025-11-07 16:00",
                2.0,
                "2025-11-10 10:00",
            ),
            (
                Some("mon, Sat 09:00-17:00"),
                "2025-11-07 16:00",
                9.0,
                "2025-11-10 10:00",
            ),
            (
                Some("Sat-Mon 00:00-24:00"),
                "2025-11-07 16:00",
                25.0,
                "2025-11-09 01:00",
            ),
            (Some("22:00-06:00"), "2025-11-07 01:00", 6.0, "2025-11-07 23:00"),
            // Clocks go forward at two on 2025-03-30 and back at three on 2025-10-26: from one to four are two and four hours.
            (Some("01:00-04:00"), "2025-03-30 00:00", 3.0, "2025-03-31 02:00"),
            (Some("01:00-05:00"), "2025-10-26 00:00", 4.0, "2025-10-26 04:00"),
        ] {
            let clock = Clock::new(zone, hours).unwrap();
            assert_eq!(
                clock.due(at(zone, from), wanted),
                at(zone, due),
                "{hours:?} {from} {wanted}"
            );
        }
        // Half past two does not exist on the day the clocks go forward: work begins at three.
        let clock = Clock::new(zone, Some("02:30-10:00")).unwrap();
        assert_eq!(
            clock.due(at(zone, "2025-03-30 00:00"), 1.0),
            at(zone, "2025-03-30 04:00")
        );
    }

    #[test]
    fn hours_nobody_can_read_are_refused_by_name() {
        for wrong in [
            "9 to 5",
            "09:00",
            "09:00-09:00",
            "25:00-26:00",
            "Moonday 09:00-17:00",
            "09:60-17:00",
        ] {
            let error = Clock::new(chrono_tz::UTC, Some(wrong)).unwrap_err().to_string();
            assert!(
                error.contains("working_hours") && error.contains(wrong),
                "{error}"
            );
        }
        assert!(Clock::new(chrono_tz::UTC, Some(" ")).is_ok());
    }
}
