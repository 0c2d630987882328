//! Whole nights over small shops.

use super::super::backtest::backtest;
use super::super::backtest::tests::{Shelf, subject};
use super::super::frequency::Frequency;
use super::super::subject::Groups;
use super::*;

/// Daily series of two kinds: noise around a level, which a combination forecasts better by a lot, and prices that are
/// set now and then to one that nobody can know.
fn shop(count: usize, length: usize) -> Shelf {
    let mut random = fastrand::Rng::with_seed(11);
    let series = (0..count)
        .map(|s| {
            let mut price = 20.0;
            (0..length)
                .map(|_| {
                    if s % 2 == 0 {
                        20.0 + 2.0 * (0..4).map(|_| random.f64() - 0.5).sum::<f64>()
                    } else {
                        if random.f64() < 0.2 {
                            price = (price * (0.9 + 0.2 * random.f64()) * 100.0f64).round() / 100.0;
                        }
                        price
                    }
                })
                .collect()
        })
        .collect();
    let mut shelf = Shelf::new(series, Frequency::Daily);
    let of_each: Vec<(String, String)> = (0..count)
        .map(|s| (["noisy", ""][s % 2].to_owned(), String::new()))
        .collect();
    shelf.groups = Groups::new(&of_each);
    shelf
}

fn night(shelf: &Shelf, horizon: usize) -> Outlooks {
    let control = Control::unbounded();
    let lengths: Vec<usize> = shelf
        .subjects
        .iter()
        .map(|subject| subject.values.len())
        .collect();
    let plan = Plan::new(&lengths, lengths.len(), horizon);
    let records = backtest(shelf, &plan, &POSTED, &control).unwrap();
    outlooks(shelf, &records, &plan, horizon + 2, &control).unwrap()
}

#[test]
fn each_kind_of_price_gets_what_wins_there() {
    let shelf = shop(60, 120);
    let found = night(&shelf, 7);
    for (s, outlook) in found.series.iter().enumerate() {
        let steps: Vec<Step> = found.steps(s).collect();
        assert_eq!(steps.len(), 9);
        for step in &steps {
            let order = [
                step.low[0],
                step.low[1],
                step.low[2],
                step.price,
                step.high[2],
                step.high[1],
                step.high[0],
            ];
            assert!(
                order.windows(2).all(|pair| pair[0] <= pair[1]) && order[0] >= 0.0,
                "{step:?}"
            );
            assert!(step.high[0].is_finite() && step.low[0] < step.high[0], "{step:?}");
        }
        if s % 2 == 0 {
            assert_eq!(outlook.model, COMBINATION, "{outlook:?}");
            assert!(outlook.why.contains("in category 'noisy'"), "{}", outlook.why);
            assert!(
                outlook.parameters.contains("weights") && outlook.coverage95.is_some(),
                "{outlook:?}"
            );
        } else {
            assert_eq!(outlook.model, LAST_PRICE);
            assert!(outlook.skill.is_none_or(|skill| skill == 0.0), "{outlook:?}");
            assert!(outlook.why.starts_with("no model beat"), "{}", outlook.why);
            assert_eq!(steps[8].price, *shelf.subjects[s].values.last().unwrap());
        }
    }
    assert!(found.published.skill().unwrap() > 0.05);
    let [in80, in95, count] = found.coverage;
    assert_eq!(count, 60 * 7);
    let share = |part: u32| f64::from(part) / f64::from(count);
    assert!((share(in80) - 0.8).abs() < 0.1, "{in80} of {count}");
    assert!((share(in95) - 0.95).abs() < 0.05, "{in95} of {count}");
    assert_eq!(found.failed, 0);
}

