//! Due again: which of the products a customer bought may be recommended to them once more.
//!
//! For shops whose goods are used up. A product comes back on its due day, where buy_again knows one; without a rhythm it
//! rests for so many days after the last purchase, whatever was looked at in between.

use super::demand::DAY;
use super::log::{Kind, Log};

/// The products that are due, by user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    offsets: Vec<usize>,
    products: Vec<u32>,
}

impl Due {
    /// What is due by `now`. `due_at(user, product)`: the instant a rhythm says, if there is one.
    pub fn by(now: i64, log: &Log, rest_days: u32, due_at: impl Fn(u32, u32) -> Option<i64>) -> Due {
        let mut due = Due {
            offsets: vec![0],
            products: Vec::new(),
        };
        let known = log.events().partition_point(|e| e.user.is_some());
        for pair in log.events()[..known].chunk_by(|a, b| a.user == b.user && a.product == b.product) {
            let (Some(user), product) = (pair[0].user, pair[0].product) else {
                continue;
            };
            while due.offsets.len() <= user as usize {
                due.offsets.push(due.products.len());
            }
            let Some(last) = pair.iter().rfind(|e| e.kind == Kind::Purchase) else {
                continue;
            };
            let at = due_at(user, product).unwrap_or(last.at + i64::from(rest_days) * DAY);
            if at <= now {
                due.products.push(product);
            }
        }
        due.offsets.resize(log.users + 1, due.products.len());
        due
    }

    /// One user's due products, ascending.
    pub fn of(&self, user: usize) -> &[u32] {
        match self.offsets.get(user..user + 2) {
            Some(ends) => &self.products[ends[0]..ends[1]],
            None => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Interaction;
    use super::*;

    #[test]
    fn a_rhythm_goes_before_the_rest() {
        let event = |user, product, kind, day: i64| Interaction {
            user,
            product,
            kind,
            quantity: 1.0,
            rating: 0.0,
            at: day * DAY,
            basket: 0,
            line: day as u32,
        };
        let log = Log::new(
            4,
            3,
            vec![
                event(Some(1), 0, Kind::Purchase, 0),
                event(Some(1), 0, Kind::View, 99),
                event(Some(1), 1, Kind::Purchase, 80),
                event(Some(1), 2, Kind::View, 0),
                event(Some(3), 0, Kind::Purchase, 0),
                event(Some(3), 1, Kind::Purchase, 95),
                event(None, 2, Kind::Purchase, 0),
            ],
        );
        let due = Due::by(100 * DAY, &log, 90, |_, _| None);
        assert_eq!(
            (due.of(0), due.of(1), due.of(2), due.of(3)),
            (&[][..], &[0][..], &[][..], &[0][..])
        );
        let rhythm = |user, product| match (user, product) {
            (3, 0) => Some(101 * DAY),
            (3, 1) => Some(100 * DAY),
            _ => None,
        };
        assert_eq!(Due::by(100 * DAY, &log, 90, rhythm).of(3), [1]);
        assert_eq!(Due::default().of(7), [0u32; 0]);
    }
}
