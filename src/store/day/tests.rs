//! Which word of two is shown, and that no answer is written to what is no longer so.

use super::super::results::{TicketDraft, TicketNeighbour, TicketRoute};
use super::super::{DayAnswer, DayWritten, GenerationWriter, NewGeneration};
use super::*;

/// A shop with open tickets 42 and 43 and a solved one.
fn shop() -> (tempfile::TempDir, Shop) {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
    shop.conn()
        .execute_batch(
            "INSERT INTO tickets (ticket_id, user_id, body, created_at) VALUES ('42', 'u', 'where is it', 500), ('43', NULL, 'hm', 400);
             INSERT INTO tickets (ticket_id, user_id, body, status, team, agent_id, created_at)
             VALUES ('old', 'u', 'lost', 'closed', 'post', 'ann', 100), ('older', 'u', 'lost', 'closed', NULL, 'bob', 50);
             INSERT INTO replies (reply_id, ticket_id, author, agent_id, body, at) VALUES
               (1, 'old', 'note', 'eve', 'n', 110), (2, 'old', 'agent', 'cy', char(9), 120), (3, 'old', 'agent', 'dan', 'r', 130),
               (4, '42', 'customer', NULL, 'hello?', 600)",
        )
        .unwrap();
    (dir, shop)
}

fn route(id: &str, word: &str, at: i64) -> TicketRoute {
    TicketRoute {
        ticket_id: id.into(),
        decision: "route".into(),
        category: Some("parcel".into()),
        category_confidence: Some(0.9),
        team: Some(word.into()),
        agent_id: Some("7".into()),
        agent_confidence: None,
        priority: Some("low".into()),
        language: Some("en".into()),
        due_at: Some(9000),
        why: word.into(),
        routed_at: at,
    }
}

fn draft(id: &str, word: &str, at: i64, replies_seen: i64) -> TicketDraft {
    TicketDraft {
        ticket_id: id.into(),
        reply_to: None,
        replies_seen,
        decision: "suggest".into(),
        reply: Some(word.into()),
        confidence: 0.5,
        sources: "[]".into(),
        drafted_at: at,
    }
}

fn near(id: &str, word: &str) -> Vec<TicketNeighbour> {
    let one = |rank, neighbour: &str| TicketNeighbour {
        ticket_id: id.into(),
        rank,
        neighbour_ticket_id: neighbour.into(),
        distance: 0.5,
    };
    // A day has one, and one that is gone; a night another.
    match word.starts_with("day") {
        true => vec![one(1, "gone"), one(2, "old")],
        false => vec![one(1, "older"), one(2, "43")],
    }
}

/// A night that has something to say about ticket 42, published.
fn night(shop: &Shop, word: &str, at: i64) -> i64 {
    let new = NewGeneration {
        family: "support",
        run_id: 1,
        as_of: at,
        exclude_bought: false,
    };
    let mut generation = GenerationWriter::begin(shop, &new).unwrap();
    generation.write([route("42", word, at)]).unwrap();
    generation.write(near("42", word)).unwrap();
    generation.write([draft("42", word, at, 1)]).unwrap();
    generation.publish("test").unwrap()
}

fn read_one(shop: &Shop, id: &str) -> DayTicket {
    match shop.desk_now(&[id.to_owned()]).unwrap().tickets.remove(0) {
        DayLook::Open(ticket) => *ticket,
        other => panic!("{other:?}"),
    }
}

fn answer(shop: &Shop, id: &str, word: &str, at: i64) -> DayAnswer {
    let now = read_one(shop, id);
    DayAnswer {
        route: route(id, word, at),
        neighbours: near(id, word),
        draft: Some(draft(id, word, at, now.thread.len() as i64)),
        quoted: vec![("old".into(), 3)],
        seen: now.seen,
        archived_route: None,
        archived_draft: None,
    }
}

fn day(shop: &Shop, id: &str, word: &str, at: i64) {
    let generation = shop.published("support").unwrap().unwrap().generation;
    let answer = answer(shop, id, word, at);
    assert_eq!(
        shop.write_day(generation, &[answer]).unwrap(),
        DayWritten::Written(vec![true])
    );
}

fn one(shop: &Shop, sql: &str) -> String {
    shop.conn()
        .query_row(sql, [], |r| r.get::<_, Option<String>>(0))
        .unwrap()
        .unwrap_or_default()
}

/// What the four views say of ticket 42, asked by a number.
fn said(shop: &Shop) -> String {
    [
        "SELECT group_concat(team) FROM ticket_routes WHERE ticket_id = 42",
        "SELECT group_concat(neighbour_ticket_id) FROM (SELECT * FROM ticket_neighbours WHERE ticket_id = 42 ORDER BY rank)",
        "SELECT group_concat(reply) FROM ticket_drafts WHERE ticket_id = 42",
        "SELECT group_concat(team || agent_id || due_at || decided_by) FROM ticket_queue WHERE ticket_id = 42 AND agent_id = 7",
    ]
    .map(|sql| one(shop, sql))
    .join(" ")
}

