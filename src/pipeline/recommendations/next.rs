//! next_products: what people look at or buy next, learned from the order inside baskets and visits.
//!
//! The models are those of [`crate::recommend::sessions`]; here they get their surroundings: the options, last night's network,
//! checkpoints. Where a network is in what is published, tonight's is learned from all sessions and goes with the model of sessions,
//! and the one that was judged is kept for the next night ([`past`]).

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::Prepared;
use super::scores::Page;
use super::write::{LISTS_AT_ONCE, Pen};
use crate::fit::Control;
use crate::pipeline::{Night, RecommendationOptions};
use crate::recommend::cnn::{Reading, TextOptions};
use crate::recommend::lists::{From as Origin, Row};
use crate::recommend::memory::OfSessions;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::sessions::Sessions;
use crate::recommend::sessions::blend::Fitted;
use crate::recommend::sessions::deep::{Deep, Kind, Purpose};
use crate::recommend::sessions::judge::{self, Deeper, Published, Verdict};
use crate::recommend::sessions::kept;
use crate::recommend::sessions::network::{self, Network};
use crate::recommend::sessions::past;
use crate::store::results::NextProduct;
use crate::store::{GenerationWriter, Score};

/// Rows of a product's list.
const ROWS: usize = 30;
/// Products that rules choose from.
const CHOICE: usize = 60;

/// The sessions, and which model foresees them best.
#[derive(Debug)]
pub(super) struct Next {
    sessions: Sessions,
    verdict: Verdict,
    /// Tonight's network, where one is in the winner.
    network: Option<Network>,
    /// Whether the judged one went on from last night's.
    went_on: bool,
}

/// How the networks of sessions are learned tonight.
#[derive(Debug)]
pub(super) struct Learning {
    /// Over sessions; none = no network learns.
    rnn: Option<network::Options>,
    /// Over the products' texts; none = that one does not.
    cnn: Option<TextOptions>,
    /// What last night's leaves.
    past: Option<(i64, Vec<f32>)>,
    seed: u64,
}

impl Learning {
    /// As the shop's options want it.
    pub(super) fn of(
        prepared: &Prepared,
        options: &RecommendationOptions,
        night: &Night<'_>,
    ) -> Result<Learning> {
        let learns = options.rnn_steps > 0;
        Ok(Learning {
            rnn: learns.then(|| super::deep::options(options.rnn_steps, night)),
            cnn: (learns && options.cnn_steps > 0).then(|| text_options(options, night)),
            past: match learns {
                true => super::deep::past(past::NAME, prepared, night)?,
                false => None,
            },
            seed: night.seed,
        })
    }
}

impl Next {
    /// Tunes and judges the session models, beside what is published, and learns tonight's network. `texts` are those of the products.
    pub(super) fn fit(
        prepared: &Prepared,
        texts: &[String],
        words: &Neighbours,
        published: Option<Published>,
        learning: Learning,
        control: &Control,
    ) -> Result<Next> {
        let Learning { rnn, cnn, past, seed } = learning;
        let sessions = Sessions::of(&prepared.log);
        control.check()?;
        let readings: Vec<Reading> = match cnn {
            None => Vec::new(),
            Some(_) => texts.par_iter().map(|text| Reading::of(text)).collect(),
        };
        let deep = rnn.map(|rnn| Deep {
            rnn,
            texts: cnn.map(|cnn| (readings.as_slice(), cnn)),
            past,
        });
        let verdict = judge::choose(&sessions, words, published, deep.as_ref(), seed, control)?;
        let rested = published.is_some_and(|published| published.rest);
        let network = match deep.as_ref().zip(verdict.deeper.as_ref()) {
            Some((deep, Deeper { kind, past, .. })) => {
                let start = Some(past.params().to_vec());
                let texts = *kind == Kind::Texts;
                let networks = deep.learn(&sessions, start, texts, Purpose::Tonight, control)?;
                let network = networks.into_network(*kind);
                Some(network.context("the products' texts teach no network tonight")?)
            }
            None => None,
        };
        Ok(Next {
            went_on: rested
                && deep
                    .zip(verdict.deeper.as_ref())
                    .is_some_and(|(deep, deeper)| deep.goes_on(deeper.until)),
            sessions,
            verdict,
            network,
        })
    }

