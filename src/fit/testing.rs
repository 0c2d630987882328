//! Problems with known answers, a store of checkpoints in memory, and the trial every method has to pass.

use super::{Checkpoint, Checkpoints, Control, Differentiable, FitError, Fitted, Objective};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Rosenbrock's curved valley, (1-x)^2 + 100 (y-x^2)^2, least at (1, 1).
#[derive(Clone, Copy)]
pub(crate) struct Rosenbrock;

impl Objective for Rosenbrock {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut [0.0; 2])
    }
}

impl Differentiable for Rosenbrock {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = -2.0 * a - 400.0 * b * x[0];
        gradient[1] = 200.0 * b;
        a * a + 100.0 * b * b
    }
}

/// A bowl with the given scales, least where parameter i is sin(i).
pub(crate) struct Quadratic {
    pub(crate) scales: Vec<f64>,
}

impl Objective for Quadratic {
    fn cost(&self, x: &[f64]) -> f64 {
        self.cost_and_gradient(x, &mut vec![0.0; x.len()])
    }
}

impl Differentiable for Quadratic {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (i, scale) in self.scales.iter().enumerate() {
            let e = x[i] - (i as f64).sin();
            sum += 0.5 * scale * e * e;
            gradient[i] = scale * e;
        }
        sum
    }
}

/// An objective in whose n-th evaluation the fit is cancelled, from another thread.
pub(crate) struct Interrupted<T> {
    inner: T,
    after: u64,
    seen: Cell<u64>,
    flag: Arc<AtomicBool>,
    pub(crate) control: Control,
}

pub(crate) fn cancel_after<T>(inner: T, after: u64) -> Interrupted<T> {
    let flag = Arc::new(AtomicBool::new(false));
    let control = Control::unbounded().with_cancel(flag.clone());
    Interrupted {
        inner,
        after,
        seen: Cell::new(0),
        flag,
        control,
    }
}

pub(crate) fn interrupted_at<T>(inner: T, after: u64, store: Arc<Memory>) -> Interrupted<T> {
    let mut interrupted = cancel_after(inner, after);
    interrupted.control = interrupted.control.with_checkpoints(store);
    interrupted
}

impl<T> Interrupted<T> {
    pub(crate) fn evaluations(&self) -> u64 {
        self.seen.get()
    }

    fn count(&self) {
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() == self.after {
            let flag = self.flag.clone();
            std::thread::spawn(move || flag.store(true, Ordering::Relaxed))
                .join()
                .unwrap();
        }
    }
}

impl<T: Objective> Objective for Interrupted<T> {
    fn cost(&self, x: &[f64]) -> f64 {
        self.count();
        self.inner.cost(x)
    }
}

impl<T: Differentiable> Differentiable for Interrupted<T> {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.count();
        self.inner.cost_and_gradient(x, gradient)
    }
}

/// Checkpoints in memory.
#[derive(Default)]
pub(crate) struct Memory {
    blobs: Mutex<BTreeMap<String, (u128, Vec<u8>)>>,
    careless: AtomicBool,
    broken: AtomicBool,
}

impl Memory {
    pub(crate) fn len(&self, name: &str) -> usize {
        self.blobs
            .lock()
            .unwrap()
            .get(name)
            .map_or(0, |(_, blob)| blob.len())
    }

    pub(crate) fn put(&self, name: &str, fingerprint: u128, blob: Vec<u8>) {
        self.blobs
            .lock()
            .unwrap()
            .insert(name.into(), (fingerprint, blob));
    }

    pub(crate) fn forget_fingerprints(&self) {
        self.careless.store(true, Ordering::Relaxed);
    }

    pub(crate) fn break_it(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

impl Checkpoints for Memory {
    fn load(&self, name: &str, fingerprint: u128) -> Result<Option<Vec<u8>>, String> {
        let careless = self.careless.load(Ordering::Relaxed);
        let blobs = self.blobs.lock().unwrap();
        Ok(blobs
            .get(name)
            .filter(|(f, _)| careless || *f == fingerprint)
            .map(|(_, blob)| blob.clone()))
    }

    fn save(&self, name: &str, fingerprint: u128, state: &[u8]) -> Result<(), String> {
        if self.broken.load(Ordering::Relaxed) {
            return Err("the disk is full".into());
        }
        self.put(name, fingerprint, state.to_vec());
        Ok(())
    }

    fn clear(&self, name: &str) -> Result<(), String> {
        self.blobs.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A fit of some method: (checkpoint, cost and gradient, step limit, control).
type Fit<'a> = &'a dyn Fn(
    Option<Checkpoint>,
    &dyn Fn(&[f64], &mut [f64]) -> f64,
    u64,
    &Control,
) -> Result<Fitted, FitError>;

/// Interrupts a fit of Rosenbrock's valley at many evaluations, resumes each, and wants the bits of the fit that was
/// never interrupted; then a fit that ran into its step limit goes on under a higher one.
pub(crate) fn resumes_to_the_bit(
    fit: impl Fn(
        Option<Checkpoint>,
        &dyn Fn(&[f64], &mut [f64]) -> f64,
        u64,
        &Control,
    ) -> Result<Fitted, FitError>,
) {
    let fit: Fit<'_> = &fit;
    let checkpoint = |every| {
        Some(Checkpoint {
            name: "trial".into(),
            fingerprint: 42,
            every,
        })
    };
    let plain = |x: &[f64], g: &mut [f64]| Rosenbrock.cost_and_gradient(x, g);
    let whole = fit(None, &plain, 500, &Control::unbounded()).unwrap();
    let mut resumed = 0;
    for every in [1, 4] {
        for at in 2..whole.evaluations {
            let store = Arc::new(Memory::default());
            let stop = interrupted_at(Rosenbrock, at, store.clone());
            // The step limit of the first run is another than that of the second: a saved limit must not win.
            let first = fit(
                checkpoint(every),
                &|x, g| stop.cost_and_gradient(x, g),
                whole.iterations + 1,
                &stop.control,
            );
            assert!(matches!(first, Err(FitError::Stopped(_))), "{at}: {first:?}");
            let saved = store.len("trial") > 0;
            let again = cancel_after(Rosenbrock, u64::MAX);
            let control = Control::unbounded().with_checkpoints(store.clone());
            let second = fit(
                checkpoint(every),
                &|x, g| again.cost_and_gradient(x, g),
                500,
                &control,
            )
            .unwrap();
            assert_eq!(
                bits(&second),
                bits(&whole),
                "interrupted at {at}, saved every {every}"
            );
            assert_eq!((second.iterations, second.ended), (whole.iterations, whole.ended));
            assert_eq!(second.evaluations, whole.evaluations);
            if saved {
                resumed += 1;
                assert!(again.evaluations() < whole.evaluations, "it started afresh");
            }
        }
    }
    assert!(resumed > 10, "hardly ever resumed: the trial shows nothing");
}

fn bits(fitted: &Fitted) -> Vec<u64> {
    fitted
        .params
        .iter()
        .chain([&fitted.cost])
        .map(|x| x.to_bits())
        .collect()
}
