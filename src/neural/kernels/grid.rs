//! A block of a matrix, read without a check at each number: the left factor in the innermost loop of a product, where eight
//! checks a step cost as much as the arithmetic.

#![allow(unsafe_code)]

use super::{LANES, Lanes};

/// M by `columns` numbers at regular distances in a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid<'a, const M: usize> {
    values: &'a [f32],
    columns: usize,
    down: usize,
    across: usize,
}

impl<'a, const M: usize> Grid<'a, M> {
    /// Number (i, k) is `values[i * down + k * across]`. Panics unless all lie in the slice.
    #[inline(always)]
    pub(super) fn new(values: &'a [f32], down: usize, columns: usize, across: usize) -> Self {
        assert!(M > 0 && columns > 0, "an empty grid");
        let last = (M - 1)
            .checked_mul(down)
            .zip((columns - 1).checked_mul(across))
            .and_then(|(a, b)| a.checked_add(b));
        assert!(
            last.is_some_and(|last| last < values.len()),
            "a grid beyond its values"
        );
        Self {
            values,
            columns,
            down,
            across,
        }
    }

    /// Numbers in a row.
    #[inline(always)]
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Number (i, k).
    ///
    /// # Safety
    /// i is below M, k below [`columns`](Self::columns).
    #[inline(always)]
    pub(super) unsafe fn at(&self, i: usize, k: usize) -> f32 {
        debug_assert!(i < M && k < self.columns);
        // SAFETY: the largest index lies in the slice (`new`), and indices grow with i and k.
        unsafe { *self.values.get_unchecked(i * self.down + k * self.across) }
    }
}

/// Adds the products of columns of the left factor and rows of the right one to a tile.
#[inline(always)]
pub(super) fn accumulate<L: Lanes, const N: usize, const M: usize>(
    l: L,
    left: Grid<'_, M>,
    panel: &[f32],
    sums: &mut [[L::V; N]; M],
) {
    let (rows, _) = panel.as_chunks::<LANES>().0.as_chunks::<N>();
    for (k, right) in rows[..left.columns()].iter().enumerate() {
        let mut row = [l.splat(0.0); N];
        for (row, right) in row.iter_mut().zip(right) {
            *row = l.load(right);
        }
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: i is below M, k below the number of columns by the bounds of the loops.
            let x = l.splat(unsafe { left.at(i, k) });
            for (sum, right) in sums.iter_mut().zip(&row) {
                *sum = l.fma(x, *right, *sum);
            }
        }
    }
}
