//! Judging: the candidates' figures, the threshold of the chosen one, and what is kept.

use super::super::SupportOptions;
use super::collect::Prepared;
use super::draft;
use super::knowledge::{Class, Knowledge, Policy, Trace};
use super::labels::Label;
use super::learn::Learned;
use crate::store::Score;
use crate::support::{Judged, Threshold, Trial, accuracy, calibration_error, macro_f1};
use std::collections::BTreeMap;

impl Learned {
    /// Measures the threshold of the candidate that did best on unseen tickets, and lists the figures of all.
    pub(super) fn judge(self, prepared: &Prepared, options: &SupportOptions) -> (Knowledge, Vec<Score>) {
        let mut scores = Vec::new();
        let mut threshold = Threshold::never(options.precision);
        threshold.unknown = prepared.unknown.map(|unknown| unknown.class);
        let classes_known = prepared.labels.len();
        let (model, measured) = match &self.trial {
            None => (None, too_few(prepared)),
            Some(trial) => {
                let best = trial.candidates.first();
                let right = |judged: &[Judged]| accuracy(judged).unwrap_or(0.0);
                let better = best.is_some_and(|best| right(&best.judged) > right(&trial.naive));
                for (at, one) in trial.candidates.iter().enumerate() {
                    let own = Threshold::measure(&one.judged, options.precision, prepared.unknown);
                    route_scores(
                        &mut scores,
                        &one.name,
                        &one.judged,
                        classes_known,
                        &own,
                        trial.split,
                        at == 0,
                    );
                    if at == 0 && better {
                        threshold = own;
                    }
                }
                let never = Threshold::never(options.precision); // everything to triage
                route_scores(
                    &mut scores,
                    "naive",
                    &trial.naive,
                    classes_known,
                    &never,
                    trial.split,
                    false,
                );
                (
                    best.map(|best| best.name.clone()),
                    in_words(&threshold, trial, better),
                )
            }
        };
        for tried in &self.asides {
            let about = tried.aside.about.as_str();
            for (name, judged, chosen) in [
                (tried.told.name.as_str(), &tried.told.judged, true),
                ("the category's usual", &tried.follows, false),
                ("naive", &tried.naive, false),
            ] {
                aside_scores(
                    &mut scores,
                    about,
                    name,
                    judged,
                    tried.aside.values.len(),
                    tried.split,
                    chosen,
                );
            }
        }
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
            model,
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
            classifier: self.classifier,
            asides: self.asides.into_iter().map(|tried| tried.aside).collect(),
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
        crate::support::SPLIT_LATER => format!("{} later tickets", trial.texts.len()),
        _ => format!("{} tickets in {}", trial.texts.len(), trial.split),
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
    let acted = threshold.coverage * judged.len() as f64;
    let (right, precision) = (accuracy(judged), (acted > 0.0).then_some(threshold.precision));
    for (metric, value, n) in [
        ("accuracy", right, judged.len() as f64),
        ("macro_f1", macro_f1(judged, classes), 0.0),
        ("calibration_error", calibration_error(judged), 0.0),
        ("coverage", Some(threshold.coverage), judged.len() as f64),
        ("precision_of_routed", precision, acted),
        ("tickets", Some(judged.len() as f64), 0.0),
    ] {
        let ends = value.filter(|_| n > 0.0).map(|share| wilson(share, n));
        scores.push(score("", model, metric, value, ends, split, chosen));
    }
}

/// Figures of what is told beside the class.
fn aside_scores(
    scores: &mut Vec<Score>,
    about: &str,
    model: &str,
    judged: &[Judged],
    values: usize,
    split: &str,
    chosen: bool,
) {
    let right = accuracy(judged);
    let ends = right.map(|share| wilson(share, judged.len() as f64));
    for (metric, value, ends) in [
        ("accuracy", right, ends),
        ("macro_f1", macro_f1(judged, values), None),
        ("tickets", Some(judged.len() as f64), None),
    ] {
        scores.push(score(about, model, metric, value, ends, split, chosen));
    }
}

fn score(
    slice: &str,
    model: &str,
    metric: &str,
    value: Option<f64>,
    ends: Option<(f64, f64)>,
    split: &str,
    chosen: bool,
) -> Score {
    Score {
        result: "ticket_routes",
        model: model.into(),
        slice: slice.into(),
        metric: metric.into(),
        value,
        lo90: ends.map(|ends| ends.0),
        hi90: ends.map(|ends| ends.1),
        split: split.into(),
        chosen,
    }
}

/// 90 % interval of a share measured on `n` (Wilson 1927).
fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z = 1.6449;
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((middle - half) / scale, (middle + half) / scale)
}
