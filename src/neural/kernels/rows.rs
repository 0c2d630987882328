//! Sums and products along rows: gradients of biases, scores of many products, softmax.

use super::functions::exp;
use super::{Kernel, LANES, Lanes, run};

/// `to[j] += Σ rows[i][j]`: the gradient of a bias. Summed in the order of the rows.
pub fn add_columns(rows: &[f32], to: &mut [f32]) {
    assert!(
        !to.is_empty() && rows.len().is_multiple_of(to.len()),
        "whole rows to sum"
    );
    run(AddColumns { rows, to });
}

struct AddColumns<'a> {
    rows: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for AddColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let n = self.to.len();
        for at in (0..n).step_by(LANES) {
            let mut sum = l.load_at(self.to, at);
            for row in self.rows.chunks_exact(n) {
                sum = l.add(sum, l.load_at(row, at));
            }
            l.store_at(sum, self.to, at);
        }
    }
}

/// `to += factor * from`.
pub fn add_scaled(factor: f32, from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len(), "two vectors of one length");
    run(AddScaled { factor, from, to });
}

struct AddScaled<'a> {
    factor: f32,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let factor = l.splat(self.factor);
        for at in (0..self.to.len()).step_by(LANES) {
            let sum = l.fma(factor, l.load_at(self.from, at), l.load_at(self.to, at));
            l.store_at(sum, self.to, at);
        }
    }
}

/// The scalar product.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut out = [0.0];
    dots(a, b, &mut out);
    out[0]
}

/// `out[i] = x · rows[i]`: the scores of all products for one state.
pub fn dots(x: &[f32], rows: &[f32], out: &mut [f32]) {
    assert_eq!(rows.len(), x.len() * out.len(), "a row for every score");
    run(Dots { x, rows, out });
}

struct Dots<'a> {
    x: &'a [f32],
    rows: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        if self.x.is_empty() {
            return self.out.fill(0.0);
        }
        // Four rows at a time: their sums do not wait for each other, and each is the same sum as alone.
        const TOGETHER: usize = 4;
        let width = self.x.len();
        let (fours, rest) = self.out.as_chunks_mut::<TOGETHER>();
        let (many, few) = self.rows.split_at(fours.len() * TOGETHER * width);
        for (rows, out) in many.chunks_exact(TOGETHER * width).zip(fours) {
            *out = scalar_products(l, self.x, rows);
        }
        for (row, out) in few.chunks_exact(width).zip(rest) {
            [*out] = scalar_products(l, self.x, row);
        }
    }
}

/// Those of `x` and N rows.
#[inline(always)]
fn scalar_products<L: Lanes, const N: usize>(l: L, x: &[f32], rows: &[f32]) -> [f32; N] {
    let rows: [&[f32]; N] = std::array::from_fn(|i| &rows[i * x.len()..][..x.len()]);
    let mut sums = [l.splat(0.0); N];
    for at in (0..x.len()).step_by(LANES) {
        let x = l.load_at(x, at);
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = l.fma(x, l.load_at(row, at), *sum);
        }
    }
    let mut found = [0.0; N];
    for (found, sum) in found.iter_mut().zip(sums) {
        *found = l.sum(sum);
    }
    found
}

/// Turns a row of logits into probabilities and returns the logarithm of their sum of exponentials. A logit of minus infinity
/// (something left out) becomes a probability of 0 exactly; of a row with nothing else nothing is left but zeros and minus
/// infinity.
pub fn softmax(row: &mut [f32]) -> f32 {
    softmax_times(row, 1.0)
}

/// The same, the probabilities multiplied by `factor`.
pub fn softmax_times(row: &mut [f32], factor: f32) -> f32 {
    run(Softmax { row, factor })
}

struct Softmax<'a> {
    row: &'a mut [f32],
    factor: f32,
}

