//! Tests of the voice over histories: what it hears, what it adds, and when it is heard.

use super::super::choose::Ground;
use super::super::fitted::Limits;
use super::super::log::{Interaction, Kind, Log, Strengths};
use super::super::neighbours::Neighbours;
use super::super::purpose::Purpose;
use super::super::trial::{From, Trial};
use super::*;
use crate::text::Csr;

const DAY: i64 = 86_400;
const DOORS: u32 = 6;

/// Each of 700 customers buys at two doors within a minute, and ten days later at the till of the second door: the set says two tills,
/// the path one. Products 0 to 5 are doors, 6 to 11 their tills.
fn log() -> Log {
    let mut dice = fastrand::Rng::with_seed(3);
    let mut events = Vec::new();
    for user in 0..700u32 {
        let (first, second) = (dice.u32(0..DOORS), dice.u32(1..DOORS));
        let second = (first + second) % DOORS;
        let came = i64::from(user) * DAY / 7;
        for (step, product) in [first, second, second + DOORS].into_iter().enumerate() {
            events.push(Interaction {
                user: Some(user),
                product,
                kind: Kind::Purchase,
                quantity: 1.0,
                rating: 0.0,
                at: came + [0, 60, 10 * DAY][step],
                basket: user * 2 + u32::from(step == 2),
                line: user * 3 + step as u32,
            });
        }
    }
    Log::new(700, 2 * DOORS as usize, events)
}

fn learning(published: bool) -> Learning {
    Learning {
        options: Options {
            width: 16,
            negatives: 12,
            epochs: 40,
            steps: 400,
            rate: 1e-2,
            drop: 0.0,
            ..Options::default()
        },
        past: None,
        published,
    }
}

fn trial(log: &Log, from: From, learning: Option<&Learning>) -> Trial {
    let words = Neighbours::from_rows(1, vec![Vec::new(); log.products]);
    let vectors = Csr::from_rows(1, vec![Vec::new(); log.products]);
    let ground = Ground {
        log,
        vectors: &vectors,
        words: &words,
        purpose: Purpose::NextWeeks,
        limits: Limits::full(100),
        seed: 1,
    };
    Trial::fit(
        &ground,
        &Strengths::default(),
        from,
        learning,
        &Control::unbounded(),
    )
    .unwrap()
}

#[test]
fn what_the_order_says_is_heard_beside_what_counts() {
    let (log, learning) = (log(), learning(false));
    let trial = trial(&log, From::Nothing, Some(&learning));
    let settings = trial.tuned.settings;
    assert!(settings.network > 0.0, "{}", trial.learned.why);
    assert!(trial.learned.steps > 0 && trial.learned.why.contains("with it on the inner cut"));
    let network = trial.models.network.as_deref().unwrap();
    let words = Neighbours::from_rows(1, vec![Vec::new(); log.products]);
    let blend = || Blend::new(&trial.models, &words, &settings);
    let users = trial.cut.tested();
    let together = Together {
        blend: blend(),
        network,
        weight: settings.network,
    };
    let figures = weigh(&blend(), network, &trial.cut, &users);
    let judged = |scorer: &dyn Scorer| super::super::measure::judge(scorer, &trial.cut, &users).mean(0);
    // The trial of weights looks at pools and says what the full ranking says.
    assert!((judged(&blend()) - figures.without).abs() < 1e-6);
    assert!(figures.with > 0.97 && figures.without < 0.93, "{figures:?}");
    assert!(judged(&together) > 0.97 && judged(&Alone(network)) > 0.9);
    // The order alone decides.
    let signal = |product: u32, first: i64| Signal {
        product,
        strength: 1.0,
        first,
        line: 0,
        last: first,
        bought: true,
        dismissed: false,
    };
    let now = 100 * DAY;
    for (history, till) in [
        ([signal(1, now), signal(4, now + 60)], 4 + DOORS),
        ([signal(4, now), signal(1, now + 60)], 1 + DOORS),
    ] {
        let mut scores = vec![0.0; log.products];
        let memo = together.score(&history, &mut scores);
        assert_eq!(best(&scores, 1, |p| p != 1 && p != 4)[0].0, till);
        let reasons = together.reasons(&history, &[till], &memo);
        assert_eq!(reasons, blend().reasons(&history, &[till], &memo));
    }
}

