//! What is to be done now, decided from the job files, the book and the clock, and from nothing that a process remembers.
//!
//! A *turn* is an instant at which a job's pattern makes it due; it is decided once ([`Shop::decide`]). Whoever wakes the
//! planner, and how often, changes nothing: a ticker, a timer, a request, a restart after a month. The rules:
//!
//! - Of several turns that passed unseen only the last counts: one catch-up, and none after `grace` or with `catch_up = "no"`.
//! - A job that still runs or waits is not begun a second time: the turn is left out, and the book says so.
//! - Nothing due begins outside `window`; a turn waits for it as long as `grace` allows. What somebody asked for begins.
//! - A failed attempt is made again after a pause that doubles, `retries` times; one that was interrupted, at once.
//! - `after` orders what is due together: a job waits while its forerunner waits or runs.
//!
//! The clock may be wrong. (1) It jumps eight hours ahead, every job runs its catch-up; (2) it is put right; (3) a planner that
//! only remembers "decided until" would stay silent for eight hours. So a mark that lies ahead is put back to now; and because a
//! turn is in the book under its own instant, what was run ahead of time is not run again when its time comes.

use super::job::{CatchUp, Job, Kind, Listing};
use super::requests::is_erasure;
use super::{order, schedule};
use crate::store::{Attempt, Queued, RunStatus, Shop, Turn, Turns};
use anyhow::Result;
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// A turn that is decided this late, in seconds, was missed.
const PUNCTUAL: i64 = 90;
/// A mark this far ahead of the clock, in seconds, tells that the clock was put back.
const PUT_BACK: i64 = 60;
/// How often a turn that a crash or shutdown interrupted is begun again.
const INTERRUPTIONS: i64 = 4;
/// The first pause before another attempt, and the longest, in seconds.
const PAUSE: (i64, i64) = (60, 3600);

/// What a look at the clock decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decided {
    /// Jobs of which a run was queued.
    pub queued: Vec<String>,
    /// Jobs whose turn was left out, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Seconds by which the clock was put back.
    pub put_back: Option<i64>,
}

/// Decides every turn up to `now`. `busy`: jobs of which a plain run is under way (a dry run is no night: the turn waits behind it). `shop_zone` is that of jobs without one.
pub(super) fn decide(
    shop: &Shop,
    listing: &Listing,
    shop_zone: Tz,
    busy: &BTreeSet<String>,
    now: i64,
) -> Result<Decided> {
    let mut decided = Decided::default();
    let turns = shop.turns()?;
    let waiting: BTreeSet<String> = shop
        .queue()?
        .into_iter()
        .filter(|run| run.orders.is_none())
        .map(|run| run.job)
        .collect();
    for job in &listing.jobs {
        if !job.enabled {
            if turns.contains_key(&job.name) {
                shop.forget_turns(&job.name)?; // switched on again it begins then
            }
            continue;
        }
        let zone = job.zone.unwrap_or(shop_zone);
        let schedule = format!("{} {}", job.schedule.as_str(), zone.name());
        let known = turns.get(&job.name).filter(|known| known.schedule == schedule);
        let since = known.map_or(now, |known| known.since.min(now));
        let until = |decided_until: i64| Turns {
            schedule: schedule.clone(),
            decided_until,
            since,
        };
        let mark = match known {
            // New, or another pattern: its turns begin now.
            None => {
                shop.decide(&job.name, &until(now), None)?;
                continue;
            }
            Some(known) if known.decided_until > now => {
                let back = known.decided_until - now;
                let mark = if back > PUT_BACK {
                    decided.put_back = decided.put_back.max(Some(back));
                    if job.schedule.repeats() {
                        shop.free_turns(&job.name, now)?;
                    }
                    // What was left out as too late by the wrong clock may be due after all.
                    (now - job.grace.as_secs() as i64).max(since)
                } else {
                    now
                };
                shop.decide(&job.name, &until(mark), None)?;
                mark
            }
            Some(known) => known.decided_until,
        };
        let is_busy = busy.contains(&job.name) || waiting.contains(&job.name);
        if let Some(turn) = last_turn(job, zone, mark, now) {
            let due = opening(job, zone, turn);
            let why = if now < due {
                continue; // the window opens later
            } else if is_busy {
                Some("the run before it had not ended".to_owned())
            } else if now - due > PUNCTUAL && job.catch_up == CatchUp::No {
                Some(format!(
                    "missed by {}, and catch_up = \"no\"",
                    in_words(now - due)
                ))
            } else if now - due > job.grace.as_secs() as i64 + PUNCTUAL {
                Some(format!("missed by {}, longer than `grace`", in_words(now - due)))
            } else if !open(job, zone, now) {
                continue; // open when it was due, closed now: it waits for the next opening, or for the end of `grace`
            } else {
                None
            };
            match why {
                None => {
                    if shop
                        .decide(&job.name, &until(now), Some((turn, Turn::Run)))?
                        .is_some()
                    {
                        decided.queued.push(job.name.clone());
                    }
                }
                Some(why) => {
                    shop.decide(&job.name, &until(now), Some((turn, Turn::Skip(&why))))?;
                    decided.skipped.push((job.name.clone(), why));
                }
            }
        } else if !is_busy
            && open(job, zone, now)
            && let Some(last) = shop.last_attempt(&job.name)?
            && again(job, &last, now)
        {
            shop.queue_attempt(&job.name, last.scheduled_at, last.attempt + 1)?;
            decided.queued.push(job.name.clone());
        }
    }
    Ok(decided)
}

