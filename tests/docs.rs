//! Everything a user can name is documented: tables, views and their columns in schema/, options in jobs/, verbs and
//! their options in the help, results in the README. And what the documents say exists does.

#![cfg(feature = "daemon")]

mod common;

use common::{Place, texts};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn schema() -> String {
    let mut files: Vec<_> = fs::read_dir(root().join("schema"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|f| fs::read_to_string(f).unwrap()).collect()
}

/// The contract's tables and views, with their columns.
const CONTRACT: &[(&str, &str)] = &[
    ("settings", "name, value"),
    (
        "products",
        "product_id, group_id, title, description, category, brand, properties, price, cost, currency, in_stock, hidden, created_at, updated_at",
    ),
    ("users", "user_id, country, language, created_at"),
    (
        "events",
        "event_id, source_id, user_id, session_id, order_id, product_id, kind, quantity, price, rating, shown_by, at",
    ),
    ("prices", "product_id, seller, at, price, promotion"),
    ("drivers", "name, product_id, day, value"),
    (
        "agents",
        "agent_id, name, team, languages, skills, capacity, active",
    ),
    (
        "tickets",
        "ticket_id, user_id, subject, body, language, channel, status, category, team, agent_id, priority, decided_by, created_at, first_reply_at, closed_at",
    ),
    (
        "replies",
        "reply_id, source_id, ticket_id, author, agent_id, body, at",
    ),
    (
        "articles",
        "article_id, title, body, category, language, updated_at",
    ),
    ("synonyms", "term, also"),
    (
        "rules",
        "rule_id, kind, result, user_id, for_product_id, product_id, other_product_id, category, value, enabled, from_at, until_at, who, note",
    ),
    (
        "verdicts",
        "verdict_id, result, subject_id, verdict, who, note, at",
    ),
    ("run_requests", "request_id, job, requested_at, run_id, orders"),
    (
        "leader",
        "process, host, version, listen, started_at, beat_at, ended_at, troubles, live_since",
    ),
    (
        "recommendations",
        "user_id, rank, product_id, score, model, because_product_id",
    ),
    (
        "visitor_recommendations",
        "country, language, rank, product_id, score",
    ),
    (
        "similar_products",
        "product_id, rank, similar_product_id, score, model",
    ),
    (
        "bought_together",
        "product_id, rank, other_product_id, baskets, lift",
    ),
    ("next_products", "product_id, rank, next_product_id, score"),
    ("buy_again", "user_id, rank, product_id, score, due_day"),
    ("popular_products", "category, rank, product_id, score"),
    (
        "price_forecasts",
        "product_id, seller, step, at, day, price, lo80, hi80, lo95, hi95, model, lo90, hi90",
    ),
    (
        "price_models",
        "product_id, seller, model, parameters, observations, skill, coverage95, why",
    ),
    (
        "price_stats",
        "product_id, seller, last_price, last_seen_at, last_change_day, min30, min30_before_promotion, avg30, avg90, min_ever, min_ever_day, max_ever, max_ever_day, on_promotion, volatility_1d, volatility_30d",
    ),
    (
        "price_elasticities",
        "product_id, elasticity, std_error, lo95, hi95, observations, pooled_with",
    ),
    (
        "price_whatif",
        "product_id, price, units, units_lo80, units_hi80, revenue, margin",
    ),
    (
        "price_advice",
        "product_id, decision, price_now, price_advised, units_change, revenue_change, margin_change, revenue_change_lo80, revenue_change_hi80, goal, why",
    ),
    (
        "ticket_routes",
        "ticket_id, decision, category, category_confidence, team, agent_id, agent_confidence, priority, language, due_at, why, routed_at",
    ),
    (
        "ticket_queue",
        "ticket_id, status, language, category, team, agent_id, priority, decided_by, due_at, created_at",
    ),
    (
        "ticket_neighbours",
        "ticket_id, rank, neighbour_ticket_id, distance",
    ),
    (
        "ticket_drafts",
        "ticket_id, reply_to, decision, reply, confidence, sources, drafted_at",
    ),
    (
        "jobs",
        "job, kind, schedule, time_zone, enabled, after, next_run_at, next_run_local, last_run_id, last_status, disabled_reason",
    ),
    (
        "runs",
        "run_id, job, attempt, scheduled_at, started_at, finished_at, status, stage, progress, rows, as_of, error, why",
    ),
    ("run_drops", "run_id, table_name, reason, rows"),
    (
        "generations",
        "family, generation, status, run_id, rows, as_of, published_at, why",
    ),
    (
        "scores",
        "run_id, result, model, slice, metric, value, lo90, hi90, split, as_of, chosen",
    ),
    (
        "report_card",
        "day, result, slice, metric, value, naive, observations",
    ),
    ("rejected_rows", "table_name, source, line, reason, raw"),
];

#[test]
fn the_contract_is_in_the_file() {
    let place = Place::new();
    place.ok(&["init"]);
    let conn = place.open();
    for (name, columns) in CONTRACT {
        let mut statement = conn
            .prepare(&format!("SELECT * FROM {name}"))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            statement.column_names().collect::<Vec<_>>().join(", "),
            *columns,
            "{name}"
        );
        assert!(statement.query([]).unwrap().next().is_ok());
    }
    let known: Vec<&str> = CONTRACT.iter().map(|c| c.0).collect();
    for name in texts(&conn, "SELECT name FROM sqlite_schema WHERE type = 'view'") {
        assert!(
            known.contains(&name.as_str()) || name.starts_with("clerk_"),
            "view {name} is in no contract"
        );
    }
    let not_strict = texts(
        &conn,
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    );
    assert!(not_strict.is_empty(), "{not_strict:?}");
}

