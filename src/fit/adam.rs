//! Adam: networks, learned from batches, by gradients whose every coordinate has its own pace.
//!
//! Kingma and Ba, ICLR 2015, with PyTorch's order of operations; decoupled weight decay by Loshchilov and Hutter, ICLR 2019.
//! To argmin one iteration is one *epoch* (all batches once) and its cost the loss on validation data, so that its best point is
//! the network that generalises best; that one is the result, not the last. The start is validated too: a network that was
//! learned the night before is only replaced by a better one.
//!
//! Tables ([`Table`]) move by touched rows: a row that no batch touched keeps its value and both its moments.
//!
//! The state is parameters, moments and the number of steps. The order of batches must be a function of the epoch, so a
//! fit resumed from its checkpoint goes on at an epoch's end to the same bits. A batch whose gradient is no number is passed
//! over.

use super::drive::run;
use super::problem::{Shared, finite_or_large};
use super::{CHECKPOINT_LIMIT, Checkpoint, Control, Ended, FitError, Gradient, Schedule, Table};
use argmin::core::{Error, IterState, KV, Problem, Solver, TerminationReason, TerminationStatus};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A network and what it learns from. It holds its own data and work space; its parameters are one flat vector.
pub trait Stochastic {
    /// Batches of an epoch, the same for each.
    fn batches(&self) -> u64;
    /// The mean loss of batch number `batch` of epoch `epoch` (both from 0) at `params`. `gradient`, which holds zeros, receives
    /// its partial derivatives. What is drawn at random is a function of epoch, batch and a seed of its own.
    fn batch(&mut self, params: &[f32], epoch: u64, batch: u64, gradient: &mut Gradient) -> f64;
    /// The loss that counts: on data that no batch holds.
    fn validate(&mut self, params: &[f32]) -> f64;
}

/// How [`adam`] learns.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// The full learning rate.
    pub rate: f64,
    /// Its course.
    pub schedule: Schedule,
    /// Memory of the mean gradient.
    pub beta1: f64,
    /// Memory of its mean square.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// Share of the learning rate by which parameters shrink at each step (decoupled; in tables touched rows only).
    pub decay: f64,
    /// Longer gradients are shortened to this Euclidean length.
    pub clip: Option<f64>,
    /// Epochs at the most.
    pub max_epochs: u64,
    /// Steps (batches) at the most; ends within an epoch if need be.
    pub max_steps: Option<u64>,
    /// Ends after so many epochs in a row without a new best validation loss.
    pub patience: Option<u64>,
    /// The areas that move by touched rows, ascending.
    pub tables: Vec<Table>,
    /// The checkpoint, if one is wanted; saved at ends of epochs. It holds the parameters five times at the most (now, best,
    /// best before, two moments) and is left out above four times [`CHECKPOINT_LIMIT`], from 13 million parameters on.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            rate: 1e-3,
            schedule: Schedule::default(),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            clip: None,
            max_epochs: 10,
            max_steps: None,
            patience: None,
            tables: Vec::new(),
            checkpoint: None,
        }
    }
}

/// One epoch's record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss of its batches, each at the parameters it met.
    pub training: f64,
    /// Validation loss after it.
    pub validation: f64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The parameters with the least validation loss.
    pub params: Vec<f32>,
    /// That loss; always finite.
    pub loss: f64,
    /// Validation loss at the start.
    pub start: f64,
    /// The epochs, those before a resume included.
    pub epochs: Vec<Epoch>,
    /// Steps made.
    pub steps: u64,
    /// Why it ended: [`Ended::Converged`] by patience, [`Ended::StepLimit`] by a limit on epochs or steps.
    pub ended: Ended,
}

