//! Support as an application meets it: tickets and replies in, routes, neighbours and drafts out.

#![cfg(feature = "daemon")]

mod common;

use common::{Place, support_shop as shop};

#[test]
fn tickets_find_their_team_their_agent_and_a_reply_and_nobody_gets_too_much() {
    let place = shop(150);
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_routes WHERE decision = 'route'"),
        4
    );
    assert_eq!(
        place.text(
            "SELECT category || team || agent_id || priority FROM ticket_routes WHERE ticket_id = 'new1'"
        ),
        "logindeskbhigh"
    );
    // Three parcels, and Ada has two places: the oldest two are hers, the third stays with the team and says why.
    assert_eq!(
        place.text("SELECT group_concat(ticket_id) FROM ticket_routes WHERE agent_id = 'a'"),
        "new0,new2"
    );
    assert_eq!(
        place.text("SELECT team FROM ticket_routes WHERE ticket_id = 'new3'"),
        "post"
    );
    assert!(
        place
            .text("SELECT why FROM ticket_routes WHERE ticket_id = 'new3'")
            .contains("capacity")
    );
    assert_eq!(
        place.number("SELECT due_at - created_at FROM ticket_queue WHERE ticket_id = 'new1'"),
        8 * 3600
    );
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_neighbours WHERE ticket_id = 'new1'"),
        10
    );
    assert!(
        place
            .text("SELECT reply FROM ticket_drafts WHERE ticket_id = 'new1'")
            .contains("new password")
    );
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_drafts WHERE reply LIKE '%SECRET%' OR decision = 'send'"),
        0
    );
    let source = "SELECT count(*) FROM ticket_drafts AS d JOIN json_each(d.sources) AS s
                  JOIN replies AS r ON r.reply_id = CAST(s.value ->> 'id' AS INTEGER)
                  WHERE s.value ->> 'table' = 'replies' AND r.author = 'agent' AND r.body = d.reply";
    assert_eq!(place.number(source), 4);
    // Once somebody answered, the draft is gone.
    place
        .open()
        .execute(
            "INSERT INTO replies (ticket_id, body) VALUES ('new1', 'Done.')",
            [],
        )
        .unwrap();
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_drafts WHERE ticket_id = 'new1'"),
        0
    );
}

#[test]
fn ask_answers_like_the_night_and_shows_its_evidence() {
    let place = shop(150);
    assert!(
        place
            .fails(1, &["ask", "where is my parcel"])
            .contains("nightclerk run support")
    );
    place.ok(&["run", "support", "--quiet"]);
    let answer: serde_json::Value =
        serde_json::from_str(&place.ok(&["ask", "--json", "i forgot my password"])).unwrap();
    assert_eq!(answer["route"]["category"], "login");
    assert_eq!(answer["route"]["decision"], "route");
    assert_eq!(answer["route"]["agent_id"], "b");
    assert_eq!(answer["route"]["neighbours"].as_array().unwrap().len(), 10);
    assert_eq!(answer["draft"]["decision"], "suggest");
    assert_eq!(answer["draft"]["sources"][0]["table"], "replies");
    assert!(place.ok(&["ask", "我的包裹在哪里"]).contains("zh"));
    place.fails(2, &["ask", "  "]);
}

#[test]
fn a_persons_word_wins_and_the_clerks_own_is_no_label() {
    let place = shop(150);
    place
        .open()
        .execute_batch(
            "UPDATE tickets SET team = 'desk', agent_id = 'b' WHERE ticket_id = 'new0';
             INSERT INTO tickets (ticket_id, body, category, decided_by, created_at)
             SELECT 'own' || value, 'zebra crossing', 'zoo', 'clerk', 1700000000 + value FROM json_each('[1,2,3,4,5,6,7,8]')",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT team || agent_id FROM ticket_routes WHERE ticket_id = 'new0'"),
        "deskb"
    );
    let answer: serde_json::Value =
        serde_json::from_str(&place.ok(&["ask", "--json", "zebra crossing"])).unwrap();
    assert!(!answer.to_string().contains("zoo"), "{answer}");
}

