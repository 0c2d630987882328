//! A sparse matrix times a narrow dense one: sums of the dense rows that each sparse row picks.
//!
//! The kernel under models whose dense side is some dozens of columns wide. Four entries are taken at a time, so that the
//! running sum is read and written a quarter as often; sums run in the order of entries.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::text::Csr;

/// Sparse rows that one task sums.
const TASK: usize = 128;

/// `out = sparse · table`, with `sparse.columns` rows of `width` in `table` and `sparse.rows` of them in `out`.
pub(super) fn product(sparse: &Csr, table: &[f32], width: usize, out: &mut [f32]) {
    assert_eq!(
        (table.len(), out.len()),
        (sparse.columns * width, sparse.rows * width),
        "shapes of a sparse product"
    );
    if width == 0 {
        return;
    }
    let arch = Arch::new();
    out.par_chunks_mut(TASK * width)
        .enumerate()
        .for_each(|(task, out)| {
            arch.dispatch(Task {
                sparse,
                table,
                width,
                first: task * TASK,
                out,
            });
        });
}

struct Task<'a> {
    sparse: &'a Csr,
    table: &'a [f32],
    width: usize,
    first: usize,
    out: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (at, out) in self.out.chunks_exact_mut(self.width).enumerate() {
            out.fill(0.0);
            let (columns, values) = self.sparse.row(self.first + at);
            add(simd, self.table, columns, values, out);
        }
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, table: &[f32], columns: &[u32], values: &[f32], out: &mut [f32]) {
    let width = out.len();
    let row = |column: u32| S::as_simd_f32s(&table[column as usize * width..][..width]);
    let (sums, tail) = S::as_mut_simd_f32s(out);
    let (fours, ones) = pulp::as_arrays::<4, _>(columns);
    let (four_values, one_values) = pulp::as_arrays::<4, _>(values);
    for (c, v) in fours.iter().zip(four_values) {
        let [(r0, t0), (r1, t1), (r2, t2), (r3, t3)] = [row(c[0]), row(c[1]), row(c[2]), row(c[3])];
        let [v0, v1, v2, v3] = v.map(|v| simd.splat_f32s(v));
        for ((((sum, &r0), &r1), &r2), &r3) in sums.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
            let mut s = simd.mul_add_e_f32s(v0, r0, *sum);
            s = simd.mul_add_e_f32s(v1, r1, s);
            s = simd.mul_add_e_f32s(v2, r2, s);
            *sum = simd.mul_add_e_f32s(v3, r3, s);
        }
        for ((((sum, t0), t1), t2), t3) in tail.iter_mut().zip(t0).zip(t1).zip(t2).zip(t3) {
            *sum += v[0] * t0 + v[1] * t1 + v[2] * t2 + v[3] * t3;
        }
    }
    for (&column, &value) in ones.iter().zip(one_values) {
        let (r, t) = row(column);
        let v = simd.splat_f32s(value);
        for (sum, &r) in sums.iter_mut().zip(r) {
            *sum = simd.mul_add_e_f32s(v, r, *sum);
        }
        for (sum, t) in tail.iter_mut().zip(t) {
            *sum += value * t;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definition_for_every_width_and_length() {
        let mut random = fastrand::Rng::with_seed(4);
        for width in [0, 1, 3, 8, 11, 64, 70] {
            // Rows of 0, 1, ... 9 entries, and enough of them for more than one task.
            let rows = (0..300).map(|row| (0..row % 10).map(|c| (c, 0.5 - random.f32())).collect());
            let sparse = Csr::from_rows(10, rows.collect::<Vec<_>>());
            let table: Vec<f32> = (0..10 * width).map(|_| random.f32() - 0.5).collect();
            let mut out = vec![f32::NAN; 300 * width];
            product(&sparse, &table, width, &mut out);
            for row in 0..300 {
                let (columns, values) = sparse.row(row);
                for lane in 0..width {
                    let entries = columns.iter().zip(values);
                    let sum: f64 = entries
                        .map(|(&c, &v)| f64::from(v) * f64::from(table[c as usize * width + lane]))
                        .sum();
                    assert!((f64::from(out[row * width + lane]) - sum).abs() < 1e-6);
                }
            }
        }
    }
}
