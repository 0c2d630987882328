//! The network on sessions whose next product is known.

use super::blend::{Fitted, NETWORK};
use super::judge::{choose, only};
use super::network::{Network, Options};
use super::*;
use crate::fit::{Checkpoints, Control, FitError, Progress, Stopped};
use crate::recommend::neighbours::Neighbours;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Two rounds of eight products each, walked from any start: which one follows depends on more than the last product, because the
/// rounds cross in 0 and 4.
fn crossing(count: usize) -> Sessions {
    let rounds: [[u32; 8]; 2] = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 8, 9, 10, 4, 11, 12, 13]];
    let mut random = fastrand::Rng::with_seed(3);
    let path = |random: &mut fastrand::Rng| {
        let (round, start) = (random.usize(0..2), random.usize(0..8));
        (0..5).map(|step| rounds[round][(start + step) % 8]).collect()
    };
    Sessions {
        products: 14,
        all: (0..count).map(|_| path(&mut random)).collect(),
    }
}

fn options() -> Options {
    Options {
        width: 16,
        negatives: 12,
        epochs: 12,
        rate: 2e-2,
        drop: 0.0,
        ..Options::default()
    }
}

fn learn(sessions: &Sessions, options: &Options, control: &Control) -> Result<Network, FitError> {
    Network::learn(sessions, options, None, control)
}

#[test]
fn it_remembers_more_than_the_last_product() {
    let network = learn(&crossing(1200), &options(), &Control::unbounded()).unwrap();
    assert!(network.loss.1 < 0.5 * network.loss.0, "{:?}", network.loss);
    for (path, next) in [([2, 3, 4], 5), ([9, 10, 4], 11), ([6, 7, 0], 1), ([12, 13, 0], 8)] {
        let chances = network.after(&path);
        assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(chances[next] > 0.8, "{path:?}: {chances:?}");
    }
    assert_eq!(network.after(&[]).len(), 14);
    let long: Vec<u32> = (0..500).map(|i| i % 14).collect();
    assert!(network.after(&long).iter().all(|p| p.is_finite()));
}

#[test]
fn it_is_blended_and_judged_beside_the_others() {
    let (all, words) = (crossing(1200), Neighbours::from_rows(1, vec![Vec::new(); 14]));
    let control = Control::unbounded();
    let verdict = choose(&all, &words, None, Some(&options()), 1, &control).unwrap();
    let named = |name: &str| verdict.candidates.iter().find(|c| c.name == name);
    let of = |name: &str| named(name).unwrap().reciprocal_rank.value;
    assert!(of("rnn") > of("sequential_rules") + 0.03, "{verdict:?}");
    assert!(of("session_blend") > 0.9, "{verdict:?}");
    let without = choose(&all, &words, None, None, 1, &control).unwrap();
    assert!(without.network.is_none() && without.candidates.iter().all(|c| c.name != "rnn"));
    assert_eq!(without.tuned.unwrap()[NETWORK], 0.0);
    let fitted = Fitted::fit(&all, &words, verdict.network.as_ref());
    assert_eq!(fitted.next(&[9, 10, 4], &only(NETWORK), 1)[0].0, 11);
    // Too few sessions: the counting models stay among themselves.
    let few = choose(&crossing(200), &words, None, Some(&options()), 1, &control).unwrap();
    assert!(few.network.is_none() && !few.candidates.is_empty());
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, (u128, Vec<u8>)>>);

impl Checkpoints for Memory {
    fn load(&self, name: &str, fingerprint: u128) -> Result<Option<Vec<u8>>, String> {
        let all = self.0.lock().unwrap();
        Ok(all
            .get(name)
            .filter(|(own, _)| *own == fingerprint)
            .map(|(_, state)| state.clone()))
    }

    fn save(&self, name: &str, fingerprint: u128, state: &[u8]) -> Result<(), String> {
        self.0
            .lock()
            .unwrap()
            .insert(name.into(), (fingerprint, state.into()));
        Ok(())
    }

    fn clear(&self, name: &str) -> Result<(), String> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

/// Cancels after some epochs.
struct After(u64, Arc<AtomicBool>);

impl Progress for After {
    fn step(&self, _: &str, done: u64, _: u64) {
        if done == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn interrupted_it_is_learned_to_the_same_bits() {
    let all = crossing(700);
    let options = Options {
        drop: 0.2,
        epochs: 5,
        checkpoint: Some("sessions".into()),
        ..options()
    };
    let whole = learn(&all, &options, &Control::unbounded()).unwrap();
    let store = Arc::new(Memory::default());
    let control = Control::unbounded().with_checkpoints(store.clone());
    let stop = || {
        let flag = Arc::new(AtomicBool::new(false));
        let stopping = control.clone().with_cancel(flag.clone());
        let stopped = learn(&all, &options, &stopping.with_progress(Arc::new(After(3, flag))));
        assert!(
            matches!(stopped, Err(FitError::Stopped(Stopped::Cancelled))),
            "{stopped:?}"
        );
        assert_eq!(store.0.lock().unwrap().len(), 1, "a checkpoint is kept");
    };
    stop();
    // Of other sessions nothing is taken over.
    let other = learn(&crossing(698), &options, &control).unwrap();
    assert!(other.params() != whole.params());
    stop();
    assert!(
        learn(&all, &options, &control).unwrap() == whole,
        "the resumed network is another"
    );
}

#[test]
fn it_goes_on_from_another_night_and_refuses_what_makes_no_network() {
    let all = crossing(700);
    let control = Control::unbounded();
    let first = learn(&all, &options(), &control).unwrap();
    let short = Options {
        epochs: 1,
        ..options()
    };
    let start = Some(first.params().to_vec());
    let second = Network::learn(&all, &short, start, &control).unwrap();
    assert_eq!(second.loss.0, first.loss.1);
    assert!(
        second.loss.1 <= second.loss.0,
        "a start is replaced by a better network only"
    );
    let invalid =
        |made: Result<Network, FitError>| assert!(matches!(made, Err(FitError::Invalid(_))), "{made:?}");
    invalid(Network::learn(&all, &options(), Some(vec![0.0; 3]), &control));
    invalid(learn(&crossing(5), &options(), &control));
    let nothing = Sessions {
        products: 3,
        all: Vec::new(),
    };
    invalid(learn(&nothing, &options(), &control));
}
