//! A network over sessions in the night: published where it foresees what nothing else does, kept for the next night, and
//! answering by day as the night does.

use nightclerk::pipeline::{AsOf, RecommendationOptions};
use nightclerk::recommend::sessions::kept::{self, Kept};
use nightclerk::recommend::sessions::past::{self, Past};

use crate::night::{DAY, Night, YEAR};

/// Nine aisles; who enters by door n looks at four things that all look at, each one of nine, and then goes to till n and out by
/// gate n: only the door tells which. A visit every 5,000 seconds from day `from` on, each of another visitor.
fn visits(night: &Night, from: i64, count: i64) {
    let mut dice = u64::try_from(from).unwrap() * 7919 + 1;
    let mut draw = |sides: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    night.base.execute_batch("BEGIN").unwrap();
    let sql =
        "INSERT INTO events (user_id, session_id, product_id, kind, at) VALUES (?1, ?1, ?2, 'view', ?3)";
    let mut insert = night.base.prepare(sql).unwrap();
    for visit in 0..count {
        let (visitor, at) = (format!("v{from}-{visit}"), YEAR + from * DAY + visit * 5000);
        let door = draw(9);
        let mut path = vec![format!("door{door}")];
        path.extend(["shelf", "table", "rack", "bin"].map(|place| format!("{place}{}", draw(9))));
        path.extend([format!("till{door}"), format!("gate{door}")]);
        for (step, product) in (0..).zip(path) {
            insert.execute((&visitor, product, at + step)).unwrap();
        }
    }
    drop(insert);
    night.base.execute_batch("COMMIT").unwrap();
}

fn shop() -> Night {
    let night = Night::new();
    for place in ["door", "shelf", "table", "rack", "bin", "till", "gate"] {
        for number in 0..9 {
            let sql = "INSERT INTO products (product_id, title) VALUES (?1 || ?2, ?1 || ' of the house, number ' || ?2)";
            night.base.execute(sql, (place, number)).unwrap();
        }
    }
    // Customers whose lists are worth resting on.
    night.three_tastes(150);
    visits(&night, 0, 1000);
    night
}

fn options() -> RecommendationOptions {
    RecommendationOptions {
        rnn_steps: 250,
        rnn_list_steps: 0,
        cnn_steps: 0,
        ..RecommendationOptions::default()
    }
}

/// What the latest run says of the network's learning: steps and how it began.
fn learning(night: &Night) -> (f64, String) {
    let of = "FROM scores WHERE result = 'next_products' AND slice = 'learning' AND run_id = (SELECT max(run_id) FROM scores)";
    (
        night.number(&format!("SELECT value {of}")),
        night.texts(&format!("SELECT split {of}")).remove(0),
    )
}

fn artefact(night: &Night, name: &str, format: i64) -> Option<Vec<u8>> {
    let published = night.shop.published("recommendations").unwrap().unwrap();
    night.shop.artefact(published.generation, name, format).unwrap()
}

#[test]
fn a_network_that_foresees_more_is_published_and_goes_on_the_next_night() {
    let mut night = shop();
    let outcome = night.run(options());
    assert!(
        outcome.why.contains("+rnn reaches") || outcome.why.contains("; rnn reaches"),
        "{}",
        outcome.why
    );
    let (first, begun) = learning(&night);
    assert_eq!(begun, "begun anew");
    let chosen =
        "SELECT model FROM scores WHERE result = 'next_products' AND chosen = 1 AND metric = 'mrr@20'";
    let model = night.texts(chosen).remove(0);
    assert!(model.ends_with("rnn"), "{model}");
    // Asked by day it knows the door.
    let bytes = artefact(&night, kept::NAME, kept::FORMAT).unwrap();
    let model = Kept::from_bytes(&bytes).unwrap();
    let key = |product: &str| {
        night.number(&format!(
            "SELECT product_key FROM product_keys WHERE product_id = '{product}'"
        )) as i64
    };
    let mut right = 0;
    for door in 0..9 {
        let path = [
            format!("door{door}"),
            "shelf1".into(),
            "table2".into(),
            "rack3".into(),
            "bin4".into(),
        ];
        let path: Vec<i64> = path.iter().map(|product| key(product)).collect();
        right += usize::from(model.next(&path, 1)[0].0 == key(&format!("till{door}")));
    }
    assert!(right >= 7, "{right} of 9");
    let door = key("door1");
    let one = artefact(&night, past::NAME, past::FORMAT).unwrap();
    assert!(Past::from_bytes(&one).is_ok());
    // The same night again gives the same bits.
    let again = shop();
    again.run(options());
    assert_eq!(artefact(&again, past::NAME, past::FORMAT).unwrap(), one);
    assert_eq!(artefact(&again, kept::NAME, kept::FORMAT).unwrap(), bytes);
    // A day later it goes on, with fewer steps.
    visits(&night, 61, 30);
    night.run(options());
    let (second, begun) = learning(&night);
    assert_eq!(begun, "went on from last night's");
    assert!(second < first && second > 0.0, "{second} {first}");
    // A night of a day before it must not go on from it.
    night.as_of = AsOf::At(YEAR + 25 * DAY);
    night.dry_run(options());
    // Where none may learn, what counts is published.
    night.as_of = AsOf::Data;
    visits(&night, 63, 200);
    let outcome = night.run(RecommendationOptions {
        rnn_steps: 0,
        ..options()
    });
    assert!(!outcome.why.contains("rnn"), "{}", outcome.why);
    assert_eq!(learning(&night), (0.0, "skipped: none is asked for".to_owned()));
    assert!(artefact(&night, past::NAME, past::FORMAT).is_none());
    let bytes = artefact(&night, kept::NAME, kept::FORMAT).unwrap();
    assert!(!Kept::from_bytes(&bytes).unwrap().next(&[door], 5).is_empty());
}

