//! Job files: `jobs/NAME.toml` read into a [`Job`], or into the reason why not. A file is checked whole before
//! anything runs, and an error names file, key and value, and what was expected. A bad file disables its own job and
//! no other.

use super::duration;
use super::keys::{Keys, length, nearest, window};
use super::schedule::Schedule;
use crate::pipeline::{PriceOptions, RecommendationOptions, SearchOptions, SupportOptions, UpkeepOptions};
use chrono::NaiveTime;
use chrono_tz::Tz;
use std::path::Path;
use std::time::Duration;
use toml::{Table, Value};

/// What a job does, with its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The recommend family.
    Recommendations(RecommendationOptions),
    /// The price family.
    Prices(PriceOptions),
    /// The support family.
    Support(SupportOptions),
    /// The full-text index.
    Search(SearchOptions),
    /// Housekeeping.
    Upkeep(UpkeepOptions),
}

impl Kind {
    /// The word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Kind::Recommendations(_) => "recommendations",
            Kind::Prices(_) => "prices",
            Kind::Support(_) => "support",
            Kind::Search(_) => "search",
            Kind::Upkeep(_) => "upkeep",
        }
    }
}

/// What happens to a run that was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// One run, however many were missed.
    Once,
    /// None.
    No,
}

/// A job file that reads well.
#[derive(Debug, Clone)]
pub struct Job {
    /// File name without `.toml`.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// When.
    pub schedule: Schedule,
    /// The zone of the schedule; None = settings.time_zone.
    pub zone: Option<Tz>,
    /// The job it waits for.
    pub after: Option<String>,
    /// A run that takes longer is ended.
    pub timeout: Duration,
    /// Most memory of a run under the daemon, bytes.
    pub memory: Option<u64>,
    /// Further attempts after a failure.
    pub retries: u32,
    /// What happens to a run that was missed.
    pub catch_up: CatchUp,
    /// A missed run older than this is not made up for.
    pub grace: Duration,
    /// Starts only between these local times.
    pub window: Option<(NaiveTime, NaiveTime)>,
    /// Command the daemon runs after a failure.
    pub on_failure: Option<String>,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Whether the night's instant is the wall clock instead of the newest input; None = once the shop writes live.
    pub as_of_now: Option<bool>,
}

/// A job file that does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// File name without `.toml`.
    pub name: String,
    /// File, key, value, and what was expected.
    pub reason: String,
}

/// Every file of the folder.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// By name.
    pub jobs: Vec<Job>,
    /// By name.
    pub bad: Vec<Bad>,
}

/// The shipped files: name and text.
pub const DEFAULTS: [(&str, &str); 5] = [
    ("prices", include_str!("../../jobs/prices.toml")),
    ("recommendations", include_str!("../../jobs/recommendations.toml")),
    ("search", include_str!("../../jobs/search.toml")),
    ("support", include_str!("../../jobs/support.toml")),
    ("upkeep", include_str!("../../jobs/upkeep.toml")),
];

/// The shipped jobs, for a database without a jobs folder.
pub fn defaults() -> Listing {
    let mut listing = Listing::default();
    for (name, text) in DEFAULTS {
        listing.add(name, parse(name, &format!("jobs/{name}.toml"), text));
    }
    listing.check_after();
    listing
}

/// Reads a jobs folder. A folder that is not there is an error of the caller's making: see [`defaults`].
pub fn load(folder: &Path) -> std::io::Result<Listing> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let mut listing = Listing::default();
    for file in files {
        let path = file.path();
        let (Some(name), true) = (
            path.file_stem().and_then(|n| n.to_str()),
            path.extension().is_some_and(|e| e == "toml"),
        ) else {
            continue;
        };
        let shown = path.display().to_string();
        let read = std::fs::read_to_string(&path).map_err(|e| format!("{shown}: {e}"));
        listing.add(name, read.and_then(|text| parse(name, &shown, &text)));
    }
    listing.check_after();
    Ok(listing)
}

