//! GARCH beside the published benchmark and R's fGarch, and on odd input.

mod dem2gbp;

use super::*;
use crate::fit::Differentiable;
use dem2gbp::DEM2GBP;

fn close(ours: &[f64], theirs: &[f64], within: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a / b - 1.0).abs() < within, "{ours:?} against {theirs:?}");
    }
}

fn fitted(returns: &[f64], distribution: Distribution) -> Fitted {
    fit(returns, distribution, &Control::unbounded()).unwrap()
}

/// Fiorentini, Calzolari and Panattoni, J. Applied Econometrics 11 (1996), as agreed by TSP's benchmark files; standard
/// errors of Bollerslev and Wooldridge and of White from McCullough and Renfro (1999).
#[test]
fn the_benchmark_is_met_in_every_digit() {
    let fitted = fitted(&DEM2GBP, Distribution::Normal);
    let ours = [fitted.mu, fitted.omega, fitted.alpha, fitted.beta];
    close(
        &ours,
        &[-0.006190408380, 0.0107613978518, 0.153134061820, 0.805973670305],
        2e-7,
    );
    assert!(
        (fitted.log_likelihood - -1106.607881041288).abs() < 1e-9,
        "{fitted:?}"
    );
    for (kind, theirs) in [
        (Errors::Hessian, [0.00846212, 0.00285271, 0.0265228, 0.0335527]),
        (
            Errors::OuterProduct,
            [0.00843359, 0.00132298, 0.0139737, 0.0165604],
        ),
        (
            Errors::Information,
            [0.0083762856, 0.0019288081, 0.0194011856, 0.0218398722],
        ),
        (
            Errors::BollerslevWooldridge,
            [0.0087309247, 0.0031236375, 0.0273219341, 0.0301508860],
        ),
        (
            Errors::White,
            [0.009189353980, 0.006493186182, 0.053531703495, 0.072461449602],
        ),
    ] {
        close(&fitted.std_errors(&DEM2GBP, kind).unwrap(), &theirs, 1e-5);
    }
}

/// R 4.2.2, fGarch: predict(garchFit(~ garch(1, 1), dem2gbp))$standardDeviation.
#[test]
fn forecasts_are_those_of_r() {
    let sd = |fitted: &Fitted| -> Vec<f64> { fitted.variances(5).iter().map(|v| v.sqrt()).collect() };
    let normal = fitted(&DEM2GBP, Distribution::Normal);
    close(
        &sd(&normal),
        &[0.3833960289, 0.3895420932, 0.395347075, 0.4008357029, 0.406030189],
        1e-6,
    );
    let far = normal.variances(2000)[1999];
    close(&[far], &[normal.long_run_variance().unwrap()], 1e-9);
    let heavy = fitted(&DEM2GBP, Distribution::StudentT);
    close(
        &[heavy.mu, heavy.omega, heavy.alpha, heavy.beta, heavy.nu.unwrap()],
        &[
            0.002248644783,
            0.002319035137,
            0.1244379061,
            0.8846532728,
            4.118426267,
        ],
        1e-4,
    );
    assert!((heavy.log_likelihood - -989.408349).abs() < 1e-5, "{heavy:?}");
    close(
        &sd(&heavy),
        &[
            0.3680336237,
            0.3728259274,
            0.3776001504,
            0.3823573539,
            0.3870985477,
        ],
        1e-4,
    );
    // Richardson's limit of second differences of the log-likelihood in double precision; fGarch's own Hessian, of one
    // coarse difference, is 1.4 % away: 0.006955504586, 0.001150796387, 0.02671111993, 0.02323651299, 0.4011670766.
    close(
        &heavy.std_errors(&DEM2GBP, Errors::Hessian).unwrap(),
        &[0.00695553, 0.00116696, 0.02695882, 0.02351790, 0.4011849],
        2e-5,
    );
    assert!(heavy.std_errors(&DEM2GBP, Errors::White).is_some());
    assert!(
        heavy.std_errors(&DEM2GBP, Errors::Information).is_none(),
        "not defined"
    );
    assert!(heavy.long_run_variance().is_none(), "alpha + beta passes 1");
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    let mut gappy = DEM2GBP[..300].to_vec();
    gappy[10] = f64::NAN;
    gappy[11] = f64::NAN;
    for distribution in [Distribution::Normal, Distribution::StudentT] {
        let data = Data::of(&gappy, distribution).unwrap();
        for start in starts(distribution) {
            let mut x = start.free();
            x[0] = 0.3;
            let mut gradient = vec![0.0; x.len()];
            data.cost_and_gradient(&x, &mut gradient);
            for i in 0..x.len() {
                let mut aside = x.clone();
                aside[i] += 1e-5;
                let above = data.cost(&aside);
                aside[i] = x[i] - 1e-5;
                let slope = (above - data.cost(&aside)) / 2e-5;
                assert!(
                    (gradient[i] - slope).abs() < 1e-7,
                    "{i} at {x:?}: {} against {slope}",
                    gradient[i]
                );
            }
        }
        // The scores add up to the gradient.
        let at = starts(distribution)[1];
        let (mut sums, mut gradient) = (vec![0.0; at.to_vec().len()], vec![0.0; at.to_vec().len()]);
        data.scores(&at, |score, _| {
            sums.iter_mut().zip(score).for_each(|(sum, s)| *sum += s)
        });
        data.slope(&at, &mut gradient);
        for (sum, slope) in sums.iter().zip(&gradient) {
            assert!((sum + slope).abs() < 1e-9 * (1.0 + slope.abs()));
        }
    }
}

