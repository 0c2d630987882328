//! A recurrent network over sessions: GRU4Rec (Hidasi and Karatzoglou, CIKM 2018) with tied vectors.
//!
//! Every product has a vector; a [GRU](crate::neural::gru) reads those of a session one by one, and the scalar products of its state
//! with all vectors, plus a bias each, are the logits of what comes next. It is learned with sampled softmax: negatives by the 0.75th
//! power of their counts, logQ-corrected. A tenth of the sessions is kept back; their full cross entropy decides which epoch's network
//! is kept. Which tenth hangs on when a session began, so that a network that goes on from another night's never learned from what
//! judges it. A product that nobody met was never learned to be unlikely, so it gets the bias of the least likely one.
//! Sessions longer than [`LONGEST`] are read in pieces; for an answer the latest products count.

use super::Sessions;
use crate::fit::{Adam, Checkpoint, Control, Fall, FitError, Gradient, Schedule, Stochastic, adam};
use crate::neural::dropout;
use crate::neural::kernels::gemm::{Begin, Left, Packed, product};
use crate::neural::kernels::rows::{dots, softmax};
use crate::neural::random::{Init, dice, order};
use crate::neural::sampled::{Sampled, SampledWork, Sampler};
use crate::neural::{Embedding, Gru, GruTape, Layout};

/// Products of a session that are read at once.
pub const LONGEST: usize = 50;
/// One session of so many is kept back, and so many of them are asked at the most.
const KEPT_BACK: u64 = 10;
const ASKED: usize = 2000;
/// And so many logits are computed for them at the most: steps times products.
const LOGITS: usize = 200_000_000;
/// Sessions of a batch.
const BATCH: usize = 64;
/// Batches among which sessions are sorted by length, so that little is filled up.
const SORTED: usize = 16;

/// How a network is built and learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Values of a vector and of the state.
    pub width: usize,
    /// Products that a batch's targets compete with.
    pub negatives: usize,
    /// Passes over the sessions at the most.
    pub epochs: u64,
    /// Steps (batches) at the most.
    pub steps: u64,
    /// Passes without gain after which learning ends.
    pub patience: u64,
    /// The full learning rate.
    pub rate: f64,
    /// Share of a product's vector and of a state that is left out while learning.
    pub drop: f32,
    /// Of everything random.
    pub seed: u64,
    /// The name of its checkpoints, if they are wanted; the fingerprint is taken over all that shapes the fit.
    pub checkpoint: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 100,
            negatives: 1024,
            epochs: 20,
            steps: 8_000,
            patience: 2,
            rate: 2e-3,
            drop: 0.2,
            seed: 1,
            checkpoint: None,
        }
    }
}

/// Where the parameters lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) layout: Layout,
    pub(super) items: Embedding,
    pub(super) bias: Embedding,
    gru: Gru,
}

impl Shape {
    pub(super) fn new(products: usize, width: usize) -> Self {
        let mut layout = Layout::new();
        Self {
            items: Embedding::new(&mut layout, "items", products, width, Init::Normal(0.08)),
            bias: Embedding::new(&mut layout, "bias", products, 1, Init::Zero),
            gru: Gru::new(&mut layout, "gru", width, width),
            layout,
        }
    }

    /// Full cross entropy of what came next, a session after the other.
    fn judge(&self, params: &[f32], paths: &[&[u32]], work: &mut Work) -> f64 {
        let width = self.items.width;
        let vectors = self.items.table.of(params);
        work.pack.turned(vectors, width, width, self.items.rows);
        let bias = Begin::Row(self.bias.table.of(params));
        let (mut sum, mut count) = (0.0, 0);
        for path in paths {
            let steps = path.len() - 1;
            work.read(self, params, &path[..steps], steps, 1);
            work.logits.resize(steps * self.items.rows, 0.0);
            let states = Left::Rows(work.tape.hidden(), width);
            product(states, steps, &work.pack, bias, &mut work.logits, self.items.rows);
            for (row, next) in work.logits.chunks_exact_mut(self.items.rows).zip(&path[1..]) {
                let logit = row[*next as usize];
                sum += f64::from(softmax(row) - logit);
                count += 1;
            }
        }
        sum / f64::from(count.max(1))
    }
}

/// Buffers that are used again.
#[derive(Debug, Default)]
struct Work {
    tape: GruTape,
    pack: Packed,
    x: Vec<f32>,
    logits: Vec<f32>,
    states: Vec<f32>,
    d_states: Vec<f32>,
    dx: Vec<f32>,
    masks: [Vec<f32>; 2],
    sampled: SampledWork,
}

