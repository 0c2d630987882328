//! Weightings: how much a buyer says about the likeness of two products.
//!
//! Plain cosine hears every buyer alike. TF-IDF turns down those who buy everything: with I products and n_u of them
//! in user u's history, r_ui becomes `√r_ui · ln(I / n_u)` before the cosine. BM25 (Robertson and Zaragoza 2009, "The
//! Probabilistic Relevance Framework") saturates besides and turns down products that everybody has,
//! `r (k₁ + 1) / (k₁ (1 - b + b n_i / n̄) + r) · ln(I / n_u)`, and compares by the dot product. Both are those of the
//! library implicit, whose k₁ = 100 and b = 0.8 are kept.

use super::history::Histories;

const K1: f64 = 100.0;
const B: f64 = 0.8;

/// How strengths are weighted before products are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// As they are; cosine.
    Plain,
    /// By the rarity of a user's interest; cosine.
    TfIdf,
    /// By rarity, saturation and the product's own popularity; dot product.
    Bm25,
}

impl Weighting {
    /// Whether columns are brought to unit length.
    pub fn is_cosine(self) -> bool {
        self != Weighting::Bm25
    }

    /// The weight of (user, product, strength).
    pub fn over(self, histories: &Histories) -> impl Fn(usize, usize, f32) -> f32 {
        let (mut rarity, mut length) = (Vec::new(), Vec::new());
        if self != Weighting::Plain {
            let products = (histories.products as f64).ln();
            let speaking = |user| histories.of(user).iter().filter(|s| s.strength > 0.0);
            let count = |user| (speaking(user).count().max(1)) as f64;
            rarity = (0..histories.users())
                .map(|user| products - count(user).ln())
                .collect();
        }
        if self == Weighting::Bm25 {
            let mut totals = vec![0.0f64; histories.products];
            for signal in histories.all() {
                totals[signal.product as usize] += f64::from(signal.strength);
            }
            let sold = totals.iter().filter(|&&total| total > 0.0).count().max(1);
            let mean = (totals.iter().sum::<f64>() / sold as f64).max(f64::MIN_POSITIVE);
            length = totals
                .into_iter()
                .map(|total| 1.0 - B + B * total / mean)
                .collect();
        }
        move |user, product, strength| match self {
            Weighting::Plain => strength,
            Weighting::TfIdf => (f64::from(strength).sqrt() * rarity[user]) as f32,
            Weighting::Bm25 => {
                let r = f64::from(strength);
                (r * (K1 + 1.0) / (K1 * length[product] + r) * rarity[user]) as f32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::super::neighbours::Neighbours;
    use super::*;

    /// Buyers: product 0 of {0, 1}, 1 of {0, 2}, 2 of {0, 1}, 3 of nobody.
    fn histories() -> Histories {
        let pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1)];
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
        Histories::build(&Log::new(3, 4, events.collect()), &Strengths::default(), |_| true)
    }

    #[test]
    fn tf_idf_by_hand() {
        // Rarities ln(4/3), ln(4/2), ln(4/1) = 0.28768, 0.69315, 1.38629.
        let (a, b, c) = ((4f64 / 3.0).ln(), 2f64.ln(), 4f64.ln());
        let near = Neighbours::weighted(&histories(), 3, Weighting::TfIdf);
        let by_hand = a * a / ((a * a + b * b).sqrt() * (a * a + c * c).sqrt());
        let of_zero = near.of(0);
        assert_eq!(of_zero[0].0, 2);
        assert!((f64::from(of_zero[0].1) - 1.0).abs() < 1e-6);
        assert_eq!(of_zero[1].0, 1);
        assert!((f64::from(of_zero[1].1) - by_hand).abs() < 1e-6);
    }

    #[test]
    fn bm25_by_hand() {
        // Every sold product has two buyers, the mean, so its length is 1 and a weight is rarity · 101 / 101.
        let (a, b) = ((4f64 / 3.0).ln(), 2f64.ln());
        let near = Neighbours::weighted(&histories(), 3, Weighting::Bm25);
        assert_eq!(near.of(0)[0].0, 2);
        assert!((f64::from(near.of(0)[0].1) - (a * a + b * b)).abs() < 1e-6);
        assert!((f64::from(near.of(0)[1].1) - a * a).abs() < 1e-6);
    }
}
