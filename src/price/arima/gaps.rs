//! How the covariance of the Kalman filter goes a step on, and how values that are not known come into the state and leave it.
//!
//! The companion states are carried by their transition. The value of a step that was missing becomes a state of its own,
//! with its covariances as of then, and is dropped again once no difference reaches back to it.

use super::dual::Real;
use super::kalman::{NONE, State, dot};

impl<R: Real> State<R> {
    /// `P = T P T' + R R'` in place, over the companion states and their covariances with unknown values.
    pub(super) fn carry(&mut self) {
        let (r, size) = (self.r, self.size());
        let first = self.p[..size].to_vec();
        for i in 0..r - 1 {
            self.p
                .copy_within((i + 1) * size + 1..(i + 1) * size + r, i * size);
            self.p
                .copy_within((i + 1) * size + r..(i + 2) * size, i * size + r);
            self.p[i * size + r - 1] = R::ZERO;
        }
        self.p[(r - 1) * size..r * size].fill(R::ZERO);
        for (line, noise) in self.p.chunks_exact_mut(size).zip(self.noise.chunks_exact(r)) {
            for (cell, &noise) in line.iter_mut().zip(noise) {
                *cell += noise;
            }
        }
        for &lag in &self.ar_lags {
            let (i, ar) = (lag - 1, self.ar[lag - 1]);
            for j in 0..r - 1 {
                let value = ar * first[j + 1];
                self.p[i * size + j] += value;
                self.p[j * size + i] += value;
            }
            for (cell, &before) in self.p[i * size + r..(i + 1) * size].iter_mut().zip(&first[r..]) {
                *cell += ar * before;
            }
            for &other in &self.ar_lags {
                self.p[i * size + other - 1] += ar * self.ar[other - 1] * first[0];
            }
        }
        for i in 0..r {
            for j in r..size {
                self.p[j * size + i] = self.p[i * size + j];
            }
        }
    }

    /// Takes the value of the step just left in among the unknown ones: its covariances with the state then.
    pub(super) fn keep(&mut self, with_value: &[R], variance: R) {
        let (r, size) = (self.r, self.size());
        let next = size + 1;
        // With the companion states now.
        let mut line: Vec<R> = (1..r).map(|i| with_value[i]).collect();
        line.push(R::ZERO);
        for &lag in &self.ar_lags {
            line[lag - 1] += self.ar[lag - 1] * with_value[0];
        }
        line.push(variance);
        line.extend_from_slice(&with_value[r..]);
        let mut p = Vec::with_capacity(next * next);
        for (i, old) in self.p.chunks_exact(size).enumerate() {
            if i == r {
                p.extend_from_slice(&line);
            }
            let at = if i < r { i } else { i + 1 };
            p.extend_from_slice(&old[..r]);
            p.push(line[at]);
            p.extend_from_slice(&old[r..]);
        }
        if size == r {
            p.extend_from_slice(&line);
        }
        self.p = p;
    }

    /// The same for the infinite part.
    pub(super) fn keep_infinite(&mut self, loadings: &[f64]) {
        let n = loadings.len();
        let line: Vec<f64> = self
            .infinite
            .chunks_exact(n)
            .map(|line| dot(line, loadings))
            .collect();
        let mut new = vec![dot(&line, loadings)];
        new.extend_from_slice(&line);
        for (value, old) in line.iter().zip(self.infinite.chunks_exact(n)) {
            new.push(*value);
            new.extend_from_slice(old);
        }
        self.infinite = new;
    }

    /// Drops the unknown value that is too old to matter.
    pub(super) fn forget(&mut self) {
        if self.unknown.last().is_none_or(|age| *age <= self.reach) {
            return;
        }
        without_last(&mut self.p, self.r + self.unknown.len());
        if self.diffuse() {
            without_last(&mut self.infinite, self.unknown.len());
            if self.infinite.iter().all(|x| x.abs() < NONE) {
                self.infinite.clear();
            }
        }
        self.unknown.pop();
        for mean in &mut self.mean {
            mean.pop();
        }
    }
}

/// Takes the last row and column from a square matrix.
fn without_last<T: Copy>(matrix: &mut Vec<T>, size: usize) {
    for i in 1..size - 1 {
        matrix.copy_within(i * size..(i + 1) * size - 1, i * (size - 1));
    }
    matrix.truncate((size - 1) * (size - 1));
}
