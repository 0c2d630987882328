//! A series and its regressors, made ready for one order: checked, shifted, scaled, differenced where there are no gaps.

use super::super::model::Drivers;
use super::super::regression::qr::Triangle;
use super::kalman::filter;
use super::polynomial::Arma;
use super::{Arima, Order};
use crate::fit::FitError;

/// A series and its regressors, made ready for some differences; the rest of the order may change ([`Prepared::aim`]).
pub(super) struct Prepared {
    pub(super) order: Order,
    pub(super) delta: Vec<f64>,
    /// The series and then the regressors, as they go through the filter: differenced where there are no gaps. The
    /// series less `base` in units of `scale`, regressors in units of `sizes`.
    pub(super) columns: Vec<Vec<f64>>,
    /// The same before differencing.
    pub(super) levels: Vec<Vec<f64>>,
    pub(super) gaps: bool,
    pub(super) names: Vec<String>,
    pub(super) left_out: Vec<String>,
    pub(super) scale: f64,
    pub(super) base: f64,
    pub(super) sizes: Vec<f64>,
    /// The drivers kept, after the series: one row per step as far as known.
    pub(super) future: Vec<Vec<f64>>,
    /// Values that tell something.
    pub(super) observations: usize,
    /// What gaps among the first values add to the likelihood, whatever the parameters.
    infinite_logs: f64,
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
    /// The regressors over the series: the constant first.
    fn regressors(&self, n: usize, drivers: &Drivers) -> Result<Vec<(String, Vec<f64>)>, FitError> {
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
            regressors.push((name.to_owned(), values[..n].to_vec()));
        }
        Ok(regressors)
    }

    /// Makes a series (`NaN` missing) ready.
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
        let scale = power_of_two(largest(values));
        // Where anything is differenced, a constant makes no difference: it goes, for the sake of small digits.
        let base = match values.iter().find(|value| !value.is_nan()) {
            Some(first) if !delta.is_empty() => *first,
            _ => 0.0,
        };
        let series: Vec<f64> = values.iter().map(|value| value / scale - base / scale).collect();
        let gaps = there < values.len();
        let mut prepared = Prepared {
            order: self.order,
            columns: Vec::new(),
            levels: vec![series],
            gaps,
            names: Vec::new(),
            left_out: Vec::new(),
            scale,
            base,
            sizes: Vec::new(),
            future: Vec::new(),
            observations: there.saturating_sub(delta.len()),
            infinite_logs: 0.0,
            delta,
        };
        prepared.aim(self.order)?;
        prepared.add_regressors(regressors, drivers, usize::from(self.constant));
        prepared.columns = prepared
            .levels
            .iter()
            .map(|level| {
                if gaps {
                    level.clone()
                } else {
                    differenced(level, &prepared.delta)
                }
            })
            .collect();
        if gaps {
            let mut telling = 0;
            let state = filter(
                &prepared.plain(),
                &prepared.delta,
                &[&prepared.columns[0]],
                |_, _, _| {
                    telling += 1;
                },
            );
            prepared.observations = telling;
            prepared.infinite_logs = state.map_or(0.0, |state| state.infinite_logs());
        }
        prepared.aim(self.order)?;
        Ok(prepared)
    }
}

impl Prepared {
    /// Turns to another order with the same differences.
    pub(super) fn aim(&mut self, order: Order) -> Result<(), FitError> {
        debug_assert_eq!(order.lost(), self.order.lost());
        let parameters = order.coefficients() + self.names.len() + 1;
        if self.observations <= parameters {
            return Err(FitError::Invalid(format!(
                "{order} wants at least {} values and has {}",
                order.lost() + parameters + 1,
                self.levels[0].iter().filter(|value| !value.is_nan()).count(),
            )));
        }
        self.order = order;
        Ok(())
    }

    /// Keeps the regressors that say something of their own once differenced; the first `constants` are not drivers.
    fn add_regressors(&mut self, regressors: Vec<(String, Vec<f64>)>, drivers: &Drivers, constants: usize) {
        if regressors.is_empty() {
            return;
        }
        let n = self.levels[0].len();
        let changes: Vec<Vec<f64>> = regressors
            .iter()
            .map(|(_, column)| differenced(column, &self.delta))
            .collect();
        let sizes: Vec<f64> = changes
            .iter()
            .map(|column| power_of_two(largest(column)))
            .collect();
        // Steps at which the series is there.
        let rows: Vec<usize> = (0..changes[0].len())
            .filter(|t| !self.levels[0][t + self.delta.len()].is_nan())
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
            .map(|((_, column), size)| column.iter().map(|x| (x / size) * (x / size)).sum::<f64>().sqrt())
            .collect();
        let dropped = triangle.reduce(&lengths);
        let mut ahead: Vec<&[f64]> = Vec::new();
        for (j, (name, column)) in regressors.into_iter().enumerate() {
            if dropped.contains(&j) {
                self.left_out.push(name);
                continue;
            }
            self.names.push(name);
            self.sizes.push(sizes[j]);
            self.levels.push(column.iter().map(|x| x / sizes[j]).collect());
            if j >= constants
                && let Some((_, values)) = drivers.iter().nth(j - constants)
            {
                ahead.push(&values[n..]);
            }
        }
        let known = ahead.iter().map(|values| values.len()).min().unwrap_or(0);
        self.future = (0..known)
            .map(|t| ahead.iter().map(|values| values[t]).collect())
            .collect();
    }

    /// No ARMA coefficient at all.
    pub(super) fn plain(&self) -> Arma<f64> {
        let order = Order {
            p: 0,
            q: 0,
            sp: 0,
            sq: 0,
            ..self.order
        };
        Arma::of(&order, &[])
    }

    /// Whether differences and regressors leave nothing but rounding: the series follows without any error.
    pub(super) fn exact(&self) -> bool {
        let Some(effects) = self.effects(&self.plain()) else {
            return false;
        };
        let residual = self.residual(&effects);
        let mut most = 0.0f64;
        self.run(&self.plain(), &[&residual], |_, f, v| {
            most = most.max(v[0].abs() / f.sqrt())
        });
        most <= 1e-13
    }

    /// The log-likelihood at a cost per value.
    pub(super) fn log_likelihood(&self, cost: f64) -> f64 {
        let n = self.observations as f64;
        -n * (cost + 0.5 * (2.0 * std::f64::consts::PI).ln() + self.scale.ln() + 0.5)
            - 0.5 * self.infinite_logs
    }
}