impl Kernel for Softmax<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> f32 {
        let Softmax { row, factor } = self;
        let (whole, rest) = row.as_chunks::<LANES>();
        let mut top = l.splat(f32::NEG_INFINITY);
        for chunk in whole {
            top = l.max(l.load(chunk), top);
        }
        let top = rest.iter().copied().fold(l.largest(top), f32::max);
        if top == f32::NEG_INFINITY {
            row.fill(0.0);
            return top;
        }
        let shift = l.splat(-top);
        // What the exponential answers from -87 downwards, taken from every term: nothing counts as exactly nothing.
        let nothing = exp(l, l.splat(f32::NEG_INFINITY));
        let mut sum = l.splat(0.0);
        let (whole, rest) = row.as_chunks_mut::<LANES>();
        for chunk in whole {
            let e = l.sub(exp(l, l.add(l.load(chunk), shift)), nothing);
            sum = l.add(sum, e);
            l.store(e, chunk);
        }
        let mut last = [f32::NEG_INFINITY; LANES];
        last[..rest.len()].copy_from_slice(rest);
        let e = l.sub(exp(l, l.add(l.load(&last), shift)), nothing);
        l.store(e, &mut last);
        sum = l.add(sum, l.load(&last));
        rest.copy_from_slice(&last[..rest.len()]);
        let sum = l.sum(sum);
        let scale = l.splat(factor / sum);
        for at in (0..row.len()).step_by(LANES) {
            l.store_at(l.mul(l.load_at(row, at), scale), row, at);
        }
        top + sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Machine, run_on};
    use super::*;

    #[test]
    fn sums_and_products_at_every_length() {
        let mut random = fastrand::Rng::with_seed(5);
        for n in [1, 15, 16, 17, 48, 100] {
            let x: Vec<f32> = (0..n).map(|_| random.f32() - 0.5).collect();
            let rows: Vec<f32> = (0..7 * n).map(|_| random.f32() - 0.5).collect();
            let mut out = [9.0; 7];
            dots(&x, &rows, &mut out);
            let mut sums = x.clone();
            add_columns(&rows, &mut sums);
            let mut scaled = x.clone();
            add_scaled(-2.0, &rows[..n], &mut scaled);
            let x86 = [Machine::Avx2, Machine::Avx512].map(|machine| {
                let mut out = [9.0; 7];
                run_on(
                    machine,
                    Dots {
                        x: &x,
                        rows: &rows,
                        out: &mut out,
                    },
                );
                out
            });
            if Machine::here() == Machine::Avx512 {
                assert_eq!(x86[0], x86[1], "{n}");
            }
            // What stands behind a row is not looked at.
            let mut more = rows[..n].to_vec();
            more.push(f32::NAN);
            assert_eq!(dot(&more[..n], &x).to_bits(), out[0].to_bits(), "{n}");
            for (row, out) in rows.chunks_exact(n).zip(out) {
                assert_eq!(dot(row, &x).to_bits(), dot(&x, row).to_bits(), "{n}");
                assert_eq!(
                    dot(row, &x).to_bits(),
                    out.to_bits(),
                    "{n}: alone and beside others"
                );
                let wanted: f32 = row.iter().zip(&x).map(|(a, b)| a * b).sum();
                assert!((out - wanted).abs() < 1e-5, "{n}");
                assert!((dot(row, &x) - wanted).abs() < 1e-5, "{n}");
            }
            for j in 0..n {
                let wanted: f32 = x[j] + rows.iter().skip(j).step_by(n).sum::<f32>();
                assert!((sums[j] - wanted).abs() < 1e-5);
                assert!((scaled[j] - (x[j] - 2.0 * rows[j])).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn softmax_sums_to_one_and_leaves_out() {
        for n in [1, 5, 16, 33, 1000] {
            let mut row: Vec<f32> = (0..n).map(|i| ((i * 7 % 13) as f32) * 3.0 + 500.0).collect();
            if n > 5 {
                row[3] = f32::NEG_INFINITY;
            }
            let before = row.clone();
            let log_sum = f64::from(softmax(&mut row));
            let sum: f64 = before.iter().map(|x| (f64::from(*x) - 500.0).exp()).sum();
            assert!(
                (log_sum - 500.0 - sum.ln()).abs() < 1e-4,
                "{log_sum} {}",
                sum.ln()
            );
            for (p, x) in row.iter().zip(before) {
                let wanted = (f64::from(x) - 500.0).exp() / sum;
                assert!((f64::from(*p) - wanted).abs() < 1e-6);
            }
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        let mut nothing = [f32::NEG_INFINITY; 20];
        assert_eq!(softmax(&mut nothing), f32::NEG_INFINITY);
        assert_eq!(nothing, [0.0; 20]);
        let mut none: [f32; 0] = [];
        assert_eq!(softmax(&mut none), f32::NEG_INFINITY);
    }
}
