//! The nearest solved tickets.
//!
//! Vectors are unit length, so the Euclidean distance of two tickets is `sqrt(2 - 2 cosine)`: the same order as the
//! cosine, and found through the inverted index without touching tickets that share no word.

use crate::text::{Csr, Neighbours};

/// A solved ticket near another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its row among the solved.
    pub row: u32,
    /// Cosine, 0 to 1.
    pub similarity: f32,
}

impl Neighbour {
    /// Euclidean distance between the unit vectors, 0 (same words) to `sqrt(2)` (no word in common).
    pub fn distance(&self) -> f64 {
        (2.0 - 2.0 * f64::from(self.similarity)).max(0.0).sqrt()
    }
}

/// Solved tickets ready to be searched; rows in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Solved {
    index: Neighbours,
}

impl Solved {
    /// Indexes unit-length rows.
    pub fn new(rows: &Csr) -> Solved {
        Solved {
            index: Neighbours::new(rows),
        }
    }

    /// Number of solved tickets.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The indexed rows.
    pub fn rows(&self) -> &Csr {
        self.index.rows()
    }

    /// The `k` nearest to a unit vector, nearest first, ties by row. Tickets without a word in common are not near.
    pub fn nearest(&self, columns: &[u32], values: &[f32], k: usize) -> Vec<Neighbour> {
        self.index
            .nearest_to(columns, values, k, 0..self.len())
            .into_iter()
            .map(near)
            .collect()
    }

    /// The `k` nearest to the solved ticket `row` but itself.
    pub fn nearest_others(&self, row: usize, k: usize) -> Vec<Neighbour> {
        self.index
            .nearest(row, k, 0..self.len())
            .into_iter()
            .map(near)
            .collect()
    }
}

fn near((row, similarity): (u32, f32)) -> Neighbour {
    Neighbour {
        row,
        similarity: similarity.min(1.0),
    }
}

/// Votes of the neighbours for what `of` says about them, weighted by similarity, as shares of all votes: largest
/// first, ties by the smaller name. Neighbours of which it says nothing do not vote.
pub fn votes<T: Ord + Copy>(neighbours: &[Neighbour], of: impl Fn(u32) -> Option<T>) -> Vec<(T, f64)> {
    let mut sums: std::collections::BTreeMap<T, f64> = std::collections::BTreeMap::new();
    for neighbour in neighbours {
        if let Some(name) = of(neighbour.row) {
            *sums.entry(name).or_default() += f64::from(neighbour.similarity);
        }
    }
    let total: f64 = sums.values().sum();
    let mut shares: Vec<(T, f64)> = sums.into_iter().map(|(name, sum)| (name, sum / total)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{TfIdf, TfIdfOptions};

    #[test]
    fn distances_are_euclidean_and_votes_weigh_similarity() {
        let texts = [
            "where is my parcel",
            "where is my money",
            "reset the password",
            "where is my parcel now",
        ];
        let (model, rows) = TfIdf::fit(&texts, &TfIdfOptions::default());
        let solved = Solved::new(&rows);
        let (columns, values): (Vec<u32>, Vec<f32>) = model.vector("where is my parcel").into_iter().unzip();
        let near = solved.nearest(&columns, &values, 3);
        assert_eq!(near.iter().map(|one| one.row).collect::<Vec<_>>(), vec![0, 3, 1]);
        assert!(near[0].distance() < 1e-3);
        // The distance, computed from the differences of the coordinates.
        let dense = |row: usize| {
            let mut all = vec![0f64; rows.columns];
            let (columns, values) = rows.row(row);
            columns
                .iter()
                .zip(values)
                .for_each(|(&column, &value)| all[column as usize] = f64::from(value));
            all
        };
        let square: f64 = dense(0)
            .iter()
            .zip(dense(1))
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        assert!((near[2].distance() - square.sqrt()).abs() < 1e-4);
        let shares = votes(&near, |row| {
            Some(["parcel", "money", "login", "parcel"][row as usize])
        });
        assert_eq!(shares[0].0, "parcel");
        assert!((shares.iter().map(|share| share.1).sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(solved.nearest_others(0, 1)[0].row, 3);
    }
}
