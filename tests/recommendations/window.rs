//! From the input tables to the shop window: everybody has lists, and they are good.

use nightclerk::pipeline::{AlreadyBought, Purpose, RecommendationOptions};
use nightclerk::store::Shop;
use rusqlite::Connection;

use crate::night::{DAY, Night, YEAR, options};

#[test]
fn from_the_till_to_the_shop_window() {
    let night = Night::new();
    night.three_tastes(150);
    for (kind, product, quantity) in [
        ("purchase", "nowhere", 1.0),
        ("guess", "tea00", 1.0),
        ("purchase", "tea00", 0.0),
    ] {
        let sql =
            "INSERT INTO events (user_id, product_id, kind, quantity, at) VALUES ('c000', ?2, ?1, ?3, ?4)";
        night.base.execute(sql, (kind, product, quantity, YEAR)).unwrap();
    }
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c000', 'tea00', 'view', ?1)";
    night.base.execute(sql, [YEAR + 2000 * DAY]).unwrap();
    // Guests who buy two things together, twelve times; and two others once.
    for order in 0..13 {
        let pair = if order < 12 {
            ["paper19", "garden19"]
        } else {
            ["tea03", "paper07"]
        };
        for product in pair {
            let sql = "INSERT INTO events (order_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', ?3)";
            night
                .base
                .execute(sql, (format!("guest{order}"), product, YEAR + 40 * DAY))
                .unwrap();
        }
    }
    let outcome = night.run(options(Purpose::Basket));
    assert!(outcome.generation.is_some() && outcome.rows > 2000, "{outcome:?}");

    assert_eq!(
        night.texts("SELECT reason || ': ' || rows FROM run_drops ORDER BY reason"),
        [
            "later than the night's instant: 1",
            "product not in products: 1",
            "quantity not above 0: 1",
            "unknown kind: 1"
        ]
    );
    // Everybody has a list, and so has the visitor nobody knows.
    assert_eq!(
        night.number("SELECT count(DISTINCT user_id) FROM recommendations"),
        151.0
    );
    assert_eq!(
        night.number("SELECT count(*) FROM recommendations WHERE user_id = ''"),
        20.0
    );
    assert_eq!(
        night.number("SELECT min(n) FROM (SELECT count(*) AS n FROM recommendations GROUP BY user_id)"),
        20.0
    );
    // Tastes are found: most of the first three products come from the customer's own shelf.
    let own = night.number(
        "SELECT avg(p.category = CASE CAST(substr(r.user_id, 2) AS INTEGER) % 3 WHEN 0 THEN 'tea' WHEN 1 THEN 'garden' \
         ELSE 'paper' END) FROM recommendations AS r JOIN products AS p USING (product_id) WHERE r.rank <= 3 AND r.user_id <> ''",
    );
    assert!(own > 0.9, "{own}");
    // Nothing bought comes back, reasons are products of the customer's own history.
    let bought = "SELECT count(*) FROM recommendations AS r JOIN events AS e ON e.user_id = r.user_id AND e.kind = 'purchase' \
                  AND e.quantity > 0 AND e.product_id = r.";
    assert_eq!(night.number(&format!("{bought}product_id")), 0.0);
    let reasons = night.number("SELECT count(*) FROM recommendations WHERE because_product_id IS NOT NULL");
    assert!(reasons > 1000.0);
    assert!(night.number(&format!("{bought}because_product_id")) >= reasons);
    // Pages and shelves.
    assert_eq!(
        night.number("SELECT count(DISTINCT product_id) FROM similar_products"),
        60.0
    );
    assert_eq!(
        night.texts("SELECT DISTINCT category FROM popular_products ORDER BY 1"),
        ["", "garden", "paper", "tea"]
    );
    assert!(night.number("SELECT min(lift) FROM bought_together") > 1.0);
    for (page, other, rows) in [
        ("paper19", "garden19", 1.0),
        ("garden19", "paper19", 1.0),
        ("tea03", "paper07", 0.0),
    ] {
        let sql = format!(
            "SELECT count(*) FROM bought_together WHERE product_id = '{page}' AND other_product_id = '{other}' AND baskets >= 12"
        );
        assert_eq!(night.number(&sql), rows, "{page} {other}");
    }
    // The winner beats the naive answer, and both stand in the book.
    let best = night.number("SELECT value FROM scores WHERE result = 'recommendations' AND slice = '' AND metric = 'ndcg@10' AND chosen = 1");
    assert!(
        best > night.number("SELECT value FROM scores WHERE result = 'recommendations' AND slice = '' AND metric = 'ndcg@10' AND model = 'popularity_30d'")
    );
    let names =
        "SELECT DISTINCT model FROM scores WHERE result = 'recommendations' AND slice = '' ORDER BY 1";
    assert_eq!(
        night.texts(names),
        [
            "als",
            "blend",
            "choice, cross-fitted",
            "content_cosine",
            "ease",
            "ease_baskets",
            "item_cosine",
            "item_cosine_bm25",
            "item_cosine_tfidf",
            "popularity_30d",
            "popularity_ever",
            "user_cosine"
        ]
    );
}

#[test]
fn the_same_night_twice_and_by_any_number_of_threads() {
    let night = Night::new();
    night.three_tastes(60);
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    // A Shop is no thing to share: each night opens its own in its pool.
    let answers = [1, 2].map(|threads| {
        let again = Night::new();
        again.three_tastes(60);
        std::thread::scope(|scope| {
            let options = options(Purpose::NextWeeks);
            let path = again.shop.path().to_owned();
            scope.spawn(move || {
                pool(threads).install(|| {
                    let shop = Shop::open(&path).unwrap();
                    let base = Connection::open(&path).unwrap();
                    Night::over(shop, base).run(options);
                })
            });
        });
        again.answers()
    });
    assert!(answers[0].len() > 1000);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_young_shop_gets_the_naive_answer_and_an_empty_one_no_error() {
    let night = Night::new();
    let outcome = night.run(options(Purpose::NextWeeks));
    assert!(outcome.why.contains("too little data"), "{}", outcome.why);
    night
        .base
        .execute(
            "INSERT INTO products (product_id, title) VALUES ('a', 'one'), ('b', 'two')",
            (),
        )
        .unwrap();
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('u', 'b', 'purchase', ?1)";
    night.base.execute(sql, [YEAR]).unwrap();
    let outcome = night.run(options(Purpose::NextWeeks));
    assert!(outcome.why.contains("too little data"), "{}", outcome.why);
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = '' ORDER BY rank"),
        ["b", "a"]
    );
    assert_eq!(
        night.texts("SELECT product_id || ' ' || model FROM recommendations WHERE user_id = 'u'"),
        ["a popularity_30d"]
    );
    let allow = RecommendationOptions {
        already_bought: AlreadyBought::Allow,
        ..options(Purpose::NextWeeks)
    };
    night.run(allow);
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = 'u' ORDER BY rank"),
        ["b", "a"]
    );
}
