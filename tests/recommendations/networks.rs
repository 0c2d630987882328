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
        cnn_steps: 0,
        ..RecommendationOptions::default()
    }
}

/// What the latest run says of the network's learning: steps and how it began.
fn learning(night: &Night) -> (f64, String) {
    let of = "FROM scores WHERE slice = 'learning' AND run_id = (SELECT max(run_id) FROM scores)";
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
