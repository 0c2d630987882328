//! What the night says of the lists for strangers: figures for `scores`.

use crate::recommend::visitors::Visitors;
use crate::store::Score;

/// Naive answer, other windows, the best kernel and the ten best together, over customers nobody had seen before the cut.
pub(super) fn of_visitors(visitors: &Visitors) -> Vec<Score> {
    let mut scores = Vec::new();
    for figures in &visitors.figures {
        let score = |metric: &str, value: f64, ends: Option<(f64, f64)>| Score {
            result: "visitor_recommendations",
            model: figures.model.clone(),
            slice: String::new(),
            metric: metric.to_owned(),
            value: Some(value),
            lo90: ends.map(|ends| ends.0),
            hi90: ends.map(|ends| ends.1),
            split: "customers first seen after a global time cut".to_owned(),
            chosen: figures.model == visitors.model,
        };
        let (ndcg, hits) = (figures.ndcg, figures.hit_rate);
        scores.push(score("ndcg@10", ndcg.value, Some((ndcg.lo90, ndcg.hi90))));
        scores.push(score("hr@10", hits.value, Some((hits.lo90, hits.hi90))));
        scores.push(score("users", figures.strangers as f64, None));
    }
    scores
}
