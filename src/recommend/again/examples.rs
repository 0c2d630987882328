//! Examples: pairs of a past instant with what the four weeks after it brought.
//!
//! A cut looks at the shop as of its instant and asks, for every pair known then, whether it was bought again within
//! [`HORIZON`]. Training takes a seeded sample of the pairs of one or several cuts, bounded in number whatever the
//! size of the shop. Only customers who bought something again in the four weeks say *which* products come next, so only
//! theirs are in it: the model's probability is one given that the customer comes back. Whether they do is a question of its
//! own, with rows of its own, one per customer ([`returns`]).

use rayon::prelude::*;

use super::facts::{Facts, HORIZON};
use super::features::{self, FEATURES, HABITS};
use super::logistic::Rows;
use super::visits::Visits;

/// An instant, and what was known then.
#[derive(Debug)]
pub struct Cut<'a> {
    /// All visits, those after the instant included.
    pub visits: &'a Visits,
    /// What was known.
    pub facts: Facts,
}

/// One pair at a cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// The product.
    pub product: u32,
    /// Its features.
    pub features: [f32; FEATURES],
    /// The number of the order that held it last; breaks ties between equal scores.
    pub last: u32,
    /// Bought again within [`HORIZON`] of the instant.
    pub again: bool,
    /// The customer asked not to see it (known at the end of the log only).
    pub dismissed: bool,
    /// Visits.
    pub visits: u32,
    /// When it is due, Unix seconds; `None` = nobody ever bought it twice.
    pub due_at: Option<i64>,
}

/// A customer at a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// What tells whether they come back.
    pub habits: [f32; HABITS],
    /// The products they had bought, by index.
    pub pairs: Vec<Example>,
}

impl Customer {
    /// Products bought again within [`HORIZON`] of the instant.
    pub fn hits(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.again).count()
    }
}

impl<'a> Cut<'a> {
    /// Gathers what was known at `now`.
    pub fn at(visits: &'a Visits, now: i64) -> Cut<'a> {
        Cut {
            visits,
            facts: Facts::at(visits, now),
        }
    }

    /// A user as known at the instant; `None` for one who had bought nothing.
    pub fn of(&self, user: usize) -> Option<Customer> {
        let (visits, facts) = (self.visits, &self.facts);
        let mut kept = Vec::new();
        let habits = facts.habits(visits, user, &mut kept)?;
        let orders = visits.orders(user, facts.now);
        let weights = features::decays(orders, facts.now);
        let mut pairs = Vec::with_capacity(habits.products as usize);
        visits.each(user, facts.now, facts.now + HORIZON, &mut kept, |bought| {
            pairs.push(Example {
                product: bought.product,
                features: features::of_pair(facts, &habits, orders, &weights, &bought),
                last: bought.visits[bought.visits.len() - 1].order,
                again: bought.again,
                dismissed: bought.dismissed,
                visits: bought.visits.len() as u32,
                due_at: facts.due_at(orders, &bought),
            });
        });
        Some(Customer {
            habits: features::of_habits(&habits, orders, &weights),
            pairs,
        })
    }

    /// Pairs of customers who bought something again.
    fn awake(&self) -> usize {
        let mut kept = Vec::new();
        let (mut all, now) = (0, self.facts.now);
        for user in 0..self.visits.users() {
            let (mut pairs, mut again) = (0, false);
            self.visits.each(user, now, now + HORIZON, &mut kept, |bought| {
                pairs += 1;
                again |= bought.again;
            });
            all += if again { pairs } else { 0 };
        }
        all
    }

    /// A seeded sample of `share` of the pairs of customers who bought something again.
    fn sample(&self, share: f64, seed: u64) -> Rows {
        let of_user = |user: usize| {
            let mut random =
                fastrand::Rng::with_seed(seed ^ (user as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut rows = Rows::new(FEATURES);
            let customer = self.of(user).filter(|customer| customer.hits() > 0);
            for pair in customer.iter().flat_map(|customer| &customer.pairs) {
                if random.f64() < share {
                    rows.push(&pair.features, pair.again);
                }
            }
            rows
        };
        let of_users: Vec<Rows> = (0..self.visits.users()).into_par_iter().map(of_user).collect();
        let mut all = Rows::new(FEATURES);
        of_users.into_iter().for_each(|rows| all.append(rows));
        all
    }
}

/// A sample of about `most` pairs of all `cuts` together, seeded.
pub fn pairs(cuts: &[&Cut<'_>], most: usize, seed: u64) -> Rows {
    let all: usize = cuts.iter().map(|cut| cut.awake()).sum();
    let share = (most as f64 / all.max(1) as f64).min(1.0);
    let mut rows = Rows::new(FEATURES);
    for (cut, number) in cuts.iter().zip(1u64..) {
        rows.append(cut.sample(
            share,
            seed.wrapping_add(number.wrapping_mul(0xD1B5_4A32_D192_ED03)),
        ));
    }
    rows
}

/// Who came back and bought something again: a sample of about `most` customers of all `cuts` together, seeded.
pub fn returns(cuts: &[&Cut<'_>], most: usize, seed: u64) -> Rows {
    let users: usize = cuts.iter().map(|cut| cut.visits.users()).sum();
    let share = (most as f64 / users.max(1) as f64).min(1.0);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut rows = Rows::new(HABITS);
    for cut in cuts {
        let asked: Vec<usize> = (0..cut.visits.users()).filter(|_| random.f64() < share).collect();
        let told: Vec<Option<([f32; HABITS], bool)>> = asked
            .into_par_iter()
            .map(|user| {
                cut.of(user)
                    .map(|customer| (customer.habits, customer.hits() > 0))
            })
            .collect();
        for (habits, again) in told.into_iter().flatten() {
            rows.push(&habits, again);
        }
    }
    rows
}
