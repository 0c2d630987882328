//! The network in the night: learned, judged, kept, taken up again; and left alone where it has too little.

use super::tests::seen;
use super::*;
use crate::pipeline::{AsOf, Brief, Outcome, Watch};
use crate::store::Shop;
use std::sync::Arc;

struct Nobody;

impl crate::fit::Progress for Nobody {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

impl Watch for Nobody {
    fn stage(&self, _: crate::pipeline::Stage) {}
}

/// Seventy prices that are set to something new on three days of four.
fn shop(folder: &std::path::Path, days: i64) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut random = fastrand::Rng::with_seed(9);
    let mut sql = String::from("BEGIN;");
    for product in 0..70 {
        let mut price = 50.0;
        for day in 0..days {
            if random.f64() < 0.75 {
                price *= 0.95 + 0.1 * random.f64();
            }
            sql += &format!(
                "INSERT INTO prices VALUES ('p{product:02}', '', {}, {price}, 0);",
                day * 86_400
            );
        }
    }
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    shop
}

fn night(shop: &Shop, lstm_steps: u64) -> Outcome {
    let brief = Brief {
        shop,
        run: shop.begin_run("prices", None, 1).unwrap(),
        now: 1_800_000_000,
        as_of: AsOf::Data,
        seed: 1,
        control: crate::fit::Control::unbounded(),
        dry_run: false,
        publish_older: false,
        watch: Arc::new(Nobody),
    };
    let options = PriceOptions {
        horizon: 7,
        lstm_steps,
        ..PriceOptions::default()
    };
    crate::pipeline::run(&Prices { options }, brief).unwrap()
}

const SAID: &str =
    "SELECT split FROM scores WHERE model = 'lstm' AND metric = 'steps' ORDER BY run_id DESC LIMIT 1";

#[test]
fn the_next_night_goes_on_from_what_this_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path(), 1096);
    let first = night(&shop, 100).generation.unwrap();
    let said = seen(&shop, SAID);
    assert!(said.contains("begun anew: there was none before"), "{said}");
    let kept = |generation| {
        ["lstm of the past", "lstm of tonight"]
            .map(|name| shop.artefact(generation, name, 1).unwrap().unwrap().len())
    };
    assert!(kept(first).iter().all(|bytes| *bytes > 50_000));
    // Every way of judging a model is in the scores, and what nobody can know is left to the last price.
    for metric in ["mase", "mae", "skill", "coverage80"] {
        let count = format!(
            "SELECT count(*) FROM scores WHERE model = 'lstm' AND metric = '{metric}' AND slice = ''"
        );
        assert_eq!(seen(&shop, &count), seen(&shop, "SELECT 1"), "{metric}");
    }
    assert_eq!(
        seen(&shop, "SELECT count(*) FROM price_models WHERE model = 'lstm'"),
        seen(&shop, "SELECT 0")
    );
    let second = night(&shop, 100).generation.unwrap();
    let said = seen(&shop, SAID);
    assert!(said.matches("went on from last night's").count() == 2, "{said}");
    // Damage is said, and mended by the night itself.
    shop.conn()
        .execute_batch(&format!(
            "UPDATE clerk_artefacts SET bytes = zeroblob(length(bytes)) WHERE generation = {second} AND name LIKE 'lstm%'"
        ))
        .unwrap();
    night(&shop, 100);
    let said = seen(&shop, SAID);
    assert!(
        said.matches("these bytes are no network of ours").count() == 2,
        "{said}"
    );
}

#[test]
fn a_small_shop_is_told_why_it_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path(), 100);
    let generation = night(&shop, 100).generation.unwrap();
    let said = seen(&shop, SAID);
    assert!(
        said.contains("skipped: 70 series with") && said.contains("a network needs 50 with 50000"),
        "{said}"
    );
    assert_eq!(shop.artefact(generation, "lstm of tonight", 1).unwrap(), None);
    night(&shop, 0);
    assert!(seen(&shop, SAID).contains("skipped: its budget of steps is 0"));
}
