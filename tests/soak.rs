//! What has to hold however often it happens: a daemon killed at any moment, a disk that fills up. Small numbers here, large ones
//! by `just soak` (`NIGHTCLERK_KILLS`).

#![cfg(feature = "daemon")]
#![allow(clippy::print_stdout)] // the seed, and what a run of it amounted to

mod common;

use common::daemon::{Daemon, until, until_within};
use common::{Place, count, dice, open};
use nightclerk::search::{Kind, Reader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn a_daemon_killed_at_any_moment_loses_nothing() {
    let place = Place::demo("0.1");
    let mut dice = dice();
    let kills = count("NIGHTCLERK_KILLS", 6);
    let (stop, reads, written) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|threads| {
        // An application that writes tickets and events all the time ...
        threads.spawn(|| {
            let conn = open(&place.db());
            while !stop.load(Ordering::SeqCst) {
                let n = written.load(Ordering::SeqCst);
                conn.execute(
                    "INSERT INTO tickets (ticket_id, subject, body, created_at)
                     VALUES (?1, 'where is my parcel', 'zyxwv it has not come, order ' || ?1, strftime('%s', 'now'))",
                    [format!("K{n}")],
                )
                .unwrap();
                written.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        // ... and one that reads: what the views show of prices is what their generation says of itself.
        threads.spawn(|| {
            let conn = open(&place.db());
            while !stop.load(Ordering::SeqCst) {
                let seen: (i64, i64, i64) = conn
                    .query_row(
                        "SELECT (SELECT count(*) FROM price_forecasts) + (SELECT count(*) FROM price_models)
                              + (SELECT count(*) FROM price_stats) + (SELECT count(*) FROM price_elasticities)
                              + (SELECT count(*) FROM price_whatif) + (SELECT count(*) FROM price_advice),
                                (SELECT rows FROM generations WHERE family = 'prices' AND status = 'published'),
                                (SELECT count(*) FROM recommendations WHERE user_id = '')",
                        [],
                        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
                    )
                    .unwrap();
                assert_eq!(seen.0, seen.1, "a torn read");
                assert!(seen.2 > 0, "no list for strangers");
                reads.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        for kill in 0..kills {
            let mut daemon = Daemon::start(&place, &[], &[]);
            let jobs = ["recommendations", "prices", "support", "search", "upkeep"];
            for _ in 0..dice.usize(0..3) {
                place
                    .open()
                    .execute(
                        "INSERT INTO run_requests (job) VALUES (?1)",
                        [jobs[dice.usize(..jobs.len())]],
                    )
                    .unwrap();
            }
            if dice.u8(0..4) == 0 {
                let _ = std::fs::remove_dir_all(place.path("shop.db.search")); // killed in a rebuild
            }
            std::thread::sleep(Duration::from_millis(dice.u64(0..2500)));
            daemon.0.kill().unwrap();
            daemon.0.wait().unwrap();
            if kill % 50 == 49 {
                println!("{} kills, {} reads", kill + 1, reads.load(Ordering::SeqCst));
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    let _daemon = Daemon::start(&place, &[], &[]);
    until("the outbox is empty", || {
        place.number("SELECT count(*) FROM outbox") == 0
    });
    let wanted = written.load(Ordering::SeqCst) as i64;
    assert_eq!(
        place.number("SELECT count(*) FROM tickets WHERE ticket_id LIKE 'K%'"),
        wanted,
        "lost rows"
    );
    // Thousands of kills leave tens of thousands of tickets in line.
    let limit = 60 + wanted as u64 / 50;
    until_within(limit, "every ticket is routed", || {
        place.number("SELECT count(*) FROM ticket_routes WHERE ticket_id LIKE 'K%'") == wanted
    });
    let found = || {
        Reader::open(&place.path("shop.db.search"))
            .and_then(|reader| reader.search(Kind::Ticket, "zyxwv", 1_000_000))
            .map_or(0, |hits| hits.len() as i64)
    };
    until_within(limit, "every ticket is found", || found() == wanted);
    until("nothing runs", || {
        place.number("SELECT count(*) FROM runs WHERE status IN ('queued', 'running')") == 0
    });
    assert_eq!(place.text("PRAGMA integrity_check"), "ok");
    assert_eq!(
        place.number("SELECT count(*) FROM generations WHERE status = 'building' AND rows > 0"),
        0
    );
    let mut left: Vec<String> = std::fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            ![
                "jobs",
                "serve.log",
                "shop.db",
                "shop.db-shm",
                "shop.db-wal",
                "shop.db.lock",
                "shop.db.search",
            ]
            .contains(&name.as_str())
        })
        .collect();
    let inside = std::fs::read_dir(place.path("shop.db.search")).unwrap();
    left.extend(
        inside
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(".tmp")),
    );
    assert_eq!(left, Vec::<String>::new(), "left over");
    println!(
        "{kills} kills, {wanted} tickets, {} reads of {} generations, 0 torn",
        reads.load(Ordering::SeqCst),
        place.number("SELECT max(generation) FROM generations")
    );
}

/// A small file system of its own, gone with the value. Needs the rights of root.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(at: &std::path::Path, megabytes: u64) -> Small {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(at)
            .status()
            .unwrap();
        assert!(mounted.success(), "a tmpfs can be mounted by root only");
        Small(at.into())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// `just soak`, as root.
#[test]
#[ignore = "mounts a small file system: root only"]
fn a_full_disk_costs_the_run_and_nothing_else() {
    let made = Place::demo("0.1");
    let place = Place::new();
    let disk = Small::mount(&place.path("disk"), 64);
    for name in ["shop.db", "jobs"] {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(made.path(name))
            .arg(&disk.0)
            .status()
            .unwrap();
        assert!(copied.success());
    }
    let db = disk.0.join("shop.db");
    let run = || {
        Command::new(env!("CARGO_BIN_EXE_nightclerk"))
            .args(["--quiet", "run"])
            .env("NIGHTCLERK_DB", &db)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert!(run().status.success());
    // An application that is there all the time, as they are: on a disk without a byte left SQLite lets nobody new in, because the
    // file of shared memory that they would need finds no place.
    let application = open(&db);
    let rows = || -> i64 {
        application
            .query_row(
                "SELECT (SELECT count(*) FROM price_forecasts) + (SELECT count(*) > 0 FROM recommendations)",
                [],
                |r| r.get(0),
            )
            .unwrap()
    };
    let before = rows();
    let mut failed = 0;
    for point in 0..count("NIGHTCLERK_DISKS", 20) as u64 {
        // Something new for every family, then a disk with this much room.
        open(&db)
            .execute_batch(
                "INSERT INTO events (user_id, product_id, kind, at) SELECT user_id, product_id, 'view', at + 1 FROM events ORDER BY at DESC LIMIT 1;
                 INSERT INTO prices (product_id, seller, at, price) SELECT product_id, seller, at + 1, price FROM prices ORDER BY at DESC LIMIT 1;",
            )
            .unwrap();
        let filler = disk.0.join("filler");
        let free = String::from_utf8(
            Command::new("df")
                .args(["--output=avail", "-B1"])
                .arg(&disk.0)
                .output()
                .unwrap()
                .stdout,
        )
        .unwrap();
        let free: u64 = free.lines().nth(1).unwrap().trim().parse().unwrap();
        let leave = point * point * 16 * 1024;
        std::fs::write(&filler, vec![1u8; free.saturating_sub(leave) as usize]).unwrap();
        let output = run();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            failed += 1;
            assert!(
                said.contains("full") || said.contains("space"),
                "point {point}: {said}"
            );
        }
        assert_eq!(rows(), before, "point {point}: {said}");
        std::fs::remove_file(&filler).unwrap();
        let again = run();
        assert!(
            again.status.success(),
            "point {point}, with room again: {}{}",
            String::from_utf8_lossy(&again.stdout),
            String::from_utf8_lossy(&again.stderr)
        );
    }
    println!("{failed} of the points were too full");
    assert!(failed >= 3, "the disk was never full");
}