/// Closes what waits in the queue for nothing: jobs that are no more or are switched off, turns older than `grace`.
pub(super) fn tidy(shop: &Shop, listing: &Listing, now: i64) -> Result<()> {
    for run in shop.queue()? {
        if is_erasure(&run) {
            continue; // no job's run
        }
        let (status, why) = match listing.jobs.iter().find(|job| job.name == run.job) {
            // Its file is being written, or waits to be corrected: so does the run.
            None if listing.bad.iter().any(|bad| bad.name == run.job) => continue,
            None => (RunStatus::Failed, "there is no such job any more".to_owned()),
            Some(job) if !job.enabled && run.scheduled_at.is_some() => {
                (RunStatus::Skipped, "the job was switched off".to_owned())
            }
            Some(job) => match run.scheduled_at {
                Some(at) if now - at > job.grace.as_secs() as i64 + PAUSE.1 => (
                    RunStatus::Skipped,
                    format!(
                        "it waited for {} to begin, longer than `grace`",
                        in_words(now - at)
                    ),
                ),
                _ => continue,
            },
        };
        shop.close_run(crate::store::Run { run_id: run.run_id }, status, &why)?;
    }
    Ok(())
}

/// What may begin now, beside what runs.
#[derive(Debug)]
pub(super) struct Room<'a> {
    /// Jobs that run, in whatever way.
    pub busy: &'a BTreeSet<String>,
    /// Jobs of which another attempt is to come: whoever is `after` them waits.
    pub unfinished: &'a BTreeSet<String>,
    /// Whether a seat is free; the index loop has one of its own.
    pub has_seat: bool,
    /// The zone of jobs without one.
    pub zone: Tz,
    /// The clock.
    pub now: i64,
}

/// The run to begin next: none of a job that runs or whose forerunner is not final; of those the earliest turn, what was asked
/// for before all.
pub(super) fn next(queue: &[Queued], listing: &Listing, room: &Room<'_>) -> Option<Queued> {
    let all: Vec<&Job> = listing.jobs.iter().collect();
    let places: Vec<usize> = order::order(&all).unwrap_or_else(|_| (0..all.len()).collect());
    let place = |name: &str| places.iter().position(|&at| all[at].name == name);
    let may = |run: &Queued| {
        let Some(job) = all.iter().find(|job| job.name == run.job) else {
            return false;
        };
        let waits = job.after.as_deref().is_some_and(|first| {
            room.busy.contains(first)
                || room.unfinished.contains(first)
                || queue.iter().any(|other| other.job == first)
        });
        let seat = room.has_seat || matches!(job.kind, Kind::Search(_));
        let is_open = run.scheduled_at.is_none() || open(job, job.zone.unwrap_or(room.zone), room.now);
        !waits && seat && is_open && !room.busy.contains(&run.job)
    };
    queue
        .iter()
        .filter(|run| may(run))
        .min_by_key(|run| (run.scheduled_at, place(&run.job), run.run_id))
        .cloned()
}

/// Whether no attempt is to come after one at `last`'s turn that has just failed: none is left, or the next turn or the end of
/// `grace` comes first.
pub(super) fn is_final(job: &Job, zone: Tz, last: &Attempt, now: i64) -> bool {
    let then = now + pause(last.failures, last.run_id);
    last.failures > i64::from(job.retries)
        || then - last.scheduled_at > job.grace.as_secs() as i64
        || schedule::next_run(&job.schedule, job.zone.unwrap_or(zone), now)
            .is_some_and(|turn| turn.timestamp() <= then)
}

