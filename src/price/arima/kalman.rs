//! The exact likelihood of a series with gaps, and the state from which forecasts start: the Kalman filter.
//!
//! The state holds the stationary part in companion form and the last `D` values of the series itself,
//! `D = d + season * sd`: `y[t] = w[t] + delta[1] y[t-1] + ... + delta[D] y[t-D]` (Harvey, Forecasting, Structural Time
//! Series Models and the Kalman Filter, 1989, section 3.3; R's `arima`). Nothing is known of the values before the
//! series begins, so their variance is infinite: the exact diffuse filter keeps the infinite part of the covariance
//! apart (Durbin and Koopman, Time Series Analysis by State Space Methods, 2012, section 5.2), where R puts 1e6. A value
//! that only tells the infinite part (the first `D` ones of a series without gaps) adds nothing to the likelihood.
//!
//! A missing value is a step without an update. As soon as the stationary part is known as well as it will ever be and
//! no gap is near, the covariance is `R R'` to 1e-13 and a step costs O(state).

use super::dual::Real;
use super::polynomial::{Arma, start};

/// Covariances that differ by less are the same.
const SAME: f64 = 1e-13;
/// A diffuse variance below is none. They are sums of products of small whole numbers.
const NONE: f64 = 1e-9;

/// Mean (one column per series filtered) and covariance of the state before a step is observed.
#[derive(Debug, Clone)]
pub(super) struct State<R> {
    /// Companion states.
    r: usize,
    /// Companion states and kept values.
    size: usize,
    /// `delta[i - 1]` multiplies `y[t-i]`.
    delta: Vec<f64>,
    /// Autoregressive coefficients, filled up to r.
    ar: Vec<R>,
    /// `R`: 1, ma1, ...
    shock: Vec<R>,
    /// `a[c * size + i]`.
    mean: Vec<R>,
    /// `p[i * size + j]`.
    p: Vec<R>,
    /// The infinite part, over the kept values alone; empty once nothing is infinite.
    infinite: Vec<f64>,
    steady: bool,
}

impl<R: Real> State<R> {
    /// Before the first step of `width` series; `None` where the model is not stationary.
    pub(super) fn new(arma: &Arma<R>, delta: &[f64], width: usize) -> Option<Self> {
        let (variance, g) = start(arma)?;
        let r = arma.states();
        let kept = delta.len();
        let size = r + kept;
        let mut ar = arma.ar.clone();
        ar.resize(r, R::ZERO);
        let mut shock = vec![R::ONE];
        shock.extend_from_slice(&arma.ma);
        shock.resize(r, R::ZERO);
        // The first column of the stationary covariance, then P = T P T' + R R' from the far corner.
        let mut column = vec![variance];
        column.extend((1..r).map(|i| g[i - 1] - ar[i - 1] * variance));
        let mut p = vec![R::ZERO; size * size];
        for i in (0..r).rev() {
            for k in (i..r).rev() {
                let mut sum = ar[i] * ar[k] * variance + shock[i] * shock[k];
                if k + 1 < r {
                    sum += ar[i] * column[k + 1];
                    sum += p[(i + 1) * size + k + 1];
                }
                if i + 1 < r {
                    sum += ar[k] * column[i + 1];
                }
                p[i * size + k] = sum;
                p[k * size + i] = sum;
            }
        }
        let mut infinite = vec![0.0; kept * kept];
        for i in 0..kept {
            infinite[i * kept + i] = 1.0;
        }
        Some(Self {
            r,
            size,
            delta: delta.to_vec(),
            ar,
            shock,
            mean: vec![R::ZERO; size * width],
            p,
            infinite,
            steady: false,
        })
    }

    /// What is expected of series `c` at this step.
    pub(super) fn expected(&self, c: usize) -> R {
        let mean = &self.mean[c * self.size..(c + 1) * self.size];
        let mut sum = mean[0];
        for (value, delta) in mean[self.r..].iter().zip(&self.delta) {
            sum += *value * *delta;
        }
        sum
    }

    /// Covariance of the state with the value at this step.
    fn with_value(&self) -> Vec<R> {
        (0..self.size)
            .map(|i| {
                let line = &self.p[i * self.size..(i + 1) * self.size];
                let mut sum = line[0];
                for (value, delta) in line[self.r..].iter().zip(&self.delta) {
                    if *delta != 0.0 {
                        sum += *value * *delta;
                    }
                }
                sum
            })
            .collect()
    }

