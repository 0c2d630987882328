//! Answers about a text that is not stored, from what the published night learned.

use super::answer::{self, Routed};
use super::collect::{self, Open};
use super::draft::{self, Drafted, Source, Told};
use super::knowledge::{Asked, Knowledge};
use crate::store::{Agent, Shop};
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;

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

/// What a text is about, as `classify_ticket` of the contract.
#[derive(Debug, Clone, Serialize)]
pub struct Classified {
    /// route or triage.
    pub decision: &'static str,
    /// Best guess; none without labels.
    pub category: Option<String>,
    /// Probability.
    pub category_confidence: Option<f64>,
    /// The surest categories.
    pub candidates: Vec<Candidate>,
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

/// Who answers tickets, and how many each holds already, as of now.
#[derive(Debug, Clone)]
pub struct Staff {
    agents: Vec<Agent>,
    load: BTreeMap<String, u64>,
}

impl Staff {
    /// Reads it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn read(shop: &Shop) -> Result<Staff> {
        Ok(Staff {
            agents: shop.agents()?,
            load: shop.open_tickets_by_agent()?,
        })
    }
}

/// What one generation learned about tickets, ready to be asked.
#[derive(Debug)]
pub struct Models {
    knowledge: Knowledge,
}

impl Models {
    /// Reads the models of a generation.
    ///
    /// # Errors
    /// Models that are not there, damaged, or do not belong together.
    pub fn read(shop: &Shop, generation: i64) -> Result<Models> {
        Ok(Models {
            knowledge: Knowledge::of(shop, generation)?,
        })
    }

    /// What a text is about. Reads nothing from the file.
    pub fn classify(&self, text: &str) -> Classified {
        // Neither the language nor what the customer says of themselves has a part in it.
        let ticket = Open {
            text: collect::text("", text),
            ..Open::default()
        };
        let routed = answer::decide(&self.knowledge, &ticket, Asked::Decision);
        Classified {
            decision: decision(&routed),
            category: routed.category.clone(),
            category_confidence: routed.confidence,
            candidates: self.candidates(&routed),
        }
    }

    /// Where a text in `language` (none = told from the text) belongs, at the instant `now`. Reads nothing from the file.
    pub fn route(&self, staff: &Staff, text: &str, language: Option<&str>, now: i64) -> Route {
        let ticket = ticket(text, language, now);
        let routed = self.routed(staff, &ticket);
        self.said(&ticket, routed)
    }

    /// Where a text belongs and what to answer, in the words of replies and articles as they stand in the file now.
    pub fn answer(&self, shop: &Shop, staff: &Staff, text: &str, language: Option<&str>, now: i64) -> Answer {
        let ticket = ticket(text, language, now);
        let routed = self.routed(staff, &ticket);
        let drafted = draft_from(shop, &self.knowledge, &ticket, &routed, &staff.agents);
        Answer {
            draft: Reply {
                decision: drafted.draft.decision.as_str(),
                why: drafted.draft.why,
                confidence: drafted.draft.confidence.unwrap_or(0.0),
                reply: drafted.draft.reply,
                sources: drafted.sources,
            },
            route: self.said(&ticket, routed),
        }
    }

    fn routed(&self, staff: &Staff, ticket: &Open) -> Routed {
        let one = std::slice::from_ref(ticket);
        answer::route(&self.knowledge, one, &staff.agents, &staff.load).remove(0)
    }

    fn candidates(&self, routed: &Routed) -> Vec<Candidate> {
        let candidate = |&(class, confidence): &(u32, f64)| Candidate {
            category: self.knowledge.policy.classes[class as usize].name.clone(),
            confidence,
        };
        let surest = routed.guess.candidates.iter().take(CANDIDATES);
        surest.map(candidate).collect()
    }

    fn said(&self, ticket: &Open, routed: Routed) -> Route {
        let near = routed.guess.near.iter();
        Route {
            decision: decision(&routed),
            candidates: self.candidates(&routed),
            neighbours: near
                .map(|near| Near {
                    ticket_id: self.knowledge.traces[near.row as usize].ticket_id.clone(),
                    distance: near.distance(),
                })
                .collect(),
            category: routed.category,
            category_confidence: routed.confidence,
            team: routed.team,
            agent_id: routed.agent_id,
            agent_confidence: routed.agent_confidence,
            priority: routed.priority,
            language: ticket.language.clone(),
            why: routed.why,
        }
    }
}

fn decision(routed: &Routed) -> &'static str {
    if routed.route { "route" } else { "triage" }
}

/// A ticket that consists of a text.
fn ticket(text: &str, language: Option<&str>, now: i64) -> Open {
    let messages = collect::messages("", text);
    let text = collect::text("", text);
    Open {
        language: collect::language(language, &text),
        text,
        created_at: now,
        messages,
        ..Open::default()
    }
}

/// Answers about `text` in `language` (none = told from the text), at the instant `now`.
///
/// # Errors
/// Nothing published yet, or models that cannot be read.
pub fn ask(shop: &Shop, text: &str, language: Option<&str>, now: i64) -> Result<Answer> {
    shop.at_one_instant(|| {
        let published = shop
            .published("support")?
            .context("the support job has published nothing yet; run it first: nightclerk run support")?;
        let models = Models::read(shop, published.generation)?;
        Ok(models.answer(shop, &Staff::read(shop)?, text, language, now))
    })?
}
