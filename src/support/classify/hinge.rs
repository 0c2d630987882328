//! One-vs-rest support vector machines with the squared hinge, fitted by dual coordinate descent.
//!
//! For every class minimises `|w|^2 / 2 + C sum(max(0, 1 - y w.x)^2)` over its own weights `w`, `y` being +1 for the
//! rows of the class and -1 for the others, the bias being the weight of a constant feature 1 (so it is penalised):
//! scikit-learn's `LinearSVC(C)`. The dual has one number `alpha >= 0` a row; each is solved exactly in turn, in a new
//! seeded order every pass, and rows that lie safely outside the margin are left out until the end (Hsieh et al., "A Dual
//! Coordinate Descent Method for Large-scale Linear SVM", ICML 2008, algorithm 3 with shrinking).
//!
//! Classes are taken sixteen at a time, a feature's sixteen weights side by side in one cache line: a row is read once
//! for all of them, and its sixteen scores are vector additions. A block of classes is one problem of its own, so blocks
//! run in parallel and no number depends on the threads.
//!
//! With [`LogRatios`] each class sees the features multiplied by how much more often they occur in it than elsewhere:
//! Wang and Manning's "NB-SVM" (ACL 2012). The product is folded into the weights, so the result is an ordinary linear
//! model.

use super::linear::Linear;
use super::ratios::LogRatios;
use crate::fit::{Control, FitError, Sweep, sweep};
use crate::text::Csr;
use rayon::prelude::*;

/// Classes that are fitted together.
pub(in crate::support) const LANES: usize = 16;
/// Passes at the most; twenty are usual.
const MAX_PASSES: u64 = 200;
/// Converged once the violations of a pass lie this close together; LIBLINEAR's default. The accuracy does not move
/// below it.
pub(in crate::support) const TOLERANCE: f64 = 0.1;

/// The dual of all classes: keeps its point, so that the fit with the next larger C starts from the last one.
#[derive(Debug)]
pub(in crate::support) struct Hinge<'a> {
    rows: &'a Csr,
    blocks: Vec<Block>,
    classes: usize,
    seed: u64,
}

/// Up to sixteen classes.
#[derive(Debug)]
struct Block {
    /// Feature by feature, then the bias; sixteen classes side by side.
    weights: Vec<[f32; LANES]>,
    /// Squares of the features' factors in each class, if they have any; beside `weights` but the bias.
    factors: Option<Vec<[f32; LANES]>>,
    /// A row's dual numbers.
    alpha: Vec<[f32; LANES]>,
    /// Which lane is the row's own class; `LANES` = none of this block.
    own: Vec<u8>,
    /// Rows still looked at.
    active: Vec<u32>,
    /// Squared length of a row, in each lane where the lanes differ.
    squares: Vec<[f32; LANES]>,
    /// Largest violation of the last pass: what shrinking compares with.
    bar: f32,
    done: bool,
}

impl<'a> Hinge<'a> {
    /// Sets the problem up; `ratios` make it an NB-SVM.
    pub(in crate::support) fn new(
        rows: &'a Csr,
        labels: &[u32],
        classes: usize,
        ratios: Option<&LogRatios>,
        seed: u64,
    ) -> Hinge<'a> {
        let blocks = (0..classes.div_ceil(LANES))
            .into_par_iter()
            .map(|block| {
                let from = block * LANES;
                let own = labels.iter().map(|&label| {
                    let lane = (label as usize).wrapping_sub(from);
                    lane.min(LANES) as u8
                });
                let factors = ratios.map(|ratios| ratios.squares(from));
                let squares = (0..rows.rows).map(|row| squares(rows, row, factors.as_deref()));
                Block {
                    weights: vec![[0.0; LANES]; rows.columns + 1],
                    alpha: vec![[0.0; LANES]; rows.rows],
                    own: own.collect(),
                    active: Vec::new(),
                    squares: squares.collect(),
                    factors,
                    bar: f32::INFINITY,
                    done: false,
                }
            })
            .collect();
        Hinge {
            rows,
            blocks,
            classes,
            seed,
        }
    }

    /// Fits with this C, from where the last fit ended.
    ///
    /// # Errors
    /// As [`sweep`].
    pub(in crate::support) fn fit(
        &mut self,
        c: f64,
        tolerance: f64,
        control: &Control,
    ) -> Result<Linear, FitError> {
        for block in &mut self.blocks {
            block.active = (0..self.rows.rows as u32).collect();
            (block.bar, block.done) = (f32::INFINITY, false);
        }
        let mut passes = Passes {
            rows: self.rows,
            blocks: &mut self.blocks,
            diagonal: (0.5 / c) as f32,
            tolerance: tolerance as f32,
            seed: self.seed,
        };
        sweep(&mut passes, MAX_PASSES, 0.0, control)?;
        let (classes, columns) = (self.classes, self.rows.columns);
        let mut model = Linear::zero(classes, columns);
        for (number, block) in self.blocks.iter().enumerate() {
            let from = number * LANES;
            let lanes = LANES.min(classes - from);
            for (column, weights) in block.weights[..columns].iter().enumerate() {
                let at = column * classes + from;
                model.weights[at..at + lanes].copy_from_slice(&weights[..lanes]);
            }
            model.bias[from..from + lanes].copy_from_slice(&block.weights[columns][..lanes]);
        }
        Ok(model)
    }
}

