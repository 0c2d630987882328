//! A classifier judged on tickets it has not seen: the later ones where labels carry time, otherwise seeded folds.
//!
//! Everything is learned on the training part alone, vocabulary and strength of the penalty included. Beside the linear
//! classifier two other answers are judged on the same tickets: the votes of the nearest neighbours, and the naive
//! one, the most frequent class of the training part.

use super::classify::{Classifier, ClassifierOptions};
use super::folds::{folds, near_identical};
use super::{Judged, NEIGHBOURS, Solved, votes};
use crate::fit::{Control, FitError};
use crate::text::{Csr, Features, TfIdf, TfIdfOptions, Weighting};
use rayon::prelude::*;

/// From so many texts on a feature must occur in two of them: those that occur once are half of all and teach nothing
/// about the next text. In a small history every word counts.
const MANY: usize = 2000;

/// The features of the classifier of so many texts: words, pairs of words and the characters inside them, each block
/// of unit length.
pub fn features(texts: usize) -> TfIdfOptions {
    TfIdfOptions {
        features: Features::WordsAndCharacters,
        weighting: Weighting::Unit,
        min_df: if texts >= MANY { 2 } else { 1 },
        max_features: None,
    }
}

/// Name of the split by time in `scores`.
pub const SPLIT_LATER: &str = "later fifth";
/// Name of the split by folds in `scores`.
pub const SPLIT_FOLDS: &str = "3 folds";

/// Penalties tried, as C, the default first; the others only where trying is cheap.
const GRID: [f64; 3] = [20.0, 5.0, 80.0];
/// Trying is cheap where stored values times classes stay below: then nine small fits take a few seconds.
const CHEAP: usize = 12_000_000;
/// Number of folds.
const FOLDS: usize = 3;

/// What a trial found.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Indices of the texts judged, beside `judged`.
    pub texts: Vec<usize>,
    /// The model's answers.
    pub judged: Vec<Judged>,
    /// The answers of the nearest neighbours on the same texts: the class with most of the votes, and its share.
    pub neighbours: Vec<Judged>,
    /// The naive answers on the same texts: the most frequent class, with its share as confidence.
    pub naive: Vec<Judged>,
    /// [`SPLIT_LATER`] or [`SPLIT_FOLDS`].
    pub split: &'static str,
    /// The penalty to fit the whole with.
    pub c: f64,
}

/// Tries the classifier on `texts` with their `labels` (`< classes`, every class at least twice, two classes at least).
/// `times` are given when labels carry time: the later fifth is then judged by what was learned from the rest.
///
/// # Errors
/// As [`Classifier::fit`].
pub fn try_classifier<S: AsRef<str> + Sync>(
    texts: &[S],
    labels: &[u32],
    classes: usize,
    times: Option<&[i64]>,
    seed: u64,
    control: &Control,
) -> Result<Trial, FitError> {
    let (split, parts) = match times.and_then(|times| later(labels, times)) {
        Some(part) => (SPLIT_LATER, vec![part]),
        None => (SPLIT_FOLDS, in_folds(texts, labels, seed)),
    };
    let mut trial = Trial {
        texts: Vec::new(),
        judged: Vec::new(),
        neighbours: Vec::new(),
        naive: Vec::new(),
        split,
        c: GRID[0],
    };
    let parts_count = parts.len() as u64;
    for (number, (train, test)) in parts.into_iter().enumerate() {
        control.progress("trying the classifier", number as u64, parts_count);
        if number == 0 {
            trial.c = choose(texts, labels, classes, &train, seed, control)?;
        }
        let usual = most_frequent(&train, labels, classes);
        let linear = answers(texts, labels, classes, &train, &test, trial.c, control)?;
        let near = answers_of_neighbours(texts, labels, &train, &test, usual);
        for ((&text, linear), near) in test.iter().zip(linear).zip(near) {
            let judge = |(answer, confidence)| Judged {
                truth: labels[text],
                answer,
                confidence,
            };
            trial.texts.push(text);
            trial.judged.push(judge(linear));
            trial.neighbours.push(judge(near));
            trial.naive.push(judge(usual));
        }
    }
    Ok(trial)
}

/// The penalty that does best on folds of the training part, or the default where trying is dear.
fn choose<S: AsRef<str> + Sync>(
    texts: &[S],
    labels: &[u32],
    classes: usize,
    train: &[usize],
    seed: u64,
    control: &Control,
) -> Result<f64, FitError> {
    let letters: usize = train
        .iter()
        .map(|&text| texts[text].as_ref().chars().count())
        .sum();
    // A letter begins about four of the features.
    if letters.saturating_mul(4).saturating_mul(classes) > CHEAP {
        return Ok(GRID[0]);
    }
    let own: Vec<&str> = train.iter().map(|&text| texts[text].as_ref()).collect();
    let own_labels: Vec<u32> = train.iter().map(|&text| labels[text]).collect();
    let parts = in_folds(&own, &own_labels, seed);
    let mut best = (GRID[0], f64::NEG_INFINITY);
    for c in GRID {
        let mut likelihood = 0.0;
        for (train, test) in &parts {
            let (rows, model) = learn(&own, &own_labels, classes, train, c, control)?;
            for &text in test {
                let (columns, values): (Vec<u32>, Vec<f32>) = rows.vector(own[text]).into_iter().unzip();
                likelihood += model.probabilities(&columns, &values)[own_labels[text] as usize]
                    .max(1e-9)
                    .ln();
            }
        }
        if likelihood > best.1 {
            best = (c, likelihood);
        }
    }
    Ok(best.0)
}

