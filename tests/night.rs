//! The night as an operator meets it: orders, failures, going back, the same night twice.

#![cfg(feature = "daemon")]

mod common;

use common::{Place, RESULTS, dump, texts};
use std::fs;

/// Wall clocks and numbers of runs and generations are not part of "the same night".
fn answers(place: &Place) -> Vec<String> {
    let conn = place.open();
    let mut all = Vec::new();
    for view in RESULTS {
        let sql = match view {
            "generations" => {
                "SELECT family, status, rows, as_of, why FROM generations ORDER BY family, status".to_owned()
            }
            "ticket_routes" => {
                "SELECT ticket_id, decision, category, category_confidence, team, agent_id, agent_confidence,
                                priority, language, due_at, why FROM ticket_routes ORDER BY ticket_id"
                    .to_owned()
            }
            "ticket_drafts" => {
                "SELECT ticket_id, reply_to, decision, reply, confidence, sources FROM ticket_drafts
                                ORDER BY ticket_id"
                    .to_owned()
            }
            view => format!("SELECT * FROM {view} ORDER BY 1, 2, 3"),
        };
        all.extend(dump(&conn, &sql).into_iter().map(|row| format!("{view}: {row}")));
    }
    all
}

#[test]
fn the_same_data_gives_the_same_night_whatever_the_threads() {
    let nights: Vec<Vec<String>> = ["1", "2", "5"]
        .iter()
        .map(|threads| {
            let place = Place::new();
            place.ok(&[
                "demo",
                place.path("").to_str().unwrap(),
                "--scale",
                "0.1",
                "--quiet",
                "--threads",
                threads,
            ]);
            answers(&place)
        })
        .collect();
    assert!(nights[0].len() > 1000, "{} rows", nights[0].len());
    for other in &nights[1..] {
        for (a, b) in nights[0].iter().zip(other) {
            assert_eq!(a, b);
        }
        assert_eq!(nights[0].len(), other.len());
    }
}

