//! Our side of the comparison of training steps with PyTorch: one network a case, its parameters and data written for the other
//! side, then the loss and gradients of one step, then the CPU time of many.
//!
//! `ours CASE FOLDER STEPS` writes `CASE.params`, `CASE.data` and `CASE.grads` (blobs of `nightclerk::neural::file`) and prints the
//! loss and the median CPU milliseconds of a step, Adam included. `ours serving` measures single answers ([`serving`]).

#![allow(clippy::print_stdout)]

mod serving;

use nightclerk::fit::{Adam, Control, Gradient, Stochastic, adam};
use nightclerk::neural::classes::{self, ClassesWork};
use nightclerk::neural::file::write;
use nightclerk::neural::kernels::functions::{Function, apply, apply_slope};
use nightclerk::neural::kernels::gemm::Packed;
use nightclerk::neural::random::{Init, mix};
use nightclerk::neural::sampled::{Sampled, SampledWork};
use nightclerk::neural::{
    Attention, AttentionTape, Conv, ConvTape, Dense, Embedding, Gru, GruTape, Layout, Lstm, LstmTape, loss,
};
use std::collections::BTreeMap;

/// A network that can be asked for one step.
trait Network {
    fn layout(&self) -> &Layout;
    /// Inputs by name, as numbers.
    fn data(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)>;
    fn step(&mut self, params: &[f32], gradient: &mut Gradient) -> f64;
}

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| random.f32() * 2.0 - 1.0).collect()
}

fn ids(n: usize, below: u32, seed: u64) -> Vec<u32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| random.u32(0..below)).collect()
}

fn floats(ids: &[u32]) -> Vec<f32> {
    ids.iter().map(|id| *id as f32).collect()
}

/// The price network: LSTM of 64 over 60 steps of 4 inputs, 64 series, three quantiles of 14 days.
struct Prices {
    layout: Layout,
    lstm: Lstm,
    out: Dense,
    x: Vec<f32>,
    targets: Vec<f32>,
    tape: LstmTape,
    pack: Packed,
}

const QUANTILES: [f32; 3] = [0.1, 0.5, 0.9];

impl Prices {
    const BATCH: usize = 64;
    const STEPS: usize = 60;

    fn new() -> Self {
        let mut layout = Layout::new();
        let lstm = Lstm::new(&mut layout, "lstm", 4, 64);
        let out = Dense::new(&mut layout, "out", 64, 14 * 3);
        let x = numbers(Self::STEPS * Self::BATCH * 4, 1);
        let targets = numbers(Self::BATCH * 14, 2);
        let (tape, pack) = (LstmTape::new(), Packed::new());
        Self {
            layout,
            lstm,
            out,
            x,
            targets,
            tape,
            pack,
        }
    }
}

impl Network for Prices {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn data(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
        vec![
            ("x", vec![Self::STEPS, Self::BATCH, 4], self.x.clone()),
            ("targets", vec![Self::BATCH, 14], self.targets.clone()),
        ]
    }

    fn step(&mut self, params: &[f32], gradient: &mut Gradient) -> f64 {
        let (steps, batch) = (Self::STEPS, Self::BATCH);
        let grads = gradient.values();
        self.lstm
            .forward(params, &self.x, steps, batch, None, &mut self.tape);
        let mut y = vec![0.0; batch * 42];
        let last = self.tape.last().to_vec();
        self.out.forward(params, &last, &mut y, &mut self.pack);
        let value = loss::pinball(&mut y, &QUANTILES, &self.targets, None);
        let mut d_hidden = vec![0.0; steps * batch * 64];
        let d_last = &mut d_hidden[(steps - 1) * batch * 64..];
        self.out
            .backward(params, &last, &y, Some(d_last), grads, &mut self.pack);
        self.lstm
            .backward(params, &self.x, &mut self.tape, &d_hidden, None, grads);
        value
    }
}

/// The session recommender: 20,000 products, vectors and state of 100, 64 sessions of 20 steps, 2,048 negatives.
struct Sessions {
    layout: Layout,
    items: Embedding,
    gru: Gru,
    out: Sampled,
    ids: Vec<u32>,
    targets: Vec<u32>,
    negatives: Vec<u32>,
    x: Vec<f32>,
    d_states: Vec<f32>,
    dx: Vec<f32>,
    tape: GruTape,
    work: SampledWork,
}

