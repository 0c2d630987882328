//! Whether prices come back: the variance ratio of Lo and MacKinlay (Review of Financial Studies 1, 1988).
//!
//! Where every day's move is unrelated to those before it, the variance of a move over `q` days is `q` times that of one day.
//! A price that swings between two levels moves far each day and nowhere in a month: there the ratio of the two is far
//! below 1. It is told from chance by its standard error, the one that allows for nervous weeks.

/// The variance of moves over `days` days as a share of what unrelated daily `returns` (`NaN` missing: left out) would give, where
/// it is below 1 by more than chance (at 2.5 %); else 1.
pub fn returning(returns: &[f64], days: usize) -> f64 {
    let returns: Vec<f64> = returns.iter().copied().filter(|r| r.is_finite()).collect();
    let n = returns.len();
    if days < 2 || n < 4 * days {
        return 1.0;
    }
    let mean = returns.iter().sum::<f64>() / n as f64;
    let squares: Vec<f64> = returns.iter().map(|r| (r - mean).powi(2)).collect();
    let whole: f64 = squares.iter().sum();
    if whole <= 0.0 {
        return 1.0;
    }
    let (q, count) = (days as f64, n as f64);
    let far: f64 = returns
        .windows(days)
        .map(|window| (window.iter().sum::<f64>() - q * mean).powi(2))
        .sum();
    // Both variances without bias under the hypothesis, their equations (12).
    let ratio = far / (q * (count - q + 1.0) * (1.0 - q / count)) / (whole / (count - 1.0));
    // Equations (18) and (19).
    let variance: f64 = (1..days)
        .map(|lag| {
            let together: f64 = squares.iter().zip(&squares[lag..]).map(|(a, b)| a * b).sum();
            (2.0 * (q - lag as f64) / q).powi(2) * together / (whole * whole)
        })
        .sum();
    if ratio.is_finite() && ratio - 1.0 < -1.959_963_984_540 * variance.sqrt() {
        ratio
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unrelated_moves_have_none_and_returning_ones_have() {
        let mut dice = fastrand::Rng::with_seed(4);
        let moves: Vec<f64> = (0..1000).map(|_| dice.f64() - 0.5).collect();
        assert_eq!(returning(&moves, 30), 1.0);
        // Levels drawn anew each day: a month's move has twice the level's variance, as a day's has. 2 / (30 * 2).
        let levels: Vec<f64> = (0..1001).map(|_| dice.f64()).collect();
        let back: Vec<f64> = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let found = returning(&back, 30);
        assert!((found * 30.0 - 1.0).abs() < 0.15, "{found}");
        assert_eq!(returning(&[0.0; 500], 30), 1.0);
        assert_eq!(returning(&moves[..100], 30), 1.0, "too few to tell");
    }
}
