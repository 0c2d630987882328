//! Every optimisation of every model, driven by argmin; no other room names that crate.
//!
//! A model says what it minimises ([`Objective`], or [`Differentiable`] where it knows its gradient) and picks a
//! method: [`lbfgs`] with the More-Thuente line search for smooth problems of any size, [`nelder_mead`] for a
//! handful of parameters without gradient, [`brent`] for one parameter in an interval, [`sweep`] for a model that
//! descends coordinate by coordinate, [`adam`] for a network that learns from batches ([`Stochastic`]). So one place gives all of
//! them what a night needs: cancelling, a deadline, progress, and a checkpoint from which a later fit goes on.
//!
//! What holds for each method:
//!
//! * Budgets are counted steps. The clock is read only to see whether the [`Control`]'s deadline has passed, and
//!   then the fit ends with [`FitError::Stopped`] and no result, so that no published number depends on it.
//! * A cost that is not finite counts as very large, so an objective may answer infinity outside its domain.
//!   There are no box constraints: reparametrise (tanh, logistic).
//! * Cost and gradient are computed together, once per point.
//! * A checkpoint is the whole solver and its state. A resumed fit ends at the same bits as one that was never
//!   interrupted. A checkpoint whose fingerprint is another is ignored.
//! * Equal input, equal options: equal bits. Nothing here runs in parallel; an objective may, if its sums keep
//!   their order.

mod adam;
mod brent;
mod checkpoint;
mod control;
mod drive;
mod gradient;
mod lbfgs;
mod nelder_mead;
mod point;
mod problem;
mod schedule;
mod sweep;
#[cfg(test)]
pub(crate) mod testing;

pub use adam::{Adam, Epoch, Learned, Stochastic, adam};
pub use brent::{Brent, brent};
pub use checkpoint::{CHECKPOINT_LIMIT, Checkpoint};
pub use control::{Checkpoints, Control, Progress, Stopped};
pub use gradient::{Gradient, Table};
pub use lbfgs::{Lbfgs, lbfgs};
pub use nelder_mead::{NelderMead, nelder_mead};
pub use schedule::{Fall, Schedule};
pub use sweep::{Sweep, Swept, sweep};

/// Something to minimise.
pub trait Objective {
    /// The cost at `x`. What is not finite counts as very large.
    fn cost(&self, x: &[f64]) -> f64;
}

/// Something to minimise that knows its slope.
pub trait Differentiable: Objective {
    /// The cost at `x`; `gradient` (as long as `x`, holding zeros) receives the partial derivatives.
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;
}

/// Where a fit ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The best point seen.
    pub params: Vec<f64>,
    /// The cost there; always finite.
    pub cost: f64,
    /// Iterations of the method, those before a resume included.
    pub iterations: u64,
    /// Evaluations of the objective, those before a resume included.
    pub evaluations: u64,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The tolerance was reached.
    Converged,
    /// `max_iterations` was reached first.
    StepLimit,
    /// The line search found no better point, as it does at the noise floor of the cost (More-Thuente's "must be a
    /// descent direction"). The best point seen is a good answer where the gradient is honest.
    LineSearch,
}

/// Whether an error with these causes means that somebody stopped the work, and why. (A [`FitError`] is transparent to the
/// stop it wraps: the chain of causes shows the one or the other.)
pub fn stopped<'e>(
    mut causes: impl Iterator<Item = &'e (dyn std::error::Error + 'static)>,
) -> Option<Stopped> {
    causes.find_map(|cause| {
        let fit = match cause.downcast_ref::<FitError>() {
            Some(FitError::Stopped(stopped)) => Some(*stopped),
            _ => None,
        };
        cause.downcast_ref::<Stopped>().copied().or(fit)
    })
}

/// Why a fit has no result.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The night said stop; a checkpoint, if one was asked for, is kept.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Every point tried had a cost that is no number.
    #[error(
        "no point with a finite cost was found in {evaluations} evaluations: start elsewhere or rescale the data"
    )]
    NoFiniteCost {
        /// Points tried.
        evaluations: u64,
    },
    /// Options or start that make no fit.
    #[error("the fit cannot start: {0}")]
    Invalid(String),
    /// The checkpoint could not be read, written or removed.
    #[error("checkpoint '{name}': {what}")]
    Checkpoint {
        /// Its name.
        name: String,
        /// What the store said.
        what: String,
    },
    /// argmin ended with an error of its own.
    #[error("the optimiser failed: {0}")]
    Solver(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_however_it_was_wrapped() {
        let wrapped = anyhow::Error::from(FitError::from(Stopped::Deadline)).context("step fit");
        assert_eq!(stopped(wrapped.chain()), Some(Stopped::Deadline));
        let plain = anyhow::Error::from(Stopped::Cancelled).context("step fit");
        assert_eq!(stopped(plain.chain()), Some(Stopped::Cancelled));
        let other = anyhow::Error::from(FitError::Solver("singular".into()));
        assert_eq!(stopped(other.chain()), None);
    }
}
