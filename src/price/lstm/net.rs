//! The layers, and a batch on its way through them and back.
//!
//! ```text
//! h    = LSTM over the blocks of the window
//! c    = [h, traits, vector of category, vector of brand]
//! y[k] = A x + D c + V tanh(U [c, f[k]])          for each step k ahead, three quantiles each, in units of spread[k]
//! ```
//!
//! with x the window's differences and `f[k]` what is known of step k ahead. `A` begins at the pooled ridge regression and the
//! rest at zero, so that learning begins where linear regression ends. `A` learns slower than the rest ([`SLOW`]): it has hundreds of
//! correlated inputs, and a step of the full length in all of them would undo what the regression knew.

use super::form::{AHEAD, Form, HIDDEN, QUANTILES, SHELF, SHELVES, TRAITS};
use crate::fit::Gradient;
use crate::neural::kernels::gemm::Packed;
use crate::neural::loss::pinball;
use crate::neural::random::Init;
use crate::neural::{Dense, Embedding, Layout, Lstm, LstmTape};

/// What the weights of `A` are multiplied by.
pub const SLOW: f32 = 0.1;

/// Answers of a step.
const Q: usize = QUANTILES.len();

/// Where everything lies.
#[derive(Debug, Clone)]
pub struct Net {
    /// The layout of the parameters.
    pub layout: Layout,
    lstm: Lstm,
    /// `A`.
    pub skip: Dense,
    head: Dense,
    ahead: Option<(Dense, Dense)>,
    shelves: Option<Embedding>,
}

/// A batch: windows, what is known ahead, and where there is any, what happened.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Windows.
    pub rows: usize,
    /// Blocks by rows by inputs.
    pub sequence: Vec<f32>,
    /// Rows by window.
    pub linear: Vec<f32>,
    /// Rows by traits.
    pub traits: Vec<f32>,
    /// Rows by steps by what is known ahead.
    pub ahead: Vec<f32>,
    /// Category and brand of each row.
    pub shelves: Vec<u32>,
    /// Rows by steps, in units of each step's spread.
    pub happened: Vec<f32>,
    /// What each counts.
    pub weights: Vec<f32>,
}

impl Batch {
    /// Room for `rows` windows.
    pub fn resize(&mut self, rows: usize, form: &Form) {
        self.rows = rows;
        self.sequence.resize(form.blocks * rows * form.inputs(), 0.0);
        self.linear.resize(rows * form.window(), 0.0);
        self.traits.resize(rows * TRAITS, 0.0);
        self.ahead.resize(rows * form.horizon * form.ahead(), 0.0);
        self.shelves.resize(rows * 2, 0);
        self.happened.resize(rows * form.horizon, 0.0);
        self.weights.resize(rows * form.horizon, 0.0);
    }
}

/// Work space.
#[derive(Debug, Default)]
pub struct Work {
    tape: LstmTape,
    pack: Packed,
    context: Vec<f32>,
    slow: Vec<f32>,
    answers: Vec<f32>,
    part: Vec<f32>,
    joined: Vec<f32>,
    hidden: Vec<f32>,
    d_context: Vec<f32>,
    d_joined: Vec<f32>,
    d_hidden: Vec<f32>,
    d_states: Vec<f32>,
    d_shelves: Vec<f32>,
}

impl Net {
    /// The network of this form.
    pub fn new(form: &Form) -> Self {
        let mut layout = Layout::new();
        let lstm = Lstm::new(&mut layout, "lstm", form.inputs(), HIDDEN);
        let (context, answers) = (form.context(), Q * form.horizon);
        let skip = Dense::new(&mut layout, "linear", form.window(), answers);
        let head = Dense::new(&mut layout, "head", context, answers);
        let ahead = (form.ahead() > 0).then(|| {
            (
                Dense::new(&mut layout, "ahead.in", context + form.ahead(), AHEAD),
                Dense::new(&mut layout, "ahead.out", AHEAD, Q),
            )
        });
        let shelves = form
            .shelves
            .then(|| Embedding::dense(&mut layout, "shelves", 2 * SHELVES, SHELF, Init::Normal(0.1)));
        Self {
            layout,
            lstm,
            skip,
            head,
            ahead,
            shelves,
        }
    }

    /// First parameters: whatever adds to an answer adds nothing yet.
    pub fn init(&self, seed: u64) -> Vec<f32> {
        let mut params = self.layout.init(seed);
        self.skip.weight.of_mut(&mut params).fill(0.0);
        self.head.weight.of_mut(&mut params).fill(0.0);
        if let Some((_, out)) = &self.ahead {
            out.weight.of_mut(&mut params).fill(0.0);
        }
        params
    }

