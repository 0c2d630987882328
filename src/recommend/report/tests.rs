//! A few people's days, by hand.

use super::*;

const DAY: i64 = 86_400;

fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

fn event(user: Option<u32>, product: u32, kind: Kind, at: i64, basket: u32) -> Interaction {
    Interaction {
        user,
        product,
        kind,
        quantity: 1.0,
        rating: 0.0,
        at,
        basket,
        line: at as u32,
    }
}

#[test]
fn measures_by_hand() {
    let wanted = BTreeSet::from([7, 9]);
    let list = [1, 7, 3, 9];
    let ndcg = (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / (1.0 + 1.0 / 3f64.log2());
    assert!((Measure::Ndcg(10).of(&list, &wanted) - ndcg).abs() < 1e-12);
    assert_eq!(Measure::Hit(1).of(&list, &wanted), 0.0);
    assert_eq!(Measure::Hit(2).of(&list, &wanted), 1.0);
    assert_eq!(Measure::ReciprocalRank(20).of(&list, &wanted), 0.5);
    assert_eq!(Measure::ReciprocalRank(1).of(&list, &wanted), 0.0);
    assert_eq!(Measure::Ndcg(10).of(&[], &wanted), 0.0);
    assert_eq!(Measure::ReciprocalRank(20).name(), "mrr@20");
}

#[test]
fn means_are_by_day_and_on_the_same_observations() {
    let observation = |day, shown: &[u32], naive: &[u32], wanted: &[u32]| Observation {
        day,
        shown: shown.to_vec(),
        naive: naive.to_vec(),
        wanted: wanted.iter().copied().collect(),
    };
    let lines = judge(
        &[
            observation(2, &[1], &[2], &[1]),
            observation(1, &[1], &[2], &[2]),
            observation(2, &[1], &[2], &[3]),
            observation(2, &[1], &[2], &[]),
        ],
        &[Measure::Hit(10)],
    );
    let told: Vec<(i64, f64, f64, usize)> = lines
        .iter()
        .map(|l| (l.day, l.value, l.naive, l.observations))
        .collect();
    assert_eq!(told, [(1, 0.0, 1.0, 1), (2, 0.5, 0.0, 2)]);
}

#[test]
fn what_is_new_and_what_is_bought_again() {
    let since = 10 * DAY;
    let buy = |user, product, at| event(Some(user), product, Kind::Purchase, at, 1);
    let log = Log::new(
        4,
        9,
        vec![
            buy(0, 1, DAY),
            buy(0, 1, since), // at the instant itself: known
            buy(0, 1, since + 1),
            buy(0, 2, since + 5),
            buy(0, 2, since + DAY), // new once
            event(Some(0), 3, Kind::View, since + 1, 1),
            event(Some(1), 4, Kind::View, DAY, 2), // seen before, so no stranger
            buy(1, 5, since + 2),
            buy(2, 6, since + 3),
            buy(3, 7, DAY), // nothing since
            event(None, 8, Kind::Purchase, since + 1, 9),
            event(None, 1, Kind::Purchase, DAY, 10),
        ],
    );
    let people = bought(&log, since, day_of);
    let who: Vec<(Option<u32>, bool)> = people.iter().map(|p| (p.user, p.stranger)).collect();
    assert_eq!(
        who,
        [(Some(0), false), (Some(1), false), (Some(2), true), (None, true)]
    );
    assert_eq!(people[0].before, BTreeMap::from([(1, (2, since))]));
    assert_eq!(people[0].again, BTreeMap::from([(10, BTreeSet::from([1]))]));
    assert_eq!(people[0].new, BTreeMap::from([(10, BTreeSet::from([2]))]));
    assert_eq!(people[3].new[&10], BTreeSet::from([8]));
}

#[test]
fn baskets_and_steps() {
    let buy = |product, at, basket| event(Some(0), product, Kind::Purchase, at, basket);
    let log = Log::new(
        1,
        6,
        vec![
            buy(1, 5, 1),
            buy(2, 6, 1),
            buy(2, DAY + 1, 2),
            buy(3, DAY + 2, 2),
            buy(3, DAY + 3, 3),
            event(Some(0), 4, Kind::View, DAY, 2),
            event(Some(0), 3, Kind::View, DAY + 2, 2),
        ],
    );
    assert_eq!(baskets(&log, 6, 10, day_of), [(1, BTreeSet::from([2, 3]))]);
    assert!(baskets(&log, 6, 1, day_of).is_empty());
    assert_eq!(steps(&log, 6, day_of), [(1, 4, 2), (1, 2, 3)]);
    let looks = Log::new(
        1,
        3,
        vec![
            event(Some(0), 1, Kind::View, 9, 1),
            event(Some(0), 2, Kind::View, 9, 1),
        ],
    );
    assert_eq!(baskets(&looks, 0, 10, day_of).len(), 1);
}

#[test]
fn a_display_counts_once_a_day_and_a_click_within_a_day() {
    let sight = |who, product, at, list, bought| Sight {
        who,
        product,
        at,
        list,
        bought,
    };
    let counts = followed(
        vec![
            sight(1, 5, 100, Some(0), false),
            sight(1, 5, 200, Some(0), false),
            sight(1, 5, 300, None, true),
            sight(1, 6, 100, Some(0), false),
            sight(1, 6, 50, None, false), // before it was displayed
            sight(2, 5, 100, Some(0), false),
            sight(2, 5, 100, Some(1), false),
            sight(2, 5, 100, None, false),
            sight(3, 5, DAY, Some(0), false),
            sight(3, 5, 2 * DAY + 1, None, false), // too late
        ],
        day_of,
    );
    assert_eq!(
        counts,
        BTreeMap::from([((0, 0), (3, 2, 1)), ((0, 1), (1, 1, 0)), ((1, 0), (1, 0, 0))])
    );
}
