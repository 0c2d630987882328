//! Learning: candidates tried on unseen tickets, and the chosen one fitted to all.

use super::super::{Night, SupportOptions};
use super::collect::{Prepared, message};
use super::draft;
use super::knowledge::{About, Page};
use super::network;
use super::written::Networks;
use crate::fit::Checkpoint;
use crate::support::{
    Candidate, Classifier, Drafting, Effort, Judged, Message, Public, Recipe, Solved, Trial, try_classifiers,
};
use crate::text::{TfIdf, TfIdfOptions};
use anyhow::Result;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// What was fitted.
#[derive(Debug)]
pub struct Learned {
    pub(super) words: TfIdf,
    pub(super) solved: Solved,
    pub(super) classifier: Option<Classifier>,
    pub(super) trial: Option<Trial>,
    pub(super) asides: Vec<Tried>,
    pub(super) drafting: Drafting,
    pub(super) networks: Networks,
    pub(super) public: Public,
    pub(super) languages: Vec<Option<String>>,
    pub(super) pages: Vec<Page>,
    pub(super) articles: Solved,
}

/// Team or priority told from the text, beside what follows from the category.
#[derive(Debug)]
pub(super) struct Tried {
    pub about: About,
    /// Teams or priorities, sorted.
    pub values: Vec<String>,
    /// Fitted where it was right more often than what follows from the category.
    pub classifier: Option<Classifier>,
    /// Whether the published value of the category that was told was right: `answer` is the category, `confidence` the
    /// category's, and where the value was wrong `truth` is no category.
    pub usual: Vec<Judged>,
    /// On the same unseen tickets: told from the text, what follows from the category told from the text, and the
    /// most frequent value.
    pub told: Candidate,
    pub follows: Vec<Judged>,
    pub naive: Vec<Judged>,
    pub split: &'static str,
}

/// The name of the checkpoint of the classifier.
const CHECKPOINT: &str = "category";

pub(super) fn learn(prepared: &Prepared, options: &SupportOptions, night: &Night<'_>) -> Result<Learned> {
    let texts: Vec<&str> = prepared.old.iter().map(|old| old.text.as_str()).collect();
    let (words, rows) = TfIdf::fit(&texts, &TfIdfOptions::default());
    let solved = Solved::new(&rows);
    night.control.check()?;

    let languages = draft::languages(&prepared.old);
    let public = draft::public(prepared);
    let (pages, articles) = draft::articles(&prepared.articles, &words);
    let mut drafting = draft::measure(prepared, &solved, &languages, &public, options, night)?;
    night.control.check()?;
    let networks = network::learn(
        prepared,
        &solved,
        &languages,
        &public,
        &mut drafting,
        options,
        night,
    )?;
    night.control.check()?;

    let mut learned = Learned {
        words,
        solved,
        classifier: None,
        trial: None,
        asides: Vec::new(),
        drafting,
        networks,
        public,
        languages,
        pages,
        articles,
    };
    if prepared.labels.len() >= 2 {
        let (rows, labels): (Vec<usize>, Vec<u32>) = prepared.labelled.iter().copied().unzip();
        let trial = try_on(
            prepared,
            &rows,
            &labels,
            prepared.labels.len(),
            Effort::Full,
            night,
        )?;
        let recipe = trial.candidates.first().and_then(|best| best.recipe.clone());
        if let Some(recipe) = recipe {
            learned.classifier = Some(fit(prepared, &rows, &labels, &recipe, night)?);
        }
        learned.trial = Some(trial);
    }
    for about in [About::Team, About::Priority] {
        learned
            .asides
            .extend(aside(prepared, learned.trial.as_ref(), about, night)?);
    }
    Ok(learned)
}

fn messages<'a>(prepared: &'a Prepared, rows: &[usize]) -> Vec<Message<'a>> {
    let of = |&row: &usize| message(&prepared.old[row].text, prepared.old[row].subject);
    rows.iter().map(of).collect()
}

/// A trial on rows of the old tickets.
fn try_on(
    prepared: &Prepared,
    rows: &[usize],
    labels: &[u32],
    classes: usize,
    effort: Effort,
    night: &Night<'_>,
) -> Result<Trial> {
    let times: Vec<i64> = rows.iter().map(|&row| prepared.old[row].created_at).collect();
    Ok(try_classifiers(
        &messages(prepared, rows),
        labels,
        classes,
        prepared.timed.then_some(&times),
        effort,
        night.seed,
        &night.control,
    )?)
}

/// Fits the chosen recipe to all labelled tickets.
fn fit(
    prepared: &Prepared,
    rows: &[usize],
    labels: &[u32],
    recipe: &Recipe,
    night: &Night<'_>,
) -> Result<Classifier> {
    let messages = messages(prepared, rows);
    let checkpoint = Checkpoint {
        name: CHECKPOINT.into(),
        fingerprint: fingerprint(&messages, labels, recipe),
        every: 10,
    };
    let control = night.control_with_checkpoints("support")?;
    let classes = prepared.labels.len();
    Ok(Classifier::fit(
        recipe,
        &messages,
        labels,
        classes,
        Some(checkpoint),
        &control,
    )?)
}

