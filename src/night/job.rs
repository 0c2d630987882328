//! Job files: `jobs/NAME.toml` read into a [`Job`], or into the reason why not. A file is checked whole before
//! anything runs, and an error names file, key and value, and what was expected. A bad file disables its own job and
//! no other.

use super::duration;
use super::schedule::Schedule;
use crate::pipeline::{PriceOptions, RecommendationOptions, SearchOptions, SupportOptions, UpkeepOptions};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::de::DeserializeOwned;
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
    /// Whether the night's instant is the wall clock instead of the newest input.
    pub as_of_now: bool,
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
    Ok(listing)
}

impl Listing {
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

fn parse(name: &str, file: &str, text: &str) -> Result<Job, String> {
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
        as_of_now: keys
            .read("as_of", "\"data\" or \"now\"", |v| match v.as_str()? {
                "data" => Some(false),
                "now" => Some(true),
                _ => None,
            })?
            .unwrap_or(false),
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
        Kind::Recommendations(o) if !(1..=10_000).contains(&o.per_user) => wrong(
            "recommendations",
            "per_user",
            o.per_user.to_string(),
            "a number of rows from 1 to 10000",
        ),
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
        Kind::Upkeep(o) if o.keep_runs_days == 0 => {
            wrong("upkeep", "keep_runs_days", "0".into(), "a number of days from 1")
        }
        _ => Ok(()),
    }
}

fn length(value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(seconds) => duration::parse(&seconds.to_string()),
        other => duration::parse(other.as_str()?),
    }
}

fn window(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let (from, to) = text.split_once('-')?;
    let time = |t: &str| NaiveTime::parse_from_str(t.trim(), "%H:%M").ok();
    let (from, to) = (time(from)?, time(to)?);
    (from != to).then_some((from, to))
}

/// The keys of a file, taken one by one: what is left at the end is unknown.
struct Keys<'a> {
    file: &'a str,
    table: Table,
}

impl Keys<'_> {
    fn read<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => read(&value)
                .map(Some)
                .ok_or_else(|| self.wrong(key, &value, expected)),
        }
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        self.read(key, "a text in quotes", |v| v.as_str().map(str::to_owned))
    }

    fn wrong(&self, key: &str, value: &Value, expected: &str) -> String {
        format!("{}: {key} = {value}; {expected} was expected", self.file)
    }

    /// The options of a kind; serde's message is turned into ours.
    fn options<T: DeserializeOwned>(&self, table: &str, options: Table) -> Result<T, String> {
        let file = self.file;
        // One key at a time, so that the message can name key and value.
        for (key, value) in &options {
            let one: Table = [(key.clone(), value.clone())].into_iter().collect();
            if let Err(e) = one.try_into::<T>() {
                let message = e.message().to_owned();
                if message.starts_with("unknown field") {
                    let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
                    return Err(format!(
                        "{file}: [{table}] has no option `{key}`{}",
                        nearest(key, &known)
                    ));
                }
                return Err(format!("{file}: [{table}] {key} = {value}; {message}"));
            }
        }
        options
            .try_into()
            .map_err(|e| format!("{file}: [{table}]: {}", e.message()))
    }
}

