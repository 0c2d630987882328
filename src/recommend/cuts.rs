//! Cuts: which part of the past a model may see, and what it must then predict.
//!
//! Two protocols, one for each use of a list:
//!
//! - [`Cut::global`]: one instant for everybody, the 80 % quantile of the first times of all pairs. What the
//!   next weeks bring: the honest measure of a nightly job.
//! - [`Cut::per_user`] (`time20`): the last fifth of every user's own products. It cuts through invoices, so
//!   it measures how well a basket is completed.
//!
//! Either way a pair is a distinct (user, product) with the time of its first purchase, ties of time are broken
//! by line, and *no event from behind a user's boundary* reaches the training part: neither a repeated purchase nor a
//! return. Test pairs with a product that nobody in the training part met are dropped and counted as cold.

use super::history::{Histories, Signal};
use super::log::{Log, Strengths};

/// A training part and what it must predict.
#[derive(Debug, Clone)]
pub struct Cut {
    /// What a model may learn from.
    pub train: Histories,
    /// The test products of every user, ascending; empty for users who are not tested.
    pub test: Vec<Vec<u32>>,
    /// Test pairs dropped because their product is new after the cut.
    pub cold: usize,
    /// Pairs of users who have no training part (their first visit is after the cut).
    pub strangers: usize,
    /// The first instant that is hidden: of everybody, or of each user (`i64::MAX`: nothing is hidden).
    boundary: Vec<(i64, u32)>,
    /// Whether purchases are predicted, or (a shop without purchases) any interest.
    pub purchases: bool,
}

/// Which pairs count as something to predict.
fn is_target(signal: &Signal, purchases: bool) -> bool {
    if purchases {
        signal.bought
    } else {
        signal.strength > 0.0
    }
}

const NOTHING_HIDDEN: (i64, u32) = (i64::MAX, u32::MAX);

impl Cut {
    /// Everything is training, nothing is tested: what the published models learn from.
    pub fn none(log: &Log, strengths: &Strengths) -> Cut {
        Cut::at(
            log,
            strengths,
            vec![NOTHING_HIDDEN; log.users],
            log.has_purchases(),
        )
    }

    /// The global time cut: every pair after the `share` quantile of pair times is test. The quantile is the value at
    /// place floor(share * (n - 1)) of the sorted times.
    pub fn global(log: &Log, strengths: &Strengths, share: f64) -> Cut {
        Cut::none(log, strengths).inner_global(log, strengths, share)
    }

    /// The protocol `time20`: users with at least `least` pairs lose their last `share` of them, at least one, to the
    /// test part.
    pub fn per_user(log: &Log, strengths: &Strengths, share: f64, least: usize) -> Cut {
        Cut::none(log, strengths).inner_per_user(log, strengths, share, least)
    }

    /// The global cut applied once more inside this cut's training part: where hyper-parameters are tuned.
    pub fn inner_global(&self, log: &Log, strengths: &Strengths, share: f64) -> Cut {
        let mut times: Vec<i64> = self
            .train
            .all()
            .iter()
            .filter(|s| is_target(s, self.purchases))
            .map(|s| s.first)
            .collect();
        times.sort_unstable();
        let Some(last) = times.len().checked_sub(1) else {
            return Cut::at(log, strengths, self.boundary.clone(), self.purchases).testing(&self.train);
        };
        // Everything up to and including the quantile is training.
        let cut = (times[(share * last as f64) as usize] + 1, 0);
        let boundary = self.boundary.iter().map(|&old| old.min(cut)).collect();
        Cut::at(log, strengths, boundary, self.purchases).testing(&self.train)
    }

    /// `time20` applied once more inside this cut's training part.
    pub fn inner_per_user(&self, log: &Log, strengths: &Strengths, share: f64, least: usize) -> Cut {
        let boundary = (0..log.users)
            .map(|user| {
                let targets: Vec<&Signal> = self
                    .train
                    .of(user)
                    .iter()
                    .filter(|s| is_target(s, self.purchases))
                    .collect();
                if targets.len() < least.max(2) {
                    return self.boundary[user];
                }
                let tested = ((targets.len() as f64 * share) as usize).clamp(1, targets.len() - 1);
                let first = targets[targets.len() - tested];
                (first.first, first.line).min(self.boundary[user])
            })
            .collect();
        Cut::at(log, strengths, boundary, self.purchases).testing(&self.train)
    }

    /// Builds the training part in front of the boundaries.
    fn at(log: &Log, strengths: &Strengths, boundary: Vec<(i64, u32)>, purchases: bool) -> Cut {
        let train = Histories::build(log, strengths, |event| {
            event
                .user
                .is_none_or(|user| (event.at, event.line) < boundary[user as usize])
        });
        Cut {
            train,
            test: vec![Vec::new(); log.users],
            cold: 0,
            strangers: 0,
            boundary,
            purchases,
        }
    }

    /// Adds the test part: the targets of `whole` that lie behind the boundary.
    fn testing(mut self, whole: &Histories) -> Cut {
        let seen = self.train.seen_products();
        for user in 0..whole.users() {
            let hidden = whole
                .of(user)
                .iter()
                .filter(|s| is_target(s, self.purchases) && (s.first, s.line) >= self.boundary[user]);
            let known = self.train.of(user).iter().any(|s| s.strength > 0.0);
            for signal in hidden {
                if !known {
                    self.strangers += 1;
                } else if !seen[signal.product as usize] {
                    self.cold += 1;
                } else if !self
                    .train
                    .of(user)
                    .iter()
                    .any(|s| s.product == signal.product && s.bought)
                {
                    // A product bought, sent back later and bought again would be test and training at once.
                    self.test[user].push(signal.product);
                }
            }
            self.test[user].sort_unstable();
        }
        self
    }

    /// The users that have something to predict, ascending.
    pub fn tested(&self) -> Vec<usize> {
        (0..self.test.len())
            .filter(|&user| !self.test[user].is_empty())
            .collect()
    }
}
