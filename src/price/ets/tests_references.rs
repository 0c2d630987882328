//! Members beside statsforecast, whose `ets` is R's, translated.

use super::super::arima::tests::{AIR_PASSENGERS, NILE, US_ACC_DEATHS, WWW_USAGE};
use super::super::model::Predict as _;
use super::*;

struct Reference {
    name: &'static str,
    values: &'static [f64],
    period: usize,
    spec: Spec,
    /// As R counts it.
    log_likelihood: f64,
    forecast: [f64; 3],
    /// How near to its forecast ours lies; it stops at 2,000 evaluations of Nelder and Mead, which is early for a season of
    /// twelve: then ours is likelier, and elsewhere.
    within: f64,
}

/// statsforecast 2.1.1: AutoETS(season_length, model, damped).fit(y).model_["loglik"] and .predict(3).
fn references() -> [Reference; 6] {
    let of = |error, trend, season| Spec { error, trend, season };
    [
        Reference {
            name: "Nile",
            values: &NILE,
            period: 1,
            spec: of(Error::Additive, Trend::None, Season::None),
            log_likelihood: -726.39054322,
            forecast: [805.4791; 3],
            within: 1e-3,
        },
        Reference {
            name: "WWWusage",
            values: &WWW_USAGE,
            period: 1,
            spec: of(Error::Additive, Trend::Additive, Season::None),
            log_likelihood: -384.15218656,
            forecast: [221.7351, 223.4698, 225.2044],
            within: 0.05,
        },
        Reference {
            name: "WWWusage",
            values: &WWW_USAGE,
            period: 1,
            spec: of(Error::Additive, Trend::Damped, Season::None),
            log_likelihood: -379.74070937,
            forecast: [220.4173, 220.8343, 221.2132],
            within: 0.05,
        },
        Reference {
            name: "AirPassengers",
            values: &AIR_PASSENGERS,
            period: 12,
            spec: of(Error::Multiplicative, Trend::Additive, Season::Multiplicative),
            log_likelihood: -736.56775215,
            forecast: [448.3132, 442.9938, 507.42],
            within: 0.05,
        },
        Reference {
            name: "USAccDeaths",
            values: &US_ACC_DEATHS,
            period: 12,
            spec: of(Error::Additive, Trend::None, Season::Additive),
            log_likelihood: -561.00170061,
            forecast: [8262.344, 7486.781, 8277.605],
            within: 0.05,
        },
        Reference {
            name: "USAccDeaths",
            values: &US_ACC_DEATHS,
            period: 12,
            spec: of(Error::Additive, Trend::Additive, Season::Additive),
            log_likelihood: -572.74953834,
            forecast: [8059.688, 7396.031, 8289.016],
            within: 0.05,
        },
    ]
}

#[test]
fn members_are_as_likely_as_in_r_and_forecast_the_same() {
    for reference in references() {
        let found = fit(
            reference.values,
            reference.spec,
            reference.period,
            &Control::unbounded(),
        )
        .unwrap();
        let name = format!("{} {}", reference.name, reference.spec.name());
        assert!(
            found.log_likelihood > reference.log_likelihood - 1e-3,
            "{name}: {found:?}"
        );
        for (ours, theirs) in found.forecast(3).price.iter().zip(&reference.forecast) {
            assert!(
                (ours / theirs - 1.0).abs() < reference.within,
                "{name}: {ours} against {theirs}"
            );
        }
    }
}