/// Of everything that shapes the fit.
fn fingerprint(messages: &[Message<'_>], labels: &[u32], recipe: &Recipe) -> u128 {
    let mut hash = Xxh3::new();
    for (message, label) in messages.iter().zip(labels) {
        for part in [message.subject, message.body] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(&label.to_le_bytes());
    }
    hash.update(format!("{recipe:?}").as_bytes());
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.digest128()
}

/// Tries team or priority on its own: fitted only where it was right more often than what follows from the category, on
/// the same unseen tickets and beyond chance.
fn aside(
    prepared: &Prepared,
    category: Option<&Trial>,
    about: About,
    night: &Night<'_>,
) -> Result<Option<Tried>> {
    let value = |row: usize| match about {
        About::Team => prepared.old[row].team.as_deref(),
        About::Priority => prepared.old[row].priority.as_deref(),
    };
    let is_label = prepared.label.as_str() == about.as_str();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in (0..prepared.old.len()).filter_map(value) {
        *counts.entry(name).or_default() += 1;
    }
    let values: Vec<&str> = counts
        .iter()
        .filter(|(_, n)| **n >= 2)
        .map(|(name, _)| *name)
        .collect();
    if is_label || values.len() < 2 {
        return Ok(None);
    }
    let (rows, labels): (Vec<usize>, Vec<u32>) = (0..prepared.old.len())
        .filter_map(|row| Some((row, values.binary_search(&value(row)?).ok()? as u32)))
        .unzip();
    let trial = try_on(prepared, &rows, &labels, values.len(), Effort::Quick, night)?;
    let Some(told) = trial.candidates.into_iter().next() else {
        return Ok(None);
    };
    let follows = follows(prepared, category, &rows, &labels, &trial.texts, &trial.naive);
    let (mut gained, mut lost) = (0f64, 0f64);
    for (told, follows) in told.judged.iter().zip(&follows) {
        gained += f64::from(u8::from(told.right() && !follows.right()));
        lost += f64::from(u8::from(!told.right() && follows.right()));
    }
    // McNemar's statistic: two standard errors.
    let better = gained - lost > 2.0 * (gained + lost).sqrt();
    let classifier = match told.recipe.as_ref().filter(|_| better) {
        Some(recipe) => {
            let messages = messages(prepared, &rows);
            let control = night.control.quiet();
            Some(Classifier::fit(
                recipe,
                &messages,
                &labels,
                values.len(),
                None,
                &control,
            )?)
        }
        // How often the usual team is right counts all the same.
        None if about == About::Team => None,
        None => return Ok(None),
    };
    let judged = trial.texts.iter().map(|&text| rows[text]);
    Ok(Some(Tried {
        about,
        usual: usual(prepared, category, judged, value, about),
        values: values.into_iter().map(str::to_owned).collect(),
        classifier,
        told,
        follows,
        naive: trial.naive,
        split: trial.split,
    }))
}

/// Whether what is published of the category told about the `judged` old tickets unseen was what people decided.
fn usual<'a>(
    prepared: &'a Prepared,
    category: Option<&Trial>,
    judged: impl Iterator<Item = usize>,
    value: impl Fn(usize) -> Option<&'a str>,
    about: About,
) -> Vec<Judged> {
    let told = told(prepared, category);
    let right = |row: usize, class: u32| {
        let class = prepared.classes.get(class as usize)?;
        let published = match about {
            About::Team => class.team.as_deref(),
            About::Priority => class.priority.as_deref(),
        };
        Some(published? == value(row)?)
    };
    judged
        .filter_map(|row| {
            let one = told.get(&row)?;
            let right = right(row, one.answer)?;
            Some(Judged {
                truth: if right { one.answer } else { u32::MAX },
                ..*one
            })
        })
        .collect()
}

/// What the best candidate told about tickets unseen, by the row of the old tickets.
fn told(prepared: &Prepared, category: Option<&Trial>) -> BTreeMap<usize, Judged> {
    let of = |trial: &Trial| {
        let rows = trial.texts.iter().map(|&text| prepared.labelled[text].0);
        let judged = trial.candidates.first()?.judged.iter().copied();
        Some(rows.zip(judged).collect())
    };
    category.and_then(of).unwrap_or_default()
}

/// What follows from the category that was told about the same tickets unseen: the value most of its tickets have.
/// Where no category was told about a ticket, the naive answer.
fn follows(
    prepared: &Prepared,
    category: Option<&Trial>,
    rows: &[usize],
    labels: &[u32],
    judged: &[usize],
    naive: &[Judged],
) -> Vec<Judged> {
    let mut counts: BTreeMap<u32, BTreeMap<u32, u64>> = BTreeMap::new();
    let of_row: BTreeMap<usize, u32> = prepared.labelled.iter().copied().collect();
    for (row, &label) in rows.iter().zip(labels) {
        if let Some(&class) = of_row.get(row) {
            *counts.entry(class).or_default().entry(label).or_default() += 1;
        }
    }
    let usual = |class: u32| {
        let counts = counts.get(&class)?;
        let best = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        best.map(|(&label, _)| label)
    };
    let told = told(prepared, category);
    judged
        .iter()
        .zip(naive)
        .map(|(&text, naive)| Judged {
            answer: told
                .get(&rows[text])
                .and_then(|one| usual(one.answer))
                .unwrap_or(naive.answer),
            truth: labels[text],
            confidence: naive.confidence,
        })
        .collect()
}
