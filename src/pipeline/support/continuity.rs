//! From one night to the next: who keeps a ticket, and what people did with the answers of earlier nights.
//!
//! A new model may send a ticket elsewhere only while nobody has touched it. Once a person entered something or an agent
//! replied, it stays with the agent who replied last, else with the one an earlier answer gave it to, unless a person has
//! since entered a category that is not this agent's. And a customer keeps the agent of the last ticket. None of this is a label: only what people entered is learned from.

use super::super::Night;
use super::collect::{Old, Open, sent};
use super::knowledge::Class;
use crate::store::{Agent, ArchivedDraft, ArchivedRoute, Held, Reply, Ticket};
use anyhow::Result;
use std::collections::BTreeMap;

/// Why a ticket stays with whom it was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// A person entered something, or an agent replied.
    Touched,
    /// It was given to somebody, and the day is not over.
    Given,
}

impl Stays {
    /// The end of a sentence.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Stays::Touched => "because somebody has worked on it",
            Stays::Given => "who was given it before",
        }
    }
}

/// Leaves touched tickets where they are, and tells who had each customer's last ticket. `before`: the published
/// routes; `usual`: the categories with their usual teams.
pub(super) fn keep(
    open: &mut [Open],
    old: &[Old],
    before: &BTreeMap<String, Held>,
    agents: &[Agent],
    usual: &[Class],
) {
    let mut had: BTreeMap<&str, Vec<(i64, &str, &str)>> = BTreeMap::new();
    for one in old {
        if let Some(agent) = &one.agent_id {
            had.entry(&one.customer)
                .or_default()
                .push((one.created_at, &one.ticket_id, agent));
        }
    }
    had.values_mut().for_each(|tickets| tickets.sort_unstable());
    for ticket in open {
        let earlier = ticket
            .user_id
            .as_deref()
            .and_then(|user| had.get(user))
            .and_then(|tickets| {
                let earlier = tickets.iter().rev();
                earlier
                    .copied()
                    .find(|&(at, id, _)| (at, id) < (ticket.created_at, ticket.ticket_id.as_str()))
            });
        ticket.last_agent = earlier.map(|(_, _, agent)| agent.to_owned());
        if ticket.touched {
            hold(
                ticket,
                before.get(&ticket.ticket_id),
                agents,
                usual,
                Stays::Touched,
            );
        }
    }
}

/// Leaves a ticket with the agent who replied last, else with the one it was given to (`routed`), where that agent still is
/// one for it.
pub(super) fn hold(
    ticket: &mut Open,
    routed: Option<&Held>,
    agents: &[Agent],
    usual: &[Class],
    because: Stays,
) {
    if ticket.agent_id.is_some() {
        return;
    }
    // By agent_id: they are read in this order.
    let seated = |id: &str| {
        let at = agents.binary_search_by(|agent| agent.agent_id.as_str().cmp(id));
        at.ok().map(|at| &agents[at]).filter(|agent| agent.active)
    };
    let replied = ticket.replied_by.as_deref().and_then(seated);
    // Who was only given the ticket keeps it while it still is the agent's kind of ticket.
    let given = routed
        .and_then(|held| Some((held, seated(held.agent_id.as_deref()?)?)))
        .filter(|(held, agent)| fits(ticket, held, agent, usual))
        .map(|(_, agent)| agent);
    let keeper = [replied, given].into_iter().flatten().find(|agent| {
        // Somebody moved it to another team: then it is that team's.
        ticket.team.is_none() || agent.team.is_none() || agent.team == ticket.team
    });
    if let Some(agent) = keeper {
        ticket.agent_id = Some(agent.agent_id.clone());
        ticket.stays = Some(because);
        if ticket.team.is_none() && ticket.category.is_none() {
            ticket.team = agent
                .team
                .clone()
                .or_else(|| routed.and_then(|held| held.team.clone()));
        }
    }
}

/// Whether the agent who was given a ticket is still one for it, after what people entered.
fn fits(ticket: &Open, held: &Held, agent: &Agent, usual: &[Class]) -> bool {
    let Some(category) = &ticket.category else {
        return !ticket.none_fits;
    };
    if held.category.as_ref() == Some(category) {
        return true;
    }
    let knows = agent
        .skills
        .as_ref()
        .is_none_or(|skills| skills.contains(category));
    let team = usual
        .iter()
        .find(|class| class.name == *category)
        .and_then(|class| class.team.as_ref());
    knows && (team.is_none() || agent.team.is_none() || agent.team.as_ref() == team)
}

/// What a person decided about a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decided {
    pub category: Option<String>,
    pub team: Option<String>,
}

/// Answers of earlier nights, and what happened to their tickets.
#[derive(Debug, Default)]
pub(super) struct Happened {
    pub routes: Vec<ArchivedRoute>,
    pub drafts: Vec<ArchivedDraft>,
    /// By ticket.
    pub decided: BTreeMap<String, Decided>,
    /// The reply that was sent when the draft stood, by ticket; none = the ticket went on without one.
    pub sent: BTreeMap<String, Option<String>>,
}

impl Happened {
    /// What earlier nights of the same or an earlier instant wait for.
    pub(super) fn awaited(night: &Night<'_>) -> Result<Happened> {
        let mut happened = Happened {
            routes: night.shop.archived_routes()?,
            drafts: night.shop.archived_drafts()?,
            ..Happened::default()
        };
        happened.routes.retain(|one| one.made_at <= night.as_of);
        happened.drafts.retain(|one| one.made_at <= night.as_of);
        Ok(happened)
    }

    /// Looks at a ticket and its messages, as far as they were known.
    pub(super) fn look(&mut self, ticket: &Ticket, thread: &[Reply]) {
        let id = &ticket.ticket_id;
        if self.routes.binary_search_by(|one| one.ticket_id.cmp(id)).is_ok() && ticket.by_person {
            let entered = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
            let decided = Decided {
                category: entered(&ticket.category),
                team: entered(&ticket.team),
            };
            if decided != Decided::default() {
                self.decided.insert(id.clone(), decided);
            }
        }
        if let Ok(at) = self.drafts.binary_search_by(|one| one.ticket_id.cmp(id)) {
            let next = thread.get(self.drafts[at].replies_seen.max(0) as usize);
            if let Some(next) = next {
                // A customer who wrote again, or the draft itself sent unseen, tells nothing of the draft.
                let reply = (next.author == "agent")
                    .then(|| sent(&next.body))
                    .filter(|reply| !reply.is_empty());
                self.sent.insert(id.clone(), reply);
            } else if ticket.status == "closed" {
                self.sent.insert(id.clone(), None);
            }
        }
    }
}
