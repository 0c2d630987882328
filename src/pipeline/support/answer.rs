//! Answers from what a night learned: category, team, agent, priority and draft of tickets, all waiting ones at once,
//! because they share the agents' time.

use super::collect::Open;
use super::knowledge::{Asked, Class, Guess, Knowledge, Policy};
use super::labels::Label;
use crate::store::Agent;
use crate::support::{Assignment, Waiting, assign, votes};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A routed ticket.
#[derive(Debug, Clone)]
pub(super) struct Routed {
    pub route: bool,
    pub category: Option<String>,
    pub confidence: Option<f64>,
    pub team: Option<String>,
    pub agent_id: Option<String>,
    pub agent_confidence: Option<f64>,
    pub priority: String,
    pub why: String,
    pub guess: Guess,
}

/// How urgent a ticket is of whose category nothing is known.
const USUAL_PRIORITY: &str = "medium";

/// Routes tickets; `load`: open tickets that agents hold already, by agent id. The result runs beside `tickets`.
pub(super) fn route(
    knowledge: &Knowledge,
    tickets: &[Open],
    agents: &[Agent],
    load: &BTreeMap<String, u64>,
) -> Vec<Routed> {
    let mut routed: Vec<Routed> = match tickets {
        // One alone is decided where it stands: a process that only asks (the extension's host) gets no threads from us.
        [one] => vec![decide(knowledge, one, Asked::All)],
        many => many
            .par_iter()
            .map(|ticket| decide(knowledge, ticket, Asked::All))
            .collect(),
    };
    let staff: Vec<crate::support::Agent> = agents.iter().map(|agent| staff(agent, load)).collect();
    let seat: BTreeMap<&str, usize> = agents
        .iter()
        .enumerate()
        .map(|(at, agent)| (agent.agent_id.as_str(), at))
        .collect();
    let asking: Vec<usize> = (0..tickets.len())
        .filter(|&at| routed[at].route && tickets[at].agent_id.is_none())
        .collect();
    let waiting: Vec<Waiting> = asking
        .iter()
        .map(|&at| Waiting {
            category: routed[at].category.clone().unwrap_or_default(),
            team: routed[at].team.clone(),
            language: tickets[at].language.clone(),
            priority: routed[at].priority.clone(),
            created_at: tickets[at].created_at,
            last_agent: tickets[at]
                .last_agent
                .as_deref()
                .and_then(|id| seat.get(id).copied()),
            votes: votes(&routed[at].guess.near, |row| {
                seat.get(knowledge.traces[row as usize].agent_id.as_deref()?)
                    .copied()
            }),
        })
        .collect();
    for (
        &at,
        Assignment {
            agent,
            confidence,
            why,
        },
    ) in asking.iter().zip(assign(&waiting, &staff))
    {
        let name = agent.map(|agent| {
            agents[agent]
                .name
                .clone()
                .unwrap_or_else(|| agents[agent].agent_id.clone())
        });
        let one = &mut routed[at];
        one.agent_id = agent.map(|agent| agents[agent].agent_id.clone());
        one.agent_confidence = confidence;
        if one.team.is_none() {
            one.team = agent.and_then(|agent| agents[agent].team.clone());
        }
        one.why = match name {
            Some(name) => format!("{}; {name} {why}", one.why),
            None => format!("{}; no agent: {why}", one.why),
        };
    }
    routed
}

