//! Against the authors' program, and on series whose parts are known.

use super::super::arima::tests::AIR_PASSENGERS;
use super::*;

/// statsmodels' translation of the authors' Fortran on the logarithm of AirPassengers: period 12, seasonal window 7, trend
/// window 23, low-pass window 13, lines, jumps 1, 3 and 2; two inner passes, or fifteen robust outer ones of one each.
#[test]
fn agrees_with_the_authors_program() {
    let values: Vec<f64> = AIR_PASSENGERS.iter().map(|y| y.ln()).collect();
    /// Place, trend and season.
    type Known = (usize, f64, f64);
    let cases: [(usize, [Known; 6]); 2] = [
        (
            0,
            [
                (0, 4.8043873399742925, -0.0935780878192754),
                (1, 4.8097232174151525, -0.0270277209468822),
                (50, 5.382205315952106, 0.04762757691191989),
                (51, 5.391191000247302, 0.0024179720208625543),
                (100, 5.880870996352636, -0.015011091745045405),
                (143, 6.194250697667707, -0.12237488351514994),
            ],
        ),
        (
            15,
            [
                (0, 4.798196097987906, -0.07473155451692315),
                (1, 4.804915942025011, -0.03744570549922459),
                (50, 5.359950620490166, 0.021927221226164778),
                (51, 5.368500436577425, -0.02461426755630343),
                (100, 5.879871756239862, -0.007628305095705044),
                (143, 6.192330961987677, -0.1154284959751982),
            ],
        ),
    ];
    for (robust, expected) in cases {
        let stl = Stl {
            period: 12,
            seasonal_window: 7,
            robust,
        };
        let found = stl.decompose(&values).unwrap();
        for (t, trend, season) in expected {
            assert!(
                (found.trend[t] - trend).abs() < 1e-12,
                "{robust} {t}: {}",
                found.trend[t]
            );
            assert!(
                (found.season[t] - season).abs() < 1e-12,
                "{robust} {t}: {}",
                found.season[t]
            );
            let whole = found.trend[t] + found.season[t] + found.rest[t];
            assert!((whole - values[t]).abs() < 1e-12);
        }
        assert!(found.seasonal_strength() > 0.95);
    }
}

/// With a season of twelve; one of four has a trend so narrow (seven points) that it follows an oddity whatever its weight,
/// in statsmodels' STL too.
#[test]
fn an_oddity_is_left_in_the_rest_where_it_is_robust() {
    let mut random = fastrand::Rng::with_seed(6);
    let season = |t: i32| 5.0 * (f64::from(t) * std::f64::consts::PI / 6.0).sin();
    let mut values: Vec<f64> = (0..240)
        .map(|t| 50.0 + 0.1 * f64::from(t) + season(t) + random.f64() - 0.5)
        .collect();
    values[121] += 40.0;
    let stl = Stl {
        period: 12,
        seasonal_window: 11,
        robust: 10,
    };
    let found = stl.decompose(&values).unwrap();
    assert!((found.rest[121] - 40.0).abs() < 2.0, "{}", found.rest[121]);
    let calm = |(t, rest): (usize, &f64)| t == 121 || rest.abs() < 2.0;
    assert!(found.rest.iter().enumerate().all(calm));
}

#[test]
fn gaps_are_bridged_and_short_series_refused() {
    let stl = Stl {
        period: 4,
        seasonal_window: 11,
        robust: 0,
    };
    let mut values: Vec<f64> = (0..40).map(|t| 10.0 + [1.0, 0.0, -1.0, 0.0][t % 4]).collect();
    values[0] = f64::NAN;
    values[17] = f64::NAN;
    values[39] = f64::NAN;
    let found = stl.decompose(&values).unwrap();
    assert!(found.rest[17].is_nan() && !found.trend[17].is_nan());
    assert!(found.trend.iter().chain(&found.season).all(|x| x.is_finite()));
    assert!(found.seasonal_strength() > 0.8);
    assert_eq!(stl.decompose(&values[..7]), None);
    assert_eq!(stl.decompose(&[f64::NAN; 20]), None);
    assert_eq!(stl.decompose(&[]), None);
    let none = Stl { period: 1, ..stl };
    assert_eq!(none.decompose(&values), None);
    let flat = stl.decompose(&[3.0; 20]).unwrap();
    assert!(flat.seasonal_strength() == 0.0 && flat.trend.iter().all(|t| (t - 3.0).abs() < 1e-12));
}
