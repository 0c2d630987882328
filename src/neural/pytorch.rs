//! Layers, losses and optimiser beside PyTorch: values, losses and gradients of small cases that `benches/networks/fixtures.py` made,
//! to 1e-5.

use super::layout::{Layout, Slot};
use super::random::Init;
use super::sampled::{Sampled, SampledWork};
use super::testing::close;
use super::{Attention, AttentionTape, Conv, ConvTape, Embedding, Gru, GruTape, Lstm, LstmTape, loss};
use crate::fit::{Adam, Control, Gradient, Stochastic, Table, adam};
use serde_json::Value;

const TOLERANCE: f64 = 1e-5;

/// One case of the file.
struct Case(Value);

impl Case {
    fn named(name: &str) -> Case {
        let all: Value = serde_json::from_str(include_str!("pytorch.json")).unwrap();
        Case(all[name].clone())
    }

    fn truth(&self, name: &str) -> Vec<f64> {
        let values = self.0[name]
            .as_array()
            .unwrap_or_else(|| panic!("the file has no {name}"));
        values.iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn get(&self, name: &str) -> Vec<f32> {
        self.truth(name).into_iter().map(|x| x as f32).collect()
    }

    fn loss(&self) -> f64 {
        self.0["loss"].as_f64().unwrap()
    }

    fn check(&self, name: &str, got: &[f32]) {
        close(got, &self.truth(name), TOLERANCE);
    }

    /// The case's values in the slots of these names.
    fn params(&self, layout: &Layout, slots: &[(&str, Slot)]) -> Vec<f32> {
        let mut params = vec![f32::NAN; layout.len()];
        for (name, slot) in slots {
            slot.of_mut(&mut params).copy_from_slice(&self.get(name));
        }
        params
    }

    fn check_gradients(&self, slots: &[(&str, Slot)], grads: &[f32]) {
        for (name, slot) in slots {
            self.check(&format!("d {name}"), slot.of(grads));
        }
    }

    fn check_loss(&self, got: f64) {
        assert!(
            (got - self.loss()).abs() < TOLERANCE * self.loss().max(1.0),
            "{got}, not {}",
            self.loss()
        );
    }
}

/// The loss of recurrent cases: the sum of squares, and its gradient.
fn squares(states: &[f32]) -> (f64, Vec<f32>) {
    let sum = states.iter().map(|x| f64::from(*x).powi(2)).sum();
    (sum, states.iter().map(|x| 2.0 * x).collect())
}

#[test]
fn lstm() {
    let case = Case::named("lstm");
    let mut layout = Layout::new();
    let lstm = Lstm::new(&mut layout, "lstm", 3, 5);
    let slots = [("wx", lstm.wx), ("wh", lstm.wh), ("b", lstm.b)];
    let params = case.params(&layout, &slots);
    let (x, h0, c0) = (case.get("x"), case.get("h0"), case.get("c0"));
    let mut tape = LstmTape::new();
    lstm.forward(&params, &x, 3, 2, Some((&h0, &c0)), &mut tape);
    case.check("states", tape.hidden());
    let (sum, d_hidden) = squares(tape.hidden());
    case.check_loss(sum);
    let (mut grads, mut dx) = (vec![0.0; params.len()], vec![0.0; x.len()]);
    lstm.backward(&params, &x, &mut tape, &d_hidden, Some(&mut dx), &mut grads);
    case.check_gradients(&slots, &grads);
    case.check("d x", &dx);
    let (d_states, d_cells) = tape.d_begin();
    case.check("d h0", d_states);
    case.check("d c0", d_cells);
}

#[test]
fn gru() {
    let case = Case::named("gru");
    let mut layout = Layout::new();
    let gru = Gru::new(&mut layout, "gru", 3, 5);
    let slots = [("wx", gru.wx), ("wh", gru.wh), ("b", gru.b), ("bh", gru.bh)];
    let params = case.params(&layout, &slots);
    let (x, h0) = (case.get("x"), case.get("h0"));
    let mut tape = GruTape::new();
    gru.forward(&params, &x, 3, 2, Some(&h0), &mut tape);
    case.check("states", tape.hidden());
    let (sum, d_hidden) = squares(tape.hidden());
    case.check_loss(sum);
    let (mut grads, mut dx) = (vec![0.0; params.len()], vec![0.0; x.len()]);
    gru.backward(&params, &x, &mut tape, &d_hidden, Some(&mut dx), &mut grads);
    case.check_gradients(&slots, &grads);
    case.check("d x", &dx);
    case.check("d h0", tape.d_begin());
}

fn attend(name: &str, attention: Attention, layout: &Layout, slots: &[(&str, Slot)]) {
    let case = Case::named(name);
    let params = case.params(layout, slots);
    let (queries, keys) = (case.get("queries"), case.get("keys"));
    let (mut context, mut tape) = (vec![0.0; 3 * 2 * 6], AttentionTape::new());
    attention.forward(&params, &queries, &keys, &[4, 2], &mut context, &mut tape);
    case.check("context", &context);
    case.check("weights", tape.weights());
    let (sum, d_context) = squares(&context);
    case.check_loss(sum + tape.weights().iter().map(|w| f64::from(*w).powi(3)).sum::<f64>());
    let d_weights: Vec<f32> = tape.weights().iter().map(|w| 3.0 * w * w).collect();
    let (mut d_queries, mut d_keys) = (vec![0.0; queries.len()], vec![0.0; keys.len()]);
    let mut grads = vec![0.0; params.len()];
    attention.backward(
        &params,
        &queries,
        &keys,
        &mut tape,
        &d_context,
        Some(&d_weights),
        &mut d_queries,
        &mut d_keys,
        &mut grads,
    );
    case.check_gradients(slots, &grads);
    case.check("d queries", &d_queries);
    case.check("d keys", &d_keys);
}

#[test]
fn attention() {
    let mut layout = Layout::new();
    let general = Attention::general(&mut layout, "a", 5, 6);
    attend("general", general, &layout, &[("w", layout.slot("a.w").unwrap())]);
    let mut layout = Layout::new();
    let additive = Attention::additive(&mut layout, "a", 5, 6, 7);
    let slots = ["wq", "wk", "v"].map(|name| (name, layout.slot(&format!("a.{name}")).unwrap()));
    attend("additive", additive, &layout, &slots);
}

#[test]
fn convolution() {
    let case = Case::named("conv");
    let mut layout = Layout::new();
    let conv = Conv::new(&mut layout, "conv", 3, 4, 5);
    let slots = [("w", conv.weight), ("b", conv.bias)];
    let params = case.params(&layout, &slots);
    let x = case.get("x");
    let (mut found, mut tape) = (vec![0.0; 15], ConvTape::new());
    conv.forward(&params, &x, 6, &[6; 3], &mut found, &mut tape);
    case.check("found", &found);
    let (sum, d_found) = squares(&found);
    case.check_loss(sum);
    let (mut grads, mut dx) = (vec![0.0; params.len()], vec![0.0; x.len()]);
    conv.backward(&params, &x, &mut tape, &d_found, Some(&mut dx), &mut grads);
    case.check_gradients(&slots, &grads);
    case.check("d x", &dx);
}

#[test]
fn losses() {
    let case = Case::named("cross_entropy");
    let mut values = case.get("logits");
    case.check_loss(loss::cross_entropy(
        &mut values,
        7,
        &[3, 0, 6, 3],
        Some(&[1.0, 0.5, 0.0, 2.0]),
    ));
    case.check("d logits", &values);
    let case = Case::named("pinball");
    let mut values = case.get("predictions");
    case.check_loss(loss::pinball(
        &mut values,
        &[0.1, 0.5, 0.9],
        &case.get("targets"),
        None,
    ));
    case.check("d predictions", &values);

    let case = Case::named("sampled");
    let mut layout = Layout::new();
    let table = Embedding::new(&mut layout, "table", 9, 5, Init::Zero);
    let bias = Embedding::new(&mut layout, "bias", 9, 1, Init::Zero);
    let sampled = Sampled {
        table,
        bias: Some(bias),
    };
    let slots = [("table", table.table), ("bias", bias.table)];
    let params = case.params(&layout, &slots);
    let mut gradient = Gradient::new(layout.len(), &layout.tables()).unwrap();
    let mut d_states = vec![0.0; 20];
    case.check_loss(sampled.learn(
        &params,
        &case.get("states"),
        &[3, 0, 8, 3],
        None,
        &[1, 3, 5, 1, 0, 7],
        Some(&case.get("corrections")),
        &mut d_states,
        &mut gradient,
        &mut SampledWork::default(),
    ));
    case.check_gradients(&slots, gradient.as_slice());
    case.check("d states", &d_states);
}

/// Gives the gradients of the file; the rows of a step, if there are any, as rows of a table.
struct Given {
    gradients: Vec<f32>,
    rows: Option<[&'static [usize]; 5]>,
    validated: f64,
}

impl Stochastic for Given {
    fn batches(&self) -> u64 {
        5
    }

