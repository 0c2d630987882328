//! Two answers without an optimiser: the value of a season ago, and the median of the newest values.
//!
//! The seasonal naive answer is to a series with a season what the last price is to one without: what every model has
//! to beat there. The median forgets a promotion that the last price is stuck in, and half way between both loses little
//! where nothing returns and wins something where prices do.

use super::model::{Fit, Forecast, Predict};
use super::series::last_value;
use crate::fit::{Control, FitError};
use serde_json::{Value, json};

/// The value of a season ago.
#[derive(Debug, Clone, Copy)]
pub struct SeasonalNaive {
    /// Steps of a season.
    pub period: usize,
}

/// Between the last value and the median of the newest ones.
#[derive(Debug, Clone, Copy)]
pub struct Median {
    /// Newest values looked at.
    pub window: usize,
    /// The median's share: 1 is the median itself, 0 the last value.
    pub share: f64,
}

/// Median of the values that are there; `None` when none is.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    (n > 0).then(|| 0.5 * (sorted[n / 2] + sorted[(n - 1) / 2]))
}

/// A path that repeats, and the variance of its first step.
struct Repeated {
    season: Vec<f64>,
    sigma2: f64,
    parameters: Value,
}

impl Predict for Repeated {
    fn forecast(&self, horizon: usize) -> Forecast {
        let period = self.season.len();
        Forecast {
            price: (0..horizon).map(|h| self.season[h % period]).collect(),
            variance: (0..horizon)
                .map(|h| self.sigma2 * (h / period + 1) as f64)
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        self.parameters.clone()
    }
}

/// Mean squared difference over `lag` steps; 0 where there is none.
fn squared_steps(values: &[f64], lag: usize) -> f64 {
    let (mut sum, mut count) = (0.0, 0u32);
    for t in lag..values.len() {
        let step = values[t] - values[t - lag];
        if !step.is_nan() {
            sum += step * step;
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

impl Fit for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal naive"
    }

    fn fit(&self, values: &[f64], _: &Control) -> Result<Box<dyn Predict>, FitError> {
        let period = self.period.max(1);
        if values.len() < period {
            return Err(FitError::Invalid("seasonal naive wants a whole season".into()));
        }
        let missing = || FitError::Invalid("seasonal naive: a step of the season was never seen".into());
        let season = (values.len() - period..values.len())
            .map(|t| {
                // The newest value of this slot, a season earlier where this one is missing.
                (0..=t / period)
                    .map(|back| values[t - back * period])
                    .find(|value| !value.is_nan())
            })
            .collect::<Option<Vec<f64>>>()
            .ok_or_else(missing)?;
        Ok(Box::new(Repeated {
            season,
            sigma2: squared_steps(values, period),
            parameters: json!({"period": period}),
        }))
    }
}

impl Fit for Median {
    fn name(&self) -> &'static str {
        if self.share >= 1.0 {
            "median"
        } else {
            "half way to the median"
        }
    }

    fn fit(&self, values: &[f64], _: &Control) -> Result<Box<dyn Predict>, FitError> {
        let recent = &values[values.len().saturating_sub(self.window)..];
        let (Some(last), Some(middle)) = (last_value(values), median(recent).or(last_value(values))) else {
            return Err(FitError::Invalid("a series without values".into()));
        };
        Ok(Box::new(Repeated {
            season: vec![last + self.share * (middle - last)],
            sigma2: squared_steps(values, 1),
            parameters: json!({"last": last, "median": middle, "steps": self.window, "share": self.share}),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: f64 = f64::NAN;

    fn path(model: &dyn Fit, values: &[f64], horizon: usize) -> Vec<f64> {
        model
            .fit(values, &Control::unbounded())
            .unwrap()
            .forecast(horizon)
            .price
    }

    #[test]
    fn a_season_returns_and_gaps_take_the_season_before() {
        let naive = SeasonalNaive { period: 3 };
        assert_eq!(
            path(&naive, &[1.0, 2.0, 3.0, 4.0, N, 6.0, 7.0], 4),
            [2.0, 6.0, 7.0, 2.0]
        );
        assert!(naive.fit(&[1.0, N, 3.0], &Control::unbounded()).is_err());
        assert!(naive.fit(&[1.0, 2.0], &Control::unbounded()).is_err());
    }

    #[test]
    fn the_median_is_that_of_what_is_there() {
        let half = Median {
            window: 4,
            share: 0.5,
        };
        assert_eq!(path(&half, &[9.0, 9.0, 5.0, N, 4.0, 8.0], 2), [6.5, 6.5]);
        assert_eq!(
            path(
                &Median {
                    window: 2,
                    share: 1.0
                },
                &[9.0, 4.0, 5.0],
                1
            ),
            [4.5]
        );
        assert_eq!(
            path(&half, &[3.0, N, N, N, N], 1),
            [3.0],
            "nothing recent: the last value"
        );
        assert!(half.fit(&[N], &Control::unbounded()).is_err());
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
