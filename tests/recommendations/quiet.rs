//! Quiet nights: nothing changed, nothing done; and whatever changes is seen.

use nightclerk::pipeline::{AlreadyBought, Purpose, RecommendationOptions, Weights};

use crate::night::{DAY, Night, YEAR, options};

/// A small shop whose night is done.
fn published() -> Night {
    let night = Night::new();
    night.three_tastes(12);
    night
        .base
        .execute_batch(
            "INSERT INTO users (user_id, country, language) VALUES ('c000', 'DE', 'de'), ('c001', 'FR', NULL);
             INSERT INTO rules (kind, product_id, value) VALUES ('pin', 'tea03', 3);
             UPDATE products SET in_stock = 5, price = 2;",
        )
        .unwrap();
    let outcome = night.run(options(Purpose::NextWeeks));
    assert!(outcome.generation.is_some(), "{outcome:?}");
    night
}

/// Runs once more: whether it did the work, or found nothing changed.
fn works(night: &Night, options: &RecommendationOptions) -> bool {
    let before = night.number("SELECT generation FROM clerk_published");
    let outcome = night.run(options.clone());
    let after = night.number("SELECT generation FROM clerk_published");
    assert_eq!(outcome.generation.is_some(), after > before, "{outcome:?}");
    assert_eq!(
        outcome.generation.is_none(),
        outcome.why.starts_with("nothing changed"),
        "{outcome:?}"
    );
    outcome.generation.is_some()
}

#[test]
fn an_unchanged_night_is_skipped_and_any_change_of_an_input_is_seen() {
    let night = published();
    let options = options(Purpose::NextWeeks);
    let answers = night.answers();
    assert!(!works(&night, &options));
    assert_eq!(answers, night.answers());
    let seen = [
        "INSERT INTO events (event_id, user_id, product_id, kind, at) VALUES (99999, 'c003', 'tea01', 'view', 1767300000)",
        "UPDATE events SET quantity = 2 WHERE event_id = 99999",
        "UPDATE events SET at = at + 1 WHERE event_id = 99999",
        "UPDATE events SET kind = 'cart' WHERE event_id = 99999",
        "UPDATE events SET product_id = 'tea02' WHERE event_id = 99999",
        "UPDATE events SET user_id = 'c004' WHERE event_id = 99999",
        "UPDATE events SET order_id = 'x' WHERE event_id = 99999",
        // The same number of events and the same largest id.
        "DELETE FROM events WHERE event_id = 1; INSERT INTO events (event_id, user_id, product_id, kind, at)
         VALUES (1, 'c004', 'tea02', 'purchase', 1767300000)",
        "DELETE FROM events WHERE event_id = 99999",
        "INSERT INTO products (product_id, title) VALUES ('lamp', 'a lamp')",
        "UPDATE products SET title = 'the lamp' WHERE product_id = 'lamp'",
        "UPDATE products SET price = 3 WHERE product_id = 'tea00'",
        "UPDATE products SET in_stock = 0 WHERE product_id = 'tea00'",
        "UPDATE products SET in_stock = 1 WHERE product_id = 'tea00'",
        "UPDATE products SET hidden = 1 WHERE product_id = 'tea00'",
        "UPDATE products SET category = 'lamps' WHERE product_id = 'lamp'",
        "UPDATE products SET group_id = 'g' WHERE product_id IN ('tea01', 'tea02')",
        "UPDATE products SET created_at = 1767225600 WHERE product_id = 'lamp'",
        "DELETE FROM products WHERE product_id = 'lamp'",
        "INSERT INTO users (user_id, country) VALUES ('c005', 'DE')",
        "UPDATE users SET language = 'fr' WHERE user_id = 'c001'",
        "DELETE FROM users WHERE user_id = 'c005'",
        "INSERT INTO rules (rule_id, kind, product_id) VALUES (50, 'block', 'tea05')",
        "UPDATE rules SET value = 1 WHERE kind = 'pin'",
        "UPDATE rules SET enabled = 0 WHERE rule_id = 50",
        "DELETE FROM rules WHERE kind = 'pin'",
        "INSERT INTO settings (name, value) VALUES ('history_days', '30')",
        "UPDATE settings SET value = '29' WHERE name = 'history_days'",
    ];
    for change in seen {
        night.base.execute_batch(change).unwrap();
        assert!(works(&night, &options), "not seen: {change}");
        assert!(!works(&night, &options), "seen twice: {change}");
    }
    let unseen = [
        "UPDATE products SET in_stock = 4 WHERE in_stock = 5",
        "UPDATE products SET updated_at = 1",
        "INSERT INTO tickets (ticket_id, body) VALUES ('t', 'where is my parcel')",
        "INSERT INTO prices (product_id, at, price) VALUES ('tea00', 1767225600, 2)",
        "INSERT INTO rules (kind, product_id, enabled) VALUES ('block', 'tea06', 0)",
        "DELETE FROM rules WHERE rule_id = 50",
        "UPDATE events SET rating = rating, source_id = 'mine' WHERE event_id = 2",
    ];
    for change in unseen {
        night.base.execute_batch(change).unwrap();
        assert!(!works(&night, &options), "worked for nothing: {change}");
    }
}

