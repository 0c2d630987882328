//! A season too long for one state each, taken out by STL before a trend is fitted to what is left.
//!
//! Weekly series have 52 weeks in a year and hourly ones 168 hours in a week; exponential smoothing with that many states
//! fits noise. STL finds the season with few effective parameters, the damped trend goes on with the rest, and the last
//! season seen is added back.

use super::ets::{self, Error, Season, Spec, Trend};
use super::model::{Fit, Forecast, Predict};
use super::stl::Stl;
use crate::fit::{Control, FitError};
use serde_json::{Value, json};

/// STL of a season of `period` steps, and a damped trend on what is left.
#[derive(Debug, Clone, Copy)]
pub struct StlTrend {
    /// Steps of a season.
    pub period: usize,
}

struct Fitted {
    rest: ets::Fitted,
    /// The season of the next step and the following ones.
    season: Vec<f64>,
    strength: f64,
}

impl Fit for StlTrend {
    fn name(&self) -> &'static str {
        "STL with damped trend"
    }

    fn fit(&self, values: &[f64], control: &Control) -> Result<Box<dyn Predict>, FitError> {
        let stl = Stl {
            period: self.period,
            seasonal_window: 11,
            robust: 0,
        };
        let parts = stl
            .decompose(values)
            .ok_or_else(|| FitError::Invalid("STL wants at least two seasons".into()))?;
        let strength = parts.seasonal_strength();
        let adjusted: Vec<f64> = values.iter().zip(&parts.season).map(|(y, s)| y - s).collect();
        let spec = Spec {
            error: Error::Additive,
            trend: Trend::Damped,
            season: Season::None,
        };
        Ok(Box::new(Fitted {
            rest: ets::fit(&adjusted, spec, 1, control)?,
            season: parts.season[values.len() - self.period..].to_vec(),
            strength,
        }))
    }
}

impl Predict for Fitted {
    fn forecast(&self, horizon: usize) -> Forecast {
        let mut forecast = self.rest.forecast(horizon);
        for (h, price) in forecast.price.iter_mut().enumerate() {
            *price += self.season[h % self.season.len()];
        }
        forecast
    }

    fn parameters(&self) -> Value {
        json!({
            "period": self.season.len(),
            "seasonal_strength": self.strength,
            "rest": self.rest.parameters(),
        })
    }
}
