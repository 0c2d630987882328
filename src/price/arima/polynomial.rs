//! From free parameters to lag polynomials, and from these to the moments of a stationary process.
//!
//! The optimiser knows no bounds, so each block of coefficients is written by partial autocorrelations `tanh(x)`, every
//! choice of which is stationary (Barndorff-Nielsen and Schou, J. Multivariate Analysis 3, 1973); the moving average
//! uses the same map with the other sign, so that it is invertible. Signs are R's:
//! `w[t] = ar1 w[t-1] + ... + e[t] + ma1 e[t-1] + ...`; blocks come in R's order: ar, ma, sar, sma.

use super::Order;
use super::dual::Real;

/// The two lag polynomials multiplied out, `coefficient[lag - 1]`, and the lags at which there can be something.
#[derive(Debug, Clone)]
pub(super) struct Arma<R> {
    pub(super) ar: Vec<R>,
    pub(super) ma: Vec<R>,
    pub(super) ar_lags: Vec<usize>,
    pub(super) ma_lags: Vec<usize>,
}

impl<R: Real> Arma<R> {
    /// Multiplies the blocks of natural coefficients (ar, ma, sar, sma) out.
    pub(super) fn of(order: &Order, coefficients: &[R]) -> Self {
        let (ar, rest) = coefficients.split_at(order.p);
        let (ma, rest) = rest.split_at(order.q);
        let (sar, sma) = rest.split_at(order.sp);
        let (ar, ar_lags) = multiplied(ar, sar, order.season, -1.0);
        let (ma, ma_lags) = multiplied(ma, sma, order.season, 1.0);
        Self {
            ar,
            ma,
            ar_lags,
            ma_lags,
        }
    }

    /// The length of the state: `max(p, q + 1)` of the polynomials multiplied out.
    pub(super) fn states(&self) -> usize {
        self.ar.len().max(self.ma.len() + 1)
    }
}

/// `(1 + s a(B)) (1 + s A(B^m)) = 1 + s c(B)`: the coefficients c, and the lags that a and A reach.
fn multiplied<R: Real>(plain: &[R], seasonal: &[R], season: usize, sign: f64) -> (Vec<R>, Vec<usize>) {
    let length = plain.len() + seasonal.len() * season;
    let mut product = vec![R::ZERO; length];
    let mut there = vec![false; length];
    for (i, &a) in plain.iter().enumerate() {
        product[i] += a;
        there[i] = true;
    }
    for (j, &s) in seasonal.iter().enumerate() {
        let lag = (j + 1) * season;
        product[lag - 1] += s;
        there[lag - 1] = true;
        for (i, &a) in plain.iter().enumerate() {
            product[lag + i] += a * s * sign;
            there[lag + i] = true;
        }
    }
    let lags = (1..=length).filter(|lag| there[lag - 1]).collect();
    (product, lags)
}

/// Partial autocorrelations to autoregressive coefficients, in place (Durbin and Levinson).
pub(super) fn coefficients_of<R: Real>(partial: &mut [R]) {
    for k in 1..partial.len() {
        let last = partial[k];
        for i in 0..k.div_ceil(2) {
            let (a, b) = (partial[i], partial[k - 1 - i]);
            partial[i] = a - last * b;
            partial[k - 1 - i] = b - last * a;
        }
    }
}

/// The way back; `None` where the coefficients are not stationary.
pub(super) fn partial_of(coefficients: &[f64]) -> Option<Vec<f64>> {
    let mut work = coefficients.to_vec();
    for k in (0..work.len()).rev() {
        let last = work[k];
        if last.abs() >= 1.0 || last.is_nan() {
            return None;
        }
        let shrink = 1.0 / (1.0 - last * last);
        for i in 0..k.div_ceil(2) {
            let (a, b) = (work[i], work[k - 1 - i]);
            work[i] = (a + last * b) * shrink;
            work[k - 1 - i] = (b + last * a) * shrink;
        }
    }
    Some(work)
}

