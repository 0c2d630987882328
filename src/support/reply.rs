//! Drafted replies: what agents wrote to the nearest old tickets, put together, and what that is worth.
//!
//! How it is put together ([`super::consensus`]) has three numbers, and what it is worth is one curve; all are learned
//! from the shop's own history, each language for itself. A seeded sample of answered tickets is treated as new, one at a
//! time, its own reply hidden:
//!
//! - On one half the numbers are chosen, one after the other: by ROUGE-L of the drafts against the replies that were sent,
//!   beta by ROUGE-L + BLEU-4. (ROUGE-L alone likes drafts too short, BLEU alone forgives drafts that miss the matter.)
//! - On the other half the drafts are judged with those numbers. A curve that never falls ([`Isotonic`]) turns the overlap
//!   that a draft expects of itself into the overlap such drafts had: the confidence.
//!
//! A draft is suggested where that is so many times what a random old reply of the language scored (the shop says how many),
//! or reaches [`SEND_FROM`]: where one template answers everything, a random reply is as good as any, and still right. It may go out
//! unseen where the shop allows it for the category, the category is sure, the confidence reaches [`SEND_FROM`] and nothing
//! in it is left for a person to fill.

mod network;

pub use network::NetworkScores;

use super::bleu::Bleu;
use super::consensus::Weighing;
use super::isotonic::Isotonic;
use super::measure::{rouge_l, rouge_words};
use super::private::{Own, has_hole};
use super::quote::{Quote, Written, write};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// What to do with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftDecision {
    /// May go out unseen.
    Send,
    /// Shown to an agent.
    Suggest,
    /// Not worth showing.
    None,
}

impl DraftDecision {
    /// The word in the result table.
    pub fn as_str(self) -> &'static str {
        match self {
            DraftDecision::Send => "send",
            DraftDecision::Suggest => "suggest",
            DraftDecision::None => "none",
        }
    }
}

/// A draft and what to do with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The text; none when the decision is none.
    pub reply: Option<String>,
    /// Which of the quotes, then of the written replies, it is made of; empty when the decision is none.
    pub quoted: Vec<usize>,
    /// Expected ROUGE-L with the reply an agent would write, 0 to 1; none when history could not tell.
    pub confidence: Option<f64>,
    /// What to do with it.
    pub decision: DraftDecision,
    /// In plain words, where the decision is none.
    pub why: Option<&'static str>,
}

/// How drafts fared on history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DraftScores {
    /// Mean ROUGE-L of the drafts.
    pub rouge_l: f64,
    /// BLEU-4 of the drafts.
    pub bleu: f64,
    /// Mean ROUGE-L of the reply to the nearest ticket, as it was sent.
    pub nearest: f64,
    /// Mean ROUGE-L of a random old reply of the same language, on the same tickets.
    pub naive: f64,
    /// Mean ROUGE-L of the surest fifth.
    pub best_fifth: f64,
    /// Old tickets it was measured on.
    pub measured_on: usize,
}

/// How drafts in one language are written and what they are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manner {
    /// The numbers chosen.
    pub weighing: Weighing,
    /// Expected ROUGE-L from which a draft is suggested.
    pub suggest_from: f64,
    /// How it was measured.
    pub scores: DraftScores,
    /// How a network's replies fared, where there is a network.
    pub network: Option<NetworkScores>,
    curve: Isotonic,
}

/// What history taught about drafts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drafting {
    /// By language.
    pub manners: BTreeMap<String, Manner>,
}

/// An answered ticket of the sample.
#[derive(Debug, Clone)]
pub struct Example {
    /// Language of the reply.
    pub language: String,
    /// What was sent.
    pub reply: String,
    /// The replies to the nearest other tickets in that language, nearest first, and articles.
    pub quotes: Vec<(Quote, Option<f64>)>,
    /// The reply to the nearest, as it was sent.
    pub nearest: String,
    /// A random reply of the language.
    pub random: String,
    /// Replies that a network which has not learned from it wrote, best first, with their confidence.
    pub written: Vec<(Quote, f64)>,
}

