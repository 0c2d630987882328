//! L-BFGS against known minima and certified values, and what it does when it is stopped, resumed or cannot save.

use super::super::testing::{
    Memory, Quadratic, Rosenbrock, cancel_after, interrupted_at, resumes_to_the_bit,
};
use super::super::{Ended, Objective, Stopped};
use super::*;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn finds_rosenbrocks_valley_floor() {
    let fitted = lbfgs(
        &Rosenbrock,
        vec![-1.2, 1.0],
        &Lbfgs {
            tolerance: 1e-10,
            ..Lbfgs::default()
        },
        &Control::unbounded(),
    )
    .unwrap();
    assert!(fitted.params.iter().all(|x| (x - 1.0).abs() < 1e-6), "{fitted:?}");
    assert!(fitted.iterations < 60, "{fitted:?}");
    assert!(fitted.evaluations < 100, "{fitted:?}");
}

#[test]
fn evaluates_each_point_once() {
    struct Counted(Cell<u64>);
    impl Objective for Counted {
        fn cost(&self, _: &[f64]) -> f64 {
            unreachable!("the gradient comes with the cost")
        }
    }
    impl Differentiable for Counted {
        fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            self.0.set(self.0.get() + 1);
            Rosenbrock.cost_and_gradient(x, gradient)
        }
    }
    let counted = Counted(Cell::new(0));
    let fitted = lbfgs(
        &counted,
        vec![-1.2, 1.0],
        &Lbfgs::default(),
        &Control::unbounded(),
    )
    .unwrap();
    assert_eq!(counted.0.get(), fitted.evaluations);
    assert!(fitted.evaluations <= 2 * fitted.iterations, "{fitted:?}");
}

#[test]
fn solves_a_badly_scaled_quadratic_of_a_thousand_parameters() {
    let objective = Quadratic {
        scales: (0..1000).map(|i| 1.0 + f64::from(i)).collect(),
    };
    let options = Lbfgs {
        tolerance: 1e-8,
        max_iterations: 1000,
        cost_tolerance: 0.0,
        ..Lbfgs::default()
    };
    let fitted = lbfgs(&objective, vec![0.0; 1000], &options, &Control::unbounded()).unwrap();
    for (i, x) in fitted.params.iter().enumerate() {
        assert!((x - (i as f64).sin()).abs() < 1e-6, "{i}: {x}");
    }
}

/// NIST StRD Misra1a, nonlinear least squares: y = b1 (1 - exp(-b2 x)), certified b1 = 2.3894212918E+02,
/// b2 = 5.5015643181E-04, residual sum of squares 1.2455138894E-01.
struct Misra1a;
const MISRA: [(f64, f64); 14] = [
    (10.07, 77.6),
    (14.73, 114.9),
    (17.94, 141.1),
    (23.93, 190.8),
    (29.61, 239.9),
    (35.18, 289.0),
    (40.02, 332.8),
    (44.82, 378.4),
    (50.76, 434.8),
    (55.05, 477.3),
    (61.01, 536.8),
    (66.40, 593.1),
    (75.47, 689.1),
    (81.78, 760.0),
];
impl Objective for Misra1a {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut [0.0; 2])
    }
}
impl Differentiable for Misra1a {
    // In units of 100 and 0.001, so that both parameters are of order one.
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (b1, b2) = (x[0] * 100.0, x[1] * 1e-3);
        let mut sum = 0.0;
        for (y, t) in MISRA {
            let decay = (-b2 * t).exp();
            let e = y - b1 * (1.0 - decay);
            sum += e * e;
            gradient[0] -= 2.0 * e * (1.0 - decay) * 100.0;
            gradient[1] -= 2.0 * e * b1 * t * decay * 1e-3;
        }
        sum
    }
}

#[test]
fn meets_the_certified_values_of_misra1a() {
    let options = Lbfgs {
        tolerance: 1e-9,
        cost_tolerance: 0.0,
        max_iterations: 500,
        ..Lbfgs::default()
    };
    for start in [vec![5.0, 0.1], vec![2.5, 0.5]] {
        let fitted = lbfgs(&Misra1a, start, &options, &Control::unbounded()).unwrap();
        assert!(
            (fitted.params[0] * 100.0 / 238.94212918 - 1.0).abs() < 1e-8,
            "{fitted:?}"
        );
        assert!(
            (fitted.params[1] * 1e-3 / 5.5015643181e-4 - 1.0).abs() < 1e-8,
            "{fitted:?}"
        );
        assert!((fitted.cost / 0.12455138894 - 1.0).abs() < 1e-9, "{fitted:?}");
    }
}

#[test]
fn the_noise_floor_is_an_end_not_an_error() {
    /// A parabola whose gradient lies near its floor, as rounding makes gradients lie.
    struct Noisy;
    impl Objective for Noisy {
        fn cost(&self, x: &[f64]) -> f64 {
            (x[0] - 1.0) * (x[0] - 1.0)
        }
    }
    impl Differentiable for Noisy {
        fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            let slope = 2.0 * (x[0] - 1.0);
            gradient[0] = if slope.abs() < 1e-3 {
                -1e-3 * slope.signum()
            } else {
                slope
            };
            self.cost(x)
        }
    }
    let options = Lbfgs {
        tolerance: 0.0,
        cost_tolerance: 0.0,
        max_iterations: 500,
        ..Lbfgs::default()
    };
    let fitted = lbfgs(&Noisy, vec![4.0], &options, &Control::unbounded()).unwrap();
    assert_eq!(fitted.ended, Ended::LineSearch, "{fitted:?}");
    assert!((fitted.params[0] - 1.0).abs() < 1e-2, "{fitted:?}");
}

