//! Which recipe: every member fitted on two thirds of the tickets, asked about the last, three times over.
//!
//! First the views compete by their hinge alone, which is quick; in the best view every member is tried with a few
//! penalties, from weak to strong, each starting from the last; then one of each kind, the likeliest, is stacked with others
//! in a few combinations. The neighbours' votes are an exception: which power of the similarity is best beside a linear model,
//! which knows the common words already, is another than alone, and votes cost nothing to count again, so a combination
//! gets all of them and the weights choose. What counts is the share of right answers less a fiftieth of the mean log loss: of two recipes
//! that are equally often right, the one that knows better when it is.
//!
//! Everything but the weights of the stack (a handful of numbers) is judged on tickets it has not seen.

mod members;

pub(super) use self::members::member_scores;
use self::members::unseen;
use super::Judged;
use super::classify::linear::best_of;
use super::classify::stack::{stack, temperature};
use super::classify::{Member, Message, Recipe, View};
use crate::fit::{Control, FitError};
use crate::text::{TfIdf, TfIdfOptions};
use std::mem::{Discriminant, discriminant};

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
    /// Mean of `-ln p(label)`.
    pub loss: f64,
    /// Accuracy less [`CONFIDENCE`] times the log loss.
    pub worth: f64,
}

/// From so many tickets on an n-gram must occur in two of them: those that occur once are half of all and teach nothing
/// about the next ticket. In a small history every word counts.
const MANY: usize = 2000;
/// What the log loss counts beside the accuracy.
const CONFIDENCE: f64 = 0.02;
/// Powers of the similarity by which neighbours' votes are weighted.
const POWERS: [f64; 3] = [2.0, 4.0, 6.0];
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
        for power in POWERS {
            members.push(Member::Nearest(power));
            members.push(Member::LogNearest(power));
        }
    }
    let scores = unseen(field, texts, fold_of, view, &members)?;
    // The likeliest of each kind (a better judge of a penalty than the right answers, which change by chance), and every power
    // of the votes; in the order above.
    let mut kinds: Vec<Entry> = vec![entries[0].clone()];
    let mut raw: Vec<Vec<f32>> = vec![entries[0].scores.clone()];
    for (&member, scores) in members.iter().zip(scores) {
        let entry = single(field, texts, view, member, scores.clone())?;
        let rival = match member {
            Member::Nearest(_) | Member::LogNearest(_) => None,
            _ => kinds
                .iter()
                .position(|known| kind(known) == discriminant(&member)),
        };
        match rival {
            None => {
                kinds.push(entry);
                raw.push(scores);
            }
            Some(at) if entry.loss < kinds[at].loss => (kinds[at], raw[at]) = (entry, scores),
            Some(_) => {}
        }
    }
    let of = |wanted: Member| -> Vec<usize> {
        (0..kinds.len())
            .filter(|&at| kind(&kinds[at]) == discriminant(&wanted))
            .collect()
    };
    let (hinge, bayes, logit) = (
        of(Member::Hinge(0.0)),
        of(Member::Bayes(0.0)),
        of(Member::Logistic(0.0)),
    );
    let (mean, near, log) = (
        of(Member::Centroid),
        of(Member::Nearest(0.0)),
        of(Member::LogNearest(0.0)),
    );
    for combination in [
        vec![&hinge, &logit],
        vec![&hinge, &near],
        vec![&hinge, &log],
        vec![&bayes, &near],
        vec![&bayes, &log],
        vec![&hinge, &bayes, &near, &mean],
        vec![&hinge, &bayes, &log, &mean],
        vec![&hinge, &logit, &bayes, &near, &log, &mean],
    ] {
        if combination.iter().any(|kind| kind.is_empty()) {
            continue; // a member was too dear to try
        }
        let chosen: Vec<usize> = combination.into_iter().flatten().copied().collect();
        entries.extend(combined(field, texts, view, &chosen, &kinds, &raw)?);
    }
    entries.extend(kinds.into_iter().skip(1));
    Ok(())
}

/// What kind of member an entry of one member is.
fn kind(entry: &Entry) -> Discriminant<Member> {
    discriminant(&entry.recipe.members[0].0)
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
        loss,
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
        loss,
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
