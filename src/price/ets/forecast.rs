//! Forecasts and their variances.
//!
//! With `c[j] = alpha + beta (phi + ... + phi^j) + gamma [j is a multiple of the season]`, additive models have
//! `Var = sigma^2 (1 + sum c[j]^2)`; with multiplicative errors `Var = (1 + sigma^2) theta[h] - mu[h]^2`, where
//! `theta[h] = mu[h]^2 + sigma^2 sum c[j]^2 theta[h-j]` (Hyndman et al. 2008, tables 6.2 and 6.3). For a season that
//! multiplies, the second is applied to the deseasonalised series and scaled, which leaves the season's own
//! uncertainty to `c` and is an approximation.

use super::super::model::{Fit, Forecast, Predict};
use super::fit::Fitted;
use super::{Error, Member, Season};
use serde_json::{Value, json};

impl Predict for Fitted {
    fn forecast(&self, horizon: usize) -> Forecast {
        let period = self.season.len().max(1);
        let season = |h: usize| self.season.get(h % period).copied();
        let mut base = Vec::with_capacity(horizon);
        let (mut level, mut slope) = (self.level, self.slope);
        for _ in 0..horizon {
            slope *= self.phi;
            level += slope;
            base.push(level);
        }
        let price: Vec<f64> = base
            .iter()
            .enumerate()
            .map(|(h, base)| match (self.spec.season, season(h)) {
                (Season::Additive, Some(season)) => base + season,
                (Season::Multiplicative, Some(season)) => base * season,
                _ => *base,
            })
            .collect();
        // c[j] for j = 1, 2, ... steps back.
        let mut damped = 0.0;
        let mut power = 1.0;
        let weights: Vec<f64> = (1..horizon.max(1))
            .map(|j| {
                power *= self.phi;
                damped += power;
                let seasonal = if !self.season.is_empty() && j % period == 0 {
                    self.gamma
                } else {
                    0.0
                };
                self.alpha + self.beta * damped + seasonal
            })
            .collect();
        let variance = match self.spec.error {
            Error::Additive => {
                let mut sum = 1.0;
                let mut variance = Vec::with_capacity(horizon);
                for h in 0..horizon {
                    variance.push(self.sigma2 * sum);
                    sum += weights.get(h).map_or(0.0, |c| c * c);
                }
                variance
            }
            Error::Multiplicative => {
                let mean = if self.spec.season == Season::Additive {
                    &price
                } else {
                    &base
                };
                let mut theta: Vec<f64> = Vec::with_capacity(horizon);
                (0..horizon)
                    .map(|h| {
                        let earlier: f64 = (1..=h).map(|j| weights[j - 1].powi(2) * theta[h - j]).sum();
                        theta.push(mean[h] * mean[h] + self.sigma2 * earlier);
                        let scale = match (self.spec.season, season(h)) {
                            (Season::Multiplicative, Some(season)) => season * season,
                            _ => 1.0,
                        };
                        ((1.0 + self.sigma2) * theta[h] - mean[h] * mean[h]) * scale
                    })
                    .collect()
            }
        };
        Forecast { price, variance }
    }

    fn again(&self) -> Option<Box<dyn Fit>> {
        Some(Box::new(Member {
            spec: self.spec,
            period: self.season.len().max(1),
        }))
    }

    fn parameters(&self) -> Value {
        let mut found = json!({
            "form": self.spec.name(),
            "alpha": self.alpha,
            "sigma2": self.sigma2,
            "log_likelihood": self.log_likelihood,
        });
        if let Value::Object(object) = &mut found {
            for (name, value) in [("beta", self.beta), ("gamma", self.gamma), ("phi", self.phi)] {
                if value != 0.0 {
                    object.insert(name.into(), json!(value));
                }
            }
        }
        found
    }
}
