//! Regression of prices on what is known beside them: costs, exchange rates, holidays, weather.
//!
//! ```text
//! ln p[t] - ln p[t-1] = sum_j b[j] (x[j][t] - x[j][t-1]) + e[t]
//! ```
//!
//! So the forecast is the last price moved by what the drivers will have moved: a regression whose errors are a random walk, by
//! QR ([`super::regression`]). In levels two things that merely grew together would explain each other (Granger and Newbold,
//! Journal of Econometrics 2, 1974); and a driver that explains nothing leaves the last price, which is the answer to
//! beat. Only drivers whose coefficient is twice its heteroskedasticity-robust standard error stay in; the gate then asks
//! whether the model won.

use super::model::{Drivers, Fit, Forecast, LastPrice, Predict};
use super::regression::{self, Design, Errors, Options};
use super::series::last_value;
use crate::fit::{Control, FitError};
use serde_json::{Map, Value, json};

/// A coefficient this many standard errors from zero stays.
const CLEAR: f64 = 2.0;
/// Steps for each driver, and some to spare, that a regression wants.
const ROWS_EACH: usize = 10;

/// The last price, moved by its drivers.
#[derive(Debug, Clone, Copy)]
pub struct DriverRegression;

struct Moved {
    last: f64,
    /// Name, coefficient, and the driver's distance from its value at the newest step, for the steps to come.
    effects: Vec<(String, f64, Vec<f64>)>,
    step_variance: f64,
    observations: usize,
}

/// Changes from one step to the next; `NaN` where either is missing.
fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

impl Fit for DriverRegression {
    fn name(&self) -> &'static str {
        "regression"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        LastPrice.fit(values, control)
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        let n = values.len();
        let last = last_value(values).ok_or_else(|| FitError::Invalid("a series without values".into()))?;
        if values.iter().any(|value| *value <= 0.0) {
            return Err(FitError::Invalid(
                "a value is zero or negative and has no logarithm".into(),
            ));
        }
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let y = changes(&logs);
        // Those that moved while the price was seen.
        let mut moving: Vec<(&str, &[f64], Vec<f64>)> = drivers
            .iter()
            .filter(|(_, column)| column.len() >= n)
            .map(|(name, column)| (name, column, changes(&column[..n])))
            .filter(|(_, _, moves)| {
                moves
                    .iter()
                    .zip(&y)
                    .any(|(x, y)| x.abs() > 0.0 && x.is_finite() && !y.is_nan())
            })
            .collect();
        let mut found = None;
        // Once with all, once with those that are clear.
        for pass in 0..2 {
            let mut design = Design::new();
            for (name, _, moves) in &moving {
                design.push(*name, moves.clone());
            }
            let rows = (0..y.len())
                .filter(|&t| !y[t].is_nan() && moving.iter().all(|(_, _, moves)| moves[t].is_finite()))
                .count();
            if moving.is_empty() || rows < ROWS_EACH * (moving.len() + 1) {
                return LastPrice.fit(values, control);
            }
            let fitted = regression::fit(&design, &y, &Options::default(), control)?;
            if pass == 1 {
                found = Some(fitted);
                break;
            }
            let errors = fitted
                .covariance(Errors::Hc1)
                .map(|c| c.std_errors())
                .unwrap_or_default();
            let clear = |j: usize| {
                let error = errors.get(j).copied().unwrap_or(f64::INFINITY);
                fitted.coefficients[j].abs() > CLEAR * error && error > 0.0
            };
            let kept: Vec<bool> = (0..moving.len()).map(clear).collect();
            let mut kept = kept.into_iter();
            moving.retain(|_| kept.next().unwrap_or(false));
        }
        let Some(fitted) = found else {
            return LastPrice.fit(values, control);
        };
        // The newest step that has a price is what the future is counted from.
        let newest = values.iter().rposition(|value| !value.is_nan()).unwrap_or(n - 1);
        let effects = moving
            .iter()
            .zip(&fitted.coefficients)
            .map(|((name, column, _), b)| {
                let ahead = column[n..].iter().map(|x| x - column[newest]).collect();
                ((*name).to_owned(), *b, ahead)
            })
            .collect();
        Ok(Box::new(Moved {
            last,
            effects,
            step_variance: fitted.sigma2 * last * last,
            observations: fitted.observations,
        }))
    }
}