/// Learns from `start`.
///
/// # Errors
/// [`FitError`]: stopped, no finite validation loss, an unusable start or options, a failing checkpoint store.
pub fn adam(
    network: &mut impl Stochastic,
    start: Vec<f32>,
    options: &Adam,
    control: &Control,
) -> Result<Learned, FitError> {
    let betas = [options.beta1, options.beta2];
    let positive = |x: f64| x.is_finite() && x > 0.0;
    if start.is_empty() || !positive(options.rate) || betas.iter().any(|b| !(0.0..1.0).contains(b)) {
        return Err(FitError::Invalid(
            "Adam wants parameters, a positive learning rate and memories from 0 to less than 1".into(),
        ));
    }
    if !positive(options.epsilon) || options.decay < 0.0 || options.clip.is_some_and(|clip| !positive(clip)) {
        return Err(FitError::Invalid(
            "Adam wants a positive epsilon and clip, and a decay that is not negative".into(),
        ));
    }
    if network.batches() == 0 {
        return Err(FitError::Invalid("there is no batch to learn from".into()));
    }
    let gradient = Gradient::new(start.len(), &options.tables).map_err(FitError::Invalid)?;
    let all = options.max_epochs.saturating_mul(network.batches());
    let solver = Epochs {
        options: Rates::of(options),
        steps_limit: options.max_steps.map_or(all, |most| most.min(all)),
        patience: options.patience,
        first: vec![0.0; start.len()],
        second: vec![0.0; start.len()],
        steps: 0,
        since_best: 0,
        least: f64::INFINITY,
        start: f64::INFINITY,
        records: Vec::new(),
    };
    let shared = Rc::new(Shared::default());
    let held = Held {
        network: RefCell::new(network),
        gradient: RefCell::new(gradient),
        control,
        shared: shared.clone(),
    };
    let ran = run::<_, _, Weights, ()>(
        "Adam",
        held,
        solver,
        Some(Weights(Arc::new(start))),
        options.max_epochs,
        options.checkpoint.as_ref(),
        4 * CHECKPOINT_LIMIT,
        control,
        shared,
    )?;
    Ok(Learned {
        params: Arc::unwrap_or_clone(ran.best.0),
        loss: ran.cost,
        start: ran.solver.start,
        steps: ran.solver.steps,
        // argmin's own reason would depend on the last epoch's loss, which may be no number.
        ended: match ran.solver.out_of_steps() || ran.iterations >= options.max_epochs {
            true => Ended::StepLimit,
            false => Ended::Converged,
        },
        epochs: ran.solver.records,
    })
}

/// The parameters; a clone is free until one of the two changes.
#[derive(Clone)]
struct Weights(Arc<Vec<f32>>);

impl Serialize for Weights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Weights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|values| Self(Arc::new(values)))
    }
}

/// The network with what surrounds its steps.
struct Held<'a, T> {
    network: RefCell<&'a mut T>,
    gradient: RefCell<Gradient>,
    control: &'a Control,
    shared: Rc<Shared>,
}

/// The numbers of the update.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Rates {
    rate: f64,
    schedule: Schedule,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    decay: f64,
    clip: Option<f64>,
}

impl Rates {
    fn of(options: &Adam) -> Self {
        Self {
            rate: options.rate,
            schedule: options.schedule,
            beta1: options.beta1,
            beta2: options.beta2,
            epsilon: options.epsilon,
            decay: options.decay,
            clip: options.clip,
        }
    }
}

/// argmin's side: one epoch an iteration.
#[derive(Clone, Serialize, Deserialize)]
struct Epochs {
    options: Rates,
    steps_limit: u64,
    patience: Option<u64>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: u64,
    since_best: u64,
    least: f64,
    start: f64,
    records: Vec<Epoch>,
}

impl Epochs {
    fn out_of_steps(&self) -> bool {
        self.steps >= self.steps_limit
    }

