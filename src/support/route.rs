//! Who gets a ticket: the team that handles its category, and the agent of that team who can and may.
//!
//! Urgent tickets come first, among equals the oldest. An agent may get a ticket when active, with a free place, with
//! the category among the skills (no skills named: every category) and the ticket's language among the languages (none
//! named, or a ticket of unknown language: any). Among those the one whose old tickets lie nearest, then the one with
//! the largest share of free places, then the first by order. Nobody gets more than the capacity; who finds no agent
//! stays with the team.

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
    let mut load: Vec<u64> = agents.iter().map(|agent| agent.load).collect();
    let mut given: Vec<Option<Assignment>> = vec![None; waiting.len()];
    for at in order {
        let assignment = give(&waiting[at], agents, &load);
        if let Some(agent) = assignment.agent {
            load[agent] += 1;
        }
        given[at] = Some(assignment);
    }
    given.into_iter().flatten().collect()
}

fn give(ticket: &Waiting, agents: &[Agent], load: &[u64]) -> Assignment {
    let nobody = |why: String| Assignment {
        agent: None,
        confidence: None,
        why,
    };
    if agents.is_empty() {
        return nobody("no agents are known".into());
    }
    let of_team: Vec<usize> = (0..agents.len())
        .filter(|&at| agents[at].active && (ticket.team.is_none() || agents[at].team == ticket.team))
        .collect();
    if of_team.is_empty() {
        return nobody(match &ticket.team {
            Some(team) => format!("nobody of team {team} is on duty"),
            None => "nobody is on duty".into(),
        });
    }
    let skilled: Vec<usize> = of_team
        .into_iter()
        .filter(|&at| agents[at].knows(&ticket.category))
        .collect();
    if skilled.is_empty() {
        return nobody(format!("nobody on duty has the skill {}", ticket.category));
    }
    let speaking: Vec<usize> = skilled
        .into_iter()
        .filter(|&at| agents[at].speaks(&ticket.language))
        .collect();
    if speaking.is_empty() {
        return nobody(format!(
            "nobody on duty with the skill {} reads {}",
            ticket.category, ticket.language
        ));
    }
    let vote = |at: usize| {
        ticket
            .votes
            .iter()
            .find(|(agent, _)| *agent == at)
            .map_or(0.0, |(_, share)| *share)
    };
    let free = |at: usize| {
        agents[at].capacity.map_or(1.0, |all| {
            if all == 0 {
                0.0
            } else {
                all.saturating_sub(load[at]) as f64 / all as f64
            }
        })
    };
    let total: f64 = speaking.iter().map(|&at| vote(at)).sum();
    let able = speaking.len();
    let best = speaking
        .into_iter()
        .filter(|&at| free(at) > 0.0)
        .max_by(|&a, &b| {
            vote(a)
                .total_cmp(&vote(b))
                .then(free(a).total_cmp(&free(b)))
                .then(b.cmp(&a))
        });
    let Some(best) = best else {
        return nobody(format!("all {able} who could take it are at their capacity"));
    };
    Assignment {
        agent: Some(best),
        confidence: (total > 0.0).then(|| vote(best) / total),
        why: match (vote(best) > 0.0, able) {
            (true, _) => format!(
                "answered {:.0} % of the nearest old tickets, weighted by nearness",
                100.0 * vote(best)
            ),
            (false, 1) => "the only one who can take it".into(),
            (false, able) => format!("has the most free places of the {able} who can take it"),
        },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(team: &str, languages: &[&str], skills: Option<&[&str]>, capacity: u64) -> Agent {
        let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        Agent {
            team: Some(team.into()),
            languages: all(languages),
            skills: skills.map(all),
            capacity: Some(capacity),
            load: 0,
            active: true,
        }
    }

    fn ticket(category: &str, language: &str, priority: &str, created_at: i64) -> Waiting {
        Waiting {
            category: category.into(),
            team: Some("delivery".into()),
            language: language.into(),
            priority: priority.into(),
            created_at,
            votes: Vec::new(),
        }
    }

    #[test]
    fn urgent_first_then_oldest_and_nobody_beyond_capacity() {
        let agents = [agent("delivery", &["en"], None, 2)];
        let waiting = [
            ticket("late", "en", "medium", 10),
            ticket("late", "en", "urgent", 30),
            ticket("late", "en", "medium", 5),
            ticket("late", "en", "low", 1),
        ];
        let given = assign(&waiting, &agents);
        let who: Vec<bool> = given.iter().map(|one| one.agent.is_some()).collect();
        assert_eq!(who, vec![false, true, true, false]);
        assert!(given[0].why.contains("capacity"), "{}", given[0].why);
    }

    #[test]
    fn team_skill_language_and_duty_are_asked_for() {
        let mut agents = vec![
            agent("delivery", &["en-GB"], Some(&["late"]), 9),
            agent("money", &["zh"], None, 9),
            agent("delivery", &["zh"], None, 9),
        ];
        let who = |agents: &[Agent], ticket: Waiting| assign(&[ticket], agents)[0].clone();
        assert_eq!(who(&agents, ticket("late", "en", "low", 0)).agent, Some(0));
        assert_eq!(who(&agents, ticket("late", "zh-Hans", "low", 0)).agent, Some(2));
        assert!(
            who(&agents, ticket("late", "fr", "low", 0))
                .why
                .contains("reads fr")
        );
        agents[2].active = false;
        assert!(
            who(&agents, ticket("lost", "en", "low", 0))
                .why
                .contains("skill lost")
        );
        agents[0].active = false;
        assert!(
            who(&agents, ticket("late", "en", "low", 0))
                .why
                .contains("delivery")
        );
        assert!(who(&[], ticket("late", "en", "low", 0)).why.contains("no agents"));
    }

    #[test]
    fn votes_lead_then_free_places() {
        let mut agents = vec![
            agent("delivery", &[], None, 10),
            agent("delivery", &[], None, 10),
            agent("delivery", &[], None, 4),
        ];
        agents[0].load = 5;
        let mut waiting = ticket("late", "und", "low", 0);
        assert_eq!(assign(&[waiting.clone()], &agents)[0].agent, Some(1));
        waiting.votes = vec![(0, 0.6), (1, 0.2)];
        let given = assign(&[waiting], &agents);
        assert_eq!(given[0].agent, Some(0));
        assert!((given[0].confidence.unwrap() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn capacity_holds_for_any_crowd() {
        let mut dice = fastrand::Rng::with_seed(8);
        for _ in 0..50 {
            let agents: Vec<Agent> = (0..dice.usize(1..6))
                .map(|_| Agent {
                    load: dice.u64(0..4),
                    ..agent(
                        "delivery",
                        &[["en", "zh"][dice.usize(0..2)]],
                        None,
                        dice.u64(0..8),
                    )
                })
                .collect();
            let waiting: Vec<Waiting> = (0..40)
                .map(|at| {
                    ticket(
                        "late",
                        ["en", "zh"][dice.usize(0..2)],
                        PRIORITIES[dice.usize(0..4)],
                        at,
                    )
                })
                .collect();
            let given = assign(&waiting, &agents);
            assert_eq!(given.len(), waiting.len());
            for (at, agent) in agents.iter().enumerate() {
                let new = given.iter().filter(|one| one.agent == Some(at)).count() as u64;
                assert!(new == 0 || agent.load + new <= agent.capacity.unwrap());
            }
        }
    }
}
