//! Which recipe: every member fitted on two thirds of the tickets, asked about the last, three times over.
//!
//! First the views compete by their hinge alone, which is quick; in the best view every member is tried with a few
//! penalties, from weak to strong, each starting from the last; then the best of each kind are stacked in a few
//! combinations. What counts is the share of right answers less a fiftieth of the mean log loss: of two recipes
//! that are equally often right, the one that knows better when it is.
//!
//! Everything but the weights of the stack (a handful of numbers) is judged on tickets it has not seen.

use super::classify::hinge::{Hinge, TOLERANCE};
use super::classify::linear::{Linear, best_of};
use super::classify::logistic::{LogisticOptions, logistic};
use super::classify::ratios::LogRatios;
use super::classify::stack::{stack, temperature};
use super::classify::{
    Member, Message, Recipe, SEED, VOTERS, View, WARM_ITERATIONS, centroid::centroids, vectorise, vote_scores,
};
use super::{Judged, Solved};
use crate::fit::{Control, FitError};
use crate::text::{Csr, TfIdf, TfIdfOptions};
use rayon::prelude::*;

/// Texts, what people said of them, and the control.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub messages: &'a [Message<'a>],
    pub labels: &'a [u32],
    pub classes: usize,
    pub control: &'a Control,
}

/// How much a night tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Every view and member the size allows.
    Full,
    /// The hinge over words alone, for what is not the main question.
    Quick,
}

/// A recipe and what it said about tickets it had not seen.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub recipe: Recipe,
    /// Logarithms of the odds, row after row: softmax makes probabilities of them.
    pub scores: Vec<f32>,
    /// Accuracy less [`CONFIDENCE`] times the log loss.
    pub worth: f64,
}

/// From so many tickets on an n-gram must occur in two of them: those that occur once are half of all and teach nothing
/// about the next ticket. In a small history every word counts.
const MANY: usize = 2000;
/// What the log loss counts beside the accuracy.
const CONFIDENCE: f64 = 0.02;
/// Subjects are read this often where reading them oftener is tried.
const LOUD_SUBJECT: u32 = 4;
/// Stored values times classes up to which several penalties of the dearer members are tried, and up to which the
/// logistic is.
const CHEAP: usize = 60_000_000;
const AFFORDABLE: usize = 400_000_000;
/// Neighbours are tried where comparing all texts with each other takes no more products than this, some ten seconds.
const COMPARISONS: u64 = 1_000_000_000;

/// Runs the contest on `texts` (indices) dealt to folds by `fold_of` (beside `texts`); best entry first.
pub(super) fn contest(
    field: Field<'_>,
    texts: &[usize],
    fold_of: &[usize],
    effort: Effort,
) -> Result<Vec<Entry>, FitError> {
    let small = texts.len() < MANY;
    let grid: &[f64] = match (effort, small) {
        (Effort::Quick, _) => &[0.5, 2.0],
        (_, true) => &[0.5, 1.0, 2.0, 10.0],
        (_, false) => &[0.25, 0.5, 1.0, 2.0],
    };
    let hinges: Vec<Member> = grid.iter().map(|&c| Member::Hinge(c)).collect();
    let mut best: Option<(View, Entry)> = None;
    for view in views(field, texts, effort) {
        let scores = unseen(field, texts, fold_of, view, &hinges)?;
        for (&member, scores) in hinges.iter().zip(scores) {
            let entry = single(field, texts, view, member, scores)?;
            if best.as_ref().is_none_or(|(_, best)| entry.worth > best.worth) {
                best = Some((view, entry));
            }
        }
    }
    let Some((view, hinge)) = best else {
        return Err(FitError::Invalid("no view to try".into()));
    };
    let mut entries = vec![hinge];
    if effort == Effort::Full {
        others(field, texts, fold_of, view, &mut entries)?;
    }
    entries.sort_by(|a, b| b.worth.total_cmp(&a.worth)); // stable: the simpler of equals
    Ok(entries)
}