#[test]
fn comes_back_from_outside_the_domain_and_says_when_there_is_none() {
    /// x - ln x, least at one; no number where x is not positive.
    struct Log;
    impl Objective for Log {
        fn cost(&self, x: &[f64]) -> f64 {
            x[0] - x[0].ln()
        }
    }
    impl Differentiable for Log {
        fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient[0] = 1.0 - 1.0 / x[0];
            self.cost(x)
        }
    }
    let fitted = lbfgs(&Log, vec![1.8], &Lbfgs::default(), &Control::unbounded()).unwrap();
    assert!((fitted.params[0] - 1.0).abs() < 1e-5, "{fitted:?}");
    let lost = lbfgs(&Log, vec![-1.0], &Lbfgs::default(), &Control::unbounded());
    assert!(matches!(lost, Err(FitError::NoFiniteCost { .. })), "{lost:?}");
}

#[test]
fn refuses_an_empty_start_and_stops_at_its_step_limit() {
    let empty = lbfgs(&Rosenbrock, vec![], &Lbfgs::default(), &Control::unbounded());
    assert!(matches!(empty, Err(FitError::Invalid(_))));
    let options = Lbfgs {
        max_iterations: 3,
        ..Lbfgs::default()
    };
    let fitted = lbfgs(&Rosenbrock, vec![-1.2, 1.0], &options, &Control::unbounded()).unwrap();
    assert_eq!((fitted.ended, fitted.iterations), (Ended::StepLimit, 3));
}

#[test]
fn another_thread_cancels_it_and_a_deadline_ends_it() {
    let slow = cancel_after(Rosenbrock, 7);
    let cancelled = lbfgs(&slow, vec![-1.2, 1.0], &Lbfgs::default(), &slow.control);
    assert!(
        matches!(cancelled, Err(FitError::Stopped(Stopped::Cancelled))),
        "{cancelled:?}"
    );
    assert_eq!(slow.evaluations(), 7);
    let past = Control::unbounded().with_deadline(Instant::now() - Duration::from_secs(1));
    let late = lbfgs(&Rosenbrock, vec![-1.2, 1.0], &Lbfgs::default(), &past);
    assert!(
        matches!(late, Err(FitError::Stopped(Stopped::Deadline))),
        "{late:?}"
    );
}

#[test]
fn a_resumed_fit_ends_at_the_same_bits() {
    let fit = |objective: &dyn Fn(&[f64], &mut [f64]) -> f64, options: &Lbfgs, control: &Control| {
        struct By<'a>(&'a dyn Fn(&[f64], &mut [f64]) -> f64);
        impl Objective for By<'_> {
            fn cost(&self, x: &[f64]) -> f64 {
                (self.0)(x, &mut vec![0.0; x.len()])
            }
        }
        impl Differentiable for By<'_> {
            fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
                (self.0)(x, gradient)
            }
        }
        lbfgs(&By(objective), vec![-1.2, 1.0], options, control)
    };
    resumes_to_the_bit(|checkpoint, objective, max_iterations, control| {
        let options = Lbfgs {
            checkpoint,
            max_iterations,
            tolerance: 1e-12,
            ..Lbfgs::default()
        };
        fit(objective, &options, control)
    });
}

#[test]
fn a_stale_or_broken_checkpoint_is_as_good_as_none() {
    let store = Arc::new(Memory::default());
    let options = |fingerprint| Lbfgs {
        checkpoint: Some(Checkpoint {
            name: "a".into(),
            fingerprint,
            every: 1,
        }),
        ..Lbfgs::default()
    };
    let stop = interrupted_at(Rosenbrock, 20, store.clone());
    assert!(lbfgs(&stop, vec![-1.2, 1.0], &options(1), &stop.control).is_err());
    assert!(store.len("a") > 0);
    // A store that hands out whatever it has: the fingerprint inside the blob still protects us.
    store.forget_fingerprints();
    let control = Control::unbounded().with_checkpoints(store.clone());
    let fresh = lbfgs(&Rosenbrock, vec![-1.2, 1.0], &options(2), &control).unwrap();
    let plain = lbfgs(
        &Rosenbrock,
        vec![-1.2, 1.0],
        &Lbfgs::default(),
        &Control::unbounded(),
    )
    .unwrap();
    assert_eq!(fresh, plain);
    assert_eq!(store.len("a"), 0, "a finished fit forgets its checkpoint");
    store.put("a", 3, vec![255; 40]);
    assert_eq!(
        lbfgs(&Rosenbrock, vec![-1.2, 1.0], &options(3), &control).unwrap(),
        plain
    );
}

#[test]
fn a_failing_store_is_named() {
    let store = Arc::new(Memory::default());
    store.break_it();
    let options = Lbfgs {
        checkpoint: Some(Checkpoint {
            name: "weights".into(),
            fingerprint: 1,
            every: 1,
        }),
        ..Lbfgs::default()
    };
    let control = Control::unbounded().with_checkpoints(store);
    let error = lbfgs(&Rosenbrock, vec![-1.2, 1.0], &options, &control).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint 'weights': the disk is full");
}

#[test]
fn a_state_over_the_limit_is_not_saved() {
    // Six vectors of 12 MB after one iteration: 72 MB.
    let n = 1_500_000;
    let store = Arc::new(Memory::default());
    let stop = interrupted_at(
        Quadratic {
            scales: (0..n).map(|i| (i % 7 + 1) as f64).collect(),
        },
        15,
        store.clone(),
    );
    let options = Lbfgs {
        checkpoint: Some(Checkpoint {
            name: "large".into(),
            fingerprint: 1,
            every: 1,
        }),
        ..Lbfgs::default()
    };
    assert!(lbfgs(&stop, vec![0.0; n], &options, &stop.control).is_err());
    assert_eq!(store.len("large"), 0);
}
