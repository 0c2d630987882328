//! What every member says about tickets it has not seen.

use super::super::Solved;
use super::super::classify::hinge::{Hinge, TOLERANCE};
use super::super::classify::linear::Linear;
use super::super::classify::logistic::{LogisticOptions, logistic};
use super::super::classify::ratios::LogRatios;
use super::super::classify::{
    Member, Message, SEED, VOTERS, View, WARM_ITERATIONS, centroid::centroids, vectorise, vote_scores,
};
use super::Field;
use crate::fit::FitError;
use crate::text::{Csr, TfIdf, TfIdfOptions};
use rayon::prelude::*;

/// Scores of every member about every text, each from members fitted without its fold; beside `members`.
pub(super) fn unseen(
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
pub(in crate::support) fn member_scores(
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
