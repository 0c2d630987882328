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
mod day;
mod draft;
mod due;
mod fresh;
mod judge;
mod knowledge;
mod labels;
mod learn;
mod network;
mod rows;
#[cfg(test)]
mod tests_network;
mod written;

pub use ask::{Answer, Classified, Models, Reply, Route, Staff, ask};
pub use collect::{Collected, Prepared};
pub use day::{Answered, BATCH, Desk, MOST};
pub use knowledge::learned_from;

use self::answer::Routed;
use self::draft::{Drafted, Told};
use self::knowledge::Knowledge;
use self::learn::Learned;
use super::{Family, Night, SupportOptions, Verdict};
use crate::fit::Stopped;
use crate::store::{GenerationWriter, Snapshot};
use crate::support::DraftDecision;
use anyhow::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Tickets of a night, in the order of their keys, for which a network is asked: it takes a hundred times as long as the
/// rest of a draft. By day it is asked for each.
const WRITTEN: usize = 1000;

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
        learn::learn(prepared, &self.options, night)
    }

    fn evaluate(&self, prepared: &Prepared, fitted: Learned, night: &Night<'_>) -> Result<(Judged, Verdict)> {
        let (knowledge, scores, networks) = fitted.judge(prepared, &self.options);
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
        let mut asked = 0;
        let networked: Vec<bool> = (prepared.open.iter())
            .map(|ticket| {
                asked += usize::from(!ticket.answered);
                asked <= WRITTEN
            })
            .collect();
        let control = &night.control;
        let drafts: Vec<Option<Drafted>> = prepared
            .open
            .par_iter()
            .zip(&routed)
            .zip(&networked)
            .map(|((ticket, routed), &networked)| {
                control.check()?;
                let agents = &prepared.agents;
                let write = || draft::draft(&knowledge, ticket, routed, agents, networked, told, article);
                Ok((!ticket.answered).then(write))
            })
            .collect::<Result<_, Stopped>>()?;
        let sent = routed.iter().filter(|one| one.route).count();
        let drafted = drafts
            .iter()
            .flatten()
            .filter(|one| one.draft.decision != DraftDecision::None)
            .count();
        let model = knowledge.policy.model.as_deref().unwrap_or("no model");
        let why = format!(
            "{model}: {}; {sent} of {} open tickets routed, {drafted} drafts{}{networks}",
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
            rows::route(
                ticket,
                routed,
                &prepared.clock,
                &night.settings.sla_hours,
                night.now,
            )
        }))?;
        generation
            .write(both().flat_map(|(ticket, routed)| rows::neighbours(&judged.knowledge, ticket, routed)))?;
        let drafts = prepared.open.iter().zip(&judged.drafts);
        generation.write(
            drafts.filter_map(|(ticket, drafted)| Some(rows::draft(ticket, drafted.as_ref()?, night.now))),
        )?;
        card::judge(prepared, night)?;
        card::keep(prepared, judged, night)
    }
}
