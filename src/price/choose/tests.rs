//! Standings by hand, and what the gate makes of them.

use super::super::backtest::{Origin, Trial};
use super::super::catalogue::{HALF_MEDIAN, POSTED, TWO_STATES};
use super::*;

/// A posted series whose last price and other model made these errors, in units of its step, at the three origins.
fn series(scaled: bool, errors: [[f64; 2]; ORIGINS], other: Model) -> Record {
    let trial = |model, mean| Trial {
        model,
        mean,
        errors: Box::default(),
        failed: false,
    };
    Record {
        kind: Kind::Posted,
        parts: &[],
        jumps: 0,
        start: None,
        origins: errors
            .iter()
            .map(|[naive, own]| {
                Some(Origin {
                    unit: 2.0,
                    scaled,
                    trials: vec![trial(LAST_PRICE, *naive), trial(other, *own)],
                })
            })
            .collect(),
    }
}

fn judge(records: &[Record], groups: &Groups) -> (Vec<Standings>, Vec<Gate>) {
    let standings = standings(
        groups,
        records.iter().map(|record| standings_of(record, |_| Vec::new())),
    );
    let gates = gates(groups, &standings, &POSTED);
    (standings, gates)
}

fn tea(count: usize) -> Groups {
    Groups::new(&vec![("tea".to_owned(), String::new()); count])
}

fn decided(errors: [[f64; 2]; ORIGINS], count: usize) -> Decision {
    let records = vec![series(true, errors, TWO_STATES); count];
    let groups = tea(count);
    judge(&records, &groups).1[groups.of(0)].posted.clone()
}

#[test]
fn a_winner_wins_at_every_origin_and_by_five_per_cent() {
    let clear = decided([[10.0, 9.0], [10.0, 9.5], [10.0, 9.0]], 8);
    assert_eq!(clear.model, TWO_STATES);
    assert_eq!(
        &*clear.why,
        "two states beat the last price at each of 3 past nights in category 'tea', by 8.3 % on average"
    );
    let lost_once = decided([[10.0, 5.0], [10.0, 5.0], [10.0, 10.1]], 8);
    assert_eq!(lost_once.model, LAST_PRICE);
    assert!(
        lost_once.why.contains("nearest: two states with 33.0 %"),
        "{}",
        lost_once.why
    );
    assert_eq!(decided([[10.0, 9.6]; 3], 8).model, LAST_PRICE, "4 % only");
    assert_eq!(
        decided([[10.0, 5.0], [0.0, 0.0], [10.0, 5.0]], 8).model,
        LAST_PRICE,
        "nothing to win once"
    );
    let few = decided([[10.0, 1.0]; 3], 7);
    assert_eq!(few.model, LAST_PRICE);
    assert!(few.why.contains("too few series"), "{}", few.why);
}

#[test]
fn a_small_group_follows_the_larger_one() {
    let of_each: Vec<(String, String)> = (0..12)
        .map(|i| ("tea".to_owned(), if i < 9 { "x" } else { "y" }.to_owned()))
        .collect();
    let groups = Groups::new(&of_each);
    let records: Vec<Record> = (0..12)
        .map(|i| series(true, [[10.0, if i < 9 { 11.0 } else { 2.0 }]; 3], HALF_MEDIAN))
        .collect();
    let (standings, gates) = judge(&records, &groups);
    // Brand x decides for itself, and against; y is three series and follows the category, where the model wins.
    assert_eq!(gates[groups.of(0)].posted.model, LAST_PRICE);
    assert_eq!(gates[groups.of(11)].posted.model, HALF_MEDIAN);
    assert!(gates[groups.of(11)].posted.why.contains("in category 'tea'"));
    assert_eq!(standings[SHOP][HALF_MEDIAN].series, [12; 3]);
    assert_eq!(standings[groups.of(11)][HALF_MEDIAN].series, [3; 3]);
}

#[test]
fn plans_are_followed_where_they_gained_anything() {
    let planned = |own, count| {
        let groups = tea(count);
        let records = vec![series(true, [[10.0, own]; 3], PLAN); count];
        let gate = judge(&records, &groups).1[groups.of(0)].clone();
        (
            decision(&gate, Kind::Posted, true, false).unwrap().model,
            decision(&gate, Kind::Posted, false, false).unwrap().model,
        )
    };
    assert_eq!(
        planned(9.9, 8),
        (PLAN, LAST_PRICE),
        "1 % is enough, and a series without plan has none"
    );
    assert_eq!(planned(10.1, 8), (LAST_PRICE, LAST_PRICE));
    assert_eq!(
        planned(9.0, 1),
        (PLAN, LAST_PRICE),
        "a shop of one product: its own past is all there is"
    );
    assert_eq!(decided([[10.0, 9.9]; 3], 8).model, LAST_PRICE);
}

