//! One batch of tickets answered by day: which of them need an answer, and what it is.

use super::super::zone;
use super::answer;
use super::ask::draft_from;
use super::collect::{self, Open};
use super::continuity::{self, Stays};
use super::draft::Drafted;
use super::due::Clock;
use super::knowledge::Knowledge;
use super::labels::{Label, NONE_OF_THESE};
use super::{card, rows};
use crate::fit::Control;
use crate::store::{Agent, DayAnswer, DayTicket, Settings, Shop, now};
use crate::support::DraftDecision;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The models of a generation.
#[derive(Debug)]
pub(super) struct Loaded {
    pub generation: i64,
    as_of: i64,
    knowledge: Knowledge,
    /// The most frequent class.
    naive: Option<String>,
}

impl Loaded {
    /// Reads them.
    ///
    /// # Errors
    /// Models that cannot be read.
    pub(super) fn read(shop: &Shop, generation: i64, as_of: Option<i64>) -> Result<Loaded> {
        let knowledge = Knowledge::of(shop, generation)?;
        Ok(Loaded {
            generation,
            as_of: as_of.unwrap_or(0),
            naive: naive(&knowledge),
            knowledge,
        })
    }
}

/// The most frequent class; the first by name of equals.
fn naive(knowledge: &Knowledge) -> Option<String> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for class in knowledge.traces.iter().filter_map(|trace| trace.class) {
        *counts.entry(class).or_default() += 1;
    }
    let (class, _) = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))?;
    Some(knowledge.policy.classes.get(*class as usize)?.name.clone())
}

/// Whether the answer a ticket has is no longer one to what it is now.
pub(super) fn needs(now: &DayTicket) -> bool {
    let Some(shown) = &now.shown else { return true };
    let last = now.thread.last();
    if last.is_none_or(|m| m.author == "customer") && !shown.drafted {
        return true;
    }
    if let Some(seen) = shown.seen {
        return seen != now.seen;
    }
    // A night's answer: what a person has entered since, and who has replied.
    let (ticket, held) = (&now.ticket, &shown.held);
    let other = |entered: &Option<String>, said: &Option<String>| {
        entered.as_ref().is_some_and(|value| !value.is_empty()) && entered != said
    };
    let language = ticket.language.as_deref().filter(|tag| !tag.is_empty());
    let replied = last.filter(|m| m.author == "agent").map(|m| &m.agent_id);
    (ticket.category.as_deref() != Some(NONE_OF_THESE) && other(&ticket.category, &held.category))
        || other(&ticket.team, &held.team)
        || other(&ticket.agent_id, &held.agent_id)
        || other(&ticket.priority, &shown.priority)
        || language.is_some_and(|tag| Some(collect::language(Some(tag), "")) != shown.language)
        || (ticket.agent_id.is_none() && replied.is_some_and(|agent| other(agent, &held.agent_id)))
}

/// An answer, and what is told of it.
#[derive(Debug)]
pub(super) struct Computed {
    pub answer: DayAnswer,
    pub routed: bool,
    pub drafted: bool,
    /// Who gets the ticket and did not have it.
    pub gives: Option<String>,
}

/// Answers these tickets together; `load`: open tickets by agent.
pub(super) fn compute(
    shop: &Shop,
    loaded: &Loaded,
    settings: &Settings,
    agents: &[Agent],
    load: &BTreeMap<String, u64>,
    tickets: &[&DayTicket],
    control: &Control,
) -> Result<Vec<Computed>> {
    let knowledge = &loaded.knowledge;
    let clock = Clock::new(zone(&settings.time_zone)?, settings.working_hours.as_deref())
        .context("tickets are not answered by day")?;
    let usual = match knowledge.policy.label {
        Label::Category => knowledge.policy.classes.as_slice(),
        Label::Team => &[],
    };
    let open: Vec<Open> = tickets
        .iter()
        .map(|now| {
            let text = collect::text(&now.ticket.subject, &now.ticket.body);
            let mut open = collect::waiting(&now.ticket, &text, &now.thread);
            open.last_agent = now.last_agent.clone();
            let because = if open.touched {
                Stays::Touched
            } else {
                Stays::Given
            };
            let held = now.shown.as_ref().map(|shown| &shown.held);
            continuity::hold(&mut open, held, agents, usual, because);
            open
        })
        .collect();
    let routed = answer::route(knowledge, &open, agents, load);
    let mut computed = Vec::with_capacity(open.len());
    for ((looked, ticket), routed) in tickets.iter().zip(&open).zip(&routed) {
        control.check()?;
        // A clock that was set back must not hide an answer behind an older one.
        let at = now().max(looked.shown.as_ref().map_or(0, |shown| shown.routed_at));
        let drafted = (!ticket.answered).then(|| draft_from(shop, knowledge, ticket, routed, agents));
        // The instant of what it was made of, as a night would say.
        let newest = looked.thread.iter().map(|m| m.at).max().unwrap_or(0);
        let made_at = newest.max(ticket.created_at).max(loaded.as_of).min(at);
        let kept = |naive: &String| card::kept_route(&knowledge.policy, naive, ticket, routed, made_at);
        computed.push(Computed {
            routed: routed.route,
            drafted: drafted
                .as_ref()
                .is_some_and(|one| one.draft.decision != DraftDecision::None),
            gives: routed.agent_id.clone().filter(|_| ticket.agent_id.is_none()),
            answer: DayAnswer {
                route: rows::route(ticket, routed, &clock, &settings.sla_hours, at),
                neighbours: rows::neighbours(knowledge, ticket, routed).collect(),
                draft: drafted.as_ref().map(|one| rows::draft(ticket, one, at)),
                quoted: drafted.as_ref().map(quoted).unwrap_or_default(),
                seen: looked.seen,
                archived_route: loaded.naive.as_ref().and_then(kept),
                archived_draft: drafted
                    .as_ref()
                    .and_then(|one| card::kept_draft(ticket, one, made_at)),
            },
        });
    }
    Ok(computed)
}