#[test]
fn the_later_word_is_shown_and_all_of_it_is_of_one_source() {
    let (_dir, shop) = shop();
    let of = |word: &str| {
        let near = if word.starts_with("day") {
            "old"
        } else {
            "older,43"
        };
        format!("{word} {near} {word} {word}79000model")
    };
    let one_generation = night(&shop, "one", 1000);
    assert_eq!(said(&shop), of("one"));
    day(&shop, "42", "day", 2000);
    assert_eq!(said(&shop), of("day"), "newer than the night");
    let two = night(&shop, "two", 1500);
    assert_eq!(said(&shop), of("day"), "that night had begun before");
    let three = night(&shop, "three", 2001);
    assert_eq!(said(&shop), of("three"), "a night that knew it");
    shop.roll_back("support", Some(two)).unwrap();
    assert_eq!(said(&shop), of("day"), "back to one that did not");
    shop.roll_back("support", Some(three)).unwrap();
    assert_eq!(said(&shop), of("three"));
    day(&shop, "42", "day2", 2001);
    assert_eq!(said(&shop), of("day2"), "of one second the day's");
    // A ticket that no night knows.
    day(&shop, "43", "day", 5);
    assert_eq!(
        one(
            &shop,
            "SELECT group_concat(ticket_id || team) FROM (SELECT * FROM ticket_queue ORDER BY ticket_id)"
        ),
        "42day2,43day"
    );
    assert_eq!(
        one(&shop, "SELECT CAST(count(*) AS TEXT) FROM ticket_routes"),
        "2"
    );
    assert_eq!(shop.open_tickets_by_agent().unwrap()["7"], 2);
    assert_eq!(
        shop.published_routes().unwrap()["43"].team.as_deref(),
        Some("day")
    );
    // Never before anything is published.
    shop.conn()
        .execute_batch("DELETE FROM clerk_published WHERE family = 'support'")
        .unwrap();
    assert_eq!(said(&shop), "   ");
    assert!(one_generation < two);
}

#[test]
fn a_draft_by_day_vanishes_in_the_second_it_was_made() {
    for change in [
        "UPDATE tickets SET body = 'please cancel' WHERE ticket_id = '42'",
        "UPDATE tickets SET subject = 'another matter' WHERE ticket_id = '42'",
        "REPLACE INTO tickets (ticket_id, body, created_at) VALUES ('42', 'where is it', 500)",
        "UPDATE replies SET body = 'found it' WHERE ticket_id = '42'",
        "INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'agent', 'here it is')",
        "INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'customer', 'and?')",
        "DELETE FROM replies WHERE ticket_id = '42';
         INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'customer', 'hello?')",
        "UPDATE replies SET ticket_id = '43' WHERE ticket_id = '42';
         INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'customer', 'hello?')",
        "REPLACE INTO replies (reply_id, ticket_id, author, body) VALUES (4, '43', 'customer', 'hello?')",
        "UPDATE tickets SET status = 'closed' WHERE ticket_id = '42'",
    ] {
        let (_dir, shop) = shop();
        night(&shop, "one", 1000);
        day(&shop, "42", "day", super::super::now());
        shop.conn().execute_batch(change).unwrap();
        assert_eq!(
            one(&shop, "SELECT group_concat(reply) FROM ticket_drafts"),
            "",
            "{change}"
        );
        assert_eq!(
            one(&shop, "SELECT team FROM ticket_routes WHERE ticket_id = '42'"),
            "day",
            "{change}"
        );
    }
    let (_dir, shop) = shop();
    night(&shop, "one", 1000);
    day(&shop, "42", "day", 2000);
    shop.conn()
        .execute_batch(
            "UPDATE tickets SET body = body, team = 'money' WHERE ticket_id = '42';
             INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'note', 'ask Ann')",
        )
        .unwrap();
    assert_eq!(one(&shop, "SELECT reply FROM ticket_drafts"), "day");
    assert_eq!(
        one(
            &shop,
            "SELECT team || coalesce(agent_id, '?') || decided_by FROM ticket_queue WHERE ticket_id = '42'"
        ),
        "money?person",
        "the model's agent belongs to the other team"
    );
}

