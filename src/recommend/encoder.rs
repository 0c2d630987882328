//! The encoder: from a product's text to the vector that buyers would have given it.
//!
//! A product without buyers has no vector in [`super::factors`], but it has words. Over the products that have both, a ridge
//! regression from the features of the text (words, pairs of words, characters inside words) to the vectors learns what
//! the words mean to people; a new product is then scored like any other, `x_u'ŷ`. Measured beside it on two shops,
//! nets over the same characters (hashed n-grams, convolutions over words) were not better than this linear map.
//!
//! W minimises `Σ_known ‖y_i - W'f_i‖² + α ‖W‖²`. Products with the same text are one row of the regression, weighed by
//! their number, because catalogues repeat themselves. The system `(F'F + α I) W = F'Y` is solved for all columns of Y
//! together by conjugate gradients, preconditioned by its diagonal; F stays sparse. To weigh products by their buyers did not
//! help: the vectors of little-bought ones are short already.

use std::collections::HashMap;

use super::factors::Als;
use super::rows;
use crate::fit::{Control, FitError};
use crate::text::Csr;

/// The numbers of a fit.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EncoderOptions {
    /// The ridge α, above 0, for features of unit length.
    pub alpha: f32,
    /// Most steps of conjugate gradients; more than 20 change the ranking of no cut by more than chance would.
    pub steps: u32,
}

impl Default for EncoderOptions {
    fn default() -> EncoderOptions {
        EncoderOptions {
            alpha: 1.0,
            steps: 20,
        }
    }
}

/// Every column is done when its residual has fallen to this share (in the norm of the preconditioner).
const TOLERANCE: f64 = 1e-2;

/// A fitted map from features to vectors.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// Features × width, row after row.
    weights: Vec<f32>,
    width: usize,
    /// Steps it took.
    steps: u32,
}

impl Encoder {
    /// Learns from the products that are `known` (one flag each): a row of `texts` and a vector of `factors` each.
    ///
    /// # Errors
    /// [`FitError::Invalid`] where the three do not have as many products or α is not above 0; [`FitError::Stopped`]
    /// between steps.
    pub fn fit(
        texts: &Csr,
        factors: &Als,
        known: &[bool],
        options: &EncoderOptions,
        control: &Control,
    ) -> Result<Encoder, FitError> {
        if texts.rows != factors.products() || texts.rows != known.len() {
            return Err(FitError::Invalid(format!(
                "{} texts, {} vectors and {} flags are not of the same products",
                texts.rows,
                factors.products(),
                known.len()
            )));
        }
        if !(options.alpha > 0.0 && options.alpha.is_finite()) {
            return Err(FitError::Invalid(format!(
                "alpha of the encoder must be above 0, not {}",
                options.alpha
            )));
        }
        let (features, targets) = distinct(texts, factors, known);
        solve(&features, &targets, factors.width(), options, control)
    }

    /// The vector of a text, as (features, values) of the vectoriser that the fit's texts came from.
    pub fn vector(&self, (features, values): (&[u32], &[f32])) -> Vec<f32> {
        let mut vector = vec![0.0f32; self.width];
        for (&feature, &value) in features.iter().zip(values) {
            let row = &self.weights[feature as usize * self.width..][..self.width];
            for (sum, &w) in vector.iter_mut().zip(row) {
                *sum += value * w;
            }
        }
        vector
    }

    /// The vectors of these rows of `texts`, one after the other, each as wide as those of the fit's factors.
    pub fn vectors(&self, texts: &Csr, products: &[u32]) -> Vec<f32> {
        let chosen: Vec<usize> = products.iter().map(|&product| product as usize).collect();
        let mut vectors = vec![0.0f32; products.len() * self.width];
        rows::product(&texts.select(&chosen), &self.weights, self.width, &mut vectors);
        vectors
    }

    /// Steps that the solution took.
    pub fn steps(&self) -> u32 {
        self.steps
    }
}

/// The known products' texts, each distinct one once and scaled by the root of how often it occurs, with the mean of
/// their vectors scaled alike: the same normal equations from fewer rows.
fn distinct(texts: &Csr, factors: &Als, known: &[bool]) -> (Csr, Vec<f32>) {
    let mut groups: HashMap<(&[u32], Vec<u32>), usize> = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for product in (0..texts.rows).filter(|&product| known[product]) {
        let (features, values) = texts.row(product);
        if features.is_empty() {
            continue;
        }
        let bits = values.iter().map(|value| value.to_bits()).collect();
        let group = *groups.entry((features, bits)).or_insert_with(|| {
            members.push(Vec::new());
            members.len() - 1
        });
        members[group].push(product);
    }
    let width = factors.width();
    let mut targets = vec![0.0f32; members.len() * width];
    for (members, target) in members.iter().zip(targets.chunks_exact_mut(width)) {
        let scale = 1.0 / (members.len() as f32).sqrt();
        for &member in members {
            for (sum, &y) in target.iter_mut().zip(factors.item(member)) {
                *sum += scale * y;
            }
        }
    }
    let scaled = members.iter().map(|members| {
        let (features, values) = texts.row(members[0]);
        let scale = (members.len() as f32).sqrt();
        features
            .iter()
            .copied()
            .zip(values.iter().map(|value| scale * value))
            .collect()
    });
    (Csr::from_rows(texts.columns, scaled), targets)
}

