//! The shop people's rules: every kind on every list, when it is written and when it is read.

use nightclerk::pipeline::Purpose;

use crate::night::{Night, options};

/// Every list, with the column of the product shown and the columns that tell one list from another.
const LISTS: [(&str, &str, &str); 7] = [
    ("recommendations", "product_id", "user_id"),
    (
        "visitor_recommendations",
        "product_id",
        "country || '/' || language",
    ),
    ("similar_products", "similar_product_id", "product_id"),
    ("bought_together", "other_product_id", "product_id"),
    ("next_products", "next_product_id", "product_id"),
    ("buy_again", "product_id", "user_id"),
    ("popular_products", "product_id", "category"),
];

/// A shop where every page has partners, customers come from two countries, and `rules` stand.
fn shop(rules: &str) -> Night {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute_batch(
            "INSERT INTO users (user_id, country, language)
             SELECT DISTINCT user_id, CASE WHEN user_id < 'c030' THEN 'DE' ELSE 'AT' END, 'de' FROM events;
             UPDATE products SET category = 'tea > green' WHERE product_id BETWEEN 'tea10' AND 'tea14';",
        )
        .unwrap();
    // Orders of guests: neighbours on the shelf go together.
    for shelf in ["tea", "garden", "paper"] {
        for i in 0..19 {
            for order in 0..12 {
                for product in [i, i + 1] {
                    let sql = "INSERT INTO events (order_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', 1767300000)";
                    let order = format!("{shelf}{i}-{order}");
                    night
                        .base
                        .execute(sql, (order, format!("{shelf}{product:02}")))
                        .unwrap();
                }
            }
        }
    }
    night.base.execute_batch(rules).unwrap();
    night.run(options(Purpose::NextWeeks));
    night
}

/// Rows in tables whose models are another night's work, so that their views can be read: the same products as elsewhere.
fn fill_other_lists(night: &Night) {
    night
        .base
        .execute_batch(
            "INSERT OR IGNORE INTO clerk_next_products (generation, product_key, rank, other_key, score)
             SELECT generation, product_key, rank, other_key, score FROM clerk_similar_products;
             INSERT OR IGNORE INTO clerk_buy_again (generation, user_key, rank, product_key, score)
             SELECT generation, user_key, rank, product_key, score FROM clerk_recommendations;",
        )
        .unwrap();
}

#[test]
fn a_pin_stands_in_every_list() {
    let night = shop(
        "INSERT INTO rules (kind, product_id, value, result) VALUES ('pin', 'tea17', 1, 'bought_together');
         INSERT INTO rules (kind, product_id, value) VALUES ('pin', 'paper19', 2);
         INSERT INTO rules (kind, product_id, value, user_id) VALUES ('pin', 'tea19', 1, 'c007');
         INSERT INTO rules (kind, product_id, value, for_product_id) VALUES ('pin', 'garden19', 1, 'tea00');
         INSERT INTO rules (kind, product_id, value, result) VALUES ('pin', 'garden18', 1, 'popular_products');
         INSERT INTO rules (kind, product_id, value, user_id) VALUES ('pin', 'tea18', 1, '');",
    );
    let at = |list: &str, product: &str, rank: i64, and: &str| {
        let column = LISTS.iter().find(|(name, ..)| *name == list).unwrap().1;
        night.number(&format!(
            "SELECT count(*) FROM {list} WHERE {column} = '{product}' AND rank = {rank} AND {and}"
        ))
    };
    assert_eq!(at("recommendations", "paper19", 2, "model = 'rule'"), 61.0);
    assert_eq!(at("visitor_recommendations", "paper19", 2, "1"), 6.0);
    assert_eq!(at("similar_products", "paper19", 2, "model = 'rule'"), 59.0);
    // A page has the pins meant for its partners even where nothing else goes with it, and those meant for every list only
    // where baskets say so.
    let pinned = |product: &str, and: &str| {
        let sql = "SELECT count(DISTINCT product_id) FROM bought_together WHERE other_product_id = ";
        night.number(&format!("{sql} '{product}' AND {and}"))
    };
    assert_eq!(
        pinned("tea17", "rank = 1"),
        58.0,
        "all pages but its own and one with a pin of its own before it"
    );
    assert!(
        pinned("tea17", "product_id LIKE 'paper%' AND baskets < 3") > 0.0,
        "a pinned pair tells its own numbers"
    );
    assert_eq!(pinned("paper19", "baskets < 3"), 0.0);
    let shelves = "SELECT category FROM popular_products WHERE product_id = 'paper19' ORDER BY 1";
    assert_eq!(night.texts(shelves), ["", "paper"]);
    assert_eq!(
        at("popular_products", "paper19", 2, "category IN ('', 'paper')"),
        2.0
    );
    assert_eq!(
        at("popular_products", "garden18", 1, "category IN ('', 'garden')"),
        2.0
    );
    // Scopes: one customer, the visitor nobody knows, one page.
    assert_eq!(at("recommendations", "tea19", 1, "user_id = 'c007'"), 1.0);
    assert_eq!(at("recommendations", "tea19", 1, "model = 'rule'"), 1.0);
    assert_eq!(at("recommendations", "tea18", 1, "user_id = ''"), 1.0);
    for list in ["similar_products", "bought_together"] {
        assert_eq!(at(list, "garden19", 1, "product_id = 'tea00'"), 1.0, "{list}");
    }
    // Whoever has bought it sees it all the same, now and after another purchase, until they dismiss it.
    let of = "SELECT count(*) FROM recommendations WHERE user_id = 'c000' AND product_id = 'paper19'";
    for (kind, rows) in [("purchase", 1.0), ("dismiss", 0.0)] {
        let sql =
            "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c000', 'paper19', ?1, 1800000000)";
        night.base.execute(sql, [kind]).unwrap();
        assert_eq!(night.number(of), rows, "{kind}, by day");
        night.run(options(Purpose::NextWeeks));
        assert_eq!(night.number(of), rows, "{kind}, after a night");
    }
}