/// Nearest replies that are asked at the most.
pub const REPLIES: usize = 20;
/// Expected ROUGE-L from which a reply may go out unseen: nearly the agent's own words.
pub const SEND_FROM: f64 = 0.6;
/// Share of the uncalibrated overlap in a confidence: too little to matter, enough to order equals.
const ORDER: f64 = 0.001;
/// Answered tickets of a language on which drafts are measured at the most; as many again choose the numbers.
pub const SAMPLE: usize = 240;
/// Fewer measured tickets than this tell nothing.
const FEWEST: usize = 20;
/// With fewer than this all are measured and the usual numbers stay.
const CHOOSE_FROM: usize = 80;
/// Tickets the numbers are chosen on at the most.
const CHOOSE_ON: usize = 120;

/// The numbers where history cannot choose.
const USUAL: Weighing = Weighing {
    replies: REPLIES,
    temperature: 0.1,
    beta: 1.0,
    written: 0.0,
};

impl Drafting {
    /// Learns from a seeded sample, in random order: examples of one language are split in two by their place. Drafts are
    /// suggested from `above` times what a random old reply scores on; 0: all are.
    ///
    /// # Errors
    /// What `check` says, asked between the stages.
    pub fn measure<E>(
        examples: &[Example],
        above: f64,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Drafting, E> {
        let mut languages: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
        for example in examples {
            languages.entry(&example.language).or_default().push(example);
        }
        let mut manners = BTreeMap::new();
        for (language, examples) in languages {
            check()?;
            let (choosing, judging) = match examples.len() >= CHOOSE_FROM {
                true => examples.split_at(examples.len() / 2),
                false => examples.split_at(0),
            };
            let weighing = choose(&choosing[..choosing.len().min(CHOOSE_ON)], &mut check)?;
            check()?;
            if let Some(manner) = Manner::measure(judging, weighing, above) {
                manners.insert(language.to_owned(), manner);
            }
        }
        Ok(Drafting { manners })
    }

    /// How drafts in a language are written; a ticket of unknown language is answered like most of the shop's.
    fn manner(&self, language: &str) -> Option<&Manner> {
        match language {
            "und" | "" => self
                .manners
                .values()
                .max_by_key(|manner| manner.scores.measured_on),
            language => self.manners.get(language),
        }
    }

    /// The draft for a ticket from the replies to the nearest solved ones in its language. `may_send`: the shop lets drafts
    /// of this category go out unseen and the category is sure.
    pub fn draft(&self, quotes: &[(Quote, Option<f64>)], language: &str, own: &Own, may_send: bool) -> Draft {
        self.draft_with(quotes, &[], language, own, may_send)
    }

    /// The same with replies that a network wrote beside them.
    pub fn draft_with(
        &self,
        quotes: &[(Quote, Option<f64>)],
        written: &[(Quote, f64)],
        language: &str,
        own: &Own,
        may_send: bool,
    ) -> Draft {
        let none = |confidence: Option<f64>, why: &'static str| Draft {
            reply: None,
            quoted: Vec::new(),
            confidence,
            decision: DraftDecision::None,
            why: Some(why),
        };
        if quotes.iter().all(|quote| quote.1.is_none()) {
            return none(None, "no near solved ticket was answered in this language");
        }
        let Some(manner) = self.manner(language) else {
            return none(
                None,
                "too few answered tickets in this language to measure what a draft is worth",
            );
        };
        let Some(Written {
            text,
            expected,
            quoted,
        }) = write(quotes, written, &manner.weighing, own)
        else {
            return none(None, "the nearest replies are empty");
        };
        // Where the curve is level, the overlap that the draft expects of itself still says which is surer.
        let confidence = (1.0 - ORDER) * manner.curve.at(expected).unwrap_or(0.0) + ORDER * expected;
        if confidence < manner.suggest_from {
            return none(
                Some(confidence),
                "what the nearest replies agree on is expected to fit hardly better than any old reply",
            );
        }
        let send = may_send && confidence >= SEND_FROM && !has_hole(&text);
        Draft {
            reply: Some(text),
            quoted,
            confidence: Some(confidence),
            decision: if send {
                DraftDecision::Send
            } else {
                DraftDecision::Suggest
            },
            why: None,
        }
    }
}

