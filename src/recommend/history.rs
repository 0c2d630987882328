//! Histories: per user the products met, with one strength each.
//!
//! A [`Signal`] is one (user, product) pair, folded from its events in the order of time: a purchase adds units,
//! a return takes them back, and a pair whose units are all back counts as not bought. [`Histories`] keeps the
//! signals of a user together, ordered by (first, line): the oldest interest first.
//!
//! A pair is a *target* (something worth predicting) when it was bought; in a shop without purchases, when it
//! carries any interest.

use super::log::{Interaction, Kind, Log, Strengths};

/// One user's relation to one product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// The product.
    pub product: u32,
    /// Interest in `0..=1`; 0 when only a return, a bad rating or a dismissal is left.
    pub strength: f32,
    /// When the interest began: the first purchase that still counts, else the first sign.
    pub first: i64,
    /// The line of that event; breaks ties of `first`.
    pub line: u32,
    /// The newest sign of interest.
    pub last: i64,
    /// Bought and not (wholly) sent back.
    pub bought: bool,
    /// The user asked not to see it, after the last purchase.
    pub dismissed: bool,
}

/// The signals of every user.
#[derive(Debug, Clone)]
pub struct Histories {
    /// Number of products.
    pub products: usize,
    offsets: Vec<usize>,
    signals: Vec<Signal>,
}

