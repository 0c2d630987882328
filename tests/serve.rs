//! The daemon, as the real binary: who leads, what runs, what is fresh, and what becomes of what goes wrong.

#![cfg(feature = "daemon")]

mod common;

use common::daemon::{Daemon, until};
use common::{Place, texts};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A shop whose only jobs are these.
fn shop(jobs: &[(&str, &str)]) -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    std::fs::remove_dir_all(place.path("jobs")).unwrap();
    std::fs::create_dir(place.path("jobs")).unwrap();
    for (name, text) in jobs {
        std::fs::write(place.path("jobs").join(format!("{name}.toml")), text).unwrap();
    }
    place
}

fn request(place: &Place, job: &str) -> i64 {
    let conn = place.open();
    conn.execute("INSERT INTO run_requests (job) VALUES (?1)", [job])
        .unwrap();
    conn.last_insert_rowid()
}

/// Waits for the run that answers a request to be final; (status, what was said).
fn outcome(place: &Place, request: i64) -> (String, String) {
    let mut found = None;
    until("the run's end", || {
        found = place
            .open()
            .query_row(
                "SELECT r.status, coalesce(r.error, r.why) FROM run_requests AS q JOIN runs AS r USING (run_id)
                 WHERE q.request_id = ?1 AND r.status NOT IN ('queued', 'running')",
                [request],
                |r| Ok((r.get(0)?, r.get::<_, Option<String>>(1)?.unwrap_or_default())),
            )
            .ok();
        found.is_some()
    });
    found.unwrap()
}

