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