#[test]
fn a_block_acts_when_read_and_when_written() {
    let night = shop("");
    fill_other_lists(&night);
    for (list, column, of) in LISTS {
        let count = |and: &str| {
            night.number(&format!(
                "SELECT count(*) FROM {list} WHERE {column} = 'tea01' AND {and}"
            ))
        };
        let before = count("1");
        assert!(before > 0.0, "{list}");
        let with = |columns: &str, values: &str| {
            let sql = format!("INSERT INTO rules (rule_id, kind, {columns}) VALUES (900, 'block', {values})");
            night.base.execute(&sql, []).unwrap();
            let left = count("1");
            night
                .base
                .execute("DELETE FROM rules WHERE rule_id = 900", [])
                .unwrap();
            left
        };
        assert_eq!(with("product_id", "'tea01'"), 0.0, "{list}");
        assert_eq!(with("category", "'tea'"), 0.0, "{list}");
        assert_eq!(with("product_id, category", "'tea01', 'tea'"), 0.0, "{list}");
        assert_eq!(
            with("product_id, result", &format!("'tea01', '{list}'")),
            0.0,
            "{list}"
        );
        for (columns, values) in [
            ("product_id", "'tea02'"),
            ("category", "'tea > green'"),
            ("product_id, category", "'tea01', 'paper'"),
            ("product_id, result", "'tea01', 'price_advice'"),
            ("product_id, enabled", "'tea01', 0"),
            ("product_id, until_at", "'tea01', 1"),
            ("product_id, from_at", "'tea01', 9999999999"),
            ("product_id, user_id", "'tea01', 'nobody'"),
            ("product_id, for_product_id", "'tea01', 'nothing'"),
        ] {
            assert_eq!(with(columns, values), before, "{list}: {columns} = {values}");
        }
        // One customer's or one page's rule takes one row, on lists that have such.
        let mut someone = night.texts(&format!(
            "SELECT {of} FROM {list} WHERE {column} = 'tea01' AND {of} > '' ORDER BY 1 LIMIT 1"
        ));
        let someone = someone.remove(0);
        let (customer, page) = (of == "user_id", of == "product_id");
        let taken =
            |column: &str| before - with(&format!("product_id, {column}"), &format!("'tea01', '{someone}'"));
        assert_eq!(taken("user_id"), f64::from(customer), "{list}");
        assert_eq!(taken("for_product_id"), f64::from(page), "{list}");
    }
    // A category stands for what is below it.
    night
        .base
        .execute("INSERT INTO rules (kind, category) VALUES ('block', 'tea')", [])
        .unwrap();
    for written in [false, true] {
        if written {
            night.run(options(Purpose::NextWeeks));
            night.base.execute("DELETE FROM rules", []).unwrap();
        }
        for (list, column, _) in LISTS {
            let sql = format!("SELECT count(*) FROM {list} WHERE {column} LIKE 'tea%'");
            assert_eq!(night.number(&sql), 0.0, "{list}, written: {written}");
        }
    }
}

