//! The log: what people did, over dense indices, and what each deed is worth.
//!
//! An [`Interaction`] is one event of the shop. A [`Log`] holds them sorted by user, product, time and line, so
//! that one pass over it builds everything else. *Strength* is the weight of a (user, product) pair in `0..=1`:
//! a purchase says 1, a view says little, and several small signs add up but never past 1.
//!
//! Invariants: indices are below `users` and `products`; `line` is unique and breaks ties of time (all lines of
//! an invoice share one minute), so the order of two events never depends on how they were read.

use rayon::slice::ParallelSliceMut;

/// What somebody did with a product. Other kinds of event exist in a shop; they are not used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Looked at its page.
    View,
    /// Put it on a wish list.
    Wish,
    /// Put it into the cart.
    Cart,
    /// Bought it.
    Purchase,
    /// Sent it back: takes that many units of earlier purchases back.
    Return,
    /// Gave it stars, 1 to 5.
    Rating,
    /// Asked not to be shown it again.
    Dismiss,
}

impl Kind {
    /// The kind of that name in the events table; `None` for names that carry no interest in a product.
    pub fn of(name: &str) -> Option<Kind> {
        Some(match name {
            "view" => Kind::View,
            "wish" => Kind::Wish,
            "cart" => Kind::Cart,
            "purchase" => Kind::Purchase,
            "return" => Kind::Return,
            "rating" => Kind::Rating,
            "dismiss" => Kind::Dismiss,
            _ => return None,
        })
    }
}

/// One event. Times are Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interaction {
    /// Who, or `None` for a visitor nobody knows.
    pub user: Option<u32>,
    /// Which product.
    pub product: u32,
    /// What was done.
    pub kind: Kind,
    /// Units, above 0; for a return the units that came back.
    pub quantity: f32,
    /// Stars 1 to 5 of a rating, 0 for every other kind.
    pub rating: f32,
    /// When.
    pub at: i64,
    /// Which basket or session the event belongs to; equal numbers are one basket.
    pub basket: u32,
    /// Place in the order the shop wrote its events: breaks ties of `at`.
    pub line: u32,
}

/// What one event of each kind is worth, as a share of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Strengths {
    /// A view.
    pub view: f32,
    /// A wish.
    pub wish: f32,
    /// A product put into the cart.
    pub cart: f32,
    /// A purchase that was not sent back.
    pub purchase: f32,
    /// Five stars; fewer are worth less in proportion to the stars above 2, two or one take a sign of interest away.
    pub rating: f32,
}

impl Default for Strengths {
    fn default() -> Strengths {
        Strengths {
            view: 0.1,
            wish: 0.4,
            cart: 0.5,
            purchase: 1.0,
            rating: 1.0,
        }
    }
}

impl Strengths {
    /// The same with everything but a purchase worth `factor` times as much.
    pub fn with_signs(self, factor: f64) -> Strengths {
        let factor = factor as f32;
        Strengths {
            view: self.view * factor,
            wish: self.wish * factor,
            cart: self.cart * factor,
            purchase: self.purchase,
            rating: self.rating * factor,
        }
    }
}

/// All usable events of a shop, sorted by (user, product, at, line); events without a user come last.
#[derive(Debug, Clone)]
pub struct Log {
    /// Number of users; user indices are below it.
    pub users: usize,
    /// Number of products; product indices are below it.
    pub products: usize,
    events: Vec<Interaction>,
}

impl Log {
    /// Sorts the events. Indices must be below `users` and `products`.
    pub fn new(users: usize, products: usize, mut events: Vec<Interaction>) -> Log {
        debug_assert!(events.iter().all(|e| (e.product as usize) < products));
        debug_assert!(
            events
                .iter()
                .all(|e| e.user.is_none_or(|user| (user as usize) < users))
        );
        events.par_sort_unstable_by_key(|e| (e.user.unwrap_or(u32::MAX), e.product, e.at, e.line));
        Log {
            users,
            products,
            events,
        }
    }

    /// The events in order.
    pub fn events(&self) -> &[Interaction] {
        &self.events
    }

    /// The newest instant, or `None` for an empty log.
    pub fn newest(&self) -> Option<i64> {
        self.events.iter().map(|e| e.at).max()
    }

    /// Whether anything was ever bought by a known user: if so, purchases are what is predicted.
    pub fn has_purchases(&self) -> bool {
        self.events
            .iter()
            .any(|e| e.user.is_some() && e.kind == Kind::Purchase)
    }
}
