//! Adam on a bowl of known bottom: what it finds, when it ends, and that an interrupted fit ends at the same bits.

use super::super::testing::Memory;
use super::super::{Checkpoints, Fall, Stopped};
use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A bowl seen in noisy batches: parameters 0..4 dense, then a table of 5 rows of 3 of which a batch touches two. Least where
/// parameter i is sin(i).
#[derive(Default)]
struct Bowl {
    batches: u64,
    /// Cancels in this batch, counted over all epochs.
    stop: Option<(u64, Arc<AtomicBool>)>,
    seen: u64,
    /// What validation answers instead of the truth.
    validation: Option<Vec<f64>>,
    validated: usize,
    broken_batch: Option<u64>,
}

const TABLE: Table = Table {
    start: 4,
    rows: 5,
    width: 3,
};

fn bowl(batches: u64) -> Bowl {
    Bowl {
        batches,
        ..Bowl::default()
    }
}

fn error(params: &[f32], i: usize) -> f32 {
    params[i] - (i as f32).sin()
}

impl Stochastic for Bowl {
    fn batches(&self) -> u64 {
        self.batches
    }

    fn batch(&mut self, params: &[f32], epoch: u64, batch: u64, gradient: &mut Gradient) -> f64 {
        assert!(
            gradient.as_slice().iter().all(|g| *g == 0.0),
            "the gradient begins at zero"
        );
        if let Some((at, flag)) = &self.stop
            && self.seen == *at
        {
            flag.store(true, Ordering::Relaxed);
        }
        self.seen += 1;
        let noise = ((epoch * 31 + batch * 17) % 7) as f32 * 0.01 - 0.03;
        let mut sum = 0.0;
        for i in 0..4 {
            sum += error(params, i).powi(2);
            gradient.values()[i] = 2.0 * error(params, i) + noise;
        }
        for row in [(epoch + batch) % 4, (2 * epoch + batch) % 4] {
            let row = row as usize; // row 4 is never touched
            for j in 0..3 {
                let i = TABLE.start + row * 3 + j;
                sum += error(params, i).powi(2);
                gradient.row(TABLE.start, 3, row)[j] += 2.0 * error(params, i) + noise;
            }
        }
        if self.broken_batch == Some(batch) {
            gradient.values()[2] = f32::NAN;
        }
        f64::from(sum)
    }

    fn validate(&mut self, params: &[f32]) -> f64 {
        self.validated += 1;
        match &self.validation {
            Some(values) => values[(self.validated - 1).min(values.len() - 1)],
            None => (0..16).map(|i| f64::from(error(params, i).powi(2))).sum(),
        }
    }
}

fn options() -> Adam {
    Adam {
        rate: 0.05,
        schedule: Schedule {
            warm_up: 5,
            fall: Fall::Cosine(0.05),
        },
        clip: Some(1.5),
        decay: 1e-4,
        max_epochs: 40,
        tables: vec![TABLE],
        ..Adam::default()
    }
}

