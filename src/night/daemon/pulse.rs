//! How the daemon is doing right now, for its page: written by its threads, read by /healthz and /metrics. What lasts stands
//! in the book; this is gone with the process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of the daemon that gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Decides what runs.
    Planner,
    /// The shop's settings, as the planner reads them.
    Settings,
    /// The folder of job files.
    Jobs,
    /// Keeps the search index.
    Index,
    /// Routes and drafts for tickets as they come.
    Desk,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 5] = [Part::Planner, Part::Settings, Part::Jobs, Part::Index, Part::Desk];

    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Planner => "planner",
            Part::Settings => "settings",
            Part::Jobs => "jobs",
            Part::Index => "index",
            Part::Desk => "desk",
        }
    }

    /// A part that was silent for longer is stuck. A rebuild of the index, or models being read, may take its time.
    pub fn patience(self) -> Duration {
        match self {
            Part::Planner => Duration::from_secs(60),
            Part::Settings | Part::Jobs | Part::Index | Part::Desk => Duration::from_secs(900),
        }
    }
}

/// What is wrong with a part, and when that was last told.
#[derive(Debug, Clone)]
struct Trouble {
    what: String,
    told: Instant,
}

/// A trouble that lasts is told again after this long. (Its words may differ each time, by the name of a file for example.)
const AGAIN: Duration = Duration::from_secs(600);

/// Signs of life, troubles and counts.
#[derive(Debug)]
pub struct Pulse {
    begun: Instant,
    /// Milliseconds after `begun` of each part's last sign.
    seen: [AtomicU64; 5],
    /// The same of the last time a part went round without trouble.
    good: [AtomicU64; 5],
    troubles: Mutex<BTreeMap<Part, Trouble>>,
    indexed: AtomicU64,
    rebuilt: AtomicU64,
    answered: AtomicU64,
    slowest_answer_ms: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse {
            begun: Instant::now(),
            seen: Default::default(),
            good: Default::default(),
            troubles: Mutex::default(),
            indexed: AtomicU64::new(0),
            rebuilt: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            slowest_answer_ms: AtomicU64::new(0),
        }
    }
}

/// Counts since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Documents put into the index or taken from it.
    pub indexed: u64,
    /// Times it was built anew.
    pub rebuilt: u64,
    /// Tickets routed between nights.
    pub answered: u64,
    /// Longest time from noticing a ticket to its route, milliseconds.
    pub slowest_answer_ms: u64,
}

impl Pulse {
    /// A part went round once without trouble.
    pub fn well(&self, part: Part) {
        let age = self.begun.elapsed().as_millis() as u64;
        self.seen[part as usize].store(age, Ordering::Relaxed);
        self.good[part as usize].store(age, Ordering::Relaxed);
        self.troubles().remove(&part);
    }

    /// A part is alive, but what it tried did not work. True = that is to be told: it was well before, or it lasts.
    pub fn trouble(&self, part: Part, what: &str) -> bool {
        let age = self.begun.elapsed().as_millis() as u64;
        self.seen[part as usize].store(age, Ordering::Relaxed);
        let mut troubles = self.troubles();
        let told = troubles
            .get(&part)
            .map(|trouble| trouble.told)
            .filter(|told| told.elapsed() < AGAIN);
        troubles.insert(
            part,
            Trouble {
                what: what.to_owned(),
                told: told.unwrap_or_else(Instant::now),
            },
        );
        told.is_none()
    }

    /// How long ago a part last went round without trouble.
    pub fn not_well_for(&self, part: Part) -> Duration {
        let good = Duration::from_millis(self.good[part as usize].load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(good)
    }

    fn troubles(&self) -> std::sync::MutexGuard<'_, BTreeMap<Part, Trouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago a part gave its last sign.
    pub fn silent_for(&self, part: Part) -> Duration {
        let seen = Duration::from_millis(self.seen[part as usize].load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(seen)
    }

    /// What is wrong now; nothing = all is well.
    pub fn problems(&self) -> Vec<String> {
        let troubles = self.troubles().clone();
        let mut problems = Vec::new();
        for part in Part::ALL {
            let silent = self.silent_for(part);
            if silent > part.patience() {
                problems.push(format!(
                    "{}: no sign of life for {} s",
                    part.as_str(),
                    silent.as_secs()
                ));
            } else if let Some(trouble) = troubles.get(&part) {
                problems.push(format!("{}: {}", part.as_str(), trouble.what));
            }
        }
        problems
    }

    /// Documents went into the index.
    pub fn add_indexed(&self, documents: u64, anew: bool) {
        self.indexed.fetch_add(documents, Ordering::Relaxed);
        self.rebuilt.fetch_add(u64::from(anew), Ordering::Relaxed);
    }

    /// Tickets were routed.
    pub fn add_answered(&self, tickets: u64, slowest: Duration) {
        self.answered.fetch_add(tickets, Ordering::Relaxed);
        self.slowest_answer_ms
            .fetch_max(slowest.as_millis() as u64, Ordering::Relaxed);
    }

    /// The counts.
    pub fn counts(&self) -> Counts {
        Counts {
            indexed: self.indexed.load(Ordering::Relaxed),
            rebuilt: self.rebuilt.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            slowest_answer_ms: self.slowest_answer_ms.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_news_once_and_goes_when_all_is_well() {
        let pulse = Pulse::default();
        assert_eq!(pulse.problems(), Vec::<String>::new());
        assert!(pulse.trouble(Part::Index, "disk full"));
        assert!(!pulse.trouble(Part::Index, "disk full, file .tmp7"));
        assert_eq!(pulse.problems(), ["index: disk full, file .tmp7"]);
        pulse.well(Part::Planner);
        assert_eq!(pulse.problems().len(), 1);
        pulse.well(Part::Index);
        assert_eq!(pulse.problems(), Vec::<String>::new());
        assert!(pulse.trouble(Part::Index, "disk full"));
    }

    #[test]
    fn a_part_that_gives_no_sign_is_a_problem() {
        let begun = Instant::now().checked_sub(Duration::from_secs(100));
        let Some(begun) = begun else { return }; // a machine that was started just now
        let pulse = Pulse {
            begun,
            ..Pulse::default()
        };
        assert_eq!(
            pulse.problems(),
            ["planner: no sign of life for 100 s"],
            "others have longer"
        );
        // Alive is not well: the heartbeat asks for the latter.
        pulse.trouble(Part::Planner, "the file is locked");
        assert!(pulse.silent_for(Part::Planner) < Duration::from_secs(50));
        assert!(pulse.not_well_for(Part::Planner) >= Duration::from_secs(100));
        pulse.well(Part::Planner);
        assert!(pulse.not_well_for(Part::Planner) < Duration::from_secs(50));
        assert_eq!(pulse.problems(), Vec::<String>::new());
    }
}
