//! The customer of these tests: somebody who stands in every place there is, after two nights; and a look at every byte of
//! every file.

use crate::common::Place;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The customer.
pub const USER: &str = "KD-zq81-Quillfeather";

/// What only this customer wrote, was told, or is known by; all of it must be there before.
pub const NEEDLES: [&str; 14] = [
    USER,
    "zq81.quill@example.net",       // in a ticket and in a rejected row
    "Philomena Quillfeather",       // the name in a reply's greeting
    "ibbertigibbet", // the end of a word of the tickets: vocabularies are stored without beginnings that repeat
    "wobblequark",   // a word of the agents' replies, quoted in drafts for others
    "psammophile",   // in a note
    "魑魅魍魉",      // Chinese
    "TCK-zq81-",     // ids of tickets
    "sess-zq81",     // a session that began before logging in
    "ord-zq81",      // an order
    "src-zq81",      // the shop's own keys
    "heliotropic",   // overwritten by the application, which deletes without zeroing
    "snollygoster",  // in a ticket that the application deleted itself
    "note about the zq81 customer", // of a rule and of a verdict
];

/// Bytes of all files of a folder, as one: file names beside them.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let name = path.display().to_string();
            found.push((name, fs::read(&path).unwrap().to_ascii_lowercase()));
        }
    }
}

/// Where a text stands, in UTF-8 and in both kinds of UTF-16, whatever the case of its ASCII letters.
pub fn hits(folder: &Path, needle: &str) -> Vec<String> {
    let mut all = Vec::new();
    files(folder, &mut all);
    let needle = needle.to_ascii_lowercase();
    let little: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = needle.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let within = |bytes: &[u8], what: &[u8]| {
        let first = what[0];
        let mut from = 0;
        while let Some(at) = bytes[from..].iter().position(|b| *b == first) {
            if bytes[from + at..].starts_with(what) {
                return true;
            }
            from += at + 1;
        }
        false
    };
    all.into_iter()
        .filter(|(name, bytes)| {
            name.to_ascii_lowercase().contains(&needle)
                || [needle.as_bytes(), &little, &big]
                    .iter()
                    .any(|what| within(bytes, what))
        })
        .map(|(name, _)| name)
        .collect()
}

pub fn assert_forgotten(place: &Place) {
    for needle in NEEDLES {
        assert_eq!(hits(place.dir.path(), needle), [""; 0], "{needle} is still there");
    }
}

/// A demo shop with the customer in every corner of it, after two nights. Made once, copied for each test.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let place = Place::demo("0.1");
        write_customer(&place);
        reject_rows(&place);
        place.ok(&["run", "--quiet"]);
        // A second night of everything: the first one's generations stay for rollback.
        let conn = place.open();
        conn.execute_batch("UPDATE products SET price = price * 1.01").unwrap();
        conn.execute(
            "INSERT INTO events (user_id, product_id, kind, at) SELECT ?1, 'P00003', 'purchase', max(at) FROM events",
            [USER],
        )
        .unwrap();
        place.ok(&["run", "--quiet"]);
        // A program of the shop's own, with an SQLite that zeroes nothing, and its statistics.
        conn.execute_batch(
            "PRAGMA secure_delete = OFF;
             UPDATE tickets SET body = 'Solved.' WHERE body LIKE '%heliotropic%';
             DELETE FROM replies WHERE ticket_id = 'TCK-zq81-gone';
             DELETE FROM tickets WHERE ticket_id = 'TCK-zq81-gone';
             ANALYZE;",
        )
        .unwrap();
        drop(conn);
        everywhere(&place);
        // Where the next run of the tests finds and replaces it.
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("erase");
        let _ = fs::remove_dir_all(&kept);
        copy(place.dir.path(), &kept);
        kept
    })
}

fn write_customer(place: &Place) {
    let conn = place.open();
    let newest: i64 = conn
        .query_row("SELECT max(created_at) FROM tickets", [], |r| r.get(0))
        .unwrap();
    let bought: i64 = conn
        .query_row("SELECT max(at) FROM events", [], |r| r.get(0))
        .unwrap();
    conn.execute(
        "INSERT INTO users (user_id, country, language) VALUES (?1, 'DE', 'en')",
        [USER],
    )
    .unwrap();
    for i in 0..12 {
        let columns =
            "INSERT INTO events (source_id, user_id, session_id, order_id, product_id, kind, price, at)";
        conn.execute(
            &format!(
                "{columns} VALUES ('src-zq81-' || ?2, ?1, 'sess-zq81-' || (?2 % 3), 'ord-zq81-' || (?2 % 4),
                      printf('P%05d', 1 + ?2 % 6), 'purchase', 9.5, ?3)"
            ),
            (USER, i, bought - 86_400 * (12 - i)),
        )
        .unwrap();
        conn.execute(
            &format!("{columns} VALUES ('src-zq81-x' || ?1, NULL, 'sess-zq81-' || (?1 % 3), NULL, 'P00002', 'view', NULL, ?2)"),
            (i, bought - 86_400 * (12 - i) - 60),
        )
        .unwrap();
    }
    let question = "the flibbertigibbet of my lamp rattles, what do I do?";
    for i in 0..25 {
        let extra = [
            "",
            " zq81.quill@example.net",
            " 魑魅魍魉 魑魅魍魉",
            " heliotropic",
        ][i % 4];
        ticket(
            &conn,
            &format!("TCK-zq81-{i}"),
            Some(USER),
            &format!("{question}{extra}"),
            newest - 90_000 - i as i64,
        );
    }
    ticket(
        &conn,
        "TCK-zq81-gone",
        Some(USER),
        &format!("{question} snollygoster"),
        newest - 90_100,
    );
    conn.execute(
        "INSERT INTO replies (source_id, ticket_id, author, body, at)
         SELECT 'src-zq81-n', 'TCK-zq81-1', 'note', 'He is a psammophile.', ?1",
        [newest - 80_000],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO tickets (ticket_id, user_id, body, created_at) VALUES ('TCK-zq81-open', ?1, ?2, ?3)",
        (USER, question, newest - 10),
    )
    .unwrap();
    // Somebody else asks the same: the draft quotes what this customer was told.
    conn.execute(
        "INSERT INTO tickets (ticket_id, user_id, body, created_at) VALUES ('other-open', 'U00002', ?1, ?2)",
        ("what do I do when the lamp rattles?", newest - 5),
    )
    .unwrap();
    conn.execute_batch(&format!(
        "INSERT INTO rules (kind, user_id, product_id, note) VALUES ('block', '{USER}', 'P00001', 'note about the zq81 customer');
         INSERT INTO verdicts (result, subject_id, verdict, note)
         VALUES ('ticket_routes', 'TCK-zq81-3', 'rejected', 'note about the zq81 customer');"
    ))
    .unwrap();
}