impl Sessions {
    const BATCH: usize = 64;
    const STEPS: usize = 20;
    const ITEMS: usize = 20_000;

    fn new(sparse: bool) -> Self {
        let mut layout = Layout::new();
        let table = if sparse { Embedding::new } else { Embedding::dense };
        let items = table(&mut layout, "items", Self::ITEMS, 100, Init::Normal(0.1));
        let gru = Gru::new(&mut layout, "gru", 100, 100);
        let out = Sampled {
            table: table(&mut layout, "out", Self::ITEMS, 100, Init::Normal(0.1)),
            bias: Some(table(&mut layout, "bias", Self::ITEMS, 1, Init::Zero)),
        };
        let rows = Self::BATCH * Self::STEPS;
        Self {
            layout,
            items,
            gru,
            out,
            ids: ids(rows, Self::ITEMS as u32, 1),
            targets: ids(rows, Self::ITEMS as u32, 2),
            negatives: ids(2048, Self::ITEMS as u32, 3),
            x: vec![0.0; rows * 100],
            d_states: vec![0.0; rows * 100],
            dx: vec![0.0; rows * 100],
            tape: GruTape::new(),
            work: SampledWork::default(),
        }
    }
}

impl Network for Sessions {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn data(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
        let shape = vec![Self::STEPS, Self::BATCH];
        vec![
            ("ids", shape.clone(), floats(&self.ids)),
            ("targets", shape, floats(&self.targets)),
            ("negatives", vec![2048], floats(&self.negatives)),
        ]
    }

    fn step(&mut self, params: &[f32], gradient: &mut Gradient) -> f64 {
        self.items.forward(params, &self.ids, &mut self.x);
        self.gru
            .forward(params, &self.x, Self::STEPS, Self::BATCH, None, &mut self.tape);
        let value = self.out.learn(
            params,
            self.tape.hidden(),
            &self.targets,
            None,
            &self.negatives,
            None,
            &mut self.d_states,
            gradient,
            &mut self.work,
        );
        let dx = Some(&mut self.dx[..]);
        self.gru.backward(
            params,
            &self.x,
            &mut self.tape,
            &self.d_states,
            dx,
            gradient.values(),
        );
        self.items.backward(&self.ids, &self.dx, gradient);
        value
    }
}

/// The reply network: GRUs of 256, 8,000 words, 20 words read, 60 written, 32 tickets, attention.
struct Replies {
    layout: Layout,
    source: Embedding,
    target: Embedding,
    reader: Gru,
    writer: Gru,
    attention: Attention,
    mix: Dense,
    out: Dense,
    read: Vec<u32>,
    written: Vec<u32>,
    targets: Vec<u32>,
    tapes: (GruTape, GruTape, AttentionTape),
    pack: Packed,
    work: ClassesWork,
}

impl Replies {
    const BATCH: usize = 32;
    const H: usize = 256;
    const WORDS: usize = 8_000;

    fn new() -> Self {
        let mut layout = Layout::new();
        let (h, words) = (Self::H, Self::WORDS);
        Self {
            source: Embedding::dense(&mut layout, "source", words, h, Init::Normal(0.1)),
            target: Embedding::dense(&mut layout, "target", words, h, Init::Normal(0.1)),
            reader: Gru::new(&mut layout, "reader", h, h),
            writer: Gru::new(&mut layout, "writer", h, h),
            attention: Attention::general(&mut layout, "attention", h, h),
            mix: Dense::new(&mut layout, "mix", 2 * h, h),
            out: Dense::new(&mut layout, "out", h, words),
            layout,
            read: ids(20 * Self::BATCH, words as u32, 1),
            written: ids(60 * Self::BATCH, words as u32, 2),
            targets: ids(60 * Self::BATCH, words as u32, 3),
            tapes: (GruTape::new(), GruTape::new(), AttentionTape::new()),
            pack: Packed::new(),
            work: ClassesWork::default(),
        }
    }
}

impl Network for Replies {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn data(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
        vec![
            ("read", vec![20, Self::BATCH], floats(&self.read)),
            ("written", vec![60, Self::BATCH], floats(&self.written)),
            ("targets", vec![60, Self::BATCH], floats(&self.targets)),
        ]
    }

