//! The basis in which what all rows share is diagonal.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::fit::FitError;

/// Turns both sides into the eigenvectors of `Y'Y` for `Y = one` and returns its eigenvalues, none below 0, padded with
/// zeros. Scores, which are products of both sides, stay. Rows are `width` apart, `factors` of it in use.
pub(super) fn turn(
    one: &mut [f32],
    other: &mut [f32],
    factors: usize,
    width: usize,
) -> Result<Vec<f32>, FitError> {
    let rows = one.len() / width;
    let mut gram = Mat::<f32>::zeros(factors, factors);
    let y = MatRef::from_row_major_slice_with_stride(one, rows, factors, width);
    matmul(gram.as_mut(), Accum::Replace, y.transpose(), y, 1.0, Par::Seq);
    let gram = Mat::<f64>::from_fn(factors, factors, |i, j| f64::from(gram[(i, j)]));
    if (0..factors).any(|j| (0..factors).any(|i| !gram[(i, j)].is_finite())) {
        return Err(overflow());
    }
    let eigen = gram.self_adjoint_eigen(Side::Lower).map_err(|_| overflow())?;
    let basis = Mat::<f32>::from_fn(factors, factors, |i, j| eigen.U()[(i, j)] as f32);
    for side in [one, other] {
        rotate(side, basis.as_ref(), factors, width);
    }
    let mut values: Vec<f32> = (0..factors).map(|i| eigen.S()[i].max(0.0) as f32).collect();
    values.resize(width, 0.0);
    Ok(values)
}

/// Multiplies every row by the basis, a block of rows at a time.
fn rotate(side: &mut [f32], basis: MatRef<'_, f32>, factors: usize, width: usize) {
    const BLOCK: usize = 256;
    let mut copy = vec![0.0f32; BLOCK * width];
    for block in side.chunks_mut(BLOCK * width) {
        let rows = block.len() / width;
        copy[..block.len()].copy_from_slice(block);
        matmul(
            // By columns and turned: faer 0.24's constructor by rows with a stride mixes the two up.
            MatMut::from_column_major_slice_with_stride_mut(block, factors, rows, width).transpose_mut(),
            Accum::Replace,
            MatRef::from_row_major_slice_with_stride(&copy[..rows * width], rows, factors, width),
            basis,
            1.0,
            Par::Seq,
        );
    }
}

fn overflow() -> FitError {
    FitError::Solver("the factors overflow: weights or regularisation are out of all proportion".into())
}
