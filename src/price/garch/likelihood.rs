//! The recursion of the variance with its derivatives, and from it scores, cost and gradient.
//!
//! With `l` the log density of a return, `dl/dparameter = dl/dh dh/dparameter`, and for `mu` the direct part; the
//! derivatives of `h` follow the recursion of `h` itself:
//!
//! ```text
//! h'  = omega + alpha e^2 + beta h
//! dh'/domega = 1 + beta dh/domega          dh'/dalpha = e^2 + beta dh/dalpha
//! dh'/dbeta  = h + beta dh/dbeta           dh'/dmu    = -2 alpha e + beta dh/dmu
//! ```

use super::Distribution;
use super::gamma::{digamma, ln_gamma};
use crate::fit::{Differentiable, FitError, Objective};

/// mu, omega, alpha, beta and, under Student's t, nu.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parameters {
    pub(super) mu: f64,
    pub(super) omega: f64,
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) nu: Option<f64>,
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Beyond, a logistic is 0 or 1 to rounding and a search that went there does not come back.
const FAR: f64 = 30.0;

impl Parameters {
    /// At free parameters.
    pub(super) fn of(x: &[f64]) -> Self {
        Self {
            mu: x[0],
            omega: x[1].exp(),
            alpha: logistic(x[2]),
            beta: logistic(x[3]),
            nu: x.get(4).map(|x| 2.0 / logistic(*x)),
        }
    }

    /// As free parameters.
    pub(super) fn free(&self) -> Vec<f64> {
        let mut x = vec![self.mu, self.omega.ln(), logit(self.alpha), logit(self.beta)];
        x.extend(self.nu.map(|nu| logit(2.0 / nu)));
        x
    }

    /// As plain numbers.
    pub(super) fn to_vec(self) -> Vec<f64> {
        let mut all = vec![self.mu, self.omega, self.alpha, self.beta];
        all.extend(self.nu);
        all
    }

    /// From plain numbers.
    pub(super) fn from_slice(all: &[f64]) -> Self {
        Self {
            mu: all[0],
            omega: all[1],
            alpha: all[2],
            beta: all[3],
            nu: all.get(4).copied(),
        }
    }
}

/// Returns made ready: centred and scaled to variance 1.
#[derive(Debug)]
pub(super) struct Data {
    returns: Vec<f64>,
    distribution: Distribution,
    pub(super) centre: f64,
    pub(super) scale: f64,
    pub(super) observations: usize,
    gaps: bool,
}

/// One return in the recursion: the shock, its variance, the variance's derivatives by mu, omega, alpha, beta.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) e: f64,
    pub(super) h: f64,
    pub(super) dh: [f64; 4],
}

/// What of the log density depends on nu alone, and its derivative.
#[derive(Debug, Clone, Copy)]
struct Shape {
    nu: f64,
    constant: f64,
    slope: f64,
}

impl Shape {
    fn of(nu: f64) -> Self {
        let (upper, lower) = ((nu + 1.0) / 2.0, nu / 2.0);
        Self {
            nu,
            constant: ln_gamma(upper)
                - ln_gamma(lower)
                - 0.5 * (nu - 2.0).ln()
                - 0.5 * std::f64::consts::PI.ln(),
            slope: 0.5 * (digamma(upper) - digamma(lower) - 1.0 / (nu - 2.0)),
        }
    }
}

/// The logarithm of a product of many positive numbers: multiplied up, the logarithm taken now and then.
#[derive(Debug, Clone, Copy)]
struct LogProduct {
    product: f64,
    sum: f64,
}

impl LogProduct {
    const ONE: Self = Self {
        product: 1.0,
        sum: 0.0,
    };

    fn times(&mut self, factor: f64) {
        self.product *= factor;
        if !(1e-150..1e150).contains(&self.product) {
            self.sum += self.product.ln();
            self.product = 1.0;
        }
    }

    fn ln(self) -> f64 {
        self.sum + self.product.ln()
    }
}

