//! Each place by itself: what goes from it, what stays, and that no table was forgotten.

use super::super::results::{BuyAgain, Recommendation, TicketDraft, TicketNeighbour};
use super::super::{GenerationWriter, Keys, NewGeneration};
use super::*;

fn shop() -> (tempfile::TempDir, Shop) {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
    (dir, shop)
}

/// Erases in every place, in order, counting before: both must agree.
fn erase(shop: &Shop, ids: &[&str]) -> Vec<(&'static str, u64)> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let mut customers = Customers::new(&ids);
    shop.look_for_tickets(&mut customers).unwrap();
    let all = || INPUTS.iter().chain(&DERIVED);
    let counted: Vec<u64> = all()
        .map(|p| shop.count_rows_of(&customers, p).unwrap())
        .collect();
    let erased: Vec<u64> = all()
        .map(|p| shop.erase_rows_of(&customers, p).unwrap())
        .collect();
    assert_eq!(counted, erased);
    all()
        .map(|p| p.name)
        .zip(erased)
        .filter(|(_, rows)| *rows > 0)
        .collect()
}

fn generation<'s>(shop: &'s Shop, family: &str) -> GenerationWriter<'s> {
    let new = NewGeneration {
        family,
        run_id: 1,
        as_of: 0,
        exclude_bought: false,
    };
    GenerationWriter::begin(shop, &new).unwrap()
}

