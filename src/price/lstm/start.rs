//! Where learning begins: how far things spread, and the pooled ridge regression.
//!
//! One linear map from the window's differences to all steps ahead, over windows of all series at once:
//!
//! ```text
//! minimising  sum |y - A x - b|^2 / n + penalty |A|^2 ,  x and y each in units of its own spread
//! ```
//!
//! It is the answer that a network has to beat: a quarter of the classical models' error comes from it alone. The outer
//! quantiles begin at the same map, moved by the quantiles of its errors.

use super::form::{Form, QUANTILES};
use super::net::{Batch, Net, SLOW};
use faer::linalg::solvers::Solve;

/// The penalty, in units of the inputs' variance.
const PENALTY: f64 = 1e-2;
/// Windows for each input that a regression wants.
const WINDOWS_EACH: usize = 4;

/// The root of the mean square of each column of `values`; columns that say nothing count as spread 1.
pub fn spreads(values: &[f32], weights: Option<&[f32]>, width: usize) -> Vec<f32> {
    let mut sums = vec![(0.0f64, 0.0f64); width];
    for (at, row) in values.chunks_exact(width.max(1)).enumerate() {
        for (j, value) in row.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| f64::from(weights[at * width + j]));
            sums[j].0 += weight * f64::from(*value) * f64::from(*value);
            sums[j].1 += weight;
        }
    }
    sums.into_iter()
        .map(|(sum, count)| (sum / count.max(1.0)).sqrt() as f32)
        .map(|spread| if spread > 1e-6 { spread } else { 1.0 })
        .collect()
}

/// Puts the pooled ridge of a batch into `params`; false where it has too few windows, or no solution.
pub fn ridge(net: &Net, form: &Form, batch: &Batch, params: &mut [f32]) -> bool {
    let (w, h) = (form.window(), form.horizon);
    let whole: Vec<usize> = (0..batch.rows)
        .filter(|row| batch.weights[row * h..][..h].iter().all(|weight| *weight > 0.0))
        .collect();
    if whole.len() < WINDOWS_EACH * w {
        return false;
    }
    let n = whole.len() as f64;
    let p = w + 1;
    // The last column is the constant.
    let mut moments = faer::Mat::<f64>::zeros(p, p);
    let mut products = faer::Mat::<f64>::zeros(p, h);
    const CHUNK: usize = 512;
    for rows in whole.chunks(CHUNK) {
        let x = faer::Mat::from_fn(rows.len(), p, |i, j| {
            if j < w {
                f64::from(batch.linear[rows[i] * w + j])
            } else {
                1.0
            }
        });
        let y = faer::Mat::from_fn(rows.len(), h, |i, k| f64::from(batch.happened[rows[i] * h + k]));
        let one = faer::Par::Seq;
        faer::linalg::matmul::matmul(&mut moments, faer::Accum::Add, x.transpose(), &x, 1.0 / n, one);
        faer::linalg::matmul::matmul(&mut products, faer::Accum::Add, x.transpose(), &y, 1.0 / n, one);
    }
    for j in 0..w {
        moments[(j, j)] += PENALTY;
    }
    let Ok(factor) = moments.llt(faer::Side::Lower) else {
        return false;
    };
    let solved = factor.solve(&products);
    if (0..p).any(|j| (0..h).any(|k| !solved[(j, k)].is_finite())) {
        return false;
    }
    let mut errors = vec![Vec::with_capacity(whole.len()); h];
    for &row in &whole {
        let x = &batch.linear[row * w..][..w];
        for (k, errors) in errors.iter_mut().enumerate() {
            let mut told = solved[(w, k)];
            for (j, x) in x.iter().enumerate() {
                told += solved[(j, k)] * f64::from(*x);
            }
            errors.push(f64::from(batch.happened[row * h + k]) - told);
        }
    }
    let q = QUANTILES.len();
    for (k, mut errors) in errors.into_iter().enumerate() {
        errors.sort_unstable_by(f64::total_cmp);
        for (i, quantile) in QUANTILES.iter().enumerate() {
            let column = k * q + i;
            for j in 0..w {
                let at = net.skip.weight.start + j * q * h + column;
                params[at] = solved[(j, k)] as f32 / SLOW;
            }
            let at = ((errors.len() - 1) as f64 * f64::from(*quantile)).round() as usize;
            if let Some(bias) = net.skip.bias {
                params[bias.start + column] = (solved[(w, k)] + errors[at]) as f32;
            }
        }
    }
    true
}
