//! Matrix products whose right factor is packed once and used often.
//!
//! An LSTM multiplies the same recurrent weights at each of its sixty steps: a general product would rearrange them sixty
//! times. [`Packed`] holds a right factor in panels of columns, as the inner loop reads them; the left factor is read where it
//! stands, by rows or turned ([`Left`]). The inner loop keeps a tile of the result in registers over a block of the shared
//! dimension (Goto and van de Geijn, ACM TOMS 34, 2008). The gradients of weights are products that are met once, over thousands
//! of rows: [`gradients`](super::gradients) packs as it goes.
//!
//! Each element of the result is one sum in the order of the shared dimension, begun at what [`Begin`] says. So its bits depend
//! neither on the blocks nor on how rows are divided over threads ([`product_shared`]), and a product over the first rows
//! equals the first rows of the product.

use super::grid::{Grid, accumulate};
pub use super::packed::Packed;
use super::packed::WIDE;
use super::{Kernel, LANES, Lanes};
use rayon::prelude::*;

/// Rows of the shared dimension that stay in the nearest cache.
const DEPTH: usize = 256;
/// Rows of the left factor that stay in the second cache.
const HEIGHT: usize = 192;
/// Rows that one task of a shared product takes: a multiple of every tile.
const SHARE: usize = 48;

/// A left factor, m by k, where it stands.
#[derive(Debug, Clone, Copy)]
pub enum Left<'a> {
    /// m rows of k values, so far apart.
    Rows(&'a [f32], usize),
    /// The transpose of k rows of m values, so far apart.
    Turned(&'a [f32], usize),
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a> {
    /// Nothing: the result's old values are overwritten.
    Zero,
    /// What the result holds.
    There,
    /// This row, n long, in every row of the result: a bias.
    Row(&'a [f32]),
}

/// `c = begin + left · right`: `m` rows of `right.columns()`, `stride` apart in `c`.
pub fn product(left: Left<'_>, m: usize, right: &Packed, begin: Begin<'_>, c: &mut [f32], stride: usize) {
    super::run(Product {
        left,
        m,
        right,
        begin,
        c,
        stride,
    });
}

/// The same, its rows divided among threads; the bits are the same.
pub fn product_shared(
    left: Left<'_>,
    m: usize,
    right: &Packed,
    begin: Begin<'_>,
    c: &mut [f32],
    stride: usize,
) {
    if m < 2 * SHARE || m * right.n * right.k < 1 << 22 {
        return product(left, m, right, begin, c, stride);
    }
    c.par_chunks_mut(SHARE * stride)
        .enumerate()
        .for_each(|(task, c)| {
            let first = task * SHARE;
            if first >= m {
                return;
            }
            let left = match left {
                Left::Rows(values, stride) => Left::Rows(&values[first * stride..], stride),
                Left::Turned(values, stride) => Left::Turned(&values[first..], stride),
            };
            product(left, SHARE.min(m - first), right, begin, c, stride);
        });
}

struct Product<'a> {
    left: Left<'a>,
    m: usize,
    right: &'a Packed,
    begin: Begin<'a>,
    c: &'a mut [f32],
    stride: usize,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Product {
            left,
            m,
            right,
            begin,
            c,
            stride,
        } = self;
        let (k, n) = (right.k, right.n);
        if m == 0 || n == 0 {
            return;
        }
        assert!(
            stride >= n && c.len() >= (m - 1) * stride + n,
            "the result of a product"
        );
        if let Begin::Row(row) = begin {
            assert_eq!(row.len(), n, "a bias for every column");
        }
        if k == 0 {
            for row in c.chunks_mut(stride).take(m) {
                match begin {
                    Begin::Zero => row[..n].fill(0.0),
                    Begin::There => {}
                    Begin::Row(bias) => row[..n].copy_from_slice(bias),
                }
            }
            return;
        }
        for top in (0..m).step_by(HEIGHT) {
            let height = HEIGHT.min(m - top);
            for deep in (0..k).step_by(DEPTH) {
                let block = Block {
                    left,
                    top,
                    height,
                    deep,
                    depth: DEPTH.min(k - deep),
                    right,
                    begin: if deep == 0 { begin } else { Begin::There },
                    stride,
                };
                match (right.panel == WIDE, L::WIDE) {
                    (true, true) => block.run::<L, 2, 8>(l, c),
                    (true, false) => block.run::<L, 2, 2>(l, c),
                    (false, _) => block.run::<L, 1, 4>(l, c),
                }
            }
        }
    }
}

/// Some rows of the result, some of the shared dimension.
#[derive(Clone, Copy)]
struct Block<'a> {
    left: Left<'a>,
    top: usize,
    height: usize,
    deep: usize,
    depth: usize,
    right: &'a Packed,
    begin: Begin<'a>,
    stride: usize,
}

