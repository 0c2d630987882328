//! The cost over free parameters and its gradient.
//!
//! Minus the log-likelihood per value with sigma^2 concentrated out and constants left away,
//! `ln(S / n) / 2 + sum(ln F) / 2n`, `S = sum v^2 / F`. At given ARMA coefficients the best regression coefficients are
//! those of generalised least squares, and by the envelope theorem the gradient may hold them fixed: one pass with plain
//! numbers finds them, one with derivatives gives cost and gradient.

use super::super::regression::qr::Triangle;
use super::Order;
use super::dual::{Dual, Real};
use super::innovations::innovations;
use super::kalman::filter;
use super::polynomial::{Arma, coefficients_of};
use super::prepare::Prepared;
use crate::fit::{Differentiable, Objective};

impl Prepared {
    /// Runs the columns through the filter of a model.
    pub(super) fn run<R: Real>(
        &self,
        arma: &Arma<R>,
        columns: &[&[f64]],
        each: impl FnMut(usize, R, &[R]),
    ) -> bool {
        if self.gaps {
            filter(arma, &self.delta, columns, each).is_some()
        } else {
            innovations(arma, columns, each)
        }
    }

    /// `S` and `sum ln F` of one series.
    pub(super) fn sums<R: Real>(&self, arma: &Arma<R>, series: &[f64]) -> Option<(R, R)> {
        let (mut squares, mut logs, mut product) = (R::ZERO, R::ZERO, R::ONE);
        let stationary = self.run(arma, &[series], |_, f, v| {
            squares += v[0] * v[0] * f.inverse();
            // Logarithms are dear: variances are multiplied up and their logarithm taken now and then.
            product = product * f;
            if !(1e-100..1e100).contains(&product.value()) {
                logs += product.ln();
                product = R::ONE;
            }
        });
        logs += product.ln();
        stationary.then_some((squares, logs))
    }

    /// The best regression coefficients at given ARMA coefficients, in units of the columns.
    pub(super) fn effects(&self, arma: &Arma<f64>) -> Option<Vec<f64>> {
        let k = self.columns.len() - 1;
        if k == 0 {
            return Some(Vec::new());
        }
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let stationary = self.run(arma, &columns, |_, f, v| {
            let root = 1.0 / f.sqrt();
            y.push(v[0] * root);
            x.extend(v[1..].iter().map(|v| v * root));
        });
        let mut triangle = Triangle::new(k);
        triangle.absorb_rows(&x, &y);
        let effects = triangle.solve();
        (stationary && effects.iter().all(|b| b.is_finite())).then_some(effects)
    }

    /// The series without what the regressors explain.
    pub(super) fn residual(&self, effects: &[f64]) -> Vec<f64> {
        let mut residual = self.columns[0].clone();
        for (column, b) in self.columns[1..].iter().zip(effects) {
            for (value, x) in residual.iter_mut().zip(column) {
                *value -= b * x;
            }
        }
        residual
    }

    pub(super) fn concentrated<R: Real>(&self, squares: R, logs: R) -> R {
        let n = self.observations as f64;
        (squares * (1.0 / n)).ln() * 0.5 + logs * (0.5 / n)
    }

    /// The natural coefficients at free parameters, derivatives by parameters `from..from + K`.
    fn natural<const K: usize>(&self, x: &[f64], from: usize) -> Vec<Dual<K>> {
        let mut duals: Vec<Dual<K>> = x
            .iter()
            .enumerate()
            .map(|(i, x)| {
                let v = x.tanh();
                let mut dual = Dual { v, d: [0.0; K] };
                if (from..from + K).contains(&i) {
                    dual.d[i - from] = 1.0 - v * v;
                }
                dual
            })
            .collect();
        unfold(&self.order, &mut duals);
        duals
    }

    fn gradient_of<const K: usize>(
        &self,
        x: &[f64],
        from: usize,
        residual: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let arma = Arma::of(&self.order, &self.natural::<K>(x, from));
        let Some((squares, logs)) = self.sums(&arma, residual) else {
            return f64::INFINITY;
        };
        let cost = self.concentrated(squares, logs);
        gradient[from..from + K].copy_from_slice(&cost.d);
        cost.v
    }
}

/// Partial autocorrelations of every block to its coefficients, the moving averages with the other sign.
fn unfold<R: Real>(order: &Order, blocks: &mut [R]) {
    let mut from = 0;
    for (length, average) in [
        (order.p, false),
        (order.q, true),
        (order.sp, false),
        (order.sq, true),
    ] {
        let block = &mut blocks[from..from + length];
        coefficients_of(block);
        if average {
            block.iter_mut().for_each(|value| *value = -*value);
        }
        from += length;
    }
}

/// Free parameters to natural coefficients.
pub(super) fn natural(order: &Order, x: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<f64> = x.iter().map(|x| x.tanh()).collect();
    unfold(order, &mut blocks);
    blocks
}

impl Objective for Prepared {
    fn cost(&self, x: &[f64]) -> f64 {
        let arma = Arma::of(&self.order, &natural(&self.order, x));
        self.effects(&arma)
            .and_then(|effects| {
                if effects.is_empty() {
                    self.sums(&arma, &self.columns[0])
                } else {
                    self.sums(&arma, &self.residual(&effects))
                }
            })
            .map_or(f64::INFINITY, |(squares, logs)| self.concentrated(squares, logs))
    }
}

impl Differentiable for Prepared {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let storage;
        let residual = if self.columns.len() == 1 {
            &self.columns[0]
        } else {
            let arma = Arma::of(&self.order, &natural(&self.order, x));
            let Some(effects) = self.effects(&arma) else {
                return f64::INFINITY;
            };
            storage = self.residual(&effects);
            &storage
        };
        let mut cost = f64::INFINITY;
        let mut from = 0;
        while from < x.len() {
            let step = match x.len() - from {
                1 => {
                    cost = self.gradient_of::<1>(x, from, residual, gradient);
                    1
                }
                2 => {
                    cost = self.gradient_of::<2>(x, from, residual, gradient);
                    2
                }
                3 => {
                    cost = self.gradient_of::<3>(x, from, residual, gradient);
                    3
                }
                _ => {
                    cost = self.gradient_of::<4>(x, from, residual, gradient);
                    4
                }
            };
            from += step;
        }
        cost
    }
}