/// A draft beside the reply that was sent.
struct Judged {
    expected: f64,
    rouge: f64,
    draft: Vec<u32>,
    reply: Vec<u32>,
}

fn judge(examples: &[&Example], weighing: &Weighing) -> Vec<Judged> {
    examples
        .par_iter()
        .filter_map(|example| {
            let written = write(&example.quotes, &example.written, weighing, &Own::default())?;
            let mut dictionary = HashMap::new();
            let reply = rouge_words(&example.reply, &mut dictionary);
            let draft = rouge_words(&written.text, &mut dictionary);
            Some(Judged {
                expected: written.expected,
                rouge: rouge_l(&draft, &reply),
                draft,
                reply,
            })
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

fn bleu(judged: &[Judged]) -> f64 {
    let mut bleu = Bleu::default();
    judged.iter().for_each(|one| bleu.add(&one.draft, &one.reply));
    bleu.value()
}

/// Chooses the temperature and how many replies are asked by ROUGE-L, then beta by ROUGE-L + BLEU-4. The usual number
/// stays unless another is better by more than the standard error of the difference.
fn choose<E>(examples: &[&Example], check: &mut impl FnMut() -> Result<(), E>) -> Result<Weighing, E> {
    let mut best = USUAL;
    if examples.is_empty() {
        return Ok(best);
    }
    let mut known = judge(examples, &best);
    for stage in 0..3 {
        let from = best;
        let tried = match stage {
            0 => vec![
                Weighing {
                    temperature: 0.05,
                    ..from
                },
                Weighing {
                    temperature: 0.2,
                    ..from
                },
            ],
            1 => vec![Weighing {
                replies: REPLIES / 2,
                ..from
            }],
            _ => vec![Weighing { beta: 1.15, ..from }, Weighing { beta: 1.3, ..from }],
        };
        for weighing in tried {
            check()?;
            let other = judge(examples, &weighing);
            let gains: Vec<f64> = other
                .iter()
                .zip(&known)
                .map(|(new, old)| new.rouge - old.rouge)
                .collect();
            let gain = mean(gains.iter().copied());
            let square = mean(gains.iter().map(|one| (one - gain).powi(2)));
            let error = (square / gains.len().max(1) as f64).sqrt();
            // The same draft everywhere is no gain, however small the error.
            let better = if stage == 2 {
                gain + bleu(&other) - bleu(&known) > error
            } else {
                gain > error
            };
            if better {
                (best, known) = (weighing, other);
            }
        }
    }
    Ok(best)
}

/// Where drafts are worth an agent's look: `above` times chance, `naive`, but no higher than [`SEND_FROM`].
fn suggest_from(naive: f64, above: f64) -> f64 {
    (above * naive).min(SEND_FROM)
}

impl Manner {
    fn measure(examples: &[&Example], weighing: Weighing, above: f64) -> Option<Manner> {
        let judged = judge(examples, &weighing);
        if judged.len() < FEWEST {
            return None;
        }
        let beside = |other: fn(&Example) -> &str| {
            mean(examples.iter().map(|example| {
                let mut dictionary = HashMap::new();
                let reply = rouge_words(&example.reply, &mut dictionary);
                rouge_l(&reply, &rouge_words(other(example), &mut dictionary))
            }))
        };
        let mut surest: Vec<(f64, f64)> = judged.iter().map(|one| (one.expected, one.rouge)).collect();
        let curve = Isotonic::fit(&surest, (judged.len() / 20).clamp(5, 40));
        surest.sort_by(|a, b| b.0.total_cmp(&a.0));
        let naive = beside(|example| &example.random);
        let best_fifth = mean(surest.iter().take(judged.len() / 5).map(|one| one.1));
        Some(Manner {
            weighing,
            suggest_from: suggest_from(naive, above),
            scores: DraftScores {
                rouge_l: mean(judged.iter().map(|one| one.rouge)),
                bleu: bleu(&judged),
                nearest: beside(|example| &example.nearest),
                naive,
                best_fifth,
                measured_on: judged.len(),
            },
            network: None,
            curve,
        })
    }
}

#[cfg(test)]
mod tests;
