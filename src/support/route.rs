//! Who gets a ticket: the team that handles its category, and the agent of that team who can and may.
//!
//! An agent may get a ticket when active, with a free place, with the category among the skills (no list of skills: every
//! category; an empty list: none) and the ticket's language among the languages (none named, or a ticket of unknown language: any). All waiting
//! tickets are given out at once ([`matching`]): urgent ones come first, among equals the oldest, and nobody gets more
//! than the capacity. Who finds no agent stays with the team. Among the ways to do that the best is taken: a customer's
//! ticket goes to the agent who had the customer's last one, else to those who answered the nearest old tickets, and
//! work is shared by how full everybody is.

mod matching;
#[cfg(test)]
mod tests;

use matching::{NEVER, Place, give_out};
use std::collections::HashMap;

/// Priorities from the least to the most urgent.
pub const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

/// How urgent a priority is: 0 to 3, a name nobody knows counts as medium.
pub fn urgency(priority: &str) -> usize {
    PRIORITIES
        .iter()
        .position(|known| *known == priority)
        .unwrap_or(1)
}

/// Who can be given tickets.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// The team; none = belongs to none.
    pub team: Option<String>,
    /// BCP 47 tags; empty = every language.
    pub languages: Vec<String>,
    /// Categories; none = every one.
    pub skills: Option<Vec<String>>,
    /// Open tickets at a time; none = no limit.
    pub capacity: Option<u64>,
    /// Open tickets already held.
    pub load: u64,
    /// On duty.
    pub active: bool,
}

/// A ticket to be given to somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its category.
    pub category: String,
    /// The team that handles it, if known.
    pub team: Option<String>,
    /// BCP 47 tag or `und`.
    pub language: String,
    /// One of [`PRIORITIES`].
    pub priority: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Agents of near old tickets with their shares of the votes, by index into the agents.
    pub votes: Vec<(usize, f64)>,
    /// Who had this customer's last ticket, by index into the agents.
    pub last_agent: Option<usize>,
}

/// Who got a ticket, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Index of the agent; none = nobody can take it now.
    pub agent: Option<usize>,
    /// The agent's share of the votes of those who could have taken it; none without votes.
    pub confidence: Option<f64>,
    /// In plain words.
    pub why: String,
}

/// Cost of a ticket with an agent who answered none of the nearest; those who answered all of them cost nothing.
const UNKNOWN: i64 = 1000;
/// What it is worth that the customer knows the agent.
const KNOWN: i64 = 1500;

/// Gives out all waiting tickets at once; the result runs beside `waiting`. `agents[..].load` is not changed.
pub fn assign(waiting: &[Waiting], agents: &[Agent]) -> Vec<Assignment> {
    let mut order: Vec<usize> = (0..waiting.len()).collect();
    order.sort_by_key(|&at| {
        (
            std::cmp::Reverse(urgency(&waiting[at].priority)),
            waiting[at].created_at,
            at,
        )
    });
    // Tickets of one kind can be taken by the same agents.
    let mut kinds: HashMap<(Option<&str>, &str, &str), usize> = HashMap::new();
    let mut able: Vec<Result<Vec<usize>, String>> = Vec::new();
    let kind: Vec<usize> = waiting
        .iter()
        .map(|ticket| {
            let key = (
                ticket.team.as_deref(),
                ticket.category.as_str(),
                ticket.language.as_str(),
            );
            *kinds.entry(key).or_insert_with(|| {
                able.push(who_can(ticket, agents));
                able.len() - 1
            })
        })
        .collect();
    // Without a limit a load is full where the largest of the others is.
    let largest = agents
        .iter()
        .filter_map(|agent| agent.capacity)
        .max()
        .unwrap_or(20);
    let places: Vec<Place> = agents
        .iter()
        .map(|agent| Place {
            free: agent
                .capacity
                .map_or(u64::MAX, |all| all.saturating_sub(agent.load)),
            load: agent.load,
            full: agent.capacity.unwrap_or(largest).max(1),
        })
        .collect();
    let given = give_out(waiting.len(), &places, |number, costs| {
        let at = order[number];
        costs.fill(NEVER);
        let Ok(able) = &able[kind[at]] else { return };
        able.iter().for_each(|&agent| costs[agent] = UNKNOWN);
        for &(agent, share) in &waiting[at].votes {
            if costs[agent] < NEVER {
                costs[agent] -= (share * UNKNOWN as f64).round() as i64;
            }
        }
        if let Some(agent) = waiting[at].last_agent.filter(|&agent| costs[agent] < NEVER) {
            costs[agent] -= KNOWN;
        }
    });
    let mut assigned: Vec<Option<Assignment>> = vec![None; waiting.len()];
    for (number, agent) in given.into_iter().enumerate() {
        let at = order[number];
        assigned[at] = Some(explain(&waiting[at], agent, &able[kind[at]]));
    }
    assigned.into_iter().flatten().collect()
}

