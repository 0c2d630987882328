//! Judging: the candidates' figures, the threshold of the chosen one, and what is kept.

use super::super::SupportOptions;
use super::collect::Prepared;
use super::draft;
use super::knowledge::{About, Aside, Knowledge, Policy, Trace};
use super::labels::NONE_OF_THESE;
use super::learn::{Learned, Tried};
use super::written;
use crate::store::Score;
use crate::support::{Judged, Threshold, Trial, accuracy, calibration_error, macro_f1};

impl Learned {
    /// Measures the threshold of the candidate that did best on unseen tickets, and lists the figures of all; also, in words,
    /// what came of the networks that write replies.
    pub(super) fn judge(
        self,
        prepared: &Prepared,
        options: &SupportOptions,
    ) -> (Knowledge, Vec<Score>, String) {
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
        let mut usual = None;
        let mut asides = Vec::new();
        for tried in self.asides {
            let told = Threshold::measure(&tried.told.judged, options.precision, None);
            let acted: Vec<Judged> = tried
                .usual
                .iter()
                .filter(|one| threshold.passes(one.answer, one.confidence))
                .filter(|one| prepared.classes[one.answer as usize].has_one_team(options.precision))
                .copied()
                .collect();
            let follows = Threshold::measure(&acted, options.precision, None);
            let team = tried.about == About::Team;
            let better = tried.classifier.is_some();
            for (name, judged, threshold, n, chosen) in [
                (
                    tried.told.name.as_str(),
                    &tried.told.judged,
                    Some(&told),
                    tried.told.judged.len(),
                    better,
                ),
                (
                    "the category's usual",
                    &tried.follows,
                    Some(&follows),
                    acted.len(),
                    !better,
                ),
                ("naive", &tried.naive, None, 0, false),
            ] {
                let threshold = threshold.filter(|_| team).map(|threshold| (threshold, n));
                aside_scores(&mut scores, &tried, name, judged, threshold, chosen);
            }
            if team {
                usual = Some(follows);
            }
            asides.extend(tried.classifier.map(|classifier| Aside {
                about: tried.about,
                values: tried.values,
                classifier,
                threshold: told,
            }));
        }
        scores.extend(draft::scores(&self.drafting));
        scores.extend(written::scores(&self.networks, &self.drafting));
        let networks = written::in_words(&self.networks, &self.drafting);
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
            classes: prepared.classes.clone(),
            usual,
            threshold,
            measured,
            drafting: self.drafting,
            public: self.public,
            send: options.send.clone(),
            networks: self.networks.kept.keys().cloned().collect(),
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
            asides,
            networks: self.networks.kept,
        };
        (knowledge, scores, networks)
    }
}

fn too_few(prepared: &Prepared) -> String {
    match prepared.labels.iter().find(|name| *name != NONE_OF_THESE) {
        None if prepared.unknown.is_some() => format!(
            "no category but \"{NONE_OF_THESE}\", none of these, has two tickets that a person put there, so people decide"
        ),
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
        (true, true) => format!(
            "{:.1} % right on the {:.0} of {on} that were sure enough",
            100.0 * threshold.precision,
            threshold.coverage * threshold.measured_on as f64
        ),
    }
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

/// Figures of what is told beside the class; `threshold` with the number of answers it was measured on, where it is acted
/// on from a confidence of its own.
fn aside_scores(
    scores: &mut Vec<Score>,
    tried: &Tried,
    model: &str,
    judged: &[Judged],
    threshold: Option<(&Threshold, usize)>,
    chosen: bool,
) {
    let right = accuracy(judged);
    let n = judged.len() as f64;
    let mut rows = vec![
        ("accuracy", right, n),
        ("macro_f1", macro_f1(judged, tried.values.len()), 0.0),
        ("tickets", Some(n), 0.0),
    ];
    if let Some((threshold, measured)) = threshold {
        let acted = threshold.coverage * measured as f64;
        let precision = (acted > 0.0).then_some(threshold.precision);
        rows.push(("coverage", Some(acted / n.max(1.0)), n));
        rows.push(("precision_of_routed", precision, acted));
    }
    for (metric, value, n) in rows {
        let ends = value.filter(|_| n > 0.0).map(|share| wilson(share, n));
        let about = tried.about.as_str();
        scores.push(score(about, model, metric, value, ends, tried.split, chosen));
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
