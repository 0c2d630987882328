//! The nearest rows of a sparse matrix, by an inverted index.
//!
//! Rows of unit length are compared by their scalar product, the cosine; their Euclidean distance is
//! `sqrt(2 - 2 cosine)`, so the order is the same. Only rows that share a feature with the query are touched, the
//! features in descending order of what they can still add. Once the rest cannot lift an unseen row into the best k,
//! the remaining posting lists (the common words, which are the long ones) are left unread and only the candidates
//! are scored in full. This is the MaxScore rule (Turtle and Flood 1995), and it is exact.

use std::ops::Range;

use super::csr::{Csr, sparse_dot};

/// A search structure over the rows of a matrix with non-negative values.
#[derive(Debug, Clone)]
pub struct Neighbours {
    rows: Csr,
    /// The transposed matrix: for each column its rows, ascending.
    postings: Csr,
    /// The largest value of each column.
    largest: Vec<f32>,
}

/// Bounds are compared with this much slack, far above the rounding of a sum of f32.
const SLACK: f32 = 1e-4;

impl Neighbours {
    /// Indexes the rows of `matrix`; values must not be negative.
    pub fn new(matrix: &Csr) -> Neighbours {
        debug_assert!(matrix.values.iter().all(|&value| value >= 0.0));
        let postings = matrix.transpose();
        let largest = (0..postings.rows)
            .map(|c| postings.row(c).1.iter().copied().fold(0.0, f32::max))
            .collect();
        Neighbours {
            rows: matrix.clone(),
            postings,
            largest,
        }
    }

    /// Number of rows indexed.
    pub fn len(&self) -> usize {
        self.rows.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.rows == 0
    }

    /// The matrix that is searched.
    pub fn rows(&self) -> &Csr {
        &self.rows
    }

    /// The `k` rows of `window` nearest to row `row`, which is left out itself: (row, scalar product), best first,
    /// ties by row. Rows whose product is zero are never returned.
    pub fn nearest(&self, row: usize, k: usize, window: Range<usize>) -> Vec<(u32, f32)> {
        let (columns, values) = self.rows.row(row);
        self.search(columns, values, k, window, Some(row as u32))
    }

    /// The `k` rows of `window` nearest to a vector given by ascending columns and their values.
    pub fn nearest_to(
        &self,
        columns: &[u32],
        values: &[f32],
        k: usize,
        window: Range<usize>,
    ) -> Vec<(u32, f32)> {
        self.search(columns, values, k, window, None)
    }

    fn search(
        &self,
        columns: &[u32],
        values: &[f32],
        k: usize,
        window: Range<usize>,
        skip: Option<u32>,
    ) -> Vec<(u32, f32)> {
        let window = window.start.min(self.len())..window.end.min(self.len());
        if k == 0 || window.is_empty() {
            return Vec::new();
        }
        // (what the feature adds at most, its column, its value), the strongest first.
        let mut features: Vec<(f32, u32, f32)> = columns
            .iter()
            .zip(values)
            .filter(|&(&column, _)| (column as usize) < self.postings.rows)
            .map(|(&column, &value)| (value * self.largest[column as usize], column, value))
            .collect();
        features.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut rest: f32 = features.iter().map(|feature| feature.0).sum();

        let mut scores = vec![0f32; window.len()];
        let mut touched: Vec<u32> = Vec::new();
        let (mut read, mut next_look) = (0usize, 256usize);
        for &(bound, column, value) in &features {
            let (rows, weights) = self.postings.row(column as usize);
            let from = rows.partition_point(|&row| (row as usize) < window.start);
            let to = rows.partition_point(|&row| (row as usize) < window.end);
            // Looked at before a long list, and then only after reading a quarter more.
            if read + (to - from) >= next_look {
                if rest + SLACK < kth_best(&touched, &scores, &window, k, skip) {
                    break;
                }
                next_look = read + read / 4 + 256;
            }
            for (&row, &weight) in rows[from..to].iter().zip(&weights[from..to]) {
                let (score, product) = (&mut scores[row as usize - window.start], value * weight);
                if product > 0.0 {
                    if *score == 0.0 {
                        touched.push(row);
                    }
                    *score += product;
                }
            }
            read += to - from;
            rest -= bound;
        }
        // Scored once more in column order: the result does not depend on where reading ended, and equals Csr::dot.
        let rest = rest.max(0.0) + SLACK;
        let needed = kth_best(&touched, &scores, &window, k, skip);
        let mut found: Vec<(u32, f32)> = touched
            .iter()
            .filter(|&&row| Some(row) != skip && scores[row as usize - window.start] + rest >= needed)
            .map(|&row| (row, sparse_dot((columns, values), self.rows.row(row as usize))))
            .collect();
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(k);
        found
    }
}

/// The k-th best of the partial scores, or minus infinity while there are fewer.
fn kth_best(touched: &[u32], scores: &[f32], window: &Range<usize>, k: usize, skip: Option<u32>) -> f32 {
    let others = touched.iter().filter(|&&row| Some(row) != skip);
    let mut partial: Vec<f32> = others.map(|&row| scores[row as usize - window.start]).collect();
    if partial.len() < k {
        return f32::NEG_INFINITY;
    }
    *partial.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{TfIdf, TfIdfOptions};

    fn corpus(seed: u64, n: usize) -> Csr {
        let mut random = fastrand::Rng::with_seed(seed);
        // Word i with a chance falling like 1/i: a few in nearly every text, many in few.
        let texts: Vec<String> = (0..n)
            .map(|_| {
                (0..random.usize(0..15))
                    .map(|_| format!("w{}", (1.0 / random.f64().max(1e-3)) as usize))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        TfIdf::fit(&texts, &TfIdfOptions::default()).1
    }

    fn brute(matrix: &Csr, row: usize, k: usize, window: Range<usize>) -> Vec<(u32, f32)> {
        let mut all: Vec<(u32, f32)> = window
            .filter(|&other| other != row)
            .map(|other| (other as u32, matrix.dot(row, other)))
            .filter(|hit| hit.1 > 0.0)
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(k);
        all
    }

    #[test]
    fn the_index_finds_what_comparing_all_pairs_finds() {
        for seed in 0..4 {
            let matrix = corpus(seed, 900);
            let index = Neighbours::new(&matrix);
            for row in (0..900).step_by(7) {
                for k in [1, 5, 40] {
                    assert_eq!(
                        index.nearest(row, k, 0..900),
                        brute(&matrix, row, k, 0..900),
                        "row {row} k {k}"
                    );
                }
                assert_eq!(
                    index.nearest(row, 5, 100..row),
                    brute(&matrix, row, 5, 100..row),
                    "row {row}"
                );
            }
        }
    }

    #[test]
    fn edges() {
        let matrix = corpus(9, 50);
        let index = Neighbours::new(&matrix);
        assert!(index.nearest(0, 0, 0..50).is_empty());
        assert!(index.nearest_to(&[], &[], 3, 0..50).is_empty());
        assert!(index.nearest_to(&[u32::MAX], &[1.0], 3, 0..50).is_empty());
        assert!(index.nearest(0, 3, 60..90).is_empty());
        assert!(
            Neighbours::new(&Csr::default())
                .nearest_to(&[0], &[1.0], 1, 0..9)
                .is_empty()
        );
    }
}
