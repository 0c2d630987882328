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
use super::memory::{Looked, Memory, Worth, WorthSlopes};
use super::pieces::BEGIN;
use super::shape::{GATES, LEVELS, Shape, WINDOW};
use crate::fit::Gradient;
use crate::neural::GruTape;
use crate::neural::dropout;
use crate::neural::kernels::functions::{Function, apply, apply_slope};
use crate::neural::kernels::gemm::{Begin, Left, Packed, product, product_shared};
use crate::neural::kernels::rows::{add_columns, softmax};

/// Rows of the vocabulary's logits that are in memory at a time.
const ROWS: usize = 256;

/// What a step of a batch needs, used again and again.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Longest ticket and longest reply.
    longest: (usize, usize),
    read: Vec<f32>,
    read_mask: Vec<f32>,
    turned: Vec<f32>,
    said: Vec<f32>,
    said_mask: Vec<f32>,
    ahead: GruTape,
    back: GruTape,
    decoder: GruTape,
    last: Vec<f32>,
    first: Vec<f32>,
    lent: Vec<f32>,
    questions: [Vec<f32>; 2],
    /// State and what was read, a row for each step of each example.
    together: Vec<f32>,
    /// What is said, before and after dropout.
    words: Vec<f32>,
    dropped: Vec<f32>,
    drop_mask: Vec<f32>,
    gates: Vec<f32>,
    examples: Vec<Inner>,
    logits: Vec<f32>,
    pack: Packed,
    vocabulary: Packed,
    vocabulary_back: Packed,
}

/// An example of the batch: its memories, what is said before each step and what is wanted of it, and what the network saw.
#[derive(Debug, Default)]
struct Inner {
    ticket: Memory,
    replies: Memory,
    windows: Vec<Window>,
    looked: [Looked; 2],
    said: Vec<u32>,
    wanted: Vec<u32>,
    seen_ticket: Vec<u32>,
    seen_said: Vec<u32>,
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

    /// The loss, and the way back through everything.
    fn score(&self, params: &[f32], n: usize, gradient: Option<&mut Gradient>, work: &mut Work) -> Loss {
        let (width, pieces) = (self.size.width, self.size.pieces);
        let steps = work.longest.1;
        // Rows that exist, with their example and step.
        let rows: Vec<(usize, usize)> = (0..steps * n)
            .map(|row| (row % n, row / n))
            .filter(|(b, step)| *step < work.examples[*b].wanted.len())
            .collect();
        let can = |inner: &Inner, step: usize| {
            let wanted = inner.wanted[step] as usize;
            (wanted < pieces && Shape::sayable(wanted))
                || inner.looked.iter().any(|looked| looked.mass[step] > 0.0)
        };
        let count = rows
            .iter()
            .filter(|(b, step)| can(&work.examples[*b], *step))
            .count();
        let mut loss = Loss {
            pieces: count as u64,
            nowhere: (rows.len() - count) as u64,
            ..Loss::default()
        };
        let weight = 1.0 / count.max(1) as f32;
        let learns = gradient.is_some();
        let mut own = vec![0.0; if learns { params.len() } else { 0 }];
        let mut d_words = vec![0.0; if learns { work.words.len() } else { 0 }];
        let mut d_gates = vec![0.0; if learns { work.gates.len() } else { 0 }];
        // By row: what the gate gave each memory, and what came of it.
        let mut spoke = vec![[0.0; GATES]; steps * n];
        let mut did = vec![[0.0; GATES]; steps * n];
        let table = self.pieces.table.of(params);
        work.vocabulary.turned(table, width, width, pieces);
        if learns {
            work.vocabulary_back.rows(table, width, pieces, width);
        }
        let mut words = Vec::new();
        let mut d_chunk = Vec::new();
        for chunk in rows.chunks(ROWS) {
            words.clear();
            for (b, step) in chunk {
                words.extend_from_slice(&work.dropped[(step * n + b) * width..][..width]);
            }
            work.logits.resize(chunk.len() * pieces, 0.0);
            let left = Left::Rows(&words, width);
            let usual = Begin::Row(self.usual.of(params));
            product_shared(
                left,
                chunk.len(),
                &work.vocabulary,
                usual,
                &mut work.logits,
                pieces,
            );
            for ((b, step), logits) in chunk.iter().zip(work.logits.chunks_exact_mut(pieces)) {
                let (at, inner) = (step * n + b, &work.examples[*b]);
                mute(logits);
                softmax(logits);
                let gates = &mut work.gates[at * GATES..][..GATES];
                gates[1] += inner.looked[0].evidence[*step];
                gates[2] += inner.looked[1].evidence[*step];
                softmax(gates);
                let wanted = inner.wanted[*step] as usize;
                let said = if wanted < pieces { logits[wanted] } else { 0.0 };
                let parts = [
                    gates[0] * said,
                    gates[1] * inner.looked[0].mass[*step],
                    gates[2] * inner.looked[1].mass[*step],
                ];
                let p: f32 = parts.iter().sum();
                if !can(inner, *step) {
                    logits.fill(0.0);
                    continue;
                }
                // A probability can be too small for its type without being nothing.
                let p = p.max(1e-30);
                loss.sum -= f64::from(p.ln());
                for g in 0..GATES {
                    loss.shares[g] += f64::from(parts[g] / p);
                    spoke[at][g] = weight * gates[g];
                    did[at][g] = weight * parts[g] / p;
                    if learns {
                        d_gates[at * GATES + g] = spoke[at][g] - did[at][g];
                    }
                }
                if learns {
                    let share = did[at][0];
                    logits.iter_mut().for_each(|x| *x *= share);
                    if wanted < pieces {
                        logits[wanted] -= share;
                    }
                }
            }
            if learns {
                d_chunk.resize(chunk.len() * width, 0.0);
                let left = Left::Rows(&work.logits, pieces);
                product_shared(
                    left,
                    chunk.len(),
                    &work.vocabulary_back,
                    Begin::Zero,
                    &mut d_chunk,
                    width,
                );
                for ((b, step), d) in chunk.iter().zip(d_chunk.chunks_exact(width)) {
                    d_words[(step * n + b) * width..][..width].copy_from_slice(d);
                }
                work.pack.rows(&words, width, chunk.len(), width);
                let d_table = self.pieces.table.of_mut(&mut own);
                let left = Left::Turned(&work.logits, pieces);
                product_shared(left, pieces, &work.pack, Begin::There, d_table, width);
                add_columns(&work.logits, self.usual.of_mut(&mut own));
            }
        }
        if let Some(gradient) = gradient {
            self.way_back(params, n, &spoke, &did, d_words, &d_gates, &mut own, work);
            gradient
                .values()
                .iter_mut()
                .zip(&own)
                .for_each(|(to, from)| *to += from);
        }
        loss
    }

