//! Classifiers judged on tickets they have not seen: the later ones where labels carry time, otherwise seeded folds.
//!
//! Where labels carry time, the contest of recipes is held on the earlier four fifths, every recipe is then fitted to
//! those and judged by the later fifth, so nothing that is measured was chosen on. One exception: where what came later
//! is so unlike what came before that another recipe is right far more often than chance explains, that one is taken. Where they do not, the folds of the
//! contest are the measurement too: a recipe is one of a dozen, its weights a handful of numbers.
//!
//! Beside the recipes two answers are judged: the textbook's ([`LITERAL`](super::LITERAL)), and the naive one, the most
//! frequent class of the training part.

use super::classify::{Member, Message, Recipe};
use super::contest::{Effort, Entry, Field, contest, judge, member_scores};
use super::folds::{folds, near_identical};
use super::literal::literal;
use super::{Judged, LITERAL};
use crate::fit::{Control, FitError};

/// Name of the split by time in `scores`.
pub const SPLIT_LATER: &str = "later fifth";
/// Name of the split by folds in `scores`.
pub const SPLIT_FOLDS: &str = "3 folds";

/// Number of folds.
const FOLDS: usize = 3;
/// The textbook's candidate is asked about this many at the most: it reads the whole history for each.
const LITERAL_ASKED: usize = 2000;
/// Letters times classes of what a contest is held on at the most; a longer history is thinned evenly, the fit at the end
/// is on all of it. Thirty megabytes of mail in ten categories, or 10,000 short questions in five hundred.
const LARGEST: usize = 300_000_000;

/// One way to answer and its answers.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name in `scores`.
    pub name: String,
    /// What to fit; none for answers that are only compared with.
    pub recipe: Option<Recipe>,
    /// Its answers.
    pub judged: Vec<Judged>,
}

/// What a trial found.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Indices of the texts judged, beside the answers of every recipe.
    pub texts: Vec<usize>,
    /// The recipes, the best of the contest first; then the textbook's (on a part of the texts where they are many).
    pub candidates: Vec<Candidate>,
    /// The naive answers: the most frequent class, with its share as confidence.
    pub naive: Vec<Judged>,
    /// [`SPLIT_LATER`] or [`SPLIT_FOLDS`].
    pub split: &'static str,
}

