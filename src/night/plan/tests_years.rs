//! The planner over years of nights.

use super::tests::{DAY, HOUR, NOON, World};
use super::*;
use crate::store::RunStatus;
use chrono_tz::Europe::Berlin;

/// Years of nights: no turn is lost or repeated, and neither the book nor the file grows for ever.
fn years(years: i64) {
    let mut world = World::new(&[]);
    world.listing = super::super::job::defaults();
    world.listing.jobs.retain(|job| job.name != "search"); // 35,000 turns a year of the same
    let jobs = world.listing.jobs.len();
    let (mut now, end) = (NOON, NOON + years * 365 * DAY + 12 * HOUR);
    world.look(now);
    let (mut begun, mut size_after_two) = (0, 0);
    while now < end {
        now = world
            .listing
            .jobs
            .iter()
            .filter_map(|job| schedule::next_run(&job.schedule, Berlin, now))
            .map(|due| due.timestamp())
            .min()
            .unwrap();
        begun += world.work(now, RunStatus::Done);
        world.ran.clear();
        if begun % (jobs * 30) == 0 {
            world.shop.prune_runs(now - 400 * DAY).unwrap();
            world.shop.checkpoint().unwrap();
        }
        if size_after_two == 0 && now > NOON + 2 * 365 * DAY {
            size_after_two = world.shop.size();
        }
    }
    let wanted: i64 = world
        .listing
        .jobs
        .iter()
        .map(|job| {
            let turns = std::iter::successors(Some(NOON), |at| {
                Some(schedule::next_run(&job.schedule, Berlin, *at)?.timestamp())
            });
            turns.skip(1).take_while(|at| *at <= now).count() as i64
        })
        .sum();
    assert_eq!(begun as i64, wanted, "turns of {years} years");
    let kept = world.shop.select("SELECT count(*) FROM runs", &[]).unwrap();
    let crate::store::Value::Integer(kept) = kept.rows[0][0] else {
        panic!("no number")
    };
    assert!(kept <= (jobs * 432) as i64, "{kept} runs kept");
    if years > 2 {
        let size = world.shop.size();
        assert!(
            size <= size_after_two + size_after_two / 10,
            "{size_after_two} grew to {size}"
        );
    }
}

#[test]
fn two_years_of_nights() {
    years(2);
}

/// `just soak`.
#[test]
#[ignore = "minutes"]
fn thirty_years_of_nights() {
    years(30);
}
