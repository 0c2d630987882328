//! The shop people's rules, on every list.

use nightclerk::pipeline::Purpose;

use crate::night::{Night, options};

#[test]
fn the_shop_people_have_the_last_word() {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute_batch(
            "UPDATE products SET hidden = 1 WHERE product_id = 'tea00';
             UPDATE products SET in_stock = 0 WHERE product_id = 'garden00';
             UPDATE products SET group_id = 'g' WHERE product_id IN ('paper00', 'paper01', 'paper02');
             INSERT INTO rules (kind, product_id, value) VALUES ('pin', 'paper19', 2);
             INSERT INTO rules (kind, product_id, user_id) VALUES ('block', 'tea01', 'c001');
             INSERT INTO rules (kind, product_id) VALUES ('never_together', 'tea01');
             INSERT INTO events (user_id, product_id, kind, at) VALUES ('c002', 'tea02', 'dismiss', 1772409600);",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = '' AND rank = 2"),
        ["paper19"]
    );
    assert_eq!(
        night.texts("SELECT DISTINCT model FROM recommendations WHERE product_id = 'paper19' AND rank = 2"),
        ["rule"]
    );
    for (user, product) in [
        ("c001", "tea01"),
        ("c002", "tea02"),
        ("c000", "tea00"),
        ("c000", "garden00"),
    ] {
        let sql = format!(
            "SELECT count(*) FROM recommendations WHERE user_id = '{user}' AND product_id = '{product}'"
        );
        assert_eq!(night.number(&sql), 0.0, "{user} {product}");
    }
    let twins = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM recommendations JOIN products USING (product_id) \
                 WHERE group_id = 'g' GROUP BY user_id)";
    assert_eq!(night.number(twins), 1.0);
    assert_eq!(
        night.number("SELECT rows FROM run_drops WHERE table_name = 'rules'"),
        1.0
    );
}
