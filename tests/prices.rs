//! docs/prices.md tells the truth: its statements run, and answer what they ask.

#![cfg(feature = "daemon")]

mod common;

use common::Place;
use std::fs;
use std::path::Path;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prices.md")).unwrap()
}

/// The statements of a page's blocks, without comments.
fn statements(page: &str) -> Vec<String> {
    let blocks = page.split("```sql").skip(1);
    let code: Vec<String> = blocks
        .map(|block| {
            let lines = block.split("```").next().unwrap().lines();
            let bare: Vec<&str> = lines.filter(|line| !line.starts_with("--")).collect();
            bare.join("\n")
        })
        .collect();
    let all = code.iter().flat_map(|code| code.split(';'));
    all.map(|sql| sql.trim().to_owned())
        .filter(|sql| !sql.is_empty())
        .collect()
}

#[test]
fn the_sql_of_the_prices_page_works() {
    let place = Place::new();
    place.ok(&["init"]);
    let conn = place.open();
    let all = statements(&page());
    for sql in &all {
        let mut prepared = conn.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        for parameter in 1..=prepared.parameter_count() {
            prepared.raw_bind_parameter(parameter, "tea07").unwrap();
        }
        let mut rows = prepared.raw_query();
        while rows.next().unwrap_or_else(|e| panic!("{sql}: {e}")).is_some() {}
    }
    assert!(all.len() >= 10, "{}", all.len());
    let days = "SELECT count(*), min(day), max(day) FROM drivers";
    let found = conn.query_row(days, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)));
    assert_eq!(
        found.unwrap(),
        (7, "2026-12-01".to_owned(), "2026-12-07".to_owned()),
        "a promotion of a week has seven rows"
    );
}

#[test]
fn an_offer_that_has_ended_undercuts_nobody() {
    let place = Place::new();
    place.ok(&["init"]);
    let conn = place.open();
    conn.execute_batch(
        "INSERT INTO prices (product_id, seller, at, price) SELECT p, s, strftime('%s', 'now') - 86400 * 3, price FROM
            (SELECT 'tea' AS p, '' AS s, 10.0 AS price UNION ALL SELECT 'tea', 'gone', 6.0 UNION ALL SELECT 'tea', 'there', 8.0);
         INSERT INTO prices (product_id, seller, at, price) VALUES ('tea', 'gone', strftime('%s', 'now') - 86400, NULL);",
    )
    .unwrap();
    place.ok(&["run", "prices"]);
    let all = statements(&page());
    let sql = all.iter().find(|sql| sql.contains("AS theirs")).unwrap();
    let found: Vec<(f64, String)> = conn
        .prepare(sql)
        .unwrap()
        .query_map([], |r| Ok((r.get("theirs")?, r.get("seller")?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(found, [(8.0, "there".to_owned())]);
}
