//! The exact likelihood of a series with gaps, and the state from which forecasts start: the Kalman filter.
//!
//! A differenced series goes on from its own past, `y[t] = w[t] + delta[1] y[t-1] + ... + delta[D] y[t-D]`, with
//! `D = d + season * sd`. The state holds the stationary part `w` in companion form and those of the last `D` values
//! that are *unknown*: missing ones until they are too old to matter, and at first the ones before the series. Of these
//! nothing is known, so their variance is infinite, and the exact diffuse filter keeps the infinite part of the
//! covariance apart (Durbin and Koopman, Time Series Analysis by State Space Methods, 2012, section 5.2), where R's
//! `arima` puts 1e6. A value that only tells of them (the first `D` ones of a series without gaps) adds nothing to the
//! likelihood. Known values are constants and no states, so that a season costs no more than its gaps do.
//!
//! A missing value is a step without an update. As soon as the stationary part is known as well as it will ever be, the
//! covariance is `R R'` to 1e-13 and a step costs O(state), until the next gap.

use super::dual::Real;
use super::polynomial::{Arma, start};

/// Covariances that differ by less are the same.
const SAME: f64 = 1e-13;
/// A diffuse variance below is none. They are sums of products of small whole numbers.
pub(super) const NONE: f64 = 1e-9;

/// Mean (one column per series filtered) and covariance of the state before a step is observed.
#[derive(Debug, Clone)]
pub(super) struct State<R> {
    /// Companion states; they come first.
    pub(super) r: usize,
    /// Autoregressive coefficients, filled up to r, and where they may differ from 0.
    pub(super) ar: Vec<R>,
    pub(super) ar_lags: Vec<usize>,
    /// `R`: 1, ma1, ...
    shock: Vec<R>,
    /// `R R'`, row-major.
    pub(super) noise: Vec<R>,
    /// The lags with a `delta`, and it.
    deltas: Vec<(usize, f64)>,
    /// D.
    pub(super) reach: usize,
    /// How many steps ago each unknown value was; they follow the companion states, newest first.
    pub(super) unknown: Vec<usize>,
    /// `mean[c][i]`.
    pub(super) mean: Vec<Vec<R>>,
    /// Values of each series so far, those unknown as 0.
    past: Vec<Vec<f64>>,
    /// `p[i * size + j]`, `size = r + unknown.len()`.
    pub(super) p: Vec<R>,
    /// The infinite part, over the unknown values alone; empty once nothing is infinite.
    pub(super) infinite: Vec<f64>,
    /// Sum of the logarithms of the infinite parts of the variances met so far.
    infinite_logs: f64,
    steady: bool,
}

