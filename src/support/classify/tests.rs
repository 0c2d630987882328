//! The classifier against finite differences, separable data and scikit-learn.

use super::*;

fn three_classes() -> (Csr, Vec<u32>) {
    let rows = (0..60u32).map(|i| {
        let class = i % 3;
        vec![(class, 1.0), (3 + i % 5, 0.4)]
    });
    (
        Csr::from_rows(8, rows),
        (0..60).map(|i| if i == 7 { 0 } else { i % 3 }).collect(),
    )
}

#[test]
fn the_slope_agrees_with_finite_differences() {
    let (rows, labels) = three_classes();
    let problem = Problem {
        by_feature: rows.transpose(),
        rows: &rows,
        labels: &labels,
        classes: 3,
        penalty: 0.01,
        rounded: Mutex::new(Vec::new()),
    };
    let mut dice = fastrand::Rng::with_seed(5);
    let x: Vec<f64> = (0..27).map(|_| dice.f64() - 0.5).collect();
    let mut slope = vec![0.0; 27];
    problem.cost_and_gradient(&x, &mut slope);
    for i in 0..27 {
        let step = 1e-2; // large, because the passes are in f32
        let at = |d: f64| {
            let mut x = x.clone();
            x[i] += d;
            problem.cost(&x)
        };
        let numeric = (at(step) - at(-step)) / (2.0 * step);
        assert!((numeric - slope[i]).abs() < 2e-5, "{i}: {numeric} {}", slope[i]);
    }
}

#[test]
fn it_learns_what_can_be_learned_and_ignores_threads() {
    let (rows, labels) = three_classes();
    let fit = || {
        Classifier::fit(
            &rows,
            &labels,
            3,
            &ClassifierOptions::default(),
            &Control::unbounded(),
        )
        .unwrap()
    };
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap()
        .install(fit);
    let four = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .unwrap()
        .install(fit);
    assert_eq!(one, four);
    let right = one
        .best(&rows)
        .iter()
        .zip(&labels)
        .filter(|(best, label)| best.0 == **label)
        .count();
    assert_eq!(right, 59);
    let p = one.probabilities(rows.row(0).0, rows.row(0).1);
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let (rows, labels) = three_classes();
    let (options, control) = (ClassifierOptions::default(), Control::unbounded());
    assert!(matches!(
        Classifier::fit(&rows, &labels, 1, &options, &control),
        Err(FitError::Invalid(_))
    ));
    assert!(matches!(
        Classifier::fit(&rows, &labels, 2, &options, &control),
        Err(FitError::Invalid(_))
    ));
    assert!(matches!(
        Classifier::fit(&rows, &labels[1..], 3, &options, &control),
        Err(FitError::Invalid(_))
    ));
}

/// Values of scikit-learn 1.9.1: `LogisticRegression(C=2, tol=1e-10).fit(X, y).predict_proba([[1, 0]])` on the five
/// rows below.
#[test]
fn it_agrees_with_scikit_learn() {
    let rows = Csr::from_rows(
        2,
        [
            vec![(0, 1.0)],
            vec![(0, 0.8), (1, 0.2)],
            vec![(1, 1.0)],
            vec![(0, 0.5), (1, 0.5)],
            vec![(1, 0.7)],
        ],
    );
    let options = ClassifierOptions {
        c: 2.0,
        max_iterations: 500,
        checkpoint: None,
    };
    let model = Classifier::fit(&rows, &[0, 0, 1, 2, 1], 3, &options, &Control::unbounded()).unwrap();
    let p = model.probabilities(&[0], &[1.0]);
    for (ours, theirs) in p.iter().zip(SKLEARN) {
        assert!((ours - theirs).abs() < 1e-3, "{p:?}");
    }
}
const SKLEARN: [f64; 3] = [0.694200464043456, 0.12527022737527657, 0.1805293085812674];
