//! Answers from what a night learned: category, team, agent, priority and draft of tickets, all waiting ones at once,
//! because they share the agents' time.

use super::collect::Open;
use super::knowledge::{Guess, Knowledge};
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
    let mut routed: Vec<Routed> = tickets
        .par_iter()
        .map(|ticket| decide(knowledge, ticket))
        .collect();
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
fn decide(knowledge: &Knowledge, ticket: &Open) -> Routed {
    let policy = &knowledge.policy;
    let guess = knowledge.guess(&ticket.text, ticket.subject, Some(&ticket.ticket_id));
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
    let (route, category, confidence, mut why) = match (&ticket.category, best) {
        (Some(kept), _) => (
            true,
            Some(kept.clone()),
            ticket.by_person.then_some(1.0),
            format!("{decider} chose category {kept}"),
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
                    format!("{what} at only {p:.2}, {needed:.2} is needed ({measured})")
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
        Label::Category => policy
            .classes
            .iter()
            .find(|known| Some(&known.name) == category.as_ref()),
        Label::Team => best.map(|(_, class, _)| class),
    };
    let team = ticket
        .team
        .clone()
        .or_else(|| guess.team.clone().filter(|_| route))
        .or_else(|| usual.and_then(|known| known.team.clone()).filter(|_| route));
    match (&ticket.team, &team) {
        (Some(team), _) if ticket.stays => why = format!("{why}; team {team} has it"),
        (Some(team), _) => why = format!("{why}; {decider} chose team {team}"),
        (None, Some(_)) if label == Label::Team => {} // said already
        (None, Some(team)) if guess.team.is_some() => why = format!("{why}; its words say team {team}"),
        (None, Some(team)) => why = format!("{why}; team {team} handles it"),
        (None, None) if route => why = format!("{why}; no team: no old ticket of this category names one"),
        (None, None) => {}
    }
    if let Some(agent) = &ticket.agent_id {
        why = match ticket.stays {
            true => format!("{why}; stays with agent {agent}, because somebody has worked on it"),
            false => format!("{why}; {decider} chose agent {agent}"),
        };
    }
    let priority = ticket
        .priority
        .clone()
        .or_else(|| guess.priority.clone())
        .or_else(|| usual.and_then(|known| known.priority.clone()));
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

fn staff(agent: &Agent, load: &BTreeMap<String, u64>) -> crate::support::Agent {
    crate::support::Agent {
        team: agent.team.clone(),
        languages: agent.languages.clone().unwrap_or_default(),
        skills: agent.skills.clone().filter(|skills| !skills.is_empty()),
        capacity: agent.capacity.map(|capacity| capacity.max(0) as u64),
        load: load.get(&agent.agent_id).copied().unwrap_or(0),
        active: agent.active,
    }
}
