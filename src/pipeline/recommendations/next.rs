//! next_products: what people look at or buy next, learned from the order inside baskets and visits.

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::Prepared;
use super::scores::Page;
use super::write::{LISTS_AT_ONCE, Pen};
use crate::pipeline::Night;
use crate::recommend::lists::{From as Origin, Row};
use crate::recommend::memory::OfSessions;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::sessions::Sessions;
use crate::recommend::sessions::blend::Fitted;
use crate::recommend::sessions::judge::{self, Published, Verdict};
use crate::recommend::sessions::kept;
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
}

impl Next {
    /// Tunes and judges the session models, beside what is published.
    pub(super) fn fit(
        prepared: &Prepared,
        words: &Neighbours,
        published: Option<Published>,
        night: &Night<'_>,
    ) -> Result<Next> {
        let sessions = Sessions::of(&prepared.log);
        night.control.check()?;
        let verdict = judge::choose(&sessions, words, published, None, night.seed, &night.control)?;
        Ok(Next { sessions, verdict })
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
        scores
    }

    /// One list per product: what comes after it, then what is like it, so that a product without a follower has one too. And the
    /// model itself, for sessions under way.
    pub(super) fn write(&self, pen: &Pen<'_>, writer: &mut GenerationWriter<'_>) -> Result<()> {
        pen.control.check()?;
        let words = &pen.judged.words;
        let fitted = Fitted::fit(&self.sessions, words, None);
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
        Ok(writer.artefact(kept::NAME, kept::FORMAT, &bytes)?)
    }
}
