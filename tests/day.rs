//! Tickets between two nights: what comes is answered, what has an answer stays where it is, and the night takes over.

#![cfg(feature = "daemon")]
#![allow(clippy::print_stdout)] // what_a_ticket_costs is a measurement

mod common;

use common::{Place, dump, support_shop};
use nightclerk::fit::Control;
use nightclerk::pipeline::Touched;
use nightclerk::pipeline::support::{Answered, Desk, MOST};
use nightclerk::store::Shop;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A shop after its first night, computed once.
fn after_a_night() -> Place {
    static NIGHT: OnceLock<PathBuf> = OnceLock::new();
    let night = NIGHT.get_or_init(|| {
        let place = support_shop(150);
        place.ok(&["run", "support", "--quiet"]);
        drop(Shop::open(&place.db()).unwrap()); // moves the log into the file
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("after-a-night");
        std::fs::create_dir_all(kept.join("jobs")).unwrap();
        std::fs::copy(place.db(), kept.join("shop.db")).unwrap();
        copy_jobs(&place.path("jobs"), &kept.join("jobs"));
        kept
    });
    let place = Place::new();
    std::fs::create_dir(place.path("jobs")).unwrap();
    std::fs::copy(night.join("shop.db"), place.db()).unwrap();
    copy_jobs(&night.join("jobs"), &place.path("jobs"));
    place
}

fn copy_jobs(from: &Path, to: &Path) {
    for job in std::fs::read_dir(from).unwrap() {
        let job = job.unwrap();
        std::fs::copy(job.path(), to.join(job.file_name())).unwrap();
    }
}

