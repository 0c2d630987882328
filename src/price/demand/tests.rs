//! Small cases: poor shops, levels, spreads, other prices, quantiles.

use super::clustered::student;
use super::panel::{Item, Panel, Week};
use super::tests_shops::normal;
use super::trial::Total;
use super::weeks::Weeks;
use super::whatif::{Plan, Spread, whatif};
use super::{Demand, demand};
use crate::fit::Control;
use crate::price::calendar::Utc;

/// An item from (units, price) by week; price 0 = not on sale.
fn item(weeks: &[(f32, f32)]) -> Item {
    Item {
        product: 0,
        brand: None,
        category: None,
        from: 0,
        weeks: weeks
            .iter()
            .map(|&(units, price)| Week {
                units,
                log_price: if price > 0.0 { price.ln() } else { f32::NAN },
                promotion: 0.0,
            })
            .collect(),
        sellers: Vec::new(),
        drivers: Vec::new(),
    }
}

fn alone(items: Vec<Item>, past: usize) -> Demand {
    let weeks = Weeks::new(20_000 * 86_400 - 1, past, &Utc);
    let planned = vec![Some(2.0); items.len()];
    let panel = Panel::new(weeks, items, vec![], vec![], vec![]);
    demand(&panel, &planned, &Control::unbounded()).unwrap()
}

#[test]
fn poor_shops_get_a_reason_or_nothing_but_never_nonsense() {
    assert!(alone(vec![], 60).answers.is_empty());
    let constant: Vec<(f32, f32)> = (0..60).map(|t| ((t % 5) as f32 + 1.0, 2.0)).collect();
    let never: Vec<(f32, f32)> = vec![(0.0, 2.0); 60];
    let short: Vec<(f32, f32)> = vec![(3.0, 2.0); 5];
    let gone: Vec<(f32, f32)> = vec![(3.0, 0.0); 60];
    let moving: Vec<(f32, f32)> = (0..60)
        .map(|t| if t % 2 == 0 { (4.0, 2.0) } else { (8.0, 1.0) })
        .collect();
    let huge: Vec<(f32, f32)> = (0..60)
        .map(|t| if t % 3 == 0 { (1e30, 1e-6) } else { (1.0, 1e6) })
        .collect();
    for weeks in [&constant, &never, &short, &gone] {
        let found = alone(vec![item(weeks)], weeks.len());
        assert_eq!(
            (found.answers[0].elasticity, found.answers[0].moved),
            (None, false)
        );
    }
    for weeks in [&moving, &huge] {
        let found = alone(vec![item(weeks)], 60);
        if let Some(e) = found.answers[0].elasticity {
            assert!(
                e.value.is_finite() && e.std_error > 0.0 && e.lo95 <= e.hi95,
                "{e:?}"
            );
        }
        if let Some(plan) = found.answers[0].plan {
            assert!(plan.units.is_finite() && plan.units >= 0.0, "{plan:?}");
        }
    }
    // Half the price, twice the units: without noise the elasticity is -1, but for the caution about other columns.
    let exact = alone(vec![item(&moving)], 60).answers[0].clone();
    if let Some(e) = exact.elasticity {
        assert!((e.value + 1.0).abs() < 0.01, "{e:?}");
    }
    // All of them together.
    let mut items: Vec<Item> = [&constant, &never, &gone, &moving, &huge]
        .iter()
        .map(|w| item(w))
        .collect();
    items
        .iter_mut()
        .enumerate()
        .for_each(|(i, item)| item.product = i);
    let found = alone(items, 60);
    assert!(found.answers[0].elasticity.is_none() && found.answers[1].kind.is_none());
}

#[test]
fn a_plan_counts_the_level_of_the_newest_weeks() {
    // Sales doubled eight weeks ago and stay there.
    let made = {
        let weeks: Vec<(f32, f32)> = (0..80)
            .map(|t| {
                let price = if t % 7 == 0 { 1.8 } else { 2.0 };
                (if t < 72 { 10.0 } else { 20.0 }, price)
            })
            .collect();
        alone(vec![item(&weeks), item(&weeks)], 80)
    };
    let units = made.answers[0].plan.unwrap().units;
    assert!((50.0..85.0).contains(&units), "{units} in four weeks of 20");
}

