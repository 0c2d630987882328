//! A convolutional network from a product's text to the vector that buyers would have given it.
//!
//! What [`super::encoder`] does linearly, with order: filters look at stretches of three to five characters (which finds parts of
//! words, in any script) and at one or two neighbouring words, the strongest answer of each filter over the text counts (Kim,
//! EMNLP 2014), and a dense layer makes the vector of the answers. It learns from the products that have both, by squared error; every
//! tenth of them is kept back and says which epoch's network is kept. Characters and words are hashed into fixed tables, so that a
//! new product's words have a place whatever they are.

use crate::fit::{Adam, Checkpoint, Control, Fall, FitError, Gradient, Schedule, Stochastic, adam};
use crate::neural::kernels::gemm::Packed;
use crate::neural::random::{Init, dice, order};
use crate::neural::{Conv, ConvTape, Dense, Embedding, Layout, dropout, loss};
use rayon::prelude::*;
pub use reading::Reading;
use reading::{CHARACTER_PLACES, Kind, WORD_PLACES, fingerprint};

/// Windows over characters and over words.
const WINDOWS: [(Kind, usize); 5] = [
    (Kind::Characters, 3),
    (Kind::Characters, 4),
    (Kind::Characters, 5),
    (Kind::Words, 1),
    (Kind::Words, 2),
];
/// Products of a batch.
const BATCH: usize = 64;
/// One known product of so many is kept back.
const KEPT_BACK: usize = 10;

/// How a network is built and learned.
#[derive(Debug, Clone, PartialEq)]
pub struct TextOptions {
    /// Values of a character's and of a word's vector.
    pub vectors: (usize, usize),
    /// Filters of each window.
    pub filters: usize,
    /// Passes over the products at the most.
    pub epochs: u64,
    /// Steps (batches) at the most.
    pub steps: u64,
    /// Passes without gain after which learning ends.
    pub patience: u64,
    /// The full learning rate.
    pub rate: f64,
    /// Share of the filters' answers that is left out while learning.
    pub drop: f32,
    /// Of everything random.
    pub seed: u64,
    /// The name of its checkpoints, if they are wanted; the fingerprint is taken over all that shapes the fit.
    pub checkpoint: Option<String>,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            vectors: (24, 48),
            filters: 64,
            epochs: 40,
            steps: 6_000,
            patience: 5,
            rate: 2e-3,
            drop: 0.3,
            seed: 1,
            checkpoint: None,
        }
    }
}

/// Where the parameters lie.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    layout: Layout,
    characters: Embedding,
    words: Embedding,
    convs: [Conv; 5],
    out: Dense,
}

impl Shape {
    fn new(options: &TextOptions, width: usize) -> Self {
        let mut layout = Layout::new();
        let (c, w) = options.vectors;
        let characters = Embedding::new(&mut layout, "characters", CHARACTER_PLACES, c, Init::Normal(0.3));
        let words = Embedding::new(&mut layout, "words", WORD_PLACES, w, Init::Normal(0.3));
        let convs = WINDOWS.map(|(kind, window)| {
            let inputs = if kind == Kind::Words { w } else { c };
            Conv::new(
                &mut layout,
                &format!("{kind:?}{window}"),
                window,
                inputs,
                options.filters,
            )
        });
        let out = Dense::new(&mut layout, "out", WINDOWS.len() * options.filters, width);
        Self {
            layout,
            characters,
            words,
            convs,
            out,
        }
    }

    fn embedding(&self, kind: Kind) -> &Embedding {
        match kind {
            Kind::Characters => &self.characters,
            Kind::Words => &self.words,
        }
    }

    /// The filters' answers, a row a text.
    fn forward(&self, params: &[f32], texts: &[&Reading], work: &mut Work) {
        let filters = self.out.inputs / WINDOWS.len();
        for kind in [Kind::Characters, Kind::Words] {
            let input = &mut work.inputs[kind as usize];
            let widest = WINDOWS
                .iter()
                .filter(|(k, _)| *k == kind)
                .map(|(_, w)| *w)
                .max()
                .unwrap_or(1);
            let longest = texts.iter().map(|text| text.part(kind).len()).max().unwrap_or(0);
            input.length = longest.max(widest);
            input.lengths = texts.iter().map(|text| text.part(kind).len()).collect();
            input.ids.clear();
            for text in texts {
                let end = input.ids.len() + input.length;
                input.ids.extend_from_slice(text.part(kind));
                input.ids.resize(end, 0);
            }
            let embedding = self.embedding(kind);
            input.x.resize(input.ids.len() * embedding.width, 0.0);
            embedding.forward(params, &input.ids, &mut input.x);
        }
        work.found.resize(texts.len() * self.out.inputs, 0.0);
        work.one.resize(texts.len() * filters, 0.0);
        for (at, (kind, _)) in WINDOWS.iter().enumerate() {
            let input = &work.inputs[*kind as usize];
            let (one, tape) = (&mut work.one, &mut work.tapes[at]);
            self.convs[at].forward(params, &input.x, input.length, &input.lengths, one, tape);
            let rows = work.found.chunks_exact_mut(self.out.inputs);
            for (to, from) in rows.zip(work.one.chunks_exact(filters)) {
                to[at * filters..][..filters].copy_from_slice(from);
            }
        }
    }

