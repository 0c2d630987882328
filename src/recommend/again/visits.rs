//! Visits: which orders of a customer held which product, as of any instant.
//!
//! An *order* is a basket of a customer, numbered by its first line; a *visit* is a product in an order. Several lines of
//! one product in one order are one visit: who takes ten units bought once. A return takes units back, those bought
//! last first; a visit all of whose units came back is gone from then on, and nothing before then knows.
//!
//! The log is folded once. [`Visits::each`] then tells what was known at an instant, so that every cut in time reads the
//! same rows and sees nothing from behind itself.

use super::super::log::{Interaction, Kind, Log};

/// A product in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// Which of the customer's orders, from 0 in the order of time.
    pub order: u32,
    /// Units bought.
    pub units: f32,
    /// The instant at which all of them had come back; `i64::MAX` = they have not.
    pub gone: i64,
}

/// A customer and a product bought.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    product: u32,
    /// Where its visits end; they begin where those of the pair before end.
    end: u32,
    /// The customer asked not to see it, after buying it last.
    dismissed: bool,
}

/// The visits of every customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Visits {
    /// Number of products.
    pub products: usize,
    /// By user: where the pairs, and where the orders end.
    ends: Vec<(u32, u32)>,
    pairs: Vec<Pair>,
    visits: Vec<Visit>,
    /// Instants of the orders, user by user.
    orders: Vec<i64>,
}

/// What is known of one pair at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Bought<'a> {
    /// The product.
    pub product: u32,
    /// Its visits that were known and not gone, oldest first; at least one.
    pub visits: &'a [Visit],
    /// The customer asked not to see it (known at the end of the log only).
    pub dismissed: bool,
    /// Whether it is bought after the instant and before the end asked about, and does not come back before then.
    pub again: bool,
}

impl Visits {
    /// Folds the purchases and returns of known customers.
    pub fn fold(log: &Log) -> Visits {
        let mut visits = Visits {
            products: log.products,
            ends: Vec::with_capacity(log.users),
            pairs: Vec::new(),
            visits: Vec::new(),
            orders: Vec::new(),
        };
        let known = log.events().partition_point(|e| e.user.is_some());
        let mut numbers = Vec::new();
        for events in log.events()[..known].chunk_by(|a, b| a.user == b.user) {
            let user = events[0].user.unwrap_or(0) as usize;
            visits.close(user);
            visits.number_orders(events, &mut numbers);
            for pair in events.chunk_by(|a, b| a.product == b.product) {
                visits.fold_pair(pair, &numbers);
            }
        }
        visits.close(log.users);
        visits
    }

    /// Gives every user below `users` that has no end yet the end of what was folded so far.
    fn close(&mut self, users: usize) {
        let here = (self.pairs.len() as u32, self.orders.len() as u32);
        self.ends.resize(users, here);
    }

    /// Numbers the baskets of one user by their first lines; `numbers` becomes (basket, number), ascending.
    fn number_orders(&mut self, events: &[Interaction], numbers: &mut Vec<(u32, u32)>) {
        let mut first: Vec<(u32, i64, u32)> = events
            .iter()
            .filter(|e| e.kind == Kind::Purchase)
            .map(|e| (e.basket, e.at, e.line))
            .collect();
        first.sort_unstable();
        first.dedup_by_key(|order| order.0);
        first.sort_unstable_by_key(|&(_, at, line)| (at, line));
        numbers.clear();
        numbers.extend(first.iter().zip(0..).map(|(order, number)| (order.0, number)));
        numbers.sort_unstable();
        self.orders.extend(first.iter().map(|order| order.1));
    }

