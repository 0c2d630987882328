//! The prices to come of one series, by the model that was chosen for it: one model, or the weighted mean of several.
//! Never below zero.

use super::arima::Arima;
use super::backtest::fitted;
use super::catalogue::{Model, NAMES, model_for};
use super::profile::seasons;
use super::subject::{Source, Subject};
use crate::fit::{Control, Stopped};
use serde_json::{Map, Value, json};

/// The prices to come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Path {
    /// Not forecast.
    None,
    /// The same at every step.
    Flat(f64),
    /// One per step.
    Each(Box<[f64]>),
}

/// A path and what was estimated; `None` where nothing could be fitted.
pub(super) type Found = Option<(Path, Map<String, Value>)>;

fn object(parameters: Value) -> Map<String, Value> {
    match parameters {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The path of one model.
///
/// # Errors
/// Stopped by the control.
pub(super) fn single(
    subject: &Subject,
    number: Model,
    source: &dyn Source,
    horizon: usize,
    control: &Control,
) -> Result<Found, Stopped> {
    let Some(fit) = model_for(number, source, subject, None, true) else {
        return Ok(None);
    };
    let drivers = subject.beside(number, subject.values.len());
    let found = fitted(fit.as_ref(), &subject.values, &drivers, horizon, control)?;
    Ok(found.map(|(prices, fit)| {
        let path = match prices.first() {
            Some(first) if prices.iter().all(|price| price == first) => Path::Flat(first.max(0.0)),
            _ => Path::Each(prices.iter().map(|price| price.max(0.0)).collect()),
        };
        (path, object(fit.parameters()))
    }))
}

/// The weighted mean of the parts that could be fitted, with their weights, parameters and seasons. ARIMA's search begins at
/// `start`.
///
/// # Errors
/// Stopped by the control.
pub(super) fn combined(
    subject: &Subject,
    weights: &[(Model, f64)],
    start: Option<Arima>,
    source: &dyn Source,
    horizon: usize,
    control: &Control,
) -> Result<Found, Stopped> {
    let drivers = subject.drivers(subject.values.len());
    let (mut sum, mut whole) = (vec![0.0; horizon], 0.0);
    let (mut shares, mut details) = (Vec::new(), Map::new());
    for &(part, weight) in weights {
        let Some(fit) = model_for(part, source, subject, start, true) else {
            continue;
        };
        if let Some((prices, fit)) = fitted(fit.as_ref(), &subject.values, &drivers, horizon, control)? {
            sum.iter_mut()
                .zip(&prices)
                .for_each(|(sum, price)| *sum += weight * price);
            whole += weight;
            shares.push((part, weight));
            details.insert(NAMES[part].into(), fit.parameters());
        }
    }
    if whole <= 0.0 {
        return Ok(None);
    }
    let shares: Map<String, Value> = shares
        .into_iter()
        .map(|(part, weight)| (NAMES[part].into(), json!((weight / whole * 1e4).round() / 1e4)))
        .collect();
    let mut parameters = Map::new();
    parameters.insert("weights".into(), Value::Object(shares));
    parameters.insert(
        "seasons".into(),
        json!(seasons(&subject.values, source.frequency().seasons())),
    );
    parameters.insert("parts".into(), Value::Object(details));
    let path = sum.iter().map(|price| (price / whole).max(0.0)).collect();
    Ok(Some((Path::Each(path), parameters)))
}
