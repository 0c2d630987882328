//! User cosine: what the most similar customers bought.
//!
//! The article's formula `sim(u, v) = Σ_i r_ui r_vi / (‖r_u‖ ‖r_v‖)` between the strengths of two users; a product's score is
//! the sum of the similarities of the k most similar users who met it, times their strength. A history is compared
//! with every user of the training part, the one it belongs to left out (who would be the most similar of all and knows
//! nothing new): a user whose pairs are exactly the history's.

use super::history::{Histories, Signal};
use super::models::{Memo, Scorer, loudest};
use super::neighbours::keep_best;
use crate::text::Csr;

/// The model: all users' strengths, by user and by product.
#[derive(Debug, Clone)]
pub struct UserCosine {
    by_user: Csr,
    by_product: Csr,
    norms: Vec<f32>,
    k: usize,
}

impl UserCosine {
    /// Takes the users of a training part; the `k` most similar vote.
    pub fn new(histories: &Histories, k: usize) -> UserCosine {
        let by_user = super::matrix::by_user(histories, super::profile::Decay::flat());
        let length = |user| {
            let squares = by_user.row(user).1.iter().map(|&r| f64::from(r) * f64::from(r));
            squares.sum::<f64>().sqrt() as f32
        };
        UserCosine {
            norms: (0..by_user.rows).map(length).collect(),
            by_product: by_user.transpose(),
            by_user,
            k,
        }
    }

    /// The k most similar users, most similar first, as (user, similarity).
    pub fn similar(&self, history: &[Signal]) -> Vec<(u32, f32)> {
        let own: Vec<(u32, f32)> = history
            .iter()
            .filter(|s| s.strength > 0.0)
            .map(|s| (s.product, s.strength))
            .collect();
        let length = own
            .iter()
            .map(|&(_, r)| f64::from(r) * f64::from(r))
            .sum::<f64>()
            .sqrt() as f32;
        let mut sums = vec![0.0f32; self.by_user.rows];
        let mut touched = Vec::new();
        for &(product, r) in &own {
            let (users, strengths) = self.by_product.row(product as usize);
            for (&user, &s) in users.iter().zip(strengths) {
                if sums[user as usize] == 0.0 {
                    touched.push(user);
                }
                sums[user as usize] += r * s;
            }
        }
        let itself = |user: u32| {
            let (products, strengths) = self.by_user.row(user as usize);
            products.len() == own.len()
                && own.iter().all(|&(product, r)| {
                    products
                        .binary_search(&product)
                        .is_ok_and(|at| strengths[at] == r)
                })
        };
        let mut found: Vec<(u32, f32)> = touched
            .into_iter()
            .map(|user| (user, sums[user as usize] / (length * self.norms[user as usize])))
            .filter(|&(user, similarity)| similarity > 0.0 && !(similarity > 0.999 && itself(user)))
            .collect();
        keep_best(&mut found, self.k);
        found
    }
}

impl Scorer for UserCosine {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        for (user, similarity) in self.similar(history) {
            let (products, strengths) = self.by_user.row(user as usize);
            for (&product, &r) in products.iter().zip(strengths) {
                scores[product as usize] += similarity * r;
            }
        }
        Memo::new()
    }

    /// A similarity is a sum over the products both met, so each of them has its share of every vote.
    fn reasons(&self, history: &[Signal], products: &[u32], _: &Memo) -> Vec<u32> {
        let profile: Vec<(u32, f32)> = history
            .iter()
            .filter(|s| s.strength > 0.0)
            .map(|s| (s.product, s.strength))
            .collect();
        let mut table = vec![0.0f32; profile.len() * products.len()];
        for (user, _) in self.similar(history) {
            let (met, strengths) = self.by_user.row(user as usize);
            let strength = |product: u32| met.binary_search(&product).ok().map(|at| strengths[at]);
            for (place, &product) in products.iter().enumerate() {
                let Some(vote) = strength(product) else {
                    continue;
                };
                for (speaker, &(both, r)) in profile.iter().enumerate() {
                    if let Some(s) = strength(both) {
                        // The history's own length is the same in all shares and is left out.
                        table[speaker * products.len() + place] += r * s / self.norms[user as usize] * vote;
                    }
                }
            }
        }
        loudest(&profile, products.len(), &table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::*;

    fn histories(pairs: &[(u32, u32)]) -> Histories {
        let events = pairs.iter().zip(0..).map(|(&(user, product), line)| Interaction {
            user: Some(user),
            product,
            kind: Kind::Purchase,
            quantity: 1.0,
            rating: 0.0,
            at: i64::from(line),
            basket: user,
            line,
        });
        Histories::build(&Log::new(4, 5, events.collect()), &Strengths::default(), |_| true)
    }

    #[test]
    fn the_article_s_user_formula_by_hand() {
        // r_0 = {0, 1}, r_1 = {0, 1, 2}, r_2 = {1, 3}, r_3 = {4}: sim(0, 1) = 2 / √6, sim(0, 2) = 1 / 2, sim(0, 3) = 0.
        let h = histories(&[(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 3), (3, 4)]);
        let model = UserCosine::new(&h, 10);
        let near = model.similar(h.of(0));
        assert_eq!(near.iter().map(|n| n.0).collect::<Vec<_>>(), [1, 2]);
        assert!((near[0].1 - 2.0 / 6f32.sqrt()).abs() < 1e-6 && (near[1].1 - 0.5).abs() < 1e-6);
        let mut scores = [0.0; 5];
        model.score(h.of(0), &mut scores);
        assert!((scores[2] - 2.0 / 6f32.sqrt()).abs() < 1e-6 && (scores[3] - 0.5).abs() < 1e-6);
        assert_eq!(scores[4], 0.0);
        // Product 3 comes through product 1 alone; product 2 through 0 and 1 alike, and the older one is named.
        assert_eq!(
            model.reasons(h.of(0), &[3, 2, 4], &Memo::new()),
            [1, 0, super::super::models::NO_REASON]
        );
    }

    /// scikit-learn 1.9.1: `cosine_similarity` of the matrix of who bought what, and the products it then weighs.
    #[test]
    fn the_article_s_user_formula_like_scikit_learn() {
        let rows: [&[u32]; 4] = [&[0, 1, 4], &[0, 1, 2], &[1, 3, 4], &[0, 2, 3, 4]];
        let pairs: Vec<(u32, u32)> = (0u32..)
            .zip(rows)
            .flat_map(|(user, products)| products.iter().map(move |&product| (user, product)))
            .collect();
        let h = histories(&pairs);
        let model = UserCosine::new(&h, 10);
        for (user, expected) in [(1, 0.666_666_7), (2, 0.666_666_7), (3, 0.577_350_26)] {
            let near = model.similar(h.of(0));
            let found = near.iter().find(|n| n.0 == user).unwrap().1;
            assert!((found - expected).abs() < 1e-6, "{user}: {found}");
        }
        let mut scores = [0.0; 5];
        model.score(h.of(0), &mut scores);
        let expected = [1.244_016_9, 1.333_333_3, 1.244_016_9, 1.244_016_9, 1.244_016_9];
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
    }
}