/// Tickets that people put in no category are learned as such: what is like them goes to people, with the best guess
/// still shown, and `-` is never a category.
#[test]
fn what_people_put_in_no_category_never_routes() {
    let place = shop(150);
    let conn = place.open();
    for i in 0..60 {
        let text = [
            "the radio interview about your founder",
            "a poem for your newsletter",
        ][i % 2];
        conn.execute(
            "INSERT INTO tickets (ticket_id, body, status, category, created_at, closed_at)
             VALUES (?1, ?2, 'closed', '-', ?3, ?3 + 60)",
            (
                format!("none{i:02}"),
                format!("{text} number {i}"),
                1_700_000_000 + i as i64 * 86_400,
            ),
        )
        .unwrap();
    }
    for (id, text) in [
        ("odd0", "an interview with your founder on the radio"),
        ("odd1", "may i send a poem"),
    ] {
        conn.execute(
            "INSERT INTO tickets (ticket_id, body, created_at) VALUES (?1, ?2, ?3)",
            (id, text, 1_700_000_000 + 61 * 86_400),
        )
        .unwrap();
    }
    // A person said so of a waiting ticket that the model would route.
    conn.execute("UPDATE tickets SET category = '-' WHERE ticket_id = 'new0'", [])
        .unwrap();
    drop(conn);
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM ticket_routes WHERE ticket_id = 'new0' AND decision = 'triage' AND category = 'parcel'
             AND team IS NULL AND agent_id IS NULL AND why = 'a person said that no category fits'"
        ),
        1
    );
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_route_archive WHERE ticket_id = 'new0'"),
        0,
        "what a person said before is no verdict on the night"
    );
    assert_eq!(
        place.number(
            "SELECT count(*) FROM ticket_routes WHERE ticket_id LIKE 'odd%' AND decision = 'triage'
             AND category IN ('parcel', 'login') AND team IS NULL AND why LIKE '%no category%'"
        ),
        2
    );
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_routes WHERE category = '-'"),
        0
    );
    assert!(
        place.number("SELECT count(*) FROM ticket_routes WHERE decision = 'route' AND category = 'login'")
            > 0
    );
    let answer: serde_json::Value =
        serde_json::from_str(&place.ok(&["ask", "--json", "a poem for the newsletter"])).unwrap();
    assert_eq!(answer["route"]["decision"], "triage", "{answer}");
}

/// Every candidate has its rows in `scores`, the textbook's among them, and exactly one is chosen.
#[test]
fn scores_compare_the_candidates() {
    let place = shop(150);
    place.ok(&["run", "support", "--quiet"]);
    let of = |what: &str| {
        place.number(&format!("SELECT count(DISTINCT model) FROM scores WHERE result = 'ticket_routes' AND slice = '' AND {what}"))
    };
    assert_eq!(of("chosen"), 1);
    for model in [
        "hinge",
        "nb-svm",
        "logistic",
        "centroid",
        "neighbours",
        "article: tf-idf k-nn",
        "naive",
    ] {
        assert_eq!(
            of(&format!(
                "model = '{model}' AND metric = 'accuracy' AND lo90 <= value AND value <= hi90"
            )),
            1,
            "{model}"
        );
    }
}

#[test]
fn too_little_history_goes_to_people_and_says_so() {
    let place = shop(1); // one ticket a category
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM ticket_routes WHERE decision = 'triage' AND why LIKE '%people decide%'"
        ),
        4
    );
    assert!(
        place
            .text("SELECT why FROM generations WHERE family = 'support'")
            .contains("people decide")
    );

    let place = shop(5); // too few to measure a threshold on
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_routes WHERE decision = 'triage' AND category IS NOT NULL"),
        4
    );

    let place = shop(5);
    place
        .open()
        .execute_batch("UPDATE tickets SET category = '-', team = NULL WHERE status = 'closed'")
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM ticket_routes WHERE decision = 'triage' AND why LIKE '%none of these%'"
        ),
        4
    );

    let empty = Place::new();
    empty.ok(&["init"]);
    empty.ok(&["run", "support", "--quiet"]);
    assert!(
        empty
            .text("SELECT why FROM generations WHERE family = 'support'")
            .contains("no solved ticket")
    );
}

