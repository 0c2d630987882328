//! Lists of a small shop, by hand.

use super::super::demand::{Demand, MONTH};
use super::super::fresh::Ear;
use super::super::history::Histories;
use super::super::log::{Interaction, Kind, Log, Strengths};
use super::super::models::{Alone, ForAll};
use super::super::neighbours::{Nearest, Neighbours};
use super::super::profile::Decay;
use super::super::rules::{Action, OfView, Rule, Rules, VISITOR};
use super::*;

/// Two tastes: users 0 to 4 buy products 0 to 4, users 5 to 9 buy 5 to 9; user 0 has not bought 3 and 4 yet.
fn two_tastes() -> Histories {
    let mut events = Vec::new();
    for user in 0..10u32 {
        for product in (0..5).map(|i| i + user / 5 * 5).filter(|&p| user != 0 || p < 3) {
            events.push(Interaction {
                user: Some(user),
                product,
                kind: Kind::Purchase,
                quantity: 1.0,
                rating: 0.0,
                at: i64::from(user),
                basket: user,
                line: user * 10 + product,
            });
        }
    }
    Histories::build(&Log::new(11, 12, events), &Strengths::default(), |_| true)
}

fn cosine(lists: &Neighbours) -> Alone<Nearest<'_>> {
    Alone {
        model: Nearest { lists, k: 100 },
        decay: Decay::flat(),
    }
}

/// A shop whose strangers are shown products in the order of `scores`.
pub(in super::super) fn shop(scores: &[f32]) -> Shop<'static> {
    let products = scores.len();
    Shop {
        shown: vec![true; products],
        variants: Variants::none(products),
        categories: vec![None; products],
        rows: 6,
        bought: Bought::Gone,
        purchases: true,
        cap: None,
        diversity: None,
        fresh: None,
        popular: Popular {
            anywhere: best(scores, products, |_| true),
            places: Vec::new(),
        },
    }
}

fn products(rows: &[Row]) -> Vec<u32> {
    rows.iter().map(|row| row.product).collect()
}

fn no_rules() -> OfView {
    Rules::default().of("recommendations")
}

fn rules(of: &[(Action, u32)]) -> OfView {
    let rule = |(action, product): &(Action, u32)| Rule {
        action: action.clone(),
        result: None,
        user: None,
        page: None,
        products: vec![*product],
    };
    Rules(of.iter().map(rule).collect()).of("recommendations")
}

fn bought(product: u32) -> Signal {
    Signal {
        product,
        strength: 1.0,
        first: 0,
        line: product,
        last: 0,
        bought: true,
        dismissed: false,
    }
}

/// Falling from 1.
fn falling(products: usize) -> Vec<f32> {
    (0..products).map(|p| 1.0 - p as f32 / products as f32).collect()
}

fn person(history: &[Signal]) -> Person<'_> {
    Person {
        history,
        ..Person::default()
    }
}

#[test]
fn a_list_knows_its_user_and_its_reasons() {
    let histories = two_tastes();
    let lists = Neighbours::item_cosine(&histories, 100);
    let model = cosine(&lists);
    let mut shop = shop(&Demand::count(&histories, 9).popularity(MONTH));
    let rules = no_rules();
    let wishes = rules.wishes(None, None);
    let list = shop.personal(Base::Model(&model), &person(histories.of(0)), wishes);
    assert_eq!(products(&list)[..2], [3, 4]);
    assert_eq!(list.len(), 6);
    assert!(
        list[..2]
            .iter()
            .all(|row| row.from == From::Model && row.because.is_some_and(|b| b < 3))
    );
    assert!(
        list[2..]
            .iter()
            .all(|row| row.from == From::Fallback && row.because.is_none())
    );
    assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
    // Somebody without history and a visitor get the same list.
    let visitor = shop.strange(None, wishes);
    assert_eq!(
        visitor,
        shop.personal(Base::Model(&model), &person(histories.of(10)), wishes)
    );
    assert_eq!(visitor.len(), 6);
    shop.bought = Bought::Welcome;
    let again = shop.personal(Base::Model(&model), &person(histories.of(0)), wishes);
    assert!(products(&again).contains(&0));
}

