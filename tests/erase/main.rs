//! `nightclerk erase`: a customer who stands everywhere is forgotten to the last byte, and nobody else is. Every byte of
//! every file of the folder is looked at, before and after. `NIGHTCLERK_KILLS` sets how many erasures are killed half-way.

#![cfg(feature = "daemon")]
#![allow(clippy::print_stdout)] // the seed of the kills

#[path = "../common/mod.rs"]
mod common;
mod customer;

use common::{Place, dump};
use customer::{USER, assert_forgotten, hits, shop};
use std::fs;
#[cfg(unix)]
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Everything that is nobody's or somebody else's, and must not change.
fn others(place: &Place) -> Vec<Vec<String>> {
    let conn = place.open();
    let theirs = "ticket_id NOT LIKE 'TCK-zq81-%'";
    let mine = format!("coalesce(user_id, '') <> '{USER}'");
    [
        format!("SELECT * FROM users WHERE {mine} ORDER BY 1"),
        format!("SELECT * FROM events WHERE {mine} AND coalesce(session_id, '') NOT LIKE 'sess-zq81-%' ORDER BY 1"),
        format!("SELECT * FROM tickets WHERE {theirs} ORDER BY 1"),
        format!("SELECT * FROM replies WHERE {theirs} ORDER BY 1"),
        format!("SELECT * FROM recommendations WHERE {mine} ORDER BY 1, 2"),
        format!("SELECT * FROM buy_again WHERE {mine} ORDER BY 1, 2"),
        "SELECT * FROM bought_together ORDER BY 1, 2".into(),
        "SELECT * FROM price_forecasts ORDER BY 1, 2, 3".into(),
        "SELECT * FROM products ORDER BY 1".into(),
        "SELECT * FROM prices ORDER BY 1, 2, 3".into(),
        "SELECT * FROM articles ORDER BY 1".into(),
        "SELECT * FROM rejected_rows WHERE table_name = 'products'".into(),
        format!("SELECT * FROM ticket_routes WHERE {theirs} ORDER BY 1"),
        format!("SELECT * FROM ticket_queue WHERE {theirs} ORDER BY 1"),
        format!("SELECT * FROM ticket_neighbours WHERE {theirs} AND neighbour_ticket_id NOT LIKE 'TCK-zq81-%' ORDER BY 1, 2"),
        format!(
            "SELECT * FROM ticket_drafts WHERE {theirs} AND sources NOT LIKE '%TCK-zq81-%' ORDER BY 1"
        ),
    ]
    .iter()
    .map(|sql| dump(&conn, sql))
    .collect()
}

#[test]
fn a_customer_is_forgotten_to_the_last_byte_and_nobody_else_is() {
    let place = shop();
    let before = others(&place);
    let count = place.ok(&["erase", USER, "--dry-run", "--json"]);
    assert_eq!(others(&place), before);
    assert!(
        !hits(place.dir.path(), USER).is_empty(),
        "a dry run erases nothing"
    );

    let said = place.ok(&["erase", USER, "--json"]);
    assert_forgotten(&place);
    assert_eq!(others(&place), before);
    assert_eq!(place.text("PRAGMA integrity_check"), "ok");
    let rows = |text: &str| -> Vec<(String, i64)> {
        let all: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        let one = |row: &serde_json::Value| Some((row["place"].as_str()?.to_owned(), row["rows"].as_i64()?));
        all.iter().map(|row| one(row).unwrap()).collect()
    };
    let (counted, erased) = (rows(&count), rows(&said));
    for (place, rows) in &counted {
        // The dry run sees the rows of every generation, the erasure takes the older ones away as a whole.
        let went = erased.iter().find(|one| one.0 == *place).unwrap().1;
        assert!(
            went == *rows || (went > 0 && went < *rows),
            "{place}: {rows} counted, {went} erased"
        );
    }
    for (place, least) in [
        ("events", 13),
        ("events before logging in", 12),
        ("tickets", 26),
        ("ticket_drafts", 1),
    ] {
        assert!(
            erased.iter().any(|one| one.0 == place && one.1 >= least),
            "{place}: {erased:?}"
        );
    }

    // What reads the file goes on, and says what it waits for.
    for view in common::RESULTS {
        dump(&place.open(), &format!("SELECT * FROM {view}"));
    }
    assert!(place.number("SELECT count(*) FROM recommendations") > 0);
    assert!(
        place
            .fails(1, &["ask", "where is my parcel"])
            .contains("run the support job again")
    );
    assert!(!place.ok(&["search", "flibbertigibbet"]).contains("TCK"));
    assert!(!place.ok(&["search", "parcel"]).is_empty());
    place.ok(&["doctor", "--thorough"]);
    assert!(
        place
            .fails(2, &["rollback", "recommendations"])
            .contains("none is kept")
    );
    place.ok(&["run", "--quiet"]);
    assert_eq!(
        place.number("SELECT count(*) FROM jobs WHERE last_status <> 'done'"),
        0
    );
    place.ok(&["ask", "where is my parcel"]);
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_drafts WHERE ticket_id = 'other-open'"),
        1
    );
    assert_forgotten(&place);
}

