//! A night of the money side, from rows to views: a little shop whose buyers react as they were told to.

mod shop;

use self::shop::*;
use crate::pipeline::options::{Goal, PriceOptions};
use crate::store::{Shop, Value};

#[test]
fn a_night_of_the_money_side_from_rows_to_views() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.conn().execute_batch(&format!(
        "UPDATE products SET cost = NULL WHERE product_id = 'tea02';
         UPDATE products SET hidden = 1 WHERE product_id = 'tea04';
         INSERT INTO prices (product_id, at, price, promotion) VALUES ('tea06', {now} - 100000, 7.99, 1);
         INSERT INTO prices (product_id, at, price) VALUES ('tea18', {now} + 86401, 8.99);
         INSERT INTO prices (product_id, at, price) VALUES ('tea16', {now} - 50, NULL);
         INSERT INTO prices (product_id, seller, at, price) VALUES ('tea12', 'rival', 0, 9);
         INSERT INTO verdicts (result, subject_id, verdict, at) VALUES
            ('price_advice', 'tea10', 'rejected', {now} - 86400 * 10), ('price_advice', 'tea14', 'rejected', {now} - 86400 * 29),
            ('price_advice', 'tea12', 'rejected', {now} - 86400 * 5), ('price_advice', 'tea12', 'accepted', {now} - 86400 * 4);",
        now = TONIGHT
    ))
    .unwrap();
    let outcome = night(&shop, TONIGHT, options());
    assert!(
        outcome.why.contains("elasticities for 24 products"),
        "{outcome:?}"
    );

    // What was put in comes out.
    for (category, truth) in [("tea", -1.5), ("pots", -4.0)] {
        let found = number(
            &shop,
            &format!("SELECT avg(elasticity) FROM price_elasticities WHERE product_id LIKE '{category}%'"),
        );
        assert!((found - truth).abs() < 0.35, "{category}: {found}");
    }
    assert_eq!(
        number(
            &shop,
            "SELECT count(*) FROM price_elasticities WHERE hi95 >= 0 OR lo95 > elasticity"
        ),
        0.0
    );
    assert_eq!(
        word(
            &shop,
            "SELECT pooled_with FROM price_elasticities WHERE product_id = 'tea00'"
        ),
        "brand oak, category tea"
    );

    // Every product of the shop has advice, with a reason.
    let advice = |product: &str| {
        let row = |column: &str| {
            one(
                &shop,
                &format!("SELECT {column} FROM price_advice WHERE product_id = '{product}'"),
            )
        };
        (row("decision"), row("why"))
    };
    let expect = |product: &str, decision: &str, words: &str| match advice(product) {
        (Value::Text(found), Value::Text(why)) => {
            assert!(
                found == decision && why.contains(words),
                "{product}: {found}: {why}"
            );
        }
        other => panic!("{product}: {other:?}"),
    };
    assert_eq!(number(&shop, "SELECT count(*) FROM price_advice"), 27.0);
    expect("tea00", "raise", "fewer units, margin +");
    expect("pots01", "lower", "more units, margin +");
    expect("tea02", "none", "cost is not known");
    expect("tea04", "none", "hidden");
    expect("tea06", "keep", "a promotion runs");
    expect(
        "tea18",
        "keep",
        "the price 8.99 is already planned for 1971-09-24",
    );
    expect("tea10", "keep", "somebody rejected advice");
    expect("tea12", "raise", "margin");
    expect("tea14", "raise", "margin");
    expect("tea16", "none", "not on sale");
    expect("constant", "none", "never changed");
    expect("unsold", "none", "never sold");
    expect("young", "none", "only 3 weeks");
    // In the shop's own endings, within the bound, the best of the table.
    assert_eq!(
        number(&shop, "SELECT count(*) FROM price_advice WHERE decision IN ('raise', 'lower')
                       AND (abs(price_advised / price_now - 1) > 0.1001 OR price_advised < 6 OR margin_change <= 0
                            OR revenue_change_lo80 > revenue_change OR revenue_change > revenue_change_hi80)"),
        0.0
    );

    // What-if: fewer units at higher prices, intervals around, today's and the advised price among them.
    assert_eq!(
        number(
            &shop,
            "SELECT count(*) FROM price_whatif WHERE units_lo80 > units OR units > units_hi80
                       OR abs(revenue - price * units) > 1e-6"
        ),
        0.0
    );
    assert_eq!(
        number(
            &shop,
            "SELECT count(*) FROM price_whatif AS a JOIN price_whatif AS b
                       ON a.product_id = b.product_id AND a.price < b.price WHERE a.units <= b.units"
        ),
        0.0
    );
    assert_eq!(
        number(
            &shop,
            "SELECT count(*) FROM price_advice AS a WHERE decision IN ('raise', 'lower') AND 2 >
                       (SELECT count(*) FROM price_whatif AS w WHERE w.product_id = a.product_id
                        AND w.price IN (a.price_now, a.price_advised))"
        ),
        0.0
    );
    let units = number(
        &shop,
        "SELECT units FROM price_whatif WHERE product_id = 'tea00' AND price = 9.99",
    );
    assert!((90.0..160.0).contains(&units), "{units} in four weeks of 30");
    assert_eq!(
        number(
            &shop,
            "SELECT count(*) FROM price_whatif WHERE product_id = 'tea02' AND margin IS NOT NULL"
        ),
        0.0
    );
    assert!(
        number(
            &shop,
            "SELECT count(*) FROM price_whatif WHERE product_id = 'tea02'"
        ) > 3.0
    );

    // The regression beats what needs no model, and says so.
    let wape = |model: &str| {
        number(
            &shop,
            &format!(
                "SELECT value FROM scores WHERE result = 'price_elasticities' AND model = '{model}' AND slice = 'steady' AND metric = 'wape'"
            ),
        )
    };
    assert!(
        wape("demand") < 0.5 * wape("median of 8 weeks"),
        "{} {}",
        wape("demand"),
        wape("median of 8 weeks")
    );
    let coverage = number(
        &shop,
        "SELECT value FROM scores WHERE result = 'price_whatif' AND metric = 'coverage80' AND slice = ''",
    );
    assert!((0.5..=1.0).contains(&coverage), "{coverage}");

    // For revenue a cost is not needed.
    night(
        &shop,
        TONIGHT,
        PriceOptions {
            goal: Goal::Revenue,
            ..options()
        },
    );
    expect("tea02", "lower", "revenue +");
}

