//! What a fit of the price models costs, for `benches/run price-speed`: CPU milliseconds of fit and forecast, the median
//! of some runs per series, one JSON line each; and the orange-juice regressions beside R's.

#![allow(missing_docs, clippy::print_stdout)]

use nightclerk::fit::Control;
use nightclerk::price::arima::{Arima, AutoArima, Order};
use nightclerk::price::garch::{self, Distribution};
use nightclerk::price::model::Fit;
use nightclerk::price::regression::{Design, Errors, Options, fit};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(tasks) = given("--tasks") {
        let runs = given("--runs").map_or(5, |runs| runs.parse().expect("--runs wants a number"));
        speed(Path::new(&tasks), runs);
    }
    if let (Some(juice), Some(reference)) = (given("--juice"), given("--reference")) {
        regressions(Path::new(&juice), Path::new(&reference));
    }
}

/// Nanoseconds this thread has been on a processor.
fn spent() -> u64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("Linux tells a thread's time in /proc/thread-self/schedstat")
        .split_whitespace()
        .next()
        .and_then(|nanoseconds| nanoseconds.parse().ok())
        .expect("the first number is nanoseconds")
}

fn speed(tasks: &Path, runs: usize) {
    let control = Control::unbounded();
    for line in std::fs::read_to_string(tasks).expect("a file of tasks").lines() {
        let task: Value = serde_json::from_str(line).expect("JSON");
        let values: Vec<f64> = task["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap())
            .collect();
        let season = task["season"].as_u64().unwrap() as usize;
        let horizon = task["horizon"].as_u64().unwrap() as usize;
        let number = |key: &str, i: usize| task[key][i].as_u64().unwrap() as usize;
        let model: Option<Box<dyn Fit>> = if season == 0 {
            None
        } else if task["order"].is_null() {
            Some(Box::new(AutoArima::new(season)))
        } else {
            let order = Order::new(number("order", 0), number("order", 1), number("order", 2));
            let (sp, sd, sq) = (
                number("seasonal", 0),
                number("seasonal", 1),
                number("seasonal", 2),
            );
            Some(Box::new(Arima {
                order: order.seasonal(sp, sd, sq, season),
                constant: false,
            }))
        };
        let once = || match &model {
            None => garch::fit(&values, Distribution::Normal, &control).map(|fitted| {
                black_box(fitted.variances(horizon));
            }),
            Some(model) => model.fit(&values, &control).map(|fitted| {
                black_box(fitted.forecast(horizon));
            }),
        };
        let mut failed = None;
        let mut times = Vec::new();
        for _ in 0..runs {
            // The clock ticks in a microsecond or so: short fits are repeated until they are worth a millisecond.
            let (start, mut fits) = (spent(), 0u32);
            while failed.is_none() && (fits == 0 || spent() - start < 1_000_000) {
                failed = once().err().map(|error| error.to_string());
                fits += 1;
            }
            times.push((spent() - start) as f64 / 1e6 / f64::from(fits));
        }
        times.sort_by(f64::total_cmp);
        let ms = failed.is_none().then(|| times[times.len() / 2]);
        println!(
            "{}",
            json!({"task": task["task"], "program": "nightclerk", "ms": ms, "failed": failed})
        );
    }
}

/// Own price, deal and feature for each brand, and all eleven prices with store effects for brands 1 and 11.
fn regressions(juice: &Path, reference: &Path) {
    let rows: Vec<Vec<f64>> = std::fs::read_to_string(juice)
        .expect("the orange-juice table")
        .lines()
        .map(|line| {
            line.split_whitespace()
                .map(|number| number.parse().unwrap())
                .collect()
        })
        .collect();
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(reference).expect("R's estimates")).expect("JSON");
    let column = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
    let stores: Vec<u32> = rows.iter().map(|row| row[0] as u32).collect();
    let control = Control::unbounded();
    println!("orange-juice regressions: largest relative distance from R's lm");
    println!(
        "{:24} {:>7} {:>13} {:>13} {:>9}",
        "regression", "rows", "coefficients", "std. errors", "CPU ms"
    );
    for brand in 1..=11 {
        let (deal, feature, units) = (10 + 3 * brand, 11 + 3 * brand, 12 + 3 * brand);
        let own = Design::new()
            .with_intercept(rows.len())
            .with("price", column(1 + brand))
            .with("deal", column(deal))
            .with("feat", column(feature));
        let mut all = Design::new();
        for other in 1..=11 {
            all.push(format!("price {other}"), column(1 + other));
        }
        let all = all.with("deal", column(deal)).with("feat", column(feature));
        let within = Options {
            groups: Some(&stores),
            ..Options::default()
        };
        for (name, design, options) in [
            (format!("oj_brand{brand}_own"), own, Options::default()),
            (format!("oj_brand{brand}_cross_store_fe"), all, within),
        ] {
            let Some(theirs) = reference.get(&name) else {
                continue;
            };
            let start = spent();
            let fitted = fit(&design, &column(units), &options, &control).expect("a regression");
            let errors = fitted
                .covariance(Errors::Classical)
                .expect("degrees of freedom")
                .std_errors();
            let ms = (spent() - start) as f64 / 1e6;
            let distance = |ours: &[f64], key: &str| {
                let theirs = theirs[key].as_array().unwrap();
                assert_eq!(ours.len(), theirs.len());
                ours.iter()
                    .zip(theirs)
                    .map(|(a, b)| (a / b.as_f64().unwrap() - 1.0).abs())
                    .fold(0.0, f64::max)
            };
            println!(
                "{name:24} {:7} {:13.1e} {:13.1e} {ms:9.1}",
                fitted.observations,
                distance(&fitted.coefficients, "coef"),
                distance(&errors, "se"),
            );
        }
    }
}
