//! The recurrent voice of the lists: a network over what customers met, one product after the other.
//!
//! The counting models take a history for a set; this one takes it for a path. The [network](super::sessions::network) is that of
//! sessions (GRU4Rec with tied vectors), here over the products of each customer's history in the order in which they were
//! met, so its state after the last of them is the customer's. It learns from a cut's training part alone, and its probabilities
//! join the blend:
//!
//! `score(u, j) = blend(u, j) / max_j blend(u, j) + w · v(j) / max_j v(j)`, `v(j) = p(j | u)^¼ lift(j)`, the maxima over products outside
//! the history and the lift that of recent demand, as in the blend.
//!
//! The root, because probabilities fall off more steeply than scores do. w is chosen on the latest inner cut by a network that knows
//! its training part only; where it adds less than [`WORTH_IT`] there, the other two networks of a night (of the outer cut, of
//! everything) are not learned at all. A list by it is published only where it is surely better than by the best counting model
//! (see [`super::choose`]).
//!
//! No exact share of a probability belongs to one product of the path, so reasons are told by the blend alone.

use rayon::prelude::*;

use super::blend::Blend;
use super::cuts::Cut;
use super::history::{Histories, Signal};
use super::measure::is_spent;
use super::models::{Memo, NO_REASON, Scorer};
use super::rank::best;
use super::sessions::Sessions;
use super::sessions::deep::MOST_PRODUCTS;
use super::sessions::network::{LONGEST, Network, Options};
use crate::fit::{Control, FitError};
use crate::neural::random::mix;

/// The network by itself, for comparison.
pub const RNN: &str = "rnn";
/// The blend with the network in it.
pub const BLEND_RNN: &str = "blend+rnn";

/// Customers with two products or more from whom a network may learn.
pub const LEAST: usize = 200;
/// Of a longer history the newest products are learned from.
const NEWEST: usize = 4 * LONGEST;
/// Weights on trial.
const WEIGHTS: [f64; 7] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];
/// What it must add to the blend's NDCG@10, as a share, on the inner cut to be learned further, and on the outer to be published.
pub const WORTH_IT: f64 = 0.01;
/// Products of each of both rankings that may come into the first ten of their sum.
const POOL: usize = 100;

/// The products of a history that say something, in the order in which they were met.
fn path(history: &[Signal]) -> Vec<u32> {
    let speaking = history.iter().filter(|signal| signal.strength > 0.0);
    speaking.map(|signal| signal.product).collect()
}

/// The histories as the network learns them, by the time they began.
fn paths(histories: &Histories) -> Sessions {
    let mut found: Vec<(i64, u32, Vec<u32>)> = (0..histories.users())
        .filter_map(|user| {
            let history = histories.of(user);
            let mut path = path(history);
            path.drain(..path.len().saturating_sub(NEWEST));
            (path.len() > 1).then(|| (history[0].first, history[0].line, path))
        })
        .collect();
    found.sort_unstable();
    Sessions {
        products: histories.products,
        began: found.iter().map(|found| found.0).collect(),
        all: found.into_iter().map(|found| found.2).collect(),
    }
}

/// Why these histories teach no network; none if they do.
pub fn hindrance(histories: &Histories) -> Option<String> {
    let paths = (0..histories.users())
        .filter(|&user| {
            histories
                .of(user)
                .iter()
                .filter(|s| s.strength > 0.0)
                .nth(1)
                .is_some()
        })
        .count();
    if paths < LEAST {
        return Some(format!("{paths} customers to learn from, and {LEAST} are needed"));
    }
    (histories.products > MOST_PRODUCTS).then(|| {
        format!(
            "{} products, and there is room for {MOST_PRODUCTS}",
            histories.products
        )
    })
}

/// How the networks of a night are learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// The network and its budget.
    pub options: Options,
    /// What a night that tunes nothing may go on from: the first instant hidden from it, and its parameters.
    pub past: Option<(i64, Vec<f32>)>,
    /// Whether one takes part in what is published.
    pub published: bool,
}

impl Learning {
    /// Learns from a training part; from `start`, if there is one, with half of the steps. `cut` names its checkpoints.
    ///
    /// # Errors
    /// Stopped, or nothing to learn from.
    pub fn learn(
        &self,
        histories: &Histories,
        start: Option<Vec<f32>>,
        cut: &str,
        control: &Control,
    ) -> Result<Network, FitError> {
        let steps = match start {
            Some(_) => self.options.steps.div_ceil(2),
            None => self.options.steps,
        };
        let options = Options {
            steps,
            checkpoint: Some(format!("{BLEND_RNN} of {cut}")),
            seed: mix(self.options.seed, xxhash_rust::xxh3::xxh3_64(cut.as_bytes())),
            ..self.options.clone()
        };
        Network::learn(&paths(histories), &options, start, control)
    }

    /// Where the network of a night that tunes nothing goes on, if nothing from `hidden` on is known there.
    pub fn start(&self, hidden: Option<i64>) -> Option<Vec<f32>> {
        let past = self
            .past
            .as_ref()
            .filter(|(until, _)| hidden.is_some_and(|hidden| *until <= hidden));
        past.map(|(_, params)| params.clone())
    }
}