#[test]
fn odd_series_get_an_answer_or_a_reason() {
    let mut shelf = shop(20, 90);
    let walk = |length: u32| {
        (0..length)
            .map(|i| 50.0 + f64::from(i * 7919 % 97))
            .collect::<Vec<f64>>()
    };
    let odd: Vec<Vec<f64>> = vec![
        vec![5.0; 90],
        vec![5.0, 6.0],
        vec![],
        vec![5.0],
        (0..90).map(|i| if i % 2 == 0 { 1e-8 } else { 1e12 }).collect(),
        (0..90).map(|i| if i % 2 == 0 { 1.0 } else { 2.0 }).collect(),
        walk(90).iter().map(|x| x * 1e280).collect(),
        walk(90).iter().map(|x| x * 1e-280).collect(),
        walk(20_000),
        (0..200).map(|i| 0.5f64.powi(i) * 1e9).collect(),
        (0..200)
            .map(|i| if i % 50 == 49 { 9.0 } else { f64::NAN })
            .collect(),
        (0..90)
            .map(|i| if i < 60 { f64::from(i) + 1.0 } else { f64::NAN })
            .collect(),
        vec![f64::NAN; 90],
        (0..90).map(f64::from).collect(),
        (0..90).map(|i| f64::from(i) - 45.0).collect(),
    ];
    let first = shelf.subjects.len();
    shelf.subjects.extend(odd.into_iter().map(subject));
    let mut ended = subject(vec![5.0, f64::NAN]);
    ended.life = Life::Ended;
    shelf.subjects.push(ended);
    let more: Vec<Vec<f64>> = vec![
        vec![0.0; 90],
        walk(90).iter().map(|x| -x).collect(),
        walk(90).iter().map(|x| x * 1e300).collect(),
    ];
    shelf.subjects.extend(more.into_iter().map(subject));
    shelf.groups = Groups::new(&vec![(String::new(), String::new()); shelf.subjects.len()]);
    for frequency in [
        Frequency::Hourly,
        Frequency::Daily,
        Frequency::Weekly,
        Frequency::Monthly,
    ] {
        shelf.frequency = frequency;
        let found = night(&shelf, 7);
        for s in first..shelf.subjects.len() {
            let outlook = &found.series[s];
            assert!(!outlook.why.is_empty());
            assert!(!outlook.parameters.contains("null") && outlook.parameters.starts_with('{'));
            for step in found.steps(s) {
                let all = [step.price, step.low[0], step.low[2], step.high[2], step.high[0]];
                assert!(
                    all.iter().all(|x| x.is_finite() && *x >= 0.0),
                    "{s}: {step:?} {outlook:?}"
                );
            }
        }
        let why = |s: usize| found.series[first + s].why.to_string();
        assert!(why(0).contains("never changed") && why(1).contains("2 steps") && why(2).contains("0 steps"));
        assert_eq!(found.steps(first + 1).next().unwrap().price, 6.0);
        assert_eq!(
            (found.steps(first + 2).count(), found.steps(first + 12).count()),
            (0, 0)
        );
        assert!(why(15).contains("ended") && found.steps(first + 15).count() == 0);
        assert_eq!(found.steps(first + 8).count(), 9, "20,000 steps");
    }
}

#[test]
fn a_shop_of_one_series_is_forecast_too() {
    let mut shelf = shop(1, 200);
    shelf.groups = Groups::new(&[(String::new(), String::new())]);
    let found = night(&shelf, 14);
    assert_eq!(found.series[0].model, COMBINATION, "{}", found.series[0].why);
    let steps: Vec<Step> = found.steps(0).collect();
    // Noise with standard deviation 2 * sqrt(4 / 12).
    let width = steps[5].high[2] - steps[5].low[2];
    assert!((width / (2.0 * 1.2816 * 1.1547) - 1.0).abs() < 0.35, "{width}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let shelf = shop(40, 100);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| night(&shelf, 7))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn the_farthest_steps_of_weeks_and_months_are_measured_and_their_coverage_is_known() {
    for (frequency, length, horizon) in [(Frequency::Weekly, 160, 28), (Frequency::Monthly, 110, 12)] {
        let mut shelf = shop(60, length);
        shelf.frequency = frequency;
        let found = night(&shelf, horizon);
        assert_eq!(found.measured, [horizon; 2], "{frequency:?}");
        let grown: Vec<_> = found.grown().collect();
        assert_eq!(grown, [(horizon, 30); 2], "the night asks for two steps more");
        for (s, outlook) in found.series.iter().enumerate() {
            assert!(outlook.coverage95.is_some(), "{frequency:?} {s}: {outlook:?}");
            assert!(
                outlook
                    .parameters
                    .contains(&format!("\"bounds_measured_to_step\":{horizon}")),
                "{}",
                outlook.parameters
            );
        }
        // What may happen in half a year is wider than what may happen in a week.
        let steps: Vec<Step> = found.steps(1).collect();
        let width = |step: usize| steps[step].high[2] - steps[step].low[2];
        assert!(width(horizon - 1) > 1.5 * width(0), "{frequency:?}: {steps:?}");
    }
}
