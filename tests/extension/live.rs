//! A reader under constant commits to the index and a hundred publications: never an error, never half of one generation and half
//! of another.

use crate::build::{copy, library};
use crate::common::Place;
use crate::{hosts, times};
use nightclerk::fit::Control;
use nightclerk::pipeline::index;
use nightclerk::store::Shop;
use serde_json::json;
use std::process::Stdio;

const ASKED: [(&str, &str); 3] = [
    (
        "classify",
        "SELECT classify_ticket('where is my parcel, I want a refund')",
    ),
    (
        "draft",
        "SELECT draft_reply('where is my parcel, I want a refund')",
    ),
    (
        "session",
        "SELECT rank, product_id, score FROM recommend_session((SELECT json_array(min(product_id), max(product_id)) FROM products), 10)",
    ),
];

/// What is said while the published generations are these.
fn said(place: &Place) -> Option<Vec<String>> {
    let statements: Vec<String> = ASKED.iter().map(|(_, sql)| (*sql).to_owned()).collect();
    let answers = hosts::ask("python", library(), &place.db(), &statements)?;
    Some(answers.iter().map(serde_json::Value::to_string).collect())
}

#[test]
fn a_reader_while_everything_changes() {
    let place = copy();
    let generation = |family: &str| {
        place.number(&format!(
            "SELECT generation FROM clerk_published WHERE family = '{family}'"
        ))
    };
    let before = [generation("support"), generation("recommendations")];
    let Some(first) = said(&place) else { return };
    // Another night, which learns something else.
    let shop = place.open();
    shop.execute_batch(
        "UPDATE tickets SET category = 'everything' WHERE rowid % 3 = 0 AND category IS NOT NULL AND decided_by = 'person';
         DELETE FROM replies WHERE reply_id % 5 = 0;
         DELETE FROM events WHERE event_id % 7 = 0;",
    )
    .unwrap();
    place.ok(&["run", "support", "recommendations", "search"]);
    let after = [generation("support"), generation("recommendations")];
    assert!(before[0] < after[0] && before[1] < after[1]);
    let second = said(&place).unwrap();
    // Drafts quote replies as they are now: those that are gone are gone for the first night's models too.
    let clerk = Shop::open(&place.db()).unwrap();
    let point = |to: [i64; 2]| {
        clerk.roll_back("ticket_routes", Some(to[0])).unwrap();
        clerk.roll_back("recommendations", Some(to[1])).unwrap();
    };
    point(before);
    let first_now = said(&place).unwrap();
    assert_eq!((&first[0], &first[2]), (&first_now[0], &first_now[2]));
    let expected: serde_json::Map<String, serde_json::Value> = ASKED
        .iter()
        .enumerate()
        .map(|(at, (name, sql))| {
            assert_ne!(first_now[at], second[at], "{name}: the nights say the same");
            let answers = [&first_now[at], &second[at]].map(|text| {
                let value: serde_json::Value = serde_json::from_str(text).unwrap();
                value
            });
            ((*name).to_owned(), json!({ "sql": sql, "answers": answers }))
        })
        .collect();
    std::fs::write(
        place.path("expected.json"),
        serde_json::to_string(&expected).unwrap(),
    )
    .unwrap();
    let mut python = hosts::command("python").unwrap();
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/extension/trials.py");
    let reader = python
        .arg(scripts)
        .arg(library())
        .arg(place.db())
        .arg("live")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keeper = index::Keeper::open(&clerk).unwrap();
    for round in 0..times("NIGHTCLERK_PUBLISHES", 100) {
        point(if round % 2 == 0 { after } else { before });
        shop.execute(
            "INSERT INTO tickets (ticket_id, subject, created_at) VALUES (?1, 'fresh refund', 1700000000)",
            [format!("fresh-{round}")],
        )
        .unwrap();
        keeper.catch_up(&clerk, &Control::default()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::fs::write(place.path("stop"), "").unwrap();
    let done = reader.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