#[test]
fn nothing_hidden_no_twins_and_the_people_have_the_last_word() {
    let mut shop = shop(&falling(12));
    shop.shown[3] = false;
    let groups: Vec<Option<u32>> = (0..12).map(|p| (5..7).contains(&p).then_some(0)).collect();
    let mut sold = [0.0; 12];
    sold[6] = 9.0;
    shop.variants = Variants::new(groups, &sold);
    let rules = rules(&[
        (Action::Boost(100.0), 9),
        (Action::Pin(2), 11),
        (Action::Pin(1), 3),
        (Action::Block, 4),
        (Action::Pin(1), 4),
    ]);
    let list = shop.strange(None, rules.wishes(Some(VISITOR), None));
    // Of the article it is the most bought variant, 6, on the place of the first.
    assert_eq!(products(&list), [9, 11, 0, 1, 2, 6]);
    assert_eq!((list[1].from, list[1].score), (From::Rule, list[2].score));
}

#[test]
fn a_pin_stands_past_every_filter_but_a_dismissal() {
    let mut shop = shop(&falling(12));
    shop.cap = Some(Cap { most: 1, among: 6 });
    shop.categories = vec![Some(0); 12];
    let rules = rules(&[(Action::Pin(2), 7), (Action::Pin(2), 8), (Action::Pin(50), 9)]);
    let wishes = rules.wishes(Some(0), None);
    let history = [bought(7), bought(9)];
    // The later rule of two to one place first; a place past the end is the end.
    let list = products(&shop.personal(Base::Strangers, &person(&history), wishes));
    assert_eq!(list, [0, 8, 7, 1, 2, 9]);
    let mut history = history;
    history[0].dismissed = true;
    let list = products(&shop.personal(Base::Strangers, &person(&history), wishes));
    assert_eq!(list, [0, 8, 1, 2, 3, 9]);
}

#[test]
fn never_together_whichever_comes_first() {
    let shop = shop(&falling(8));
    let apart = rules(&[(Action::NeverWith(vec![0, 2]), 1)]);
    let list = products(&shop.strange(None, apart.wishes(Some(VISITOR), None)));
    assert_eq!(list, [0, 2, 3, 4, 5, 6]);
    // A pin comes before all rows of a model.
    let pinned = rules(&[(Action::NeverWith(vec![0, 2]), 1), (Action::Pin(3), 1)]);
    let list = products(&shop.strange(None, pinned.wishes(Some(VISITOR), None)));
    assert_eq!(list, [3, 4, 1, 5, 6, 7]);
    // On the page of 2 there is no 1.
    let rows = |of: &[u32]| {
        of.iter()
            .map(|&product| Row {
                product,
                score: 1.0,
                from: From::Model,
                because: None,
            })
            .collect()
    };
    let page = shop.ranked(
        rows(&[0, 1, 3]),
        Some(2),
        apart.wishes(None, Some(2)),
        |_| true,
        9,
    );
    assert_eq!(products(&page), [0, 3]);
    let page = shop.ranked(
        rows(&[0, 2, 3]),
        Some(1),
        apart.wishes(None, Some(1)),
        |_| true,
        9,
    );
    assert_eq!(products(&page), [3]);
}