#[test]
fn options_and_the_seed_are_inputs() {
    let mut night = published();
    let given = options(Purpose::NextWeeks);
    let changed = [
        RecommendationOptions {
            per_user: 16,
            ..given.clone()
        },
        RecommendationOptions {
            purpose: Purpose::Basket,
            ..given.clone()
        },
        RecommendationOptions {
            already_bought: AlreadyBought::Allow,
            ..given.clone()
        },
        RecommendationOptions {
            category_cap: 2,
            ..given.clone()
        },
        RecommendationOptions {
            diversity: 0.1,
            ..given.clone()
        },
        RecommendationOptions {
            new_products: 0.1,
            ..given.clone()
        },
        RecommendationOptions {
            weights: Weights {
                view: 0.2,
                ..Weights::default()
            },
            ..given.clone()
        },
    ];
    for options in &changed {
        assert!(works(&night, options), "{options:?}");
        assert!(!works(&night, options), "{options:?}");
    }
    night.seed = 2;
    assert!(works(&night, &changed[0]));
    assert!(!works(&night, &changed[0]));
}

#[test]
fn time_alone_can_be_a_change() {
    let mut night = published();
    let options = options(Purpose::NextWeeks);
    let tomorrow = night.now + DAY;
    night
        .base
        .execute(
            "INSERT INTO rules (kind, product_id, from_at, until_at) VALUES ('block', 'tea01', ?1, ?2)",
            (tomorrow, tomorrow + DAY),
        )
        .unwrap();
    // A rule that is not yet in force is none; it comes, it goes, and each time a night has work.
    assert!(!works(&night, &options));
    for (now, work) in [
        (tomorrow - 1, false),
        (tomorrow, true),
        (tomorrow + DAY - 1, false),
        (tomorrow + DAY, true),
    ] {
        night.now = now;
        assert_eq!(works(&night, &options), work, "{}", now - tomorrow);
    }
    // An event of the future is counted as left out now, and an event tomorrow.
    night
        .base
        .execute(
            "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c001', 'tea04', 'purchase', ?1)",
            [night.now + DAY],
        )
        .unwrap();
    assert!(works(&night, &options));
    assert!(!works(&night, &options));
    night.now += DAY;
    assert!(works(&night, &options));
    assert!(YEAR < night.now);
}

#[test]
fn what_is_damaged_is_made_anew() {
    let night = published();
    let options = options(Purpose::NextWeeks);
    for damage in [
        "DELETE FROM clerk_popular_products WHERE rank = 2 AND category = ''",
        "DELETE FROM clerk_recommendations WHERE rank = 1 AND generation = (SELECT generation FROM clerk_published)",
        "UPDATE clerk_artefacts SET bytes = x'00' WHERE name = 'fingerprint'",
        "UPDATE clerk_artefacts SET bytes = x'00' WHERE name <> 'fingerprint'",
        "DELETE FROM clerk_artefacts WHERE name = 'sessions'", // as an erasure does
    ] {
        night.base.execute_batch(damage).unwrap();
        assert!(works(&night, &options), "not seen: {damage}");
        assert!(!works(&night, &options));
    }
    // A dry run computes and measures, whatever is published.
    let before = night.number("SELECT count(*) FROM scores");
    let outcome = night.dry_run(options);
    assert!(outcome.why.starts_with("dry run"), "{outcome:?}");
    assert!(night.number("SELECT count(*) FROM scores") > before);
}
