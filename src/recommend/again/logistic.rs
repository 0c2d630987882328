//! The model: logistic regression on standardised features and products of two, by ridge and L-BFGS.
//!
//! `log odds = b + Σ w_i z_i + Σ_{i ≤ j} w_ij z_i z_j` with `z = (x - mean) / deviation`, cut off at ±6 so that no customer
//! of a kind never seen decides by extrapolation; j and i are the features that are crossed. Minimised is the mean
//! logistic loss plus `ridge / 2 · |w|²`, the intercept free. Rows are f32; sums over blocks of rows are added in the order of the
//! blocks: the same bits with any number of threads.

use rayon::prelude::*;

use crate::fit::{Control, Differentiable, FitError, Lbfgs, Objective, lbfgs};

/// Deviations beyond which a feature says no more.
const FARTHEST: f32 = 6.0;
/// Rows whose sums are added by one thread.
const BLOCK: usize = 2048;

/// Raw features with their outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Features of a row.
    width: usize,
    features: Vec<f32>,
    happened: Vec<bool>,
}

impl Rows {
    /// No rows, of so many features each.
    pub fn new(width: usize) -> Rows {
        Rows {
            width,
            features: Vec::new(),
            happened: Vec::new(),
        }
    }

    /// Adds one row.
    pub fn push(&mut self, features: &[f32], happened: bool) {
        debug_assert_eq!(features.len(), self.width);
        self.features.extend_from_slice(features);
        self.happened.push(happened);
    }

    /// Adds the rows of another.
    pub fn append(&mut self, mut other: Rows) {
        debug_assert_eq!(other.width, self.width);
        self.features.append(&mut other.features);
        self.happened.append(&mut other.happened);
    }

    /// Number of rows, and of those where it happened.
    pub fn counts(&self) -> (usize, usize) {
        let happened = self.happened.iter().filter(|&&happened| happened).count();
        (self.happened.len(), happened)
    }

    /// Mean and one over the deviation (0 where it does not vary) of each feature.
    fn moments(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut sums, mut squares) = (vec![0.0f64; self.width], vec![0.0f64; self.width]);
        for row in self.features.chunks_exact(self.width) {
            for (i, &x) in row.iter().enumerate() {
                sums[i] += f64::from(x);
                squares[i] += f64::from(x) * f64::from(x);
            }
        }
        let n = self.happened.len().max(1) as f64;
        let scale = |(sum, square): (&f64, &f64)| {
            let mean = sum / n;
            let variance = square / n - mean * mean;
            if variance > 1e-9 * (1.0 + mean * mean) {
                (1.0 / variance.sqrt()) as f32
            } else {
                0.0
            }
        };
        let scales = sums.iter().zip(&squares).map(scale).collect();
        (sums.iter().map(|sum| (sum / n) as f32).collect(), scales)
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    mean: Vec<f32>,
    scale: Vec<f32>,
    crossed: Vec<usize>,
    /// The intercept, the features, their products.
    weights: Vec<f32>,
}

impl Logistic {
    /// Fits the rows. `ridge` is the penalty beside the mean loss; `crossed` are the places of the features whose products of
    /// two, squares included, stand beside them.
    ///
    /// # Errors
    /// Those of [`lbfgs`]; [`FitError::Invalid`] for rows of one outcome only.
    pub fn fit(rows: &Rows, crossed: &[usize], ridge: f64, control: &Control) -> Result<Logistic, FitError> {
        let (all, happened) = rows.counts();
        if happened == 0 || happened == all {
            return Err(FitError::Invalid(format!(
                "{happened} of {all} rows happened: they teach nothing"
            )));
        }
        let (mean, scale) = rows.moments();
        let width = 1 + rows.width + crossed.len() * (crossed.len() + 1) / 2;
        let mut model = Logistic {
            mean,
            scale,
            crossed: crossed.to_vec(),
            weights: vec![0.0; width],
        };
        let mut design = vec![0.0f32; all * width];
        design
            .par_chunks_mut(width)
            .zip(rows.features.par_chunks(rows.width))
            .for_each(|(row, features)| model.expand(features, row));
        let loss = Loss {
            design,
            width,
            happened: &rows.happened,
            ridge,
        };
        let mut start = vec![0.0; width];
        start[0] = (happened as f64 / (all - happened) as f64).ln();
        let options = Lbfgs {
            memory: 10,
            max_iterations: 150,
            tolerance: 2e-5,
            cost_tolerance: 1e-8,
            checkpoint: None,
        };
        let fitted = lbfgs(&loss, start, &options, control)?;
        for (weight, &fitted) in model.weights.iter_mut().zip(&fitted.params) {
            *weight = fitted as f32;
        }
        Ok(model)
    }

    /// Standardises the features and multiplies those that are crossed.
    fn expand(&self, features: &[f32], row: &mut [f32]) {
        let n = features.len();
        row[0] = 1.0;
        for i in 0..n {
            row[1 + i] = ((features[i] - self.mean[i]) * self.scale[i]).clamp(-FARTHEST, FARTHEST);
        }
        let mut place = 1 + n;
        for (number, &a) in self.crossed.iter().enumerate() {
            for &b in &self.crossed[number..] {
                row[place] = row[1 + a] * row[1 + b];
                place += 1;
            }
        }
    }

    /// The log odds of these features; `row` is a buffer.
    pub fn log_odds(&self, features: &[f32], row: &mut Vec<f32>) -> f32 {
        row.resize(self.weights.len(), 0.0);
        self.expand(features, row);
        dot(row, &self.weights)
    }