/// "; did you mean `x`?", when something is near enough.
fn nearest(word: &str, known: &[&str]) -> String {
    let distance = |a: &str, b: &str| {
        // Levenshtein over bytes: the names are ASCII.
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.bytes().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.bytes().enumerate() {
                let above = row[j + 1];
                row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
                diagonal = above;
            }
        }
        row[b.len()]
    };
    let best = known
        .iter()
        .filter(|k| !k.is_empty())
        .min_by_key(|k| distance(word, k));
    match best {
        Some(best) if distance(word, best) <= best.len().div_ceil(2) => format!("; did you mean `{best}`?"),
        Some(_) => {
            let all: Vec<&str> = known.iter().copied().filter(|k| !k.is_empty()).collect();
            format!("; known are {}", all.join(", "))
        }
        None => "; it has none".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_state_the_defaults() {
        let listing = defaults();
        assert_eq!(listing.bad, []);
        for job in &listing.jobs {
            let default = match &job.kind {
                Kind::Recommendations(_) => Kind::Recommendations(RecommendationOptions::default()),
                Kind::Prices(_) => Kind::Prices(PriceOptions::default()),
                Kind::Support(_) => Kind::Support(SupportOptions::default()),
                Kind::Search(_) => Kind::Search(SearchOptions::default()),
                Kind::Upkeep(_) => Kind::Upkeep(UpkeepOptions::default()),
            };
            assert_eq!(job.kind, default);
            let bare = format!("kind = {:?}\nschedule = \"0 1 * * *\"", job.kind.as_str());
            let bare = parse("bare", "bare.toml", &bare).unwrap();
            assert_eq!(
                (bare.retries, bare.catch_up, bare.grace, bare.enabled),
                (job.retries, job.catch_up, job.grace, job.enabled)
            );
        }
    }

    #[test]
    fn an_error_names_file_key_and_value() {
        let good = "kind = \"prices\"\nschedule = \"0 3 * * *\"\n";
        let cases = [
            ("", "jobs/x.toml: `kind` is missing"),
            (
                "kind = \"price\"",
                "kind = \"price\"; one of recommendations, prices, support, search, upkeep; did you mean `prices`?",
            ),
            ("kind = \"prices\"", "`schedule` is missing"),
            (
                "kind = \"prices\"\nschedule = \"61 3 * * *\"",
                "schedule = \"61 3 * * *\"; a five-field cron expression",
            ),
            ("kind = \"prices\"\nschedule = \"0 0 3 * * *\"", "five-field"),
            ("timeout = \"soon\"", "timeout = \"soon\"; a length of time"),
            ("retries = -1", "retries = -1; a whole number from 0 to 100"),
            ("catch_up = \"all\"", "catch_up = \"all\"; \"once\" or \"no\""),
            (
                "time_zone = \"Mars/Base\"",
                "time_zone = \"Mars/Base\"; an IANA name",
            ),
            ("window = \"1-6\"", "window = \"1-6\"; two times of day"),
            ("enabled = \"yes\"", "enabled = \"yes\"; true or false"),
            ("as_of = \"today\"", "as_of = \"today\"; \"data\" or \"now\""),
            ("memory = \"lots\"", "memory = \"lots\"; an amount"),
            (
                "tiemout = \"1h\"",
                "there is no key `tiemout`; did you mean `timeout`?",
            ),
            (
                "[prices]\nhorizn = 7",
                "[prices] has no option `horizn`; did you mean `horizon`?",
            ),
            ("[prices]\nhorizon = 0", "[prices] horizon = 0; a number of steps"),
            (
                "[prices]\nhorizon = \"far\"",
                "[prices] horizon = \"far\"; invalid type",
            ),
            (
                "[prices]\ngoal = \"fame\"",
                "[prices] goal = \"fame\"; unknown variant",
            ),
            ("[prices]\nmax_change = nan", "max_change = NaN; a fraction"),
            (
                "[support]\nprecision = 0.9",
                "table [support] does not belong to a job of kind \"prices\"",
            ),
            ("= 3", "jobs/x.toml: TOML parse error"),
        ];
        for (text, expected) in cases {
            let text = if text.starts_with("kind") || text.is_empty() {
                text.to_owned()
            } else {
                format!("{good}{text}")
            };
            let error = parse("x", "jobs/x.toml", &text).unwrap_err();
            assert!(
                error.contains(expected) && error.starts_with("jobs/x.toml"),
                "{text:?} gave {error:?}, not {expected:?}"
            );
        }
    }

    #[test]
    fn a_bad_file_disables_itself_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("a.toml"),
            "kind = \"search\"\nschedule = \"* * * * *\"",
        )
        .unwrap();
        std::fs::write(dir.path().join("b.toml"), "kind = 7").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "not a job").unwrap();
        let listing = load(dir.path()).unwrap();
        assert_eq!(listing.jobs.len(), 1);
        assert_eq!(listing.bad[0].name, "b");
    }
}
