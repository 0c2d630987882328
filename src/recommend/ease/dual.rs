//! The dual form: the inverse of people × people, and the sparse matrix itself.
//!
//! With `K = X X' + λ I` and `q_j = x_j' K⁻¹ x_j` (x_j: column j of X), `P_ij = (δ_ij - x_i' K⁻¹ x_j) / λ`, so for
//! i ≠ j `B_ij = -P_ij / P_jj = x_i' K⁻¹ x_j / (1 - q_j)`. A profile p scores
//! `(p X' K⁻¹ x_j - p_j q_j) / (1 - q_j)`; the second term takes out what j says for itself.

use rayon::prelude::*;

use super::gram::{gram, invert};
use crate::fit::{Control, FitError};
use crate::text::Csr;

#[derive(Debug, Clone)]
pub(super) struct Dual {
    /// X' : a row a kept product, a column a person.
    holders: Csr,
    /// K⁻¹, people × people.
    inverse: Vec<f32>,
    /// `q_j` of every kept product.
    own: Vec<f32>,
}

impl Dual {
    pub(super) fn fit(x: Csr, lambda: f32, control: &Control) -> Result<Dual, FitError> {
        let people = x.rows;
        let holders = x.transpose();
        let square = gram(&x, &holders, lambda);
        control.check()?;
        let inverse = invert(square, people, control)?;
        let own: Vec<f32> = (0..holders.rows)
            .into_par_iter()
            .map(|product| {
                let (of, values) = holders.row(product);
                let mut sum = 0.0f64;
                for (at, (&u, &x)) in of.iter().zip(values).enumerate() {
                    let row = &inverse[u as usize * people..][..people];
                    // K⁻¹ is symmetric: pairs count twice, the diagonal once.
                    let others: f32 = of[..at]
                        .iter()
                        .zip(values)
                        .map(|(&v, &y)| y * row[v as usize])
                        .sum();
                    sum +=
                        f64::from(x) * (2.0 * f64::from(others) + f64::from(x) * f64::from(row[u as usize]));
                }
                sum as f32
            })
            .collect();
        if own.iter().any(|&q| q.is_nan() || q >= 1.0) {
            return Err(FitError::Solver(
                "EASE in its dual form loses all digits: a larger lambda mends it".into(),
            ));
        }
        Ok(Dual {
            holders,
            inverse,
            own,
        })
    }

    /// Adds `p B`.
    pub(super) fn scores(&self, profile: &[(u32, f32)], sums: &mut [f32]) {
        let people = self.holders.columns;
        let mut voice = vec![0.0f32; people];
        for &(place, weight) in profile {
            let (of, values) = self.holders.row(place as usize);
            for (&u, &x) in of.iter().zip(values) {
                voice[u as usize] += weight * x;
            }
        }
        let mut heard = vec![0.0f32; people];
        for (row, &v) in self.inverse.chunks_exact(people.max(1)).zip(&voice) {
            if v != 0.0 {
                for (sum, &k) in heard.iter_mut().zip(row) {
                    *sum += v * k;
                }
            }
        }
        // What is said for each product, all speakers together; then without its own part.
        let mut own = vec![0.0f32; sums.len()];
        for &(place, weight) in profile {
            own[place as usize] = weight * self.own[place as usize];
        }
        for (product, sum) in sums.iter_mut().enumerate() {
            let (of, values) = self.holders.row(product);
            let all: f32 = of.iter().zip(values).map(|(&u, &x)| x * heard[u as usize]).sum();
            *sum += (all - own[product]) / (1.0 - self.own[product]);
        }
    }

    /// What a holding of weight 1 of each speaker says for `target`.
    pub(super) fn shares(&self, speakers: &[Option<u32>], target: u32) -> Vec<f32> {
        let people = self.holders.columns;
        let mut heard = vec![0.0f32; people];
        let (of, values) = self.holders.row(target as usize);
        for (&u, &x) in of.iter().zip(values) {
            for (sum, &k) in heard
                .iter_mut()
                .zip(&self.inverse[u as usize * people..][..people])
            {
                *sum += x * k;
            }
        }
        let scale = 1.0 / (1.0 - self.own[target as usize]);
        let of = |speaker: &Option<u32>| match *speaker {
            Some(place) if place != target => {
                let (of, values) = self.holders.row(place as usize);
                let sum: f32 = of.iter().zip(values).map(|(&u, &x)| x * heard[u as usize]).sum();
                scale * sum
            }
            _ => 0.0,
        };
        speakers.iter().map(of).collect()
    }
}
