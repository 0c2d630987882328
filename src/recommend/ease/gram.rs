//! Sparse rows to dense squares, and the inverse of such a square.
//!
//! A square of order n is a `Vec` of n² values, row after row. While it is being made only the entries on and right of
//! the diagonal count (column-major, as faer reads it, that is the lower triangle); [`mirror`] fills the others.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::fit::{Control, FitError};
use crate::text::Csr;

/// The matrix with the columns that have a place, under their places, without zeros and without empty rows.
/// `place` ascends over the columns that have one.
pub(super) fn narrowed(x: &Csr, place: &[u32], width: usize) -> Csr {
    let rows = (0..x.rows).filter_map(|row| {
        let (columns, values) = x.row(row);
        let inside: Vec<(u32, f32)> = columns
            .iter()
            .zip(values)
            .filter(|&(&column, &value)| place[column as usize] != super::OUT && value != 0.0)
            .map(|(&column, &value)| (place[column as usize], value))
            .collect();
        (!inside.is_empty()).then_some(inside)
    });
    Csr::from_rows(width, rows)
}

/// `A A' + ridge I`, on and right of the diagonal, for a sparse A whose transpose is `turned`.
///
/// One row of the result at a time: it fits into the nearest cache, and every row is summed in the order of columns by
/// one thread.
pub(super) fn gram(a: &Csr, turned: &Csr, ridge: f32) -> Vec<f32> {
    let n = a.rows;
    let mut square = vec![0.0f32; n * n];
    square
        .par_chunks_exact_mut(n.max(1))
        .enumerate()
        .for_each(|(i, sums)| {
            let (columns, values) = a.row(i);
            for (&column, &value) in columns.iter().zip(values) {
                let (others, weights) = turned.row(column as usize);
                let from = others.partition_point(|&other| (other as usize) < i);
                for (&other, &weight) in others[from..].iter().zip(&weights[from..]) {
                    sums[other as usize] += value * weight;
                }
            }
            sums[i] += ridge;
        });
    square
}

/// Turns a positive definite square (on and right of the diagonal) into its inverse, all entries.
///
/// Cholesky, then the triangle's inverse, then its square: n³ multiplications and additions in all, a third of those of
/// a general inverse. Needs a second square while it works.
pub(super) fn invert(square: Vec<f32>, n: usize, control: &Control) -> Result<Vec<f32>, FitError> {
    let mut square = square;
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f32>(n, Par::Seq, Default::default()));
    cholesky_in_place(
        MatMut::from_column_major_slice_mut(&mut square, n, n),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .map_err(|_| {
        FitError::Solver(format!(
            "a matrix of order {n} is not positive definite in single precision: a larger lambda mends it"
        ))
    })?;
    control.check()?;
    let mut triangle = vec![0.0f32; n * n];
    invert_lower_triangular(
        MatMut::from_column_major_slice_mut(&mut triangle, n, n),
        MatRef::from_column_major_slice(&square, n, n),
        Par::Seq,
    );
    control.check()?;
    let inverse = MatRef::from_column_major_slice(&triangle, n, n);
    triangular::matmul(
        MatMut::from_column_major_slice_mut(&mut square, n, n),
        BlockStructure::TriangularLower,
        Accum::Replace,
        inverse.transpose(),
        BlockStructure::TriangularUpper,
        inverse,
        BlockStructure::TriangularLower,
        1.0,
        Par::Seq,
    );
    drop(triangle);
    mirror(&mut square, n);
    if square.iter().all(|value| value.is_finite()) {
        Ok(square)
    } else {
        Err(FitError::Solver(format!(
            "the inverse of a matrix of order {n} overflows single precision: a larger lambda mends it"
        )))
    }
}

/// Copies what is right of the diagonal to its left, in tiles that stay in the cache.
fn mirror(square: &mut [f32], n: usize) {
    const TILE: usize = 32;
    for top in (0..n).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for i in top..(top + TILE).min(n) {
                for j in left..(left + TILE).min(i) {
                    square[i * n + j] = square[j * n + i];
                }
            }
        }
    }
}
