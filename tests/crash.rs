//! kill -9 at random moments. A reader through the views never sees a mixed or empty result, the file stays sound,
//! and the next run cleans up. `NIGHTCLERK_KILLS` sets how many (default 6; `just crash` does 50).

#![cfg(feature = "daemon")]
#![allow(clippy::print_stdout)] // the seed, and what a run of it amounted to

mod common;

use common::{Place, count, dice};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn kills() -> u32 {
    count("NIGHTCLERK_KILLS", 6) as u32
}

/// One SELECT, so one instant: rows of each view, and what the books say of the published generations.
const SEEN: &str = "SELECT (SELECT count(*) FROM recommendations), (SELECT count(*) FROM similar_products),
    (SELECT count(*) FROM price_forecasts), (SELECT count(*) FROM ticket_neighbours),
    (SELECT count(*) FROM ticket_routes)";

type Seen = [i64; 5];

fn seen(conn: &rusqlite::Connection) -> Seen {
    conn.query_row(SEEN, [], |r| {
        Ok([r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?])
    })
    .unwrap()
}

#[test]
fn a_night_killed_at_any_moment_shows_yesterday_or_today() {
    let place = Place::demo("0.1");
    let mut dice = dice();
    // Two nights that differ in every table, so that a mixture of them shows: longer and shorter lists, horizons.
    let nights: [(&str, &str); 2] = [
        ("per_user = 100", "horizon = 28"),
        ("per_user = 15", "horizon = 20"),
    ];
    let set = |night: usize| {
        for (job, index) in [("recommendations", 0), ("prices", 1)] {
            let file = place.path(&format!("jobs/{job}.toml"));
            let text = fs::read_to_string(&file).unwrap();
            let pick = |n: usize| if index == 0 { nights[n].0 } else { nights[n].1 };
            fs::write(&file, text.replace(pick(1 - night), pick(night))).unwrap();
        }
    };
    let first = seen(&place.open());
    set(1);
    let begun = Instant::now();
    place.ok(&["run", "--quiet"]);
    let whole = begun.elapsed();
    let second = seen(&place.open());
    assert_ne!(first[0], second[0]);
    assert_ne!(first[2], second[2]);
    assert!(
        first.iter().chain(&second).all(|n| *n > 0),
        "{first:?} {second:?}"
    );

    let (stop, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let conn = place.open();
            while !stop.load(Ordering::Relaxed) {
                let now = seen(&conn);
                for (i, n) in now.iter().enumerate() {
                    assert!(
                        *n == first[i] || *n == second[i],
                        "view {i} shows {n} rows, not {} or {}",
                        first[i],
                        second[i]
                    );
                }
                looks.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        for kill in 0..kills() {
            set(kill as usize % 2);
            let mut child = place.command(&["run", "--quiet"]).spawn().unwrap();
            std::thread::sleep(whole.mul_f64(dice.f64()));
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(place.text("PRAGMA integrity_check"), "ok");
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!(
        "{} kills, {} looks through the views",
        kills(),
        looks.load(Ordering::Relaxed)
    );
    assert!(looks.load(Ordering::Relaxed) > 10);

    place.ok(&["run", "--quiet"]);
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_generations WHERE status = 'building'"),
        0
    );
    assert_eq!(
        place.number("SELECT count(*) FROM runs WHERE status IN ('running', 'queued')"),
        0
    );
    for table in [
        "clerk_recommendations",
        "clerk_price_forecasts",
        "clerk_ticket_neighbours",
        "clerk_artefacts",
    ] {
        let orphans = place.number(&format!(
            "SELECT count(*) FROM {table} WHERE generation NOT IN
             (SELECT generation FROM clerk_generations WHERE status IN ('published', 'retired') AND swept = 0)"
        ));
        assert_eq!(orphans, 0, "{table}");
    }
    let left: Vec<_> = fs::read_dir(place.path("shop.db.search"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|n| n.starts_with("gen-"))
        .collect();
    assert_eq!(left.len(), 1, "one index: {left:?}");
}

#[test]
fn an_import_killed_at_any_moment_can_be_run_again() {
    let place = Place::new();
    place.ok(&["init"]);
    let rows = 60_000;
    let mut csv = String::from("user_id,product_id,kind,quantity,at\n");
    for i in 0..rows {
        // Every third line is an exact duplicate of the one before it, as in a real till's export.
        let i = if i % 3 == 2 { i - 1 } else { i };
        csv.push_str(&format!(
            "u{},p{},purchase,1,{}\n",
            i % 977,
            i % 331,
            1_700_000_000 + i
        ));
    }
    fs::write(place.path("events.csv"), csv).unwrap();
    let file = place.path("events.csv").to_str().unwrap().to_owned();
    let whole = {
        let other = Place::new();
        other.ok(&["init"]);
        let begun = Instant::now();
        other.ok(&["import", "events", &file, "--quiet"]);
        begun.elapsed()
    };
    let mut dice = dice();
    for _ in 0..kills() {
        let mut child = place
            .command(&["import", "events", &file, "--quiet"])
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(dice.f64()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(place.text("PRAGMA integrity_check"), "ok");
        assert!(place.number("SELECT count(*) FROM events") <= rows);
    }
    place.ok(&["import", "events", &file, "--quiet"]);
    assert_eq!(place.number("SELECT count(*) FROM events"), rows);
    let sum = place.number("SELECT sum(at - 1700000000) FROM events");
    assert_eq!(
        sum,
        (0..rows).map(|i| if i % 3 == 2 { i - 1 } else { i }).sum::<i64>()
    );
    // A --strict import is all or nothing, killed or not.
    let strict = Place::new();
    strict.ok(&["init"]);
    for _ in 0..kills() {
        let mut child = strict
            .command(&["import", "events", &file, "--quiet", "--strict"])
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(dice.f64()));
        child.kill().unwrap();
        child.wait().unwrap();
        let taken = strict.number("SELECT count(*) FROM events");
        assert!(taken == 0 || taken == rows, "{taken} rows of a strict import");
    }
}
