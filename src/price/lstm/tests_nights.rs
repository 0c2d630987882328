//! One night after the other, killed ones, and whatever the threads.

use super::form::{DRIVERS, Form};
use super::net::Batch;
use super::night::{Lessons, Terms, teach};
use super::tests::{HORIZON, instants, plan, swinging, taught, terms};
use super::{ROOM, first_windows, kept};
use crate::fit::testing::Memory;
use crate::fit::{Control, FitError, Progress};
use crate::price::backtest::tests::Shelf;
use crate::price::frequency::Frequency;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[test]
fn threads_and_nights_change_nothing_but_what_was_learned() {
    let shelf = swinging(110);
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let first = alone.install(|| taught(&shelf, 120, [None, None]));
    let again = taught(&shelf, 120, [None, None]);
    assert_eq!(first.bytes(), again.bytes());
    assert_ne!(first.bytes()[0], first.bytes()[1]);
    // The next night goes on where this one ended.
    let next = taught(&shelf, 120, first.bytes().map(Some));
    for (now, then) in [(&next.past, &first.past), (&next.tonight, &first.tonight)] {
        assert_eq!(now.anew, None);
        assert_eq!(now.course.start.to_bits(), then.course.loss.to_bits());
        assert!(now.course.loss <= now.course.start);
    }
    // A night as of an older day does not, nor one whose network is damaged or of another form.
    let older: Vec<i64> = instants().iter().map(|at| at - 1).collect();
    let anew = |shelf: &Shelf, terms: Terms<'_>| {
        let lessons = teach(shelf, &plan(), terms, &Control::unbounded()).unwrap();
        lessons.taught().unwrap().past.anew.clone().unwrap()
    };
    assert_eq!(
        anew(&shelf, terms(2, &older, first.bytes().map(Some))),
        "last night's knew too much"
    );
    let mut damaged = first.bytes();
    damaged[0][100] ^= 1;
    let now = instants();
    assert!(anew(&shelf, terms(2, &now, damaged.map(Some))).contains("damaged"));
    let mut farther = terms(2, &now, first.bytes().map(Some));
    farther.horizon = HORIZON + 1;
    assert!(anew(&shelf, farther).contains("another form"));
    for length in [0, 10, 40, 1000] {
        let bytes = &first.bytes()[0][..length];
        assert!(kept::read(bytes, &first.past.network.form).is_err());
    }
}

#[test]
fn numbers_beyond_measure_are_no_start() {
    let shelf = swinging(110);
    let mut first = taught(&shelf, 4, [None, None]);
    for huge in [f32::MAX, 1e20] {
        for (at, value) in first.past.network.params.iter_mut().enumerate() {
            *value = if at % 2 == 0 { huge } else { -huge };
        }
        let again = taught(&shelf, 4, first.bytes().map(Some));
        assert_eq!(again.past.anew.as_deref(), Some("last night's makes no sense"));
        assert_eq!(again.tonight.anew, None);
        assert!(again.past.course.loss < 1.0, "{:?}", again.past.course);
    }
}

/// Whatever a shop asks for, the first windows fit into their room and are enough for the regression.
#[test]
fn a_long_horizon_with_many_drivers_takes_no_more_room() {
    for frequency in [
        Frequency::Hourly,
        Frequency::Daily,
        Frequency::Weekly,
        Frequency::Monthly,
    ] {
        for horizon in [1, 28, 1000] {
            let mut form = Form::new(frequency, horizon);
            (form.phases, form.promotions) = (4, true);
            form.drivers = (0..DRIVERS).map(|d| d.to_string()).collect();
            let rows = first_windows(&form);
            let mut batch = Batch::default();
            batch.resize(1, &form);
            let numbers = [
                &batch.sequence,
                &batch.linear,
                &batch.traits,
                &batch.ahead,
                &batch.happened,
                &batch.weights,
            ];
            let each: usize = numbers.iter().map(|part| part.len()).sum();
            assert!(rows * each <= ROOM, "{frequency:?} {horizon}: {rows} of {each}");
            assert!(rows >= 4 * form.window(), "{frequency:?} {horizon}: {rows}");
        }
    }
}

/// Cancels at the given report of progress.
struct Cancel(AtomicU64, Arc<AtomicBool>);

impl Progress for Cancel {
    fn step(&self, _: &str, _: u64, _: u64) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_killed_lesson_goes_on_to_the_same_bits() {
    let shelf = swinging(110);
    let whole = taught(&shelf, 600, [None, None]).bytes();
    for reports in [1, 3, 8] {
        let store = Arc::new(Memory::default());
        let flag = Arc::new(AtomicBool::new(false));
        let control = Control::unbounded()
            .with_checkpoints(store.clone())
            .with_cancel(flag.clone())
            .with_progress(Arc::new(Cancel(AtomicU64::new(reports), flag.clone())));
        let times = instants();
        let ended = teach(&shelf, &plan(), terms(600, &times, [None, None]), &control);
        assert!(matches!(ended, Err(FitError::Stopped(_))), "{ended:?}");
        let kept = store.len("lstm of the past") + store.len("lstm of tonight");
        assert!(kept > 0 || reports == 1, "after {reports} epochs");
        let control = Control::unbounded().with_checkpoints(store);
        match teach(&shelf, &plan(), terms(600, &times, [None, None]), &control).unwrap() {
            Lessons::Taught(taught) => assert!(taught.bytes() == whole, "to the bit"),
            Lessons::Skipped(why) => panic!("{why}"),
        }
    }
}