/// Jobs whose last turn failed or was interrupted, and is to be tried again.
pub(super) fn unfinished(shop: &Shop, listing: &Listing, zone: Tz, now: i64) -> Result<BTreeSet<String>> {
    let mut unfinished = BTreeSet::new();
    for job in &listing.jobs {
        let is_first = listing
            .jobs
            .iter()
            .any(|other| other.after.as_ref() == Some(&job.name));
        if !is_first || !job.enabled {
            continue;
        }
        if let Some(last) = shop.last_attempt(&job.name)? {
            let to_come = match last.status.as_str() {
                "failed" | "timeout" => !is_final(job, zone, &last, last.finished_at.unwrap_or(now).min(now)),
                "interrupted" => again(job, &last, now),
                _ => false,
            };
            if to_come {
                unfinished.insert(job.name.clone());
            }
        }
    }
    Ok(unfinished)
}

/// Whether the last attempt is to be followed by another one now.
fn again(job: &Job, last: &Attempt, now: i64) -> bool {
    let Some(finished) = last.finished_at else {
        return false;
    };
    if now - last.scheduled_at > job.grace.as_secs() as i64 {
        return false;
    }
    match last.status.as_str() {
        "failed" | "timeout" => {
            // A clock that was put back since makes nobody wait.
            last.failures <= i64::from(job.retries)
                && (finished > now || now - finished >= pause(last.failures, last.run_id))
        }
        "interrupted" => {
            last.failures <= i64::from(job.retries) && last.attempt - last.failures <= INTERRUPTIONS
        }
        _ => false,
    }
}

/// Seconds before the attempt after this one: doubled each time, and up to a quarter longer, so that jobs that failed
/// together do not come back together.
pub(super) fn pause(attempt: i64, run_id: i64) -> i64 {
    let doubled = PAUSE.0 << (attempt - 1).clamp(0, 10);
    let doubled = doubled.min(PAUSE.1);
    let quarter = xxhash_rust::xxh3::xxh3_64(&run_id.to_le_bytes()) % 1000;
    doubled + doubled * quarter as i64 / 4000
}

/// The last turn after `mark` and not after `now`.
fn last_turn(job: &Job, zone: Tz, mark: i64, now: i64) -> Option<i64> {
    // Looked for backwards in growing steps: after a month off a job of every minute has 43,200 turns behind it.
    let mut step = 3600;
    loop {
        let from = (now - step).max(mark);
        let mut last = None;
        let mut at = from;
        while let Some(turn) = schedule::next_run(&job.schedule, zone, at)
            .map(|turn| turn.timestamp())
            .filter(|turn| *turn <= now)
        {
            last = Some(turn);
            at = turn;
        }
        if last.is_some() || from == mark {
            return last;
        }
        step *= 8;
    }
}

/// Whether the job may begin at `now`.
fn open(job: &Job, zone: Tz, now: i64) -> bool {
    let Some((from, to)) = job.window else { return true };
    let Some(time) = local(zone, now).map(|local| local.time()) else {
        return true;
    };
    within(time, from, to)
}

fn within(time: NaiveTime, from: NaiveTime, to: NaiveTime) -> bool {
    if from < to {
        from <= time && time < to
    } else {
        from <= time || time < to
    }
}

/// The first instant from `turn` on at which the job may begin.
fn opening(job: &Job, zone: Tz, turn: i64) -> i64 {
    let Some((from, to)) = job.window else { return turn };
    let Some(local) = local(zone, turn) else {
        return turn;
    };
    if within(local.time(), from, to) {
        return turn;
    }
    let today = local.date_naive();
    let day = if local.time() < from {
        Some(today)
    } else {
        today.succ_opt()
    };
    let opens = day.and_then(|day| {
        (0..=12).find_map(|quarter| {
            zone.from_local_datetime(&(day.and_time(from) + TimeDelta::minutes(15 * quarter)))
                .earliest()
        })
    });
    opens.map_or(turn, |opens| opens.timestamp())
}

fn local(zone: Tz, at: i64) -> Option<DateTime<Tz>> {
    DateTime::<Utc>::from_timestamp(at, 0).map(|at| at.with_timezone(&zone))
}

/// A length of time as people say it.
pub(super) fn in_words(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_years;
