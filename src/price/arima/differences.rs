//! How often to difference: a test for a unit root, a measure of seasonal strength.
//!
//! - *Level*: the test of Kwiatkowski, Phillips, Schmidt and Shin (J. Econometrics 54, 1992) holds that the series is
//!   stationary around a level. Its statistic is the sum of squared partial sums over the long-run variance (Bartlett's
//!   weights over `3 sqrt(n) / 13` lags, as in R's `ndiffs`); above 0.463 (5 %) the series is differenced.
//! - *Season*: the share of variance that a fixed pattern takes of what is left beside the trend, `1 - Var(rest) /
//!   Var(season + rest)` (Wang, Smith and Hyndman, Data Mining and Knowledge Discovery 13, 2006); above 0.64 the series
//!   is differenced over its season, as in R's `nsdiffs`. The trend is a centred mean over one season.

/// The 5 % point of the test for a level.
const LEVEL: f64 = 0.463;
/// The seasonal strength from which a season is differenced.
const STRONG: f64 = 0.64;

/// The statistic of the test for stationarity around a level; missing values are left out. `None` for a series that
/// does not vary.
pub fn kpss(values: &[f64]) -> Option<f64> {
    let there: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let n = there.len() as f64;
    let mean = there.iter().sum::<f64>() / n;
    let off: Vec<f64> = there.iter().map(|value| value - mean).collect();
    let mut sum = 0.0;
    let partial: f64 = off
        .iter()
        .map(|off| {
            sum += off;
            sum * sum
        })
        .sum();
    let covariance = |lag: usize| {
        off.iter()
            .zip(off.iter().skip(lag))
            .map(|(a, b)| a * b)
            .sum::<f64>()
            / n
    };
    let lags = (3.0 * n.sqrt() / 13.0) as usize;
    let mut variance = covariance(0);
    let plain = variance;
    for lag in 1..=lags {
        variance += 2.0 * (1.0 - lag as f64 / (lags as f64 + 1.0)) * covariance(lag);
    }
    let spread = 1e-14 * mean * mean;
    (plain > spread && variance > 0.0).then(|| partial / (n * n * variance))
}

/// Differences after which the series is stationary around a level, `most` at the most.
pub fn level_differences(values: &[f64], most: usize) -> usize {
    let mut work = values.to_vec();
    for d in 0..most {
        if kpss(&work).is_none_or(|statistic| statistic <= LEVEL) {
            return d;
        }
        work = work.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    most
}

/// The strength of the season, 0 to 1; `None` for less than two seasons or where nothing is left beside the trend.
pub fn seasonal_strength(values: &[f64], season: usize) -> Option<f64> {
    if season < 2 || values.len() < 2 * season {
        return None;
    }
    let n = values.len();
    let half = season / 2;
    // Beside the trend; NaN where it is not known.
    let mut rest = vec![f64::NAN; n];
    for t in half..n - half {
        let mut window = values[t - half..=t + half].to_vec();
        if season.is_multiple_of(2) {
            let ends = (window[0] + window[2 * half]) / 2.0;
            window[0] = ends;
            window.pop();
        }
        let (sum, count) = window
            .iter()
            .filter(|value| !value.is_nan())
            .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
        // A window with gaps has the wrong mixture of phases; half a season of values must be there.
        if count as usize * 2 >= season {
            rest[t] = values[t] - sum / f64::from(count);
        }
    }
    let mut pattern = vec![(0.0, 0u32); season];
    for (t, value) in rest.iter().enumerate() {
        if !value.is_nan() {
            let (sum, count) = &mut pattern[t % season];
            *sum += value;
            *count += 1;
        }
    }
    let (mut left, mut both) = (Vec::new(), Vec::new());
    for (t, value) in rest.iter().enumerate() {
        if !value.is_nan() {
            let (sum, count) = pattern[t % season];
            left.push(value - sum / f64::from(count));
            both.push(*value);
        }
    }
    let (left, both) = (variance(&left), variance(&both));
    let size = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold(0.0f64, |m, v| m.max(v.abs()));
    (both > 1e-24 * size * size).then(|| (1.0 - left / both).clamp(0.0, 1.0))
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / n
}

/// Whether the season is strong enough to difference over it.
pub fn seasonal_difference(values: &[f64], season: usize) -> bool {
    seasonal_strength(values, season).is_some_and(|strength| strength > STRONG)
}