fn bits(learned: &Learned) -> Vec<u32> {
    learned.params.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn finds_the_bottom_and_leaves_untouched_rows_alone() {
    let learned = adam(&mut bowl(7), vec![0.5; 19], &options(), &Control::unbounded()).unwrap();
    assert!(learned.loss < 1e-3, "{learned:?}");
    assert_eq!(
        (learned.steps, learned.epochs.len(), learned.ended),
        (280, 40, Ended::StepLimit)
    );
    assert_eq!(learned.params[16..], [0.5; 3]);
    assert!(learned.start > 4.0 && learned.epochs[39].training < learned.epochs[0].training);
}

/// Three steps by the formula, in double precision.
#[test]
fn steps_are_adams() {
    struct Given(f64);
    impl Stochastic for Given {
        fn batches(&self) -> u64 {
            3
        }
        fn batch(&mut self, _: &[f32], _: u64, batch: u64, gradient: &mut Gradient) -> f64 {
            let all = [[0.5, -1.0], [0.1, 3.0], [-2.0, 0.25]];
            gradient.values().copy_from_slice(&all[batch as usize]);
            0.0
        }
        /// Better every time: what was learned last is the result.
        fn validate(&mut self, _: &[f32]) -> f64 {
            self.0 -= 1.0;
            self.0
        }
    }
    let options = Adam {
        rate: 0.1,
        max_epochs: 1,
        ..Adam::default()
    };
    let mut reference = [1.0_f64, -2.0];
    let (mut m, mut v) = ([0.0_f64; 2], [0.0_f64; 2]);
    for (t, g) in [[0.5, -1.0], [0.1, 3.0], [-2.0, 0.25]].iter().enumerate() {
        for i in 0..2 {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            let t = t as i32 + 1;
            let mean = m[i] / (1.0 - 0.9_f64.powi(t));
            reference[i] -= 0.1 * mean / ((v[i] / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
        }
    }
    let learned = adam(&mut Given(0.0), vec![1.0, -2.0], &options, &Control::unbounded()).unwrap();
    for (got, wanted) in learned.params.iter().zip(reference) {
        assert!((f64::from(*got) - wanted).abs() < 1e-6, "{got} {wanted}");
    }
}

#[test]
fn the_best_is_the_result_and_patience_ends() {
    let mut network = Bowl {
        validation: Some(vec![5.0, 4.0, 3.0, 3.0, 3.5, f64::NAN, 9.0]),
        ..bowl(2)
    };
    let options = Adam {
        patience: Some(3),
        ..options()
    };
    let learned = adam(&mut network, vec![0.0; 19], &options, &Control::unbounded()).unwrap();
    assert_eq!((learned.loss, learned.start), (3.0, 5.0));
    assert_eq!((learned.epochs.len(), learned.ended), (5, Ended::Converged));
    let two = Adam {
        max_epochs: 2,
        patience: None,
        ..options.clone()
    };
    // The schedule sees the limits: only the fall by steps is the same under another limit.
    let schedule = Schedule {
        warm_up: 0,
        fall: Fall::Steps {
            every: 1,
            factor: 0.5,
        },
    };
    let best = |options: Adam| {
        let mut network = Bowl {
            validation: Some(vec![5.0, 4.0, 3.0, 3.5]),
            ..bowl(2)
        };
        adam(
            &mut network,
            vec![0.0; 19],
            &Adam { schedule, ..options },
            &Control::unbounded(),
        )
        .unwrap()
    };
    assert_eq!(bits(&best(two)), bits(&best(options)));
}

#[test]
fn a_start_that_nothing_beats_is_kept() {
    let mut network = Bowl {
        validation: Some(vec![1.0, 2.0]),
        ..bowl(2)
    };
    let start = vec![0.25; 19];
    let learned = adam(&mut network, start.clone(), &options(), &Control::unbounded()).unwrap();
    assert_eq!((learned.params, learned.loss), (start, 1.0));
}

#[test]
fn steps_are_limited_within_an_epoch() {
    let limited = Adam {
        max_steps: Some(17),
        ..options()
    };
    let learned = adam(&mut bowl(7), vec![0.5; 19], &limited, &Control::unbounded()).unwrap();
    assert_eq!(
        (learned.steps, learned.epochs.len(), learned.ended),
        (17, 3, Ended::StepLimit)
    );
}

#[test]
fn a_batch_that_is_no_number_is_passed_over() {
    for clip in [options().clip, None] {
        let mut network = Bowl {
            broken_batch: Some(3),
            ..bowl(7)
        };
        let options = Adam { clip, ..options() };
        let learned = adam(&mut network, vec![0.5; 19], &options, &Control::unbounded()).unwrap();
        assert!(learned.loss < 1e-2, "{learned:?}");
    }
    let mut network = Bowl {
        validation: Some(vec![f64::NAN]),
        ..bowl(7)
    };
    let nowhere = adam(&mut network, vec![0.5; 19], &options(), &Control::unbounded());
    assert!(
        matches!(nowhere, Err(FitError::NoFiniteCost { .. })),
        "{nowhere:?}"
    );
}

#[test]
fn a_resumed_fit_ends_at_the_same_bits() {
    let whole = adam(&mut bowl(7), vec![0.5; 19], &options(), &Control::unbounded()).unwrap();
    let mut resumed = 0;
    for every in [1, 3] {
        for at in (0..280).step_by(9) {
            let options = Adam {
                checkpoint: Some(Checkpoint {
                    name: "net".into(),
                    fingerprint: 7,
                    every,
                }),
                ..options()
            };
            let store = Arc::new(Memory::default());
            let flag = Arc::new(AtomicBool::new(false));
            let control = Control::unbounded().with_checkpoints(store.clone());
            let mut first = Bowl {
                stop: Some((at, flag.clone())),
                ..bowl(7)
            };
            let stopped = adam(
                &mut first,
                vec![0.5; 19],
                &options,
                &control.clone().with_cancel(flag),
            );
            if at < 279 {
                assert!(
                    matches!(stopped, Err(FitError::Stopped(Stopped::Cancelled))),
                    "{stopped:?}"
                );
            }
            let saved = store.len("net") > 0;
            let mut second = bowl(7);
            let learned = adam(&mut second, vec![0.5; 19], &options, &control).unwrap();
            assert_eq!(
                bits(&learned),
                bits(&whole),
                "stopped at {at}, saved every {every}"
            );
            assert_eq!(learned, whole);
            if saved {
                resumed += 1;
                assert!(second.seen < 280, "it started afresh");
            }
            assert_eq!(store.len("net"), 0, "the checkpoint is cleared at the end");
        }
    }
    assert!(resumed > 30, "hardly ever resumed: the trial shows nothing");
}

#[test]
fn a_damaged_checkpoint_is_as_good_as_none() {
    let options = Adam {
        checkpoint: Some(Checkpoint {
            name: "net".into(),
            fingerprint: 7,
            every: 1,
        }),
        max_epochs: 3,
        ..options()
    };
    let whole = adam(&mut bowl(7), vec![0.5; 19], &options, &Control::unbounded()).unwrap();
    let store = Arc::new(Memory::default());
    let control = Control::unbounded().with_checkpoints(store.clone());
    let flag = Arc::new(AtomicBool::new(false));
    let mut first = Bowl {
        stop: Some((16, flag.clone())),
        ..bowl(7)
    };
    let stopped = adam(
        &mut first,
        vec![0.5; 19],
        &options,
        &control.clone().with_cancel(flag),
    );
    assert!(matches!(stopped, Err(FitError::Stopped(_))), "{stopped:?}");
    let saved = Checkpoints::load(&*store, "net", 7).unwrap().unwrap();
    let resumed = |bytes: Vec<u8>| {
        store.put("net", 7, bytes);
        let mut network = bowl(7);
        let learned = adam(&mut network, vec![0.5; 19], &options, &control).unwrap();
        assert_eq!(learned, whole);
        network.seen
    };
    assert_eq!(resumed(saved.clone()), 7, "the third epoch is left to do");
    for at in (0..saved.len()).step_by(3) {
        let mut damaged = saved.clone();
        damaged[at] ^= 1 << (at % 8);
        assert_eq!(resumed(damaged), 21, "byte {at}: all of it");
    }
    for length in [0, 5, 16, saved.len() - 1] {
        assert_eq!(resumed(saved[..length].to_vec()), 21, "{length} bytes");
    }
}

#[test]
fn refuses_what_makes_no_fit() {
    let invalid = |options: Adam, start: usize, batches: u64| {
        let refused = adam(
            &mut bowl(batches),
            vec![0.5; start],
            &options,
            &Control::unbounded(),
        );
        assert!(matches!(refused, Err(FitError::Invalid(_))), "{refused:?}");
    };
    invalid(options(), 0, 3);
    invalid(options(), 18, 3);
    invalid(options(), 19, 0);
    invalid(
        Adam {
            rate: f64::NAN,
            ..options()
        },
        19,
        3,
    );
    invalid(
        Adam {
            beta2: 1.0,
            ..options()
        },
        19,
        3,
    );
    invalid(
        Adam {
            epsilon: 0.0,
            ..options()
        },
        19,
        3,
    );
    invalid(
        Adam {
            clip: Some(0.0),
            ..options()
        },
        19,
        3,
    );
    invalid(
        Adam {
            decay: -1.0,
            ..options()
        },
        19,
        3,
    );
}