/// A solved ticket with its reply.
fn ticket(conn: &rusqlite::Connection, id: &str, user: Option<&str>, body: &str, at: i64) {
    conn.execute(
        "INSERT INTO tickets (ticket_id, user_id, subject, body, status, category, created_at, closed_at)
         VALUES (?1, ?2, 'rattling', ?3, 'closed', 'broken', ?4, ?4 + 900)",
        (id, user, body, at),
    )
    .unwrap();
    conn.execute(
        "INSERT INTO replies (ticket_id, author, body, at) VALUES (?1, 'agent', ?2, ?3)",
        (
            id,
            "Dear Philomena Quillfeather, please turn the wobblequark of the lamp to the left until it stops rattling.",
            at + 600,
        ),
    )
    .unwrap();
}

/// Lines of imports that could not be taken, one of them with the customer's id beyond what is kept of it.
fn reject_rows(place: &Place) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let events = file(
        "events.csv",
        format!("user_id,product_id,kind,at\n{USER},P1,purchase,not a time\n"),
    );
    place.fails(2, &["import", "events", &events, "--quiet"]);
    let long = "zq81.quill@example.net ".repeat(300);
    let tickets = file(
        "tickets.csv",
        format!("ticket_id,body,created_at,user_id\nx,{long},never,{USER}\n"),
    );
    place.fails(2, &["import", "tickets", &tickets, "--quiet"]);
    let products = file("products.csv", "product_id,price\nP9,cheap\n".into());
    place.fails(2, &["import", "products", &products, "--quiet"]);
    assert_eq!(place.number("SELECT count(*) FROM rejected_rows"), 3);
}

/// The test looks at what it says it looks at.
fn everywhere(place: &Place) {
    for sql in [
        "SELECT count(*) FROM clerk_recommendations JOIN user_keys USING (user_key) WHERE user_id = 'KD-zq81-Quillfeather'
           AND generation IN (SELECT generation FROM generations WHERE status = 'retired')",
        "SELECT count(*) FROM recommendations WHERE user_id = 'KD-zq81-Quillfeather'",
        "SELECT count(*) FROM clerk_ticket_routes WHERE ticket_id = 'TCK-zq81-open'
           AND generation IN (SELECT generation FROM generations WHERE status = 'retired')",
        "SELECT count(*) FROM ticket_routes WHERE ticket_id = 'TCK-zq81-open'",
        "SELECT count(*) FROM ticket_neighbours WHERE ticket_id = 'other-open' AND neighbour_ticket_id LIKE 'TCK-zq81-%'",
        "SELECT count(*) FROM ticket_drafts WHERE ticket_id = 'other-open' AND reply LIKE '%wobblequark%'",
        "SELECT count(*) FROM clerk_route_archive WHERE ticket_id = 'TCK-zq81-open'",
        "SELECT count(*) FROM clerk_draft_archive WHERE ticket_id = 'other-open' AND draft || nearest LIKE '%wobblequark%'",
        "SELECT count(*) FROM clerk_artefacts WHERE instr(bytes, CAST('ibbertigibbet' AS BLOB))",
        "SELECT count(*) FROM sqlite_stat4 WHERE instr(sample, CAST('KD-zq81-Quillfeather' AS BLOB))",
        "SELECT count(*) FROM rejected_rows WHERE raw LIKE '%zq81.quill%' AND raw NOT LIKE '%KD-zq81%'",
    ] {
        assert!(place.number(sql) > 0, "not there: {sql}");
    }
    for needle in NEEDLES {
        assert!(!hits(place.dir.path(), needle).is_empty(), "{needle} is nowhere");
    }
    assert!(place.ok(&["search", "flibbertigibbet"]).contains("TCK-zq81-"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn shop() -> Place {
    let place = Place::new();
    copy(template(), place.dir.path());
    place
}
