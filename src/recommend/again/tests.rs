//! Whole shops through the choice: who wins, and why not.

use super::super::demand::DAY;
use super::super::log::{Interaction, Kind, Log};
use super::choose::{
    DECAYED, FREQUENCY, Known, LOGISTIC, Options, PUBLISHED, Ranker, Recipe, choose, refitted,
};
use super::examples::Cut;
use super::list::list;
use super::visits::Visits;
use crate::fit::{Control, Stopped};

fn buy(user: u32, product: u32, day: i64, line: usize) -> Interaction {
    Interaction {
        user: Some(user),
        product,
        kind: Kind::Purchase,
        quantity: 1.0,
        rating: 0.0,
        at: day * DAY,
        basket: user * 1000 + day as u32,
        line: line as u32,
    }
}

/// Fifty customers for 300 days, one order a week. Twelve products each had in every order for a fashion that is over,
/// twenty once, and two every fourth week since.
fn fashions() -> Log {
    let mut events = Vec::new();
    for user in 0..50u32 {
        let own = |number: u32| (user * 7 + number * 3) % 200;
        for week in 0..42i64 {
            let day = week * 7 + i64::from(user % 7);
            let mut in_order = vec![own(20 + week as u32 % 20)];
            if week < 20 {
                in_order.extend((0..12).map(own));
            }
            if week % 4 == i64::from(user % 4) {
                in_order.extend([own(50), own(51)]);
            }
            in_order.sort_unstable();
            in_order.dedup();
            for product in in_order {
                events.push(buy(user, product, day, events.len()));
            }
        }
    }
    Log::new(50, 200, events)
}

#[test]
fn a_model_sees_that_a_fashion_is_over() {
    let visits = Visits::fold(&fashions());
    let (now, control) = (294 * DAY, Control::unbounded());
    let verdict = choose(&visits, now, Known::Nothing, &Options::default(), &control).unwrap();
    assert_eq!(verdict.winner, LOGISTIC, "{}", verdict.why);
    let figures = |name| {
        &verdict
            .candidates
            .iter()
            .find(|c| c.name == name)
            .unwrap()
            .figures
    };
    assert_eq!(figures(LOGISTIC).ndcg.len(), 50);
    // Twelve dead products stand first by frequency.
    assert!(figures(FREQUENCY).mean_ndcg() < 0.2, "{}", verdict.why);
    assert!(figures(LOGISTIC).mean_ndcg() > 0.9, "{}", verdict.why);
    let ranker = refitted(&verdict, &visits, now, &Options::default(), &control)
        .unwrap()
        .unwrap();
    let cut = Cut::at(&visits, now);
    let customer = cut.of(8).unwrap();
    let rows = list(&customer, ranker.scores(&customer), &cut.facts, |_| 1.0);
    let rows = &rows[..2];
    let mut first: Vec<u32> = rows.iter().map(|row| row.product).collect();
    first.sort_unstable();
    assert_eq!(first, [(8 * 7 + 150) % 200, (8 * 7 + 153) % 200]);
    assert!(
        rows.iter().all(|row| row.score > 0.5 && row.score <= 1.0),
        "{rows:?}"
    );
    // Every four weeks: due four weeks after the last time, give or take what the shop's rhythm pulls.
    let due = rows[0].due_at.unwrap();
    assert!((due - (40 * 7 + 1 + 28) * DAY).abs() < 5 * DAY, "{}", due / DAY);
}

#[test]
fn one_thread_or_many_choose_the_same() {
    let visits = Visits::fold(&fashions());
    let choose = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let (options, control) = (Options::default(), Control::unbounded());
            let verdict = choose(&visits, 294 * DAY, Known::Nothing, &options, &control).unwrap();
            let ranker = refitted(&verdict, &visits, 294 * DAY, &options, &control).unwrap();
            (verdict, ranker)
        })
    };
    assert_eq!(choose(1), choose(3));
}

