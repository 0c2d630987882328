//! The first round: the numbers inside the models, each model by itself on the latest inner cut.

use super::{TuneOptions, Walk, sample};
use crate::fit::{Control, FitError, NelderMead, nelder_mead};
use crate::recommend::cuts::Cut;
use crate::recommend::demand::Demand;
use crate::recommend::ease::Ease;
use crate::recommend::factors::Als;
use crate::recommend::fitted::{age_from, als_options, basket_options, ease_options};
use crate::recommend::history::Signal;
use crate::recommend::log::Log;
use crate::recommend::matrix::{by_basket, by_user};
use crate::recommend::measure::ndcg10;
use crate::recommend::models::{Alone, Linear, Memo, Scorer};
use crate::recommend::neighbours::{Nearest, Neighbours};
use crate::recommend::profile::Decay;
use crate::recommend::purpose::Purpose;
use crate::recommend::settings::{ALS, BASKETS, COSINE, EASE, Settings, WORDS};

/// Fading times on trial, in days.
const TAUS_WEEKS: [f64; 4] = [f64::INFINITY, 180.0, 60.0, 30.0];
const TAUS_BASKET: [f64; 4] = [f64::INFINITY, 60.0, 30.0, 10.0];
/// Bounds of the walks, smallest and largest.
const LAMBDA: (f64, f64) = (1.0, 1e6);
const REGULARISATION: (f64, f64) = (1e-5, 1e2);

/// A model by itself with the lift of its cut, which decides more than the model does: what is compared must be compared
/// as it is used.
struct Lifted<'a, M> {
    alone: Alone<M>,
    lift: &'a [f32],
}

impl<M: Linear> Scorer for Lifted<'_, M> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        let memo = self.alone.score(history, scores);
        scores
            .iter_mut()
            .zip(self.lift)
            .for_each(|(score, lift)| *score *= lift);
        memo
    }

    fn reasons(&self, history: &[Signal], products: &[u32], memo: &Memo) -> Vec<u32> {
        self.alone.reasons(history, products, memo)
    }
}

/// Sets the numbers of every model in `settings`.
pub(super) fn tune(
    log: &Log,
    cut: &Cut,
    purpose: Purpose,
    words: &Neighbours,
    settings: &mut Settings,
    evaluations: &mut u64,
    options: &TuneOptions,
    control: &Control,
) -> Result<(), FitError> {
    let users = sample(cut.tested(), options.model_users, options.seed);
    let from = age_from(cut, purpose);
    let demand = Demand::count(&cut.train, cut.train.newest().unwrap_or(0));
    let lift = demand.lift(
        usize::from(settings.lift_window),
        settings.lift_prior,
        settings.lift_power,
    );
    let worth = |model: &dyn Linear, tau_days: f64| {
        let decay = Decay { tau_days, from };
        let alone = Alone { model, decay };
        ndcg10(&Lifted { alone, lift: &lift }, cut, &users)
    };
    let taus: &[f64] = match purpose {
        Purpose::NextWeeks => &TAUS_WEEKS,
        Purpose::Basket => &TAUS_BASKET,
    };
    // The best of the start and the taus on trial, with its worth.
    let fade = |model: &dyn Linear, start: f64, evaluations: &mut u64| {
        let mut best = (worth(model, start), start);
        for &tau in taus.iter().filter(|&&tau| tau != start) {
            let found = worth(model, tau);
            if found > best.0 {
                best = (found, tau);
            }
        }
        *evaluations += 1 + taus.len() as u64;
        best
    };
    let iterations = options.model_iterations;
    let user_rows = by_user(&cut.train, Decay::flat());
    let basket_rows = by_basket(log, cut);
    for number in [EASE, BASKETS] {
        control.check()?;
        let rows = if number == EASE { &user_rows } else { &basket_rows };
        let at = |lambda: f64, settings: &Settings| {
            let trial = Settings {
                ease_lambda: lambda,
                basket_lambda: lambda,
                ..*settings
            };
            let ease = if number == EASE {
                ease_options(&trial, options.limits.searching())
            } else {
                basket_options(&trial, options.limits.searching())
            };
            Ease::fit(rows, &ease, control)
        };
        let start = if number == EASE {
            settings.ease_lambda
        } else {
            settings.basket_lambda
        };
        let tau = settings.tau_days[number];
        let cost = |lambda: f64| at(lambda, settings).map(|ease| -worth(&ease, tau));
        let lambda = walk(start, LAMBDA, iterations, evaluations, control, cost)?;
        let (_, tau) = fade(&at(lambda, settings)?, tau, evaluations);
        settings.tau_days[number] = tau;
        if number == EASE {
            settings.ease_lambda = lambda;
        } else {
            settings.basket_lambda = lambda;
        }
    }
    control.check()?;
    let als_at = |regularisation: f64, tau_days: f64, settings: &Settings| {
        let trial = Settings {
            als_regularisation: regularisation,
            ..*settings
        };
        Als::fit(
            &by_user(&cut.train, Decay { tau_days, from }),
            &als_options(&trial, options.limits.searching()),
            control,
        )
    };
    let tau = settings.tau_days[ALS];
    let cost = |regularisation: f64| als_at(regularisation, tau, settings).map(|als| -worth(&als, tau));
    let regularisation = walk(
        settings.als_regularisation,
        REGULARISATION,
        iterations,
        evaluations,
        control,
        cost,
    )?;
    // ALS learns from what has faded too, so each fading time is a fit of its own.
    let mut best = (f64::NEG_INFINITY, tau);
    for &tau in std::iter::once(&tau).chain(taus.iter().filter(|&&other| other != tau)) {
        control.check()?;
        let found = worth(&als_at(regularisation, tau, settings)?, tau);
        *evaluations += 1;
        if found > best.0 {
            best = (found, tau);
        }
    }
    (settings.als_regularisation, settings.tau_days[ALS]) = (regularisation, best.1);
    let behaviour = Neighbours::item_cosine(&cut.train, options.limits.neighbours);
    let nearest = |lists, k| Nearest { lists, k };
    settings.tau_days[COSINE] = fade(&nearest(&behaviour, 100), settings.tau_days[COSINE], evaluations).1;
    settings.tau_days[WORDS] = fade(&nearest(words, usize::MAX), settings.tau_days[WORDS], evaluations).1;
    Ok(())
}

/// One number by Nelder-Mead in its logarithm, from `start`, within `bounds`.
fn walk(
    start: f64,
    bounds: (f64, f64),
    iterations: u64,
    evaluations: &mut u64,
    control: &Control,
    cost: impl Fn(f64) -> Result<f64, FitError>,
) -> Result<f64, FitError> {
    let failed = std::cell::RefCell::new(None);
    let objective = Walk(|x: &[f64]| match cost(x[0].exp().clamp(bounds.0, bounds.1)) {
        Ok(cost) => cost,
        Err(error) => {
            failed.borrow_mut().get_or_insert(error);
            f64::INFINITY
        }
    });
    let options = NelderMead {
        max_iterations: iterations,
        tolerance: 1e-5,
        step: 1.2,
        checkpoint: None,
    };
    let found = nelder_mead(
        &objective,
        vec![start.clamp(bounds.0, bounds.1).ln()],
        &options,
        control,
    );
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    let found = found?;
    *evaluations += found.evaluations;
    Ok(found.params[0].exp().clamp(bounds.0, bounds.1))
}