    fn variance_of(&self, with_value: &[R]) -> R {
        let mut sum = with_value[0];
        for (value, delta) in with_value[self.r..].iter().zip(&self.delta) {
            sum += *value * *delta;
        }
        sum
    }

    /// The variance of the value at this step, in units of the innovation variance.
    pub(super) fn variance(&self) -> R {
        self.variance_of(&self.with_value())
    }

    /// Whether some value before the series is still unknown.
    pub(super) fn diffuse(&self) -> bool {
        !self.infinite.is_empty()
    }

    /// Takes in the values at this step. Returns their variance, and the innovations in `innovations`; `None` where
    /// they only told of the values before the series.
    pub(super) fn update(&mut self, values: impl Fn(usize) -> f64, innovations: &mut [R]) -> Option<R> {
        let size = self.size;
        for (c, innovation) in innovations.iter_mut().enumerate() {
            *innovation = R::from(values(c)) - self.expected(c);
        }
        if self.steady {
            for (c, &innovation) in innovations.iter().enumerate() {
                let mean = &mut self.mean[c * size..c * size + self.r];
                for (mean, shock) in mean.iter_mut().zip(&self.shock) {
                    *mean += *shock * innovation;
                }
            }
            return Some(R::ONE);
        }
        let m = self.with_value();
        let f = self.variance_of(&m);
        if self.diffuse() {
            let kept = self.delta.len();
            let mi: Vec<f64> = self
                .infinite
                .chunks_exact(kept)
                .map(|line| line.iter().zip(&self.delta).map(|(a, b)| a * b).sum())
                .collect();
            let fi: f64 = mi.iter().zip(&self.delta).map(|(a, b)| a * b).sum();
            if fi > NONE {
                let gain = |i: usize| if i < self.r { 0.0 } else { mi[i - self.r] / fi };
                for (c, &innovation) in innovations.iter().enumerate() {
                    for i in self.r..size {
                        self.mean[c * size + i] += innovation * gain(i);
                    }
                }
                for i in 0..size {
                    for j in 0..size {
                        let change = f * (gain(i) * gain(j)) - m[i] * gain(j) - m[j] * gain(i);
                        self.p[i * size + j] += change;
                    }
                }
                for i in 0..kept {
                    for j in 0..kept {
                        self.infinite[i * kept + j] -= mi[i] * mi[j] / fi;
                    }
                }
                if self.infinite.iter().all(|x| x.abs() < NONE) {
                    self.infinite.clear();
                }
                return None;
            }
        }
        let inverse = f.inverse();
        for (c, &innovation) in innovations.iter().enumerate() {
            let scaled = innovation * inverse;
            for (mean, m) in self.mean[c * size..(c + 1) * size].iter_mut().zip(&m) {
                *mean += *m * scaled;
            }
        }
        for i in 0..size {
            let factor = m[i] * inverse;
            for (j, &other) in m.iter().enumerate().take(size).skip(i) {
                let value = self.p[i * size + j] - factor * other;
                self.p[i * size + j] = value;
                self.p[j * size + i] = value;
            }
        }
        Some(f)
    }

