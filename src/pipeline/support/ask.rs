//! Answers about a text that is not stored, from what the published night learned.

use super::answer::{self, Routed};
use super::collect::{self, Open};
use super::draft::{self, Drafted, Source, Told};
use super::knowledge::Knowledge;
use crate::store::{Agent, Shop, Snapshot};
use anyhow::{Context, Result};
use serde::Serialize;

/// How many categories are named.
const CANDIDATES: usize = 3;

/// Where a text belongs and what to answer.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// As `classify_ticket` and `route_ticket` of the contract.
    pub route: Route,
    /// As `draft_reply` of the contract.
    pub draft: Reply,
}

/// Where a text belongs.
#[derive(Debug, Clone, Serialize)]
pub struct Route {
    /// route or triage.
    pub decision: &'static str,
    /// Best guess; none without labels.
    pub category: Option<String>,
    /// Probability.
    pub category_confidence: Option<f64>,
    /// The surest categories.
    pub candidates: Vec<Candidate>,
    /// None with triage.
    pub team: Option<String>,
    /// None with triage, or when nobody can take it now.
    pub agent_id: Option<String>,
    /// Share of the nearest tickets' votes.
    pub agent_confidence: Option<f64>,
    /// low to urgent.
    pub priority: String,
    /// Tag, `und` when the text does not say.
    pub language: String,
    /// Plain words.
    pub why: String,
    /// The old tickets most like it.
    pub neighbours: Vec<Near>,
}

/// A category and how sure.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    /// Its name.
    pub category: String,
    /// Probability.
    pub confidence: f64,
}

/// An old ticket and how far.
#[derive(Debug, Clone, Serialize)]
pub struct Near {
    /// Its id.
    pub ticket_id: String,
    /// Euclidean distance of unit vectors.
    pub distance: f64,
}

/// What to answer.
#[derive(Debug, Clone, Serialize)]
pub struct Reply {
    /// None when 'none'.
    pub reply: Option<String>,
    /// Expected overlap with the reply an agent would write.
    pub confidence: f64,
    /// send, suggest or none.
    pub decision: &'static str,
    /// Why there is none.
    pub why: Option<&'static str>,
    /// Where the words come from.
    pub sources: Vec<Source>,
}

/// A draft that quotes what stands in the tables now.
pub(super) fn draft_from(
    shop: &Shop,
    knowledge: &Knowledge,
    ticket: &Open,
    routed: &Routed,
    agents: &[Agent],
) -> Drafted {
    let told = |row: usize| {
        let trace = &knowledge.traces[row];
        let reply = shop.reply_body(trace.reply_id?).ok()??;
        let ticket = shop.ticket_body(&trace.ticket_id).ok()??;
        Some(Told {
            reply: collect::sent(&reply),
            names: collect::names(&ticket),
        })
    };
    let article = |row: usize| shop.article_body(&knowledge.pages[row].article_id).ok()?;
    draft::draft(knowledge, ticket, routed, agents, true, told, article)
}

/// Answers about `text` in `language` (none = told from the text), at the instant `now`.
///
/// # Errors
/// Nothing published yet, or models that cannot be read.
pub fn ask(shop: &Shop, text: &str, language: Option<&str>, now: i64) -> Result<Answer> {
    let knowledge = Knowledge::load(shop)?
        .context("the support job has published nothing yet; run it first: nightclerk run support")?;
    let agents = Snapshot::begin(shop)?.agents()?;
    let messages = collect::messages("", text);
    let text = collect::text("", text);
    let ticket = Open {
        language: collect::language(language, &text),
        text,
        created_at: now,
        messages,
        ..Open::default()
    };
    let tickets = [ticket];
    let routed = answer::route(&knowledge, &tickets, &agents, &shop.open_tickets_by_agent()?).remove(0);
    let drafted = draft_from(shop, &knowledge, &tickets[0], &routed, &agents);
    Ok(Answer {
        draft: Reply {
            decision: drafted.draft.decision.as_str(),
            why: drafted.draft.why,
            confidence: drafted.draft.confidence.unwrap_or(0.0),
            reply: drafted.draft.reply,
            sources: drafted.sources,
        },
        route: Route {
            decision: if routed.route { "route" } else { "triage" },
            category: routed.category,
            category_confidence: routed.confidence,
            candidates: routed
                .guess
                .candidates
                .iter()
                .take(CANDIDATES)
                .map(|&(class, confidence)| Candidate {
                    category: knowledge.policy.classes[class as usize].name.clone(),
                    confidence,
                })
                .collect(),
            team: routed.team,
            agent_id: routed.agent_id,
            agent_confidence: routed.agent_confidence,
            priority: routed.priority,
            language: tickets[0].language.clone(),
            why: routed.why,
            neighbours: routed
                .guess
                .near
                .iter()
                .map(|near| Near {
                    ticket_id: knowledge.traces[near.row as usize].ticket_id.clone(),
                    distance: near.distance(),
                })
                .collect(),
        },
    })
}
