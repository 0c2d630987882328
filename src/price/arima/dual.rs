//! Numbers that carry their derivatives: forward differentiation, exact to rounding.
//!
//! A likelihood is written once, over [`Real`]. With `f64` it is the likelihood; with [`Dual`], whose every operation
//! also applies the rules of differentiation, it is the likelihood and its gradient, without a second program to keep
//! in step (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3).

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A real number, with derivatives or without.
pub(super) trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Mul<f64, Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + From<f64>
{
    const ZERO: Self;
    const ONE: Self;
    /// The number itself.
    fn value(self) -> f64;
    /// `1 / self`.
    fn inverse(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn value(self) -> f64 {
        self
    }

    fn inverse(self) -> Self {
        1.0 / self
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }
}

/// A number and its derivatives in `K` directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dual<const K: usize> {
    pub(super) v: f64,
    pub(super) d: [f64; K],
}

impl<const K: usize> Dual<K> {
    fn with(v: f64, d: impl Fn(usize) -> f64) -> Self {
        let mut dual = Self { v, d: [0.0; K] };
        for (k, slot) in dual.d.iter_mut().enumerate() {
            *slot = d(k);
        }
        dual
    }
}

impl<const K: usize> Real for Dual<K> {
    const ZERO: Self = Self { v: 0.0, d: [0.0; K] };
    const ONE: Self = Self { v: 1.0, d: [0.0; K] };

    fn value(self) -> f64 {
        self.v
    }

    fn inverse(self) -> Self {
        let v = 1.0 / self.v;
        let slope = -v * v;
        Self::with(v, |k| slope * self.d[k])
    }

    fn ln(self) -> Self {
        let slope = 1.0 / self.v;
        Self::with(self.v.ln(), |k| slope * self.d[k])
    }
}

impl<const K: usize> From<f64> for Dual<K> {
    fn from(v: f64) -> Self {
        Self { v, d: [0.0; K] }
    }
}

impl<const K: usize> Add for Dual<K> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::with(self.v + other.v, |k| self.d[k] + other.d[k])
    }
}

impl<const K: usize> Sub for Dual<K> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::with(self.v - other.v, |k| self.d[k] - other.d[k])
    }
}

impl<const K: usize> Mul for Dual<K> {
    type Output = Self;
    #[allow(clippy::suspicious_arithmetic_impl)] // the product rule is a sum
    fn mul(self, other: Self) -> Self {
        Self::with(self.v * other.v, |k| self.d[k] * other.v + self.v * other.d[k])
    }
}

impl<const K: usize> Mul<f64> for Dual<K> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        Self::with(self.v * other, |k| self.d[k] * other)
    }
}

impl<const K: usize> Div for Dual<K> {
    type Output = Self;
    // The derivative of a quotient: 1 / b first, then the product rule.
    #[allow(clippy::suspicious_arithmetic_impl)]
    fn div(self, other: Self) -> Self {
        self * other.inverse()
    }
}

impl<const K: usize> Neg for Dual<K> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::with(-self.v, |k| -self.d[k])
    }
}

impl<const K: usize> AddAssign for Dual<K> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<const K: usize> SubAssign for Dual<K> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f(x, y) = ln(x y - y / x) - x and its derivatives by hand, at (2, 3).
    #[test]
    fn the_rules_of_differentiation_hold() {
        let (x, y) = (
            Dual {
                v: 2.0,
                d: [1.0, 0.0],
            },
            Dual {
                v: 3.0,
                d: [0.0, 1.0],
            },
        );
        let mut f = (x * y - y / x).ln();
        f -= x;
        f += Dual::ZERO * 5.0;
        assert!((f.v - (4.5f64.ln() - 2.0)).abs() < 1e-15);
        assert!((f.d[0] - ((3.0 + 0.75) / 4.5 - 1.0)).abs() < 1e-15);
        assert!((f.d[1] - 1.5 / 4.5).abs() < 1e-15);
        assert_eq!((-f).d[1], -f.d[1]);
    }
}