/// `(F'F + α I) W = F'Y` for all columns of Y together.
fn solve(
    features: &Csr,
    targets: &[f32],
    width: usize,
    options: &EncoderOptions,
    control: &Control,
) -> Result<Encoder, FitError> {
    let turned = features.transpose();
    let size = turned.rows * width;
    let inverse: Vec<f32> = (0..turned.rows)
        .map(|feature| {
            let squares: f64 = turned
                .row(feature)
                .1
                .iter()
                .map(|&v| f64::from(v) * f64::from(v))
                .sum();
            (1.0 / (squares + f64::from(options.alpha))) as f32
        })
        .collect();
    let mut weights = vec![0.0f32; size];
    let mut residual = vec![0.0f32; size];
    rows::product(&turned, targets, width, &mut residual);
    let mut direction: Vec<f32> = scaled(&residual, &inverse, width);
    let mut product = vec![0.0f32; size];
    let mut heard = vec![0.0f32; targets.len()];
    let mut left = sums(&residual, &direction, width);
    let enough: Vec<f64> = left.iter().map(|first| first * TOLERANCE * TOLERANCE).collect();
    let mut steps = 0;
    while steps < options.steps && left.iter().zip(&enough).any(|(left, enough)| left > enough) {
        control.check()?;
        rows::product(features, &direction, width, &mut heard);
        rows::product(&turned, &heard, width, &mut product);
        for (q, &d) in product.iter_mut().zip(&direction) {
            *q += options.alpha * d;
        }
        let curvature = sums(&direction, &product, width);
        let lengths = quotients(&left, &curvature);
        for row in 0..turned.rows {
            let at = row * width..(row + 1) * width;
            let (w, r) = (&mut weights[at.clone()], &mut residual[at.clone()]);
            let (d, q) = (&direction[at.clone()], &product[at]);
            for lane in 0..width {
                w[lane] += lengths[lane] * d[lane];
                r[lane] -= lengths[lane] * q[lane];
            }
        }
        let preconditioned = scaled(&residual, &inverse, width);
        let now = sums(&residual, &preconditioned, width);
        let shares = quotients(&now, &left);
        for (d, z) in direction
            .chunks_exact_mut(width)
            .zip(preconditioned.chunks_exact(width))
        {
            for lane in 0..width {
                d[lane] = z[lane] + shares[lane] * d[lane];
            }
        }
        left = now;
        steps += 1;
    }
    Ok(Encoder {
        weights,
        width,
        steps,
    })
}

/// Every row times its number of `by`.
fn scaled(table: &[f32], by: &[f32], width: usize) -> Vec<f32> {
    let mut scaled = table.to_vec();
    for (row, &by) in scaled.chunks_exact_mut(width.max(1)).zip(by) {
        row.iter_mut().for_each(|value| *value *= by);
    }
    scaled
}

/// The scalar products of equal columns of two tables.
fn sums(a: &[f32], b: &[f32], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0f64; width];
    for (a, b) in a.chunks_exact(width.max(1)).zip(b.chunks_exact(width.max(1))) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f64::from(a) * f64::from(b);
        }
    }
    sums
}

/// Quotients, 0 where nothing is left to divide.
fn quotients(above: &[f64], below: &[f64]) -> Vec<f32> {
    let quotient = |(&above, &below): (&f64, &f64)| if below > 0.0 { (above / below) as f32 } else { 0.0 };
    above.iter().zip(below).map(quotient).collect()
}

#[cfg(test)]
mod tests {
    use super::super::factors::AlsOptions;
    use super::*;

    fn options(alpha: f32) -> EncoderOptions {
        EncoderOptions { alpha, steps: 100 }
    }

