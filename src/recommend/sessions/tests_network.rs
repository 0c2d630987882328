//! The network on sessions whose next product is known.

use super::blend::{Fitted, NETWORK};
use super::deep::{Deep, Kind, Purpose};
use super::judge::{Published, choose, only};
use super::network::{Network, Options};
use super::past::Past;
use super::*;
use crate::fit::{Checkpoints, Control, FitError, Progress, Stopped};
use crate::neural::random::Init;
use crate::neural::{Layout, file};
use crate::recommend::cnn::{Reading, TextOptions};
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
    Sessions::new(14, (0..count).map(|_| path(&mut random)).collect())
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

fn deep(texts: Option<&[Reading]>) -> Deep<'_> {
    let of_texts = TextOptions {
        filters: 16,
        epochs: 400,
        patience: 100,
        rate: 1e-2,
        drop: 0.0,
        ..TextOptions::default()
    };
    Deep {
        rnn: options(),
        texts: texts.map(|texts| (texts, of_texts)),
        past: None,
    }
}

#[test]
fn it_is_blended_and_judged_beside_the_others() {
    let (all, words) = (crossing(1200), Neighbours::from_rows(1, vec![Vec::new(); 14]));
    let control = Control::unbounded();
    let verdict = choose(&all, &words, None, Some(&deep(None)), 1, &control).unwrap();
    let named = |name: &str| verdict.candidates.iter().find(|c| c.name == name);
    let of = |name: &str| named(name).unwrap().reciprocal_rank.value;
    assert!(of("rnn") > of("sequential_rules") + 0.03, "{verdict:?}");
    assert!(of("session_blend+rnn") > 0.9, "{verdict:?}");
    // The context model counts the crossings as well, so the network is not needed, and not published.
    assert!(
        verdict.deeper.is_none() && Kind::of_model(verdict.winner).is_none(),
        "{}",
        verdict.why
    );
    assert_eq!(verdict.weights[NETWORK], 0.0);
    assert!(verdict.tuned.unwrap()[NETWORK] > 0.0 && verdict.learned.unwrap() > 0);
    let without = choose(&all, &words, None, None, 1, &control).unwrap();
    assert!(without.learned.is_err() && without.candidates.iter().all(|c| !c.name.contains("rnn")));
    assert_eq!(without.tuned.unwrap()[NETWORK], 0.0);
    // The counting models are tuned and judged alike with and without it.
    assert_eq!((without.model, without.weights), (verdict.model, verdict.weights));
    let network = learn(&all, &options(), &control).unwrap();
    let fitted = Fitted::fit(&all, &words, Some(&network));
    assert_eq!(fitted.next(&[9, 10, 4], &only(NETWORK), 1)[0].0, 11);
    // Too few sessions: the counting models stay among themselves.
    let few = choose(&crossing(200), &words, None, Some(&deep(None)), 1, &control).unwrap();
    assert!(few.learned.unwrap_err().contains("500 are needed") && !few.candidates.is_empty());
}

/// Three colours of ten things; who looks at a thing looks at the next thing in the same colour. What comes after depends on the colour
/// four steps before, which no counting model sees: in the middle all pass by the same three products.
fn corridor(count: usize) -> Sessions {
    let mut random = fastrand::Rng::with_seed(11);
    let path = |random: &mut fastrand::Rng| {
        let colour = random.u32(0..9);
        let middle = [
            27 + random.u32(0..9),
            36 + random.u32(0..9),
            45 + random.u32(0..9),
            54 + random.u32(0..9),
        ];
        let mut path = vec![colour];
        path.extend(middle);
        path.push(9 + colour);
        path.push(18 + colour);
        path
    };
    Sessions::new(63, (0..count).map(|_| path(&mut random)).collect())
}

#[test]
fn it_is_published_where_it_is_surely_better_and_the_next_night_goes_on_from_it() {
    let (all, words) = (corridor(3000), Neighbours::from_rows(1, vec![Vec::new(); 63]));
    let control = Control::unbounded();
    let mut deep = deep(None);
    deep.rnn.rate = 1e-2;
    deep.rnn.width = 24;
    let verdict = choose(&all, &words, None, Some(&deep), 1, &control).unwrap();
    assert!(Kind::of_model(verdict.winner).is_some(), "{}", verdict.why);
    let deeper = verdict.deeper.clone().unwrap();
    assert_eq!((deeper.kind, deeper.until), (Kind::Sessions, 2400));
    let learned = verdict.learned.clone().unwrap();
    let published = |rest| Published::new(verdict.model, verdict.weights, verdict.tuned.unwrap(), rest);
    // The next night rests on it and goes on from it: it learns one network instead of two.
    let keys: Vec<i64> = (100..163).collect();
    let bytes = Past::to_bytes(&deeper.past, &keys, deeper.until).unwrap();
    let past = Past::from_bytes(&bytes).unwrap();
    deep.past = past.start(&keys, 24, 1).map(|params| (past.until, params));
    let next = choose(&all, &words, published(true), Some(&deep), 1, &control).unwrap();
    assert_eq!(next.model, verdict.model);
    assert!(next.learned.unwrap() < learned, "{learned}");
    let names: Vec<&str> = next.candidates.iter().map(|candidate| candidate.name).collect();
    assert_eq!(names, ["popularity", verdict.model]);
    // A past that knows sessions of the judged ones is no start.
    assert!(deep.start(2400).is_some() && deep.start(2399).is_none());
    // A blend with a network over texts cannot be rested on where no text may be learned from, nor where texts have no words.
    let with_texts = |published: Published| Published {
        model: Kind::Texts.blend(),
        ..published
    };
    let silent = vec![Reading::default(); 63];
    for texts in [None, Some((silent.as_slice(), TextOptions::default()))] {
        let deep = Deep {
            texts,
            ..deep.clone()
        };
        assert!(!deep.can(Kind::Texts, &all));
        let afresh = choose(
            &all,
            &words,
            published(true).map(with_texts),
            Some(&deep),
            1,
            &control,
        )
        .unwrap();
        assert!(afresh.candidates.len() > 5, "{:?}", afresh.candidates);
        assert!(
            Kind::of_model(afresh.model) != Some(Kind::Texts),
            "{}",
            afresh.why
        );
    }
    // A night that may learn none cannot rest on it, and publishes what counts.
    let without = choose(&all, &words, published(true), None, 1, &control).unwrap();
    assert!(without.candidates.len() > 5 && Kind::of_model(without.model).is_none());
    assert!(
        without.deeper.is_none() && without.weights[NETWORK] == 0.0,
        "{}",
        without.why
    );
}

