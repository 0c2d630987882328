//! The LSTM beside its formula, and serving beside learning.

use super::super::testing::{affine, close, logistic, numbers, slopes, weighted};
use super::*;

const STEPS: usize = 4;
const BATCH: usize = 3;
const INPUTS: usize = 5;
const SIZE: usize = 18;

/// The formula: states after each step, steps by batch by h.
fn truth(lstm: &Lstm, params: &[f64], x: &[f64], begin: &[f64]) -> Vec<f64> {
    let of = |slot: Slot| &params[slot.start..][..slot.len];
    let h = SIZE;
    let (hidden, cells) = begin.split_at(BATCH * h);
    let (mut hidden, mut cells) = (hidden.to_vec(), cells.to_vec());
    let mut all = Vec::new();
    for step in 0..STEPS {
        for b in 0..BATCH {
            let x = &x[(step * BATCH + b) * INPUTS..][..INPUTS];
            let gates = affine(x, of(lstm.wx), of(lstm.b));
            let gates = affine(&hidden[b * h..][..h], of(lstm.wh), &gates);
            for j in 0..h {
                let c =
                    logistic(gates[h + j]) * cells[b * h + j] + logistic(gates[j]) * gates[2 * h + j].tanh();
                cells[b * h + j] = c;
                hidden[b * h + j] = logistic(gates[3 * h + j]) * c.tanh();
            }
        }
        all.extend_from_slice(&hidden);
    }
    all
}

struct Case {
    lstm: Lstm,
    params: Vec<f32>,
    x: Vec<f32>,
    begin: Vec<f32>,
    d_hidden: Vec<f32>,
}

fn case() -> Case {
    let mut layout = Layout::new();
    layout.add("before", &[3], Init::Zero);
    let lstm = Lstm::new(&mut layout, "lstm", INPUTS, SIZE);
    let mut params = layout.init(1);
    params
        .iter_mut()
        .zip(numbers(layout.len(), 2))
        .for_each(|(p, x)| *p += 0.2 * x);
    Case {
        lstm,
        params,
        x: numbers(STEPS * BATCH * INPUTS, 3),
        begin: numbers(2 * BATCH * SIZE, 4),
        d_hidden: numbers(STEPS * BATCH * SIZE, 5),
    }
}

#[test]
fn its_states_and_gradients_are_the_formulas() {
    let Case {
        lstm,
        params,
        x,
        begin,
        d_hidden,
    } = case();
    let mut tape = LstmTape::new();
    let (hidden, cells) = begin.split_at(BATCH * SIZE);
    // A larger batch first: what it left in the tape must not show.
    lstm.forward(&params, &numbers(9 * 7 * INPUTS, 6), 9, 7, None, &mut tape);
    lstm.forward(&params, &x, STEPS, BATCH, Some((hidden, cells)), &mut tape);
    let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    let states = truth(&lstm, &wide(&params), &wide(&x), &wide(&begin));
    close(tape.hidden(), &states, 1e-6);
    assert_eq!(tape.last(), &tape.hidden()[(STEPS - 1) * BATCH * SIZE..]);

    let mut grads = vec![0.0; params.len()];
    grads[0] = 7.0;
    let mut dx = vec![9.0; x.len()];
    lstm.backward(&params, &x, &mut tape, &d_hidden, Some(&mut dx), &mut grads);
    let (_, slope) = slopes(&params, |p| {
        weighted(&truth(&lstm, p, &wide(&x), &wide(&begin)), &d_hidden)
    });
    assert_eq!(grads[0], 7.0, "a gradient outside the layer");
    close(&grads[3..], &slope[3..], 1e-5);
    let (_, slope) = slopes(&x, |x| {
        weighted(&truth(&lstm, &wide(&params), x, &wide(&begin)), &d_hidden)
    });
    close(&dx, &slope, 1e-5);
    let (_, slope) = slopes(&begin, |begin| {
        weighted(&truth(&lstm, &wide(&params), &wide(&x), begin), &d_hidden)
    });
    let (d_states, d_cells) = tape.d_begin();
    close(d_states, &slope[..BATCH * SIZE], 1e-5);
    close(d_cells, &slope[BATCH * SIZE..], 1e-5);
}

#[test]
fn serving_steps_to_the_same_bits() {
    let Case { lstm, params, x, .. } = case();
    let mut tape = LstmTape::new();
    lstm.forward(&params, &x, STEPS, BATCH, None, &mut tape);
    let (mut hidden, mut cells, mut work) = (vec![0.0; SIZE], vec![0.0; SIZE], Vec::new());
    for step in 0..STEPS {
        let row = step * BATCH + 1;
        lstm.serve(
            &params,
            &x[row * INPUTS..][..INPUTS],
            &mut hidden,
            &mut cells,
            &mut work,
        );
        assert_eq!(hidden, tape.hidden()[row * SIZE..][..SIZE]);
    }
}
