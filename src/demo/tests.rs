//! The demo shop has the structure it promises, and is the same for ever.

use super::*;

fn small() -> DemoShop {
    shop(1, 0.2)
}

#[test]
fn the_shop_has_the_promised_counts() {
    let shop = shop(1, 1.0);
    assert_eq!((shop.products.len(), shop.users.len()), (1000, 2000));
    assert_eq!((shop.events.len(), shop.tickets.len()), (100_000, 3000));
    assert_eq!(shop.agents.len(), 14);
    assert!(shop.events.is_sorted_by_key(|event| event.at));
    assert!(shop.tickets.is_sorted_by_key(|ticket| ticket.created_at));
    assert!(shop.events.last().unwrap().at < shop.ends_at);
    assert!(
        shop.products.iter().any(|product| product.hidden)
            && shop.products.iter().any(|product| product.in_stock == 0)
    );
}

#[test]
fn a_seed_makes_the_same_shop_and_another_seed_another() {
    let (one, two, other) = (small(), small(), shop(2, 0.2));
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    assert_ne!(one.events, other.events);
}

#[test]
fn nothing_is_seen_before_it_was_created() {
    let shop = small();
    for event in &shop.events {
        assert!(event.at >= shop.products[event.product as usize].created_at);
        assert_eq!(
            event.price.is_some(),
            matches!(event.kind, "purchase" | "return"),
            "{event:?}"
        );
        assert_eq!(event.rating.is_some(), event.kind == "rating");
        assert_eq!(
            event.order.is_some(),
            matches!(event.kind, "purchase" | "return" | "rating")
        );
    }
}

#[test]
fn every_kind_of_event_occurs_and_views_lead() {
    let shop = small();
    let count = |kind: &str| shop.events.iter().filter(|event| event.kind == kind).count();
    for kind in ["view", "wish", "cart", "purchase", "return", "rating", "dismiss"] {
        assert!(count(kind) > 0, "{kind}");
    }
    assert!(
        count("view") > count("cart")
            && count("cart") > count("purchase")
            && count("purchase") > 10 * count("return")
    );
}

#[test]
fn tastes_show_in_what_people_look_at() {
    // The share of a user's views in the user's most viewed category: with tastes well above the 1/12 of chance.
    let shop = shop(3, 0.5);
    let mut views = vec![std::collections::BTreeMap::<&str, u32>::new(); shop.users.len()];
    for event in shop.events.iter().filter(|event| event.kind == "view") {
        if let Some(user) = event.user {
            *views[user as usize]
                .entry(&shop.products[event.product as usize].category)
                .or_default() += 1;
        }
    }
    let shares: Vec<f64> = views
        .iter()
        .filter(|of| of.values().sum::<u32>() >= 30)
        .map(|of| f64::from(*of.values().max().unwrap()) / f64::from(of.values().sum::<u32>()))
        .collect();
    assert!(shares.len() > 100);
    assert!(shares.iter().sum::<f64>() / shares.len() as f64 > 0.4);
}

#[test]
fn promotions_are_below_the_price_before_and_demand_rises() {
    let shop = small();
    let own: Vec<&Price> = shop
        .prices
        .iter()
        .filter(|price| price.seller.is_empty())
        .collect();
    assert!(own.iter().any(|price| price.promotion));
    for pair in own.windows(2).filter(|pair| pair[0].product == pair[1].product) {
        assert!(pair[0].at < pair[1].at);
        assert!(!pair[1].promotion || pair[1].price < pair[0].price, "{pair:?}");
    }
    assert!(
        shop.prices
            .iter()
            .any(|price| !price.seller.is_empty() && price.price.is_none())
    );
}

#[test]
fn tickets_are_in_two_languages_most_are_answered_and_the_waiting_bear_no_label() {
    let shop = small();
    let open = shop
        .tickets
        .iter()
        .filter(|ticket| ticket.status == "open")
        .count();
    assert!(open * 10 < shop.tickets.len() && open > 0);
    for ticket in &shop.tickets {
        assert!(
            !ticket.body.contains('{') && !ticket.subject.contains('{'),
            "{}",
            ticket.body
        );
        assert!(ticket.status != "open" || ticket.category.is_none());
        assert!(ticket.status != "closed" || (ticket.category.is_some() && ticket.closed_at.is_some()));
        assert!(ticket.closed_at.is_none_or(|at| at < shop.ends_at));
    }
    let chinese = shop
        .tickets
        .iter()
        .filter(|ticket| ticket.body.contains(|letter| ('一'..='龥').contains(&letter)))
        .count();
    assert!(chinese * 20 > shop.tickets.len() && chinese * 2 < shop.tickets.len());
    assert!(shop.replies.iter().all(|reply| !reply.body.contains('{')));
}
