//! One row's regression by preconditioned conjugate gradients, over the row's own entries only.
//!
//! `A x = Σ_i w_i y_i` with `A = D + Σ_i (w_i - taken) y_i y_i'`, D diagonal. One pass over the entries gives a product
//! with A or the residual: each y_i is read once for its scalar product and, still in the nearest cache, once for the
//! sum. Sums run in the order of entries and lanes, so a row's bits depend on the processor's kind and on nothing else.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::text::Csr;

/// Vectors are padded to a multiple of this.
pub(super) const LANES: usize = 8;
/// In a sweep a row is done when its residual has fallen to this share of what it was.
const TOLERANCE: f32 = 1e-4;
/// Rows that one task solves.
const TASK: usize = 64;

/// What the rows of one side share.
#[derive(Debug, Clone, Copy)]
pub(super) struct System<'a> {
    /// The vectors of the other side, `width` apart, in the basis that makes `base` diagonal.
    pub others: &'a [f32],
    pub width: usize,
    /// The shared part of A, a diagonal without the ridge.
    pub base: &'a [f32],
    /// What a weight loses in A because the shared part has counted it.
    pub taken: f32,
}

/// Solves every row of `weights`, starting from what `rows` holds; a row without entries becomes 0.
pub(super) fn solve_all(system: &System<'_>, weights: &Csr, ridges: &[f32], steps: usize, rows: &mut [f32]) {
    let width = system.width;
    let arch = Arch::new();
    rows.par_chunks_mut(TASK * width)
        .enumerate()
        .for_each(|(task, rows)| {
            arch.dispatch(Task {
                system,
                weights,
                ridges,
                steps,
                first: task * TASK,
                rows,
            });
        });
}

/// Solves one row from what `row` holds until the residual has fallen to the share `tolerance`, or `steps` are done.
pub(super) fn solve_one(
    system: &System<'_>,
    columns: &[u32],
    values: &[f32],
    ridge: f32,
    steps: usize,
    tolerance: f32,
    row: &mut [f32],
) {
    Arch::new().dispatch(One {
        system,
        columns,
        values,
        ridge,
        steps,
        tolerance,
        row,
    });
}

struct Task<'a> {
    system: &'a System<'a>,
    weights: &'a Csr,
    ridges: &'a [f32],
    steps: usize,
    first: usize,
    rows: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.system.width;
        let mut scratch = vec![0.0f32; 4 * width];
        for (at, row) in self.rows.chunks_exact_mut(width).enumerate() {
            let (columns, values) = self.weights.row(self.first + at);
            let ridge = self.ridges[self.first + at];
            gradients(
                simd,
                self.system,
                columns,
                values,
                ridge,
                self.steps,
                TOLERANCE,
                row,
                &mut scratch,
            );
        }
    }
}

struct One<'a> {
    system: &'a System<'a>,
    columns: &'a [u32],
    values: &'a [f32],
    ridge: f32,
    steps: usize,
    tolerance: f32,
    row: &'a mut [f32],
}

impl WithSimd for One<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut scratch = vec![0.0f32; 4 * self.system.width];
        gradients(
            simd,
            self.system,
            self.columns,
            self.values,
            self.ridge,
            self.steps,
            self.tolerance,
            self.row,
            &mut scratch,
        );
    }
}

#[inline(always)]
fn gradients<S: Simd>(
    simd: S,
    system: &System<'_>,
    columns: &[u32],
    values: &[f32],
    ridge: f32,
    steps: usize,
    tolerance: f32,
    row: &mut [f32],
    scratch: &mut [f32],
) {
    if columns.is_empty() {
        row.fill(0.0);
        return;
    }
    let width = system.width;
    let (inverse, rest) = scratch.split_at_mut(width);
    let (residual, rest) = rest.split_at_mut(width);
    let (direction, product) = rest.split_at_mut(width);
    // residual = Σ (w - (w - taken) y'x) y - D x
    for ((inverse, residual), (&base, &x)) in inverse
        .iter_mut()
        .zip(&mut *residual)
        .zip(system.base.iter().zip(&*row))
    {
        let d = base + ridge;
        *residual = -d * x;
        *inverse = 1.0 / d;
    }
    pass::<S, true>(simd, system, columns, values, row, residual);
    for ((d, &i), &r) in direction.iter_mut().zip(&*inverse).zip(&*residual) {
        *d = i * r;
    }
    let mut fell = dot(simd, direction, residual);
    let enough = tolerance * tolerance * fell;
    for step in 1..=steps {
        if fell <= enough {
            break;
        }
        for ((q, &i), &d) in product.iter_mut().zip(&*inverse).zip(&*direction) {
            *q = d / i;
        }
        pass::<S, false>(simd, system, columns, values, direction, product);
        let curvature = dot(simd, direction, product);
        if curvature <= f32::MIN_POSITIVE {
            break; // the direction has shrunk below what f32 can tell from nothing
        }
        let length = fell / curvature;
        for (x, &d) in row.iter_mut().zip(&*direction) {
            *x += length * d;
        }
        if step == steps {
            break;
        }
        for (r, &q) in residual.iter_mut().zip(&*product) {
            *r -= length * q;
        }
        // product is free until the next step: it holds the preconditioned residual.
        for ((z, &i), &r) in product.iter_mut().zip(&*inverse).zip(&*residual) {
            *z = i * r;
        }
        let now = dot(simd, product, residual);
        let share = now / fell;
        for (d, &z) in direction.iter_mut().zip(&*product) {
            *d = z + share * *d;
        }
        fell = now;
    }
}

