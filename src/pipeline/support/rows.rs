//! Answers as rows, by night and by day alike.

use super::answer::Routed;
use super::collect::Open;
use super::draft::Drafted;
use super::due::Clock;
use super::knowledge::Knowledge;
use crate::store::results::{TicketDraft, TicketNeighbour, TicketRoute};
use std::collections::BTreeMap;

/// A route, said at `now`; `sla_hours`: to the first answer, by priority.
pub(super) fn route(
    ticket: &Open,
    routed: &Routed,
    clock: &Clock,
    sla_hours: &BTreeMap<String, f64>,
    now: i64,
) -> TicketRoute {
    TicketRoute {
        ticket_id: ticket.ticket_id.clone(),
        decision: if routed.route { "route" } else { "triage" }.into(),
        category: routed.category.clone(),
        category_confidence: routed.confidence,
        team: routed.team.clone(),
        agent_id: routed.agent_id.clone(),
        agent_confidence: routed.agent_confidence,
        priority: Some(routed.priority.clone()),
        language: (ticket.language != "und").then(|| ticket.language.clone()),
        due_at: sla_hours
            .get(&routed.priority)
            .map(|hours| clock.due(ticket.created_at, *hours)),
        why: routed.why.clone(),
        routed_at: now,
    }
}

/// The old tickets most like it.
pub(super) fn neighbours(
    knowledge: &Knowledge,
    ticket: &Open,
    routed: &Routed,
) -> impl Iterator<Item = TicketNeighbour> {
    let near = routed.guess.near.iter().zip(1..);
    near.map(|(near, rank)| TicketNeighbour {
        ticket_id: ticket.ticket_id.clone(),
        rank,
        neighbour_ticket_id: knowledge.traces[near.row as usize].ticket_id.clone(),
        distance: near.distance(),
    })
}

/// A draft, written at `now`.
pub(super) fn draft(ticket: &Open, drafted: &Drafted, now: i64) -> TicketDraft {
    let Drafted { draft, sources, .. } = drafted;
    TicketDraft {
        ticket_id: ticket.ticket_id.clone(),
        reply_to: ticket.reply_to,
        replies_seen: ticket.replies_seen,
        decision: draft.decision.as_str().into(),
        reply: draft.reply.clone(),
        confidence: draft.confidence.unwrap_or(0.0),
        sources: serde_json::to_string(sources).unwrap_or_else(|_| "[]".into()),
        drafted_at: now,
    }
}
