//! Exponential, hyperbolic tangent and logistic function, sixteen at a time.
//!
//! The exponential is Cephes' (Moshier, `expf`): `x = n ln 2 + r`, a polynomial of degree five for `r`, the exponent put in
//! by bits; 2 units in the last place. The tangent is the rational function of Eigen (`generic_fast_tanh_float`), odd
//! over even in x, good to a few units in the last place over the whole range; the logistic function is
//! `(1 + tanh(x / 2)) / 2`. What is no number stays none.

use super::{Kernel, LANES, Lanes};

/// 1.5 · 2^23: adding it to a float of moderate size rounds that to an integer, which stands in the low bits of the mantissa.
const ROUND: f32 = 12_582_912.0;

/// e^x for x in -87 ..= 88; outside, the value at the nearer end (e^-87 is 1.6e-38).
#[inline(always)]
pub fn exp<L: Lanes>(l: L, x: L::V) -> L::V {
    let x = l.min(l.splat(88.0), l.max(l.splat(-87.0), x));
    let shifted = l.fma(x, l.splat(std::f32::consts::LOG2_E), l.splat(ROUND));
    let n = l.sub(shifted, l.splat(ROUND));
    let r = l.fma(n, l.splat(-0.693_359_4), x);
    let r = l.fma(n, l.splat(2.121_944_4e-4), r);
    let mut p = l.splat(1.987_569_1e-4);
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = l.fma(p, r, l.splat(c));
    }
    let p = l.add(l.fma(p, l.mul(r, r), r), l.splat(1.0));
    l.mul(p, l.to_exponent(l.add(shifted, l.splat(127.0))))
}

/// tanh x.
#[inline(always)]
pub fn tanh<L: Lanes>(l: L, x: L::V) -> L::V {
    const EDGE: f32 = 7.905_311;
    let x = l.min(l.splat(EDGE), l.max(l.splat(-EDGE), x));
    let square = l.mul(x, x);
    let mut odd = l.splat(-2.760_768_5e-16);
    for c in [
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_1e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ] {
        odd = l.fma(odd, square, l.splat(c));
    }
    let mut even = l.splat(1.198_258_4e-6);
    for c in [1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3] {
        even = l.fma(even, square, l.splat(c));
    }
    l.div(l.mul(x, odd), even)
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid<L: Lanes>(l: L, x: L::V) -> L::V {
    let half = l.splat(0.5);
    l.fma(tanh(l, l.mul(x, half)), half, half)
}

/// Which function [`apply`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// e^x.
    Exp,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// The larger of x and 0.
    Relu,
}

/// Replaces every value by its function.
pub fn apply(function: Function, values: &mut [f32]) {
    super::run(Apply { function, values });
}

/// Turns gradients by the function's value into gradients by its argument: `gradient *= f'(x)`, told by `y = f(x)`.
/// For [`Function::Relu`] the slope at 0 is 0.
pub fn apply_slope(function: Function, y: &[f32], gradient: &mut [f32]) {
    assert_eq!(y.len(), gradient.len(), "a gradient for every value");
    // Plain loops: two multiplications a value are what any compiler vectorises.
    let pairs = gradient.iter_mut().zip(y);
    match function {
        Function::Exp => pairs.for_each(|(g, y)| *g *= y),
        Function::Tanh => pairs.for_each(|(g, y)| *g *= 1.0 - y * y),
        Function::Sigmoid => pairs.for_each(|(g, y)| *g *= y * (1.0 - y)),
        Function::Relu => pairs.for_each(|(g, y)| *g = if *y > 0.0 { *g } else { 0.0 }),
    }
}

pub(super) struct Apply<'a> {
    pub(super) function: Function,
    pub(super) values: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        for at in (0..self.values.len()).step_by(LANES) {
            let x = l.load_at(self.values, at);
            let y = match self.function {
                Function::Exp => exp(l, x),
                Function::Tanh => tanh(l, x),
                Function::Sigmoid => sigmoid(l, x),
                Function::Relu => l.max(l.splat(0.0), x),
            };
            l.store_at(y, self.values, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Machine, run_on};
    use super::*;

    fn on(machine: Machine, function: Function, x: &[f32]) -> Vec<f32> {
        let mut y = x.to_vec();
        run_on(
            machine,
            Apply {
                function,
                values: &mut y,
            },
        );
        y
    }

    #[test]
    fn they_are_what_they_are_called() {
        let x: Vec<f32> = (-4000..=4000)
            .map(|i| i as f32 * 0.0217)
            .chain([1e-7, -3e-5, 1e-30])
            .collect();
        for machine in [Machine::Avx512, Machine::Avx2, Machine::Portable] {
            for (function, truth) in [
                (Function::Exp, f64::exp as fn(f64) -> f64),
                (Function::Tanh, f64::tanh),
                (Function::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
                (Function::Relu, |x| x.max(0.0)),
            ] {
                for (x, y) in x.iter().zip(on(machine, function, &x)) {
                    let wanted = truth(f64::from(*x).clamp(-87.0, 88.0));
                    let error = (f64::from(y) - wanted).abs();
                    // Relative for the exponential and the tangent, absolute for the logistic function.
                    let allowed = if function == Function::Sigmoid {
                        2.5e-7
                    } else {
                        4e-7 * wanted.abs()
                    };
                    assert!(
                        error <= allowed,
                        "{machine:?} {function:?}({x}) = {y}, not {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_number_stays_none_and_the_ends_hold() {
        for machine in [Machine::Avx512, Machine::Avx2, Machine::Portable] {
            for function in [Function::Exp, Function::Tanh, Function::Sigmoid, Function::Relu] {
                assert!(
                    on(machine, function, &[f32::NAN])[0].is_nan(),
                    "{machine:?} {function:?}"
                );
            }
            let ends = [f32::NEG_INFINITY, f32::INFINITY];
            assert!(on(machine, Function::Exp, &ends)[0] < 2e-38);
            assert!(on(machine, Function::Exp, &ends)[1].is_finite());
            assert!((on(machine, Function::Tanh, &ends)[0] + 1.0).abs() < 2e-7);
            let s = on(machine, Function::Sigmoid, &ends);
            assert!((0.0..2e-7).contains(&s[0]) && (s[1] - 1.0).abs() < 2e-7, "{s:?}");
        }
    }

    #[test]
    fn both_x86_machines_compute_the_same_bits() {
        let x: Vec<f32> = (0..999).map(|i| (i as f32 * 0.7).sin() * 30.0).collect();
        for function in [Function::Exp, Function::Tanh, Function::Sigmoid] {
            if Machine::here() == Machine::Avx512 {
                assert_eq!(on(Machine::Avx512, function, &x), on(Machine::Avx2, function, &x));
            }
        }
    }
}
