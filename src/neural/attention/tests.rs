//! Each kind of attention beside its formula.

use super::super::testing::{affine, close, numbers, slopes, weighted};
use super::*;

const STEPS: usize = 3;
const OTHERS: usize = 4;
const LENGTHS: [usize; 3] = [4, 1, 3];
const BATCH: usize = 3;
const WIDTH: usize = 6;

/// Contexts (query steps by batch by width), then weights (batch by query steps by key steps).
fn truth(attention: &Attention, params: &[f64], queries: &[f64], keys: &[f64]) -> Vec<f64> {
    let (nq, nk) = (attention.queries, attention.keys);
    let of = |slot: Slot| &params[slot.start..][..slot.len];
    let mut contexts = vec![0.0; STEPS * BATCH * nk];
    let mut all = Vec::new();
    for b in 0..BATCH {
        for step in 0..STEPS {
            let q = &queries[(step * BATCH + b) * nq..][..nq];
            let key = |other: usize| &keys[(other * BATCH + b) * nk..][..nk];
            let score = |k: &[f64]| match attention.score {
                Score::Dot => q.iter().zip(k).map(|(a, b)| a * b).sum::<f64>(),
                Score::General(w) => affine(q, of(w), &vec![0.0; nk])
                    .iter()
                    .zip(k)
                    .map(|(a, b)| a * b)
                    .sum::<f64>(),
                Score::Additive { query, key, v } => {
                    let inner = affine(q, of(query), &vec![0.0; v.len]);
                    let inner = affine(k, of(key), &inner);
                    inner.iter().zip(of(v)).map(|(x, v)| x.tanh() * v).sum::<f64>()
                }
            };
            let e: Vec<f64> = (0..LENGTHS[b]).map(|other| score(key(other)).exp()).collect();
            let sum: f64 = e.iter().sum();
            for other in 0..OTHERS {
                let weight = e.get(other).map_or(0.0, |e| e / sum);
                all.push(weight);
                for (c, k) in contexts[(step * BATCH + b) * nk..][..nk]
                    .iter_mut()
                    .zip(key(other))
                {
                    *c += weight * k;
                }
            }
        }
    }
    contexts.extend(all);
    contexts
}

fn try_out(attention: Attention, layout: &Layout) {
    let (nq, nk) = (attention.queries, attention.keys);
    let params = layout.init(1);
    let (queries, keys) = (numbers(STEPS * BATCH * nq, 2), numbers(OTHERS * BATCH * nk, 3));
    let d = numbers(STEPS * BATCH * nk + BATCH * STEPS * OTHERS, 4);
    let (d_context, d_weights) = d.split_at(STEPS * BATCH * nk);
    let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    let (mut context, mut tape) = (vec![9.0; d_context.len()], AttentionTape::new());
    attention.forward(&params, &queries, &keys, &LENGTHS, &mut context, &mut tape);
    let both = truth(&attention, &wide(&params), &wide(&queries), &wide(&keys));
    close(&context, &both[..context.len()], 1e-6);
    close(tape.weights(), &both[context.len()..], 1e-6);

    let (mut d_queries, mut d_keys) = (vec![9.0; queries.len()], vec![9.0; keys.len()]);
    let mut grads = vec![0.0; params.len()];
    attention.backward(
        &params,
        &queries,
        &keys,
        &mut tape,
        d_context,
        Some(d_weights),
        &mut d_queries,
        &mut d_keys,
        &mut grads,
    );
    let loss = |p: &[f64], q: &[f64], k: &[f64]| weighted(&truth(&attention, p, q, k), &d);
    let (_, slope) = slopes(&params, |p| loss(p, &wide(&queries), &wide(&keys)));
    close(&grads, &slope, 1e-5);
    let (_, slope) = slopes(&queries, |q| loss(&wide(&params), q, &wide(&keys)));
    close(&d_queries, &slope, 1e-5);
    let (_, slope) = slopes(&keys, |k| loss(&wide(&params), &wide(&queries), k));
    close(&d_keys, &slope, 1e-5);
}

#[test]
fn each_kind_is_its_formula() {
    let mut layout = Layout::new();
    let general = Attention::general(&mut layout, "general", 5, WIDTH);
    try_out(general, &layout);
    let mut layout = Layout::new();
    let additive = Attention::additive(&mut layout, "additive", 5, WIDTH, 7);
    try_out(additive, &layout);
    try_out(Attention::dot(WIDTH), &Layout::new());
}
