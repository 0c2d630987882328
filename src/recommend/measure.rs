//! Measuring: what a model's lists are worth on a cut, by full ranking.
//!
//! Every product that the training part knows is ranked for every tested user, the user's own training products removed, ties by
//! product index. Per user, with n test products and binary gains:
//!
//! - NDCG@k: `Σ_hits 1 / log2(rank + 1)` over the same sum of a perfect list (hits at ranks 1 to min(k, n));
//! - Recall@k: hits in the first k over min(k, n);
//! - HR@10: 1 if any of the first ten is a hit;
//! - novelty@10: the mean self-information of the first ten, `-log2` of the share of the users who met the product
//!   (Zhou et al. 2010): 0 bits for what everybody has;
//! - fallback@10: the share of the first ten for which no product of the history speaks;
//! - coverage@10: the share of the ranked products that occur in anybody's first ten.
//!
//! Figures are means over users (coverage a share of products). Intervals are 90 % percentile bootstraps over users, seeded.

use rayon::prelude::*;

use super::cuts::Cut;
use super::history::Signal;
use super::models::{Memo, NO_REASON, Scorer};
use super::rank::best;

/// The metrics that are means over users, in the order of [`Judged::of_users`].
pub const METRICS: [&str; 7] = [
    "ndcg@10",
    "ndcg@100",
    "recall@20",
    "recall@50",
    "hr@10",
    "novelty@10",
    "fallback@10",
];
/// How many of them look at hits; the others at the lists alone.
const OF_HITS: usize = 5;

/// Longest list that a metric looks at.
const DEEPEST: usize = 100;

/// A model's figures on a cut.
#[derive(Debug, Clone)]
pub struct Judged {
    /// One row of [`METRICS`] per tested user, in the order of users.
    pub of_users: Vec<[f32; METRICS.len()]>,
    /// The first ten of every user.
    pub first: Vec<Vec<u32>>,
    /// Products that were ranked.
    pub ranked: usize,
}

/// A mean with its 90 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The mean over users.
    pub value: f64,
    /// Lower end.
    pub lo90: f64,
    /// Upper end.
    pub hi90: f64,
}

impl Judged {
    /// The mean of metric number `metric` over all tested users; 0 without users.
    pub fn mean(&self, metric: usize) -> f64 {
        mean(
            self.of_users.iter().map(|row| f64::from(row[metric])),
            self.of_users.len(),
        )
    }

    /// The mean with its interval from `draws` seeded resamples of the users.
    pub fn figure(&self, metric: usize, draws: usize, seed: u64) -> Figure {
        let values: Vec<f64> = self.of_users.iter().map(|row| f64::from(row[metric])).collect();
        bootstrap(&values, draws, seed)
    }

    /// Share of the ranked products in anybody's first ten, with the interval of other users being asked. A resample
    /// repeats some users and so covers a little less than all of them do.
    pub fn coverage(&self, draws: usize, seed: u64) -> Figure {
        let products = self.first.iter().flatten().max().map_or(0, |&p| p as usize + 1);
        let mut shown = vec![0u32; products];
        let mut share = |users: &mut dyn Iterator<Item = usize>, round: u32| {
            let mut distinct = 0usize;
            for user in users {
                for &product in &self.first[user] {
                    if shown[product as usize] != round {
                        shown[product as usize] = round;
                        distinct += 1;
                    }
                }
            }
            distinct as f64 / self.ranked.max(1) as f64
        };
        let users = self.first.len();
        let value = share(&mut (0..users), 1);
        if users == 0 || draws == 0 {
            return Figure {
                value,
                lo90: value,
                hi90: value,
            };
        }
        let mut random = fastrand::Rng::with_seed(seed);
        let mut shares: Vec<f64> = (0..draws as u32)
            .map(|draw| share(&mut (0..users).map(|_| random.usize(..users)), draw + 2))
            .collect();
        shares.sort_unstable_by(f64::total_cmp);
        Figure {
            value,
            lo90: quantile(&shares, 0.05).min(value),
            hi90: quantile(&shares, 0.95).max(value),
        }
    }

    /// The paired difference to another model on the same users.
    pub fn gain_over(&self, other: &Judged, metric: usize, draws: usize, seed: u64) -> Figure {
        let both = self.of_users.iter().zip(&other.of_users);
        let differences: Vec<f64> = both
            .map(|(a, b)| f64::from(a[metric]) - f64::from(b[metric]))
            .collect();
        bootstrap(&differences, draws, seed)
    }
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 {
        0.0
    } else {
        values.sum::<f64>() / count as f64
    }
}

