//! The dual form: the inverse of people × people, and the sparse matrix itself.
//!
//! With `K = X X' + λ I` and `q_j = x_j' K⁻¹ x_j` (x_j: column j of X), `P_ij = (δ_ij - x_i' K⁻¹ x_j) / λ`, so for
//! i ≠ j `B_ij = -P_ij / P_jj = x_i' K⁻¹ x_j / (1 - q_j)`. A profile p scores
//! `(p X' K⁻¹ x_j - p_j q_j) / (1 - q_j)`; the second term takes out what j says for itself.

use std::sync::OnceLock;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
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
    /// `K⁻¹ x_j` of every kept product, one after the other: made when somebody first asks for shares.
    heard: OnceLock<Vec<f32>>,
}

/// Profiles whose scores are summed together: their sums of one person fill two cache lines.
const TOGETHER: usize = 32;

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
                    // K⁻¹ is symmetric: pairs count twice, the diagonal once.
                    let row = &inverse[u as usize * people..][..people];
                    let others = gathered(&of[..at], &values[..at], row);
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
            heard: OnceLock::new(),
        })
    }

    /// Writes `p B` for every profile: `sums` is profiles × kept products, row after row.
    pub(super) fn scores(&self, profiles: &[Vec<(u32, f32)>], sums: &mut [f32]) {
        let kept = self.holders.rows;
        for (profiles, sums) in profiles.chunks(TOGETHER).zip(sums.chunks_mut(TOGETHER * kept)) {
            self.some_scores(profiles, sums);
        }
    }

    fn some_scores(&self, profiles: &[Vec<(u32, f32)>], sums: &mut [f32]) {
        let (people, kept, many) = (self.holders.columns, self.holders.rows, profiles.len());
        // X p, a row a profile.
        let mut voices = vec![0.0f32; many * people];
        for (profile, voices) in profiles.iter().zip(voices.chunks_exact_mut(people)) {
            for &(place, weight) in profile {
                let (of, values) = self.holders.row(place as usize);
                for (&u, &x) in of.iter().zip(values) {
                    voices[u as usize] += weight * x;
                }
            }
        }
        // K⁻¹ X p, a row a person: then one pass over the sparse matrix serves all profiles.
        let mut heard = vec![0.0f32; people * many];
        matmul(
            MatMut::from_row_major_slice_mut(&mut heard, people, many),
            Accum::Replace,
            MatRef::from_column_major_slice(&self.inverse, people, people),
            MatRef::from_column_major_slice(&voices, people, many),
            1.0,
            Par::Seq,
        );
        let mut all = [0.0f32; TOGETHER];
        for product in 0..kept {
            all[..many].fill(0.0);
            let (of, values) = self.holders.row(product);
            for (&u, &x) in of.iter().zip(values) {
                for (sum, &h) in all[..many].iter_mut().zip(&heard[u as usize * many..][..many]) {
                    *sum += x * h;
                }
            }
            let scale = 1.0 / (1.0 - self.own[product]);
            for (row, &sum) in all[..many].iter().enumerate() {
                sums[row * kept + product] = scale * sum;
            }
        }
        // What a product says for itself does not count.
        for (profile, sums) in profiles.iter().zip(sums.chunks_exact_mut(kept)) {
            for &(place, weight) in profile {
                let q = self.own[place as usize];
                sums[place as usize] -= weight * q / (1.0 - q);
            }
        }
    }

    /// What a holding of weight 1 of each speaker says for each target: speakers × targets, row after row.
    pub(super) fn shares(&self, speakers: &[Option<u32>], targets: &[Option<u32>]) -> Vec<f32> {
        let (people, many) = (self.holders.columns, targets.len());
        let all = self.heard.get_or_init(|| self.all_heard());
        // The targets side by side, so that one holder of a speaker serves all of them.
        let mut heard = vec![0.0f32; people * many];
        for (at, target) in targets.iter().enumerate() {
            let Some(target) = target else { continue };
            let scale = 1.0 / (1.0 - self.own[*target as usize]);
            for (u, &h) in all[*target as usize * people..][..people].iter().enumerate() {
                heard[u * many + at] = scale * h;
            }
        }
        let mut shares = vec![0.0f32; speakers.len() * many];
        for (speaker, row) in speakers.iter().zip(shares.chunks_exact_mut(many.max(1))) {
            let Some(speaker) = speaker else { continue };
            let (of, values) = self.holders.row(*speaker as usize);
            for (&u, &x) in of.iter().zip(values) {
                for (sum, &h) in row.iter_mut().zip(&heard[u as usize * many..][..many]) {
                    *sum += x * h;
                }
            }
            for (sum, target) in row.iter_mut().zip(targets) {
                if *target == Some(*speaker) {
                    *sum = 0.0;
                }
            }
        }
        shares
    }

    /// `K⁻¹ x_j` of every kept product.
    fn all_heard(&self) -> Vec<f32> {
        let people = self.holders.columns;
        let mut all = vec![0.0f32; self.holders.rows * people];
        all.par_chunks_exact_mut(people.max(1))
            .enumerate()
            .for_each(|(product, heard)| {
                let (of, values) = self.holders.row(product);
                for (&u, &x) in of.iter().zip(values) {
                    for (sum, &k) in heard
                        .iter_mut()
                        .zip(&self.inverse[u as usize * people..][..people])
                    {
                        *sum += x * k;
                    }
                }
            });
        all
    }
}

/// `Σ value · row[column]` in four sums, so that one addition need not wait for the last.
fn gathered(columns: &[u32], values: &[f32], row: &[f32]) -> f32 {
    let mut sums = [0.0f32; 4];
    let (fours, fours_values) = (columns.chunks_exact(4), values.chunks_exact(4));
    let rest = fours.remainder().iter().zip(fours_values.remainder());
    for (columns, values) in fours.zip(fours_values) {
        for lane in 0..4 {
            sums[lane] += values[lane] * row[columns[lane] as usize];
        }
    }
    for (&column, &value) in rest {
        sums[0] += value * row[column as usize];
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