/// Tries classifiers on `messages` with their `labels` (`< classes`, every class at least twice, two classes at least).
/// `times` are given when labels carry time: the later fifth is then judged by what was learned from the rest.
///
/// # Errors
/// [`FitError`]: stopped, or nothing that could be fitted.
pub fn try_classifiers(
    messages: &[Message<'_>],
    labels: &[u32],
    classes: usize,
    times: Option<&[i64]>,
    effort: Effort,
    seed: u64,
    control: &Control,
) -> Result<Trial, FitError> {
    let field = Field {
        messages,
        labels,
        classes,
        control,
    };
    let all = thinned(field);
    let later = times.and_then(|times| later(&all, labels, times));
    let train = later.as_ref().map_or(&all, |(train, _)| train);
    let fold_of = fold_of(field, train, seed);
    let entries = contest(field, train, &fold_of, effort)?;
    let (split, texts, candidates) = match &later {
        Some((train, test)) => (SPLIT_LATER, test.clone(), on_later(field, train, test, entries)?),
        None => {
            let truth = || train.iter().map(|&text| labels[text]);
            let judged = entries.into_iter().map(|entry| Candidate {
                name: entry.recipe.name(),
                judged: judge(&entry.scores, truth(), classes),
                recipe: Some(entry.recipe),
            });
            (SPLIT_FOLDS, train.clone(), judged.collect())
        }
    };
    let mut trial = Trial {
        texts,
        candidates,
        naive: Vec::new(),
        split,
    };
    // Two recipes of one name differ in a weight near zero: the better one stands for both.
    let mut seen = std::collections::BTreeSet::new();
    trial.candidates.retain(|one| seen.insert(one.name.clone()));
    let parts: Vec<(Vec<usize>, Vec<usize>)> = match later {
        Some(part) => vec![part],
        None => (0..FOLDS)
            .map(|fold| {
                let parts: (Vec<usize>, Vec<usize>) = (0..train.len()).partition(|&at| fold_of[at] != fold);
                let of = |places: Vec<usize>| places.into_iter().map(|at| train[at]).collect();
                (of(parts.0), of(parts.1))
            })
            .collect(),
    };
    if effort == Effort::Full {
        trial.candidates.push(textbook(field, &parts, trial.texts.len()));
    }
    for (train, test) in &parts {
        let (answer, confidence) = most_frequent(train, labels, classes);
        trial.naive.extend(test.iter().map(|&text| Judged {
            truth: labels[text],
            answer,
            confidence,
        }));
    }
    Ok(trial)
}

/// Every text, or evenly spaced ones where a contest on all would take hours.
fn thinned(field: Field<'_>) -> Vec<usize> {
    let all: Vec<usize> = (0..field.messages.len()).collect();
    let letters: usize = field
        .messages
        .iter()
        .map(|one| one.subject.len() + one.body.len())
        .sum();
    let every = (letters.saturating_mul(field.classes.max(10)) / LARGEST + 1).min(all.len().max(1));
    all.into_iter().step_by(every).collect()
}

/// The fold of every text of `train`.
fn fold_of(field: Field<'_>, train: &[usize], seed: u64) -> Vec<usize> {
    let texts: Vec<_> = train.iter().map(|&text| field.messages[text].read(1)).collect();
    let labels: Vec<u32> = train.iter().map(|&text| field.labels[text]).collect();
    folds(&labels, &near_identical(&texts), FOLDS, seed)
}

/// Fits the members of all entries to the earlier part once and lets every entry answer about the later.
fn on_later(
    field: Field<'_>,
    train: &[usize],
    test: &[usize],
    entries: Vec<Entry>,
) -> Result<Vec<Candidate>, FitError> {
    let Some(view) = entries.first().map(|entry| entry.recipe.view) else {
        return Ok(Vec::new());
    };
    let mut members: Vec<Member> = Vec::new();
    for (member, _) in entries.iter().flat_map(|entry| &entry.recipe.members) {
        if !members.contains(member) {
            members.push(*member);
        }
    }
    let scores = member_scores(field, view, train, test, &members)?;
    let candidates = entries.into_iter().map(|entry| {
        let mut sum = vec![0f32; test.len() * field.classes];
        for (member, weight) in &entry.recipe.members {
            let at = members.iter().position(|known| known == member).unwrap_or(0);
            sum.iter_mut()
                .zip(&scores[at])
                .for_each(|(sum, score)| *sum += *weight as f32 * score);
        }
        Candidate {
            name: entry.recipe.name(),
            judged: judge(&sum, test.iter().map(|&text| field.labels[text]), field.classes),
            recipe: Some(entry.recipe),
        }
    });
    let mut candidates: Vec<Candidate> = candidates.collect();
    surely_better(&mut candidates);
    Ok(candidates)
}

/// Standard errors by which another recipe must beat the contest's on the same later tickets to take its place; of a dozen
/// equals one does once in sixty nights.
const FAR: f64 = 3.0;

/// Puts the recipe that was right most often (the contest's order among equals) first, if that is beyond chance by
/// McNemar's statistic.
fn surely_better(candidates: &mut [Candidate]) {
    let right = |one: &Candidate| one.judged.iter().filter(|one| one.right()).count();
    let best = (0..candidates.len()).max_by_key(|&at| (right(&candidates[at]), std::cmp::Reverse(at)));
    let Some(best) = best.filter(|&best| best > 0) else {
        return;
    };
    let pairs = candidates[best].judged.iter().zip(&candidates[0].judged);
    let differ = pairs.filter(|(a, b)| a.right() != b.right()).count() as f64;
    let gained = (right(&candidates[best]) - right(&candidates[0])) as f64;
    if gained > FAR * differ.sqrt() {
        candidates[..=best].rotate_right(1);
    }
}

/// The textbook's answers about evenly spaced texts of every part.
fn textbook(field: Field<'_>, parts: &[(Vec<usize>, Vec<usize>)], texts: usize) -> Candidate {
    let every = texts.div_ceil(LITERAL_ASKED).max(1);
    let mut judged = Vec::new();
    for (train, test) in parts {
        let read =
            |texts: &[usize]| -> Vec<_> { texts.iter().map(|&text| field.messages[text].read(1)).collect() };
        let asked: Vec<usize> = test.iter().copied().step_by(every).collect();
        let labels: Vec<u32> = train.iter().map(|&text| field.labels[text]).collect();
        let answers = literal(&read(train), &labels, &read(&asked));
        judged.extend(
            asked
                .iter()
                .zip(answers)
                .map(|(&text, (answer, confidence))| Judged {
                    truth: field.labels[text],
                    answer,
                    confidence,
                }),
        );
    }
    Candidate {
        name: LITERAL.to_owned(),
        recipe: None,
        judged,
    }
}

/// The most frequent class of the training part and its share; the first of equals.
fn most_frequent(train: &[usize], labels: &[u32], classes: usize) -> (u32, f64) {
    let mut counts = vec![0f64; classes];
    train
        .iter()
        .for_each(|&text| counts[labels[text] as usize] += 1.0);
    let (class, count) = super::classify::linear::best_of(&counts);
    (class, count / train.len().max(1) as f64)
}

/// The earlier four fifths and the later fifth by time; none when either would be too little to say anything.
fn later(texts: &[usize], labels: &[u32], times: &[i64]) -> Option<(Vec<usize>, Vec<usize>)> {
    let mut order = texts.to_vec();
    order.sort_by_key(|&text| (times[text], text));
    let cut = order.len() - order.len() / 5;
    let test = order.split_off(cut);
    let several = order.iter().any(|&text| labels[text] != labels[order[0]]);
    (test.len() >= 20 && several).then_some((order, test))
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

    fn tried(times: Option<&[i64]>) -> Trial {
        let (texts, labels) = corpus(300);
        let messages: Vec<Message<'_>> = texts.iter().map(|text| Message::of(text)).collect();
        try_classifiers(
            &messages,
            &labels,
            3,
            times,
            Effort::Full,
            1,
            &Control::unbounded(),
        )
        .unwrap()
    }

    #[test]
    fn later_tickets_are_judged_by_earlier_ones_and_folds_judge_all() {
        let times: Vec<i64> = (0..300).map(|i| 1000 - i).collect();
        let trial = tried(Some(&times));
        assert_eq!((trial.split, trial.texts.len()), (SPLIT_LATER, 60));
        assert!(trial.texts.iter().all(|&text| text < 60)); // the smallest index is the latest here
        assert!(trial.candidates.iter().all(|one| one.judged.len() == 60));
        assert!(accuracy(&trial.candidates[0].judged) > Some(0.8));
        let trial = tried(None);
        assert_eq!((trial.split, trial.naive.len()), (SPLIT_FOLDS, 300));
        let names: Vec<&str> = trial.candidates.iter().map(|one| one.name.as_str()).collect();
        for name in ["hinge", "nb-svm", "centroid", LITERAL] {
            assert!(names.contains(&name), "{names:?}");
        }
        let again = tried(None);
        for (one, again) in trial.candidates.iter().zip(&again.candidates) {
            assert_eq!((&one.name, &one.judged), (&again.name, &again.judged));
        }
    }

    /// Tickets of web forms differ in their numbers alone; every class of them is one group of near-identical texts.
    #[test]
    fn classes_of_web_forms_are_learned() {
        let forms = [
            "Return request. Order {} too small. Sent from our web form.",
            "Invoice request. Order {} please send an invoice to my account.",
            "Change of address for order {}, see attachment.",
        ];
        let texts: Vec<String> = (0..240)
            .map(|i| forms[i % 3].replace("{}", &(100_003 + i * 7919).to_string()))
            .collect();
        let labels: Vec<u32> = (0..240).map(|i| i % 3).collect();
        let messages: Vec<Message<'_>> = texts.iter().map(|text| Message::of(text)).collect();
        let times: Vec<i64> = (0..240).collect();
        for times in [None, Some(times.as_slice())] {
            let control = Control::unbounded();
            let trial = try_classifiers(&messages, &labels, 3, times, Effort::Full, 1, &control).unwrap();
            let recipes = || trial.candidates.iter().filter_map(|one| one.recipe.as_ref());
            assert!(recipes().all(|recipe| !recipe.members.is_empty()));
            assert_eq!(
                accuracy(&trial.candidates[0].judged),
                Some(1.0),
                "{:?}",
                trial.split
            );
        }
    }

    #[test]
    fn another_recipe_is_taken_only_far_beyond_chance() {
        let candidate = |name: &str, right: u32| Candidate {
            name: name.into(),
            recipe: None,
            judged: (0..100)
                .map(|i| Judged {
                    truth: 0,
                    answer: u32::from(i >= right),
                    confidence: 0.9,
                })
                .collect(),
        };
        let first = |others: [u32; 3]| {
            let mut candidates: Vec<Candidate> = ["a", "b", "c"]
                .iter()
                .zip(others)
                .map(|(name, right)| candidate(name, right))
                .collect();
            surely_better(&mut candidates);
            candidates.iter().map(|one| one.name.as_str()).collect::<String>()
        };
        assert_eq!(first([22, 100, 100]), "bac");
        assert_eq!(first([90, 92, 98]), "abc"); // 8 better of 8 that differ: 2.8 standard errors
    }
}
