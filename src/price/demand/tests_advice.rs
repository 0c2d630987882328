//! Advice that a merchandiser would call sensible, and silence where there is nothing to say.

use super::Answer;
use super::advice::*;
use super::clustered::Elasticity;
use super::endings::Endings;

fn answer(value: f64, std_error: f64) -> Answer {
    let around = |z: f64| value + z * std_error;
    Answer {
        elasticity: Some(Elasticity {
            value,
            std_error,
            lo95: around(-1.96),
            hi95: around(1.96),
            lo80: around(-1.2816),
            hi80: around(1.2816),
            weeks: 100,
            own: 0.5,
        }),
        moved: true,
        ..Answer::default()
    }
}

fn situation(answer: &Answer) -> Situation<'_> {
    Situation {
        price_now: Some(10.0),
        sellable: true,
        settled: None,
        cost: Some(6.0),
        weeks: 100,
        answer,
        trusted: true,
        pooled_with: Some("category tea"),
    }
}

fn bounds(goal: Goal) -> Bounds {
    Bounds {
        goal,
        max_change: 0.10,
        endings: Endings::of(&[9.99, 4.49, 3.25]),
    }
}

#[test]
fn the_best_price_is_the_text_books_within_the_bound() {
    // Margin is largest at cost e / (1 + e): 6 * 4 / 3 = 8 at e = -4, below the bound of 9; 12 at e = -2, above 11;
    // 10 at e = -2.5, where the price stands.
    for (e, decision, price) in [
        (-4.0, Decision::Lower, 9.0),
        (-2.0, Decision::Raise, 11.0),
        (-2.5, Decision::Keep, 10.0),
    ] {
        let answer = answer(e, 1e-6);
        let advice = advise(&situation(&answer), &bounds(Goal::Margin));
        assert_eq!(advice.decision, decision, "{e}: {advice:?}");
        assert_eq!(advice.price_advised, Some(price));
        if decision != Decision::Keep {
            let r: f64 = price / 10.0;
            assert!((advice.units_change.unwrap() - (r.powf(e) - 1.0)).abs() < 1e-12);
            let margin = (price - 6.0) * r.powf(e) / 4.0 - 1.0;
            assert!((advice.margin_change.unwrap() - margin).abs() < 1e-12 && margin > 0.0);
            assert!((advice.revenue_change.unwrap() - (r.powf(1.0 + e) - 1.0)).abs() < 1e-12);
        }
    }
    // An optimum inside the bound: e = -2.6 wants 9.75.
    let inside = answer(-2.6, 1e-6);
    let advice = advise(&situation(&inside), &bounds(Goal::Margin));
    assert_eq!(
        (advice.decision, advice.price_advised),
        (Decision::Keep, Some(10.0)),
        "0.1 % is not worth it"
    );
    // Revenue: elastic buyers want it cheaper, inelastic ones pay.
    let (elastic, inelastic) = (answer(-2.0, 0.1), answer(-0.5, 0.1));
    assert_eq!(
        advise(&situation(&elastic), &bounds(Goal::Revenue)).decision,
        Decision::Lower
    );
    let up = advise(&situation(&inelastic), &bounds(Goal::Revenue));
    assert_eq!((up.decision, up.price_advised), (Decision::Raise, Some(11.0)));
    let (low, high) = up.revenue_change_80.unwrap();
    assert!(low < up.revenue_change.unwrap() && up.revenue_change.unwrap() < high && low > 0.0);
    assert!(
        up.why.contains("11 instead of 10 (+10.0 %)") && up.why.contains("category tea"),
        "{}",
        up.why
    );
}

#[test]
fn advice_shrinks_with_what_is_known_and_ends_in_silence() {
    let gain = |std_error| {
        let answer = answer(-1.6, std_error);
        let advice = advise(&situation(&answer), &bounds(Goal::Margin));
        (advice.decision, advice.why)
    };
    assert_eq!(gain(0.1).0, Decision::Raise);
    let unsure = gain(0.75);
    assert_eq!(unsure.0, Decision::Keep);
    assert!(unsure.1.contains("not known well enough"), "{}", unsure.1);
    let unclear = gain(0.9); // -1.6 + 1.96 * 0.9 > 0
    assert_eq!(unclear.0, Decision::None);
    assert!(unclear.1.contains("did not clearly react"), "{}", unclear.1);
}

#[test]
fn never_below_cost() {
    let elastic = answer(-6.0, 0.1);
    let mut at = situation(&elastic);
    at.cost = Some(9.7);
    for goal in [Goal::Margin, Goal::Revenue] {
        let advice = advise(&at, &bounds(goal));
        assert!(advice.price_advised.unwrap() >= 9.7, "{advice:?}");
    }
    // Sold below cost: up, as far as the bound goes, and it says so.
    at.cost = Some(12.0);
    let advice = advise(&at, &bounds(Goal::Margin));
    assert_eq!(
        (advice.decision, advice.margin_change),
        (Decision::Raise, None),
        "{advice:?}"
    );
    assert!(
        advice.why.contains("below cost now") && advice.why.contains("margin +14.4 % of the revenue now"),
        "{}",
        advice.why
    );
    // For revenue alone nothing below the price now may be asked.
    let advice = advise(&at, &bounds(Goal::Revenue));
    assert_eq!(advice.decision, Decision::Keep, "{advice:?}");
}

