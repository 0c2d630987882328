//! Sessions by hand.

use super::blend::{Fitted, NAMES, ranks, steps, tune};
use super::context::Context;
use super::judge::{BLEND, PUBLISHED, Published, choose, only};
use super::knn::Knn;
use super::rules::{REACH, pairs, sequential, window};
use super::*;
use crate::fit::Control;
use crate::recommend::log::Interaction;
use crate::recommend::neighbours::Neighbours;

fn event(basket: u32, product: u32, at: i64, kind: Kind) -> Interaction {
    Interaction {
        user: Some(0),
        product,
        kind,
        quantity: 1.0,
        rating: 0.0,
        at,
        basket,
        line: at as u32,
    }
}

fn sessions(paths: &[&[u32]], products: usize) -> Sessions {
    Sessions::new(products, paths.iter().map(|path| path.to_vec()).collect())
}

#[test]
fn a_session_is_a_basket_in_order_each_product_once() {
    let log = Log::new(
        1,
        5,
        vec![
            event(7, 3, 10, Kind::Purchase),
            event(7, 1, 11, Kind::View),
            event(7, 3, 12, Kind::Cart),
            event(2, 4, 1, Kind::Purchase),
            event(2, 0, 2, Kind::Return),
            event(3, 0, 20, Kind::View),
            event(3, 2, 21, Kind::Dismiss),
            event(3, 4, 22, Kind::View),
        ],
    );
    // Basket 2 holds one product only; a return and a dismissal are no step.
    assert_eq!(Sessions::of(&log).all, [vec![3, 1], vec![0, 4]]);
}

#[test]
fn rules_by_hand() {
    let all = sessions(&[&[0, 1, 2], &[0, 2], &[1, 0]], 4);
    let rules = sequential(&all);
    // 0 stands in three sessions: 1 came once at distance 1, 2 at distances 2 and 1. The three count 2^-4, 2^-(8/3)
    // and 2^-(4/3): three sessions, half of it for every 0.75 that came later.
    let worth = [4.0f32, 8.0 / 3.0, 4.0 / 3.0].map(|age| (-age).exp2());
    let all_of_0: f32 = worth.iter().sum();
    let by_hand = [
        (2, (worth[0] / 2.0 + worth[1]) / all_of_0),
        (1, worth[0] / all_of_0),
    ];
    for ((product, weight), (expected, by_hand)) in rules.of(0).iter().zip(by_hand) {
        assert_eq!(*product, expected);
        assert!((weight - by_hand).abs() < 1e-6);
    }
    assert!(rules.of(2).is_empty() && rules.of(3).is_empty() && rules.of(99).is_empty());
    let pairs = pairs(&all);
    // 0 and 1 share the first session and the last; 1 stands in no other.
    let found = pairs.of(0).iter().find(|p| p.0 == 1).unwrap().1;
    let shared = worth[0] + worth[2];
    assert!((found - shared / (all_of_0 * shared).sqrt()).abs() < 1e-6);
}

#[test]
fn the_nearest_sessions_vote_and_the_path_itself_does_not() {
    let all = sessions(&[&[0, 1, 2], &[0, 1, 2], &[3, 4], &[0, 5]], 6);
    let votes = Knn::fit(&all).votes(&[0, 1]);
    let products: Vec<u32> = votes.iter().map(|v| v.0).collect();
    assert_eq!(products, [2, 5]);
    assert!(
        votes[0].1 > votes[1].1,
        "who shares the latest product speaks louder: {votes:?}"
    );
    assert!(Knn::fit(&all).votes(&[]).is_empty());
}

#[test]
fn windows_look_both_ways() {
    let all = sessions(&[&[0, 1, 2]], 3);
    let windows = window(&all);
    assert_eq!(windows.of(0), [(1, 1.0), (2, 0.5)]);
    assert_eq!(windows.of(2), [(1, 1.0), (0, 0.5)]);
    let far: Vec<u32> = (0..40).collect();
    let windows = window(&sessions(&[&far], 40));
    assert_eq!(windows.of(20).len(), 2 * REACH);
    assert_eq!(windows.of(39).len(), REACH);
}

#[test]
fn the_session_that_shares_more_speaks_louder_for_what_is_close() {
    let all = sessions(&[&[0, 1, 2, 3], &[1, 4, 0], &[5, 1, 6]], 7);
    let votes = Context::fit(&all).votes(&[0, 1]);
    let of = |product: u32| votes.iter().find(|v| v.0 == product).map_or(0.0, |v| v.1);
    // The first two sessions share 1 and 0 with the path, overlap 1 + 1/2; the last only 1. Each third of all sessions later
    // counts 2^(4/3) times as much.
    let worth = [4.0f32, 8.0 / 3.0, 4.0 / 3.0].map(|age| (-age).exp2());
    let shares_both = 1.5f32.powf(1.5);
    for (product, by_hand) in [
        (2, shares_both * worth[0]),
        (3, shares_both * worth[0] / 2.0),
        (4, shares_both * worth[1]),
        (6, worth[2]),
    ] {
        assert!((of(product) - by_hand).abs() < 1e-6, "{product}: {votes:?}");
    }
    assert!(Context::fit(&all).votes(&[]).is_empty());
}

