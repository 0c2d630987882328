//! What the night says of its forecasts: every figure for `scores`, and the night in one sentence.

use super::Fitted;
use super::collect::Prepared;
use crate::price::backtest::{ENOUGH, ORIGINS};
use crate::price::choose::{Standing, mean, skills};
use crate::price::outlook::Outlooks;
use crate::store::Score;

/// The model name under which `scores` lists what is written.
const PUBLISHED: &str = "published";

/// Every candidate beside the last price, over the shop and by category, then what is written.
pub(super) fn scores(prepared: &Prepared, fitted: &Fitted, found: &Outlooks) -> Vec<Score> {
    let split = format!(
        "{ORIGINS} past nights, {} {} steps each",
        fitted.horizon,
        prepared.frequency.name()
    );
    let score = |model: &str, slice: &str, metric: &str, value: Option<f64>, chosen: bool| Score {
        result: "price_forecasts",
        model: model.to_owned(),
        slice: slice.to_owned(),
        metric: metric.to_owned(),
        value,
        lo90: None,
        hi90: None,
        split: split.clone(),
        chosen,
    };
    let naive = &found.standings[0];
    let skill = |standing: &Standing, naive: &Standing| mean(&skills(standing, naive));
    let mut scores = Vec::new();
    for (m, (model, standing)) in fitted.models.iter().zip(&found.standings).enumerate() {
        let chosen = found.series.iter().any(|outlook| outlook.model == m);
        scores.push(score(model.name(), "", "mase", mean(&standing.mase), chosen));
        scores.push(score(model.name(), "", "mae", mean(&standing.mae), chosen));
        scores.push(score(model.name(), "", "skill", skill(standing, naive), chosen));
    }
    let published = &found.published;
    scores.push(score(PUBLISHED, "", "mase", mean(&published.mase), true));
    scores.push(score(PUBLISHED, "", "mae", mean(&published.mae), true));
    scores.push(score(PUBLISHED, "", "skill", skill(published, naive), true));
    scores.push(score(PUBLISHED, "", "coverage80", found.coverage.0, true));
    scores.push(score(PUBLISHED, "", "coverage95", found.coverage.1, true));
    for (category, (standings, chosen)) in prepared.categories.iter().zip(&found.categories) {
        // The slice '' is the whole shop: products without a category have none of their own.
        if category.is_empty() {
            continue;
        }
        for (m, (model, standing)) in fitted.models.iter().zip(standings).enumerate() {
            scores.push(score(
                model.name(),
                category,
                "mase",
                mean(&standing.mase),
                m == *chosen,
            ));
        }
    }
    scores
}

/// The night in one sentence.
pub(super) fn summary(prepared: &Prepared, fitted: &Fitted, found: &Outlooks) -> String {
    if prepared.series.is_empty() {
        return "there are no prices yet: import some into the table prices".into();
    }
    let forecast = found
        .series
        .iter()
        .filter(|outlook| !outlook.steps.is_empty())
        .count();
    let mut used: Vec<String> = Vec::new();
    for (m, model) in fitted.models.iter().enumerate() {
        let count = found
            .series
            .iter()
            .filter(|outlook| outlook.model == m && !outlook.steps.is_empty())
            .count();
        if count > 0 {
            used.push(format!("{} for {count}", model.name()));
        }
    }
    let judged = match mean(&skills(&found.published, &found.standings[0])) {
        Some(skill) => format!(
            "skill against the last price {:+.1} % over {ORIGINS} past nights",
            skill * 100.0
        ),
        None => format!("too little history to judge (a series needs {ENOUGH} steps before a past night)"),
    };
    let failed = match found.failed {
        0 => String::new(),
        n => format!("; {n} fits failed and were answered by the last price"),
    };
    format!(
        "{forecast} of {} series forecast, {} steps: {}; {judged}{failed}",
        prepared.series.len(),
        prepared.frequency.name(),
        if used.is_empty() {
            "none".into()
        } else {
            used.join(", ")
        },
    )
}
