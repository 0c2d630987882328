//! Sparse matrices by rows: one row a text, one column a feature.

use serde::{Deserialize, Serialize};

/// A sparse matrix in compressed rows. Invariants: `offsets` has `rows + 1` ascending entries, the column indices of a
/// row ascend without repetition and lie under `columns`, and `values` runs beside `indices`.
///
/// The serde form stores row lengths and index gaps, which a variable-length encoding shrinks to about one byte each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Compact", try_from = "Compact")]
pub struct Csr {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Where each row begins in `indices`, and one more: the end.
    pub offsets: Vec<usize>,
    /// Column of each stored value.
    pub indices: Vec<u32>,
    /// The stored values.
    pub values: Vec<f32>,
}

impl Csr {
    /// Builds the matrix from rows of (column, value), each with ascending columns.
    pub fn from_rows(columns: usize, rows: impl IntoIterator<Item = Vec<(u32, f32)>>) -> Csr {
        let mut matrix = Csr {
            rows: 0,
            columns,
            offsets: vec![0],
            indices: Vec::new(),
            values: Vec::new(),
        };
        for row in rows {
            debug_assert!(row.windows(2).all(|pair| pair[0].0 < pair[1].0));
            matrix.indices.extend(row.iter().map(|&(column, _)| column));
            matrix.values.extend(row.iter().map(|&(_, value)| value));
            matrix.offsets.push(matrix.indices.len());
            matrix.rows += 1;
        }
        matrix
    }

    /// The rows of matrices of so many columns, one under the other.
    pub fn stacked(columns: usize, parts: Vec<Csr>) -> Csr {
        let entries = parts.iter().map(|part| part.indices.len()).sum();
        let rows = parts.iter().map(|part| part.rows).sum();
        let mut matrix = Csr {
            rows,
            columns,
            offsets: Vec::with_capacity(rows + 1),
            indices: Vec::with_capacity(entries),
            values: Vec::with_capacity(entries),
        };
        matrix.offsets.push(0);
        for part in parts {
            debug_assert_eq!(part.columns, columns);
            let before = matrix.indices.len();
            matrix
                .offsets
                .extend(part.offsets[1..].iter().map(|end| before + end));
            matrix.indices.extend(part.indices);
            matrix.values.extend(part.values);
        }
        matrix
    }

    /// The columns and values of row `i`.
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The scalar product of rows `i` and `j`, summed in ascending column order.
    pub fn dot(&self, i: usize, j: usize) -> f32 {
        sparse_dot(self.row(i), self.row(j))
    }

    /// Columns become rows; the new rows' indices ascend.
    pub fn transpose(&self) -> Csr {
        let mut offsets = vec![0usize; self.columns + 1];
        for &column in &self.indices {
            offsets[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            offsets[column + 1] += offsets[column];
        }
        let mut next = offsets.clone();
        let mut indices = vec![0u32; self.indices.len()];
        let mut values = vec![0f32; self.values.len()];
        for row in 0..self.rows {
            let (columns, row_values) = self.row(row);
            for (&column, &value) in columns.iter().zip(row_values) {
                let place = &mut next[column as usize];
                indices[*place] = row as u32;
                values[*place] = value;
                *place += 1;
            }
        }
        Csr {
            rows: self.columns,
            columns: self.rows,
            offsets,
            indices,
            values,
        }
    }

    /// The given rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Csr {
        Csr::from_rows(
            self.columns,
            rows.iter().map(|&i| {
                let (columns, values) = self.row(i);
                columns.iter().copied().zip(values.iter().copied()).collect()
            }),
        )
    }
}

/// The scalar product of two sparse rows with ascending columns, summed in ascending column order.
pub(crate) fn sparse_dot(a: (&[u32], &[f32]), b: (&[u32], &[f32])) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0f32);
    while i < a.0.len() && j < b.0.len() {
        match a.0[i].cmp(&b.0[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                sum += a.1[i] * b.1[j];
                i += 1;
                j += 1;
            }
        }
    }
    sum
}