    fn batch(&mut self, _: &[f32], _: u64, batch: u64, gradient: &mut Gradient) -> f64 {
        let own = &self.gradients[batch as usize * 12..][..12];
        match self.rows {
            None => gradient.values().copy_from_slice(own),
            Some(rows) => {
                for row in rows[batch as usize] {
                    gradient.row(0, 3, *row).copy_from_slice(&own[row * 3..][..3]);
                }
            }
        }
        0.0
    }

    /// Better every time: what was learned last is the result.
    fn validate(&mut self, _: &[f32]) -> f64 {
        self.validated -= 1.0;
        self.validated
    }
}

#[test]
fn optimiser() {
    let rows: [&[usize]; 5] = [&[0, 2], &[2], &[1, 2, 3], &[0], &[1, 3]];
    let base = Adam {
        rate: 0.1,
        max_epochs: 1,
        ..Adam::default()
    };
    let table = Table {
        start: 0,
        rows: 4,
        width: 3,
    };
    for (name, options, rows) in [
        ("adam", base.clone(), None),
        (
            "adamw_clipped",
            Adam {
                decay: 0.3,
                clip: Some(1.5),
                ..base.clone()
            },
            None,
        ),
        (
            "sparse_adam",
            Adam {
                tables: vec![table],
                ..base
            },
            Some(rows),
        ),
    ] {
        let case = Case::named(name);
        let mut given = Given {
            gradients: case.get("gradients"),
            rows,
            validated: 0.0,
        };
        let learned = adam(&mut given, case.get("start"), &options, &Control::unbounded()).unwrap();
        case.check("end", &learned.params);
    }
}