impl Data {
    pub(super) fn of(returns: &[f64], distribution: Distribution) -> Result<Self, FitError> {
        if returns.iter().any(|value| value.is_infinite()) {
            return Err(FitError::Invalid("a return is infinite".into()));
        }
        let there: Vec<f64> = returns.iter().copied().filter(|value| !value.is_nan()).collect();
        if there.len() < super::ENOUGH {
            return Err(FitError::Invalid(format!(
                "GARCH wants at least {} returns and has {}",
                super::ENOUGH,
                there.len()
            )));
        }
        let n = there.len() as f64;
        let centre = there.iter().map(|value| value / n).sum::<f64>();
        let largest = there
            .iter()
            .fold(0.0f64, |most, value| most.max((value - centre).abs()));
        let spread = there
            .iter()
            .map(|value| ((value - centre) / largest) * ((value - centre) / largest))
            .sum::<f64>();
        let scale = largest * (spread / n).sqrt();
        let size = there.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        if !(scale > 1e-13 * size && scale.is_normal()) {
            return Err(FitError::Invalid("GARCH wants returns that vary".into()));
        }
        Ok(Self {
            returns: returns.iter().map(|value| (value - centre) / scale).collect(),
            distribution,
            centre,
            scale,
            observations: there.len(),
            gaps: there.len() < returns.len(),
        })
    }

    /// Runs the recursion; `each` sees every return that is there. The last variance is that after the series.
    pub(super) fn run(&self, parameters: &Parameters, mut each: impl FnMut(&Step)) -> f64 {
        let Parameters {
            mu,
            omega,
            alpha,
            beta,
            ..
        } = *parameters;
        // The returns have mean 0 and variance 1: so the mean of e^2 is 1 + mu^2, and its slope 2 mu.
        let before = 1.0 + mu * mu;
        let mut step = Step {
            e: 0.0,
            h: omega + (alpha + beta) * before,
            dh: [(alpha + beta) * 2.0 * mu, 1.0, before, before],
        };
        for &value in &self.returns {
            let h = step.h;
            if self.gaps && value.is_nan() {
                let [dmu, domega, dalpha, dbeta] = step.dh;
                let persistence = alpha + beta;
                step.dh = [
                    persistence * dmu,
                    1.0 + persistence * domega,
                    h + persistence * dalpha,
                    h + persistence * dbeta,
                ];
                step.h = omega + persistence * h;
                continue;
            }
            step.e = value - mu;
            each(&step);
            let square = step.e * step.e;
            let [dmu, domega, dalpha, dbeta] = step.dh;
            step.dh = [
                beta * dmu - 2.0 * alpha * step.e,
                1.0 + beta * domega,
                square + beta * dalpha,
                h + beta * dbeta,
            ];
            step.h = omega + alpha * square + beta * h;
        }
        step.h
    }

    pub(super) fn next_variance(&self, parameters: &Parameters) -> f64 {
        self.run(parameters, |_| ())
    }