fn ids(ids: &[&str]) -> Touched {
    Touched::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn tell(desk: &mut Desk, shop: &Shop, touched: Touched) -> Answered {
    desk.answer(shop, touched, &Control::unbounded()).unwrap()
}

/// Until nobody waits.
fn tell_all(desk: &mut Desk, shop: &Shop, touched: Touched) -> Answered {
    let mut all = tell(desk, shop, touched);
    while all.waiting > 0 {
        let next = tell(desk, shop, Touched::NONE);
        assert!(next.waiting < all.waiting, "{next:?} after {all:?}");
        all.routed += next.routed;
        all.triaged += next.triaged;
        all.drafted += next.drafted;
        all.waiting = next.waiting;
    }
    all
}

fn write(place: &Place, sql: &str) {
    place.open().execute_batch(sql).unwrap();
}

const COMES: &str = "INSERT INTO tickets (ticket_id, user_id, body) VALUES ('fresh', 'u', 'hello i cannot log in my password is wrong')";

#[test]
fn a_ticket_that_comes_is_answered_as_ask_answers_it() {
    let place = after_a_night();
    let shop = Shop::open(&place.db()).unwrap();
    let mut desk = Desk::new();
    let first = tell(&mut desk, &shop, Touched::All);
    assert!(first.loaded.is_some());
    assert_eq!(
        (first.routed + first.triaged, first.unchanged),
        (0, 4),
        "{first:?}"
    );
    write(&place, COMES);
    let said = tell(&mut desk, &shop, ids(&["fresh", "fresh", "nobody"]));
    assert_eq!(
        (said.routed, said.triaged, said.drafted, said.waiting, said.loaded),
        (1, 0, 1, 0, None)
    );
    assert!(said.generation.is_some() && said.longest_wait.as_secs() < 20);
    let asked = place.ok(&["ask", "hello i cannot log in my password is wrong", "--json"]);
    let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
    let asked = asked.get(0).unwrap_or(&asked);
    let row = "SELECT category, category_confidence, team, priority, language FROM ticket_routes WHERE ticket_id = 'fresh'";
    let (category, confidence, team, priority, language): (String, f64, String, String, String) = place
        .open()
        .query_row(row, [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        })
        .unwrap();
    let route = &asked["route"];
    assert_eq!(route["category"], category.as_str());
    assert_eq!(route["category_confidence"].as_f64(), Some(confidence));
    assert_eq!(route["team"], team.as_str());
    assert_eq!(route["priority"], priority.as_str());
    assert_eq!(route["language"], language.as_str());
    let near = place.text(
        "SELECT group_concat(neighbour_ticket_id, ' ') FROM
           (SELECT neighbour_ticket_id FROM ticket_neighbours WHERE ticket_id = 'fresh' ORDER BY rank)",
    );
    let asked_near: Vec<String> = route["neighbours"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["ticket_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(near, asked_near.join(" "));
    assert_eq!(
        place.number("SELECT due_at - created_at FROM ticket_queue WHERE ticket_id = 'fresh'"),
        8 * 3600
    );
    // Kept for the report card.
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_route_archive WHERE ticket_id = 'fresh'"),
        1
    );
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_draft_archive WHERE ticket_id = 'fresh'"),
        1
    );
}

#[test]
fn who_has_a_ticket_keeps_it_all_day() {
    let place = after_a_night();
    let shop = Shop::open(&place.db()).unwrap();
    let mut desk = Desk::new();
    write(&place, COMES);
    tell_all(&mut desk, &shop, Touched::All);
    let queue =
        "SELECT team || ' ' || agent_id || ' ' || decided_by FROM ticket_queue WHERE ticket_id = 'fresh'";
    assert_eq!(place.text(queue), "desk b model");
    let mut change = |sql: &str| {
        write(&place, sql);
        let said = tell(&mut desk, &shop, ids(&["fresh"]));
        (said.routed + said.triaged, said.unchanged, said.removed)
    };
    let why = "SELECT why FROM ticket_routes WHERE ticket_id = 'fresh'";
    let draft =
        "SELECT count(*) || ' ' || coalesce(max(reply_to), '') FROM ticket_drafts WHERE ticket_id = 'fresh'";
    assert_eq!(
        change("INSERT INTO replies (ticket_id, author, body) VALUES ('fresh', 'note', 'x')"),
        (0, 1, 0)
    );
    assert_eq!(
        change("UPDATE tickets SET status = 'pending' WHERE ticket_id = 'fresh'"),
        (0, 1, 0)
    );
    // The customer writes of another matter: a new draft, and nobody else gets it.
    assert_eq!(
        change(
            "INSERT INTO replies (reply_id, ticket_id, author, body) VALUES (90001, 'fresh', 'customer', 'and where is my parcel')"
        ),
        (1, 0, 0)
    );
    assert_eq!(place.text(queue), "desk b model");
    assert!(
        place
            .text(why)
            .contains("stays with agent b, who was given it before"),
        "{}",
        place.text(why)
    );
    assert_eq!(place.text(draft), "1 90001");
    // An agent answers: it is that agent's now, and there is nothing to draft.
    assert_eq!(
        change(
            "INSERT INTO replies (ticket_id, author, agent_id, body) VALUES ('fresh', 'agent', 'b', 'Yours, b')"
        ),
        (1, 0, 0)
    );
    assert!(place.text(why).contains("somebody has worked on it"));
    assert_eq!(place.text(draft), "0 ");
    // A person moves it: the other team's agent gets it at once.
    assert_eq!(
        change("UPDATE tickets SET team = 'post' WHERE ticket_id = 'fresh'").0,
        1
    );
    assert!(
        place.text("SELECT team || decided_by FROM ticket_queue WHERE ticket_id = 'fresh'") == "postperson"
    );
    // Closed, and open again.
    assert_eq!(
        change("UPDATE tickets SET status = 'closed' WHERE ticket_id = 'fresh'"),
        (0, 0, 1)
    );
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_day_routes WHERE ticket_id = 'fresh'"),
        0
    );
    assert_eq!(
        change("UPDATE tickets SET status = 'open', team = NULL WHERE ticket_id = 'fresh'").0,
        1
    );
    assert_eq!(change("DELETE FROM tickets WHERE ticket_id = 'fresh'"), (0, 0, 1));
    // What the night said of the others: a message redrafts, a note does not.
    let mut change = |id: &str, sql: &str| {
        write(&place, sql);
        let said = tell(&mut desk, &shop, ids(&[id]));
        said.routed + said.triaged
    };
    assert_eq!(
        change(
            "new1",
            "INSERT INTO replies (ticket_id, author, body) VALUES ('new1', 'note', 'x')"
        ),
        0
    );
    let held = place.text("SELECT team || agent_id FROM ticket_queue WHERE ticket_id = 'new0'");
    assert_eq!(
        change(
            "new0",
            "INSERT INTO replies (ticket_id, author, body) VALUES ('new0', 'customer', 'my password')"
        ),
        1
    );
    assert_eq!(
        place.text("SELECT team || agent_id FROM ticket_queue WHERE ticket_id = 'new0'"),
        held
    );
    assert_eq!(
        change(
            "new1",
            "UPDATE tickets SET priority = 'urgent' WHERE ticket_id = 'new1'"
        ),
        1
    );
    assert_eq!(
        place.number("SELECT due_at - created_at FROM ticket_queue WHERE ticket_id = 'new1'"),
        2 * 3600
    );
}

