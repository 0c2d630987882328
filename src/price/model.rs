//! What a price model is: something that fits, and then predicts. Two traits after grafana/augurs' core.

use super::arima::Arima;
use super::series::last_value;
use crate::fit::{Control, FitError};
use serde_json::{Value, json};

/// The price a step ahead, two, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The middle of what is expected, one per step.
    pub price: Vec<f64>,
    /// The variance of the forecast error the model itself claims, one per step, in the scale of the model. Reported
    /// intervals do not rest on it (see [`super::intervals`]).
    pub variance: Vec<f64>,
}

/// What is known beside the series, at its steps and at those to come: promotion flags, holidays, competitors' prices,
/// Fourier terms of a yearly season.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drivers {
    columns: Vec<(String, Vec<f64>)>,
}

impl Drivers {
    /// Adds a driver: one value per step of the series and per step to come that it is known at.
    pub fn push(&mut self, name: impl Into<String>, values: Vec<f64>) {
        self.columns.push((name.into(), values));
    }

    /// Name and values of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.columns
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The same from a later step on; a driver that ends before it is empty.
    #[must_use]
    pub fn without_first(&self, steps: usize) -> Self {
        Self {
            columns: self
                .columns
                .iter()
                .map(|(name, values)| (name.clone(), values.get(steps..).unwrap_or_default().to_vec()))
                .collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

/// A way to fit a series.
pub trait Fit: Sync {
    /// Its name in the results.
    fn name(&self) -> &'static str;
    /// Fits `values` (one per step, `NaN` missing, at least one present).
    ///
    /// # Errors
    /// Stopped, or no fit possible; the last price then stands in.
    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError>;

    /// Fits with drivers known at every step of `values` and, as far as wanted, after them; a model that has no use for
    /// drivers fits without.
    ///
    /// # Errors
    /// As [`Fit::fit`]; a driver that is not known at every step of the series.
    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        let _ = drivers;
        self.fit(values, control)
    }
}

/// A fitted series.
pub trait Predict: Send + Sync {
    /// The next `horizon` steps.
    fn forecast(&self, horizon: usize) -> Forecast;
    /// What was estimated, as a JSON object.
    fn parameters(&self) -> Value;
    /// The same form without a search for it, to be estimated anew on other values of the same series; `None` where
    /// finding the form costs nothing.
    fn again(&self) -> Option<Box<dyn Fit>> {
        None
    }
    /// The ARIMA order that was found, for a later search to start from; `None` where none was looked for.
    fn order(&self) -> Option<Arima> {
        None
    }
}

impl Fit for Box<dyn Fit> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        (**self).fit(values, control)
    }

    fn fit_driven(
        &self,
        values: &[f64],
        drivers: &Drivers,
        control: &Control,
    ) -> Result<Box<dyn Predict>, FitError> {
        (**self).fit_driven(values, drivers, control)
    }
}

/// Tomorrow's price is today's: the naive answer every model is measured against.
#[derive(Debug, Clone, Copy)]
pub struct LastPrice;

struct Last {
    price: f64,
    step_variance: f64,
}

impl Fit for LastPrice {
    fn name(&self) -> &'static str {
        "last price"
    }

    fn fit(&self, values: &[f64], _: &Control) -> Result<Box<dyn Predict>, FitError> {
        let price = last_value(values).ok_or_else(|| FitError::Invalid("a series without values".into()))?;
        let (mut sum, mut steps) = (0.0, 0u32);
        for pair in values.windows(2) {
            let change = pair[1] - pair[0];
            if !change.is_nan() {
                sum += change * change;
                steps += 1;
            }
        }
        Ok(Box::new(Last {
            price,
            step_variance: if steps == 0 { 0.0 } else { sum / f64::from(steps) },
        }))
    }
}

impl Predict for Last {
    fn forecast(&self, horizon: usize) -> Forecast {
        Forecast {
            price: vec![self.price; horizon],
            variance: (1..=horizon)
                .map(|step| step as f64 * self.step_variance)
                .collect(),
        }
    }

    fn parameters(&self) -> Value {
        json!({})
    }
}

/// A model of log prices: changes count in per cent, and no forecast is ever negative. The forecast is the median.
#[derive(Debug, Clone, Copy)]
pub struct OnLogs<M>(pub M);

struct Logged(Box<dyn Predict>);

impl<M: Fit> Fit for OnLogs<M> {
    fn name(&self) -> &'static str {
        self.0.name()
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
        if values.iter().any(|value| *value <= 0.0) {
            return Err(FitError::Invalid(
                "a value is zero or negative and has no logarithm".into(),
            ));
        }
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        Ok(Box::new(Logged(self.0.fit_driven(&logs, drivers, control)?)))
    }
}

impl Predict for Logged {
    fn forecast(&self, horizon: usize) -> Forecast {
        let mut forecast = self.0.forecast(horizon);
        for price in &mut forecast.price {
            *price = price.exp();
        }
        forecast
    }

    fn parameters(&self) -> Value {
        let mut parameters = self.0.parameters();
        if let Value::Object(object) = &mut parameters {
            object.insert("scale".into(), json!("log"));
        }
        parameters
    }

    fn again(&self) -> Option<Box<dyn Fit>> {
        let same = self.0.again()?;
        Some(Box::new(OnLogs(same)))
    }

    fn order(&self) -> Option<Arima> {
        self.0.order()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_price_stays() {
        let fitted = LastPrice
            .fit(&[1.0, 3.0, f64::NAN, 4.0, f64::NAN], &Control::unbounded())
            .unwrap();
        let forecast = fitted.forecast(3);
        assert_eq!(forecast.price, [4.0; 3]);
        assert_eq!(forecast.variance, [4.0, 8.0, 12.0]);
        assert!(LastPrice.fit(&[f64::NAN], &Control::unbounded()).is_err());
    }

    #[test]
    fn models_on_logs_answer_in_prices() {
        let fitted = OnLogs(LastPrice).fit(&[2.0, 5.0], &Control::unbounded()).unwrap();
        assert!((fitted.forecast(1).price[0] - 5.0).abs() < 1e-12);
        assert_eq!(fitted.parameters()["scale"], "log");
    }
}