#[test]
fn nothing_is_written_to_a_ticket_that_has_changed_meanwhile() {
    let (_dir, shop) = shop();
    let first = night(&shop, "one", 1000);
    for (change, written) in [
        (
            "UPDATE tickets SET status = 'pending' WHERE ticket_id = '42'",
            true,
        ),
        (
            "INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'note', 'x')",
            true,
        ),
        (
            "INSERT INTO replies (ticket_id, author, body) VALUES ('42', 'customer', 'x')",
            false,
        ),
        ("UPDATE tickets SET team = 'money' WHERE ticket_id = '42'", false),
        (
            "UPDATE tickets SET body = CAST(x'FF' AS TEXT) WHERE ticket_id = '42'",
            false,
        ),
        (
            "UPDATE tickets SET body = 'b', status = 'closed' WHERE ticket_id = '42'",
            false,
        ),
        ("DELETE FROM replies WHERE reply_id = 3", false),
    ] {
        shop.conn()
            .execute_batch("UPDATE tickets SET body = 'where is it', status = 'open' WHERE ticket_id = '42'")
            .unwrap();
        let (changing, other) = (answer(&shop, "42", "day", 2000), {
            let mut other = answer(&shop, "43", "day", 2000);
            other.quoted.clear();
            other
        });
        shop.conn().execute_batch(change).unwrap();
        // A transaction ends when its time is over: on a busy machine the second answer may need one of its own.
        let (answers, mut done) = ([changing, other], Vec::new());
        while done.len() < answers.len() {
            match shop.write_day(first, &answers[done.len()..]).unwrap() {
                DayWritten::Written(more) => done.extend(more),
                moved => panic!("{change}: {moved:?}"),
            }
        }
        assert_eq!(done, [written, true], "{change}");
    }
    let late = answer(&shop, "43", "late", 3000);
    night(&shop, "two", 1500);
    assert_eq!(shop.write_day(first, &[late]).unwrap(), DayWritten::Moved);
    assert_eq!(
        one(&shop, "SELECT team FROM ticket_routes WHERE ticket_id = '43'"),
        "day"
    );
}

#[test]
fn the_desk_sees_what_was_said_and_who_knows_the_customer() {
    let (_dir, shop) = shop();
    assert_eq!(read_one(&shop, "42").shown, None);
    night(&shop, "one", 1000);
    let now = read_one(&shop, "42");
    assert_eq!((now.thread.len(), now.last_agent.as_deref()), (1, Some("dan")));
    let shown = now.shown.unwrap();
    assert_eq!(
        (shown.seen, shown.drafted, shown.held.team.as_deref()),
        (None, true, Some("one"))
    );
    day(&shop, "42", "day", 2000);
    let again = read_one(&shop, "42");
    assert_eq!(again.shown.as_ref().unwrap().seen, Some(again.seen));
    assert_eq!(again.seen, now.seen);
    // Nobody answered: then whom a person gave it to, where it was categorised.
    shop.conn()
        .execute_batch("DELETE FROM replies WHERE ticket_id = 'old'")
        .unwrap();
    assert_eq!(read_one(&shop, "42").last_agent.as_deref(), Some("ann"));
    shop.conn()
        .execute_batch("UPDATE tickets SET decided_by = 'clerk' WHERE ticket_id = 'old'")
        .unwrap();
    assert_eq!(
        read_one(&shop, "42").last_agent,
        None,
        "`older` says nothing but an agent"
    );
    assert_eq!(read_one(&shop, "43").last_agent, None);
    let looks = shop.desk_now(&["old".into(), "nobody".into()]).unwrap().tickets;
    assert_eq!(looks, [DayLook::Over(false), DayLook::Over(false)]);
}

#[test]
fn what_nobody_can_see_again_is_removed() {
    let (_dir, shop) = shop();
    night(&shop, "one", 1000);
    day(&shop, "42", "day", 2000);
    shop.conn()
        .execute_batch("INSERT INTO tickets (ticket_id) VALUES ('closed'), ('deleted')")
        .unwrap();
    for id in ["closed", "deleted"] {
        day(&shop, id, "day", 2000);
    }
    assert_eq!(
        shop.forget_day(&["closed".into(), "42".into()]).unwrap(),
        0,
        "they are open"
    );
    shop.conn()
        .execute_batch("UPDATE tickets SET status = 'closed' WHERE ticket_id = 'closed'; DELETE FROM tickets WHERE ticket_id = 'deleted'")
        .unwrap();
    let line: Vec<String> = shop
        .line_up_all()
        .unwrap()
        .into_iter()
        .map(|one| one.ticket_id)
        .collect();
    assert!(
        line.contains(&"closed".into()) && line.contains(&"deleted".into()) && !line.contains(&"old".into())
    );
    assert_eq!(shop.forget_day(&["closed".into()]).unwrap(), 1);
    assert_eq!(shop.prune_day().unwrap(), 1);
    let rows = "SELECT (SELECT count(*) FROM clerk_day_routes) || (SELECT count(*) FROM clerk_day_neighbours)
                || (SELECT count(*) FROM clerk_day_drafts)";
    assert_eq!(one(&shop, rows), "111");
    // Overtaken by a night, but there is one to roll back to.
    night(&shop, "two", 3000);
    assert_eq!(shop.prune_day().unwrap(), 0);
    shop.sweep(0).unwrap();
    assert_eq!(shop.prune_day().unwrap(), 1);
    assert_eq!(one(&shop, rows), "000");
}