#[test]
fn a_new_night_takes_over_and_moves_nobody_who_is_at_work() {
    let (by_day, without) = (after_a_night(), after_a_night());
    let shop = Shop::open(&by_day.db()).unwrap();
    let mut desk = Desk::new();
    let more = "INSERT INTO tickets (ticket_id, body, created_at) VALUES
                  ('c1', 'i cannot log in my password is wrong', 1705500000), ('c2', 'my account is locked', 1705500001);
                INSERT INTO tickets (ticket_id, body, status, category, team, created_at, closed_at) VALUES
                  ('learned', 'the courier never came', 'closed', 'parcel', 'post', 1705500002, 1705500003);";
    for place in [&by_day, &without] {
        write(place, more);
    }
    tell_all(&mut desk, &shop, Touched::All);
    // Somebody else than the clerk chose answers c1 on both sides, where the clerk gave it to b.
    for place in [&by_day, &without] {
        write(
            place,
            "INSERT INTO replies (ticket_id, author, agent_id, body, at) VALUES ('c1', 'agent', 'b', 'hm', 1705500009)",
        );
    }
    tell_all(&mut desk, &shop, ids(&["c1"]));
    assert_eq!(
        by_day.text("SELECT agent_id FROM ticket_queue WHERE ticket_id = 'c1'"),
        "b"
    );
    // Of two words of one second the day's counts.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for place in [&by_day, &without] {
        place.ok(&["run", "support", "--quiet"]);
    }
    // What we said by day is nothing that is learned from: the same night with and without it.
    for models in [
        "support classifier",
        "support policy",
        "support words",
        "support vectors",
        "support traces",
    ] {
        let sql = format!(
            "SELECT part, hex(bytes) FROM clerk_artefacts WHERE name = '{models}' AND generation =
               (SELECT generation FROM clerk_published WHERE family = 'support') ORDER BY part"
        );
        let of = |place: &Place| dump(&place.open(), &sql);
        assert!(!of(&by_day).is_empty());
        assert_eq!(of(&by_day), of(&without), "{models}");
    }
    // The night's word is the later one now, for all it knew.
    assert_eq!(
        by_day.number("SELECT count(*) FROM ticket_routes AS r JOIN clerk_ticket_routes AS n USING (ticket_id, routed_at)
                       WHERE n.generation = (SELECT generation FROM clerk_published WHERE family = 'support')"),
        by_day.number("SELECT count(*) FROM tickets WHERE status <> 'closed'")
    );
    assert_eq!(
        by_day.text("SELECT agent_id FROM ticket_queue WHERE ticket_id = 'c1'"),
        "b"
    );
    let after = tell_all(&mut desk, &shop, Touched::NONE);
    assert!(after.loaded.is_some(), "another generation");
    assert_eq!(after.routed + after.triaged, 0, "{after:?}");
    // Back to the night that knew nothing of them: the day's answers are there still.
    by_day.ok(&["rollback", "ticket_routes"]);
    assert_eq!(
        by_day.number("SELECT count(*) FROM ticket_queue WHERE decided_by = 'model' AND ticket_id LIKE 'c_'"),
        2
    );
    let back = tell_all(&mut desk, &shop, Touched::NONE);
    assert!(back.loaded.is_some());
    assert_eq!(back.routed + back.triaged, 0, "{back:?}");
    without.ok(&["rollback", "ticket_routes"]);
    let shop = Shop::open(&without.db()).unwrap();
    let found = tell_all(&mut Desk::new(), &shop, Touched::NONE);
    assert_eq!(
        found.routed + found.triaged,
        2,
        "a rollback that leaves tickets without an answer: {found:?}"
    );
}

