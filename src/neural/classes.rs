//! A dense layer whose outputs are classes, with its cross entropy: the last layer of a network that writes words.
//!
//! 1,920 states and 8,000 words make 15 million logits, 61 MB. They are never all there: a block of states at a time goes through
//! logits, softmax, loss and gradients while it lies in cache. Loss and gradients are those of
//! [`Dense`] and [`cross_entropy`](super::loss::cross_entropy()) one after the other, to the bit.

use super::dense::Dense;
use super::kernels::gemm::{Begin, Left, Packed, product};
use super::kernels::gradients::{Weights, gradients};
use super::kernels::rows::add_columns;
use super::loss::{cross_entropy_of, total};

/// Rows of a block.
const BLOCK: usize = 256;

/// Work space of [`learn`] and [`judge`].
#[derive(Debug, Default)]
pub struct ClassesWork {
    logits: Vec<f32>,
    forward: Packed,
    backward: Packed,
    pass: Packed,
}

/// Mean cross entropy of `states` (rows by inputs) for `targets`; `weights` of rows default to 1. Overwrites `d_states`, adds the
/// layer's gradients.
pub fn learn(
    dense: &Dense,
    params: &[f32],
    states: &[f32],
    targets: &[u32],
    weights: Option<&[f32]>,
    d_states: &mut [f32],
    grads: &mut [f32],
    work: &mut ClassesWork,
) -> f64 {
    assert_eq!(d_states.len(), states.len(), "gradients of the states");
    let (n, classes) = (dense.inputs, dense.outputs);
    let all = total(weights, targets.len());
    let weight = dense.weight.of(params);
    work.backward.turned(weight, classes, classes, n);
    let mut sum = 0.0;
    let mut done = 0;
    each_block(
        dense,
        params,
        states,
        targets,
        work,
        |logits, states, targets, backward, pass| {
            let rows = targets.len();
            let weights = weights.map(|weights| &weights[done..][..rows]);
            sum += cross_entropy_of(logits, classes, targets, weights, all);
            let to = dense.weight.of_mut(grads);
            let one = Weights {
                x: states,
                stride: n,
                columns: n,
                to,
            };
            gradients(&mut [one], logits, classes, rows, classes, pass);
            if let Some(bias) = dense.bias {
                add_columns(logits, bias.of_mut(grads));
            }
            let d_states = &mut d_states[done * n..][..rows * n];
            product(
                Left::Rows(logits, classes),
                rows,
                backward,
                Begin::Zero,
                d_states,
                n,
            );
            done += rows;
        },
    );
    sum
}

/// The loss alone.
pub fn judge(
    dense: &Dense,
    params: &[f32],
    states: &[f32],
    targets: &[u32],
    weights: Option<&[f32]>,
    work: &mut ClassesWork,
) -> f64 {
    let all = total(weights, targets.len());
    let mut sum = 0.0;
    let mut done = 0;
    each_block(
        dense,
        params,
        states,
        targets,
        work,
        |logits, _, targets, _, _| {
            let weights = weights.map(|weights| &weights[done..][..targets.len()]);
            sum += cross_entropy_of(logits, dense.outputs, targets, weights, all);
            done += targets.len();
        },
    );
    sum
}

fn each_block(
    dense: &Dense,
    params: &[f32],
    states: &[f32],
    targets: &[u32],
    work: &mut ClassesWork,
    mut with: impl FnMut(&mut [f32], &[f32], &[u32], &Packed, &mut Packed),
) {
    let (n, classes) = (dense.inputs, dense.outputs);
    assert_eq!(states.len(), targets.len() * n, "a state for every target");
    work.forward.rows(dense.weight.of(params), classes, n, classes);
    let begin = dense.bias.map_or(Begin::Zero, |bias| Begin::Row(bias.of(params)));
    for (states, targets) in states.chunks(BLOCK * n).zip(targets.chunks(BLOCK)) {
        let rows = targets.len();
        work.logits.resize(rows * classes, 0.0);
        product(
            Left::Rows(states, n),
            rows,
            &work.forward,
            begin,
            &mut work.logits,
            classes,
        );
        with(&mut work.logits, states, targets, &work.backward, &mut work.pass);
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::super::loss::cross_entropy;
    use super::super::testing::numbers;
    use super::*;

    #[test]
    fn blocks_are_the_layers_one_after_the_other() {
        let (rows, n, classes) = (2 * BLOCK + 37, 20, 45);
        let mut layout = Layout::new();
        let dense = Dense::new(&mut layout, "out", n, classes);
        let params: Vec<f32> = numbers(layout.len(), 1);
        let states = numbers(rows * n, 2);
        let targets: Vec<u32> = (0..rows as u32).map(|i| i * 7 % 45).collect();
        let weights: Vec<f32> = (0..rows).map(|i| (i % 4) as f32).collect();
        let mut pack = Packed::new();
        let mut logits = vec![0.0; rows * classes];
        dense.forward(&params, &states, &mut logits, &mut pack);
        let wanted = cross_entropy(&mut logits, classes, &targets, Some(&weights));
        let (mut d_wanted, mut g_wanted) = (vec![0.0; states.len()], vec![0.5; params.len()]);
        dense.backward(
            &params,
            &states,
            &logits,
            Some(&mut d_wanted),
            &mut g_wanted,
            &mut pack,
        );
        let (mut d_states, mut grads) = (vec![9.0; states.len()], vec![0.5; params.len()]);
        let mut work = ClassesWork::default();
        let loss = learn(
            &dense,
            &params,
            &states,
            &targets,
            Some(&weights),
            &mut d_states,
            &mut grads,
            &mut work,
        );
        assert!((loss - wanted).abs() < 1e-12 * wanted, "{loss} {wanted}");
        assert_eq!(d_states, d_wanted);
        assert_eq!(grads, g_wanted);
        let judged = judge(&dense, &params, &states, &targets, Some(&weights), &mut work);
        assert_eq!(judged, loss);
        assert_eq!(judge(&dense, &params, &[], &[], None, &mut work), 0.0);
    }
}