fn ids(shop: &Shop, sql: &str) -> String {
    let table = shop.select(sql, &[]).unwrap();
    let cells = table.rows.iter().map(|row| format!("{:?}", row[0]));
    cells.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_somebody_did_before_logging_in_goes_unless_others_share_the_session() {
    let (_dir, shop) = shop();
    shop.conn()
        .execute_batch(
            "INSERT INTO events (event_id, user_id, session_id, order_id, product_id, kind) VALUES
               (1, 'ann', 's1', NULL, 'p', 'view'), (2, NULL, 's1', NULL, 'p', 'view'), (3, NULL, NULL, 'o1', 'p', 'view'),
               (4, 'ann', '7', 'o1', 'p', 'view'), (5, 'bob', '7', NULL, 'p', 'view'), (6, NULL, '7', NULL, 'p', 'view'),
               (7, NULL, NULL, NULL, 'p', 'view'), (8, 'ann', '', '', 'p', 'view'), (9, NULL, '', '', 'p', 'view'),
               (10, 'ann2', 's2', NULL, 'p', 'view')",
        )
        .unwrap();
    assert_eq!(
        erase(&shop, &["ann"]),
        [("events before logging in", 2), ("events", 3)]
    );
    assert_eq!(
        ids(&shop, "SELECT event_id FROM events ORDER BY 1"),
        "Integer(5) Integer(6) Integer(7) Integer(9) Integer(10)"
    );
    assert!(erase(&shop, &["ann"]).is_empty());
}

#[test]
fn rejected_lines_verdicts_and_rules_go_with_the_customer() {
    let (_dir, shop) = shop();
    shop.conn()
        .execute_batch(
            "INSERT INTO clerk_rejected_rows (table_name, source, line, reason, raw) VALUES
               ('events', 'a.csv', 1, 'x', 'somebody else'), ('products', 'a.csv', 1, 'x', 'p,for ann'),
               ('products', 'a.csv', 2, 'x', 'p,for t9'), ('products', 'a.csv', 3, 'x', 'p');
             INSERT INTO tickets (ticket_id, user_id) VALUES ('t9', 'ann'), ('t8', 'bob');
             INSERT INTO replies (ticket_id, body, author) VALUES ('t9', 'x', 'note'), ('t8', 'x', 'agent');
             INSERT INTO verdicts (result, subject_id, verdict) VALUES ('ticket_drafts', 't9', 'edited'),
               ('ticket_drafts', 't8', 'edited'), ('recommendations', 'ann', 'rejected'), ('price_advice', 'ann', 'rejected');
             INSERT INTO rules (kind, user_id) VALUES ('block', 'ann'), ('block', 'bob'), ('block', NULL);
             INSERT INTO users (user_id) VALUES ('ann'), ('bob')",
        )
        .unwrap();
    let expected = [
        ("rejected_rows", 3),
        ("verdicts", 2),
        ("rules", 1),
        ("replies", 1),
        ("tickets", 1),
        ("users", 1),
    ];
    assert_eq!(erase(&shop, &["ann"]), expected);
    assert_eq!(ids(&shop, "SELECT ticket_id FROM replies"), "Text(\"t8\")");
}

#[test]
fn lists_go_and_the_generation_stays_whole() {
    let (_dir, shop) = shop();
    let product = shop.keys(Keys::Product, &["p"]).unwrap()[0];
    let users = shop.keys(Keys::User, &["ann", "bob"]).unwrap();
    let mut writer = generation(&shop, "recommendations");
    let of = |user_key, rank| Recommendation {
        user_key,
        rank,
        product_key: product,
        score: 1.0,
        model_key: 1,
        because_key: None,
    };
    writer
        .write([of(users[0], 1), of(users[0], 2), of(users[1], 1)])
        .unwrap();
    let again = BuyAgain {
        user_key: users[0],
        rank: 1,
        product_key: product,
        score: 1.0,
        due_day: None,
    };
    writer.write([again]).unwrap();
    // What learned from everybody's sessions goes whole; tuned numbers name nobody.
    let learned = ["sessions", "rnn of the past", "rnn of past histories", "memory"];
    for name in learned {
        writer.artefact(name, 1, name.as_bytes()).unwrap();
    }
    let number = writer.publish("test").unwrap();
    let expected = [
        ("recommendations", 2),
        ("buy_again", 1),
        ("user_keys", 1),
        ("sessions remembered", 3),
    ];
    assert_eq!(erase(&shop, &["ann"]), expected);
    assert_eq!(ids(&shop, "SELECT name FROM clerk_artefacts"), "Text(\"memory\")");
    assert!(shop.is_intact(number).unwrap());
    assert_eq!(shop.keys(Keys::User, &["bob"]).unwrap(), [users[1]]);
}

#[test]
fn answers_that_quote_go_and_others_stay() {
    let (_dir, shop) = shop();
    shop.conn()
        .execute_batch(
            "INSERT INTO tickets (ticket_id, user_id) VALUES ('t1', 'ann'), ('t2', 'bob'), ('t3', 'bob'), ('t4', 'bob'),
               ('t5', 'bob'), ('t6', 'bob');
             INSERT INTO replies (reply_id, ticket_id, body) VALUES (11, 't1', 'x'), (12, 't2', 'x')",
        )
        .unwrap();
    let mut writer = generation(&shop, "support");
    let draft = |ticket_id: &str, sources: &str| TicketDraft {
        ticket_id: ticket_id.into(),
        reply_to: None,
        replies_seen: 0,
        decision: "suggest".into(),
        reply: Some("x".into()),
        confidence: 0.5,
        sources: sources.into(),
        drafted_at: 0,
    };
    writer
        .write([
            draft("t1", "[]"),
            draft(
                "t2",
                r#"[{"table":"articles","id":"t1"},{"table":"replies","id":"12"}]"#,
            ),
            draft(
                "t3",
                r#"[{"table":"tickets","id":"t2"},{"table":"tickets","id":"t1"}]"#,
            ),
            draft("t4", r#"[{"table":"replies","id":"11"}]"#),
            draft("t5", "no JSON"),
            draft("t6", r#"[{"table":"tickets","id":"deleted by the application"}]"#),
        ])
        .unwrap();
    let near = |ticket_id: &str, rank, other: &str| TicketNeighbour {
        ticket_id: ticket_id.into(),
        rank,
        neighbour_ticket_id: other.into(),
        distance: 0.5,
    };
    writer
        .write([near("t1", 1, "t2"), near("t2", 1, "t1"), near("t2", 2, "t3")])
        .unwrap();
    let number = writer.publish("test").unwrap();
    // By day the same.
    shop.conn()
        .execute_batch(
            r#"INSERT INTO clerk_day_routes (ticket_id, generation, seen, decision, why, routed_at)
               VALUES ('t1', 1, 0, 'route', '', 0), ('t2', 1, 0, 'route', '', 0);
               INSERT INTO clerk_day_neighbours VALUES ('t1', 1, 1, 't2', 0.5), ('t2', 1, 1, 't1', 0.5), ('t2', 1, 2, 't3', 0.5);
               INSERT INTO clerk_day_drafts (ticket_id, generation, replies_seen, decision, confidence, sources, drafted_at) VALUES
                 ('t2', 1, 0, 'suggest', 0.5, '[{"table":"replies","id":"12"}]', 0),
                 ('t3', 1, 0, 'suggest', 0.5, '[{"table":"tickets","id":"t1"}]', 0),
                 ('t4', 1, 0, 'suggest', 0.5, '[{"table":"replies","id":"11"}]', 0),
                 ('t5', 1, 0, 'suggest', 0.5, 'no JSON', 0)"#,
        )
        .unwrap();
    let expected = [
        ("replies", 1),
        ("tickets", 1),
        ("ticket_neighbours", 2),
        ("ticket_drafts", 5),
        ("ticket_routes by day", 1),
        ("ticket_neighbours by day", 2),
        ("ticket_drafts by day", 3),
    ];
    assert_eq!(erase(&shop, &["ann"]), expected);
    assert_eq!(
        ids(&shop, "SELECT ticket_id FROM clerk_ticket_drafts"),
        "Text(\"t2\")"
    );
    for sql in [
        "SELECT ticket_id FROM clerk_day_drafts",
        "SELECT ticket_id FROM clerk_day_routes",
        "SELECT ticket_id FROM clerk_day_neighbours",
    ] {
        assert_eq!(ids(&shop, sql), "Text(\"t2\")", "{sql}");
    }
    assert!(shop.is_intact(number).unwrap());
}

#[test]
fn nobody_is_known_by_a_part_of_another_id() {
    let (_dir, shop) = shop();
    shop.conn()
        .execute_batch(
            "INSERT INTO users (user_id) VALUES ('U12');
             INSERT INTO clerk_rejected_rows (table_name, source, line, reason, raw) VALUES ('events', 'a', 1, 'x', 'U34;view')",
        )
        .unwrap();
    let of = |id: &str| shop.unknown_customers(&Customers::new(&[id.to_owned()])).unwrap();
    assert!(of("U12").is_empty() && of("U34").is_empty());
    for id in ["U1", "u12", "U3", "34", "%", "view'"] {
        assert_eq!(of(id), [id]);
    }
    assert!(names("a;退款,U34", "U34") && !names("xU34", "U34") && !names("U34", ""));
}

#[test]
fn the_mark_outlives_whoever_made_it_and_names_nobody() {
    let (_dir, shop) = shop();
    assert!(!shop.is_erasing().unwrap());
    shop.begin_erasing().unwrap();
    shop.begin_erasing().unwrap();
    assert!(shop.again().unwrap().is_erasing().unwrap());
    shop.end_erasing().unwrap();
    assert!(!shop.is_erasing().unwrap());
}

#[test]
fn writing_anew_can_be_stopped_and_gives_space_back() {
    let (_dir, mut shop) = shop();
    let rows = (0..30_000).map(|i: i64| vec![super::super::Value::from(format!("a customer called {i}"))]);
    shop.fill("users", &["user_id"], rows).unwrap();
    shop.conn()
        .execute("DELETE FROM users WHERE rowid % 10 > 0", [])
        .unwrap();
    let wait = std::time::Duration::ZERO;
    assert_eq!(shop.truncate_wal(wait, || false).unwrap(), Truncated::Yes);
    let before = shop.size();
    let said = shop.write_anew(|| true).unwrap_err().to_string();
    assert!(said.contains("it is as before"), "{said}");
    shop.write_anew(|| false).unwrap();

    let reader = shop.again().unwrap();
    reader
        .conn()
        .execute_batch("BEGIN; SELECT count(*) FROM users")
        .unwrap();
    shop.begin_erasing().unwrap();
    let held = shop.truncate_wal(wait, || false).unwrap();
    assert!(matches!(held, Truncated::Held(bytes) if bytes > 0), "{held:?}");
    reader.conn().execute_batch("COMMIT").unwrap();
    assert_eq!(shop.truncate_wal(wait, || false).unwrap(), Truncated::Yes);
    assert!(shop.size() < before, "{} after {before}", shop.size());
    let kind: i64 = shop
        .conn()
        .pragma_query_value(None, "auto_vacuum", |r| r.get(0))
        .unwrap();
    assert_eq!(kind, 2, "it stays incremental");
}

/// Whoever adds a table says here whether a customer can stand in it.
#[test]
fn every_table_is_a_place_or_holds_no_customer() {
    const NO_CUSTOMER: [&str; 30] = [
        "settings",
        "products",
        "prices",
        "drivers",
        "agents",
        "articles",
        "synonyms",
        "run_requests",
        "product_keys",
        "seller_keys",
        "model_keys",
        "clerk_jobs",
        "clerk_turns",
        "clerk_leader",
        "clerk_runs",
        "clerk_run_drops",
        "clerk_generations",
        "clerk_published",
        "clerk_scores",
        "clerk_report_card",
        "clerk_shelf",
        "clerk_price_archive",
        "clerk_price_forecasts",
        "clerk_price_models",
        "clerk_price_stats",
        "clerk_price_elasticities",
        "clerk_price_whatif",
        "clerk_price_advice",
        "clerk_visitor_recommendations",
        "clerk_popular_products",
    ];
    // Pages of products: keys of products alone. The outbox is emptied as a whole.
    const BY_PRODUCT: [&str; 4] = [
        "clerk_similar_products",
        "clerk_bought_together",
        "clerk_next_products",
        "outbox",
    ];
    let (_dir, shop) = shop();
    let tables = shop
        .select(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            &[],
        )
        .unwrap();
    let all = INPUTS.iter().chain(&DERIVED).chain(&MODELS).chain(&CHECKPOINTS);
    let statements: Vec<&str> = all.flat_map(|place| place.delete).copied().collect();
    for row in &tables.rows {
        let super::super::Value::Text(table) = &row[0] else {
            panic!("{row:?}")
        };
        let erased = statements
            .iter()
            .any(|sql| sql.contains(&format!("DELETE FROM {table} WHERE")));
        let free = NO_CUSTOMER.contains(&table.as_str()) || BY_PRODUCT.contains(&table.as_str());
        assert!(
            erased != free,
            "{table}: erased {erased}, free of customers {free}"
        );
    }
    assert!(tables.rows.len() > 40);
}
