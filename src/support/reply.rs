//! Drafted replies: what an agent wrote to the nearest old ticket in the same language.
//!
//! The confidence is what such a draft was worth on the shop's own history. Each old ticket in turn (a sample of them)
//! is treated as new, its nearest other ticket lends the reply, and ROUGE-L says how much of the agent's real reply it
//! shares. A curve that never falls from similarity to ROUGE-L turns a new ticket's similarity into an expected
//! ROUGE-L. A draft is suggested where that lies above what a random old reply of the language scored.

use super::isotonic::Isotonic;
use super::measure::{rouge_l, rouge_words};
use super::neighbours::{Neighbour, Solved};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A solved ticket that an agent answered; runs beside the rows of [`Solved`].
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// First part of the reply's language tag.
    pub language: String,
    /// What the agent wrote.
    pub reply: String,
}

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

/// A draft: whose reply it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The solved ticket whose reply is copied; none when nothing near is in the language.
    pub neighbour: Option<Neighbour>,
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
    /// Mean ROUGE-L of the nearest reply.
    pub rouge_l: f64,
    /// Mean ROUGE-L of a random old reply of the same language, on the same tickets.
    pub naive: f64,
    /// Mean ROUGE-L of the fifth with the highest similarity.
    pub best_fifth: f64,
    /// Old tickets it was measured on.
    pub measured_on: usize,
}

/// What history taught about drafts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drafting {
    curve: Isotonic,
    /// Expected ROUGE-L from which a draft is suggested; infinite = never.
    pub suggest_from: f64,
    /// How it was measured; none without enough history.
    pub scores: Option<DraftScores>,
}

/// Neighbours looked at for one in the right language.
pub(super) const LOOK: usize = super::NEIGHBOURS;
/// Old tickets measured at the most, spread over the history.
const SAMPLE: usize = 2000;
/// Fewer measured tickets than this tell nothing.
const FEWEST: usize = 20;
/// Expected ROUGE-L from which a reply may go out unseen, where the shop allows it for the category: nearly the
/// agent's own words.
const SEND_FROM: f64 = 0.6;

impl Drafting {
    /// Measures drafts on history, leaving each ticket out in turn. The random replies of the naive answer depend on
    /// `seed` only.
    pub fn measure(solved: &Solved, answered: &[Option<Answered>], seed: u64) -> Drafting {
        let with_reply: Vec<usize> = (0..answered.len())
            .filter(|&row| answered[row].is_some())
            .collect();
        let step = with_reply.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<usize> = with_reply.iter().copied().step_by(step).collect();
        let mut dictionary = HashMap::new();
        let words: Vec<Vec<u32>> = answered
            .iter()
            .map(|one| {
                one.as_ref()
                    .map(|one| rouge_words(&one.reply, &mut dictionary))
                    .unwrap_or_default()
            })
            .collect();
        let mut dice = fastrand::Rng::with_seed(seed);
        let random: Vec<Option<usize>> = sample
            .iter()
            .map(|&row| {
                // A few throws find one of the same language, unless there is hardly any.
                (0..32)
                    .map(|_| with_reply[dice.usize(..with_reply.len())])
                    .find(|&other| other != row && language(answered, other) == language(answered, row))
            })
            .collect();
        let measured: Vec<(f64, f64, f64)> = sample
            .par_iter()
            .zip(&random)
            .filter_map(|(&row, random)| {
                let near = nearest_in(
                    &solved.nearest_others(row, LOOK),
                    |row| language(answered, row),
                    language(answered, row)?,
                )?;
                let naive = random.map_or(0.0, |other| rouge_l(&words[row], &words[other]));
                Some((
                    f64::from(near.similarity),
                    rouge_l(&words[row], &words[near.row as usize]),
                    naive,
                ))
            })
            .collect();
        if measured.len() < FEWEST {
            return Drafting {
                suggest_from: f64::INFINITY,
                ..Drafting::default()
            };
        }
        let mean = |values: &mut dyn Iterator<Item = f64>, n: usize| values.sum::<f64>() / n as f64;
        let mut by_similarity = measured.clone();
        by_similarity.sort_by(|a, b| b.0.total_cmp(&a.0));
        let fifth = measured.len() / 5;
        let naive = mean(&mut measured.iter().map(|one| one.2), measured.len());
        let points: Vec<(f64, f64)> = measured
            .iter()
            .map(|&(similarity, rouge, _)| (similarity, rouge))
            .collect();
        Drafting {
            curve: Isotonic::fit(&points, (measured.len() / 40).clamp(5, 40)),
            suggest_from: naive + f64::EPSILON,
            scores: Some(DraftScores {
                rouge_l: mean(&mut measured.iter().map(|one| one.1), measured.len()),
                naive,
                best_fifth: mean(&mut by_similarity[..fifth].iter().map(|one| one.1), fifth),
                measured_on: measured.len(),
            }),
        }
    }

