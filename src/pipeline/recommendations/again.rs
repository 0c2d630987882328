//! buy_again: judged on the last four weeks, learned again from everything, written by customer.

use anyhow::Result;
use rayon::prelude::*;

use super::Prepared;
use super::scores::Page;
use super::write::{LISTS_AT_ONCE, Pen};
use crate::pipeline::Night;
use crate::recommend::again::choose::{
    self, FREQUENCY, Known, LEAST_CUSTOMERS, LOGISTIC, Options, PUBLISHED, Ranker, Verdict,
};
use crate::recommend::again::dues::Dues;
use crate::recommend::again::examples::Cut;
use crate::recommend::again::list::{Row as Again, list};
use crate::recommend::again::visits::Visits;
use crate::recommend::choose::DRAWS;
use crate::recommend::lists::{From as Origin, Row};
use crate::recommend::memory::OfAgain;
use crate::store::results::BuyAgain;
use crate::store::{GenerationWriter, Score};

/// Rows of a customer's list.
const ROWS: usize = 30;

/// What the night decided about buying again.
#[derive(Debug)]
pub(super) struct BuyingAgain {
    visits: Visits,
    verdict: Verdict,
    ranker: Ranker,
    seed: u64,
}

impl BuyingAgain {
    /// Judges the candidates and learns the winner again from everything.
    pub(super) fn fit(prepared: &Prepared, known: Known, night: &Night<'_>) -> Result<BuyingAgain> {
        night.control.progress("what is bought again", 0, 1);
        let visits = Visits::fold(&prepared.log);
        let options = Options {
            seed: night.seed,
            ..Options::default()
        };
        let (now, control) = (night.as_of, night.control.quiet());
        let mut verdict = choose::choose(&visits, now, known, &options, &control)?;
        let ranker = match choose::refitted(&verdict, &visits, now, &options, &control)? {
            Ok(ranker) => ranker,
            Err(failed) => {
                verdict.winner = FREQUENCY;
                verdict.why =
                    format!("buy_again by frequency, for the model could not be fitted again: {failed}");
                Ranker::Frequency
            }
        };
        Ok(BuyingAgain {
            visits,
            verdict,
            ranker,
            seed: night.seed,
        })
    }

    /// What the next night gets to know; nothing where nobody could be tested.
    pub(super) fn remembered(&self) -> Option<OfAgain> {
        let tested = self.verdict.candidates.first()?.figures.ndcg.len();
        (tested >= LEAST_CUSTOMERS).then(|| OfAgain {
            model: match self.verdict.winner {
                PUBLISHED => LOGISTIC.to_owned(),
                winner => winner.to_owned(),
            },
            recipe: self.verdict.recipe,
        })
    }

    /// Why the winner won.
    pub(super) fn why(&self) -> &str {
        &self.verdict.why
    }

    /// Every candidate's figures.
    pub(super) fn scores(&self) -> Vec<Score> {
        let mut scores = Vec::new();
        for candidate in &self.verdict.candidates {
            let page = Page {
                result: "buy_again",
                model: candidate.name,
                slice: "",
                split: "last 28 days, customers who bought something again",
                chosen: candidate.name == self.verdict.winner,
            };
            for (metric, figure) in candidate.figures.named(DRAWS, self.seed) {
                scores.push(page.figure(metric, figure));
            }
            scores.push(page.count("users", candidate.figures.ndcg.len() as f64));
        }
        scores
    }

    /// When every pair is due, as known at `now`.
    pub(super) fn dues(&self, now: i64) -> Dues {
        Dues::at(&Cut::at(&self.visits, now))
    }
}

impl Pen<'_> {
    /// buy_again: everybody who ever bought something that is bought more than once.
    pub(super) fn again(
        &self,
        again: &BuyingAgain,
        night: &Night<'_>,
        writer: &mut GenerationWriter<'_>,
    ) -> Result<()> {
        let rules = self.prepared.rules.of("buy_again");
        let cut = Cut::at(&again.visits, night.as_of);
        // The first key is that of the visitor nobody knows, who bought nothing.
        let mut order: Vec<(i64, usize)> = self.user_keys[1..]
            .iter()
            .copied()
            .zip(self.prepared.active())
            .collect();
        order.sort_unstable();
        for chunk in order.chunks(LISTS_AT_ONCE) {
            self.control.check()?;
            let rows: Vec<Vec<BuyAgain>> = chunk
                .par_iter()
                .map(|&(user_key, user)| {
                    let Some(customer) = cut.of(user) else {
                        return Vec::new();
                    };
                    let wishes = rules.wishes(Some(user as u32), None);
                    let scores = again.ranker.scores(&customer);
                    let found = list(&customer, scores, &cut.facts, |product| wishes.boost(product));
                    let row = |again: &Again| Row {
                        product: again.product,
                        score: again.score,
                        from: Origin::Model,
                        because: None,
                    };
                    // Only what was bought can be bought again, pinned or not; and as itself, not as another variant.
                    let own = |product| {
                        let pair = customer.pairs.iter().find(|pair| pair.product == product);
                        pair.is_some_and(|pair| !pair.dismissed)
                    };
                    let rows = found.iter().map(row).collect();
                    let list = self.lists.in_order(rows, None, wishes, own, ROWS, false);
                    let due = |product| {
                        let pair = customer.pairs.iter().find(|pair| pair.product == product);
                        pair.and_then(|pair| pair.due_at)
                    };
                    let row = |(row, rank): (&Row, i64)| BuyAgain {
                        user_key,
                        rank,
                        product_key: self.key(row.product),
                        score: f64::from(row.score),
                        due_day: due(row.product), // an instant still: the night is not shared between threads
                    };
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            let dated = |row: BuyAgain| BuyAgain {
                due_day: row.due_day.map(|at| night.day_of(at)),
                ..row
            };
            writer.write(rows.into_iter().flatten().map(dated))?;
        }
        Ok(())
    }
}
