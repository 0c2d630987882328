//! Implicit-feedback ALS: everybody and every product as a short vector, a score as their scalar product.
//!
//! Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit feedback datasets", with the frequency-scaled ridge of
//! Rendle et al. 2021, "Revisiting the performance of iALS on item recommendation benchmarks". With a weight w_ui for
//! every pair of a user and a product that met, the loss is
//!
//! `Σ_met w_ui (x_u'y_i - 1)² + α₀ Σ_unmet (x_u'y_i)² + λ (Σ_u (Σ w_u + α₀ I)^ν ‖x_u‖² + Σ_i (Σ w_i + α₀ U)^ν ‖y_i‖²)`
//!
//! for U users and I products that have any weight; [`Unmet`] says over which pairs the second sum runs. Users and
//! products are solved in turns; each row is a ridge regression `A_u x_u = Σ_i w_ui y_i` with
//! `A_u = α₀ Y'Y + Σ_i a_ui y_i y_i' + λ_u I`.
//!
//! What makes it fast: in the basis of the eigenvectors of `Y'Y` everything that the rows share is diagonal, so a step of
//! conjugate gradients (`solve`) costs two passes over the row's own products, not a dense product, and the diagonal
//! is its preconditioner. Both sides are turned into that basis before every half sweep, which changes no score.
//!
//! [`Als::fold_in`] gives any history its vector, so that a history that grew since the fit is served with today's.

mod basis;
mod solve;
#[cfg(test)]
mod tests;

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::{Llt, Solve};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use super::models::Linear;
use crate::fit::{Control, FitError};
use crate::text::Csr;
use basis::turn;
use solve::{System, solve_all, solve_one};

/// The pairs that pull a score to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unmet {
    /// All pairs, those that met too (Rendle et al. 2021).
    All,
    /// Only those that never met (Hu et al. 2008, and the library implicit).
    Others,
}

/// The numbers of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsOptions {
    /// Length of the vectors.
    pub factors: usize,
    /// The ridge λ, above 0.
    pub regularisation: f32,
    /// The weight α₀ of a pair that never met, above 0; that of one that met is given with it.
    pub unobserved: f32,
    /// Which pairs pull to 0.
    pub unmet: Unmet,
    /// How the ridge grows with what is known of a user or product, ν: 0 for one ridge for all, 1 for one in proportion.
    pub exponent: f32,
    /// Sweeps over users and products.
    pub iterations: u32,
    /// Seed of the first vectors.
    pub seed: u64,
}

impl Default for AlsOptions {
    fn default() -> AlsOptions {
        AlsOptions {
            factors: 64,
            regularisation: 0.004,
            unobserved: 0.4,
            unmet: Unmet::All,
            exponent: 1.0,
            iterations: 10,
            seed: 1,
        }
    }
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Als {
    options: AlsOptions,
    width: usize,
    items: Vec<f32>,
    /// `α₀ Y'Y`, diagonal in the basis of `items`.
    base: Vec<f32>,
    /// Products with any weight: I of the ridge.
    active: usize,
}

/// Steps of conjugate gradients per row and half sweep. They go on from the vector of the sweep before, and more of them
/// change no list (measured on Online Retail).
const STEPS: usize = 3;
/// Steps of a vector that starts from nothing, and when it is done: this share of the first residual.
const FOLD_STEPS: usize = 40;
const FOLD_TOLERANCE: f32 = 1e-6;

impl Als {
    /// Fits people (or baskets) × products. Weights must not be negative; zeros count as not met.
    ///
    /// # Errors
    /// [`FitError::Invalid`] for options or weights that make no model, [`FitError::Stopped`] between half sweeps,
    /// [`FitError::Solver`] where the arithmetic overflows.
    pub fn fit(x: &Csr, options: &AlsOptions, control: &Control) -> Result<Als, FitError> {
        check(x, options)?;
        let by_user = without_zeros(x);
        let by_item = by_user.transpose();
        let (users, active) = (active(&by_user), active(&by_item));
        let width = options.factors.next_multiple_of(solve::LANES);
        let mut items = first_vectors(&by_item, options, width);
        let mut people = vec![0.0f32; by_user.rows * width];
        let of_users = ridges(&by_user, options, active);
        let of_items = ridges(&by_item, options, users);
        let steps = u64::from(options.iterations);
        for step in 0..steps {
            control.check()?;
            control.progress("factors", step, steps);
            half(&by_user, &mut people, &mut items, &of_users, options, width)?;
            control.check()?;
            half(&by_item, &mut items, &mut people, &of_items, options, width)?;
        }
        control.progress("factors", steps, steps);
        // The basis in which fold-ins are solved.
        let base = turn(&mut items, &mut [], options.factors, width)?;
        let base = base.iter().map(|value| value * options.unobserved).collect();
        Ok(Als {
            options: *options,
            width,
            items,
            base,
            active,
        })
    }

