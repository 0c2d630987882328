//! Instants against a table made without croner: every minute of UTC around a change was looked up on the zone's clock
//! (Python's zoneinfo) and matched field by field.

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
    let never = Schedule::parse("0 0 30 2 *");
    assert!(never.is_err() || next_run(&never.unwrap(), berlin, winter).is_none());
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

/// All instants after `from` up to `to`.
fn due(schedule: &Schedule, zone: Tz, from: i64, to: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut now = from;
    while let Some(next) = next_run(schedule, zone, now)
        .map(|t| t.timestamp())
        .filter(|t| *t <= to)
    {
        assert!(next > now, "time goes on");
        found.push(next);
        now = next;
    }
    found
}

#[test]
fn clocks_are_put_forward_and_back_in_eight_zones() {
    let mut cases = 0;
    for line in include_str!("dst.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [zone, pattern, from, to, minutes, change] = fields[..] else {
            panic!("{line}")
        };
        let number = |text: &str| text.parse::<i64>().unwrap();
        let expected: Vec<i64> = minutes
            .split_whitespace()
            .map(|m| number(change) + 60 * number(m))
            .collect();
        let schedule = Schedule::parse(pattern).unwrap();
        let zone: Tz = zone.parse().unwrap();
        let (from, to) = (number(from), number(to));
        assert_eq!(due(&schedule, zone, from, to), expected, "{line}");
        // Asked from every minute in between, the answer is the next of the table: never one in the past, never twice.
        for now in (from..to).step_by(60) {
            let next = next_run(&schedule, zone, now)
                .map(|t| t.timestamp())
                .filter(|t| *t <= to);
            assert_eq!(
                next,
                expected.iter().copied().find(|t| *t > now),
                "{line} from {now}"
            );
        }
        cases += 1;
    }
    assert_eq!(cases, 8 * 2 * 12);
}

#[test]
fn a_day_a_zone_left_out_has_no_nights() {
    // Samoa went from 29 to 31 December 2011.
    let apia: Tz = "Pacific/Apia".parse().unwrap();
    let nightly = Schedule::parse("30 2 * * *").unwrap();
    let from = apia.with_ymd_and_hms(2011, 12, 28, 12, 0, 0).unwrap().timestamp();
    let days: Vec<String> = due(&nightly, apia, from, from + 4 * 86_400)
        .into_iter()
        .map(|t| {
            DateTime::from_timestamp(t, 0)
                .unwrap()
                .with_timezone(&apia)
                .format("%d %H:%M")
                .to_string()
        })
        .collect();
    assert_eq!(days, ["29 02:30", "31 02:30", "01 02:30", "02 02:30"]);
}

#[test]
fn names_stand_for_patterns() {
    for (name, pattern) in [
        ("@daily", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@weekly", "0 0 * * 0"),
    ] {
        let (name, pattern) = (Schedule::parse(name).unwrap(), Schedule::parse(pattern).unwrap());
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let autumn = 1_792_800_000; // two days before the clocks go back
        assert_eq!(
            due(&name, berlin, autumn, autumn + 5 * 86_400),
            due(&pattern, berlin, autumn, autumn + 5 * 86_400)
        );
    }
}
