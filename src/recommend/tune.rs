//! Tuning: every number of [`Settings`], chosen on inner cuts of the shop's own past, never on the part that judges.
//!
//! In two rounds, both by Nelder-Mead through [`crate::fit`] on NDCG@10, a staircase without gradient:
//!
//! 1. *Each model by itself*, on the latest inner cut: the ridge of both EASEs and the regularisation of ALS in logarithms,
//!    then how fast a profile fades, and what a view counts beside a purchase.
//! 2. *The blend*, on all inner cuts at once: windows of lift and popularity by trial, then all weights and powers in
//!    logarithms over [`Sheet`]s, then every component is left out on trial: what does not help does not stay.
//!
//! Two inner cuts, one after the other in time, because one is one season. Budgets are counted; the start (what is
//! published, where there is something) is always among the points. Most nights tune nothing: see [`super::memory`].

mod blend;
mod models;
mod signs;

use super::blend::Blend;
use super::cuts::Cut;
use super::fitted::{Limits, Models};
use super::log::Log;
use super::neighbours::Neighbours;
use super::purpose::Purpose;
use super::recurrent::{self, Learning, Weighed};
use super::sessions::network::Network;
use super::settings::{Settings, WORDS};
use super::sheet::Sheet;
use crate::fit::{Control, FitError, Objective};

pub use self::signs::tune_signs;

/// How long tuning may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneOptions {
    /// Iterations of Nelder-Mead over the blend.
    pub blend_iterations: u64,
    /// Iterations per model that look for its ridge.
    pub model_iterations: u64,
    /// Users of an inner cut that are asked about the blend, at most.
    pub users: usize,
    /// Users asked about each model by itself, at most.
    pub model_users: usize,
    /// Seed of their choice.
    pub seed: u64,
    /// How large models may grow on inner cuts.
    pub limits: Limits,
}

impl TuneOptions {
    /// The usual budget.
    pub fn new(seed: u64, limits: Limits) -> TuneOptions {
        TuneOptions {
            blend_iterations: 90,
            model_iterations: 3,
            users: 2000,
            model_users: 800,
            seed,
            limits: limits.inner(),
        }
    }
}

/// What tuning chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The numbers.
    pub settings: Settings,
    /// How the blend did with them on the inner cuts; `None` where nobody could be asked and the start stands unmeasured,
    /// or where the night rested on numbers of an earlier one.
    pub inner: Option<Inner>,
    /// The network of the latest inner cut and what it adds there; `None` where none was learned.
    pub network: Option<(Network, Weighed)>,
}

/// What the inner cuts said of the numbers chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// The mean NDCG@10 over the cuts, of pools of candidates (see [`Sheet`]).
    pub ndcg: f64,
    /// How many cuts.
    pub cuts: usize,
    /// Customers asked, over all cuts.
    pub users: usize,
    /// Points tried.
    pub evaluations: u64,
    /// What EASE was fitted on at the latest cut, where that was not every product.
    pub ease: Option<String>,
}

/// Below this many users an NDCG is noise, and the start stands.
const LEAST_USERS: usize = 20;
/// Bounds of all weights, smallest and largest.
const WEIGHT: (f64, f64) = (1e-3, 30.0);

/// A cost over a few numbers.
struct Walk<F>(F);

impl<F: Fn(&[f64]) -> f64> Objective for Walk<F> {
    fn cost(&self, x: &[f64]) -> f64 {
        (self.0)(x)
    }
}

/// Chooses all numbers on the inner cuts, the latest first.
///
/// # Errors
/// The night was stopped, or a fit failed.
pub fn tune(
    log: &Log,
    inner: &[Cut],
    purpose: Purpose,
    words: &Neighbours,
    start: Settings,
    options: &TuneOptions,
    learning: Option<&Learning>,
    control: &Control,
) -> Result<Tuned, FitError> {
    let mut settings = Settings {
        network: 0.0,
        ..start
    };
    let texts = (0..words.products()).any(|product| !words.of(product).is_empty());
    if !texts {
        settings.weights[WORDS] = 0.0;
    }
    let enough: Vec<&Cut> = inner
        .iter()
        .filter(|cut| cut.tested().len() >= LEAST_USERS)
        .collect();
    let Some(latest) = enough.first() else {
        return Ok(Tuned {
            settings,
            inner: None,
            network: None,
        });
    };
    let mut evaluations = 0;
    models::tune(
        log,
        latest,
        purpose,
        words,
        &mut settings,
        &mut evaluations,
        options,
        control,
    )?;
    let mut models = Vec::with_capacity(enough.len());
    for cut in &enough {
        control.check()?;
        models.push(Models::fit(
            log,
            cut,
            purpose,
            &settings,
            options.limits,
            control,
        )?);
    }
    let sheets: Vec<Sheet<'_>> = enough
        .iter()
        .zip(&models)
        .map(|(cut, models)| {
            let users = sample(cut.tested(), options.users, options.seed);
            Sheet::new(models, words, cut, &users, &settings)
        })
        .collect();
    let ndcg = blend::tune(&sheets, texts, &mut settings, &mut evaluations, options, control)?;
    let network = match learning.filter(|_| recurrent::hindrance(&latest.train).is_none()) {
        Some(learning) => {
            let network = learning.learn(&latest.train, None, "the inner cut", control)?;
            let blend = Blend::new(&models[0], words, &settings);
            let users = sample(latest.tested(), options.users, options.seed);
            let weighed = recurrent::weigh(&blend, &network, latest, &users);
            if weighed.is_worth_it() {
                settings.network = weighed.weight;
            }
            Some((network, weighed))
        }
        None => None,
    };
    Ok(Tuned {
        settings,
        network,
        inner: Some(Inner {
            ndcg,
            cuts: sheets.len(),
            users: sheets.iter().map(Sheet::users).sum(),
            evaluations,
            ease: models.first().and_then(|models| models.ease.cut()),
        }),
    })
}

/// At most `n` of the users, seeded, in their order.
pub fn sample(mut users: Vec<usize>, n: usize, seed: u64) -> Vec<usize> {
    if users.len() > n {
        fastrand::Rng::with_seed(seed).shuffle(&mut users);
        users.truncate(n);
        users.sort_unstable();
    }
    users
}
