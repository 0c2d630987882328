//! The blend of session models, and its tuning.
//!
//! `score(j | path) = Σ_m w_m s_m(j) / max s_m`, over the components of [`NAMES`]: the rules of the last product, those of
//! the products before it, pairs, windows and likeness of words with all of them (falling with the steps back), VS-kNN, the
//! context, the popularity of the latest sessions and, where there is one, the [network](super::network). The weights are chosen by Nelder-Mead through [`crate::fit`] on
//! sessions later than those the components were fitted on, by MRR@20 plus half of HR@20.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Sessions;
use super::context::Context;
use super::knn::Knn;
use super::network::Network;
use super::rules::{Rules, pairs, sequential, window};
use crate::fit::{Control, FitError, NelderMead, Objective, nelder_mead};
use crate::recommend::neighbours::{Neighbours, keep_best};
use crate::recommend::rank::best;

/// The components, by their names in `scores`.
pub const NAMES: [&str; 9] = [
    "sequential_rules",
    "earlier_rules",
    "pairs",
    "vs_knn",
    "content_words",
    "popularity",
    "window_rules",
    "context_rules",
    "rnn",
];
/// Number of the rules of earlier products.
pub const EARLIER: usize = 1;
/// Number of the popularity: the naive answer.
pub const POPULARITY: usize = 5;
/// Number of the network.
pub const NETWORK: usize = 8;
/// How many components there are.
pub const COMPONENTS: usize = NAMES.len();

/// Products of the path that speak, the latest.
const LATEST: usize = 10;
/// The share of the sessions, the latest, whose popularity counts.
const RECENT: f64 = 0.2;
/// Popular products in every pool.
const POPULAR: usize = 100;
/// Products that the network names.
const FORESEEN: usize = 100;
/// Where tuning starts.
const START: [f64; COMPONENTS] = [1.0, 0.3, 0.5, 0.3, 0.7, 0.03, 1.0, 1.5, 1.0];
const WEIGHT: (f64, f64) = (1e-3, 30.0);

/// Weights of the components; 0 leaves one out.
pub type Weights = [f64; COMPONENTS];

/// Every component, fitted.
#[derive(Debug)]
pub struct Fitted<'a> {
    pub(super) rules: Rules,
    pub(super) pairs: Rules,
    pub(super) knn: Knn,
    pub(super) words: Words<'a>,
    pub(super) popular: Vec<(u32, f32)>,
    pub(super) windows: Rules,
    pub(super) context: Context,
    /// The network that takes part; [`super::judge`] changes it.
    pub(super) network: Option<Cow<'a, Network>>,
}

/// The nearest texts of every product.
#[derive(Debug)]
pub(super) enum Words<'a> {
    /// As a night computes them.
    Lent(&'a Neighbours),
    /// As they are read back.
    Kept(Rules),
}

impl Words<'_> {
    pub(super) fn of(&self, product: u32) -> &[(u32, f32)] {
        match self {
            Words::Lent(words) => words.of(product as usize),
            Words::Kept(words) => words.of(product),
        }
    }
}

