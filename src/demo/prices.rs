//! Two years of prices: steps between moments at which somebody changed them, promotions that end
//! where they began, and a competitor for every eighth product.

use super::Price;
use super::calendar::{DAY, DAYS, END, START, date};
use super::catalogue::{Catalogue, psychological};
use super::dice::Dice;
use chrono::Datelike;

/// The only competitor.
const RIVAL: &str = "rivalmart";

/// Rows by product, seller and time, and where the shop's own of each product lie.
pub(super) struct Prices {
    pub rows: Vec<Price>,
    own: Vec<std::ops::Range<usize>>,
}

impl Prices {
    /// The shop's price of a product at an instant and whether it is a promotion; none before the
    /// product was created.
    pub(super) fn at(&self, product: u32, at: i64) -> Option<(f64, bool)> {
        let own = &self.rows[self.own[product as usize].clone()];
        let row = &own[own.partition_point(|row| row.at <= at).checked_sub(1)?];
        row.price.map(|price| (price, row.promotion))
    }
}

/// Makes the prices and sets each product's price to its last one.
pub(super) fn make(seed: u64, catalogue: &mut Catalogue) -> Prices {
    let mut prices = Prices {
        rows: Vec::new(),
        own: Vec::new(),
    };
    for index in 0..catalogue.products.len() {
        let mut dice = Dice::new(seed, "prices", index as u64);
        let traits = &catalogue.traits[index];
        let first = traits.created_at.max(START);
        let from = prices.rows.len();
        for (at, price, promotion) in own(first, traits.base, &mut dice) {
            prices.rows.push(Price {
                product: index as u32,
                seller: "",
                at,
                price: Some(price),
                promotion,
            });
        }
        prices.own.push(from..prices.rows.len());
        if let Some(last) = prices.rows.last() {
            catalogue.products[index].price = last.price.unwrap_or(traits.base);
        }
        if index % 8 == 3 {
            rival(index as u32, first, traits.base, &mut dice, &mut prices.rows);
        }
    }
    prices
}

/// Steps of the list price with promotions between them.
fn own(first: i64, base: f64, dice: &mut Dice) -> Vec<(i64, f64, bool)> {
    let mut rows = vec![(first, base, false)];
    let mut list = base;
    let mut day = (first - START) / DAY + dice.int(10, 70);
    while day < DAYS {
        let opens = START + day * DAY + dice.int(5, 9) * 3600;
        let busy = matches!(
            (date(day).month(), date(day).day()),
            (11, 15..) | (1, 2..=20) | (7, 1..=20)
        );
        if dice.chance(if busy { 0.8 } else { 0.5 }) {
            let length = dice.int(3, 14);
            let cut = dice.pick(&[0.10, 0.15, 0.20, 0.20, 0.25, 0.30]);
            rows.push((opens, psychological(list * (1.0 - cut)), true));
            day += length;
            if day < DAYS {
                rows.push((START + day * DAY, list, false));
            }
        } else {
            list = psychological(list * (1.0 + 0.045 * dice.normal() + 0.012).clamp(0.85, 1.2));
            if rows.last().is_some_and(|last| last.1 != list) {
                rows.push((opens, list, false));
            }
        }
        day += dice.int(18, 75);
    }
    rows
}

/// The competitor's prices: near ours, changed more often, some ended.
fn rival(product: u32, first: i64, base: f64, dice: &mut Dice, rows: &mut Vec<Price>) {
    let mut price = psychological(base * dice.between(0.9, 1.12));
    let mut at = first + dice.int(0, 90) * DAY + dice.int(0, DAY - 1);
    while at < END {
        let gone = dice.chance(0.02);
        rows.push(Price {
            product,
            seller: RIVAL,
            at,
            price: (!gone).then_some(price),
            promotion: !gone && dice.chance(0.05),
        });
        if gone && dice.chance(0.5) {
            break;
        }
        price = psychological((price * (1.0 + 0.06 * dice.normal())).clamp(0.75 * base, 1.35 * base));
        at += dice.int(6, 30) * DAY + dice.int(0, DAY - 1);
    }
}
