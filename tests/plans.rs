//! How SQLite walks the views: pointer, key, result rows in primary-key order, nothing sorted, nothing scanned but the
//! few rules. A change of a view that costs an application its index shows here.

#![cfg(feature = "daemon")]

mod common;

use common::Place;

/// The steps of a plan, indented.
fn plan(conn: &rusqlite::Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement
        .query_map([], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(3)?))
        })
        .unwrap()
        .map(Result::unwrap);
    let (mut depth, mut text) = (std::collections::BTreeMap::from([(0, 0usize)]), String::new());
    for (id, parent, detail) in rows {
        let level = depth.get(&parent).copied().unwrap_or(0);
        depth.insert(id, level + 1);
        text.push_str(&format!("{}{detail}\n", "  ".repeat(level)));
    }
    text
}

#[test]
fn look_ups_sort_and_scan_nothing() {
    let place = Place::demo("0.02");
    let conn = place.open();
    let mut all = String::new();
    for sql in [
        "SELECT * FROM recommendations WHERE user_id = 'U00001' ORDER BY rank LIMIT 10",
        "SELECT * FROM recommendations WHERE user_id = 42 ORDER BY rank LIMIT 10",
        "SELECT * FROM visitor_recommendations WHERE country = 'DE' AND language = 'de' ORDER BY rank",
        "SELECT * FROM similar_products WHERE product_id = 'P00001' ORDER BY rank LIMIT 6",
        "SELECT * FROM bought_together WHERE product_id = 'P00001' ORDER BY rank",
        "SELECT * FROM next_products WHERE product_id = 'P00001' ORDER BY rank",
        "SELECT * FROM buy_again WHERE user_id = 'U00001' ORDER BY rank",
        "SELECT * FROM popular_products WHERE category = '' ORDER BY rank LIMIT 10",
        "SELECT * FROM price_forecasts WHERE product_id = 'P00001' AND seller = '' ORDER BY step",
        "SELECT * FROM price_models WHERE product_id = 'P00001'",
        "SELECT * FROM price_stats WHERE product_id = 'P00001'",
        "SELECT * FROM ticket_routes WHERE ticket_id = 'T00001'",
        "SELECT * FROM ticket_neighbours WHERE ticket_id = 'T00001' ORDER BY rank",
        "SELECT * FROM ticket_drafts WHERE ticket_id = 'T00001'",
        "SELECT * FROM ticket_queue WHERE ticket_id = 'T00001'",
    ] {
        let plan = plan(&conn, sql);
        if !sql.contains("price_forecasts") {
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
        for line in plan.lines().filter(|l| l.trim().starts_with("SCAN")) {
            assert!(
                line.contains("SCAN rules") || line.contains("CONSTANT"),
                "{sql}\n{plan}"
            );
        }
        all.push_str(&format!("{sql}\n{plan}\n"));
    }
    insta::assert_snapshot!("plans", all);
}
