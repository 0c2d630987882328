//! The extension in real hosts: built by cargo, loaded by programs that know nothing of us.

#![cfg(feature = "daemon")]

mod build;
#[path = "../common/mod.rs"]
mod common;
mod fuzzed;
mod hosts;
mod live;
mod spoilt;

use build::{copy, library, shop};
use hosts::{ask, missing, trial};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// How often something is repeated: a little every time, in full by `just soak`.
fn times(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |value| value.parse().unwrap())
}

/// The program's own answer, as JSON.
fn clerk(database: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_nightclerk"))
        .arg("--db")
        .arg(database)
        .args(arguments)
        .args(["--json", "--quiet"])
        .output()
        .unwrap();
    common::assert_ok(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows of objects as rows of values.
fn rows(table: &Value) -> Value {
    let row = |row: &Value| Value::Array(row.as_object().unwrap().values().cloned().collect());
    table.as_array().unwrap().iter().map(row).collect()
}

/// Equal to the last bit; a whole number may be written with or without a point.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let bits = |number: &serde_json::Number| number.as_f64().map(f64::to_bits);
            bits(a) == bits(b)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

const QUERIES: [&str; 12] = [
    "refund",
    "parcel refund",
    "refund OR parcel OR order",
    "\"my order\"",
    "part*",
    "status:open refund",
    "created_at:2026-01-01..2026-12-31 parcel",
    "delivrey", // misspelt
    "退款 OR 订单",
    "货",
    "refund -parcel",
    "nosuchword7",
];

const TEXTS: [&str; 4] = [
    "Where is my parcel? I ordered two weeks ago.",
    "我的订单还没有发货，申请退款。",
    "Hello",
    "The lamp arrived broken, I want my money back. Regards, Ann",
];

/// One host: the same to the bit as the command line and as the views.
fn answers_like_the_daemon(host: &str) {
    let database = shop();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut statements = vec!["SELECT nightclerk_version()".to_owned()];
    let mut expected = vec![json!([[env!("CARGO_PKG_VERSION")]])];
    for place in ["tickets", "articles", "products"] {
        for query in QUERIES {
            let function = format!("{}_search", &place[..place.len() - 1]);
            statements.push(format!(
                "SELECT id, score, snippet FROM {function}({}, 7)",
                quoted(query)
            ));
            expected.push(rows(&clerk(
                database,
                &["search", "--in", place, "--limit", "7", query],
            )));
        }
    }
    let mut asked = Vec::new();
    for text in TEXTS {
        let text = quoted(text);
        asked.push(statements.len());
        for function in ["classify_ticket", "route_ticket", "draft_reply"] {
            statements.push(format!("SELECT {function}({text})"));
        }
        expected.extend([Value::Null, Value::Null, Value::Null]);
    }
    let products = clerk(
        database,
        &["search", "--in", "products", "--limit", "3", "a* OR e* OR s*"],
    );
    let product = products[0]["id"].as_str().unwrap();
    let of_view = common::open(database);
    let forecast = "SELECT step, at, day, price, lo80, hi80, lo95, hi95 FROM price_forecasts";
    let first: String = of_view
        .query_row("SELECT min(product_id) FROM price_forecasts", [], |r| r.get(0))
        .unwrap();
    statements.push(format!("SELECT * FROM forecast_price({})", quoted(&first)));
    let mut statement = of_view
        .prepare(&format!(
            "{forecast} WHERE product_id = ?1 AND seller = '' ORDER BY step"
        ))
        .unwrap();
    let steps = statement.query_map([&first], |r| {
        let mut row = vec![
            json!(r.get::<_, i64>(0)?),
            json!(r.get::<_, i64>(1)?),
            json!(r.get::<_, String>(2)?),
        ];
        for column in 3..8 {
            row.push(json!(r.get::<_, f64>(column)?));
        }
        Ok(Value::Array(row))
    });
    expected.push(steps.unwrap().map(Result::unwrap).collect());
    // What the night wrote for a page, and what a session that met that page alone is told: the same model.
    let session = statements.len();
    let array = json!([product]).to_string();
    statements.push(format!(
        "SELECT product_id, score FROM recommend_session({}, 1000)",
        quoted(&array)
    ));
    statements.push(format!(
        "SELECT next_product_id, score FROM next_products WHERE product_id = {} ORDER BY rank",
        quoted(product)
    ));
    let Some(found) = ask(host, library(), database, &statements) else {
        return;
    };
    let mut hits = 0;
    for ((statement, expected), found) in statements.iter().zip(&expected).zip(&found) {
        if *expected != Value::Null {
            assert!(
                same(expected, found),
                "{host}: {statement}\nexpected {expected}\nfound    {found}"
            );
            hits += found.as_array().map_or(0, Vec::len);
        }
    }
    assert!(
        hits > 60,
        "{host}: only {hits} rows: does this shop still have these words?"
    );
    for (at, text) in asked.into_iter().zip(TEXTS) {
        let answer = clerk(database, &["ask", text]);
        let read = |at: usize| -> Value { serde_json::from_str(found[at][0][0].as_str().unwrap()).unwrap() };
        let (classified, route, draft) = (read(at), read(at + 1), read(at + 2));
        for (name, value) in classified.as_object().unwrap() {
            assert!(same(value, &answer["route"][name]), "{host}: {text}: {name}");
        }
        assert!(classified["candidates"].as_array().unwrap().len() > 1);
        assert!(
            same(&route, &answer["route"]),
            "{host}: {text}\n{route}\n{answer}"
        );
        assert!(
            same(&draft, &answer["draft"]),
            "{host}: {text}\n{draft}\n{answer}"
        );
    }
    let score_of = |product: &Value| {
        let told = found[session].as_array().unwrap();
        told.iter()
            .find(|row| row[0] == *product)
            .map(|row| row[1].clone())
    };
    let listed = found[session + 1].as_array().unwrap();
    let alike = listed
        .iter()
        .filter(|row| score_of(&row[0]).is_some_and(|score| same(&score, &row[1])))
        .count();
    assert!(
        alike >= 5 && alike * 2 > listed.len(),
        "{host}: {alike} of {}: {}\n{}",
        listed.len(),
        found[session],
        found[session + 1]
    );
}

#[test]
fn in_python() {
    answers_like_the_daemon("python");
}

#[test]
fn in_apsw() {
    answers_like_the_daemon("apsw");
}

#[test]
fn in_node() {
    answers_like_the_daemon("node");
}

#[test]
fn in_better_sqlite3() {
    answers_like_the_daemon("better-sqlite3");
}

#[test]
fn in_php() {
    answers_like_the_daemon("php");
}

#[test]
fn in_the_sqlite3_shell() {
    let Some(mut shell) = hosts::command("sqlite3") else {
        return;
    };
    // Without the ending and without the entry point's name, as people type it.
    let name = library().with_extension("");
    let output = shell
        .arg("-json")
        .arg(shop())
        .arg(format!(".load {}", name.display()))
        .arg("SELECT id, snippet FROM ticket_search('refund OR parcel', 5);")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Value = serde_json::from_str(said.trim()).unwrap_or_else(|e| panic!("{e}: {said}"));
    let expected = clerk(shop(), &["search", "--limit", "5", "refund OR parcel"]);
    let pair = |row: &Value| (row["id"].clone(), row["snippet"].clone());
    let pairs = |table: &Value| table.as_array().unwrap().iter().map(pair).collect::<Vec<_>>();
    assert_eq!(pairs(&found), pairs(&expected));
}

#[test]
fn one_symbol_and_no_sqlite() {
    let Ok(listed) = Command::new("nm")
        .args(["--dynamic", "--defined-only"])
        .arg(library())
        .output()
    else {
        return missing("nm", "there is no nm");
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let symbols: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    assert_eq!(symbols, ["sqlite3_nightclerk_init"]);
    let needed = Command::new("nm")
        .args(["--dynamic", "--undefined-only"])
        .arg(library())
        .output()
        .unwrap();
    let needed = String::from_utf8(needed.stdout).unwrap();
    assert!(needed.contains(" U "), "{needed}");
    assert!(!needed.contains("sqlite3_"), "{needed}");
}

#[test]
fn a_panic_in_any_callback_is_an_sql_error() {
    trial("panics", library(), shop(), 0);
}

#[test]
fn hostile_queries() {
    trial("hostile", library(), shop(), times("NIGHTCLERK_HOSTILE", 400));
}

#[test]
fn damaged_index_files() {
    trial(
        "damaged_index",
        library(),
        shop(),
        times("NIGHTCLERK_DAMAGED", 40),
    );
}

#[test]
fn damaged_models() {
    let place = copy();
    spoilt::models(&place, times("NIGHTCLERK_DAMAGED", 40));
    trial("damaged_models", library(), &place.db(), 0);
}

#[test]
fn the_right_rows_whatever_the_plan() {
    trial("plans", library(), shop(), 0);
}

#[test]
fn main_or_attached() {
    trial("schemas", library(), &copy().db(), 0);
    trial("manners", library(), &copy().db(), 0);
}

#[test]
fn threads_and_connections() {
    trial("threads", library(), shop(), 20);
}

#[test]
fn children_of_a_busy_process() {
    trial("forks", library(), shop(), times("NIGHTCLERK_FORKS", 15));
}

#[test]
fn a_user_who_may_write_nothing() {
    trial("unprivileged", library(), shop(), 0);
}

#[test]
fn hosts_that_cannot_be_served() {
    trial("old_hosts", library(), shop(), 0);
}

/// One of the examples; what it prints. None = its host is not here.
fn example(host: &str, script: &str) -> Option<String> {
    let mut command = hosts::command(host)?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let place = tempfile::tempdir().unwrap();
    if host == "php" {
        let folder = library().parent().unwrap().display();
        command.arg("-d").arg(format!("sqlite3.extension_dir={folder}"));
    }
    if host == "sqlite3" {
        // It names both by where it stands.
        std::fs::copy(library(), place.path().join(library().file_name().unwrap())).unwrap();
        std::fs::copy(shop(), place.path().join("shop.db")).unwrap();
        let copied = copy();
        let search = copied.path("shop.db.search");
        std::fs::rename(search, place.path().join("shop.db.search")).unwrap();
        let page = std::fs::File::open(examples.join(script)).unwrap();
        command.arg(":memory:").current_dir(place.path()).stdin(page);
    } else {
        command.arg(examples.join(script)).arg(library()).arg(shop());
        if host == "better-sqlite3" {
            command.arg(host);
        }
    }
    let output = command.output().unwrap();
    common::assert_ok(&output);
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_examples_show_the_same_pages() {
    let pages: Vec<(&str, String)> = [
        ("python", "shop.py"),
        ("apsw", "shop_apsw.py"),
        ("node", "shop.mjs"),
        ("better-sqlite3", "shop.mjs"),
        ("php", "shop.php"),
        ("sqlite3", "shop.sql"),
    ]
    .into_iter()
    .filter_map(|(host, script)| Some((host, example(host, script)?)))
    .collect();
    let Some((_, expected)) = pages.first() else {
        return;
    };
    assert!(expected.lines().count() > 20, "{expected}");
    assert!(
        expected.contains("<mark>") && expected.contains("What to answer\n  "),
        "{expected}"
    );
    for (host, page) in &pages {
        assert_eq!(page, expected, "{host}");
    }
}