/// Adds to `sum`, over the entries, `(w - taken) (y'p) y`; as RESIDUAL `(w - (w - taken) (y'p)) y`.
#[inline(always)]
fn pass<S: Simd, const RESIDUAL: bool>(
    simd: S,
    system: &System<'_>,
    columns: &[u32],
    values: &[f32],
    p: &[f32],
    sum: &mut [f32],
) {
    let (p, _) = S::as_simd_f32s(p);
    let (sum, _) = S::as_mut_simd_f32s(sum);
    let width = system.width;
    let vector = |column: u32| S::as_simd_f32s(&system.others[column as usize * width..][..width]).0;
    let factor = |w: f32, t: f32| {
        let pulled = (w - system.taken) * t;
        if RESIDUAL { w - pulled } else { pulled }
    };
    let (fours, ones) = pulp::as_arrays::<4, _>(columns);
    let (four_values, one_values) = pulp::as_arrays::<4, _>(values);
    for (c, w) in fours.iter().zip(four_values) {
        let [y0, y1, y2, y3] = [vector(c[0]), vector(c[1]), vector(c[2]), vector(c[3])];
        let mut t0 = simd.splat_f32s(0.0);
        let (mut t1, mut t2, mut t3) = (t0, t0, t0);
        for ((((&p, &y0), &y1), &y2), &y3) in p.iter().zip(y0).zip(y1).zip(y2).zip(y3) {
            t0 = simd.mul_add_e_f32s(p, y0, t0);
            t1 = simd.mul_add_e_f32s(p, y1, t1);
            t2 = simd.mul_add_e_f32s(p, y2, t2);
            t3 = simd.mul_add_e_f32s(p, y3, t3);
        }
        let f0 = simd.splat_f32s(factor(w[0], simd.reduce_sum_f32s(t0)));
        let f1 = simd.splat_f32s(factor(w[1], simd.reduce_sum_f32s(t1)));
        let f2 = simd.splat_f32s(factor(w[2], simd.reduce_sum_f32s(t2)));
        let f3 = simd.splat_f32s(factor(w[3], simd.reduce_sum_f32s(t3)));
        for ((((sum, &y0), &y1), &y2), &y3) in sum.iter_mut().zip(y0).zip(y1).zip(y2).zip(y3) {
            let mut s = simd.mul_add_e_f32s(f0, y0, *sum);
            s = simd.mul_add_e_f32s(f1, y1, s);
            s = simd.mul_add_e_f32s(f2, y2, s);
            *sum = simd.mul_add_e_f32s(f3, y3, s);
        }
    }
    for (&c, &w) in ones.iter().zip(one_values) {
        let y = vector(c);
        let mut t = simd.splat_f32s(0.0);
        for (&p, &y) in p.iter().zip(y) {
            t = simd.mul_add_e_f32s(p, y, t);
        }
        let f = simd.splat_f32s(factor(w, simd.reduce_sum_f32s(t)));
        for (sum, &y) in sum.iter_mut().zip(y) {
            *sum = simd.mul_add_e_f32s(f, y, *sum);
        }
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for (&a, &b) in S::as_simd_f32s(a).0.iter().zip(S::as_simd_f32s(b).0) {
        sum = simd.mul_add_e_f32s(a, b, sum);
    }
    simd.reduce_sum_f32s(sum)
}
