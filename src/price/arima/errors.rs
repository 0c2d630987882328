//! Standard errors of the estimates: the inverse of the observed information.
//!
//! The Hessian of minus the log-likelihood (sigma^2 concentrated out) over the coefficients and the regression
//! coefficients together, as in R's `arima`, by central differences of the exact gradient: one digit in two is lost
//! instead of two in three. There are none where the likelihood is not curved downwards everywhere, as at a moving
//! average on the border of invertibility.

use super::super::model::Drivers;
use super::dual::Dual;
use super::estimate::Fitted;
use super::polynomial::Arma;
use super::prepare::Prepared;

/// The step of the differences. The gradient is exact to about 1e-13, so the error is about 1e-8 both ways.
const STEP: f64 = 1e-5;

impl Fitted {
    /// The standard error of each coefficient (ar, ma, sar, sma), then of each regressor, from the series and drivers of
    /// the fit. `None` where the information is not positive.
    pub fn std_errors(&self, values: &[f64], drivers: &Drivers) -> Option<Vec<f64>> {
        let prepared = self.model.prepare(values, drivers).ok()?;
        let effects: Vec<f64> = self
            .effects
            .iter()
            .zip(&prepared.sizes)
            .map(|(b, size)| b * size / prepared.scale)
            .collect();
        let (k, m) = (self.coefficients.len(), effects.len());
        let size = k + m;
        let mut hessian = vec![0.0; size * size];
        for i in 0..k {
            let mut aside = self.coefficients.clone();
            aside[i] += STEP;
            let after = prepared.slope(&aside, &effects)?;
            aside[i] = self.coefficients[i] - STEP;
            let before = prepared.slope(&aside, &effects)?;
            for j in 0..size {
                hessian[i * size + j] = (after[j] - before[j]) / (2.0 * STEP);
            }
        }
        for i in 0..k {
            for j in 0..i {
                let mean = (hessian[i * size + j] + hessian[j * size + i]) / 2.0;
                hessian[i * size + j] = mean;
                hessian[j * size + i] = mean;
            }
            for j in k..size {
                hessian[j * size + i] = hessian[i * size + j];
            }
        }
        prepared.curvature_of_effects(&self.coefficients, &effects, &mut hessian)?;
        let diagonal = inverse_diagonal(&hessian, size)?;
        let n = prepared.observations as f64;
        Some(
            diagonal
                .iter()
                .enumerate()
                .map(|(i, variance)| {
                    let unit = if i < k {
                        1.0
                    } else {
                        prepared.scale / prepared.sizes[i - k]
                    };
                    (variance / n).sqrt() * unit
                })
                .collect(),
        )
    }
}

impl Prepared {
    /// The gradient of the cost per value over coefficients and regression coefficients (in units of the columns).
    fn slope(&self, coefficients: &[f64], effects: &[f64]) -> Option<Vec<f64>> {
        let residual = self.residual(effects);
        let mut slope = Vec::with_capacity(coefficients.len() + effects.len());
        for i in 0..coefficients.len() {
            let duals: Vec<Dual<1>> = coefficients
                .iter()
                .enumerate()
                .map(|(j, &v)| Dual {
                    v,
                    d: [f64::from(u8::from(i == j))],
                })
                .collect();
            let (squares, logs) = self.sums(&Arma::of(&self.order, &duals), &residual)?;
            slope.push(self.concentrated(squares, logs).d[0]);
        }
        if !effects.is_empty() {
            let arma = Arma::of(&self.order, coefficients);
            let columns = self.with_regressors(&residual);
            let (mut squares, mut products) = (0.0, vec![0.0; effects.len()]);
            self.run(&arma, &columns, |_, f, v| {
                squares += v[0] * v[0] / f;
                for (product, x) in products.iter_mut().zip(&v[1..]) {
                    *product += v[0] * x / f;
                }
            });
            slope.extend(products.iter().map(|product| -product / squares));
        }
        slope.iter().all(|slope| slope.is_finite()).then_some(slope)
    }

    fn with_regressors<'a>(&'a self, residual: &'a [f64]) -> Vec<&'a [f64]> {
        std::iter::once(residual)
            .chain(self.columns[1..].iter().map(Vec::as_slice))
            .collect()
    }

    /// The block of the regression coefficients: `X'X / S`, both after the filter.
    fn curvature_of_effects(&self, coefficients: &[f64], effects: &[f64], hessian: &mut [f64]) -> Option<()> {
        let (k, m) = (coefficients.len(), effects.len());
        if m == 0 {
            return Some(());
        }
        let arma = Arma::of(&self.order, coefficients);
        let residual = self.residual(effects);
        let (mut squares, mut products) = (0.0, vec![0.0; m * m]);
        let stationary = self.run(&arma, &self.with_regressors(&residual), |_, f, v| {
            squares += v[0] * v[0] / f;
            for i in 0..m {
                for j in 0..m {
                    products[i * m + j] += v[1 + i] * v[1 + j] / f;
                }
            }
        });
        let size = k + m;
        for i in 0..m {
            for j in 0..m {
                hessian[(k + i) * size + k + j] = products[i * m + j] / squares;
            }
        }
        stationary.then_some(())
    }
}

/// The diagonal of the inverse of a positive definite matrix, by Cholesky; `None` where it is not one.
fn inverse_diagonal(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = matrix.to_vec();
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = l[i * n + j] - sum;
            if i == j {
                if rest <= 0.0 || rest.is_nan() {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    // Column c of L^-1 holds what row c of the inverse is made of.
    let mut diagonal = vec![0.0; n];
    for (c, sum) in diagonal.iter_mut().enumerate() {
        let mut column = vec![0.0; n];
        for i in c..n {
            let known: f64 = (c..i).map(|k| l[i * n + k] * column[k]).sum();
            column[i] = (f64::from(u8::from(i == c)) - known) / l[i * n + i];
            *sum += column[i] * column[i];
        }
    }
    Some(diagonal)
}