    /// The way back from the gradients of the filters' answers.
    fn backward(&self, params: &[f32], work: &mut Work, gradient: &mut Gradient) {
        let filters = self.out.inputs / WINDOWS.len();
        for input in &mut work.inputs {
            input.dx.clear();
            input.dx.resize(input.x.len(), 0.0);
        }
        for (at, (kind, _)) in WINDOWS.iter().enumerate() {
            let rows = work.d_found.chunks_exact(self.out.inputs);
            for (from, to) in rows.zip(work.one.chunks_exact_mut(filters)) {
                to.copy_from_slice(&from[at * filters..][..filters]);
            }
            let input = &mut work.inputs[*kind as usize];
            let (tape, grads) = (&mut work.tapes[at], gradient.values());
            self.convs[at].backward(params, &input.x, tape, &work.one, Some(&mut input.dx), grads);
        }
        for kind in [Kind::Characters, Kind::Words] {
            let input = &work.inputs[kind as usize];
            self.embedding(kind).backward(&input.ids, &input.dx, gradient);
        }
    }
}

/// One kind's part of a batch.
#[derive(Debug, Default)]
struct Input {
    length: usize,
    lengths: Vec<usize>,
    ids: Vec<u32>,
    x: Vec<f32>,
    dx: Vec<f32>,
}

/// Buffers that are used again.
#[derive(Debug, Default)]
struct Work {
    inputs: [Input; 2],
    tapes: [ConvTape; 5],
    one: Vec<f32>,
    found: Vec<f32>,
    d_found: Vec<f32>,
    mask: Vec<f32>,
    y: Vec<f32>,
    pack: Packed,
}

/// A learned network.
#[derive(Debug, Clone, PartialEq)]
pub struct TextNetwork {
    shape: Shape,
    params: Vec<f32>,
    scale: f32,
    /// Mean squared error on the products kept back, of vectors whose values have a mean square of 1: before learning and of what
    /// was kept.
    pub loss: (f64, f64),
    /// Steps made.
    pub steps: u64,
}

impl TextNetwork {
    /// Learns from the products that are `known` and have a text. `vectors` has a row of `width` for each of `texts`.
    ///
    /// # Errors
    /// Stopped, shapes that do not fit, or too little to learn from.
    pub fn learn(
        texts: &[Reading],
        vectors: &[f32],
        width: usize,
        known: &[bool],
        options: &TextOptions,
        control: &Control,
    ) -> Result<TextNetwork, FitError> {
        if vectors.len() != texts.len() * width || known.len() != texts.len() || width == 0 {
            return Err(FitError::Invalid(
                "texts, vectors and flags are not of the same products".into(),
            ));
        }
        let usable: Vec<u32> = (0..texts.len())
            .filter(|&product| known[product] && !texts[product].is_empty())
            .map(|product| product as u32)
            .collect();
        // Their order says nothing: whole makers may stand side by side.
        let mixed = order(usable.len(), options.seed, u64::MAX);
        let (kept_back, learned) = mixed.split_at(usable.len() / KEPT_BACK);
        if kept_back.is_empty() {
            return Err(FitError::Invalid("there are too few texts to learn from".into()));
        }
        let products =
            |numbers: &[u32]| -> Vec<u32> { numbers.iter().map(|n| usable[*n as usize]).collect() };
        let (kept_back, learned) = (products(kept_back), products(learned));
        let row = |product: u32| &vectors[product as usize * width..][..width];
        let squares: f64 = learned
            .iter()
            .flat_map(|p| row(*p))
            .map(|x| f64::from(*x).powi(2))
            .sum();
        let scale = (squares / (learned.len() * width) as f64).sqrt() as f32;
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(FitError::Invalid("the vectors to learn are no vectors".into()));
        }
        let shape = Shape::new(options, width);
        let start = shape.layout.init(options.seed);
        let checkpoint = options.checkpoint.as_ref().map(|name| Checkpoint {
            name: name.clone(),
            fingerprint: fingerprint(texts, vectors, known, options),
            every: 1,
        });
        let mut learning = Learning {
            shape: &shape,
            options,
            texts,
            targets: vectors.iter().map(|x| x / scale).collect(),
            kept_back,
            learned,
            order: (u64::MAX, Vec::new()),
            work: Work::default(),
        };
        let fitted = adam(
            &mut learning,
            start,
            &Adam {
                rate: options.rate,
                schedule: Schedule {
                    warm_up: 20,
                    fall: Fall::Cosine(0.05),
                },
                clip: Some(5.0),
                max_epochs: options.epochs,
                max_steps: Some(options.steps),
                patience: Some(options.patience),
                tables: shape.layout.tables(),
                checkpoint,
                ..Adam::default()
            },
            control,
        )?;
        Ok(TextNetwork {
            params: fitted.params,
            scale,
            loss: (fitted.start, fitted.loss),
            steps: fitted.steps,
            shape,
        })
    }

    /// The vectors of these texts, one after the other.
    pub fn vectors(&self, texts: &[&Reading]) -> Vec<f32> {
        let width = self.shape.out.outputs;
        let mut vectors = vec![0.0; texts.len() * width];
        vectors
            .par_chunks_mut(BATCH * width)
            .zip(texts.par_chunks(BATCH))
            .for_each(|(vectors, texts)| {
                let mut work = Work::default();
                self.shape.forward(&self.params, texts, &mut work);
                self.shape
                    .out
                    .forward(&self.params, &work.found, vectors, &mut work.pack);
                vectors.iter_mut().for_each(|x| *x *= self.scale);
            });
        vectors
    }
}

