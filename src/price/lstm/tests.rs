//! The network on series whose future is known.

use super::Phases;
use super::form::{Form, MIDDLE};
use super::net::{Batch, Net, Work};
use super::night::{LEAST_MOVES, Lessons, Taught, Terms, teach};
use super::window::{Beside, FAR, Place, Spread, Track};
use crate::fit::{Control, Gradient};
use crate::price::backtest::tests::Shelf;
use crate::price::backtest::{Plan, backtest};
use crate::price::catalogue::{LAST_PRICE, LSTM, POSTED};
use crate::price::frequency::Frequency;
use crate::price::lstm::seer::Networks;
use crate::price::outlook::outlooks;
use crate::price::subject::{Groups, Source, Subject};

/// A shop with the networks that were taught on it.
struct Seeing<'a>(&'a Shelf, &'a Taught);

impl Source for Seeing<'_> {
    fn count(&self) -> usize {
        self.0.count()
    }
    fn subject(&self, s: usize) -> Subject {
        self.0.subject(s)
    }
    fn groups(&self) -> &Groups {
        self.0.groups()
    }
    fn frequency(&self) -> Frequency {
        self.0.frequency()
    }
    fn networks(&self) -> Option<Networks<'_>> {
        Some(self.1.networks())
    }
}

pub(super) const HORIZON: usize = 4;

/// Weekly series of 500 steps that swing over 16 weeks, each with a phase, a size and some noise of its own.
pub(super) fn swinging(count: usize) -> Shelf {
    let mut random = fastrand::Rng::with_seed(3);
    let series = (0..count)
        .map(|s| {
            let (size, phase) = (10.0 * (1.0 + s as f64 % 7.0), random.f64());
            (0..500)
                .map(|t| {
                    let turn = std::f64::consts::TAU * (t as f64 / 16.0 + phase);
                    size * (3.0 + turn.sin() + 0.1 * (random.f64() - 0.5))
                })
                .collect()
        })
        .collect();
    Shelf::new(series, Frequency::Weekly)
}

/// Prices that are set to something nobody can know, on most weeks.
fn set(count: usize) -> Shelf {
    let mut random = fastrand::Rng::with_seed(4);
    let series = (0..count)
        .map(|_| {
            let mut price: f64 = 20.0;
            (0..500)
                .map(|_| {
                    if random.f64() < 0.7 {
                        price *= 0.9 + 0.2 * random.f64();
                    }
                    price
                })
                .collect()
        })
        .collect();
    Shelf::new(series, Frequency::Weekly)
}

pub(super) fn plan() -> Plan {
    Plan {
        horizon: HORIZON,
        further: vec![],
    }
}

pub(super) fn terms(steps: u64, instants: &[i64], before: [Option<Vec<u8>>; 2]) -> Terms<'_> {
    Terms {
        steps,
        seed: 1,
        horizon: HORIZON,
        phases: Phases::default(),
        instants,
        before,
    }
}

pub(super) fn instants() -> Vec<i64> {
    (0..520).map(|k| 1_000_000 - k).collect()
}

pub(super) fn taught(shelf: &Shelf, steps: u64, before: [Option<Vec<u8>>; 2]) -> Box<Taught> {
    match teach(
        shelf,
        &plan(),
        terms(steps, &instants(), before),
        &Control::unbounded(),
    )
    .unwrap()
    {
        Lessons::Taught(taught) => taught,
        Lessons::Skipped(why) => panic!("{why}"),
    }
}

fn look(track: &Track, cut: usize, form: &Form) -> (Vec<f32>, Vec<f32>) {
    let mut batch = Batch::default();
    batch.resize(1, form);
    let mut place = Place {
        sequence: &mut batch.sequence,
        row: 0,
        rows: 1,
        linear: &mut batch.linear,
        traits: &mut batch.traits,
        ahead: &mut batch.ahead,
    };
    track.look(cut, form, &Spread::none(form), &[], &mut place);
    (batch.linear, batch.sequence)
}

#[test]
fn a_window_is_told_in_units_of_the_mean_step() {
    let mut form = Form::new(Frequency::Weekly, 2);
    form.logs = false;
    // Steps of 2, and one of 38 at the end: their mean is 3 over 36 steps.
    let mut values: Vec<f64> = (0..36).map(|t| f64::from(t % 2) * 2.0).collect();
    values.push(40.0);
    let track = Track::new(&values, &form, Beside::default());
    assert!(track.begins(37, &form) && !track.begins(19, &form) && !track.begins(38, &form));
    let (linear, sequence) = look(&track, 37, &form);
    assert_eq!(linear.len(), 52);
    assert_eq!(linear[51], 0.0, "the newest is where differences begin");
    assert!((linear[50] + 38.0 / 3.0).abs() < 1e-5 && (linear[49] + 40.0 / 3.0).abs() < 1e-5);
    assert_eq!(linear[..15], [0.0; 15], "before its first price");
    // The second channel of a block of four: moved, or nothing known.
    assert_eq!((sequence[4], sequence[12 * 8 + 7]), (-1.0, 1.0));
    // What comes after the origin is not looked at.
    let mut longer = values.clone();
    longer.extend([1000.0, f64::NAN, 3.0]);
    let longer = Track::new(&longer, &form, Beside::default());
    assert_eq!(look(&longer, 37, &form), (linear, sequence));
    // A far one is cut, and a series that never moved has no unit.
    let mut jump = values.clone();
    jump[36] = 1e9;
    let cut = look(&Track::new(&jump, &form, Beside::default()), 36, &form);
    assert!(cut.0.iter().all(|x| f64::from(x.abs()) <= FAR));
    assert!(!Track::new(&[5.0; 60], &form, Beside::default()).begins(60, &form));
}