impl<R: Real> State<R> {
    /// Before the first step of `width` series; `None` where the model is not stationary.
    pub(super) fn new(arma: &Arma<R>, delta: &[f64], width: usize) -> Option<Self> {
        let (variance, g) = start(arma)?;
        let r = arma.states();
        let reach = delta.len();
        let size = r + reach;
        let mut ar = arma.ar.clone();
        ar.resize(r, R::ZERO);
        let mut shock = vec![R::ONE];
        shock.extend_from_slice(&arma.ma);
        shock.resize(r, R::ZERO);
        let noise: Vec<R> = (0..r * r).map(|cell| shock[cell / r] * shock[cell % r]).collect();
        // The first column of the stationary covariance, then P = T P T' + R R' from the far corner.
        let mut column = vec![variance];
        column.extend((1..r).map(|i| g[i - 1] - ar[i - 1] * variance));
        let mut p = vec![R::ZERO; size * size];
        for i in (0..r).rev() {
            for k in (i..r).rev() {
                let mut sum = ar[i] * ar[k] * variance + noise[i * r + k];
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
        let mut infinite = vec![0.0; reach * reach];
        for i in 0..reach {
            infinite[i * reach + i] = 1.0;
        }
        Some(Self {
            r,
            ar,
            ar_lags: arma.ar_lags.clone(),
            shock,
            noise,
            deltas: with_lags(delta),
            reach,
            unknown: (1..=reach).collect(),
            mean: vec![vec![R::ZERO; size]; width],
            past: vec![vec![0.0; reach]; width],
            p,
            infinite,
            infinite_logs: 0.0,
            steady: false,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.r + self.unknown.len()
    }

    /// What the value at this step takes of each unknown one.
    fn loading(&self, unknown: usize) -> f64 {
        let age = self.unknown[unknown];
        self.deltas
            .iter()
            .find(|(lag, _)| *lag == age)
            .map_or(0.0, |(_, delta)| *delta)
    }

    fn loadings(&self) -> Vec<f64> {
        (0..self.unknown.len()).map(|u| self.loading(u)).collect()
    }

    /// What is expected of series `c` at this step.
    pub(super) fn expected(&self, c: usize) -> R {
        let past = &self.past[c];
        let known: f64 = self
            .deltas
            .iter()
            .map(|(lag, delta)| delta * past[past.len() - lag])
            .sum();
        let mut sum = self.mean[c][0] + R::from(known);
        for (u, &mean) in self.mean[c][self.r..].iter().enumerate() {
            sum += mean * self.loading(u);
        }
        sum
    }

    /// Covariance of the state with the value at this step.
    fn with_value(&self, loadings: &[f64]) -> Vec<R> {
        self.p
            .chunks_exact(self.size())
            .map(|line| {
                let mut sum = line[0];
                for (&value, &loading) in line[self.r..].iter().zip(loadings) {
                    if loading != 0.0 {
                        sum += value * loading;
                    }
                }
                sum
            })
            .collect()
    }

    fn variance_of(&self, with_value: &[R], loadings: &[f64]) -> R {
        let mut sum = with_value[0];
        for (&value, &loading) in with_value[self.r..].iter().zip(loadings) {
            sum += value * loading;
        }
        sum
    }

    /// The variance of the value at this step, in units of the innovation variance.
    pub(super) fn variance(&self) -> R {
        let loadings = self.loadings();
        self.variance_of(&self.with_value(&loadings), &loadings)
    }

    /// Whether some value before the series is still unknown.
    pub(super) fn diffuse(&self) -> bool {
        !self.infinite.is_empty()
    }

    /// Takes in the values at this step. Returns their variance, and the innovations in `innovations`; `None` where
    /// they only told of the values before the series.
    pub(super) fn update(&mut self, values: impl Fn(usize) -> f64, innovations: &mut [R]) -> Option<R> {
        for (c, innovation) in innovations.iter_mut().enumerate() {
            *innovation = R::from(values(c)) - self.expected(c);
        }
        if self.steady {
            for (mean, &innovation) in self.mean.iter_mut().zip(innovations.iter()) {
                for (mean, &shock) in mean.iter_mut().zip(&self.shock) {
                    *mean += shock * innovation;
                }
            }
            return Some(R::ONE);
        }
        let loadings = self.loadings();
        let m = self.with_value(&loadings);
        let f = self.variance_of(&m, &loadings);
        if self.diffuse() && self.update_infinite(&loadings, &m, f, innovations) {
            return None;
        }
        let size = self.size();
        let inverse = f.inverse();
        for (mean, &innovation) in self.mean.iter_mut().zip(innovations.iter()) {
            let scaled = innovation * inverse;
            for (mean, &m) in mean.iter_mut().zip(&m) {
                *mean += m * scaled;
            }
        }
        for i in 0..size {
            let factor = m[i] * inverse;
            for (cell, &m) in self.p[i * size..(i + 1) * size].iter_mut().zip(&m) {
                *cell -= factor * m;
            }
        }
        Some(f)
    }

    /// The update where the value tells of an infinite variance; false where it does not.
    fn update_infinite(&mut self, loadings: &[f64], m: &[R], f: R, innovations: &[R]) -> bool {
        let (r, size, kept) = (self.r, self.size(), self.unknown.len());
        let mi: Vec<f64> = self
            .infinite
            .chunks_exact(kept)
            .map(|line| dot(line, loadings))
            .collect();
        let fi = dot(&mi, loadings);
        if fi <= NONE {
            return false;
        }
        let gain: Vec<f64> = std::iter::repeat_n(0.0, r)
            .chain(mi.iter().map(|m| m / fi))
            .collect();
        for (mean, &innovation) in self.mean.iter_mut().zip(innovations) {
            for (mean, &gain) in mean.iter_mut().zip(&gain) {
                *mean += innovation * gain;
            }
        }
        for i in 0..size {
            for j in 0..size {
                let change = f * (gain[i] * gain[j]) - m[i] * gain[j] - m[j] * gain[i];
                self.p[i * size + j] += change;
            }
        }
        for i in 0..kept {
            for j in 0..kept {
                self.infinite[i * kept + j] -= mi[i] * mi[j] / fi;
            }
        }
        self.infinite_logs += fi.ln();
        if self.infinite.iter().all(|x| x.abs() < NONE) {
            self.infinite.clear();
        }
        true
    }

    /// One step on, from a step whose values were taken in (`Some`) or missing.
    pub(super) fn predict(&mut self, values: Option<&dyn Fn(usize) -> f64>) {
        let (r, size) = (self.r, self.size());
        if self.steady && values.is_none() {
            // A gap after a steady stretch: the covariance comes back, R R' for the stationary part.
            for i in 0..r {
                self.p[i * size..i * size + r].copy_from_slice(&self.noise[i * r..(i + 1) * r]);
            }
            self.steady = false;
        }
        let kept = self.reach > 0 && values.is_none();
        let width = self.mean.len();
        for c in 0..width {
            let expected = self.expected(c);
            let mean = &mut self.mean[c];
            let first = mean[0];
            mean.copy_within(1..r, 0);
            mean[r - 1] = R::ZERO;
            for &lag in &self.ar_lags {
                mean[lag - 1] += self.ar[lag - 1] * first;
            }
            if kept {
                mean.insert(r, expected);
            }
            if self.reach > 0 {
                self.past[c].push(values.map_or(0.0, |values| values(c)));
            }
        }
        if self.steady {
            return;
        }
        if kept {
            let loadings = self.loadings();
            let with_value = self.with_value(&loadings);
            let variance = self.variance_of(&with_value, &loadings);
            self.carry();
            self.keep(&with_value, variance);
            if self.diffuse() {
                self.keep_infinite(&loadings);
            }
        } else {
            self.carry();
        }
        self.unknown.iter_mut().for_each(|age| *age += 1);
        if kept {
            self.unknown.insert(0, 1);
        }
        self.forget();
        if values.is_some() && self.unknown.is_empty() {
            self.steady = self.settled();
        }
    }

    fn settled(&self) -> bool {
        self.p
            .iter()
            .zip(&self.noise)
            .all(|(value, end)| (value.value() - end.value()).abs() < SAME)
    }
}

impl State<f64> {
    /// What the infinite variances add to the sum of logarithms, but for infinity itself: 0 without gaps.
    pub(super) fn infinite_logs(&self) -> f64 {
        self.infinite_logs
    }

    /// A finite variance instead of the infinite one, as in R.
    #[cfg(test)]
    pub(super) fn start_as_r(&mut self, variance: f64) {
        let size = self.size();
        for i in self.r..size {
            self.p[i * size + i] = variance;
        }
        self.infinite.clear();
    }

    /// A state over the differences becomes one over the series whose last values these are.
    pub(super) fn integrated(mut self, delta: &[f64], past: &[f64]) -> Self {
        self.deltas = with_lags(delta);
        self.reach = delta.len();
        self.past = vec![past.to_vec()];
        self
    }
}

fn with_lags(delta: &[f64]) -> Vec<(usize, f64)> {
    delta
        .iter()
        .enumerate()
        .filter(|(_, delta)| **delta != 0.0)
        .map(|(i, delta)| (i + 1, *delta))
        .collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
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
    for (t, first) in columns[0].iter().enumerate() {
        if first.is_nan() {
            state.predict(None);
            continue;
        }
        let values = |c: usize| columns[c][t];
        if let Some(f) = state.update(values, &mut innovations) {
            each(t, f, &innovations);
        }
        state.predict(Some(&values));
    }
    Some(state)
}