/// Tries the other members in the chosen view and the combinations of all.
fn others(
    field: Field<'_>,
    texts: &[usize],
    fold_of: &[usize],
    view: View,
    entries: &mut Vec<Entry>,
) -> Result<(), FitError> {
    let letters: usize = texts.iter().map(|&text| field.messages[text].body.len()).sum();
    // A letter begins about two of the features that are kept, a fifth of that without characters.
    let size = letters * if view.characters { 2 } else { 1 } * field.classes;
    let mut members = Vec::new();
    let bayes: &[f64] = if size <= CHEAP { &[0.3, 1.0, 3.0] } else { &[1.0] };
    members.extend(bayes.iter().map(|&c| Member::Bayes(c)));
    if size <= AFFORDABLE {
        members.push(Member::Logistic(20.0));
    }
    members.push(Member::Centroid);
    if comparisons(field, texts) <= COMPARISONS {
        for power in [2.0, 4.0] {
            members.push(Member::Nearest(power));
            members.push(Member::LogNearest(power));
        }
    }
    let scores = unseen(field, texts, fold_of, view, &members)?;
    // The best of each kind; kinds stay in the order above.
    let kind = |member: Member| std::mem::discriminant(&member);
    let mut kinds: Vec<Entry> = vec![entries[0].clone()];
    let mut raw: Vec<Vec<f32>> = vec![entries[0].scores.clone()];
    for (&member, scores) in members.iter().zip(scores) {
        let entry = single(field, texts, view, member, scores.clone())?;
        match kinds
            .iter()
            .position(|known| kind(known.recipe.members[0].0) == kind(member))
        {
            None => {
                kinds.push(entry);
                raw.push(scores);
            }
            Some(at) if entry.worth > kinds[at].worth => (kinds[at], raw[at]) = (entry, scores),
            Some(_) => {}
        }
    }
    // The hinge's scores are calibrated already: its weight within a stack is relative to that.
    let at = |wanted: Member| {
        kinds
            .iter()
            .position(|known| kind(known.recipe.members[0].0) == kind(wanted))
    };
    let (hinge, bayes, logit) = (
        at(Member::Hinge(0.0)),
        at(Member::Bayes(0.0)),
        at(Member::Logistic(0.0)),
    );
    let (mean, near, log) = (
        at(Member::Centroid),
        at(Member::Nearest(0.0)),
        at(Member::LogNearest(0.0)),
    );
    for combination in [
        vec![hinge, logit],
        vec![hinge, near],
        vec![hinge, log],
        vec![bayes, near],
        vec![bayes, log],
        vec![hinge, bayes, near, mean],
        vec![hinge, bayes, log, mean],
        vec![hinge, logit, bayes, log, mean],
    ] {
        let Some(chosen) = combination.into_iter().collect::<Option<Vec<usize>>>() else {
            continue; // a member was too dear to try
        };
        entries.extend(combined(field, texts, view, &chosen, &kinds, &raw)?);
    }
    entries.extend(kinds.into_iter().skip(1));
    Ok(())
}

/// Products of stored values it takes to compare every text with every other: the squares of the words' frequencies.
fn comparisons(field: Field<'_>, texts: &[usize]) -> u64 {
    let read: Vec<_> = texts.iter().map(|&text| field.messages[text].read(1)).collect();
    let (words, _) = TfIdf::fit(&read, &TfIdfOptions::default());
    let squares =
        (0..words.vocabulary_len()).map(|column| u64::from(words.document_frequency(column)).pow(2));
    squares.sum()
}

/// What the texts may be read as.
fn views(field: Field<'_>, texts: &[usize], effort: Effort) -> Vec<View> {
    let with_subject = texts
        .iter()
        .filter(|&&text| !field.messages[text].subject.trim().is_empty())
        .count();
    let subjects: &[u32] = match effort {
        Effort::Full if with_subject * 10 >= texts.len() => &[1, LOUD_SUBJECT],
        _ => &[1],
    };
    let characters: &[bool] = match effort {
        Effort::Full => &[false, true],
        Effort::Quick => &[false],
    };
    let min_df = if texts.len() >= MANY { 2 } else { 1 };
    let views = subjects.iter().flat_map(|&subject| {
        characters.iter().map(move |&characters| View {
            characters,
            subject,
            min_df,
        })
    });
    views.collect()
}

