//! What goes wrong around a night and must cost no more than itself: odd rows, damaged models and files, settings nobody
//! can read, a checkout that holds the lock, somebody else's work in the way.

#![cfg(feature = "daemon")]

mod common;

use common::Place;
use std::fs;

#[test]
fn two_nights_at_once_take_turns() {
    let place = Place::demo("0.05");
    let mut first = place.command(&["run", "--quiet"]).spawn().unwrap();
    let second = place.clerk(&["run", "--quiet"]);
    common::assert_ok(&second);
    assert!(first.wait().unwrap().success());
    assert_eq!(
        place.number("SELECT count(*) FROM runs WHERE status <> 'done'"),
        0
    );
    assert_eq!(place.number("SELECT count(*) FROM runs"), 15);
}

#[test]
fn rows_an_application_got_wrong_cost_themselves_only() {
    let place = Place::demo("0.05");
    let before = place.number("SELECT count(*) FROM recommendations");
    place
        .open()
        .execute_batch(
            "INSERT INTO events (user_id, product_id, kind, quantity, rating, at) VALUES
               ('U00001', 'P00001', 'purchase', -3, NULL, 1782000000), ('U00001', 'P00001', 'rating', 1, 99, 1782000000),
               ('U00001', 'no such', 'purchase', 1, NULL, 1782000000), ('U00001', 'P00001', 'dance', 1, NULL, 1782000000),
               ('U00001', 'P00001', 'purchase', 1, NULL, 9999999999), (CAST(x'FF' AS TEXT), 'P00001', 'view', 1, NULL, 5);
             INSERT INTO agents (agent_id, skills) VALUES ('nobody', 'everything');
             INSERT INTO tickets (ticket_id, subject) VALUES ('empty', ''), ('zh', '退款'), ('x', CAST(x'C328' AS TEXT));
             INSERT INTO prices (product_id, at, price) VALUES ('P00001', 1782000000, 9e999), ('P00001', 1782000001, -1);",
        )
        .unwrap();
    place.ok(&["run"]);
    let reasons = place.text(
        "SELECT group_concat(table_name || ': ' || reason, '; ') FROM run_drops
         WHERE run_id > (SELECT max(run_id) FROM runs WHERE job = 'upkeep') - 5",
    );
    for expected in [
        "events: a text that is not UTF-8",
        "agents: languages or skills",
        "tickets: a text that is not UTF-8",
        "prices: ",
    ] {
        assert!(reasons.contains(expected), "{expected:?} is not in {reasons}");
    }
    assert!(place.number("SELECT count(*) FROM recommendations") > before / 2);
}

#[test]
fn a_damaged_model_costs_its_head_start_not_the_night() {
    let place = Place::demo("0.1");
    let damaged = place
        .open()
        .execute("UPDATE clerk_artefacts SET bytes = zeroblob(length(bytes))", [])
        .unwrap();
    assert!(damaged > 1);
    let said = place.fails(1, &["ask", "Where is my parcel?"]);
    assert!(
        said.contains("fails its checksum") && said.contains("the next run writes it again"),
        "{said}"
    );
    place.ok(&["run"]);
    let why =
        place.text("SELECT why FROM generations WHERE family = 'recommendations' AND status = 'published'");
    assert!(why.contains("tuned without last night's numbers"), "{why}");
    place.ok(&["ask", "Where is my parcel?"]);
}

#[test]
fn a_night_with_nothing_to_show_replaces_nothing() {
    let place = Place::demo("0.05");
    let lists = "SELECT count(*) FROM clerk_published JOIN clerk_recommendations USING (generation)";
    let before = place.number(lists);
    place
        .open()
        .execute("UPDATE products SET hidden = 1", [])
        .unwrap();
    place.ok(&["run", "recommendations"]);
    assert_eq!(place.number(lists), before);
    assert!(
        place
            .text("SELECT why FROM runs ORDER BY run_id DESC LIMIT 1")
            .contains("all are hidden")
    );
    // Its scores say that nobody's answers were written, and `scores` shows those of what readers see.
    assert_eq!(
        place.number(
            "SELECT count(*) FROM scores WHERE run_id = (SELECT max(run_id) FROM runs) AND chosen = 1"
        ),
        0
    );
    assert!(
        place
            .ok(&["scores", "recommendations", "--json"])
            .contains("\"chosen\": 1")
    );
}

