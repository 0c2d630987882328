//! Where the weights may lie.
//!
//! The *usual* region `0 < alpha < 1, 0 < beta < alpha, 0 < gamma < 1 - alpha, 0.8 < phi < 0.98` is what makes a model an
//! average of the past; the search never leaves it, because it walks over unbounded numbers that a logistic curve maps
//! into it. The *admissible* region is where forecasts forget the initial states (Hyndman et al. 2008, chapter 10); for
//! seasonal models it cuts a corner off the usual one, which [`admissible`] refuses.

use super::recursion::Parameters;
use super::{Season, Spec, Trend};

/// Weights stay this far from the ends of their interval, as in R.
const EDGE: f64 = 1e-4;
/// phi from and to.
const DAMPING: (f64, f64) = (0.8, 0.98);

/// A weight inside (low, high) and its derivative by the unbounded `x`.
fn logistic(x: f64, low: f64, high: f64) -> (f64, f64) {
    let share = 1.0 / (1.0 + (-x).exp());
    (low + (high - low) * share, (high - low) * share * (1.0 - share))
}

/// The unbounded number of a weight.
fn logit(weight: f64, low: f64, high: f64) -> f64 {
    let share = ((weight - low) / (high - low)).clamp(1e-6, 1.0 - 1e-6);
    (share / (1.0 - share)).ln()
}

/// How many unbounded numbers the weights of `spec` take.
pub(super) fn weights(spec: Spec) -> usize {
    let trend = match spec.trend {
        Trend::None => 0,
        Trend::Additive => 1,
        Trend::Damped => 2,
    };
    1 + trend + usize::from(spec.season != Season::None)
}

/// Where the search starts: R's rule, a small alpha where a season carries much of the movement.
pub(super) fn start(spec: Spec, period: usize) -> Vec<f64> {
    let seasonal = spec.season != Season::None;
    let alpha = if seasonal {
        (0.5 / period as f64).max(0.05)
    } else {
        0.5
    };
    let mut x = vec![logit(alpha, EDGE, 1.0 - EDGE)];
    if spec.trend != Trend::None {
        x.push(logit(0.1, EDGE, 1.0 - EDGE));
    }
    if seasonal {
        x.push(logit(0.1, EDGE, 1.0 - EDGE));
    }
    if spec.trend == Trend::Damped {
        x.push(logit(0.96, DAMPING.0, DAMPING.1));
    }
    x
}

/// Sets the weights of `p` from the unbounded `x`.
pub(super) fn unfold(spec: Spec, x: &[f64], p: &mut Parameters) {
    let mut next = x.iter();
    let mut take = |low, high| logistic(next.next().copied().unwrap_or(0.0), low, high).0;
    p.alpha = take(EDGE, 1.0 - EDGE);
    p.beta = match spec.trend {
        Trend::None => 0.0,
        _ => p.alpha * take(EDGE, 1.0 - EDGE),
    };
    p.gamma = match spec.season {
        Season::None => 0.0,
        _ => (1.0 - p.alpha) * take(EDGE, 1.0 - EDGE),
    };
    p.phi = match spec.trend {
        Trend::None => 0.0,
        Trend::Additive => 1.0,
        Trend::Damped => take(DAMPING.0, DAMPING.1),
    };
}

/// Turns derivatives by the weights into those by the unbounded numbers.
pub(super) fn fold_gradient(spec: Spec, x: &[f64], p: &Parameters, d: &Parameters, gradient: &mut [f64]) {
    let mut by_alpha = d.alpha;
    let mut i = 1;
    if spec.trend != Trend::None {
        let (share, slope) = logistic(x[i], EDGE, 1.0 - EDGE);
        gradient[i] = d.beta * p.alpha * slope;
        by_alpha += d.beta * share;
        i += 1;
    }
    if spec.season != Season::None {
        let (share, slope) = logistic(x[i], EDGE, 1.0 - EDGE);
        gradient[i] = d.gamma * (1.0 - p.alpha) * slope;
        by_alpha -= d.gamma * share;
        i += 1;
    }
    if spec.trend == Trend::Damped {
        gradient[i] = d.phi * logistic(x[i], DAMPING.0, DAMPING.1).1;
    }
    gradient[0] = by_alpha * logistic(x[0], EDGE, 1.0 - EDGE).1;
}

