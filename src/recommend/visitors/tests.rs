//! Shops whose strangers want something known.

use super::super::demand::DAY;
use super::super::log::{Interaction, Kind};
use super::*;

fn buy(user: Option<u32>, product: u32, at: i64, line: u32) -> Interaction {
    Interaction {
        user,
        product,
        kind: Kind::Purchase,
        quantity: 1.0,
        rating: 0.0,
        at,
        basket: user.unwrap_or(line),
        line,
    }
}

fn fitted(log: &Log, places: &Places) -> Visitors {
    after(log, places, None)
}

fn after(log: &Log, places: &Places, before: Option<&Before>) -> Visitors {
    fit(
        log,
        &Strengths::default(),
        places,
        before,
        50,
        1,
        &Control::unbounded(),
    )
    .unwrap()
}

/// Every day a new customer: they buy the product in fashion that week and one of 50 odd ones, a day later product 0,
/// which everybody comes to but nobody begins with.
fn fashions(days: u32) -> Log {
    let mut events = Vec::new();
    let mut random = fastrand::Rng::with_seed(3);
    for day in 0..days {
        for part in 0..3 {
            let user = day * 3 + part;
            let at = i64::from(day) * DAY + i64::from(part);
            for product in [1 + day / 7 % 20, 30 + random.u32(0..50)] {
                events.push(buy(Some(user), product, at, events.len() as u32));
            }
            let mut later = buy(Some(user), 0, at + DAY / 2, events.len() as u32);
            later.basket += 100_000;
            events.push(later);
        }
    }
    Log::new(days as usize * 3, 80, events)
}

#[test]
fn strangers_want_what_is_in_fashion_and_begin_as_others_began() {
    let log = fashions(140);
    let visitors = fitted(&log, &Places::none(420));
    // A week's fashion: thirty days are too long, and the choice is judged beside them.
    assert_eq!(
        (visitors.model.as_str(), visitors.kernels.len()),
        (TOGETHER_NAME, 10)
    );
    assert!(visitors.why.contains("NDCG@10"), "{}", visitors.why);
    let of = |model: &str| visitors.figures.iter().find(|f| f.model == model).unwrap();
    let (naive, best) = (of("popularity_30d"), of(TOGETHER_NAME));
    assert!(best.ndcg.value > naive.ndcg.value && best.ndcg.lo90 <= best.ndcg.value);
    assert!(naive.strangers > 50 && best.hit_rate.value > 0.0);
    // Every product has its place, scores fall from 1.
    assert_eq!(visitors.popular.anywhere.len(), 80);
    assert_eq!(visitors.popular.anywhere[0].1, 1.0);
    assert!(
        visitors
            .popular
            .anywhere
            .windows(2)
            .all(|two| two[0].1 >= two[1].1)
    );
}

#[test]
fn few_strangers_get_the_naive_answer() {
    let visitors = fitted(&fashions(8), &Places::none(24));
    assert_eq!(
        (visitors.model.as_str(), visitors.figures.len()),
        ("popularity_30d", 0)
    );
    assert!(visitors.why.starts_with("too few strangers"), "{}", visitors.why);
    let empty = fitted(&Log::new(0, 3, Vec::new()), &Places::none(0));
    let order: Vec<u32> = empty.popular.anywhere.iter().map(|row| row.0).collect();
    assert_eq!(order, [0, 1, 2]);
    assert!(
        fitted(&Log::new(0, 0, Vec::new()), &Places::none(0))
            .popular
            .anywhere
            .is_empty()
    );
}

#[test]
fn a_country_with_a_taste_has_a_list_and_one_with_three_buyers_has_the_shops() {
    // Of 600 customers every third is from A and buys 1, the others buy 2 to 9; customers of C can be counted on a hand.
    let mut events = Vec::new();
    let mut random = fastrand::Rng::with_seed(5);
    let country = |user: u32| match user {
        0..5 => "C",
        user if user % 3 == 0 => "A",
        _ => "B",
    };
    for user in 0..600u32 {
        let at = i64::from(user) * DAY / 10;
        let own = match country(user) {
            "A" => 1,
            "C" => 19,
            _ => 2 + random.u32(0..3),
        };
        for product in [own, 5 + random.u32(0..14)] {
            events.push(buy(Some(user), product, at, events.len() as u32));
        }
    }
    let log = Log::new(600, 20, events);
    let places = Places::new((0..600).map(|user| (Some(country(user)), None)));
    let visitors = fitted(&log, &places);
    assert!(
        visitors.kernels.iter().any(|kernel| kernel.shrink.is_some()),
        "{:?}",
        visitors.kernels
    );
    let list = |name: &str| {
        let place = places
            .names
            .iter()
            .position(|(country, _)| country == name)
            .unwrap();
        visitors.popular.places[place]
            .iter()
            .map(|row| row.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(list("A")[0], 1);
    assert_ne!(list("B")[0], 1);
    // Five old purchases of C cannot carry its list away from the shop's.
    let shop: Vec<u32> = visitors.popular.anywhere.iter().map(|row| row.0).collect();
    assert_eq!(list("C")[..5], shop[..5]);
}

#[test]
fn guests_count_and_are_strangers_too() {
    // Nobody has a name in the second half of this shop.
    let mut events: Vec<Interaction> = (0..40)
        .map(|i| buy(Some(i), i % 7, i64::from(i) * DAY, i))
        .collect();
    events.extend((40..120).map(|i| buy(None, 7 + i / 80, i64::from(i) * DAY, i)));
    let visitors = fitted(&Log::new(40, 9, events), &Places::none(40));
    assert_eq!(visitors.popular.anywhere[0].0, 8);
}

#[test]
fn kernels_have_names() {
    let names: Vec<String> = Kernel::all().iter().map(Kernel::name).collect();
    assert_eq!(
        names[..3],
        ["popularity_30d", "popularity_30d+place", "popularity_30d+place"]
    );
    assert!(names.contains(&"popularity_half_3.5d+first_only+place".to_owned()));
    assert_eq!(names.len(), 54);
}

#[test]
fn what_is_published_stands_beside_tonight_and_may_be_rested_on() {
    let (log, places) = (fashions(140), Places::none(420));
    let tonight = fitted(&log, &places);
    let choice = tonight.choice.clone().unwrap();
    // A worse order is judged and goes.
    let mut before = Before {
        published: vec![Kernel::window(14.0)],
        choice: choice.clone(),
        rest: false,
    };
    let again = after(&log, &places, Some(&before));
    assert!(again.figures.iter().any(|f| f.model == PUBLISHED));
    assert_eq!(again.kernels, tonight.kernels);
    // A far better one than what the night rests on stays.
    before = Before {
        published: choice.together.clone(),
        choice: Choice {
            together: vec![Kernel::window(30.0)],
            selling: NAIVE,
        },
        rest: true,
    };
    let kept = after(&log, &places, Some(&before));
    assert_eq!(
        (kept.model.as_str(), &kept.kernels),
        (PUBLISHED, &choice.together)
    );
    assert!(kept.why.contains("stays"), "{}", kept.why);
    assert_eq!(fitted(&fashions(8), &Places::none(24)).choice, None);
}
