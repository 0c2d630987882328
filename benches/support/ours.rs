//! The fit of the recipe that a trial chooses, on its own: CPU seconds beside a peer's, and predictions per second.
//!
//! `support TRAIN TEST`, both with lines of label, tab, text.

#![allow(clippy::print_stdout)] // its output is the comparison

use nightclerk::fit::Control;
use nightclerk::support::{Classifier, Effort, Message, try_classifiers};

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [train, test] = paths.as_slice() else {
        panic!("support TRAIN TEST");
    };
    let read = |path: &str| std::fs::read_to_string(path).expect("a readable file");
    let (train, test) = (read(train), read(test));
    let lines = |text: &'static str| -> Vec<(&'static str, &'static str)> {
        text.lines().filter_map(|line| line.split_once('\t')).collect()
    };
    let (train, test) = (lines(train.leak()), lines(test.leak()));
    let mut names: Vec<&str> = train.iter().map(|(label, _)| *label).collect();
    names.sort_unstable();
    names.dedup();
    let of = |label: &str| names.binary_search(&label).map_or(u32::MAX, |at| at as u32);
    let labels: Vec<u32> = train.iter().map(|(label, _)| of(label)).collect();
    let messages: Vec<Message<'_>> = train.iter().map(|(_, text)| Message::of(text)).collect();
    let control = Control::unbounded();
    let trial =
        try_classifiers(&messages, &labels, names.len(), None, Effort::Full, 1, &control).expect("a trial");
    let recipe = trial.candidates[0].recipe.clone().expect("a recipe");

    let before = cpu();
    let model = Classifier::fit(&recipe, &messages, &labels, names.len(), None, &control).expect("a fit");
    let fit = cpu() - before;

    let asked: Vec<Message<'_>> = test.iter().map(|(_, text)| Message::of(text)).collect();
    let before = cpu();
    let rows = model.rows(&asked);
    let reading = cpu() - before;
    let before = cpu();
    let rounds = 30;
    let mut answers = Vec::new();
    for _ in 0..rounds {
        answers = model.linear_answers(&rows);
    }
    let scoring = (cpu() - before) / f64::from(rounds);
    let right = answers
        .iter()
        .zip(&test)
        .filter(|(answer, (label, _))| answer.0 == of(label))
        .count();
    let each = |seconds: f64| test.len() as f64 / seconds.max(1e-3);
    println!(
        "| nightclerk {}, vectoriser included | {:.4} (its linear part) | {fit:.1} | {:.0} of rows, {:.0} of texts |",
        recipe.name(),
        right as f64 / test.len() as f64,
        each(scoring),
        each(scoring + reading)
    );
}

/// CPU seconds of this process so far (Linux).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| {
        after
            .split_whitespace()
            .nth(at)
            .and_then(|x| x.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}