/// What happens from day `from` to day `to` in a shop to which four customers a day come: each buys at two doors within a minute,
/// and ten days later at the till of the second one.
fn customers(night: &Night, from: i64, to: i64) {
    let mut dice = fastrand::Rng::with_seed(7);
    night.base.execute_batch("BEGIN").unwrap();
    let sql = "INSERT INTO events (user_id, order_id, product_id, kind, at) VALUES (?1, ?1 || ?3, ?2, 'purchase', ?3)";
    let mut insert = night.base.prepare(sql).unwrap();
    for number in 0..4 * to {
        let (first, further) = (dice.i64(0..6), dice.i64(1..6));
        let second = (first + further) % 6;
        let path = [
            (format!("door{first}"), 0),
            (format!("door{second}"), 60),
            (format!("till{second}"), 10 * DAY),
        ];
        for (product, later) in path {
            let at = number * DAY / 4 + later;
            if (from * DAY..to * DAY).contains(&at) {
                insert
                    .execute((format!("c{number}"), product, YEAR + at))
                    .unwrap();
            }
        }
    }
    drop(insert);
    night.base.execute_batch("COMMIT").unwrap();
}

fn house() -> Night {
    let night = Night::new();
    for place in ["door", "till"] {
        for number in 0..6 {
            let sql = "INSERT INTO products (product_id, title) VALUES (?1 || ?2, ?1 || ' of the house, number ' || ?2)";
            night.base.execute(sql, (place, number)).unwrap();
        }
    }
    customers(&night, 0, 180);
    night
}

#[test]
fn lists_by_a_network_are_published_where_the_order_tells_and_it_goes_on_the_next_night() {
    let night = house();
    let options = || RecommendationOptions {
        rnn_steps: 0,
        cnn_steps: 0,
        rnn_list_steps: 400,
        ..RecommendationOptions::default()
    };
    let chosen =
        "SELECT model FROM scores WHERE result = 'recommendations' AND chosen = 1 AND metric = 'ndcg@10'
                  AND run_id = (SELECT max(run_id) FROM scores)";
    let learning = |night: &Night| {
        let of = "FROM scores WHERE result = 'recommendations' AND slice = 'learning'
                  AND run_id = (SELECT max(run_id) FROM scores)";
        (
            night.number(&format!("SELECT value {of}")),
            night.texts(&format!("SELECT split {of}")).remove(0),
        )
    };
    let outcome = night.run(options());
    assert_eq!(night.texts(chosen), ["blend+rnn"], "{}", outcome.why);
    assert!(
        outcome.why.contains("blend+rnn reaches NDCG@10"),
        "{}",
        outcome.why
    );
    let (first, how) = learning(&night);
    assert!(how.contains("with it on the inner cut"), "{how}");
    // Whoever has not been to a till yet is shown the right one first.
    let right = night.number(
        "WITH doors AS (SELECT user_id, product_id, max(at) FROM events GROUP BY user_id HAVING count(*) = 2)
         SELECT avg(r.product_id = replace(d.product_id, 'door', 'till'))
         FROM doors AS d JOIN recommendations AS r ON r.user_id = d.user_id AND r.rank = 1",
    );
    assert!(right > 0.9, "{right}");
    let named = "SELECT count(*) FROM recommendations WHERE model = 'blend+rnn'";
    assert!(night.number(named) > 1000.0);
    let histories = "rnn of past histories";
    let kept = artefact(&night, histories, past::FORMAT).unwrap();
    assert!(Past::from_bytes(&kept).is_ok());
    // The same night again gives the same bits.
    let lists = night.answers();
    let again = house();
    again.run(options());
    assert_eq!(again.answers(), lists);
    assert_eq!(artefact(&again, histories, past::FORMAT).unwrap(), kept);
    // A day later it rests, and the network goes on with fewer steps; the blend is judged beside it.
    customers(&night, 180, 181);
    night.run(options());
    assert_eq!(night.texts(chosen), ["blend+rnn"]);
    let (second, how) = learning(&night);
    assert_eq!(how, "went on from last night's");
    assert!(second > 0.0 && second < first, "{second} {first}");
    assert_ne!(night.answers(), lists);
    let judged = "SELECT count(*) FROM scores WHERE result = 'recommendations' AND model = 'blend' AND metric = 'ndcg@10'
                  AND run_id = (SELECT max(run_id) FROM scores)";
    assert_eq!(night.number(judged), 1.0);
    // Where none may learn, what counts is published, and nothing is kept.
    customers(&night, 181, 182);
    let outcome = night.run(RecommendationOptions {
        rnn_list_steps: 0,
        ..options()
    });
    assert_eq!(learning(&night), (0.0, "skipped: none is asked for".to_owned()));
    assert_eq!(night.texts(chosen), ["blend"], "{}", outcome.why);
    assert!(artefact(&night, histories, past::FORMAT).is_none());
}