impl Histories {
    /// Folds the events that `keep` lets through. Users without any signal have an empty history.
    pub fn build(log: &Log, strengths: &Strengths, keep: impl Fn(&Interaction) -> bool) -> Histories {
        let mut offsets = Vec::with_capacity(log.users + 1);
        offsets.push(0);
        let mut signals: Vec<Signal> = Vec::new();
        let known = log.events().partition_point(|e| e.user.is_some());
        for pair in log.events()[..known].chunk_by(|a, b| a.user == b.user && a.product == b.product) {
            // A chunk always has a first event, and all events up to `known` have a user.
            let user = pair[0].user.unwrap_or(0) as usize;
            while offsets.len() <= user {
                offsets.push(signals.len());
            }
            signals.extend(fold(pair, strengths, &keep));
        }
        offsets.resize(log.users + 1, signals.len());
        for user in 0..log.users {
            signals[offsets[user]..offsets[user + 1]].sort_unstable_by_key(|s| (s.first, s.line));
        }
        Histories {
            products: log.products,
            offsets,
            signals,
        }
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// One user's signals, oldest first.
    pub fn of(&self, user: usize) -> &[Signal] {
        &self.signals[self.offsets[user]..self.offsets[user + 1]]
    }

    /// All signals, user by user.
    pub fn all(&self) -> &[Signal] {
        &self.signals
    }

    /// The newest `first` of all signals: "now" for what was learned from them.
    pub fn newest(&self) -> Option<i64> {
        self.signals
            .iter()
            .filter(|s| s.strength > 0.0)
            .map(|s| s.first)
            .max()
    }

    /// Marks the products that somebody has shown interest in: what a model could have learned about.
    pub fn seen_products(&self) -> Vec<bool> {
        let mut seen = vec![false; self.products];
        for signal in self.signals.iter().filter(|s| s.strength > 0.0) {
            seen[signal.product as usize] = true;
        }
        seen
    }
}

/// One pair's events, in order, as one signal; `None` when nothing kept says anything.
fn fold(pair: &[Interaction], strengths: &Strengths, keep: &impl Fn(&Interaction) -> bool) -> Option<Signal> {
    let mut units = 0.0f32;
    let mut signs = 0.0f32; // interest from everything but purchases
    let mut first_sign: Option<(i64, u32)> = None;
    let mut first_bought: Option<(i64, u32)> = None;
    let mut last = i64::MIN;
    let mut dismissed = false;
    let mut any = false;
    for event in pair.iter().filter(|event| keep(event)) {
        any = true;
        let here = (event.at, event.line);
        let worth = match event.kind {
            Kind::View => strengths.view,
            Kind::Wish => strengths.wish,
            Kind::Cart => strengths.cart,
            Kind::Rating => strengths.rating * (event.rating - 2.0) / 3.0,
            Kind::Purchase => {
                units += event.quantity;
                dismissed = false;
                first_bought.get_or_insert(here);
                first_sign.get_or_insert(here);
                last = event.at;
                continue;
            }
            Kind::Return => {
                units -= event.quantity;
                if units <= 0.0 {
                    units = 0.0;
                    first_bought = None;
                }
                continue;
            }
            Kind::Dismiss => {
                dismissed = true;
                continue;
            }
        };
        signs += worth;
        if worth > 0.0 {
            first_sign.get_or_insert(here);
            last = event.at;
        }
    }
    if !any {
        return None;
    }
    let bought = first_bought.is_some();
    let interest = if bought { strengths.purchase } else { 0.0 } + signs;
    let strength = if dismissed { 0.0 } else { interest.clamp(0.0, 1.0) };
    // Something returned and never looked at otherwise leaves a first sign but no interest.
    let (first, line) = first_bought.or(first_sign).unwrap_or((pair[0].at, pair[0].line));
    Some(Signal {
        product: pair[0].product,
        strength,
        first,
        line,
        last: last.max(first),
        bought,
        dismissed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: u32, product: u32, kind: Kind, quantity: f32, at: i64) -> Interaction {
        let rating = if kind == Kind::Rating { quantity } else { 0.0 };
        Interaction {
            user: Some(user),
            product,
            kind,
            quantity,
            rating,
            at,
            basket: 0,
            line: at as u32,
        }
    }

    fn histories(events: Vec<Interaction>) -> Histories {
        Histories::build(&Log::new(3, 4, events), &Strengths::default(), |_| true)
    }

    #[test]
    fn a_return_takes_a_purchase_back() {
        let h = histories(vec![
            event(0, 1, Kind::Purchase, 3.0, 10),
            event(0, 1, Kind::Return, 2.0, 20),
            event(0, 2, Kind::Purchase, 1.0, 30),
            event(0, 2, Kind::Return, 5.0, 40),
            event(0, 2, Kind::Purchase, 1.0, 50),
            event(2, 3, Kind::Purchase, 1.0, 60),
            event(2, 3, Kind::Return, 1.0, 70),
        ]);
        let of0: Vec<_> = h.of(0).iter().map(|s| (s.product, s.bought, s.first)).collect();
        assert_eq!(of0, [(1, true, 10), (2, true, 50)]);
        assert!(h.of(1).is_empty());
        assert!(!h.of(2)[0].bought);
        assert_eq!(h.of(2)[0].strength, 0.0);
        assert_eq!(h.seen_products(), [false, true, true, false]);
    }

    #[test]
    fn signs_add_up_and_a_dismissal_silences() {
        let h = histories(vec![
            event(0, 0, Kind::View, 1.0, 1),
            event(0, 0, Kind::View, 1.0, 2),
            event(0, 1, Kind::Cart, 1.0, 3),
            event(0, 1, Kind::Dismiss, 1.0, 4),
            event(1, 0, Kind::Rating, 5.0, 5),
            event(1, 1, Kind::Rating, 1.0, 6),
        ]);
        assert!((h.of(0)[0].strength - 0.2).abs() < 1e-6);
        assert_eq!((h.of(0)[1].strength, h.of(0)[1].dismissed), (0.0, true));
        assert_eq!(h.of(1)[0].strength, 1.0);
        assert_eq!(h.of(1)[1].strength, 0.0);
    }

    #[test]
    fn what_is_not_kept_leaves_no_trace() {
        let log = Log::new(
            1,
            2,
            vec![
                event(0, 0, Kind::Purchase, 1.0, 1),
                event(0, 1, Kind::Purchase, 1.0, 9),
            ],
        );
        let h = Histories::build(&log, &Strengths::default(), |e| e.at < 5);
        assert_eq!(h.of(0).len(), 1);
    }
}
