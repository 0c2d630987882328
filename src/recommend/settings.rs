//! Settings: every number that the evaluation chooses, in one place.
//!
//! They are kept with the published generation (see [`super::memory`]): the next night rests on them, or starts from them and is
//! judged beside them.

use super::demand::WINDOWS;
use super::purpose::Purpose;

/// The personal models that are blended, by the names of [`COMPONENTS`].
pub const EASE: usize = 0;
/// EASE over baskets.
pub const BASKETS: usize = 1;
/// Implicit-feedback ALS.
pub const ALS: usize = 2;
/// Item cosine.
pub const COSINE: usize = 3;
/// Likeness of words.
pub const WORDS: usize = 4;
/// Their names in `scores`.
pub const COMPONENTS: [&str; 5] = ["ease", "ease_baskets", "als", "item_cosine", "content_words"];

/// The tuned numbers of a blend and of the models in it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// EASE's ridge over users.
    pub ease_lambda: f64,
    /// EASE's ridge over baskets.
    pub basket_lambda: f64,
    /// The regularisation of ALS.
    pub als_regularisation: f64,
    /// Factor on the strengths of everything but a purchase (views, wishes, carts, ratings).
    pub signs: f64,
    /// Days after which a signal of the profile has faded to 37 %, per component; infinite = never. ALS is also fitted on
    /// strengths faded that way.
    pub tau_days: [f64; COMPONENTS.len()],
    /// Weight of each component; 0 leaves it out.
    pub weights: [f64; COMPONENTS.len()],
    /// Number of the window of the lift in [`WINDOWS`].
    pub lift_window: u8,
    /// How many pairs the lift is shrunk by.
    pub lift_prior: f64,
    /// The power of the lift; 0 leaves it out.
    pub lift_power: f64,
    /// Number of the window of popularity in [`WINDOWS`].
    pub popularity_window: u8,
    /// Weight of popularity beside the lifted personal score; both at most 1.
    pub popularity: f64,
    /// Weight of the [network](super::recurrent) beside the blend; 0 where it has nothing to add.
    pub network: f64,
}

impl Settings {
    /// Where tuning starts in a shop that was never tuned: what did well on the inner cuts of real shops.
    pub fn start(purpose: Purpose) -> Settings {
        let (tau, lift, popularity) = match purpose {
            Purpose::NextWeeks => (f64::INFINITY, 0.5, 0.25),
            Purpose::Basket => (30.0, 0.1, 0.12),
        };
        Settings {
            ease_lambda: 200.0,
            basket_lambda: 200.0,
            als_regularisation: 0.004,
            signs: 1.0,
            tau_days: [tau, tau, if tau.is_finite() { 60.0 } else { tau }, tau, tau],
            weights: [1.0, 0.5, 0.5, 0.5, 0.5],
            lift_window: 1,
            lift_prior: 2.0,
            lift_power: lift,
            popularity_window: 0,
            popularity,
            network: 0.0,
        }
    }

    /// Whether models fitted with the other's numbers are those fitted with these.
    pub fn fits_like(&self, other: &Settings) -> bool {
        self.ease_lambda == other.ease_lambda
            && self.basket_lambda == other.basket_lambda
            && self.als_regularisation == other.als_regularisation
            && self.signs == other.signs
            && self.tau_days[ALS] == other.tau_days[ALS]
    }

    /// Whether every number is one that a fit can use: what is read back from a file is not trusted.
    pub fn is_sane(&self) -> bool {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        positive(self.ease_lambda)
            && positive(self.basket_lambda)
            && positive(self.als_regularisation)
            && self.signs >= 0.0
            && self.signs.is_finite()
            && self.tau_days.iter().all(|&tau| tau > 0.0)
            && self.weights.iter().all(|&w| w >= 0.0 && w.is_finite())
            && self.weights.iter().any(|&w| w > 0.0)
            && usize::from(self.lift_window) < WINDOWS.len()
            && usize::from(self.popularity_window) < WINDOWS.len()
            && positive(self.lift_prior)
            && self.lift_power >= 0.0
            && self.lift_power.is_finite()
            && self.popularity >= 0.0
            && self.popularity.is_finite()
            && self.network >= 0.0
            && self.network.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_checked() {
        for purpose in [Purpose::NextWeeks, Purpose::Basket] {
            let start = Settings::start(purpose);
            assert!(start.is_sane());
            let bytes = postcard::to_stdvec(&start).unwrap();
            assert_eq!(postcard::from_bytes::<Settings>(&bytes).unwrap(), start);
            for broken in [
                Settings {
                    ease_lambda: f64::NAN,
                    ..start
                },
                Settings {
                    lift_window: 9,
                    ..start
                },
                Settings {
                    weights: [0.0; 5],
                    ..start
                },
                Settings {
                    tau_days: [-1.0; 5],
                    ..start
                },
                Settings {
                    network: f64::INFINITY,
                    ..start
                },
            ] {
                assert!(!broken.is_sane(), "{broken:?}");
            }
        }
    }
}
