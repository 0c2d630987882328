//! Attention: each step of one sequence takes a weighted mean of the steps of another.
//!
//! Luong, Pham and Manning (EMNLP 2015): the weights are the softmax of `q' W k` ("general") or of `q' k` ("dot"), or, after
//! Bahdanau, Cho and Bengio (ICLR 2015), of `v' tanh(q W_q + k W_k)` ("additive"). Queries do not depend on what earlier steps
//! looked at, so all steps of a sequence are a handful of products.
//!
//! Queries and keys are time-major: steps by batch by width. Weights, which a copying decoder wants too, are batch-major:
//! batch by query steps by key steps.

use super::kernels::gemm::{Begin, Left, Packed, product};
use super::kernels::rows::{dot, softmax};
use super::layout::{Layout, Slot};
use super::random::Init;
use inner::{project, tangent_scores, through_tangents, unproject};

/// How a key's weight is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// `q' k`; both have one width.
    Dot,
    /// `q' W k`, W query width by key width.
    General(Slot),
    /// `v' tanh(q W_q + k W_k)`.
    Additive {
        /// Query width by inner width.
        query: Slot,
        /// Key width by inner width.
        key: Slot,
        /// Inner width.
        v: Slot,
    },
}

/// Where an attention's parameters lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attention {
    /// How a key's weight is found.
    pub score: Score,
    /// Values of a query.
    pub queries: usize,
    /// Values of a key.
    pub keys: usize,
}

/// What the way forward leaves for the way back, and work space.
#[derive(Debug, Default)]
pub struct AttentionTape {
    steps: usize,
    others: usize,
    batch: usize,
    weights: Vec<f32>,
    /// Queries in the keys' space (steps by batch by keys), or in the inner one.
    turned: Vec<f32>,
    d_turned: Vec<f32>,
    /// Additive: keys in the inner space, and their gradient.
    inner: Vec<f32>,
    d_inner: Vec<f32>,
    d_weights: Vec<f32>,
    row: Vec<f32>,
    pack: Packed,
}

impl AttentionTape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weights: batch by query steps by key steps; each row sums to 1, 0 for the filling of shorter sequences.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}

impl Attention {
    /// Weights by scalar products; no parameters.
    pub fn dot(width: usize) -> Self {
        Self {
            score: Score::Dot,
            queries: width,
            keys: width,
        }
    }

    /// Asks for room for `name.w`.
    pub fn general(layout: &mut Layout, name: &str, queries: usize, keys: usize) -> Self {
        let weight = layout.add(&format!("{name}.w"), &[queries, keys], Init::Glorot);
        Self {
            score: Score::General(weight),
            queries,
            keys,
        }
    }

    /// Asks for room for `name.wq`, `name.wk` and `name.v`.
    pub fn additive(layout: &mut Layout, name: &str, queries: usize, keys: usize, inner: usize) -> Self {
        let score = Score::Additive {
            query: layout.add(&format!("{name}.wq"), &[queries, inner], Init::Glorot),
            key: layout.add(&format!("{name}.wk"), &[keys, inner], Init::Glorot),
            v: layout.add(
                &format!("{name}.v"),
                &[inner],
                Init::Uniform((3.0 / inner.max(1) as f32).sqrt()),
            ),
        };
        Self { score, queries, keys }
    }

    /// `context`, query steps by batch by key width: the weighted means of the keys. `queries` is query steps by batch by query
    /// width, `keys` key steps by batch by key width; of sequence b the first `lengths[b]` keys are looked at, at least one.
    pub fn forward(
        &self,
        params: &[f32],
        queries: &[f32],
        keys: &[f32],
        lengths: &[usize],
        context: &mut [f32],
        tape: &mut AttentionTape,
    ) {
        let (batch, nq, nk) = (lengths.len(), self.queries, self.keys);
        let steps = queries.len() / (batch * nq).max(1);
        let others = keys.len() / (batch * nk).max(1);
        assert!(
            queries.len() == steps * batch * nq && keys.len() == others * batch * nk,
            "shapes of attention"
        );
        assert_eq!(context.len(), steps * batch * nk, "room for the contexts");
        assert!(
            lengths.iter().all(|l| (1..=others).contains(l)),
            "something to look at"
        );
        (tape.steps, tape.others, tape.batch) = (steps, others, batch);
        tape.weights.resize(batch * steps * others, 0.0);
        self.scores(params, queries, keys, tape);
        for (b, (weights, own)) in tape
            .weights
            .chunks_exact_mut(steps * others)
            .zip(lengths)
            .enumerate()
        {
            for row in weights.chunks_exact_mut(others) {
                row[*own..].fill(f32::NEG_INFINITY);
                softmax(row);
            }
            tape.pack.rows(&keys[b * nk..], batch * nk, others, nk);
            product(
                Left::Rows(weights, others),
                steps,
                &tape.pack,
                Begin::Zero,
                &mut context[b * nk..],
                batch * nk,
            );
        }
    }

