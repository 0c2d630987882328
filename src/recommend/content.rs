//! Content: what a product's own words say, before anybody bought it.
//!
//! The article's formula `sim(u, i) = Σ_j x_uj x_ij / (‖x_u‖ ‖x_i‖)`: x_i is the TF-IDF vector of a product's text,
//! x_u the weighted sum of the vectors of the user's products ([`ContentCosine`]). [`nearest`] keeps, per product, the
//! products of the nearest text: what a mixed model adds for products that nobody bought yet.

use super::history::Signal;
use super::models::{Memo, Scorer, loudest};
use super::neighbours::Neighbours;
use super::profile::Decay;
use crate::text::Csr;

/// Lengths of the rows.
fn norms(vectors: &Csr) -> Vec<f32> {
    (0..vectors.rows)
        .map(|i| {
            vectors
                .row(i)
                .1
                .iter()
                .map(|&x| f64::from(x) * f64::from(x))
                .sum::<f64>()
                .sqrt() as f32
        })
        .collect()
}

/// The k products with the nearest text of every product, by cosine; products without words have none.
///
/// Features that stand in more than `common` of the texts (at least 50) are skipped while neighbours are looked for: they join
/// everything with everything, and cost the square of their number.
pub fn nearest(vectors: &Csr, k: usize, common: f64) -> Neighbours {
    let postings = vectors.transpose();
    let norms = norms(vectors);
    let limit = ((vectors.rows as f64 * common) as usize).max(50);
    Neighbours::of_products(vectors.rows, k, |sums, i, row| {
        let (features, values) = vectors.row(i);
        for (&feature, &x) in features.iter().zip(values) {
            let (products, weights) = postings.row(feature as usize);
            if products.len() > limit {
                continue;
            }
            for (&j, &y) in products.iter().zip(weights) {
                sums.add(j, x * y);
            }
        }
        sums.take(|j, sum| {
            if j as usize != i && sum > 0.0 {
                row.push((j, sum / (norms[i] * norms[j as usize])));
            }
        });
    })
}

/// The content model: cosine between a user's profile of words and every product.
#[derive(Debug, Clone)]
pub struct ContentCosine {
    vectors: Csr,
    postings: Csr,
    norms: Vec<f32>,
    decay: Decay,
}

impl ContentCosine {
    /// Takes the TF-IDF rows of all products (row = product index).
    pub fn new(vectors: Csr, decay: Decay) -> ContentCosine {
        ContentCosine {
            postings: vectors.transpose(),
            norms: norms(&vectors),
            vectors,
            decay,
        }
    }
}

impl Scorer for ContentCosine {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        let mut words = vec![0.0f32; self.vectors.columns];
        for (product, weight) in self.decay.profile(history) {
            let (features, values) = self.vectors.row(product as usize);
            for (&feature, &x) in features.iter().zip(values) {
                words[feature as usize] += weight * x;
            }
        }
        let norm = words
            .iter()
            .map(|&x| f64::from(x) * f64::from(x))
            .sum::<f64>()
            .sqrt() as f32;
        if norm == 0.0 {
            return Memo::new();
        }
        for (feature, &x) in words.iter().enumerate().filter(|&(_, &x)| x != 0.0) {
            let (products, weights) = self.postings.row(feature);
            for (&product, &y) in products.iter().zip(weights) {
                scores[product as usize] += x * y;
            }
        }
        for (score, &length) in scores.iter_mut().zip(&self.norms) {
            if length > 0.0 {
                *score /= norm * length;
            }
        }
        Memo::new()
    }

    fn reasons(&self, history: &[Signal], products: &[u32], _: &Memo) -> Vec<u32> {
        let profile = self.decay.profile(history);
        let mut table = vec![0.0f32; profile.len() * products.len()];
        for (speaker, &(of, weight)) in profile.iter().enumerate() {
            for (place, &product) in products.iter().enumerate() {
                let length = self.norms[product as usize];
                if length > 0.0 {
                    // The length of the profile is the same for all speakers and is left out.
                    let dot = self.vectors.dot(of as usize, product as usize);
                    table[speaker * products.len() + place] = weight * dot / length;
                }
            }
        }
        loudest(&profile, products.len(), &table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Csr {
        Csr::from_rows(
            3,
            [vec![(0, 1.0), (1, 1.0)], vec![(1, 2.0)], vec![(2, 1.0)], vec![]],
        )
    }

    fn signal(product: u32) -> Signal {
        Signal {
            product,
            strength: 1.0,
            first: 0,
            line: 0,
            last: 0,
            bought: true,
            dismissed: false,
        }
    }

    #[test]
    fn the_article_s_content_formula_by_hand() {
        let model = ContentCosine::new(words(), Decay::flat());
        let mut scores = [0.0; 4];
        model.score(&[signal(0), signal(2)], &mut scores);
        // x_u = (1, 1, 1): with product 0 = (1,1,0) 2 / (√3 √2), with 1 = (0,2,0) 2 / (√3 · 2), with 2 1 / √3.
        let by_hand = [2.0 / 6f32.sqrt(), 1.0 / 3f32.sqrt(), 1.0 / 3f32.sqrt(), 0.0];
        for (score, expected) in scores.iter().zip(by_hand) {
            assert!((score - expected).abs() < 1e-6, "{score} {expected}");
        }
    }

    /// scikit-learn 1.9.1: the cosine_similarity of rows 0 and 2 added up to all rows of a
    /// `TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\b\w+\b")`.
    #[test]
    fn from_texts_to_the_article_s_cosine_like_scikit_learn() {
        let texts = [
            "red heart tea light holder",
            "white hanging heart tea light holder",
            "red retro spot cake tin tin",
            "set of three retro cake tins",
            "garden bird feeder",
        ];
        let (_, vectors) = crate::text::TfIdf::fit(&texts, &crate::text::TfIdfOptions::default());
        let model = ContentCosine::new(vectors, Decay::flat());
        let mut scores = [0.0; 5];
        model.score(&[signal(0), signal(2)], &mut scores);
        let expected = [0.734_652_02, 0.425_513_3, 0.734_652_02, 0.083_923_31, 0.0];
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{score} {expected}");
        }
    }

    #[test]
    fn neighbours_by_text() {
        let near = nearest(&words(), 2, 1.0);
        assert_eq!(near.of(1).len(), 1);
        assert_eq!(near.of(1)[0].0, 0);
        assert!((near.of(1)[0].1 - 0.5f32.sqrt()).abs() < 1e-6);
        assert!(near.of(2).is_empty() && near.of(3).is_empty());
    }
}
