//! Seasonal ARIMA with regressors by exact Gaussian maximum likelihood, and the choice of its order.
//!
//! The model (Box and Jenkins, Time Series Analysis, 1970; signs as in R):
//!
//! ```text
//! y[t] = x[t] b + n[t]
//! w[t] = (1 - B)^d (1 - B^m)^D n[t]
//! w[t] = sum ar[i] w[t-i] + e[t] + sum ma[j] e[t-j],   e ~ N(0, sigma^2)
//! ```
//!
//! where the polynomials of `w` are products of a plain and a seasonal one. `x` holds what drives the series and, by
//! choice, a constant: the mean where nothing is differenced, the drift (`t`) where there is one difference.
//!
//! What is maximised is the likelihood of the values that are there, missing ones integrated out, values before the
//! series unknown. `sigma^2` and `b` are concentrated out (`b` by generalised least squares: the regressors pass the
//! same filter and are regressed by reflections), so the optimiser sees the ARMA coefficients alone.
//!
//! | file | subject |
//! |---|---|
//! | `polynomial` | free parameters to coefficients, coefficients to autocovariances |
//! | `innovations` | the likelihood of a series without gaps |
//! | `kalman` | the likelihood of a series with gaps; the state forecasts start from |
//! | `gaps` | the covariance a step on; values that are not known |
//! | `dual` | numbers with derivatives: the gradient |
//! | `prepare` | a series and its regressors made ready |
//! | `likelihood` | the cost and its gradient |
//! | `start` | where the search starts |
//! | `estimate` | the search and what it found |
//! | `forecast` | forecasts and their variances |
//! | `errors` | standard errors |
//! | `differences` | tests for how often to difference |
//! | `auto` | the order by AICc |
//! | `yearly` | a year of weeks by Fourier terms |

mod auto;
mod differences;
mod dual;
mod errors;
mod estimate;
mod forecast;
mod gaps;
mod innovations;
mod kalman;
mod likelihood;
mod polynomial;
mod prepare;
mod start;
mod yearly;

pub use auto::{AutoArima, fourier};
pub use estimate::Fitted;
pub use yearly::Yearly;

use super::model::{Drivers, Fit, Predict};
use crate::fit::{Control, FitError};
use std::fmt;

/// How many coefficients and differences: `(p, d, q)(sp, sd, sq)[season]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    /// Autoregressive coefficients.
    pub p: usize,
    /// Differences.
    pub d: usize,
    /// Moving-average coefficients.
    pub q: usize,
    /// Seasonal autoregressive coefficients.
    pub sp: usize,
    /// Seasonal differences.
    pub sd: usize,
    /// Seasonal moving-average coefficients.
    pub sq: usize,
    /// Steps in a season; 1 where there is none.
    pub season: usize,
}

impl Order {
    /// `(p, d, q)` without season.
    pub const fn new(p: usize, d: usize, q: usize) -> Self {
        Self {
            p,
            d,
            q,
            sp: 0,
            sd: 0,
            sq: 0,
            season: 1,
        }
    }

    /// The same with a seasonal part.
    #[must_use]
    pub const fn seasonal(self, sp: usize, sd: usize, sq: usize, season: usize) -> Self {
        Self {
            sp,
            sd,
            sq,
            season,
            ..self
        }
    }

    /// Coefficients of the ARMA part.
    pub fn coefficients(&self) -> usize {
        self.p + self.q + self.sp + self.sq
    }

    /// Values that differencing costs.
    pub fn lost(&self) -> usize {
        self.d + self.sd * self.season
    }

    /// `delta[i - 1]` with `(1 - B)^d (1 - B^m)^D = 1 - sum delta[i - 1] B^i`.
    fn delta(&self) -> Vec<f64> {
        let mut polynomial = vec![1.0];
        for lag in std::iter::repeat_n(1, self.d).chain(std::iter::repeat_n(self.season, self.sd)) {
            let mut product = polynomial.clone();
            product.resize(polynomial.len() + lag, 0.0);
            for (i, value) in polynomial.iter().enumerate() {
                product[i + lag] -= value;
            }
            polynomial = product;
        }
        polynomial[1..].iter().map(|value| -value).collect()
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ARIMA({},{},{})", self.p, self.d, self.q)?;
        if self.sp + self.sd + self.sq > 0 {
            write!(f, "({},{},{})[{}]", self.sp, self.sd, self.sq, self.season)?;
        }
        Ok(())
    }
}

/// A model of a given order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arima {
    /// Its order.
    pub order: Order,
    /// With a mean, or with drift where there is one difference; none after two.
    pub constant: bool,
}

impl Arima {
    /// ARIMA(0,1,1) without drift: exponential smoothing with an exact likelihood.
    pub const SMOOTHING: Self = Self {
        order: Order::new(0, 1, 1),
        constant: false,
    };
}

impl Fit for Arima {
    fn name(&self) -> &'static str {
        if self.order == Order::new(0, 1, 1) {
            "ARIMA(0,1,1)"
        } else {
            "ARIMA"
        }
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        self.fit_driven(values, &Drivers::default(), control)
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(self.estimate(values, drivers, control)?))
    }
}

#[cfg(test)]
pub(super) mod tests;
