//! How sure the coefficients are: covariance, standard errors, variance of predictions, variance inflation.
//!
//! Classical errors assume residuals that are independent and of one size. Units sold are neither: a chain-wide
//! promotion moves all stores in one week, so errors that ignore it come out 3 to 10 times too small. The sandwich
//! `(X'X)^-1 (sum of score outer products) (X'X)^-1` asks for less:
//!
//! | kind | score outer products | assumes |
//! |---|---|---|
//! | HC0 | `e^2 x x'` (White, Econometrica 48, 1980) | independence |
//! | HC1 | HC0 times `n / (n - k)` | |
//! | HC2 | `e^2 / (1 - h) x x'`, h the leverage (MacKinnon and White, J. Econometrics 29, 1985) | |
//! | HC3 | `e^2 / (1 - h)^2 x x'` | |
//! | clustered | `s s'`, s the sum of `e x` over a cluster, times `G / (G - 1) (n - 1) / (n - k)` (Liang and Zeger, 1986; the factor of Stata) | independence of clusters |
//!
//! All of it is computed from `Q` and `R`: with `q = R^-T x`, `(X'X)^-1 x x' (X'X)^-1 = R^-1 q q' R^-T`.

use super::{Regression, dot};
use std::collections::BTreeMap;

/// The kind of standard errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors<'a> {
    /// One variance, independent residuals. Under shrinkage `sigma2 (X'X + penalty)^-1`, the spread of the posterior.
    Classical,
    /// White's.
    Hc0,
    /// White's with the small-sample factor.
    Hc1,
    /// Residuals divided by `sqrt(1 - leverage)`.
    Hc2,
    /// Residuals divided by `1 - leverage`: the safest of the four in small samples.
    Hc3,
    /// Residuals may go together inside a cluster: one number per row of the design.
    Clustered(&'a [u32]),
}

/// The covariance matrix of the coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    size: usize,
    values: Vec<f64>,
    /// Clusters, where it is clustered.
    pub clusters: Option<usize>,
}

impl Covariance {
    /// The covariance of coefficients `i` and `j`; 0 with a dropped column.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.size + j]
    }

    /// The standard error of every coefficient; 0 for a dropped column.
    pub fn std_errors(&self) -> Vec<f64> {
        (0..self.size).map(|j| self.at(j, j).max(0.0).sqrt()).collect()
    }

    /// The variance of `row . b`.
    pub fn variance_at(&self, row: &[f64]) -> f64 {
        let sum: f64 = self
            .values
            .chunks_exact(self.size)
            .zip(row)
            .map(|(line, x)| x * dot(line, row))
            .sum();
        sum.max(0.0)
    }
}

impl Regression {
    /// Calls `each` with every row used, its row of `Q` and its leverage.
    fn whitened(&self, mut each: impl FnMut(usize, &[f64], f64)) {
        let mut q = vec![0.0; self.kept.len()];
        for (k, x) in self.prepared.x.chunks_exact(self.prepared.columns).enumerate() {
            for (q, &j) in q.iter_mut().zip(&self.kept) {
                *q = x[j];
            }
            self.triangle.forward(&mut q);
            let group = self.prepared.group_leverage.get(k).copied().unwrap_or(0.0);
            each(k, &q, dot(&q, &q) + group);
        }
    }

    /// The leverage of every row used: the diagonal of the hat matrix, group means included.
    pub fn leverages(&self) -> Vec<f64> {
        let mut leverages = Vec::with_capacity(self.observations);
        self.whitened(|_, _, leverage| leverages.push(leverage));
        leverages
    }

