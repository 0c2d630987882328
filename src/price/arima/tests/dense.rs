//! Likelihoods beside slow ones that share nothing with them but the definition.

use super::super::estimate::Effort;
use super::super::kalman::State;
use super::super::likelihood::natural;
use super::super::polynomial::Arma;
use super::super::{Arima, Order};
use super::series::*;
use super::{of, plain};
use crate::fit::{Control, Differentiable, Objective};
use crate::price::model::Drivers;

/// Cholesky's factor, row-major.
fn cholesky(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - sum;
            a[i * n + j] = if i == j { rest.sqrt() } else { rest / a[j * n + j] };
        }
    }
    a
}

fn forward(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| l[i * n + k] * b[k]).sum();
        b[i] = (b[i] - sum) / l[i * n + i];
    }
}

/// The log density of the values that are there, everything before the series and every missing value under a flat
/// prior: from the whole covariance matrix of the differences, the missing values regressed out.
fn slow(order: &Order, coefficients: &[f64], sigma2: f64, values: &[f64]) -> f64 {
    let arma = Arma::of(order, coefficients);
    // Weights of the past innovations, far enough for every model of these tests.
    let psi: Vec<f64> = {
        let mut psi = vec![1.0];
        for k in 1..4000 {
            let ma = if k <= arma.ma.len() { arma.ma[k - 1] } else { 0.0 };
            let sum: f64 = (1..=arma.ar.len().min(k))
                .map(|lag| arma.ar[lag - 1] * psi[k - lag])
                .sum();
            psi.push(ma + sum);
        }
        psi
    };
    let delta = order.delta();
    let n = values.len() - delta.len();
    let gamma: Vec<f64> = (0..n)
        .map(|lag| sigma2 * psi.iter().zip(&psi[lag..]).map(|(a, b)| a * b).sum::<f64>())
        .collect();
    let l = cholesky(
        (0..n * n)
            .map(|cell| gamma[(cell / n).abs_diff(cell % n)])
            .collect(),
        n,
    );
    let differenced = |series: &[f64]| -> Vec<f64> {
        let mut w: Vec<f64> = (delta.len()..series.len())
            .map(|t| {
                series[t]
                    - delta
                        .iter()
                        .enumerate()
                        .map(|(i, d)| d * series[t - 1 - i])
                        .sum::<f64>()
            })
            .collect();
        forward(&l, n, &mut w);
        w
    };
    let missing: Vec<usize> = (0..values.len()).filter(|&t| values[t].is_nan()).collect();
    let filled: Vec<f64> = values.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect();
    let mut y = differenced(&filled);
    let columns: Vec<Vec<f64>> = missing
        .iter()
        .map(|&t| {
            let mut unit = vec![0.0; values.len()];
            unit[t] = 1.0;
            differenced(&unit)
        })
        .collect();
    let g = missing.len();
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let gram = cholesky(
        (0..g * g)
            .map(|cell| inner(&columns[cell / g], &columns[cell % g]))
            .collect(),
        g,
    );
    let mut b: Vec<f64> = columns.iter().map(|column| inner(column, &y)).collect();
    forward(&gram, g, &mut b);
    let squares = inner(&y, &y) - inner(&b, &b);
    y.clear();
    let logs: f64 = (0..n).map(|i| 2.0 * l[i * n + i].ln()).sum::<f64>()
        + (0..g).map(|i| 2.0 * gram[i * g + i].ln()).sum::<f64>();
    -0.5 * ((n - g) as f64 * (2.0 * std::f64::consts::PI).ln() + logs + squares)
}

fn with_gaps(values: &[f64], gaps: &[usize]) -> Vec<f64> {
    let mut values = values.to_vec();
    for &gap in gaps {
        values[gap] = f64::NAN;
    }
    values
}

