//! Lists: the rows of one customer, best first.
//!
//! A row is a product that the customer would *plausibly* buy again: they bought it more than once, or at least one in two
//! hundred of its past buyers does within four weeks. A shop whose goods are bought once in a lifetime has no rows, and
//! that is the answer. What the customer dismissed stays out.

use super::examples::Customer;
use super::facts::Facts;
use super::judge::order;

/// Share of past buyers that must buy again within four weeks for a product bought once to be listed.
const LEAST_RATE: f64 = 0.005;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The product.
    pub product: u32,
    /// Between 0 and 1, boosts aside: the probability that it is bought again within 28 days.
    pub score: f32,
    /// When it is due, Unix seconds; `None` = nobody ever bought it twice.
    pub due_at: Option<i64>,
}

/// What a customer would plausibly buy again, best first. `scores`: one per pair of theirs; `boost` multiplies them before
/// the order is made.
pub fn list(
    customer: &Customer,
    mut scores: Vec<f32>,
    facts: &Facts,
    boost: impl Fn(u32) -> f32,
) -> Vec<Row> {
    let pairs = &customer.pairs;
    for (score, pair) in scores.iter_mut().zip(pairs) {
        *score *= boost(pair.product);
    }
    let plausible = |&at: &usize| {
        let pair = &pairs[at];
        let often = pair.visits > 1 || facts.products[pair.product as usize].rate >= LEAST_RATE;
        often && !pair.dismissed
    };
    let row = |at: usize| Row {
        product: pairs[at].product,
        score: scores[at],
        due_at: pairs[at].due_at,
    };
    order(pairs, &scores)
        .into_iter()
        .filter(plausible)
        .map(row)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::examples::{Cut, Example};
    use super::super::features::{FEATURES, HABITS};
    use super::super::visits::Visits;
    use super::*;
    use crate::recommend::log::Log;

    fn customer() -> Customer {
        let pair = |product, visits, dismissed| Example {
            product,
            features: [0.0; FEATURES],
            last: 0,
            again: false,
            dismissed,
            visits,
            due_at: Some(i64::from(product)),
        };
        Customer {
            habits: [0.0; HABITS],
            pairs: vec![
                pair(0, 2, false),
                pair(1, 1, false),
                pair(2, 5, true),
                pair(3, 1, false),
                pair(5, 3, false),
            ],
        }
    }

    /// Nothing is known of any product, but that a fifth of the buyers of product 3 buy it again.
    fn facts() -> Facts {
        let mut facts = Cut::at(&Visits::fold(&Log::new(1, 6, Vec::new())), 0).facts;
        facts.products[3].rate = 0.2;
        facts
    }

    fn products(rows: &[Row]) -> Vec<u32> {
        rows.iter().map(|row| row.product).collect()
    }

    #[test]
    fn what_is_plausible_best_first() {
        let scores = vec![0.1, 0.9, 0.8, 0.3, 0.2];
        let rows = list(&customer(), scores.clone(), &facts(), |_| 1.0);
        // 1 was bought once and its buyers do not come back for it; 2 was dismissed.
        assert_eq!(products(&rows), [3, 5, 0]);
        assert_eq!((rows[0].score, rows[0].due_at), (0.3, Some(3)));
        let boosted = |product| if product == 0 { 4.0 } else { 1.0 };
        let rows = list(&customer(), scores.clone(), &facts(), boosted);
        assert_eq!(products(&rows), [0, 3, 5]);
        assert!((rows[0].score - 0.4).abs() < 1e-6);
        let none = Customer {
            pairs: Vec::new(),
            ..customer()
        };
        assert!(list(&none, Vec::new(), &facts(), |_| 1.0).is_empty());
    }
}