    /// The covariance of the coefficients. Clusters are given per row of the design; fewer than two of them, or no
    /// degree of freedom, leave no such estimate: `None`.
    pub fn covariance(&self, errors: Errors<'_>) -> Option<Covariance> {
        let p = self.kept.len();
        let n = self.observations as f64;
        if self.degrees() <= 0.0 {
            return None;
        }
        let mut middle = vec![0.0; p * p];
        let mut clusters = None;
        match errors {
            Errors::Classical => {
                for i in 0..p {
                    middle[i * p + i] = self.sigma2;
                }
            }
            Errors::Hc0 | Errors::Hc1 | Errors::Hc2 | Errors::Hc3 => self.whitened(|k, q, leverage| {
                let e = self.residuals[k] * self.prepared.root[k];
                // A row that determines its own fit has a residual of rounding alone.
                let free = (1.0 - leverage).max(1e-12);
                let weight = match errors {
                    Errors::Hc1 => e * e * n / self.degrees(),
                    Errors::Hc2 => e * e / free,
                    Errors::Hc3 => e * e / (free * free),
                    _ => e * e,
                };
                add_outer(&mut middle, q, weight);
            }),
            Errors::Clustered(of) => {
                let mut scores: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
                self.whitened(|k, q, _| {
                    let e = self.residuals[k] * self.prepared.root[k];
                    let score = scores.entry(of[self.rows[k]]).or_insert_with(|| vec![0.0; p]);
                    for (score, q) in score.iter_mut().zip(q) {
                        *score += e * q;
                    }
                });
                let number = scores.len() as f64;
                if scores.len() < 2 {
                    return None;
                }
                let factor = number / (number - 1.0) * (n - 1.0) / self.degrees();
                for score in scores.values() {
                    add_outer(&mut middle, score, factor);
                }
                clusters = Some(scores.len());
            }
        }
        Some(self.sandwich(&middle, clusters))
    }

    /// `R^-1 middle R^-T` in the units and places of the design's columns.
    fn sandwich(&self, middle: &[f64], clusters: Option<usize>) -> Covariance {
        let (p, size) = (self.kept.len(), self.prepared.columns);
        let inverse = self.triangle.inverse();
        let mut half = vec![0.0; p * p];
        for i in 0..p {
            for k in i..p {
                let factor = inverse[i * p + k];
                for j in 0..p {
                    half[i * p + j] += factor * middle[k * p + j];
                }
            }
        }
        let mut values = vec![0.0; size * size];
        for i in 0..p {
            for j in i..p {
                let sum = dot(&half[i * p + j..(i + 1) * p], &inverse[j * p + j..(j + 1) * p]);
                let (a, b) = (self.kept[i], self.kept[j]);
                let value = sum / (self.prepared.scale[a] * self.prepared.scale[b]);
                values[a * size + b] = value;
                values[b * size + a] = value;
            }
        }
        Covariance {
            size,
            values,
            clusters,
        }
    }

    /// The variance of what is expected at `row` and, with `sigma2` added, of a new observation there. In a group seen
    /// before, its own mean is part of the estimate.
    pub fn prediction_variance(
        &self,
        row: &[f64],
        group: Option<u32>,
        covariance: &Covariance,
    ) -> (f64, f64) {
        let mean = match group.and_then(|group| self.groups.get(&group)) {
            Some(group) => {
                let off: Vec<f64> = row.iter().zip(&group.x).map(|(x, mean)| x - mean).collect();
                covariance.variance_at(&off) + self.sigma2 / group.weight
            }
            None => covariance.variance_at(row),
        };
        (mean, mean + self.sigma2)
    }

    /// The variance inflation factor of every column: how many times larger its classical variance is than it were
    /// without the other columns, `1 / (1 - R^2)` of the column on the others. `None` for a dropped column and for the
    /// intercept. Above 10 is usually called collinear.
    pub fn variance_inflation(&self) -> Vec<Option<f64>> {
        let p = self.kept.len();
        let inverse = self.triangle.inverse();
        let mut inflation = vec![None; self.prepared.columns];
        for (i, &j) in self.kept.iter().enumerate() {
            if self.prepared.intercept && self.names[j] == "intercept" {
                continue;
            }
            let line = &inverse[i * p + i..(i + 1) * p];
            // The product is 1 at the least but for rounding.
            inflation[j] = Some((dot(line, line) * self.prepared.spread[j]).max(1.0));
        }
        inflation
    }
}

/// `sum += weight v v'`.
fn add_outer(sum: &mut [f64], v: &[f64], weight: f64) {
    for (line, a) in sum.chunks_exact_mut(v.len()).zip(v) {
        let factor = weight * a;
        for (cell, b) in line.iter_mut().zip(v) {
            *cell += factor * b;
        }
    }
}
