//! Times and days as files write them.
//!
//! An instant is Unix seconds in UTC, between 0 and 9999999999 (2286-11-20). Text is either such a number or
//! ISO 8601: `2011-12-09`, `2011-12-09 12:50`, `2011-12-09T12:50:00.250Z`, `2011-12-09T12:50:00+08:00`. Without
//! an offset it is a local time of the shop. A local time that does not exist (the clocks jumped over it)
//! means the end of the jump; one that happened twice means the first. Fractions of a second are cut.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// The last instant a column of times holds.
pub const LAST_INSTANT: i64 = 9_999_999_999;

/// Why a time was refused, as the rest of a sentence that begins with the column's name.
pub type Fault = &'static str;

const NOT_A_TIME: Fault = "not a time; write Unix seconds or ISO 8601, 2026-11-23 or 2026-11-23T08:30:00Z";
const NOT_A_DAY: Fault = "not a day; write YYYY-MM-DD";
const TOO_EARLY: Fault = "before 1970";
const TOO_LATE: Fault = "after 2286-11-20, the last time that is stored";

/// Checks Unix seconds, and names what a number that is too large looks like.
pub fn instant_of_number(seconds: i64) -> Result<i64, Fault> {
    match seconds {
        0..=LAST_INSTANT => Ok(seconds),
        ..0 => Err(TOO_EARLY),
        10_000_000_000..=9_999_999_999_999 => Err("looks like milliseconds: divide by 1000"),
        10_000_000_000_000..=9_999_999_999_999_999 => Err("looks like microseconds: divide by 1000000"),
        _ => Err("looks like nanoseconds: divide by 1000000000"),
    }
}

/// Reads an instant from text.
pub fn instant_of_text(text: &str, zone: Tz) -> Result<i64, Fault> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return match text.parse() {
            Ok(seconds) => instant_of_number(seconds),
            Err(_) => Err(NOT_A_TIME),
        };
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && !whole.is_empty()
        && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return instant_of_number(whole.parse().map_err(|_| NOT_A_TIME)?);
    }
    let (local, offset) = iso(bytes)?;
    let seconds = match offset {
        Some(offset) => local.and_utc().timestamp() - i64::from(offset),
        None => instant_of_local(local, zone),
    };
    match seconds {
        0..=LAST_INSTANT => Ok(seconds),
        ..0 => Err(TOO_EARLY),
        _ => Err(TOO_LATE),
    }
}

/// The instant of a local time: the first of two, the end of a gap.
pub fn instant_of_local(local: NaiveDateTime, zone: Tz) -> i64 {
    if zone == Tz::UTC {
        return local.and_utc().timestamp();
    }
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp(),
        LocalResult::None => end_of_gap(local, zone),
    }
}

/// The instant at which the clocks jumped over `local`: offsets changed there, so it lies between two instants
/// a day apart on either side, and halving the span finds it.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> i64 {
    let offset_at = |at: i64| {
        DateTime::from_timestamp(at, 0).map_or(0, |utc| {
            use chrono::Offset;
            i64::from(
                zone.offset_from_utc_datetime(&utc.naive_utc())
                    .fix()
                    .local_minus_utc(),
            )
        })
    };
    let middle = local.and_utc().timestamp();
    // Before the jump a clock with the old offset had not yet shown `local`; after it the new one is past it.
    let (mut before, mut after) = (middle - 2 * 86_400, middle + 2 * 86_400);
    while after - before > 1 {
        let at = before + (after - before) / 2;
        if at + offset_at(at) < middle {
            before = at
        } else {
            after = at
        }
    }
    after
}

/// Reads a calendar day from text: `YYYY-MM-DD`, also with a time of midnight behind it.
pub fn day_of_text(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    let (day, rest) = (text.get(..10).ok_or(NOT_A_DAY)?, &text[10..]);
    let date = date(day.as_bytes()).ok_or(NOT_A_DAY)?;
    if !matches!(
        rest,
        "" | "T00:00:00" | " 00:00:00" | "T00:00" | " 00:00" | "T00:00:00Z"
    ) {
        return Err("a day has no time of day; write YYYY-MM-DD");
    }
    let first = NaiveDate::from_ymd_opt(1970, 1, 1).ok_or(NOT_A_DAY)?;
    let last = first
        .checked_add_days(Days::new((LAST_INSTANT / 86_400) as u64))
        .ok_or(NOT_A_DAY)?;
    match date {
        date if date < first => Err(TOO_EARLY),
        date if date > last => Err(TOO_LATE),
        _ => Ok(day),
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |sum, b| {
        b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
    })
}

fn date(day: &[u8]) -> Option<NaiveDate> {
    if day.len() != 10 || day[4] != b'-' || day[7] != b'-' {
        return None;
    }
    NaiveDate::from_ymd_opt(number(&day[..4])? as i32, number(&day[5..7])?, number(&day[8..])?)
}

/// Date and time of day, with the offset from UTC in seconds when the text has one.
fn iso(text: &[u8]) -> Result<(NaiveDateTime, Option<i32>), Fault> {
    let day = text.get(..10).and_then(date).ok_or(NOT_A_TIME)?;
    let mut rest = &text[10..];
    if rest.is_empty() {
        return Ok((day.and_time(NaiveTime::MIN), None));
    }
    if !matches!(rest[0], b'T' | b't' | b' ') || rest.len() < 6 || rest[3] != b':' {
        return Err(NOT_A_TIME);
    }
    let hour = number(&rest[1..3]).ok_or(NOT_A_TIME)?;
    let minute = number(&rest[4..6]).ok_or(NOT_A_TIME)?;
    let mut second = 0;
    rest = &rest[6..];
    if let [b':', tens, ones, ..] = rest {
        second = number(&[*tens, *ones]).ok_or(NOT_A_TIME)?;
        rest = &rest[3..];
        if let [b'.' | b',', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return Err(NOT_A_TIME);
            }
            rest = &fraction[digits..];
        }
    }
    // A leap second is written 23:59:60; Unix time counts it as the next minute's first.
    let leap = i64::from(second == 60);
    let time = NaiveTime::from_hms_opt(hour, minute, second - leap as u32).ok_or(NOT_A_TIME)?;
    let local = day
        .and_time(time)
        .checked_add_signed(TimeDelta::seconds(leap))
        .ok_or(NOT_A_TIME)?;
    Ok((local, offset(rest.trim_ascii_start())?))
}

