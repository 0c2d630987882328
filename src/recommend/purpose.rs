//! Purpose: what the lists are for, and all that follows from it.
//!
//! The two uses ask different questions (measured on Online Retail: a decayed profile lifts the completion of a basket by
//! 14 %, and does next to nothing for the next weeks), so each has its cut, its way of counting age, and its own tuned
//! numbers.

use super::cuts::Cut;
use super::log::{Log, Strengths};

/// What the lists are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What people will buy in the next weeks: the global time cut.
    #[default]
    NextWeeks,
    /// What completes the basket being filled: the cut inside each user's history (`time20`).
    Basket,
}

/// The share of the past that trains.
const TRAIN_SHARE: f64 = 0.8;
/// The share of a user's products that tests; not written 1 - 0.8, which is a little less than 0.2 and would take
/// one product of ten instead of two.
const TEST_SHARE: f64 = 0.2;
/// Users with fewer products are not tested by the cut inside histories.
const LEAST_PRODUCTS: usize = 5;

impl Purpose {
    /// The cut on which models of this purpose are judged.
    pub fn cut(self, log: &Log, strengths: &Strengths) -> Cut {
        match self {
            Purpose::NextWeeks => Cut::global(log, strengths, TRAIN_SHARE),
            Purpose::Basket => Cut::per_user(log, strengths, TEST_SHARE, LEAST_PRODUCTS),
        }
    }

    /// The same cut once more inside a training part, for tuning.
    pub fn inner(self, cut: &Cut, log: &Log, strengths: &Strengths) -> Cut {
        match self {
            Purpose::NextWeeks => cut.inner_global(log, strengths, TRAIN_SHARE),
            Purpose::Basket => cut.inner_per_user(log, strengths, TEST_SHARE, LEAST_PRODUCTS),
        }
    }

    /// The inner cuts on which numbers are tuned, the latest first: for the weeks to come two, one before the other, because
    /// one is one season; for baskets one, which has every user in it.
    pub fn inner_cuts(self, outer: &Cut, log: &Log, strengths: &Strengths) -> Vec<Cut> {
        let latest = self.inner(outer, log, strengths);
        match self {
            Purpose::NextWeeks => {
                let before = self.inner(&latest, log, strengths);
                vec![latest, before]
            }
            Purpose::Basket => vec![latest],
        }
    }

    /// The name of the cut in `scores.split`.
    pub fn split(self) -> &'static str {
        match self {
            Purpose::NextWeeks => "global time cut, last 20 % of pairs",
            Purpose::Basket => "last 20 % of each user's products",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind};
    use super::*;

    #[test]
    fn a_fifth_of_ten_is_two() {
        let events = (0..20u32).map(|line| Interaction {
            user: Some(line / 10),
            product: line % 10,
            kind: Kind::Purchase,
            quantity: 1.0,
            rating: 0.0,
            at: i64::from(line),
            basket: 0,
            line,
        });
        let log = Log::new(2, 10, events.collect());
        let strengths = Strengths::default();
        let cut = Purpose::Basket.cut(&log, &strengths);
        // Both users lose the same two, so nobody is left to make them known.
        assert_eq!((cut.test[1].len(), cut.cold), (0, 4));
        assert_eq!(cut.train.of(0).len(), 8);
        assert_eq!(Purpose::Basket.inner(&cut, &log, &strengths).train.of(0).len(), 7);
    }
}