impl<'a> Fitted<'a> {
    /// Fits all of them on these sessions; `words` are the nearest texts of every product, `network` is one that was learned from
    /// no other sessions than these.
    pub fn fit(sessions: &Sessions, words: &'a Neighbours, network: Option<&'a Network>) -> Fitted<'a> {
        let late = (sessions.all.len() as f64 * (1.0 - RECENT)) as usize;
        let mut counts = vec![0.0f32; sessions.products];
        for &product in sessions.all[late..].iter().flatten() {
            counts[product as usize] += 1.0;
        }
        let ((rules, pairs, windows), (knn, context)) = rayon::join(
            || (sequential(sessions), pairs(sessions), window(sessions)),
            || (Knn::fit(sessions), Context::fit(sessions)),
        );
        Fitted {
            rules,
            pairs,
            knn,
            words: Words::Lent(words),
            popular: best(&counts, POPULAR, |product| counts[product] > 0.0),
            windows,
            context,
            network: network.map(Cow::Borrowed),
        }
    }

    /// Every product that any component names after `path`, with each component's score over its largest, by product.
    pub fn pool(&self, path: &[u32]) -> Vec<(u32, [f32; COMPONENTS])> {
        let mut found: BTreeMap<u32, [f32; COMPONENTS]> = BTreeMap::new();
        let mut give = |component: usize, product: u32, value: f32| {
            if !path.contains(&product) {
                found.entry(product).or_default()[component] += value;
            }
        };
        let latest = &path[path.len().saturating_sub(LATEST)..];
        for (back, &product) in latest.iter().rev().enumerate() {
            let fading = 1.0 / (back as f32 + 1.0);
            let component = usize::from(back > 0);
            for &(next, weight) in self.rules.of(product) {
                give(component, next, weight * fading);
            }
            for &(other, weight) in self.pairs.of(product) {
                give(2, other, weight * fading.sqrt());
            }
            for &(other, likeness) in self.words.of(product) {
                give(4, other, likeness * fading);
            }
            for &(other, weight) in self.windows.of(product) {
                give(6, other, weight * fading);
            }
        }
        for (product, vote) in self.knn.votes(path) {
            give(3, product, vote);
        }
        for (product, vote) in self.context.votes(path) {
            give(7, product, vote);
        }
        for &(product, count) in &self.popular {
            give(POPULARITY, product, count);
        }
        if let Some(network) = &self.network
            && !path.is_empty()
        {
            let chances = network.after(path);
            for (product, chance) in best(&chances, FORESEEN, |product| !path.contains(&(product as u32))) {
                give(NETWORK, product, chance);
            }
        }
        let mut largest = [0.0f32; COMPONENTS];
        for scores in found.values() {
            for (most, &score) in largest.iter_mut().zip(scores) {
                *most = most.max(score);
            }
        }
        let scaled = |mut scores: [f32; COMPONENTS]| {
            for (score, most) in scores.iter_mut().zip(largest) {
                if most > 0.0 {
                    *score /= most;
                }
            }
            scores
        };
        found
            .into_iter()
            .map(|(product, scores)| (product, scaled(scores)))
            .collect()
    }

    /// The `most` likeliest next products after `path`, the likeliest first.
    pub fn next(&self, path: &[u32], weights: &Weights, most: usize) -> Vec<(u32, f32)> {
        let pool = self.pool(path);
        let mut row: Vec<(u32, f32)> = pool
            .iter()
            .map(|(product, scores)| (*product, mixed(scores, weights)))
            .filter(|&(_, score)| score > 0.0)
            .collect();
        keep_best(&mut row, most);
        row
    }
}

fn mixed(scores: &[f32; COMPONENTS], weights: &Weights) -> f32 {
    scores
        .iter()
        .zip(weights)
        .map(|(score, weight)| score * *weight as f32)
        .sum()
}

/// The ranks of what came at every step of some sessions, by each of several weights: `[step][weights]`. Pools are dropped
/// as soon as they are read; a night asks about tens of thousands of them.
pub fn ranks(fitted: &Fitted<'_>, sessions: &[&[u32]], weights: &[Weights]) -> Vec<Vec<Option<usize>>> {
    let of_session = |path: &&[u32]| -> Vec<Vec<Option<usize>>> {
        (1..path.len())
            .map(|at| {
                let step = Step::of(fitted, path, at);
                weights.iter().map(|weights| step.rank(weights)).collect()
            })
            .collect()
    };
    let ranks: Vec<Vec<Vec<Option<usize>>>> = sessions.par_iter().map(of_session).collect();
    ranks.into_iter().flatten().collect()
}

/// Ranks beyond this count as not found.
pub const DEPTH: usize = 20;

/// One step of a session: what could come next, and what did.
#[derive(Debug, Clone)]
pub struct Step {
    /// What came; None where no component names it.
    came: Option<(u32, [f32; COMPONENTS])>,
    /// The others that may come before it, the likeliest by [`START`] first, so that a rank beyond [`DEPTH`] shows early.
    others: Vec<(u32, [f32; COMPONENTS])>,
}

/// The steps of some sessions, every step of each.
pub fn steps(fitted: &Fitted<'_>, sessions: &[&[u32]]) -> Vec<Step> {
    let of_session =
        |path: &&[u32]| -> Vec<Step> { (1..path.len()).map(|at| Step::of(fitted, path, at)).collect() };
    let steps: Vec<Vec<Step>> = sessions.par_iter().map(of_session).collect();
    steps.into_iter().flatten().collect()
}

/// Whether any weights, none below 0, put `other` before what came. Sums of floating point numbers do not fall where no term
/// does, and halve exactly: who is nowhere above what came is never above it in the sum, and who is nowhere above its half
/// is not even with it.
fn may_precede(other: &(u32, [f32; COMPONENTS]), came: &(u32, [f32; COMPONENTS])) -> bool {
    let factor = if other.0 > came.0 { 1.0 } else { 0.5 };
    other
        .1
        .iter()
        .zip(&came.1)
        .any(|(other, came)| *other > factor * came)
}

