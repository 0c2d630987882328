//! Seasonal and trend decomposition by loess (STL).
//!
//! Cleveland, Cleveland, McRae and Terpenning, Journal of Official Statistics 6 (1990). A series is trend plus season plus
//! rest. The inner loop smooths each slot of the season over the years (all Januaries, all Februaries) and the rest of
//! the series over time, in turns; the outer loop weighs steps down by how odd their rest was. *Loess* fits a line
//! around each point to its nearest neighbours, which count less the further away they lie; it is evaluated at every
//! tenth of its window and interpolated between, as the authors do.
//!
//! It takes out seasons too long for one state each ([`super::ets`]), such as the year of a weekly series, tells how much
//! of a series is season ([`Decomposition::seasonal_strength`]), and leaves a rest in which oddities stand out.

use super::series::last_value;

/// Windows and loops. All windows are odd numbers of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stl {
    /// Steps of a season.
    pub period: usize,
    /// Seasons that shape one slot of the season.
    pub seasonal_window: usize,
    /// Passes of the outer loop; 0 trusts every step alike.
    pub robust: usize,
}

/// A series as the sum of three.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// What moves slowly.
    pub trend: Vec<f64>,
    /// What returns.
    pub season: Vec<f64>,
    /// What is left; `NaN` where nothing was seen.
    pub rest: Vec<f64>,
}

fn odd(x: usize) -> usize {
    x | 1
}

impl Stl {
    /// Decomposes a series (`NaN` missing, bridged by straight lines); `None` for less than two seasons.
    pub fn decompose(&self, values: &[f64]) -> Option<Decomposition> {
        let (n, m) = (values.len(), self.period);
        if m < 2 || n < 2 * m || last_value(values).is_none() {
            return None;
        }
        let filled = bridged(values);
        let seasonal = odd(self.seasonal_window.max(3));
        let low = odd(m);
        let trend_window = odd((1.5 * m as f64 / (1.0 - 1.5 / seasonal as f64)).ceil() as usize);
        let smooth = |window: usize| Loess {
            window,
            jump: window.div_ceil(10),
        };
        let (by_slot, by_time, by_season) = (smooth(seasonal), smooth(trend_window), smooth(low));
        let mut weights = vec![1.0; n];
        let (mut trend, mut season) = (vec![0.0; n], vec![0.0; n]);
        for outer in 0..=self.robust {
            for _ in 0..if self.robust == 0 { 2 } else { 1 } {
                let detrended: Vec<f64> = filled.iter().zip(&trend).map(|(y, t)| y - t).collect();
                let cycle = by_slot.slots(&detrended, m, &weights);
                let averaged = running_mean(&running_mean(&running_mean(&cycle, m), m), 3);
                let ones = vec![1.0; n];
                let level = by_season.smooth(&averaged, &ones);
                for (t, slot) in season.iter_mut().enumerate() {
                    *slot = cycle[t + m] - level[t];
                }
                let adjusted: Vec<f64> = filled.iter().zip(&season).map(|(y, s)| y - s).collect();
                trend = by_time.smooth(&adjusted, &weights);
            }
            if outer < self.robust {
                bisquare(&filled, &trend, &season, &mut weights);
            }
        }
        let rest = values
            .iter()
            .zip(&trend)
            .zip(&season)
            .map(|((y, t), s)| y - t - s)
            .collect();
        Some(Decomposition { trend, season, rest })
    }
}

