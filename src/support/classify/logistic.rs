//! Multinomial logistic regression on sparse rows, fitted by L-BFGS.
//!
//! Minimises `mean(-ln p(label | row)) + |W|^2 / (2 C n)`, the bias not penalised: scikit-learn's
//! `LogisticRegression(C)` divided by `C n`. Weights lie feature by feature with a feature's classes side by side, so
//! that a row's scores are a few long vector additions.
//!
//! The slope is computed without a sum over threads: first the residuals of every row (parallel over rows), then the
//! slope of every feature from the transposed matrix (parallel over features). Each number is made by one thread in a
//! fixed order, so the result is the same whatever the number of threads. Parameters are f64 as the optimiser keeps
//! them, the two passes run in f32 on a rounded copy: twice as fast, and the rounding is far below what 40 steps
//! resolve.

use super::linear::{Linear, add_scores, softmax};
use crate::fit::{Brent, Checkpoint, Control, Differentiable, FitError, Lbfgs, Objective, brent, lbfgs};
use crate::text::Csr;
use rayon::prelude::*;
use std::sync::Mutex;

/// How it is fitted.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::support) struct LogisticOptions {
    /// Weight of the data against the penalty, as in scikit-learn.
    pub c: f64,
    /// L-BFGS iterations at the most.
    pub max_iterations: u64,
    /// The checkpoint, if one is wanted.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for LogisticOptions {
    /// C = 20 did best on folds of BANKING77's training part. 40 iterations cost a third less than 60 there, and the
    /// accuracy on its test part is the same, 0.916.
    fn default() -> Self {
        Self {
            c: 20.0,
            max_iterations: 40,
            checkpoint: None,
        }
    }
}

/// Fits rows to their labels (`labels[i] < classes`).
///
/// # Errors
/// [`FitError::Invalid`] for less than two classes, no row or labels that do not fit the rows; otherwise what the
/// optimiser says (stopped, checkpoint).
pub(in crate::support) fn logistic(
    rows: &Csr,
    labels: &[u32],
    classes: usize,
    start: Option<&Linear>,
    options: &LogisticOptions,
    control: &Control,
) -> Result<Linear, FitError> {
    if classes < 2 || rows.rows == 0 || rows.rows != labels.len() {
        return Err(FitError::Invalid(format!(
            "a classifier wants two classes and a label for every row, not {classes} classes and {} labels for {} rows",
            labels.len(),
            rows.rows
        )));
    }
    if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
        return Err(FitError::Invalid(format!(
            "label {label} is not below the number of classes, {classes}"
        )));
    }
    let problem = Problem {
        rows,
        by_feature: rows.transpose(),
        labels,
        classes,
        penalty: 1.0 / (options.c * rows.rows as f64),
        rounded: Mutex::new(Vec::new()),
    };
    let settings = Lbfgs {
        max_iterations: options.max_iterations,
        tolerance: 1e-5,
        cost_tolerance: 1e-8,
        checkpoint: options.checkpoint.clone(),
        ..Lbfgs::default()
    };
    let start = match start {
        None => vec![0.0; (rows.columns + 1) * classes],
        Some(other) => scaled(other, rows, labels, problem.penalty, control)?,
    };
    let fitted = lbfgs(&problem, start, &settings, control)?;
    let mut weights: Vec<f32> = fitted.params.iter().map(|&weight| weight as f32).collect();
    let bias = weights.split_off(rows.columns * classes);
    Ok(Linear {
        classes,
        columns: rows.columns,
        weights,
        bias,
    })
}

/// Another model's weights, as long as suits this loss best.
fn scaled(
    other: &Linear,
    rows: &Csr,
    labels: &[u32],
    penalty: f64,
    control: &Control,
) -> Result<Vec<f64>, FitError> {
    let scores = other.all_scores(rows);
    let square: f64 = other.weights.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
    let p = std::cell::RefCell::new(vec![0f64; other.classes]);
    let loss = |log_scale: f64| {
        let (scale, mut p) = (log_scale.exp(), p.borrow_mut());
        let mut sum = 0.0;
        for (scores, &label) in scores.chunks_exact(other.classes).zip(labels) {
            p.iter_mut()
                .zip(scores)
                .for_each(|(p, &score)| *p = scale * f64::from(score));
            let own = p[label as usize];
            sum += softmax(&mut p) - own;
        }
        sum / labels.len() as f64 + 0.5 * penalty * scale * scale * square
    };
    let options = Brent {
        max_iterations: 12,
        tolerance: 1e-2,
        checkpoint: None,
    };
    let scale = brent(loss, -3.0, 4.0, &options, &control.quiet())?.params[0].exp();
    let numbers = other.weights.iter().chain(&other.bias);
    Ok(numbers.map(|&weight| scale * f64::from(weight)).collect())
}

/// Rows or features that one parallel task handles.
const BLOCK: usize = 64;

