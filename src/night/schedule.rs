//! When a job is due.
//!
//! A *pattern* is a five-field cron expression, read on the clock of a zone. croner says which minutes of a clock match;
//! which instants those are, when the clock is put forward or back, is decided here:
//!
//! - A pattern of **fixed times** (no `*` in minute or hour) is meant once a day. A time that a clock put forward skips is
//!   due at the end of the gap; a time that a clock put back shows twice is due the first time only.
//! - A **repeating** pattern (`*` or `*/n` in minute or hour) is meant every so often: it goes through both passes of a
//!   repeated hour, and nothing is due in a skipped one.
//!
//! That is the rule of Vixie's cron. Offsets are looked up anew for every instant, so that no job drifts by an hour when
//! summer begins. Two times of one pattern may meet at the end of a gap: one instant, one run.

use anyhow::{Context, Result, bail};
use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A five-field cron expression.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    cron: Cron,
    repeats: bool,
}

impl Schedule {
    /// Minute, hour, day of the month, month, weekday; or `@hourly` and its like.
    pub fn parse(text: &str) -> Result<Schedule> {
        let cron = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(text)?;
        let repeats = match text.trim().strip_prefix('@') {
            Some(name) => name.eq_ignore_ascii_case("hourly"),
            None => text.split_whitespace().take(2).any(|field| field.contains('*')),
        };
        Ok(Schedule {
            text: text.into(),
            cron,
            repeats,
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is meant every so often, not at fixed times of the day.
    pub fn repeats(&self) -> bool {
        self.repeats
    }

    /// Whether no day ever is one of its days: `0 2 30 2 *`.
    pub fn is_never_due(&self) -> bool {
        // croner looks as far as the year 5000. Every date has been every day of the week within 40 years.
        let late = NaiveDate::from_ymd_opt(4950, 1, 1).unwrap_or_default();
        self.times_after(late.into()).next().is_none()
    }

    /// The times after `local` on a clock that is never moved.
    fn times_after(&self, local: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
        std::iter::successors(self.cron.find_next_occurrence(&local, false).ok(), |time| {
            self.cron.find_next_occurrence(time, false).ok()
        })
    }
}

/// The next instant after `now` (Unix seconds) at which `schedule` is due in `zone`; None = never again.
pub fn next_run(schedule: &Schedule, zone: Tz, now: i64) -> Option<DateTime<Tz>> {
    let now = DateTime::<Utc>::from_timestamp(now, 0)?.with_timezone(&zone);
    // Far enough back that a time before a clock change is met again behind it.
    let back = if schedule.repeats { 3 } else { 26 };
    let mut best: Option<DateTime<Tz>> = None;
    for time in schedule.times_after(now.naive_local() - TimeDelta::hours(back)) {
        let (first, second) = instants(time, zone, schedule.repeats);
        for due in [first, second].into_iter().flatten().filter(|due| *due > now) {
            best = Some(best.map_or(due, |best| best.min(due)));
        }
        // First instants never go back, and a second pass is never before the first: nothing earlier is to come.
        if let (Some(best), Some(first)) = (best, first)
            && first >= best
        {
            break;
        }
    }
    best
}

/// The instants at which a clock of `zone` shows `time`, as far as they count.
fn instants(time: NaiveDateTime, zone: Tz, repeats: bool) -> (Option<DateTime<Tz>>, Option<DateTime<Tz>>) {
    match zone.from_local_datetime(&time) {
        MappedLocalTime::Single(due) => (Some(due), None),
        MappedLocalTime::Ambiguous(first, second) => (Some(first), repeats.then_some(second)),
        MappedLocalTime::None if repeats => (None, None),
        MappedLocalTime::None => (end_of_gap(time, zone), None),
    }
}

/// The instant at which a clock that was put forward past `time` goes on. A day that a zone left out altogether has no end:
/// it had no nights either.
fn end_of_gap(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    let end = (1..=24 * 60).find_map(|minutes| {
        zone.from_local_datetime(&(time + TimeDelta::minutes(minutes)))
            .earliest()
    })?;
    let before = (end - TimeDelta::seconds(1)).naive_local();
    (before.date() == time.date() || end.date_naive() == time.date()).then_some(end)
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
        let time = next.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
        if let Some(begin) = zone.from_local_datetime(&time).earliest() {
            return Ok(begin.timestamp() - 1);
        }
    }
    bail!("{day} has no end in {zone}")
}

#[cfg(test)]
mod tests;
