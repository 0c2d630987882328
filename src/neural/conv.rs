//! A convolution along a sequence, its positive part, and the largest value over time: which of many patterns occur anywhere in a
//! text (Kim, EMNLP 2014).
//!
//! Sequences are batch-major here: batch by length by inputs, each filled up at the end. Then a window of `window` steps is simply
//! `window · inputs` values in a row, and all windows of a block of sequences are the rows of one product, without copying. On the
//! way back only the windows that won are touched: one for each filter and sequence.

use super::kernels::gemm::{Begin, Left, Packed, product};
use super::kernels::rows::add_scaled;
use super::layout::{Layout, Slot};
use super::random::Init;

/// Rows of one product; its result stays in the second cache.
const BLOCK: usize = 512;

/// Where a convolution's parameters lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// (window · inputs) by filters, earlier steps first.
    pub weight: Slot,
    /// Filters long.
    pub bias: Slot,
    /// Steps of a window.
    pub window: usize,
    /// Values of a step.
    pub inputs: usize,
    /// Patterns.
    pub filters: usize,
}

/// What the way forward leaves for the way back, and work space.
#[derive(Debug, Default)]
pub struct ConvTape {
    /// The row of `x` where the winning window begins, a sequence and filter; none where nothing was positive.
    winners: Vec<u32>,
    values: Vec<f32>,
    turned: Vec<f32>,
    d_turned: Vec<f32>,
    pack: Packed,
}

impl ConvTape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }
}

const NONE: u32 = u32::MAX;

impl Conv {
    /// Asks for room for `name.w` and `name.b`.
    pub fn new(layout: &mut Layout, name: &str, window: usize, inputs: usize, filters: usize) -> Self {
        let weight = layout.add(&format!("{name}.w"), &[window * inputs, filters], Init::Glorot);
        let bias = layout.add(&format!("{name}.b"), &[filters], Init::Zero);
        Self {
            weight,
            bias,
            window,
            inputs,
            filters,
        }
    }

    /// `pooled`, batch by filters: the largest positive part over the windows of each sequence. `x` is batch by `length` by inputs
    /// and a sequence's own length stands in `lengths`; one shorter than the window is one window of it and its filling.
    /// `length` is at least the window.
    pub fn forward(
        &self,
        params: &[f32],
        x: &[f32],
        length: usize,
        lengths: &[usize],
        pooled: &mut [f32],
        tape: &mut ConvTape,
    ) {
        let (n, f) = (self.inputs, self.filters);
        assert_eq!(x.len(), lengths.len() * length * n, "the input of a convolution");
        assert_eq!(
            pooled.len(),
            lengths.len() * f,
            "room for what a convolution finds"
        );
        assert!(
            length >= self.window,
            "sequences are filled up to the window at least"
        );
        tape.winners.clear();
        tape.winners.resize(pooled.len(), NONE);
        pooled.fill(0.0);
        tape.pack.rows(self.weight.of(params), f, self.window * n, f);
        let together = (BLOCK / length).max(1);
        for (block, lengths) in lengths.chunks(together).enumerate() {
            let first = block * together;
            // Windows that reach into the next sequence are computed and not looked at.
            let rows = lengths.len() * length - self.window + 1;
            tape.values.resize(rows * f, 0.0);
            let left = Left::Rows(&x[first * length * n..], n);
            product(
                left,
                rows,
                &tape.pack,
                Begin::Row(self.bias.of(params)),
                &mut tape.values,
                f,
            );
            for (at, own) in lengths.iter().enumerate() {
                assert!(*own <= length, "a sequence longer than its room");
                let best = &mut pooled[(first + at) * f..][..f];
                let winners = &mut tape.winners[(first + at) * f..][..f];
                for step in 0..=own.saturating_sub(self.window) {
                    let row = at * length + step;
                    let name = (first * length + row) as u32;
                    let values = &tape.values[row * f..][..f];
                    for ((best, winner), value) in best.iter_mut().zip(winners.iter_mut()).zip(values) {
                        if *value > *best {
                            *best = *value;
                            *winner = name;
                        }
                    }
                }
            }
        }
    }

