//! What a ticket is about: linear models and neighbours over one TF-IDF, stacked into one probability.
//!
//! The words used here:
//!
//! - A **view** ([`View`]) is how texts become rows: which n-grams count, how often the subject is read, how rare an n-gram may be.
//! - A **member** ([`Member`]) is one model of the stack: squared hinge, NB-SVM, multinomial logistic, class means, or the
//!   votes of the nearest tickets. All but the last are linear over the same view, so their weighted sum is one matrix.
//! - A **recipe** ([`Recipe`]) names a view, members, their penalties and their weights; `trial` finds it on tickets that were
//!   not fitted. A **classifier** ([`Classifier`]) is a recipe fitted.
//!
//! Probabilities are `softmax(sum_m w_m score_m)` with the weights of maximum likelihood on unseen tickets, so they are
//! calibrated as far as a handful of numbers can do it.

pub(super) mod centroid;
pub(super) mod hinge;
pub(super) mod linear;
pub(super) mod logistic;
pub(super) mod ratios;
pub(super) mod stack;
#[cfg(test)]
mod tests;

use self::hinge::Hinge;
pub use self::linear::Linear;
use self::linear::softmax;
use self::logistic::{LogisticOptions, logistic};
use self::ratios::LogRatios;
use crate::fit::{Checkpoint, Control, FitError};
use crate::text::{Csr, Features, TfIdf, TfIdfOptions, Weighting};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A ticket's text in its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Message<'a> {
    /// The subject; may be empty.
    pub subject: &'a str,
    /// The body.
    pub body: &'a str,
}

impl<'a> Message<'a> {
    /// A text without a subject.
    pub fn of(body: &'a str) -> Message<'a> {
        Message { subject: "", body }
    }

    /// The text with its subject read `times` times: a subject says in five words what the body says in a hundred, and a
    /// term frequency is the plain way to say so.
    pub fn read(&self, times: u32) -> Cow<'a, str> {
        if self.subject.trim().is_empty() {
            return Cow::Borrowed(self.body);
        }
        let times = times as usize;
        let mut text = String::with_capacity((self.subject.len() + 1) * times + self.body.len());
        for _ in 0..times {
            text.push_str(self.subject);
            text.push('\n');
        }
        text.push_str(self.body);
        Cow::Owned(text)
    }
}

/// How texts become rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whether the characters inside words count beside the words.
    pub characters: bool,
    /// How often the subject is read.
    pub subject: u32,
    /// N-grams of fewer tickets are left out.
    pub min_df: u32,
}

impl View {
    /// The vectoriser's options: every block of unit length, two blocks weighing `1/sqrt(2)` each.
    pub fn options(self) -> TfIdfOptions {
        TfIdfOptions {
            features: if self.characters {
                Features::WordsAndCharacters
            } else {
                Features::Words
            },
            weighting: Weighting::Unit,
            min_df: self.min_df,
            max_features: None,
        }
    }
}

/// A model of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Member {
    /// One-vs-rest squared hinge with this C.
    Hinge(f64),
    /// The same over features multiplied by their log-count ratios.
    Bayes(f64),
    /// Multinomial logistic regression with this C.
    Logistic(f64),
    /// Class means.
    Centroid,
    /// Shares of the votes of the nearest tickets, weighted by this power of their similarity.
    Nearest(f64),
    /// The logarithms of those shares.
    LogNearest(f64),
}

impl Member {
    /// Its name in `scores`.
    pub fn name(self) -> &'static str {
        match self {
            Member::Hinge(_) => "hinge",
            Member::Bayes(_) => "nb-svm",
            Member::Logistic(_) => "logistic",
            Member::Centroid => "centroid",
            Member::Nearest(_) => "neighbours",
            Member::LogNearest(_) => "log neighbours",
        }
    }
}

/// What to fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How texts become rows.
    pub view: View,
    /// Members with their weights.
    pub members: Vec<(Member, f64)>,
}

