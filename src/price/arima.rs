//! ARIMA(0,1,1) by exact Gaussian likelihood: `y[t] - y[t-1] = e[t] + theta e[t-1]`, `e ~ N(0, sigma^2)`.
//!
//! The differences are a moving average of order one, whose covariance has three diagonals, so the Kalman filter
//! closes to two recursions (Brockwell and Davis, Time Series: Theory and Methods, 1991, section 5.2), in units of
//! sigma^2:
//!
//! ```text
//! v[i] = d[i] - theta v[i-1] / r[i-1]          the innovation
//! r[i] = s[i] - theta^2 / r[i-1]               its variance
//! s[i] = 1 + theta^2 + (k-1) (1 + theta)^2     for a difference over k steps
//! ```
//!
//! The last line is how missing values are exact too: the difference over a gap of k steps is a sum whose ends alone
//! touch its neighbours, so the covariance keeps its three diagonals. With n differences,
//! sigma^2 = sum(v^2/r)/n, and -2 log L = n log(2 pi sigma^2) + n + sum(log r). Invertible by theta = tanh(x); L-BFGS
//! with the exact gradient, Nelder-Mead where that fails.

use super::model::{Fit, Forecast, Predict};
use super::series::last_value;
use crate::fit::{Control, Differentiable, FitError, Lbfgs, NelderMead, Objective, lbfgs, nelder_mead};
use serde_json::{Value, json};

/// ARIMA(0,1,1) without drift.
#[derive(Debug, Clone, Copy)]
pub struct Arima011;

/// A fitted one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted011 {
    /// R's `ma1`.
    pub theta: f64,
    /// The innovation variance.
    pub sigma2: f64,
    /// The log-likelihood.
    pub log_likelihood: f64,
    /// Differences used.
    pub observations: usize,
    level: f64,
    /// Variance of the newest e given the data, in units of sigma^2.
    unsure: f64,
    /// Missing steps since the newest value.
    trailing: usize,
}

/// Differences between neighbouring values with the steps they span.
struct Differences(Vec<(f64, f64)>);

impl Differences {
    fn of(values: &[f64]) -> Self {
        let mut differences = Vec::with_capacity(values.len());
        let mut before: Option<(usize, f64)> = None;
        for (step, &value) in values.iter().enumerate() {
            if value.is_nan() {
                continue;
            }
            if let Some((at, old)) = before {
                differences.push((value - old, (step - at) as f64));
            }
            before = Some((step, value));
        }
        Self(differences)
    }

    /// The scaled sum of squares, the sum of log variances, their derivatives by theta, and the last v and r.
    fn filter(&self, theta: f64) -> Pass {
        let theta2 = theta * theta;
        let mut pass = Pass::default();
        let (mut v, mut r, mut dv, mut dr) = (0.0f64, 1.0f64, 0.0f64, 0.0f64);
        // Logarithms are dear: variances are multiplied up and their logarithm taken now and then.
        let mut product = 1.0f64;
        for (i, &(difference, span)) in self.0.iter().enumerate() {
            let (extra, dextra) = if span > 1.0 {
                (
                    (span - 1.0) * (1.0 + theta) * (1.0 + theta),
                    2.0 * (span - 1.0) * (1.0 + theta),
                )
            } else {
                (0.0, 0.0)
            };
            if i == 0 {
                (v, dv) = (difference, 0.0);
                (r, dr) = (1.0 + theta2 + extra, 2.0 * theta + dextra);
            } else {
                let inverse = 1.0 / r;
                let (ratio, gain) = (v * inverse, theta * inverse);
                (v, dv) = (difference - theta * ratio, -ratio - gain * (dv - ratio * dr));
                let shrink = gain * gain;
                (r, dr) = (
                    1.0 + theta2 + extra - theta * gain,
                    2.0 * theta + dextra - 2.0 * gain + shrink * dr,
                );
            }
            let inverse = 1.0 / r;
            let ratio = v * inverse;
            pass.squares += v * ratio;
            pass.dsquares += ratio * (2.0 * dv - ratio * dr);
            pass.dlogs += dr * inverse;
            product *= r;
            if !(1e-100..1e100).contains(&product) {
                pass.logs += product.ln();
                product = 1.0;
            }
        }
        pass.logs += product.ln();
        (pass.v, pass.r) = (v, r);
        pass
    }
}