#[test]
fn a_rank_is_that_of_the_list() {
    let (all, words) = (ring(60), Neighbours::from_rows(1, vec![Vec::new(); 12]));
    let fitted = Fitted::fit(&all, &words, None);
    let tested: Vec<&[u32]> = all.all.iter().map(Vec::as_slice).collect();
    let weights = [0.3, 0.2, 0.9, 0.4, 0.0, 0.5, 0.1, 0.2, 0.0];
    let mut found = ranks(&fitted, &tested, &[weights]).into_iter();
    for path in tested {
        for at in 1..path.len() {
            let list = fitted.next(&path[..at], &weights, 12);
            let rank = list.iter().position(|&(product, _)| product == path[at]);
            assert_eq!(found.next().unwrap()[0], rank.map(|place| place + 1));
        }
    }
}

/// Everybody walks 0, 1, 2, ... round a ring of twelve from a random start.
fn ring(count: usize) -> Sessions {
    let mut random = fastrand::Rng::with_seed(3);
    let path = |random: &mut fastrand::Rng| {
        let start = random.u32(0..12);
        (0..4).map(|step| (start + step) % 12).collect()
    };
    Sessions::new(12, (0..count).map(|_| path(&mut random)).collect())
}

#[test]
fn who_walks_in_a_ring_is_foreseen() {
    let (all, words) = (ring(300), Neighbours::from_rows(1, vec![Vec::new(); 12]));
    let verdict = choose(&all, &words, None, None, 1, &Control::unbounded()).unwrap();
    let of = |name: &str| {
        verdict
            .candidates
            .iter()
            .find(|c| c.name == name)
            .unwrap()
            .reciprocal_rank
            .value
    };
    assert!(
        of("sequential_rules") > 0.99 && of("popularity") < 0.5,
        "{verdict:?}"
    );
    assert!(of(BLEND) >= of("vs_knn"));
    let fitted = Fitted::fit(&all, &words, None);
    assert_eq!(fitted.next(&[4], &verdict.weights, 3)[0].0, 5);
    assert_eq!(
        verdict,
        choose(&all, &words, None, None, 1, &Control::unbounded()).unwrap()
    );
}

#[test]
fn a_shop_without_sessions_gets_an_answer_and_a_reason() {
    let (none, words) = (sessions(&[], 3), Neighbours::from_rows(1, vec![Vec::new(); 3]));
    let verdict = choose(&none, &words, None, None, 1, &Control::unbounded()).unwrap();
    assert!(verdict.why.contains("too little data"), "{}", verdict.why);
    let fitted = Fitted::fit(&none, &words, None);
    assert!(fitted.next(&[1], &only(0), 5).is_empty());
    assert_eq!(
        tune(&steps(&fitted, &[]), None, false, &Control::unbounded())
            .unwrap()
            .len(),
        NAMES.len()
    );
}

#[test]
fn what_is_published_stays_where_tonight_is_worse_and_may_be_rested_on() {
    let (all, words) = (ring(300), Neighbours::from_rows(1, vec![Vec::new(); 12]));
    let control = Control::unbounded();
    let tonight = choose(&all, &words, None, None, 1, &control).unwrap();
    let tuned = tonight.tuned.unwrap();
    // Weights that differ are judged beside tonight's; popularity is far worse, so it does not stay.
    let before = Published::new(NAMES[5], only(5), only(1), false);
    let verdict = choose(&all, &words, before, None, 1, &control).unwrap();
    assert_ne!(verdict.winner, PUBLISHED);
    // Another blend of the same worth is named among the candidates.
    let before = Published::new(BLEND, tuned.map(|w| w * 1.5), tuned, false).unwrap();
    let verdict = choose(&all, &words, Some(before), None, 1, &control).unwrap();
    assert!(verdict.candidates.iter().any(|c| c.name == PUBLISHED));
    // A night that rests judges what is published and the naive answer, and keeps the weights.
    let rest = Published { rest: true, ..before };
    let verdict = choose(&all, &words, Some(rest), None, 1, &control).unwrap();
    let names: Vec<&str> = verdict.candidates.iter().map(|c| c.name).collect();
    assert_eq!(names, [NAMES[5], BLEND]);
    assert_eq!((verdict.model, verdict.weights), (BLEND, before.weights));
    assert_eq!(verdict.tuned, Some(tuned));
    assert!(Published::new("oracle", tuned, tuned, true).is_none());
    // What could not be tuned is not remembered as if it had been.
    let (none, words) = (sessions(&[], 3), Neighbours::from_rows(1, vec![Vec::new(); 3]));
    assert_eq!(
        choose(&none, &words, None, None, 1, &control).unwrap().tuned,
        None
    );
}
