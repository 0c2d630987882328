//! Volatility that comes in clusters: GARCH(1,1) by maximum likelihood, with normal or Student-t innovations.
//!
//! ```text
//! y[t] = mu + e[t]        e[t] = sqrt(h[t]) z[t]        h[t] = omega + alpha e[t-1]^2 + beta h[t-1]
//! ```
//!
//! (Bollerslev, J. Econometrics 31, 1986). Before the series `h` and `e^2` are the mean of `e^2` at the present `mu`,
//! the start of the benchmark of Fiorentini, Calzolari and Panattoni (J. Applied Econometrics 11, 1996), which published
//! programs miss in the first digit when they start otherwise. `z` has variance 1 under either distribution, so `h` is a
//! variance under both.
//!
//! The series are *returns*, differences of log prices, and may be in any unit: they are scaled to variance 1 inside and
//! everything comes out in the user's unit. A missing return (`NaN`) adds nothing to the likelihood and stands for its
//! expectation in the recursion. The optimiser knows no bounds, so what it moves is `mu`, `ln omega`, `logit alpha`,
//! `logit beta` and `logit(2 / nu)`. `alpha + beta` may pass 1: then shocks die out in probability but not in variance.
//!
//! | file | subject |
//! |---|---|
//! | `likelihood` | the recursion, scores, cost and gradient |
//! | `errors` | five kinds of standard errors |
//! | `gamma` | the logarithm of the gamma function and its derivative |
//! | `ratio` | whether prices come back |

pub mod errors;
mod gamma;
mod likelihood;
mod ratio;

use crate::fit::{Control, FitError, Lbfgs, NelderMead, Objective, Stopped, lbfgs, nelder_mead};
pub use errors::Errors;
use likelihood::{Data, Parameters};

/// How the innovations are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Normal. The estimates of the variance are good even where the innovations are not normal.
    Normal,
    /// Student's t with variance 1: prices jump.
    StudentT,
}

/// Returns that a fit wants at the least.
pub const ENOUGH: usize = 50;

/// A fitted model, in the unit of the returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The mean return.
    pub mu: f64,
    /// The constant of the variance.
    pub omega: f64,
    /// The weight of the last squared shock.
    pub alpha: f64,
    /// The weight of the last variance.
    pub beta: f64,
    /// Degrees of freedom of Student's t; `None` for the normal distribution.
    pub nu: Option<f64>,
    /// The log-likelihood.
    pub log_likelihood: f64,
    /// Returns used.
    pub observations: usize,
    /// The variance of the return after the series.
    pub next_variance: f64,
}

/// Fits GARCH(1,1) to `returns` (`NaN` missing).
///
/// # Errors
/// Stopped; fewer than [`ENOUGH`] returns, an infinite one, returns that do not vary, no likelihood found.
pub fn fit(returns: &[f64], distribution: Distribution, control: &Control) -> Result<Fitted, FitError> {
    let data = Data::of(returns, distribution)?;
    let start = starts(distribution)
        .into_iter()
        .map(|start| {
            let x = start.free();
            (data.cost(&x), x)
        })
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, x)| x)
        .unwrap_or_default();
    let options = Lbfgs {
        tolerance: 1e-8,
        cost_tolerance: 1e-15,
        max_iterations: 200,
        memory: 10,
        ..Lbfgs::default()
    };
    let found = match lbfgs(&data, start.clone(), &options, control) {
        Err(FitError::NoFiniteCost { .. } | FitError::Solver(_)) => {
            nelder_mead(&data, start, &NelderMead::default(), control)?
        }
        other => other?,
    };
    let parameters = Parameters::of(&found.params);
    let scale = data.scale;
    let n = data.observations as f64;
    let fitted = Fitted {
        mu: parameters.mu * scale + data.centre,
        omega: parameters.omega * scale * scale,
        alpha: parameters.alpha,
        beta: parameters.beta,
        nu: parameters.nu,
        log_likelihood: -n * (found.cost + scale.ln()),
        observations: data.observations,
        next_variance: data.next_variance(&parameters) * scale * scale,
    };
    let sound = [
        fitted.mu,
        fitted.omega,
        fitted.log_likelihood,
        fitted.next_variance,
    ];
    if sound.iter().all(|value| value.is_finite()) {
        Ok(fitted)
    } else {
        Err(FitError::Invalid(
            "the returns' sizes are beyond arithmetic".into(),
        ))
    }
}