    fn fold_pair(&mut self, pair: &[Interaction], numbers: &[(u32, u32)]) {
        let begin = self.visits.len();
        let mut left: Vec<f32> = Vec::new(); // units of each visit that did not come back
        let mut dismissed = false;
        for event in pair {
            match event.kind {
                Kind::Purchase => {
                    dismissed = false;
                    let Ok(at) = numbers.binary_search_by_key(&event.basket, |number| number.0) else {
                        continue; // every purchase of the user was numbered
                    };
                    let order = numbers[at].1;
                    let of_pair = &mut self.visits[begin..];
                    match of_pair.iter().position(|visit| visit.order == order) {
                        Some(place) => {
                            of_pair[place].units += event.quantity;
                            of_pair[place].gone = i64::MAX;
                            left[place] += event.quantity;
                        }
                        None => {
                            let (units, gone) = (event.quantity, i64::MAX);
                            self.visits.push(Visit { order, units, gone });
                            left.push(event.quantity);
                        }
                    }
                }
                Kind::Return => {
                    let mut back = event.quantity;
                    for (visit, left) in self.visits[begin..].iter_mut().zip(&mut left).rev() {
                        let taken = back.min(*left);
                        *left -= taken;
                        back -= taken;
                        if taken > 0.0 && *left <= 0.0 {
                            visit.gone = event.at;
                        }
                    }
                }
                Kind::Dismiss => dismissed = true,
                Kind::View | Kind::Wish | Kind::Cart | Kind::Rating => {}
            }
        }
        if self.visits.len() > begin {
            // Baskets may overlap in time: the later one may have taken the product first.
            self.visits[begin..].sort_by_key(|visit| visit.order);
            self.pairs.push(Pair {
                product: pair[0].product,
                end: self.visits.len() as u32,
                dismissed,
            });
        }
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.ends.len()
    }

    /// Pairs of all users: the most there can be to rank.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The instants of a user's orders up to and including `now`.
    pub fn orders(&self, user: usize, now: i64) -> &[i64] {
        let begin = if user == 0 {
            0
        } else {
            self.ends[user - 1].1 as usize
        };
        let orders = &self.orders[begin..self.ends[user].1 as usize];
        &orders[..orders.partition_point(|&at| at <= now)]
    }

    /// Where the pairs of a user stand.
    fn places(&self, user: usize) -> std::ops::Range<usize> {
        let begin = if user == 0 {
            0
        } else {
            self.ends[user - 1].0 as usize
        };
        begin..self.ends[user].0 as usize
    }