#[derive(Default)]
struct Pass {
    squares: f64,
    logs: f64,
    dsquares: f64,
    dlogs: f64,
    v: f64,
    r: f64,
}

/// Minus the log-likelihood per difference, sigma^2 concentrated out and constants left away.
impl Objective for Differences {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut [0.0])
    }
}

impl Differentiable for Differences {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let theta = x[0].tanh();
        let pass = self.filter(theta);
        let n = self.0.len() as f64;
        gradient[0] = 0.5 * (pass.dsquares / pass.squares + pass.dlogs / n) * (1.0 - theta * theta);
        0.5 * ((pass.squares / n).ln() + pass.logs / n)
    }
}

/// Where the search starts: theta from the first autocorrelation of the differences, inside (-0.9, 0.9).
fn start(differences: &[(f64, f64)]) -> f64 {
    let (mut square, mut product) = (0.0, 0.0);
    for (i, (difference, _)) in differences.iter().enumerate() {
        square += difference * difference;
        if i > 0 {
            product += difference * differences[i - 1].0;
        }
    }
    let correlation = product / square;
    let theta = if correlation.abs() < 1e-6 {
        0.0
    } else if correlation.abs() >= 0.49 {
        0.8 * correlation.signum()
    } else {
        (1.0 - (1.0 - 4.0 * correlation * correlation).sqrt()) / (2.0 * correlation)
    };
    theta.clamp(-0.9, 0.9).atanh()
}

/// Fits one series (`NaN` missing).
///
/// # Errors
/// Stopped, fewer than three values, or values that never change.
pub fn arima011(values: &[f64], control: &Control) -> Result<Fitted011, FitError> {
    let differences = Differences::of(values);
    let n = differences.0.len();
    let (Some(last), true) = (last_value(values), n >= 2) else {
        return Err(FitError::Invalid(
            "ARIMA(0,1,1) wants at least three values".into(),
        ));
    };
    if differences.0.iter().all(|(difference, _)| *difference == 0.0) {
        return Err(FitError::Invalid("ARIMA(0,1,1) wants values that change".into()));
    }
    let from = start(&differences.0);
    let options = Lbfgs {
        tolerance: 1e-8,
        cost_tolerance: 1e-15,
        max_iterations: 60,
        ..Lbfgs::default()
    };
    let fitted = match lbfgs(&differences, vec![from], &options, control) {
        Err(FitError::NoFiniteCost { .. } | FitError::Solver(_)) => {
            nelder_mead(&differences, vec![0.0], &NelderMead::default(), control)?
        }
        other => other?,
    };
    let theta = fitted.params[0].tanh();
    let pass = differences.filter(theta);
    let sigma2 = pass.squares / n as f64;
    let log_likelihood = -0.5 * (n as f64 * ((2.0 * std::f64::consts::PI * sigma2).ln() + 1.0) + pass.logs);
    Ok(Fitted011 {
        theta,
        sigma2,
        log_likelihood,
        observations: n,
        level: last + theta * pass.v / pass.r,
        unsure: 1.0 - 1.0 / pass.r,
        trailing: values.iter().rev().take_while(|value| value.is_nan()).count(),
    })
}

impl Fit for Arima011 {
    fn name(&self) -> &'static str {
        "ARIMA(0,1,1)"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(arima011(values, control)?))
    }
}

