//! The planner under a clock that tests move, on a real book.

use super::super::job::parse;
use super::*;
use crate::store::clock::testing::set_clock;
use crate::store::{Run, RunStatus};
use chrono_tz::Europe::Berlin;
use std::collections::BTreeMap;

/// A shop, its jobs, and what ran when.
pub(super) struct World {
    _dir: tempfile::TempDir,
    pub(super) shop: Shop,
    pub(super) listing: Listing,
    now: i64,
    /// (job, turn) with the instants at which a run of it began.
    pub(super) ran: BTreeMap<(String, Option<i64>), Vec<i64>>,
}

const JOB: &str = "kind = \"prices\"\nschedule = \"30 1 * * *\"\n";
/// 2026-03-01 12:00 UTC.
pub(super) const NOON: i64 = 1_772_366_400;
pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 86_400;

fn job(name: &str, text: &str) -> Job {
    parse(name, name, text).unwrap()
}

impl World {
    pub(super) fn new(jobs: &[(&str, &str)]) -> World {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let listing = Listing {
            jobs: jobs.iter().map(|(name, text)| job(name, text)).collect(),
            bad: Vec::new(),
        };
        let mut world = World {
            _dir: dir,
            shop,
            listing,
            now: NOON,
            ran: BTreeMap::new(),
        };
        world.look(NOON);
        world
    }

    /// The planner looks at the clock.
    pub(super) fn look(&mut self, now: i64) -> Decided {
        self.now = now;
        set_clock(Some(now));
        decide(&self.shop, &self.listing, Berlin, &BTreeSet::new(), now).unwrap()
    }

    /// And everything that is queued runs at once, ending as `status`.
    pub(super) fn work(&mut self, now: i64, status: RunStatus) -> usize {
        self.look(now);
        let mut begun = 0;
        while let Some(run) = self.next(&BTreeSet::new()) {
            assert!(self.shop.start_run(Run { run_id: run.run_id }).unwrap());
            self.shop
                .end_run(Run { run_id: run.run_id }, status, None, "as told")
                .unwrap();
            self.ran.entry((run.job, run.scheduled_at)).or_default().push(now);
            begun += 1;
        }
        begun
    }

    /// The run to begin next, with a seat free.
    fn next(&self, busy: &BTreeSet<String>) -> Option<Queued> {
        let unfinished = unfinished(&self.shop, &self.listing, Berlin, self.now).unwrap();
        let room = Room {
            busy,
            unfinished: &unfinished,
            has_seat: true,
            zone: Berlin,
            now: self.now,
        };
        next(&self.shop.queue().unwrap(), &self.listing, &room)
    }