    /// The scores before the softmax, in the place of the weights.
    fn scores(&self, params: &[f32], queries: &[f32], keys: &[f32], tape: &mut AttentionTape) {
        let (steps, others, batch, nk) = (tape.steps, tape.others, tape.batch, self.keys);
        let queries = match self.score {
            Score::Dot => queries,
            Score::General(weight) => {
                project(
                    queries,
                    self.queries,
                    weight.of(params),
                    nk,
                    &mut tape.turned,
                    &mut tape.pack,
                );
                &tape.turned
            }
            Score::Additive { query, key, v } => {
                let v = v.of(params);
                project(
                    queries,
                    self.queries,
                    query.of(params),
                    v.len(),
                    &mut tape.turned,
                    &mut tape.pack,
                );
                project(keys, nk, key.of(params), v.len(), &mut tape.inner, &mut tape.pack);
                return tangent_scores(v, tape);
            }
        };
        for (b, scores) in tape.weights.chunks_exact_mut(steps * others).enumerate() {
            tape.pack.turned(&keys[b * nk..], batch * nk, nk, others);
            let left = Left::Rows(&queries[b * nk..], batch * nk);
            product(left, steps, &tape.pack, Begin::Zero, scores, others);
        }
    }

    /// The way back. `d_weights`, shaped as the weights, is what else the loss asks of them, for decoders that copy. Overwrites
    /// `d_queries` and `d_keys`, adds the parameters' gradients.
    pub fn backward(
        &self,
        params: &[f32],
        queries: &[f32],
        keys: &[f32],
        tape: &mut AttentionTape,
        d_context: &[f32],
        d_weights: Option<&[f32]>,
        d_queries: &mut [f32],
        d_keys: &mut [f32],
        grads: &mut [f32],
    ) {
        let (steps, others, batch, nk) = (tape.steps, tape.others, tape.batch, self.keys);
        assert_eq!(d_context.len(), steps * batch * nk, "gradients of the contexts");
        assert!(
            d_queries.len() == queries.len() && d_keys.len() == keys.len(),
            "room for gradients"
        );
        match d_weights {
            Some(given) => {
                assert_eq!(given.len(), tape.weights.len(), "gradients of the weights");
                tape.d_weights.clear();
                tape.d_weights.extend_from_slice(given);
            }
            None => {
                tape.d_weights.clear();
                tape.d_weights.resize(tape.weights.len(), 0.0);
            }
        }
        // Through the means to the weights, through the softmax to the scores.
        for b in 0..batch {
            let weights = &tape.weights[b * steps * others..][..steps * others];
            let d = &mut tape.d_weights[b * steps * others..][..steps * others];
            tape.pack.turned(&keys[b * nk..], batch * nk, nk, others);
            let left = Left::Rows(&d_context[b * nk..], batch * nk);
            product(left, steps, &tape.pack, Begin::There, d, others);
            for (d, weights) in d.chunks_exact_mut(others).zip(weights.chunks_exact(others)) {
                let mean = dot(d, weights);
                d.iter_mut().zip(weights).for_each(|(d, w)| *d = w * (*d - mean));
            }
            tape.pack.rows(&d_context[b * nk..], batch * nk, steps, nk);
            let left = Left::Turned(weights, others);
            product(
                left,
                others,
                &tape.pack,
                Begin::Zero,
                &mut d_keys[b * nk..],
                batch * nk,
            );
        }
        match self.score {
            Score::Dot => self.through_products(queries, keys, tape, Some(d_queries), d_keys),
            Score::General(weight) => {
                let turned = std::mem::take(&mut tape.turned);
                self.through_products(&turned, keys, tape, None, d_keys);
                tape.turned = turned;
                let AttentionTape { d_turned, pack, .. } = tape;
                unproject(
                    queries,
                    self.queries,
                    weight,
                    params,
                    nk,
                    d_turned,
                    d_queries,
                    Begin::Zero,
                    grads,
                    pack,
                );
            }
            Score::Additive { query, key, v } => {
                through_tangents(params, tape, v, grads);
                let AttentionTape {
                    d_turned,
                    d_inner,
                    pack,
                    ..
                } = tape;
                unproject(
                    queries,
                    self.queries,
                    query,
                    params,
                    v.len,
                    d_turned,
                    d_queries,
                    Begin::Zero,
                    grads,
                    pack,
                );
                unproject(
                    keys,
                    nk,
                    key,
                    params,
                    v.len,
                    d_inner,
                    d_keys,
                    Begin::There,
                    grads,
                    pack,
                );
            }
        }
    }

    /// Scores were products of `queries` (in the keys' space) and keys: overwrites the queries' gradient (in the tape, if no
    /// other place is given), adds the keys'.
    fn through_products(
        &self,
        queries: &[f32],
        keys: &[f32],
        tape: &mut AttentionTape,
        d_queries: Option<&mut [f32]>,
        d_keys: &mut [f32],
    ) {
        let (steps, others, batch, nk) = (tape.steps, tape.others, tape.batch, self.keys);
        tape.d_turned.resize(steps * batch * nk, 0.0);
        let d_queries = d_queries.unwrap_or(&mut tape.d_turned);
        for (b, d) in tape.d_weights.chunks_exact(steps * others).enumerate() {
            tape.pack.rows(&keys[b * nk..], batch * nk, others, nk);
            let to = &mut d_queries[b * nk..];
            product(
                Left::Rows(d, others),
                steps,
                &tape.pack,
                Begin::Zero,
                to,
                batch * nk,
            );
            tape.pack.rows(&queries[b * nk..], batch * nk, steps, nk);
            let to = &mut d_keys[b * nk..];
            product(
                Left::Turned(d, others),
                others,
                &tape.pack,
                Begin::There,
                to,
                batch * nk,
            );
        }
    }
}

mod inner;
#[cfg(test)]
mod tests;
