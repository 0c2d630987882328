//! The network of replies from night to night: what it goes on from, and what makes it begin anew.

use super::super::{AsOf, Brief, Outcome, Stage, SupportOptions, Watch};
use super::knowledge::{FORMAT, network_name};
use super::{Support, written::Network};
use crate::fit::{Control, Progress};
use crate::store::{GenerationWriter, NewGeneration, Shop, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

const BEGUN: i64 = 1_700_000_000;
const DAY: i64 = 86_400;

/// Listens; sets the flag when a stage begins.
struct Ear(Option<(Stage, Arc<AtomicBool>)>);

impl Progress for Ear {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

impl Watch for Ear {
    fn stage(&self, stage: Stage) {
        if let Some((wanted, flag)) = &self.0 {
            flag.fetch_or(*wanted == stage, Ordering::Relaxed);
        }
    }
}

/// 2,150 answered tickets, one a minute, of two matters in one category (so that no classifier is tried), and one that waits.
fn shop(folder: &std::path::Path) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut sql = String::from("BEGIN;");
    for i in 0..2150 {
        let (text, reply) = match i % 2 {
            0 => (
                "where is my parcel and when does it come",
                "The courier brings your parcel tomorrow.",
            ),
            _ => (
                "i cannot log in because my password is wrong",
                "Use the link to choose a new password.",
            ),
        };
        let filler = ["hello", "please help", "thanks", "it is urgent", "again"][i * 7 % 5];
        let at = BEGUN + i as i64 * 60;
        sql += &format!(
            "INSERT INTO tickets (ticket_id, body, status, category, created_at, closed_at)
             VALUES ('t{i:04}', '{filler} {text}', 'closed', 'c', {at}, {at} + 40);
             INSERT INTO replies (ticket_id, author, agent_id, body, at) VALUES ('t{i:04}', 'agent', 'a', '{reply}', {at} + 20);"
        );
    }
    sql += &format!(
        "INSERT INTO tickets (ticket_id, body, created_at) VALUES ('open', 'hello where is my parcel', {BEGUN} + 2 * {DAY});"
    );
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    shop
}

fn night_with(shop: &Shop, as_of: AsOf, control: Control, ear: Ear) -> anyhow::Result<Outcome> {
    let brief = Brief {
        shop,
        run: shop.begin_run("support", None, 1).unwrap(),
        now: BEGUN + 10 * DAY,
        as_of,
        seed: 1,
        control,
        dry_run: false,
        publish_older: true,
        watch: Arc::new(ear),
    };
    let options = SupportOptions {
        network_steps: 2,
        ..SupportOptions::default()
    };
    crate::pipeline::run(&Support { options }, brief)
}

/// A night, and how its network began.
fn night(shop: &Shop, as_of: AsOf) -> String {
    let outcome = night_with(shop, as_of, Control::unbounded(), Ear(None)).unwrap();
    assert!(outcome.generation.is_some(), "{outcome:?}");
    let sql =
        "SELECT split FROM scores WHERE model = 'seq2seq' AND metric = 'steps' ORDER BY run_id DESC LIMIT 1";
    match &shop.select(sql, &[]).unwrap().rows[0][0] {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// The published generation once more, its network's numbers as large as there are and every checksum right.
fn with_huge_numbers(shop: &Shop) {
    let published = shop.published("support").unwrap().unwrap();
    let new = NewGeneration {
        family: "support",
        run_id: shop.begin_run("support", None, 1).unwrap().run_id,
        as_of: published.as_of.unwrap(),
        exclude_bought: false,
    };
    let sql = format!(
        "SELECT DISTINCT name FROM clerk_artefacts WHERE generation = {} ORDER BY 1",
        published.generation
    );
    let names = shop.select(&sql, &[]).unwrap().rows;
    let mut generation = GenerationWriter::begin(shop, &new).unwrap();
    for name in names {
        let Value::Text(name) = &name[0] else {
            panic!("{name:?}")
        };
        let mut bytes = shop
            .artefact(published.generation, name, FORMAT)
            .unwrap()
            .unwrap();
        if *name == network_name("en") {
            let network = Network::from_bytes(&bytes).unwrap();
            let inner = network.seq2seq.to_bytes();
            let at = bytes.len() - inner.len();
            let file = at + 8 + u64::from_le_bytes(inner[..8].try_into().unwrap()) as usize;
            let floats = bytes.len() - 4 * 400_000;
            bytes[floats..]
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .for_each(|b| *b = f32::MAX.to_le_bytes());
            let sum = xxh3_128(&bytes[file + 32..]).to_le_bytes();
            bytes[file + 16..file + 32].copy_from_slice(&sum);
        }
        generation.artefact(name, FORMAT, &bytes).unwrap();
    }
    generation.publish("huge").unwrap();
}

#[test]
fn a_network_knows_neither_the_future_nor_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    assert_eq!(night(&shop, AsOf::Data), "begun anew: there was none before");
    assert_eq!(night(&shop, AsOf::Data), "went on from last night's");
    // As of a day when the newest tickets had not come yet, their words are not known either.
    let earlier = AsOf::At(BEGUN + 2120 * 60);
    assert_eq!(night(&shop, earlier), "begun anew: last night's knew too much");
    assert_eq!(night(&shop, AsOf::Data), "went on from last night's");
    // A ticket that only decided when to stop is gone: what it decided goes, too.
    let checked = (0..2000)
        .map(|i| format!("t{i:04}"))
        .find(|id| xxh3_64(id.as_bytes()).is_multiple_of(20))
        .unwrap();
    shop.conn()
        .execute_batch(&format!(
            "DELETE FROM replies WHERE ticket_id = '{checked}'; DELETE FROM tickets WHERE ticket_id = '{checked}'"
        ))
        .unwrap();
    assert_eq!(
        night(&shop, AsOf::Data),
        "begun anew: a ticket that it learned from is gone"
    );
    // Numbers beyond measure cost a beginning, not the night.
    with_huge_numbers(&shop);
    assert_eq!(
        night(&shop, AsOf::Data),
        "begun anew: last night's makes no sense"
    );
    // Somebody who waits for the end of a night is heard while drafts are written.
    let flag = Arc::new(AtomicBool::new(false));
    let control = Control::unbounded().with_cancel(flag.clone());
    let stopped = night_with(&shop, AsOf::Data, control, Ear(Some((Stage::Evaluate, flag))));
    let stopped = format!("{:#}", stopped.unwrap_err());
    assert!(
        stopped.contains("step evaluate") && stopped.contains("cancelled"),
        "{stopped}"
    );
}
