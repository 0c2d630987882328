//! Judging: rankings of customers' own products against what they bought again.
//!
//! Per customer who bought anything again within the four weeks, over all products they had bought, with n of them
//! bought again and binary gains: NDCG@10 is `Σ_hits 1 / log2(rank + 1)` over the same sum of a perfect list, HR@10 is 1 if any
//! of the first ten is a hit. Equal scores: the product bought last first, then by index.

use rayon::prelude::*;

use super::super::measure::{Figure, bootstrap};
use super::examples::{Customer, Cut, Example};

/// A way to rank a customer's pairs: one score each, larger is likelier.
pub type Ranking<'a> = &'a (dyn Fn(&Customer) -> Vec<f32> + Sync);

/// Figures of one ranking, one entry per customer who bought something again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// NDCG@10.
    pub ndcg: Vec<f64>,
    /// HR@10.
    pub hit: Vec<f64>,
}

impl Figures {
    /// Mean NDCG@10; 0 without customers.
    pub fn mean_ndcg(&self) -> f64 {
        self.ndcg.iter().sum::<f64>() / self.ndcg.len().max(1) as f64
    }

    /// The paired gain in NDCG@10 over another ranking of the same customers, with its 90 % interval.
    pub fn gain_over(&self, other: &Figures, draws: usize, seed: u64) -> Figure {
        let both = self.ndcg.iter().zip(&other.ndcg);
        let gains: Vec<f64> = both.map(|(own, other)| own - other).collect();
        bootstrap(&gains, draws, seed)
    }

    /// The figures by their names in `scores`, with 90 % intervals from `draws` resamples of the customers.
    pub fn named(&self, draws: usize, seed: u64) -> [(&'static str, Figure); 2] {
        [
            ("ndcg@10", bootstrap(&self.ndcg, draws, seed)),
            ("hr@10", bootstrap(&self.hit, draws, seed)),
        ]
    }
}

/// Places that count.
const DEPTH: usize = 10;

/// The order of a list: places into `pairs`, best first.
pub fn order(pairs: &[Example], scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        let better = scores[b].total_cmp(&scores[a]);
        let (a, b) = (&pairs[a], &pairs[b]);
        better.then(b.last.cmp(&a.last)).then(a.product.cmp(&b.product))
    });
    order
}

/// Judges all rankings at one cut on the same customers.
pub fn judge(cut: &Cut<'_>, rankings: &[Ranking<'_>]) -> Vec<Figures> {
    let of_users: Vec<Vec<(f64, f64)>> = (0..cut.visits.users())
        .into_par_iter()
        .filter_map(|user| {
            let customer = cut.of(user)?;
            (customer.hits() > 0).then(|| {
                let judged = rankings
                    .iter()
                    .map(|ranking| of_list(&customer.pairs, &ranking(&customer)));
                judged.collect()
            })
        })
        .collect();
    let mut figures = vec![Figures::default(); rankings.len()];
    for of_user in of_users {
        for (figures, (ndcg, hit)) in figures.iter_mut().zip(of_user) {
            figures.ndcg.push(ndcg);
            figures.hit.push(hit);
        }
    }
    figures
}

/// NDCG@10 and HR@10 of one list.
fn of_list(pairs: &[Example], scores: &[f32]) -> (f64, f64) {
    let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let hits = pairs.iter().filter(|pair| pair.again).count();
    let first = order(pairs, scores).into_iter().take(DEPTH).enumerate();
    let gained: f64 = first
        .filter(|&(_, at)| pairs[at].again)
        .map(|(place, _)| discount(place))
        .sum();
    let ideal: f64 = (0..hits.min(DEPTH)).map(discount).sum();
    (gained / ideal, if gained > 0.0 { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::super::features::FEATURES;
    use super::*;

    fn pair(product: u32, last: u32, again: bool) -> Example {
        Example {
            product,
            features: [0.0; FEATURES],
            last,
            again,
            dismissed: false,
            visits: 1,
            due_at: None,
        }
    }

    #[test]
    fn figures_by_hand() {
        let pairs = [
            pair(0, 1, true),
            pair(1, 2, false),
            pair(2, 2, true),
            pair(3, 0, true),
        ];
        // Ties of 0.5: product 2 was bought after 0; the order is 1, 2, 0, 3.
        let scores = [0.5, 0.9, 0.5, 0.1];
        assert_eq!(order(&pairs, &scores), [1, 2, 0, 3]);
        let (ndcg, hit) = of_list(&pairs, &scores);
        let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
        let by_hand = (discount(2.0) + discount(3.0) + discount(4.0)) / (1.0 + discount(2.0) + discount(3.0));
        assert!((ndcg - by_hand).abs() < 1e-12);
        assert_eq!(hit, 1.0);
        // Eleven misses before the only hit.
        let mut far: Vec<Example> = (0..11).map(|product| pair(product, 0, false)).collect();
        far.push(pair(11, 0, true));
        assert_eq!(of_list(&far, &[0.0; 12]), (0.0, 0.0));
    }
}