/// Percentile bootstrap of a mean.
pub fn bootstrap(values: &[f64], draws: usize, seed: u64) -> Figure {
    let value = mean(values.iter().copied(), values.len());
    if values.is_empty() || draws == 0 {
        return Figure {
            value,
            lo90: value,
            hi90: value,
        };
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut means: Vec<f64> = (0..draws)
        .map(|_| {
            mean(
                (0..values.len()).map(|_| values[random.usize(..values.len())]),
                values.len(),
            )
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    Figure {
        value,
        lo90: quantile(&means, 0.05),
        hi90: quantile(&means, 0.95),
    }
}

/// The value at a share of sorted values, of which there is at least one.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Whether a list for this history may not hold the product of `signal` again.
pub fn is_spent(signal: &Signal, purchases: bool) -> bool {
    signal.bought || signal.dismissed || (!purchases && signal.strength > 0.0)
}

/// Judges one model on the users `users` of a cut (usually [`Cut::tested`]).
pub fn judge(scorer: &dyn Scorer, cut: &Cut, users: &[usize]) -> Judged {
    let surprise = surprise(cut);
    judge_first(scorer, cut, users, DEEPEST, |history, first, memo| {
        let told = scorer.reasons(history, first, memo);
        let places = first.len().max(1) as f32;
        let novelty = first.iter().map(|&p| surprise[p as usize]).sum::<f32>() / places;
        let silent = told.iter().filter(|&&reason| reason == NO_REASON).count() as f32 / places;
        [novelty, silent]
    })
}

/// NDCG@10 alone: what tuning asks for again and again, from lists no longer than ten.
pub fn ndcg10(scorer: &dyn Scorer, cut: &Cut, users: &[usize]) -> f64 {
    judge_first(scorer, cut, users, 10, |_, _, _| [0.0; METRICS.len() - OF_HITS]).mean(0)
}

/// The self-information of every product in bits.
fn surprise(cut: &Cut) -> Vec<f32> {
    let mut holders = vec![0u32; cut.train.products];
    for signal in cut.train.all().iter().filter(|s| s.strength > 0.0) {
        holders[signal.product as usize] += 1;
    }
    let users = (0..cut.train.users())
        .filter(|&user| cut.train.of(user).iter().any(|s| s.strength > 0.0))
        .count();
    holders
        .into_iter()
        .map(|count| (users.max(1) as f32 / count.max(1) as f32).log2())
        .collect()
}

/// Judges by the first `depth` places; metrics that look further are too low.
fn judge_first(
    scorer: &dyn Scorer,
    cut: &Cut,
    users: &[usize],
    depth: usize,
    of_list_alone: impl Fn(&[Signal], &[u32], &Memo) -> [f32; METRICS.len() - OF_HITS] + Sync,
) -> Judged {
    let candidates = cut.train.seen_products();
    let ranked = candidates.iter().filter(|&&c| c).count();
    let discount: Vec<f32> = (0..DEEPEST)
        .map(|rank| 1.0 / (rank as f32 + 2.0).log2())
        .collect();
    let answers: Vec<([f32; METRICS.len()], Vec<u32>)> = users
        .par_iter()
        .map_init(
            || (vec![0.0f32; candidates.len()], candidates.clone()),
            |(scores, allowed), &user| {
                let history = cut.train.of(user);
                scores.fill(0.0);
                let memo = scorer.score(history, scores);
                let spent = || history.iter().filter(|s| is_spent(s, cut.purchases));
                spent().for_each(|s| allowed[s.product as usize] = false);
                let list = best(scores, depth, |product| allowed[product]);
                spent().for_each(|s| allowed[s.product as usize] = candidates[s.product as usize]);
                let first: Vec<u32> = list.iter().take(10).map(|&(product, _)| product).collect();
                let mut row = [0.0; METRICS.len()];
                row[..OF_HITS].copy_from_slice(&of_list(&list, &cut.test[user], &discount));
                row[OF_HITS..].copy_from_slice(&of_list_alone(history, &first, &memo));
                (row, first)
            },
        )
        .collect();
    let (of_users, first) = answers.into_iter().unzip();
    Judged {
        of_users,
        first,
        ranked,
    }
}

/// The metrics of one list against one user's test products (ascending).
fn of_list(list: &[(u32, f32)], test: &[u32], discount: &[f32]) -> [f32; OF_HITS] {
    let hit: Vec<bool> = list
        .iter()
        .map(|(product, _)| test.binary_search(product).is_ok())
        .collect();
    let ndcg = |k: usize| {
        let gained: f32 = hit
            .iter()
            .take(k)
            .zip(discount)
            .filter(|(h, _)| **h)
            .map(|(_, d)| d)
            .sum();
        gained / discount[..k.min(test.len())].iter().sum::<f32>()
    };
    let recall = |k: usize| hit.iter().take(k).filter(|&&h| h).count() as f32 / k.min(test.len()) as f32;
    let any = hit.iter().take(10).any(|&h| h);
    [
        ndcg(10),
        ndcg(100),
        recall(20),
        recall(50),
        if any { 1.0 } else { 0.0 },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_a_list_by_hand() {
        let discount: Vec<f32> = (0..DEEPEST)
            .map(|rank| 1.0 / (rank as f32 + 2.0).log2())
            .collect();
        let list = [(5, 0.9), (1, 0.8), (7, 0.7)];
        let row = of_list(&list, &[1, 7, 9], &discount);
        // Hits at ranks 2 and 3; a perfect list hits at 1, 2 and 3.
        let by_hand = (1.0 / 3f32.log2() + 0.5) / (1.0 + 1.0 / 3f32.log2() + 0.5);
        assert!((row[0] - by_hand).abs() < 1e-6);
        assert!((row[2] - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(row[4], 1.0);
        assert_eq!(of_list(&list, &[2], &discount), [0.0; 5]);
    }

    #[test]
    fn the_bootstrap_is_seeded_and_holds_the_mean() {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i % 7)).collect();
        let figure = bootstrap(&values, 200, 1);
        assert_eq!(figure, bootstrap(&values, 200, 1));
        assert!(figure.lo90 < figure.value && figure.value < figure.hi90);
        // The standard error of the mean is about 2 / sqrt(200) = 0.14, a 90 % interval about 0.47 wide.
        assert!((figure.hi90 - figure.lo90 - 0.47).abs() < 0.15, "{figure:?}");
    }
}