/// Category, team and priority of one ticket: a person's word first, then the model's where it is sure enough.
pub(super) fn decide(knowledge: &Knowledge, ticket: &Open, asked: Asked) -> Routed {
    let policy = &knowledge.policy;
    let guess = knowledge.guess(&ticket.text, ticket.subject, Some(&ticket.ticket_id), asked);
    let best = guess
        .candidates
        .first()
        .map(|&(class, p)| (class, &policy.classes[class as usize], p));
    let label = policy.label;
    let decider = if ticket.by_person {
        "a person"
    } else {
        "an earlier route"
    };
    let (mut route, category, confidence, mut why) = match (&ticket.category, best) {
        (Some(kept), _) => (
            true,
            Some(kept.clone()),
            ticket.by_person.then_some(1.0),
            format!("{decider} chose category {kept}"),
        ),
        (None, best) if ticket.none_fits => (
            ticket.team.is_some() || ticket.agent_id.is_some(),
            best.filter(|_| label == Label::Category)
                .map(|(_, class, _)| class.name.clone()),
            best.map(|(_, _, p)| p),
            "a person said that no category fits".to_owned(),
        ),
        (None, None) => (
            ticket.team.is_some() || ticket.agent_id.is_some(),
            None,
            None,
            policy.measured.clone(),
        ),
        (None, Some((class_at, class, p))) => {
            let (needed, measured) = (policy.threshold.needed(class_at), &policy.measured);
            let what = format!("{} {}", label.as_str(), class.name);
            let sure = p >= needed && guess.none_of_these.is_none();
            let why = match guess.none_of_these {
                Some(none) => format!(
                    "most like tickets that people put in no category ({none:.2}); next {what} at {p:.2}"
                ),
                None if sure => format!("{what} at {p:.2}, at least {needed:.2} is needed ({measured})"),
                None if needed.is_finite() => {
                    let (p, needed) = apart(p, needed);
                    format!("{what} at only {p}, {needed} is needed ({measured})")
                }
                None if policy.threshold.confidence.is_finite() => {
                    format!(
                        "{what} at {p:.2}, but no confidence was right often enough for this {}",
                        label.as_str()
                    )
                }
                None => format!("{what} at {p:.2}, but {measured}"),
            };
            (
                sure || ticket.team.is_some() || ticket.agent_id.is_some(),
                (label == Label::Category).then(|| class.name.clone()),
                Some(p),
                why,
            )
        }
    };
    let usual = match label {
        Label::Category => (0..)
            .zip(&policy.classes)
            .find(|(_, known)| Some(&known.name) == category.as_ref()),
        Label::Team => best.map(|(at, class, _)| (at, class)),
    };
    let mut team = ticket.team.clone();
    if let Some(team) = &team {
        why = match ticket.stays {
            Some(_) => format!("{why}; team {team} has it"),
            None => format!("{why}; {decider} chose team {team}"),
        };
    } else if route && !ticket.none_fits {
        let found = find_team(policy, &guess, usual, confidence.unwrap_or(1.0));
        // Somebody has it already: then the team is only said.
        route = found.sure || ticket.agent_id.is_some();
        team = found.team;
        if let Some(said) = found.why {
            why = format!("{why}; {said}");
        }
    }
    if let Some(agent) = &ticket.agent_id {
        why = match ticket.stays {
            Some(because) => format!("{why}; stays with agent {agent}, {}", because.as_str()),
            None => format!("{why}; {decider} chose agent {agent}"),
        };
    }
    let priority = ticket
        .priority
        .clone()
        .or_else(|| guess.priority.as_ref().map(|told| told.value.clone()))
        .or_else(|| usual.and_then(|(_, known)| known.priority.clone()));
    Routed {
        route,
        category,
        confidence,
        team,
        agent_id: ticket.agent_id.clone(),
        agent_confidence: None,
        priority: priority.unwrap_or_else(|| USUAL_PRIORITY.into()),
        why,
        guess,
    }
}

/// The team of a ticket about to be routed.
struct Found {
    team: Option<String>,
    /// Whether it may be routed: its team is right as often as stated, or no team is known to choose.
    sure: bool,
    why: Option<String>,
}

/// The team the words tell, where that was right with the stated precision at this confidence; else the one usual for the
/// category, where that was. `confidence` is that of the category.
fn find_team(policy: &Policy, guess: &Guess, usual: Option<(u32, &Class)>, confidence: f64) -> Found {
    let usual = usual.and_then(|(at, class)| Some((at, class, class.team.as_ref()?)));
    if policy.label == Label::Team {
        return Found {
            team: usual.map(|(_, _, team)| team.clone()), // as sure as the label, and said with it
            sure: true,
            why: None,
        };
    }
    let surely = |team: &str, why: String| Found {
        team: Some(team.to_owned()),
        sure: true,
        why: Some(why),
    };
    let mut doubts = Vec::new();
    if let Some(told) = &guess.team {
        let (team, p, needed) = (&told.value, told.confidence, told.needed);
        if p >= needed {
            return surely(
                team,
                format!("its words say team {team} at {p:.2}, at least {needed:.2} is needed"),
            );
        }
        doubts.push(match needed.is_finite() {
            true => {
                let (p, needed) = apart(p, needed);
                format!("its words say team {team} at only {p}, {needed} is needed")
            }
            false => format!("its words say team {team} at {p:.2}, but no confidence was right often enough"),
        });
    }
    if let Some((at, class, team)) = usual {
        match (&policy.usual, class.team_share) {
            (Some(threshold), Some(share)) if !class.has_one_team(threshold.aimed) => doubts.push(format!(
                "team {team} had only {:.0} % of the old tickets of this category",
                100.0 * share
            )),
            (Some(threshold), _) if !threshold.passes(at, confidence) => doubts.push(format!(
                "team {team}, usual for this category, was not right often enough at such a confidence"
            )),
            _ => return surely(team, format!("team {team} handles it")),
        }
    }
    match doubts.is_empty() {
        true => Found {
            team: None,
            sure: true,
            why: Some("no team: no old ticket of this category names one".into()),
        },
        false => Found {
            team: None,
            sure: false,
            why: Some(format!("{}, so people decide", doubts.join("; "))),
        },
    }
}

/// A confidence and the higher one that is needed, with as many digits as tell them apart.
fn apart(p: f64, needed: f64) -> (String, String) {
    let with = |digits: usize| (format!("{p:.digits$}"), format!("{needed:.digits$}"));
    (2..)
        .map(with)
        .take(16)
        .find(|(p, needed)| p != needed)
        .unwrap_or_else(|| with(17))
}

fn staff(agent: &Agent, load: &BTreeMap<String, u64>) -> crate::support::Agent {
    crate::support::Agent {
        team: agent.team.clone(),
        languages: agent.languages.clone().unwrap_or_default(),
        skills: agent.skills.clone(),
        capacity: agent.capacity.map(|capacity| capacity.max(0) as u64),
        load: load.get(&agent.agent_id).copied().unwrap_or(0),
        active: agent.active,
    }
}

#[cfg(test)]
mod tests;
