//! The network on texts whose words add up to known vectors.

use super::*;
use crate::fit::Stopped;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const COLOURS: [&str; 8] = ["red", "blue", "green", "white", "black", "pink", "grey", "golden"];
const THINGS: [&str; 8] = [
    "mug", "plate", "lantern", "clock", "frame", "basket", "candle", "ribbon",
];
const CHINESE: [&str; 8] = ["杯子", "盘子", "灯笼", "时钟", "相框", "篮子", "蜡烛", "丝带"];

/// Every colour of every thing, three times with another number, in two languages; a vector says colour (four values) and thing
/// (four).
fn shop() -> (Vec<String>, Vec<f32>) {
    let (mut texts, mut vectors) = (Vec::new(), Vec::new());
    for number in 1..=3 {
        for (c, colour) in COLOURS.iter().enumerate() {
            for t in 0..8 {
                let thing = if number == 3 { CHINESE[t] } else { THINGS[t] };
                texts.push(format!("{thing} {colour} no. {number}"));
                let value = |n: usize, axis: usize| ((n * 5 + axis * 3) as f32 * 1.3).sin();
                vectors.extend((0..4).map(|axis| value(c, axis)));
                vectors.extend((4..8).map(|axis| value(t + 11, axis)));
            }
        }
    }
    (texts, vectors)
}

fn options() -> TextOptions {
    TextOptions {
        filters: 24,
        vectors: (8, 16),
        epochs: 60,
        patience: 60,
        rate: 5e-3,
        drop: 0.0,
        ..TextOptions::default()
    }
}

#[test]
fn new_combinations_get_the_vectors_of_their_words() {
    let (texts, vectors) = shop();
    let readings: Vec<Reading> = texts.iter().map(|text| Reading::of(text)).collect();
    let known: Vec<bool> = (0..texts.len()).map(|i| i % 7 != 3).collect();
    let control = Control::unbounded();
    let network = TextNetwork::learn(&readings, &vectors, 8, &known, &options(), &control).unwrap();
    assert!(network.loss.1 < 0.25 * network.loss.0, "{:?}", network.loss);
    let cold: Vec<usize> = (0..texts.len()).filter(|i| !known[*i]).collect();
    let asked: Vec<&Reading> = cold.iter().map(|i| &readings[*i]).collect();
    let got = network.vectors(&asked);
    let (mut error, mut all) = (0.0, 0.0);
    for (got, product) in got.chunks_exact(8).zip(cold) {
        for (got, truth) in got.iter().zip(&vectors[product * 8..]) {
            error += (got - truth).powi(2);
            all += truth.powi(2);
        }
    }
    assert!(error < 0.25 * all, "{error} of {all}");
    // Alone or beside others, a text has one vector.
    assert_eq!(network.vectors(&asked[2..3]), got[16..24]);
}

#[test]
fn equal_fits_are_equal_and_what_makes_none_is_refused() {
    let (texts, vectors) = shop();
    let readings: Vec<Reading> = texts.iter().map(|text| Reading::of(text)).collect();
    let known = vec![true; texts.len()];
    let short = TextOptions {
        epochs: 2,
        ..options()
    };
    let control = Control::unbounded();
    let learn = |vectors: &[f32], known: &[bool], control: &Control| {
        TextNetwork::learn(&readings, vectors, 8, known, &short, control)
    };
    let first = learn(&vectors, &known, &control).unwrap();
    assert_eq!(first, learn(&vectors, &known, &control).unwrap());
    let nothing = first.vectors(&[&Reading::of(""), &Reading::of(&"x".repeat(100_000))]);
    assert!(nothing.iter().all(|x| x.is_finite()));
    let invalid = |made: Result<TextNetwork, FitError>| assert!(matches!(made, Err(FitError::Invalid(_))));
    invalid(learn(&vectors[1..], &known, &control));
    invalid(learn(&vectors, &known[1..], &control));
    invalid(learn(&vectors, &vec![false; known.len()], &control));
    invalid(learn(&vec![0.0; vectors.len()], &known, &control));
    let stop = control.with_cancel(Arc::new(AtomicBool::new(true)));
    let stopped = learn(&vectors, &known, &stop);
    assert!(matches!(stopped, Err(FitError::Stopped(Stopped::Cancelled))));
}
