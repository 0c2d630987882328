//! `backup`, `restore` and `migrate` through the real program: what an operator does before and after things go wrong.

#![cfg(feature = "daemon")]

mod common;

use common::{Place, dump};
use rusqlite::Connection;
use std::fs::OpenOptions;
use std::sync::atomic::{AtomicBool, Ordering};

/// What readers see.
fn seen(conn: &Connection) -> Vec<Vec<String>> {
    [
        "SELECT * FROM recommendations ORDER BY 1, 2",
        "SELECT * FROM ticket_routes ORDER BY 1",
        "SELECT * FROM price_forecasts ORDER BY 1, 2, 3",
        "SELECT * FROM events ORDER BY 1",
    ]
    .map(|sql| dump(conn, sql))
    .into()
}

fn code(place: &Place, arguments: &[&str]) -> (i32, String) {
    let done = place.clerk(arguments);
    let said = String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), said)
}

#[test]
fn a_shop_comes_back_from_its_backup_with_all_it_showed() {
    let place = Place::demo("0.2");
    let before = seen(&place.open());
    let backup = place.path("night.db");
    let name = backup.to_str().unwrap();
    // An application writes all the while: the copy is of one instant and does not disturb it.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let conn = Connection::open(place.db()).unwrap();
            conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
            let mut written = 0;
            while !stop.load(Ordering::SeqCst) {
                conn.execute("INSERT INTO users (user_id) VALUES ('late' || ?1)", [written])
                    .unwrap();
                written += 1;
            }
            written
        });
        let said = place.ok(&["backup", name, "--json"]);
        stop.store(true, Ordering::SeqCst);
        assert!(writer.join().unwrap() > 0);
        assert!(said.contains("xxh3") && said.contains("rows of events"), "{said}");
    });
    let manifest = std::fs::read_to_string(place.path("night.db.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["bytes"], std::fs::metadata(&backup).unwrap().len());
    assert!(!manifest.to_string().contains(place.dir.path().to_str().unwrap()));

    // Never over anything.
    let (exit, said) = code(&place, &["backup", name]);
    assert!(exit == 2 && said.contains("never overwritten"), "{exit}: {said}");
    let (exit, said) = code(&place, &["restore", name]);
    assert!(exit == 2 && said.contains("out of the way"), "{exit}: {said}");
    let (exit, said) = code(&place, &["backup", place.db().to_str().unwrap()]);
    assert!(
        exit == 2 && said.contains("belongs to the database"),
        "{exit}: {said}"
    );

    // The disk dies, but for the index, which is of later days than the backup.
    let row = "INSERT INTO tickets (ticket_id, body, created_at) VALUES ('T-after', 'zanzibar', 1800000000)";
    Connection::open(place.db()).unwrap().execute(row, []).unwrap();
    place.ok(&["run", "search"]);
    assert!(place.ok(&["search", "zanzibar"]).contains("T-after"));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path(&format!("shop.db{suffix}")));
    }
    place.ok(&["restore", name]);
    assert_eq!(seen(&place.open()), before);
    assert_eq!(place.text("PRAGMA integrity_check"), "ok");
    // As many changes as the index has seen, so that their numbers agree: it must not be taken for the file's own.
    let conn = Connection::open(place.db()).unwrap();
    for i in 0..20 {
        let row = "INSERT INTO tickets (ticket_id, body, created_at) VALUES ('T-new' || ?1, 'madagascar', 1800000000)";
        conn.execute(row, [i]).unwrap();
    }
    drop(conn);
    place.ok(&["run", "search"]);
    assert!(
        place
            .ok(&["search", "madagascar", "--limit", "50"])
            .contains("T-new19")
    );
    assert!(!place.ok(&["search", "zanzibar"]).contains("T-after"));
    place.ok(&["run", "support"]);
}

#[test]
fn a_leader_is_not_restored_or_migrated_under() {
    let place = Place::new();
    place.ok(&["init"]);
    let backup = place.path("copy.db");
    let name = backup.to_str().unwrap();
    place.ok(&["backup", name]);
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(place.path("shop.db.lock"))
        .unwrap();
    lock.lock().unwrap();
    place.ok(&["backup", place.path("beside.db").to_str().unwrap()]); // a copy needs no lead
    place.ok(&["migrate", "--dry-run"]);
    let (exit, said) = code(&place, &["migrate"]);
    assert!(exit == 3 && said.contains("leads; end it"), "{exit}: {said}");
    std::fs::remove_file(place.db()).unwrap();
    let (exit, said) = code(&place, &["restore", name]);
    assert!(exit == 3 && said.contains("leads; end it"), "{exit}: {said}");
    assert!(!place.db().exists());
}

#[test]
fn migrate_says_beforehand_what_it_does() {
    let place = Place::new();
    place.ok(&["init"]);
    assert!(place.ok(&["migrate"]).contains("nothing to do"));
    std::fs::remove_file(place.db()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path(&format!("shop.db{suffix}")));
    }
    // A file of the first version.
    let conn = Connection::open(place.db()).unwrap();
    conn.execute_batch(include_str!("../schema/0001_inputs.sql"))
        .unwrap();
    conn.pragma_update(None, "application_id", 0x4E43_4C4B).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    conn.execute("INSERT INTO users (user_id) VALUES ('u')", [])
        .unwrap();
    drop(conn);
    let version = || -> i64 {
        let conn = Connection::open(place.db()).unwrap();
        conn.pragma_query_value(None, "user_version", |r| r.get(0))
            .unwrap()
    };
    let told = place.ok(&["migrate", "--dry-run"]);
    assert!(
        told.contains("0002_runs") && !told.contains("0001_inputs"),
        "{told}"
    );
    assert_eq!(version(), 1);
    let said = place.ok(&["migrate", "--json"]);
    assert!(said.contains("applied"), "{said}");
    assert!(version() > 1);
    assert_eq!(place.text("SELECT user_id FROM users"), "u");
    let kept = std::fs::read_dir(place.dir.path()).unwrap();
    assert!(
        kept.into_iter()
            .any(|f| f.unwrap().file_name().to_string_lossy().contains(".before-v"))
    );
}
