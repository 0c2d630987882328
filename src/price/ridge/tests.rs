//! Weights by hand, forecasts of series that follow their own past.

use super::*;

fn model(lags: &[usize], scale: Scale, penalty: f64) -> RidgeAutoregression {
    RidgeAutoregression {
        lags: lags.to_vec(),
        scale,
        penalty,
        window: 1000,
    }
}

/// Around 10, each value half of the one before and a third of the one four steps before.
fn own_past(length: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(2);
    let mut values = vec![10.0; 4];
    for t in 4..length {
        let next = 10.0 / 6.0 + 0.5 * values[t - 1] + values[t - 4] / 3.0 + random.f64() - 0.5;
        values.push(next);
    }
    values
}

#[test]
fn one_lag_without_penalty_is_the_least_squares_line() {
    let values = [1.0, 3.0, 2.0, 5.0, 4.0, 6.0];
    let found = model(&[1], Scale::Levels, 0.0).regress(&values).unwrap();
    // x = 1 3 2 5 4, y = 3 2 5 4 6: sxy = 3, sxx = 10, means 3 and 4.
    assert!((found.weights[0] - 0.3).abs() < 1e-12, "{found:?}");
    assert!((found.constant - 3.1).abs() < 1e-12);
    // The residual sum of squares is syy - w sxy = 10 - 0.9.
    assert!((found.sigma2 - 9.1 / 4.0).abs() < 1e-12);
    let forecast = found.forecast(3);
    assert!((forecast.price[0] - 4.9).abs() < 1e-12 && (forecast.price[1] - 4.57).abs() < 1e-12);
    assert!(
        (forecast.variance[1] / forecast.variance[0] - 1.09).abs() < 1e-12,
        "1 + 0.3^2"
    );
    // A penalty of one halves the weight of a standardised regressor.
    let shrunk = model(&[1], Scale::Levels, 1.0).regress(&values).unwrap();
    assert!((shrunk.weights[0] - 0.15).abs() < 1e-12, "{shrunk:?}");
}

#[test]
fn the_weights_of_a_series_that_follows_its_past_are_found() {
    let values = own_past(900);
    let found = model(&[1, 2, 4], Scale::Levels, 1e-4).regress(&values).unwrap();
    for (weight, truth) in found.weights.iter().zip([0.5, 0.0, 1.0 / 3.0]) {
        assert!((weight - truth).abs() < 0.08, "{found:?}");
    }
    assert!(
        (found.sigma2 * 12.0 - 1.0).abs() < 0.15,
        "a uniform number's variance is 1/12: {found:?}"
    );
    // With gaps, and far ahead: back to the mean.
    let mut gappy = values.clone();
    for t in (7..890).step_by(31) {
        gappy[t] = f64::NAN;
    }
    gappy[899] = f64::NAN;
    let far = model(&[1, 2, 4], Scale::Levels, 1e-4)
        .regress(&gappy)
        .unwrap()
        .forecast(200);
    assert!((far.price[199] - 10.0).abs() < 0.5 && far.variance.iter().all(|v| v.is_finite()));
}

#[test]
fn logarithms_grow_on_and_never_fall_below_zero() {
    let values: Vec<f64> = (0..60)
        .map(|t| 5.0 * 1.02f64.powi(t) * [1.0, 1.01][t as usize % 2])
        .collect();
    let found = model(&[1, 2], Scale::LogChanges, 1e-6).regress(&values).unwrap();
    let price = found.forecast(2).price;
    assert!(
        (price[0] / (5.0 * 1.02f64.powi(60)) - 1.0).abs() < 1e-3,
        "{price:?}"
    );
    // Held within the range shown and one standard deviation: it cannot run away.
    let far = found.forecast(2000);
    assert!(far.price.iter().all(|p| *p > 0.0 && *p < 2.0 * values[59]));
    assert!(
        model(&[1], Scale::LogChanges, 0.1)
            .regress(&[1.0, -1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
            .is_err()
    );
}

#[test]
fn odd_series_are_refused_with_a_reason() {
    let ridge = model(&[1, 2, 3], Scale::Levels, 1e-4);
    for bad in [vec![], vec![1.0], vec![f64::NAN; 50], vec![3.0; 50], own_past(14)] {
        assert!(
            matches!(ridge.regress(&bad), Err(FitError::Invalid(_))),
            "{bad:?}"
        );
    }
    assert!(ridge.regress(&own_past(15)).is_ok());
    let spike: Vec<f64> = (0..50).map(|t| if t == 49 { 9.0 } else { 1.0 }).collect();
    assert!(ridge.regress(&spike).is_err(), "its lags never change");
    let alternating: Vec<f64> = (0..50).map(|t| f64::from(t % 2)).collect();
    let found = ridge.regress(&alternating).unwrap().forecast(4).price;
    assert!(
        (found[0] - 0.0).abs() < 0.01 && (found[1] - 1.0).abs() < 0.01,
        "{found:?}"
    );
    assert!(model(&[], Scale::Levels, 1.0).regress(&own_past(50)).is_err());
}