    /// The draft for a ticket from its nearest solved ones. `languages`: of the agents' replies, by row of the solved;
    /// none = not answered. `wanted`: the ticket's. `may_send`: the shop lets drafts of this category go out
    /// unseen and the category is sure.
    pub fn draft(
        &self,
        neighbours: &[Neighbour],
        languages: &[Option<String>],
        wanted: &str,
        may_send: bool,
    ) -> Draft {
        let none = |neighbour: Option<Neighbour>, confidence: Option<f64>, why: &'static str| Draft {
            neighbour,
            confidence,
            decision: DraftDecision::None,
            why: Some(why),
        };
        if languages.iter().all(Option::is_none) {
            return none(None, None, "no solved ticket has an agent's reply");
        }
        let Some(near) = nearest_in(neighbours, |row| languages[row].as_deref(), wanted) else {
            return none(None, None, "no near solved ticket was answered in this language");
        };
        let Some(expected) = self.curve.at(f64::from(near.similarity)) else {
            return none(
                Some(near),
                None,
                "too few answered tickets to measure what a draft is worth",
            );
        };
        if expected < self.suggest_from {
            return none(
                Some(near),
                Some(expected),
                "the nearest reply is expected to fit no better than any old reply",
            );
        }
        let decision = if may_send && expected >= SEND_FROM {
            DraftDecision::Send
        } else {
            DraftDecision::Suggest
        };
        Draft {
            neighbour: Some(near),
            confidence: Some(expected),
            decision,
            why: None,
        }
    }
}

fn language(answered: &[Option<Answered>], row: usize) -> Option<&str> {
    answered[row].as_ref().map(|one| one.language.as_str())
}

/// The nearest neighbour with a reply in the language (`und` and an unknown language of the reply match any).
fn nearest_in<'a>(
    neighbours: &[Neighbour],
    language: impl Fn(usize) -> Option<&'a str>,
    wanted: &str,
) -> Option<Neighbour> {
    neighbours.iter().copied().find(|near| {
        language(near.row as usize)
            .is_some_and(|own| own == wanted || own == "und" || wanted == "und" || wanted.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{TfIdf, TfIdfOptions};

    /// Forty tickets of two matters in English, and one in Chinese.
    fn history() -> (Solved, Vec<Option<Answered>>, TfIdf) {
        let mut texts: Vec<String> = Vec::new();
        let mut answered = Vec::new();
        for i in 0..40 {
            let (text, reply) = if i % 2 == 0 {
                (
                    "my parcel is late where is it",
                    "The carrier brings your parcel tomorrow, sorry for the wait.",
                )
            } else {
                (
                    "i forgot the password of my account",
                    "We have sent you a link to choose a new password.",
                )
            };
            texts.push(format!("{text} case{i}"));
            answered.push(Some(Answered {
                language: "en".into(),
                reply: format!("{reply} Agent {}", i % 5),
            }));
        }
        texts.push("我的包裹在哪里 parcel late".into());
        answered.push(Some(Answered {
            language: "zh".into(),
            reply: "明天送到。".into(),
        }));
        let (model, rows) = TfIdf::fit(&texts, &TfIdfOptions::default());
        (Solved::new(&rows), answered, model)
    }

    fn languages(answered: &[Option<Answered>]) -> Vec<Option<String>> {
        answered
            .iter()
            .map(|one| one.as_ref().map(|one| one.language.clone()))
            .collect()
    }

    fn near(solved: &Solved, model: &TfIdf, text: &str) -> Vec<Neighbour> {
        let (columns, values): (Vec<u32>, Vec<f32>) = model.vector(text).into_iter().unzip();
        solved.nearest(&columns, &values, LOOK)
    }

    #[test]
    fn the_nearest_reply_is_suggested_with_what_it_was_worth() {
        let (solved, answered, model) = history();
        let drafting = Drafting::measure(&solved, &answered, 1);
        let scores = drafting.scores.unwrap();
        assert!(
            scores.rouge_l > 0.85 && scores.naive < 0.75 && scores.measured_on >= 40,
            "{scores:?}"
        );
        let draft = drafting.draft(
            &near(&solved, &model, "where is my parcel"),
            &languages(&answered),
            "en",
            false,
        );
        assert_eq!(draft.decision, DraftDecision::Suggest);
        assert!(
            answered[draft.neighbour.unwrap().row as usize]
                .as_ref()
                .unwrap()
                .reply
                .contains("carrier")
        );
        assert!(draft.confidence.unwrap() > 0.8);
        let sent = drafting.draft(
            &near(&solved, &model, "where is my parcel"),
            &languages(&answered),
            "en",
            true,
        );
        assert_eq!(sent.decision, DraftDecision::Send);
    }

    #[test]
    fn language_and_history_are_needed() {
        let (solved, answered, model) = history();
        let drafting = Drafting::measure(&solved, &answered, 1);
        let neighbours = near(&solved, &model, "parcel late 包裹在哪里");
        let draft = drafting.draft(&neighbours, &languages(&answered), "zh", false);
        assert_eq!(draft.neighbour.unwrap().row, 40);
        assert!(
            drafting
                .draft(&neighbours, &languages(&answered), "fr", false)
                .why
                .unwrap()
                .contains("language")
        );
        let nobody = vec![None; answered.len()];
        let silent = Drafting::measure(&solved, &nobody, 1);
        assert!(silent.scores.is_none());
        assert!(
            silent
                .draft(&neighbours, &languages(&nobody), "en", false)
                .why
                .unwrap()
                .contains("no solved ticket")
        );
    }
}