    fn statuses(&self, job: &str) -> Vec<String> {
        let found = self
            .shop
            .select(
                "SELECT status || ' ' || attempt FROM runs WHERE job = ?1 ORDER BY run_id",
                &[job],
            )
            .unwrap();
        found
            .rows
            .iter()
            .map(|row| match &row[0] {
                crate::store::Value::Text(text) => text.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[test]
fn a_job_runs_once_at_its_time_however_often_somebody_looks() {
    let mut world = World::new(&[("prices", JOB)]);
    let due = NOON + 12 * HOUR + HOUR / 2; // 01:30 in Berlin
    assert_eq!(world.work(due - 1, RunStatus::Done), 0);
    for late in [0, 0, 1, 30, 3000] {
        world.work(due + late, RunStatus::Done);
    }
    assert_eq!(
        world.ran,
        BTreeMap::from([(("prices".to_owned(), Some(due)), vec![due])])
    );
    assert_eq!(world.work(due + DAY, RunStatus::Done), 1);
}

#[test]
fn what_was_missed_is_made_up_for_once_and_only_within_its_grace() {
    for (days, begins) in [(0, 1), (1, 1), (30, 1)] {
        let mut world = World::new(&[("prices", JOB)]);
        let back = NOON + 16 * HOUR + days * DAY; // 05:00 in Berlin, three and a half hours late
        assert_eq!(world.work(back, RunStatus::Done), begins, "off for {days} days");
        assert_eq!(world.work(back + 1, RunStatus::Done), 0);
    }
    // Too late: the book says so.
    let mut world = World::new(&[("prices", &format!("{JOB}grace = \"2h\""))]);
    let decided = world.look(NOON + 16 * HOUR + 30 * DAY);
    assert_eq!(
        decided.skipped,
        [(
            "prices".to_owned(),
            "missed by 4 h, longer than `grace`".to_owned() // summer has begun
        )]
    );
    assert_eq!(world.statuses("prices"), ["skipped 1"]);
    let mut world = World::new(&[("prices", &format!("{JOB}catch_up = \"no\""))]);
    assert_eq!(world.look(NOON + 13 * HOUR).skipped.len(), 1);
    assert_eq!(
        world.work(NOON + DAY + 12 * HOUR + HOUR / 2 + 5, RunStatus::Done),
        1,
        "punctual"
    );
}

#[test]
fn a_clock_that_jumps_neither_repeats_a_run_nor_silences_a_job() {
    for jump in [60, HOUR, 8 * HOUR, DAY] {
        for sign in [1, -1] {
            let minutely = "kind = \"search\"\nschedule = \"* * * * *\"\n";
            let mut world = World::new(&[("minutely", minutely), ("prices", JOB)]);
            // Four hours in steps of 30 s; for ten minutes of them, over the night's turn, the clock is wrong.
            let wrong = NOON + 12 * HOUR + 25 * 60..NOON + 12 * HOUR + 35 * 60;
            let mut worked: Vec<i64> = Vec::new();
            for now in (NOON + 11 * HOUR..NOON + 15 * HOUR).step_by(30) {
                let seen = if wrong.contains(&now) {
                    now + sign * jump
                } else {
                    now
                };
                let before = world.ran.values().map(Vec::len).sum::<usize>();
                world.work(seen, RunStatus::Done);
                if world.ran.values().map(Vec::len).sum::<usize>() > before {
                    worked.push(now);
                }
            }
            for ((job, turn), runs) in world.ran.iter().filter(|((job, _), _)| job == "prices") {
                assert_eq!(runs.len(), 1, "{job} at {turn:?} with a jump of {}", sign * jump);
            }
            let longest = worked.windows(2).map(|w| w[1] - w[0]).max().unwrap();
            assert!(
                longest <= 120,
                "silent for {longest} s with a jump of {}",
                sign * jump
            );
            let nights = world.ran.keys().filter(|(job, _)| job == "prices").count();
            assert!((1..=2).contains(&nights), "{nights} nights with {}", sign * jump);
        }
    }
}

#[test]
fn a_failure_is_tried_again_after_a_pause_that_doubles() {
    let mut world = World::new(&[("prices", &format!("{JOB}retries = 3"))]);
    let due = NOON + 12 * HOUR + HOUR / 2;
    let mut began = Vec::new();
    for now in (due..due + 4 * HOUR).step_by(5) {
        if world.work(now, RunStatus::Failed) > 0 {
            began.push(now - due);
        }
    }
    assert_eq!(
        world.statuses("prices"),
        ["failed 1", "failed 2", "failed 3", "failed 4"]
    );
    let pauses: Vec<i64> = began.windows(2).map(|w| w[1] - w[0]).collect();
    for (pause, least) in pauses.iter().zip([60, 120, 240]) {
        assert!((least..=least + least / 4 + 5).contains(pause), "{pauses:?}");
    }
    assert_eq!(
        world.work(due + DAY, RunStatus::Done),
        1,
        "the next night begins anew"
    );
    // The longest pause is an hour.
    assert!(pause(60, 1) <= 4500);
}

#[test]
fn what_was_interrupted_goes_on_but_not_for_ever() {
    let mut world = World::new(&[("prices", JOB)]); // one retry
    let due = NOON + 12 * HOUR + HOUR / 2;
    let began: usize = (0..20).map(|i| world.work(due + i, RunStatus::Interrupted)).sum();
    assert_eq!(began, 5);
    // What was interrupted has not failed: its retry is left.
    let mut world = World::new(&[("prices", JOB)]);
    assert_eq!(world.work(due, RunStatus::Interrupted), 1);
    assert_eq!(world.work(due + 1, RunStatus::Failed), 1);
    assert_eq!(world.work(due + 200, RunStatus::Failed), 1);
    assert_eq!(world.work(due + 900, RunStatus::Failed), 0);
    let mut world = World::new(&[("prices", JOB)]);
    assert_eq!(world.work(due, RunStatus::Interrupted), 1);
    assert_eq!(world.work(due + 1, RunStatus::Done), 1);
    assert_eq!(world.work(due + 2, RunStatus::Done), 0);
}

#[test]
fn one_at_a_time_and_the_book_says_what_was_left_out() {
    let mut world = World::new(&[("minutely", "kind = \"prices\"\nschedule = \"* * * * *\"\n")]);
    let busy = BTreeSet::from(["minutely".to_owned()]);
    let decided = decide(&world.shop, &world.listing, Berlin, &busy, NOON + 60).unwrap();
    assert_eq!(decided.queued, Vec::<String>::new());
    assert_eq!(decided.skipped[0].1, "the run before it had not ended");
    // Waiting counts as well.
    assert_eq!(world.look(NOON + 120).queued, ["minutely"]);
    assert_eq!(world.look(NOON + 180).queued, Vec::<String>::new());
    assert_eq!(world.statuses("minutely"), ["skipped 1", "queued 1", "skipped 1"]);
}

#[test]
fn nothing_begins_outside_its_window() {
    let text = "kind = \"prices\"\nschedule = \"0 23 * * *\"\nwindow = \"01:00-06:00\"\ncatch_up = \"no\"\n";
    let mut world = World::new(&[("prices", text)]);
    let opens = NOON + 12 * HOUR; // 01:00 in Berlin
    for before in [7200, 3600, 1] {
        assert_eq!(world.work(opens - before, RunStatus::Done), 0);
    }
    assert_eq!(
        world.work(opens, RunStatus::Done),
        1,
        "two hours after its turn, but punctual"
    );
    // Found only after the window closed: it waits for the next one, and is then too late.
    let text = "kind = \"prices\"\nschedule = \"30 1 * * *\"\nwindow = \"01:00-06:00\"\n";
    let mut world = World::new(&[("prices", text)]);
    assert_eq!(world.look(NOON + 18 * HOUR), Decided::default());
    assert_eq!(world.look(NOON + 26 * HOUR).skipped.len(), 1);
    // Over midnight.
    let at = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    for (time, inside) in [
        ("23:00", true),
        ("02:00", true),
        ("04:00", false),
        ("12:00", false),
    ] {
        assert_eq!(within(at(time), at("22:00"), at("04:00")), inside, "{time}");
    }
}

#[test]
fn a_job_waits_for_its_forerunner_and_a_new_pattern_begins_now() {
    let second = "kind = \"support\"\nschedule = \"0 1 * * *\"\nafter = \"prices\"\n";
    let mut world = World::new(&[("prices", JOB), ("early", second)]);
    world.look(NOON + 13 * HOUR); // both are due; early's turn is the earlier one
    let nobody = BTreeSet::new();
    let first = world.next(&nobody).unwrap();
    assert_eq!(first.job, "prices");
    // While the first fails and is to be tried again, the second waits; when it is final, it does not.
    let run = Run { run_id: first.run_id };
    assert!(world.shop.start_run(run).unwrap());
    assert_eq!(world.next(&BTreeSet::from(["prices".to_owned()])), None);
    world
        .shop
        .end_run(run, RunStatus::Failed, None, "as told")
        .unwrap();
    assert_eq!(world.next(&nobody), None);
    world.look(NOON + 13 * HOUR + 120);
    let again = world.next(&nobody).unwrap();
    assert_eq!((again.job.as_str(), again.attempt), ("prices", 2));
    let run = Run { run_id: again.run_id };
    assert!(world.shop.start_run(run).unwrap());
    world
        .shop
        .end_run(run, RunStatus::Failed, None, "as told")
        .unwrap();
    assert_eq!(world.next(&nobody).unwrap().job, "early");
    // Another pattern: what it would have missed is not made up for.
    let mut world = World::new(&[("prices", JOB)]);
    world.listing.jobs[0] = job("prices", "kind = \"prices\"\nschedule = \"0 * * * *\"\n");
    assert_eq!(world.look(NOON + 20 * HOUR), Decided::default());
    assert_eq!(world.look(NOON + 21 * HOUR).queued, ["prices"]);
}

#[test]
fn what_waits_for_nothing_is_closed() {
    let mut world = World::new(&[("prices", JOB)]);
    world.look(NOON + 13 * HOUR);
    tidy(&world.shop, &world.listing, NOON + 14 * HOUR).unwrap();
    assert_eq!(world.statuses("prices"), ["queued 1"]);
    tidy(&world.shop, &world.listing, NOON + 40 * HOUR).unwrap();
    assert_eq!(world.statuses("prices"), ["skipped 1"]);
    world.look(NOON + DAY + 13 * HOUR);
    // An erasure is no job's run: it waits for what runs, however long that takes.
    world
        .shop
        .request_runs(&["erase"], Some(r#"{"erase":["u1"]}"#))
        .unwrap();
    for request in world.shop.open_requests().unwrap() {
        world.shop.answer_request(&request, Some("erase"), None).unwrap();
    }
    world.listing.jobs.clear();
    tidy(&world.shop, &world.listing, NOON + DAY + 14 * HOUR).unwrap();
    assert_eq!(world.statuses("prices"), ["skipped 1", "failed 1"]);
    assert_eq!(world.statuses("erase"), ["queued 1"]);
}

#[test]
fn a_dry_run_is_no_night_and_a_job_that_was_off_begins_anew() {
    let mut world = World::new(&[("prices", JOB)]);
    world.shop.request_runs(&["prices"], None).unwrap();
    let request = world.shop.open_requests().unwrap().remove(0);
    world
        .shop
        .answer_request(&request, Some(r#"{"dry_run":true}"#), None)
        .unwrap();
    assert_eq!(
        world.look(NOON + 13 * HOUR).queued,
        ["prices"],
        "the night waits behind it"
    );
    assert_eq!(world.shop.queue().unwrap().len(), 2);
    // Off at its turn, on again hours later: the turn was not missed by mistake.
    let mut world = World::new(&[("prices", JOB)]);
    world.listing.jobs[0].enabled = false;
    world.look(NOON + 13 * HOUR);
    world.listing.jobs[0].enabled = true;
    assert_eq!(world.look(NOON + 16 * HOUR), Decided::default());
    assert_eq!(world.look(NOON + 17 * HOUR), Decided::default());
    // A file that cannot be read for a moment costs no run that waits.
    let mut world = World::new(&[("prices", JOB)]);
    world.look(NOON + 13 * HOUR);
    world.listing.jobs.clear();
    world.listing.bad.push(super::super::job::Bad {
        name: "prices".into(),
        reason: "half of it".into(),
    });
    tidy(&world.shop, &world.listing, NOON + 13 * HOUR).unwrap();
    assert_eq!(world.next(&BTreeSet::new()), None);
    assert_eq!(world.statuses("prices"), ["queued 1"]);
}

#[test]
fn help_is_called_when_no_attempt_is_to_come() {
    let attempt = |failures: i64, scheduled_at: i64| Attempt {
        run_id: 1,
        scheduled_at,
        attempt: failures,
        status: "failed".into(),
        finished_at: Some(NOON),
        failures,
    };
    let nightly = job("nightly", &format!("{JOB}retries = 2"));
    assert!(!is_final(&nightly, Berlin, &attempt(2, NOON - 60), NOON));
    assert!(is_final(&nightly, Berlin, &attempt(3, NOON - 60), NOON));
    assert!(
        is_final(&nightly, Berlin, &attempt(1, NOON - 12 * HOUR), NOON),
        "grace ends first"
    );
    let minutely = job(
        "minutely",
        "kind = \"prices\"\nschedule = \"* * * * *\"\nretries = 2\n",
    );
    assert!(
        is_final(&minutely, Berlin, &attempt(1, NOON), NOON),
        "the next turn comes first"
    );
}