/// One member on its own, calibrated.
fn single(
    field: Field<'_>,
    texts: &[usize],
    view: View,
    member: Member,
    mut scores: Vec<f32>,
) -> Result<Entry, FitError> {
    let labels: Vec<u32> = texts.iter().map(|&text| field.labels[text]).collect();
    let (scale, loss) = temperature(&scores, &labels, field.classes, field.control)?;
    scores.iter_mut().for_each(|score| *score *= scale as f32);
    Ok(Entry {
        recipe: Recipe {
            view,
            members: vec![(member, scale)],
        },
        worth: right(&scores, &labels, field.classes) - CONFIDENCE * loss,
        scores,
    })
}

/// Several members stacked; `kinds[0]`, the hinge, comes calibrated, the others as they were fitted. None without any weight.
fn combined(
    field: Field<'_>,
    texts: &[usize],
    view: View,
    chosen: &[usize],
    kinds: &[Entry],
    raw: &[Vec<f32>],
) -> Result<Option<Entry>, FitError> {
    let labels: Vec<u32> = texts.iter().map(|&text| field.labels[text]).collect();
    let members: Vec<&[f32]> = chosen.iter().map(|&at| raw[at].as_slice()).collect();
    let own = |at: usize| kinds[at].recipe.members[0];
    let start: Vec<f64> = chosen
        .iter()
        .map(|&at| if at == 0 { 1.0 } else { own(at).1 })
        .collect();
    let (weights, loss) = stack(&members, &labels, field.classes, &start, field.control)?;
    let mut scores = vec![0f32; members[0].len()];
    for (member, weight) in members.iter().zip(&weights) {
        scores
            .iter_mut()
            .zip(*member)
            .for_each(|(sum, score)| *sum += *weight as f32 * score);
    }
    let weighty = chosen.iter().zip(weights).filter(|(_, weight)| *weight > 1e-3);
    let members: Vec<(Member, f64)> = weighty
        .map(|(&at, weight)| (own(at).0, if at == 0 { weight * own(0).1 } else { weight }))
        .collect();
    Ok((!members.is_empty()).then(|| Entry {
        recipe: Recipe { view, members },
        worth: right(&scores, &labels, field.classes) - CONFIDENCE * loss,
        scores,
    }))
}

fn right(scores: &[f32], labels: &[u32], classes: usize) -> f64 {
    let hits = judge(scores, labels.iter().copied(), classes)
        .iter()
        .filter(|one| one.right())
        .count();
    hits as f64 / labels.len().max(1) as f64
}

/// Log odds to answers.
pub(super) fn judge(scores: &[f32], labels: impl Iterator<Item = u32>, classes: usize) -> Vec<Judged> {
    let mut p = vec![0f64; classes];
    scores
        .chunks_exact(classes)
        .zip(labels)
        .map(|(scores, truth)| {
            p.iter_mut()
                .zip(scores)
                .for_each(|(p, &score)| *p = f64::from(score));
            super::classify::linear::softmax(&mut p);
            let (answer, confidence) = best_of(&p);
            Judged {
                truth,
                answer,
                confidence,
            }
        })
        .collect()
}