    /// Length of a vector as it is stored: the factors, and zeros up to a multiple of 8.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of products.
    pub fn products(&self) -> usize {
        self.items.len() / self.width
    }

    /// The vector of a product; all zeros where nobody has it.
    pub fn item(&self, product: usize) -> &[f32] {
        &self.items[product * self.width..][..self.width]
    }

    /// The vectors of all products, one after the other.
    pub fn items(&self) -> &[f32] {
        &self.items
    }

    /// The vector of any history of (product, weight): the row's regression solved to the end. Weights at or below 0 and
    /// products without a vector say nothing.
    pub fn fold_in(&self, profile: &[(u32, f32)]) -> Vec<f32> {
        let mut vector = vec![0.0f32; self.width];
        let (columns, values) = self.speakers(profile);
        let ridge = ridge(
            values.iter().map(|&w| f64::from(w)).sum(),
            &self.options,
            self.active,
        );
        solve_one(
            &self.system(),
            &columns,
            &values,
            ridge,
            FOLD_STEPS,
            FOLD_TOLERANCE,
            &mut vector,
        );
        vector
    }

    /// The scores of all products for many vectors (each [`Als::width`] long): `out` is vectors × products, row after row.
    pub fn scores_of(&self, vectors: &[f32], out: &mut [f32]) {
        let (rows, products) = (vectors.len() / self.width, self.products());
        assert_eq!(out.len(), rows * products, "scores are vectors × products");
        matmul(
            MatMut::from_row_major_slice_mut(out, rows, products),
            Accum::Replace,
            MatRef::from_row_major_slice(vectors, rows, self.width),
            MatRef::from_column_major_slice(&self.items, self.width, products),
            1.0,
            Par::Seq,
        );
    }

    /// Adds what each speaker of a profile gives to the score of each of `targets` (vectors as long as [`Als::width`]: those of
    /// products, or promised ones), times `factor`: `table[speaker * targets.len() + place]`. A history's vector is
    /// `Σ_i w_i A⁻¹ y_i`, so product i gives `w_i t' A⁻¹ y_i` to the target t.
    pub fn add_contributions_to(
        &self,
        targets: &[&[f32]],
        profile: &[(u32, f32)],
        factor: f32,
        table: &mut [f32],
    ) {
        let (columns, values) = self.speakers(profile);
        if columns.is_empty() || targets.is_empty() {
            return;
        }
        let ridge = ridge(
            values.iter().map(|&w| f64::from(w)).sum(),
            &self.options,
            self.active,
        );
        let at = |product: u32, factor: usize| f64::from(self.items[product as usize * self.width + factor]);
        let factors = self.options.factors;
        let speakers = Mat::from_fn(columns.len(), factors, |row, f| at(columns[row], f));
        let taken = taken(&self.options);
        let scaled = Mat::from_fn(columns.len(), factors, |row, f| {
            f64::from(values[row] - taken) * speakers[(row, f)]
        });
        let mut system = Mat::from_fn(factors, factors, |i, j| {
            if i == j {
                f64::from(self.base[i]) + f64::from(ridge)
            } else {
                0.0
            }
        });
        matmul(
            system.as_mut(),
            Accum::Add,
            speakers.transpose(),
            &scaled,
            1.0,
            Par::Seq,
        );
        // Positive definite: a ridge above 0 on top of squares (see the module's essay).
        let Ok(solver) = Llt::new(system.as_ref(), Side::Lower) else {
            return;
        };
        let mut solved = Mat::from_fn(factors, targets.len(), |f, place| f64::from(targets[place][f]));
        solver.solve_in_place(solved.as_mut());
        let mut shares = Mat::zeros(columns.len(), targets.len());
        matmul(shares.as_mut(), Accum::Replace, &speakers, &solved, 1.0, Par::Seq);
        let heard = profile
            .iter()
            .enumerate()
            .filter(|(_, (_, weight))| *weight > 0.0);
        for (row, (speaker, &(_, weight))) in heard.enumerate() {
            for place in 0..targets.len() {
                table[speaker * targets.len() + place] += factor * weight * shares[(row, place)] as f32;
            }
        }
    }