#[test]
fn orders_stand_in_for_prices_that_were_never_posted() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    // A shop that posts prices since last week only.
    shop.conn()
        .execute_batch(&format!("DELETE FROM prices WHERE at < {}", (WEEKS - 1) * WEEK))
        .unwrap();
    night(&shop, TONIGHT, options());
    for (category, truth) in [("tea", -1.5), ("pots", -4.0)] {
        let found = number(
            &shop,
            &format!("SELECT avg(elasticity) FROM price_elasticities WHERE product_id LIKE '{category}%'"),
        );
        assert!((found - truth).abs() < 0.4, "{category}: {found}");
    }
}

#[test]
fn shops_without_sales_costs_or_prices_have_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    shop.conn().execute_batch(
        "INSERT INTO prices (product_id, at, price) VALUES ('a', 1000, 5), ('b', 1000, 0), ('c', 1000, 5), ('c', 2000, NULL);
         INSERT INTO events (product_id, kind, quantity, at) VALUES ('a', 'purchase', -1, 1000), ('x', 'purchase', 1, 1000),
            ('a', 'purchase', 9e999, 1000);
         INSERT INTO drivers (name, day, value) VALUES ('rain', '1970-01-01', 9e999), ('rain', '1970-13-01', 1);",
    )
    .unwrap();
    let outcome = night(&shop, 30 * 86_400 - 1, options());
    assert!(outcome.generation.is_some(), "{outcome:?}");
    assert_eq!(number(&shop, "SELECT count(*) FROM price_elasticities"), 0.0);
    assert_eq!(number(&shop, "SELECT count(*) FROM price_whatif"), 0.0);
    assert_eq!(
        number(&shop, "SELECT count(*) FROM price_advice WHERE decision = 'none'"),
        2.0
    );
    assert!(word(&shop, "SELECT why FROM price_advice WHERE product_id = 'a'").contains("never sold"));
    assert!(word(&shop, "SELECT why FROM price_advice WHERE product_id = 'c'").contains("not on sale"));
    let dropped = number(
        &shop,
        "SELECT rows FROM run_drops WHERE table_name = 'events' AND reason LIKE '%positive number%'",
    );
    assert_eq!(dropped, 2.0);
    let dropped = number(
        &shop,
        "SELECT rows FROM run_drops WHERE table_name = 'drivers' AND reason = 'value is no number'",
    );
    assert_eq!(dropped, 1.0);
}