/// Whether forecasts forget the initial states: every root of the characteristic polynomial of the recursion lies inside
/// the unit circle, but for one on it that a level (or a season) may have. Non-seasonal members are admissible all over
/// the usual region.
pub(super) fn admissible(spec: Spec, p: &Parameters) -> bool {
    if spec.season == Season::None {
        return true;
    }
    let m = p.season.len();
    let (alpha, beta, gamma) = (p.alpha, p.beta, p.gamma);
    let phi = if spec.trend == Trend::Damped { p.phi } else { 1.0 };
    // Coefficients of 1, z, ..., z^(m+1): Hyndman, Akram and Archibald, Annals of the Institute of Statistical
    // Mathematics 60 (2008), theorem 1.
    let mut polynomial = vec![0.0; m + 2];
    polynomial[0] = phi * (1.0 - alpha - gamma);
    polynomial[1] = alpha + beta - alpha * phi + gamma - 1.0;
    for coefficient in &mut polynomial[2..m] {
        *coefficient = alpha + beta - alpha * phi;
    }
    polynomial[m] += alpha + beta - phi;
    polynomial[m + 1] = 1.0;
    inside_unit_circle(&polynomial)
}

/// Whether all roots of a monic polynomial (coefficients from the constant up) lie inside a circle a hair wider than the
/// unit circle: the Schur-Cohn step-down recursion, whose reflection coefficients are then all below one.
fn inside_unit_circle(polynomial: &[f64]) -> bool {
    // z -> z / radius, so that a root on the circle itself passes.
    let radius = 1.0 + 1e-7;
    let degree = polynomial.len() - 1;
    let mut c: Vec<f64> = polynomial
        .iter()
        .enumerate()
        .map(|(power, coefficient)| coefficient / f64::powi(radius, (degree - power) as i32))
        .collect();
    while c.len() > 1 {
        let last = c.len() - 1;
        let reflection = c[0] / c[last];
        if reflection.is_nan() || reflection.abs() >= 1.0 {
            return false;
        }
        let shrunk: Vec<f64> = (1..=last).map(|i| c[i] - reflection * c[last - i]).collect();
        c = shrunk;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;

    #[test]
    fn roots_inside_and_outside_are_told_apart() {
        // (z - 0.5)(z + 0.9), (z - 0.5)(z - 1.1), (z^2 + 0.81), (z - 1)(z - 0.2)
        assert!(inside_unit_circle(&[-0.45, 0.4, 1.0]));
        assert!(!inside_unit_circle(&[0.55, -1.6, 1.0]));
        assert!(inside_unit_circle(&[0.81, 0.0, 1.0]));
        assert!(!inside_unit_circle(&[1.21, 0.0, 1.0]));
        assert!(inside_unit_circle(&[0.2, -1.2, 1.0]));
    }

    #[test]
    fn the_search_stays_in_the_usual_region() {
        let spec = Spec {
            error: Error::Additive,
            trend: Trend::Damped,
            season: Season::Additive,
        };
        let mut p = Parameters {
            season: vec![0.0; 4],
            ..Parameters::default()
        };
        let mut random = fastrand::Rng::with_seed(1);
        let (mut inside, mut refused) = (0, 0);
        for _ in 0..2000 {
            let x: Vec<f64> = (0..weights(spec)).map(|_| 20.0 * (random.f64() - 0.5)).collect();
            unfold(spec, &x, &mut p);
            assert!(
                p.alpha > 0.0 && p.alpha < 1.0 && p.beta > 0.0 && p.beta < p.alpha,
                "{p:?}"
            );
            assert!(
                p.gamma > 0.0 && p.gamma < 1.0 - p.alpha && p.phi > 0.8 && p.phi < 0.98,
                "{p:?}"
            );
            inside += u32::from(admissible(spec, &p));
            refused += u32::from(!admissible(spec, &p));
        }
        assert!(inside > 1000 && refused > 0, "{inside} {refused}");
    }
}
