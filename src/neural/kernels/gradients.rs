//! Gradients of weights, `dW += X' dY`: products whose factors are met once, tall and narrow.
//!
//! X and dY have a row for every step of every sequence, thousands, and few columns. To pack dY as a whole would send it through
//! memory twice; here a block of its rows is packed panel by panel just before use, beside the same block of X, and both stay in
//! cache. Several X (a recurrent layer's inputs and states) share one pass over dY. Sums run in the order of rows.

use super::gemm::Packed;
use super::grid::{Grid, accumulate};
use super::packed::WIDE;
use super::{Kernel, LANES, Lanes, Machine};

/// Rows of a block.
const DEPTH: usize = 256;
/// Columns of X in one pass.
const HEIGHT: usize = 512;

/// One of the left factors, and where its product goes.
#[derive(Debug)]
pub struct Weights<'a> {
    /// X: rows by `columns`, `stride` apart.
    pub x: &'a [f32],
    /// Values from one row of X to the next.
    pub stride: usize,
    /// Columns of X, rows of the result.
    pub columns: usize,
    /// `columns` by n, to be added to.
    pub to: &'a mut [f32],
}

/// Adds `X' dY` to each; `dy` is `rows` rows of `n` values, `stride` apart. `pack` is work space: what was packed stays.
pub fn gradients(
    all: &mut [Weights<'_>],
    dy: &[f32],
    stride: usize,
    rows: usize,
    n: usize,
    pack: &mut Packed,
) {
    if rows == 0 || n == 0 {
        return;
    }
    assert!(
        stride >= n && dy.len() >= (rows - 1) * stride + n,
        "the gradients of outputs"
    );
    for one in &*all {
        assert!(
            one.x.len() >= (rows - 1) * one.stride + one.columns,
            "a row of inputs for every gradient"
        );
        assert_eq!(one.to.len(), one.columns * n, "room for the gradients of weights");
    }
    let scratch = &mut pack.scratch;
    if all.iter().map(|one| one.columns).sum::<usize>() <= HEIGHT {
        super::run(Pass {
            all,
            dy,
            stride,
            rows,
            n,
            scratch,
        });
        return;
    }
    for one in all {
        for (part, to) in one.to.chunks_mut(HEIGHT * n).enumerate() {
            let part = Weights {
                x: &one.x[part * HEIGHT..],
                stride: one.stride,
                columns: to.len() / n,
                to,
            };
            super::run(Pass {
                all: &mut [part],
                dy,
                stride,
                rows,
                n,
                scratch,
            });
        }
    }
}

struct Pass<'a, 'b> {
    all: &'a mut [Weights<'b>],
    dy: &'a [f32],
    stride: usize,
    rows: usize,
    n: usize,
    scratch: &'a mut Vec<f32>,
}

impl Kernel for Pass<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        if L::WIDE {
            self.pass::<L, 2, 8>(l);
        } else {
            self.pass::<L, 1, 4>(l);
        }
    }
}

impl Pass<'_, '_> {
    #[inline(always)]
    fn pass<L: Lanes, const N: usize, const M: usize>(self, l: L) {
        let width = N * LANES;
        debug_assert!(width == WIDE || Machine::here() != Machine::Avx512 || N == 1);
        let columns: usize = self.all.iter().map(|one| one.columns).sum();
        self.scratch.resize(DEPTH * (columns + width), 0.0);
        let (panel, tiles) = self.scratch.split_at_mut(DEPTH * width);
        for deep in (0..self.rows).step_by(DEPTH) {
            let depth = DEPTH.min(self.rows - deep);
            let mut free = &mut tiles[..];
            for one in &*self.all {
                for (first, m) in heights(one.columns, M) {
                    let tile;
                    (tile, free) = free.split_at_mut(depth * m);
                    for (k, to) in tile.chunks_exact_mut(m).enumerate() {
                        copy::<M>(&one.x[(deep + k) * one.stride + first..][..m], to);
                    }
                }
            }
            for from in (0..self.n).step_by(width) {
                let count = width.min(self.n - from);
                let panel = &mut panel[..depth * width];
                for (k, to) in panel.chunks_exact_mut(width).enumerate() {
                    let from = &self.dy[(deep + k) * self.stride + from..][..count];
                    for j in 0..N {
                        l.store_at(l.load_at(from, j * LANES), to, j * LANES);
                    }
                }
                let mut rest = &tiles[..];
                for one in &mut *self.all {
                    for (first, m) in heights(one.columns, M) {
                        let tile;
                        (tile, rest) = rest.split_at(depth * m);
                        let to = &mut one.to[first * self.n + from..];
                        match m {
                            1 => add::<L, N, 1>(l, tile, panel, to, self.n, count),
                            2 => add::<L, N, 2>(l, tile, panel, to, self.n, count),
                            4 => add::<L, N, 4>(l, tile, panel, to, self.n, count),
                            _ => add::<L, N, M>(l, tile, panel, to, self.n, count),
                        }
                    }
                }
            }
        }
    }
}

