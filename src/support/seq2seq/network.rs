//! The encoder and decoder with their gradients, a batch at a time.
//!
//! A GRU reads the ticket in both directions; its states are the ticket's keys. A key of an old reply is the sum of what its window
//! of pieces lends it ([`Shape::keys`]): computed for the whole vocabulary at once, because the same pieces stand in all of them.
//! A third GRU says the reply; each of its states asks both memories ([`super::memory`]), and from the state and what was
//! read comes a vector `o` whose products with the pieces' vectors are the logits of the vocabulary. The gate is
//! `softmax(W o + b + evidence)`: a memory in which something was found speaks up. So
//!
//! `P(y) = π_0 P_vocabulary(y) + π_1 P_ticket(y) + Σ_k π_2k P_k(y)`, `π_2k = π_2 · weight of old reply k`,
//!
//! which sums to 1 over all that can be said or copied.

use super::batch::{Example, Window, replies_memory, ticket_memory};
use super::memory::{Looked, Memory, Worth};
use super::pieces::BEGIN;
use super::shape::{GATES, Shape, WINDOW};
use crate::fit::Gradient;
use crate::neural::GruTape;
use crate::neural::dropout;
use crate::neural::kernels::functions::{Function, apply};
use crate::neural::kernels::gemm::Packed;

/// What a step of a batch needs, used again and again.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Longest ticket and longest reply.
    pub(super) longest: (usize, usize),
    pub(super) read: Vec<f32>,
    pub(super) read_mask: Vec<f32>,
    pub(super) turned: Vec<f32>,
    pub(super) said: Vec<f32>,
    pub(super) said_mask: Vec<f32>,
    pub(super) ahead: GruTape,
    pub(super) back: GruTape,
    pub(super) decoder: GruTape,
    pub(super) last: Vec<f32>,
    pub(super) first: Vec<f32>,
    pub(super) lent: Vec<f32>,
    pub(super) questions: [Vec<f32>; 2],
    /// State and what was read, a row for each step of each example.
    pub(super) together: Vec<f32>,
    /// What is said, before and after dropout.
    pub(super) words: Vec<f32>,
    pub(super) dropped: Vec<f32>,
    pub(super) drop_mask: Vec<f32>,
    pub(super) gates: Vec<f32>,
    pub(super) examples: Vec<Inner>,
    pub(super) logits: Vec<f32>,
    pub(super) pack: Packed,
    pub(super) vocabulary: Packed,
    pub(super) vocabulary_back: Packed,
}

/// An example of the batch: its memories, what is said before each step and what is wanted of it, and what the network saw.
#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) ticket: Memory,
    pub(super) replies: Memory,
    pub(super) windows: Vec<Window>,
    pub(super) looked: [Looked; 2],
    pub(super) said: Vec<u32>,
    pub(super) wanted: Vec<u32>,
    pub(super) seen_ticket: Vec<u32>,
    pub(super) seen_said: Vec<u32>,
}

/// How a batch is scored.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Loss {
    /// Sum of `-log P` over the pieces that can be said.
    pub sum: f64,
    /// Those pieces.
    pub pieces: u64,
    /// Pieces that stand nowhere: in neither vocabulary, ticket nor replies.
    pub nowhere: u64,
    /// Sums of what each component gave of the probability.
    pub shares: [f64; GATES],
}

/// What may vary: nothing while serving.
#[derive(Debug)]
pub(super) struct Chance<'r> {
    /// Share of the values left out, of vectors read and of vectors said.
    pub drop: f32,
    pub dice: &'r mut fastrand::Rng,
}