#[test]
fn who_says_nothing_hears_the_blend_alone() {
    let (log, learning) = (log(), learning(false));
    let trial = trial(&log, From::Nothing, Some(&learning));
    let words = Neighbours::from_rows(1, vec![Vec::new(); log.products]);
    let network = trial.models.network.as_deref().unwrap();
    let blend = Blend::new(&trial.models, &words, &trial.tuned.settings);
    let (mut with, mut without) = (vec![0.0; log.products], vec![0.0; log.products]);
    blend.score(&[], &mut without);
    scaled(&[], &mut without);
    let together = Together {
        blend,
        network,
        weight: 3.0,
    };
    together.score(&[], &mut with);
    assert_eq!(with, without);
}

#[test]
fn a_night_learns_no_more_than_it_needs() {
    let log = log();
    let skipped = |trial: &Trial| (trial.learned.steps, trial.models.network.is_none());
    let none = trial(&log, From::Nothing, None);
    assert_eq!(skipped(&none), (0, true));
    assert_eq!(none.tuned.settings.network, 0.0);
    // A night that rests learns one network where one is published, and none where none is.
    let found = trial(&log, From::Nothing, Some(&learning(false))).tuned.settings;
    let resting = trial(&log, From::Rest(found), Some(&learning(false)));
    assert_eq!(skipped(&resting), (0, true));
    let mut published = learning(true);
    let resting = trial(&log, From::Rest(found), Some(&published));
    assert!(resting.learned.steps > 0 && resting.learned.why == "begun anew");
    // One from before the cut is gone on from; one that knows what is hidden is not.
    let params = resting.models.network.as_ref().unwrap().params().to_vec();
    let hidden = resting.cut.hidden_from().unwrap();
    for (until, why) in [(hidden, "went on from last night's"), (hidden + 1, "begun anew")] {
        published.past = Some((until, params.clone()));
        assert_eq!(trial(&log, From::Rest(found), Some(&published)).learned.why, why);
    }
    // Too few customers, and products without end.
    let few = Log::new(700, log.products, log.events()[..300].to_vec());
    let few = trial(&few, From::Nothing, Some(&learning(false)));
    assert_eq!(skipped(&few), (0, true));
    assert!(few.learned.why.contains("200 are needed"), "{}", few.learned.why);
    let strengths = Strengths::default();
    let many = Log::new(700, MOST_PRODUCTS + 1, log.events().to_vec());
    let told = hindrance(&Cut::none(&many, &strengths).train).unwrap();
    assert!(told.contains("room for 100000"), "{told}");
    assert_eq!(hindrance(&Cut::none(&log, &strengths).train), None);
}

#[test]
fn another_cut_or_day_draws_other_examples() {
    let log = log();
    let histories = Cut::none(&log, &Strengths::default()).train;
    let learn = |seed: u64, cut: &str| {
        let mut learning = learning(false);
        (learning.options.seed, learning.options.steps) = (seed, 60);
        let start = Some(vec![0.01; 6 * 16 * 16 + 6 * 16 + 12 * 17]);
        learning
            .learn(&histories, start, cut, &Control::unbounded())
            .unwrap()
            .into_params()
    };
    let one = learn(1, "tonight");
    assert_eq!(learn(1, "tonight"), one);
    assert_ne!(learn(1, "the outer cut"), one);
    assert_ne!(learn(2, "tonight"), one);
}

#[test]
fn a_path_is_what_was_met_in_its_order() {
    let event = |user: u32, product: u32, kind: Kind, at: i64| Interaction {
        user: Some(user),
        product,
        kind,
        quantity: 1.0,
        rating: 0.0,
        at,
        basket: user,
        line: at as u32,
    };
    let mut events = vec![
        event(1, 5, Kind::Purchase, 50),
        event(1, 2, Kind::Purchase, 60),
        event(1, 3, Kind::View, 55),
        event(1, 4, Kind::View, 56),
        event(1, 4, Kind::Dismiss, 57),
        event(2, 1, Kind::Purchase, 10), // alone: no path
    ];
    events.extend((0..NEWEST as u32 + 9).map(|step| event(0, step, Kind::Purchase, 100 + i64::from(step))));
    let log = Log::new(3, NEWEST + 9, events);
    let found = paths(&Cut::none(&log, &Strengths::default()).train);
    assert_eq!(found.all[0], [5, 3, 2]);
    assert_eq!((found.all.len(), found.began.as_slice()), (2, &[50, 100][..]));
    // The newest of a long one.
    assert_eq!((found.all[1].len(), found.all[1][0]), (NEWEST, 9));
}
