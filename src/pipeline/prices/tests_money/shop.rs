//! A shop with known elasticities, and how its nights are run and read.

use super::super::Prices;
use crate::fit::Control;
use crate::pipeline::options::PriceOptions;
use crate::pipeline::{AsOf, Brief, Outcome, Stage, Watch};
use crate::store::{Shop, Value};
use std::sync::Arc;

pub(super) struct Nobody;
impl crate::fit::Progress for Nobody {
    fn step(&self, _: &str, _: u64, _: u64) {}
}
impl Watch for Nobody {
    fn stage(&self, _: Stage) {}
}

pub(super) const WEEK: i64 = 7 * 86_400;
pub(super) const WEEKS: i64 = 90;
/// The last second of the newest week.
pub(super) const TONIGHT: i64 = WEEKS * WEEK - 1;

pub(super) fn night(shop: &Shop, as_of: i64, options: PriceOptions) -> Outcome {
    night_later(shop, as_of, as_of + 60, options)
}

/// A night as of a day that is over, run `now`.
pub(super) fn night_later(shop: &Shop, as_of: i64, now: i64, options: PriceOptions) -> Outcome {
    let brief = Brief {
        shop,
        run: shop.begin_run("prices", None, 1).unwrap(),
        now,
        as_of: AsOf::At(as_of),
        seed: 1,
        control: Control::unbounded(),
        dry_run: false,
        publish_older: true,
        watch: Arc::new(Nobody),
    };
    crate::pipeline::run(&Prices { options }, brief).unwrap()
}

pub(super) fn options() -> PriceOptions {
    PriceOptions {
        horizon: 7,
        ..PriceOptions::default()
    }
}

pub(super) fn one(shop: &Shop, sql: &str) -> Value {
    shop.select(sql, &[])
        .unwrap()
        .rows
        .into_iter()
        .next()
        .unwrap()
        .remove(0)
}

pub(super) fn number(shop: &Shop, sql: &str) -> f64 {
    match one(shop, sql) {
        Value::Real(x) => x,
        Value::Integer(x) => x as f64,
        other => panic!("{sql}: {other:?}"),
    }
}

pub(super) fn word(shop: &Shop, sql: &str) -> String {
    match one(shop, sql) {
        Value::Text(x) => x,
        other => panic!("{sql}: {other:?}"),
    }
}

/// Twenty-four products in two categories, sold by the dozen at elasticity -1.5 (tea) and -4 (pots); and the odd ones.
pub(super) fn shop(folder: &std::path::Path) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut sql = String::from("BEGIN;");
    let mut dice = fastrand::Rng::with_seed(7);
    let sell = |sql: &mut String, product: &str, week: i64, units: f64, price: f64| {
        // Two orders a week; the larger one pays less.
        let (small, large) = (
            (units / 3.0).floor().max(1.0),
            units - (units / 3.0).floor().max(1.0),
        );
        sql.push_str(&format!(
            "INSERT INTO events (product_id, kind, quantity, price, at) VALUES ('{product}', 'purchase', {small}, {price}, {at});",
            at = week * WEEK + 90_000
        ));
        if large > 0.0 {
            sql.push_str(&format!(
                "INSERT INTO events (product_id, kind, quantity, price, at) VALUES ('{product}', 'purchase', {large}, {paid}, {at});",
                paid = price * 0.8,
                at = week * WEEK + 200_000
            ));
        }
    };
    for p in 0..24 {
        let (category, elasticity) = if p % 2 == 0 { ("tea", -1.5) } else { ("pots", -4.0) };
        let product = format!("{category}{p:02}");
        sql.push_str(&format!(
            "INSERT INTO products (product_id, category, brand, cost, in_stock) VALUES ('{product}', '{category}', 'oak', 6, 5);"
        ));
        let mut promotion = false;
        for week in 0..WEEKS {
            let price = if week % 9 == p % 9 {
                promotion = true;
                7.99
            } else if promotion || week == 0 {
                promotion = false;
                9.99
            } else {
                if week % 20 == p % 20 { 10.99 } else { 9.99 }
            };
            sql.push_str(&format!(
                "INSERT INTO prices (product_id, at, price, promotion) VALUES ('{product}', {}, {price}, {});",
                week * WEEK,
                i64::from(promotion)
            ));
            let noise = 0.1 * (dice.f64() + dice.f64() + dice.f64() - 1.5);
            let leaflet = f64::from(u8::from(week % 13 == 5));
            let units = 30.0 * (price / 9.99f64).powf(elasticity) * (noise + 0.3 * leaflet).exp();
            sell(&mut sql, &product, week, units.round(), price);
        }
    }
    for week in 0..WEEKS + 4 {
        if week % 13 == 5 {
            let day = crate::price::calendar::day_text((week * 7 + 2) as i32);
            sql.push_str(&format!(
                "INSERT INTO drivers (name, day, value) VALUES ('leaflet', '{day}', 1);"
            ));
        }
    }
    // The odd ones: a price that never changed, one never sold, one sold for three weeks.
    for (product, from, sold) in [
        ("constant", 0, true),
        ("unsold", 0, false),
        ("young", WEEKS - 3, true),
    ] {
        sql.push_str(&format!(
            "INSERT INTO products (product_id, category, cost, in_stock) VALUES ('{product}', 'tea', 6, 5);
             INSERT INTO prices (product_id, at, price) VALUES ('{product}', {}, 5);",
            from * WEEK
        ));
        for week in from..WEEKS {
            if sold {
                sell(&mut sql, product, week, f64::from(dice.u8(5..15)), 5.0);
            }
        }
    }
    sql.push_str("COMMIT;");
    shop.conn().execute_batch(&sql).unwrap();
    shop
}
