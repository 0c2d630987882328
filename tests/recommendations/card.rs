//! The report card: last night's lists against today's purchases.

use nightclerk::pipeline::{AlreadyBought, Purpose, RecommendationOptions};

use crate::night::{DAY, Night, YEAR, options};

/// A shop with a published night, as of the last second of day 59.
fn published() -> Night {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute(
            "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c059', 'tea00', 'view', ?1)",
            [YEAR + 60 * DAY - 1],
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    night
}

fn happens(night: &Night, user: Option<&str>, order: &str, product: &str, kind: &str, at: i64) {
    let sql = "INSERT INTO events (user_id, order_id, product_id, kind, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    night.base.execute(sql, (user, order, product, kind, at)).unwrap();
}

/// (day, value, naive, observations) of one measure.
fn card(night: &Night, result: &str, metric: &str) -> Vec<String> {
    night.texts(&format!(
        "SELECT day || ' ' || round(value, 4) || ' ' || coalesce(round(naive, 4), '-') || ' ' || observations
         FROM report_card WHERE result = '{result}' AND metric = '{metric}' AND slice = '' ORDER BY day"
    ))
}

#[test]
fn yesterdays_lists_are_judged_by_todays_purchases_once() {
    let night = published();
    let first = |sql: &str| night.texts(sql).remove(0);
    let list = |user: &str, rank: i64| {
        first(&format!(
            "SELECT product_id FROM recommendations WHERE user_id = '{user}' AND rank = {rank}"
        ))
    };
    let today = YEAR + 60 * DAY;
    // One hit at rank 1, one at rank 3, and a miss; somebody buys again what they had, which no list of new things holds.
    happens(&night, Some("c000"), "a", &list("c000", 1), "purchase", today + 5);
    happens(&night, Some("c001"), "b", &list("c001", 3), "purchase", today + 6);
    night
        .base
        .execute("INSERT INTO products (product_id) VALUES ('novelty')", [])
        .unwrap();
    happens(&night, Some("c002"), "c", "novelty", "purchase", today + 7);
    let had = first(
        "SELECT product_id FROM events WHERE user_id = 'c003' AND kind = 'purchase' ORDER BY at LIMIT 1",
    );
    happens(&night, Some("c003"), "d", &had, "purchase", today + 8);
    // The day after: a stranger and a guest who begin as strangers do.
    let strange = first(
        "SELECT product_id FROM visitor_recommendations WHERE country = '' AND language = '' AND rank = 1",
    );
    happens(
        &night,
        Some("stranger"),
        "e",
        &strange,
        "purchase",
        today + DAY + 1,
    );
    happens(&night, None, "f", "novelty", "purchase", today + DAY + 2);
    // A basket of two that stand on each other's page.
    let pair = "SELECT product_id || ' ' || similar_product_id FROM similar_products AS s WHERE rank = 1 AND EXISTS (
        SELECT 1 FROM similar_products AS t WHERE t.product_id = s.similar_product_id AND t.similar_product_id = s.product_id
        AND t.rank = 1) ORDER BY 1 LIMIT 1";
    let pair = first(pair);
    let (a, b) = pair.split_once(' ').unwrap();
    for product in [a, b] {
        happens(&night, None, "g", product, "purchase", today + 9);
    }

    let before = night.number("SELECT count(*) FROM report_card");
    night.dry_run(options(Purpose::NextWeeks));
    assert_eq!(
        (before, night.number("SELECT count(*) FROM report_card")),
        (0.0, 0.0)
    );
    night.run(options(Purpose::NextWeeks));

    // c000, c001 and c002; c003 bought nothing new. NDCG of ranks 1, 3 and none: (1 + 0.5 + 0) / 3.
    let people = card(&night, "recommendations", "ndcg@10");
    assert_eq!(people.len(), 1);
    assert!(
        people[0].starts_with("2026-03-02 0.5 ") && people[0].ends_with(" 3"),
        "{people:?}"
    );
    assert!(card(&night, "recommendations", "hr@10")[0].starts_with("2026-03-02 0.6667 "));
    // The guest with two products on the first day; a stranger and a guest on the second.
    let strangers = card(&night, "visitor_recommendations", "hr@10");
    assert_eq!(strangers.len(), 2);
    assert!(
        strangers[1].starts_with("2026-03-03 0.5 ") && strangers[1].ends_with(" 2"),
        "{strangers:?}"
    );
    // Both pages of the basket hold the other at rank 1.
    assert!(
        card(&night, "similar_products", "ndcg@10")[0].starts_with("2026-03-02 1.0 "),
        "{:?}",
        card(&night, "similar_products", "ndcg@10")
    );
    assert_eq!(
        night.number("SELECT count(*) FROM report_card WHERE naive IS NULL"),
        0.0
    );

    // What is judged stays judged: the same night again, and one with other options, add nothing.
    let whole = || {
        night.texts(
            "SELECT day || result || metric || value || naive || observations FROM report_card ORDER BY 1",
        )
    };
    let told = whole();
    night.run(options(Purpose::NextWeeks));
    let wider = RecommendationOptions {
        per_user: 20,
        ..options(Purpose::NextWeeks)
    };
    night.run(wider);
    assert_eq!(told, whole());
    // The rest of the second day is a smaller part of it, and its line stays.
    happens(&night, Some("c004"), "h", "novelty", "purchase", today + DAY + 50);
    night.run(options(Purpose::NextWeeks));
    assert_eq!(card(&night, "visitor_recommendations", "hr@10"), strangers);
    assert_eq!(card(&night, "recommendations", "hr@10").len(), 2);
}

