//! Five kinds of standard errors, in the order mu, omega, alpha, beta (and nu), in the unit of the returns.
//!
//! With `H` the negative Hessian of the log-likelihood, `G` the sum of outer products of the scores and `I` the
//! expected information `sum(dh dh' / 2 h^2 + de de' / h)`, in which the mean and the variance's parameters do not meet:
//! their cross terms have expectation 0 where innovations are symmetric (Engle, Econometrica 50, 1982).
//!
//! | kind | covariance |
//! |---|---|
//! | Hessian | `H^-1` |
//! | outer product | `G^-1` (Berndt, Hall, Hall and Hausman, 1974) |
//! | information | `I^-1` (Fiorentini, Calzolari and Panattoni, 1996) |
//! | Bollerslev and Wooldridge | `I^-1 G I^-1`: right for innovations that are not normal (Econometric Reviews 11, 1992) |
//! | White | `H^-1 G H^-1`: the same by the Hessian (Econometrica 50, 1982) |

use super::likelihood::{Data, Parameters};
use super::{Distribution, Fitted};

/// The kind of standard errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// By the Hessian.
    Hessian,
    /// By the outer product of the scores.
    OuterProduct,
    /// By the expected information; the normal distribution alone.
    Information,
    /// Robust, by the information; the normal distribution alone.
    BollerslevWooldridge,
    /// Robust, by the Hessian.
    White,
}

impl Fitted {
    /// Standard errors from the returns of the fit. `None` where the matrix has no inverse, as at a bound, and where
    /// the kind is not defined for the distribution.
    pub fn std_errors(&self, returns: &[f64], kind: Errors) -> Option<Vec<f64>> {
        let distribution = match self.nu {
            None => Distribution::Normal,
            Some(_) => Distribution::StudentT,
        };
        let expected = matches!(kind, Errors::Information | Errors::BollerslevWooldridge);
        if expected && distribution != Distribution::Normal {
            return None;
        }
        let data = Data::of(returns, distribution).ok()?;
        let at = data.inside(self);
        let k = at.to_vec().len();
        let bread = match kind {
            Errors::OuterProduct => outer_products(&data, &at),
            Errors::Hessian | Errors::White => hessian(&data, &at)?,
            Errors::Information | Errors::BollerslevWooldridge => information(&data, &at),
        };
        let inverse = inverted(bread, k)?;
        let covariance = match kind {
            Errors::BollerslevWooldridge | Errors::White => {
                let filling = outer_products(&data, &at);
                product(&product(&inverse, &filling, k), &inverse, k)
            }
            _ => inverse,
        };
        let units = [data.scale, data.scale * data.scale, 1.0, 1.0, 1.0];
        (0..k)
            .map(|i| {
                let variance = covariance[i * k + i];
                (variance > 0.0).then(|| variance.sqrt() * units[i])
            })
            .collect()
    }
}

fn outer_products(data: &Data, at: &Parameters) -> Vec<f64> {
    let k = at.to_vec().len();
    let mut sum = vec![0.0; k * k];
    data.scores(at, |score, _| {
        for (line, a) in sum.chunks_exact_mut(k).zip(score) {
            for (cell, b) in line.iter_mut().zip(score) {
                *cell += a * b;
            }
        }
    });
    sum
}

fn information(data: &Data, at: &Parameters) -> Vec<f64> {
    let mut sum = vec![0.0; 16];
    data.run(at, |step| {
        let inverse = 1.0 / step.h;
        let weight = 0.5 * inverse * inverse;
        for (line, a) in sum.chunks_exact_mut(4).zip(&step.dh) {
            for (cell, b) in line.iter_mut().zip(&step.dh) {
                *cell += weight * a * b;
            }
        }
        sum[0] += inverse;
    });
    for i in 1..4 {
        sum[i] = 0.0;
        sum[4 * i] = 0.0;
    }
    sum
}

/// By central differences of the exact gradient, each step in proportion to its parameter's own scale.
fn hessian(data: &Data, at: &Parameters) -> Option<Vec<f64>> {
    let natural = at.to_vec();
    let k = natural.len();
    let mut matrix = vec![0.0; k * k];
    let (mut after, mut before) = (vec![0.0; k], vec![0.0; k]);
    for i in 0..k {
        // mu is in units of a standard deviation; the others are positive and bounded by 0.
        let step = if i == 0 { 1e-5 } else { 1e-5 * natural[i] };
        let mut aside = natural.clone();
        aside[i] += step;
        data.slope(&Parameters::from_slice(&aside), &mut after);
        aside[i] = natural[i] - step;
        data.slope(&Parameters::from_slice(&aside), &mut before);
        for j in 0..k {
            matrix[i * k + j] = (after[j] - before[j]) / (2.0 * step);
        }
    }
    for i in 0..k {
        for j in 0..i {
            let mean = (matrix[i * k + j] + matrix[j * k + i]) / 2.0;
            matrix[i * k + j] = mean;
            matrix[j * k + i] = mean;
        }
    }
    matrix.iter().all(|cell| cell.is_finite()).then_some(matrix)
}

fn product(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
    let mut product = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..k {
            product[i * k + j] = (0..k).map(|l| a[i * k + l] * b[l * k + j]).sum();
        }
    }
    product
}

/// The inverse of a symmetric positive definite matrix, scaled to a diagonal of ones first; `None` where it is not one.
fn inverted(matrix: Vec<f64>, k: usize) -> Option<Vec<f64>> {
    let scale: Vec<f64> = (0..k).map(|i| 1.0 / matrix[i * k + i].sqrt()).collect();
    if !scale.iter().all(|scale| scale.is_finite()) {
        return None;
    }
    let mut l = matrix;
    for i in 0..k {
        for j in 0..=i {
            let own = l[i * k + j] * scale[i] * scale[j];
            let sum: f64 = (0..j).map(|c| l[i * k + c] * l[j * k + c]).sum();
            let rest = own - sum;
            if i == j {
                if rest <= 1e-13 || rest.is_nan() {
                    return None;
                }
                l[i * k + i] = rest.sqrt();
            } else {
                l[i * k + j] = rest / l[j * k + j];
            }
        }
    }
    // L^-1, then its transpose times itself.
    let mut lower = vec![0.0; k * k];
    for c in 0..k {
        for i in c..k {
            let known: f64 = (c..i).map(|m| l[i * k + m] * lower[m * k + c]).sum();
            lower[i * k + c] = (f64::from(u8::from(i == c)) - known) / l[i * k + i];
        }
    }
    let mut inverse = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..k {
            let sum: f64 = (i.max(j)..k).map(|m| lower[m * k + i] * lower[m * k + j]).sum();
            inverse[i * k + j] = sum * scale[i] * scale[j];
        }
    }
    Some(inverse)
}
