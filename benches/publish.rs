//! What a checkout feels while a night publishes: one process inserts 500 events a second, each in a transaction of
//! its own, while another publishes generations of recommendations; and the same loop with nobody publishing, in
//! turns, in the same run. `cargo bench --bench publish` prints one table. Figures asked: p99 at most 8 ms more, our
//! longest write transaction at most 10 ms.

#![allow(missing_docs, clippy::print_stdout)]

use nightclerk::store::results::Recommendation;
use nightclerk::store::{GenerationWriter, Keys, NewGeneration, Shop};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const USERS: usize = 2000;
const PER_USER: usize = 100;
const EVERY: Duration = Duration::from_millis(2);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--publisher") {
        publisher(Path::new(&arguments[at + 1]));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    drop(Shop::create(&path).unwrap());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let mut longest = 0.0f64;
    for round in 0..ROUNDS {
        let until = Instant::now() + Duration::from_secs(4);
        alone.extend(checkout(&path, || Instant::now() < until));
        let mut child = Command::new(&arguments[0])
            .args(["--publisher", path.to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        beside.extend(checkout(&path, || child.try_wait().unwrap().is_none()));
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        longest = longest.max(
            said.trim()
                .parse::<f64>()
                .unwrap_or_else(|_| panic!("publisher said {said:?}")),
        );
        eprintln!("round {} of {ROUNDS}", round + 1);
    }
    println!(
        "{:22} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "inserts, ms", "count", "p50", "p95", "p99", "max"
    );
    let a = row("nobody publishes", alone);
    let b = row("beside a publication", beside);
    println!("p99 beside - p99 alone: {:.2} ms (asked: at most 8)", b - a);
    println!("our longest write transaction: {longest:.2} ms (asked: at most 10)");
}

/// Inserts at the given rate while `go_on`; seconds each insert took, with its transaction.
fn checkout(path: &Path, mut go_on: impl FnMut() -> bool) -> Vec<f64> {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    conn.pragma_update(None, "synchronous", "normal").unwrap();
    let mut insert = conn
        .prepare("INSERT INTO events (user_id, product_id, kind, order_id, at) VALUES (?1, ?2, 'purchase', ?3, 1700000000)")
        .unwrap();
    let (mut took, mut next, mut n) = (Vec::new(), Instant::now(), 0u64);
    while go_on() {
        let begun = Instant::now();
        insert
            .execute((
                format!("u{}", n % 2000),
                format!("p{}", n % 1000),
                format!("o{n}"),
            ))
            .unwrap();
        took.push(begun.elapsed().as_secs_f64());
        n += 1;
        next += EVERY;
        match next.checked_duration_since(Instant::now()) {
            Some(rest) => std::thread::sleep(rest),
            None => next = Instant::now(), // late: the rate is a ceiling, not a debt
        }
    }
    took
}

/// One generation as a night publishes it, then the sweep; prints the longest transaction in ms.
fn publisher(path: &Path) {
    let shop = Shop::open(path).unwrap();
    let users: Vec<String> = (0..USERS).map(|u| format!("u{u:05}")).collect();
    let products: Vec<String> = (0..1000).map(|p| format!("p{p:05}")).collect();
    let users = shop.keys(Keys::User, &users).unwrap();
    let products = shop.keys(Keys::Product, &products).unwrap();
    let model = shop.keys(Keys::Model, &["mix"]).unwrap()[0];
    let new = NewGeneration {
        family: "recommendations",
        run_id: 1,
        as_of: 1_700_000_000,
        exclude_bought: true,
    };
    let mut generation = GenerationWriter::begin(&shop, &new).unwrap();
    let rows = users
        .iter()
        .flat_map(|user| (0..PER_USER).map(move |i| (*user, i)));
    generation
        .write(rows.map(|(user_key, i)| Recommendation {
            user_key,
            rank: i as i64 + 1,
            product_key: products[(user_key as usize * 31 + i * 7) % products.len()],
            score: 1.0 / (i + 1) as f64,
            model_key: model,
            because_key: Some(products[i]),
        }))
        .unwrap();
    generation.publish("bench").unwrap();
    shop.sweep(0).unwrap();
    println!("{:.3}", shop.longest_write().as_secs_f64() * 1000.0);
}

/// Prints a row; returns its p99 in ms.
fn row(name: &str, mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let at = |q: f64| seconds[((seconds.len() - 1) as f64 * q) as usize] * 1000.0;
    println!(
        "{name:22} {:>8} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
        seconds.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    at(0.99)
}