/// Squared length of a row in every lane, the constant feature included.
fn squares(rows: &Csr, row: usize, factors: Option<&[[f32; LANES]]>) -> [f32; LANES] {
    let (columns, values) = rows.row(row);
    let mut sum = [1f32; LANES];
    for (&column, &value) in columns.iter().zip(values) {
        match factors {
            None => sum[0] += value * value,
            Some(factors) => {
                for (sum, factor) in sum.iter_mut().zip(&factors[column as usize]) {
                    *sum += value * value * factor;
                }
            }
        }
    }
    if factors.is_none() {
        sum = [sum[0]; LANES];
    }
    sum
}

/// The passes of one C.
struct Passes<'a> {
    rows: &'a Csr,
    blocks: &'a mut [Block],
    diagonal: f32,
    tolerance: f32,
    seed: u64,
}

impl Sweep for Passes<'_> {
    /// 0 once every block is done: each ends on its own, having looked at all of its rows a last time.
    fn sweep(&mut self, pass: u64) -> f64 {
        let (rows, diagonal, tolerance, seed) = (self.rows, self.diagonal, self.tolerance, self.seed);
        let open: Vec<f32> = self
            .blocks
            .par_iter_mut()
            .filter(|block| !block.done)
            .map(|block| block.pass(rows, diagonal, tolerance, seed ^ pass))
            .collect();
        match self.blocks.iter().all(|block| block.done) {
            true => 0.0,
            false => f64::from(open.into_iter().fold(f32::MIN_POSITIVE, f32::max)),
        }
    }
}

impl Block {
    /// One pass over the rows still looked at; returns the largest violation.
    fn pass(&mut self, rows: &Csr, diagonal: f32, tolerance: f32, seed: u64) -> f32 {
        fastrand::Rng::with_seed(seed).shuffle(&mut self.active);
        let bias = self.weights.len() - 1;
        let (mut most, mut least) = (0f32, 0f32);
        let bar = self.bar;
        let (weights, alphas) = (&mut self.weights, &mut self.alpha);
        let (owns, lengths, factors) = (&self.own, &self.squares, self.factors.as_deref());
        self.active.retain(|&row| {
            let row = row as usize;
            let (columns, values) = rows.row(row);
            let mut scores = weights[bias];
            for (&column, &value) in columns.iter().zip(values) {
                let weights = &weights[column as usize];
                for lane in 0..LANES {
                    scores[lane] += value * weights[lane];
                }
            }
            let own = usize::from(owns[row]);
            let (alpha, square) = (&mut alphas[row], &lengths[row]);
            let mut steps = [0f32; LANES];
            let (mut moved, mut kept) = (false, false);
            for lane in 0..LANES {
                let side = if lane == own { 1f32 } else { -1.0 };
                let slope = side * scores[lane] - 1.0 + diagonal * alpha[lane];
                if alpha[lane] == 0.0 && slope >= 0.0 {
                    kept |= slope <= bar;
                    continue;
                }
                kept = true;
                most = most.max(slope);
                least = least.min(slope);
                if slope.abs() > 1e-6 {
                    let next = (alpha[lane] - slope / (square[lane] + diagonal)).max(0.0);
                    steps[lane] = (next - alpha[lane]) * side;
                    alpha[lane] = next;
                    moved |= steps[lane] != 0.0;
                }
            }
            if moved {
                for (&column, &value) in columns.iter().zip(values) {
                    let weights = &mut weights[column as usize];
                    match factors {
                        None => {
                            for lane in 0..LANES {
                                weights[lane] += value * steps[lane];
                            }
                        }
                        Some(factors) => {
                            let factors = &factors[column as usize];
                            for lane in 0..LANES {
                                weights[lane] += value * factors[lane] * steps[lane];
                            }
                        }
                    }
                }
                for lane in 0..LANES {
                    weights[bias][lane] += steps[lane];
                }
            }
            kept
        });
        if most - least <= tolerance {
            if self.active.len() == rows.rows {
                self.done = true;
            } else {
                self.active = (0..rows.rows as u32).collect();
                self.bar = f32::INFINITY;
                return most - least;
            }
        }
        self.bar = if most > 0.0 { most } else { f32::INFINITY };
        most - least
    }
}