    /// Reference: numpy, `solve(F.T @ F + 0.7 * eye(4), F.T @ Y)`; rows 0 and 2 of F are equal.
    #[test]
    fn is_the_ridge_regression_of_numpy() {
        let features = Csr::from_rows(
            4,
            [
                vec![(0, 0.6), (1, 0.8)],
                vec![(1, 0.6), (2, 0.8)],
                vec![(0, 0.6), (1, 0.8)],
                vec![(2, 1.0)],
            ],
        );
        let targets = [1.0, 0.0, 0.5, 0.0, 2.0, -1.0, 3.0, 1.0, 0.5, -1.0, 0.5, 0.0];
        let by_numpy = [
            [0.933397, -0.071433, 0.440166],
            [1.119351, 0.730662, -0.026079],
            [-0.656961, 0.747557, -0.336531],
            [0.0, 0.0, 0.0],
        ];
        let encoder = solve(&features, &targets, 3, &options(0.7), &Control::unbounded()).unwrap();
        for (w, by_numpy) in encoder.weights.iter().zip(by_numpy.as_flattened()) {
            assert!((w - by_numpy).abs() < 2e-3, "{w} {by_numpy}");
        }
        for (y, by_numpy) in encoder
            .vector((&[1, 2], &[0.8, 0.6]))
            .iter()
            .zip([0.501304, 1.033063, -0.222782])
        {
            assert!((y - by_numpy).abs() < 2e-3, "{y} {by_numpy}");
        }
    }

    /// Ten people buy what is red, ten what is blue; every product has a word of its own too.
    fn shop() -> (Csr, Als) {
        let texts = (0..12u32).map(|p| vec![(p % 2, 0.8), (2 + p, 0.6)]);
        let rows = (0..20u32).map(|u| {
            (0..10)
                .filter(|p| p % 2 == u % 2 && p / 2 != u / 4)
                .map(|p| (p, 1.0))
                .collect()
        });
        let bought = Csr::from_rows(12, rows.collect::<Vec<_>>());
        let options = AlsOptions {
            factors: 3,
            ..AlsOptions::default()
        };
        (
            Csr::from_rows(14, texts),
            Als::fit(&bought, &options, &Control::unbounded()).unwrap(),
        )
    }

    #[test]
    fn a_new_product_is_worth_what_its_words_are() {
        let (texts, factors) = shop();
        let known: Vec<bool> = (0..12).map(|p| p < 10).collect();
        let encoder = Encoder::fit(&texts, &factors, &known, &options(0.1), &Control::unbounded()).unwrap();
        let vectors = encoder.vectors(&texts, &[10, 11]);
        let width = factors.width();
        for (at, vector) in vectors.chunks(width).enumerate() {
            for (y, one) in vector.iter().zip(encoder.vector(texts.row(10 + at))) {
                assert!((y - one).abs() < 1e-6);
            }
            // Who buys red is offered the new red one, and hardly the other.
            for camp in 0..2 {
                let person = factors.fold_in(&[(camp, 1.0), (2 + camp, 1.0), (4 + camp, 1.0)]);
                let score: f32 = person.iter().zip(vector).map(|(x, y)| x * y).sum();
                assert_eq!(score > 0.3, at == camp as usize, "{score}");
                assert!(score > 0.3 || score.abs() < 0.1, "{score}");
            }
        }
    }

    #[test]
    fn equal_texts_count_as_often_as_they_occur() {
        let (texts, factors) = shop();
        let twice = texts.select(&[0, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let (rows, targets) = distinct(&twice, &factors, &[true; 12]);
        assert_eq!(rows.rows, 11);
        let root = 2f32.sqrt();
        assert!((rows.row(0).1[0] - 0.8 * root).abs() < 1e-6);
        let mean = (factors.item(0)[0] + factors.item(1)[0]) / 2.0;
        assert!((targets[0] - root * mean).abs() < 1e-6);
    }

    #[test]
    fn nothing_to_learn_from_and_nothing_that_fits() {
        let (texts, factors) = shop();
        let fit = |texts: &Csr, known: &[bool], alpha| {
            Encoder::fit(texts, &factors, known, &options(alpha), &Control::unbounded())
        };
        let silent = fit(&texts, &[false; 12], 1.0).unwrap();
        assert_eq!(silent.steps(), 0);
        assert!(silent.vectors(&texts, &[3]).iter().all(|&y| y == 0.0));
        let wordless = fit(&Csr::from_rows(0, vec![vec![]; 12]), &[true; 12], 1.0).unwrap();
        assert!(wordless.vector((&[], &[])).iter().all(|&y| y == 0.0));
        assert!(
            fit(&texts, &[true; 11], 1.0)
                .unwrap_err()
                .to_string()
                .contains("same products")
        );
        for alpha in [0.0, f32::NAN, -1.0] {
            assert!(
                fit(&texts, &[true; 12], alpha)
                    .unwrap_err()
                    .to_string()
                    .contains("alpha")
            );
        }
    }
}