#[test]
fn bought_is_gone_with_its_variants_or_due_again() {
    let mut shop = shop(&falling(8));
    shop.variants = Variants::new((0..8).map(|p| (p < 3).then_some(0)).collect(), &[1.0; 8]);
    let rules = no_rules();
    let list = |shop: &Shop<'_>, due: &[u32]| {
        let history = [bought(1)];
        let person = Person {
            due,
            ..person(&history)
        };
        products(&shop.personal(Base::Strangers, &person, rules.wishes(Some(0), None)))
    };
    assert_eq!(list(&shop, &[]), [3, 4, 5, 6, 7]);
    shop.bought = Bought::Due;
    assert_eq!(list(&shop, &[]), [3, 4, 5, 6, 7]);
    // It comes back as the variant the customer knows, not as the shop's first.
    assert_eq!(list(&shop, &[1]), [1, 3, 4, 5, 6, 7]);
    shop.bought = Bought::Welcome;
    assert_eq!(list(&shop, &[]), [1, 3, 4, 5, 6, 7]);
}

#[test]
fn the_cap_counts_in_stretches_and_never_shortens() {
    let mut shop = shop(&falling(9));
    shop.rows = 9;
    shop.categories = (0..9)
        .map(|p| if p < 6 { Some(0) } else { (p == 6).then_some(1) })
        .collect();
    shop.cap = Some(Cap { most: 2, among: 4 });
    let rules = no_rules();
    let list = products(&shop.strange(None, rules.wishes(Some(VISITOR), None)));
    // 0 and 1, then others; the next four again begin with two; then nothing else is left.
    assert_eq!(list, [0, 1, 6, 7, 2, 3, 8, 4, 5]);
}

#[test]
fn new_products_stand_below_the_first_ten() {
    let words = Neighbours::from_rows(1, vec![Vec::new(); 40]);
    let mut shop = shop(&falling(40));
    shop.rows = 31;
    shop.fresh = Some(Fresh::new(vec![39, 38, 37], 0.1, Ear::Nearest(&words)));
    let rules = no_rules();
    let list = shop.strange(None, rules.wishes(Some(VISITOR), None));
    let new: Vec<(usize, u32)> = list
        .iter()
        .enumerate()
        .filter(|(_, row)| row.from == From::New)
        .map(|(at, row)| (at + 1, row.product))
        .collect();
    assert_eq!(new, [(11, 39), (21, 38), (31, 37)]);
    assert_eq!(products(&list)[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
}

#[test]
fn places_first_then_anywhere_and_boosts_in_both() {
    let mut shop = shop(&falling(8));
    shop.popular.places = vec![vec![(5, 1.0), (3, 0.5)], vec![]];
    let rules = rules(&[(Action::Boost(3.0), 3), (Action::Boost(0.0), 0)]);
    let wishes = rules.wishes(Some(VISITOR), None);
    assert_eq!(products(&shop.strange(Some(0), wishes)), [3, 5, 1, 2, 4, 6]);
    assert_eq!(products(&shop.strange(Some(1), wishes)), [3, 1, 2, 4, 5, 6]);
    let scores = shop.strange(Some(0), no_rules().wishes(Some(VISITOR), None));
    assert!(
        scores.windows(2).all(|pair| pair[0].score >= pair[1].score),
        "{scores:?}"
    );
}

#[test]
fn a_popularity_that_won_is_the_list_of_everybody() {
    let shop = shop(&falling(8));
    let rules = no_rules();
    let mut scores = vec![0.0; 8];
    (scores[4], scores[6]) = (1.0, 0.5);
    let history = [bought(6)];
    let list = shop.personal(
        Base::Everybody(&scores),
        &person(&history),
        rules.wishes(Some(0), None),
    );
    assert_eq!(products(&list), [4, 0, 1, 2, 3, 5]);
    assert_eq!((list[0].from, list[1].from), (From::Model, From::Fallback));
    // A personal model without a reason says nothing; a category is what it is.
    let flat = ForAll { scores };
    let list = shop.personal(Base::Model(&flat), &person(&history), rules.wishes(Some(0), None));
    assert_eq!(products(&list)[..2], [0, 1]);
    let pin = self::rules(&[(Action::Pin(1), 7), (Action::Pin(1), 0)]);
    let list = shop.popular_of(&[2, 5, 7], &falling(8), pin.wishes(None, None));
    assert_eq!(products(&list), [7, 2, 5]);
}
