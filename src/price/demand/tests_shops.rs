//! Shops whose buyers are known, because they were made: what is found must be what was put in.

use super::block::Kind;
use super::panel::{Driver, Item, Panel, Week};
use super::weeks::{AHEAD, Weeks};
use super::{Demand, demand};
use crate::fit::Control;
use crate::price::calendar::Utc;

const BRANDS: u32 = 6;

/// A made-up shop.
struct Made {
    panel: Panel,
    planned: Vec<Option<f64>>,
    /// The true elasticity of each item.
    truth: Vec<f64>,
}

struct Recipe {
    items: u32,
    weeks: usize,
    /// Mean units a week.
    volume: f64,
    /// Spread of the weeks that all products share.
    shock: f64,
    /// How much a rival's price moves units.
    cross: f64,
    seed: u64,
}

pub(super) fn normal(dice: &mut fastrand::Rng) -> f64 {
    let (a, b) = (dice.f64().max(1e-300), dice.f64());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

fn poisson(mean: f64, dice: &mut fastrand::Rng) -> f64 {
    if mean > 50.0 {
        return (mean + mean.sqrt() * normal(dice)).round().max(0.0);
    }
    let (limit, mut product, mut count) = ((-mean).exp(), dice.f64(), 0.0);
    while product > limit {
        product *= dice.f64();
        count += 1.0;
    }
    count
}

/// Whole brands go on promotion in the same weeks, every product moves with the week, prices move a little besides.
fn made(recipe: &Recipe) -> Made {
    let mut dice = fastrand::Rng::with_seed(recipe.seed);
    let past = recipe.weeks;
    let weeks = Weeks::new(20_000 * 86_400 - 1, past, &Utc);
    let promoted: Vec<Vec<bool>> = (0..BRANDS)
        .map(|_| (0..past).map(|_| dice.f64() < 0.2).collect())
        .collect();
    let shocks: Vec<f64> = (0..past).map(|_| recipe.shock * normal(&mut dice)).collect();
    let leaflet: Vec<f32> = (0..past + AHEAD)
        .map(|_| f32::from(u8::from(dice.f64() < 0.1)))
        .collect();
    let mut prices: Vec<Vec<f64>> = Vec::new();
    for i in 0..recipe.items {
        let mut regular = dice.f64() * 1.5 + 0.5;
        prices.push(
            (0..past)
                .map(|t| {
                    if dice.f64() < 0.05 {
                        regular += 0.08 * normal(&mut dice);
                    }
                    let off = if promoted[(i % BRANDS) as usize][t] {
                        0.15 + 0.1 * dice.f64()
                    } else {
                        0.0
                    };
                    regular + (1.0 - off).ln()
                })
                .collect(),
        );
    }
    let mut truth = Vec::new();
    let items: Vec<Item> = (0..recipe.items)
        .map(|i| {
            let brand = i % BRANDS;
            let e = -1.2 - 0.3 * f64::from(brand) + 0.2 * normal(&mut dice);
            truth.push(e);
            let base = recipe.volume.ln() + 0.5 * normal(&mut dice);
            let middle: f64 = prices[i as usize].iter().sum::<f64>() / past as f64;
            let rival = |t: usize| {
                let others = (0..recipe.items).filter(|o| o % 5 == i % 5 && *o != i);
                let (sum, n) = others.fold((0.0, 0.0), |(s, n), o| (s + prices[o as usize][t], n + 1.0));
                sum / n
            };
            let of_week = |t: usize, dice: &mut fastrand::Rng| {
                let price = prices[i as usize][t];
                let promotion = f64::from(u8::from(promoted[brand as usize][t]));
                let log = base
                    + e * (price - middle)
                    + 0.3 * promotion
                    + 0.4 * f64::from(leaflet[t])
                    + shocks[t]
                    + recipe.cross * rival(t)
                    + 0.15 * normal(dice);
                Week {
                    units: poisson(log.exp(), dice) as f32,
                    log_price: price as f32,
                    promotion: promotion as f32,
                }
            };
            let all: Vec<Week> = (0..past).map(|t| of_week(t, &mut dice)).collect();
            let from = all.iter().position(|week| week.units > 0.0).unwrap_or(0);
            Item {
                product: i as usize,
                brand: Some(brand),
                category: Some(i % 5),
                from,
                weeks: all[from..].to_vec(),
                sellers: Vec::new(),
                drivers: Vec::new(),
            }
        })
        .collect();
    let planned = items
        .iter()
        .map(|item| item.weeks.last().map(|week| f64::from(week.log_price).exp()))
        .collect();
    let driver = Driver {
        name: "leaflet".into(),
        general: leaflet,
        specific: false,
    };
    let names = |n: u32, what: &str| (0..n).map(|i| format!("{what} {i}")).collect();
    Made {
        panel: Panel::new(
            weeks,
            items,
            vec![driver],
            names(BRANDS, "brand"),
            names(5, "category"),
        ),
        planned,
        truth,
    }
}

fn found(made: &Made) -> Demand {
    demand(&made.panel, &made.planned, &Control::unbounded()).unwrap()
}

/// (elasticities, mean error, share inside the 95 % interval, median standard error).
fn against_truth(made: &Made, found: &Demand) -> (usize, f64, f64, f64) {
    let pairs: Vec<_> = found
        .answers
        .iter()
        .zip(&made.truth)
        .filter_map(|(answer, truth)| Some((answer.elasticity?, *truth)))
        .collect();
    let n = pairs.len() as f64;
    let bias = pairs.iter().map(|(e, truth)| e.value - truth).sum::<f64>() / n;
    let inside = pairs
        .iter()
        .filter(|(e, truth)| e.lo95 <= *truth && *truth <= e.hi95)
        .count();
    let mut errors: Vec<f64> = pairs.iter().map(|(e, _)| e.std_error).collect();
    errors.sort_by(f64::total_cmp);
    (pairs.len(), bias, inside as f64 / n, errors[errors.len() / 2])
}

#[test]
fn steady_products_give_their_elasticities_back_within_their_errors() {
    let (mut inside, mut shops) = (0.0, 0.0);
    for seed in 1..=4 {
        let made = made(&Recipe {
            items: 60,
            weeks: 104,
            volume: 60.0,
            shock: 0.2,
            cross: 0.5,
            seed,
        });
        let found = found(&made);
        let (n, bias, share, std_error) = against_truth(&made, &found);
        assert_eq!(n, 60);
        assert!(bias.abs() < 0.15, "bias {bias}");
        assert!((0.05..0.4).contains(&std_error), "{std_error}");
        inside += share;
        shops += 1.0;
        let steady = found.found(Kind::Steady).unwrap();
        let errors = steady.trials.as_ref().unwrap().judging.errors;
        assert!(errors.demand < 0.8 * errors.naive(), "{errors:?}");
        assert!(steady.trusted() && steady.inflation.unwrap() < 10.0);
    }
    let share: f64 = inside / shops;
    assert!(
        (0.90..=1.0).contains(&share),
        "{share} of the truth inside 95 % intervals"
    );
}

#[test]
fn slow_products_are_counted_zeros_and_all() {
    let (mut inside, mut bias) = (0.0, 0.0);
    for seed in 11..=14 {
        let made = made(&Recipe {
            items: 80,
            weeks: 120,
            volume: 1.5,
            shock: 0.2,
            cross: 0.0,
            seed,
        });
        let found = found(&made);
        let slow = found.found(Kind::Slow).unwrap();
        assert!(slow.products > 50, "{}", slow.products);
        let (_, off, share, _) = against_truth(&made, &found);
        inside += share / 4.0;
        bias += off / 4.0;
        let errors = slow.trials.as_ref().unwrap().judging.errors;
        assert!(errors.demand < errors.naive(), "{errors:?}");
    }
    // ln(units + 1), the usual way around zeros, would halve these elasticities.
    assert!(bias.abs() < 0.15, "bias {bias}");
    assert!(
        (0.90..=1.0).contains(&inside),
        "{inside} of the truth inside 95 % intervals"
    );
}

#[test]
fn the_same_shop_gives_the_same_bits_for_any_number_of_threads() {
    let made = made(&Recipe {
        items: 70,
        weeks: 60,
        volume: 4.0,
        shock: 0.1,
        cross: 0.2,
        seed: 5,
    });
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| found(&made).answers)
    };
    assert_eq!(with(1), with(3));
}
