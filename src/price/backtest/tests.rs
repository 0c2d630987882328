//! Origins by hand.

use super::super::arima::AutoArima;
use super::super::catalogue::{COMBINATION, HALF_MEDIAN, POSTED};
use super::super::model::OnLogs;
use super::super::subject::Groups;
use super::*;
use crate::price::frequency::Frequency;
use crate::price::series::Life;

pub(in crate::price) struct Shelf {
    pub(in crate::price) subjects: Vec<Subject>,
    pub(in crate::price) groups: Groups,
    pub(in crate::price) frequency: Frequency,
}

impl Shelf {
    pub(in crate::price) fn new(series: Vec<Vec<f64>>, frequency: Frequency) -> Self {
        let groups = Groups::new(&vec![(String::new(), String::new()); series.len()]);
        let subjects = series.into_iter().map(subject).collect();
        Self {
            subjects,
            groups,
            frequency,
        }
    }
}

impl Source for Shelf {
    fn count(&self) -> usize {
        self.subjects.len()
    }
    fn subject(&self, s: usize) -> Subject {
        // As in a night: the newest steps only.
        let mut subject = self.subjects[s].clone();
        let older = subject.values.len().saturating_sub(self.frequency.longest());
        subject.values.drain(..older);
        subject
    }
    fn groups(&self) -> &Groups {
        &self.groups
    }
    fn frequency(&self) -> Frequency {
        self.frequency
    }
}

pub(in crate::price) fn subject(values: Vec<f64>) -> Subject {
    Subject {
        values,
        life: Life::Offered,
        promoted: None,
        plan: None,
        outside: Vec::new(),
        shelf: [0; 2],
    }
}

fn run(values: &[f64], horizon: usize) -> Record {
    let plan = Plan {
        horizon,
        further: vec![],
    };
    one(
        &subject(values.to_vec()),
        &Shelf::new(vec![], Frequency::Weekly),
        &plan,
        &POSTED,
        &Control::unbounded(),
    )
    .unwrap()
}

/// A price that holds for four steps and then moves by one or two.
fn posted(length: u32) -> Vec<f64> {
    (0..length).map(|i| 10.0 + f64::from(i / 4 * 7 % 5)).collect()
}

#[test]
fn the_last_price_is_scored_by_hand() {
    // 40 values alternating 10, 11: the four steps after the newest origin are 10, 11, 10, 11 after an 11.
    let values: Vec<f64> = (0..40).map(|i| 10.0 + f64::from(i % 2)).collect();
    let record = run(&values, 4);
    assert_eq!(record.kind, Kind::Averaged);
    let newest = record.origins[0].as_ref().unwrap();
    assert_eq!((newest.unit, newest.scaled), (1.0, true));
    assert_eq!(newest.trials[0].mean, 0.5, "errors -1, 0, -1, 0");
    assert_eq!(*newest.trials[0].errors, [-1.0, 0.0, -1.0, 0.0]);
    assert_eq!(newest.trials.len(), 1 + record.parts.len() + BENCHMARKS.len());
    assert!(!newest.tried(COMBINATION) && newest.tried(record.parts[0]));
}

#[test]
fn knows_nothing_of_what_comes_after_the_origin() {
    let mut random = fastrand::Rng::with_seed(2);
    let walk: Vec<f64> = (0..70)
        .map(|i| 50.0 + f64::from(i % 7) + 5.0 * random.f64())
        .collect();
    for mut values in [posted(70), walk] {
        let before = run(&values, 5);
        // Changing the newest horizon must not change what was forecast for the older ones.
        for value in &mut values[65..] {
            *value *= 3.0;
        }
        let after = run(&values, 5);
        assert_eq!(before.kind, after.kind);
        assert_eq!(before.origins[1..], after.origins[1..]);
        assert_ne!(before.origins[0], after.origins[0]);
    }
}

#[test]
fn short_still_and_gappy_series_take_part_as_far_as_they_can() {
    let short = run(&[1.0; 22], 3);
    assert_eq!(
        (short.kind, &short.origins[..]),
        (Kind::Still, &[const { None }; ORIGINS][..])
    );
    let one = run(&[1.0; 23], 3);
    let origin = one.origins[0].as_ref().unwrap();
    assert!(!origin.scaled && origin.trials[0].mean == 0.0 && one.origins[1].is_none());
    let mut gappy = posted(60);
    gappy[57..].fill(f64::NAN);
    let record = run(&gappy, 3);
    assert!(record.origins[0].is_none(), "nothing to compare with");
    let older = record.origins[1].as_ref().unwrap();
    assert!(
        older.tried(HALF_MEDIAN) && older.trials[1].errors.is_empty(),
        "kept for averaged prices only"
    );
    // A price that moved for the first time after the origin was still there: all said the last price.
    let mut late = vec![5.0; 40];
    late[38..].fill(6.0);
    late[39] = 7.0;
    let origin = &run(&late, 4).origins[0];
    let origin = origin.as_ref().unwrap();
    assert!(!origin.scaled && origin.trials.iter().all(|trial| !trial.failed));
    assert_eq!(origin.of(HALF_MEDIAN).mean, origin.trials[0].mean);
}

#[test]
fn a_form_is_searched_at_the_oldest_origin_only() {
    // Were the search repeated, the newest origin's trials would be those of a search on its own past.
    let mut random = fastrand::Rng::with_seed(8);
    let values: Vec<f64> = (0..120)
        .map(|i| 100.0 + f64::from(i) + 20.0 * f64::from(i % 12) / 11.0 + 4.0 * random.f64())
        .collect();
    let plan = Plan {
        horizon: 6,
        further: vec![],
    };
    let record = one(
        &subject(values.clone()),
        &Shelf::new(vec![], Frequency::Monthly),
        &plan,
        &POSTED,
        &Control::unbounded(),
    )
    .unwrap();
    let oldest = record.origins[2].as_ref().unwrap();
    let alone = one(
        &subject(values[..108].to_vec()),
        &Shelf::new(vec![], Frequency::Monthly),
        &plan,
        &POSTED,
        &Control::unbounded(),
    )
    .unwrap();
    // The night's own search starts from what was found there, at 120 - 3 * 6 months.
    let found = OnLogs(AutoArima::new(12))
        .fit(&values[..102], &Control::unbounded())
        .unwrap();
    assert!(found.order().is_some());
    assert_eq!(record.start, found.order());
    // What is the second origin of the shorter series is the newest one's third here, and there the oldest was another.
    assert_eq!(alone.origins[0].as_ref().unwrap().trials[0], oldest.trials[0]);
    assert!(
        record
            .origins
            .iter()
            .flatten()
            .all(|o| o.trials.iter().all(|t| !t.failed))
    );
}

#[test]
fn the_horizon_shrinks_with_the_series_and_small_shops_look_more_often() {
    assert_eq!(Plan::new(&[400, 400, 10], 30, 28).horizon, 28);
    assert_eq!(Plan::new(&[50, 50], 30, 28).horizon, 10);
    assert_eq!(Plan::new(&[21], 0, 28).horizon, 1);
    assert_eq!(Plan::new(&[], 0, 28).horizon, 28);
    assert_eq!(Plan::new(&[400], 30, 28).further, Vec::<usize>::new());
    let alone = Plan::new(&[400], 1, 28).further;
    assert!(alone.len() >= 18 && alone.len() <= 21, "{alone:?}");
    assert!(
        alone
            .iter()
            .all(|offset| *offset < 84 && offset % 28 != 0 && *offset > 0)
    );
}
