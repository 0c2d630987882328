//! Tuning: the few numbers of a [`super::models::Mix`], chosen on an inner cut.
//!
//! The objective is NDCG@10 on a seeded sample of the inner cut's users, a staircase without gradient. First a
//! small grid (neighbours times weight of popularity) finds the region, then Nelder-Mead walks on in the logarithms of
//! the decay, the weight of content and the weight of popularity. Budgets are counted; the best point seen wins, and the
//! start (last night's choice) is one of them.

use super::cuts::Cut;
use super::measure::ndcg10;
use super::models::MixSettings;
use super::neighbours::Neighbours;
use super::purpose::Parts;
use crate::fit::{Control, FitError, NelderMead, Objective, nelder_mead};

/// How long tuning may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneOptions {
    /// Iterations of Nelder-Mead.
    pub max_iterations: u64,
    /// Users of the inner cut that are asked, at most.
    pub users: usize,
    /// Seed of their choice.
    pub seed: u64,
}

impl Default for TuneOptions {
    fn default() -> TuneOptions {
        TuneOptions {
            max_iterations: 40,
            users: 2500,
            seed: 1,
        }
    }
}

/// What tuning chose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// The numbers.
    pub settings: MixSettings,
    /// Their NDCG@10 on the inner cut.
    pub ndcg: f64,
    /// Points tried.
    pub evaluations: u64,
}

/// The grid before the walk.
const GRID_K: [u32; 3] = [50, 100, 200];
const GRID_POPULARITY: [f64; 3] = [0.1, 0.3, 1.0];
/// Bounds of the walk: (smallest, largest).
const TAU_DAYS: (f64, f64) = (1.0, 2000.0);
const WEIGHT: (f64, f64) = (1e-3, 10.0);
/// Below this many users an NDCG is noise, and the defaults stand.
const LEAST_USERS: usize = 20;

struct Staircase<'a> {
    cut: &'a Cut,
    parts: &'a Parts,
    content: &'a Neighbours,
    users: Vec<usize>,
    k: u32,
    words: bool,
}

impl Staircase<'_> {
    fn settings(&self, x: &[f64]) -> MixSettings {
        let weight = |x: f64| x.exp().clamp(WEIGHT.0, WEIGHT.1);
        MixSettings {
            k: self.k,
            tau_days: x[0].exp().clamp(TAU_DAYS.0, TAU_DAYS.1),
            popularity: weight(x[1]),
            content: if self.words { weight(x[2]) } else { 0.0 },
        }
    }

    fn point(&self, settings: &MixSettings) -> Vec<f64> {
        let ln = |x: f64, bounds: (f64, f64)| x.clamp(bounds.0, bounds.1).ln();
        let mut x = vec![ln(settings.tau_days, TAU_DAYS), ln(settings.popularity, WEIGHT)];
        if self.words {
            x.push(ln(settings.content, WEIGHT));
        }
        x
    }

    fn ndcg(&self, settings: MixSettings) -> f64 {
        ndcg10(&self.parts.mix(self.content, settings), self.cut, &self.users)
    }
}

impl Objective for Staircase<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        -self.ndcg(self.settings(x))
    }
}

/// Chooses the numbers on `cut` (an inner one), with `parts` fitted on its training part.
///
/// # Errors
/// Only what [`nelder_mead`] says: the night was stopped, or its checkpoint failed.
pub fn tune(
    cut: &Cut,
    parts: &Parts,
    content: &Neighbours,
    start: MixSettings,
    options: &TuneOptions,
    control: &Control,
) -> Result<Tuned, FitError> {
    let words = (0..content.products()).any(|product| !content.of(product).is_empty());
    let users = sample(cut.tested(), options.users, options.seed);
    let mut stairs = Staircase {
        cut,
        parts,
        content,
        users,
        k: start.k,
        words,
    };
    let start = MixSettings {
        content: if words { start.content } else { 0.0 },
        ..start
    };
    if stairs.users.len() < LEAST_USERS {
        return Ok(Tuned {
            settings: start,
            ndcg: stairs.ndcg(start),
            evaluations: 1,
        });
    }
    let mut best = (stairs.ndcg(start), start);
    let mut evaluations = 1;
    for k in GRID_K {
        for popularity in GRID_POPULARITY {
            control.check()?;
            let settings = MixSettings {
                k,
                popularity,
                ..start
            };
            let ndcg = stairs.ndcg(settings);
            evaluations += 1;
            if ndcg > best.0 {
                best = (ndcg, settings);
            }
        }
    }
    stairs.k = best.1.k;
    let walk = NelderMead {
        max_iterations: options.max_iterations,
        tolerance: 2e-5,
        step: 0.7,
        checkpoint: None,
    };
    let fitted = nelder_mead(&stairs, stairs.point(&best.1), &walk, control)?;
    evaluations += fitted.evaluations;
    if -fitted.cost > best.0 {
        best = (-fitted.cost, stairs.settings(&fitted.params));
    }
    Ok(Tuned {
        settings: best.1,
        ndcg: best.0,
        evaluations,
    })
}

/// At most `n` of the users, seeded, in their order.
fn sample(mut users: Vec<usize>, n: usize, seed: u64) -> Vec<usize> {
    if users.len() > n {
        fastrand::Rng::with_seed(seed).shuffle(&mut users);
        users.truncate(n);
        users.sort_unstable();
    }
    users
}
