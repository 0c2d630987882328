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
//! return. Test pairs with a product that nobody in the training part met are kept apart as cold.

use super::history::{Histories, Signal};
use super::log::{Interaction, Log, Strengths};

/// A training part and what it must predict.
#[derive(Debug, Clone)]
pub struct Cut {
    /// What a model may learn from.
    pub train: Histories,
    /// The test products of every user, ascending; empty for users who are not tested.
    pub test: Vec<Vec<u32>>,
    /// Pairs of known users that are not in `test` because their product is new after the cut.
    pub cold: usize,
    /// Those pairs: the new products of every user that the training part knows, ascending.
    pub cold_test: Vec<Vec<u32>>,
    /// Pairs of users who have no training part (their first visit is after the cut).
    pub strangers: usize,
    /// The first instant that is hidden: of everybody, or of each user (`i64::MAX`: nothing is hidden).
    boundary: Vec<(i64, u32)>,
    /// The earliest of them.
    earliest: (i64, u32),
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
        let earliest = boundary.iter().copied().min().unwrap_or(NOTHING_HIDDEN);
        Cut {
            train,
            test: vec![Vec::new(); log.users],
            cold: 0,
            cold_test: vec![Vec::new(); log.users],
            strangers: 0,
            boundary,
            earliest,
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
                    self.cold_test[user].push(signal.product);
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
            self.cold_test[user].sort_unstable();
        }
        self
    }

    /// Whether the training part may see an event. Strangers' events count up to the earliest boundary of anybody, so
    /// that nothing from behind one reaches a model.
    pub fn shows(&self, event: &Interaction) -> bool {
        let boundary = match event.user {
            Some(user) => self.boundary[user as usize],
            None => self.earliest,
        };
        (event.at, event.line) < boundary
    }

    /// The first instant that is hidden, where it is the same for everybody.
    pub fn hidden_from(&self) -> Option<i64> {
        let first = *self.boundary.first()?;
        let all = first != NOTHING_HIDDEN && self.boundary.iter().all(|&own| own == first);
        all.then_some(first.0)
    }

    /// The users that have something to predict, ascending.
    pub fn tested(&self) -> Vec<usize> {
        (0..self.test.len())
            .filter(|&user| !self.test[user].is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Kind;
    use super::*;

    fn buy(user: u32, product: u32, at: i64, line: u32) -> Interaction {
        let kind = Kind::Purchase;
        Interaction {
            user: Some(user),
            product,
            kind,
            quantity: 1.0,
            rating: 0.0,
            at,
            basket: 0,
            line,
        }
    }

    fn products(histories: &Histories, user: usize) -> Vec<u32> {
        histories.of(user).iter().map(|s| s.product).collect()
    }

    #[test]
    fn time20_takes_the_last_fifth_and_ties_break_by_line() {
        // User 0: ten products in two invoices; user 1: four, too few to be tested; user 2 makes product 9 known.
        let mut events: Vec<_> = (0..10).map(|p| buy(0, 9 - p, i64::from(p / 5), p)).collect();
        events.extend((0..4).map(|p| buy(1, p, 5, 20 + p)));
        events.extend([buy(2, 0, 1, 30), buy(2, 1, 1, 31)]);
        // A repeat of a training product behind the boundary must not reach the training part.
        events.push(buy(0, 9, 99, 40));
        let log = Log::new(3, 10, events);
        let cut = Cut::per_user(&log, &Strengths::default(), 0.2, 5);
        assert_eq!(cut.tested(), [0]);
        assert_eq!(cut.test[0], [0, 1]);
        assert_eq!(products(&cut.train, 0), [9, 8, 7, 6, 5, 4, 3, 2]);
        assert!(cut.train.of(0).iter().all(|s| s.last < 99));
        assert_eq!(cut.train.of(1).len(), 4);
        let inner = cut.inner_per_user(&log, &Strengths::default(), 0.2, 5);
        assert_eq!(products(&inner.train, 0), [9, 8, 7, 6, 5, 4, 3]);
        // Product 2 is known to user 1 and so no cold one.
        assert_eq!((inner.test[0].clone(), inner.cold), (vec![2], 0));
    }

    #[test]
    fn the_global_cut_hides_the_future_of_everybody() {
        let mut events: Vec<_> = (0..8).map(|i| buy(i % 2, i, i64::from(i), i)).collect();
        // After the quantile: a known user with a known product, with a new one, and a stranger.
        events.extend([buy(0, 1, 20, 20), buy(0, 9, 21, 21), buy(2, 1, 22, 22)]);
        let log = Log::new(3, 10, events);
        let cut = Cut::global(&log, &Strengths::default(), 0.7);
        // Eleven pairs: the quantile is number floor(0.7 * 10) = 7 of 0..=10, the pair of time 7.
        assert_eq!(cut.tested(), [0]);
        assert_eq!((cut.test[0].clone(), cut.cold, cut.strangers), (vec![1], 1, 1));
        assert_eq!(cut.cold_test, [vec![9], vec![], vec![]]);
        assert_eq!(cut.train.all().len(), 8);
    }

    #[test]
    fn a_return_behind_the_boundary_is_not_known_before_it() {
        let mut events: Vec<_> = (0..8).map(|i| buy(0, i, i64::from(i), i)).collect();
        events.push(Interaction {
            kind: Kind::Return,
            ..buy(0, 0, 9, 9)
        });
        events.push(buy(1, 7, 0, 10));
        let log = Log::new(2, 8, events);
        let cut = Cut::per_user(&log, &Strengths::default(), 0.2, 5);
        assert!(cut.train.of(0).iter().any(|s| s.product == 0 && s.bought));
        assert_eq!(cut.test[0], [7]);
        assert!(!Cut::none(&log, &Strengths::default()).train.of(0)[0].bought);
    }

    #[test]
    fn a_shop_without_purchases_predicts_interest() {
        let view = |user, product, at: i64| Interaction {
            kind: Kind::View,
            ..buy(user, product, at, at as u32)
        };
        let mut events: Vec<_> = (0..5).map(|p| view(0, p, i64::from(p))).collect();
        events.push(view(1, 4, 0));
        let cut = Cut::per_user(&Log::new(2, 5, events), &Strengths::default(), 0.2, 5);
        assert!(!cut.purchases);
        assert_eq!(cut.test[0], [4]);
    }

    #[test]
    fn an_empty_shop_has_nothing_to_cut() {
        let cut = Cut::global(&Log::new(0, 0, Vec::new()), &Strengths::default(), 0.8);
        assert!(cut.tested().is_empty());
        let cut = Cut::per_user(&Log::new(2, 0, Vec::new()), &Strengths::default(), 0.2, 5);
        assert!(cut.tested().is_empty() && cut.train.users() == 2);
    }
}
