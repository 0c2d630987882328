//! What is minimised, with gradients: cross entropy over classes, pinball loss of quantiles, squared error.
//!
//! Each takes predictions and leaves in their place the gradient of the *mean* loss; rows can weigh differently, and a row
//! of weight 0 (the filling of a shorter sequence) costs nothing, neither loss nor time. Sums are in double precision in the order
//! of rows.

use super::kernels::rows::softmax_times;

/// Mean of `-log p(target)` over rows of `classes` logits, `p` their softmax. `weights`, one a row, default to 1. The logits become
/// the gradient. Rows that all weigh nothing have a loss of 0.
pub fn cross_entropy(logits: &mut [f32], classes: usize, targets: &[u32], weights: Option<&[f32]>) -> f64 {
    cross_entropy_of(logits, classes, targets, weights, total(weights, targets.len()))
}

/// The same for some of the rows whose weights sum to `total`: losses and gradients of parts add up to those of the whole.
pub(super) fn cross_entropy_of(
    logits: &mut [f32],
    classes: usize,
    targets: &[u32],
    weights: Option<&[f32]>,
    total: f64,
) -> f64 {
    assert_eq!(
        logits.len(),
        classes * targets.len(),
        "a row of logits for every target"
    );
    let mut sum = 0.0;
    for (at, (row, target)) in logits.chunks_exact_mut(classes.max(1)).zip(targets).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[at]);
        if weight == 0.0 {
            row.fill(0.0);
            continue;
        }
        let target = *target as usize;
        let logit = row[target];
        let scale = (f64::from(weight) / total) as f32;
        sum += f64::from(weight) * f64::from(softmax_times(row, scale) - logit);
        row[target] -= scale;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Mean of `max(q e, (q - 1) e)`, `e = target - prediction`, over rows of one prediction a quantile (Koenker and Bassett 1978).
/// `predictions`, rows by `quantiles.len()`, become the gradient; its value where prediction and target are equal is 0.
pub fn pinball(predictions: &mut [f32], quantiles: &[f32], targets: &[f32], weights: Option<&[f32]>) -> f64 {
    let n = quantiles.len();
    assert_eq!(
        predictions.len(),
        n * targets.len(),
        "a prediction for every quantile of every target"
    );
    let total = total(weights, targets.len()) * n as f64;
    let mut sum = 0.0;
    for (at, (row, target)) in predictions.chunks_exact_mut(n.max(1)).zip(targets).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[at]);
        if weight == 0.0 {
            row.fill(0.0);
            continue;
        }
        let scale = f64::from(weight) / total;
        for (prediction, q) in row.iter_mut().zip(quantiles) {
            let error = target - *prediction;
            sum += f64::from(weight) * f64::from((q * error).max((q - 1.0) * error));
            let slope = if error > 0.0 {
                -q
            } else if error < 0.0 {
                1.0 - q
            } else {
                error // 0, or no number
            };
            *prediction = (f64::from(slope) * scale) as f32;
        }
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Mean of `(prediction - target)^2` over rows of `width` values. The predictions become the gradient.
pub fn squared(predictions: &mut [f32], width: usize, targets: &[f32], weights: Option<&[f32]>) -> f64 {
    assert_eq!(predictions.len(), targets.len(), "a target for every prediction");
    let rows = predictions.len() / width.max(1);
    let total = total(weights, rows) * width as f64;
    let mut sum = 0.0;
    let pairs = predictions
        .chunks_exact_mut(width.max(1))
        .zip(targets.chunks_exact(width.max(1)));
    for (at, (row, targets)) in pairs.enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[at]);
        if weight == 0.0 {
            row.fill(0.0);
            continue;
        }
        let scale = (2.0 * f64::from(weight) / total) as f32;
        for (prediction, target) in row.iter_mut().zip(targets) {
            let error = *prediction - target;
            sum += f64::from(weight) * f64::from(error) * f64::from(error);
            *prediction = error * scale;
        }
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

pub(super) fn total(weights: Option<&[f32]>, rows: usize) -> f64 {
    match weights {
        Some(weights) => {
            assert_eq!(weights.len(), rows, "a weight for every row");
            weights.iter().map(|w| f64::from(*w)).sum()
        }
        None => rows as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, numbers, slopes};
    use super::*;

    const WEIGHTS: [f32; 4] = [1.0, 0.0, 0.5, 2.0];

    #[test]
    fn cross_entropy_and_its_slope() {
        let logits = numbers(4 * 19, 1);
        let targets = [3, 18, 0, 7];
        let truth = |x: &[f64]| {
            let rows = x.chunks_exact(19).zip(targets).zip(WEIGHTS);
            let losses = rows.map(|((row, target), w)| {
                let sum: f64 = row.iter().map(|x| x.exp()).sum();
                f64::from(w) * (sum.ln() - row[target as usize])
            });
            losses.sum::<f64>() / 3.5
        };
        let (wanted, slope) = slopes(&logits, truth);
        let mut values = logits.clone();
        let loss = cross_entropy(&mut values, 19, &targets, Some(&WEIGHTS));
        assert!((loss - wanted).abs() < 1e-6, "{loss} {wanted}");
        close(&values, &slope, 1e-6);
        let mut values = logits.clone();
        assert_eq!(cross_entropy(&mut values, 19, &targets, Some(&[0.0; 4])), 0.0);
        assert_eq!(values, vec![0.0; 4 * 19]);
        assert_eq!(cross_entropy(&mut [], 19, &[], None), 0.0);
    }

    #[test]
    fn pinball_and_its_slope() {
        let quantiles = [0.1, 0.5, 0.9];
        let predictions = numbers(12, 2);
        let targets = numbers(4, 3);
        let truth = |x: &[f64]| {
            let mut sum = 0.0;
            for (row, (target, w)) in x.chunks_exact(3).zip(targets.iter().zip(WEIGHTS)) {
                for (p, q) in row.iter().zip(quantiles) {
                    let e = f64::from(*target) - p;
                    sum += f64::from(w) * (f64::from(q) * e).max((f64::from(q) - 1.0) * e);
                }
            }
            sum / 3.5 / 3.0
        };
        let (wanted, slope) = slopes(&predictions, truth);
        let mut values = predictions.clone();
        let loss = pinball(&mut values, &quantiles, &targets, Some(&WEIGHTS));
        assert!((loss - wanted).abs() < 1e-7);
        close(&values, &slope, 1e-7);
        let mut exact = [1.0, 2.0];
        assert_eq!(pinball(&mut exact, &[0.3], &[1.0, 2.0], None), 0.0);
        assert_eq!(exact, [0.0, 0.0]);
        let mut none = [f32::NAN];
        assert!(pinball(&mut none, &[0.3], &[1.0], None).is_nan() && none[0].is_nan());
    }

    #[test]
    fn squared_error_and_its_slope() {
        let predictions = numbers(20, 4);
        let targets = numbers(20, 5);
        let truth = |x: &[f64]| {
            let error = |i: usize| (x[i] - f64::from(targets[i])).powi(2) * f64::from(WEIGHTS[i / 5]);
            (0..20).map(error).sum::<f64>() / 3.5 / 5.0
        };
        let (wanted, slope) = slopes(&predictions, truth);
        let mut values = predictions.clone();
        let loss = squared(&mut values, 5, &targets, Some(&WEIGHTS));
        assert!((loss - wanted).abs() < 1e-7);
        close(&values, &slope, 1e-7);
    }
}