    /// What a user had bought by `now`, product by product; [`Bought::again`] looks from there to `until` inclusive.
    /// `kept` is a buffer.
    pub fn each(
        &self,
        user: usize,
        now: i64,
        until: i64,
        kept: &mut Vec<Visit>,
        mut tell: impl FnMut(Bought<'_>),
    ) {
        let known = self.orders(user, now).len() as u32;
        let later = self.orders(user, until).len() as u32;
        for place in self.places(user) {
            let pair = &self.pairs[place];
            let from = if place == 0 {
                0
            } else {
                self.pairs[place - 1].end as usize
            };
            let all = &self.visits[from..pair.end as usize];
            let (past, rest) = all.split_at(all.partition_point(|visit| visit.order < known));
            let visits = if past.iter().all(|visit| visit.gone > now) {
                past
            } else {
                kept.clear();
                kept.extend(past.iter().filter(|visit| visit.gone > now));
                &*kept
            };
            if !visits.is_empty() {
                let again = rest.iter().any(|visit| visit.order < later && visit.gone > until);
                let (product, dismissed) = (pair.product, pair.dismissed);
                tell(Bought {
                    product,
                    visits,
                    dismissed,
                    again,
                });
            }
        }
    }

    /// The first and the newest order of all, as instants.
    pub fn span(&self) -> Option<(i64, i64)> {
        Some((*self.orders.iter().min()?, *self.orders.iter().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: u32, product: u32, kind: Kind, quantity: f32, at: i64, basket: u32) -> Interaction {
        Interaction {
            user: Some(user),
            product,
            kind,
            quantity,
            rating: 0.0,
            at,
            basket,
            line: at as u32,
        }
    }

    /// (product, orders, again) of a user at an instant.
    fn known(visits: &Visits, user: usize, now: i64, until: i64) -> Vec<(u32, Vec<u32>, bool)> {
        let mut found = Vec::new();
        visits.each(user, now, until, &mut Vec::new(), |bought| {
            let orders = bought.visits.iter().map(|visit| visit.order).collect();
            found.push((bought.product, orders, bought.again));
        });
        found
    }

    #[test]
    fn orders_are_numbered_and_an_instant_knows_its_past() {
        let buy = |product, at, basket| event(1, product, Kind::Purchase, 2.0, at, basket);
        let log = Log::new(
            3,
            3,
            vec![
                buy(0, 10, 7),
                buy(0, 11, 7),
                buy(2, 20, 3),
                buy(0, 30, 5),
                buy(2, 31, 5),
                event(1, 1, Kind::View, 1.0, 5, 9),
            ],
        );
        let visits = Visits::fold(&log);
        assert_eq!((visits.users(), visits.pairs()), (3, 2));
        assert_eq!(visits.orders(1, 99), [10, 20, 30]);
        assert_eq!(known(&visits, 1, 9, 99), []);
        assert_eq!(
            known(&visits, 1, 20, 29),
            [(0, vec![0], false), (2, vec![1], false)]
        );
        assert_eq!(
            known(&visits, 1, 20, 30),
            [(0, vec![0], true), (2, vec![1], true)]
        );
        assert_eq!(
            known(&visits, 1, 30, 99),
            [(0, vec![0, 2], false), (2, vec![1, 2], false)]
        );
        assert_eq!(known(&visits, 0, 99, 99), []);
        assert_eq!(known(&visits, 2, 99, 99), []);
        let mut units = Vec::new();
        visits.each(1, 99, 99, &mut Vec::new(), |bought| {
            units.push(bought.visits[0].units)
        });
        assert_eq!(units, [4.0, 2.0]);
    }

    #[test]
    fn a_return_takes_the_last_units_back_and_nobody_knows_before() {
        let log = Log::new(
            1,
            1,
            vec![
                event(0, 0, Kind::Purchase, 3.0, 10, 0),
                event(0, 0, Kind::Purchase, 2.0, 20, 1),
                event(0, 0, Kind::Return, 1.0, 25, 1),
                event(0, 0, Kind::Return, 2.0, 30, 1),
                event(0, 0, Kind::Return, 9.0, 40, 1),
            ],
        );
        let visits = Visits::fold(&log);
        assert_eq!(known(&visits, 0, 29, 99), [(0, vec![0, 1], false)]);
        assert_eq!(known(&visits, 0, 30, 99), [(0, vec![0], false)]);
        assert_eq!(known(&visits, 0, 40, 99), []);
        // The second purchase had come back by the end asked about.
        assert_eq!(known(&visits, 0, 10, 29), [(0, vec![0], true)]);
        assert_eq!(known(&visits, 0, 10, 30), [(0, vec![0], false)]);
    }

    #[test]
    fn a_dismissal_holds_until_the_next_purchase() {
        let dismissed = |events: Vec<Interaction>| {
            let mut found = false;
            Visits::fold(&Log::new(1, 1, events)).each(0, 99, 99, &mut Vec::new(), |b| found = b.dismissed);
            found
        };
        let buy = |at| event(0, 0, Kind::Purchase, 1.0, at, at as u32);
        let dismiss = event(0, 0, Kind::Dismiss, 1.0, 5, 0);
        assert!(dismissed(vec![buy(1), dismiss]));
        assert!(!dismissed(vec![buy(1), dismiss, buy(9)]));
    }

    #[test]
    fn an_empty_log_has_no_visits() {
        let visits = Visits::fold(&Log::new(0, 0, Vec::new()));
        assert_eq!((visits.users(), visits.pairs(), visits.span()), (0, 0, None));
    }
}
