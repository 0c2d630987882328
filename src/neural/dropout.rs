//! Dropout: while learning, each value is left out with some probability and the others are raised, so that the mean stays
//! (Srivastava et al. 2014). While serving nothing is done.

use fastrand::Rng;

/// Leaves out about the share `share` of `values` and multiplies the rest by `1 / (1 - share)`. `mask` receives the factors: the
/// way back is [`mask`](fn@mask). A share of 0 leaves everything as it is.
pub fn drop(share: f32, rng: &mut Rng, values: &mut [f32], mask: &mut Vec<f32>) {
    assert!((0.0..1.0).contains(&share), "a share to leave out, less than all");
    mask.clear();
    if share == 0.0 {
        mask.resize(values.len(), 1.0);
        return;
    }
    let kept = 1.0 / (1.0 - share);
    // One draw serves four values, 16 bits each.
    let limit = (f64::from(share) * 65_536.0).round() as u64;
    for group in values.chunks_mut(4) {
        let mut bits = rng.u64(..);
        for value in group {
            let factor = if bits & 0xffff < limit { 0.0 } else { kept };
            bits >>= 16;
            *value *= factor;
            mask.push(factor);
        }
    }
}

/// Multiplies by the factors that [`drop`] left.
pub fn mask(mask: &[f32], values: &mut [f32]) {
    assert_eq!(mask.len(), values.len(), "a factor for every value");
    values
        .iter_mut()
        .zip(mask)
        .for_each(|(value, factor)| *value *= factor);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_its_share_and_keeps_the_mean() {
        let mut factors = Vec::new();
        for share in [0.0, 0.1, 0.5, 0.9] {
            let mut x = vec![2.0; 100_003];
            drop(share, &mut Rng::with_seed(1), &mut x, &mut factors);
            let out = x.iter().filter(|x| **x == 0.0).count() as f32 / 100_003.0;
            assert!((out - share).abs() < 0.005, "{out} of {share}");
            assert!((x.iter().sum::<f32>() / 100_003.0 - 2.0).abs() < 0.06);
            let mut back = vec![1.0; 100_003];
            mask(&factors, &mut back);
            assert!(x.iter().zip(&back).all(|(x, b)| *x == 2.0 * b));
            let mut again = vec![2.0; 100_003];
            drop(share, &mut Rng::with_seed(1), &mut again, &mut factors);
            assert_eq!(x, again);
        }
    }
}
