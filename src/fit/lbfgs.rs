//! L-BFGS with the More-Thuente line search: smooth problems, from one parameter to millions.
//!
//! Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5; More and Thuente, ACM TOMS 20 (1994). Memory is
//! `2 * memory + 8` vectors of 8 bytes a parameter at the most.

use super::drive::drive;
use super::point::Point;
use super::problem::{Shared, Smooth};
use super::{Checkpoint, Control, Differentiable, FitError, Fitted};
use argmin::core::{CostFunction, Error, Gradient, IterState, KV, LineSearch, Problem, Solver};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use argmin_math::ArgminL2Norm;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// How [`lbfgs`] searches.
#[derive(Debug, Clone, PartialEq)]
pub struct Lbfgs {
    /// Pairs of steps and gradient differences kept.
    pub memory: usize,
    /// Iterations at the most; each takes one line search of a few evaluations.
    pub max_iterations: u64,
    /// Converged once the Euclidean length of the gradient is below.
    pub tolerance: f64,
    /// Converged once an iteration changes the cost by less.
    pub cost_tolerance: f64,
    /// The checkpoint, if one is wanted.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            memory: 6,
            max_iterations: 200,
            tolerance: 1e-6,
            cost_tolerance: 1e-12,
            checkpoint: None,
        }
    }
}

/// Evaluations of one line search at the most; a healthy one takes one to three.
const SEARCH_LIMIT: u64 = 40;

/// Minimises a smooth objective from `start`.
///
/// # Errors
/// [`FitError`]: stopped, nowhere a finite cost, an unusable start or options, a failing checkpoint store.
pub fn lbfgs(
    objective: &impl Differentiable,
    start: Vec<f64>,
    options: &Lbfgs,
    control: &Control,
) -> Result<Fitted, FitError> {
    if start.is_empty() || options.memory == 0 {
        return Err(FitError::Invalid(
            "L-BFGS wants at least one parameter and a memory of at least 1".into(),
        ));
    }
    let shared = Rc::new(Shared::default());
    let solver: LBFGS<Search, Point, Point, f64> = LBFGS::new(Search::new(), options.memory)
        .with_tolerance_grad(options.tolerance)
        .and_then(|solver| solver.with_tolerance_cost(options.cost_tolerance))
        .map_err(|error| FitError::Invalid(error.to_string()))?;
    drive(
        "L-BFGS",
        Smooth::new(objective, control, shared.clone()),
        solver,
        Some(Point::new(start)),
        options.max_iterations,
        options.checkpoint.as_ref(),
        control,
        shared,
    )
}

/// argmin's More-Thuente with what it lacks: a first step of length one at the most (the first direction is the bare
/// gradient, whose length means nothing), a limit on evaluations, and a plain refusal of a direction that is no
/// number.
#[derive(Clone, Serialize, Deserialize)]
struct Search {
    inner: MoreThuenteLineSearch<Point, Point, f64>,
    searched_before: bool,
    length: f64,
}

impl Search {
    fn new() -> Self {
        Self {
            inner: MoreThuenteLineSearch::new(),
            searched_before: false,
            length: 0.0,
        }
    }
}

impl LineSearch<Point, f64> for Search {
    fn search_direction(&mut self, direction: Point) {
        self.length = direction.l2_norm();
        let first = if self.searched_before {
            1.0
        } else {
            (1.0 / self.length).min(1.0)
        };
        self.searched_before = true;
        // Refused only for a step that is not positive, that is, for a length that is no number: `init` reports it.
        let _ = LineSearch::<Point, f64>::initial_step_length(&mut self.inner, first);
        LineSearch::<Point, f64>::search_direction(&mut self.inner, direction);
    }

    fn initial_step_length(&mut self, step: f64) -> Result<(), Error> {
        LineSearch::<Point, f64>::initial_step_length(&mut self.inner, step)
    }
}

type SearchState = IterState<Point, Point, (), (), (), f64>;

impl<O> Solver<O, SearchState> for Search
where
    O: CostFunction<Param = Point, Output = f64> + Gradient<Param = Point, Gradient = Point>,
{
    fn name(&self) -> &str {
        "bounded More-Thuente"
    }

    fn init(
        &mut self,
        problem: &mut Problem<O>,
        state: SearchState,
    ) -> Result<(SearchState, Option<KV>), Error> {
        if !self.length.is_finite() {
            return Err(Error::msg("the search direction is no number"));
        }
        self.inner.init(problem, state)
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<O>,
        state: SearchState,
    ) -> Result<(SearchState, Option<KV>), Error> {
        if state.iter >= SEARCH_LIMIT {
            // As an error: argmin's L-BFGS would take a point that a search without an end has not set.
            return Err(Error::msg("the line search did not end"));
        }
        self.inner.next_iter(problem, state)
    }
}

#[cfg(test)]
mod tests;
