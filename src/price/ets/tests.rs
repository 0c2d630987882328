//! The family as a whole: what it chooses, what it forecasts, what it refuses.

use super::super::arima::tests::NILE;
use super::super::model::Predict as _;
use super::*;

fn control() -> Control {
    Control::unbounded()
}

fn spec(error: Error, trend: Trend, season: Season) -> Spec {
    Spec { error, trend, season }
}

/// A quarterly series of a straight line with a season that adds or multiplies, and some noise.
fn quarterly(multiplies: bool, noise: f64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(5);
    (0..80)
        .map(|t| {
            let line = 100.0 + 2.0 * f64::from(t);
            let season = [-0.2, 0.0, 0.3, -0.1][t as usize % 4];
            let value = if multiplies {
                line * (1.0 + season)
            } else {
                line + 100.0 * season
            };
            value * (1.0 + noise * (random.f64() - 0.5))
        })
        .collect()
}

#[test]
fn the_members_are_those_that_the_values_and_their_number_allow() {
    let count = |values: &[f64], period| members(values, period).len();
    assert_eq!(count(&[1.0; 60], 1), 6);
    assert_eq!(
        count(&[1.0; 60], 12),
        15,
        "of 18, less three with additive errors and a season that multiplies"
    );
    assert_eq!(count(&[-1.0; 60], 12), 6);
    assert_eq!(count(&[1.0; 60], 52), 6, "too long a season");
    assert_eq!(count(&[1.0; 20], 12), 6, "a season seen once");
    assert_eq!(count(&[1.0; 5], 1), 2, "three parameters and two to spare");
    assert!(
        members(&[1.0; 60], 12)
            .iter()
            .all(|s| s.error == Error::Multiplicative || s.season != Season::Multiplicative)
    );
    assert_eq!(
        spec(Error::Multiplicative, Trend::Damped, Season::Additive).name(),
        "ETS(M,Ad,A)"
    );
    assert_eq!(
        spec(Error::Additive, Trend::Damped, Season::Multiplicative).parameters(4),
        10
    );
}

/// Without trend and season the recursion is simple exponential smoothing, and with a free first level no worse than with
/// the first value: R's HoltWinters(Nile, beta = FALSE, gamma = FALSE) has alpha 0.2465796 from the first value on.
#[test]
fn a_level_alone_is_simple_exponential_smoothing() {
    let found = fit(
        &NILE,
        spec(Error::Additive, Trend::None, Season::None),
        1,
        &control(),
    )
    .unwrap();
    assert!((found.alpha - 0.2466).abs() < 0.01, "{found:?}");
    let smooth = |level: f64, alpha: f64| {
        NILE.iter().fold((level, 0.0), |(level, sum), y| {
            (level + alpha * (y - level), sum + (y - level) * (y - level))
        })
    };
    let squares = (-2.0 * found.log_likelihood / 100.0).exp();
    let from_first = smooth(NILE[0], 0.246_579_6).1;
    assert!(squares < from_first, "{squares} against {from_first}");
    assert_eq!(found.forecast(3).price, [found.level; 3]);
    // Var = sigma^2 (1 + (h - 1) alpha^2), sigma^2 = squares / (n - 3).
    let variance = found.forecast(3).variance;
    assert!((variance[0] / (squares / 97.0) - 1.0).abs() < 1e-9);
    assert!((variance[2] / variance[0] - 1.0 - 2.0 * found.alpha * found.alpha).abs() < 1e-9);
}

#[test]
fn the_form_of_a_clear_series_is_found_and_goes_on() {
    for multiplies in [false, true] {
        let values = quarterly(multiplies, 0.01);
        let found = auto(&values[..76], 4, &control()).unwrap();
        assert_ne!(found.spec.trend, Trend::None, "{}", found.spec.name());
        let wanted = if multiplies {
            Season::Multiplicative
        } else {
            Season::Additive
        };
        assert_eq!(found.spec.season, wanted, "{}", found.spec.name());
        for (ours, actual) in found.forecast(4).price.iter().zip(&values[76..]) {
            assert!(
                (ours / actual - 1.0).abs() < 0.03,
                "{ours} against {actual}, {found:?}"
            );
        }
        let again = found.again().unwrap().fit(&values[..76], &control()).unwrap();
        assert_eq!(
            again.forecast(4),
            found.forecast(4),
            "the same form on the same values"
        );
    }
    assert_eq!(auto(&NILE, 1, &control()).unwrap().spec.season, Season::None);
}

#[test]
fn the_optimum_is_one_among_all_parameters() {
    let values = quarterly(true, 0.05);
    let found = fit(
        &values,
        spec(Error::Multiplicative, Trend::Additive, Season::Multiplicative),
        4,
        &control(),
    )
    .unwrap();
    // Fitting a part of the same values cannot be likelier by more than the values left out allow: a crude check that
    // the likelihood is that of all values.
    assert!(
        found.aicc.is_finite() && found.sigma2 > 0.0 && found.sigma2 < 0.01,
        "{found:?}"
    );
    let simpler = fit(
        &values,
        spec(Error::Multiplicative, Trend::None, Season::Multiplicative),
        4,
        &control(),
    )
    .unwrap();
    assert!(
        found.log_likelihood > simpler.log_likelihood - 1e-6,
        "nested: {found:?} {simpler:?}"
    );
    let season: f64 = found.season.iter().sum::<f64>() / 4.0;
    assert!((season - 1.0).abs() < 0.1, "{found:?}");
}

#[test]
fn gaps_update_nothing_and_odd_series_have_an_answer_or_a_reason() {
    let mut gappy = quarterly(false, 0.01);
    for t in [0, 5, 20, 21, 22, 23, 24, 79] {
        gappy[t] = f64::NAN;
    }
    let found = auto(&gappy, 4, &control()).unwrap();
    let next = 100.0 + 160.0 - 20.0;
    assert!(
        (found.forecast(1).price[0] / next - 1.0).abs() < 0.05,
        "{found:?}"
    );
    for bad in [vec![], vec![1.0, 2.0, 3.0], vec![5.0; 30], vec![f64::NAN; 30]] {
        assert!(auto(&bad, 12, &control()).is_err());
    }
    let alternating: Vec<f64> = (0..40).map(|t| f64::from(t % 2)).collect();
    let jump: Vec<f64> = (0..40).map(|t| if t < 20 { 1e-9 } else { 1e9 }).collect();
    let falling: Vec<f64> = (0..60).map(|t| 1e6 * 0.7f64.powi(t)).collect();
    let negative: Vec<f64> = (0..60).map(|t| f64::from(t % 7) - 40.0).collect();
    for values in [alternating, jump, falling, negative] {
        for period in [1, 4, 12] {
            let forecast = auto(&values, period, &control()).unwrap().forecast(30);
            assert!(
                forecast
                    .price
                    .iter()
                    .chain(&forecast.variance)
                    .all(|x| x.is_finite()),
                "{values:?}"
            );
        }
    }
}
