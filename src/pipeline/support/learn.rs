//! Learning: candidates tried on unseen tickets, fitted to all, judged and chosen.

use super::super::{Night, SupportOptions};
use super::collect::{Label, Prepared};
use super::draft;
use super::knowledge::{Class, Knowledge, Page, Policy, Trace, Uses};
use crate::fit::Checkpoint;
use crate::store::Score;
use crate::support::{
    Classifier, ClassifierOptions, Drafting, Judged, Public, Solved, Threshold, Trial, accuracy,
    calibration_error, coverage_at, features, macro_f1, try_classifier,
};
use crate::text::{TfIdf, TfIdfOptions};
use anyhow::Result;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// What was fitted.
#[derive(Debug)]
pub struct Learned {
    words: TfIdf,
    solved: Solved,
    linear: Option<(TfIdf, Classifier)>,
    trial: Option<Trial>,
    drafting: Drafting,
    public: Public,
    languages: Vec<Option<String>>,
    pages: Vec<Page>,
    articles: Solved,
}

/// The name of the checkpoint of the classifier.
const CHECKPOINT: &str = "category";

pub(super) fn learn(prepared: &Prepared, night: &Night<'_>) -> Result<Learned> {
    let texts: Vec<&str> = prepared.old.iter().map(|old| old.text.as_str()).collect();
    let (words, rows) = TfIdf::fit(&texts, &TfIdfOptions::default());
    let solved = Solved::new(&rows);
    night.control.check()?;

    let languages = draft::languages(&prepared.old);
    let public = draft::public(prepared);
    let (pages, articles) = draft::articles(&prepared.articles, &words);
    let drafting = draft::measure(prepared, &solved, &languages, &public, night)?;
    night.control.check()?;

    let mut learned = Learned {
        words,
        solved,
        linear: None,
        trial: None,
        drafting,
        public,
        languages,
        pages,
        articles,
    };
    if prepared.labels.len() < 2 {
        return Ok(learned);
    }
    let texts: Vec<&str> = prepared
        .labelled
        .iter()
        .map(|&(row, _)| prepared.old[row].text.as_str())
        .collect();
    let labels: Vec<u32> = prepared.labelled.iter().map(|&(_, class)| class).collect();
    let times: Vec<i64> = prepared
        .labelled
        .iter()
        .map(|&(row, _)| prepared.old[row].created_at)
        .collect();
    let classes = prepared.labels.len();
    let trial = try_classifier(
        &texts,
        &labels,
        classes,
        prepared.timed.then_some(&times),
        night.seed,
        &night.control,
    )?;
    let (vectors, rows) = TfIdf::fit(&texts, &features(texts.len()));
    let options = ClassifierOptions {
        c: trial.c,
        checkpoint: Some(Checkpoint {
            name: CHECKPOINT.into(),
            fingerprint: fingerprint(&texts, &labels, trial.c),
            every: 10,
        }),
        ..ClassifierOptions::default()
    };
    let control = night.control_with_checkpoints("support")?;
    let classifier = Classifier::fit(&rows, &labels, classes, &options, &control)?;
    learned.linear = Some((vectors, classifier));
    learned.trial = Some(trial);
    Ok(learned)
}

/// Of everything that shapes the fit.
fn fingerprint(texts: &[&str], labels: &[u32], c: f64) -> u128 {
    let mut hash = Xxh3::new();
    for (text, label) in texts.iter().zip(labels) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
        hash.update(&label.to_le_bytes());
    }
    hash.update(&c.to_le_bytes());
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.digest128()
}

impl Learned {
    /// Chooses the model that was right most often on unseen tickets, measures its threshold, and lists the figures of
    /// all candidates.
    pub(super) fn judge(self, prepared: &Prepared, options: &SupportOptions) -> (Knowledge, Vec<Score>) {
        let mut scores = Vec::new();
        let mut threshold = Threshold::measure(&[], options.precision);
        let (uses, measured) = match &self.trial {
            None => (Uses::Nothing, too_few(prepared)),
            Some(trial) => {
                let (linear, near, naive) = (
                    accuracy(&trial.judged),
                    accuracy(&trial.neighbours),
                    accuracy(&trial.naive),
                );
                let (uses, judged) = if linear >= near {
                    (Uses::Linear, &trial.judged)
                } else {
                    (Uses::Neighbours, &trial.neighbours)
                };
                let better = linear > naive || near > naive;
                if better {
                    threshold = Threshold::measure(judged, options.precision);
                }
                for (name, judged, chosen) in [
                    ("linear", &trial.judged, uses == Uses::Linear),
                    ("neighbours", &trial.neighbours, uses == Uses::Neighbours),
                    ("naive", &trial.naive, false),
                ] {
                    let own = match name {
                        "naive" => Threshold::measure(&[], options.precision), // everything to triage
                        _ => Threshold::measure(judged, options.precision),
                    };
                    route_scores(
                        &mut scores,
                        name,
                        judged,
                        prepared.labels.len(),
                        &own,
                        trial.split,
                        chosen,
                    );
                }
                (uses, in_words(&threshold, trial, better))
            }
        };
        scores.extend(draft::scores(&self.drafting));
        let traces = prepared
            .old
            .iter()
            .map(|old| Trace {
                ticket_id: old.ticket_id.clone(),
                class: prepared
                    .label
                    .of(old)
                    .and_then(|name| {
                        prepared
                            .labels
                            .binary_search_by(|known| known.as_str().cmp(name))
                            .ok()
                    })
                    .map(|class| class as u32),
                agent_id: old.agent_id.clone(),
                reply_id: old.reply.as_ref().map(|(id, _)| *id),
            })
            .collect();
        let policy = Policy {
            uses,
            label: prepared.label,
            classes: classes(prepared),
            threshold,
            measured,
            drafting: self.drafting,
            public: self.public,
            send: options.send.clone(),
        };
        let knowledge = Knowledge {
            policy,
            words: self.words,
            solved: self.solved,
            traces,
            languages: self.languages,
            pages: self.pages,
            articles: self.articles,
            linear: self.linear,
        };
        (knowledge, scores)
    }
}

