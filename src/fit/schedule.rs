//! The learning rate over the steps of a fit: a warm-up, then a fall.

use serde::{Deserialize, Serialize};

/// How the rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Fall {
    /// It does not.
    Constant,
    /// Half a cosine down to this share of the rate at the last allowed step (Loshchilov and Hutter 2017).
    Cosine(f64),
    /// Multiplied by the factor after each so many epochs.
    Steps {
        /// Epochs between two falls; 0 counts as 1.
        every: u64,
        /// The factor.
        factor: f64,
    },
}

/// A learning rate as a function of the step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Steps over which the rate rises linearly from nearly nothing.
    pub warm_up: u64,
    /// What comes then.
    pub fall: Fall,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            warm_up: 0,
            fall: Fall::Constant,
        }
    }
}

impl Schedule {
    /// The share of the full rate at `step` (from 0) of `steps`, `per_epoch` of which make an epoch.
    pub fn share(&self, step: u64, steps: u64, per_epoch: u64) -> f64 {
        if step < self.warm_up {
            return (step + 1) as f64 / self.warm_up as f64;
        }
        match self.fall {
            Fall::Constant => 1.0,
            Fall::Cosine(floor) => {
                let all = steps.saturating_sub(self.warm_up).max(1);
                let done = ((step - self.warm_up) as f64 / all as f64).min(1.0);
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Fall::Steps { every, factor } => {
                let falls = step / per_epoch.max(1) / every.max(1);
                factor.powi(i32::try_from(falls).unwrap_or(i32::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_and_falls() {
        let cosine = Schedule {
            warm_up: 4,
            fall: Fall::Cosine(0.1),
        };
        let shares: Vec<f64> = (0..24).map(|step| cosine.share(step, 24, 6)).collect();
        assert_eq!(shares[..5], [0.25, 0.5, 0.75, 1.0, 1.0]);
        assert!(shares[4..].is_sorted_by(|a, b| a >= b));
        assert!((shares[14] - 0.55).abs() < 1e-12 && (cosine.share(99, 24, 6) - 0.1).abs() < 1e-12);
        let steps = Schedule {
            warm_up: 0,
            fall: Fall::Steps {
                every: 2,
                factor: 0.5,
            },
        };
        assert_eq!(
            [0, 11, 12, 24].map(|step| steps.share(step, 99, 6)),
            [1.0, 1.0, 0.5, 0.25]
        );
        assert_eq!(Schedule::default().share(7, 8, 1), 1.0);
    }
}
