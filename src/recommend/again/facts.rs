//! Facts: what the shop as a whole knew about each product, and about each customer's habits, at an instant.
//!
//! Sums are integers (seconds, counts), so that no order of adding can change them; rates are shrunk towards the shop's
//! own, so that a product with one buyer says little. The *rebuy rate* of a product is the share of those who had bought
//! it before a stretch of [`HORIZON`] who bought it again inside the stretch, over the last three stretches, the newest
//! weighing most.

use super::super::demand::DAY;
use super::visits::{Bought, Visit, Visits};

/// Seconds of the stretch that is predicted: 28 days.
pub const HORIZON: i64 = 28 * DAY;
/// Weights of the last three stretches in the rebuy rate, newest first.
const STRETCHES: [u32; 3] = [4, 2, 1];
/// Windows in which lately sold units of a product are counted, days.
pub(super) const WINDOWS: [i64; 3] = [7, 28, 91];
/// Weighted pairs of the shop's rate that every product starts with: 20 of the newest stretch.
const RATE_PRIOR: f64 = 80.0;
/// Pairs of the shop's share of repeated pairs that every product starts with.
const REPEAT_PRIOR: f64 = 5.0;
/// Gaps of the shop's length that every product starts with.
const GAP_PRIOR: f64 = 5.0;
/// Gaps of the product's length that every pair starts with.
const OWN_GAP_PRIOR: f64 = 2.0;

/// One product's sums.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    pairs: u32,
    repeated: u32,
    /// Gaps between visits of one customer: how many, and their seconds.
    gaps: u32,
    gap_seconds: i64,
    /// Weighted pairs that could be bought again in a stretch, and that were.
    could: u32,
    did: u32,
    sold: [u32; WINDOWS.len()],
    first: i64,
    last: i64,
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.pairs += other.pairs;
        self.repeated += other.repeated;
        self.gaps += other.gaps;
        self.gap_seconds += other.gap_seconds;
        self.could += other.could;
        self.did += other.did;
    }
}

/// One product as the features see it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Product {
    /// Customers who had bought it.
    pub buyers: u32,
    /// Share of them who had bought it more than once, shrunk.
    pub repeated: f64,
    /// Share of past buyers who buy again within [`HORIZON`], shrunk.
    pub rate: f64,
    /// Visits in the last 7, 28 and 91 days.
    pub sold: [u32; WINDOWS.len()],
    /// Days since it was first and last sold.
    pub days: (f64, f64),
    /// Mean days between two visits of one customer, shrunk; `None` = nobody ever bought it twice.
    pub gap: Option<f64>,
}

/// One customer's habits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Habits {
    /// Orders.
    pub orders: usize,
    /// Products bought.
    pub products: u32,
    /// Share of them bought more than once, shrunk.
    pub repeated: f64,
    /// Days since the first and the last order.
    pub days: (f64, f64),
}

/// What was known at an instant.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The instant, Unix seconds.
    pub now: i64,
    /// By product.
    pub products: Vec<Product>,
    /// Mean days between two visits of one pair; 0 where nothing was ever bought twice.
    pub gap: f64,
    /// Share of pairs bought again within [`HORIZON`].
    pub rate: f64,
    /// Share of pairs bought more than once.
    pub repeated: f64,
}

/// Days from one instant to another.
pub(super) fn days(from: i64, to: i64) -> f64 {
    (to - from) as f64 / DAY as f64
}

impl Facts {
    /// Everything known at `now`.
    pub fn at(visits: &Visits, now: i64) -> Facts {
        let mut sums = vec![Sums::default(); visits.products];
        let mut kept = Vec::new();
        for user in 0..visits.users() {
            let orders = visits.orders(user, now);
            if !orders.is_empty() {
                visits.each(user, now, now, &mut kept, |bought| {
                    count(&mut sums[bought.product as usize], bought.visits, orders, now);
                });
            }
        }
        let mut all = Sums::default();
        sums.iter().for_each(|sum| all.add(sum));
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        let (rate, repeated) = (share(all.did, all.could), share(all.repeated, all.pairs));
        let gap = all.gap_seconds as f64 / DAY as f64 / f64::from(all.gaps.max(1));
        let product = |sum: &Sums| Product {
            buyers: sum.pairs,
            repeated: (f64::from(sum.repeated) + REPEAT_PRIOR * repeated)
                / (f64::from(sum.pairs) + REPEAT_PRIOR),
            rate: (f64::from(sum.did) + RATE_PRIOR * rate) / (f64::from(sum.could) + RATE_PRIOR),
            sold: sum.sold,
            days: (days(sum.first, now), days(sum.last, now)),
            gap: (sum.gaps > 0).then(|| {
                (sum.gap_seconds as f64 / DAY as f64 + GAP_PRIOR * gap) / (f64::from(sum.gaps) + GAP_PRIOR)
            }),
        };
        Facts {
            now,
            products: sums.iter().map(product).collect(),
            gap,
            rate,
            repeated,
        }
    }