/// Where the search may start: calm and nervous series of variance 1.
fn starts(distribution: Distribution) -> Vec<Parameters> {
    let nu = match distribution {
        Distribution::Normal => None,
        Distribution::StudentT => Some(6.0),
    };
    [
        (0.05, 0.9),
        (0.1, 0.8),
        (0.2, 0.7),
        (0.3, 0.3),
        (0.02, 0.97),
        (0.05, 0.5),
    ]
    .into_iter()
    .map(|(alpha, beta)| Parameters {
        mu: 0.0,
        omega: 1.0 - alpha - beta,
        alpha,
        beta,
        nu,
    })
    .collect()
}

impl Fitted {
    /// The variance of each of the next `horizon` returns.
    pub fn variances(&self, horizon: usize) -> Vec<f64> {
        let mut variance = self.next_variance;
        (0..horizon)
            .map(|_| {
                let now = variance;
                variance = self.omega + (self.alpha + self.beta) * variance;
                now
            })
            .collect()
    }

    /// Share of `returns` (those of the fit) within so many standard deviations of the model's expectation for each.
    pub fn within(&self, returns: &[f64], deviations: f64) -> f64 {
        let distribution = match self.nu {
            None => Distribution::Normal,
            Some(_) => Distribution::StudentT,
        };
        let Ok(data) = Data::of(returns, distribution) else {
            return f64::NAN;
        };
        let mut inside = 0u32;
        data.run(&data.inside(self), |step| {
            inside += u32::from(step.e.abs() <= deviations * step.h.sqrt());
        });
        f64::from(inside) / data.observations as f64
    }

    /// The variance the model comes back to; `None` where `alpha + beta` is 1 or more.
    pub fn long_run_variance(&self) -> Option<f64> {
        let persistence = self.alpha + self.beta;
        (persistence < 1.0).then(|| self.omega / (1.0 - persistence))
    }
}

/// Price changes that an estimate of volatility wants.
pub const CHANGES: usize = 250;
/// The share of days without a change from which the normal distribution is taken: Student's t would make ever narrower a
/// peak of them.
const MOSTLY_STILL: f64 = 0.5;

/// How far a price moves, as fractions: the standard deviation of its log return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volatility {
    /// Over the next day.
    pub one_day: f64,
    /// Over the next thirty days; less than thirty such days together where prices have come back to where they were.
    pub thirty_days: f64,
    /// Share of the days whose move stayed within 1.96 standard deviations of the model's own expectation for the day.
    pub within: f64,
}

/// What there is to say of a price's volatility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Movement {
    /// Fewer than [`CHANGES`] changes: a posted price that moves twice a year has no volatility to speak of.
    Still,
    /// Changes enough, and no model fits them.
    Unexplained,
    /// This much.
    Volatile(Volatility),
}

/// The volatility to expect of a price with one value per day (`NaN` missing), by Student's t. A persistence above 1 is
/// carried on as 1: a storm a month ahead is as large as tomorrow's, not larger. Thirty days' variances add up only where moves
/// are unrelated; where prices come back, the sum is cut to what moves over thirty days have been beside those of one
/// (the variance ratio), to no less than one day's.
///
/// # Errors
/// Stopped.
pub fn movement(daily_prices: &[f64], control: &Control) -> Result<Movement, Stopped> {
    let returns: Vec<f64> = daily_prices
        .windows(2)
        .map(|pair| {
            let change = (pair[1] / pair[0]).ln();
            if change.is_finite() { change } else { f64::NAN }
        })
        .collect();
    let observed = returns.iter().filter(|change| !change.is_nan()).count();
    // Less than a millionth is rounding, not a change of price.
    let changes = returns.iter().filter(|change| change.abs() > 1e-6).count();
    if changes < CHANGES {
        return Ok(Movement::Still);
    }
    let still = 1.0 - changes as f64 / observed as f64;
    let distribution = if still > MOSTLY_STILL {
        Distribution::Normal
    } else {
        Distribution::StudentT
    };
    let fitted = match fit(&returns, distribution, control) {
        Ok(fitted) => fitted,
        Err(FitError::Stopped(stopped)) => return Err(stopped),
        Err(_) => return Ok(Movement::Unexplained),
    };
    let persistence = (fitted.alpha + fitted.beta).min(1.0);
    let (mut month, mut variance) = (0.0, fitted.next_variance);
    for _ in 0..30 {
        month += variance;
        variance = fitted.omega + persistence * variance;
    }
    let month = (month * ratio::returning(&returns, 30)).max(fitted.next_variance);
    let found = Volatility {
        one_day: fitted.next_variance.sqrt(),
        thirty_days: month.sqrt(),
        within: fitted.within(&returns, 1.96),
    };
    let sound = found.one_day.is_finite() && found.thirty_days.is_finite() && found.within.is_finite();
    Ok(if sound {
        Movement::Volatile(found)
    } else {
        Movement::Unexplained
    })
}

#[cfg(test)]
mod tests;