#[test]
fn next_to_no_margin_is_no_yardstick() {
    let elastic = answer(-3.0, 0.1);
    let mut at = situation(&elastic);
    for (cost, told) in [(9.95, true), (9.51, true), (9.49, false)] {
        at.cost = Some(cost);
        let advice = advise(&at, &bounds(Goal::Margin));
        assert_eq!(
            (advice.decision, advice.price_advised),
            (Decision::Raise, Some(11.0)),
            "{advice:?}"
        );
        assert_eq!(advice.margin_change.is_none(), told, "{cost}: {advice:?}");
        assert_eq!(advice.why.contains("of the revenue now"), told, "{}", advice.why);
    }
    // What was a thousand percent of five cents: (1.05 * 0.7513 - 0.05) / 10.
    at.cost = Some(9.95);
    let why = advise(&at, &bounds(Goal::Margin)).why;
    assert!(why.contains("margin +7.4 % of the revenue now"), "{why}");
    // Revenue has no such trouble.
    let lower = advise(&situation(&elastic), &bounds(Goal::Revenue));
    assert!(
        lower.margin_change.is_some() && !lower.why.contains("revenue now"),
        "{lower:?}"
    );
}

#[test]
fn every_reason_for_silence_is_said() {
    let known = answer(-1.6, 0.1);
    let of = |change: &dyn Fn(&mut Situation<'_>)| {
        let mut situation = situation(&known);
        change(&mut situation);
        advise(&situation, &bounds(Goal::Margin))
    };
    let constant = Answer::default();
    let moved = Answer {
        moved: true,
        ..Answer::default()
    };
    for (advice, decision, words) in [
        (of(&|s| s.price_now = None), Decision::None, "no price now"),
        (of(&|s| s.price_now = Some(0.0)), Decision::None, "given away"),
        (of(&|s| s.sellable = false), Decision::None, "sold out or hidden"),
        (
            of(&|s| s.settled = Some(Settled::Promotion)),
            Decision::Keep,
            "promotion runs",
        ),
        (
            of(&|s| {
                s.settled = Some(Settled::Planned {
                    price: Some(9.5),
                    day: "2026-12-01".into(),
                });
            }),
            Decision::Keep,
            "the price 9.50 is already planned for 2026-12-01",
        ),
        (
            of(&|s| {
                s.settled = Some(Settled::Rejected {
                    day: "2026-11-01".into(),
                    until: "2026-11-29".into(),
                });
            }),
            Decision::Keep,
            "rejected advice on 2026-11-01",
        ),
        (of(&|s| s.weeks = 0), Decision::None, "never sold"),
        (of(&|s| s.weeks = 5), Decision::None, "only 5 weeks"),
        (of(&|s| s.trusted = false), Decision::None, "typical week"),
        (of(&|s| s.cost = None), Decision::None, "products.cost"),
    ] {
        assert_eq!(advice.decision, decision, "{words}: {advice:?}");
        assert!(advice.why.contains(words), "{words}: {}", advice.why);
        let kept = decision == Decision::Keep;
        assert_eq!(advice.price_advised, kept.then_some(10.0));
        assert_eq!(advice.revenue_change, kept.then_some(0.0));
    }
    let mut at = situation(&constant);
    assert!(advise(&at, &bounds(Goal::Margin)).why.contains("never changed"));
    at.answer = &moved;
    assert!(
        advise(&at, &bounds(Goal::Margin))
            .why
            .contains("too little was sold")
    );
    // No price of the shop's own lies within a thousandth of 10.
    let narrow = Bounds {
        max_change: 0.0,
        ..bounds(Goal::Margin)
    };
    assert_eq!(advise(&situation(&known), &narrow).decision, Decision::Keep);
}

#[test]
fn the_table_asks_around_the_plan_as_the_shop_writes_prices() {
    let charm: Vec<f64> = (1..40).map(|euro| f64::from(euro) - 0.01).collect();
    let bounds = Bounds {
        goal: Goal::Margin,
        max_change: 0.10,
        endings: Endings::of(&charm),
    };
    let prices = prices_to_ask(59.99, Some(62.99), (49.99, 59.99), &bounds);
    assert!(prices.windows(2).all(|pair| pair[0] < pair[1]), "{prices:?}");
    assert!(prices.contains(&59.99) && prices.contains(&62.99));
    assert!(prices[0] >= 49.0 && *prices.last().unwrap() <= 66.0, "{prices:?}");
    assert!(
        prices.iter().all(|price| (price.fract() - 0.99).abs() < 1e-9),
        "{prices:?}"
    );
    assert_eq!(
        prices_to_ask(
            2.0,
            None,
            (2.0, 2.0),
            &Bounds {
                max_change: 0.0,
                ..bounds
            }
        ),
        [2.0]
    );
    assert_eq!(
        (money(12.0), money(12.5), money(0.0312)),
        ("12".into(), "12.50".into(), "0.0312".into())
    );
}
