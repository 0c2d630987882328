//! ALS against numbers from elsewhere and against its own equations.

use super::super::models::Linear;
use super::*;

fn fit(x: &Csr, options: &AlsOptions) -> Als {
    Als::fit(x, options, &Control::unbounded()).unwrap()
}

fn profile_of(x: &Csr, row: usize) -> Vec<(u32, f32)> {
    let (columns, values) = x.row(row);
    columns.iter().copied().zip(values.iter().copied()).collect()
}

fn scores(model: &Als, profile: &[(u32, f32)]) -> Vec<f32> {
    let mut scores = vec![0.0; model.products()];
    model.add_scores(profile, 1.0, &mut scores);
    scores
}

/// Six people, five products, one weight of 2.
fn small() -> Csr {
    Csr::from_rows(
        5,
        [
            vec![(0, 1.0), (1, 1.0), (4, 1.0)],
            vec![(0, 1.0), (2, 1.0)],
            vec![(1, 1.0), (2, 1.0), (3, 1.0)],
            vec![(0, 1.0), (1, 1.0), (2, 1.0)],
            vec![(2, 1.0), (3, 1.0), (4, 2.0)],
            vec![(0, 1.0), (3, 1.0)],
        ],
    )
}

fn random(people: usize, products: usize, seed: u64) -> Csr {
    let mut random = fastrand::Rng::with_seed(seed);
    let rows = (0..people).map(|_| {
        let share = random.f32();
        (0..products as u32)
            .map(|product| (product, random.f32(), 0.2 + random.f32()))
            .filter(|&(product, chance, _)| chance < share * (1.0 - product as f32 / products as f32))
            .map(|(product, _, weight)| (product, weight))
            .collect()
    });
    Csr::from_rows(products, rows.collect::<Vec<_>>())
}

/// Reference: 20,000 sweeps of the definition in numpy (f64, every row by `linalg.solve`); four random starts gave the same
/// scores to nine digits, so the optimum is the only one. Scores of people 0 and 4.
#[test]
fn converges_to_the_optimum_of_numpy() {
    let options = |factors, regularisation, unobserved, exponent, unmet| AlsOptions {
        factors,
        regularisation,
        unobserved,
        unmet,
        exponent,
        iterations: 2000,
        seed: 1,
    };
    for (options, of0, of4) in [
        (
            options(2, 0.3, 0.4, 0.0, Unmet::All),
            [0.559218, 0.529951, 0.626661, 0.516567, 0.433978],
            [0.219864, 0.339425, 0.528366, 0.684411, 0.746228],
        ),
        (
            options(2, 0.1, 0.4, 1.0, Unmet::All),
            [0.505066, 0.478980, 0.549381, 0.480163, 0.423420],
            [0.301875, 0.362292, 0.482923, 0.592242, 0.658501],
        ),
        (
            options(2, 0.3, 0.4, 0.0, Unmet::Others),
            [0.819397, 0.730156, 0.821261, 0.528865, 0.460946],
            [0.181513, 0.415735, 0.741066, 1.004517, 0.863975],
        ),
        (
            options(3, 0.05, 1.0, 0.5, Unmet::Others),
            [1.122825, 0.662467, 0.051167, 0.104727, 0.858697],
            [0.010810, 0.239571, 0.719543, 1.145306, 0.871644],
        ),
    ] {
        let model = fit(&small(), &options);
        for (row, by_numpy) in [(0, of0), (4, of4)] {
            for (score, by_numpy) in scores(&model, &profile_of(&small(), row)).iter().zip(by_numpy) {
                assert!((score - by_numpy).abs() < 2e-4, "{options:?}: {score} {by_numpy}");
            }
        }
    }
}

/// `(α₀ Y'Y + Σ a y y' + λ I) x = Σ w y`, checked term by term in f64.
#[test]
fn a_folded_history_solves_its_equations() {
    for (unmet, exponent, factors) in [
        (Unmet::All, 1.0, 10),
        (Unmet::Others, 0.0, 16),
        (Unmet::Others, 0.5, 3),
    ] {
        let options = AlsOptions {
            factors,
            regularisation: 0.1,
            unobserved: 0.3,
            unmet,
            exponent,
            iterations: 4,
            seed: 5,
        };
        let model = fit(&random(80, 40, 2), &options);
        let profile: Vec<(u32, f32)> = (0..40).step_by(3).map(|p| (p, 0.5 + p as f32 / 20.0)).collect();
        let x = model.fold_in(&profile);
        assert_eq!(x.len(), model.width());
        let score = |product: usize| -> f64 {
            model
                .item(product)
                .iter()
                .zip(&x)
                .map(|(&y, &x)| f64::from(y) * f64::from(x))
                .sum()
        };
        let sum: f64 = profile.iter().map(|&(_, w)| f64::from(w)).sum();
        let ridge = 0.1 * (sum + 0.3 * 40.0).powf(f64::from(exponent));
        for (factor, &own) in x[..factors].iter().enumerate() {
            let y = |product: usize| f64::from(model.item(product)[factor]);
            let mut left = ridge * f64::from(own);
            left += (0..40).map(|p| 0.3 * score(p) * y(p)).sum::<f64>();
            let mut right = 0.0;
            for &(product, w) in &profile {
                let (p, w) = (product as usize, f64::from(w));
                let taken = if unmet == Unmet::Others { 0.3 } else { 0.0 };
                left += (w - taken) * score(p) * y(p);
                right += w * y(p);
            }
            assert!(
                (left - right).abs() < 1e-4 * (1.0 + right.abs()),
                "{left} {right}"
            );
        }
        assert!(x[factors..].iter().all(|&pad| pad == 0.0));
    }
}