#[test]
fn every_family_has_answers_and_every_view_can_be_read() {
    let place = Place::demo("0.1");
    let conn = place.open();
    for (view, least) in [
        ("recommendations", 1000),
        ("similar_products", 500),
        ("bought_together", 10),
        ("popular_products", 100),
        ("price_forecasts", 1000),
        ("price_models", 50),
        ("price_stats", 50),
        ("ticket_routes", 5),
        ("ticket_neighbours", 20),
        ("ticket_drafts", 5),
        ("ticket_queue", 5),
        ("scores", 20),
        ("run_drops", 1),
        ("jobs", 5),
    ] {
        let rows: i64 = conn
            .query_row(&format!("SELECT count(*) FROM {view}"), [], |r| r.get(0))
            .unwrap();
        assert!(rows >= least, "{view} has {rows} rows");
    }
    // A visitor nobody knows gets a list; everybody with a usable event as well.
    let visitor: i64 = conn
        .query_row(
            "SELECT count(*) FROM recommendations WHERE user_id = ''",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert!(visitor >= 10);
    let missing: i64 = conn
        .query_row(
            "SELECT count(DISTINCT user_id) FROM events WHERE kind = 'purchase' AND user_id IS NOT NULL
             AND product_id IN (SELECT product_id FROM products)
             AND user_id NOT IN (SELECT user_id FROM recommendations)",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(missing, 0, "customers without a list");
    // The naive answer stands beside every winner.
    for (result, naive) in [
        ("recommendations", "popularity_30d"),
        ("price_forecasts", "last price"),
    ] {
        let scored: i64 = conn
            .query_row(
                "SELECT count(*) FROM scores WHERE result = ?1 AND model = ?2",
                [result, naive],
                |r| r.get(0),
            )
            .unwrap();
        assert!(scored > 0, "{result} without {naive}");
    }
}

#[test]
fn what_changes_by_day_shows_at_once() {
    let place = Place::demo("0.05");
    let conn = place.open();
    let user = place.text(
        "SELECT user_id FROM recommendations WHERE user_id <> '' GROUP BY user_id HAVING count(*) > 20 ORDER BY user_id LIMIT 1",
    );
    let list = || {
        texts(
            &conn,
            &format!("SELECT product_id FROM recommendations WHERE user_id = '{user}' ORDER BY rank"),
        )
    };
    let before = list();
    let id = |i: usize| before[i].clone();
    let execute = |sql: &str, p: &[&str]| {
        conn.execute(sql, rusqlite::params_from_iter(p)).unwrap();
    };
    execute("UPDATE products SET hidden = 1 WHERE product_id = ?1", &[&id(0)]);
    execute(
        "UPDATE products SET in_stock = 0 WHERE product_id = ?1",
        &[&id(1)],
    );
    execute(
        "INSERT INTO rules (kind, product_id) VALUES ('block', ?1)",
        &[&id(2)],
    );
    execute(
        "INSERT INTO rules (kind, product_id, user_id) VALUES ('block', ?1, ?2)",
        &[&id(3), &user],
    );
    execute(
        "INSERT INTO rules (kind, product_id, user_id) VALUES ('block', ?1, 'somebody else')",
        &[&id(4)],
    );
    execute(
        "INSERT INTO rules (kind, product_id, enabled) VALUES ('block', ?1, 0)",
        &[&id(5)],
    );
    execute(
        "INSERT INTO events (user_id, product_id, kind) VALUES (?2, ?1, 'purchase')",
        &[&id(6), &user],
    );
    execute(
        "INSERT INTO events (user_id, product_id, kind) VALUES (?2, ?1, 'dismiss')",
        &[&id(7), &user],
    );
    execute(
        "INSERT INTO events (user_id, product_id, kind) VALUES (?2, ?1, 'view')",
        &[&id(8), &user],
    );
    let after = list();
    for gone in [0, 1, 2, 3, 6, 7] {
        assert!(!after.contains(&id(gone)), "number {gone} is still there");
    }
    for stays in [4, 5, 8] {
        assert!(after.contains(&id(stays)), "number {stays} is gone");
    }
    assert_eq!(after.len(), before.len() - 6);
}

#[test]
fn one_bad_job_file_disables_its_own_job_only() {
    let place = Place::demo("0.02");
    fs::write(
        place.path("jobs/prices.toml"),
        "kind = \"prices\"\nschedule = \"0 3 * * *\"\n[prices]\nhorizn = 7\n",
    )
    .unwrap();
    let said = place.fails(1, &["run"]);
    assert!(
        said.contains("prices.toml: [prices] has no option `horizn`; did you mean `horizon`?")
            || said.contains("not done: prices"),
        "{said}"
    );
    assert_eq!(
        place.text("SELECT last_status FROM jobs WHERE job = 'recommendations'"),
        "done"
    );
    assert!(
        place
            .text("SELECT disabled_reason FROM jobs WHERE job = 'prices'")
            .contains("horizn")
    );
    let said = place.fails(2, &["run", "prices"]);
    assert!(said.contains("did you mean `horizon`"), "{said}");
    let said = place.fails(2, &["run", "weather"]);
    assert!(said.contains("there is no job `weather`; the jobs are"), "{said}");
}

#[test]
fn a_timeout_ends_the_run_and_keeps_yesterday() {
    let place = Place::demo("0.2");
    let before = place.number("SELECT generation FROM clerk_published WHERE family = 'recommendations'");
    let file = place.path("jobs/recommendations.toml");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("timeout = \"2h\"", "timeout = \"1s\"");
    fs::write(&file, text).unwrap();
    // A fifth of the demo takes longer than a second in every build; if it ever does not, this test must say so.
    let output = place.clerk(&["run", "recommendations"]);
    let status = place.text("SELECT status FROM runs ORDER BY run_id DESC LIMIT 1");
    if status == "timeout" {
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            before,
            place.number("SELECT generation FROM clerk_published WHERE family = 'recommendations'")
        );
        assert!(
            place
                .text("SELECT error FROM runs ORDER BY run_id DESC LIMIT 1")
                .contains("timeout")
        );
    } else {
        assert_eq!(status, "done");
    }
}

#[test]
fn a_dry_run_and_an_older_day_publish_nothing() {
    let place = Place::demo("0.05");
    let published = "SELECT group_concat(family || generation) FROM clerk_published";
    let before = place.text(published);
    place.ok(&["run", "--dry-run"]);
    assert_eq!(place.text(published), before);
    place.ok(&["run", "recommendations", "--as-of", "2026-03-01"]);
    assert_eq!(place.text(published), before);
    assert!(
        place
            .text("SELECT why FROM runs ORDER BY run_id DESC LIMIT 1")
            .contains("--publish")
    );
    assert_eq!(
        place.number("SELECT as_of FROM runs ORDER BY run_id DESC LIMIT 1"),
        1_772_409_599
    );
    place.ok(&["run", "recommendations", "--as-of", "2026-03-01", "--publish"]);
    assert_ne!(place.text(published), before);
    let drops = place.number(
        "SELECT sum(rows) FROM run_drops WHERE run_id = (SELECT max(run_id) FROM runs) AND table_name = 'events'",
    );
    assert!(drops > 100, "events after the day are counted: {drops}");
    let said = place.fails(2, &["run", "--as-of", "March"]);
    assert!(said.contains("YYYY-MM-DD"), "{said}");
}

#[test]
fn the_file_alone_is_the_whole_shop_after_a_run() {
    let place = Place::demo("0.02");
    let count = "SELECT (SELECT count(*) FROM recommendations) || ' ' || (SELECT count(*) FROM runs WHERE status = 'done')";
    let before = place.text(count);
    let copy = place.path("copy.db");
    fs::copy(place.db(), &copy).unwrap(); // without -wal and -shm
    let conn = rusqlite::Connection::open(copy).unwrap();
    assert_eq!(
        conn.query_row(count, [], |r| r.get::<_, String>(0)).unwrap(),
        before
    );
}

#[test]
fn going_back_is_one_command() {
    let place = Place::demo("0.05");
    let first = place.number("SELECT generation FROM clerk_published WHERE family = 'recommendations'");
    // With nothing changed there is nothing to do, and the run says so.
    let said = place.ok(&["run", "recommendations"]);
    assert!(
        said.contains(&format!(
            "nothing changed: rows, options and instant are those of generation {first}"
        )),
        "{said}"
    );
    assert_eq!(
        place.text("SELECT status || ' ' || rows FROM runs ORDER BY run_id DESC LIMIT 1"),
        "done 0"
    );
    place
        .open()
        .execute("UPDATE products SET price = price + 1", [])
        .unwrap();
    place.ok(&["run", "recommendations"]);
    let second = place.number("SELECT generation FROM clerk_published WHERE family = 'recommendations'");
    assert!(second > first);
    let said = place.ok(&["rollback", "similar_products"]);
    assert!(
        said.contains(&format!(
            "generation {first} is published again instead of {second}"
        )),
        "{said}"
    );
    assert_eq!(
        place.number("SELECT generation FROM clerk_published WHERE family = 'recommendations'"),
        first
    );
    assert!(place.number("SELECT count(*) FROM recommendations") > 100);
    let said = place.fails(2, &["rollback", "recommendations", "--to", "999"]);
    assert!(said.contains("kept are"), "{said}");
    let said = place.fails(2, &["rollback", "wether"]);
    assert!(said.contains("there is no result `wether`"), "{said}");
}

#[test]
fn an_empty_shop_gets_a_night_that_says_why_there_is_nothing() {
    let place = Place::new();
    place.ok(&["init"]);
    assert!(place.ok(&["init"]).contains("was there already"));
    place.ok(&["run"]);
    assert_eq!(
        place.number("SELECT count(*) FROM runs WHERE status <> 'done'"),
        0
    );
    for family in ["recommendations", "prices", "support"] {
        let why = place.text(&format!("SELECT why FROM generations WHERE family = '{family}'"));
        assert!(why.len() > 10, "{family}: {why:?}");
    }
    assert_eq!(place.number("SELECT count(*) FROM recommendations"), 0);
    place.ok(&["doctor"]);
    place.ok(&["status"]);
}

#[test]
fn a_newer_a_foreign_and_a_missing_file_are_told_apart() {
    let place = Place::new();
    let said = place.fails(2, &["run"]);
    assert!(
        said.contains("no such database") && said.contains("init"),
        "{said}"
    );
    place.ok(&["init"]);
    place.open().pragma_update(None, "user_version", 99).unwrap();
    assert!(place.fails(4, &["run"]).contains("newer nightclerk"));
    assert!(place.fails(4, &["status"]).contains("newer nightclerk"));
    fs::remove_file(place.db()).unwrap();
    rusqlite::Connection::open(place.db())
        .unwrap()
        .execute_batch("CREATE TABLE mine (x)")
        .unwrap();
    assert!(place.fails(2, &["init"]).contains("not a nightclerk one"));
    assert!(
        place
            .fails(2, &["demo", place.path("").to_str().unwrap()])
            .contains("more in it than a demo wrote")
    );
    assert_eq!(place.number("SELECT count(*) FROM mine"), 0);
}

#[test]
fn a_program_reads_json() {
    let place = Place::demo("0.02");
    for arguments in [
        &["status"][..],
        &["runs"],
        &["scores"],
        &["runs", "1"],
        &["doctor"],
        &["run", "search"],
    ] {
        let text = place.ok(&[arguments, &["--json"]].concat());
        let rows: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {text}"));
        assert!(
            rows.as_array().is_some_and(|a| !a.is_empty()),
            "{arguments:?}: {text}"
        );
    }
    assert!(place.fails(2, &["runs", "77"]).contains("there is no run 77"));
    assert!(
        place
            .fails(2, &["frobnicate"])
            .contains("unrecognized subcommand")
    );
}