    /// One update; leaves zeros in the gradient.
    fn step(&mut self, params: &mut [f32], gradient: &mut Gradient, per_epoch: u64) {
        let Rates { beta1, beta2, .. } = self.options;
        let share = self
            .options
            .schedule
            .share(self.steps, self.steps_limit, per_epoch);
        self.steps += 1;
        let norm = gradient.norm();
        if !norm.is_finite() {
            return gradient.clear();
        }
        let factor = match self.options.clip {
            Some(clip) if norm > clip => (clip / norm) as f32,
            _ => 1.0,
        };
        let rate = self.options.rate * share;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let step = (rate / (1.0 - beta1.powi(power))) as f32;
        let root = (1.0 / (1.0 - beta2.powi(power)).sqrt()) as f32;
        let kept = (1.0 - rate * self.options.decay) as f32;
        let epsilon = self.options.epsilon as f32;
        let (b1, b2) = (beta1 as f32, beta2 as f32);
        let (c1, c2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        gradient.areas(|at, g| {
            let length = g.len();
            let moments = self.first[at..][..length]
                .iter_mut()
                .zip(&mut self.second[at..][..length]);
            for ((p, g), (m, v)) in params[at..][..length].iter_mut().zip(g).zip(moments) {
                let slope = *g * factor;
                *m = b1 * *m + c1 * slope;
                *v = b2 * *v + c2 * (slope * slope);
                *p = *p * kept - step * (*m / (v.sqrt() * root + epsilon));
                *g = 0.0;
            }
        });
        gradient.forget();
    }
}

type AdamState = IterState<Weights, (), (), (), (), f64>;

impl<T: Stochastic> Solver<Held<'_, T>, AdamState> for Epochs {
    fn name(&self) -> &str {
        "Adam"
    }

    fn init(
        &mut self,
        problem: &mut Problem<Held<'_, T>>,
        state: AdamState,
    ) -> Result<(AdamState, Option<KV>), Error> {
        let held = held(problem)?;
        held.shared.admit(held.control)?;
        let start = state
            .param
            .as_ref()
            .ok_or_else(|| Error::msg("Adam has no start"))?;
        self.start = finite_or_large(held.network.borrow_mut().validate(&start.0));
        self.least = self.start;
        let start = self.start;
        Ok((state.cost(start), None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<Held<'_, T>>,
        mut state: AdamState,
    ) -> Result<(AdamState, Option<KV>), Error> {
        let held = held(problem)?;
        let mut network = held.network.borrow_mut();
        let mut gradient = held.gradient.borrow_mut();
        let mut params = state
            .take_param()
            .ok_or_else(|| Error::msg("Adam has no parameters"))?;
        // Nobody reads the best but one; it would only make checkpoints larger.
        state.prev_best_param = None;
        let per_epoch = network.batches();
        let (mut sum, mut count) = (0.0, 0_u64);
        for batch in 0..per_epoch {
            if self.out_of_steps() {
                break;
            }
            held.shared.admit(held.control)?;
            sum += network.batch(&params.0, state.iter, batch, &mut gradient);
            count += 1;
            let values: &mut Vec<f32> = Arc::make_mut(&mut params.0);
            self.step(values, &mut gradient, per_epoch);
        }
        held.shared.admit(held.control)?;
        let validation = finite_or_large(network.validate(&params.0));
        self.records.push(Epoch {
            training: sum / count.max(1) as f64,
            validation,
        });
        self.since_best += 1;
        if validation < self.least {
            self.least = validation;
            self.since_best = 0;
        }
        Ok((state.param(params).cost(validation), None))
    }

    fn terminate(&mut self, _: &AdamState) -> TerminationStatus {
        let impatient = self
            .patience
            .is_some_and(|patience| self.since_best >= patience.max(1));
        match impatient || self.out_of_steps() {
            true => TerminationStatus::Terminated(TerminationReason::SolverConverged),
            false => TerminationStatus::NotTerminated,
        }
    }
}

fn held<'p, 'a, T>(problem: &'p Problem<Held<'a, T>>) -> Result<&'p Held<'a, T>, Error> {
    problem
        .problem
        .as_ref()
        .ok_or_else(|| Error::msg("the network was taken away"))
}

#[cfg(test)]
mod tests;
