//! When a job is due. croner finds the next instant of a cron expression in an IANA zone; the offset is looked up
//! anew each time, so daylight saving moves no job.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A five-field cron expression.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// Minute, hour, day of the month, month, weekday.
    pub fn parse(text: &str) -> Result<Schedule> {
        let cron = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(text)?;
        Ok(Schedule {
            text: text.into(),
            cron,
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The next instant after `now` (Unix seconds) at which `schedule` is due in `zone`; None = never again.
pub fn next_run(schedule: &Schedule, zone: Tz, now: i64) -> Option<DateTime<Tz>> {
    let now = DateTime::<Utc>::from_timestamp(now, 0)?.with_timezone(&zone);
    schedule.cron.find_next_occurrence(&now, false).ok()
}

/// The last second of a local day written 'YYYY-MM-DD'.
pub fn end_of_day(day: &str, zone: Tz) -> Result<i64> {
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d")
        .with_context(|| format!("{day:?} is no day; YYYY-MM-DD was expected"))?;
    let next = day
        .checked_add_days(Days::new(1))
        .context("that day is too far away")?;
    // Midnight may not exist (a zone that springs forward at 00:00): then the day ends where the gap does.
    for minutes in (0..=180).step_by(15) {
        let time = next.and_time(NaiveTime::MIN) + chrono::TimeDelta::minutes(minutes);
        if let Some(begin) = zone.from_local_datetime(&time).earliest() {
            return Ok(begin.timestamp() - 1);
        }
    }
    bail!("{day} has no end in {zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_instants_follow_the_zone_through_the_year() {
        let nightly = Schedule::parse("30 2 * * *").unwrap();
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let winter = DateTime::parse_from_rfc3339("2026-01-10T12:00:00Z")
            .unwrap()
            .timestamp();
        let summer = DateTime::parse_from_rfc3339("2026-07-10T12:00:00Z")
            .unwrap()
            .timestamp();
        assert_eq!(
            next_run(&nightly, berlin, winter).unwrap().to_rfc3339(),
            "2026-01-11T02:30:00+01:00"
        );
        assert_eq!(
            next_run(&nightly, berlin, summer).unwrap().to_rfc3339(),
            "2026-07-11T02:30:00+02:00"
        );
        assert!(Schedule::parse("0 30 2 * * *").is_err());
        assert!(Schedule::parse("every night").is_err());
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        let end = |day, zone: &str| end_of_day(day, zone.parse().unwrap()).unwrap();
        assert_eq!(end("1970-01-01", "UTC"), 86_399);
        assert_eq!(
            end("2026-03-29", "Europe/Berlin") - end("2026-03-28", "Europe/Berlin"),
            23 * 3600
        );
        // Chile springs forward at midnight: 2026-09-06 begins at 01:00.
        assert_eq!(
            end("2026-09-06", "America/Santiago") - end("2026-09-05", "America/Santiago"),
            23 * 3600
        );
        assert!(end_of_day("06/07/2026", chrono_tz::UTC).is_err());
    }
}
