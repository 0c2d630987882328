//! Weights of classes over features: what every linear member ends as, whatever loss it was fitted with.
//!
//! Linear models over the same features add up: the weighted sum of their scores is the score of their weighted sum.
//! So a stack of five of them costs as much to ask, and to keep, as one.

use crate::text::Csr;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Scores of `classes` classes for rows of `columns` features: `row * weights + bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    pub(in crate::support) classes: usize,
    pub(in crate::support) columns: usize,
    /// Feature by feature, a feature's classes side by side.
    pub(in crate::support) weights: Vec<f32>,
    pub(in crate::support) bias: Vec<f32>,
}

impl Linear {
    /// No opinion yet.
    pub fn zero(classes: usize, columns: usize) -> Linear {
        Linear {
            classes,
            columns,
            weights: vec![0.0; classes * columns],
            bias: vec![0.0; classes],
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of features.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The fitted numbers by feature, classes side by side; and the bias.
    #[cfg(test)]
    pub fn parts(&self) -> (&[f32], &[f32]) {
        (&self.weights, &self.bias)
    }

    /// Adds `weight` times another model over the same features and classes.
    pub(in crate::support) fn add(&mut self, weight: f64, other: &Linear) {
        let weight = weight as f32;
        for (own, other) in self.weights.iter_mut().zip(&other.weights) {
            *own += weight * other;
        }
        for (own, other) in self.bias.iter_mut().zip(&other.bias) {
            *own += weight * other;
        }
    }

    /// Whether the numbers belong together: what was stored may have been damaged.
    pub fn is_sound(&self) -> bool {
        self.weights.len() == self.classes * self.columns && self.bias.len() == self.classes
    }

    /// Scores of a row given by its columns and values; columns that are not known count for nothing.
    pub fn scores(&self, columns: &[u32], values: &[f32]) -> Vec<f32> {
        let mut scores = self.bias.clone();
        self.add_scores(columns, values, &mut scores);
        scores
    }

    /// Adds the row's weights to `scores`, in order of column.
    pub(in crate::support) fn add_scores(&self, columns: &[u32], values: &[f32], scores: &mut [f32]) {
        add_scores(columns, values, &self.weights, scores);
    }

    /// Scores of every row, row after row.
    pub fn all_scores(&self, rows: &Csr) -> Vec<f32> {
        let mut all = vec![0f32; rows.rows * self.classes];
        all.par_chunks_exact_mut(self.classes.max(1))
            .enumerate()
            .for_each(|(row, scores)| {
                let (columns, values) = rows.row(row);
                scores.copy_from_slice(&self.bias);
                self.add_scores(columns, values, scores);
            });
        all
    }
}

/// Adds a row's weights to `scores`, in order of column.
pub(in crate::support) fn add_scores(columns: &[u32], values: &[f32], weights: &[f32], scores: &mut [f32]) {
    let classes = scores.len();
    for (&column, &value) in columns.iter().zip(values) {
        let from = column as usize * classes;
        if let Some(weights) = weights.get(from..from + classes) {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += value * weight;
            }
        }
    }
}

/// Scores to probabilities in place; returns the logarithm of the sum of exponentials.
pub(in crate::support) fn softmax(scores: &mut [f64]) -> f64 {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - top).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
    top + sum.ln()
}

/// Index and value of the largest number; the first of equals.
pub(in crate::support) fn best_of(p: &[f64]) -> (u32, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &p) in p.iter().enumerate() {
        if p > best.1 {
            best = (class as u32, p);
        }
    }
    best
}