/// Whether the `known` ones among these texts are enough to learn from.
pub fn teaches(texts: &[Reading], known: &[bool]) -> bool {
    let usable = texts.iter().zip(known);
    usable.filter(|(text, known)| **known && !text.is_empty()).count() >= KEPT_BACK
}

/// Products in batches.
struct Learning<'a> {
    shape: &'a Shape,
    options: &'a TextOptions,
    texts: &'a [Reading],
    targets: Vec<f32>,
    kept_back: Vec<u32>,
    learned: Vec<u32>,
    /// The epoch whose order of products this is.
    order: (u64, Vec<u32>),
    work: Work,
}

impl Learning<'_> {
    /// Texts and vectors of some products.
    fn examples(&self, products: &[u32]) -> (Vec<&Reading>, Vec<f32>) {
        let width = self.shape.out.outputs;
        let texts = products.iter().map(|p| &self.texts[*p as usize]).collect();
        let rows = products
            .iter()
            .flat_map(|p| &self.targets[*p as usize * width..][..width]);
        (texts, rows.copied().collect())
    }
}

impl Stochastic for Learning<'_> {
    fn batches(&self) -> u64 {
        self.learned.len().div_ceil(BATCH) as u64
    }

    fn batch(&mut self, params: &[f32], epoch: u64, batch: u64, gradient: &mut Gradient) -> f64 {
        if self.order.0 != epoch {
            self.order = (epoch, order(self.learned.len(), self.options.seed, epoch));
        }
        let numbers = self.order.1[batch as usize * BATCH..].iter().take(BATCH);
        let products: Vec<u32> = numbers.map(|n| self.learned[*n as usize]).collect();
        let mut work = std::mem::take(&mut self.work);
        let (texts, targets) = self.examples(&products);
        self.shape.forward(params, &texts, &mut work);
        let mut dice = dice(self.options.seed, epoch, batch);
        dropout::drop(self.options.drop, &mut dice, &mut work.found, &mut work.mask);
        let out = &self.shape.out;
        work.y.resize(targets.len(), 0.0);
        out.forward(params, &work.found, &mut work.y, &mut work.pack);
        let value = loss::squared(&mut work.y, out.outputs, &targets, None);
        work.d_found.resize(work.found.len(), 0.0);
        let d_found = Some(&mut work.d_found[..]);
        out.backward(
            params,
            &work.found,
            &work.y,
            d_found,
            gradient.values(),
            &mut work.pack,
        );
        dropout::mask(&work.mask, &mut work.d_found);
        self.shape.backward(params, &mut work, gradient);
        self.work = work;
        value
    }

    fn validate(&mut self, params: &[f32]) -> f64 {
        let mut work = std::mem::take(&mut self.work);
        let out = &self.shape.out;
        let mut sum = 0.0;
        for products in self.kept_back.chunks(BATCH) {
            let (texts, targets) = self.examples(products);
            self.shape.forward(params, &texts, &mut work);
            work.y.resize(targets.len(), 0.0);
            out.forward(params, &work.found, &mut work.y, &mut work.pack);
            sum += loss::squared(&mut work.y, out.outputs, &targets, None) * products.len() as f64;
        }
        self.work = work;
        sum / self.kept_back.len() as f64
    }
}

mod reading;
#[cfg(test)]
mod tests;