#[test]
fn every_table_and_view_is_explained_where_it_is_made() {
    let schema = schema();
    for (name, _) in CONTRACT {
        let made = [format!("CREATE TABLE {name} ("), format!("CREATE VIEW {name} AS")];
        let at = made
            .iter()
            .find_map(|m| schema.find(m))
            .unwrap_or_else(|| panic!("{name} is not made in schema/"));
        let before = schema[..at].trim_end().lines().last().unwrap();
        assert!(
            before.starts_with("--"),
            "{name}: no comment above it but {before:?}"
        );
    }
}

#[test]
fn the_schema_keeps_to_core_functions() {
    let schema = schema().to_lowercase();
    let code: String = schema
        .lines()
        .map(|l| l.split("--").next().unwrap().to_owned() + "\n")
        .collect();
    for banned in [
        "json",
        "unixepoch()",
        "returning",
        "pow(",
        "ln(",
        "exp(",
        "iif(",
        "->>",
        "nightclerk_",
    ] {
        assert!(
            !code.contains(banned),
            "{banned} is not in every SQLite from 3.37 on"
        );
    }
}

#[test]
fn every_verb_and_option_has_a_help_text() {
    let place = Place::new();
    let help = place.ok(&["--help"]);
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|l| !l.starts_with("Commands:"))
        .skip(1)
        .take_while(|l| l.starts_with("  "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    let expected = [
        "init", "demo", "import", "run", "status", "runs", "scores", "search", "ask", "rollback", "erase",
        "backup", "restore", "migrate", "doctor",
    ];
    for verb in expected {
        assert!(verbs.contains(&verb), "{verb} is missing: {verbs:?}");
    }
    let readme = read("README.md");
    for verb in verbs.iter().filter(|v| **v != "help") {
        let help = place.ok(&[verb, "--help"]);
        for line in help.lines().map(str::trim).filter(|l| {
            l.starts_with("-q")
                || l.strip_prefix("--")
                    .is_some_and(|o| o.starts_with(char::is_alphabetic))
        }) {
            // An option's text stands on its line or on the next.
            let next = help
                .lines()
                .skip_while(|l| l.trim() != line)
                .nth(1)
                .unwrap_or("")
                .trim();
            assert!(
                line.contains("  ") || !next.is_empty(),
                "{verb}: {line} says nothing"
            );
        }
        assert!(
            readme.contains(&format!("nightclerk {verb}"))
                || *verb == "status"
                || *verb == "runs"
                || *verb == "demo",
            "{verb} is not in the README"
        );
    }
}

#[test]
fn help_is_as_it_was() {
    let place = Place::new();
    insta::assert_snapshot!("help", place.ok(&["--help"]));
    insta::assert_snapshot!("help_run", place.ok(&["run", "--help"]));
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut documents = vec![
        "README.md".to_owned(),
        "ARCHITECTURE.md".into(),
        "CONTRIBUTING.md".into(),
        "CHANGELOG.md".into(),
    ];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            documents.push(format!("docs/{}", entry.file_name().to_string_lossy()));
        }
    }
    let mut links = 0;
    for document in documents {
        let text = read(&document);
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let path = root()
                .join(&document)
                .parent()
                .unwrap()
                .join(target.split('#').next().unwrap());
            assert!(path.exists(), "{document} links to {target}, which is not there");
            links += 1;
        }
    }
    assert!(links > 20, "{links} links");
}

#[test]
fn the_front_page_shows_the_two_commands() {
    let readme = read("README.md");
    for command in ["cargo run --release -- demo", "cargo test"] {
        assert!(readme.contains(command));
    }
    // Its SQL works on a real file.
    let place = Place::demo("0.02");
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    conn.execute("ATTACH ?1 AS clerk", [place.db().to_str().unwrap()])
        .unwrap();
    let sql = readme
        .split("```sql")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap()
        .replace("ATTACH 'shop.db' AS clerk;", "");
    let mut statements = 0;
    for statement in sql.split(';').filter(|s| {
        s.lines()
            .any(|l| !l.trim().is_empty() && !l.trim().starts_with("--"))
    }) {
        let mut prepared = conn
            .prepare(statement)
            .unwrap_or_else(|e| panic!("{statement}: {e}"));
        let mut rows = prepared.query([]).unwrap();
        while rows.next().unwrap().is_some() {}
        statements += 1;
    }
    assert!(statements >= 8, "{statements}");
}

#[test]
fn the_sql_of_the_support_page_works() {
    let place = Place::new();
    place.ok(&["init"]);
    let conn = place.open();
    let page = read("docs/support.md");
    let mut statements = 0;
    for block in page.split("```sql").skip(1) {
        let sql = block.split("```").next().unwrap();
        let mut prepared = conn.prepare(sql.trim()).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert!(prepared.query([]).unwrap().next().is_ok());
        statements += 1;
    }
    assert_eq!(statements, 6);
}

#[test]
fn what_the_extension_registers_is_documented() {
    let page = read("docs/extension.md");
    let sources = read("src/extension/tables.rs") + &read("src/extension/scalars.rs");
    let quoted = |line: &str| line.split('"').nth(1).unwrap().to_owned();
    let mut names: Vec<String> = sources
        .lines()
        .filter(|line| {
            line.trim_start().starts_with("name: \"") || line.contains("create_scalar_function(\"")
        })
        .map(quoted)
        .collect();
    names.sort();
    assert_eq!(names.len(), 10, "{names:?}");
    for name in names {
        assert!(
            page.contains(&format!("`{name}(")),
            "{name} is not in docs/extension.md"
        );
    }
}