#[test]
fn hours_are_told_against_the_same_hour_of_the_last_day() {
    let form = Form::new(Frequency::Hourly, 24);
    // A day repeats, a step higher each day.
    let values: Vec<f64> = (0..240)
        .map(|t| f64::from(t % 24) + 3.0 * f64::from(t / 24))
        .collect();
    let track = Track::new(&values, &form, Beside::default());
    let (linear, _) = look(&track, 239, &form);
    // The window ends at hour 22 of the last day; its unit is the step of 3 from day to day.
    assert!(
        (linear[0] + 7.0).abs() < 1e-5 && (linear[24] + 6.0).abs() < 1e-5 && (linear[167] + 1.0).abs() < 1e-5
    );
    assert_eq!(linear[191], 0.0);
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let mut form = Form::new(Frequency::Monthly, 3);
    form.phases = 2;
    form.promotions = true;
    form.drivers = vec!["cost".into()];
    form.shelves = true;
    let net = Net::new(&form);
    let mut params = net.layout.init(5);
    let mut random = fastrand::Rng::with_seed(6);
    let mut batch = Batch::default();
    batch.resize(6, &form);
    for values in [
        &mut batch.sequence,
        &mut batch.linear,
        &mut batch.traits,
        &mut batch.ahead,
        &mut batch.happened,
    ] {
        values.iter_mut().for_each(|x| *x = random.f32() * 2.0 - 1.0);
    }
    batch
        .weights
        .iter_mut()
        .enumerate()
        .for_each(|(i, w)| *w = (i % 4) as f32);
    batch.shelves = (0..12).collect();
    let mut work = Work::default();
    let mut gradient = Gradient::new(params.len(), &net.layout.tables()).unwrap();
    let loss = net.learn(&params, &form, &batch, &mut work, &mut gradient);
    assert_eq!(loss, net.loss(&params, &form, &batch, &mut work));
    // Along the gradient itself, and along each tensor's part of it: the sum of squares is the slope.
    let whole = gradient.as_slice().to_vec();
    for tensor in net.layout.tensors() {
        let part = tensor.start..tensor.start + tensor.len();
        let slope: f64 = whole[part.clone()].iter().map(|g| f64::from(*g).powi(2)).sum();
        assert!(slope > 1e-9, "{} learns nothing", tensor.name);
        let length = slope.sqrt();
        let mut at = |step: f64| {
            let before = params[part.clone()].to_vec();
            for (p, g) in params[part.clone()].iter_mut().zip(&whole[part.clone()]) {
                *p += (step * f64::from(*g) / length) as f32;
            }
            let loss = net.loss(&params, &form, &batch, &mut work);
            params[part.clone()].copy_from_slice(&before);
            loss
        };
        let measured = (at(2e-3) - at(-2e-3)) / 4e-3;
        assert!(
            (measured - length).abs() < 0.03 * length + 2e-4,
            "{}: {measured}, not {length}",
            tensor.name
        );
    }
}