    fn step(&mut self, params: &[f32], gradient: &mut Gradient) -> f64 {
        let (batch, h) = (Self::BATCH, Self::H);
        let (reader, writer, attention) = &mut self.tapes;
        let mut xs = vec![0.0; 20 * batch * h];
        self.source.forward(params, &self.read, &mut xs);
        self.reader.forward(params, &xs, 20, batch, None, reader);
        let mut xt = vec![0.0; 60 * batch * h];
        self.target.forward(params, &self.written, &mut xt);
        self.writer
            .forward(params, &xt, 60, batch, Some(reader.last()), writer);
        let rows = 60 * batch;
        let mut context = vec![0.0; rows * h];
        let lengths = vec![20; batch];
        self.attention.forward(
            params,
            writer.hidden(),
            reader.hidden(),
            &lengths,
            &mut context,
            attention,
        );
        let mut both = vec![0.0; rows * 2 * h];
        for ((to, context), state) in both
            .chunks_exact_mut(2 * h)
            .zip(context.chunks_exact(h))
            .zip(writer.hidden().chunks_exact(h))
        {
            to[..h].copy_from_slice(context);
            to[h..].copy_from_slice(state);
        }
        let mut mixed = vec![0.0; rows * h];
        self.mix.forward(params, &both, &mut mixed, &mut self.pack);
        apply(Function::Tanh, &mut mixed);
        let mut d_mixed = vec![0.0; rows * h];
        let grads = gradient.values();
        let (out, work) = (&self.out, &mut self.work);
        let value = classes::learn(
            out,
            params,
            &mixed,
            &self.targets,
            None,
            &mut d_mixed,
            grads,
            work,
        );
        apply_slope(Function::Tanh, &mixed, &mut d_mixed);
        let mut d_both = vec![0.0; rows * 2 * h];
        self.mix.backward(
            params,
            &both,
            &d_mixed,
            Some(&mut d_both),
            gradient.values(),
            &mut self.pack,
        );
        let mut d_context = vec![0.0; rows * h];
        let mut d_writer = vec![0.0; rows * h];
        let mut d_reader = vec![0.0; 20 * batch * h];
        for (to, from) in d_context.chunks_exact_mut(h).zip(d_both.chunks_exact(2 * h)) {
            to.copy_from_slice(&from[..h]);
        }
        self.attention.backward(
            params,
            writer.hidden(),
            reader.hidden(),
            attention,
            &d_context,
            None,
            &mut d_writer,
            &mut d_reader,
            gradient.values(),
        );
        for (to, from) in d_writer.chunks_exact_mut(h).zip(d_both.chunks_exact(2 * h)) {
            to.iter_mut().zip(&from[h..]).for_each(|(to, from)| *to += from);
        }
        let mut dx = vec![0.0; xt.len()];
        self.writer
            .backward(params, &xt, writer, &d_writer, Some(&mut dx), gradient.values());
        self.target.backward(&self.written, &dx, gradient);
        let last = &mut d_reader[19 * batch * h..];
        last.iter_mut()
            .zip(writer.d_begin())
            .for_each(|(to, from)| *to += from);
        dx.truncate(xs.len());
        self.reader
            .backward(params, &xs, reader, &d_reader, Some(&mut dx), gradient.values());
        self.source.backward(&self.read, &dx, gradient);
        value
    }
}

/// The encoder of product texts: 64 texts of 40 words, vectors of 64, 64 filters of each width 1 to 3, 64 factors.
struct Texts {
    layout: Layout,
    words: Embedding,
    convs: Vec<(Conv, ConvTape)>,
    out: Dense,
    ids: Vec<u32>,
    targets: Vec<f32>,
    pack: Packed,
}

impl Texts {
    const BATCH: usize = 64;
    const LENGTH: usize = 40;

    fn new() -> Self {
        let mut layout = Layout::new();
        let words = Embedding::dense(&mut layout, "words", 4_000, 64, Init::Normal(0.1));
        let convs = [1, 2, 3].map(|w| {
            (
                Conv::new(&mut layout, &format!("conv{w}"), w, 64, 64),
                ConvTape::new(),
            )
        });
        let out = Dense::new(&mut layout, "out", 192, 64);
        Self {
            layout,
            words,
            convs: convs.into(),
            out,
            ids: ids(Self::BATCH * Self::LENGTH, 4_000, 1),
            targets: numbers(Self::BATCH * 64, 2),
            pack: Packed::new(),
        }
    }
}

impl Network for Texts {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn data(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
        vec![
            ("ids", vec![Self::BATCH, Self::LENGTH], floats(&self.ids)),
            ("targets", vec![Self::BATCH, 64], self.targets.clone()),
        ]
    }

