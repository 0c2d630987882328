//! Seasons: which length a series has, and how much of it is season.
//!
//! A season of `m` steps is taken as real where the autocorrelation at lag `m` stands out at 90 %, as the Theta method
//! tests it (Assimakopoulos and Nikolopoulos, International Journal of Forecasting 16, 2000), on a series of at least
//! three seasons. Its shape is that of the classical decomposition: a centred moving average is the trend, the averages
//! of what deviates from it are the indices.

/// How a season enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Added: the indices sum to zero.
    Additive,
    /// Multiplied: the indices average one.
    Multiplicative,
}

/// The centred moving average over a season; `NaN` where it does not fit, or where a value it needs is missing.
pub fn moving_average(values: &[f64], period: usize) -> Vec<f64> {
    let n = values.len();
    let mut average = vec![f64::NAN; n];
    if period == 0 || n < period + 1 - period % 2 {
        return average;
    }
    let half = period / 2;
    for (t, slot) in average.iter_mut().enumerate().take(n - half).skip(half) {
        let window = &values[t - half..=t + half];
        // An even season has no middle: its two ends count half.
        let mut sum: f64 = window.iter().sum();
        if period.is_multiple_of(2) {
            sum -= 0.5 * (window[0] + window[window.len() - 1]);
        }
        *slot = sum / period as f64;
    }
    average
}

/// The season's indices, `period` of them, the first belonging to the first value; `None` for a series of less than two
/// seasons, one in which a slot is never seen, or a multiplicative season of values that are not positive.
pub fn indices(values: &[f64], period: usize, kind: Kind) -> Option<Vec<f64>> {
    if period < 2 || values.len() < 2 * period {
        return None;
    }
    let trend = moving_average(values, period);
    let mut sums = vec![(0.0, 0u32); period];
    for (t, (value, trend)) in values.iter().zip(&trend).enumerate() {
        let deviation = match kind {
            Kind::Additive => value - trend,
            Kind::Multiplicative => value / trend,
        };
        if deviation.is_finite() {
            let (sum, count) = &mut sums[t % period];
            *sum += deviation;
            *count += 1;
        }
    }
    if sums.iter().any(|(_, count)| *count == 0) {
        return None;
    }
    let mut found: Vec<f64> = sums.iter().map(|(sum, count)| sum / f64::from(*count)).collect();
    let mean = found.iter().sum::<f64>() / period as f64;
    match kind {
        Kind::Additive => found.iter_mut().for_each(|index| *index -= mean),
        Kind::Multiplicative => {
            if !(mean > 0.0 && found.iter().all(|index| *index > 0.0)) {
                return None;
            }
            found.iter_mut().for_each(|index| *index /= mean);
        }
    }
    Some(found)
}

/// Autocorrelations at lags 1 to `lags`, of the values that are there.
pub fn autocorrelations(values: &[f64], lags: usize) -> Vec<f64> {
    let (sum, count) = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    let mean = sum / f64::from(count.max(1));
    let centred: Vec<f64> = values
        .iter()
        .map(|value| if value.is_nan() { 0.0 } else { value - mean })
        .collect();
    let whole: f64 = centred.iter().map(|x| x * x).sum();
    (1..=lags)
        .map(|lag| {
            if whole > 0.0 && lag < centred.len() {
                centred[lag..]
                    .iter()
                    .zip(&centred)
                    .map(|(a, b)| a * b)
                    .sum::<f64>()
                    / whole
            } else {
                0.0
            }
        })
        .collect()
}

/// Whether the autocorrelation at lag `period` stands out at 90 %, the series having at least three seasons.
pub fn is_seasonal(values: &[f64], period: usize) -> bool {
    if period < 2 || values.len() < 3 * period {
        return false;
    }
    let found = autocorrelations(values, period);
    let earlier: f64 = found[..period - 1].iter().map(|r| r * r).sum();
    let limit = 1.645 * ((1.0 + 2.0 * earlier) / values.len() as f64).sqrt();
    found[period - 1].abs() > limit
}