/// Scores of every member about every text, each from members fitted without its fold; beside `members`.
fn unseen(
    field: Field<'_>,
    texts: &[usize],
    fold_of: &[usize],
    view: View,
    members: &[Member],
) -> Result<Vec<Vec<f32>>, FitError> {
    let classes = field.classes;
    let mut all = vec![vec![0f32; texts.len() * classes]; members.len()];
    let folds = fold_of.iter().copied().max().map_or(0, |last| last + 1);
    for fold in 0..folds {
        let places = |inside: bool| -> Vec<usize> {
            (0..texts.len())
                .filter(|&at| (fold_of[at] == fold) == inside)
                .collect()
        };
        let (train, test) = (places(false), places(true));
        if train.is_empty() || test.is_empty() {
            continue;
        }
        let of = |places: &[usize]| places.iter().map(|&at| texts[at]).collect::<Vec<usize>>();
        let scores = member_scores(field, view, &of(&train), &of(&test), members)?;
        for (all, scores) in all.iter_mut().zip(scores) {
            for (&at, scores) in test.iter().zip(scores.chunks_exact(classes)) {
                all[at * classes..(at + 1) * classes].copy_from_slice(scores);
            }
        }
    }
    Ok(all)
}

/// Fits members to `train` and asks them about `test`: for each member a row of scores per text of `test`. Members of one
/// kind stand in ascending order of C, so that each starts from the last.
pub(super) fn member_scores(
    field: Field<'_>,
    view: View,
    train: &[usize],
    test: &[usize],
    members: &[Member],
) -> Result<Vec<Vec<f32>>, FitError> {
    let Field { classes, .. } = field;
    let control = field.control.quiet();
    let own: Vec<Message<'_>> = train.iter().map(|&text| field.messages[text]).collect();
    let labels: Vec<u32> = train.iter().map(|&text| field.labels[text]).collect();
    let (vectors, rows) = vectorise(view, &own);
    let asked: Vec<_> = test
        .iter()
        .map(|&text| field.messages[text].read(view.subject))
        .collect();
    let asked: Csr = vectors.transform(&asked);
    let (mut plain, mut bayes): (Option<Hinge<'_>>, Option<Hinge<'_>>) = (None, None);
    let mut near: Option<Vec<Vec<(u32, f32)>>> = None;
    let mut found = Vec::with_capacity(members.len());
    for &member in members {
        control.check()?;
        let linear: Linear = match member {
            Member::Hinge(c) => plain
                .get_or_insert_with(|| Hinge::new(&rows, &labels, classes, None, SEED))
                .fit(c, TOLERANCE, &control)?,
            Member::Bayes(c) => bayes
                .get_or_insert_with(|| {
                    let ratios = LogRatios::count(&rows, &labels, classes);
                    Hinge::new(&rows, &labels, classes, Some(&ratios), SEED)
                })
                .fit(c, TOLERANCE, &control)?,
            Member::Logistic(c) => {
                let start = Hinge::new(&rows, &labels, classes, None, SEED).fit(1.0, TOLERANCE, &control)?;
                let options = LogisticOptions {
                    c,
                    max_iterations: WARM_ITERATIONS,
                    checkpoint: None,
                };
                logistic(&rows, &labels, classes, Some(&start), &options, &control)?
            }
            Member::Centroid => centroids(&rows, &labels, classes),
            Member::Nearest(_) | Member::LogNearest(_) => {
                let near = near.get_or_insert_with(|| voters(field, train, test));
                let votes = near.iter().flat_map(|near| vote_scores(near, member, classes));
                found.push(votes.collect());
                continue;
            }
        };
        found.push(linear.all_scores(&asked));
    }
    Ok(found)
}

/// The nearest of `train` to every text of `test`: classes and similarities, over words, the subject read once.
fn voters(field: Field<'_>, train: &[usize], test: &[usize]) -> Vec<Vec<(u32, f32)>> {
    let own: Vec<_> = train.iter().map(|&text| field.messages[text].read(1)).collect();
    let (vectors, rows) = TfIdf::fit(&own, &TfIdfOptions::default());
    let solved = Solved::new(&rows);
    test.par_iter()
        .map(|&text| {
            let (columns, values): (Vec<u32>, Vec<f32>) =
                vectors.vector(&field.messages[text].read(1)).into_iter().unzip();
            let near = solved.nearest(&columns, &values, VOTERS);
            near.iter()
                .map(|one| (field.labels[train[one.row as usize]], one.similarity))
                .collect()
        })
        .collect()
}