/// The agents who could take a ticket if they had a free place; or why there is none.
fn who_can(ticket: &Waiting, agents: &[Agent]) -> Result<Vec<usize>, String> {
    if agents.is_empty() {
        return Err("no agents are known".into());
    }
    let mut able: Vec<usize> = (0..agents.len())
        .filter(|&at| agents[at].active && (ticket.team.is_none() || agents[at].team == ticket.team))
        .collect();
    if able.is_empty() {
        return Err(match &ticket.team {
            Some(team) => format!("nobody of team {team} is on duty"),
            None => "nobody is on duty".into(),
        });
    }
    able.retain(|&at| agents[at].knows(&ticket.category));
    if able.is_empty() {
        return Err(format!("nobody on duty has the skill {}", ticket.category));
    }
    able.retain(|&at| agents[at].speaks(&ticket.language));
    if able.is_empty() {
        return Err(format!(
            "nobody on duty with the skill {} reads {}",
            ticket.category, ticket.language
        ));
    }
    Ok(able)
}

/// Why an agent got a ticket, or nobody did.
fn explain(ticket: &Waiting, agent: Option<usize>, able: &Result<Vec<usize>, String>) -> Assignment {
    let nobody = |why: String| Assignment {
        agent: None,
        confidence: None,
        why,
    };
    let able = match able {
        Ok(able) => able,
        Err(why) => return nobody(why.clone()),
    };
    let Some(agent) = agent else {
        return nobody(format!(
            "all {} who could take it are at their capacity, with tickets more urgent or older",
            able.len()
        ));
    };
    let vote = |at: usize| {
        ticket
            .votes
            .iter()
            .find(|(agent, _)| *agent == at)
            .map_or(0.0, |(_, share)| *share)
    };
    let total: f64 = able.iter().map(|&at| vote(at)).sum();
    let why = match (ticket.last_agent == Some(agent), vote(agent) > 0.0, able.len()) {
        (true, ..) => "had this customer's last ticket".into(),
        (_, true, _) => format!(
            "answered {:.0} % of the nearest old tickets, weighted by nearness",
            100.0 * vote(agent)
        ),
        (_, _, 1) => "is the only one who can take it".into(),
        (_, _, able) => format!("is one of {able} who can take it, and the work is shared"),
    };
    Assignment {
        agent: Some(agent),
        confidence: (total > 0.0).then(|| vote(agent) / total),
        why,
    }
}

impl Agent {
    fn knows(&self, category: &str) -> bool {
        self.skills
            .as_ref()
            .is_none_or(|skills| skills.iter().any(|skill| skill == category))
    }

    /// Languages are compared by their first part: en-GB is en.
    fn speaks(&self, language: &str) -> bool {
        let first = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let wanted = first(language);
        self.languages.is_empty()
            || wanted.is_empty()
            || wanted == "und"
            || self.languages.iter().any(|tag| first(tag) == wanted)
    }
}