#[test]
fn a_boost_lifts_in_every_list() {
    let night = shop(
        "INSERT INTO rules (kind, product_id, value) VALUES ('boost', 'tea12', 1000), ('boost', 'tea00', 0);
         INSERT INTO rules (kind, category, value, result) VALUES ('boost', 'garden', 500, 'visitor_recommendations');",
    );
    let top = |list: &str, and: &str| {
        let (_, column, _) = LISTS.iter().find(|(name, ..)| *name == list).unwrap();
        night.texts(&format!(
            "SELECT {column} FROM {list} WHERE {and} ORDER BY rank LIMIT 2"
        ))
    };
    assert_eq!(top("recommendations", "user_id = ''")[0], "tea12");
    let bought = "SELECT count(*) FROM recommendations WHERE rank = 1 AND product_id = 'tea12'";
    assert!(night.number(bought) > 40.0, "{}", night.number(bought));
    assert_eq!(top("popular_products", "category = ''")[0], "tea12");
    assert_eq!(top("popular_products", "category = 'tea'")[0], "tea12");
    assert_eq!(top("bought_together", "product_id = 'tea13'")[0], "tea12");
    assert_eq!(top("similar_products", "product_id = 'tea13'")[0], "tea12");
    let visitors = top("visitor_recommendations", "country = '' AND language = ''");
    assert!(
        visitors.iter().all(|product| product.starts_with("garden")),
        "{visitors:?}"
    );
    // Zero is the end of a list, not of a product.
    let last = "SELECT product_id FROM popular_products WHERE category = 'tea' ORDER BY rank DESC LIMIT 1";
    assert_eq!(night.texts(last), ["tea00"]);
}

#[test]
fn what_may_never_be_seen_together_is_not() {
    let night = shop(
        "INSERT INTO rules (kind, product_id, other_product_id) VALUES ('never_together', 'tea01', 'tea00');
         INSERT INTO rules (kind, product_id, category) VALUES ('never_together', 'paper00', 'garden');
         INSERT INTO rules (kind, product_id, other_product_id, result) VALUES ('never_together', 'paper01', 'paper02', 'popular_products');",
    );
    for (list, column, of) in LISTS {
        let both = |one: &str, other: &str| {
            night.number(&format!(
                "SELECT count(*) FROM (SELECT {of} AS l FROM {list} WHERE {column} {one} INTERSECT SELECT {of} FROM {list} WHERE {column} {other})"
            ))
        };
        assert_eq!(both("= 'tea00'", "= 'tea01'"), 0.0, "{list}");
        assert_eq!(both("= 'paper00'", "LIKE 'garden%'"), 0.0, "{list}");
        if list == "popular_products" {
            assert_eq!(both("= 'paper01'", "= 'paper02'"), 0.0);
        }
        if of == "product_id" {
            let on = |page: &str, shown: &str| {
                night.number(&format!(
                    "SELECT count(*) FROM {list} WHERE product_id {page} AND {column} {shown}"
                ))
            };
            assert_eq!(
                on("= 'tea00'", "= 'tea01'") + on("= 'tea01'", "= 'tea00'"),
                0.0,
                "{list}"
            );
            assert_eq!(
                on("= 'paper00'", "LIKE 'garden%'") + on("LIKE 'garden%'", "= 'paper00'"),
                0.0,
                "{list}"
            );
        }
    }
    // The first of the two is there: the rule parts them, it does not block them.
    let one =
        "SELECT count(*) FROM popular_products WHERE product_id IN ('tea00', 'tea01') AND category = ''";
    assert_eq!(night.number(one), 1.0);
    assert!(night.number("SELECT count(*) FROM similar_products WHERE product_id = 'paper02' AND similar_product_id = 'paper01'") > 0.0);
}

