//! The gradient of one batch: a flat vector, in which some areas are tables of which a batch touches few rows.
//!
//! A table of embeddings has a row for each product or word; a batch has an opinion on the rows that occur in it. Whoever
//! adds to a row asks for it by [`Gradient::row`], which notes it, so that [`adam`](super::adam()) moves those rows alone and
//! nobody walks over the others. What is not declared a table is dense.

/// An area of the parameters that is a table of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Where it begins in the flat vector.
    pub start: usize,
    /// Its rows.
    pub rows: usize,
    /// Parameters of a row.
    pub width: usize,
}

impl Table {
    /// One past its last parameter.
    pub fn end(&self) -> usize {
        self.start + self.rows * self.width
    }
}

/// A gradient as long as the parameters.
#[derive(Debug, Clone, Default)]
pub struct Gradient {
    values: Vec<f32>,
    tables: Vec<Touched>,
}

/// A table and the rows that a batch has touched, in the order of their first touch.
#[derive(Debug, Clone)]
struct Touched {
    table: Table,
    rows: Vec<u32>,
    seen: Vec<bool>,
}

impl Gradient {
    /// Zeros for `parameters` parameters; `tables` in ascending order without overlaps.
    ///
    /// # Errors
    /// Says which table lies outside or over another.
    pub fn new(parameters: usize, tables: &[Table]) -> Result<Self, String> {
        let mut free = 0;
        for table in tables {
            let end = table
                .rows
                .checked_mul(table.width)
                .and_then(|size| size.checked_add(table.start));
            if table.start < free || table.width == 0 || end.is_none_or(|end| end > parameters) {
                return Err(format!(
                    "a table at {} does not lie free within the parameters",
                    table.start
                ));
            }
            free = table.end();
        }
        Ok(Self {
            values: vec![0.0; parameters],
            tables: tables
                .iter()
                .map(|&table| Touched {
                    table,
                    rows: Vec::new(),
                    seen: vec![false; table.rows],
                })
                .collect(),
        })
    }

    /// All of it. Adding to a table's rows here goes unnoticed: use [`row`](Self::row).
    pub fn values(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// All of it, to read.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Row `row` of the table of `width` columns that begins at `start`, to be added to. Where no table was declared there, it
    /// is simply those values.
    pub fn row(&mut self, start: usize, width: usize, row: usize) -> &mut [f32] {
        if let Some(touched) = self
            .tables
            .iter_mut()
            .find(|touched| touched.table.start == start)
            && !std::mem::replace(&mut touched.seen[row], true)
        {
            touched.rows.push(row as u32);
        }
        &mut self.values[start + row * width..][..width]
    }

    /// Calls `change` for every area that the batch may have touched: the dense ones, then the touched rows. Areas come
    /// with where they begin.
    pub(super) fn areas(&mut self, mut change: impl FnMut(usize, &mut [f32])) {
        let mut from = 0;
        for touched in &self.tables {
            if from < touched.table.start {
                change(from, &mut self.values[from..touched.table.start]);
            }
            from = touched.table.end();
        }
        if from < self.values.len() {
            change(from, &mut self.values[from..]);
        }
        for touched in &self.tables {
            let Table { start, width, .. } = touched.table;
            for row in &touched.rows {
                let at = start + *row as usize * width;
                change(at, &mut self.values[at..at + width]);
            }
        }
    }

    /// Zeros again.
    pub fn clear(&mut self) {
        self.areas(|_, values| values.fill(0.0));
        self.forget();
    }

    /// Forgets which rows were touched; their values have been made zero.
    pub(super) fn forget(&mut self) {
        for touched in &mut self.tables {
            for row in touched.rows.drain(..) {
                touched.seen[row as usize] = false;
            }
        }
    }

    /// The Euclidean length, summed in sixteen running sums so that it vectorises.
    pub fn norm(&mut self) -> f64 {
        let mut sums = [0.0_f64; 16];
        self.areas(|_, values| {
            let (whole, rest) = values.as_chunks::<16>();
            for chunk in whole {
                for (sum, value) in sums.iter_mut().zip(chunk) {
                    *sum += f64::from(*value) * f64::from(*value);
                }
            }
            for (sum, value) in sums.iter_mut().zip(rest) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        });
        sums.iter().sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_was_touched_and_nothing_else() {
        let tables = [
            Table {
                start: 2,
                rows: 3,
                width: 2,
            },
            Table {
                start: 8,
                rows: 2,
                width: 1,
            },
        ];
        let mut gradient = Gradient::new(11, &tables).unwrap();
        gradient.values()[0] = 3.0;
        gradient.row(2, 2, 1)[1] += 4.0;
        gradient.row(2, 2, 1)[1] += 8.0;
        let mut seen = Vec::new();
        gradient.areas(|at, values| seen.push((at, values.to_vec())));
        assert_eq!(seen, [(0, vec![3.0, 0.0]), (10, vec![0.0]), (4, vec![0.0, 12.0])]);
        assert!((gradient.norm() - 153.0_f64.sqrt()).abs() < 1e-12);
        gradient.clear();
        assert_eq!(gradient.norm(), 0.0);
        gradient.row(8, 1, 0)[0] = 2.0;
        assert_eq!(gradient.norm(), 2.0);
    }

    #[test]
    fn tables_lie_within_and_apart() {
        let table = |start, rows, width| Table { start, rows, width };
        for wrong in [
            vec![table(0, 3, 4)],
            vec![table(0, 1, 4), table(3, 1, 2)],
            vec![table(0, usize::MAX, 4)],
            vec![table(0, 2, 0)],
        ] {
            assert!(Gradient::new(8, &wrong).is_err(), "{wrong:?}");
        }
    }
}