impl Listing {
    /// A job that waits for one that is not there, or jobs that wait for one another, cannot run; the others can.
    fn check_after(&mut self) {
        let names: Vec<String> = self
            .jobs
            .iter()
            .map(|j| j.name.clone())
            .chain(self.bad.iter().map(|b| b.name.clone()))
            .collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let reasons: Vec<Option<String>> = self
            .jobs
            .iter()
            .map(|job| waits_in_vain(job, &self.jobs, &known))
            .collect();
        let jobs = std::mem::take(&mut self.jobs);
        for (job, reason) in jobs.into_iter().zip(reasons) {
            match reason {
                None => self.jobs.push(job),
                Some(reason) => self.bad.push(Bad {
                    reason: format!(
                        "jobs/{}.toml: after = {:?}; {reason}",
                        job.name,
                        job.after.unwrap_or_default()
                    ),
                    name: job.name,
                }),
            }
        }
        self.bad.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn add(&mut self, name: &str, parsed: Result<Job, String>) {
        match parsed {
            Ok(job) => self.jobs.push(job),
            Err(reason) => self.bad.push(Bad {
                name: name.into(),
                reason,
            }),
        }
    }
}

/// Why `after` of a job can never be met.
fn waits_in_vain(job: &Job, jobs: &[Job], known: &[&str]) -> Option<String> {
    let first = job.after.as_deref()?;
    if !known.contains(&first) {
        return Some(format!("there is no such job{}", nearest(first, known)));
    }
    let mut at = first;
    for _ in 0..jobs.len() {
        if at == job.name {
            return Some("the jobs wait for one another in a circle".into());
        }
        at = jobs.iter().find(|j| j.name == at)?.after.as_deref()?;
    }
    None // it waits for a circle without being in it
}

/// The keys of every job file, beside the table of its kind.
const KEYS: [&str; 14] = [
    "kind",
    "schedule",
    "time_zone",
    "after",
    "timeout",
    "memory",
    "retries",
    "catch_up",
    "grace",
    "window",
    "on_failure",
    "enabled",
    "as_of",
    "",
];

const KINDS: [&str; 5] = ["recommendations", "prices", "support", "search", "upkeep"];

pub(super) fn parse(name: &str, file: &str, text: &str) -> Result<Job, String> {
    let table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| format!("{file}: {}", e.to_string().trim_end()))?;
    let mut keys = Keys { file, table };
    let kind_name = keys
        .text("kind")?
        .ok_or_else(|| format!("{file}: `kind` is missing; one of {}", KINDS.join(", ")))?;
    let options = match keys.table.remove(&kind_name) {
        None => Table::new(),
        Some(Value::Table(options)) => options,
        Some(other) => return Err(keys.wrong(&kind_name, &other, "a table of options")),
    };
    let kind = match kind_name.as_str() {
        "recommendations" => Kind::Recommendations(keys.options("recommendations", options)?),
        "prices" => Kind::Prices(keys.options("prices", options)?),
        "support" => Kind::Support(keys.options("support", options)?),
        "search" => Kind::Search(keys.options("search", options)?),
        "upkeep" => Kind::Upkeep(keys.options("upkeep", options)?),
        other => {
            let nearest = nearest(other, &KINDS);
            return Err(keys.wrong(
                "kind",
                &Value::from(other),
                &format!("one of {}{nearest}", KINDS.join(", ")),
            ));
        }
    };
    check_ranges(file, &kind)?;
    let schedule = keys
        .read(
            "schedule",
            "a five-field cron expression such as \"30 2 * * *\"",
            |v| Schedule::parse(v.as_str()?).ok(),
        )?
        .ok_or_else(|| {
            format!("{file}: `schedule` is missing; a five-field cron expression such as \"30 2 * * *\"")
        })?;
    if schedule.is_never_due() {
        return Err(format!(
            "{file}: schedule = {:?} is never due: none of its months has such a day",
            schedule.as_str()
        ));
    }
    let job = Job {
        name: name.into(),
        kind,
        schedule,
        zone: keys.read("time_zone", "an IANA name such as \"Europe/Berlin\"", |v| {
            v.as_str()?.parse().ok()
        })?,
        after: keys.text("after")?,
        timeout: keys
            .read(
                "timeout",
                "a length of time such as \"90s\", \"30m\" or \"2h\"",
                length,
            )?
            .unwrap_or(Duration::from_secs(7200)),
        memory: keys.read("memory", "an amount such as \"512 MB\" or \"4 GB\"", |v| {
            duration::parse_memory(v.as_str()?)
        })?,
        retries: keys
            .read("retries", "a whole number from 0 to 100", |v| {
                u32::try_from(v.as_integer()?).ok().filter(|n| *n <= 100)
            })?
            .unwrap_or(1),
        catch_up: keys
            .read("catch_up", "\"once\" or \"no\"", |v| match v.as_str()? {
                "once" => Some(CatchUp::Once),
                "no" => Some(CatchUp::No),
                _ => None,
            })?
            .unwrap_or(CatchUp::Once),
        grace: keys
            .read("grace", "a length of time such as \"12h\"", length)?
            .unwrap_or(Duration::from_secs(12 * 3600)),
        window: keys.read("window", "two times of day such as \"01:00-06:00\"", |v| {
            window(v.as_str()?)
        })?,
        on_failure: keys.text("on_failure")?,
        enabled: keys
            .read("enabled", "true or false", Value::as_bool)?
            .unwrap_or(true),
        as_of_now: keys.read("as_of", "\"data\" or \"now\"", |v| match v.as_str()? {
            "data" => Some(false),
            "now" => Some(true),
            _ => None,
        })?,
    };
    match keys.table.keys().next() {
        None => Ok(job),
        Some(unknown) if KINDS.contains(&unknown.as_str()) => Err(format!(
            "{file}: table [{unknown}] does not belong to a job of kind {kind_name:?}; its options stand in [{kind_name}]"
        )),
        Some(unknown) => Err(format!(
            "{file}: there is no key `{unknown}`{}",
            nearest(unknown, &KEYS)
        )),
    }
}

/// What serde's types cannot say.
fn check_ranges(file: &str, kind: &Kind) -> Result<(), String> {
    let wrong = |table: &str, key: &str, value: String, expected: &str| {
        Err(format!(
            "{file}: [{table}] {key} = {value}; {expected} was expected"
        ))
    };
    match kind {
        Kind::Recommendations(o) => match o.senseless() {
            Some((key, value, expected)) => wrong("recommendations", key, value, expected),
            None => Ok(()),
        },
        Kind::Prices(o) if !(1..=1000).contains(&o.horizon) => wrong(
            "prices",
            "horizon",
            o.horizon.to_string(),
            "a number of steps from 1 to 1000",
        ),
        Kind::Prices(o) if !(o.max_change > 0.0 && o.max_change < 1.0) => wrong(
            "prices",
            "max_change",
            o.max_change.to_string(),
            "a fraction between 0 and 1",
        ),
        Kind::Support(o) if !(o.precision > 0.0 && o.precision < 1.0) => wrong(
            "support",
            "precision",
            o.precision.to_string(),
            "a share between 0 and 1",
        ),
        Kind::Support(o) if !(o.suggest_above_chance >= 0.0 && o.suggest_above_chance.is_finite()) => wrong(
            "support",
            "suggest_above_chance",
            o.suggest_above_chance.to_string(),
            "a number from 0",
        ),
        Kind::Upkeep(o) if o.keep_runs_days == 0 => {
            wrong("upkeep", "keep_runs_days", "0".into(), "a number of days from 1")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
