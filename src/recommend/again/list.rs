//! Lists: the rows of one customer, best first.
//!
//! A row is a product that the customer would *plausibly* buy again: they bought it more than once, or at least one in two hundred
//! of its past buyers does within four weeks. A shop whose goods are bought once in a lifetime has no rows, and
//! that is the answer. What the customer dismissed stays out. Boosts multiply scores before the order is made; pins are honoured for
//! products the customer bought, because nothing else can be bought *again*.

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
    /// Between 0 and 1, boosts aside: the probability that it is bought again within 28 days. Pinned rows carry the score
    /// of their place.
    pub score: f32,
    /// When it is due, Unix seconds; `None` = nobody ever bought it twice.
    pub due_at: Option<i64>,
}

/// The rows of a customer, at most `most`. `scores`: one per pair of theirs. `pins`: (place from 1, product), in the order
/// in which they take their places. `admit` is asked once for every product that would join, best first after the pins, and
/// lets in what may be shown beside what it let in before.
pub fn list(
    customer: &Customer,
    mut scores: Vec<f32>,
    facts: &Facts,
    boost: impl Fn(u32) -> f32,
    pins: &[(usize, u32)],
    most: usize,
    mut admit: impl FnMut(u32) -> bool,
) -> Vec<Row> {
    let pairs = &customer.pairs;
    for (score, pair) in scores.iter_mut().zip(pairs) {
        *score *= boost(pair.product);
    }
    let row = |at: usize, score: f32| Row {
        product: pairs[at].product,
        score,
        due_at: pairs[at].due_at,
    };
    let mut pinned: Vec<(usize, usize)> = Vec::new();
    for &(place, product) in pins {
        let bought = pairs.binary_search_by_key(&product, |pair| pair.product);
        if let Ok(at) = bought
            && !pairs[at].dismissed
            && admit(product)
        {
            pinned.push((place, at));
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for at in order(pairs, &scores) {
        if rows.len() == most {
            break;
        }
        let pair = &pairs[at];
        let plausible = pair.visits > 1 || facts.products[pair.product as usize].rate >= LEAST_RATE;
        let free = !pair.dismissed && !pinned.iter().any(|&(_, pin)| pin == at);
        if plausible && free && admit(pair.product) {
            rows.push(row(at, scores[at]));
        }
    }
    for (place, at) in pinned {
        let place = place.saturating_sub(1).min(rows.len());
        let score = rows
            .get(place)
            .or(rows.last())
            .map_or(scores[at], |row| row.score);
        rows.insert(place, row(at, score));
    }
    rows.truncate(most);
    rows
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
        let rows = list(&customer(), scores.clone(), &facts(), |_| 1.0, &[], 30, |_| true);
        // 1 was bought once and its buyers do not come back for it; 2 was dismissed.
        assert_eq!(products(&rows), [3, 5, 0]);
        assert_eq!((rows[0].score, rows[0].due_at), (0.3, Some(3)));
        let boosted = |product| if product == 0 { 4.0 } else { 1.0 };
        let rows = list(&customer(), scores.clone(), &facts(), boosted, &[], 2, |p| p != 5);
        assert_eq!(products(&rows), [0, 3]);
        assert!((rows[0].score - 0.4).abs() < 1e-6);
        let none = Customer {
            pairs: Vec::new(),
            ..customer()
        };
        assert!(list(&none, Vec::new(), &facts(), |_| 1.0, &[], 30, |_| true).is_empty());
    }

    #[test]
    fn pins_stand_where_they_say_if_the_customer_bought_them() {
        let scores = vec![0.1, 0.9, 0.8, 0.3, 0.2];
        let pins = [(1, 4), (1, 2), (2, 1), (9, 3)];
        let mut asked = Vec::new();
        let rows = list(
            &customer(),
            scores,
            &facts(),
            |_| 1.0,
            &pins,
            30,
            |product| {
                asked.push(product);
                true
            },
        );
        // 4 was never bought and 2 was dismissed; 3 stands last, where there is no ninth place.
        assert_eq!(products(&rows), [5, 1, 0, 3]);
        assert_eq!(asked, [1, 3, 5, 0]);
        assert_eq!(rows[1].score, 0.1);
    }
}
