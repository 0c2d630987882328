//! Two years of behaviour: sessions that look, wish, fill carts and pay, and what follows a purchase
//! (the article used up and bought again, a rating, a return).
//!
//! Each customer is played alone from an own stream of chance until the customer's share of the
//! events is used up; the rows of all are then put in order of time.

use super::calendar::{DAY, DAYS, END, START, bustle, season};
use super::catalogue::Catalogue;
use super::dice::{Dice, apportion};
use super::people::{People, Taste, taste};
use super::prices::Prices;
use super::words::CATEGORIES;
use super::{Event, User};

/// Makes exactly `count` events, by time.
pub(super) fn make(
    seed: u64,
    count: usize,
    catalogue: &Catalogue,
    prices: &Prices,
    people: &People,
) -> Vec<Event> {
    // One visitor nobody knows for every ten customers, together about 8 % of the events.
    let visitors = people.users.len().div_ceil(10);
    let mut weights: Vec<f64> = people
        .users
        .iter()
        .zip(&people.tastes)
        .map(|(user, taste)| taste.activity * presence(user))
        .collect();
    let known: f64 = weights.iter().sum();
    weights.extend((0..visitors).map(|_| 0.087 * known / visitors as f64));
    let mut all = Vec::with_capacity(count);
    for (index, quota) in apportion(count, &weights).into_iter().enumerate() {
        let mut dice = Dice::new(seed, "events", index as u64);
        let user = people.users.get(index);
        let unknown;
        let taste = match people.tastes.get(index) {
            Some(taste) => taste,
            None => {
                unknown = taste("en", &mut dice);
                &unknown
            }
        };
        let mut customer = Customer {
            user: user.map(|_| index as u32),
            since: user.map_or(START, |user| user.created_at.max(START)),
            taste,
            catalogue,
            prices,
            rows: Vec::with_capacity(quota + 16),
        };
        while customer.rows.len() < quota {
            let at = customer.moment(&mut dice);
            customer.session(at, &mut dice);
        }
        customer.rows.truncate(quota);
        all.append(&mut customer.rows);
    }
    number(all)
}

/// The part of the two years during which a customer could have come, at least a tenth.
fn presence(user: &User) -> f64 {
    ((END - user.created_at.max(START)) as f64 / (DAYS * DAY) as f64).max(0.02)
}

/// Puts the rows in order of time and numbers sessions and orders as they come. Until here a session
/// bears its first second and an order the second of its payment, unique within a customer.
fn number(mut rows: Vec<Event>) -> Vec<Event> {
    use std::collections::BTreeMap;
    rows.sort_by_key(|row| {
        (
            row.at,
            row.user.map_or(u32::MAX, |user| user),
            row.session,
            row.product,
            row.kind,
        )
    });
    let (mut sessions, mut orders) = (BTreeMap::new(), BTreeMap::new());
    for row in &mut rows {
        let next = sessions.len() as u32 + 1;
        row.session = *sessions.entry((row.user, row.session)).or_insert(next);
        if let Some(order) = row.order {
            let next = orders.len() as u32 + 1;
            row.order = Some(*orders.entry((row.user, order)).or_insert(next));
        }
    }
    rows
}

struct Customer<'a> {
    user: Option<u32>,
    since: i64,
    taste: &'a Taste,
    catalogue: &'a Catalogue,
    prices: &'a Prices,
    rows: Vec<Event>,
}