fn learn<S: AsRef<str> + Sync>(
    texts: &[S],
    labels: &[u32],
    classes: usize,
    train: &[usize],
    c: f64,
    control: &Control,
) -> Result<(TfIdf, Classifier), FitError> {
    let own: Vec<&str> = train.iter().map(|&text| texts[text].as_ref()).collect();
    let own_labels: Vec<u32> = train.iter().map(|&text| labels[text]).collect();
    let (vectors, rows) = TfIdf::fit(&own, &features(own.len()));
    let options = ClassifierOptions {
        c,
        ..ClassifierOptions::default()
    };
    Ok((
        vectors,
        Classifier::fit(&rows, &own_labels, classes, &options, &control.quiet())?,
    ))
}

fn answers<S: AsRef<str> + Sync>(
    texts: &[S],
    labels: &[u32],
    classes: usize,
    train: &[usize],
    test: &[usize],
    c: f64,
    control: &Control,
) -> Result<Vec<(u32, f64)>, FitError> {
    let (vectors, model) = learn(texts, labels, classes, train, c, control)?;
    let asked: Vec<&str> = test.iter().map(|&text| texts[text].as_ref()).collect();
    let rows: Csr = vectors.transform(&asked);
    Ok(model.best(&rows))
}

/// Votes of the nearest of the training part; the usual answer without confidence where nothing is near.
fn answers_of_neighbours<S: AsRef<str> + Sync>(
    texts: &[S],
    labels: &[u32],
    train: &[usize],
    test: &[usize],
    usual: (u32, f64),
) -> Vec<(u32, f64)> {
    let own: Vec<&str> = train.iter().map(|&text| texts[text].as_ref()).collect();
    let (vectors, rows) = TfIdf::fit(&own, &TfIdfOptions::default());
    let solved = Solved::new(&rows);
    test.par_iter()
        .map(|&text| {
            let (columns, values): (Vec<u32>, Vec<f32>) =
                vectors.vector(texts[text].as_ref()).into_iter().unzip();
            let near = solved.nearest(&columns, &values, NEIGHBOURS);
            let shares = votes(&near, |row| Some(labels[train[row as usize]]));
            shares.first().copied().unwrap_or((usual.0, 0.0))
        })
        .collect()
}

/// The most frequent class of the training part and its share; the first of equals.
fn most_frequent(train: &[usize], labels: &[u32], classes: usize) -> (u32, f64) {
    let mut counts = vec![0f64; classes];
    train
        .iter()
        .for_each(|&text| counts[labels[text] as usize] += 1.0);
    let (class, count) = super::classify::best_of(&counts);
    (class, count / train.len().max(1) as f64)
}

/// The earlier four fifths and the later fifth by time; none when either would be too little to say anything.
fn later(labels: &[u32], times: &[i64]) -> Option<(Vec<usize>, Vec<usize>)> {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|&text| (times[text], text));
    let cut = times.len() - times.len() / 5;
    let test = order.split_off(cut);
    let several = order.iter().any(|&text| labels[text] != labels[order[0]]);
    (test.len() >= 20 && several).then_some((order, test))
}

fn in_folds<S: AsRef<str>>(texts: &[S], labels: &[u32], seed: u64) -> Vec<(Vec<usize>, Vec<usize>)> {
    let fold_of = folds(labels, &near_identical(texts), FOLDS, seed);
    (0..FOLDS)
        .map(|fold| (0..texts.len()).partition(|&text| fold_of[text] != fold))
        .filter(|(train, test): &(Vec<usize>, Vec<usize>)| !train.is_empty() && !test.is_empty())
        .filter(|(train, _)| train.iter().any(|&text| labels[text] != labels[train[0]]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::accuracy;
    use super::*;

    fn corpus(n: usize) -> (Vec<String>, Vec<u32>) {
        let mut dice = fastrand::Rng::with_seed(2);
        let words = [
            ["parcel", "courier", "late"],
            ["money", "bank", "charge"],
            ["password", "login", "mail"],
        ];
        let labels: Vec<u32> = (0..n).map(|i| i as u32 % 3).collect();
        let texts = labels
            .iter()
            .map(|&label| {
                let other = if dice.f64() < 0.1 {
                    dice.usize(0..3)
                } else {
                    label as usize
                };
                format!(
                    "hello {} {} number {}",
                    words[other][dice.usize(0..3)],
                    words[other][dice.usize(0..3)],
                    dice.u32(0..9999)
                )
            })
            .collect();
        (texts, labels)
    }

    #[test]
    fn later_tickets_are_judged_by_earlier_ones_and_folds_judge_all() {
        let (texts, labels) = corpus(300);
        let times: Vec<i64> = (0..300).map(|i| 1000 - i).collect();
        let trial = try_classifier(&texts, &labels, 3, Some(&times), 1, &Control::unbounded()).unwrap();
        assert_eq!((trial.split, trial.judged.len()), (SPLIT_LATER, 60));
        assert!(trial.texts.iter().all(|&text| text < 60)); // the smallest index is the latest here
        assert!(accuracy(&trial.judged) > Some(0.8) && accuracy(&trial.neighbours) > Some(0.8));
        let trial = try_classifier(&texts, &labels, 3, None, 1, &Control::unbounded()).unwrap();
        assert_eq!((trial.split, trial.judged.len()), (SPLIT_FOLDS, 300));
        let again = try_classifier(&texts, &labels, 3, None, 1, &Control::unbounded()).unwrap();
        assert_eq!(trial.judged, again.judged);
    }
}
