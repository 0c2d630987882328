//! Dues: the due day of every pair, for lists that let bought products come back on theirs.

use super::examples::Cut;
use super::facts::Facts;
use super::visits::Visits;

/// By customer, the products that have a rhythm, ascending, each with the instant it is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dues {
    /// Where each customer's products end.
    ends: Vec<usize>,
    products: Vec<(u32, i64)>,
}

impl Dues {
    /// As known at the instant of a cut.
    pub fn at(cut: &Cut<'_>) -> Dues {
        let (visits, facts): (&Visits, &Facts) = (cut.visits, &cut.facts);
        let mut dues = Dues::default();
        let mut kept = Vec::new();
        for user in 0..visits.users() {
            let orders = visits.orders(user, facts.now);
            visits.each(user, facts.now, facts.now, &mut kept, |bought| {
                let due = facts.due_at(orders, &bought);
                dues.products.extend(due.map(|at| (bought.product, at)));
            });
            dues.ends.push(dues.products.len());
        }
        dues
    }

    /// When a customer's product is due; `None` for one without a rhythm, or that they do not have.
    pub fn of(&self, user: u32, product: u32) -> Option<i64> {
        let user = user as usize;
        let end = *self.ends.get(user)?;
        let begin = user.checked_sub(1).map_or(0, |before| self.ends[before]);
        let own = &self.products[begin..end];
        let at = own.binary_search_by_key(&product, |due| due.0).ok()?;
        Some(own[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::demand::DAY;
    use super::super::super::log::{Interaction, Kind, Log};
    use super::*;

    #[test]
    fn what_nobody_bought_twice_is_never_due() {
        let buy = |user, product, day: i64| Interaction {
            user: Some(user),
            product,
            kind: Kind::Purchase,
            quantity: 1.0,
            rating: 0.0,
            at: day * DAY,
            basket: day as u32,
            line: day as u32,
        };
        let events = vec![buy(0, 4, 0), buy(0, 4, 40), buy(0, 1, 50), buy(2, 4, 60)];
        let visits = Visits::fold(&Log::new(3, 5, events));
        let dues = Dues::at(&Cut::at(&visits, 100 * DAY));
        // The only gap is of 40 days, and so is every mean of it.
        assert_eq!(dues.of(0, 4), Some(80 * DAY));
        assert_eq!(dues.of(2, 4), Some(100 * DAY));
        assert_eq!((dues.of(0, 1), dues.of(1, 4), dues.of(7, 4)), (None, None, None));
    }
}