#[test]
fn averaged_prices_get_the_combination_unless_the_last_price_was_better() {
    let part: Model = COMBINATION + 1;
    let averaged = |own: f64| {
        let mut record = series(true, [[10.0, own]; 3], part);
        record.kind = Kind::Averaged;
        for trial in record.origins.iter_mut().flatten().flat_map(|o| &mut o.trials) {
            trial.errors = Box::new([trial.mean as f32]);
        }
        record
    };
    let decide = |records: &[Record]| {
        let groups = tea(records.len());
        let weights = [(part, 1.0)];
        let standings = standings(
            &groups,
            records.iter().map(|r| standings_of(r, |_| weights.to_vec())),
        );
        let gate = gates(&groups, &standings, &POSTED)[groups.of(0)].clone();
        decision(&gate, Kind::Averaged, true, false).unwrap().clone()
    };
    assert_eq!(decide(&vec![averaged(9.0); 8]).model, COMBINATION);
    let lost = decide(&vec![averaged(10.5); 8]);
    assert_eq!(lost.model, LAST_PRICE);
    assert!(
        lost.why.contains("did not beat the last price") && lost.why.contains("-5.0 %"),
        "{}",
        lost.why
    );
    assert_eq!(
        decide(&[averaged(9.0)]).model,
        COMBINATION,
        "a shop of one series"
    );
    assert!(!leaves(COMBINATION, 12.4, 10.0) && leaves(COMBINATION, 12.6, 10.0));
    assert!(!leaves(TWO_STATES, 10.0, 10.0) && leaves(TWO_STATES, 10.01, 10.0));
    assert!(
        leaves(TWO_STATES, 0.1, 0.0),
        "the last price made no error at all"
    );
    assert!(!leaves(LAST_PRICE, 1.0, 0.0));
    assert_eq!(
        decision(
            &gates(&tea(0), &[[Standing::default(); NAMES.len()]; 1], &POSTED)[0],
            Kind::Still,
            true,
            true
        ),
        None
    );
}

#[test]
fn a_price_without_scale_is_left_out() {
    let mut records: Vec<Record> = (0..8)
        .map(|_| series(true, [[2.0, 1.0]; 3], TWO_STATES))
        .collect();
    records.push(series(false, [[0.0, 50.0]; 3], TWO_STATES));
    let groups = tea(9);
    let (standings, _) = judge(&records, &groups);
    let standing = &standings[groups.of(0)][TWO_STATES];
    assert_eq!(standing.mase(), [Some(1.0); 3]);
    assert_eq!((standing.series, standing.all), ([8; 3], [9; 3]));
    assert_eq!(standings[SHOP][LAST_PRICE].mae()[0], Some(32.0 / 9.0));
    assert_eq!(standing.skills(), [Some(0.5); 3]);
    assert_eq!(mean(&[None, Some(1.0), Some(2.0)]), Some(1.5));
    assert_eq!(mean(&[None]), None);
}

#[test]
fn drivers_are_followed_where_they_win_by_more_than_what_needs_none() {
    let of = |regression: f64, other: f64| {
        let groups = tea(8);
        let mut records = vec![series(true, [[10.0, other]; 3], TWO_STATES); 8];
        for record in &mut records {
            for origin in record.origins.iter_mut().flatten() {
                let mut trial = origin.trials[1].clone();
                (trial.model, trial.mean) = (REGRESSION, regression);
                origin.trials.push(trial);
            }
        }
        let gate = judge(&records, &groups).1[groups.of(0)].clone();
        [true, false].map(|has| decision(&gate, Kind::Posted, false, has).unwrap().model)
    };
    assert_eq!(of(8.0, 9.9), [REGRESSION, LAST_PRICE]);
    assert_eq!(of(9.6, 9.9), [LAST_PRICE; 2], "4 % only");
    assert_eq!(
        of(8.0, 8.2),
        [TWO_STATES; 2],
        "no better than two states, which need nobody to foresee anything"
    );
    assert_eq!(of(7.0, 8.2), [REGRESSION, TWO_STATES]);
}