#[test]
fn a_desk_that_cannot_answer_says_so_and_loses_nobody() {
    let empty = support_shop(1);
    let shop = Shop::open(&empty.db()).unwrap();
    assert_eq!(
        tell(&mut Desk::new(), &shop, Touched::All),
        Answered::default(),
        "nothing is published"
    );

    let place = after_a_night();
    let shop = Shop::open(&place.db()).unwrap();
    write(&place, COMES);
    // Stopped before anything was written.
    let flag = Arc::new(AtomicBool::new(true));
    let control = Control::unbounded().with_cancel(flag.clone());
    let mut desk = Desk::new();
    assert!(desk.answer(&shop, ids(&["fresh"]), &control).is_err());
    assert_eq!(place.number("SELECT count(*) FROM clerk_day_routes"), 0);
    // The same desk goes on; and so would one that starts anew.
    flag.store(false, Ordering::Relaxed);
    let sweep = tell(&mut Desk::new(), &shop, Touched::All);
    assert_eq!((sweep.routed, sweep.waiting), (1, 0));
    write(
        &place,
        "DELETE FROM clerk_day_routes; DELETE FROM clerk_day_neighbours; DELETE FROM clerk_day_drafts",
    );
    assert_eq!(desk.answer(&shop, Touched::NONE, &control).unwrap().routed, 1);
    // A damaged model.
    write(
        &place,
        "INSERT INTO tickets (ticket_id, body) VALUES ('second', 'my account is locked');
         UPDATE clerk_artefacts SET bytes = zeroblob(10) WHERE name = 'support words'",
    );
    let mut desk = Desk::new();
    let error = format!(
        "{:#}",
        desk.answer(&shop, ids(&["second"]), &control).unwrap_err()
    );
    assert!(
        error.contains("not answered by day") && error.contains("support words"),
        "{error}"
    );
    let blocked = tell(&mut desk, &shop, Touched::NONE);
    assert_eq!((blocked.waiting, blocked.generation), (1, None));
    assert!(blocked.blocked.unwrap().contains("support words"));
    // A customer is being forgotten; then the models are gone.
    write(
        &place,
        "INSERT INTO settings (name, value) VALUES ('erasing', 'x')",
    );
    assert!(
        tell(&mut desk, &shop, Touched::NONE)
            .blocked
            .unwrap()
            .contains("forgotten")
    );
    // A new night mends it.
    write(&place, "DELETE FROM settings WHERE name = 'erasing'");
    place.ok(&["run", "support", "--quiet"]);
    let mended = tell_all(&mut desk, &shop, Touched::NONE);
    assert!(mended.loaded.is_some());
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_routes WHERE ticket_id = 'second'"),
        1
    );
}