/// Copies; M values, the usual number, without a call.
#[inline(always)]
fn copy<const M: usize>(from: &[f32], to: &mut [f32]) {
    match (from.first_chunk::<M>(), to.first_chunk_mut::<M>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

/// Divides columns into tiles of `most` (4 or 8), then of 4, 2 and 1.
#[inline(always)]
fn heights(columns: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = columns - at;
        let m = [most, 4, 2, 1].into_iter().find(|m| *m <= left)?;
        at += m;
        Some((at - m, m))
    })
}

/// Adds a tile of M rows.
#[inline(always)]
fn add<L: Lanes, const N: usize, const M: usize>(
    l: L,
    tile: &[f32],
    panel: &[f32],
    to: &mut [f32],
    stride: usize,
    count: usize,
) {
    let mut sums = [[l.splat(0.0); N]; M];
    for (i, sums) in sums.iter_mut().enumerate() {
        let to = &to[i * stride..][..count];
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = l.load_at(to, j * LANES);
        }
    }
    accumulate(l, Grid::new(tile, 1, tile.len() / M, M), panel, &mut sums);
    for (i, sums) in sums.iter().enumerate() {
        let to = &mut to[i * stride..][..count];
        for (j, sum) in sums.iter().enumerate() {
            if j * LANES < count {
                l.store_at(*sum, to, j * LANES);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gemm::{Begin, Left, product};
    use super::super::run_on;
    use super::*;
    use crate::neural::testing::numbers;

    /// The bits of the ordinary product, which is tried against the definition.
    #[test]
    fn it_is_the_product() {
        for (rows, columns, n) in [
            (1, [1, 0], 1),
            (300, [64, 4], 100),
            (600, [515, 13], 40),
            (17, [7, 600], 33),
        ] {
            let dy = numbers(rows * (n + 2), 1);
            let x: Vec<Vec<f32>> = columns.iter().map(|c| numbers(rows * (c + 1), 2)).collect();
            let old: Vec<Vec<f32>> = columns.iter().map(|c| numbers(c * n, 3)).collect();
            let mut right = Packed::new();
            right.rows(&dy, n + 2, rows, n);
            let mut wanted = old.clone();
            for ((x, c), to) in x.iter().zip(columns).zip(&mut wanted) {
                if c > 0 {
                    product(Left::Turned(x, c + 1), c, &right, Begin::There, to, n);
                }
            }
            let mut got = old.clone();
            let mut all: Vec<Weights<'_>> = x
                .iter()
                .zip(columns)
                .zip(&mut got)
                .map(|((x, columns), to)| Weights {
                    x,
                    stride: columns + 1,
                    columns,
                    to,
                })
                .collect();
            gradients(&mut all, &dy, n + 2, rows, n, &mut right);
            assert_eq!(got, wanted);
            for machine in [Machine::Avx2, Machine::Portable] {
                let mut got = old[0].clone();
                let one = Weights {
                    x: &x[0],
                    stride: columns[0] + 1,
                    columns: columns[0],
                    to: &mut got,
                };
                let mut scratch = Vec::new();
                let (all, dy, stride) = (&mut [one][..], &dy[..], n + 2);
                run_on(
                    machine,
                    Pass {
                        all,
                        dy,
                        stride,
                        rows,
                        n,
                        scratch: &mut scratch,
                    },
                );
                for (got, wanted) in got.iter().zip(&wanted[0]) {
                    assert!((got - wanted).abs() < 1e-4, "{machine:?}");
                }
            }
        }
        gradients(&mut [], &[], 3, 0, 3, &mut Packed::new());
    }
}