#[test]
fn spreads_hold_four_fifths_and_widen_for_windows_that_differ() {
    let mut dice = fastrand::Rng::with_seed(3);
    let mut window = |shift: f64| -> Vec<Total> {
        (0..300)
            .map(|i| {
                let expected = 5.0 * f64::from(i + 1);
                let sold = (expected * (shift + 0.3 * normal(&mut dice)).exp()).round();
                Total {
                    expected,
                    sold,
                    before: 0.0,
                }
            })
            .collect()
    };
    let (a, b, c, fresh) = (window(0.0), window(0.0), window(0.0), window(0.0));
    let alike = Spread::new(&[&a, &b, &c]).unwrap();
    assert!(
        (0.76..0.85).contains(&alike.covers(&fresh)),
        "{}",
        alike.covers(&fresh)
    );
    let (up, down) = (window(0.4), window(-0.4));
    let apart = Spread::new(&[&a, &up, &down]).unwrap();
    let width = |spread: &Spread| spread.around(100.0, 0.0).1 - spread.around(100.0, 0.0).0;
    assert!(width(&apart) > 1.5 * width(&alike));
    let mean = [&a, &up, &down].iter().map(|w| apart.covers(w)).sum::<f64>() / 3.0;
    assert!(mean >= 0.8, "{mean}");
    assert!(Spread::new(&[&a[..5]]).is_none() && Spread::new(&[]).is_none());
    let few = Spread::new(&[&a[..9]]).unwrap();
    let (low, high) = few.around(10.0, 0.2);
    assert!(low <= 10.0 && high >= 10.0 && low >= 0.0);
}

#[test]
fn other_prices_follow_the_elasticity() {
    let elasticity = super::clustered::Elasticity {
        value: -2.0,
        std_error: 0.3,
        lo95: -2.6,
        hi95: -1.4,
        lo80: -2.4,
        hi80: -1.6,
        weeks: 50,
        own: 0.5,
    };
    let totals: Vec<Total> = (0..100)
        .map(|i| Total {
            expected: 50.0,
            sold: 40.0 + 0.2 * f64::from(i),
            before: 0.0,
        })
        .collect();
    let spread = Spread::new(&[&totals]).unwrap();
    let plan = Plan {
        price: 10.0,
        units: 100.0,
    };
    let rows = whatif(plan, &[9.0, 10.0, 12.0], &elasticity, &spread, Some(6.0));
    assert!((rows[1].units - 100.0).abs() < 1e-9 && (rows[1].revenue - 1000.0).abs() < 1e-9);
    assert!((rows[1].margin.unwrap() - 400.0).abs() < 1e-9);
    assert!((rows[0].units - 100.0 * 0.9f64.powi(-2)).abs() < 1e-9);
    assert!((rows[2].units - 100.0 * 1.2f64.powi(-2)).abs() < 1e-9);
    // The farther from the plan, the wider.
    let width = |i: usize| rows[i].hi80 / rows[i].lo80;
    assert!(width(2) > width(0) && width(0) > width(1));
    assert!(
        whatif(plan, &[9.0], &elasticity, &spread, None)[0]
            .margin
            .is_none()
    );
}

#[test]
fn students_quantiles_are_those_of_the_tables() {
    // scipy.stats.t.ppf
    for (level, degrees, expected) in [
        (0.975, 3.0, 3.182_446),
        (0.975, 10.0, 2.228_139),
        (0.975, 100.0, 1.983_972),
        (0.90, 3.0, 1.637_744),
        (0.90, 10.0, 1.372_184),
        (0.90, 1e9, 1.281_552),
    ] {
        let got = student(level, degrees);
        assert!((got / expected - 1.0).abs() < 0.005, "{level} {degrees}: {got}");
    }
}
