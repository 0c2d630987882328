//! A parameter vector as argmin sees it: an ndarray vector behind a counted pointer.
//!
//! argmin clones points freely (current, best, start of the line search, and so on). A linear classifier has three
//! million parameters, 24 MB a copy; behind an `Arc` a clone is free, and two handles on one point are recognised
//! by their address, which makes "has this point just been evaluated?" a comparison of pointers.

use argmin_math::{
    ArgminAdd, ArgminDot, ArgminL1Norm, ArgminL2Norm, ArgminMinMax, ArgminMul, ArgminScaledAdd, ArgminSignum,
    ArgminSub, ArgminZeroLike,
};
use ndarray::Array1;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// An immutable vector with free clones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point(Arc<Array1<f64>>);

impl Point {
    pub(super) fn new(values: Vec<f64>) -> Self {
        Array1::from_vec(values).into()
    }

    pub(super) fn as_slice(&self) -> &[f64] {
        self.0.as_slice().expect("an owned vector lies in one piece")
    }

    /// Whether both are handles on one and the same vector.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn into_vec(self) -> Vec<f64> {
        match Arc::try_unwrap(self.0) {
            Ok(array) => array.into_raw_vec_and_offset().0,
            Err(shared) => shared.to_vec(),
        }
    }
}

impl From<Array1<f64>> for Point {
    fn from(array: Array1<f64>) -> Self {
        Self(Arc::new(array))
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Array1::deserialize(deserializer).map(Self::from)
    }
}

// The arithmetic is argmin-math's own for ndarray; these lines only look through the pointer.

impl ArgminAdd<Point, Point> for Point {
    fn add(&self, other: &Point) -> Point {
        ArgminAdd::add(&*self.0, &*other.0).into()
    }
}

impl ArgminAdd<f64, Point> for Point {
    fn add(&self, other: &f64) -> Point {
        ArgminAdd::add(&*self.0, other).into()
    }
}

impl ArgminSub<Point, Point> for Point {
    fn sub(&self, other: &Point) -> Point {
        ArgminSub::sub(&*self.0, &*other.0).into()
    }
}

impl ArgminSub<f64, Point> for Point {
    fn sub(&self, other: &f64) -> Point {
        ArgminSub::sub(&*self.0, other).into()
    }
}

impl ArgminMul<Point, Point> for Point {
    fn mul(&self, other: &Point) -> Point {
        ArgminMul::mul(&*self.0, &*other.0).into()
    }
}

impl ArgminMul<f64, Point> for Point {
    fn mul(&self, other: &f64) -> Point {
        ArgminMul::mul(&*self.0, other).into()
    }
}

impl ArgminScaledAdd<Point, f64, Point> for Point {
    fn scaled_add(&self, factor: &f64, other: &Point) -> Point {
        let mut sum = self.0.as_ref().clone();
        Array1::scaled_add(&mut sum, *factor, &*other.0);
        sum.into()
    }
}

impl ArgminDot<Point, f64> for Point {
    fn dot(&self, other: &Point) -> f64 {
        ArgminDot::dot(&*self.0, &*other.0)
    }
}

impl ArgminL1Norm<f64> for Point {
    fn l1_norm(&self) -> f64 {
        ArgminL1Norm::l1_norm(&*self.0)
    }
}

impl ArgminL2Norm<f64> for Point {
    fn l2_norm(&self) -> f64 {
        ArgminL2Norm::l2_norm(&*self.0)
    }
}

impl ArgminSignum for Point {
    fn signum(self) -> Self {
        ArgminSignum::signum(self.0.as_ref().clone()).into()
    }
}

impl ArgminZeroLike for Point {
    fn zero_like(&self) -> Self {
        Array1::zeros(self.0.len()).into()
    }
}

impl ArgminMinMax for Point {
    fn min(x: &Self, y: &Self) -> Self {
        <Array1<f64> as ArgminMinMax>::min(&x.0, &y.0).into()
    }

    fn max(x: &Self, y: &Self) -> Self {
        <Array1<f64> as ArgminMinMax>::max(&x.0, &y.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_the_same_vector_and_survive_serialising() {
        let a = Point::new(vec![1.5, -0.0, f64::MAX]);
        assert!(a.is(&a.clone()));
        assert!(!a.is(&Point::new(a.as_slice().to_vec())));
        let bytes = postcard::to_stdvec(&a).unwrap();
        let b: Point = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(
            a.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            b.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        assert_eq!(a.into_vec(), vec![1.5, -0.0, f64::MAX]);
    }
}