impl Predict for Moved {
    fn forecast(&self, horizon: usize) -> Forecast {
        let price = (0..horizon)
            .map(|h| {
                // Past what is known, a driver keeps its last value.
                let moved: f64 = self
                    .effects
                    .iter()
                    .map(|(_, b, ahead)| b * ahead.get(h).or(ahead.last()).copied().unwrap_or(0.0))
                    .sum();
                self.last * moved.exp()
            })
            .collect();
        Forecast {
            price,
            variance: (1..=horizon)
                .map(|step| step as f64 * self.step_variance)
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        let effects: Map<String, Value> = self
            .effects
            .iter()
            .map(|(name, b, _)| (name.clone(), json!((b * 1e6).round() / 1e6)))
            .collect();
        json!({"effects": effects, "scale": "log", "changes": self.observations})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(length: usize) -> Vec<f64> {
        let mut dice = fastrand::Rng::with_seed(6);
        let mut at = 1.0;
        (0..length)
            .map(|_| {
                at += 0.05 * (dice.f64() - 0.5);
                at
            })
            .collect()
    }

    #[test]
    fn the_last_price_moves_by_what_its_drivers_move() {
        let cost = walk(130);
        let mut dice = fastrand::Rng::with_seed(1);
        let mut noise = 0.0;
        let values: Vec<f64> = cost[..100]
            .iter()
            .map(|cost| {
                noise += 0.002 * (dice.f64() - 0.5);
                (2.0 + 0.8 * cost + noise).exp()
            })
            .collect();
        let mut drivers = Drivers::default();
        drivers.push("cost", cost.clone());
        drivers.push("chance", walk(130).iter().rev().copied().collect());
        drivers.push("always", vec![3.0; 130]);
        let fitted = DriverRegression
            .fit_driven(&values, &drivers, &Control::unbounded())
            .unwrap();
        let b = fitted.parameters()["effects"]["cost"].as_f64().unwrap();
        assert!((b - 0.8).abs() < 0.02, "{b}");
        assert_eq!(fitted.parameters()["effects"].as_object().unwrap().len(), 1);
        let price = fitted.forecast(35).price;
        let truth = values[99] * (0.8 * (cost[129] - cost[99])).exp();
        assert!((price[29] / truth - 1.0).abs() < 0.01, "{price:?} {truth}");
        assert_eq!(price[34], price[29], "past what is known it keeps its last value");
    }

    #[test]
    fn without_drivers_that_tell_anything_it_is_the_last_price() {
        let values: Vec<f64> = walk(80).iter().map(|x| x + 5.0).collect();
        let last = *values.last().unwrap();
        let control = Control::unbounded();
        for column in [vec![], vec![1.0; 90], vec![f64::NAN; 90], vec![1.0; 3]] {
            let mut drivers = Drivers::default();
            drivers.push("x", column);
            let fitted = DriverRegression.fit_driven(&values, &drivers, &control).unwrap();
            assert_eq!(fitted.forecast(3).price, [last; 3]);
        }
        assert!(DriverRegression.fit(&[f64::NAN], &control).is_err());
        let mut drivers = Drivers::default();
        drivers.push("x", walk(5));
        let short = DriverRegression
            .fit_driven(&[1.0, 2.0, 3.0], &drivers, &control)
            .unwrap();
        assert_eq!(short.forecast(1).price, [3.0]);
        assert!(
            DriverRegression
                .fit_driven(&[1.0, -2.0], &drivers, &control)
                .is_err()
        );
    }
}
