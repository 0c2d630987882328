//! EASE against numbers from elsewhere, and its two forms against each other.

use super::*;

fn fit(x: &Csr, lambda: f32, most: usize) -> Ease {
    Ease::fit(x, &EaseOptions { lambda, most }, &Control::unbounded()).unwrap()
}

/// The model of the given form over all products, whatever the plan would be.
fn forced(x: &Csr, form: Form, lambda: f32) -> Ease {
    let holders = vec![1; x.columns];
    Ease::fit_in(x, &holders, form, x.columns, lambda, &Control::unbounded()).unwrap()
}

fn scores(model: &Ease, profile: &[(u32, f32)], products: usize) -> Vec<f32> {
    let mut scores = vec![0.0; products];
    model.add_scores(profile, 1.0, &mut scores);
    scores
}

fn close(a: &[f32], b: &[f32], within: f32) {
    assert_eq!(a.len(), b.len());
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= within, "place {at}: {a} and {b}");
    }
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

/// numpy: `P = inv(X.T @ X + 0.5 * eye(5)); B = eye(5) - P / diag(P); fill_diagonal(B, 0)`, in f64.
const B: [[f32; 5]; 5] = [
    [0.0, 0.306595, 0.193168, 0.015458, 0.011711],
    [0.424272, 0.0, 0.321947, 0.025764, 0.019519],
    [0.242723, 0.292335, 0.0, 0.319470, 0.242030],
    [0.020720, 0.024955, 0.340793, 0.0, 0.424203],
    [0.008880, 0.010695, 0.146054, 0.239971, 0.0],
];

/// Random zeros and ones with people of very different activity.
fn random(people: usize, products: usize, seed: u64) -> Csr {
    let mut random = fastrand::Rng::with_seed(seed);
    let rows = (0..people).map(|_| {
        let share = random.f32() * random.f32();
        (0..products as u32)
            .filter(|&product| random.f32() < share * (1.0 - product as f32 / products as f32))
            .map(|product| (product, 1.0))
            .collect()
    });
    Csr::from_rows(products, rows.collect::<Vec<_>>())
}

#[test]
fn both_forms_give_the_closed_form_of_numpy() {
    for form in [Form::Primal, Form::Dual] {
        let model = forced(&small(), form, 0.5);
        assert_eq!(model.form(), form);
        for (i, row) in (0u32..).zip(&B) {
            close(&scores(&model, &[(i, 1.0)], 5), row, 2e-6);
        }
        // [1, 0, .5, 0, -.25] @ B, in numpy.
        let by_numpy = [0.119142, 0.450089, 0.156655, 0.115201, 0.132726];
        let profile = [(0, 1.0), (2, 0.5), (4, -0.25)];
        close(&scores(&model, &profile, 5), &by_numpy, 2e-6);
        // The factor multiplies, and what stood there stays.
        let mut twice = vec![1.0; 5];
        model.add_scores(&profile, 2.0, &mut twice);
        close(&twice, &by_numpy.map(|score| 1.0 + 2.0 * score), 4e-6);
    }
}

#[test]
fn negative_weights_stay() {
    // Two camps: whoever has a product of one has none of the other.
    let camp = |first: u32| (first..first + 3).map(|p| (p, 1.0)).collect::<Vec<_>>();
    let x = Csr::from_rows(6, (0..20).map(|u| if u % 2 == 0 { camp(0) } else { camp(3) }));
    for form in [Form::Primal, Form::Dual] {
        // Holding both sides: each camp's third product hears two votes for it and nothing against it.
        let scores = scores(&forced(&x, form, 1.0), &[(0, 1.0), (1, -1.0), (3, -1.0)], 6);
        assert!(scores[4] < -0.3 && scores[5] < -0.3, "{scores:?}");
    }
}

#[test]
fn primal_and_dual_are_one_model() {
    let x = random(40, 90, 3);
    let (primal, dual) = (forced(&x, Form::Primal, 5.0), forced(&x, Form::Dual, 5.0));
    let profile: Vec<(u32, f32)> = (0..90).step_by(7).map(|p| (p, 0.3 + p as f32 / 60.0)).collect();
    close(&scores(&primal, &profile, 90), &scores(&dual, &profile, 90), 2e-5);
    let products: Vec<u32> = (0..90).collect();
    let table = |model: &Ease| {
        let mut table = vec![0.0; profile.len() * 90];
        model.add_contributions(&profile, 1.0, &products, &mut table);
        table
    };
    close(&table(&primal), &table(&dual), 2e-5);
}

#[test]
fn contributions_add_up_to_the_score() {
    let x = random(60, 30, 5);
    let profile: Vec<(u32, f32)> = (0..30).step_by(3).map(|p| (p, 1.0 + p as f32)).collect();
    let products = [29, 3, 0, 17];
    for form in [Form::Primal, Form::Dual] {
        let model = forced(&x, form, 3.0);
        let all = scores(&model, &profile, 30);
        let mut table = vec![0.0; profile.len() * products.len()];
        model.add_contributions(&profile, 1.0, &products, &mut table);
        for (at, &product) in products.iter().enumerate() {
            let sum: f32 = table.iter().skip(at).step_by(products.len()).sum();
            assert!(
                (sum - all[product as usize]).abs() < 1e-4,
                "{sum} {}",
                all[product as usize]
            );
            // No product speaks for itself.
            if let Some(speaker) = profile.iter().position(|&(p, _)| p == product) {
                assert_eq!(table[speaker * products.len() + at], 0.0);
            }
        }
    }
}

