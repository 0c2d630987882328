//! Seeded chance. Every part of the shop draws from a stream of its own, named by a number, so that
//! changing how tickets are made leaves the products as they were.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A seeded generator with the few distributions the shop needs.
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    /// The stream `stream` of item `item` under `seed`.
    pub(super) fn new(seed: u64, stream: &str, item: u64) -> Dice {
        let start = xxh3_64_with_seed(stream.as_bytes(), seed) ^ item.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut rng = fastrand::Rng::with_seed(start);
        rng.u64(..); // neighbouring seeds differ in few bits: the first draw mixes them
        Dice(rng)
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// An index below `n` (0 when `n` is 0).
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { self.0.usize(..n) }
    }

    /// An integer in low..=high.
    pub(super) fn int(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// One of `items`, which is not empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Standard normal by the Box-Muller transform.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// An index drawn in proportion to `weights` (not negative, not all zero).
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }

    /// How many times in a row a coin of probability `p` shows heads, at most `most`.
    pub(super) fn run(&mut self, p: f64, most: usize) -> usize {
        (0..most).take_while(|_| self.chance(p)).count()
    }
}

/// Shares `total` among `weights` by the largest remainder, so that the parts sum to `total` exactly.
pub(super) fn apportion(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| weight / sum * total as f64).collect();
    let mut parts: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
    let missing = total - parts.iter().sum::<usize>().min(total);
    for &index in order.iter().cycle().take(missing) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_total() {
        let parts = apportion(100, &[0.2, 1.7, 3.3, 0.01]);
        assert_eq!(parts.iter().sum::<usize>(), 100);
        assert!(parts[2] > parts[1] && parts[1] > parts[0]);
    }

    #[test]
    fn a_stream_repeats_and_streams_differ() {
        let draw = |stream: &str| {
            (0..4)
                .map(|_| 0)
                .scan(Dice::new(7, stream, 0), |dice, _| Some(dice.int(0, 1 << 40)))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw("products"), draw("products"));
        assert_ne!(draw("products"), draw("prices"));
    }
}
