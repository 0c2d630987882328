//! By day: what happens between two nights is seen at the next SELECT.

use nightclerk::pipeline::{AlreadyBought, Purpose, RecommendationOptions};
use rusqlite::StatementStatus;

use crate::night::{DAY, Night, YEAR, options};

fn seen(night: &Night, product: &str) -> f64 {
    night.number(&format!(
        "SELECT count(*) FROM recommendations WHERE user_id = 'c000' AND product_id = '{product}'"
    ))
}

/// A shop whose first customer is shown `tea_red`, which comes in blue as well.
fn shop(already_bought: AlreadyBought) -> Night {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute_batch(
            "INSERT INTO products (product_id, title, category, group_id) VALUES ('red', 'tea in a red tin', 'tea', 'tin'),
                 ('blue', 'tea in a blue tin', 'tea', 'tin');
             INSERT INTO rules (kind, product_id, value) VALUES ('boost', 'red', 1000);
             INSERT INTO events (user_id, product_id, kind, at)
             SELECT DISTINCT user_id, 'red', 'purchase', 1767225600 + 86400 * 59 FROM events
             WHERE user_id <> 'c000' AND product_id LIKE 'tea%';",
        )
        .unwrap();
    night.run(RecommendationOptions {
        already_bought,
        ..options(Purpose::NextWeeks)
    });
    assert_eq!(seen(&night, "red"), 1.0);
    night
}

fn happens(night: &Night, product: &str, kind: &str) {
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c000', ?1, ?2, ?3)";
    night.base.execute(sql, (product, kind, YEAR + 61 * DAY)).unwrap();
}

#[test]
fn a_variant_of_what_was_bought_or_dismissed_by_day_is_gone_at_once() {
    for kind in ["purchase", "dismiss"] {
        let night = shop(AlreadyBought::Exclude);
        happens(&night, "blue", "view");
        assert_eq!(seen(&night, "red"), 1.0);
        happens(&night, "blue", kind);
        assert_eq!(seen(&night, "red"), 0.0, "{kind}");
        // Another customer's lists are their own.
        let others = "SELECT count(*) FROM recommendations WHERE user_id = '' AND product_id = 'red'";
        assert_eq!(night.number(others), 1.0);
    }
    // Where what was bought is welcome, so are its variants; what was dismissed is not.
    let night = shop(AlreadyBought::Allow);
    happens(&night, "blue", "purchase");
    assert_eq!(seen(&night, "red"), 1.0);
    happens(&night, "blue", "dismiss");
    assert_eq!(seen(&night, "red"), 0.0);
}

#[test]
fn a_product_that_is_gone_is_no_reason() {
    let night = shop(AlreadyBought::Exclude);
    let reasons = || {
        night.texts("SELECT DISTINCT because_product_id FROM recommendations WHERE user_id = 'c000' AND because_product_id > ''")
    };
    let gone = reasons().remove(0);
    let rows = || night.number("SELECT count(*) FROM recommendations WHERE user_id = 'c000'");
    let before = rows();
    night
        .base
        .execute("DELETE FROM products WHERE product_id = ?1", [&gone])
        .unwrap();
    assert!(!reasons().contains(&gone));
    assert_eq!(rows(), before);
}

#[test]
fn what_was_sold_long_ago_is_not_new_whatever_its_row_says() {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute_batch(
            "UPDATE products SET created_at = 1767225600 - 86400 * 400;
             INSERT INTO products (product_id, title, category, created_at) VALUES
                 ('slow', 'tea thing of old', 'tea', 1767225600 + 86400 * 55), ('fresh', 'tea thing of late', 'tea', 1767225600 + 86400 * 55);
             INSERT INTO events (user_id, product_id, kind, at) VALUES ('old', 'slow', 'purchase', 1767225600 - 86400 * 300);",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    let new = night
        .texts("SELECT DISTINCT product_id FROM recommendations WHERE model = 'new_products' ORDER BY 1");
    assert_eq!(new, ["fresh"]);
}

/// Steps of SQLite's machine for the first ten rows of a customer.
fn steps(night: &Night) -> i32 {
    let sql = "SELECT product_id FROM recommendations WHERE user_id = 'c000' ORDER BY rank LIMIT 10";
    let mut statement = night.base.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .count();
    assert_eq!(rows, 10);
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_thousand_rules_for_others_cost_a_reader_next_to_nothing() {
    let night = shop(AlreadyBought::Exclude);
    let before = steps(&night);
    for rule in 0..1000 {
        for (user, category) in [
            (None, format!("nothing{rule}")),
            (Some(format!("u{rule}")), "tea".to_owned()),
        ] {
            let sql = "INSERT INTO rules (kind, user_id, category) VALUES ('block', ?1, ?2)";
            night.base.execute(sql, (user, category)).unwrap();
        }
    }
    let after = steps(&night);
    assert!(after < before * 3 / 2, "{before} steps became {after}");
    // And one that speaks of a category above is still heard.
    night
        .base
        .execute("INSERT INTO rules (kind, category) VALUES ('block', 'tea')", [])
        .unwrap();
    assert_eq!(seen(&night, "red"), 0.0);
}