impl Step {
    /// The step to place `at` of a path.
    fn of(fitted: &Fitted<'_>, path: &[u32], at: usize) -> Step {
        let mut others = fitted.pool(&path[..at]);
        let came = others.binary_search_by_key(&path[at], |&(product, _)| product);
        let came = came.ok().map(|place| others.remove(place));
        if let Some(came) = &came {
            others.retain(|other| may_precede(other, came));
            others.sort_by_cached_key(|(_, scores)| std::cmp::Reverse(mixed(scores, &START).to_bits()));
        } else {
            others.clear();
        }
        others.shrink_to_fit();
        Step { came, others }
    }

    /// The rank (from 1) that what came has with these weights, if it is at most [`DEPTH`]; None where it has no score. Ties by
    /// product.
    pub fn rank(&self, weights: &Weights) -> Option<usize> {
        let (product, scores) = self.came.as_ref()?;
        let own = mixed(scores, weights);
        if own <= 0.0 {
            return None;
        }
        let before = |(other, scores): &&(u32, [f32; COMPONENTS])| {
            let score = mixed(scores, weights);
            score > own || (score == own && other < product)
        };
        let rank = 1 + self.others.iter().filter(before).take(DEPTH).count();
        (rank <= DEPTH).then_some(rank)
    }
}

struct Climb<'a>(&'a [Step]);

impl Climb<'_> {
    /// Weights of the components that take part: all, or all but the last, the network, which then weighs nothing.
    fn weights(x: &[f64]) -> Weights {
        std::array::from_fn(|number| x.get(number).map_or(0.0, |x| x.exp().clamp(WEIGHT.0, WEIGHT.1)))
    }

    fn worth(&self, weights: &Weights) -> f64 {
        let gains: Vec<f64> = self
            .0
            .par_iter()
            .with_min_len(64)
            .map(|step| match step.rank(weights) {
                Some(rank) => 0.5 + 1.0 / rank as f64,
                None => 0.0,
            })
            .collect();
        gains.iter().sum::<f64>() / gains.len().max(1) as f64
    }
}

impl Objective for Climb<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        -self.worth(&Climb::weights(x))
    }
}

/// Chooses the weights on these steps, from `start` (those of an earlier night, or of the counting models) or from where every shop
/// starts; with the network among them, or with a weight of 0 for it.
///
/// # Errors
/// The night was stopped.
pub fn tune(
    steps: &[Step],
    start: Option<Weights>,
    network: bool,
    control: &Control,
) -> Result<Weights, FitError> {
    let mut from = start.unwrap_or(START);
    if !network {
        from[NETWORK] = 0.0;
    }
    if steps.is_empty() {
        return Ok(from);
    }
    let walk = NelderMead {
        max_iterations: 90,
        tolerance: 2e-5,
        step: 0.8,
        checkpoint: None,
    };
    let taking_part = if network { COMPONENTS } else { NETWORK };
    // A network that is new here weighs something even where there was none.
    if network && from[NETWORK] == 0.0 {
        from[NETWORK] = START[NETWORK];
    }
    let x = from[..taking_part]
        .iter()
        .map(|w| w.clamp(WEIGHT.0, WEIGHT.1).ln())
        .collect();
    let climb = Climb(steps);
    let found = nelder_mead(&climb, x, &walk, control)?;
    let found_weights = Climb::weights(&found.params);
    Ok(if climb.worth(&found_weights) > climb.worth(&from) {
        found_weights
    } else {
        from
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_precede_changes_no_rank() {
        let mut random = fastrand::Rng::with_seed(8);
        let mut left_out = 0;
        for _ in 0..500 {
            // Few distinct values, so that ties are common.
            let scores: [f32; COMPONENTS] = std::array::from_fn(|_| f32::from(random.u8(0..4)) / 3.0);
            let came = (50, scores);
            let some = |product| {
                let shrink = f32::from(random.u8(1..=2)) / 2.0;
                let scores = scores.map(|own| match random.u8(0..6) {
                    0 => f32::from(random.u8(0..4)) / 3.0,
                    1 | 2 => 0.0,
                    _ => own * shrink,
                });
                (product, scores)
            };
            let all: Vec<_> = (0..100).filter(|&product| product != 50).map(some).collect();
            let mut kept = all.clone();
            kept.retain(|other| may_precede(other, &came));
            left_out += all.len() - kept.len();
            let weights: Weights = std::array::from_fn(|_| match random.u8(0..3) {
                0 => 0.0,
                1 => 1.0,
                _ => 3.0 * random.f64(),
            });
            let rank = |others: &[(u32, [f32; COMPONENTS])]| {
                let (came, others) = (Some(came), others.to_vec());
                Step { came, others }.rank(&weights)
            };
            assert_eq!(rank(&all), rank(&kept));
        }
        assert!(left_out > 5000, "{left_out}");
    }
}
