//! The report: how lists fared against what then happened.
//!
//! A night's lists are judged by the events after its instant, which they cannot have known. What happened is told apart
//! by the question each result answers:
//!
//! - [`Bought`]: per known customer and day the products bought for the first time (recommendations) and those bought again
//!   (buy_again); of strangers and guests, all they bought (visitor_recommendations);
//! - [`baskets`]: what was bought together, each product of a basket a page, the others what was wanted there
//!   (bought_together, similar_products);
//! - [`steps`]: from one product to the next within a session (next_products).
//!
//! An [`Observation`] is a list, the naive list, and what was wanted; [`judge`] takes means by day. A product that is not in
//! the list is a miss, whether it was new, sold out or merely not thought of.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Interaction, Kind, Log};

/// One list, what would have stood there without a model, and what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The local day, from 1970-01-01.
    pub day: i64,
    /// The list, best first.
    pub shown: Vec<u32>,
    /// The naive list, best first.
    pub naive: Vec<u32>,
    /// What was bought, or looked at next.
    pub wanted: BTreeSet<u32>,
}

/// What is asked of a list, by its first k rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Binary gains, logarithmic discount, over that of a perfect list.
    Ndcg(usize),
    /// Whether any row was wanted.
    Hit(usize),
    /// One over the rank of the first row that was wanted, 0 without.
    ReciprocalRank(usize),
}

impl Measure {
    /// Its name in `report_card.metric`.
    pub fn name(self) -> String {
        match self {
            Measure::Ndcg(k) => format!("ndcg@{k}"),
            Measure::Hit(k) => format!("hr@{k}"),
            Measure::ReciprocalRank(k) => format!("mrr@{k}"),
        }
    }

    /// Its value for one list.
    pub fn of(self, list: &[u32], wanted: &BTreeSet<u32>) -> f64 {
        let (Measure::Ndcg(k) | Measure::Hit(k) | Measure::ReciprocalRank(k)) = self;
        let mut hits = list
            .iter()
            .take(k)
            .enumerate()
            .filter(|(_, product)| wanted.contains(product));
        match self {
            Measure::Ndcg(_) => {
                let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
                let perfect: f64 = (0..wanted.len().min(k)).map(discount).sum();
                hits.map(|(rank, _)| discount(rank)).sum::<f64>() / perfect
            }
            Measure::Hit(_) => f64::from(hits.next().is_some()),
            Measure::ReciprocalRank(_) => hits.next().map_or(0.0, |(rank, _)| 1.0 / (rank as f64 + 1.0)),
        }
    }
}

/// A day's mean of one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The local day.
    pub day: i64,
    /// What is measured.
    pub measure: Measure,
    /// Mean over the lists.
    pub value: f64,
    /// Mean over the naive lists, on the same observations.
    pub naive: f64,
    /// How many.
    pub observations: usize,
}

/// The means of every measure by day; observations in which nothing was wanted do not count.
pub fn judge(observations: &[Observation], measures: &[Measure]) -> Vec<Line> {
    let mut days: BTreeMap<i64, Vec<&Observation>> = BTreeMap::new();
    for observation in observations.iter().filter(|o| !o.wanted.is_empty()) {
        days.entry(observation.day).or_default().push(observation);
    }
    let mut lines = Vec::new();
    for (day, of) in days {
        for &measure in measures {
            let mean = |list: &dyn Fn(&Observation) -> f64| {
                of.iter().map(|observation| list(observation)).sum::<f64>() / of.len() as f64
            };
            lines.push(Line {
                day,
                measure,
                value: mean(&|o| measure.of(&o.shown, &o.wanted)),
                naive: mean(&|o| measure.of(&o.naive, &o.wanted)),
                observations: of.len(),
            });
        }
    }
    lines
}

/// What one person bought after the lists were made, and had bought before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    /// `None`: a guest.
    pub user: Option<u32>,
    /// Nobody had seen them before.
    pub stranger: bool,
    /// What they had bought before: product, how many times, when last.
    pub before: BTreeMap<u32, (u32, i64)>,
    /// By local day: products bought for the first time ever.
    pub new: BTreeMap<i64, BTreeSet<u32>>,
    /// By local day: products bought again.
    pub again: BTreeMap<i64, BTreeSet<u32>>,
}

/// Whether an event says what was wanted: a purchase, or in a shop without purchases a look.
fn target(log: &Log) -> impl Fn(&Interaction) -> bool {
    let purchases = log.has_purchases();
    move |event| {
        if purchases {
            event.kind == Kind::Purchase
        } else {
            matches!(event.kind, Kind::View | Kind::Cart | Kind::Wish)
        }
    }
}

