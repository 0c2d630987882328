//! The right factor of a matrix product, laid out once in the order in which the inner loop reads it.

use super::{LANES, Machine};

/// Columns of a panel on machines with thirty-two registers: two registers' worth; elsewhere one. Panels are laid out for the
/// machine at hand.
pub(super) const WIDE: usize = 2 * LANES;

/// A right factor, k rows by n columns, in panels.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    /// Panel after panel: k rows of `panel` columns each, the last one filled up with zeros.
    pub(super) values: Vec<f32>,
    /// The shared dimension.
    pub(super) k: usize,
    pub(super) n: usize,
    /// Columns of a panel.
    pub(super) panel: usize,
    /// Work space of products that pack as they go.
    pub(super) scratch: Vec<f32>,
}

impl Packed {
    /// Empty; filled by [`rows`](Self::rows) or [`turned`](Self::turned).
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `k` rows of `n` values, `stride` apart. What was packed before is forgotten, its memory used again.
    pub fn rows(&mut self, from: &[f32], stride: usize, k: usize, n: usize) -> &Self {
        assert!(
            k == 0 || n == 0 || from.len() >= (k - 1) * stride + n,
            "rows to pack"
        );
        self.shape(k, n);
        let panel = self.panel;
        for (p, to) in self.values.chunks_exact_mut((k * panel).max(1)).enumerate() {
            let first = p * panel;
            let width = panel.min(n - first);
            for (row, to) in to.chunks_exact_mut(panel).enumerate() {
                let from = &from[row * stride + first..][..width];
                // Whole registers without a call.
                let (whole, rest) = from.as_chunks::<LANES>();
                let (to, to_rest) = to.as_chunks_mut::<LANES>();
                for (to, from) in to.iter_mut().zip(whole) {
                    *to = *from;
                }
                debug_assert!(to_rest.is_empty(), "panels are whole registers");
                for to in &mut to[whole.len()..] {
                    to.fill(0.0);
                }
                if !rest.is_empty() {
                    to[whole.len()][..rest.len()].copy_from_slice(rest);
                }
            }
        }
        self
    }

    /// Takes the transpose of `n` rows of `k` values, `stride` apart.
    pub fn turned(&mut self, from: &[f32], stride: usize, k: usize, n: usize) -> &Self {
        assert!(
            k == 0 || n == 0 || from.len() >= (n - 1) * stride + k,
            "rows to pack turned"
        );
        self.shape(k, n);
        let panel = self.panel;
        for (p, to) in self.values.chunks_exact_mut((k * panel).max(1)).enumerate() {
            let first = p * panel;
            let width = panel.min(n - first);
            if width < panel {
                to.fill(0.0);
            }
            // Blocks of sixteen by sixteen: both sides of the transposition stay in cache.
            for column in (0..width).step_by(LANES) {
                let columns = LANES.min(width - column);
                for row in (0..k).step_by(LANES) {
                    let rows = LANES.min(k - row);
                    for c in column..column + columns {
                        let values = &from[(first + c) * stride + row..][..rows];
                        for (r, value) in values.iter().enumerate() {
                            to[(row + r) * panel + c] = *value;
                        }
                    }
                }
            }
        }
        self
    }

    fn shape(&mut self, k: usize, n: usize) {
        self.panel = if Machine::here() == Machine::Avx512 {
            WIDE
        } else {
            LANES
        };
        (self.k, self.n) = (k, n);
        self.values.resize(n.div_ceil(self.panel) * self.panel * k, 0.0);
    }

    /// Columns of the product.
    pub fn columns(&self) -> usize {
        self.n
    }
}
