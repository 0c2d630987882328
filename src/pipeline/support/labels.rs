//! What people said of old tickets, as classes a model can learn: categories, or teams where nobody enters categories; and the
//! class of the tickets that people put in none.

use super::super::Night;
use super::collect::Old;
use super::knowledge::Class;
use crate::store::Agent;
use crate::support::Unknown;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tickets of this category are none of the others.
pub(super) const NONE_OF_THESE: &str = "-";
/// The share of unknown tickets is that of the last so many seconds, where so many tickets were decided in them.
const RECENT: i64 = 28 * 86_400;
const RECENT_TICKETS: usize = 100;

/// The class of the tickets that are none of the others and its share of what people decided lately; of all they decided
/// where time says nothing or little was decided.
pub(super) fn unknown(
    labels: &[String],
    labelled: &[(usize, u32)],
    old: &[Old],
    as_of: i64,
    timed: bool,
) -> Option<Unknown> {
    let class = labels.iter().position(|name| name == NONE_OF_THESE)? as u32;
    let share = |recent: &[u32]| {
        let unknown = recent.iter().filter(|&&label| label == class).count();
        unknown as f64 / recent.len().max(1) as f64
    };
    let recent: Vec<u32> = labelled
        .iter()
        .filter(|&&(row, _)| timed && old[row].created_at > as_of - RECENT)
        .map(|&(_, label)| label)
        .collect();
    let all: Vec<u32> = labelled.iter().map(|&(_, label)| label).collect();
    Some(Unknown {
        class,
        share: if recent.len() >= RECENT_TICKETS {
            share(&recent)
        } else {
            share(&all)
        },
    })
}

/// What people say of a ticket that a model can learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Label {
    /// What it is about; the team follows from it.
    Category,
    /// Who handles it, where nobody enters categories.
    Team,
}

impl Label {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Label::Category => "category",
            Label::Team => "team",
        }
    }

    pub(super) fn of(self, old: &Old) -> Option<&str> {
        match self {
            Label::Category => old.category.as_deref(),
            Label::Team => old.team.as_deref(),
        }
    }
}

/// The labels that have two examples or more, sorted, and the rows that bear them: categories, or teams when fewer
/// than two categories can be learned and at least two teams can.
pub(super) fn label(old: &[Old], night: &Night<'_>) -> (Label, Vec<String>, Vec<(usize, u32)>) {
    let count = |label: Label| {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for name in old.iter().filter_map(|row| label.of(row)) {
            *counts.entry(name).or_default() += 1;
        }
        let single: u64 = counts.values().filter(|&&n| n < 2).sum();
        let names = counts
            .into_iter()
            .filter(|(_, n)| *n >= 2)
            .map(|(name, _)| name.to_owned());
        (names.collect::<Vec<String>>(), single)
    };
    let (categories, single) = count(Label::Category);
    let known = categories.iter().filter(|name| *name != NONE_OF_THESE).count();
    let (label, labels, single) = match count(Label::Team) {
        (teams, single) if known < 2 && teams.len() >= 2 => (Label::Team, teams, single),
        _ => (Label::Category, categories, single),
    };
    night.drop_rows(
        "tickets",
        format!("the only one of its {}: not learned from", label.as_str()),
        single,
    );
    let labelled = old
        .iter()
        .enumerate()
        .filter_map(|(row, old)| {
            let name = label.of(old)?;
            let class = labels.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
            Some((row, class as u32))
        })
        .collect();
    (label, labels, labelled)
}

/// The classes with the team and the priority people gave most of their tickets; the first by name of equals. A
/// category whose tickets name no team belongs to the team most of whose agents name it as a skill; a team is its own.
pub(super) fn classes(old: &[Old], label: Label, labels: &[String], agents: &[Agent]) -> Vec<Class> {
    let mut teams: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut priorities: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for old in old {
        let Some(category) = label.of(old) else {
            continue;
        };
        if let Some(team) = old.team.as_deref() {
            *teams.entry(category).or_default().entry(team).or_default() += 1;
        }
        if let Some(priority) = old.priority.as_deref() {
            *priorities
                .entry(category)
                .or_default()
                .entry(priority)
                .or_default() += 1;
        }
    }
    let mut skilled: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for agent in agents.iter().filter(|agent| agent.active) {
        for skill in agent.skills.iter().flatten() {
            if let Some(team) = agent.team.as_deref() {
                *skilled.entry(skill).or_default().entry(team).or_default() += 1;
            }
        }
    }
    let most = |counts: &BTreeMap<&str, BTreeMap<&str, u64>>, category: &str| {
        let counts = counts.get(category)?;
        counts
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
            .map(|(name, _)| (*name).to_owned())
    };
    labels
        .iter()
        .map(|name| Class {
            name: name.clone(),
            team_share: match label {
                Label::Category => teams.get(name.as_str()).map(|counts| {
                    let most = counts.values().copied().max().unwrap_or(0);
                    most as f64 / counts.values().sum::<u64>() as f64
                }),
                Label::Team => None,
            },
            team: match label {
                Label::Category => most(&teams, name).or_else(|| most(&skilled, name)),
                Label::Team => Some(name.clone()),
            },
            priority: most(&priorities, name),
        })
        .collect()
}