#[test]
fn a_touched_ticket_stays_a_customer_keeps_the_agent_and_people_judge_the_night() {
    let place = shop(150);
    // Bo of the same team had this customer's last ticket.
    place
        .open()
        .execute_batch(
            "INSERT INTO agents (agent_id, name, team, capacity) VALUES ('c', 'Cy', 'desk', 9);
             UPDATE tickets SET user_id = 'u1' WHERE ticket_id IN ('old001', 'new1');
             INSERT INTO tickets (ticket_id, user_id, body, status, category, team, agent_id, created_at, closed_at)
             VALUES ('last', 'u1', 'i cannot log in', 'closed', 'login', 'desk', 'c', 1700000000 + 60 * 86400, 1700000000 + 60 * 86400 + 9);
             INSERT INTO settings (name, value) VALUES ('working_hours', '09:00-17:00')",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT agent_id FROM ticket_routes WHERE ticket_id = 'new1'"),
        "c"
    );
    // 2024-01-14 22:13 UTC and eight working hours: the next day's evening.
    assert_eq!(
        place.text("SELECT datetime(due_at, 'unixepoch') FROM ticket_routes WHERE ticket_id = 'new1'"),
        "2024-01-15 17:00:00"
    );
    // People decide one as the clerk guessed, one otherwise, and answer one; the last one stays with whom it was given to.
    place
        .open()
        .execute_batch(
            "UPDATE tickets SET category = 'login', team = 'desk' WHERE ticket_id = 'new1';
             UPDATE tickets SET category = 'login', team = 'desk' WHERE ticket_id = 'new0';
             INSERT INTO replies (ticket_id, author, agent_id, body, at)
             VALUES ('new1', 'agent', 'b', 'Use the link to choose a new password.', 1700000000 + 61 * 86400 + 60)",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT agent_id FROM ticket_routes WHERE ticket_id = 'new1'"),
        "b",
        "the one who replied keeps it"
    );
    assert!(
        place
            .text("SELECT why FROM ticket_routes WHERE ticket_id = 'new1'")
            .contains("somebody has worked on it")
    );
    let card = |metric: &str| {
        place.text(&format!(
            "SELECT value || ' of ' || observations FROM report_card WHERE slice = '' AND metric = '{metric}'"
        ))
    };
    assert_eq!(card("accuracy"), "0.5 of 2");
    assert_eq!(card("overridden"), "0.5 of 2");
    assert_eq!(card("abstained"), "0.0 of 2");
    assert!(card("rouge_l").ends_with("of 1"));
    assert_eq!(
        place.number("SELECT count(*) FROM clerk_route_archive WHERE ticket_id IN ('new0', 'new1')"),
        0
    );
}

/// The stated precision covers the team too: where a category's tickets went to either team, nobody is sent one unseen.
#[test]
fn a_category_without_one_team_goes_to_people() {
    let place = shop(150);
    place
        .open()
        .execute_batch(
            "UPDATE tickets SET team = 'desk'
             WHERE category = 'parcel' AND CAST(substr(ticket_id, 4) AS INTEGER) * 7919 % 1000 < 450",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM ticket_routes WHERE ticket_id IN ('new0', 'new2', 'new3') AND decision = 'triage'
             AND category = 'parcel' AND team IS NULL AND agent_id IS NULL AND why LIKE '%team post had only%people decide'"
        ),
        3,
        "{}",
        place.text("SELECT group_concat(why, x'0a') FROM ticket_routes")
    );
    assert_eq!(
        place.text("SELECT decision || team FROM ticket_routes WHERE ticket_id = 'new1'"),
        "routedesk"
    );
    assert!(
        place.number(
            "SELECT count(*) FROM scores WHERE slice = 'team' AND metric = 'precision_of_routed' AND chosen AND value > 0.94"
        ) == 1
    );
    // A person may say the team, and then it is routed.
    place
        .open()
        .execute_batch("UPDATE tickets SET team = 'post' WHERE ticket_id = 'new0'")
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT decision || team || agent_id FROM ticket_routes WHERE ticket_id = 'new0'"),
        "routeposta"
    );
}