    /// The answers of a batch: rows by steps by quantiles, in units of each step's spread.
    pub fn forward<'w>(
        &self,
        params: &[f32],
        form: &Form,
        batch: &Batch,
        work: &'w mut Work,
    ) -> &'w mut [f32] {
        let rows = batch.rows;
        self.lstm
            .forward(params, &batch.sequence, form.blocks, rows, None, &mut work.tape);
        let width = form.context();
        work.context.resize(rows * width, 0.0);
        for (row, context) in work.context.chunks_exact_mut(width).enumerate() {
            let (hidden, rest) = context.split_at_mut(HIDDEN);
            hidden.copy_from_slice(&work.tape.last()[row * HIDDEN..][..HIDDEN]);
            let (traits, rest) = rest.split_at_mut(TRAITS);
            traits.copy_from_slice(&batch.traits[row * TRAITS..][..TRAITS]);
            if let Some(shelves) = &self.shelves {
                shelves.forward(params, &self.shelves_of(batch, row), rest);
            }
        }
        let answers = Q * form.horizon;
        work.answers.resize(rows * answers, 0.0);
        work.part.resize(rows * answers, 0.0);
        work.slow.clear();
        work.slow.extend(batch.linear.iter().map(|x| x * SLOW));
        self.skip
            .forward(params, &work.slow, &mut work.answers, &mut work.pack);
        self.head
            .forward(params, &work.context, &mut work.part, &mut work.pack);
        add(&work.part, &mut work.answers);
        if let Some((inner, outer)) = &self.ahead {
            let known = form.ahead();
            work.joined.resize(rows * form.horizon * (width + known), 0.0);
            for (at, joined) in work.joined.chunks_exact_mut(width + known).enumerate() {
                joined[..width].copy_from_slice(&work.context[at / form.horizon * width..][..width]);
                joined[width..].copy_from_slice(&batch.ahead[at * known..][..known]);
            }
            work.hidden.resize(rows * form.horizon * AHEAD, 0.0);
            inner.forward(params, &work.joined, &mut work.hidden, &mut work.pack);
            work.hidden.iter_mut().for_each(|x| *x = soft(*x));
            outer.forward(params, &work.hidden, &mut work.part, &mut work.pack);
            add(&work.part, &mut work.answers);
        }
        &mut work.answers
    }

    /// Category and brand as rows of the table.
    fn shelves_of(&self, batch: &Batch, row: usize) -> [u32; 2] {
        let pair = &batch.shelves[2 * row..][..2];
        [
            pair[0] % SHELVES as u32,
            SHELVES as u32 + pair[1] % SHELVES as u32,
        ]
    }

    /// The mean pinball loss of a batch.
    pub fn loss(&self, params: &[f32], form: &Form, batch: &Batch, work: &mut Work) -> f64 {
        let answers = self.forward(params, form, batch, work);
        pinball(answers, &QUANTILES, &batch.happened, Some(&batch.weights))
    }

    /// The same, and its gradient.
    pub fn learn(
        &self,
        params: &[f32],
        form: &Form,
        batch: &Batch,
        work: &mut Work,
        gradient: &mut Gradient,
    ) -> f64 {
        let loss = self.loss(params, form, batch, work);
        let (rows, width) = (batch.rows, form.context());
        let answers = std::mem::take(&mut work.answers);
        let grads = gradient.values();
        work.d_context.resize(rows * width, 0.0);
        self.skip
            .backward(params, &work.slow, &answers, None, grads, &mut work.pack);
        self.head.backward(
            params,
            &work.context,
            &answers,
            Some(&mut work.d_context),
            grads,
            &mut work.pack,
        );
        if let Some((inner, outer)) = &self.ahead {
            work.d_hidden.resize(work.hidden.len(), 0.0);
            outer.backward(
                params,
                &work.hidden,
                &answers,
                Some(&mut work.d_hidden),
                grads,
                &mut work.pack,
            );
            for (slope, y) in work.d_hidden.iter_mut().zip(&work.hidden) {
                *slope *= (1.0 - y.abs()) * (1.0 - y.abs());
            }
            work.d_joined.resize(work.joined.len(), 0.0);
            inner.backward(
                params,
                &work.joined,
                &work.d_hidden,
                Some(&mut work.d_joined),
                grads,
                &mut work.pack,
            );
            for (at, joined) in work.d_joined.chunks_exact(width + form.ahead()).enumerate() {
                add(
                    &joined[..width],
                    &mut work.d_context[at / form.horizon * width..][..width],
                );
            }
        }
        work.answers = answers;
        // Only the state after the last block is looked at.
        work.d_states.clear();
        work.d_states.resize(form.blocks * rows * HIDDEN, 0.0);
        let last = (form.blocks - 1) * rows * HIDDEN;
        for (row, slope) in work.d_context.chunks_exact(width).enumerate() {
            work.d_states[last + row * HIDDEN..][..HIDDEN].copy_from_slice(&slope[..HIDDEN]);
        }
        self.lstm.backward(
            params,
            &batch.sequence,
            &mut work.tape,
            &work.d_states,
            None,
            grads,
        );
        if let Some(shelves) = &self.shelves {
            work.d_shelves.resize(2 * SHELF, 0.0);
            for (row, slope) in work.d_context.chunks_exact(width).enumerate() {
                work.d_shelves.copy_from_slice(&slope[HIDDEN + TRAITS..]);
                shelves.backward(&self.shelves_of(batch, row), &work.d_shelves, gradient);
            }
        }
        loss
    }
}

/// x / (1 + |x|): shaped like a hyperbolic tangent, exact in every rounding, no library's business.
fn soft(x: f32) -> f32 {
    x / (1.0 + x.abs())
}

fn add(from: &[f32], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
