//! Diversity: an order in which a list's rows differ from those above them.
//!
//! Maximal marginal relevance (Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking"): of the candidates
//! that are left, the next row is the one with the largest
//! `(1 - d) · relevance - d · (largest similarity to a row above)`. Relevance is the score, scaled to 0..1 over the
//! candidates; similarity is the larger of two cosines, by words and by common buyers, as far as a product's lists of
//! neighbours reach (what is in neither has none). With d = 0 the order is the score's own.
//!
//! The first [`PLACES`] places are filled this way from the first [`CANDIDATES`] candidates, the rest follows by score:
//! nobody compares the rows further down. Scores are left as they are; rows are merely put in another order, so a score may rise along such a list.

use super::neighbours::Neighbours;

/// Places that are filled with an eye on those above.
pub const PLACES: usize = 50;
/// Candidates they are filled from.
pub const CANDIDATES: usize = 200;

/// How much, and what is alike.
#[derive(Debug, Clone, Copy)]
pub struct Diversity<'a> {
    /// d, 0 to 1.
    pub weight: f32,
    /// Nearest by behaviour.
    pub behaviour: &'a Neighbours,
    /// Nearest by words.
    pub words: &'a Neighbours,
}

impl Diversity<'_> {
    /// Puts candidates, best first, into the order above; ties to the better score.
    pub fn order(&self, mut candidates: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
        let rest = candidates.split_off(CANDIDATES.min(candidates.len()));
        let (Some(&(_, best)), Some(&(_, worst))) = (candidates.first(), candidates.last()) else {
            return rest;
        };
        let span = if best > worst { best - worst } else { 1.0 };
        let mut by_product: Vec<(u32, usize)> = candidates.iter().map(|c| c.0).zip(0..).collect();
        by_product.sort_unstable();
        let place = |product: u32| {
            by_product
                .binary_search_by_key(&product, |&(p, _)| p)
                .ok()
                .map(|i| by_product[i].1)
        };
        // Per candidate the largest similarity to a row above.
        let mut alike = vec![0.0f32; candidates.len()];
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        let mut order = Vec::with_capacity(candidates.len());
        while !left.is_empty() && order.len() < PLACES {
            let worth =
                |at: usize| (1.0 - self.weight) * (candidates[at].1 - worst) / span - self.weight * alike[at];
            let mut next = 0;
            for i in 1..left.len() {
                if worth(left[i]) > worth(left[next]) {
                    next = i;
                }
            }
            let chosen = left.remove(next);
            order.push(candidates[chosen]);
            let product = candidates[chosen].0 as usize;
            for &(other, cosine) in self.behaviour.of(product).iter().chain(self.words.of(product)) {
                if let Some(at) = place(other) {
                    alike[at] = alike[at].max(cosine);
                }
            }
        }
        order.extend(left.into_iter().map(|at| candidates[at]).chain(rest));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_the_first_waits() {
        // 0 and 1 are nearly the same by words, 2 is like nothing, 3 goes with 2 by behaviour.
        let words = Neighbours::from_rows(1, vec![vec![(1, 0.9)], vec![(0, 0.9)], vec![], vec![]]);
        let behaviour = Neighbours::from_rows(1, vec![vec![], vec![], vec![(3, 0.5)], vec![(2, 0.5)]]);
        let order = |weight| {
            let diversity = Diversity {
                weight,
                behaviour: &behaviour,
                words: &words,
            };
            let candidates = vec![(0, 1.0), (1, 0.9), (2, 0.8), (3, 0.2)];
            let order = diversity.order(candidates);
            order.into_iter().map(|(product, _)| product).collect::<Vec<_>>()
        };
        assert_eq!(order(0.0), [0, 1, 2, 3]);
        // By hand, d = 0.5: after 0 the worths are 0.4375 - 0.45 and 0.375, then -0.0125 and -0.25.
        assert_eq!(order(0.5), [0, 2, 1, 3]);
        // Likeness alone: 2 is like nothing, then 3 is half like 2, then 1.
        assert_eq!(order(1.0), [0, 2, 3, 1]);
        let none = Diversity {
            weight: 0.5,
            behaviour: &behaviour,
            words: &words,
        };
        assert!(none.order(vec![]).is_empty());
        assert_eq!(none.order(vec![(3, 0.0), (2, 0.0)]), [(3, 0.0), (2, 0.0)]);
    }
}