impl Work {
    fn read(&mut self, shape: &Shape, params: &[f32], ids: &[u32], steps: usize, batch: usize) {
        self.x.resize(ids.len() * shape.items.width, 0.0);
        shape.items.forward(params, ids, &mut self.x);
        shape
            .gru
            .forward(params, &self.x, steps, batch, None, &mut self.tape);
    }
}

/// A learned network.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub(super) shape: Shape,
    pub(super) params: Vec<f32>,
    /// Full cross entropy on the sessions kept back, before learning and of what was kept.
    pub loss: (f64, f64),
    /// Epochs made.
    pub epochs: usize,
    /// Steps made.
    pub steps: u64,
}

impl Network {
    /// Learns from all of the sessions but those kept back, from `start` (another night's parameters of the same products) or
    /// from nothing.
    ///
    /// # Errors
    /// Stopped, or nothing to learn from.
    pub fn learn(
        sessions: &Sessions,
        options: &Options,
        start: Option<Vec<f32>>,
        control: &Control,
    ) -> Result<Network, FitError> {
        let shape = Shape::new(sessions.products, options.width);
        let mut counts = vec![0.0_f64; sessions.products];
        let (mut pieces, mut kept_back) = (Vec::new(), Vec::new());
        // Sessions that began at the same instant (dates without a time of day are many such) are told apart by their order.
        let (mut place, mut before) = (0u64, None);
        for (path, began) in sessions.all.iter().zip(&sessions.began) {
            place = if before == Some(began) { place + 1 } else { 0 };
            before = Some(began);
            let mark = [began.to_le_bytes(), place.to_le_bytes()].concat();
            if xxhash_rust::xxh3::xxh3_64(&mark).is_multiple_of(KEPT_BACK) {
                kept_back.push(&path[..path.len().min(LONGEST)]);
                continue;
            }
            path.iter().for_each(|product| counts[*product as usize] += 1.0);
            // Pieces overlap by one product, so that every step is learned.
            let mut from = 0;
            while from + 1 < path.len() {
                pieces.push(&path[from..path.len().min(from + LONGEST)]);
                from += LONGEST - 1;
            }
        }
        kept_back.retain(|path| path.len() > 1);
        let steps: usize = kept_back.iter().map(|path| path.len() - 1).sum();
        let every = kept_back.len().div_ceil(ASKED);
        let every = every.max((steps * sessions.products).div_ceil(LOGITS)).max(1);
        let kept_back: Vec<&[u32]> = kept_back.into_iter().step_by(every).collect();
        if kept_back.is_empty() || pieces.is_empty() {
            return Err(FitError::Invalid(
                "there are too few sessions to learn from".into(),
            ));
        }
        let sampler = Sampler::new(counts.iter().map(|n| n.powf(0.75))).map_err(FitError::Invalid)?;
        let corrections = (0..sessions.products as u32)
            .map(|product| sampler.log_expected(product, options.negatives))
            .collect();
        let start = match start {
            Some(params) if params.len() == shape.layout.len() => params,
            Some(_) => return Err(FitError::Invalid("the start is of other products".into())),
            None => shape.layout.init(options.seed),
        };
        let checkpoint = options.checkpoint.as_ref().map(|name| Checkpoint {
            name: name.clone(),
            fingerprint: fingerprint(sessions, options, &start),
            every: 1,
        });
        let mut learning = Learning {
            shape: &shape,
            options,
            pieces,
            kept_back,
            sampler,
            corrections,
            order: (u64::MAX, Vec::new()),
            work: Work::default(),
        };
        let learned = adam(
            &mut learning,
            start,
            &Adam {
                rate: options.rate,
                schedule: Schedule {
                    warm_up: 50,
                    fall: Fall::Cosine(0.05),
                },
                clip: Some(5.0),
                max_epochs: options.epochs,
                max_steps: Some(options.steps),
                patience: Some(options.patience),
                tables: shape.layout.tables(),
                checkpoint,
                ..Adam::default()
            },
            control,
        )?;
        let mut params = learned.params;
        let biases = shape.bias.table.of_mut(&mut params);
        let met = biases.iter().zip(&counts).filter(|(_, count)| **count > 0.0);
        let least = met.fold(0.0_f32, |least, (bias, _)| least.min(*bias));
        for (bias, _) in biases.iter_mut().zip(&counts).filter(|(_, count)| **count == 0.0) {
            *bias = least;
        }
        Ok(Network {
            params,
            loss: (learned.start, learned.loss),
            epochs: learned.epochs.len(),
            steps: learned.steps,
            shape,
        })
    }

    /// The parameters, for whatever goes on from them.
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// The same, for good.
    pub fn into_params(self) -> Vec<f32> {
        self.params
    }

