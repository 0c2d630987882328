//! From night to night: what is remembered, and what is not.

use nightclerk::pipeline::{AsOf, Purpose, RecommendationOptions};

use crate::night::{DAY, Night, YEAR, options};

fn shop(customers: u32) -> Night {
    let night = Night::new();
    night.three_tastes(customers);
    night
}

fn happens(night: &Night, day: i64) {
    let sql = "INSERT INTO events (user_id, order_id, product_id, kind, at) VALUES ('c000', ?1, 'tea19', 'purchase', ?2)";
    let order = format!("late{day}");
    night.base.execute(sql, (order, YEAR + day * DAY)).unwrap();
}

/// Points that tuning tried in the latest run; None = it tuned nothing.
fn tried(night: &Night) -> Option<String> {
    let sql = "SELECT CAST(value AS TEXT) FROM scores WHERE run_id = (SELECT max(run_id) FROM scores) AND slice = 'tuning'
               AND metric = 'evaluations'";
    night.texts(sql).pop()
}

#[test]
fn another_purpose_begins_afresh() {
    let (changed, fresh) = (shop(120), shop(120));
    changed.run(options(Purpose::NextWeeks));
    let outcome = changed.run(options(Purpose::Basket));
    assert!(
        outcome.why.contains("tuned afresh for another purpose"),
        "{}",
        outcome.why
    );
    fresh.run(options(Purpose::Basket));
    assert!(tried(&fresh).is_some());
    assert_eq!(tried(&changed), tried(&fresh), "not the full budget");
    assert_eq!(changed.lists(), fresh.lists());
}

#[test]
fn what_could_not_be_tuned_is_not_remembered() {
    let (grown, fresh) = (shop(12), shop(12));
    let outcome = grown.run(options(Purpose::NextWeeks));
    assert!(outcome.why.contains("too little data"), "{}", outcome.why);
    assert_eq!(tried(&grown), None);
    for night in [&grown, &fresh] {
        night.multiply(12);
        night.run(options(Purpose::NextWeeks));
    }
    assert!(tried(&fresh).is_some());
    assert_eq!(tried(&grown), tried(&fresh), "not the full budget");
    assert_eq!(grown.lists(), fresh.lists());
}

#[test]
fn a_night_that_looks_back_knows_nothing_of_later_days() {
    let (mut later, mut fresh) = (shop(150), shop(150));
    later.run(options(Purpose::NextWeeks));
    let figures = |night: &Night| {
        night.texts(
            "SELECT model || ' ' || metric || ' ' || value FROM scores WHERE run_id = (SELECT max(run_id) FROM scores)
             AND result = 'recommendations' ORDER BY 1",
        )
    };
    let [back, alone] = [&mut later, &mut fresh].map(|night| {
        night.as_of = AsOf::At(YEAR + 40 * DAY);
        night.dry_run(options(Purpose::NextWeeks));
        (tried(night), figures(night))
    });
    assert!(alone.0.is_some() && alone.1.len() > 50, "{alone:?}");
    assert_eq!(back, alone);
}

#[test]
fn a_quiet_night_rests_and_a_grown_shop_is_tuned_again() {
    let night = shop(150);
    night.run(options(Purpose::Basket));
    assert!(tried(&night).is_some());
    let why = |outcome: nightclerk::pipeline::Outcome| outcome.why;
    for quiet in 1..3 {
        happens(&night, 60 + quiet);
        let why = why(night.run(options(Purpose::Basket)));
        assert!(
            why.contains(&format!("by numbers tuned {quiet} night(s) ago")),
            "{why}"
        );
        assert_eq!(tried(&night), None);
        // What is published is measured beside the naive answers, alone.
        let models = night.texts(
            "SELECT DISTINCT model FROM scores WHERE run_id = (SELECT max(run_id) FROM scores) AND slice = ''
             AND result = 'recommendations' ORDER BY model LIKE 'popularity%', model",
        );
        assert_eq!(models.len(), 3, "{models:?}");
        assert_eq!(
            night.texts("SELECT DISTINCT model FROM recommendations WHERE because_product_id > '' AND model <> 'new_products'"),
            models[..1]
        );
        assert_eq!(
            night.number(
                "SELECT count(*) FROM recommendations WHERE user_id = 'c000' AND product_id = 'tea19'"
            ),
            0.0
        );
    }
    night.multiply(2);
    let why = why(night.run(options(Purpose::Basket)));
    assert!(!why.contains("by numbers tuned"), "{why}");
    assert!(tried(&night).is_some());
    let published =
        "SELECT count(*) FROM scores WHERE run_id = (SELECT max(run_id) FROM scores) AND model = 'published'
                     AND result = 'recommendations' AND metric = 'ndcg@10'";
    assert_eq!(night.number(published), 1.0);
}

#[test]
fn every_fourteenth_night_is_tuned_again() {
    let night = shop(60);
    let tuned: Vec<bool> = (0..15)
        .map(|day| {
            happens(&night, 61 + day);
            night.run(options(Purpose::Basket));
            tried(&night).is_some()
        })
        .collect();
    let expected: Vec<bool> = (0..15).map(|day| day % 14 == 0).collect();
    assert_eq!(tuned, expected);
}

#[test]
fn scores_say_what_ease_was_fitted_on_and_what_the_choice_is_worth() {
    let night = shop(150);
    night.run(RecommendationOptions {
        ease_products: 20,
        ..options(Purpose::Basket)
    });
    let split = |model: &str| {
        let sql =
            "SELECT DISTINCT split FROM scores WHERE result = 'recommendations' AND slice = '' AND model = ";
        night.texts(&format!("{sql} '{model}'")).join("|")
    };
    assert!(
        split("ease").contains("; EASE on the 20 most bought of "),
        "{}",
        split("ease")
    );
    assert!(split("ease_baskets").contains("; EASE over baskets on the 10 most bought of "));
    assert!(!split("als").contains("EASE"));
    assert!(
        split("choice, cross-fitted").ends_with("chosen on one half of the customers, measured on the other")
    );
    let tuning = night
        .texts("SELECT DISTINCT split FROM scores WHERE slice = 'tuning'")
        .join("|");
    assert!(tuning.contains("EASE on the 20 most bought of"), "{tuning}");
}
