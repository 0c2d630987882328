//! Everything random in a network, as functions of seeds: first weights, the order of examples, a batch's own dice.
//!
//! Learning that goes on from a checkpoint must draw what it would have drawn: nothing here remembers anything.

use fastrand::Rng;

/// How a tensor begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All 0.
    Zero,
    /// All this.
    Constant(f32),
    /// Uniform from -x to x.
    Uniform(f32),
    /// Normal with mean 0 and this deviation.
    Normal(f32),
    /// Uniform with the variance that keeps signals alike in both directions, 2 / (inputs + outputs) (Glorot and Bengio
    /// 2010). Inputs are all dimensions but the last.
    Glorot,
    /// Blocks side by side, this many, each with orthogonal rows or columns: recurrent weights of gated layers (Saxe et
    /// al. 2014).
    Orthogonal(usize),
    /// Zeros but for one of this many equal parts, number `part`, which is 1: the forget gate's bias (Jozefowicz et al. 2015).
    OnePart {
        /// Which part.
        part: usize,
        /// Parts.
        of: usize,
    },
}

// Deviations are compared as bits: an Init is a configuration, never a result.
impl Eq for Init {}

/// Fills a tensor.
pub fn fill(init: Init, shape: &[usize], seed: u64, values: &mut [f32]) {
    let mut rng = Rng::with_seed(seed);
    match init {
        Init::Zero => values.fill(0.0),
        Init::Constant(x) => values.fill(x),
        Init::Uniform(x) => values.fill_with(|| (rng.f32() * 2.0 - 1.0) * x),
        Init::Normal(deviation) => values.fill_with(|| normal(&mut rng) * deviation),
        Init::Glorot => {
            let outputs = shape.last().copied().unwrap_or(1).max(1);
            let inputs = values.len() / outputs;
            let x = (6.0 / (inputs + outputs) as f32).sqrt();
            values.fill_with(|| (rng.f32() * 2.0 - 1.0) * x);
        }
        Init::Orthogonal(blocks) => orthogonal(&mut rng, shape, blocks.max(1), values),
        Init::OnePart { part, of } => {
            values.fill(0.0);
            let size = values.len() / of.max(1);
            values[part * size..][..size].fill(1.0);
        }
    }
}

/// Standard normal, by Box and Muller's cosine.
pub fn normal(rng: &mut Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.f64()).cos()) as f32
}

/// Gram-Schmidt, twice for exactness, over random columns of each block (over rows where a block is wider than high).
fn orthogonal(rng: &mut Rng, shape: &[usize], blocks: usize, values: &mut [f32]) {
    let all = shape.last().copied().unwrap_or(1);
    let width = all / blocks;
    let rows = values.len().checked_div(all).unwrap_or(0);
    let (count, length) = (width.min(rows), width.max(rows));
    for block in 0..blocks {
        let mut found: Vec<Vec<f64>> = Vec::with_capacity(count);
        while found.len() < count {
            let mut v: Vec<f64> = (0..length).map(|_| f64::from(normal(rng))).collect();
            for _ in 0..2 {
                for other in &found {
                    let along: f64 = v.iter().zip(other).map(|(a, b)| a * b).sum();
                    v.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                }
            }
            let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm > 1e-6 {
                v.iter_mut().for_each(|x| *x /= norm);
                found.push(v);
            }
        }
        for row in 0..rows {
            for column in 0..width {
                let (which, at) = if width <= rows {
                    (column, row)
                } else {
                    (row, column)
                };
                values[row * all + block * width + column] = found[which][at] as f32;
            }
        }
    }
}

/// Mixes two numbers into a seed (the finaliser of SplitMix64 over a Weyl step).
pub fn mix(seed: u64, number: u64) -> u64 {
    let mut x = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The numbers below `n` in the order of epoch `epoch`.
pub fn order(n: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    Rng::with_seed(mix(seed, epoch)).shuffle(&mut order);
    order
}

/// The dice of one batch.
pub fn dice(seed: u64, epoch: u64, batch: u64) -> Rng {
    Rng::with_seed(mix(mix(seed ^ 0xd1ce, epoch), batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_blocks_are_orthogonal() {
        for (rows, width, blocks) in [(6, 6, 4), (4, 7, 2), (9, 3, 1)] {
            let all = width * blocks;
            let mut w = vec![0.0; rows * all];
            fill(Init::Orthogonal(blocks), &[rows, all], 7, &mut w);
            for block in 0..blocks {
                let at = |r: usize, c: usize| w[r * all + block * width + c];
                let count = rows.min(width);
                for i in 0..count {
                    for j in 0..count {
                        let dot: f32 = match width <= rows {
                            true => (0..rows).map(|r| at(r, i) * at(r, j)).sum(),
                            false => (0..width).map(|c| at(i, c) * at(j, c)).sum(),
                        };
                        assert!((dot - f32::from(u8::from(i == j))).abs() < 1e-5);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_drawn_depends_on_seeds_alone() {
        assert_eq!(order(50, 1, 2), order(50, 1, 2));
        assert_ne!(order(50, 1, 2), order(50, 1, 3));
        let mut sorted = order(50, 1, 3);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<u32>>());
        let first = |seed, epoch, batch| dice(seed, epoch, batch).u64(..);
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        assert!(first(1, 2, 3) != first(1, 3, 2) && first(1, 2, 3) != first(2, 2, 3));
        let mut x = vec![0.0; 20_000];
        fill(Init::Normal(2.0), &[20_000], 5, &mut x);
        let mean = x.iter().sum::<f32>() / 20_000.0;
        let variance = x.iter().map(|x| x * x).sum::<f32>() / 20_000.0;
        assert!(
            mean.abs() < 0.05 && (variance - 4.0).abs() < 0.15,
            "{mean} {variance}"
        );
        let mut bias = [0.0; 8];
        fill(Init::OnePart { part: 1, of: 4 }, &[8], 0, &mut bias);
        assert_eq!(bias, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let mut w = [9.0; 12];
        fill(Init::Glorot, &[3, 4], 1, &mut w);
        assert!(w.iter().all(|x| x.abs() <= (6.0_f32 / 7.0).sqrt()));
    }
}
