//! Numbers to try layers on, and slopes to compare their gradients with.
//!
//! A layer is checked against its formula, written again plainly in double precision: values to rounding, gradients against
//! central differences of the formula, which in double precision are good to nine digits.

/// `n` numbers from -1 to 1.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| random.f32() * 2.0 - 1.0).collect()
}

/// The value of `f` at `x` and its slope along each coordinate.
pub(crate) fn slopes(x: &[f32], f: impl Fn(&[f64]) -> f64) -> (f64, Vec<f64>) {
    const STEP: f64 = 1e-5;
    let mut x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    let value = f(&x);
    let slopes = (0..x.len())
        .map(|i| {
            let here = x[i];
            x[i] = here + STEP;
            let above = f(&x);
            x[i] = here - STEP;
            let below = f(&x);
            x[i] = here;
            (above - below) / (2.0 * STEP)
        })
        .collect();
    (value, slopes)
}

/// Panics unless all are within `tolerance` of the truth, as a share of it where it is larger than 1.
pub(crate) fn close(got: &[f32], truth: &[f64], tolerance: f64) {
    assert_eq!(got.len(), truth.len());
    for (i, (got, truth)) in got.iter().zip(truth).enumerate() {
        let error = (f64::from(*got) - truth).abs();
        assert!(
            error <= tolerance * truth.abs().max(1.0),
            "number {i}: {got}, not {truth}"
        );
    }
}

/// Σ weights · values: a loss whose gradient is the weights.
pub(crate) fn weighted(values: &[f64], weights: &[f32]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * f64::from(*w)).sum()
}

/// `x W + b` in double precision, one row.
pub(crate) fn affine(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let mut y = b.to_vec();
    for (x, row) in x.iter().zip(w.chunks_exact(b.len())) {
        y.iter_mut().zip(row).for_each(|(y, w)| *y += x * w);
    }
    y
}

/// 1 / (1 + e^-x).
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
