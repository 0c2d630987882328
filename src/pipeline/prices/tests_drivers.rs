//! Nights with drivers: promotions entered by day, and costs known ahead.

use super::tests::{night, seen};
use crate::store::Shop;

const DAYS: i64 = 300;

fn text(day: i64) -> String {
    crate::price::calendar::day_text(day as i32)
}

/// Twenty products on promotion for six days in every 28, at 8 instead of 10, with rows at changes only; whether the flag of
/// day `day` of product `p` is on.
fn on(p: i64, day: i64) -> bool {
    (day + 5 * p) % 28 < 6
}

fn shop(folder: &std::path::Path) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut sql = String::from("BEGIN;");
    for p in 0..20 {
        for day in 0..DAYS {
            if day == 0 || day == DAYS - 1 || on(p, day) != on(p, day - 1) {
                sql += &format!(
                    "INSERT INTO prices (product_id, at, price, promotion) VALUES ('p{p:02}', {}, {}, {});",
                    day * 86_400 + 60,
                    if on(p, day) { 8 } else { 10 },
                    u8::from(on(p, day))
                );
            }
        }
    }
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    shop
}

/// Seven steps ahead of each product that are what the calendar says, half way to the other state's price.
fn followed(shop: &Shop) -> usize {
    let found = shop
        .select("SELECT product_id, step, price FROM price_forecasts", &[])
        .unwrap();
    let right = found.rows.iter().filter(|row| match &row[..] {
        [
            crate::store::Value::Text(product),
            crate::store::Value::Integer(step),
            crate::store::Value::Real(price),
        ] => {
            let p: i64 = product[1..].parse().unwrap();
            let (now, then) = (on(p, DAYS - 1), on(p, DAYS - 1 + step));
            let last = if now { 8.0 } else { 10.0 };
            let wanted = if now == then { last } else { 9.0 };
            (price - wanted).abs() < 1e-9
        }
        _ => panic!("{row:?}"),
    });
    right.count()
}

fn enter(shop: &Shop, name: &str, days: impl Iterator<Item = (i64, i64, f64)>) {
    let rows: String = days
        .map(|(p, day, value)| {
            format!(
                "INSERT INTO drivers VALUES ('{name}', 'p{p:02}', '{}', {value});",
                text(day)
            )
        })
        .collect();
    shop.conn()
        .execute_batch(&format!("BEGIN;{rows}COMMIT;"))
        .unwrap();
}

fn deals(until: i64) -> impl Iterator<Item = (i64, i64, f64)> {
    (0..20).flat_map(move |p| {
        (0..until)
            .filter(move |day| on(p, *day))
            .map(move |day| (p, day, 1.0))
    })
}

#[test]
fn promotions_end_on_the_day_after_their_last_row_whatever_other_drivers_say() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    enter(&shop, "deal", deals(DAYS + 28));
    // A leaflet that nobody has planned beyond tomorrow.
    enter(&shop, "feat", deals(DAYS + 1));
    enter(
        &shop,
        "feat",
        [(19, DAYS, 1.0)].into_iter().filter(|_| !on(19, DAYS)),
    );
    let outcome = night(&shop);
    assert!(outcome.why.contains("promotion plan for 20"), "{outcome:?}");
    assert_eq!(
        followed(&shop),
        20 * 7 - usize::from(!on(19, DAYS)),
        "{}",
        outcome.why
    );
}

#[test]
fn plans_are_judged_by_what_was_entered_and_not_by_what_rows_said_later() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    // Entered for the coming week only: nobody knows whether such plans come true.
    enter(
        &shop,
        "deal",
        deals(DAYS + 28).filter(|(_, day, _)| *day >= DAYS - 3),
    );
    let outcome = night(&shop);
    assert!(!outcome.why.contains("promotion plan"), "{outcome:?}");
    assert_eq!(
        seen(
            &shop,
            "SELECT count(*) FROM scores WHERE model = 'promotion plan'"
        ),
        seen(&shop, "SELECT 0")
    );
}

#[test]
fn prices_follow_a_cost_that_is_known_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    let mut dice = fastrand::Rng::with_seed(3);
    let mut sql = String::from("BEGIN;");
    // A purchase price, fixed for eight days at a time and for a month ahead; the shop passes it on the same day.
    let mut costs = Vec::new();
    for day in 0..DAYS + 30 {
        if day % 8 == 0 {
            costs.push(4.0 + dice.f64());
        }
        sql += &format!(
            "INSERT INTO drivers (name, day, value) VALUES ('leaf', '{}', {});",
            text(day),
            costs[costs.len() - 1]
        );
    }
    for p in 0..20 {
        for day in (0..DAYS).filter(|day| day % 8 == 0 || *day == DAYS - 1) {
            let price =
                (f64::from(10 + p) * (0.2 * (costs[day as usize / 8] - 4.0)).exp() * 100.0).round() / 100.0;
            sql += &format!(
                "INSERT INTO prices (product_id, at, price) VALUES ('p{p:02}', {}, {price});",
                day * 86_400 + 60
            );
        }
    }
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    let outcome = night(&shop);
    assert!(outcome.why.contains("regression for 20"), "{outcome:?}");
    let row = seen(
        &shop,
        "SELECT parameters, why FROM price_models WHERE product_id = 'p00'",
    );
    assert!(
        row.contains("leaf") && row.contains("drivers known ahead"),
        "{row}"
    );
    for p in 0..20 {
        let sql = format!("SELECT price FROM price_forecasts WHERE product_id = 'p{p:02}' AND step = 7");
        let crate::store::Value::Real(price) = shop.select(&sql, &[]).unwrap().rows[0][0] else {
            panic!()
        };
        let truth = f64::from(10 + p) * (0.2 * (costs[(DAYS as usize + 6) / 8] - 4.0)).exp();
        assert!((price / truth - 1.0).abs() < 0.005, "{p}: {price} {truth}");
    }
}