impl Block<'_> {
    /// All panels; tiles of M rows by N registers of columns.
    #[inline(always)]
    fn run<L: Lanes, const N: usize, const M: usize>(self, l: L, c: &mut [f32]) {
        let (k, width) = (self.right.k, N * LANES);
        for (p, panel) in self.right.values.chunks_exact(k * width).enumerate() {
            let panel = &panel[self.deep * width..][..self.depth * width];
            let end = self.top + self.height;
            let mut row = self.top;
            while row + M <= end {
                self.tile::<L, N, M>(l, panel, p, row, c);
                row += M;
            }
            if M > 4 && row + 4 <= end {
                self.tile::<L, N, 4>(l, panel, p, row, c);
                row += 4;
            }
            if M > 2 && row + 2 <= end {
                self.tile::<L, N, 2>(l, panel, p, row, c);
                row += 2;
            }
            while row < end {
                self.tile::<L, N, 1>(l, panel, p, row, c);
                row += 1;
            }
        }
    }

    /// One tile: loaded, summed over the block's depth in registers, stored.
    #[inline(always)]
    fn tile<L: Lanes, const N: usize, const M: usize>(
        self,
        l: L,
        panel: &[f32],
        p: usize,
        row: usize,
        c: &mut [f32],
    ) {
        let first = p * N * LANES;
        let columns = (N * LANES).min(self.right.n - first);
        let mut sums = [[l.splat(0.0); N]; M];
        for (i, sums) in sums.iter_mut().enumerate() {
            let begin = match self.begin {
                Begin::Zero => continue,
                Begin::There => &c[(row + i) * self.stride + first..][..columns],
                Begin::Row(bias) => &bias[first..][..columns],
            };
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum = l.load_at(begin, j * LANES);
            }
        }
        let left = match self.left {
            Left::Rows(values, stride) => {
                Grid::new(&values[row * stride + self.deep..], stride, self.depth, 1)
            }
            Left::Turned(values, stride) => {
                Grid::new(&values[self.deep * stride + row..], 1, self.depth, stride)
            }
        };
        accumulate(l, left, panel, &mut sums);
        for (i, sums) in sums.iter().enumerate() {
            let to = &mut c[(row + i) * self.stride + first..][..columns];
            for (j, sum) in sums.iter().enumerate() {
                if j * LANES < columns {
                    l.store_at(*sum, to, j * LANES);
                }
            }
        }
    }
}

/// `y = begin + x · right` for one row, the right factor as it stands (k rows of n values): serving, where packing would cost
/// more than the product. The same bits as [`product`] gives for that row.
pub fn row_product(x: &[f32], right: &[f32], begin: Begin<'_>, y: &mut [f32]) {
    super::run(RowProduct { x, right, begin, y });
}

struct RowProduct<'a> {
    x: &'a [f32],
    right: &'a [f32],
    begin: Begin<'a>,
    y: &'a mut [f32],
}