#[test]
fn killed_at_any_moment_the_next_erasure_goes_on() {
    let kills = std::env::var("NIGHTCLERK_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(6);
    let seed = std::env::var("NIGHTCLERK_SEED").ok().and_then(|s| s.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("NIGHTCLERK_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let begun = Instant::now();
    let whole_one = shop();
    let copied = begun.elapsed();
    whole_one.ok(&["erase", USER, "--quiet"]);
    let whole = begun.elapsed() - copied;
    let expected = others(&whole_one);
    for _ in 0..kills {
        let place = shop();
        let mut killed = 0;
        // Twice: the second erasure is one that goes on.
        for _ in 0..2 {
            let mut child = place.command(&["erase", USER, "--quiet"]).spawn().unwrap();
            std::thread::sleep(whole.mul_f64(dice.f64()));
            let _ = child.kill();
            killed += i32::from(!child.wait().unwrap().success());
            assert_eq!(place.text("PRAGMA integrity_check"), "ok");
        }
        let last = place.clerk(&["erase", USER, "--quiet"]);
        // Over before it was killed: then nobody of that name is known.
        assert!(
            last.status.success() || (killed < 2 && last.status.code() == Some(2)),
            "{killed} {}",
            String::from_utf8_lossy(&last.stderr)
        );
        assert_forgotten(&place);
        assert_eq!(others(&place), expected);
        assert_eq!(place.text("PRAGMA integrity_check"), "ok");
        assert_eq!(
            place.number("SELECT count(*) FROM settings WHERE name = 'erasing'"),
            0
        );
    }
}

#[test]
fn a_reader_that_holds_old_pages_is_said_and_the_next_erasure_goes_on() {
    let place = shop();
    let reader = place.open();
    reader.execute_batch("BEGIN").unwrap();
    let seen = "SELECT count(*) FROM events WHERE user_id = 'KD-zq81-Quillfeather'";
    let events: i64 = reader.query_row(seen, [], |r| r.get(0)).unwrap();
    assert!(events > 0);
    let said = place.fails(1, &["erase", USER]);
    assert!(
        said.contains("shop.db-wal") && said.contains("erase again"),
        "{said}"
    );
    assert_eq!(
        place.number(seen),
        0,
        "the rows are gone for everybody who looks now"
    );
    assert_eq!(
        reader.query_row(seen, [], |r| r.get::<_, i64>(0)).unwrap(),
        events
    );
    assert!(
        !hits(place.dir.path(), USER).is_empty(),
        "and it was right to say so"
    );
    let found = place.clerk(&["doctor"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stdout).contains("has not come to its end"));
    reader.execute_batch("COMMIT").unwrap();
    assert!(place.ok(&["erase", USER]).contains("gone on with"));
    assert_forgotten(&place);
    place.ok(&["doctor"]);
}

#[test]
fn nobody_is_erased_by_a_slip_and_whoever_leads_is_waited_for() {
    let place = Place::demo("0.02");
    let before = others(&place);
    for wrong in ["U0000", "u00001", "", "U00001 "] {
        let said = place.fails(2, &["erase", wrong]);
        assert!(
            said.contains("nothing was changed") || said.contains("USER is empty"),
            "{said}"
        );
    }
    place.fails(2, &["erase"]);
    place.fails(2, &["erase", "U00001", "nobody"]);
    place.fails(2, &["erase", "nobody", "--dry-run"]);
    assert_eq!(others(&place), before);

    let lock = fs::File::options()
        .write(true)
        .open(place.path("shop.db.lock"))
        .unwrap();
    lock.lock().unwrap();
    #[cfg(unix)]
    {
        let mut stopped = place.command(&["erase", "U00001"]);
        let stopped = stopped.stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let id = stopped.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        let output = stopped.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("was stopped before its end"));
    }
    let mut child = place.command(&["erase", "U00001", "U00003"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    assert!(child.try_wait().unwrap().is_none(), "it did not wait");
    assert_eq!(
        place.number("SELECT count(*) FROM users WHERE user_id = 'U00001'"),
        1
    );
    lock.unlock().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(
        place.number("SELECT count(*) FROM users WHERE user_id IN ('U00001', 'U00003')"),
        0
    );
    assert_eq!(hits(place.dir.path(), "U00003"), [""; 0]);
    assert!(!hits(place.dir.path(), "U00004").is_empty());
}

#[test]
fn who_is_named_by_rows_alone_is_known_and_without_tickets_the_models_stay() {
    let place = Place::demo("0.05");
    let conn = place.open();
    conn.execute_batch(
        "INSERT INTO events (user_id, product_id, kind) VALUES ('only-zq81-events', 'P00001', 'view');
         INSERT INTO tickets (ticket_id, user_id, body) VALUES ('only-zq81', 'only-zq81-ticket', 'a zymurgy question');",
    )
    .unwrap();
    let said = place.ok(&["erase", "only-zq81-events"]);
    assert!(!said.contains("the models of tickets are gone"), "{said}");
    place.ok(&["ask", "where is my parcel"]);
    assert_eq!(hits(place.dir.path(), "only-zq81-events"), [""; 0]);
    let said = place.ok(&["erase", "only-zq81-ticket"]);
    assert!(said.contains("run support"), "{said}");
    assert_eq!(hits(place.dir.path(), "only-zq81"), [""; 0]);
    assert_eq!(hits(place.dir.path(), "zymurgy"), [""; 0]);

    // An old index that cannot be removed (here: it is no folder) is not the end of it.
    conn.execute("INSERT INTO users (user_id) VALUES ('stuck')", [])
        .unwrap();
    let old = place.path("shop.db.search/gen-99");
    fs::write(&old, "stuck").unwrap();
    assert!(place.fails(1, &["erase", "stuck"]).contains("gen-99"));
    fs::remove_file(&old).unwrap();
    place.ok(&["erase", "stuck"]);
    assert_eq!(hits(place.dir.path(), "stuck"), [""; 0]);

    // A copy made before an upgrade is not ours to delete, and is named.
    conn.execute("INSERT INTO users (user_id) VALUES ('late')", [])
        .unwrap();
    fs::write(place.path("shop.db.before-v3.bak"), "late").unwrap();
    let output = place.clerk(&["erase", "late"]);
    common::assert_ok(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("before-v3.bak"));
    assert!(place.path("shop.db.before-v3.bak").exists());
}

#[test]
fn an_application_that_keeps_writing_is_said() {
    let place = Place::demo("0.02");
    // As sure as an application that never pauses: a row of the customer comes back for each that goes.
    let conn = place.open();
    conn.execute_batch(
        "CREATE TRIGGER comes_back AFTER DELETE ON events BEGIN
             INSERT INTO events (user_id, product_id, kind) VALUES ('U00002', 'P00001', 'view');
         END",
    )
    .unwrap();
    let output = place.clerk(&["erase", "U00002"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    conn.execute_batch("DROP TRIGGER comes_back").unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("kept writing"), "{said}");
    place.ok(&["erase", "U00002"]);
    assert_eq!(hits(place.dir.path(), "U00002"), [""; 0]);
}
