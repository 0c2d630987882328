//! The loss of a batch: what the mixture gave what was wanted, and the slopes by its parts.
//!
//! With `r_g` the share of the probability that component g gave, the slopes of `-log P` are `π - r` by the gate's logits and
//! `r_0 (P_vocabulary - 1[wanted])` by those of the vocabulary; those by a memory's scores follow ([`super::memory`]). A piece that stands
//! nowhere, in neither vocabulary, ticket nor old replies, costs nothing and is counted.

use super::network::{Inner, Loss, Work};
use super::shape::{GATES, Shape};
use crate::fit::Gradient;
use crate::neural::kernels::gemm::{Begin, Left, product_shared};
use crate::neural::kernels::rows::{add_columns, softmax};

/// Rows of the vocabulary's logits that are in memory at a time.
const ROWS: usize = 256;

impl Shape {
    /// The loss, and the way back through everything.
    pub(super) fn score(
        &self,
        params: &[f32],
        n: usize,
        gradient: Option<&mut Gradient>,
        work: &mut Work,
    ) -> Loss {
        let (width, pieces) = (self.size.width, self.size.pieces);
        let steps = work.longest.1;
        // Rows that exist, with their example and step.
        let rows: Vec<(usize, usize)> = (0..steps * n)
            .map(|row| (row % n, row / n))
            .filter(|(b, step)| *step < work.examples[*b].wanted.len())
            .collect();
        let can = |inner: &Inner, step: usize| {
            let wanted = inner.wanted[step] as usize;
            (wanted < pieces && self.sayable(wanted))
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
                self.mute(logits);
                softmax(logits);
                let gates = &mut work.gates[at * GATES..][..GATES];
                self.open(
                    gates,
                    [inner.looked[0].evidence[*step], inner.looked[1].evidence[*step]],
                );
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
                // A probability can be too small for its type without being nothing. What is no number stays none: a network beyond
                // measure must not pass for one that is merely wrong.
                let p = if p < 1e-30 { 1e-30 } else { p };
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
}