    /// Minus the log-likelihood and its gradient in natural parameters.
    pub(super) fn slope(&self, parameters: &Parameters, gradient: &mut [f64]) -> f64 {
        let mut by_variance = [0.0; 4];
        let (mut direct, mut by_shape) = (0.0, 0.0);
        let mut logs = LogProduct::ONE;
        let n = self.observations as f64;
        let value = match parameters.nu.map(Shape::of) {
            None => {
                let mut squares = 0.0;
                self.run(parameters, |step| {
                    let inverse = 1.0 / step.h;
                    let (ratio, standard) = (step.e * inverse, step.e * step.e * inverse);
                    squares += standard;
                    logs.times(step.h);
                    let weight = 0.5 * (standard - 1.0) * inverse;
                    for (sum, dh) in by_variance.iter_mut().zip(&step.dh) {
                        *sum += weight * dh;
                    }
                    direct += ratio;
                });
                -0.5 * (n * (2.0 * std::f64::consts::PI).ln() + logs.ln() + squares)
            }
            Some(shape) => {
                let mut tails = LogProduct::ONE;
                let (half, room) = ((shape.nu + 1.0) / 2.0, 1.0 / (shape.nu - 2.0));
                let mut shares = 0.0;
                self.run(parameters, |step| {
                    let inverse = 1.0 / step.h;
                    let z = step.e * step.e * inverse * room;
                    let inner = 1.0 / (1.0 + z);
                    logs.times(step.h);
                    tails.times(1.0 + z);
                    let share = z * inner;
                    let weight = (half * share - 0.5) * inverse;
                    for (sum, dh) in by_variance.iter_mut().zip(&step.dh) {
                        *sum += weight * dh;
                    }
                    direct += 2.0 * half * step.e * inverse * room * inner;
                    shares += share;
                });
                by_shape = n * shape.slope - 0.5 * tails.ln() + half * room * shares;
                n * shape.constant - 0.5 * logs.ln() - half * tails.ln()
            }
        };
        gradient[0] = -(by_variance[0] + direct);
        for (slope, sum) in gradient[1..4].iter_mut().zip(&by_variance[1..]) {
            *slope = -sum;
        }
        if let Some(slope) = gradient.get_mut(4) {
            *slope = -by_shape;
        }
        -value
    }

    /// The score of every return that is there: derivatives of its log density.
    pub(super) fn scores(&self, parameters: &Parameters, mut each: impl FnMut(&[f64], &Step)) {
        let shape = parameters.nu.map(Shape::of);
        let mut score = vec![0.0; if shape.is_some() { 5 } else { 4 }];
        self.run(parameters, |step| {
            let inverse = 1.0 / step.h;
            let square = step.e * step.e * inverse;
            let (weight, direct) = match shape {
                None => (0.5 * (square - 1.0) * inverse, step.e * inverse),
                Some(shape) => {
                    let (half, room) = ((shape.nu + 1.0) / 2.0, 1.0 / (shape.nu - 2.0));
                    let z = square * room;
                    let share = z / (1.0 + z);
                    score[4] = shape.slope - 0.5 * z.ln_1p() + half * room * share;
                    let direct = 2.0 * half * step.e * inverse * room / (1.0 + z);
                    ((half * share - 0.5) * inverse, direct)
                }
            };
            for (score, dh) in score.iter_mut().zip(&step.dh) {
                *score = weight * dh;
            }
            score[0] += direct;
            each(&score, step);
        });
    }

    /// The model's parameters in the unit of the returns, as they are in here.
    pub(super) fn inside(&self, fitted: &super::Fitted) -> Parameters {
        Parameters {
            mu: (fitted.mu - self.centre) / self.scale,
            omega: fitted.omega / (self.scale * self.scale),
            alpha: fitted.alpha,
            beta: fitted.beta,
            nu: fitted.nu,
        }
    }
}

impl Objective for Data {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut vec![0.0; x.len()])
    }
}

/// Minus the log-likelihood per return over free parameters.
impl Differentiable for Data {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        debug_assert_eq!(x.len() == 5, self.distribution == Distribution::StudentT);
        if x[1..].iter().any(|x| x.abs() > FAR) {
            return f64::INFINITY;
        }
        let parameters = Parameters::of(x);
        let value = self.slope(&parameters, gradient);
        let n = self.observations as f64;
        gradient.iter_mut().for_each(|slope| *slope /= n);
        gradient[1] *= parameters.omega;
        gradient[2] *= parameters.alpha * (1.0 - parameters.alpha);
        gradient[3] *= parameters.beta * (1.0 - parameters.beta);
        if let (Some(slope), Some(nu)) = (gradient.get_mut(4), parameters.nu) {
            // nu = 2 / p, p logistic: dnu/dx = -nu (1 - p).
            *slope *= -nu * (1.0 - 2.0 / nu);
        }
        value / n
    }
}