/// The tickets a draft quotes replies of, and these replies; a reply and its ticket follow one another.
fn quoted(drafted: &Drafted) -> Vec<(String, i64)> {
    drafted
        .sources
        .windows(2)
        .filter(|pair| pair[0].table == "replies" && pair[1].table == "tickets")
        .filter_map(|pair| Some((pair[1].id.clone(), pair[0].id.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Held, Reply, Shown, Ticket};

    #[test]
    fn an_answer_stands_until_what_it_was_made_of_changes() {
        let ticket = Ticket {
            ticket_id: "t".into(),
            user_id: None,
            subject: String::new(),
            body: "where is it".into(),
            language: None,
            status: "open".into(),
            category: None,
            team: None,
            agent_id: None,
            priority: None,
            by_person: true,
            created_at: 1,
            closed_at: None,
        };
        let said = |text: &str| Some(text.to_owned());
        let by_night = Shown {
            seen: None,
            held: Held {
                category: said("parcel"),
                team: said("post"),
                agent_id: said("ann"),
            },
            priority: said("low"),
            language: said("en"),
            routed_at: 5,
            drafted: true,
        };
        let base = DayTicket {
            ticket,
            thread: Vec::new(),
            seen: 7,
            shown: Some(by_night),
            last_agent: None,
        };
        let message = |author: &str, agent: Option<&str>| Reply {
            reply_id: 1,
            ticket_id: "t".into(),
            author: author.into(),
            agent_id: agent.map(str::to_owned),
            body: "x".into(),
            at: 2,
        };
        type Change<'a> = (&'a str, bool, &'a dyn Fn(&mut DayTicket));
        let changes: [Change<'_>; 17] = [
            ("nothing", false, &|_| {}),
            ("never answered", true, &|now| now.shown = None),
            ("its draft fell", true, &|now| {
                now.shown.as_mut().unwrap().drafted = false;
            }),
            ("the same category entered", false, &|now| {
                now.ticket.category = said("parcel")
            }),
            ("another category", true, &|now| {
                now.ticket.category = said("refund")
            }),
            ("none of these", false, &|now| now.ticket.category = said("-")),
            ("the same team", false, &|now| now.ticket.team = said("post")),
            ("another team", true, &|now| now.ticket.team = said("money")),
            ("nothing entered", false, &|now| now.ticket.team = said("")),
            ("another agent", true, &|now| now.ticket.agent_id = said("bob")),
            ("another priority", true, &|now| {
                now.ticket.priority = said("high")
            }),
            ("the same language", false, &|now| {
                now.ticket.language = said("en-GB")
            }),
            ("another language", true, &|now| now.ticket.language = said("zh")),
            ("who had it answers", false, &|now| {
                now.thread.push(message("agent", Some("ann")));
                now.shown.as_mut().unwrap().drafted = false;
            }),
            ("somebody else answers", true, &|now| {
                now.thread.push(message("agent", Some("bob")))
            }),
            ("by day, of the same", false, &|now| {
                now.ticket.team = said("money");
                now.shown.as_mut().unwrap().seen = Some(7);
            }),
            ("by day, of something else", true, &|now| {
                now.shown.as_mut().unwrap().seen = Some(8);
            }),
        ];
        for (what, expected, change) in changes {
            let mut now = base.clone();
            change(&mut now);
            assert_eq!(needs(&now), expected, "{what}");
        }
    }
}
