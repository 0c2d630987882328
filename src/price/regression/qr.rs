//! `X = Q R` by Householder reflections, rows arriving in blocks.
//!
//! Only `R` and `Q'y` are kept: a block of rows is stacked under the triangle so far and reflected into it (a tall,
//! skinny decomposition in sequence; Golub and Van Loan, Matrix Computations, 2013, section 5.2 and 12.5). A block fits
//! into the processor's cache, so a hundred thousand rows cost their arithmetic and no more memory. The order of rows
//! fixes the order of sums: equal input, equal bits.

/// Rows reflected together.
const BLOCK: usize = 128;

/// A column is dropped when what its predecessors leave of it is shorter than this share of its length. R's `lm` takes
/// 1e-7; rounding alone leaves about 1e-15, and regressions with a condition number of 1e9 still have digits.
pub(in crate::price) const TOLERANCE: f64 = 1e-10;

/// The upper triangle `R` of some columns, row-major, and `Q'y`.
#[derive(Debug, Clone)]
pub(in crate::price) struct Triangle {
    /// Columns kept.
    pub(in crate::price) size: usize,
    /// Entry (i, j) at `i * size + j`, zero below the diagonal.
    pub(in crate::price) r: Vec<f64>,
    /// `Q'y`, one per column.
    pub(in crate::price) z: Vec<f64>,
}

impl Triangle {
    pub(in crate::price) fn new(size: usize) -> Self {
        Self {
            size,
            r: vec![0.0; size * size],
            z: vec![0.0; size],
        }
    }

    /// Reflects rows (`x` row-major, one `y` each) into the triangle.
    pub(in crate::price) fn absorb_rows(&mut self, x: &[f64], y: &[f64]) {
        let p = self.size;
        // Column-major, the target as the last column.
        let mut block = vec![0.0; BLOCK.min(y.len()) * (p + 1)];
        for (x, y) in x.chunks(BLOCK * p).zip(y.chunks(BLOCK)) {
            let n = y.len();
            for (i, row) in x.chunks_exact(p).enumerate() {
                for (j, value) in row.iter().enumerate() {
                    block[j * n + i] = *value;
                }
            }
            block[p * n..(p + 1) * n].copy_from_slice(y);
            self.reflect(&mut block[..(p + 1) * n], n);
        }
    }

    fn reflect(&mut self, block: &mut [f64], n: usize) {
        let p = self.size;
        for j in 0..p {
            let (done, rest) = block.split_at_mut((j + 1) * n);
            let v = &mut done[j * n..];
            let top = self.r[j * p + j];
            let tail = sum_of_products(v, v);
            if tail == 0.0 {
                continue;
            }
            // H = I - u u' / h with u = (top - alpha, v), which sends (top, v) to (alpha, 0).
            let alpha = -(top * top + tail).sqrt().copysign(top);
            let u = top - alpha;
            let h = -alpha * u;
            self.r[j * p + j] = alpha;
            for k in j + 1..=p {
                let column = &mut rest[(k - j - 1) * n..(k - j) * n];
                let above = if k < p {
                    &mut self.r[j * p + k]
                } else {
                    &mut self.z[j]
                };
                let share = (u * *above + sum_of_products(v, column)) / h;
                *above -= share * u;
                for (value, v) in column.iter_mut().zip(v.iter()) {
                    *value -= share * v;
                }
            }
        }
    }

    /// Leaves out columns that are combinations of columns before them and returns them in order; `length` are the
    /// columns' lengths before group means left them.
    pub(in crate::price) fn reduce(&mut self, length: &[f64]) -> Vec<usize> {
        let p = self.size;
        // Penalty rows make a column longer than its data.
        let least = |j: usize, r: &[f64]| {
            let own = (0..p).map(|i| r[i * p + j] * r[i * p + j]).sum::<f64>().sqrt();
            TOLERANCE * own.max(length[j])
        };
        if (0..p).all(|j| self.r[j * p + j].abs() > least(j, &self.r)) {
            return Vec::new();
        }
        // The triangle's rows as a small regression of their own, column after column, as R's dqrdc2 does it.
        let mut left = self.r.clone();
        let mut z = self.z.clone();
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        for j in 0..p {
            let row = kept.len();
            let norm = (row..p)
                .map(|i| left[i * p + j] * left[i * p + j])
                .sum::<f64>()
                .sqrt();
            if norm <= least(j, &self.r) {
                dropped.push(j);
                continue;
            }
            kept.push(j);
            let top = left[row * p + j];
            let alpha = -norm.copysign(top);
            let mut u: Vec<f64> = (row..p).map(|i| left[i * p + j]).collect();
            u[0] -= alpha;
            let h = -alpha * u[0];
            for k in j..p {
                let share = u
                    .iter()
                    .enumerate()
                    .map(|(i, u)| u * left[(row + i) * p + k])
                    .sum::<f64>()
                    / h;
                for (i, u) in u.iter().enumerate() {
                    left[(row + i) * p + k] -= share * u;
                }
            }
            let share = u.iter().zip(&z[row..]).map(|(u, z)| u * z).sum::<f64>() / h;
            for (z, u) in z[row..].iter_mut().zip(&u) {
                *z -= share * u;
            }
        }
        let size = kept.len();
        let mut smaller = Self::new(size);
        for i in 0..size {
            for k in i..size {
                smaller.r[i * size + k] = left[i * p + kept[k]];
            }
            smaller.z[i] = z[i];
        }
        *self = smaller;
        dropped
    }

    /// `R^-1 z`.
    pub(in crate::price) fn solve(&self) -> Vec<f64> {
        let mut b = self.z.clone();
        self.back(&mut b);
        b
    }

    /// Solves `R b = b` in place.
    pub(in crate::price) fn back(&self, b: &mut [f64]) {
        let p = self.size;
        for i in (0..p).rev() {
            let sum: f64 = (i + 1..p).map(|k| self.r[i * p + k] * b[k]).sum();
            b[i] = (b[i] - sum) / self.r[i * p + i];
        }
    }

    /// Solves `R' w = w` in place: a row of `X` becomes its row of `Q`.
    pub(in crate::price) fn forward(&self, w: &mut [f64]) {
        let p = self.size;
        for i in 0..p {
            let value = w[i] / self.r[i * p + i];
            w[i] = value;
            for (w, r) in w[i + 1..].iter_mut().zip(&self.r[i * p + i + 1..(i + 1) * p]) {
                *w -= r * value;
            }
        }
    }

    /// `R^-1`, row-major.
    pub(in crate::price) fn inverse(&self) -> Vec<f64> {
        let p = self.size;
        let mut inverse = vec![0.0; p * p];
        let mut column = vec![0.0; p];
        for j in 0..p {
            column.fill(0.0);
            column[j] = 1.0;
            self.back(&mut column);
            for i in 0..p {
                inverse[i * p + j] = column[i];
            }
        }
        inverse
    }
}

/// In four lanes, so that it vectorises; the order is fixed.
fn sum_of_products(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for l in 0..4 {
            lanes[l] += a[l] * b[l];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}
