//! Brent's minimisation of a function of one number in an interval (Algorithms for Minimization without Derivatives,
//! 1973, chapter 5): golden section steps, parabolas where they help.

use super::drive::drive;
use super::problem::{Scalar, Shared};
use super::{Checkpoint, Control, FitError, Fitted};
use argmin::solver::brent::BrentOpt;
use std::rc::Rc;

/// How [`brent`] searches.
#[derive(Debug, Clone, PartialEq)]
pub struct Brent {
    /// Iterations at the most, one evaluation each.
    pub max_iterations: u64,
    /// Converged once the minimum is known to about this distance in x. Below 1e-8 times x rounding hides it.
    pub tolerance: f64,
    /// The checkpoint, if one is wanted.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Brent {
    fn default() -> Self {
        Self {
            max_iterations: 100,
            tolerance: 1e-6,
            checkpoint: None,
        }
    }
}

/// Minimises `objective` between `low` and `high`; a local minimum where it has several.
///
/// # Errors
/// [`FitError`]: stopped, nowhere a finite cost, an empty interval, a failing checkpoint store.
pub fn brent(
    objective: impl Fn(f64) -> f64,
    low: f64,
    high: f64,
    options: &Brent,
    control: &Control,
) -> Result<Fitted, FitError> {
    if !(low.is_finite() && high.is_finite() && low < high && options.tolerance > 0.0) {
        return Err(FitError::Invalid(format!(
            "Brent's method wants a finite interval and a positive tolerance, not {low} to {high} at {}",
            options.tolerance
        )));
    }
    let shared = Rc::new(Shared::default());
    drive::<_, _, f64, ()>(
        "Brent",
        Scalar {
            objective: &objective,
            control,
            shared: shared.clone(),
        },
        BrentOpt::new(low, high).set_tolerance(f64::EPSILON.sqrt(), options.tolerance),
        None,
        options.max_iterations,
        options.checkpoint.as_ref(),
        control,
        shared,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rosenbrock, cancel_after, resumes_to_the_bit};
    use super::super::{Ended, Objective, Stopped};
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_smooth_function() {
        // exp(-x) - exp(5 - x/2) has its minimum where exp(-x/2) = exp(5)/2, at x = 2 ln 2 - 10.
        let fitted = brent(
            |x| (-x).exp() - (5.0 - x / 2.0).exp(),
            -10.0,
            10.0,
            &Brent {
                tolerance: 1e-9,
                ..Brent::default()
            },
            &Control::unbounded(),
        )
        .unwrap();
        assert_eq!(fitted.ended, Ended::Converged);
        assert!(
            (fitted.params[0] - (2.0 * 2.0f64.ln() - 10.0)).abs() < 1e-6,
            "{fitted:?}"
        );
        assert!(fitted.evaluations < 40, "{fitted:?}");
    }

    #[test]
    fn refuses_an_empty_interval_and_a_function_without_numbers() {
        let empty = brent(|x| x, 1.0, 1.0, &Brent::default(), &Control::unbounded());
        assert!(matches!(empty, Err(FitError::Invalid(_))));
        let lost = brent(|_| f64::NAN, 0.0, 1.0, &Brent::default(), &Control::unbounded());
        assert!(matches!(lost, Err(FitError::NoFiniteCost { .. })), "{lost:?}");
    }

    #[test]
    fn another_thread_cancels_it() {
        let slow = cancel_after(Rosenbrock, 5);
        let cancelled = brent(
            |x| slow.cost(&[x, 1.0]),
            -2.0,
            2.0,
            &Brent::default(),
            &slow.control,
        );
        assert!(
            matches!(cancelled, Err(FitError::Stopped(Stopped::Cancelled))),
            "{cancelled:?}"
        );
        assert_eq!(slow.evaluations(), 5);
    }

    #[test]
    fn a_resumed_fit_ends_at_the_same_bits() {
        resumes_to_the_bit(|checkpoint, objective, max_iterations, control| {
            let options = Brent {
                checkpoint,
                max_iterations,
                tolerance: 1e-12,
            };
            brent(
                |x| objective(&[x, 0.3], &mut [0.0; 2]),
                -0.7,
                2.0,
                &options,
                control,
            )
        });
    }
}