/// The stored form: lengths and gaps instead of offsets and indices.
#[derive(Serialize, Deserialize)]
struct Compact {
    columns: u64,
    lengths: Vec<u32>,
    gaps: Vec<u32>,
    values: Vec<f32>,
}

impl From<Csr> for Compact {
    fn from(matrix: Csr) -> Compact {
        let lengths = matrix
            .offsets
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as u32)
            .collect();
        let mut gaps = Vec::with_capacity(matrix.indices.len());
        for row in 0..matrix.rows {
            let mut previous = 0;
            for &column in matrix.row(row).0 {
                gaps.push(column - previous);
                previous = column;
            }
        }
        Compact {
            columns: matrix.columns as u64,
            lengths,
            gaps,
            values: matrix.values,
        }
    }
}

impl TryFrom<Compact> for Csr {
    type Error = String;

    fn try_from(stored: Compact) -> Result<Csr, String> {
        let total: u64 = stored.lengths.iter().map(|&length| u64::from(length)).sum();
        if total != stored.gaps.len() as u64 || total != stored.values.len() as u64 {
            return Err("sparse matrix: row lengths do not add up to the stored values".into());
        }
        let columns = usize::try_from(stored.columns).map_err(|_| "sparse matrix: too many columns")?;
        let mut matrix = Csr {
            rows: stored.lengths.len(),
            columns,
            offsets: Vec::with_capacity(stored.lengths.len() + 1),
            indices: Vec::with_capacity(stored.gaps.len()),
            values: stored.values,
        };
        matrix.offsets.push(0);
        let mut gaps = stored.gaps.into_iter();
        for length in stored.lengths {
            let mut column = 0u32;
            for (i, gap) in gaps.by_ref().take(length as usize).enumerate() {
                column = column
                    .checked_add(gap)
                    .ok_or("sparse matrix: column index overflows")?;
                if column as usize >= columns || (i > 0 && gap == 0) {
                    return Err("sparse matrix: column indices do not ascend inside the matrix".into());
                }
                matrix.indices.push(column);
            }
            matrix.offsets.push(matrix.indices.len());
        }
        Ok(matrix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Csr {
        Csr::from_rows(4, [vec![(0, 1.0), (3, 2.0)], vec![], vec![(1, 3.0), (3, 0.5)]])
    }

    #[test]
    fn rows_products_and_transposes() {
        let matrix = small();
        assert_eq!(matrix.row(2), (&[1u32, 3][..], &[3.0f32, 0.5][..]));
        assert_eq!(matrix.dot(0, 2), 1.0);
        assert_eq!(matrix.dot(0, 1), 0.0);
        let turned = matrix.transpose();
        assert_eq!((turned.rows, turned.columns), (4, 3));
        assert_eq!(turned.row(3), (&[0u32, 2][..], &[2.0f32, 0.5][..]));
        assert_eq!(turned.transpose(), matrix);
        assert_eq!(matrix.select(&[2, 0]).row(1), matrix.row(0));
        let halves = vec![matrix.select(&[0, 1]), matrix.select(&[]), matrix.select(&[2])];
        assert_eq!(Csr::stacked(4, halves), matrix);
        assert_eq!(Csr::stacked(4, Vec::new()), Csr::from_rows(4, []));
    }

    #[test]
    fn the_stored_form_comes_back_and_is_checked() {
        let matrix = small();
        let bytes = postcard::to_stdvec(&matrix).unwrap();
        assert_eq!(postcard::from_bytes::<Csr>(&bytes).unwrap(), matrix);
        let bad = Compact {
            columns: 2,
            lengths: vec![2],
            gaps: vec![1, 0],
            values: vec![1.0, 1.0],
        };
        assert!(Csr::try_from(bad).is_err());
        let bad = Compact {
            columns: 2,
            lengths: vec![3],
            gaps: vec![1],
            values: vec![1.0],
        };
        assert!(Csr::try_from(bad).is_err());
    }
}
