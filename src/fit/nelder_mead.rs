//! The simplex method of Nelder and Mead (The Computer Journal 7, 1965): a handful of parameters, no gradient.

use super::drive::drive;
use super::point::Point;
use super::problem::{Costly, Shared};
use super::{Checkpoint, Control, FitError, Fitted, Objective};
use std::rc::Rc;

/// How [`nelder_mead`] searches.
#[derive(Debug, Clone, PartialEq)]
pub struct NelderMead {
    /// Iterations at the most; each takes one or two evaluations, a shrinking one as many as there are parameters.
    pub max_iterations: u64,
    /// Converged once the costs at the corners of the simplex have a standard deviation below.
    pub tolerance: f64,
    /// How far the first simplex reaches from the start along each parameter.
    pub step: f64,
    /// The checkpoint, if one is wanted.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for NelderMead {
    fn default() -> Self {
        Self {
            max_iterations: 1000,
            tolerance: 1e-10,
            step: 0.1,
            checkpoint: None,
        }
    }
}

/// Minimises an objective from `start`.
///
/// # Errors
/// [`FitError`]: stopped, nowhere a finite cost, an unusable start or options, a failing checkpoint store.
pub fn nelder_mead(
    objective: &impl Objective,
    start: Vec<f64>,
    options: &NelderMead,
    control: &Control,
) -> Result<Fitted, FitError> {
    if start.is_empty() || options.step == 0.0 || !options.step.is_finite() {
        return Err(FitError::Invalid(
            "Nelder-Mead wants at least one parameter and a finite step other than zero".into(),
        ));
    }
    let mut corners = vec![Point::new(start.clone())];
    for i in 0..start.len() {
        let mut corner = start.clone();
        corner[i] += options.step;
        corners.push(Point::new(corner));
    }
    let solver = argmin::solver::neldermead::NelderMead::new(corners)
        .with_sd_tolerance(options.tolerance)
        .map_err(|error| FitError::Invalid(error.to_string()))?;
    let shared = Rc::new(Shared::default());
    drive(
        "Nelder-Mead",
        Costly {
            objective,
            control,
            shared: shared.clone(),
        },
        solver,
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
    use super::super::{Ended, Stopped};
    use super::*;

    #[test]
    fn finds_rosenbrocks_valley_floor() {
        let options = NelderMead {
            tolerance: 1e-14,
            ..NelderMead::default()
        };
        let fitted = nelder_mead(&Rosenbrock, vec![-1.2, 1.0], &options, &Control::unbounded()).unwrap();
        assert_eq!(fitted.ended, Ended::Converged);
        assert!(fitted.params.iter().all(|x| (x - 1.0).abs() < 1e-5), "{fitted:?}");
    }

    #[test]
    fn keeps_inside_a_domain_told_by_infinity() {
        struct Half;
        impl Objective for Half {
            fn cost(&self, x: &[f64]) -> f64 {
                if x[0] < 2.0 {
                    f64::NAN
                } else {
                    x[0] * x[0] + (x[1] - 3.0).powi(2)
                }
            }
        }
        let fitted = nelder_mead(
            &Half,
            vec![5.0, 0.0],
            &NelderMead::default(),
            &Control::unbounded(),
        )
        .unwrap();
        assert!(
            (fitted.params[0] - 2.0).abs() < 1e-3 && (fitted.params[1] - 3.0).abs() < 1e-3,
            "{fitted:?}"
        );
        struct Nowhere;
        impl Objective for Nowhere {
            fn cost(&self, _: &[f64]) -> f64 {
                f64::INFINITY
            }
        }
        let lost = nelder_mead(
            &Nowhere,
            vec![5.0, 0.0],
            &NelderMead::default(),
            &Control::unbounded(),
        );
        assert!(matches!(lost, Err(FitError::NoFiniteCost { .. })), "{lost:?}");
    }

    #[test]
    fn another_thread_cancels_it_even_in_its_first_simplex() {
        for after in [2, 30] {
            let slow = cancel_after(Rosenbrock, after);
            let cancelled = nelder_mead(&slow, vec![-1.2, 1.0], &NelderMead::default(), &slow.control);
            assert!(
                matches!(cancelled, Err(FitError::Stopped(Stopped::Cancelled))),
                "{cancelled:?}"
            );
            assert_eq!(slow.evaluations(), after);
        }
    }

    #[test]
    fn a_resumed_fit_ends_at_the_same_bits() {
        struct By<'a>(&'a dyn Fn(&[f64], &mut [f64]) -> f64);
        impl Objective for By<'_> {
            fn cost(&self, x: &[f64]) -> f64 {
                (self.0)(x, &mut vec![0.0; x.len()])
            }
        }
        resumes_to_the_bit(|checkpoint, objective, max_iterations, control| {
            let options = NelderMead {
                checkpoint,
                max_iterations,
                tolerance: 1e-14,
                ..NelderMead::default()
            };
            nelder_mead(&By(objective), vec![-1.2, 1.0], &options, control)
        });
    }
}