#[test]
fn a_setting_nobody_can_read_is_in_the_book_and_found_by_doctor() {
    let place = Place::demo("0.02");
    place
        .open()
        .execute(
            "INSERT OR REPLACE INTO settings VALUES ('time_zone', 'Mars/Base')",
            [],
        )
        .unwrap();
    place.fails(1, &["run"]);
    assert_eq!(
        place.text("SELECT last_status FROM jobs WHERE job = 'prices'"),
        "failed"
    );
    assert_eq!(
        place.text("SELECT last_status FROM jobs WHERE job = 'search'"),
        "done"
    );
    let found = place.clerk(&["doctor"]);
    assert!(String::from_utf8_lossy(&found.stdout).contains("Mars/Base"));
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn a_checkout_that_holds_the_lock_delays_a_night_and_ends_nothing() {
    let place = Place::demo("0.02");
    let conn = place.open();
    conn.execute_batch("BEGIN IMMEDIATE; INSERT INTO users (user_id) VALUES ('slow')")
        .unwrap();
    let mut child = place.command(&["run", "--quiet"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(13)); // longer than the busy timeout
    assert!(child.try_wait().unwrap().is_none(), "the night has given up");
    conn.execute_batch("COMMIT").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(
        place.number("SELECT count(*) FROM runs WHERE status <> 'done'"),
        0
    );
}

#[test]
fn a_demo_somebody_went_on_with_is_left_alone() {
    let place = Place::demo("0.02");
    let folder = place.path("").to_str().unwrap().to_owned();
    place.ok(&["demo", &folder, "--scale", "0.02", "--quiet"]); // untouched: made anew
    place
        .open()
        .execute("INSERT INTO products (product_id) VALUES ('mine')", [])
        .unwrap();
    assert!(
        place
            .fails(2, &["demo", &folder, "--scale", "0.02"])
            .contains("name another folder")
    );
    assert_eq!(
        place.number("SELECT count(*) FROM products WHERE product_id = 'mine'"),
        1
    );
}

#[test]
fn a_rule_newer_than_the_data_is_applied() {
    let place = Place::demo("0.05");
    let product =
        place.text("SELECT product_id FROM recommendations WHERE user_id = '' ORDER BY rank DESC LIMIT 1");
    place
        .open()
        .execute(
            "INSERT INTO rules (kind, result, product_id, value, from_at)
             VALUES ('pin', 'recommendations', ?1, 1, CAST(strftime('%s', 'now') AS INTEGER) - 60)",
            [&product],
        )
        .unwrap();
    place.ok(&["run", "recommendations"]);
    let first =
        "SELECT product_id || ' ' || model FROM recommendations WHERE user_id = '' ORDER BY rank LIMIT 1";
    assert_eq!(place.text(first), format!("{product} rule"));
}

#[test]
fn a_ticket_closed_after_the_last_message_is_not_waiting() {
    let place = Place::demo("0.05");
    let newest = place.number(
        "SELECT max(m) FROM (SELECT max(created_at) AS m FROM tickets UNION SELECT max(at) FROM replies)",
    );
    let ticket = place.text("SELECT ticket_id FROM ticket_routes ORDER BY ticket_id LIMIT 1");
    place
        .open()
        .execute(
            "UPDATE tickets SET status = 'closed', closed_at = ?2 WHERE ticket_id = ?1",
            rusqlite::params![ticket, newest + 3600],
        )
        .unwrap();
    place.ok(&["run", "support"]);
    assert_eq!(
        place.number(&format!(
            "SELECT count(*) FROM ticket_routes WHERE ticket_id = '{ticket}'"
        )),
        0
    );
}

#[test]
fn doctor_finds_a_damaged_file_and_a_pointer_to_nothing() {
    let place = Place::demo("0.05");
    place.ok(&["doctor"]);
    place
        .open()
        .execute(
            "UPDATE clerk_published SET generation = 999 WHERE family = 'prices'",
            [],
        )
        .unwrap();
    let found = place.clerk(&["doctor"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stdout).contains("points to a generation that is gone"));

    let mut bytes = fs::read(place.db()).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 200_000].fill(0xA5);
    for suffix in ["shop.db-wal", "shop.db-shm"] {
        let _ = fs::remove_file(place.path(suffix));
    }
    fs::write(place.db(), bytes).unwrap();
    let found = place.clerk(&["doctor"]);
    assert_eq!(found.status.code(), Some(1));
    let said = String::from_utf8_lossy(&found.stdout).into_owned() + &String::from_utf8_lossy(&found.stderr);
    assert!(said.contains("restore a backup"), "{said}");
}

#[test]
fn init_and_rollback_answer_in_json_too() {
    let place = Place::demo("0.02");
    place
        .open()
        .execute("UPDATE products SET price = price + 1", [])
        .unwrap();
    place.ok(&["run", "recommendations"]);
    for arguments in [
        &["init", "--json"][..],
        &["rollback", "recommendations", "--json"],
    ] {
        let rows: serde_json::Value = serde_json::from_str(&place.ok(arguments)).unwrap();
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "{arguments:?}");
    }
}

#[test]
fn doctor_names_agents_who_get_no_ticket_and_hours_nobody_can_read() {
    let place = Place::demo("0.05");
    let say = |sql: &str| {
        place.open().execute_batch(sql).unwrap();
        let done = place.clerk(&["doctor"]);
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stdout).unwrap(),
        )
    };
    let (_, said) = say(
        "UPDATE agents SET active = 1; UPDATE tickets SET agent_id = NULL WHERE agent_id NOT IN (SELECT agent_id FROM agents)",
    );
    assert!(
        said.contains("every open ticket is with somebody who is there"),
        "{said}"
    );
    let (code, said) = say("INSERT INTO agents (agent_id, skills) VALUES ('Zoe', 'everything')");
    assert!(
        code == 0 && said.contains("skills or languages of Zoe are no JSON"),
        "{said}"
    );
    let (code, said) = say("UPDATE agents SET active = 0");
    assert!(
        code == 0 && said.contains("are with agents who are not active"),
        "{said}"
    );
    for hours in ["Mon-Fri 9-17", "09:00-09:00"] {
        let (code, said) = say(&format!(
            "INSERT INTO settings VALUES ('working_hours', '{hours}') ON CONFLICT DO UPDATE SET value = excluded.value"
        ));
        assert!(code == 1 && said.contains("working_hours"), "{said}");
    }
}