#[test]
fn too_little_to_learn_from_is_said() {
    let why = |shelf: &Shelf, steps| match teach(
        shelf,
        &plan(),
        terms(steps, &instants(), [None, None]),
        &Control::unbounded(),
    ) {
        Ok(Lessons::Skipped(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(why(&swinging(20), 100).starts_with("20 series with 9980 changes of price"));
    assert_eq!(why(&swinging(120), 0), "its budget of steps is 0");
    let still = Shelf::new(vec![vec![3.0; 500]; 200], Frequency::Weekly);
    assert!(why(&still, 100).starts_with("0 series with 0 changes"));
    const { assert!(120 * 499 > LEAST_MOVES) };
}

#[test]
fn a_swing_is_learned_and_the_network_joins() {
    let shelf = swinging(120);
    let taught = taught(&shelf, 300, [None, None]);
    assert!(taught.past.course.loss <= taught.past.course.start);
    let seeing = Seeing(&shelf, &taught);
    let control = Control::unbounded();
    let records = backtest(&seeing, &plan(), &POSTED, &control).unwrap();
    for record in &records {
        for origin in record.origins.iter().flatten() {
            let (own, naive) = (origin.of(LSTM), origin.of(LAST_PRICE));
            assert!(
                !own.failed && own.mean < 0.5 * naive.mean,
                "{} {}",
                own.mean,
                naive.mean
            );
        }
    }
    let found = outlooks(&seeing, &records, &plan(), HORIZON, &control).unwrap();
    let admission = found.admission.unwrap();
    let (with, without) = admission.means();
    assert_eq!(admission.series, [120; 3]);
    assert_eq!(
        admission.joined,
        admission.errors.iter().all(|(with, without)| with <= without) && with < without
    );
    let told = found.series[0].parameters.contains("\"lstm\"");
    assert_eq!(told, admission.joined, "{}", found.series[0].parameters);
    // The band: 80 % within, give or take.
    let [inside, all] = super::night::covered(&seeing, &taught, &plan(), &control).unwrap();
    let share = inside as f64 / all as f64;
    assert!((0.7..0.9).contains(&share) && all == 120 * 12, "{share}");
}

#[test]
fn what_nobody_can_know_is_left_to_the_last_price() {
    let shelf = set(150);
    let taught = taught(&shelf, 200, [None, None]);
    let seeing = Seeing(&shelf, &taught);
    let control = Control::unbounded();
    let records = backtest(&seeing, &plan(), &POSTED, &control).unwrap();
    let found = outlooks(&seeing, &records, &plan(), HORIZON, &control).unwrap();
    assert!(found.series.iter().all(|outlook| outlook.model != LSTM));
    let standing = &found.standings[0][LSTM];
    assert!(standing.series.iter().all(|n| *n == 150), "measured all the same");
    assert_eq!(found.admission, None, "nothing here is combined");
}

#[test]
fn hostile_series_give_a_number_or_nothing() {
    let mut shelf = swinging(110);
    let odd: Vec<Vec<f64>> = vec![
        vec![],
        vec![f64::NAN; 300],
        vec![7.0; 300],
        (0..300)
            .map(|t| {
                if t % 3 == 0 {
                    f64::NAN
                } else {
                    5.0 + f64::from(t % 7)
                }
            })
            .collect(),
        (0..300).map(|t| (1.0 + f64::from(t % 5)) * 1e300).collect(),
        (0..300).map(|t| (1.0 + f64::from(t % 5)) * 1e-300).collect(),
        (0..300)
            .map(|t| if t == 150 { 1e200 } else { 3.0 + f64::from(t % 4) })
            .collect(),
        (0..300)
            .map(|t| if t == 299 { f64::INFINITY } else { f64::from(t % 4) })
            .collect(),
        (0..300).map(|t| -1.0 - f64::from(t % 4)).collect(),
        vec![1.0, 2.0],
    ];
    let first = shelf.subjects.len();
    shelf
        .subjects
        .extend(odd.into_iter().map(crate::price::backtest::tests::subject));
    shelf.groups = Groups::new(&vec![(String::new(), String::new()); shelf.subjects.len()]);
    let taught = taught(&shelf, 60, [None, None]);
    for s in first..shelf.subjects.len() {
        let subject = shelf.subject(s);
        let seer = taught.networks();
        let seer = seer.of(&subject, true);
        for told in seer.quantiles(subject.values.len()).into_iter().flatten() {
            assert!(
                !told[MIDDLE].is_nan() && told[0] <= told[MIDDLE] && told[MIDDLE] <= told[2],
                "{s}: {told:?}"
            );
        }
    }
    let seeing = Seeing(&shelf, &taught);
    let control = Control::unbounded();
    let records = backtest(&seeing, &plan(), &POSTED, &control).unwrap();
    let found = outlooks(&seeing, &records, &plan(), HORIZON, &control).unwrap();
    for s in 0..shelf.subjects.len() {
        assert!(
            found.steps(s).all(|step| !step.price.is_nan() || s == first + 7),
            "{s}"
        );
    }
}

#[test]
fn promotions_known_ahead_are_looked_at_and_others_are_not() {
    let mut form = Form::new(Frequency::Weekly, 3);
    form.promotions = true;
    let values: Vec<f64> = (0..60).map(|t| 10.0 + f64::from(t % 3)).collect();
    let mut promoted = vec![0.0; 60];
    promoted[50] = 1.0;
    let mut plan = vec![0.0; 63];
    plan[..40].fill(f32::NAN);
    plan[52] = 1.0;
    let track = Track::new(
        &values,
        &form,
        Beside {
            promoted,
            plan,
            ..Beside::default()
        },
    );
    let ahead = |cut: usize| {
        let mut batch = Batch::default();
        batch.resize(1, &form);
        let mut place = Place {
            sequence: &mut batch.sequence,
            row: 0,
            rows: 1,
            linear: &mut batch.linear,
            traits: &mut batch.traits,
            ahead: &mut batch.ahead,
        };
        track.look(cut, &form, &Spread::none(&form), &[], &mut place);
        // The newest of the past, in the third channel.
        (batch.ahead, batch.sequence[batch.sequence.len() - 1])
    };
    assert_eq!(
        ahead(50),
        (vec![0.0, 0.0, 1.0], 0.0),
        "only its own row spoke of step 50"
    );
    assert_eq!(ahead(51), (vec![0.0, 1.0, 0.0], 1.0));
    assert_eq!(ahead(38).0, [0.0; 3], "before anybody entered plans");
}