    fn step(&mut self, params: &[f32], gradient: &mut Gradient) -> f64 {
        let batch = Self::BATCH;
        let mut x = vec![0.0; self.ids.len() * 64];
        self.words.forward(params, &self.ids, &mut x);
        let lengths = vec![Self::LENGTH; batch];
        let mut found = vec![0.0; batch * 192];
        let mut one = vec![0.0; batch * 64];
        for (at, (conv, tape)) in self.convs.iter_mut().enumerate() {
            conv.forward(params, &x, Self::LENGTH, &lengths, &mut one, tape);
            for (to, from) in found.chunks_exact_mut(192).zip(one.chunks_exact(64)) {
                to[at * 64..][..64].copy_from_slice(from);
            }
        }
        let mut y = vec![0.0; batch * 64];
        self.out.forward(params, &found, &mut y, &mut self.pack);
        let value = loss::squared(&mut y, 64, &self.targets, None);
        let mut d_found = vec![0.0; found.len()];
        self.out.backward(
            params,
            &found,
            &y,
            Some(&mut d_found),
            gradient.values(),
            &mut self.pack,
        );
        let mut dx = vec![0.0; x.len()];
        for (at, (conv, tape)) in self.convs.iter_mut().enumerate() {
            for (to, from) in one.chunks_exact_mut(64).zip(d_found.chunks_exact(192)) {
                to.copy_from_slice(&from[at * 64..][..64]);
            }
            conv.backward(params, &x, tape, &one, Some(&mut dx), gradient.values());
        }
        self.words.backward(&self.ids, &dx, gradient);
        value
    }
}

/// CPU time of this thread, in milliseconds.
fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// Takes the time from the beginning of one batch to that of the next: a step with its update.
struct Timed<'a> {
    network: &'a mut dyn Network,
    steps: u64,
    begun: Vec<f64>,
}

impl Stochastic for Timed<'_> {
    fn batches(&self) -> u64 {
        self.steps
    }

    fn batch(&mut self, params: &[f32], _: u64, _: u64, gradient: &mut Gradient) -> f64 {
        self.begun.push(clock());
        self.network.step(params, gradient)
    }

    fn validate(&mut self, _: &[f32]) -> f64 {
        self.begun.push(clock());
        1.0 / self.begun.len() as f64
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["serving"] {
        return serving::measure();
    }
    let [case, folder, steps] = &arguments[..] else {
        panic!("usage: ours CASE FOLDER STEPS, or ours serving");
    };
    let mut network: Box<dyn Network> = match case.as_str() {
        "lstm" => Box::new(Prices::new()),
        "gru4rec" => Box::new(Sessions::new(false)),
        "gru4rec-sparse" => Box::new(Sessions::new(true)),
        "seq2seq" => Box::new(Replies::new()),
        "conv" => Box::new(Texts::new()),
        _ => panic!("there is no case {case}"),
    };
    let layout = network.layout().clone();
    let params = layout.init(mix(7, 7));
    let keep = |name: &str, bytes: Vec<u8>| {
        std::fs::write(format!("{folder}/{case}.{name}"), bytes).expect("the folder can be written");
    };
    let notes = BTreeMap::new();
    keep("params", write(&layout, &params, &notes));
    let (mut data, mut values) = (Layout::new(), Vec::new());
    for (name, shape, numbers) in network.data() {
        data.add(name, &shape, Init::Zero);
        values.extend(numbers);
    }
    keep("data", write(&data, &values, &notes));
    let mut gradient = Gradient::new(layout.len(), &layout.tables()).expect("tables of one layout");
    let value = network.step(&params, &mut gradient);
    keep("grads", write(&layout, gradient.as_slice(), &notes));
    let mut timed = Timed {
        network: &mut *network,
        steps: steps.parse().expect("a number of steps"),
        begun: Vec::new(),
    };
    let options = Adam {
        max_epochs: 1,
        tables: layout.tables(),
        ..Adam::default()
    };
    adam(&mut timed, params, &options, &Control::unbounded()).expect("a fit");
    // The first mark is the validation of the start, the second the first batch, which warms up.
    let mut times: Vec<f64> = timed.begun[2..].windows(2).map(|w| w[1] - w[0]).collect();
    times.sort_by(f64::total_cmp);
    println!("{{\"loss\": {value}, \"ms\": {}}}", times[times.len() / 2]);
}