    /// One step on. `observed`: this step's value was taken in.
    pub(super) fn predict(&mut self, observed: bool) {
        let (r, size, kept) = (self.r, self.size, self.delta.len());
        let width = self.mean.len() / size;
        for c in 0..width {
            let value = self.expected(c);
            let mean = &mut self.mean[c * size..(c + 1) * size];
            let first = mean[0];
            for i in 0..r {
                let next = if i + 1 < r { mean[i + 1] } else { R::ZERO };
                mean[i] = next + self.ar[i] * first;
            }
            if kept > 0 {
                mean[r..].rotate_right(1);
                mean[r] = value;
            }
        }
        if self.steady && observed {
            return;
        }
        if self.steady {
            // A gap after a steady stretch: the covariance comes back, R R' for the stationary part, nothing else.
            self.p.fill(R::ZERO);
            for i in 0..r {
                for j in 0..r {
                    self.p[i * size + j] = self.shock[i] * self.shock[j];
                }
            }
            self.steady = false;
        }
        // P = T P T' + R R': rows first, then columns.
        let value = self.with_value();
        let mut half = vec![R::ZERO; size * size];
        for i in 0..r {
            for j in 0..size {
                let next = if i + 1 < r {
                    self.p[(i + 1) * size + j]
                } else {
                    R::ZERO
                };
                half[i * size + j] = next + self.ar[i] * self.p[j];
            }
        }
        if kept > 0 {
            half[r * size..(r + 1) * size].copy_from_slice(&value);
            half[(r + 1) * size..].copy_from_slice(&self.p[r * size..(size - 1) * size]);
        }
        for i in 0..size {
            let line = &half[i * size..(i + 1) * size];
            for j in i..size {
                let mut sum = if j < r {
                    let next = if j + 1 < r { line[j + 1] } else { R::ZERO };
                    next + self.ar[j] * line[0]
                } else if j == r {
                    let mut sum = line[0];
                    for (value, delta) in line[r..].iter().zip(&self.delta) {
                        if *delta != 0.0 {
                            sum += *value * *delta;
                        }
                    }
                    sum
                } else {
                    line[j - 1]
                };
                if j < r {
                    sum += self.shock[i] * self.shock[j];
                }
                self.p[i * size + j] = sum;
                self.p[j * size + i] = sum;
            }
        }
        if self.diffuse() {
            self.predict_infinite();
        } else if observed {
            self.steady = self.settled();
        }
    }

    fn predict_infinite(&mut self) {
        let kept = self.delta.len();
        let old = std::mem::take(&mut self.infinite);
        let line: Vec<f64> = old
            .chunks_exact(kept)
            .map(|line| line.iter().zip(&self.delta).map(|(a, b)| a * b).sum())
            .collect();
        let corner: f64 = line.iter().zip(&self.delta).map(|(a, b)| a * b).sum();
        let mut new = vec![0.0; kept * kept];
        for i in 0..kept {
            for j in 0..kept {
                new[i * kept + j] = match (i, j) {
                    (0, 0) => corner,
                    (0, j) => line[j - 1],
                    (i, 0) => line[i - 1],
                    (i, j) => old[(i - 1) * kept + j - 1],
                };
            }
        }
        self.infinite = new;
    }

    fn settled(&self) -> bool {
        self.p.chunks_exact(self.size).enumerate().all(|(i, line)| {
            line.iter().enumerate().all(|(j, value)| {
                let end = if i < self.r && j < self.r {
                    self.shock[i].value() * self.shock[j].value()
                } else {
                    0.0
                };
                (value.value() - end).abs() < SAME
            })
        })
    }
}

impl State<f64> {
    /// A state over the differences becomes one over the series whose last values these are, newest first.
    pub(super) fn integrated(&self, delta: &[f64], newest_first: &[f64]) -> Self {
        let size = self.r + delta.len();
        let mut state = Self {
            r: self.r,
            size,
            delta: delta.to_vec(),
            ar: self.ar.clone(),
            shock: self.shock.clone(),
            mean: self.mean[..self.r].iter().chain(newest_first).copied().collect(),
            p: vec![0.0; size * size],
            infinite: Vec::new(),
            steady: false,
        };
        for i in 0..self.r {
            for j in 0..self.r {
                state.p[i * size + j] = if self.steady {
                    self.shock[i] * self.shock[j]
                } else {
                    self.p[i * self.size + j]
                };
            }
        }
        state
    }
}

/// Runs series with the same gaps (`NaN` in the first column) through the filter. `each(t, F, v)` as in
/// [`super::innovations`], for the steps that tell something. `None` where the model is not stationary.
pub(super) fn filter<R: Real>(
    arma: &Arma<R>,
    delta: &[f64],
    columns: &[&[f64]],
    mut each: impl FnMut(usize, R, &[R]),
) -> Option<State<R>> {
    let mut state = State::new(arma, delta, columns.len())?;
    let mut innovations = vec![R::ZERO; columns.len()];
    for (t, value) in columns[0].iter().enumerate() {
        let observed = !value.is_nan();
        if observed && let Some(f) = state.update(|c| columns[c][t], &mut innovations) {
            each(t, f, &innovations);
        }
        state.predict(observed);
    }
    Some(state)
}