#[test]
fn the_likelihood_is_that_of_the_whole_covariance() {
    let logs = AIR_PASSENGERS.map(f64::ln);
    let quarters = Order::new(0, 1, 1).seasonal(0, 1, 1, 4);
    for (order, values) in [
        (Order::new(0, 1, 1), NILE.to_vec()),
        (
            Order::new(0, 1, 1),
            with_gaps(&NILE, &[0, 3, 4, 5, 20, 50, 51, 97, 99]),
        ),
        (Order::new(2, 1, 2), with_gaps(&NILE, &[10, 11, 12, 60])),
        (Order::new(0, 2, 2), with_gaps(&WWW_USAGE, &[1, 30, 31, 32])),
        (Order::new(0, 2, 1), with_gaps(&WWW_USAGE, &[0, 2, 3, 98])),
        (
            Order::new(3, 0, 1),
            with_gaps(&LH.map(|x| x - 2.4), &[0, 1, 20, 47]),
        ),
        (Order::new(0, 1, 1).seasonal(0, 1, 1, 12), logs.to_vec()),
        (
            Order::new(0, 1, 1).seasonal(0, 1, 1, 12),
            with_gaps(&logs, &[30, 31, 77, 143]),
        ),
        (
            Order::new(1, 0, 1).seasonal(1, 1, 0, 12),
            with_gaps(&logs[..72], &[2, 9, 40, 41, 42, 43]),
        ),
        (
            quarters.seasonal(1, 1, 1, 4),
            with_gaps(&logs[..60], &[0, 3, 4, 7, 20, 21, 22, 23, 24, 59]),
        ),
    ] {
        let fitted = plain(of(order, false), &values);
        let slow = slow(&order, &fitted.coefficients, fitted.sigma2, &values);
        assert!(
            (fitted.log_likelihood - slow).abs() < 1e-8,
            "{order}: {} against {slow}",
            fitted.log_likelihood
        );
    }
}

