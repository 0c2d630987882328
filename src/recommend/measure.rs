//! Measuring: what a model's lists are worth on a cut, by full ranking.
//!
//! Every product that the training part knows is ranked for every tested user, the user's own training products removed, ties by
//! product index. Per user, with n test products and binary gains:
//!
//! - NDCG@k: `Σ_hits 1 / log2(rank + 1)` over the same sum of a perfect list (hits at ranks 1 to min(k, n));
//! - Recall@k: hits in the first k over min(k, n);
//! - HR@10: 1 if any of the first ten is a hit;
//! - coverage@10: the share of the ranked products that occur in anybody's first ten.
//!
//! Figures are means over users. Intervals are 90 % percentile bootstraps over users, seeded.

use rayon::prelude::*;

use super::cuts::Cut;
use super::history::Signal;
use super::models::Scorer;
use super::rank::best;

/// The metrics that are means over users, in the order of [`Judged::of_users`].
pub const METRICS: [&str; 5] = ["ndcg@10", "ndcg@100", "recall@20", "recall@50", "hr@10"];

/// Longest list that a metric looks at.
const DEEPEST: usize = 100;

/// A model's figures on a cut.
#[derive(Debug, Clone)]
pub struct Judged {
    /// One row of [`METRICS`] per tested user, in the order of users.
    pub of_users: Vec<[f32; METRICS.len()]>,
    /// Share of the ranked products in anybody's first ten.
    pub coverage: f64,
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
pub(super) fn bootstrap(values: &[f64], draws: usize, seed: u64) -> Figure {
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
    let at = |share: f64| means[((draws - 1) as f64 * share).round() as usize];
    Figure {
        value,
        lo90: at(0.05),
        hi90: at(0.95),
    }
}

/// Whether a list for this history may not hold the product of `signal` again.
pub fn is_spent(signal: &Signal, purchases: bool) -> bool {
    signal.bought || signal.dismissed || (!purchases && signal.strength > 0.0)
}

/// Judges one model on the users `users` of a cut (usually [`Cut::tested`]).
pub fn judge(scorer: &dyn Scorer, cut: &Cut, users: &[usize]) -> Judged {
    judge_first(scorer, cut, users, DEEPEST)
}

/// NDCG@10 alone: what tuning asks for again and again, from lists no longer than ten.
pub fn ndcg10(scorer: &dyn Scorer, cut: &Cut, users: &[usize]) -> f64 {
    judge_first(scorer, cut, users, 10).mean(0)
}

/// Judges by the first `depth` places; metrics that look further are too low.
fn judge_first(scorer: &dyn Scorer, cut: &Cut, users: &[usize], depth: usize) -> Judged {
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
                scorer.score(history, scores);
                let spent = || history.iter().filter(|s| is_spent(s, cut.purchases));
                spent().for_each(|s| allowed[s.product as usize] = false);
                let list = best(scores, depth, |product| allowed[product]);
                spent().for_each(|s| allowed[s.product as usize] = candidates[s.product as usize]);
                let first: Vec<u32> = list.iter().take(10).map(|&(product, _)| product).collect();
                (of_list(&list, &cut.test[user], &discount), first)
            },
        )
        .collect();
    let mut shown = vec![false; candidates.len()];
    answers
        .iter()
        .flat_map(|(_, first)| first)
        .for_each(|&product| shown[product as usize] = true);
    let coverage = shown.iter().filter(|&&s| s).count() as f64 / ranked.max(1) as f64;
    Judged {
        of_users: answers.into_iter().map(|(row, _)| row).collect(),
        coverage,
    }
}

/// The metrics of one list against one user's test products (ascending).
fn of_list(list: &[(u32, f32)], test: &[u32], discount: &[f32]) -> [f32; METRICS.len()] {
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
