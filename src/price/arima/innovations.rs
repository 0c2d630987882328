//! The exact likelihood of a series without gaps: innovations and their variances in O(state) per step.
//!
//! The process in Harvey's companion form has state `s[t+1] = T s[t] + R e[t+1]`, `w[t] = s[t][0]`. Because the filter
//! starts from the stationary covariance, the predicted covariance changes by a matrix of rank one each step,
//! `P[t+1] - P[t] = -F[t] l l'`, and vectors do what matrices did (Chandrasekhar recursions: Morf, Sidhu and Kailath,
//! IEEE Trans. AC 19, 1974; for ARMA Pearlman, Biometrika 67, 1980, and Melard, AS 197, 1984). With `u = T l` and the
//! gain `g = T P e1 / F` they come down to a hyperbolic rotation:
//!
//! ```text
//! F' = F (1 - l0^2)      g' = (g - l0 u) / (1 - l0^2)      l' = (u - l0 g) / (1 - l0^2)      l[1] = g[1]
//! v  = w - a[0]          a' = T a + g v
//! ```
//!
//! `l` goes to zero as fast as the moving average forgets. Once it has been below 1e-7 for as long as the state is,
//! F is 1 and the gain constant to 1e-14, and the innovation is the plain recursion over the lags that are there.

use super::dual::Real;
use super::polynomial::{Arma, start};

/// Below this `l` counts as gone: variances and gains change by its square.
const GONE: f64 = 1e-7;

/// Runs several series through the filter of one model. `each(t, F, v)` receives the variance (in units of the
/// innovation variance) and the innovation of every series at step `t`. `false` where the model is not stationary.
pub(super) fn innovations<R: Real>(
    arma: &Arma<R>,
    columns: &[&[f64]],
    mut each: impl FnMut(usize, R, &[R]),
) -> bool {
    let Some((variance, covariance)) = start(arma) else {
        return false;
    };
    let (r, width) = (arma.states(), columns.len());
    let n = columns.first().map_or(0, |column| column.len());
    let inverse = variance.inverse();
    let mut f = variance;
    let mut g: Vec<R> = covariance.iter().map(|&c| c * inverse).collect();
    let mut l = g.clone();
    let mut a = vec![R::ZERO; r * width];
    // Every innovation so far: the plain recursion looks back into them.
    let mut v = Vec::with_capacity(n * width);
    let mut quiet = 0;
    let mut t = 0;
    while t < n && quiet <= r {
        for (c, column) in columns.iter().enumerate() {
            let a = &mut a[c * r..(c + 1) * r];
            let innovation = R::from(column[t]) - a[0];
            let first = a[0];
            for i in 0..r {
                let mut next = g[i] * innovation;
                if i < arma.ar.len() {
                    next += arma.ar[i] * first;
                }
                if i + 1 < r {
                    next += a[i + 1];
                }
                a[i] = next;
            }
            v.push(innovation);
        }
        each(t, f, &v[t * width..]);
        let l0 = l[0];
        let free = R::ONE - l0 * l0;
        let scale = free.inverse();
        f = f * free;
        let mut largest = 0.0f64;
        for i in 0..r {
            let mut u = if i + 1 < r { l[i + 1] } else { R::ZERO };
            if i < arma.ar.len() {
                u += arma.ar[i] * l0;
            }
            let (gain, next) = ((g[i] - l0 * u) * scale, (u - l0 * g[i]) * scale);
            g[i] = gain;
            l[i] = next;
            largest = largest.max(next.value().abs());
        }
        quiet = if largest < GONE { quiet + 1 } else { 0 };
        t += 1;
    }
    while t < n {
        for (c, column) in columns.iter().enumerate() {
            let mut innovation = R::from(column[t]);
            for &lag in arma.ar_lags.iter().take_while(|lag| **lag <= t) {
                innovation -= arma.ar[lag - 1] * column[t - lag];
            }
            for &lag in arma.ma_lags.iter().take_while(|lag| **lag <= t) {
                innovation -= arma.ma[lag - 1] * v[(t - lag) * width + c];
            }
            v.push(innovation);
        }
        each(t, R::ONE, &v[t * width..]);
        t += 1;
    }
    true
}