/// The user's unit is the unit of the answer, whatever it is.
#[test]
fn units_do_not_matter() {
    let per_cent = fitted(&DEM2GBP, Distribution::StudentT);
    for unit in [0.01, 1e-9, 1e12] {
        let scaled: Vec<f64> = DEM2GBP.iter().map(|value| value * unit).collect();
        let other = fitted(&scaled, Distribution::StudentT);
        close(
            &[
                other.mu / unit,
                other.omega / unit / unit,
                other.alpha,
                other.beta,
            ],
            &[per_cent.mu, per_cent.omega, per_cent.alpha, per_cent.beta],
            1e-4,
        );
        let n = DEM2GBP.len() as f64;
        assert!((other.log_likelihood + n * f64::ln(unit) - per_cent.log_likelihood).abs() < 1e-6);
        close(
            &[other.next_variance.sqrt() / unit],
            &[per_cent.next_variance.sqrt()],
            1e-5,
        );
    }
}

#[test]
fn missing_returns_stand_for_their_expectation() {
    let mut later = DEM2GBP.to_vec();
    let whole = fitted(&later, Distribution::Normal);
    later.push(f64::NAN);
    let waited = fitted(&later, Distribution::Normal);
    assert_eq!(waited.observations, whole.observations);
    close(&[waited.log_likelihood], &[whole.log_likelihood], 1e-12);
    close(&[waited.next_variance], &[whole.variances(2)[1]], 1e-6);
}

/// Prices that made the returns of the benchmark.
fn quotations() -> Vec<f64> {
    let mut prices = vec![100.0];
    for change in DEM2GBP {
        prices.push(prices[prices.len() - 1] * f64::exp(change / 100.0));
    }
    prices
}

#[test]
fn volatility_wants_changes_and_answers_in_fractions() {
    let control = Control::unbounded();
    let prices = quotations();
    let Movement::Volatile(found) = movement(&prices, &control).unwrap() else {
        panic!("1,974 returns are enough");
    };
    let heavy = fitted(&DEM2GBP, Distribution::StudentT);
    close(&[found.one_day], &[heavy.next_variance.sqrt() / 100.0], 1e-5);
    // The persistence of 1.009 is carried on as 1.
    let month: f64 = (0..30)
        .map(|day| heavy.next_variance + f64::from(day) * heavy.omega)
        .sum();
    close(&[found.thirty_days], &[month.sqrt() / 100.0], 1e-4);
    assert!((found.within - 0.95).abs() < 0.03, "{found:?}");
    // 251 prices that moved 250 times are enough, 249 times are not.
    let moves = |prices: &[f64]| {
        prices
            .windows(2)
            .filter(|pair| f64::ln(pair[1] / pair[0]).abs() > 1e-6)
            .count()
    };
    let enough = (0..400)
        .find(|&count| moves(&prices[..count]) == CHANGES)
        .unwrap();
    assert!(matches!(
        movement(&prices[..enough], &control),
        Ok(Movement::Volatile(_))
    ));
    assert_eq!(movement(&prices[..enough - 1], &control), Ok(Movement::Still));
    // Posted prices that hold for weeks have none.
    let posted: Vec<f64> = (0..2000).map(|day| 10.0 + f64::from(day / 20 % 3)).collect();
    assert_eq!(movement(&posted, &control), Ok(Movement::Still));
    assert_eq!(movement(&[], &control), Ok(Movement::Still));
}