fn offset(text: &[u8]) -> Result<Option<i32>, Fault> {
    let sign = match text {
        [] => return Ok(None),
        b"Z" | b"z" | b"UTC" => return Ok(Some(0)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return Err(NOT_A_TIME),
    };
    let (hours, minutes) = match &text[1..] {
        [a, b] => (number(&[*a, *b]), Some(0)),
        [a, b, c, d] | [a, b, b':', c, d] => (number(&[*a, *b]), number(&[*c, *d])),
        _ => return Err(NOT_A_TIME),
    };
    match (hours, minutes) {
        (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => {
            Ok(Some(sign * (hours * 3600 + minutes * 60) as i32))
        }
        _ => Err(NOT_A_TIME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Result<i64, Fault> {
        instant_of_text(text, Tz::UTC)
    }

    #[test]
    fn seconds_and_iso_agree() {
        // date -u -d '2011-12-09 12:50:00' +%s
        for text in [
            "1323435000",
            "1323435000.75",
            "2011-12-09 12:50",
            "2011-12-09T12:50:00",
            "2011-12-09t12:50:00.999z",
            "2011-12-09T20:50:00+08:00",
            "2011-12-09 07:20:00 -0530",
            "2011-12-09T14:50:00+02",
            " 2011-12-09 12:50:00 UTC ",
        ] {
            assert_eq!(utc(text), Ok(1_323_435_000), "{text}");
        }
        assert_eq!(utc("1970-01-01"), Ok(0));
        assert_eq!(utc("2286-11-20T17:46:39Z"), Ok(LAST_INSTANT));
        assert_eq!(utc("2016-12-31T23:59:60Z"), utc("2017-01-01T00:00:00Z"));
    }

    #[test]
    fn what_cannot_be_a_time_is_named() {
        assert_eq!(
            utc("1323435000000"),
            Err("looks like milliseconds: divide by 1000")
        );
        assert_eq!(
            utc("1323435000000000"),
            Err("looks like microseconds: divide by 1000000")
        );
        assert_eq!(
            utc("1323435000000000000"),
            Err("looks like nanoseconds: divide by 1000000000")
        );
        assert_eq!(utc("-1"), Err(TOO_EARLY));
        assert_eq!(utc("0000-01-01"), Err(TOO_EARLY));
        assert_eq!(utc("0000-00-00 00:00:00"), Err(NOT_A_TIME));
        assert_eq!(utc("9999-12-31"), Err(TOO_LATE));
        assert_eq!(utc("2286-11-20T17:46:40Z"), Err(TOO_LATE));
        for text in [
            "",
            "yesterday",
            "2011-13-01",
            "2011-02-29",
            "2011-12-09T",
            "2011-12-09T25:00",
            "2011-12-09T12:50:00+99",
        ] {
            assert_eq!(utc(text), Err(NOT_A_TIME), "{text}");
        }
        for text in [
            "2011-12-09T12:50:00.",
            "2011-12-09T12:60",
            "09/12/2011",
            "99999999999999999999",
            "2011–12–09",
        ] {
            assert_eq!(utc(text), Err(NOT_A_TIME), "{text}");
        }
    }

    #[test]
    fn local_times_follow_the_shop() {
        let berlin = |text| instant_of_text(text, Tz::Europe__Berlin);
        assert_eq!(berlin("2026-07-01 12:00"), utc("2026-07-01 10:00"));
        assert_eq!(berlin("2026-07-01 12:00Z"), utc("2026-07-01 12:00"));
        // 2026-03-29: 02:00 to 03:00 does not exist; its end is 01:00 UTC.
        for text in [
            "2026-03-29 02:00",
            "2026-03-29 02:30",
            "2026-03-29 02:59:59",
            "2026-03-29 03:00",
        ] {
            assert_eq!(berlin(text), utc("2026-03-29 01:00"), "{text}");
        }
        // 2026-10-25: 02:30 happens twice; the first is summer time.
        assert_eq!(berlin("2026-10-25 02:30"), utc("2026-10-25 00:30"));
        // Samoa had no 2011-12-30; the gap ends where the 31st begins, at 10:00 UTC on the 30th.
        assert_eq!(
            instant_of_text("2011-12-30 15:00", Tz::Pacific__Apia),
            utc("2011-12-30 10:00")
        );
    }

    #[test]
    fn days() {
        assert_eq!(day_of_text(" 2026-11-23 "), Ok("2026-11-23"));
        assert_eq!(day_of_text("2026-11-23T00:00:00"), Ok("2026-11-23"));
        assert!(day_of_text("2026-11-23T08:00:00").is_err());
        assert_eq!(day_of_text("9999-12-31"), Err(TOO_LATE));
        assert_eq!(day_of_text("0000-01-01"), Err(TOO_EARLY));
        assert_eq!(day_of_text("2026-2-3"), Err(NOT_A_DAY));
        assert_eq!(day_of_text("日日日日日日"), Err(NOT_A_DAY));
    }
}
