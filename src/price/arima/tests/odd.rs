//! Series that no textbook shows: an answer or a reason, never something that is no number, in bounded time.

use super::super::{Arima, AutoArima, Order};
use super::of;
use super::series::NILE;
use crate::fit::{Control, FitError};
use crate::price::model::{Drivers, Fit, OnLogs, Predict};

/// Whether there is an answer, all of it numbers.
fn answers(model: &dyn Fit, values: &[f64]) -> bool {
    match model.fit(values, &Control::unbounded()) {
        Ok(fitted) => {
            let forecast = fitted.forecast(30);
            assert!(
                forecast.price.iter().all(|price| price.is_finite()),
                "{forecast:?}"
            );
            assert!(
                forecast.variance.iter().all(|v| *v >= 0.0 && v.is_finite()),
                "{forecast:?}"
            );
            true
        }
        Err(FitError::Invalid(why)) => {
            assert!(!why.is_empty());
            false
        }
        Err(other) => panic!("{other}"),
    }
}

fn models() -> Vec<Box<dyn Fit>> {
    vec![
        Box::new(Arima::SMOOTHING),
        Box::new(of(Order::new(2, 0, 1), true)),
        Box::new(of(Order::new(1, 1, 1).seasonal(1, 0, 1, 12), true)),
        Box::new(of(Order::new(0, 1, 1).seasonal(0, 1, 1, 12), false)),
        Box::new(AutoArima::new(1)),
        Box::new(AutoArima::new(12)),
        Box::new(OnLogs(AutoArima::new(7))),
    ]
}

#[test]
fn nothing_makes_it_panic() {
    let noise = |n: usize| {
        (0..n)
            .map(|i| (i * 7919 % 1009) as f64 / 100.0)
            .collect::<Vec<f64>>()
    };
    let series: Vec<Vec<f64>> = vec![
        vec![],
        vec![5.0],
        vec![f64::NAN; 60],
        vec![0.0; 60],
        vec![3.7; 60],
        noise(60).iter().map(|v| -v).collect(),
        noise(60).iter().map(|v| v * 1e150).collect(),
        noise(60).iter().map(|v| v * 1e300).collect(),
        noise(60).iter().map(|v| v * 1e-300).collect(),
        (0..60).map(|i| if i % 2 == 0 { 1.0 } else { 2.0 }).collect(),
        (0..60).map(f64::from).collect(),
        (0..60).map(|i| f64::from(i * i)).collect(),
        (0..60).map(|i| if i < 30 { 1.0 } else { 1e9 }).collect(),
        (0..60).map(|i| if i == 30 { 100.0 } else { 10.0 }).collect(),
        (0..60).map(|i| f64::exp2(f64::from(i))).collect(),
        (0..200).map(|i| f64::from(i % 12)).collect(),
        (0..100)
            .map(|i| if i % 10 == 0 { f64::from(i) } else { f64::NAN })
            .collect(),
        (0..100)
            .map(|i| {
                if (20..90).contains(&i) {
                    f64::NAN
                } else {
                    f64::from(i * 31 % 17)
                }
            })
            .collect(),
        vec![1.0, f64::INFINITY, 2.0, 3.0, 5.0, 4.0, 3.0, 4.0],
        (1..8).map(f64::from).collect(),
    ];
    for values in &series {
        for model in models() {
            answers(model.as_ref(), values);
        }
    }
    assert!(!answers(&AutoArima::new(1), &[]), "no answer to nothing");
    for values in [vec![3.7; 60], (0..60).map(f64::from).collect()] {
        assert!(
            answers(&AutoArima::new(1), &values),
            "a series without error goes on"
        );
    }
}

/// A series that follows without error has a forecast without error.
#[test]
fn a_constant_stays_and_a_line_goes_on() {
    let control = Control::unbounded();
    let still = AutoArima::new(12).fit(&[3.7; 60], &control).unwrap().forecast(3);
    assert!(
        still.price.iter().all(|price| (price - 3.7).abs() < 1e-12),
        "{still:?}"
    );
    assert_eq!(still.variance, [0.0; 3]);
    let line: Vec<f64> = (0..60).map(|i| 1e6 + 0.25 * f64::from(i)).collect();
    let gone_on = AutoArima::new(1).fit(&line, &control).unwrap().forecast(2);
    assert!(
        (gone_on.price[1] - (1e6 + 0.25 * 61.0)).abs() < 1e-6,
        "{gone_on:?}"
    );
    assert_eq!(gone_on.variance, [0.0; 2]);
}

#[test]
fn a_long_series_is_searched_at_its_end() {
    let long: Vec<f64> = (0..20_000)
        .map(|t| NILE[t % 100] + (t as f64 / 500.0).sin() * 300.0 + (t % 12) as f64)
        .collect();
    for season in [1, 12] {
        let auto = AutoArima::new(season);
        let whole = auto
            .find(&long, &Drivers::default(), &Control::unbounded())
            .unwrap();
        assert!(whole.observations <= auto.longest);
        let end = auto
            .find(
                &long[20_000 - auto.longest..],
                &Drivers::default(),
                &Control::unbounded(),
            )
            .unwrap();
        assert_eq!(whole.forecast(5), end.forecast(5));
    }
    assert!(answers(&Arima::SMOOTHING, &long));
}

/// Shifts and units change nothing but the unit of the answer.
#[test]
fn units_do_not_matter() {
    let forecast = |values: Vec<f64>| {
        Arima::SMOOTHING
            .fit(&values, &Control::unbounded())
            .unwrap()
            .forecast(4)
    };
    let plain = forecast(NILE.to_vec());
    for unit in [1e-200, 1e-6, 1e9, 1e100] {
        let scaled = forecast(NILE.iter().map(|value| value * unit).collect());
        for (a, b) in plain.price.iter().zip(&scaled.price) {
            assert!((b / unit / a - 1.0).abs() < 1e-6, "{unit}");
        }
    }
    let shifted = forecast(NILE.iter().map(|value| value + 1e7).collect());
    for (a, b) in plain.price.iter().zip(&shifted.price) {
        assert!((b - 1e7 - a).abs() < 1e-3);
    }
}

#[test]
fn a_stop_is_heard() {
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let control = Control::unbounded().with_cancel(flag);
    for model in models() {
        let stopped = model.fit(&NILE, &control);
        assert!(matches!(stopped, Err(FitError::Stopped(_))), "{}", model.name());
    }
}
