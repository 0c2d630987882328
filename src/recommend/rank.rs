//! Ranking: the n best of all products, in one order that no thread and no library can change.
//!
//! Best first; equal scores by product index. The full catalogue is ranked, never a sample of it.

/// The `n` best products among those that `allowed` lets through, as (product, score).
pub fn best(scores: &[f32], n: usize, allowed: impl Fn(usize) -> bool) -> Vec<(u32, f32)> {
    if n == 0 {
        return Vec::new();
    }
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let mut kept: Vec<(u32, f32)> = Vec::with_capacity(4 * n);
    let mut bar = f32::NEG_INFINITY; // the n-th best score so far
    for (product, &score) in scores.iter().enumerate() {
        // A later product with a score equal to the bar loses the tie by its index.
        if score > bar && allowed(product) {
            kept.push((product as u32, score));
            if kept.len() == 4 * n {
                kept.select_nth_unstable_by(n - 1, order);
                kept.truncate(n);
                bar = kept[n - 1].1;
            }
        }
    }
    if kept.len() > n {
        kept.select_nth_unstable_by(n - 1, order);
        kept.truncate(n);
    }
    kept.sort_unstable_by(order);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_a_full_sort() {
        let mut random = fastrand::Rng::with_seed(7);
        for n in [1, 3, 10, 100] {
            let scores: Vec<f32> = (0..500).map(|_| random.u8(0..40) as f32).collect();
            let mut all: Vec<(u32, f32)> = scores
                .iter()
                .enumerate()
                .map(|(i, &s)| (i as u32, s))
                .filter(|e| e.0 % 3 != 0)
                .collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(n);
            assert_eq!(best(&scores, n, |i| i % 3 != 0), all);
        }
        assert!(best(&[1.0], 0, |_| true).is_empty());
    }
}
