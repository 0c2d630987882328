//! Our side of the comparison in README.md: fits one model on a file of pairs, makes the first 100 products for everybody,
//! writes them as little-endian u32 (rows filled up with u32::MAX) and prints the CPU seconds of both. Linux only: it
//! reads the scheduler's clock of its threads.
//!
//! `factors als64|als96|knn|ease PAIRS LISTS`: PAIRS holds "users products" and then one "user product" a line.

#![allow(missing_docs, clippy::print_stdout)]

use nightclerk::fit::Control;
use nightclerk::recommend::ease::{Ease, EaseOptions};
use nightclerk::recommend::factors::{Als, AlsOptions};
use nightclerk::recommend::history::Histories;
use nightclerk::recommend::log::{Interaction, Kind, Log, Strengths};
use nightclerk::recommend::neighbours::Neighbours;
use nightclerk::recommend::rank::best;
use nightclerk::text::Csr;
use std::fs;

const DEPTH: usize = 100;
/// Users scored together.
const BLOCK: usize = 64;

type Profile = Vec<(u32, f32)>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, pairs, lists] = arguments.as_slice() else {
        panic!("factors als64|als96|knn|ease PAIRS LISTS");
    };
    let (rows, products) = read(pairs);
    let (fit, first, all) = match model.as_str() {
        "als64" => als(&rows, products, AlsOptions::default()),
        "als96" => als(
            &rows,
            products,
            AlsOptions {
                factors: 96,
                regularisation: 0.006,
                ..AlsOptions::default()
            },
        ),
        "ease" => ease(&rows, products),
        "knn" => knn(&rows, products),
        other => panic!("no model {other}"),
    };
    let bytes: Vec<u8> = all
        .iter()
        .flat_map(|list| {
            let missing = std::iter::repeat_n(u32::MAX, DEPTH - list.len());
            list.iter().copied().chain(missing).flat_map(u32::to_le_bytes)
        })
        .collect();
    fs::write(lists, bytes).unwrap();
    println!("{fit:.6} {first:.6}");
}

/// The profile of every user, products ascending, and the number of products.
fn read(path: &str) -> (Vec<Profile>, usize) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| {
        let (a, b) = line.split_once(' ').unwrap();
        (a.parse::<usize>().unwrap(), b.parse::<usize>().unwrap())
    });
    let (users, products) = lines.next().unwrap();
    let mut rows = vec![Profile::new(); users];
    for (user, product) in lines {
        rows[user].push((product as u32, 1.0));
    }
    rows.iter_mut()
        .for_each(|row| row.sort_unstable_by_key(|&(product, _)| product));
    (rows, products)
}

/// CPU seconds of all threads so far.
fn cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("the scheduler's clock, which only Linux has");
    let nanoseconds: u64 = tasks
        .map(|task| {
            let text = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        })
        .sum();
    nanoseconds as f64 / 1e9
}

/// The first products of every user, from a function that scores a block of users.
fn first(rows: &[Profile], products: usize, mut score: impl FnMut(&[Profile], &mut [f32])) -> Vec<Vec<u32>> {
    let mut allowed = vec![false; products];
    rows.iter()
        .flatten()
        .for_each(|&(product, _)| allowed[product as usize] = true);
    let mut scores = vec![0.0f32; BLOCK * products];
    let mut lists = Vec::with_capacity(rows.len());
    for block in rows.chunks(BLOCK) {
        let scores = &mut scores[..block.len() * products];
        score(block, scores);
        for (row, scores) in block.iter().zip(scores.chunks_exact(products)) {
            row.iter()
                .for_each(|&(product, _)| allowed[product as usize] = false);
            let list = best(scores, DEPTH, |product| allowed[product]);
            row.iter()
                .for_each(|&(product, _)| allowed[product as usize] = true);
            lists.push(list.into_iter().map(|(product, _)| product).collect());
        }
    }
    lists
}

fn matrix(rows: &[Profile], products: usize) -> Csr {
    Csr::from_rows(products, rows.iter().cloned())
}

fn als(rows: &[Profile], products: usize, options: AlsOptions) -> (f64, f64, Vec<Vec<u32>>) {
    let x = matrix(rows, products);
    let start = cpu();
    let model = Als::fit(&x, &options, &Control::unbounded()).unwrap();
    let fitted = cpu();
    let lists = first(rows, products, |block, scores| {
        let vectors: Vec<f32> = block.iter().flat_map(|row| model.fold_in(row)).collect();
        model.scores_of(&vectors, scores);
    });
    (fitted - start, cpu() - fitted, lists)
}

fn ease(rows: &[Profile], products: usize) -> (f64, f64, Vec<Vec<u32>>) {
    let x = matrix(rows, products);
    let start = cpu();
    let model = Ease::fit(&x, &EaseOptions::default(), &Control::unbounded()).unwrap();
    let fitted = cpu();
    let lists = first(rows, products, |block, scores| model.scores_of(block, scores));
    (fitted - start, cpu() - fitted, lists)
}

fn knn(rows: &[Profile], products: usize) -> (f64, f64, Vec<Vec<u32>>) {
    let pairs = (0u32..)
        .zip(rows)
        .flat_map(|(user, row)| row.iter().map(move |&(product, _)| (user, product)));
    let events = (0u32..).zip(pairs).map(|(line, (user, product))| Interaction {
        user: Some(user),
        product,
        kind: Kind::Purchase,
        quantity: 1.0,
        rating: 0.0,
        at: 0,
        basket: 0,
        line,
    });
    let log = Log::new(rows.len(), products, events.collect());
    let histories = Histories::build(&log, &Strengths::default(), |_| true);
    let start = cpu();
    let model = Neighbours::item_cosine(&histories, DEPTH);
    let fitted = cpu();
    let lists = first(rows, products, |block, scores| {
        scores.fill(0.0);
        for (row, scores) in block.iter().zip(scores.chunks_exact_mut(products)) {
            model.add_scores(row, DEPTH, 1.0, scores);
        }
    });
    (fitted - start, cpu() - fitted, lists)
}
