//! Parts of attention: scores in an inner space (Bahdanau), and projections there and back.

use super::super::kernels::functions::{Function, apply};
use super::super::kernels::gemm::{Begin, Left, Packed, product};
use super::super::kernels::rows::{add_scaled, dot};
use super::super::layout::Slot;
use super::AttentionTape;

/// `v' tanh(q + k)` for each query and key in the inner space, in the place of the weights.
pub(super) fn tangent_scores(v: &[f32], tape: &mut AttentionTape) {
    let (steps, others, batch) = (tape.steps, tape.others, tape.batch);
    for b in 0..batch {
        for step in 0..steps {
            let q = &tape.turned[(step * batch + b) * v.len()..][..v.len()];
            for other in 0..others {
                let k = &tape.inner[(other * batch + b) * v.len()..][..v.len()];
                tangents(q, k, &mut tape.row);
                tape.weights[(b * steps + step) * others + other] = dot(&tape.row, v);
            }
        }
    }
}

/// Scores were `v' tanh(q + k)`: overwrites the gradients of q and k in the inner space, adds that of v.
pub(super) fn through_tangents(params: &[f32], tape: &mut AttentionTape, v: Slot, grads: &mut [f32]) {
    let (steps, others, batch, inner) = (tape.steps, tape.others, tape.batch, v.len);
    tape.d_turned.clear();
    tape.d_turned.resize(steps * batch * inner, 0.0);
    tape.d_inner.clear();
    tape.d_inner.resize(others * batch * inner, 0.0);
    for b in 0..batch {
        for step in 0..steps {
            let q = (step * batch + b) * inner;
            for other in 0..others {
                let d = tape.d_weights[(b * steps + step) * others + other];
                if d == 0.0 {
                    continue;
                }
                let k = (other * batch + b) * inner;
                tangents(
                    &tape.turned[q..][..inner],
                    &tape.inner[k..][..inner],
                    &mut tape.row,
                );
                add_scaled(d, &tape.row, v.of_mut(grads));
                for (t, v) in tape.row.iter_mut().zip(v.of(params)) {
                    *t = v * (1.0 - *t * *t);
                }
                add_scaled(d, &tape.row, &mut tape.d_turned[q..][..inner]);
                add_scaled(d, &tape.row, &mut tape.d_inner[k..][..inner]);
            }
        }
    }
}

/// `tanh(a + b)`.
fn tangents(a: &[f32], b: &[f32], to: &mut Vec<f32>) {
    to.clear();
    to.extend(a.iter().zip(b).map(|(a, b)| a + b));
    apply(Function::Tanh, to);
}

/// `to = from · weight`, all rows.
pub(super) fn project(
    from: &[f32],
    n: usize,
    weight: &[f32],
    m: usize,
    to: &mut Vec<f32>,
    pack: &mut Packed,
) {
    let rows = from.len() / n.max(1);
    to.resize(rows * m, 0.0);
    pack.rows(weight, m, n, m);
    product(Left::Rows(from, n), rows, pack, Begin::Zero, to, m);
}

/// The way back through [`project`].
pub(super) fn unproject(
    from: &[f32],
    n: usize,
    weight: Slot,
    params: &[f32],
    m: usize,
    d_to: &[f32],
    d_from: &mut [f32],
    begin: Begin<'_>,
    grads: &mut [f32],
    pack: &mut Packed,
) {
    let rows = from.len() / n.max(1);
    pack.rows(d_to, m, rows, m);
    product(
        Left::Turned(from, n),
        n,
        pack,
        Begin::There,
        weight.of_mut(grads),
        m,
    );
    pack.turned(weight.of(params), m, m, n);
    product(Left::Rows(d_to, m), rows, pack, begin, d_from, n);
}
