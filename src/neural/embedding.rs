//! A table of vectors: row i stands for thing number i.

use super::kernels::rows::add_scaled;
use super::layout::{Layout, Slot};
use super::random::Init;
use crate::fit::Gradient;

/// Where a table lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedding {
    /// Rows by width.
    pub table: Slot,
    /// Things.
    pub rows: usize,
    /// Values of a vector.
    pub width: usize,
}

impl Embedding {
    /// Asks for room for the table `name`, which moves by touched rows.
    pub fn new(layout: &mut Layout, name: &str, rows: usize, width: usize, init: Init) -> Self {
        let table = layout.add_table(name, rows, width, init);
        Self { table, rows, width }
    }

    /// Asks for room for the table `name`, all of which moves at each step.
    pub fn dense(layout: &mut Layout, name: &str, rows: usize, width: usize, init: Init) -> Self {
        let table = layout.add(name, &[rows, width], init);
        Self { table, rows, width }
    }

    /// The vector of `id`.
    pub fn row<'p>(&self, params: &'p [f32], id: u32) -> &'p [f32] {
        let id = id as usize;
        assert!(id < self.rows, "the table has {} rows, not {id}", self.rows);
        &params[self.table.start + id * self.width..][..self.width]
    }

    /// The vectors of `ids`, one after the other.
    pub fn forward(&self, params: &[f32], ids: &[u32], y: &mut [f32]) {
        assert_eq!(y.len(), ids.len() * self.width, "room for every vector");
        for (id, y) in ids.iter().zip(y.chunks_exact_mut(self.width.max(1))) {
            y.copy_from_slice(self.row(params, *id));
        }
    }

    /// Adds the vectors' gradients, in the order of `ids`.
    pub fn backward(&self, ids: &[u32], dy: &[f32], grads: &mut Gradient) {
        assert_eq!(dy.len(), ids.len() * self.width, "a gradient for every vector");
        for (id, dy) in ids.iter().zip(dy.chunks_exact(self.width.max(1))) {
            assert!(
                (*id as usize) < self.rows,
                "the table has {} rows, not {id}",
                self.rows
            );
            add_scaled(1.0, dy, grads.row(self.table.start, self.width, *id as usize));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::numbers;
    use super::*;

    #[test]
    fn rows_come_and_their_gradients_gather() {
        let mut layout = Layout::new();
        let table = Embedding::new(&mut layout, "touched", 4, 3, Init::Normal(1.0));
        let dense = Embedding::dense(&mut layout, "dense", 4, 3, Init::Normal(1.0));
        assert_eq!(layout.tables().len(), 1);
        let params = layout.init(1);
        let (ids, dy) = ([2, 0, 2], numbers(9, 2));
        for embedding in [table, dense] {
            let mut y = vec![0.0; 9];
            embedding.forward(&params, &ids, &mut y);
            assert_eq!(y[..3], embedding.table.of(&params)[6..9]);
            assert_eq!(y[3..6], *embedding.row(&params, 0));
            let mut grads = Gradient::new(layout.len(), &layout.tables()).unwrap();
            embedding.backward(&ids, &dy, &mut grads);
            let own = embedding.table.of(grads.as_slice());
            assert_eq!(own[..3], dy[3..6]);
            assert_eq!(own[3..6], [0.0; 3]);
            assert_eq!(own[6], dy[0] + dy[6]);
            grads.clear();
            assert!(grads.as_slice().iter().all(|g| *g == 0.0));
        }
    }

    #[test]
    #[should_panic(expected = "the table has 4 rows, not 4")]
    fn a_stranger_has_no_row() {
        let mut layout = Layout::new();
        let table = Embedding::new(&mut layout, "items", 4, 3, Init::Zero);
        table.row(&layout.init(1), 4);
    }
}
