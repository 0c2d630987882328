//! A night of prices on a small shop, from rows to views.

use super::*;
use crate::store::Shop;

struct Nobody;

impl crate::fit::Progress for Nobody {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

impl crate::pipeline::Watch for Nobody {
    fn stage(&self, _: crate::pipeline::Stage) {}
}

/// A shop of 150 days: 20 noisy teas, a constant, an offer that ended, a silent seller, a running promotion.
fn shop(folder: &std::path::Path) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    let mut sql = String::from("BEGIN;");
    let mut row = |product: &str, seller: &str, day: i64, price: &str, promotion: u8| {
        sql += &format!(
            "INSERT INTO prices VALUES ('{product}', '{seller}', {}, {price}, {promotion});",
            day * 86_400
        );
    };
    for tea in 0..20 {
        for day in 0..150 {
            row(
                &format!("tea{tea:02}"),
                "",
                day,
                &format!("{:.2}", 8.0 + 4.0 * random.f64()),
                0,
            );
        }
    }
    row("constant", "", 3, "5.0", 0);
    row("ended", "", 3, "5.0", 0);
    row("ended", "", 100, "NULL", 0);
    row("tea00", "rival", 60, "7.5", 0);
    row("promoted", "", 10, "9.0", 0);
    row("promoted", "", 130, "10.0", 0);
    row("promoted", "", 140, "6.0", 1);
    row("free", "", 140, "0.0", 0);
    for tea in 0..20 {
        sql += &format!(
            "INSERT INTO products (product_id, title, category) VALUES ('tea{tea:02}', 't', 'tea');"
        );
    }
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    shop
}

pub(super) fn night(shop: &Shop) -> crate::pipeline::Outcome {
    let brief = crate::pipeline::Brief {
        shop,
        run: shop.begin_run("prices", None, 1).unwrap(),
        now: 1_800_000_000,
        as_of: crate::pipeline::AsOf::Data,
        seed: 1,
        control: crate::fit::Control::unbounded(),
        dry_run: false,
        publish_older: false,
        watch: std::sync::Arc::new(Nobody),
    };
    let options = PriceOptions {
        horizon: 7,
        ..PriceOptions::default()
    };
    crate::pipeline::run(&Prices { options }, brief).unwrap()
}

pub(super) fn seen(shop: &Shop, sql: &str) -> String {
    format!("{:?}", shop.select(sql, &[]).unwrap().rows)
}

#[test]
fn a_night_of_prices_from_rows_to_views() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let outcome = night(&shop);
    assert!(
        outcome.generation.is_some() && outcome.why.contains("22 of 24 series forecast, daily"),
        "{outcome:?}"
    );
    let count = |sql: &str| seen(&shop, &format!("SELECT count(*) {sql}"));
    assert_eq!(count("FROM price_forecasts"), seen(&shop, "SELECT 22 * 7"));
    assert_eq!(count("FROM price_models"), seen(&shop, "SELECT 24"));
    assert_eq!(count("FROM price_stats"), seen(&shop, "SELECT 24"));
    assert_eq!(
        count("FROM price_models WHERE model = 'last price' AND product_id LIKE 'tea%' AND seller = ''"),
        seen(&shop, "SELECT 0"),
        "noise around a level is forecast better by its mean"
    );
    assert_eq!(
        seen(
            &shop,
            "SELECT min30_before_promotion, on_promotion, last_change_day FROM price_stats WHERE product_id = 'promoted'"
        ),
        seen(&shop, "SELECT 9.0, 1, '1970-05-21'")
    );
    assert_eq!(
        seen(
            &shop,
            "SELECT step, day, price FROM price_forecasts WHERE product_id = 'promoted' AND step IN (1, 7)"
        ),
        seen(
            &shop,
            "SELECT 1, '1970-05-31', 6.0 UNION ALL SELECT 7, '1970-06-06', 6.0"
        )
    );
    assert_eq!(
        count(
            "FROM price_forecasts WHERE lo95 > lo80 OR lo80 > price OR price > hi80 OR hi80 > hi95 OR lo95 < 0"
        ),
        seen(&shop, "SELECT 0")
    );
    let why = seen(
        &shop,
        "SELECT why FROM price_models WHERE product_id IN ('constant', 'ended') OR seller = 'rival' ORDER BY product_id",
    );
    assert!(
        why.contains("never changed") && why.contains("has ended") && why.contains("not seen"),
        "{why}"
    );
    assert_eq!(
        count("FROM scores WHERE model = 'published' AND metric = 'skill' AND value > 0.05"),
        seen(&shop, "SELECT 1")
    );
    assert_eq!(
        count("FROM run_drops WHERE table_name = 'prices' AND rows = 1"),
        seen(&shop, "SELECT 1")
    );
}

#[test]
fn the_same_shop_gives_the_same_views() {
    let views = || {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path());
        night(&shop);
        ["price_forecasts", "price_models", "price_stats"]
            .map(|view| seen(&shop, &format!("SELECT * FROM {view}")))
    };
    assert_eq!(views(), views());
}

#[test]
fn an_empty_shop_publishes_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    let outcome = night(&shop);
    assert_eq!(
        (outcome.rows, outcome.why.contains("no prices yet")),
        (0, true),
        "{outcome:?}"
    );
}