#[test]
fn a_burst_is_answered_each_once_urgent_ones_first_and_nobody_gets_too_much() {
    let place = after_a_night();
    let shop = Shop::open(&place.db()).unwrap();
    let mut desk = Desk::new();
    tell_all(&mut desk, &shop, Touched::All);
    write(
        &place,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
         INSERT INTO tickets (ticket_id, body, priority, created_at)
         SELECT printf('burst%04d', i),
                CASE i % 2 WHEN 0 THEN 'the courier never came ' ELSE 'my password is wrong ' END || i,
                CASE WHEN i % 50 = 49 THEN 'urgent' END, 1705600000 + i FROM n",
    );
    let all: Vec<String> = (0..2000).map(|i| format!("burst{i:04}")).collect();
    let first = tell(&mut desk, &shop, Touched::Ids(all));
    assert_eq!(
        (first.routed + first.triaged, first.waiting),
        (MOST as u64, 2000 - MOST)
    );
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_day_routes AS d JOIN tickets AS t USING (ticket_id) WHERE t.priority = 'urgent'"),
        40
    );
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_day_routes WHERE ticket_id < 'burst0062'"),
        61,
        "then the oldest"
    );
    // One changes twice while it waits, one is closed.
    write(
        &place,
        "UPDATE tickets SET body = 'my account is locked' WHERE ticket_id = 'burst1990';
         INSERT INTO replies (ticket_id, author, body) VALUES ('burst1990', 'customer', 'hello?');
         UPDATE tickets SET status = 'closed' WHERE ticket_id = 'burst1980'",
    );
    let rest = tell_all(&mut desk, &shop, ids(&["burst1990", "burst1990", "burst1980"]));
    assert_eq!(rest.routed + rest.triaged, 2000 - MOST as u64 - 1);
    assert_eq!(
        place.number("SELECT d.reply_to = (SELECT max(reply_id) FROM replies) FROM ticket_drafts AS d WHERE ticket_id = 'burst1990'"),
        1
    );
    let held = place.text(
        "SELECT group_concat(agent_id || n, ' ') FROM
           (SELECT agent_id, count(*) AS n FROM ticket_queue WHERE agent_id IS NOT NULL GROUP BY agent_id ORDER BY agent_id)",
    );
    assert_eq!(held, "a2 b50", "as much as they can take");
    // A look through all of them, as after a night, does not make the next one wait for its end.
    let sweep = tell(&mut desk, &shop, Touched::All);
    assert!(sweep.unchanged < 500 && sweep.waiting > 1000, "{sweep:?}");
    write(&place, COMES);
    let next = tell(&mut desk, &shop, ids(&["fresh"]));
    assert_eq!(next.routed + next.triaged, 1, "{next:?}");
    assert_eq!(tell_all(&mut desk, &shop, Touched::NONE).routed, 0);
    assert_eq!(shop.check_integrity(false).unwrap(), Vec::<String>::new());
}

/// What a ticket costs: `NIGHTCLERK_FILE=shop.db cargo test --test day -- --ignored --nocapture`. The file, a shop after its
/// night, is not changed; its own solved tickets come again as new ones.
#[test]
#[ignore = "a measurement"]
fn what_a_ticket_costs() {
    let file = std::env::var("NIGHTCLERK_FILE").expect("NIGHTCLERK_FILE, a shop after its night");
    let place = Place::new();
    std::fs::copy(file, place.db()).unwrap();
    let shop = Shop::open(&place.db()).unwrap();
    let mut desk = Desk::new();
    let begun = std::time::Instant::now();
    let swept = tell_all(&mut desk, &shop, Touched::All);
    println!("first: {swept:?} in {:?}", begun.elapsed());
    let solved = place.number("SELECT count(*) FROM tickets WHERE status = 'closed'");
    let come = |name: &str, from: i64, count: i64| {
        write(
            &place,
            &format!(
                "INSERT INTO tickets (ticket_id, user_id, subject, body)
                 SELECT '{name}' || row_number() OVER (), user_id, subject, body || ' please' FROM
                   (SELECT * FROM tickets WHERE status = 'closed' ORDER BY ticket_id LIMIT {count} OFFSET {from})"
            ),
        );
        (1..=count).map(|i| format!("{name}{i}")).collect::<Vec<String>>()
    };
    let mut costs: Vec<f64> = Vec::new();
    for id in come("single", solved / 2, 200) {
        let begun = std::time::Instant::now();
        let said = tell(&mut desk, &shop, Touched::Ids(vec![id]));
        assert_eq!(said.routed + said.triaged, 1);
        costs.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    costs.sort_by(f64::total_cmp);
    println!(
        "{solved} solved tickets; one by one: median {:.2} ms, p99 {:.2} ms",
        costs[100], costs[197]
    );
    let ids = come("many", 0, 2000.min(solved / 2));
    let (count, begun) = (ids.len(), std::time::Instant::now());
    tell_all(&mut desk, &shop, Touched::Ids(ids));
    let each = begun.elapsed().as_secs_f64() * 1000.0 / count as f64;
    println!(
        "{count} at once: {each:.2} ms a ticket; longest transaction {:?}",
        shop.longest_write()
    );
}