#[test]
fn contributions_add_up_to_the_score() {
    for unmet in [Unmet::All, Unmet::Others] {
        let options = AlsOptions {
            factors: 12,
            regularisation: 1.0,
            unmet,
            ..AlsOptions::default()
        };
        let x = random(60, 30, 8);
        let model = fit(&x, &options);
        // The one without weight stays silent, and keeps its row of the table.
        let profile: Vec<(u32, f32)> = (0..30).step_by(2).map(|p| (p, p as f32 / 10.0)).collect();
        let products = [29, 3, 0, 16];
        let all = scores(&model, &profile);
        let mut table = vec![0.0; profile.len() * products.len()];
        model.add_contributions(&profile, 2.0, &products, &mut table);
        for (at, &product) in products.iter().enumerate() {
            let sum: f32 = table.iter().skip(at).step_by(products.len()).sum();
            let score = 2.0 * all[product as usize];
            assert!((sum - score).abs() < 2e-5 * (1.0 + score.abs()), "{sum} {score}");
        }
        assert_eq!(table[..products.len()], [0.0; 4]);
    }
}

#[test]
fn many_vectors_score_like_one() {
    let x = random(50, 33, 4);
    let model = fit(
        &x,
        &AlsOptions {
            factors: 20,
            ..AlsOptions::default()
        },
    );
    let vectors: Vec<f32> = (0..5)
        .flat_map(|row| model.fold_in(&profile_of(&x, row)))
        .collect();
    let mut all = vec![f32::NAN; 5 * 33];
    model.scores_of(&vectors, &mut all);
    for row in 0..5 {
        for (a, b) in all[row * 33..][..33]
            .iter()
            .zip(scores(&model, &profile_of(&x, row)))
        {
            assert!((a - b).abs() < 1e-5);
        }
    }
}

#[test]
fn who_buys_alike_is_offered_alike() {
    // Two camps with a gap each: a member who lacks a product of the own camp is offered that one.
    let rows = (0..40u32).map(|u| {
        let camp = 5 * (u % 2);
        (camp..camp + 5)
            .filter(|p| p % 5 != u / 2 % 5)
            .map(|p| (p, 1.0))
            .collect()
    });
    let x = Csr::from_rows(10, rows.collect::<Vec<_>>());
    let model = fit(
        &x,
        &AlsOptions {
            factors: 2,
            regularisation: 0.1,
            ..AlsOptions::default()
        },
    );
    let of0 = scores(&model, &profile_of(&x, 0));
    assert!(
        of0[0] > 0.5 && of0[5..].iter().all(|&other| other.abs() < 0.1),
        "{of0:?}"
    );
}

#[test]
fn nothing_to_learn_from_says_nothing() {
    for x in [
        Csr::from_rows(0, []),
        Csr::from_rows(3, []),
        Csr::from_rows(3, [vec![], vec![(1, 0.0)]]),
    ] {
        let model = fit(&x, &AlsOptions::default());
        assert_eq!(model.products(), x.columns);
        assert!(model.items().iter().all(|&y| y == 0.0));
        if x.columns > 0 {
            assert_eq!(scores(&model, &[(1, 1.0)]), vec![0.0; 3]);
        }
    }
    // A product that nobody has keeps an empty vector, an empty history gets one.
    let model = fit(
        &Csr::from_rows(3, [vec![(0, 1.0)], vec![(0, 1.0), (2, 1.0)]]),
        &AlsOptions::default(),
    );
    assert!(model.item(1).iter().all(|&y| y == 0.0));
    assert!(model.fold_in(&[]).iter().all(|&x| x == 0.0));
    assert_eq!(scores(&model, &[(1, 1.0), (0, -1.0)]), [0.0; 3]);
    let mut table = [0.0; 2];
    model.add_contributions(&[(1, 1.0), (0, 0.0)], 1.0, &[0], &mut table);
    assert_eq!(table, [0.0; 2]);
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let refused = |x: &Csr, options: AlsOptions| {
        Als::fit(x, &options, &Control::unbounded())
            .unwrap_err()
            .to_string()
    };
    let fine = AlsOptions::default();
    assert!(refused(&small(), AlsOptions { factors: 0, ..fine }).contains("factors"));
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(
            refused(
                &small(),
                AlsOptions {
                    regularisation: bad,
                    ..fine
                }
            )
            .contains("regularisation")
        );
        assert!(
            refused(
                &small(),
                AlsOptions {
                    unobserved: bad,
                    ..fine
                }
            )
            .contains("unobserved")
        );
    }
    assert!(
        refused(
            &small(),
            AlsOptions {
                exponent: f32::NAN,
                ..fine
            }
        )
        .contains("exponent")
    );
    for weight in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(refused(&Csr::from_rows(1, [vec![(0, weight)]]), fine).contains("weights"));
    }
    // Weights at the end of what f32 holds are no model, and no panic.
    let huge = Csr::from_rows(2, [vec![(0, 1e38), (1, 1e38)], vec![(0, 1e38)]]);
    let model = Als::fit(&huge, &fine, &Control::unbounded());
    assert!(model.is_err() || model.is_ok_and(|m| m.items().iter().all(|y| y.is_finite())));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let stopped = Als::fit(&small(), &fine, &Control::unbounded().with_cancel(stop));
    assert!(matches!(stopped, Err(FitError::Stopped(_))));
}

#[test]
fn threads_do_not_change_a_bit_and_seeds_do() {
    let x = random(300, 90, 6);
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let options = AlsOptions {
            factors: 8,
            seed,
            iterations: 3,
            ..AlsOptions::default()
        };
        let model = pool.install(|| fit(&x, &options));
        model.items().iter().map(|y| y.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(with(1, 1), with(4, 1));
    assert_ne!(with(1, 1), with(1, 2));
}
