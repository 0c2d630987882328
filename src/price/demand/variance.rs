//! How much brands, categories and products differ in their elasticity, told from the data.
//!
//! Too little variance between groups, and a brand whose buyers are special is pulled to the shop's mean and looks sure
//! of it; too much, and each is left alone with its noise. For brands and categories the variance is the expected square
//! of their deviations given the data, found in rounds (Laird and Ware, Biometrics 38, 1982); for products it is what
//! their own errors do not explain of the deviations (DerSimonian and Laird, Controlled Clinical Trials 7, 1986). Few
//! groups can look equal by chance, and be all too sure: a weak opinion beforehand keeps the variance above zero.

use super::block::dot;
use super::pooled::{Level, absorb_penalty};
use crate::price::regression::qr::Triangle;
use rayon::prelude::*;

/// How much the groups of a level differ.
pub(super) struct Spread<'a> {
    /// Residual variance.
    pub(super) sigma2: f64,
    /// Observations' worth of shrinkage of every coefficient but the price's, and where the price's begins.
    pub(super) shrink: f64,
    /// Squares of each regressor per observation.
    pub(super) squares: &'a [f64],
}

/// What is thought of a level's elasticities before they are seen: as if so many groups had differed by this standard
/// deviation. The data of few groups can make them look equal when they are not, and all too sure.
const PRIOR: (f64, f64) = (3.0, 0.5);
/// Rounds in which the variance between groups settles.
const EM: usize = 12;

impl Spread<'_> {
    /// The groups of a level on what the levels above leave, and the penalty on each of their coefficients.
    pub(super) fn levels(&self, data: Vec<Option<Triangle>>) -> (Vec<Option<Level>>, Vec<f64>) {
        let mut shrink = self.shrink;
        for _ in 0..EM {
            // The expected square of a group's deviation, given the data (Laird and Ware, Biometrics 38, 1982).
            let squares: Vec<f64> = data
                .par_iter()
                .flatten()
                .map(|data| {
                    let solved = self.solved(data, shrink);
                    let mut unit = vec![0.0; data.size];
                    unit[0] = 1.0;
                    solved.forward(&mut unit);
                    solved.solve()[0].powi(2) + self.sigma2 * dot(&unit, &unit)
                })
                .collect();
            let between =
                (squares.iter().sum::<f64>() + PRIOR.0 * PRIOR.1.powi(2)) / (squares.len() as f64 + PRIOR.0);
            let worth = self.sigma2 / (between * self.squares[0]);
            if worth.is_nan() || worth <= 0.0 {
                break; // no price moved, or everything is explained
            }
            shrink = worth.clamp(1.0, 10.0 * self.shrink);
        }
        let levels = data.into_par_iter().map(|data| {
            let data = data?;
            let solved = self.solved(&data, shrink);
            Some(Level {
                coefficients: solved.solve(),
                data,
                solved,
            })
        });
        let penalty = (0..self.squares.len()).map(|j| self.penalty(j, shrink)).collect();
        (levels.collect(), penalty)
    }

    /// The penalty on coefficient `j`, where that on the price is worth `price` observations. A regressor that is constant
    /// within every product has no squares: any penalty makes its coefficient 0.
    fn penalty(&self, j: usize, price: f64) -> f64 {
        let scale = if self.squares[j] > 0.0 {
            self.squares[j]
        } else {
            1.0
        };
        scale * if j == 0 { price } else { self.shrink }
    }

    fn solved(&self, data: &Triangle, price: f64) -> Triangle {
        let mut solved = data.clone();
        absorb_penalty(&mut solved, |j| self.penalty(j, price));
        solved
    }
}

/// What one product says about its own deviation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Own {
    pub(super) price_squares: f64,
    pub(super) products: f64,
    /// Sum of `(w x e)^2`.
    pub(super) meat: f64,
    pub(super) error: f64,
    pub(super) age: f64,
}

/// Products differ at least so much, a standard deviation of 0.15: no two have the same buyers.
const LEAST_BETWEEN: f64 = 0.0225;

/// The variance between products' own deviations that their errors do not explain. `groups`: brands and categories
/// whose elasticities came from the same products and have drawn some of their deviations into them.
pub(super) fn between<'a>(own: impl Iterator<Item = &'a Own>, groups: usize) -> f64 {
    // A deviation `products / squares` has the variance `meat / squares^2`; its weight is one over that.
    let weight = |own: &Own| own.price_squares.powi(2) / own.meat;
    let (mut sum, mut squares, mut distance, mut count) = (0.0, 0.0, 0.0, 0.0);
    for own in own.filter(|own| own.meat > 0.0 && weight(own).is_finite()) {
        let w = weight(own);
        sum += w;
        squares += w * w;
        distance += w * (own.products / own.price_squares).powi(2);
        count += 1.0;
    }
    let free = f64::max(count - groups as f64, count / 2.0);
    let room = (sum - squares / sum) * free / count;
    if room > 0.0 {
        ((distance - free) / room).clamp(LEAST_BETWEEN, 1.0)
    } else {
        LEAST_BETWEEN
    }
}