/// Three days of four without a change: the normal distribution answers, and near the plain standard deviation.
#[test]
fn a_price_that_mostly_stands_still_gets_no_peak() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut level: f64 = 50.0;
    let prices: Vec<f64> = (0..1097)
        .map(|day| {
            if day % 4 == 0 {
                level *= 1.0 + 0.04 * (random.f64() - 0.5);
            }
            level
        })
        .collect();
    let Movement::Volatile(found) = movement(&prices, &Control::unbounded()).unwrap() else {
        panic!("274 changes are enough");
    };
    let plain = 0.04 / f64::sqrt(12.0) / 2.0;
    assert!(
        (found.one_day / plain).ln().abs() < 1.0,
        "{found:?} against {plain}"
    );
    assert!(
        (found.thirty_days / plain / f64::sqrt(30.0) - 1.0).abs() < 0.4,
        "{found:?}"
    );
}

#[test]
fn odd_series_have_an_answer_or_a_reason() {
    let control = Control::unbounded();
    let wave = |n: u32| {
        (0..n)
            .map(|i| f64::from(i * 7919 % 1000) / 500.0 - 1.0)
            .collect::<Vec<f64>>()
    };
    let alternating: Vec<f64> = (0..300).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let mut one_shock = vec![0.0; 300];
    one_shock[150] = 1.0;
    let growing: Vec<f64> = (0..300)
        .map(|i| f64::from(i - 150) * f64::from(i).exp2().min(1e30))
        .collect();
    let huge: Vec<f64> = wave(300).iter().map(|value| value * 1e200).collect();
    for distribution in [Distribution::Normal, Distribution::StudentT] {
        for returns in [
            vec![],
            vec![1.0],
            vec![f64::NAN; 300],
            vec![0.0; 300],
            vec![-3.0; 300],
            wave(ENOUGH as u32 - 1),
        ] {
            assert!(matches!(
                fit(&returns, distribution, &control),
                Err(FitError::Invalid(_))
            ));
        }
        for returns in [
            wave(20_000),
            alternating.clone(),
            one_shock.clone(),
            growing.clone(),
            huge.clone(),
        ] {
            match fit(&returns, distribution, &control) {
                Ok(fitted) => {
                    assert!(
                        fitted.variances(100).iter().all(|v| *v > 0.0 && !v.is_nan()),
                        "{fitted:?}"
                    );
                    for kind in [
                        Errors::Hessian,
                        Errors::OuterProduct,
                        Errors::Information,
                        Errors::White,
                    ] {
                        let errors = fitted.std_errors(&returns, kind);
                        assert!(errors.is_none_or(|errors| errors.iter().all(|e| e.is_finite())));
                    }
                }
                Err(FitError::Invalid(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_price_that_comes_back_has_no_month_of_thirty_days() {
    // Each day one of two prices, by chance: ln(10 / 8) apart, so a move over any time has half its square as variance.
    let mut dice = fastrand::Rng::with_seed(9);
    let prices: Vec<f64> = (0..1000).map(|_| if dice.bool() { 10.0 } else { 8.0 }).collect();
    let Movement::Volatile(found) = movement(&prices, &Control::unbounded()).unwrap() else {
        panic!("it moves every other day");
    };
    let truth = (10.0f64 / 8.0).ln() / 2.0f64.sqrt();
    assert!(
        (found.thirty_days / truth - 1.0).abs() < 0.25,
        "{found:?}, {truth}"
    );
    assert!(found.thirty_days >= found.one_day);
}