    fn system(&self) -> System<'_> {
        System {
            others: &self.items,
            width: self.width,
            base: &self.base,
            taken: taken(&self.options),
        }
    }

    /// The part of a profile that says something, as columns and weights.
    fn speakers(&self, profile: &[(u32, f32)]) -> (Vec<u32>, Vec<f32>) {
        profile
            .iter()
            .copied()
            .filter(|&(_, weight)| weight > 0.0)
            .unzip()
    }
}

impl Linear for Als {
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]) {
        let vector = self.fold_in(profile);
        let mut own = vec![0.0f32; self.products()];
        self.scores_of(&vector, &mut own);
        for (score, own) in scores.iter_mut().zip(own) {
            *score += factor * own;
        }
    }

    /// See [`Als::add_contributions_to`].
    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]) {
        let targets: Vec<&[f32]> = products
            .iter()
            .map(|&product| self.item(product as usize))
            .collect();
        self.add_contributions_to(&targets, profile, factor, table);
    }
}

fn check(x: &Csr, options: &AlsOptions) -> Result<(), FitError> {
    let positive = |value: f32| value > 0.0 && value.is_finite();
    let bad = if options.factors == 0 {
        "factors must be above 0".to_owned()
    } else if !positive(options.regularisation) || !positive(options.unobserved) {
        format!(
            "regularisation and the unobserved weight must be above 0, not {} and {}",
            options.regularisation, options.unobserved
        )
    } else if !options.exponent.is_finite() {
        format!(
            "the exponent of the ridge must be a number, not {}",
            options.exponent
        )
    } else if let Some(weight) = x.values.iter().find(|&&w| !(w >= 0.0 && w.is_finite())) {
        format!("weights of factors must be 0 or more, not {weight}")
    } else {
        return Ok(());
    };
    Err(FitError::Invalid(bad))
}

/// Solves one side in the basis of the other.
fn half(
    weights: &Csr,
    rows: &mut [f32],
    others: &mut [f32],
    ridges: &[f32],
    options: &AlsOptions,
    width: usize,
) -> Result<(), FitError> {
    let base: Vec<f32> = turn(others, rows, options.factors, width)?
        .iter()
        .map(|value| value * options.unobserved)
        .collect();
    let system = System {
        others,
        width,
        base: &base,
        taken: taken(options),
    };
    solve_all(&system, weights, ridges, STEPS, rows);
    Ok(())
}

/// What the shared part of A has counted of a pair that met.
fn taken(options: &AlsOptions) -> f32 {
    match options.unmet {
        Unmet::All => 0.0,
        Unmet::Others => options.unobserved,
    }
}

/// The ridge of a row with this sum of weights beside `others` rows on the other side.
fn ridge(sum: f64, options: &AlsOptions, others: usize) -> f32 {
    let known = sum + f64::from(options.unobserved) * others as f64;
    (f64::from(options.regularisation) * known.powf(f64::from(options.exponent))) as f32
}

fn ridges(weights: &Csr, options: &AlsOptions, others: usize) -> Vec<f32> {
    (0..weights.rows)
        .map(|row| {
            ridge(
                weights.row(row).1.iter().map(|&w| f64::from(w)).sum(),
                options,
                others,
            )
        })
        .collect()
}

/// Rows with any entry.
fn active(weights: &Csr) -> usize {
    weights
        .offsets
        .windows(2)
        .filter(|pair| pair[0] < pair[1])
        .count()
}

fn without_zeros(x: &Csr) -> Csr {
    let row = |row: usize| {
        let (columns, values) = x.row(row);
        columns
            .iter()
            .copied()
            .zip(values.iter().copied())
            .filter(|&(_, w)| w > 0.0)
            .collect()
    };
    Csr::from_rows(x.columns, (0..x.rows).map(row))
}

/// Small random vectors, of variance 0.01 / factors each; zeros where there is nothing to learn.
fn first_vectors(weights: &Csr, options: &AlsOptions, width: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let scale = 0.1 * (3.0 / options.factors as f32).sqrt();
    let mut vectors = vec![0.0f32; weights.rows * width];
    for (row, vector) in vectors.chunks_exact_mut(width).enumerate() {
        if !weights.row(row).0.is_empty() {
            vector[..options.factors].fill_with(|| scale * (2.0 * random.f32() - 1.0));
        }
    }
    vectors
}