struct Problem<'a> {
    rows: &'a Csr,
    /// The transposed rows: for each feature the rows that have it.
    by_feature: Csr,
    labels: &'a [u32],
    classes: usize,
    penalty: f64,
    /// The f32 copy of the parameters, kept between evaluations for its memory only.
    rounded: Mutex<Vec<f32>>,
}

impl Problem<'_> {
    /// Mean loss of the rows; their residuals `p - [label]`, divided by the number of rows, go to `residuals`.
    fn forward(&self, weights: &[f32], bias: &[f32], residuals: &mut [f32]) -> f64 {
        let (classes, scale) = (self.classes, 1.0 / self.rows.rows as f64);
        let losses: Vec<f64> = residuals
            .par_chunks_mut(BLOCK * classes)
            .enumerate()
            .map(|(block, out)| {
                let mut p = vec![0f64; classes];
                let mut loss = 0.0;
                for (offset, scores) in out.chunks_exact_mut(classes).enumerate() {
                    let row = block * BLOCK + offset;
                    let (columns, values) = self.rows.row(row);
                    scores.copy_from_slice(bias);
                    add_scores(columns, values, weights, scores);
                    let label = self.labels[row] as usize;
                    for (p, &score) in p.iter_mut().zip(scores.iter()) {
                        *p = f64::from(score);
                    }
                    let own = p[label];
                    loss += softmax(&mut p) - own;
                    p[label] -= 1.0;
                    for (score, &p) in scores.iter_mut().zip(&p) {
                        *score = (p * scale) as f32;
                    }
                }
                loss
            })
            .collect();
        losses.iter().sum::<f64>() * scale
    }

    /// The slope of every feature's weights: residuals of its rows, and the penalty.
    fn backward(&self, params: &[f64], residuals: &[f32], gradient: &mut [f64]) {
        let (classes, columns) = (self.classes, self.rows.columns);
        let (weights, bias) = gradient.split_at_mut(columns * classes);
        weights
            .par_chunks_mut(BLOCK * classes)
            .enumerate()
            .for_each(|(block, out)| {
                let mut sum = vec![0f32; classes];
                for (offset, slope) in out.chunks_exact_mut(classes).enumerate() {
                    let column = block * BLOCK + offset;
                    sum.fill(0.0);
                    let (rows, values) = self.by_feature.row(column);
                    for (&row, &value) in rows.iter().zip(values) {
                        let from = row as usize * classes;
                        for (sum, residual) in sum.iter_mut().zip(&residuals[from..from + classes]) {
                            *sum += value * residual;
                        }
                    }
                    let from = column * classes;
                    for ((slope, sum), weight) in
                        slope.iter_mut().zip(&sum).zip(&params[from..from + classes])
                    {
                        *slope = f64::from(*sum) + self.penalty * weight;
                    }
                }
            });
        for row in residuals.chunks_exact(classes) {
            for (slope, &residual) in bias.iter_mut().zip(row) {
                *slope += f64::from(residual);
            }
        }
    }

    fn evaluate(&self, x: &[f64], gradient: Option<&mut [f64]>) -> f64 {
        let mut rounded = self
            .rounded
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        rounded.resize(x.len(), 0.0);
        rounded
            .par_chunks_mut(1 << 14)
            .zip(x.par_chunks(1 << 14))
            .for_each(|(to, from)| {
                to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
            });
        let (weights, bias) = rounded.split_at(self.rows.columns * self.classes);
        let mut residuals = vec![0f32; self.rows.rows * self.classes];
        let loss = self.forward(weights, bias, &mut residuals);
        if let Some(gradient) = gradient {
            self.backward(x, &residuals, gradient);
        }
        let squares: Vec<f64> = x[..weights.len()]
            .par_chunks(1 << 14)
            .map(|part| part.iter().map(|weight| weight * weight).sum())
            .collect();
        loss + 0.5 * self.penalty * squares.iter().sum::<f64>()
    }
}

impl Objective for Problem<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        self.evaluate(x, None)
    }
}

impl Differentiable for Problem<'_> {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluate(x, Some(gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_agrees_with_finite_differences() {
        let rows = Csr::from_rows(8, (0..60u32).map(|i| vec![(i % 3, 1.0), (3 + i % 5, 0.4)]));
        let labels: Vec<u32> = (0..60).map(|i| if i == 7 { 0 } else { i % 3 }).collect();
        let problem = Problem {
            by_feature: rows.transpose(),
            rows: &rows,
            labels: &labels,
            classes: 3,
            penalty: 0.01,
            rounded: Mutex::new(Vec::new()),
        };
        let mut dice = fastrand::Rng::with_seed(5);
        let x: Vec<f64> = (0..27).map(|_| dice.f64() - 0.5).collect();
        let mut slope = vec![0.0; 27];
        problem.cost_and_gradient(&x, &mut slope);
        for i in 0..27 {
            let step = 1e-2; // large, because the passes are in f32
            let at = |d: f64| {
                let mut x = x.clone();
                x[i] += d;
                problem.cost(&x)
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step);
            assert!((numeric - slope[i]).abs() < 2e-5, "{i}: {numeric} {}", slope[i]);
        }
    }
}