    /// Probabilities of every product to come after `path`; of none, where the path is empty, by the biases alone.
    pub fn after(&self, path: &[u32]) -> Vec<f32> {
        let mut state = vec![0.0; self.shape.items.width];
        let mut work = Vec::new();
        for product in &path[path.len().saturating_sub(LONGEST)..] {
            let vector = self.shape.items.row(&self.params, *product);
            self.shape.gru.serve(&self.params, vector, &mut state, &mut work);
        }
        let mut logits = vec![0.0; self.shape.items.rows];
        dots(&state, self.shape.items.table.of(&self.params), &mut logits);
        let bias = self.shape.bias.table.of(&self.params);
        logits
            .iter_mut()
            .zip(bias)
            .for_each(|(logit, bias)| *logit += bias);
        softmax(&mut logits);
        logits
    }
}

/// Over everything that shapes a fit.
fn fingerprint(sessions: &Sessions, options: &Options, start: &[f32]) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let version = env!("CARGO_PKG_VERSION");
    hash.update(format!("{version} {options:?} {}", sessions.products).as_bytes());
    for (path, began) in sessions.all.iter().zip(&sessions.began) {
        hash.update(&began.to_le_bytes());
        hash.update(&(path.len() as u64).to_le_bytes());
        path.iter()
            .for_each(|product| hash.update(&product.to_le_bytes()));
    }
    start.iter().for_each(|value| hash.update(&value.to_le_bytes()));
    hash.digest128()
}

/// Pieces of sessions in batches.
struct Learning<'a> {
    shape: &'a Shape,
    options: &'a Options,
    pieces: Vec<&'a [u32]>,
    kept_back: Vec<&'a [u32]>,
    sampler: Sampler,
    corrections: Vec<f32>,
    /// The epoch whose order of pieces this is.
    order: (u64, Vec<u32>),
    work: Work,
}

impl Learning<'_> {
    /// The pieces of a batch. Sorted by length among [`SORTED`] batches, which are shuffled again.
    fn arrange(&mut self, epoch: u64) {
        if self.order.0 == epoch {
            return;
        }
        let mut numbers = order(self.pieces.len(), self.options.seed, epoch);
        for group in numbers.chunks_mut(BATCH * SORTED) {
            group.sort_by_key(|number| self.pieces[*number as usize].len());
        }
        self.order = (epoch, numbers);
    }
}

impl Stochastic for Learning<'_> {
    fn batches(&self) -> u64 {
        self.pieces.len().div_ceil(BATCH) as u64
    }

    fn batch(&mut self, params: &[f32], epoch: u64, batch: u64, gradient: &mut Gradient) -> f64 {
        self.arrange(epoch);
        let own: Vec<&[u32]> = self.order.1[batch as usize * BATCH..]
            .iter()
            .take(BATCH)
            .map(|number| self.pieces[*number as usize])
            .collect();
        let steps = own.iter().map(|path| path.len() - 1).max().unwrap_or(0);
        let (count, width) = (own.len(), self.shape.items.width);
        let mut ids = vec![0; steps * count];
        let (mut targets, mut weights) = (ids.clone(), vec![0.0; ids.len()]);
        for (at, path) in own.iter().enumerate() {
            for step in 0..path.len() - 1 {
                let place = step * count + at;
                (ids[place], targets[place]) = (path[step], path[step + 1]);
                weights[place] = 1.0;
            }
        }
        let mut dice = dice(self.options.seed, epoch, batch);
        let negatives: Vec<u32> = (0..self.options.negatives)
            .map(|_| self.sampler.draw(&mut dice))
            .collect();
        let Work {
            tape,
            x,
            states,
            d_states,
            dx,
            masks,
            sampled,
            ..
        } = &mut self.work;
        x.resize(ids.len() * width, 0.0);
        self.shape.items.forward(params, &ids, x);
        dropout::drop(self.options.drop, &mut dice, x, &mut masks[0]);
        self.shape.gru.forward(params, x, steps, count, None, tape);
        states.clear();
        states.extend_from_slice(tape.hidden());
        dropout::drop(self.options.drop, &mut dice, states, &mut masks[1]);
        d_states.resize(states.len(), 0.0);
        let out = Sampled {
            table: self.shape.items,
            bias: Some(self.shape.bias),
        };
        let loss = out.learn(
            params,
            states,
            &targets,
            Some(&weights),
            &negatives,
            Some(&self.corrections),
            d_states,
            gradient,
            sampled,
        );
        dropout::mask(&masks[1], d_states);
        dx.resize(x.len(), 0.0);
        self.shape
            .gru
            .backward(params, x, tape, d_states, Some(dx), gradient.values());
        dropout::mask(&masks[0], dx);
        self.shape.items.backward(&ids, dx, gradient);
        loss
    }

    fn validate(&mut self, params: &[f32]) -> f64 {
        self.shape.judge(params, &self.kept_back, &mut self.work)
    }
}
