//! Features: what speaks for a customer buying a product of theirs again, as numbers of an instant.
//!
//! Counts and ages enter as logarithms, because the step from one visit to two says more than that from ten to eleven.
//! [`CROSSED`] names the features whose products of two enter the model beside them: how much a rate says depends on
//! how often the customer orders at all.

use super::facts::{Facts, Habits, days};
use super::visits::Bought;

/// Half-lives of the decayed counts, days.
const HALF_LIVES: [f64; 4] = [14.0, 30.0, 60.0, 120.0];

/// Number of features.
pub const FEATURES: usize = 26;

/// Place of the count whose half-life is 60 days.
pub(super) const DECAY60: usize = 3;
/// Places of the features that are crossed with each other and themselves.
pub const CROSSED: [usize; 12] = [0, 2, 7, 9, 11, 14, 15, 17, 19, 21, 22, 23];

/// Number of features of a customer: what tells whether they come back at all.
pub const HABITS: usize = 8;

/// By order of a customer, its weight at each half-life.
type Decays = Vec<[f64; HALF_LIVES.len()]>;

/// Decayed weights of a customer's orders.
pub(super) fn decays(orders: &[i64], now: i64) -> Decays {
    let of_order = |&at: &i64| HALF_LIVES.map(|half| (-days(at, now) / half).exp2());
    orders.iter().map(of_order).collect()
}

fn logit(share: f64) -> f64 {
    let share = share.clamp(1e-4, 1.0 - 1e-4);
    (share / (1.0 - share)).ln()
}

/// The features of one pair. `orders`: the customer's, up to the instant of `facts`; `weights`: their [`decays`].
pub(super) fn of_pair(
    facts: &Facts,
    habits: &Habits,
    orders: &[i64],
    weights: &Decays,
    bought: &Bought<'_>,
) -> [f32; FEATURES] {
    let product = &facts.products[bought.product as usize];
    let visits = bought.visits;
    let n = visits.len() as f64;
    let (first, last) = (visits[0].order as usize, visits[visits.len() - 1].order as usize);
    let (age, since) = (days(orders[first], facts.now), days(orders[last], facts.now));
    let mut decayed = [0.0; HALF_LIVES.len()];
    for visit in visits {
        for (sum, weight) in decayed.iter_mut().zip(&weights[visit.order as usize]) {
            *sum += weight;
        }
    }
    let decayed = decayed.map(|sum| (sum + 0.01).ln());
    let of_age = (orders.len() - first) as f64; // orders from its first on, that one included
    let gap = facts.rhythm(bought.product, age - since, visits.len() - 1);
    let sold = product.sold.map(|count| f64::from(count).ln_1p());
    let units: f64 = visits.iter().map(|visit| f64::from(visit.units)).sum();
    let orders_since = (orders.len() - 1 - last) as f64;
    [
        n.ln(), // 0: visits
        decayed[0],
        decayed[1],
        decayed[2],
        decayed[3],
        since.ln_1p(), // 5: days since the last visit, and since the first
        age.ln_1p(),
        orders_since.ln_1p(), // 7: orders since the last visit, and from the first on
        of_age.ln(),
        ((n - 0.5) / (of_age + 1.0)).ln(), // 9: the share of those orders that held it
        gap.ln_1p(),                       // 10: the rhythm, and how far into it the customer is
        ((since + 1.0) / (gap + 1.0)).ln(),
        (habits.orders as f64).ln(), // 12: the customer's orders, days since the last, and how often
        habits.days.1.ln_1p(),
        ((habits.orders as f64 + 0.5) / (habits.days.0 + 15.0)).ln(),
        logit(habits.repeated),  // 15: who repeats things
        logit(product.repeated), // 16: what is repeated, ever and within four weeks
        logit(product.rate),
        sold[0], // 18: what sells
        sold[1],
        sold[2],
        f64::from(product.buyers).ln_1p(),
        product.days.1.ln_1p(), // 22: days since the product was last sold, and first
        product.days.0.ln_1p(),
        (units / n).ln_1p(), // 24: units of a visit
        if orders_since == 0.0 { 1.0 } else { 0.0 },
    ]
    .map(|x| x as f32)
}

/// The features of a customer who ordered at least once.
pub(super) fn of_habits(habits: &Habits, orders: &[i64], weights: &Decays) -> [f32; HABITS] {
    let mut decayed = [0.0; HALF_LIVES.len()];
    for of_order in weights {
        for (sum, weight) in decayed.iter_mut().zip(of_order) {
            *sum += weight;
        }
    }
    let (age, since) = habits.days;
    // The mean days between orders, drawn towards those the customer has been known for.
    let gap = (age - since + age) / orders.len() as f64;
    [
        (habits.orders as f64).ln(),
        (decayed[0] + 0.01).ln(),
        (decayed[2] + 0.01).ln(),
        since.ln_1p(),
        age.ln_1p(),
        f64::from(habits.products).ln(),
        logit(habits.repeated),
        ((since + 1.0) / (gap + 1.0)).ln(),
    ]
    .map(|x| x as f32)
}