impl Kernel for RowProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let RowProduct { x, right, begin, y } = self;
        let n = y.len();
        assert_eq!(right.len(), x.len() * n, "the right factor of a row's product");
        match begin {
            Begin::Zero => y.fill(0.0),
            Begin::There => {}
            Begin::Row(row) => y.copy_from_slice(row),
        }
        const N: usize = 4;
        let mut at = 0;
        while at + N * LANES <= n {
            let mut sums: [L::V; N] = std::array::from_fn(|j| l.load_at(y, at + j * LANES));
            for (x, row) in x.iter().zip(right.chunks_exact(n)) {
                let x = l.splat(*x);
                let row = &row[at..at + N * LANES];
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = l.fma(x, l.load_at(row, j * LANES), *sum);
                }
            }
            for (j, sum) in sums.into_iter().enumerate() {
                l.store_at(sum, y, at + j * LANES);
            }
            at += N * LANES;
        }
        while at < n {
            let mut sum = l.load_at(y, at);
            for (x, row) in x.iter().zip(right.chunks_exact(n)) {
                sum = l.fma(l.splat(*x), l.load_at(row, at), sum);
            }
            l.store_at(sum, y, at);
            at += LANES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Machine, run_on};
    use super::*;

    fn random(n: usize, seed: u64) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..n).map(|_| random.f32() - 0.5).collect()
    }

    /// Every shape around the tiles and blocks, all ways to read either factor, all beginnings.
    #[test]
    fn it_is_the_product() {
        for (m, k, n) in [
            (1, 1, 1),
            (3, 5, 7),
            (8, 16, 32),
            (15, 300, 33),
            (64, 64, 256),
            (200, 257, 50),
            (2, 0, 5),
            (0, 3, 4),
            (13, 520, 31),
        ] {
            let (a, b) = (random(m * k, 1), random(k * n, 2));
            let turn = |x: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                (0..rows * columns)
                    .map(|i| x[(i % rows) * columns + i / rows])
                    .collect()
            };
            let (a_turned, b_turned) = (turn(&a, m, k), turn(&b, k, n));
            let bias = random(n, 3);
            let stride = n + 3;
            let old = random(m * stride, 4);
            let mut packs = [Packed::new(), Packed::new()];
            packs[1].rows(&[1.0; 60], 30, 2, 30); // used before
            packs[0].rows(&b, n, k, n);
            packs[1].turned(&b_turned, k, k, n);
            for machine in [Machine::Avx512, Machine::Avx2, Machine::Portable] {
                for right in &packs {
                    for left in [Left::Rows(&a, k), Left::Turned(&a_turned, m)] {
                        for (begin, which) in [(Begin::Zero, 0), (Begin::There, 1), (Begin::Row(&bias), 2)] {
                            let mut c = old.clone();
                            run_on(
                                machine,
                                Product {
                                    left,
                                    m,
                                    right,
                                    begin,
                                    c: &mut c,
                                    stride,
                                },
                            );
                            for i in 0..m {
                                for j in 0..stride {
                                    let got = c[i * stride + j];
                                    if j >= n {
                                        assert_eq!(got, old[i * stride + j], "beside the result");
                                        continue;
                                    }
                                    let mut sum =
                                        [0.0, f64::from(old[i * stride + j]), f64::from(bias[j])][which];
                                    for p in 0..k {
                                        sum += f64::from(a[i * k + p]) * f64::from(b[p * n + j]);
                                    }
                                    assert!((f64::from(got) - sum).abs() < 1e-5, "{m} {k} {n}: {got} {sum}");
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn bits_depend_on_nothing_but_the_numbers() {
        let (m, k, n) = (301, 300, 70);
        let (a, b) = (random(m * k, 1), random(k * n, 2));
        let mut right = Packed::new();
        right.rows(&b, n, k, n);
        let mut whole = vec![0.0; m * n];
        product(Left::Rows(&a, k), m, &right, Begin::Zero, &mut whole, n);
        let mut shared = vec![0.0; m * n];
        product_shared(Left::Rows(&a, k), m, &right, Begin::Zero, &mut shared, n);
        assert!(m * n * k > 1 << 22, "the shared product did not share");
        assert_eq!(whole, shared);
        let mut one = vec![0.0; n];
        for i in [0, 7, 300] {
            row_product(&a[i * k..][..k], &b, Begin::Zero, &mut one);
            assert_eq!(one, whole[i * n..][..n], "row {i}");
        }
        for machine in [Machine::Avx512, Machine::Avx2] {
            if Machine::here() != Machine::Portable {
                let mut c = vec![0.0; m * n];
                let left = Left::Rows(&a, k);
                run_on(
                    machine,
                    Product {
                        left,
                        m,
                        right: &right,
                        begin: Begin::Zero,
                        c: &mut c,
                        stride: n,
                    },
                );
                assert_eq!(c, whole, "{machine:?}");
            }
        }
    }
}