    /// One customer's habits; `None` for somebody who had not ordered yet, or sent everything back.
    pub fn habits(&self, visits: &Visits, user: usize, kept: &mut Vec<Visit>) -> Option<Habits> {
        let orders = visits.orders(user, self.now);
        let (mut products, mut repeated) = (0u32, 0u32);
        visits.each(user, self.now, self.now, kept, |bought| {
            products += 1;
            repeated += u32::from(bought.visits.len() > 1);
        });
        let (first, last) = (orders.first()?, orders.last()?);
        (products > 0).then(|| Habits {
            orders: orders.len(),
            products,
            repeated: (f64::from(repeated) + 10.0 * self.repeated) / (f64::from(products) + 10.0),
            days: (days(*first, self.now), days(*last, self.now)),
        })
    }

    /// When a pair is due: its last visit and the [`rhythm`](Facts::rhythm) from there; `None` where nobody ever bought the
    /// product twice. What is overdue was due in the past.
    pub fn due_at(&self, orders: &[i64], bought: &Bought<'_>) -> Option<i64> {
        self.products[bought.product as usize].gap?;
        let at = |visit: &Visit| orders[visit.order as usize];
        let (first, last) = (at(&bought.visits[0]), at(&bought.visits[bought.visits.len() - 1]));
        let gap = self.rhythm(bought.product, days(first, last), bought.visits.len() - 1);
        Some(last + (gap * DAY as f64).round() as i64)
    }

    /// The days a customer takes from one visit to the next: `span` days over `gaps` gaps of their own, shrunk to the
    /// product's mean, which is shrunk to the shop's.
    pub fn rhythm(&self, product: u32, span: f64, gaps: usize) -> f64 {
        let of_product = self.products[product as usize].gap.unwrap_or(self.gap);
        (span + OWN_GAP_PRIOR * of_product) / (gaps as f64 + OWN_GAP_PRIOR)
    }
}

/// Adds one pair to its product.
fn count(sums: &mut Sums, of_pair: &[Visit], orders: &[i64], now: i64) {
    let at = |visit: &Visit| orders[visit.order as usize];
    let (first, last) = (at(&of_pair[0]), at(&of_pair[of_pair.len() - 1]));
    let gaps = of_pair.len() as u32 - 1;
    if sums.pairs == 0 {
        (sums.first, sums.last) = (first, last);
    }
    sums.first = sums.first.min(first);
    sums.last = sums.last.max(last);
    sums.pairs += 1;
    sums.repeated += u32::from(gaps > 0);
    sums.gaps += gaps;
    sums.gap_seconds += last - first;
    for (sold, days) in sums.sold.iter_mut().zip(WINDOWS) {
        let lately = of_pair
            .iter()
            .rev()
            .take_while(|visit| at(visit) > now - days * DAY);
        *sold += lately.count() as u32;
    }
    for (stretch, weight) in (1..).zip(STRETCHES) {
        let from = now - stretch * HORIZON;
        if first <= from {
            sums.could += weight;
            let inside = |visit: &Visit| at(visit) > from && at(visit) <= from + HORIZON;
            sums.did += weight * u32::from(of_pair.iter().any(inside));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::log::{Interaction, Kind, Log};
    use super::*;

    #[test]
    fn counts_by_hand() {
        // Customer 0 buys product 0 on days 0, 40 and 90, customer 1 on day 80; customer 1 buys product 1 on day 10.
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
        let events = vec![
            buy(0, 0, 0),
            buy(0, 0, 40),
            buy(0, 0, 90),
            buy(1, 0, 80),
            buy(1, 1, 10),
        ];
        let visits = Visits::fold(&Log::new(2, 3, events));
        let facts = Facts::at(&visits, 100 * DAY);
        // Stretches: days 72-100, 44-72, 16-44. Product 0: customer 0 could in all three and did in the first and the
        // third; customer 1 bought on day 80 for the first time. Product 1: customer 1 could in all and never did.
        assert_eq!(facts.rate, 5.0 / 14.0);
        assert_eq!(facts.products[0].rate, (5.0 + 80.0 * facts.rate) / (7.0 + 80.0));
        assert_eq!(facts.products[1].rate, (80.0 * facts.rate) / (7.0 + 80.0));
        assert_eq!(facts.products[2].rate, facts.rate);
        assert_eq!(facts.repeated, 1.0 / 3.0);
        assert_eq!(facts.gap, 45.0);
        assert_eq!((facts.products[0].gap, facts.products[1].gap), (Some(45.0), None));
        assert_eq!((facts.products[0].sold, facts.products[0].buyers), ([0, 2, 3], 2));
        assert_eq!(facts.products[0].days, (100.0, 10.0));
        // Own gaps 40 and 50 days, two gaps of the product's 45 days.
        assert_eq!(facts.rhythm(0, 90.0, 2), 45.0);
        assert_eq!(facts.rhythm(0, 10.0, 1), 100.0 / 3.0);
        let habits = facts.habits(&visits, 1, &mut Vec::new()).unwrap();
        assert_eq!(
            (habits.orders, habits.products, habits.days),
            (2, 2, (90.0, 20.0))
        );
        // On day 50 nobody knew of days 80 and 90.
        let before = Facts::at(&visits, 50 * DAY);
        assert_eq!((before.products[0].buyers, before.gap), (1, 40.0));
    }
}
