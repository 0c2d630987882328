//! Simple exponential smoothing: level' = level + alpha (y - level), the forecast is the level.
//!
//! The level starts at the first value; alpha minimises the squared one-step errors, by Brent's method in (0, 1), and
//! is 1 where that is no worse (then it is the last price). The variance `h` steps ahead is
//! sigma^2 (1 + (h-1) alpha^2): Hyndman, Koehler, Ord and Snyder, Forecasting with Exponential Smoothing, 2008, table 6.1.
//! A missing step leaves the level as it is.

use super::model::{Fit, Forecast, Predict};
use crate::fit::{Brent, Control, FitError, brent};
use serde_json::{Value, json};

/// Simple exponential smoothing with an alpha of its own for each series.
#[derive(Debug, Clone, Copy)]
pub struct Ses;

/// A fitted one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothed {
    /// The weight of the newest value.
    pub alpha: f64,
    /// The level after the newest value.
    pub level: f64,
    /// The mean squared one-step error.
    pub sigma2: f64,
}

/// The level after the last value, the sum of squared one-step errors and their number.
fn pass(values: &[f64], alpha: f64) -> (f64, f64, u32) {
    let (mut level, mut sum, mut count) = (f64::NAN, 0.0, 0);
    for &value in values {
        if value.is_nan() {
            continue;
        }
        if level.is_nan() {
            level = value;
            continue;
        }
        let error = value - level;
        sum += error * error;
        count += 1;
        level += alpha * error;
    }
    (level, sum, count)
}

/// Fits one series (`NaN` missing).
///
/// # Errors
/// Stopped, or fewer than two values.
pub fn smooth(values: &[f64], control: &Control) -> Result<Smoothed, FitError> {
    let (last, naive, count) = pass(values, 1.0);
    if count == 0 {
        return Err(FitError::Invalid("smoothing wants at least two values".into()));
    }
    let options = Brent {
        tolerance: 1e-5,
        ..Brent::default()
    };
    let fitted = brent(|alpha| pass(values, alpha).1, 0.0, 1.0, &options, control)?;
    let (alpha, level, sum) = if naive <= fitted.cost {
        (1.0, last, naive)
    } else {
        (fitted.params[0], pass(values, fitted.params[0]).0, fitted.cost)
    };
    Ok(Smoothed {
        alpha,
        level,
        sigma2: sum / f64::from(count),
    })
}

impl Fit for Ses {
    fn name(&self) -> &'static str {
        "simple exponential smoothing"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        Ok(Box::new(smooth(values, control)?))
    }
}

impl Predict for Smoothed {
    fn forecast(&self, horizon: usize) -> Forecast {
        let per_step = self.alpha * self.alpha;
        Forecast {
            price: vec![self.level; horizon],
            variance: (0..horizon)
                .map(|ahead| self.sigma2 * (1.0 + ahead as f64 * per_step))
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({"alpha": self.alpha, "level": self.level, "sigma2": self.sigma2})
    }
}

#[cfg(test)]
mod tests {
    use super::super::arima::tests::NILE;
    use super::*;

    /// R 4.2's HoltWinters(Nile, beta = FALSE, gamma = FALSE) finds alpha = 0.2465796 and level 805.0389 with the same
    /// start at the first value.
    #[test]
    fn finds_rs_alpha_for_the_nile() {
        let fitted = smooth(&NILE, &Control::unbounded()).unwrap();
        assert!((fitted.alpha - 0.246_579_6).abs() < 1e-4, "{fitted:?}");
        assert!((fitted.level - 805.0389).abs() < 5e-2, "{fitted:?}");
        let forecast = fitted.forecast(3);
        assert_eq!(forecast.price, [fitted.level; 3]);
        assert!(forecast.variance[2] > forecast.variance[0]);
    }

    #[test]
    fn a_trend_is_followed_by_the_last_value_and_gaps_are_skipped() {
        let rising = smooth(
            &[1.0, 2.0, f64::NAN, 3.0, 4.0, 5.0, f64::NAN],
            &Control::unbounded(),
        )
        .unwrap();
        assert_eq!((rising.alpha, rising.level), (1.0, 5.0));
        assert!(smooth(&[1.0, f64::NAN], &Control::unbounded()).is_err());
    }
}