    /// What the next night gets to know.
    pub(super) fn remembered(&self) -> Option<OfSessions> {
        Some(OfSessions {
            model: self.verdict.model.to_owned(),
            weights: self.verdict.weights,
            tuned: self.verdict.tuned?,
        })
    }

    /// Why this model, in plain words.
    pub(super) fn why(&self) -> &str {
        &self.verdict.why
    }

    /// Every candidate's figures on later sessions.
    pub(super) fn scores(&self) -> Vec<Score> {
        let mut scores = Vec::new();
        for candidate in &self.verdict.candidates {
            let page = Page {
                result: "next_products",
                model: candidate.name,
                slice: "",
                split: "next products of the last 20 % of sessions",
                chosen: candidate.name == self.verdict.winner,
            };
            scores.push(page.figure("hr@20", candidate.hit_rate));
            scores.push(page.figure("mrr@20", candidate.reciprocal_rank));
            scores.push(page.count("steps", self.verdict.steps as f64));
        }
        let (steps, split) = match &self.verdict.learned {
            Err(why) => (0, format!("skipped: {why}")),
            Ok(0) => (
                0,
                "none is in what is published, and the night tunes nothing".to_owned(),
            ),
            Ok(steps) if self.went_on => (*steps, "went on from last night's".to_owned()),
            Ok(steps) => (*steps, "begun anew".to_owned()),
        };
        let page = Page {
            result: "next_products",
            model: Kind::Sessions.name(),
            slice: "learning",
            split: &split,
            chosen: self.network.is_some(),
        };
        scores.push(page.count("network_steps", steps as f64));
        scores
    }

    /// One list per product: what comes after it, then what is like it, so that a product without a follower has one too. And the
    /// model itself, for sessions under way.
    pub(super) fn write(&self, pen: &Pen<'_>, writer: &mut GenerationWriter<'_>) -> Result<()> {
        pen.control.check()?;
        let words = &pen.judged.words;
        let fitted = Fitted::fit(&self.sessions, words, self.network.as_ref());
        let rules = pen.prepared.rules.of("next_products");
        for chunk in pen.by_key().chunks(LISTS_AT_ONCE) {
            pen.control.check()?;
            let rows: Vec<Vec<NextProduct>> = chunk
                .par_iter()
                .map(|&page| {
                    let wishes = rules.wishes(None, Some(page));
                    let next = fitted.next(&[page], &self.verdict.weights, CHOICE);
                    let last = next.last().map_or(1.0, |&(_, score)| score);
                    let alike = pen
                        .behaviour
                        .of(page as usize)
                        .iter()
                        .chain(words.of(page as usize));
                    // What is merely like it goes on below the last of what came after it.
                    let mut rows: Vec<Row> = next
                        .iter()
                        .copied()
                        .chain(alike.map(|&(product, likeness)| (product, likeness.min(1.0) * last * 0.9)))
                        .map(|(product, score)| Row {
                            product,
                            score,
                            from: Origin::Model,
                            because: None,
                        })
                        .collect();
                    rows.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.product.cmp(&b.product)));
                    let mut met = std::collections::HashSet::new();
                    rows.retain(|row| row.score > 0.0 && met.insert(row.product));
                    let list = pen.lists.ranked(rows, Some(page), wishes, |_| true, ROWS);
                    let row = |(row, rank): (&Row, i64)| NextProduct {
                        product_key: pen.key(page),
                        rank,
                        other_key: pen.key(row.product),
                        score: f64::from(row.score),
                    };
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            writer.write(rows.into_iter().flatten())?;
        }
        pen.control.check()?;
        let keys: Vec<i64> = (0..self.sessions.products as u32).map(|p| pen.key(p)).collect();
        let bytes = kept::to_bytes(&fitted, &self.verdict.weights, &keys, &self.sessions)
            .context("the session model for questions by day")?;
        writer.artefact(kept::NAME, kept::FORMAT, &bytes)?;
        if let Some(Deeper { past, until, .. }) = &self.verdict.deeper {
            super::deep::keep(past::NAME, past, *until, pen.prepared, writer)?;
        }
        Ok(())
    }
}

/// How texts are learned from, for sessions and for new products.
pub(super) fn text_options(options: &RecommendationOptions, night: &Night<'_>) -> TextOptions {
    TextOptions {
        steps: options.cnn_steps,
        seed: night.seed,
        ..TextOptions::default()
    }
}
