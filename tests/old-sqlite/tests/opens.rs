//! A SQLite of early 2022 opens the file, reads every view and writes every input table.

use rusqlite::{Connection, OpenFlags};

fn file() -> String {
    std::env::var("NIGHTCLERK_FILE").expect("NIGHTCLERK_FILE names a database, of `nightclerk demo` for example")
}

fn names(conn: &Connection, kind: &str) -> Vec<String> {
    let mut statement = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .unwrap();
    statement.query_map([kind], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_library_is_old() {
    assert!(rusqlite::version().starts_with("3.37."), "this is SQLite {}", rusqlite::version());
}

#[test]
fn every_view_answers_and_every_table_can_be_written() {
    // A copy: the writes below are not for the shop.
    let copy = std::env::temp_dir().join(format!("nightclerk-old-sqlite-{}.db", std::process::id()));
    std::fs::copy(file(), &copy).unwrap();
    let wal = format!("{}-wal", file());
    if std::path::Path::new(&wal).exists() {
        std::fs::copy(wal, format!("{}-wal", copy.display())).unwrap();
    }
    let conn = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let views = names(&conn, "view");
    assert!(views.len() >= 25, "{views:?}");
    let mut filled = 0;
    for view in &views {
        let rows: i64 = conn
            .query_row(&format!("SELECT count(*) FROM (SELECT * FROM {view})"), [], |r| r.get(0))
            .unwrap_or_else(|e| panic!("view {view}: {e}"));
        filled += i32::from(rows > 0);
    }
    assert!(filled >= 15, "{filled} views have rows");

    for insert in [
        "INSERT INTO settings (name, value) VALUES ('x', 'y')",
        "INSERT INTO products (product_id, title) VALUES ('old', 'lamp')",
        "UPDATE products SET title = 'lamp 2' WHERE product_id = 'old'",
        "INSERT INTO users (user_id) VALUES ('old')",
        "INSERT INTO events (user_id, product_id, kind) VALUES ('old', 'old', 'purchase')",
        "INSERT INTO prices (product_id, at, price) VALUES ('old', 1, 2)",
        "INSERT INTO drivers (name, day, value) VALUES ('old', '2026-01-01', 1)",
        "INSERT INTO agents (agent_id) VALUES ('old')",
        "INSERT INTO tickets (ticket_id, subject) VALUES ('old', 'hello')",
        "INSERT INTO replies (ticket_id, body) VALUES ('old', 'answer')",
        "DELETE FROM replies WHERE ticket_id = 'old'",
        "INSERT INTO articles (article_id) VALUES ('old')",
        "INSERT INTO synonyms (term, also) VALUES ('old', 'ancient')",
        "INSERT INTO rules (kind, product_id) VALUES ('block', 'old')",
        "INSERT INTO verdicts (result, subject_id, verdict) VALUES ('ticket_drafts', 'old', 'edited')",
        "INSERT INTO run_requests (job) VALUES ('search')",
    ] {
        conn.execute(insert, []).unwrap_or_else(|e| panic!("{insert}: {e}"));
    }
    let waiting: i64 =
        conn.query_row("SELECT count(*) FROM outbox WHERE id = 'old'", [], |r| r.get(0)).unwrap();
    assert_eq!(waiting, 6, "the triggers filled the outbox");
    // Ids are text, however they are asked for.
    conn.execute("INSERT INTO tickets (ticket_id, agent_id) VALUES ('4711', '7')", []).unwrap();
    let found: i64 =
        conn.query_row("SELECT count(*) FROM ticket_queue WHERE ticket_id = 4711 AND agent_id = 7", [], |r| r.get(0)).unwrap();
    assert_eq!(found, 1);
    drop(conn);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", copy.display()));
    }
}