fn too_few(prepared: &Prepared) -> String {
    match prepared.labels.first() {
        None => "no category or team has two tickets that a person put there, so people decide".into(),
        Some(only) => format!(
            "{only} is the only {} with two tickets that a person put there; two are needed, so people decide",
            prepared.label.as_str()
        ),
    }
}

/// What stands behind the threshold, for `why`.
fn in_words(threshold: &Threshold, trial: &Trial, better: bool) -> String {
    let on = match trial.split {
        crate::support::SPLIT_LATER => format!("{} later tickets", trial.judged.len()),
        _ => format!("{} tickets in {}", trial.judged.len(), trial.split),
    };
    match (better, threshold.confidence.is_finite()) {
        (false, _) => {
            format!("no model was right more often than the most frequent answer on {on}, so people decide")
        }
        (true, false) => format!(
            "no confidence was right {:.0} % of the time on {on}, so people decide",
            100.0 * threshold.aimed
        ),
        (true, true) => format!("right {:.1} % of the time on {on}", 100.0 * threshold.precision),
    }
}

/// The classes with the team and the priority people gave most of their tickets; the first by name of equals. A
/// category whose tickets name no team belongs to the team most of whose agents name it as a skill; a team is its own.
fn classes(prepared: &Prepared) -> Vec<Class> {
    let mut teams: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut priorities: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for old in &prepared.old {
        let Some(category) = prepared.label.of(old) else {
            continue;
        };
        if let Some(team) = old.team.as_deref() {
            *teams.entry(category).or_default().entry(team).or_default() += 1;
        }
        if let Some(priority) = old.priority.as_deref() {
            *priorities
                .entry(category)
                .or_default()
                .entry(priority)
                .or_default() += 1;
        }
    }
    let mut skilled: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for agent in prepared.agents.iter().filter(|agent| agent.active) {
        for skill in agent.skills.iter().flatten() {
            if let Some(team) = agent.team.as_deref() {
                *skilled.entry(skill).or_default().entry(team).or_default() += 1;
            }
        }
    }
    let most = |counts: &BTreeMap<&str, BTreeMap<&str, u64>>, category: &str| {
        let counts = counts.get(category)?;
        counts
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
            .map(|(name, _)| (*name).to_owned())
    };
    prepared
        .labels
        .iter()
        .map(|name| Class {
            name: name.clone(),
            team: match prepared.label {
                Label::Category => most(&teams, name).or_else(|| most(&skilled, name)),
                Label::Team => Some(name.clone()),
            },
            priority: most(&priorities, name),
        })
        .collect()
}

fn route_scores(
    scores: &mut Vec<Score>,
    model: &str,
    judged: &[Judged],
    classes: usize,
    threshold: &Threshold,
    split: &str,
    chosen: bool,
) {
    let (coverage, precision) = coverage_at(judged, threshold.confidence);
    let right = accuracy(judged);
    let ends = right.map(|share| wilson(share, judged.len()));
    for (metric, value, ends) in [
        ("accuracy", right, ends),
        ("macro_f1", macro_f1(judged, classes), None),
        ("calibration_error", calibration_error(judged), None),
        ("coverage", Some(coverage), None),
        ("precision_of_routed", precision, None),
        ("tickets", Some(judged.len() as f64), None),
    ] {
        scores.push(Score {
            result: "ticket_routes",
            model: model.into(),
            slice: String::new(),
            metric: metric.into(),
            value,
            lo90: ends.map(|ends| ends.0),
            hi90: ends.map(|ends| ends.1),
            split: split.into(),
            chosen,
        });
    }
}

/// 90 % interval of a share measured on `n` (Wilson 1927).
fn wilson(share: f64, n: usize) -> (f64, f64) {
    let (z, n) = (1.6449, n as f64);
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((middle - half) / scale, (middle + half) / scale)
}