impl Recipe {
    /// Its members' names joined, each once: its name in `scores`.
    pub fn name(&self) -> String {
        let mut names: Vec<&str> = self.members.iter().map(|(member, _)| member.name()).collect();
        names.dedup();
        match names.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("stack: {}", several.join(" + ")),
        }
    }
}

/// How many of the nearest labelled tickets vote.
pub const VOTERS: usize = 20;
/// Added to every class's share of the votes before the logarithm: what an absent class is worth.
const UNVOTED: f64 = 0.02;
/// Iterations of L-BFGS from the hinge's weights. On BANKING77 they reach what 40 reach from nothing.
pub(in crate::support) const WARM_ITERATIONS: u64 = 20;

/// A fitted recipe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Classifier {
    vectors: TfIdf,
    subject: u32,
    /// The linear members, weighed and added up.
    linear: Linear,
    /// The members that count neighbours' votes, and their weights.
    nearest: Vec<(Member, f64)>,
}

impl Classifier {
    /// Fits messages to their labels (`labels[i] < classes`).
    ///
    /// # Errors
    /// [`FitError::Invalid`] for less than two classes, no row or labels that do not fit; otherwise what the optimiser says
    /// (stopped, checkpoint).
    pub fn fit(
        recipe: &Recipe,
        messages: &[Message<'_>],
        labels: &[u32],
        classes: usize,
        checkpoint: Option<Checkpoint>,
        control: &Control,
    ) -> Result<Classifier, FitError> {
        check(messages.len(), labels, classes)?;
        let by_votes = |member: &Member| matches!(member, Member::Nearest(_) | Member::LogNearest(_));
        let all_vote = recipe.members.iter().all(|(member, _)| by_votes(member));
        // Where nobody but neighbours decides, no vocabulary is kept.
        let (vectors, rows) = vectorise(recipe.view, if all_vote { &[] } else { messages });
        let mut linear = Linear::zero(classes, rows.columns);
        let mut nearest = Vec::new();
        let mut hinge: Option<Linear> = None;
        for &(member, weight) in &recipe.members {
            control.check()?;
            match member {
                Member::Nearest(_) | Member::LogNearest(_) => nearest.push((member, weight)),
                Member::Logistic(c) => {
                    let start = match &hinge {
                        Some(hinge) => hinge.clone(),
                        None => Hinge::new(&rows, labels, classes, None, SEED).fit(
                            1.0,
                            hinge::TOLERANCE,
                            &control.quiet(),
                        )?,
                    };
                    let options = LogisticOptions {
                        c,
                        max_iterations: WARM_ITERATIONS,
                        checkpoint: checkpoint.clone(),
                    };
                    let fitted = logistic(&rows, labels, classes, Some(&start), &options, control)?;
                    linear.add(weight, &fitted);
                }
                _ => {
                    let fitted = fit_member(member, &rows, labels, classes, &control.quiet())?;
                    linear.add(weight, &fitted);
                    if matches!(member, Member::Hinge(_)) {
                        hinge = Some(fitted);
                    }
                }
            }
        }
        Ok(Classifier {
            vectors,
            subject: recipe.view.subject,
            linear,
            nearest,
        })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.linear.classes()
    }

    /// Whether what was stored belongs together.
    pub fn is_sound(&self) -> bool {
        self.linear.is_sound() && self.linear.columns() == self.vectors.vocabulary_len()
    }

    /// Whether the votes of neighbours are a member, so that [`probabilities`](Self::probabilities) wants them.
    pub fn wants_neighbours(&self) -> bool {
        !self.nearest.is_empty()
    }

    /// Messages as rows of the classifier's own view.
    pub fn rows(&self, messages: &[Message<'_>]) -> Csr {
        let texts: Vec<Cow<'_, str>> = messages
            .iter()
            .map(|message| message.read(self.subject))
            .collect();
        self.vectors.transform(&texts)
    }

    /// The likeliest class of every row by the linear members alone, and its probability.
    pub fn linear_answers(&self, rows: &Csr) -> Vec<(u32, f64)> {
        let scores = self.linear.all_scores(rows);
        let answers = scores.chunks_exact(self.classes().max(1)).map(|scores| {
            let mut p: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
            softmax(&mut p);
            linear::best_of(&p)
        });
        answers.collect()
    }

    /// Probability of every class; `near` are classes and similarities of the nearest [`VOTERS`] labelled tickets.
    pub fn probabilities(&self, message: &Message<'_>, near: &[(u32, f32)]) -> Vec<f64> {
        let (columns, values): (Vec<u32>, Vec<f32>) = self
            .vectors
            .vector(&message.read(self.subject))
            .into_iter()
            .unzip();
        let mut p: Vec<f64> = self
            .linear
            .scores(&columns, &values)
            .into_iter()
            .map(f64::from)
            .collect();
        for &(member, weight) in &self.nearest {
            for (p, vote) in p.iter_mut().zip(vote_scores(near, member, self.classes())) {
                *p += weight * f64::from(vote);
            }
        }
        softmax(&mut p);
        p
    }
}

/// Seed of the order in which rows are visited; not the night's, so that a fit depends on its data alone.
pub(in crate::support) const SEED: u64 = 1;

/// A linear member with its own penalty; the logistic from nothing.
fn fit_member(
    member: Member,
    rows: &Csr,
    labels: &[u32],
    classes: usize,
    control: &Control,
) -> Result<Linear, FitError> {
    match member {
        Member::Hinge(c) => Hinge::new(rows, labels, classes, None, SEED).fit(c, hinge::TOLERANCE, control),
        Member::Bayes(c) => {
            let ratios = LogRatios::count(rows, labels, classes);
            Hinge::new(rows, labels, classes, Some(&ratios), SEED).fit(c, hinge::TOLERANCE, control)
        }
        Member::Centroid => Ok(centroid::centroids(rows, labels, classes)),
        // The logistic starts from another's weights and neighbours are not fitted: both are met by the caller.
        Member::Logistic(_) | Member::Nearest(_) | Member::LogNearest(_) => Err(FitError::Invalid(format!(
            "{} is no model of this kind",
            member.name()
        ))),
    }
}

/// Texts as rows of a view.
pub(in crate::support) fn vectorise(view: View, messages: &[Message<'_>]) -> (TfIdf, Csr) {
    let texts: Vec<Cow<'_, str>> = messages
        .iter()
        .map(|message| message.read(view.subject))
        .collect();
    TfIdf::fit(&texts, &view.options())
}

/// Every class's share of the votes or its logarithm, as the member wants it; no votes from the others.
pub(in crate::support) fn vote_scores(near: &[(u32, f32)], member: Member, classes: usize) -> Vec<f32> {
    let (power, logarithm) = match member {
        Member::Nearest(power) => (power, false),
        Member::LogNearest(power) => (power, true),
        _ => return vec![0.0; classes],
    };
    let mut shares = vec![0f64; classes];
    let mut total = 0.0;
    for &(class, similarity) in near {
        let vote = f64::from(similarity).powf(power);
        if let Some(share) = shares.get_mut(class as usize) {
            *share += vote;
            total += vote;
        }
    }
    let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
    let share = |share: &f64| match logarithm {
        true => (share * scale + UNVOTED).ln() as f32,
        false => (share * scale) as f32,
    };
    shares.iter().map(share).collect()
}

/// Whether this can be fitted at all.
fn check(rows: usize, labels: &[u32], classes: usize) -> Result<(), FitError> {
    if classes < 2 || rows == 0 || rows != labels.len() {
        return Err(FitError::Invalid(format!(
            "a classifier wants two classes and a label for every row, not {classes} classes and {} labels for {rows} rows",
            labels.len()
        )));
    }
    match labels.iter().find(|&&label| label as usize >= classes) {
        None => Ok(()),
        Some(label) => Err(FitError::Invalid(format!(
            "label {label} is not below the number of classes, {classes}"
        ))),
    }
}