impl Shape {
    /// The loss of a batch; with `gradient`, also the gradient of its mean.
    pub(super) fn run(
        &self,
        params: &[f32],
        batch: &[Example<'_>],
        mut chance: Option<Chance<'_>>,
        gradient: Option<&mut Gradient>,
        work: &mut Work,
    ) -> Loss {
        self.encode(params, batch, &mut chance, work);
        self.decode(params, batch, &mut chance, work);
        self.score(params, batch.len(), gradient, work)
    }

    /// Tickets and old replies, into memories; the decoder's first states.
    fn encode(
        &self,
        params: &[f32],
        batch: &[Example<'_>],
        chance: &mut Option<Chance<'_>>,
        work: &mut Work,
    ) {
        let (n, width, half) = (batch.len(), self.size.width, self.size.encoder);
        let key = self.size.key();
        work.examples.resize_with(n, Inner::default);
        let longest = batch
            .iter()
            .map(|one| one.ticket.seen.len().max(1))
            .max()
            .unwrap_or(1);
        let steps = batch.iter().map(|one| one.reply.seen.len()).max().unwrap_or(0);
        work.longest = (longest, steps);
        let mut ids = vec![0; longest * n];
        for (b, one) in batch.iter().enumerate() {
            for (at, seen) in one.ticket.seen.iter().enumerate() {
                ids[at * n + b] = *seen;
            }
        }
        work.read.resize(longest * n * width, 0.0);
        self.pieces.forward(params, &ids, &mut work.read);
        if let Some(chance) = chance {
            dropout::drop(chance.drop, chance.dice, &mut work.read, &mut work.read_mask);
        }
        work.turned.resize(work.read.len(), 0.0);
        for (b, one) in batch.iter().enumerate() {
            let len = one.ticket.seen.len().max(1);
            for at in 0..longest {
                let from = if at < len { len - 1 - at } else { at };
                work.turned[(at * n + b) * width..][..width]
                    .copy_from_slice(&work.read[(from * n + b) * width..][..width]);
            }
        }
        self.ahead
            .forward(params, &work.read, longest, n, None, &mut work.ahead);
        self.back
            .forward(params, &work.turned, longest, n, None, &mut work.back);
        // What every piece of the vocabulary lends the keys of old replies.
        work.lent.resize(self.size.pieces * WINDOW * key, 0.0);
        self.keys.forward(
            params,
            self.pieces.table.of(params),
            &mut work.lent,
            &mut work.pack,
        );
        work.last.resize(n * key, 0.0);
        for (b, (one, inner)) in batch.iter().zip(&mut work.examples).enumerate() {
            inner.ticket = ticket_memory(one.ticket);
            inner.seen_ticket.clone_from(&one.ticket.seen);
            let len = inner.ticket.places();
            inner.ticket.keys.clear();
            for at in 0..len {
                inner
                    .ticket
                    .keys
                    .extend_from_slice(&work.ahead.hidden()[(at * n + b) * half..][..half]);
                inner
                    .ticket
                    .keys
                    .extend_from_slice(&work.back.hidden()[((len - 1 - at) * n + b) * half..][..half]);
            }
            let last = &mut work.last[b * key..][..key];
            last[..half].copy_from_slice(&work.ahead.hidden()[((len - 1) * n + b) * half..][..half]);
            last[half..].copy_from_slice(&work.back.hidden()[((len - 1) * n + b) * half..][..half]);
            (inner.replies, inner.windows) = replies_memory(one.sources);
            inner.replies.keys = lend(&inner.windows, &work.lent, key);
        }
        work.first.resize(n * self.size.decoder, 0.0);
        self.bridge
            .forward(params, &work.last, &mut work.first, &mut work.pack);
        apply(Function::Tanh, &mut work.first);
    }

    /// The reply, each piece from those before it, up to the vectors that are said.
    fn decode(
        &self,
        params: &[f32],
        batch: &[Example<'_>],
        chance: &mut Option<Chance<'_>>,
        work: &mut Work,
    ) {
        let (n, width, state, key) = (batch.len(), self.size.width, self.size.decoder, self.size.key());
        let steps = work.longest.1;
        let mut ids = vec![0; steps * n];
        for (b, (one, inner)) in batch.iter().zip(&mut work.examples).enumerate() {
            inner.said.clear();
            inner.wanted.clear();
            inner.seen_said.clear();
            for at in 0..one.reply.seen.len() {
                let seen = if at == 0 { BEGIN } else { one.reply.seen[at - 1] };
                ids[at * n + b] = seen;
                inner.seen_said.push(seen);
                inner
                    .said
                    .push(if at == 0 { BEGIN } else { one.reply.pieces[at - 1] });
                inner.wanted.push(one.reply.pieces[at]);
            }
        }
        work.said.resize(steps * n * width, 0.0);
        self.pieces.forward(params, &ids, &mut work.said);
        if let Some(chance) = chance {
            dropout::drop(chance.drop, chance.dice, &mut work.said, &mut work.said_mask);
        }
        self.decoder
            .forward(params, &work.said, steps, n, Some(&work.first), &mut work.decoder);
        let states = work.decoder.hidden();
        for (ask, questions) in [self.ask_ticket, self.ask_replies]
            .iter()
            .zip(&mut work.questions)
        {
            questions.resize(steps * n * key, 0.0);
            ask.forward(params, states, questions, &mut work.pack);
        }
        let row = state + 2 * key;
        work.together.clear();
        work.together.resize(steps * n * row, 0.0);
        for (from, to) in states
            .chunks_exact(state)
            .zip(work.together.chunks_exact_mut(row))
        {
            to[..state].copy_from_slice(from);
        }
        for (b, inner) in work.examples.iter_mut().enumerate() {
            if inner.said.is_empty() {
                continue;
            }
            for (which, looked) in inner.looked.iter_mut().enumerate() {
                let memory = if which == 0 { &inner.ticket } else { &inner.replies };
                memory.look(
                    &work.questions[which][b * key..],
                    n * key,
                    &inner.said,
                    &inner.wanted,
                    self.worth(params, which),
                    &mut work.together[b * row + state + which * key..],
                    n * row,
                    looked,
                );
            }
        }
        work.words.resize(steps * n * width, 0.0);
        self.say
            .forward(params, &work.together, &mut work.words, &mut work.pack);
        apply(Function::Tanh, &mut work.words);
        work.gates.resize(steps * n * GATES, 0.0);
        self.gate
            .forward(params, &work.words, &mut work.gates, &mut work.pack);
        work.dropped.clone_from(&work.words);
        if let Some(chance) = chance {
            dropout::drop(chance.drop, chance.dice, &mut work.dropped, &mut work.drop_mask);
        }
    }

    /// What scores of a memory are made of: 0 is the ticket, 1 the old replies.
    pub(super) fn worth<'p>(&self, params: &'p [f32], which: usize) -> Worth<'p> {
        Worth {
            agree: self.agree[which].of(params),
            similar: self.similar.of(params)[0],
        }
    }
}

/// Keys from what the pieces of each window lend.
pub(super) fn lend(windows: &[Window], lent: &[f32], key: usize) -> Vec<f32> {
    let mut keys = vec![0.0; windows.len() * key];
    for (window, to) in windows.iter().zip(keys.chunks_exact_mut(key)) {
        for (place, number) in window.iter().enumerate() {
            add(to, &lent[(*number as usize * WINDOW + place) * key..][..key]);
        }
    }
    keys
}

pub(super) fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
