//! A series and its regressors, made ready for one order: checked, shifted, scaled, differenced where there are no gaps.

use super::super::model::Drivers;
use super::super::regression::qr::Triangle;
use super::kalman::filter;
use super::polynomial::Arma;
use super::{Arima, Order};
use crate::fit::FitError;

/// A series and its regressors, made ready for one order.
pub(super) struct Prepared {
    pub(super) order: Order,
    pub(super) delta: Vec<f64>,
    /// Differenced where there are no gaps; the series first. In units of `scale` (series) and `sizes` (regressors).
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) gaps: bool,
    pub(super) names: Vec<String>,
    pub(super) left_out: Vec<String>,
    /// Index into the regressors given (0 the constant, if any), per regressor kept.
    pub(super) kept: Vec<usize>,
    pub(super) scale: f64,
    pub(super) base: f64,
    pub(super) sizes: Vec<f64>,
    pub(super) observations: usize,
}

/// The power of two at or below a size; 1 for nothing.
fn power_of_two(size: f64) -> f64 {
    if size > 0.0 {
        size.log2().floor().clamp(-1000.0, 1000.0).exp2()
    } else {
        1.0
    }
}

fn largest(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0f64, |largest, value| largest.max(value.abs()))
}

/// `(1 - B)^d (1 - B^m)^D` applied; the first `lost` values go.
pub(super) fn differenced(values: &[f64], delta: &[f64]) -> Vec<f64> {
    let lags: Vec<(usize, f64)> = delta
        .iter()
        .enumerate()
        .filter(|(_, delta)| **delta != 0.0)
        .map(|(i, delta)| (i + 1, *delta))
        .collect();
    (delta.len()..values.len())
        .map(|t| {
            lags.iter()
                .fold(values[t], |sum, (lag, delta)| sum - delta * values[t - lag])
        })
        .collect()
}

impl Arima {
    /// The regressors over the series and after it: the constant first.
    pub(super) fn regressors(
        &self,
        n: usize,
        drivers: &Drivers,
    ) -> Result<Vec<(String, Vec<f64>)>, FitError> {
        let mut regressors = Vec::with_capacity(drivers.len() + 1);
        if self.constant {
            match self.order.d + self.order.sd {
                0 => regressors.push(("mean".to_owned(), vec![1.0; n])),
                1 => regressors.push(("drift".to_owned(), (1..=n).map(|t| t as f64).collect())),
                _ => {
                    return Err(FitError::Invalid(format!(
                        "{} has no constant: after two differences it would be a parabola",
                        self.order
                    )));
                }
            }
        }
        for (name, values) in drivers.iter() {
            if values.len() < n || values.iter().any(|value| !value.is_finite()) {
                return Err(FitError::Invalid(format!(
                    "driver '{name}' is not known at every step of the series"
                )));
            }
            regressors.push((name.to_owned(), values.to_vec()));
        }
        Ok(regressors)
    }

    pub(super) fn prepare(&self, values: &[f64], drivers: &Drivers) -> Result<Prepared, FitError> {
        if self.order.season == 0 {
            return Err(FitError::Invalid("a season has at least one step".into()));
        }
        if values.iter().any(|value| value.is_infinite()) {
            return Err(FitError::Invalid("a value of the series is infinite".into()));
        }
        let regressors = self.regressors(values.len(), drivers)?;
        let delta = self.order.delta();
        let there = values.iter().filter(|value| !value.is_nan()).count();
        let needed = self.order.lost() + self.order.coefficients() + regressors.len() + 2;
        if there < needed {
            return Err(FitError::Invalid(format!(
                "{} wants at least {needed} values and has {there}",
                self.order
            )));
        }
        // Where anything is differenced, a constant makes no difference: it goes, for the sake of small digits.
        let base = if delta.is_empty() {
            0.0
        } else {
            values
                .iter()
                .copied()
                .find(|value| !value.is_nan())
                .unwrap_or(0.0)
        };
        let gaps = there < values.len();
        let shifted: Vec<f64> = values.iter().map(|value| value - base).collect();
        let mut series = if gaps {
            shifted
        } else {
            differenced(&shifted, &delta)
        };
        let scale = power_of_two(largest(&series));
        series.iter_mut().for_each(|value| *value /= scale);
        let mut prepared = Prepared {
            order: self.order,
            columns: vec![series],
            gaps,
            names: Vec::new(),
            left_out: Vec::new(),
            kept: Vec::new(),
            scale,
            base,
            sizes: Vec::new(),
            observations: there,
            delta,
        };
        prepared.add_regressors(values, &regressors);
        prepared.observations = match gaps {
            false => prepared.columns[0].len(),
            true => prepared.telling(),
        };
        if prepared.observations < self.order.coefficients() + prepared.names.len() + 1 {
            return Err(FitError::Invalid(format!(
                "{} finds too few values beside the gaps",
                self.order
            )));
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Keeps the regressors that say something of their own once differenced.
    fn add_regressors(&mut self, values: &[f64], regressors: &[(String, Vec<f64>)]) {
        if regressors.is_empty() {
            return;
        }
        let changes: Vec<Vec<f64>> = regressors
            .iter()
            .map(|(_, column)| differenced(&column[..values.len()], &self.delta))
            .collect();
        let sizes: Vec<f64> = changes
            .iter()
            .map(|column| power_of_two(largest(column)))
            .collect();
        // Steps at which the series is there, or is differenced from steps at which it is.
        let rows: Vec<usize> = (0..changes[0].len())
            .filter(|t| !values[t + self.delta.len()].is_nan())
            .collect();
        let flat: Vec<f64> = rows
            .iter()
            .flat_map(|&t| {
                changes
                    .iter()
                    .zip(&sizes)
                    .map(move |(column, size)| column[t] / size)
            })
            .collect();
        let mut triangle = Triangle::new(changes.len());
        triangle.absorb_rows(&flat, &vec![0.0; rows.len()]);
        // Against the lengths before differencing: what is left of a constant is rounding.
        let lengths: Vec<f64> = regressors
            .iter()
            .zip(&sizes)
            .map(|((_, column), size)| {
                column[..values.len()]
                    .iter()
                    .map(|x| (x / size) * (x / size))
                    .sum::<f64>()
                    .sqrt()
            })
            .collect();
        let dropped = triangle.reduce(&lengths);
        for (j, (name, column)) in regressors.iter().enumerate() {
            if dropped.contains(&j) {
                self.left_out.push(name.clone());
                continue;
            }
            self.names.push(name.clone());
            self.kept.push(j);
            self.sizes.push(sizes[j]);
            let column = if self.gaps {
                let first = if self.delta.is_empty() { 0.0 } else { column[0] };
                column[..values.len()]
                    .iter()
                    .map(|x| (x - first) / sizes[j])
                    .collect()
            } else {
                changes[j].iter().map(|x| x / sizes[j]).collect()
            };
            self.columns.push(column);
        }
    }

    /// Values that tell something of a series with gaps.
    fn telling(&self) -> usize {
        let arma = Arma::of(
            &Order {
                p: 0,
                q: 0,
                sp: 0,
                sq: 0,
                ..self.order
            },
            &[] as &[f64],
        );
        let mut telling = 0;
        filter(&arma, &self.delta, &[&self.columns[0]], |_, _, _| telling += 1);
        telling
    }
}
