//! One run of an argmin solver under our control, and what came of it.

use super::checkpoint::{CHECKPOINT_LIMIT, Keeper};
use super::problem::{Shared, VERY_LARGE};
use super::{Checkpoint, Control, Ended, FitError, Fitted};
use argmin::core::observers::{Observe, ObserverMode};
use argmin::core::{Error, Executor, IterState, KV, Solver, State, TerminationReason};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::rc::Rc;

/// Reports each iteration and ends a run that has to stop.
struct Watch {
    control: Control,
    shared: Rc<Shared>,
    what: String,
    max_iterations: u64,
}

impl Watch {
    fn look(&self) -> Result<(), Error> {
        self.shared
            .stopped
            .get()
            .map_or(Ok(()), |stopped| Err(stopped.into()))
    }
}

impl<P: Clone, G> Observe<IterState<P, G, (), (), (), f64>> for Watch {
    fn observe_init(&mut self, _: &str, _: &IterState<P, G, (), (), (), f64>, _: &KV) -> Result<(), Error> {
        self.look()
    }

    fn observe_iter(&mut self, state: &IterState<P, G, (), (), (), f64>, _: &KV) -> Result<(), Error> {
        self.look()?;
        self.control
            .progress(&self.what, state.iter + 1, self.max_iterations);
        Ok(())
    }
}

/// How a method's point becomes the answer.
pub(super) trait IntoParams {
    fn into_params(self) -> Vec<f64>;
}

impl IntoParams for f64 {
    fn into_params(self) -> Vec<f64> {
        vec![self]
    }
}

impl IntoParams for super::point::Point {
    fn into_params(self) -> Vec<f64> {
        self.into_vec()
    }
}

/// What a run of any solver came to.
pub(super) struct Ran<S, P> {
    /// The solver as it ended.
    pub(super) solver: S,
    /// The best point, and the rest of [`Fitted`].
    pub(super) best: P,
    pub(super) cost: f64,
    pub(super) iterations: u64,
    pub(super) evaluations: u64,
    pub(super) ended: Ended,
}

/// Runs `solver` on `problem` from `start` (none where the solver holds its own start), and turns the best point into
/// plain numbers.
pub(super) fn drive<O, S, P, G>(
    method: &'static str,
    problem: O,
    solver: S,
    start: Option<P>,
    max_iterations: u64,
    checkpoint: Option<&Checkpoint>,
    control: &Control,
    shared: Rc<Shared>,
) -> Result<Fitted, FitError>
where
    S: Solver<O, IterState<P, G, (), (), (), f64>> + Serialize + DeserializeOwned,
    P: Clone + IntoParams + Serialize + DeserializeOwned + 'static,
    G: Serialize + DeserializeOwned + 'static,
{
    let ran = run(
        method,
        problem,
        solver,
        start,
        max_iterations,
        checkpoint,
        CHECKPOINT_LIMIT,
        control,
        shared,
    )?;
    Ok(Fitted {
        params: ran.best.into_params(),
        cost: ran.cost,
        iterations: ran.iterations,
        evaluations: ran.evaluations,
        ended: ran.ended,
    })
}

/// Runs `solver` on `problem` from `start`; a checkpoint larger than `checkpoint_limit` bytes is not saved.
pub(super) fn run<O, S, P, G>(
    method: &'static str,
    problem: O,
    solver: S,
    start: Option<P>,
    max_iterations: u64,
    checkpoint: Option<&Checkpoint>,
    checkpoint_limit: usize,
    control: &Control,
    shared: Rc<Shared>,
) -> Result<Ran<S, P>, FitError>
where
    S: Solver<O, IterState<P, G, (), (), (), f64>> + Serialize + DeserializeOwned,
    P: Clone + Serialize + DeserializeOwned + 'static,
    G: Serialize + DeserializeOwned + 'static,
{
    control.check()?;
    let what = checkpoint.map_or(method, |checkpoint| checkpoint.name.as_str());
    let watch = Watch {
        control: control.clone(),
        shared: shared.clone(),
        what: what.to_owned(),
        max_iterations,
    };
    let mut executor = Executor::new(problem, solver)
        .configure(|state: IterState<P, G, (), (), (), f64>| {
            let state = state.max_iters(max_iterations).counting(false);
            match start {
                Some(start) => state.param(start),
                None => state,
            }
        })
        .ctrlc(false)
        .timer(false)
        .add_observer(watch, ObserverMode::Always);
    if let Some(checkpoint) = checkpoint {
        executor = executor.checkpointing(Keeper::new(
            control,
            checkpoint,
            method,
            max_iterations,
            checkpoint_limit,
            shared.clone(),
        ));
    }
    let result = executor.run();
    // The reason we noted goes before what argmin made of it: a line search turns every error into its own.
    if let Some(stopped) = shared.stopped.get() {
        return Err(stopped.into());
    }
    if let Some(failed) = shared.failed.take() {
        return Err(failed);
    }
    let result = result.map_err(|error| FitError::Solver(error.to_string()))?;
    let (solver, mut state) = (result.solver, result.state);
    let evaluations = shared.evaluations.get();
    if !state.best_cost.is_finite() || state.best_cost >= VERY_LARGE {
        return Err(FitError::NoFiniteCost { evaluations });
    }
    let ended = match state.get_termination_reason() {
        Some(TerminationReason::MaxItersReached) => Ended::StepLimit,
        Some(TerminationReason::SolverConverged | TerminationReason::TargetCostReached)
            if state.cost < VERY_LARGE =>
        {
            Ended::Converged
        }
        _ => Ended::LineSearch,
    };
    let cost = state.best_cost;
    let iterations = state.iter;
    let best = state
        .take_best_param()
        .ok_or_else(|| FitError::Solver("argmin kept no best point".into()))?;
    drop(state);
    if let (Some(checkpoint), Some(store)) = (checkpoint, control.checkpoints()) {
        store
            .clear(&checkpoint.name)
            .map_err(|what| FitError::Checkpoint {
                name: checkpoint.name.clone(),
                what,
            })?;
    }
    Ok(Ran {
        solver,
        best,
        cost,
        iterations,
        evaluations,
        ended,
    })
}
