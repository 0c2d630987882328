//! Numbers by hand.

use super::*;

fn control() -> Control {
    Control::unbounded()
}

/// Regular 10, with promotions at 8 of two steps each.
fn posted() -> Vec<f64> {
    let mut values = Vec::new();
    for _ in 0..5 {
        values.extend([10.0; 6]);
        values.extend([8.0; 2]);
    }
    values
}

#[test]
fn the_regular_price_is_the_most_frequent_one() {
    assert_eq!(
        most_frequent(&[1.0, 2.0, 2.0, 3.0, 3.0]),
        Some(3.0),
        "a tie goes to the higher"
    );
    assert_eq!(most_frequent(&[]), None);
    let regular = regular_prices(&posted());
    assert!(regular.iter().all(|price| *price == 10.0), "{regular:?}");
    // After a change the new price takes over once it is as frequent as the old one.
    let mut values = vec![10.0; 30];
    values.extend([12.0; 20]);
    let regular = regular_prices(&values);
    assert_eq!((regular[41], regular[42]), (10.0, 12.0), "13 of 26");
    // A missing step is no price.
    assert_eq!(regular_prices(&[f64::NAN, 4.0, f64::NAN])[1..], [4.0, 4.0]);
}

#[test]
fn a_promotion_ends_after_its_usual_length() {
    let mut values = posted();
    let off = TwoStates.fit(&values, &control()).unwrap();
    assert_eq!(off.parameters()["promotions"], 5);
    // The last one has run its two steps: none of four completed ones went on.
    assert_eq!(off.forecast(3).price, [10.0; 3]);
    values.truncate(39);
    assert_eq!(
        TwoStates.fit(&values, &control()).unwrap().forecast(3).price,
        [8.0, 10.0, 10.0],
        "it runs for another step"
    );
    values.truncate(36);
    assert_eq!(
        TwoStates.fit(&values, &control()).unwrap().forecast(2).price,
        [10.0; 2]
    );
}

#[test]
fn the_shops_own_flag_goes_before_what_prices_say() {
    // A price that fell for good looks like a promotion, unless the shop's flag says that it is none.
    let mut values = vec![10.0; 30];
    values[10] = 7.0;
    values.extend([9.0; 3]);
    let mut flags = vec![0.0; 33];
    flags[10] = 1.0;
    let mut drivers = Drivers::default();
    drivers.push(FLAG, flags);
    let fitted = TwoStates.fit_driven(&values, &drivers, &control()).unwrap();
    assert_eq!(fitted.forecast(2).price, [9.0; 2]);
    assert_eq!(fitted.parameters()["states"], "flagged");
    let inferred = TwoStates.fit(&values, &control()).unwrap();
    assert_eq!(inferred.parameters()["states"], "inferred");
    assert_eq!(
        inferred.forecast(1).price,
        [9.0],
        "one promotion of one step is no law"
    );
}

#[test]
fn a_plan_moves_half_way_where_it_changes_the_state() {
    let values = [10.0, 10.0, 6.0, 10.0, 10.0];
    let mut drivers = Drivers::default();
    drivers.push(PLAN, vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let fitted = PromotionPlan.fit_driven(&values, &drivers, &control()).unwrap();
    assert_eq!(
        fitted.forecast(5).price,
        [10.0, 8.0, 8.0, 10.0, 10.0],
        "a promotion is over on the day after its last row"
    );
    // On promotion now, the plan ends it.
    let mut drivers = Drivers::default();
    drivers.push(PLAN, vec![0.0, 0.0, 1.0, 0.0]);
    let fitted = PromotionPlan
        .fit_driven(&values[..3], &drivers, &control())
        .unwrap();
    assert_eq!(fitted.forecast(2).price, [8.0, 8.0]);
    // A state never seen, no plan, or no future: the last price.
    let mut drivers = Drivers::default();
    drivers.push(PLAN, vec![0.0, 0.0, 1.0]);
    let fitted = PromotionPlan
        .fit_driven(&values[..2], &drivers, &control())
        .unwrap();
    assert_eq!(fitted.forecast(1).price, [10.0]);
    assert_eq!(
        PromotionPlan.fit(&values, &control()).unwrap().forecast(1).price,
        [10.0]
    );
    assert!(PromotionPlan.fit(&[f64::NAN], &control()).is_err());
}
