//! Matrices: who met what, as the sparse rows that models are fitted on.
//!
//! Two views of the same past. By *user*: one row per user, the strength of every product, faded by its age where a model
//! wants that. By *basket*: one row per order (or session), 1 for every product in it; visitors without a name count
//! too. What lies behind a cut's boundary is in neither.

use super::cuts::Cut;
use super::history::Histories;
use super::log::{Kind, Log};
use super::profile::Decay;
use crate::text::Csr;

/// Baskets of more products than this are a wholesaler's order, not a taste: they join everything with everything.
pub const WIDEST: usize = 300;

/// One row per user, columns are products, weights those of `decay`'s profile.
pub fn by_user(histories: &Histories, decay: Decay) -> Csr {
    let rows = (0..histories.users()).map(|user| {
        let mut row = decay.profile(histories.of(user));
        row.sort_unstable_by_key(|&(product, _)| product);
        row
    });
    Csr::from_rows(histories.products, rows)
}

/// One row per basket of two to [`WIDEST`] products that the training part of `cut` may see; binary. What was bought,
/// or, in a shop without purchases, what was looked at.
pub fn by_basket(log: &Log, cut: &Cut) -> Csr {
    let counts = |kind: Kind| {
        if cut.purchases {
            kind == Kind::Purchase
        } else {
            matches!(kind, Kind::View | Kind::Wish | Kind::Cart)
        }
    };
    let mut entries: Vec<(u32, u32)> = log
        .events()
        .iter()
        .filter(|event| counts(event.kind) && cut.shows(event))
        .map(|event| (event.basket, event.product))
        .collect();
    entries.sort_unstable();
    entries.dedup();
    let baskets = entries
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|basket| (2..=WIDEST).contains(&basket.len()));
    Csr::from_rows(
        log.products,
        baskets.map(|basket| basket.iter().map(|&(_, product)| (product, 1.0)).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Strengths};
    use super::*;

    #[test]
    fn baskets_end_at_the_boundary_for_strangers_too() {
        let buy = |user: Option<u32>, product, at: i64, basket| Interaction {
            user,
            product,
            kind: Kind::Purchase,
            quantity: 1.0,
            rating: 0.0,
            at,
            basket,
            line: at as u32,
        };
        let mut events: Vec<_> = (0..8).map(|i| buy(Some(0), i, i64::from(i), i / 2)).collect();
        events.extend([
            buy(None, 0, 1, 10),
            buy(None, 3, 1, 10),
            buy(None, 1, 99, 11),
            buy(None, 2, 99, 11),
        ]);
        let log = Log::new(1, 8, events);
        let cut = Cut::global(&log, &Strengths::default(), 0.8);
        let baskets = by_basket(&log, &cut);
        let rows: Vec<&[u32]> = (0..baskets.rows).map(|row| baskets.row(row).0).collect();
        assert_eq!(rows, [&[0u32, 1][..], &[2, 3], &[4, 5], &[0, 3]]);
        assert_eq!(by_basket(&log, &Cut::none(&log, &Strengths::default())).rows, 6);
        let users = by_user(&cut.train, Decay::flat());
        assert_eq!((users.rows, users.row(0).0.len()), (1, cut.train.of(0).len()));
    }
}