    /// The way back. Adds the parameters' gradients and, if it is wanted, *adds* to the input's, because several convolutions
    /// look at one input.
    pub fn backward(
        &self,
        params: &[f32],
        x: &[f32],
        tape: &mut ConvTape,
        d_pooled: &[f32],
        mut dx: Option<&mut [f32]>,
        grads: &mut [f32],
    ) {
        let (f, size) = (self.filters, self.window * self.inputs);
        assert_eq!(
            d_pooled.len(),
            tape.winners.len(),
            "the gradient of what a convolution found"
        );
        // A filter's weights in one piece: the weights turned.
        let weight = self.weight.of(params);
        tape.turned.resize(f * size, 0.0);
        for (filter, to) in tape.turned.chunks_exact_mut(size).enumerate() {
            to.iter_mut()
                .zip(weight[filter..].iter().step_by(f))
                .for_each(|(to, from)| *to = *from);
        }
        tape.d_turned.clear();
        tape.d_turned.resize(f * size, 0.0);
        for (at, (winner, d)) in tape.winners.iter().zip(d_pooled).enumerate() {
            if *winner == NONE || *d == 0.0 {
                continue;
            }
            let filter = at % f;
            let from = *winner as usize * self.inputs;
            add_scaled(
                *d,
                &x[from..][..size],
                &mut tape.d_turned[filter * size..][..size],
            );
            if let Some(dx) = dx.as_deref_mut() {
                add_scaled(*d, &tape.turned[filter * size..][..size], &mut dx[from..][..size]);
            }
            self.bias.of_mut(grads)[filter] += d;
        }
        let weight = self.weight.of_mut(grads);
        for (filter, from) in tape.d_turned.chunks_exact(size).enumerate() {
            weight[filter..]
                .iter_mut()
                .step_by(f)
                .zip(from)
                .for_each(|(to, from)| *to += from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, numbers, slopes, weighted};
    use super::*;

    const LENGTH: usize = 7;
    const LENGTHS: [usize; 5] = [7, 2, 4, 0, 3];

    fn truth(conv: &Conv, params: &[f64], x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (&params[conv.weight.start..], &params[conv.bias.start..]);
        let mut pooled = Vec::new();
        for (at, own) in LENGTHS.iter().enumerate() {
            for filter in 0..conv.filters {
                let mut best = 0.0_f64;
                for step in 0..=own.saturating_sub(conv.window) {
                    let from = (at * LENGTH + step) * conv.inputs;
                    let window = &x[from..][..conv.window * conv.inputs];
                    let sum = window
                        .iter()
                        .enumerate()
                        .map(|(i, x)| x * weight[i * conv.filters + filter]);
                    best = best.max(sum.sum::<f64>() + bias[filter]);
                }
                pooled.push(best);
            }
        }
        pooled
    }

    #[test]
    fn what_it_finds_and_its_gradients_are_the_formulas() {
        let mut layout = Layout::new();
        let conv = Conv::new(&mut layout, "conv", 3, 5, 18);
        let params: Vec<f32> = layout
            .init(1)
            .iter()
            .zip(numbers(layout.len(), 2))
            .map(|(p, x)| p + 0.1 * x)
            .collect();
        let x = numbers(LENGTHS.len() * LENGTH * 5, 3);
        let d_pooled = numbers(LENGTHS.len() * 18, 4);
        let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let (mut pooled, mut tape) = (vec![9.0; d_pooled.len()], ConvTape::new());
        conv.forward(&params, &x, LENGTH, &LENGTHS, &mut pooled, &mut tape);
        close(&pooled, &truth(&conv, &wide(&params), &wide(&x)), 1e-6);
        assert!(pooled.contains(&0.0), "the positive part was never tried");
        let (mut dx, mut grads) = (vec![0.0; x.len()], vec![0.0; params.len()]);
        conv.backward(&params, &x, &mut tape, &d_pooled, Some(&mut dx), &mut grads);
        let (_, slope) = slopes(&params, |p| weighted(&truth(&conv, p, &wide(&x)), &d_pooled));
        close(&grads, &slope, 1e-6);
        let (_, slope) = slopes(&x, |x| weighted(&truth(&conv, &wide(&params), x), &d_pooled));
        close(&dx, &slope, 1e-6);
    }

    #[test]
    fn blocks_do_not_show() {
        let mut layout = Layout::new();
        let conv = Conv::new(&mut layout, "conv", 2, 3, 4);
        let params = layout.init(1);
        let (length, batch) = (100, 13);
        let x = numbers(batch * length * 3, 3);
        let (mut all, mut tape) = (vec![0.0; batch * 4], ConvTape::new());
        conv.forward(&params, &x, length, &vec![length; batch], &mut all, &mut tape);
        assert!(batch * length > 2 * BLOCK, "one block shows nothing");
        for (at, all) in all.chunks_exact(4).enumerate() {
            let mut one = [0.0; 4];
            conv.forward(
                &params,
                &x[at * length * 3..][..length * 3],
                length,
                &[length],
                &mut one,
                &mut tape,
            );
            assert_eq!(one, all);
        }
    }
}
