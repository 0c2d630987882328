//! First guesses of the initial states, from the beginning of the series.
//!
//! Hyndman et al. 2008, section 2.6.1: the season from a classical decomposition of the first seasons, level and slope from
//! a straight line through the first ten deseasonalised values. The search moves on from there.

use super::super::season::{Kind, indices};
use super::recursion::Parameters;
use super::{Season, Spec, Trend};

/// Initial states and their unit: the typical size of a residual.
pub(super) fn states(values: &[f64], spec: Spec, period: usize) -> (Parameters, f64) {
    let mut p = Parameters::default();
    let first = values.len().min(10.max(2 * period));
    let season = match spec.season {
        Season::None => None,
        Season::Additive => Some((Kind::Additive, 0.0)),
        Season::Multiplicative => Some((Kind::Multiplicative, 1.0)),
    };
    let mut adjusted: Vec<f64> = values[..first].to_vec();
    if let Some((kind, neutral)) = season {
        // Four seasons, not all: the season may have changed since.
        let span = values.len().min(4 * period);
        p.season = indices(&values[..span], period, kind).unwrap_or_else(|| vec![neutral; period]);
        if kind == Kind::Multiplicative {
            for index in &mut p.season {
                *index = index.max(1e-2);
            }
        }
        for (t, value) in adjusted.iter_mut().enumerate() {
            let index = p.season[t % period];
            *value = match kind {
                Kind::Additive => *value - index,
                Kind::Multiplicative => *value / index,
            };
        }
    }
    let (level, slope) = line(&adjusted);
    if spec.trend == Trend::None {
        p.level = mean(&adjusted);
    } else {
        // A damped line loses a little at its first step.
        (p.level, p.slope) = (level, slope);
    }
    let positive = values.iter().all(|value| value.is_nan() || *value > 0.0);
    if positive && !(p.level > 0.0 && p.level + p.slope > 0.0) {
        (p.level, p.slope) = (mean(&adjusted).max(f64::MIN_POSITIVE), 0.0);
    }
    (p, unit(values))
}

fn mean(values: &[f64]) -> f64 {
    let (sum, count) = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

/// Value before the first one and slope of the least-squares line.
fn line(values: &[f64]) -> (f64, f64) {
    let (mut n, mut st, mut sy, mut stt, mut sty) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (t, &y) in values.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
        let t = (t + 1) as f64;
        n += 1.0;
        st += t;
        sy += y;
        stt += t * t;
        sty += t * y;
    }
    let spread = n * stt - st * st;
    if spread <= 0.0 {
        return (if n > 0.0 { sy / n } else { 0.0 }, 0.0);
    }
    let slope = (n * sty - st * sy) / spread;
    ((sy - slope * st) / n, slope)
}

/// The mean absolute step, so that a search over states walks in units that mean the same at the start and the end.
fn unit(values: &[f64]) -> f64 {
    let (mut sum, mut count, mut before) = (0.0, 0u32, f64::NAN);
    for &value in values.iter().filter(|value| !value.is_nan()) {
        if !before.is_nan() {
            sum += (value - before).abs();
            count += 1;
        }
        before = value;
    }
    if sum > 0.0 { sum / f64::from(count) } else { 1.0 }
}