fn get(address: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let bearer = token.map_or(String::new(), |t| format!("Authorization: Bearer {t}\r\n"));
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\n{bearer}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let code = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

const PRICES: &str = "kind = \"prices\"\nschedule = \"0 3 * * *\"\nretries = 0\n";

#[test]
fn one_leads_and_the_other_exits_at_once_with_3_and_says_who() {
    let place = shop(&[("prices", PRICES)]);
    for _ in 0..common::count("NIGHTCLERK_PAIRS", 5) {
        let start = || {
            place
                .command(&["serve", "--listen", "none"])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut both = [start(), start()];
        let begun = Instant::now();
        let mut codes = [None, None];
        while codes.iter().all(Option::is_none) {
            for (child, code) in both.iter_mut().zip(&mut codes) {
                *code = child.try_wait().unwrap();
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "both lead");
            std::thread::sleep(Duration::from_millis(5));
        }
        let loser = usize::from(codes[1].is_some());
        assert_eq!(codes[loser].unwrap().code(), Some(3));
        let mut said = String::new();
        both[loser]
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let winner = both[1 - loser].id();
        assert!(said.contains(&format!("serve, process {winner} leads")), "{said}");
        assert!(both[1 - loser].try_wait().unwrap().is_none());
        both[1 - loser].kill().unwrap();
        both[1 - loser].wait().unwrap();
    }
    // What cannot be done beside a leader says the same; the rest works.
    let _daemon = Daemon::start(&place, &[], &[]);
    assert!(place.fails(3, &["migrate"]).contains("leads"));
    place.ok(&["status"]);
    place.ok(&["backup", place.path("copy.db").to_str().unwrap()]);
}

#[test]
fn run_and_erase_beside_a_daemon_are_done_by_it() {
    let place = Place::demo("0.1");
    let _daemon = Daemon::start(&place, &[], &[]);
    let said = place.ok(&["run", "prices", "--seed", "7"]);
    assert!(said.contains("prices") && said.contains("done"), "{said}");
    assert_eq!(place.number("SELECT count(*) FROM run_requests"), 0);
    let said = place.fails(2, &["run", "nonsense"]);
    assert!(said.contains("there is no job"), "{said}");
    let user = place.text("SELECT user_id FROM events WHERE user_id IS NOT NULL LIMIT 1");
    let said = place.ok(&["erase", &user]);
    assert!(said.contains("nothing of it is left"), "{said}");
    // The daemon itself asks for the models of tickets that went with the customer's words.
    assert_eq!(
        place.number("SELECT count(*) FROM run_requests WHERE job <> 'support'"),
        0
    );
    assert_eq!(
        place.text("SELECT status FROM runs WHERE job = 'erase' ORDER BY run_id DESC LIMIT 1"),
        "done"
    );
    for name in ["shop.db", "shop.db-wal"] {
        let bytes = std::fs::read(place.path(name)).unwrap_or_default();
        let found = bytes
            .windows(user.len())
            .filter(|w| *w == user.as_bytes())
            .count();
        assert_eq!(found, 0, "{name}");
    }
    // And the days go on.
    place
        .open()
        .execute(
            "INSERT INTO products (product_id, title) VALUES ('new', 'quixotic zephyr')",
            [],
        )
        .unwrap();
    until("the new product is found", || {
        place
            .ok(&["search", "quixotic", "--in", "products"])
            .contains("new")
    });
}

#[test]
fn what_goes_wrong_in_a_job_costs_that_run_and_is_told() {
    let place = shop(&[
        ("prices", PRICES),
        (
            "hangs",
            "kind = \"prices\"\nschedule = \"0 3 * * *\"\ntimeout = \"1s\"\nretries = 0\n",
        ),
        (
            "leaks",
            "kind = \"prices\"\nschedule = \"0 3 * * *\"\nmemory = \"300 MB\"\nretries = 0\n\
             on_failure = \"printf '%s %s: %s' $NIGHTCLERK_JOB $NIGHTCLERK_STATUS \\\"$NIGHTCLERK_ERROR\\\" > told\"\n",
        ),
    ]);
    let faults = [
        ("prices:panic", "failed", "panicked at src/night/child.rs"),
        ("hangs:hang", "timeout", "did not stop at its `timeout` of 1 s"),
        (
            "leaks:leak",
            "failed",
            "out of memory: it needed more than `memory` allows (300 MB)",
        ),
        (
            "prices:exit",
            "failed",
            "its process exited with code 7 and said nothing",
        ),
    ];
    let times = common::count("NIGHTCLERK_FAULTS", 1);
    for (fault, status, reason) in std::iter::repeat_n(faults, times).flatten() {
        let job = fault.split_once(':').unwrap().0;
        let mut command = place.command(&["serve", "--listen", "none"]);
        let daemon = Daemon(
            command
                .env("NIGHTCLERK_TEST_FAULT", fault)
                .current_dir(place.dir.path())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let (got, said) = outcome(&place, request(&place, job));
        assert_eq!(got, status, "{fault}: {said}");
        assert!(said.contains(reason), "{fault}: {said}");
        // The daemon is alive, and the next run of another job is well.
        let other = if job == "prices" { "leaks" } else { "prices" };
        assert_eq!(outcome(&place, request(&place, other)).0, "done", "after {fault}");
        drop(daemon);
    }
    until("on_failure", || {
        std::fs::read_to_string(place.path("told"))
            .is_ok_and(|told| told.starts_with("leaks failed: out of memory"))
    });
}

#[test]
fn a_due_job_runs_without_the_ticker_and_a_bad_file_disables_only_itself() {
    let place = shop(&[
        ("prices", "kind = \"prices\"\nschedule = \"* * * * *\"\n"),
        ("odd", "kind = \"prizes\"\nschedule = \"* * * * *\"\n"),
    ]);
    let clock = place.path("clock");
    std::fs::write(&clock, "0").unwrap();
    let _daemon = Daemon::start(
        &place,
        &["--without-ticker"],
        &[("NIGHTCLERK_TEST_CLOCK", clock.to_str().unwrap())],
    );
    let done = || place.number("SELECT count(*) FROM runs WHERE job = 'prices' AND status = 'done'");
    until("the planner has seen the files", || {
        place.number("SELECT count(*) FROM jobs") == 2
    });
    // An hour of turns that pass unseen, a jump, and the clock put right.
    for (step, skew) in [70, 8 * 3600, 200].into_iter().enumerate() {
        std::fs::write(&clock, skew.to_string()).unwrap();
        until("a run", || done() > step as i64);
    }
    assert_eq!(
        place.number("SELECT count(*) FROM (SELECT 1 FROM runs WHERE scheduled_at IS NOT NULL GROUP BY job, scheduled_at HAVING count(*) > 1)"),
        0
    );
    assert!(
        place
            .text("SELECT disabled_reason FROM jobs WHERE job = 'odd'")
            .contains("did you mean `prices`?")
    );
    assert!(place.fails(1, &["status"]).contains("odd"));
    // Files are read anew while it runs.
    std::fs::write(
        place.path("jobs/odd.toml"),
        "kind = \"upkeep\"\nschedule = \"0 5 * * *\"\n",
    )
    .unwrap();
    until("the file is read again", || {
        place.number("SELECT count(*) FROM jobs WHERE job = 'odd' AND enabled") == 1
    });
    place.ok(&["status"]);
}

#[test]
fn a_daemon_that_is_stopped_or_killed_leaves_nothing_undone() {
    let place = Place::demo("0.3");
    std::fs::remove_dir_all(place.path("jobs")).unwrap();
    std::fs::create_dir(place.path("jobs")).unwrap();
    std::fs::write(
        place.path("jobs/recommendations.toml"),
        "kind = \"recommendations\"\nschedule = \"* * * * *\"\n",
    )
    .unwrap();
    let clock = place.path("clock");
    let environment = [("NIGHTCLERK_TEST_CLOCK", clock.to_str().unwrap())];
    std::fs::write(&clock, "0").unwrap();
    let touch = || {
        // Otherwise "nothing changed".
        place
            .open()
            .execute(
                "INSERT INTO events (user_id, product_id, kind, at) SELECT user_id, product_id, 'view', at + 1 FROM events
                 ORDER BY at DESC LIMIT 1",
                [],
            )
            .unwrap();
    };
    touch();
    let mut daemon = Daemon::start(&place, &[], &environment);
    std::fs::write(&clock, "70").unwrap();
    let running = || place.number("SELECT count(*) FROM runs WHERE status = 'running'");
    until("a run is under way", || running() == 1);
    assert_eq!(daemon.terminate(), Some(0));
    assert_eq!(running(), 0);
    assert_eq!(
        place.text("SELECT status || ': ' || coalesce(error, why) FROM runs ORDER BY run_id DESC LIMIT 1"),
        "interrupted: cancelled; what was published stays"
    );
    assert_eq!(
        place.number("SELECT count(*) FROM leader WHERE ended_at IS NULL"),
        0
    );
    // It goes on after the next start; this time it is killed half-way, and its child ends with it.
    let mut daemon = Daemon::start(&place, &[], &environment);
    until("the run goes on", || running() == 1);
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let mut daemon = Daemon::start(&place, &[], &environment);
    until("it is done in the end", || {
        place.number("SELECT count(*) FROM runs WHERE attempt = 3 AND status = 'done'") == 1
    });
    let turns = texts(
        &place.open(),
        "SELECT status || ' ' || attempt FROM runs WHERE scheduled_at IS NOT NULL ORDER BY run_id LIMIT 3",
    );
    assert_eq!(turns, ["interrupted 1", "interrupted 2", "done 3"]);
    assert_eq!(daemon.terminate(), Some(0));
    assert_eq!(place.text("PRAGMA integrity_check"), "ok");
    assert_eq!(
        place.number("SELECT count(*) FROM generations WHERE status = 'building' AND rows > 0"),
        0
    );
}

#[test]
fn monitors_read_the_page_and_strangers_need_the_token() {
    let place = shop(&[("prices", PRICES)]);
    let said = place.fails(2, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("token"), "{said}");
    let token = "a-token-of-the-test";
    let _daemon = Daemon::start(&place, &[], &[("NIGHTCLERK_TOKEN", token)]);
    let address = place.text("SELECT listen FROM leader");
    assert_eq!(get(&address, "/healthz", None).0, 401);
    assert_eq!(get(&address, "/healthz", Some("a-token-of-the-tesT")).0, 401);
    let (code, said) = get(&address, "/healthz", Some(token));
    assert_eq!((code, said.contains("\"status\":\"ok\"")), (200, true), "{said}");
    assert_eq!(outcome(&place, request(&place, "prices")).0, "done");
    let (code, said) = get(&address, "/metrics", Some(token));
    assert_eq!(code, 200);
    for line in [
        "nightclerk_up 1",
        "nightclerk_job_failing{job=\"prices\"} 0",
        "nightclerk_runs{status=\"done\"} 1",
    ] {
        assert!(said.lines().any(|l| l == line), "{line} is not in\n{said}");
    }
    assert_eq!(get(&address, "/", Some(token)).0, 404);
}

#[test]
fn a_ticket_is_found_within_a_second_and_routed_within_two() {
    let place = Place::demo("0.3");
    let _daemon = Daemon::start(&place, &[], &[]);
    let conn = place.open();
    let (subject, body): (String, String) = conn
        .query_row(
            "SELECT subject, body FROM tickets WHERE status = 'closed' AND language = 'en' ORDER BY created_at DESC LIMIT 1",
            [],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .unwrap();
    let insert = |id: &str| {
        conn.execute(
            "INSERT INTO tickets (ticket_id, subject, body, created_at) VALUES (?1, ?2, ?3 || ' xylophone', strftime('%s', 'now'))",
            [id, &subject, &body],
        )
        .unwrap();
    };
    insert("warm"); // the first one waits for the models to be read
    until("the first route", || {
        place.number("SELECT count(*) FROM ticket_routes WHERE ticket_id = 'warm'") == 1
    });
    // No timed assertion: what is tested is that it happens by itself, without a run.
    insert("fresh");
    until("the route", || {
        place.number("SELECT count(*) FROM ticket_routes WHERE ticket_id = 'fresh'") == 1
    });
    until("the hit", || place.ok(&["search", "xylophone"]).contains("fresh"));
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_queue WHERE ticket_id = 'fresh'"),
        1
    );
    conn.execute(
        "UPDATE tickets SET status = 'closed' WHERE ticket_id = 'fresh'",
        [],
    )
    .unwrap();
    until("it leaves the queue and the day", || {
        place.number("SELECT count(*) FROM clerk_day_routes WHERE ticket_id = 'fresh'") == 0
    });
    assert_eq!(place.number("SELECT count(*) FROM runs WHERE job = 'support'"), 1);
}

#[test]
fn rows_and_files_that_nobody_can_read_hold_up_nothing_else() {
    let place = shop(&[
        ("prices", PRICES),
        (
            "slow",
            "kind = \"prices\"\nschedule = \"0 3 * * *\"\ntimeout = \"2s\"\nretries = 0\n",
        ),
    ]);
    place
        .open()
        .execute_batch(
            "INSERT INTO users (user_id) VALUES ('U1');
             INSERT INTO run_requests (job) VALUES (CAST(x'ff41' AS TEXT));
             INSERT INTO run_requests (job, orders) VALUES ('prices', CAST(x'ff' AS TEXT)), ('prices', '{\"dry\": 1}'), (hex(zeroblob(100000)), NULL);",
        )
        .unwrap();
    let _daemon = Daemon::start(&place, &[], &[("NIGHTCLERK_TEST_FAULT", "slow:hang")]);
    for request in 1..=4 {
        let (status, said) = outcome(&place, request);
        assert_eq!(status, "failed", "{said}");
        assert!(said.len() < 1000, "{} letters", said.len());
    }
    place.ok(&["status"]); // what was refused says nothing of the jobs
    // An erasure waits for what runs, and is done then.
    request(&place, "slow");
    until("the slow one runs", || {
        place.number("SELECT count(*) FROM runs WHERE job = 'slow' AND status = 'running'") == 1
    });
    assert!(place.ok(&["erase", "U1"]).contains("nothing of it is left"));
    // The folder goes: the jobs go on as they were, and somebody is told.
    std::fs::rename(place.path("jobs"), place.path("away")).unwrap();
    until("status tells of it", || {
        let output = place.clerk(&["status"]);
        output.status.code() == Some(1)
            && String::from_utf8_lossy(&output.stderr).contains("jobs: the folder")
    });
    assert_eq!(place.number("SELECT count(*) FROM jobs"), 2);
    assert_eq!(outcome(&place, request(&place, "prices")).0, "done");
    std::fs::rename(place.path("away"), place.path("jobs")).unwrap();
    // Two names, one file, one leader.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.db(), place.path("link.db")).unwrap();
        let link = place.path("link.db");
        let said = place.fails(3, &["--db", link.to_str().unwrap(), "serve", "--listen", "none"]);
        assert!(said.contains("leads already"), "{said}");
    }
}

#[test]
fn tickets_are_routed_while_the_index_is_in_trouble_and_the_trouble_is_told() {
    let place = Place::demo("0.1");
    std::fs::remove_dir_all(place.path("shop.db.search")).unwrap();
    std::fs::write(place.path("shop.db.search"), "a file").unwrap();
    let _daemon = Daemon::start(&place, &[], &[]);
    place
        .open()
        .execute(
            "INSERT INTO tickets (ticket_id, subject, body, created_at)
             VALUES ('late', 'refund', 'i want my money back', strftime('%s', 'now'))",
            [],
        )
        .unwrap();
    until("the route", || {
        place.number("SELECT count(*) FROM ticket_routes WHERE ticket_id = 'late'") == 1
    });
    until("status tells of it", || {
        let output = place.clerk(&["status"]);
        output.status.code() == Some(1) && String::from_utf8_lossy(&output.stderr).contains("index: ")
    });
    std::fs::remove_file(place.path("shop.db.search")).unwrap();
    let found = || String::from_utf8_lossy(&place.clerk(&["search", "money back"]).stdout).contains("late");
    until("it is found", found);
    until("all is well", || place.clerk(&["status"]).status.success());
    // And a folder that is deleted under it is made again without a change.
    std::fs::remove_dir_all(place.path("shop.db.search")).unwrap();
    until("it is made again", found);
}

#[test]
fn a_run_that_was_asked_for_goes_on_after_a_crash_and_a_lock_that_is_taken_away_ends_the_daemon() {
    let place = shop(&[(
        "prices",
        "kind = \"prices\"\nschedule = \"0 3 * * *\"\ntimeout = \"60s\"\n",
    )]);
    let mut daemon = Daemon::start(&place, &[], &[("NIGHTCLERK_TEST_FAULT", "prices:hang")]);
    let asked = request(&place, "prices");
    until("it runs", || {
        place.number("SELECT count(*) FROM runs WHERE status = 'running'") == 1
    });
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let mut daemon = Daemon::start(&place, &[], &[]);
    let (status, said) = outcome(&place, asked);
    assert_eq!(status, "done", "{said}");
    assert_eq!(
        texts(
            &place.open(),
            "SELECT status || ' ' || attempt FROM runs ORDER BY run_id"
        ),
        ["interrupted 1", "done 2"]
    );
    std::fs::remove_file(place.path("shop.db.lock")).unwrap();
    let mut code = None;
    until("it ends", || {
        code = daemon.0.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(1));
}
