//! Forecasts: the state carried on without observations, plus what the regressors say.
//!
//! The variance is that of the values to come given the ones that are there, with the parameters taken as known (as in
//! R): innovations to come, and what is not known of the present state after a gap or a short series.

use super::super::model::{Fit, Forecast, Predict};
use super::Arima;
use super::estimate::Fitted;
use serde_json::{Map, Value, json};

impl Fitted {
    /// What the regressors add `ahead` steps (1, 2, ...) after the series of `n` steps. A driver that is not known so
    /// far ahead keeps its last known value.
    fn explained(&self, ahead: usize) -> f64 {
        let drivers = self.future.get(ahead - 1).or(self.future.last());
        let mut explained = 0.0;
        let mut k = 0;
        for (name, b) in self.regressors.iter().zip(&self.effects) {
            explained += b * match name.as_str() {
                "mean" if self.model.constant && k == 0 => 1.0,
                "drift" if self.model.constant && k == 0 => (self.steps + ahead) as f64,
                _ => {
                    k += 1;
                    drivers.map_or(0.0, |row| row[k - 1])
                }
            };
        }
        explained
    }

    /// A block of coefficients.
    fn block(&self, from: usize, length: usize) -> &[f64] {
        &self.coefficients[from..from + length]
    }
}

impl Predict for Fitted {
    fn forecast(&self, horizon: usize) -> Forecast {
        let mut state = self.state.clone();
        let mut forecast = Forecast {
            price: Vec::with_capacity(horizon),
            variance: Vec::with_capacity(horizon),
        };
        for ahead in 1..=horizon {
            forecast
                .price
                .push(state.expected(0) * self.scale + self.base + self.explained(ahead));
            forecast.variance.push(state.variance().max(0.0) * self.sigma2);
            state.predict(None);
        }
        forecast
    }

    fn again(&self) -> Option<Box<dyn Fit>> {
        Some(Box::new(self.model))
    }

    fn order(&self) -> Option<Arima> {
        Some(self.model)
    }

    fn parameters(&self) -> Value {
        let order = &self.model.order;
        let mut object = Map::new();
        object.insert("order".into(), json!([order.p, order.d, order.q]));
        if order.season > 1 {
            object.insert(
                "seasonal".into(),
                json!([order.sp, order.sd, order.sq, order.season]),
            );
        }
        let mut from = 0;
        for (name, length) in [
            ("ar", order.p),
            ("ma", order.q),
            ("sar", order.sp),
            ("sma", order.sq),
        ] {
            for (i, value) in self.block(from, length).iter().enumerate() {
                object.insert(format!("{name}{}", i + 1), json!(value));
            }
            from += length;
        }
        for (name, b) in self.regressors.iter().zip(&self.effects) {
            object.insert(name.clone(), json!(b));
        }
        object.insert("sigma2".into(), json!(self.sigma2));
        // Infinite where the series follows without any error, and JSON has no word for that.
        for (name, value) in [("log_likelihood", self.log_likelihood), ("aicc", self.aicc())] {
            if value.is_finite() {
                object.insert(name.into(), json!(value));
            }
        }
        Value::Object(object)
    }
}