#[test]
fn forecasts_are_judged_when_their_day_has_come_once() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    let mut sql = String::from("BEGIN;");
    for day in 0..60 {
        sql.push_str(&format!(
            "INSERT INTO prices (product_id, at, price) VALUES ('still', {at}, 5), ('moving', {at}, {});",
            if day < 50 { 8.0 } else { 10.0 },
            at = day * 86_400
        ));
    }
    sql.push_str("COMMIT;");
    shop.conn().execute_batch(&sql).unwrap();
    let end_of = |day: i64| (day + 1) * 86_400 - 1;
    night(&shop, end_of(48), options());
    assert_eq!(number(&shop, "SELECT count(*) FROM report_card"), 0.0);
    assert_eq!(
        number(&shop, "SELECT count(*) FROM clerk_price_archive"),
        4.0,
        "two series, steps 1 and 7"
    );
    let card = |day: &str, metric: &str| {
        shop.select(
            &format!("SELECT value, naive, observations FROM report_card WHERE day = '{day}' AND metric = '{metric}' AND result = 'price_forecasts'"),
            &[],
        )
        .unwrap()
        .rows
    };
    // Day 49 (1970-02-19): nothing changed. Day 55 (1970-02-25) was forecast at 8 and cost 10: 20 % off, like the last price.
    night(&shop, end_of(49), options());
    night(&shop, end_of(50), options());
    assert_eq!(
        card("1970-02-19", "ape@1"),
        [[Value::Real(0.0), Value::Real(0.0), Value::Integer(2)]]
    );
    assert_eq!(
        card("1970-02-19", "coverage95@1"),
        [[Value::Real(1.0), Value::Null, Value::Integer(2)]]
    );
    night(&shop, end_of(55), options());
    let seventh = card("1970-02-25", "ape@7");
    assert_eq!(seventh.len(), 1);
    let [Value::Real(value), Value::Real(naive), Value::Integer(2)] = seventh[0][..] else {
        panic!("{seventh:?}")
    };
    assert!(
        (value - 0.1).abs() < 0.02 && (naive - 0.1).abs() < 1e-9,
        "{value} {naive}"
    );
    // The same night again changes nothing, and judged forecasts go after some days.
    let all = || {
        format!(
            "{:?}",
            shop.select("SELECT * FROM report_card ORDER BY day, metric", &[])
                .unwrap()
                .rows
        )
    };
    let before = all();
    night(&shop, end_of(55), options());
    assert_eq!(all(), before);
    assert_eq!(
        number(&shop, "SELECT min(day) FROM clerk_price_archive"),
        55.0,
        "days 49 to 51 are gone"
    );
    // A night whose products are gone judges nothing and fails nothing.
    shop.conn()
        .execute_batch("DELETE FROM prices WHERE product_id = 'moving'")
        .unwrap();
    night(&shop, end_of(57), options());
    assert!(
        card("1970-02-26", "ape@7")
            .iter()
            .all(|row| row[2] == Value::Integer(1))
    );
}

#[test]
fn every_product_of_the_catalogue_has_advice_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.conn()
        .execute_batch(
            "INSERT INTO products (product_id, in_stock) VALUES ('never priced', 5), ('a rival only', 5);
             INSERT INTO prices (product_id, seller, at, price) VALUES ('a rival only', 'rival', 0, 9);
             DELETE FROM products WHERE product_id = 'tea00';",
        )
        .unwrap();
    night(&shop, TONIGHT, options());
    assert_eq!(
        number(&shop, "SELECT count(*) FROM price_advice"),
        number(&shop, "SELECT count(*) FROM products")
    );
    for product in ["never priced", "a rival only"] {
        let why =
            format!("SELECT why FROM price_advice WHERE product_id = '{product}' AND decision = 'none'");
        assert!(word(&shop, &why).contains("no price now"));
    }
    for view in ["price_advice", "price_whatif", "price_elasticities"] {
        let count = format!("SELECT count(*) FROM {view} WHERE product_id = 'tea00'");
        assert_eq!(number(&shop, &count), 0.0, "{view}");
    }
}

#[test]
fn what_came_after_a_day_that_is_over_was_no_plan_on_that_day() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.conn()
        .execute_batch(&format!(
            "INSERT INTO prices (product_id, at, price) VALUES ('tea00', {TONIGHT} + 86401, 8.99);"
        ))
        .unwrap();
    let decision = |now: i64| {
        night_later(&shop, TONIGHT, now, options());
        word(
            &shop,
            "SELECT decision FROM price_advice WHERE product_id = 'tea00'",
        )
    };
    assert_eq!(decision(TONIGHT + 60), "keep", "still to come");
    assert_eq!(
        decision(TONIGHT + 30 * 86_400),
        "raise",
        "long over when the night was run again"
    );
}

#[test]
fn a_bound_above_nine_tenths_is_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    // Buyers of pots follow the price by its fourth power: for revenue, the cheaper the better.
    shop.conn()
        .execute_batch("UPDATE products SET cost = 0.1")
        .unwrap();
    let wanted = PriceOptions {
        goal: Goal::Revenue,
        max_change: 0.95,
        ..options()
    };
    night(&shop, TONIGHT, wanted);
    let advised = number(
        &shop,
        "SELECT price_advised FROM price_advice WHERE product_id = 'pots01'",
    );
    assert!(advised < 0.1 * 9.99, "{advised}");
}