    /// From the words said back to all parameters.
    fn way_back(
        &self,
        params: &[f32],
        n: usize,
        spoke: &[[f32; GATES]],
        did: &[[f32; GATES]],
        mut d_words: Vec<f32>,
        d_gates: &[f32],
        grads: &mut [f32],
        work: &mut Work,
    ) {
        let (width, half, state, key) = (
            self.size.width,
            self.size.encoder,
            self.size.decoder,
            self.size.key(),
        );
        let (longest, steps) = work.longest;
        let row = state + 2 * key;
        if work.drop_mask.len() == d_words.len() {
            dropout::mask(&work.drop_mask, &mut d_words);
        }
        let mut through_gate = vec![0.0; d_words.len()];
        self.gate.backward(
            params,
            &work.words,
            d_gates,
            Some(&mut through_gate),
            grads,
            &mut work.pack,
        );
        d_words.iter_mut().zip(&through_gate).for_each(|(a, b)| *a += b);
        apply_slope(Function::Tanh, &work.words, &mut d_words);
        let mut d_together = vec![0.0; work.together.len()];
        self.say.backward(
            params,
            &work.together,
            &d_words,
            Some(&mut d_together),
            grads,
            &mut work.pack,
        );
        let mut d_questions = [vec![0.0; steps * n * key], vec![0.0; steps * n * key]];
        let mut d_keys: Vec<[Vec<f32>; 2]> = Vec::with_capacity(n);
        for (b, inner) in work.examples.iter_mut().enumerate() {
            let mut d = [
                vec![0.0; inner.ticket.keys.len()],
                vec![0.0; inner.replies.keys.len()],
            ];
            let count = inner.wanted.len();
            for which in 0..2 {
                if count == 0 {
                    continue;
                }
                let memory = if which == 0 { &inner.ticket } else { &inner.replies };
                let of = |from: &[[f32; GATES]]| -> Vec<f32> {
                    (0..count).map(|step| from[step * n + b][1 + which]).collect()
                };
                let mut slopes = WorthSlopes::default();
                memory.look_back(
                    &mut inner.looked[which],
                    &work.questions[which][b * key..],
                    n * key,
                    &inner.wanted,
                    (&of(spoke), &of(did)),
                    &d_together[b * row + state + which * key..],
                    n * row,
                    &mut d_questions[which][b * key..],
                    &mut d[which],
                    &mut slopes,
                );
                let agree = self.agree[which].of_mut(grads);
                (0..LEVELS).for_each(|level| agree[level] += slopes.agree[level]);
                self.similar.of_mut(grads)[0] += slopes.similar;
            }
            d_keys.push(d);
        }
        let mut d_states = vec![0.0; steps * n * state];
        for (to, from) in d_states.chunks_exact_mut(state).zip(d_together.chunks_exact(row)) {
            to.copy_from_slice(&from[..state]);
        }
        let mut d_asked = vec![0.0; steps * n * state];
        for (ask, d) in [self.ask_ticket, self.ask_replies].iter().zip(&d_questions) {
            ask.backward(
                params,
                work.decoder.hidden(),
                d,
                Some(&mut d_asked),
                grads,
                &mut work.pack,
            );
            d_states.iter_mut().zip(&d_asked).for_each(|(a, b)| *a += b);
        }
        let mut d_said = vec![0.0; work.said.len()];
        self.decoder.backward(
            params,
            &work.said,
            &mut work.decoder,
            &d_states,
            Some(&mut d_said),
            grads,
        );
        let mut d_first = work.decoder.d_begin().to_vec();
        apply_slope(Function::Tanh, &work.first, &mut d_first);
        let mut d_last = vec![0.0; work.last.len()];
        self.bridge.backward(
            params,
            &work.last,
            &d_first,
            Some(&mut d_last),
            grads,
            &mut work.pack,
        );
        // The ticket's keys and last states, back into both directions of the encoder.
        let mut d_ahead = vec![0.0; longest * n * half];
        let mut d_back = vec![0.0; longest * n * half];
        let mut d_lent = vec![0.0; work.lent.len()];
        for (b, (inner, d)) in work.examples.iter().zip(&d_keys).enumerate() {
            let len = inner.ticket.places();
            for (at, d) in d[0].chunks_exact(key).enumerate() {
                add(&mut d_ahead[(at * n + b) * half..][..half], &d[..half]);
                add(&mut d_back[((len - 1 - at) * n + b) * half..][..half], &d[half..]);
            }
            let d_last = &d_last[b * key..][..key];
            add(
                &mut d_ahead[((len - 1) * n + b) * half..][..half],
                &d_last[..half],
            );
            add(&mut d_back[((len - 1) * n + b) * half..][..half], &d_last[half..]);
            for (window, d) in inner.windows.iter().zip(d[1].chunks_exact(key)) {
                for (place, number) in window.iter().enumerate() {
                    add(&mut d_lent[(*number as usize * WINDOW + place) * key..][..key], d);
                }
            }
        }
        let table = self.pieces.table;
        let mut d_table = vec![0.0; table.len];
        self.keys.backward(
            params,
            table.of(params),
            &d_lent,
            Some(&mut d_table),
            grads,
            &mut work.pack,
        );
        add(table.of_mut(grads), &d_table);
        let mut d_read = vec![0.0; work.read.len()];
        self.ahead.backward(
            params,
            &work.read,
            &mut work.ahead,
            &d_ahead,
            Some(&mut d_read),
            grads,
        );
        let mut d_turned = vec![0.0; work.read.len()];
        self.back.backward(
            params,
            &work.turned,
            &mut work.back,
            &d_back,
            Some(&mut d_turned),
            grads,
        );
        for (b, inner) in work.examples.iter().enumerate() {
            let len = inner.ticket.places();
            for at in 0..len {
                let from = &d_turned[(at * n + b) * width..][..width];
                add(&mut d_read[((len - 1 - at) * n + b) * width..][..width], from);
            }
        }
        if work.read_mask.len() == d_read.len() {
            dropout::mask(&work.read_mask, &mut d_read);
        }
        if work.said_mask.len() == d_said.len() {
            dropout::mask(&work.said_mask, &mut d_said);
        }
        let d_pieces = table.of_mut(grads);
        for (b, inner) in work.examples.iter().enumerate() {
            for (at, number) in inner.seen_ticket.iter().enumerate() {
                add(
                    &mut d_pieces[*number as usize * width..][..width],
                    &d_read[(at * n + b) * width..][..width],
                );
            }
            for (at, number) in inner.seen_said.iter().enumerate() {
                add(
                    &mut d_pieces[*number as usize * width..][..width],
                    &d_said[(at * n + b) * width..][..width],
                );
            }
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

/// Takes from the vocabulary what it may not say.
pub(super) fn mute(logits: &mut [f32]) {
    for number in
        (0..logits.len().min(super::pieces::SPECIAL as usize)).filter(|&number| !Shape::sayable(number))
    {
        logits[number] = f32::NEG_INFINITY;
    }
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