/// Who was only given a ticket loses it when a person enters a category that is another team's; who has the category keeps
/// it, and so does who replied.
#[test]
fn a_corrected_category_moves_the_ticket_unless_somebody_replied() {
    let place = shop(150);
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT group_concat(ticket_id) FROM ticket_routes WHERE agent_id = 'a'"),
        "new0,new2"
    );
    place
        .open()
        .execute_batch(
            "UPDATE tickets SET category = 'login' WHERE ticket_id = 'new0';
             UPDATE tickets SET category = 'parcel' WHERE ticket_id = 'new2'",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    let seat = |id: &str| {
        place.text(&format!(
            "SELECT team || agent_id FROM ticket_routes WHERE ticket_id = '{id}'"
        ))
    };
    assert_eq!((seat("new0"), seat("new2")), ("deskb".into(), "posta".into()));
    place
        .open()
        .execute_batch(
            "INSERT INTO replies (ticket_id, author, agent_id, body, at)
             VALUES ('new0', 'agent', 'a', 'I look into it.', 1700000000 + 61 * 86400 + 60)",
        )
        .unwrap();
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(
        place.text("SELECT agent_id FROM ticket_routes WHERE ticket_id = 'new0'"),
        "a"
    );
}

/// A network of replies learns where a language has the tickets for it, goes on the next night, and says why where it does not.
#[test]
fn a_network_of_replies_learns_goes_on_and_is_judged() {
    let place = shop(1100);
    let job = place.path("jobs/support.toml");
    let text = std::fs::read_to_string(&job).unwrap();
    let with = |steps: u32| {
        let line = |line: &str| match line.starts_with("network_steps") {
            true => format!("network_steps = {steps}"),
            false => line.to_owned(),
        };
        let lines: Vec<String> = text.lines().map(line).collect();
        std::fs::write(&job, lines.join("\n")).unwrap();
    };
    let figure = |metric: &str| {
        let sql = format!(
            "SELECT value FROM scores WHERE model = 'seq2seq' AND slice = 'en' AND metric = '{metric}'
             AND run_id = (SELECT max(run_id) FROM scores)"
        );
        place
            .open()
            .query_row(&sql, [], |row| row.get::<_, f64>(0))
            .unwrap()
    };
    with(6);
    place.ok(&["run", "support", "--quiet"]);
    assert_eq!(figure("steps"), 6.0);
    assert!(figure("tickets") >= 20.0 && (0.0..=1.0).contains(&figure("rouge_l")));
    let first = figure("perplexity");
    assert!(first.is_finite() && first > 1.0);
    let kept = "SELECT count(*) FROM clerk_artefacts WHERE name = 'support network en' AND part = 0
                AND generation = (SELECT generation FROM clerk_published WHERE family = 'support')";
    assert_eq!(place.number(kept), 1);
    // The next night goes on from there.
    place.ok(&["run", "support", "--quiet"]);
    assert!(
        figure("perplexity") < first,
        "{} after {first}",
        figure("perplexity")
    );
    // Every draft is still what agents wrote or made of it, and nothing of a note.
    assert_eq!(
        place.number("SELECT count(*) FROM ticket_drafts WHERE reply LIKE '%SECRET%'"),
        0
    );
    with(0);
    place.ok(&["run", "support", "--quiet"]);
    let why = place.text("SELECT why FROM runs ORDER BY run_id DESC LIMIT 1");
    assert!(
        why.contains("no network of replies in en: network_steps is 0"),
        "{why}"
    );
    assert_eq!(place.number(kept), 0);
}
