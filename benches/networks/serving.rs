//! What an answer costs: one step of a network that is asked, a session or a series at a time, without any batch.
//!
//! `ours serving` prints CPU microseconds, medians of rounds: a step of the session GRU (vectors and state of 100), the same with the
//! scores of 20,000 products, and the forecast of one price series (LSTM of 64 over 60 steps of 4 inputs, 14 × 3 outputs).

use super::{clock, numbers};
use nightclerk::neural::kernels::rows::dots;
use nightclerk::neural::random::Init;
use nightclerk::neural::{Dense, Embedding, Gru, Layout, Lstm};
use std::hint::black_box;

/// Products that are scored.
const PRODUCTS: usize = 20_000;
/// Values of a vector and of the state.
const WIDTH: usize = 100;
/// Steps of a window of prices, and inputs of each.
const WINDOW: (usize, usize) = (60, 4);

/// Microseconds of one call, the median of rounds of `calls`.
fn micros(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let mut rounds: Vec<f64> = (0..41)
        .map(|_| {
            let begun = clock();
            (0..calls).for_each(&mut call);
            (clock() - begun) * 1e3 / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// Measures and prints.
pub(super) fn measure() {
    let mut layout = Layout::new();
    let items = Embedding::new(&mut layout, "items", PRODUCTS, WIDTH, Init::Normal(0.08));
    let bias = Embedding::new(&mut layout, "bias", PRODUCTS, 1, Init::Normal(0.01));
    let gru = Gru::new(&mut layout, "gru", WIDTH, WIDTH);
    let params = layout.init(7);
    let (mut state, mut work) = (vec![0.0; WIDTH], Vec::new());
    let mut step = |at: usize| {
        let product = (at * 7919 % PRODUCTS) as u32;
        gru.serve(&params, items.row(&params, product), &mut state, &mut work);
        black_box(&state);
    };
    let alone = micros(2000, &mut step);
    let (vectors, biases) = (items.table.of(&params), bias.table.of(&params));
    let mut scores = vec![0.0; PRODUCTS];
    let seen = numbers(WIDTH, 5);
    let scored = micros(50, |at| {
        step(at);
        dots(black_box(&seen), vectors, &mut scores);
        scores
            .iter_mut()
            .zip(biases)
            .for_each(|(score, bias)| *score += bias);
        black_box(&scores);
    });

    let mut layout = Layout::new();
    let lstm = Lstm::new(&mut layout, "lstm", WINDOW.1, 64);
    let out = Dense::new(&mut layout, "out", 64, 14 * 3);
    let params = layout.init(7);
    let x = numbers(WINDOW.0 * WINDOW.1, 1);
    let mut answers = vec![0.0; 14 * 3];
    let forecast = micros(200, |_| {
        let (mut hidden, mut cells) = ([0.0; 64], [0.0; 64]);
        for step in x.chunks_exact(WINDOW.1) {
            lstm.serve(&params, step, &mut hidden, &mut cells, &mut work);
        }
        out.serve(&params, &hidden, &mut answers);
        black_box(&answers);
    });
    println!("{{\"gru\": {alone:.2}, \"gru_scores\": {scored:.1}, \"lstm\": {forecast:.1}}}");
}