/// Everybody who bought after `since`, in the order of users, guests (by their baskets) last. `day_of` tells an instant's
/// local day.
pub fn bought(log: &Log, since: i64, day_of: impl Fn(i64) -> i64) -> Vec<Bought> {
    let wanted = target(log);
    let known = log.events().partition_point(|e| e.user.is_some());
    let mut guests: Vec<&Interaction> = log.events()[known..]
        .iter()
        .filter(|e| e.at > since && wanted(e))
        .collect();
    guests.sort_by_key(|e| (e.basket, e.at, e.line));
    let people = log.events()[..known]
        .chunk_by(|a, b| a.user == b.user)
        .filter(|of| of.iter().any(|e| e.at > since && wanted(e)))
        .map(|of| person(of[0].user, of.iter(), since, &wanted, &day_of));
    let guests = guests
        .chunk_by(|a, b| a.basket == b.basket)
        .map(|of| person(None, of.iter().copied(), since, &wanted, &day_of));
    people.chain(guests).collect()
}

fn person<'e>(
    user: Option<u32>,
    events: impl Iterator<Item = &'e Interaction> + Clone,
    since: i64,
    wanted: impl Fn(&Interaction) -> bool,
    day_of: impl Fn(i64) -> i64,
) -> Bought {
    let mut one = Bought {
        user,
        stranger: events.clone().all(|e| e.at > since),
        before: BTreeMap::new(),
        new: BTreeMap::new(),
        again: BTreeMap::new(),
    };
    // Of each product in the order of time.
    let mut fresh: BTreeSet<u32> = BTreeSet::new();
    for event in events.filter(|e| wanted(e)) {
        let product = event.product;
        if event.at <= since {
            let entry = one.before.entry(product).or_insert((0, event.at));
            *entry = (entry.0 + 1, entry.1.max(event.at));
        } else if one.before.contains_key(&product) {
            one.again.entry(day_of(event.at)).or_default().insert(product);
        } else if fresh.insert(product) {
            one.new.entry(day_of(event.at)).or_default().insert(product);
        }
    }
    one
}

/// The baskets after `since` that hold two to `widest` products: (local day of the first event, products).
pub fn baskets(
    log: &Log,
    since: i64,
    widest: usize,
    day_of: impl Fn(i64) -> i64,
) -> Vec<(i64, BTreeSet<u32>)> {
    let wanted = target(log);
    let mut found: BTreeMap<u32, (i64, BTreeSet<u32>)> = BTreeMap::new();
    for event in log.events().iter().filter(|e| e.at > since && wanted(e)) {
        let basket = found.entry(event.basket).or_insert((event.at, BTreeSet::new()));
        basket.0 = basket.0.min(event.at);
        basket.1.insert(event.product);
    }
    found
        .into_values()
        .filter(|(_, products)| (2..=widest).contains(&products.len()))
        .map(|(at, products)| (day_of(at), products))
        .collect()
}

/// The steps after `since` from one product to another within a session: (local day, from, to). Looks, carts and purchases
/// are steps; staying with a product is none.
pub fn steps(log: &Log, since: i64, day_of: impl Fn(i64) -> i64) -> Vec<(i64, u32, u32)> {
    let mut path: Vec<(u32, i64, u32, u32)> = log
        .events()
        .iter()
        .filter(|e| e.at > since && matches!(e.kind, Kind::View | Kind::Cart | Kind::Purchase))
        .map(|e| (e.basket, e.at, e.line, e.product))
        .collect();
    path.sort_unstable();
    path.windows(2)
        .filter(|two| two[0].0 == two[1].0 && two[0].3 != two[1].3)
        .map(|two| (day_of(two[1].1), two[0].3, two[1].3))
        .collect()
}

/// Something the shop displayed, or what somebody then did with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight {
    /// Who: equal numbers are one customer or session.
    pub who: u128,
    /// What.
    pub product: u32,
    /// When.
    pub at: i64,
    /// The list that displayed it; `None`: this is what they did.
    pub list: Option<u32>,
    /// Of what they did, whether it was a purchase.
    pub bought: bool,
}

/// How long after a display a click counts, in seconds.
const FOLLOWED_WITHIN: i64 = 86_400;

/// Of what a list displayed on a day (to each once), how much was looked at, put into the cart or bought within a day, and how
/// much was bought: (day, list) to (displays, followed, bought).
pub fn followed(
    mut sights: Vec<Sight>,
    day_of: impl Fn(i64) -> i64,
) -> BTreeMap<(i64, u32), (usize, usize, usize)> {
    sights.sort_unstable();
    let mut counts: BTreeMap<(i64, u32), (usize, usize, usize)> = BTreeMap::new();
    for of in sights.chunk_by(|a, b| (a.who, a.product) == (b.who, b.product)) {
        let mut displayed: BTreeSet<(i64, u32)> = BTreeSet::new();
        for sight in of {
            let Some(list) = sight.list else { continue };
            let key = (day_of(sight.at), list);
            if !displayed.insert(key) {
                continue;
            }
            let within =
                |e: &&Sight| e.list.is_none() && (sight.at..=sight.at + FOLLOWED_WITHIN).contains(&e.at);
            let mut then = of.iter().filter(within).peekable();
            let count = counts.entry(key).or_default();
            count.0 += 1;
            count.1 += usize::from(then.peek().is_some());
            count.2 += usize::from(then.any(|e| e.bought));
        }
    }
    counts
}

#[cfg(test)]
mod tests;