#[test]
fn on_pages_never_together_acts_at_the_next_select() {
    let night = shop("");
    fill_other_lists(&night);
    for (list, column, _) in LISTS.iter().filter(|list| list.2 == "product_id") {
        let row = format!(
            "SELECT product_id || ' ' || {column} FROM {list} WHERE product_id LIKE 'tea%' AND {column} BETWEEN 'tea10' AND 'tea14' ORDER BY 1 LIMIT 1"
        );
        let row = night.texts(&row).remove(0);
        let (page, shown) = row.split_once(' ').unwrap();
        let there =
            format!("SELECT count(*) FROM {list} WHERE product_id = '{page}' AND {column} = '{shown}'");
        for (columns, values, left) in [
            (
                "product_id, other_product_id",
                format!("'{page}', '{shown}'"),
                0.0,
            ),
            (
                "product_id, other_product_id",
                format!("'{shown}', '{page}'"),
                0.0,
            ),
            ("product_id, category", format!("'{page}', 'tea > green'"), 0.0),
            ("product_id, category", format!("'{page}', 'tea'"), 0.0),
            ("product_id, category", format!("'{shown}', 'tea'"), 0.0),
            ("product_id, category", format!("'{page}', 'te'"), 1.0),
            (
                "product_id, other_product_id, enabled",
                format!("'{page}', '{shown}', 0"),
                1.0,
            ),
            (
                "product_id, other_product_id, result",
                format!("'{page}', '{shown}', 'popular_products'"),
                1.0,
            ),
            (
                "product_id, other_product_id, for_product_id",
                format!("'{page}', '{shown}', '{page}'"),
                0.0,
            ),
            (
                "product_id, other_product_id, for_product_id",
                format!("'{page}', '{shown}', '{shown}'"),
                1.0,
            ),
        ] {
            let sql = format!("INSERT INTO rules (kind, {columns}) VALUES ('never_together', {values})");
            night.base.execute(&sql, []).unwrap();
            assert_eq!(night.number(&there), left, "{list}: {columns} = {values}");
            night.base.execute("DELETE FROM rules", []).unwrap();
        }
    }
}

#[test]
fn rules_that_cannot_act_are_counted_and_named_by_what_is_wrong() {
    let night = shop(
        "INSERT INTO rules (kind, product_id) VALUES ('blok', 'tea00');
         INSERT INTO rules (kind, product_id, result) VALUES ('block', 'tea00', 'recomendations');
         INSERT INTO rules (kind, product_id) VALUES ('pin', 'tea00');
         INSERT INTO rules (kind, product_id) VALUES ('never_together', 'tea01');
         INSERT INTO rules (kind, product_id) VALUES ('block', 'unknown');
         INSERT INTO rules (kind, product_id, user_id, result) VALUES ('block', 'tea00', 'c001', 'similar_products');",
    );
    assert_eq!(
        night.texts("SELECT reason || ': ' || rows FROM run_drops WHERE table_name = 'rules' ORDER BY 1"),
        [
            "never_together needs product_id and either other_product_id or category (rule 4): 1",
            "pin without a product or with a value that is no place from 1 to 1000000 (rule 3): 1",
            "rule for a customer or a page on a list that has none (rule 6): 1",
            "rule for a result that is no list (rule 2): 1",
            "rule for an unknown customer, product or category (rule 5): 1",
            "rule of unknown kind (rule 1): 1",
        ]
    );
}

#[test]
fn a_boost_past_all_numbers_fails_no_night() {
    let night = shop(
        "INSERT INTO products (product_id, title, category) VALUES ('never', 'sold to nobody', 'tea');
         INSERT INTO rules (kind, product_id, value) VALUES ('boost', 'never', 1e300);
         INSERT INTO rules (kind, product_id, value) VALUES ('boost', 'never', 1e20);
         INSERT INTO rules (kind, category, value) VALUES ('boost', 'tea', 1e6), ('boost', 'tea', 1e6), ('boost', 'tea', 1e6),
             ('boost', 'tea', 1e6), ('boost', 'tea', 1e6), ('boost', 'tea', 1e6), ('boost', 'tea', 1e6), ('boost', 'tea', 0);",
    );
    assert_eq!(
        night.texts("SELECT reason || ': ' || rows FROM run_drops WHERE table_name = 'rules' ORDER BY 1"),
        ["boost with a value that is no factor from 0 to 1000000 (rule 1, 2): 2"]
    );
    assert!(night.number("SELECT count(*) FROM recommendations") > 100.0);
}