impl Customer<'_> {
    /// When a session begins: a day as busy as the shop, an hour of the day.
    fn moment(&self, dice: &mut Dice) -> i64 {
        let first = (self.since - START) / DAY;
        let mut day = dice.int(first, DAYS - 1);
        for _ in 0..50 {
            if dice.chance(bustle(day)) {
                break;
            }
            day = dice.int(first, DAYS - 1);
        }
        let hour = if dice.chance(0.7) {
            19.5 + 2.0 * dice.normal()
        } else {
            12.0 + 2.5 * dice.normal()
        };
        (START + day * DAY + (hour.clamp(0.0, 23.2) * 3600.0) as i64).max(self.since)
    }

    /// What a session is about: mostly a favourite category, in its season.
    fn subject(&self, at: i64, dice: &mut Dice) -> usize {
        let day = (at - START) / DAY;
        let mut weights = vec![0.035; CATEGORIES.len()];
        for &(category, weight) in &self.taste.categories {
            weights[category] += weight;
        }
        for (weight, category) in weights.iter_mut().zip(CATEGORIES) {
            *weight *= season(day, category.peak, category.swing);
        }
        dice.weighted(&weights)
    }

    /// A product of a category that exists and suits: brand, style, promotion (accept or draw again).
    fn find(&self, category: usize, at: i64, dice: &mut Dice) -> Option<u32> {
        let shelf = &self.catalogue.shelves[category];
        let mut found = None;
        for _ in 0..30 {
            let product = shelf.draw(dice)?;
            let Some((_, promotion)) = self.prices.at(product, at) else {
                continue;
            };
            found = Some(product);
            let suits = self.suits(product);
            if dice.chance(suits * if promotion { 1.0 } else { 0.4 }) {
                break;
            }
        }
        found
    }

    /// How well a product suits, from 0.12 to 1.
    fn suits(&self, product: u32) -> f64 {
        let traits = &self.catalogue.traits[product as usize];
        let brand = if self.taste.brands.contains(&traits.brand) {
            1.0
        } else {
            0.3
        };
        brand
            * if self.taste.style == traits.style {
                1.0
            } else {
                0.4
            }
    }

    /// One visit of the shop that begins at `at`.
    fn session(&mut self, at: i64, dice: &mut Dice) {
        let session = at as u32;
        let category = self.subject(at, dice);
        let mut cart: Vec<u32> = Vec::new();
        let mut now = at;
        for _ in 0..1 + dice.run(0.72, 9) {
            let aisle = if dice.chance(0.85) {
                category
            } else {
                self.subject(at, dice)
            };
            let Some(product) = self.find(aisle, now, dice) else {
                continue;
            };
            self.push(session, None, product, "view", now);
            now += dice.int(8, 150);
            let suits = self.suits(product);
            if suits < 0.2 && dice.chance(0.02) && self.user.is_some() {
                self.push(session, None, product, "dismiss", now);
            } else if dice.chance(0.05) && self.user.is_some() {
                self.push(session, None, product, "wish", now);
            } else if dice.chance(0.12 + 0.22 * suits) && !cart.contains(&product) {
                self.push(session, None, product, "cart", now);
                cart.push(product);
            }
            now += dice.int(2, 60);
        }
        if !cart.is_empty() && dice.chance(self.taste.decided) {
            self.complete(session, &mut cart, &mut now, dice);
            self.pay(session, &cart, now, dice);
        }
    }

    /// Adds what goes with the cart's articles, of the same brand when the shelf has it.
    fn complete(&mut self, session: u32, cart: &mut Vec<u32>, now: &mut i64, dice: &mut Dice) {
        for product in cart.clone() {
            if !dice.chance(0.3) {
                continue;
            }
            let traits = &self.catalogue.traits[product as usize];
            let kinds = CATEGORIES[traits.category].kinds;
            let wanted = kinds[traits.kind].goes_with;
            let mut added = None;
            for _ in 0..60 {
                let Some(other) = self.catalogue.shelves[traits.category].draw(dice) else {
                    break;
                };
                let other_traits = &self.catalogue.traits[other as usize];
                if kinds[other_traits.kind].name == wanted && self.prices.at(other, *now).is_some() {
                    added = Some(other);
                    if other_traits.brand == traits.brand {
                        break;
                    }
                }
            }
            if let Some(other) = added.filter(|other| !cart.contains(other)) {
                *now += dice.int(10, 90);
                self.push(session, None, other, "cart", *now);
                cart.push(other);
            }
        }
    }

    /// Pays a cart, and plays what follows: ratings, returns, the next pack.
    fn pay(&mut self, session: u32, cart: &[u32], at: i64, dice: &mut Dice) {
        let order = Some(at as u32);
        for &product in cart {
            self.push(session, order, product, "purchase", at);
            let traits = &self.catalogue.traits[product as usize];
            let lasts = CATEGORIES[traits.category].kinds[traits.kind].lasts;
            let quantity = if lasts > 0.0 && dice.chance(0.3) {
                dice.int(2, 4) as u32
            } else {
                1
            };
            if let Some(row) = self.rows.last_mut().filter(|row| row.kind == "purchase") {
                row.quantity = quantity;
            }
            let returned = CATEGORIES[traits.category].returned;
            if dice.chance(returned) {
                let price = self.prices.at(product, at).map(|(price, _)| price);
                self.push(
                    session,
                    order,
                    product,
                    "return",
                    at + dice.int(4 * DAY, 20 * DAY),
                );
                if let Some(row) = self.rows.last_mut().filter(|row| row.kind == "return") {
                    row.price = price;
                }
            } else if self.user.is_some() && dice.chance(0.12) {
                let liking =
                    3.7 + 0.8 * traits.quality + 0.9 * (self.suits(product) - 0.4) + 0.6 * dice.normal();
                self.push(
                    session,
                    order,
                    product,
                    "rating",
                    at + dice.int(5 * DAY, 25 * DAY),
                );
                if let Some(row) = self.rows.last_mut().filter(|row| row.kind == "rating") {
                    row.rating = Some(liking.round().clamp(1.0, 5.0) as u8);
                }
            }
            if lasts > 0.0 && self.user.is_some() && dice.chance(0.6) {
                let pack =
                    (lasts * (1.0 + 0.18 * dice.normal()).max(0.4) * f64::from(quantity) * DAY as f64) as i64;
                let next = at + pack;
                self.push(next as u32, None, product, "view", next);
                self.push(next as u32, None, product, "cart", next + 40);
                if next + 120 < END {
                    self.pay(next as u32, &[product], next + 120, dice);
                }
            }
        }
    }

    /// Writes one row, unless it lies after the last day.
    fn push(&mut self, session: u32, order: Option<u32>, product: u32, kind: &'static str, at: i64) {
        if at >= END {
            return;
        }
        let price = matches!(kind, "purchase" | "return")
            .then(|| self.prices.at(product, at))
            .flatten();
        self.rows.push(Event {
            user: self.user,
            session,
            order,
            product,
            kind,
            quantity: 1,
            price: price.map(|(price, _)| price),
            rating: None,
            at,
        });
    }
}