#[test]
fn the_cut_keeps_the_most_bought_and_says_so() {
    // Everybody has one product of 1,100; one more person has all but each eleventh.
    let most = (0..1100u32).filter(|p| p % 11 != 0).map(|p| (p, 1.0)).collect();
    let rows = (0..1100u32).map(|p| vec![(p, 1.0)]).chain([most]);
    let model = fit(&Csr::from_rows(1100, rows), 10.0, 1000);
    assert_eq!((model.form(), model.kept().len()), (Form::Primal, 1000));
    assert!(model.kept().iter().all(|p| p % 11 != 0));
    assert!(model.kept().windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(model.cut().as_deref(), Some("1,000 most bought of 1,100"));
    // Outside the cut: no score, no voice, no share.
    let all = scores(&model, &[(22, 1.0), (5, 1.0)], 1100);
    assert!(all[7] != 0.0 && (0..1100).step_by(11).all(|p| all[p] == 0.0));
    assert!(scores(&model, &[(22, 1.0)], 1100).iter().all(|&s| s == 0.0));
    let mut table = vec![0.0; 4];
    model.add_contributions(&[(22, 1.0), (5, 1.0)], 1.0, &[33, 7], &mut table);
    assert_eq!((table[..3].to_vec(), table[3]), (vec![0.0; 3], all[7]));
}

#[test]
fn fewer_people_than_products_widen_the_cut() {
    assert_eq!(plan(5000, 200_000, 3000, 8000), (Form::Primal, 3000));
    assert_eq!(plan(50_000, 3_000_000, 20_000, 8000), (Form::Primal, 8000));
    assert_eq!(plan(2469, 700_000, 68_000, 8000), (Form::Dual, 25_921));
    assert_eq!(plan(2469, 700_000, 3000, 8000), (Form::Dual, 3000));
    // So many people with so short histories are served faster by rows of B.
    assert_eq!(plan(7000, 70_000, 20_000, 8000), (Form::Primal, 8000));
    assert_eq!(plan(0, 0, 0, 8000), (Form::Primal, 0));
    let model = fit(&random(10, 60, 1), 2.0, 20);
    assert_eq!((model.form(), model.kept().len()), (Form::Dual, 40));
}

#[test]
fn many_profiles_score_like_one() {
    let x = random(70, 50, 4);
    let profiles: Vec<Vec<(u32, f32)>> = (0..45u32)
        .map(|i| {
            (i..50)
                .step_by(1 + i as usize)
                .map(|p| (p, 0.1 + p as f32))
                .collect()
        })
        .collect();
    for form in [Form::Primal, Form::Dual] {
        let model = forced(&x, form, 3.0);
        let mut all = vec![f32::NAN; 45 * 50];
        model.scores_of(&profiles, &mut all);
        for (profile, together) in profiles.iter().zip(all.chunks(50)) {
            close(&scores(&model, profile, 50), together, 1e-3);
        }
    }
}

#[test]
fn ties_at_the_cut_go_to_the_first() {
    let x = Csr::from_rows(4, (0..9).map(|_| vec![(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]));
    assert_eq!(fit(&x, 1.0, 2).kept(), [0, 1]);
}

#[test]
fn nothing_to_learn_from_says_nothing() {
    for x in [
        Csr::from_rows(0, []),
        Csr::from_rows(3, []),
        Csr::from_rows(3, [vec![], vec![]]),
        Csr::from_rows(3, [vec![(1, 0.0)]]),
    ] {
        let model = fit(&x, 1.0, 10);
        assert!(model.kept().is_empty() && model.cut().is_none());
        assert_eq!(
            scores(&model, &[(0, 1.0)][..x.columns.min(1)], x.columns),
            vec![0.0; x.columns]
        );
    }
    // One person, one product: it has nobody to speak for.
    let model = fit(&Csr::from_rows(2, [vec![(1, 1.0)]]), 1.0, 10);
    assert_eq!(scores(&model, &[(1, 1.0)], 2), [0.0, 0.0]);
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let x = small();
    let refused = |x: &Csr, lambda| {
        let options = EaseOptions { lambda, most: 10 };
        Ease::fit(x, &options, &Control::unbounded())
            .unwrap_err()
            .to_string()
    };
    for lambda in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(refused(&x, lambda).contains("lambda"), "{lambda}");
    }
    assert!(refused(&Csr::from_rows(1, [vec![(0, f32::NAN)]]), 1.0).contains("no number"));
    // Columns that repeat each other leave only the ridge to tell them apart, and in f32 it drowns.
    let x = Csr::from_rows(40, (0..50).map(|_| (0..40).map(|p| (p, 1e6)).collect()));
    assert!(refused(&x, 1e-3).contains("larger lambda"));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let stopped = Ease::fit(
        &small(),
        &EaseOptions::default(),
        &Control::unbounded().with_cancel(stop),
    );
    assert!(matches!(stopped, Err(FitError::Stopped(_))));
}

#[test]
fn threads_do_not_change_a_bit() {
    let x = random(150, 80, 9);
    let with = |threads: usize, form: Form| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let model = pool.install(|| forced(&x, form, 4.0));
        let profile: Vec<(u32, f32)> = (0..80).step_by(2).map(|p| (p, 1.0)).collect();
        scores(&model, &profile, 80)
            .iter()
            .map(|s| s.to_bits())
            .collect::<Vec<_>>()
    };
    for form in [Form::Primal, Form::Dual] {
        assert_eq!(with(1, form), with(4, form));
    }
}
