//! A year of weeks: ARIMA with or without Fourier terms of the yearly season, whichever Akaike's criterion prefers.
//!
//! Fifty-two states for a season are too many to estimate from a few years of them; pairs of sines and cosines are regressors
//! like others (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 12.1). Both are found
//! with the same differences, so their likelihoods compare.

use super::super::model::{Drivers, Fit, Forecast, Predict};
use super::auto::fourier;
use super::{Arima, AutoArima, Fitted};
use crate::fit::{Control, FitError};
use serde_json::{Value, json};

/// Seasons a series must have shown, to the full, before a season is believed.
const YEARS: f64 = 2.0;
/// Steps ahead that terms are laid out for; forecasts are at most so long.
const AHEAD: usize = 1000;

/// ARIMA of an order found by AICc, its long season by Fourier terms where they pay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yearly {
    /// The search for the order, without season.
    pub search: AutoArima,
    /// Steps in a season, not necessarily whole.
    pub period: f64,
    /// Pairs of sine and cosine.
    pub pairs: usize,
}

/// A form that was found, to be estimated anew.
#[derive(Debug, Clone, Copy)]
struct Known {
    model: Arima,
    terms: Option<(f64, usize)>,
    longest: usize,
}

struct Seasonal {
    fitted: Fitted,
    known: Known,
}

fn with_terms(drivers: &Drivers, terms: (f64, usize), length: usize) -> Drivers {
    let mut drivers = drivers.clone();
    fourier(&mut drivers, terms.0, terms.1, 0, length + AHEAD);
    drivers
}

impl Fit for Yearly {
    fn name(&self) -> &'static str {
        "ARIMA"
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
        let plain = self.search.find(values, drivers, control)?;
        let known = |model: Arima, terms| Known {
            model,
            terms,
            longest: self.search.longest,
        };
        if (values.len() as f64) >= YEARS * self.period {
            let terms = (self.period, self.pairs);
            let search = AutoArima {
                start: Some(plain.model),
                ..self.search
            };
            match search.find(values, &with_terms(drivers, terms, values.len()), control) {
                Ok(fitted) if fitted.aicc() < plain.aicc() => {
                    let known = known(fitted.model, Some(terms));
                    return Ok(Box::new(Seasonal { fitted, known }));
                }
                Err(stopped @ FitError::Stopped(_)) => return Err(stopped),
                // No season, or none that can be told from the rest: the plain one stands.
                Ok(_) | Err(_) => {}
            }
        }
        let known = known(plain.model, None);
        Ok(Box::new(Seasonal { fitted: plain, known }))
    }
}

impl Fit for Known {
    fn name(&self) -> &'static str {
        "ARIMA"
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
        let skipped = values.len().saturating_sub(self.longest);
        let drivers = match self.terms {
            Some(terms) => with_terms(drivers, terms, values.len()),
            None => drivers.clone(),
        };
        let fitted = self
            .model
            .estimate(&values[skipped..], &drivers.without_first(skipped), control)?;
        Ok(Box::new(Seasonal { fitted, known: *self }))
    }
}

impl Predict for Seasonal {
    fn forecast(&self, horizon: usize) -> Forecast {
        self.fitted.forecast(horizon)
    }

    fn parameters(&self) -> Value {
        let mut parameters = Predict::parameters(&self.fitted);
        if let (Value::Object(object), Some((period, pairs))) = (&mut parameters, self.known.terms) {
            object.insert("fourier".into(), json!({"period": period, "pairs": pairs}));
        }
        parameters
    }

    fn again(&self) -> Option<Box<dyn Fit>> {
        Some(Box::new(self.known))
    }

    fn order(&self) -> Option<Arima> {
        Some(self.fitted.model)
    }
}
