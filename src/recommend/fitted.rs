//! Fitted models: everything that is learned from one training part.
//!
//! A night fits the same set several times: on the training parts of the inner cuts, where numbers are tuned, on that
//! of the outer cut, where the choice is judged, and on everything, from which the published lists come. What differs
//! is the part and how large the dense models may grow ([`Limits`]).

use std::sync::Arc;

use super::cuts::Cut;
use super::demand::Demand;
use super::ease::{Ease, EaseOptions};
use super::factors::{Als, AlsOptions};
use super::log::Log;
use super::matrix::{by_basket, by_user};
use super::neighbours::Neighbours;
use super::profile::{AgeFrom, Decay};
use super::purpose::Purpose;
use super::sessions::network::Network;
use super::settings::{ALS, Settings};
use crate::fit::{Control, FitError};

/// How large models may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bought products in EASE's primal form (option `ease_products`); half of them over baskets.
    pub ease_products: usize,
    /// Factors of ALS.
    pub factors: usize,
    /// Sweeps of ALS.
    pub sweeps: u32,
    /// Neighbours kept per product.
    pub neighbours: usize,
}

impl Limits {
    /// Of the outer cut and of the published models.
    pub fn full(ease_products: usize) -> Limits {
        Limits {
            ease_products,
            factors: 64,
            sweeps: 10,
            neighbours: 200,
        }
    }

    /// Of the inner cuts, where the dense models see fewer products.
    pub fn inner(self) -> Limits {
        self.at_most(4000)
    }

    /// Of the many fits that look for a ridge: which of two is better shows on the best sellers alone and after a few
    /// sweeps.
    pub fn searching(self) -> Limits {
        Limits {
            sweeps: self.sweeps.min(4),
            ..self.at_most(2000)
        }
    }

    fn at_most(self, products: usize) -> Limits {
        Limits {
            ease_products: self.ease_products.min(products),
            ..self
        }
    }
}

/// The models of one training part.
#[derive(Debug)]
pub struct Models {
    /// EASE over users.
    pub ease: Ease,
    /// EASE over baskets.
    pub baskets: Ease,
    /// Implicit-feedback ALS; shared with what speaks for new products.
    pub als: Arc<Als>,
    /// Nearest by behaviour; shared, because it is wanted for longer than the dense models beside it.
    pub behaviour: Arc<Neighbours>,
    /// What sells now; shared likewise.
    pub demand: Arc<Demand>,
    /// From where ages count.
    pub age_from: AgeFrom,
    /// The network over histories, where one was learned from this part.
    pub network: Option<Arc<Network>>,
}

/// The options of EASE over users.
pub fn ease_options(settings: &Settings, limits: Limits) -> EaseOptions {
    EaseOptions {
        lambda: settings.ease_lambda as f32,
        most: limits.ease_products,
    }
}

/// The options of EASE over baskets.
pub fn basket_options(settings: &Settings, limits: Limits) -> EaseOptions {
    EaseOptions {
        lambda: settings.basket_lambda as f32,
        most: (limits.ease_products / 2).max(1),
    }
}

/// The options of ALS.
pub fn als_options(settings: &Settings, limits: Limits) -> AlsOptions {
    AlsOptions {
        factors: limits.factors,
        regularisation: settings.als_regularisation as f32,
        iterations: limits.sweeps,
        ..AlsOptions::default()
    }
}

/// From where ages count: the newest event of the part for the weeks that follow it, the user's own for a basket.
pub fn age_from(cut: &Cut, purpose: Purpose) -> AgeFrom {
    match purpose {
        Purpose::NextWeeks => AgeFrom::Instant(cut.train.newest().unwrap_or(0)),
        Purpose::Basket => AgeFrom::OwnNewest,
    }
}

impl Models {
    /// Fits every model on the training part of `cut`.
    ///
    /// # Errors
    /// The night was stopped, or a matrix could not be inverted.
    pub fn fit(
        log: &Log,
        cut: &Cut,
        purpose: Purpose,
        settings: &Settings,
        limits: Limits,
        control: &Control,
    ) -> Result<Models, FitError> {
        let age_from = age_from(cut, purpose);
        let decay = Decay {
            tau_days: settings.tau_days[ALS],
            from: age_from,
        };
        // Each is single-threaded or thread-independent, so two at a time change nothing but the wait.
        let (eases, others) = rayon::join(
            || {
                let users = by_user(&cut.train, Decay::flat());
                let ease = Ease::fit(&users, &ease_options(settings, limits), control)?;
                drop(users);
                let baskets = Ease::fit(&by_basket(log, cut), &basket_options(settings, limits), control)?;
                Ok::<_, FitError>((ease, baskets))
            },
            || {
                let als = Als::fit(
                    &by_user(&cut.train, decay),
                    &als_options(settings, limits),
                    control,
                )?;
                let behaviour = Neighbours::item_cosine(&cut.train, limits.neighbours);
                Ok::<_, FitError>((als, behaviour))
            },
        );
        let ((ease, baskets), (als, behaviour)) = (eases?, others?);
        control.check()?;
        Ok(Models {
            ease,
            baskets,
            als: Arc::new(als),
            behaviour: Arc::new(behaviour),
            demand: Arc::new(Demand::count(&cut.train, cut.train.newest().unwrap_or(0))),
            age_from,
            network: None,
        })
    }
}