impl Decomposition {
    /// How much of what is not trend is season, 0 to 1: `1 - Var(rest) / Var(season + rest)` (Wang, Smith and Hyndman,
    /// Data Mining and Knowledge Discovery 13, 2006).
    pub fn seasonal_strength(&self) -> f64 {
        let both: Vec<f64> = self.rest.iter().zip(&self.season).map(|(r, s)| r + s).collect();
        let whole = variance(&both);
        // What rounding leaves of a flat line is no season.
        let size = self
            .trend
            .iter()
            .fold(0.0f64, |size, trend| size.max(trend.abs()));
        if whole.sqrt() > 1e-9 * size {
            (1.0 - variance(&self.rest) / whole).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

fn variance(values: &[f64]) -> f64 {
    let seen = || values.iter().copied().filter(|value| !value.is_nan());
    let count = seen().count().max(1) as f64;
    let mean = seen().sum::<f64>() / count;
    seen().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count
}

/// Missing values replaced by straight lines between their neighbours; ends by the nearest value.
fn bridged(values: &[f64]) -> Vec<f64> {
    let mut filled = values.to_vec();
    let mut before: Option<usize> = None;
    for t in 0..values.len() {
        if values[t].is_nan() {
            continue;
        }
        match before {
            None => filled[..t].fill(values[t]),
            Some(start) => {
                let slope = (values[t] - values[start]) / (t - start) as f64;
                for (i, slot) in filled[start + 1..t].iter_mut().enumerate() {
                    *slot = values[start] + slope * (i + 1) as f64;
                }
            }
        }
        before = Some(t);
    }
    if let Some(last) = before {
        filled[last + 1..].fill(values[last]);
    }
    filled
}

/// Means of `length` neighbours, `length - 1` fewer than there are values.
fn running_mean(values: &[f64], length: usize) -> Vec<f64> {
    let mut sum: f64 = values[..length].iter().sum();
    let mut means = vec![sum / length as f64];
    for (new, old) in values[length..].iter().zip(values) {
        sum += new - old;
        means.push(sum / length as f64);
    }
    means
}

/// Weights of the next outer pass: 1 for a small rest, 0 beyond six times the median one.
fn bisquare(filled: &[f64], trend: &[f64], season: &[f64], weights: &mut [f64]) {
    let rest: Vec<f64> = (0..filled.len())
        .map(|t| (filled[t] - trend[t] - season[t]).abs())
        .collect();
    let mut sorted = rest.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let limit = 3.0 * (sorted[n / 2] + sorted[n - n / 2 - 1]);
    for (weight, rest) in weights.iter_mut().zip(&rest) {
        *weight = if *rest <= 0.001 * limit {
            1.0
        } else if *rest <= 0.999 * limit {
            let share = rest / limit;
            (1.0 - share * share) * (1.0 - share * share)
        } else {
            0.0
        };
    }
}

/// Local lines over windows of neighbours.
#[derive(Debug, Clone, Copy)]
struct Loess {
    window: usize,
    jump: usize,
}

impl Loess {
    /// The smooth value at `x` (points are 1, 2, ...) from the points `left..=right`; `None` where all weights vanish.
    fn at(&self, x: f64, left: usize, right: usize, values: &[f64], weights: &[f64]) -> Option<f64> {
        let n = values.len();
        let mut reach = (x - left as f64).max(right as f64 - x);
        if self.window > n {
            reach += ((self.window - n) / 2) as f64;
        }
        let (inner, outer) = (0.001 * reach, 0.999 * reach);
        let (mut w0, mut w1, mut w2, mut y0, mut y1) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for j in left..=right {
            let distance = (j as f64 - x).abs();
            if distance > outer {
                continue;
            }
            let weight = if distance <= inner {
                weights[j - 1]
            } else {
                let share = distance / reach;
                let fall = 1.0 - share * share * share;
                weights[j - 1] * fall * fall * fall
            };
            let offset = j as f64 - x;
            w0 += weight;
            w1 += weight * offset;
            w2 += weight * offset * offset;
            y0 += weight * values[j - 1];
            y1 += weight * offset * values[j - 1];
        }
        if w0 <= 0.0 {
            return None;
        }
        let (centre, mean) = (w1 / w0, y0 / w0);
        let spread = w2 / w0 - centre * centre;
        // Points too close together to carry a line give their mean.
        if spread.max(0.0).sqrt() > 0.001 * (n as f64 - 1.0) {
            let slope = (y1 / w0 - centre * mean) / spread;
            Some(mean - slope * centre)
        } else {
            Some(mean)
        }
    }

    /// Every point smoothed.
    fn smooth(&self, values: &[f64], weights: &[f64]) -> Vec<f64> {
        let n = values.len();
        if n < 2 {
            return values.to_vec();
        }
        let jump = self.jump.clamp(1, n - 1);
        let half = self.window.div_ceil(2);
        let ends = |i: usize| {
            if self.window >= n {
                (1, n)
            } else if i < half {
                (1, self.window)
            } else if i > n - half {
                (n - self.window + 1, n)
            } else {
                (i + 1 - half, i + self.window - half)
            }
        };
        let at = |i: usize| {
            let (left, right) = ends(i);
            self.at(i as f64, left, right, values, weights)
                .unwrap_or(values[i - 1])
        };
        let mut smooth = vec![0.0; n];
        let mut before = (1, at(1));
        smooth[0] = before.1;
        let mut i = 1;
        while i < n {
            i = (i + jump).min(n);
            let here = at(i);
            let slope = (here - before.1) / (i - before.0) as f64;
            for j in before.0 + 1..=i {
                smooth[j - 1] = before.1 + slope * (j - before.0) as f64;
            }
            smooth[i - 1] = here;
            before = (i, here);
        }
        smooth
    }

    /// Each slot of the season smoothed over the seasons, one season longer at both ends.
    fn slots(&self, values: &[f64], period: usize, weights: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; values.len() + 2 * period];
        for slot in 0..period {
            let y: Vec<f64> = values.iter().skip(slot).step_by(period).copied().collect();
            let w: Vec<f64> = weights.iter().skip(slot).step_by(period).copied().collect();
            let k = y.len();
            let smooth = self.smooth(&y, &w);
            for (i, value) in smooth.iter().enumerate() {
                out[(i + 1) * period + slot] = *value;
            }
            out[slot] = self.at(0.0, 1, self.window.min(k), &y, &w).unwrap_or(smooth[0]);
            let first = (k + 1).saturating_sub(self.window).max(1);
            out[(k + 1) * period + slot] = self.at((k + 1) as f64, first, k, &y, &w).unwrap_or(smooth[k - 1]);
        }
        out
    }
}

#[cfg(test)]
mod tests;