/// Where the filter starts: the variance of the process (in units of the innovation variance) and the covariances of
/// the next state with the present value, `g[i] = Cov(state[t+1][i], w[t])`; `None` where it is not stationary.
pub(super) fn start<R: Real>(arma: &Arma<R>) -> Option<(R, Vec<R>)> {
    let (p, q, r) = (arma.ar.len(), arma.ma.len(), arma.states());
    let gamma = covariances(arma)?;
    // psi[k] = Cov(w[t], e[t-k]), wanted below lag q.
    let mut psi = Vec::with_capacity(q);
    for k in 0..q {
        let mut sum = if k == 0 { R::ONE } else { arma.ma[k - 1] };
        for &lag in arma.ar_lags.iter().take_while(|lag| **lag <= k) {
            sum += arma.ar[lag - 1] * psi[k - lag];
        }
        psi.push(sum);
    }
    let mut g = vec![R::ZERO; r];
    for (i, g) in g.iter_mut().enumerate() {
        for &lag in arma.ar_lags.iter().rev().take_while(|lag| **lag > i) {
            *g += arma.ar[lag - 1] * gamma[lag - i - 1];
        }
        for &lag in arma.ma_lags.iter().rev().take_while(|lag| **lag > i) {
            *g += arma.ma[lag - 1] * psi[lag - i - 1];
        }
    }
    debug_assert!(gamma.len() >= p.max(1));
    Some((gamma[0], g))
}

/// Autocovariances at lags 0 to max(p - 1, 0) in units of the innovation variance. The autoregressive part alone by
/// its partial autocorrelations (stepping down the Levinson recursion), then through the moving average.
fn covariances<R: Real>(arma: &Arma<R>) -> Option<Vec<R>> {
    let (p, q) = (arma.ar.len(), arma.ma.len());
    // c[l] = sum of theta[j] theta[j + l], theta[0] = 1.
    let mut smear = vec![R::ZERO; q + 1];
    smear[0] = R::ONE;
    // Where there can be something: a sum that happens to be 0 still has its derivatives.
    let mut there = vec![false; q + 1];
    for (a, &i) in arma.ma_lags.iter().enumerate() {
        smear[i] += arma.ma[i - 1];
        there[i] = true;
        for &j in &arma.ma_lags[a..] {
            smear[j - i] += arma.ma[i - 1] * arma.ma[j - 1];
            there[j - i] = true;
        }
    }
    if p == 0 {
        return Some(vec![smear[0]]);
    }
    // Levinson's polynomials of order p, p - 1, ..., 1, one after the other.
    let mut polynomials = vec![R::ZERO; p * (p + 1) / 2];
    let at = |k: usize| k * (k - 1) / 2;
    polynomials[at(p)..].copy_from_slice(&arma.ar);
    let mut shrink = R::ONE;
    for k in (1..=p).rev() {
        let last = polynomials[at(k) + k - 1];
        if last.value().abs() >= 1.0 || last.value().is_nan() {
            return None;
        }
        let scale = (R::ONE - last * last).inverse();
        shrink = shrink * scale;
        for i in 0..k - 1 {
            let above = at(k);
            polynomials[at(k - 1) + i] =
                (polynomials[above + i] + last * polynomials[above + k - 2 - i]) * scale;
        }
    }
    let mut pure = Vec::with_capacity(p + q);
    pure.push(shrink);
    for k in 1..p + q {
        let mut sum = R::ZERO;
        if k < p {
            for j in 1..=k {
                sum += polynomials[at(k) + j - 1] * pure[k - j];
            }
        } else {
            for &lag in &arma.ar_lags {
                sum += arma.ar[lag - 1] * pure[k - lag];
            }
        }
        pure.push(sum);
    }
    let mut gamma = vec![R::ZERO; p];
    for (k, gamma) in gamma.iter_mut().enumerate() {
        *gamma = smear[0] * pure[k];
        for (l, &c) in smear.iter().enumerate().skip(1) {
            if there[l] {
                *gamma += c * (pure[k + l] + pure[k.abs_diff(l)]);
            }
        }
    }
    Some(gamma)
}