/// R's `arima` starts from a prior of variance 1e6 (times sigma^2) on the values before the series and leaves out the
/// steps whose variance is above 1e4. From that prior its likelihood and sigma^2 come out, and its estimates are a
/// maximum of that likelihood: so it is the prior that parts it from the exact likelihood, and nothing else.
#[test]
fn from_rs_prior_come_rs_numbers() {
    for reference in super::references() {
        let order = reference.model.order;
        if order.lost() == 0 {
            continue;
        }
        let likelihood = |coefficients: &[f64]| {
            let arma = Arma::of(&order, coefficients);
            let mut state = State::<f64>::new(&arma, &order.delta(), 1).unwrap();
            state.start_as_r(1e6);
            let (mut squares, mut logs, mut n) = (0.0, 0.0, 0.0);
            let mut v = [0.0];
            for &value in &reference.values {
                let f = state.update(|_| value, &mut v).unwrap();
                if f < 1e4 {
                    squares += v[0] * v[0] / f;
                    logs += f.ln();
                    n += 1.0;
                }
                state.predict(Some(&|_| value));
            }
            let sigma2 = squares / n;
            (
                sigma2,
                -0.5 * (n * ((2.0 * std::f64::consts::PI * sigma2).ln() + 1.0) + logs),
            )
        };
        let (sigma2, best) = likelihood(reference.coefficients);
        assert!(
            (sigma2 / reference.sigma2 - 1.0).abs() < 1e-8,
            "{order}: {sigma2}"
        );
        assert!((best - reference.log_likelihood).abs() < 1e-6, "{order}: {best}");
        for i in 0..reference.coefficients.len() {
            for step in [-1e-4, 1e-4] {
                let mut aside = reference.coefficients.to_vec();
                aside[i] += step;
                assert!(likelihood(&aside).1 < best, "{order}");
            }
        }
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    let mut drivers = Drivers::default();
    drivers.push("flag", (0..144).map(|t| f64::from(t % 9 / 8)).collect());
    let logs = AIR_PASSENGERS.map(f64::ln);
    for (model, gaps) in [
        (of(Order::new(2, 0, 1), true), vec![]),
        (of(Order::new(2, 0, 1), true), vec![5, 6, 100]),
        (of(Order::new(1, 1, 2).seasonal(1, 0, 1, 12), true), vec![]),
        (of(Order::new(3, 1, 1).seasonal(0, 1, 1, 4), false), vec![]),
        (of(Order::new(1, 1, 1).seasonal(0, 1, 1, 4), false), vec![1, 70]),
    ] {
        let prepared = model.prepare(&with_gaps(&logs, &gaps), &drivers).unwrap();
        let k = model.order.coefficients();
        for point in 0..4 {
            let x: Vec<f64> = (0..k)
                .map(|i| f64::from((point * 7 + i as i32 * 5) % 11 - 5) / 5.0)
                .collect();
            let mut gradient = vec![0.0; k];
            let cost = prepared.cost_and_gradient(&x, &mut gradient);
            assert!((cost - prepared.cost(&x)).abs() < 1e-11);
            for i in 0..k {
                let aside = |step: f64| {
                    let mut x = x.clone();
                    x[i] += step;
                    prepared.cost(&x)
                };
                let slope = (aside(1e-5) - aside(-1e-5)) / 2e-5;
                assert!(
                    (gradient[i] - slope).abs() < 1e-6 * (1.0 + slope.abs()),
                    "{} {i}: {} against {slope}",
                    model.order,
                    gradient[i]
                );
            }
        }
    }
}

/// A long series passes to the plain recursion; the Kalman filter never does.
#[test]
fn the_fast_path_is_exact_where_it_gets_faster() {
    let long: Vec<f64> = (0..1000)
        .map(|t| NILE[t % 100] / 100.0 + (t as f64 / 37.0).sin())
        .collect();
    for (order, x) in [
        (Order::new(1, 0, 1), vec![0.4, -0.6]),
        (Order::new(1, 1, 1), vec![0.2, 1.1]),
        (
            Order::new(2, 0, 1).seasonal(1, 0, 1, 7),
            vec![0.5, -0.2, 0.6, 0.3, 0.9],
        ),
        (Order::new(0, 1, 1).seasonal(0, 1, 1, 7), vec![0.4, 0.8]),
    ] {
        let prepared = of(order, false).prepare(&long, &Drivers::default()).unwrap();
        let arma = Arma::of(&order, &natural(&order, &x));
        let fast = prepared.sums(&arma, &prepared.columns[0]).unwrap();
        let (mut squares, mut logs) = (0.0, 0.0);
        super::super::kalman::filter(&arma, &[], &[&prepared.columns[0]], |_, f, v| {
            squares += v[0] * v[0] / f;
            logs += f.ln();
        });
        assert!(
            (fast.0 / squares - 1.0).abs() < 1e-11,
            "{order}: {fast:?} {squares}"
        );
        assert!((fast.1 - logs).abs() < 1e-9, "{order}: {fast:?} {logs}");
    }
}

/// The search ends where nothing is better nearby, from any start.
#[test]
fn starts_do_not_decide() {
    let logs = AIR_PASSENGERS.map(f64::ln);
    let model = Arima {
        order: Order::new(0, 1, 1).seasonal(0, 1, 1, 12),
        constant: false,
    };
    let prepared = model.prepare(&logs, &Drivers::default()).unwrap();
    let control = Control::unbounded();
    let (best, cost) = prepared.search(&[], Effort::Fine, &control).unwrap();
    for start in [vec![1.5, 1.5], vec![-1.0, 0.5], vec![0.1, -0.4]] {
        let (x, other) = prepared.search_from(start, Effort::Fine, &control).unwrap();
        assert!((other - cost).abs() < 1e-11, "{other} against {cost}");
        for (a, b) in x.iter().zip(&best) {
            assert!((a - b).abs() < 1e-5, "{x:?} against {best:?}");
        }
    }
}
