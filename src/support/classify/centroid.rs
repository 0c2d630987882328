//! Class means as a classifier: the cosine of a unit row with the unit-length mean of each class's rows. Few examples
//! suffice it, and being linear it joins the others' weights.

use super::linear::Linear;
use crate::text::Csr;

/// The unit means of the classes.
pub(in crate::support) fn centroids(rows: &Csr, labels: &[u32], classes: usize) -> Linear {
    let mut model = Linear::zero(classes, rows.columns);
    let mut sums = vec![0f64; classes * rows.columns];
    for (row, &label) in labels.iter().enumerate() {
        let (columns, values) = rows.row(row);
        for (&column, &value) in columns.iter().zip(values) {
            sums[column as usize * classes + label as usize] += f64::from(value);
        }
    }
    let mut squares = vec![0f64; classes];
    for row in sums.chunks_exact(classes.max(1)) {
        squares
            .iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value * value);
    }
    for (at, (weight, sum)) in model.weights.iter_mut().zip(&sums).enumerate() {
        let square = squares[at % classes];
        if square > 0.0 {
            *weight = (sum / square.sqrt()) as f32;
        }
    }
    model
}
