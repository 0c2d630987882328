//! Our objectives in argmin's clothes: counted, guarded, evaluated once per point.

use super::point::Point;
use super::{Control, Differentiable, FitError, Objective, Stopped};
use argmin::core::{CostFunction, Error, Gradient};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a cost that is not finite counts as. Far below f64::MAX so that sums, differences and slopes of a few such
/// costs stay finite inside the solvers.
pub(super) const VERY_LARGE: f64 = 1e150;

/// What the parts of one running fit know together. argmin wants its observers and checkpoints `'static` and loses
/// the problem when a line search fails, so the truth is kept here, in one counted place.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Evaluations of the objective so far.
    pub(super) evaluations: Cell<u64>,
    /// Set once the control said stop.
    pub(super) stopped: Cell<Option<Stopped>>,
    /// Set once the checkpoint store failed.
    pub(super) failed: RefCell<Option<FitError>>,
}

impl Shared {
    /// Counts one evaluation, unless the fit has to stop.
    pub(super) fn admit(&self, control: &Control) -> Result<(), Stopped> {
        if let Some(stopped) = self.stopped.get() {
            return Err(stopped);
        }
        if let Err(stopped) = control.check() {
            self.stopped.set(Some(stopped));
            return Err(stopped);
        }
        self.evaluations.set(self.evaluations.get() + 1);
        Ok(())
    }
}

pub(super) fn finite_or_large(cost: f64) -> f64 {
    if cost.is_finite() {
        cost.min(VERY_LARGE)
    } else {
        VERY_LARGE
    }
}

/// A point with its cost and gradient.
type Evaluation = (Point, f64, Point);

/// A smooth objective. argmin asks for cost and gradient in two calls; the last evaluation answers the second.
pub(super) struct Smooth<'a, T> {
    pub(super) objective: &'a T,
    pub(super) control: &'a Control,
    pub(super) shared: Rc<Shared>,
    last: RefCell<Option<Evaluation>>,
}

impl<'a, T: Differentiable> Smooth<'a, T> {
    pub(super) fn new(objective: &'a T, control: &'a Control, shared: Rc<Shared>) -> Self {
        Self {
            objective,
            control,
            shared,
            last: RefCell::new(None),
        }
    }

    fn at(&self, x: &Point) -> Result<(f64, Point), Error> {
        if let Some((point, cost, gradient)) = &*self.last.borrow()
            && point.is(x)
        {
            return Ok((*cost, gradient.clone()));
        }
        self.shared.admit(self.control)?;
        // Let the older evaluation go first: at three million parameters it is 48 MB.
        self.last.take();
        let mut gradient = vec![0.0; x.as_slice().len()];
        let raw = self.objective.cost_and_gradient(x.as_slice(), &mut gradient);
        let cost = finite_or_large(raw);
        if cost == VERY_LARGE || gradient.iter().any(|g| !g.is_finite()) {
            // Outside the domain there is no slope to follow; the line search comes back by the cost alone.
            gradient.fill(0.0);
        }
        let gradient = Point::new(gradient);
        *self.last.borrow_mut() = Some((x.clone(), cost, gradient.clone()));
        Ok((cost, gradient))
    }
}

impl<T: Differentiable> CostFunction for Smooth<'_, T> {
    type Param = Point;
    type Output = f64;

    fn cost(&self, x: &Point) -> Result<f64, Error> {
        self.at(x).map(|(cost, _)| cost)
    }
}

impl<T: Differentiable> Gradient for Smooth<'_, T> {
    type Param = Point;
    type Gradient = Point;

    fn gradient(&self, x: &Point) -> Result<Point, Error> {
        self.at(x).map(|(_, gradient)| gradient)
    }
}

/// An objective known by its cost alone, over points.
pub(super) struct Costly<'a, T> {
    pub(super) objective: &'a T,
    pub(super) control: &'a Control,
    pub(super) shared: Rc<Shared>,
}

impl<T: Objective> CostFunction for Costly<'_, T> {
    type Param = Point;
    type Output = f64;

    /// After a stop every point costs very much and nothing is evaluated: argmin's Nelder-Mead unwraps the costs of
    /// its first simplex, so an error here would be a panic there. The observer ends the fit.
    fn cost(&self, x: &Point) -> Result<f64, Error> {
        Ok(match self.shared.admit(self.control) {
            Ok(()) => finite_or_large(self.objective.cost(x.as_slice())),
            Err(_) => VERY_LARGE,
        })
    }
}

/// A function of one number.
pub(super) struct Scalar<'a, T> {
    pub(super) objective: &'a T,
    pub(super) control: &'a Control,
    pub(super) shared: Rc<Shared>,
}

impl<T: Fn(f64) -> f64> CostFunction for Scalar<'_, T> {
    type Param = f64;
    type Output = f64;

    fn cost(&self, x: &f64) -> Result<f64, Error> {
        self.shared.admit(self.control)?;
        Ok(finite_or_large((self.objective)(*x)))
    }
}