#[test]
fn a_small_or_young_or_empty_shop_gets_frequency_and_the_reason() {
    let few = (0..30).flat_map(|week| [(0, 1, week * 7), (0, 2, week * 14)]);
    let few: Vec<Interaction> = few
        .enumerate()
        .map(|(line, (user, product, day))| buy(user, product, day, line))
        .collect();
    let young = (0..40u32).flat_map(|user| (0..6i64).map(move |day| (user, user % 3, day * 5)));
    let young: Vec<Interaction> = young
        .enumerate()
        .map(|(line, (user, product, day))| buy(user, product, day, line))
        .collect();
    for (events, users, now, word) in [
        (few, 1, 210, "20 are needed to test"),
        (young, 40, 25, "20 are needed to test"),
        (Vec::new(), 0, 0, "0 customers bought something again"),
    ] {
        let visits = Visits::fold(&Log::new(users, 3, events));
        let verdict = choose(
            &visits,
            now * DAY,
            Known::Nothing,
            &Options::default(),
            &Control::unbounded(),
        )
        .unwrap();
        assert_eq!(verdict.winner, FREQUENCY);
        assert!(verdict.why.contains(word), "{}", verdict.why);
        let ranker = refitted(
            &verdict,
            &visits,
            now * DAY,
            &Options::default(),
            &Control::unbounded(),
        );
        assert_eq!(ranker.unwrap(), Ok(Ranker::Frequency));
    }
}

#[test]
fn goods_bought_once_in_a_lifetime_have_no_rows() {
    let events = (0..400u32).map(|line| buy(line / 2, line % 40, i64::from(line % 120), line as usize));
    let visits = Visits::fold(&Log::new(200, 40, events.collect()));
    let verdict = choose(
        &visits,
        120 * DAY,
        Known::Nothing,
        &Options::default(),
        &Control::unbounded(),
    )
    .unwrap();
    assert_eq!(verdict.winner, FREQUENCY);
    let cut = Cut::at(&visits, 120 * DAY);
    let customer = cut.of(3).unwrap();
    assert!(!customer.pairs.is_empty() && customer.pairs.iter().all(|pair| pair.due_at.is_none()));
    let scores = Ranker::Frequency.scores(&customer);
    assert!(list(&customer, scores, &cut.facts, |_| 1.0).is_empty());
}

#[test]
fn a_night_that_is_stopped_stops() {
    let visits = Visits::fold(&fashions());
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let control = Control::unbounded().with_cancel(flag);
    let stopped = choose(&visits, 294 * DAY, Known::Nothing, &Options::default(), &control);
    assert_eq!(stopped.err(), Some(Stopped::Cancelled));
}

#[test]
fn what_is_published_is_judged_beside_tonight_and_rested_on_where_it_may() {
    let visits = Visits::fold(&fashions());
    let (now, control, options) = (294 * DAY, Control::unbounded(), Options::default());
    let found = choose(&visits, now, Known::Nothing, &options, &control).unwrap();
    let other = Recipe {
        ridge: 1e-2,
        cuts: if found.recipe.cuts == 1 { 2 } else { 1 },
    };
    let names = |known| -> Vec<&str> {
        let verdict = choose(&visits, now, known, &options, &control).unwrap();
        verdict
            .candidates
            .iter()
            .map(|candidate| candidate.name)
            .collect()
    };
    assert!(names(Known::Published(other)).contains(&PUBLISHED));
    assert!(!names(Known::Published(found.recipe)).contains(&PUBLISHED));
    let rested = choose(&visits, now, Known::Rest(other), &options, &control).unwrap();
    assert_eq!(rested.recipe, other);
}

#[test]
fn the_decayed_frequency_can_win_and_scores_a_share() {
    // Whoever bought the old thing ten times last year buys the new one now, at no rhythm a model could learn from so few.
    let mut events = Vec::new();
    for user in 0..25u32 {
        for time in 0..10 {
            events.push((user, 0, time));
        }
        for time in [200, 230, 262] {
            events.push((user, 1, time));
        }
    }
    let events = events
        .into_iter()
        .enumerate()
        .map(|(line, (user, product, day))| buy(user, product, day, line));
    let visits = Visits::fold(&Log::new(25, 3, events.collect()));
    let (options, control) = (Options::default(), Control::unbounded());
    let verdict = choose(&visits, 265 * DAY, Known::Nothing, &options, &control).unwrap();
    assert_eq!(verdict.winner, DECAYED, "{}", verdict.why);
    let ranker = refitted(&verdict, &visits, 265 * DAY, &options, &control)
        .unwrap()
        .unwrap();
    let customer = Cut::at(&visits, 265 * DAY).of(3).unwrap();
    let scores = ranker.scores(&customer);
    assert!(
        scores[1] > scores[0] && scores.iter().all(|s| (0.0..1.0).contains(s)),
        "{scores:?}"
    );
}
