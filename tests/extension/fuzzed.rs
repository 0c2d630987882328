//! What the fuzzer does (tests/fuzz), with dice: queries and models with bytes changed, `NIGHTCLERK_FUZZ` of each.

use crate::build::shop;
use crate::times;
use nightclerk::recommend::sessions::kept;
use nightclerk::store::Shop;
use nightclerk::text::{Features, TfIdf, TfIdfOptions};
use std::io::Write;
use std::time::{Duration, Instant};

#[path = "../fuzz/bodies.rs"]
mod bodies;

/// Longer than this nothing takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes like others, and sometimes of two of them.
fn changed(dice: &mut fastrand::Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[dice.usize(..seeds.len())].clone();
    let other = &seeds[dice.usize(..seeds.len())];
    for _ in 0..dice.usize(1..6) {
        let at = dice.usize(..=bytes.len());
        match dice.u8(0..8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, dice.u8(..)),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let from = dice.usize(..=other.len());
                let to = (from + dice.usize(..40)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            // Lengths and numbers as they are written: seven bits a byte.
            4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.usize(..5)],
            5 => bytes.splice(at..at, [0xff; 9]).for_each(drop),
            // What stands at the beginning says how much there is of everything.
            6 if !bytes.is_empty() => {
                let near = dice.usize(..bytes.len().min(40));
                bytes[near] = dice.u8(..);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << dice.u8(..8),
            _ => {}
        }
    }
    bytes
}

/// Says what a body was given when it fails.
struct Given<'a>(&'a [u8]);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "it failed for {}", self.0.escape_ascii());
        }
    }
}

fn thrown(name: &str, seeds: &[Vec<u8>], body: impl Fn(&[u8])) {
    let mut dice = fastrand::Rng::with_seed(
        std::env::var("NIGHTCLERK_FUZZ_SEED").map_or(1, |seed| seed.parse().unwrap()),
    );
    let (count, mut slowest) = (times("NIGHTCLERK_FUZZ", 300), Duration::ZERO);
    seeds.iter().for_each(|seed| body(seed));
    for _ in 0..count {
        let bytes = changed(&mut dice, seeds);
        let (given, began) = (Given(&bytes), Instant::now());
        body(&bytes);
        slowest = slowest.max(began.elapsed());
        assert!(slowest < PATIENCE, "{name}: {slowest:?}");
        drop(given);
    }
    let _ = writeln!(
        std::io::stderr(),
        "fuzzed: {count} times {name}, the slowest {slowest:?}"
    );
}

#[test]
fn queries_of_any_bytes() {
    let seeds = [
        "where is my parcel",
        "\"my order\" OR refund -broken status:open",
        "delivrey parsel OR arived*",
        "\"my order\" OR -12-31 note:call team:a -broken",
        "created_at:2026-01-01..2026-12-31 note:call team:a \"",
        "我的订单 OR 退款 T-7 ａｂｃ ß ﬁ",
        "A-1234* - -- OR AND NOT : \" “",
    ];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    thrown("queries", &seeds, |bytes| {
        bodies::query(&String::from_utf8_lossy(bytes));
    });
}

#[test]
fn models_of_any_bytes() {
    let clerk = Shop::open_as_guest(shop()).unwrap();
    let key = clerk.models_key("recommendations", kept::NAME).unwrap().unwrap();
    let sessions = clerk
        .artefact(key.generation, kept::NAME, kept::FORMAT)
        .unwrap()
        .unwrap();
    let texts = [
        "where is my parcel",
        "我的订单还没有发货",
        "refund the lamp that arrived broken",
        "my parcel",
    ];
    let mut seeds = vec![[vec![0], sessions].concat()];
    for features in [Features::Words, Features::WordsAndCharacters] {
        let options = TfIdfOptions {
            features,
            ..TfIdfOptions::default()
        };
        let (words, rows) = TfIdf::fit(&texts, &options);
        seeds.push([vec![1], postcard::to_stdvec(&words).unwrap()].concat());
        seeds.push([vec![4], postcard::to_stdvec(&rows).unwrap()].concat());
    }
    thrown("models", &seeds, bodies::model);
}
