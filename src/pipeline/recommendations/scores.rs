//! Figures for `scores`: one way to write them for every model of this family, and those of the lists for strangers.

use crate::recommend::measure::Figure;
use crate::recommend::visitors::Visitors;
use crate::store::Score;

/// One model's place in the book: whose figures, on which held-out part.
pub(super) struct Page<'a> {
    /// Result view.
    pub(super) result: &'static str,
    /// The model's name.
    pub(super) model: &'a str,
    /// '' = all.
    pub(super) slice: &'a str,
    /// How the held-out part was cut.
    pub(super) split: &'a str,
    /// Whether its answers are written.
    pub(super) chosen: bool,
}

impl Page<'_> {
    /// A figure with its interval.
    pub(super) fn figure(&self, metric: &str, figure: Figure) -> Score {
        Score {
            lo90: Some(figure.lo90),
            hi90: Some(figure.hi90),
            ..self.count(metric, figure.value)
        }
    }

    /// A number that has no interval: how many were asked.
    pub(super) fn count(&self, metric: &str, value: f64) -> Score {
        Score {
            result: self.result,
            model: self.model.to_owned(),
            slice: self.slice.to_owned(),
            metric: metric.to_owned(),
            value: Some(value),
            lo90: None,
            hi90: None,
            split: self.split.to_owned(),
            chosen: self.chosen,
        }
    }
}

/// Naive answer, other windows, the best kernel and the ten best together, over customers nobody had seen before the cut.
pub(super) fn of_visitors(visitors: &Visitors) -> Vec<Score> {
    let mut scores = Vec::new();
    for figures in &visitors.figures {
        let page = Page {
            result: "visitor_recommendations",
            model: &figures.model,
            slice: "",
            split: "customers first seen after a global time cut",
            chosen: figures.model == visitors.model,
        };
        scores.push(page.figure("ndcg@10", figures.ndcg));
        scores.push(page.figure("hr@10", figures.hit_rate));
        scores.push(page.count("users", figures.strangers as f64));
    }
    scores
}
