//! A monotone curve through noisy points: pool adjacent violators (Barlow et al. 1972).

use serde::{Deserialize, Serialize};

/// A curve that never falls, through (x, y) points with the least squared error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Ascending x of the middles of the pools, and their mean y, ascending too.
    knots: Vec<(f64, f64)>,
}

impl Isotonic {
    /// Fits the curve. Points whose x or y is not finite are left out. A pool holds at least `fewest` points, so that
    /// one lucky point at the end is no promise.
    pub fn fit(points: &[(f64, f64)], fewest: usize) -> Isotonic {
        let mut points: Vec<(f64, f64)> = points
            .iter()
            .copied()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // (number of points, sum of x, sum of y)
        let mut pools: Vec<(usize, f64, f64)> = Vec::new();
        for chunk in points.chunks(fewest.max(1)) {
            let (x, y) = chunk
                .iter()
                .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            pools.push((chunk.len(), x, y));
            let short = chunk.len() < fewest; // the last: joins the one before
            while let [.., (n0, x0, y0), (n1, x1, y1)] = pools[..] {
                let falls = y0 / n0 as f64 >= y1 / n1 as f64;
                if !falls && (!short || n1 >= fewest) {
                    break;
                }
                pools.truncate(pools.len() - 2);
                pools.push((n0 + n1, x0 + x1, y0 + y1));
            }
        }
        Isotonic {
            knots: pools
                .iter()
                .map(|&(n, x, y)| (x / n as f64, y / n as f64))
                .collect(),
        }
    }

    /// The curve at `x`: straight between the knots, level beyond them; none when nothing was fitted.
    pub fn at(&self, x: f64) -> Option<f64> {
        let (first, last) = (self.knots.first()?, self.knots.last()?);
        if x <= first.0 {
            return Some(first.1);
        }
        if x >= last.0 {
            return Some(last.1);
        }
        let next = self.knots.partition_point(|knot| knot.0 <= x);
        let ((x0, y0), (x1, y1)) = (self.knots[next - 1], self.knots[next]);
        Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled() {
        // By hand: 1, (3, 2 -> 2.5), 4.
        let curve = Isotonic::fit(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0)], 1);
        assert_eq!(curve.knots, vec![(1.0, 1.0), (2.5, 2.5), (4.0, 4.0)]);
        assert_eq!(
            (curve.at(0.0), curve.at(2.5), curve.at(9.0)),
            (Some(1.0), Some(2.5), Some(4.0))
        );
        assert_eq!(curve.at(1.75), Some(1.75));
    }

    #[test]
    fn it_never_falls_and_small_pools_join() {
        let mut dice = fastrand::Rng::with_seed(1);
        let points: Vec<(f64, f64)> = (0..303)
            .map(|_| (dice.f64(), dice.f64()))
            .map(|(x, noise)| (x, x * x + 0.3 * noise))
            .collect();
        let curve = Isotonic::fit(&points, 20);
        assert!(curve.knots.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        assert!((curve.at(0.9).unwrap() - 0.96).abs() < 0.1);
        assert_eq!(Isotonic::fit(&[], 5).at(0.5), None);
        assert_eq!(Isotonic::fit(&[(0.2, 1.0)], 5).at(0.5), Some(1.0));
    }
}
