//! The textbook's classifier, to be compared with: `n_td ln(N / n_d)` vectors of words as they are, Euclidean distance,
//! the majority of the nearest.
//!
//! Distance grows with a text's length here, so short tickets become everyone's neighbours; `scores` shows what that
//! costs on the shop's own tickets. It is found exactly, through the inverted index: `|a - b|^2 = |a|^2 + |b|^2 - 2 a.b`,
//! where only texts that share a word with the query have a product at all.

use super::NEIGHBOURS;
use crate::text::{Csr, Features, TfIdf, TfIdfOptions, Weighting};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Its name in `scores`.
pub const LITERAL: &str = "article: tf-idf k-nn";

/// Answers and shares of the votes for `asked`, by the ten nearest of `texts`; the class first in order of equals.
pub(super) fn literal<S: AsRef<str> + Sync>(texts: &[S], labels: &[u32], asked: &[S]) -> Vec<(u32, f64)> {
    let options = TfIdfOptions {
        features: Features::Words,
        weighting: Weighting::Literal,
        ..TfIdfOptions::default()
    };
    let (vectors, rows) = TfIdf::fit(texts, &options);
    let postings = rows.transpose();
    let squares: Vec<f32> = (0..rows.rows).map(|row| square(rows.row(row).1)).collect();
    asked
        .par_iter()
        .map(|text| {
            let near = nearest(&vectors.vector(text.as_ref()), &postings, &squares);
            majority(near.into_iter().map(|row| labels[row as usize]))
        })
        .collect()
}

fn square(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum()
}

/// The rows at the smallest distances, ties by row.
fn nearest(query: &[(u32, f32)], postings: &Csr, squares: &[f32]) -> Vec<u32> {
    let mut products = vec![0f32; squares.len()];
    for &(column, value) in query {
        let (rows, values) = postings.row(column as usize);
        for (&row, &other) in rows.iter().zip(values) {
            products[row as usize] += value * other;
        }
    }
    // |a|^2 is the same for every row.
    let mut distances: Vec<(f32, u32)> = squares
        .iter()
        .zip(&products)
        .zip(0u32..)
        .map(|((square, product), row)| (square - 2.0 * product, row))
        .collect();
    let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if distances.len() > NEIGHBOURS {
        distances.select_nth_unstable_by(NEIGHBOURS, order);
        distances.truncate(NEIGHBOURS);
    }
    distances.into_iter().map(|(_, row)| row).collect()
}

/// The most frequent class and its share; the first of equals.
fn majority(classes: impl Iterator<Item = u32>) -> (u32, f64) {
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    classes.for_each(|class| *counts.entry(class).or_default() += 1);
    let total: u32 = counts.values().sum();
    let best = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
    best.map_or((0, 0.0), |(&class, &count)| {
        (class, f64::from(count) / f64::from(total.max(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_by_euclid_as_by_hand() {
        // N = 4. ln(4/1) = 1.386 for words of one text, ln(4/2) = 0.693 for words of two.
        let texts = ["a b", "a c", "d d d", "e"];
        let options = TfIdfOptions {
            features: Features::Words,
            weighting: Weighting::Literal,
            ..TfIdfOptions::default()
        };
        let (vectors, rows) = TfIdf::fit(&texts, &options);
        let postings = rows.transpose();
        let squares: Vec<f32> = (0..4).map(|row| square(rows.row(row).1)).collect();
        let mut order = nearest(&vectors.vector("a b"), &postings, &squares);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3]); // fewer than ten: all of them
        // "d" thrice and its pair twice is far from everything: 3 * 1.386 and 2 * 1.386.
        let far = |text: usize| squares[text];
        assert!((far(2) - 13.0 * 4f32.ln().powi(2)).abs() < 1e-3, "{squares:?}");
        assert_eq!(majority([3, 1, 1, 3].into_iter()), (1, 0.5));
        assert_eq!(literal(&texts, &[0, 0, 1, 1], &["a b"]), [(0, 0.5)]);
        assert_eq!(literal::<&str>(&[], &[], &["x"]), [(0, 0.0)]);
    }
}
