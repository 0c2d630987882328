//! Where the search starts: a conditional sum of squares.
//!
//! Residuals of a long autoregression stand in for the innovations, and a regression on lagged values and lagged
//! residuals gives coefficients (Hannan and Rissanen, Biometrika 69, 1982). They are damped until they are stationary
//! and invertible, and taken only where their likelihood is above that of no coefficients at all.

use super::super::regression::qr::Triangle;
use super::Order;
use super::polynomial::partial_of;
use super::prepare::{Prepared, differenced};

/// The way back, damped until every block is stationary or invertible with some room.
fn free(order: &Order, coefficients: &[f64]) -> Vec<f64> {
    let mut x = Vec::with_capacity(coefficients.len());
    let mut from = 0;
    for (length, average) in [
        (order.p, false),
        (order.q, true),
        (order.sp, false),
        (order.sq, true),
    ] {
        let sign = if average { -1.0 } else { 1.0 };
        let mut block: Vec<f64> = coefficients[from..from + length]
            .iter()
            .map(|c| sign * c)
            .collect();
        from += length;
        let mut partial = partial_of(&block);
        for _ in 0..40 {
            if partial.as_ref().is_some_and(|p| p.iter().all(|p| p.abs() < 0.98)) {
                break;
            }
            let mut damp = 1.0;
            for value in &mut block {
                damp *= 0.9;
                *value *= damp;
            }
            partial = partial_of(&block);
        }
        match partial {
            Some(partial) if partial.iter().all(|p| p.abs() < 0.98) => {
                x.extend(partial.iter().map(|p| p.atanh()))
            }
            _ => x.extend(std::iter::repeat_n(0.0, length)),
        }
    }
    x
}

impl Prepared {
    /// Free parameters to start from; none where the series is too short or too odd for them.
    pub(super) fn guess(&self) -> Option<Vec<f64>> {
        self.hannan_rissanen().map(|guess| free(&self.order, &guess))
    }

    /// The differenced series without its regressors by least squares, gaps bridged by straight lines.
    fn bridged(&self) -> Vec<f64> {
        let mut series = match self.effects(&self.plain()) {
            Some(effects) => self.residual(&effects),
            None => self.columns[0].clone(),
        };
        if !self.gaps {
            return series;
        }
        let mut before: Option<usize> = None;
        for t in 0..series.len() {
            if series[t].is_nan() {
                continue;
            }
            let (from, value) = before.map_or((0, series[t]), |before| (before, series[before]));
            for gap in from..t {
                let share = (gap - from) as f64 / (t - from) as f64;
                series[gap] = value + share * (series[t] - value);
            }
            before = Some(t);
        }
        let end = before.map_or(0, |before| before + 1);
        series.truncate(end);
        differenced(&series, &self.delta)
    }

    fn hannan_rissanen(&self) -> Option<Vec<f64>> {
        let w = self.bridged();
        let (order, n) = (&self.order, w.len());
        let ar: Vec<usize> = (1..=order.p)
            .chain((1..=order.sp).map(|i| i * order.season))
            .collect();
        let ma: Vec<usize> = (1..=order.q)
            .chain((1..=order.sq).map(|i| i * order.season))
            .collect();
        let reach = ar.iter().chain(&ma).copied().max()?;
        let residuals = if ma.is_empty() {
            vec![0.0; n]
        } else {
            let long = (reach + 5).max((10.0 * (n as f64).log10()) as usize).min(n / 3);
            long_autoregression(&w, long)?
        };
        let first = reach + if ma.is_empty() { 0 } else { reach.min(n / 6) };
        let k = ar.len() + ma.len();
        if n < first + k + 2 {
            return None;
        }
        let mut triangle = Triangle::new(k);
        let mut x = Vec::with_capacity((n - first) * k);
        for t in first..n {
            x.extend(ar.iter().map(|lag| w[t - lag]));
            x.extend(ma.iter().map(|lag| residuals[t - lag]));
        }
        triangle.absorb_rows(&x, &w[first..]);
        let b = triangle.solve();
        if !b.iter().all(|b| b.is_finite()) {
            return None;
        }
        let (ar, ma) = b.split_at(order.p + order.sp);
        Some([&ar[..order.p], &ma[..order.q], &ar[order.p..], &ma[order.q..]].concat())
    }
}

/// Residuals of an autoregression of order `long` by Levinson's recursion.
fn long_autoregression(w: &[f64], long: usize) -> Option<Vec<f64>> {
    let covariance: Vec<f64> = (0..=long)
        .map(|lag| w[lag..].iter().zip(w).map(|(a, b)| a * b).sum())
        .collect();
    let mut variance = covariance[0];
    let mut phi: Vec<f64> = Vec::with_capacity(long);
    for k in 0..long {
        if variance <= 0.0 || variance.is_nan() {
            return None;
        }
        let explained: f64 = phi
            .iter()
            .enumerate()
            .map(|(i, phi)| phi * covariance[k - i])
            .sum();
        let partial = (covariance[k + 1] - explained) / variance;
        for i in 0..k.div_ceil(2) {
            let (a, b) = (phi[i], phi[k - 1 - i]);
            phi[i] = a - partial * b;
            phi[k - 1 - i] = b - partial * a;
        }
        phi.push(partial);
        variance *= 1.0 - partial * partial;
    }
    Some(
        (0..w.len())
            .map(|t| {
                let explained: f64 = phi.iter().zip(w[..t].iter().rev()).map(|(phi, w)| phi * w).sum();
                w[t] - explained
            })
            .collect(),
    )
}
