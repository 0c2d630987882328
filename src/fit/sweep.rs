//! Coordinate descent by passes: for duals of linear machines, whose coordinates are solved exactly one by one.
//!
//! The model makes a pass over its coordinates ([`Sweep`]); argmin counts the passes, looks at the control between them
//! and ends once a pass found the point optimal to the tolerance. The "cost" argmin sees is the violation of the
//! optimality conditions that the pass found, which a dual method knows for free where its objective would cost a pass
//! of its own.

use super::drive::drive;
use super::problem::Shared;
use super::{Control, Ended, FitError};
use argmin::core::{Error, IterState, KV, Problem, Solver, State, TerminationReason, TerminationStatus};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::rc::Rc;

/// Something that is minimised by passes over its coordinates and holds its own point.
pub trait Sweep {
    /// Makes pass number `pass` (from 0) and returns how far from optimal the point was during it: not negative, 0 at
    /// the optimum.
    fn sweep(&mut self, pass: u64) -> f64;
}

/// What came of it; the point stays with the objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// Passes made.
    pub passes: u64,
    /// The smallest violation that a pass found.
    pub violation: f64,
    /// Why it ended.
    pub ended: Ended,
}

/// Sweeps until a pass finds a violation of `tolerance` or less, at most `max_passes` times.
///
/// # Errors
/// [`FitError`]: stopped, a violation that is never a number, no pass allowed.
pub fn sweep(
    objective: &mut impl Sweep,
    max_passes: u64,
    tolerance: f64,
    control: &Control,
) -> Result<Swept, FitError> {
    if max_passes == 0 || tolerance.is_nan() {
        return Err(FitError::Invalid(
            "coordinate descent wants at least one pass and a tolerance".into(),
        ));
    }
    let shared = Rc::new(Shared::default());
    let held = Held {
        objective: RefCell::new(objective),
        control,
        shared: shared.clone(),
    };
    let fitted = drive::<_, _, f64, ()>(
        "coordinate descent",
        held,
        Passes { tolerance },
        Some(0.0),
        max_passes,
        None,
        control,
        shared,
    )?;
    Ok(Swept {
        passes: fitted.iterations,
        violation: fitted.cost,
        ended: fitted.ended,
    })
}

/// The objective with the control that is asked before each pass.
struct Held<'a, T> {
    objective: RefCell<&'a mut T>,
    control: &'a Control,
    shared: Rc<Shared>,
}

/// argmin's side: one pass an iteration.
#[derive(Clone, Serialize, Deserialize)]
struct Passes {
    tolerance: f64,
}

type PassState = IterState<f64, (), (), (), (), f64>;

impl<T: Sweep> Solver<Held<'_, T>, PassState> for Passes {
    fn name(&self) -> &str {
        "coordinate descent"
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<Held<'_, T>>,
        state: PassState,
    ) -> Result<(PassState, Option<KV>), Error> {
        let held = problem
            .problem
            .as_ref()
            .ok_or_else(|| Error::msg("the objective was taken away"))?;
        held.shared.admit(held.control)?;
        let pass = state.get_iter();
        let violation = held.objective.borrow_mut().sweep(pass);
        Ok((
            state.param(pass as f64).cost(if violation.is_nan() {
                f64::INFINITY
            } else {
                violation
            }),
            None,
        ))
    }

    fn terminate(&mut self, state: &PassState) -> TerminationStatus {
        match state.get_iter() > 0 && state.get_cost() <= self.tolerance {
            true => TerminationStatus::Terminated(TerminationReason::SolverConverged),
            false => TerminationStatus::NotTerminated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stopped;
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// `x^2 + y^2 + x y - 3 x`, each coordinate solved exactly: the optimum is (2, -1).
    struct Bowl {
        at: [f64; 2],
        flag: Option<Arc<AtomicBool>>,
    }

    impl Sweep for Bowl {
        fn sweep(&mut self, pass: u64) -> f64 {
            if let (3, Some(flag)) = (pass, &self.flag) {
                flag.store(true, Ordering::Relaxed);
            }
            let before = self.at;
            self.at[0] = (3.0 - self.at[1]) / 2.0;
            self.at[1] = -self.at[0] / 2.0;
            (self.at[0] - before[0]).abs() + (self.at[1] - before[1]).abs()
        }
    }

    #[test]
    fn it_ends_at_the_optimum_or_at_its_limit() {
        let mut bowl = Bowl {
            at: [0.0; 2],
            flag: None,
        };
        let swept = sweep(&mut bowl, 100, 1e-12, &Control::unbounded()).unwrap();
        assert_eq!(swept.ended, Ended::Converged);
        assert!(swept.passes > 5 && swept.passes < 40, "{swept:?}");
        assert!((bowl.at[0] - 2.0).abs() < 1e-11 && (bowl.at[1] + 1.0).abs() < 1e-11);
        bowl.at = [0.0; 2];
        let swept = sweep(&mut bowl, 2, 1e-12, &Control::unbounded()).unwrap();
        assert_eq!((swept.passes, swept.ended), (2, Ended::StepLimit));
        assert!(matches!(
            sweep(&mut bowl, 0, 0.1, &Control::unbounded()),
            Err(FitError::Invalid(_))
        ));
    }

    #[test]
    fn it_stops_between_passes() {
        let flag = Arc::new(AtomicBool::new(false));
        let mut bowl = Bowl {
            at: [0.0; 2],
            flag: Some(flag.clone()),
        };
        let stopped = sweep(&mut bowl, 100, 0.0, &Control::unbounded().with_cancel(flag));
        assert!(
            matches!(stopped, Err(FitError::Stopped(Stopped::Cancelled))),
            "{stopped:?}"
        );
    }
}