    /// The probability of these features; `row` is a buffer.
    pub fn probability(&self, features: &[f32], row: &mut Vec<f32>) -> f64 {
        1.0 / (1.0 + (-f64::from(self.log_odds(features, row))).exp())
    }
}

/// Eight sums side by side, added in a fixed order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (wide_a, rest_a) = a.as_chunks::<8>();
    let (wide_b, rest_b) = b.as_chunks::<8>();
    for (x, y) in wide_a.iter().zip(wide_b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// The mean loss of a design of rows times `width`.
struct Loss<'a> {
    design: Vec<f32>,
    width: usize,
    happened: &'a [bool],
    ridge: f64,
}

impl Objective for Loss<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut vec![0.0; x.len()])
    }
}

impl Differentiable for Loss<'_> {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let weights: Vec<f32> = x.iter().map(|&w| w as f32).collect();
        let blocks: Vec<(f64, Vec<f32>)> = self
            .design
            .par_chunks(BLOCK * self.width)
            .zip(self.happened.par_chunks(BLOCK))
            .map(|(design, happened)| {
                let (mut cost, mut slope) = (0.0f64, vec![0.0f32; self.width]);
                for (row, &happened) in design.chunks_exact(self.width).zip(happened) {
                    let odds = dot(row, &weights);
                    // log(1 + exp(±odds)) without overflow.
                    let wrong = if happened { -odds } else { odds };
                    cost += f64::from(wrong.max(0.0)) + f64::from((-wrong.abs()).exp().ln_1p());
                    let pull = 1.0 / (1.0 + (-odds).exp()) - if happened { 1.0 } else { 0.0 };
                    for (slope, value) in slope.iter_mut().zip(row) {
                        *slope += pull * value;
                    }
                }
                (cost, slope)
            })
            .collect();
        let n = self.happened.len() as f64;
        let mut cost = 0.0;
        for (part, slope) in &blocks {
            cost += part / n;
            for (sum, value) in gradient.iter_mut().zip(slope) {
                *sum += f64::from(*value) / n;
            }
        }
        for (slope, weight) in gradient.iter_mut().zip(x).skip(1) {
            cost += self.ridge / 2.0 * weight * weight;
            *slope += self.ridge * weight;
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose log odds are 0.5 + x - 2 y + 1.5 x y, x and y uniform in ±1.
    fn rows(n: usize) -> Rows {
        let mut random = fastrand::Rng::with_seed(4);
        let mut rows = Rows::new(3);
        for _ in 0..n {
            let (x, y) = (2.0 * random.f64() - 1.0, 2.0 * random.f64() - 1.0);
            let odds = 0.5 + x - 2.0 * y + 1.5 * x * y;
            rows.push(
                &[x as f32, y as f32, 7.0],
                random.f64() < 1.0 / (1.0 + (-odds).exp()),
            );
        }
        rows
    }

    #[test]
    fn finds_the_odds_that_made_the_rows() {
        let rows = rows(40_000);
        let model = Logistic::fit(&rows, &[0, 1], 1e-7, &Control::unbounded()).unwrap();
        for (x, y) in [(0.0, 0.0), (0.5, -0.5), (-0.8, 0.3), (0.9, 0.9)] {
            let odds = 0.5 + x - 2.0 * y + 1.5 * x * y;
            let found = model.log_odds(&[x as f32, y as f32, 7.0], &mut Vec::new());
            assert!(
                (f64::from(found) - odds).abs() < 0.12,
                "{x} {y}: {found} for {odds}"
            );
        }
        // A ridge that outweighs everything leaves the share of the rows.
        let flat = Logistic::fit(&rows, &[0, 1], 1e6, &Control::unbounded()).unwrap();
        let (all, happened) = rows.counts();
        let share = flat.probability(&[1.0, -1.0, 7.0], &mut Vec::new());
        assert!((share - happened as f64 / all as f64).abs() < 1e-3);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_cost() {
        let rows = rows(300);
        let model = Logistic {
            mean: vec![0.1, 0.0, 7.0],
            scale: vec![1.0, 2.0, 0.0],
            crossed: vec![0, 1],
            weights: Vec::new(),
        };
        let mut design = vec![0.0; 300 * 7];
        for (row, features) in design.chunks_exact_mut(7).zip(rows.features.chunks_exact(3)) {
            model.expand(features, row);
        }
        let loss = Loss {
            design,
            width: 7,
            happened: &rows.happened,
            ridge: 0.3,
        };
        let at = [0.3, -0.2, 0.5, 0.0, 0.7, -0.4, 0.1];
        let mut gradient = vec![0.0; 7];
        loss.cost_and_gradient(&at, &mut gradient);
        for i in 0..7 {
            let (mut up, mut down) = (at, at);
            up[i] += 1e-2;
            down[i] -= 1e-2;
            let slope = (loss.cost(&up) - loss.cost(&down)) / 2e-2;
            assert!((slope - gradient[i]).abs() < 2e-4, "{i}: {slope} {}", gradient[i]);
        }
    }

    #[test]
    fn one_outcome_or_no_number_is_refused() {
        let mut rows = Rows::new(1);
        rows.push(&[1.0], true);
        assert!(matches!(
            Logistic::fit(&rows, &[], 1.0, &Control::unbounded()),
            Err(FitError::Invalid(_))
        ));
        rows.push(&[f32::NAN], false);
        assert!(Logistic::fit(&rows, &[0], 1.0, &Control::unbounded()).is_err());
    }
}
