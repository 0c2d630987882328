//! The primal form: B itself, row by row.

use super::gram::{gram, invert};
use crate::fit::{Control, FitError};
use crate::text::Csr;

/// B over the places of the kept products: entry (i, j) is what a holding of i says for j.
#[derive(Debug, Clone)]
pub(super) struct Primal {
    weights: Vec<f32>,
    n: usize,
}

impl Primal {
    pub(super) fn fit(x: &Csr, lambda: f32, control: &Control) -> Result<Primal, FitError> {
        let n = x.columns;
        let square = gram(&x.transpose(), x, lambda);
        control.check()?;
        let mut weights = invert(square, n, control)?;
        let scale: Vec<f32> = (0..n).map(|j| -1.0 / weights[j * n + j]).collect();
        for (i, row) in weights.chunks_exact_mut(n.max(1)).enumerate() {
            for (weight, &scale) in row.iter_mut().zip(&scale) {
                *weight *= scale;
            }
            row[i] = 0.0;
        }
        Ok(Primal { weights, n })
    }

    /// Writes `p B` for every profile: `sums` is profiles × kept products, row after row.
    pub(super) fn scores(&self, profiles: &[Vec<(u32, f32)>], sums: &mut [f32]) {
        for (profile, sums) in profiles.iter().zip(sums.chunks_exact_mut(self.n.max(1))) {
            sums.fill(0.0);
            for &(place, weight) in profile {
                let row = &self.weights[place as usize * self.n..][..self.n];
                for (sum, &b) in sums.iter_mut().zip(row) {
                    *sum += weight * b;
                }
            }
        }
    }

    /// What a holding of weight 1 of each speaker says for each target: speakers × targets, row after row.
    pub(super) fn shares(&self, speakers: &[Option<u32>], targets: &[Option<u32>]) -> Vec<f32> {
        let share = |i: u32, j: u32| self.weights[i as usize * self.n + j as usize];
        speakers
            .iter()
            .flat_map(|speaker| {
                targets.iter().map(move |target| match (*speaker, *target) {
                    (Some(speaker), Some(target)) => share(speaker, target),
                    _ => 0.0,
                })
            })
            .collect()
    }
}