impl Predict for Fitted011 {
    fn forecast(&self, horizon: usize) -> Forecast {
        let per_step = (1.0 + self.theta) * (1.0 + self.theta);
        let first = 1.0 + self.theta * self.theta * self.unsure;
        Forecast {
            price: vec![self.level; horizon],
            variance: (0..horizon)
                .map(|ahead| self.sigma2 * (first + (ahead + self.trailing) as f64 * per_step))
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({"ma1": self.theta, "sigma2": self.sigma2, "log_likelihood": self.log_likelihood})
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Annual flow of the Nile at Aswan, 1871 to 1970, in 1e8 cubic metres (Cobb, Biometrika 65, 1978; R's `Nile`).
    pub(in crate::price) const NILE: [f64; 100] = [
        1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110., 994., 1020.,
        960., 1180., 799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220., 1030., 1100., 774., 840.,
        874., 694., 940., 833., 701., 916., 692., 1020., 1050., 969., 831., 726., 456., 824., 702., 1120.,
        1100., 832., 764., 821., 768., 845., 864., 862., 698., 845., 744., 796., 1040., 759., 781., 865.,
        845., 944., 984., 897., 822., 1010., 771., 676., 649., 846., 812., 742., 801., 1040., 860., 874.,
        848., 890., 744., 749., 838., 1050., 918., 986., 797., 923., 975., 815., 1020., 906., 901., 1170.,
        912., 746., 919., 718., 714., 740.,
    ];

    /// The textbook way: the likelihood of the differences from their whole covariance matrix, by Cholesky.
    fn slow_log_likelihood(values: &[f64], theta: f64, sigma2: f64) -> f64 {
        let times: Vec<usize> = (0..values.len()).filter(|&t| !values[t].is_nan()).collect();
        let n = times.len() - 1;
        // Difference i as weights on e[0..]: each step adds e[t] + theta e[t-1].
        let weights: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let mut w = vec![0.0; values.len()];
                for t in times[i] + 1..=times[i + 1] {
                    w[t] += 1.0;
                    w[t - 1] += theta;
                }
                w
            })
            .collect();
        let mut l = vec![vec![0.0; n]; n];
        let (mut log_det, mut squares) = (0.0, 0.0);
        let mut z = vec![0.0; n];
        for i in 0..n {
            for j in 0..=i {
                let mut s: f64 = weights[i]
                    .iter()
                    .zip(&weights[j])
                    .map(|(a, b)| a * b)
                    .sum::<f64>()
                    * sigma2;
                s -= l[i][..j].iter().zip(&l[j][..j]).map(|(a, b)| a * b).sum::<f64>();
                l[i][j] = if i == j { s.sqrt() } else { s / l[j][j] };
            }
            let d = values[times[i + 1]] - values[times[i]];
            z[i] = (d - (0..i).map(|k| l[i][k] * z[k]).sum::<f64>()) / l[i][i];
            squares += z[i] * z[i];
            log_det += 2.0 * l[i][i].ln();
        }
        -0.5 * (n as f64 * (2.0 * std::f64::consts::PI).ln() + log_det + squares)
    }

    /// R 4.2.2, stats::arima(Nile, order = c(0, 1, 1), method = "ML") at a tight tolerance. R's filter starts from a
    /// diffuse prior of finite variance 1e6, so its last digits are not those of the exact likelihood.
    #[test]
    fn agrees_with_r_on_the_nile() {
        let fitted = arima011(&NILE, &Control::unbounded()).unwrap();
        assert!((fitted.theta - -0.732941562).abs() < 1e-5, "{fitted:?}");
        assert!((fitted.sigma2 / 20599.86748 - 1.0).abs() < 1e-5, "{fitted:?}");
        assert!((fitted.log_likelihood - -632.5456244).abs() < 1e-5, "{fitted:?}");
        let forecast = fitted.forecast(2);
        assert!(
            (forecast.price[0] / 798.3669921 - 1.0).abs() < 1e-5,
            "{forecast:?}"
        );
    }

    #[test]
    fn matches_the_slow_likelihood_with_and_without_gaps() {
        let mut gappy = NILE.to_vec();
        for t in [3, 4, 5, 20, 50, 51, 97] {
            gappy[t] = f64::NAN;
        }
        for values in [NILE.to_vec(), gappy] {
            let fitted = arima011(&values, &Control::unbounded()).unwrap();
            let slow = slow_log_likelihood(&values, fitted.theta, fitted.sigma2);
            assert!(
                (fitted.log_likelihood - slow).abs() < 1e-8,
                "{} against {slow}",
                fitted.log_likelihood
            );
            for other in [fitted.theta - 1e-3, fitted.theta + 1e-3] {
                assert!(slow_log_likelihood(&values, other, fitted.sigma2) < slow);
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut gappy = NILE.to_vec();
        gappy[10] = f64::NAN;
        let differences = Differences::of(&gappy);
        for x in [-2.0, -0.5, 0.0, 0.3, 1.5] {
            let mut gradient = [0.0];
            differences.cost_and_gradient(&[x], &mut gradient);
            let slope = (differences.cost(&[x + 1e-6]) - differences.cost(&[x - 1e-6])) / 2e-6;
            assert!(
                (gradient[0] - slope).abs() < 1e-8,
                "at {x}: {} against {slope}",
                gradient[0]
            );
        }
    }

    /// R's predict(arima(Nile, order = c(0, 1, 1)), n.ahead = 6)$se.
    #[test]
    fn forecast_variances_are_rs() {
        let variance = arima011(&NILE, &Control::unbounded())
            .unwrap()
            .forecast(6)
            .variance;
        let r = [
            143.5265393,
            148.5565695,
            153.4217755,
            158.1373708,
            162.7163634,
            167.1699787,
        ];
        for (ours, theirs) in variance.iter().zip(r) {
            assert!(
                (ours.sqrt() / theirs - 1.0).abs() < 1e-6,
                "{} against {theirs}",
                ours.sqrt()
            );
        }
        // A step after a missing one is the second step after the newest value.
        let mut later = NILE.to_vec();
        later.push(f64::NAN);
        let waited = arima011(&later, &Control::unbounded())
            .unwrap()
            .forecast(1)
            .variance[0];
        assert!((waited / variance[1] - 1.0).abs() < 1e-9);
    }

    /// In a short series the variance of the newest innovation is not yet zero; checked against conditioning the
    /// joint Gaussian of all innovations by hand for two differences.
    #[test]
    fn a_short_series_is_unsure_of_its_newest_innovation() {
        let fitted = arima011(&[1.0, 2.0, 1.5], &Control::unbounded()).unwrap();
        let t = fitted.theta;
        // d1 = e1 + t e0, d2 = e2 + t e1: Var(e2 | d1, d2) = 1 - c' S^-1 c with c = (0, 1).
        let (s11, s12) = (1.0 + t * t, t);
        let inverse22 = s11 / (s11 * s11 - s12 * s12);
        assert!((fitted.unsure - (1.0 - inverse22)).abs() < 1e-12, "{fitted:?}");
    }

    #[test]
    fn odd_series_have_an_answer_or_a_reason() {
        let control = Control::unbounded();
        assert!(arima011(&[1.0, f64::NAN, 2.0], &control).is_err());
        assert!(arima011(&[5.0; 30], &control).is_err());
        let alternating: Vec<f64> = (0..60).map(|i| if i % 2 == 0 { 1.0 } else { 2.0 }).collect();
        let ramp: Vec<f64> = (0..60).map(f64::from).collect();
        let jump: Vec<f64> = (0..60).map(|i| if i < 30 { 1.0 } else { 1e9 }).collect();
        for values in [alternating, ramp, jump] {
            let fitted = arima011(&values, &control).unwrap();
            assert!(fitted.theta.abs() <= 1.0 && fitted.sigma2 > 0.0, "{fitted:?}");
            assert!(
                fitted
                    .forecast(5)
                    .price
                    .iter()
                    .chain(&fitted.forecast(5).variance)
                    .all(|x| x.is_finite())
            );
        }
    }
}