#[test]
fn what_nobody_met_has_a_place_by_its_text() {
    // Twelve rows of five steps; whoever stands in a row stays in it. Of the last four rows nobody has met the third product.
    let name = |row: u32| {
        [
            "oak", "steel", "linen", "glass", "wool", "paper", "stone", "silk", "cork", "zinc", "jade",
            "felt",
        ][row as usize]
    };
    let texts: Vec<Reading> = (0..60)
        .map(|p| Reading::of(&format!("{} item", name(p / 5))))
        .collect();
    let unmet = [42, 47, 52, 57];
    let mut random = fastrand::Rng::with_seed(2);
    let path = |random: &mut fastrand::Rng| {
        let (row, from) = (random.u32(0..12), random.u32(0..5));
        let path = (0..4).map(|step| 5 * row + (from + step) % 5);
        path.filter(|product| !unmet.contains(product)).collect()
    };
    let all = Sessions::new(60, (0..2000).map(|_| path(&mut random)).collect());
    let mut deep = deep(Some(&texts));
    deep.rnn.rate = 1e-2;
    let networks = deep
        .learn(&all, None, true, Purpose::Tonight, &Control::unbounded())
        .unwrap();
    // Where they stand among sixty after the two before them, added up; by chance at 30 each.
    let places = |network: &Network| -> usize {
        let place = |&product: &u32| {
            let chances = network.after(&[product - 2, product - 1]);
            let mine = chances[product as usize];
            chances.iter().filter(|&&chance| chance > mine).count()
        };
        unmet.iter().map(place).sum()
    };
    let (with, without) = (places(networks.get(Kind::Texts).unwrap()), places(&networks.rnn));
    assert!(with < without && with < 100, "{with} {without}");
    // Without words there is nothing to lean on.
    let silent = vec![Reading::default(); 60];
    let deep = Deep {
        texts: Some((&silent, TextOptions::default())),
        ..deep
    };
    let networks = deep
        .learn(&all, None, true, Purpose::Tonight, &Control::unbounded())
        .unwrap();
    assert!(networks.get(Kind::Texts).is_none());
}

#[test]
fn a_past_network_is_read_by_key_and_not_trusted() {
    let all = crossing(700);
    let network = learn(&all, &options(), &Control::unbounded()).unwrap();
    let keys: Vec<i64> = (0..14).map(|key| 10 * key).collect();
    let bytes = Past::to_bytes(&network, &keys, 5).unwrap();
    let past = Past::from_bytes(&bytes).unwrap();
    assert_eq!(past.start(&keys, 16, 1).unwrap(), network.params());
    assert!(past.start(&keys, 17, 1).is_none());
    // Turned about, with a newcomer: the same answers by key.
    let mut turned: Vec<i64> = keys.iter().rev().copied().collect();
    turned.push(7);
    let short = Options {
        rate: 1e-12,
        epochs: 1,
        ..options()
    };
    let of_turned = |path: &Vec<u32>| path.iter().map(|&p| 13 - p).collect();
    let sessions = Sessions::new(15, all.all.iter().map(of_turned).collect());
    let start = past.start(&turned, 16, 1);
    let again = Network::learn(&sessions, &short, start, &Control::unbounded()).unwrap();
    let (one, other) = (network.after(&[2, 3, 4]), again.after(&[11, 10, 9]));
    for (product, chance) in one.iter().enumerate() {
        assert!((chance - other[13 - product]).abs() < 0.01, "{one:?} {other:?}");
    }
    assert!(other[14] < 0.02, "who is new is not likely: {other:?}");
    // Shapes that promise more than there is: an error before anything is reserved for them.
    for (products, width) in [(0, 1 << 20), (0, 1 << 40), (1, 4097), (14, 16)] {
        let mut layout = Layout::new();
        layout.add("items", &[products, width], Init::Zero);
        let network = file::write(&layout, &vec![0.0; layout.len()], &BTreeMap::new());
        assert!(
            Network::from_bytes(&network, products).is_err(),
            "{products} {width}"
        );
    }
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..500 {
        let mut spoilt = bytes.clone();
        let at = random.usize(..spoilt.len().min(200));
        spoilt[at] = random.u8(..);
        spoilt.truncate(random.usize(..=spoilt.len()));
        if let Ok(past) = Past::from_bytes(&spoilt) {
            past.start(&keys, 16, 1);
        }
    }
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
    // A shop that knows the day alone has sessions enough, too.
    let of_a_day = Sessions {
        began: vec![86_400; 700],
        ..all.clone()
    };
    assert!(learn(&of_a_day, &short, &control).unwrap().steps > 0);
    invalid(learn(&Sessions::new(3, Vec::new()), &options(), &control));
}