/// Scores over their largest outside the history; all 0 where none is positive.
fn scaled(history: &[Signal], scores: &mut [f32]) {
    let scale = Blend::scale(history, scores);
    scores.iter_mut().for_each(|score| *score *= scale);
}

/// What the network says of a history: fourth roots of probabilities, lifted as those of the other models are, over the largest; zeros where
/// the history is silent.
fn voice(network: &Network, history: &[Signal], lift: Option<&[f32]>) -> Vec<f32> {
    let path = path(history);
    if path.is_empty() {
        return vec![0.0; lift.map_or(0, <[f32]>::len)];
    }
    let mut own = network.after(&path);
    own.iter_mut().for_each(|x| *x = x.sqrt().sqrt());
    if let Some(lift) = lift {
        own.iter_mut().zip(lift).for_each(|(x, lift)| *x *= lift);
    }
    scaled(history, &mut own);
    own
}

/// The network alone.
#[derive(Debug, Clone, Copy)]
pub struct Alone<'a>(pub &'a Network);

impl Scorer for Alone<'_> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        let own = voice(self.0, history, None);
        scores.iter_mut().zip(own).for_each(|(score, own)| *score = own);
        Memo::new()
    }

    fn reasons(&self, _: &[Signal], products: &[u32], _: &Memo) -> Vec<u32> {
        vec![NO_REASON; products.len()]
    }
}

/// The blend and the network.
#[derive(Debug)]
pub struct Together<'a> {
    /// All that counts.
    pub blend: Blend<'a>,
    /// The network.
    pub network: &'a Network,
    /// Its weight beside the blend.
    pub weight: f64,
}

impl Scorer for Together<'_> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        let memo = self.blend.score(history, scores);
        scaled(history, scores);
        for (score, own) in scores
            .iter_mut()
            .zip(voice(self.network, history, Some(self.blend.lift())))
        {
            *score += self.weight as f32 * own;
        }
        memo
    }

    fn reasons(&self, history: &[Signal], products: &[u32], memo: &Memo) -> Vec<u32> {
        self.blend.reasons(history, products, memo)
    }
}

/// What the trial of weights found on a cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// The best weight.
    pub weight: f64,
    /// NDCG@10 of the blend without the network.
    pub without: f64,
    /// With it, at that weight.
    pub with: f64,
}

impl Weighed {
    /// Whether the network is worth learning further.
    pub fn is_worth_it(&self) -> bool {
        self.with > self.without && self.with >= (1.0 + WORTH_IT) * self.without
    }
}

/// Tries every weight on the users `users` of a cut.
pub fn weigh(blend: &Blend<'_>, network: &Network, cut: &Cut, users: &[usize]) -> Weighed {
    let candidates = cut.train.seen_products();
    let discount: [f64; 10] = std::array::from_fn(|place| 1.0 / (place as f64 + 2.0).log2());
    // Per user the NDCG@10 at weight 0 and at each on trial, from the first of both rankings.
    let gains: Vec<[f64; WEIGHTS.len() + 1]> = users
        .par_iter()
        .map_init(
            || (vec![0.0f32; candidates.len()], candidates.clone()),
            |(counted, allowed), &user| {
                let history = cut.train.of(user);
                counted.fill(0.0);
                blend.score(history, counted);
                scaled(history, counted);
                let own = voice(network, history, Some(blend.lift()));
                let spent = || history.iter().filter(|s| is_spent(s, cut.purchases));
                spent().for_each(|s| allowed[s.product as usize] = false);
                let mut pool: Vec<u32> = [&*counted, &own]
                    .into_iter()
                    .flat_map(|scores| best(scores, POOL, |product| allowed[product]))
                    .map(|(product, _)| product)
                    .collect();
                spent().for_each(|s| allowed[s.product as usize] = candidates[s.product as usize]);
                pool.sort_unstable();
                pool.dedup();
                let test = &cut.test[user];
                let ideal: f64 = discount[..test.len().min(10)].iter().sum();
                std::array::from_fn(|at| {
                    let weight = at.checked_sub(1).map_or(0.0, |at| WEIGHTS[at]) as f32;
                    let sums: Vec<f32> = pool
                        .iter()
                        .map(|&product| counted[product as usize] + weight * own[product as usize])
                        .collect();
                    let first = best(&sums, 10, |_| true);
                    let hits = first.iter().zip(&discount);
                    let hits =
                        hits.filter(|((place, _), _)| test.binary_search(&pool[*place as usize]).is_ok());
                    hits.map(|(_, discount)| discount).sum::<f64>() / ideal
                })
            },
        )
        .collect();
    let mean = |at: usize| gains.iter().map(|gains| gains[at]).sum::<f64>() / gains.len().max(1) as f64;
    let best = (1..=WEIGHTS.len()).fold(1, |best, at| if mean(at) > mean(best) { at } else { best });
    Weighed {
        weight: WEIGHTS[best - 1],
        without: mean(0),
        with: mean(best),
    }
}

#[cfg(test)]
mod tests;
