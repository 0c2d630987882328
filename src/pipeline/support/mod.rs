//! Support: the five steps of this family.
//!
//! `collect` reads and prepares; the pure models of [`crate::support`] are tried on tickets they have not seen and
//! then fitted to all; `knowledge` is what was learned, as it is kept; `answer` routes and drafts from it. The naive
//! answer is to send everything to triage with the most frequent category as the guess: where no model is right more
//! often than that, it is what is published, and `why` says so.

mod answer;
mod ask;
mod card;
mod collect;
mod continuity;
mod draft;
mod due;
mod judge;
mod knowledge;
mod labels;
mod learn;

pub use ask::{Answer, ask};
pub use collect::{Collected, Prepared};
pub use knowledge::learned_from;

use self::answer::Routed;
use self::draft::{Drafted, Told};
use self::knowledge::Knowledge;
use self::learn::Learned;
use super::{Family, Night, SupportOptions, Verdict};
use crate::store::results::{TicketDraft, TicketNeighbour, TicketRoute};
use crate::store::{GenerationWriter, Snapshot};
use crate::support::DraftDecision;
use anyhow::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Whether working hours can be read.
///
/// # Errors
/// Says what was expected.
pub fn check_working_hours(zone: chrono_tz::Tz, hours: Option<&str>) -> Result<()> {
    due::Clock::new(zone, hours).map(drop)
}

/// The family, with the options of its job file.
#[derive(Debug, Clone, Default)]
pub struct Support {
    /// `[support]`.
    pub options: SupportOptions,
}

/// What the night decided.
#[derive(Debug)]
pub struct Judged {
    knowledge: Knowledge,
    routed: Vec<Routed>,
    /// None for tickets whose last word is the shop's.
    drafts: Vec<Option<Drafted>>,
}

impl Family for Support {
    const NAME: &'static str = "support";
    type Collected = Collected;
    type Prepared = Prepared;
    type Fitted = Learned;
    type Judged = Judged;

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        Ok(snapshot.newest_support_at(now)?)
    }

    fn collect(&self, snapshot: &Snapshot, _night: &Night<'_>) -> Result<Collected> {
        collect::collect(snapshot)
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        collect::prepare(collected, night)
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Learned> {
        learn::learn(prepared, night)
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        fitted: Learned,
        _night: &Night<'_>,
    ) -> Result<(Judged, Verdict)> {
        let (knowledge, scores) = fitted.judge(prepared, &self.options);
        let mut load: BTreeMap<String, u64> = BTreeMap::new();
        for agent in prepared.open.iter().filter_map(|ticket| ticket.agent_id.clone()) {
            *load.entry(agent).or_default() += 1;
        }
        let routed = answer::route(&knowledge, &prepared.open, &prepared.agents, &load);
        let told = |row: usize| {
            let old = &prepared.old[row];
            let (_, reply) = old.reply.as_ref()?;
            Some(Told {
                reply: reply.clone(),
                names: old.names.clone(),
            })
        };
        let article = |row: usize| Some(prepared.articles[row].body.clone());
        let drafts: Vec<Option<Drafted>> = prepared
            .open
            .par_iter()
            .zip(&routed)
            .map(|(ticket, routed)| {
                let write = || draft::draft(&knowledge, ticket, routed, &prepared.agents, told, article);
                (!ticket.answered).then(write)
            })
            .collect();
        let sent = routed.iter().filter(|one| one.route).count();
        let drafted = drafts
            .iter()
            .flatten()
            .filter(|one| one.draft.decision != DraftDecision::None)
            .count();
        let model = knowledge.policy.model.as_deref().unwrap_or("no model");
        let why = format!(
            "{model}: {}; {sent} of {} open tickets routed, {drafted} drafts{}",
            knowledge.policy.measured,
            prepared.open.len(),
            if knowledge.languages.iter().all(Option::is_none) {
                ": no solved ticket has an agent's reply"
            } else {
                ""
            },
        );
        Ok((
            Judged {
                knowledge,
                routed,
                drafts,
            },
            Verdict {
                publish: true,
                why,
                scores,
            },
        ))
    }

    fn publish(
        &self,
        prepared: &Prepared,
        judged: &Judged,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        judged
            .knowledge
            .save(|name, format, bytes| Ok(generation.artefact(name, format, bytes)?))?;
        let both = || prepared.open.iter().zip(&judged.routed);
        generation.write(both().map(|(ticket, routed)| {
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
                due_at: night
                    .settings
                    .sla_hours
                    .get(&routed.priority)
                    .map(|hours| prepared.clock.due(ticket.created_at, *hours)),
                why: routed.why.clone(),
                routed_at: night.now,
            }
        }))?;
        generation.write(both().flat_map(|(ticket, routed)| {
            routed
                .guess
                .near
                .iter()
                .zip(1..)
                .map(|(near, rank)| TicketNeighbour {
                    ticket_id: ticket.ticket_id.clone(),
                    rank,
                    neighbour_ticket_id: judged.knowledge.traces[near.row as usize].ticket_id.clone(),
                    distance: near.distance(),
                })
        }))?;
        generation.write(
            prepared
                .open
                .iter()
                .zip(&judged.drafts)
                .filter_map(|(ticket, drafted)| {
                    let Drafted { draft, sources, .. } = drafted.as_ref()?;
                    Some(TicketDraft {
                        ticket_id: ticket.ticket_id.clone(),
                        reply_to: ticket.reply_to,
                        replies_seen: ticket.replies_seen,
                        decision: draft.decision.as_str().into(),
                        reply: draft.reply.clone(),
                        confidence: draft.confidence.unwrap_or(0.0),
                        sources: serde_json::to_string(sources).unwrap_or_else(|_| "[]".into()),
                        drafted_at: night.now,
                    })
                }),
        )?;
        card::judge(prepared, night)?;
        card::keep(prepared, judged, night)
    }
}