#[test]
fn where_bought_products_are_welcome_they_count() {
    let night = Night::new();
    night.three_tastes(60);
    let allow = RecommendationOptions {
        already_bought: AlreadyBought::Allow,
        ..options(Purpose::NextWeeks)
    };
    night.run(allow.clone());
    let again = "SELECT r.product_id FROM recommendations AS r JOIN events AS e ON e.user_id = r.user_id AND e.product_id = r.product_id
                 WHERE r.user_id = 'c000' ORDER BY r.rank LIMIT 1";
    let again = night.texts(again).remove(0);
    happens(&night, Some("c000"), "a", &again, "purchase", YEAR + 70 * DAY);
    night.run(allow);
    assert!(card(&night, "recommendations", "hr@10")[0].starts_with("2026-03-12 1.0 "));
}

#[test]
fn displays_are_followed_up() {
    let night = published();
    let today = YEAR + 60 * DAY;
    let shown = |session: &str, product: &str, by: &str, at: i64| {
        let sql = "INSERT INTO events (session_id, product_id, kind, shown_by, at) VALUES (?1, ?2, 'shown', ?3, ?4)";
        night.base.execute(sql, (session, product, by, at)).unwrap();
    };
    for (session, product, by) in [
        ("s1", "tea00", "similar_products"),
        ("s1", "tea00", "similar_products"), // once a day
        ("s1", "tea01", "similar_products"),
        ("s2", "tea00", "similar_products"),
        ("s2", "tea02", "popular_products"),
        ("s2", "tea03", "a banner"), // no list of ours
    ] {
        shown(session, product, by, today + 100);
    }
    let then = |session: &str, product: &str, kind: &str| {
        let sql = "INSERT INTO events (session_id, product_id, kind, at) VALUES (?1, ?2, ?3, ?4)";
        night
            .base
            .execute(sql, (session, product, kind, today + 200))
            .unwrap();
    };
    then("s1", "tea00", "view");
    then("s2", "tea00", "view");
    then("s2", "tea00", "purchase");
    then("s1", "tea05", "view");
    night.run(options(Purpose::NextWeeks));
    assert_eq!(
        card(&night, "similar_products", "click_through"),
        ["2026-03-02 0.6667 - 3"]
    );
    assert_eq!(
        card(&night, "similar_products", "buy_through"),
        ["2026-03-02 0.3333 - 3"]
    );
    assert_eq!(
        card(&night, "popular_products", "click_through"),
        ["2026-03-02 0.0 - 1"]
    );
    assert_eq!(
        night.number("SELECT count(*) FROM report_card WHERE metric LIKE '%through'"),
        4.0
    );
}
