//! The logarithm of the gamma function and its derivative, for positive arguments: Stirling's series from 10 on, the
//! recurrence below (Abramowitz and Stegun, 1964, 6.1.41 and 6.3.18). Exact to about 1e-14.

/// `ln Gamma(x)`, `x > 0`.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < 10.0 {
        product *= x;
        x += 1.0;
    }
    let (i, i2) = (1.0 / x, 1.0 / (x * x));
    let series = i
        * (1.0 / 12.0
            - i2 * (1.0 / 360.0
                - i2 * (1.0 / 1260.0
                    - i2 * (1.0 / 1680.0 - i2 * (1.0 / 1188.0 - i2 * (691.0 / 360_360.0))))));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - f64::ln(product)
}

/// `d ln Gamma(x) / dx`, `x > 0`.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 10.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let i2 = 1.0 / (x * x);
    let series = i2
        * (1.0 / 12.0
            - i2 * (1.0 / 120.0
                - i2 * (1.0 / 252.0 - i2 * (1.0 / 240.0 - i2 * (1.0 / 132.0 - i2 * (691.0 / 32_760.0))))));
    x.ln() - 0.5 / x - series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Factorials, Gamma(1/2) = sqrt(pi), and Abramowitz and Stegun's table 6.1: digamma(1) = -gamma.
    #[test]
    fn known_values() {
        let mut factorial = 1.0f64;
        for k in 1..30 {
            assert!(
                (ln_gamma(f64::from(k)) - factorial.ln()).abs() < 1e-13 * (1.0 + factorial.ln()),
                "{k}"
            );
            factorial *= f64::from(k);
        }
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-14);
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-14);
        assert!((digamma(0.5) + 1.963_510_026_021_423_5).abs() < 1e-14);
        for x in [0.3, 1.7, 2.05, 9.99, 10.0, 250.0] {
            let slope = (ln_gamma(x + 1e-5) - ln_gamma(x - 1e-5)) / 2e-5;
            // What rounding of the logarithm leaves of a difference.
            let within = 1e-8 + 1e-10 * ln_gamma(x).abs();
            assert!((digamma(x) - slope).abs() < within, "{x}");
        }
    }
}
