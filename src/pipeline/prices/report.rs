//! What the night says of its forecasts: every figure for `scores`, and the night in one sentence.

use super::Fitted;
use super::collect::Prepared;
use crate::price::backtest::ORIGINS;
use crate::price::catalogue::{LAST_PRICE, Model, NAMES};
use crate::price::choose::{Gate, Standing, mean};
use crate::price::outlook::Outlooks;
use crate::price::profile::ENOUGH;
use crate::price::subject::{SHOP, Source};
use crate::store::Score;

/// The model name under which `scores` lists what is written.
const PUBLISHED: &str = "published";

/// Every model beside the last price, over the shop and by category, then what is written. A model's skill is against the
/// last price on the series that tried it.
pub(super) fn scores(prepared: &Prepared, fitted: &Fitted, found: &Outlooks) -> Vec<Score> {
    let split = format!(
        "{ORIGINS} past nights, {} {} steps each",
        fitted.plan.horizon,
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
    let mut scores = Vec::new();
    let mut add = |model: &str, slice: &str, standing: &Standing, chosen: bool| {
        scores.push(score(model, slice, "mase", mean(&standing.mase()), chosen));
        scores.push(score(model, slice, "mae", mean(&standing.mae()), chosen));
        scores.push(score(model, slice, "skill", standing.skill(), chosen));
    };
    // The last price is scored even where no series has a past.
    let seen = |model: Model, standing: &Standing| model == LAST_PRICE || standing.all.iter().any(|n| *n > 0);
    for (model, standing) in found.standings[SHOP].iter().enumerate() {
        if seen(model, standing) {
            let chosen = found.series.iter().any(|outlook| outlook.model == model);
            add(NAMES[model], "", standing, chosen);
        }
    }
    add(PUBLISHED, "", &found.published, true);
    // The slice '' is the whole shop: products without a category have none of their own.
    let groups = prepared.groups();
    for group in 0..groups.count() {
        let Some(category) = groups.category(group) else {
            continue;
        };
        for (model, standing) in found.standings[group].iter().enumerate() {
            if seen(model, standing) {
                add(
                    NAMES[model],
                    category,
                    standing,
                    chosen(&found.gates[group], model),
                );
            }
        }
    }
    let [in80, in95, count] = found.coverage;
    let share = |part: u32| (count > 0).then(|| f64::from(part) / f64::from(count));
    scores.push(score(PUBLISHED, "", "coverage80", share(in80), true));
    scores.push(score(PUBLISHED, "", "coverage95", share(in95), true));
    scores
}

/// Whether a gate lets a model answer for any kind of price.
fn chosen(gate: &Gate, model: Model) -> bool {
    gate.posted.model == model
        || gate.averaged.model == model
        || [&gate.planned, &gate.driven[0], &gate.driven[1]]
            .into_iter()
            .flatten()
            .any(|decided| decided.model == model)
}

/// The night in one sentence.
pub(super) fn summary(prepared: &Prepared, found: &Outlooks) -> String {
    if prepared.count() == 0 {
        return "there are no prices yet: import some into the table prices".into();
    }
    let forecast = found
        .series
        .iter()
        .filter(|outlook| outlook.is_forecast())
        .count();
    let mut used: Vec<String> = Vec::new();
    for (model, name) in NAMES.iter().enumerate() {
        let count = found
            .series
            .iter()
            .filter(|outlook| outlook.model == model && outlook.is_forecast())
            .count();
        if count > 0 {
            used.push(format!("{name} for {count}"));
        }
    }
    let judged = match found.published.skill() {
        Some(skill) => format!(
            "skill against the last price {:+.1} % over {ORIGINS} past nights",
            skill * 100.0
        ),
        None if found.published.all.iter().any(|series| *series > 0) => {
            format!("nothing to judge: no price moved after {ORIGINS} past nights")
        }
        None => format!("too little history to judge (a series needs {ENOUGH} steps before a past night)"),
    };
    let jumps = match found.jumps {
        0 => String::new(),
        n => format!(
            "; {n} past nights of single series not judged: a price rose a hundredfold after them, or fell to a hundredth"
        ),
    };
    let failed = match found.failed {
        0 => String::new(),
        n => format!("; {n} fits failed and were answered by the last price"),
    };
    let measured: String = found
        .grown()
        .map(|(step, count)| match step {
            0 => format!(
                "; bounds of {count} prices are those of a random walk: fewer than {ORIGINS} past nights measure any"
            ),
            step => format!(
                "; bounds of {count} prices beyond step {step} are those of step {step}, grown with the root of the distance: \
                 fewer than {ORIGINS} past nights reach farther"
            ),
        })
        .collect();
    format!(
        "{forecast} of {} series forecast, {} steps: {}; {judged}{jumps}{failed}{measured}",
        prepared.count(),
        prepared.frequency.name(),
        if used.is_empty() {
            "none".into()
        } else {
            used.join(", ")
        },
    )
}
