//! Multiple linear regression by orthogonal decomposition: `y = X b + e`, never the normal equations.
//!
//! Squaring `X` into `X'X` squares its condition number, and drivers of a shop are often close to collinear (a price
//! and a promotion flag, ten competitors that move together). So the rows go through Householder reflections, a block
//! at a time (`qr`): `X = Q R`, `R b = Q'y`. Longley's sixteen years, the classic trial, come out to nine digits.
//!
//! The words. A *design* is the matrix `X`: named columns, one row per observation. A column is *dropped* when it is a
//! linear combination of columns before it (to 1e-10 of its length); it is reported by name and counts as a coefficient
//! of 0. *Group effects* (a constant per store, say) are swept out by subtracting the group's means, which gives
//! exactly the coefficients that one dummy column per group would give (Frisch and Waugh, Econometrica 1, 1933).
//! *Shrinkage* pulls coefficient `j` towards `toward[j]` with weight `penalty[j]`: what is minimised is
//! `sum w (y - Xb)^2 + sum penalty (b - toward)^2`, ridge where every `toward` is 0, partial pooling where it is the
//! pool's coefficient. *Standard errors* are chosen after the fit ([`errors`]): classical, HC0 to HC3, or clustered.
//!
//! A row with a missing value (`NaN` in a column, the target, or a weight of 0) is left out and counted.

pub mod errors;
mod prepare;
pub(in crate::price) mod qr;

use crate::fit::{Control, FitError};
pub use errors::Errors;
use prepare::{Group, Prepared, group_means, prepare};
use qr::Triangle;
use std::collections::BTreeMap;

/// Named columns over the same rows.
#[derive(Debug, Clone, Default)]
pub struct Design {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    intercept: bool,
}

impl Design {
    /// No column yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column of ones, "intercept", for `rows` rows.
    #[must_use]
    pub fn with_intercept(mut self, rows: usize) -> Self {
        self.intercept = true;
        self.with("intercept", vec![1.0; rows])
    }

    /// Adds a column; every column has the same length.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: Vec<f64>) -> Self {
        self.push(name, values);
        self
    }

    /// Adds a column; every column has the same length.
    pub fn push(&mut self, name: impl Into<String>, values: Vec<f64>) {
        self.names.push(name.into());
        self.columns.push(values);
    }

    /// The columns' names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One row.
    pub fn row(&self, i: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[i]).collect()
    }
}

/// What a coefficient is pulled towards, and how strongly.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrinkage {
    /// One per column.
    pub toward: Vec<f64>,
    /// One per column, not negative, in units of `sum w x^2`; 0 leaves the coefficient free.
    pub penalty: Vec<f64>,
}

/// How [`fit`] regresses; the default is ordinary least squares.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// A weight per row, not negative.
    pub weights: Option<&'a [f64]>,
    /// A group per row whose constant is swept out.
    pub groups: Option<&'a [u32]>,
    /// Ridge or partial pooling.
    pub shrinkage: Option<&'a Shrinkage>,
}

/// A fitted regression.
#[derive(Debug, Clone)]
pub struct Regression {
    /// The columns' names.
    pub names: Vec<String>,
    /// One coefficient per column; 0 for a dropped one.
    pub coefficients: Vec<f64>,
    /// Columns that are linear combinations of others, in order.
    pub dropped: Vec<usize>,
    /// Rows used.
    pub observations: usize,
    /// Rows left out for a missing value or a weight of 0.
    pub left_out: usize,
    /// Coefficients estimated, group effects included; under shrinkage the trace of the hat matrix.
    pub parameters: f64,
    /// The weighted sum of squared residuals.
    pub squares: f64,
    /// `squares / (observations - parameters)`; 0 where nothing is left to estimate it from.
    pub sigma2: f64,
    /// The share of the (weighted) variance explained, group effects included; around zero without intercept or groups.
    pub r2: f64,
    /// The rows used, by index into the design.
    pub rows: Vec<usize>,
    /// One residual `y - prediction` per row used, in the units of `y`.
    pub residuals: Vec<f64>,
    groups: BTreeMap<u32, Group>,
    kept: Vec<usize>,
    triangle: Triangle,
    prepared: Prepared,
}

/// Regresses `y` on the columns of `design`.
///
/// # Errors
/// Stopped; lengths that differ, no column, a negative weight or penalty, values that are infinite, or fewer complete
/// rows than it takes to estimate anything.
pub fn fit(
    design: &Design,
    y: &[f64],
    options: &Options<'_>,
    control: &Control,
) -> Result<Regression, FitError> {
    check(design, y, options)?;
    let rows: Vec<usize> = (0..y.len())
        .filter(|&i| {
            !y[i].is_nan()
                && design.columns.iter().all(|column| !column[i].is_nan())
                && options.weights.is_none_or(|weights| weights[i] > 0.0)
        })
        .collect();
    if rows.is_empty() {
        return Err(FitError::Invalid(
            "a regression wants at least one row without missing values".into(),
        ));
    }
    control.check()?;
    let groups = group_means(design, y, options, &rows);
    let prepared = prepare(design, y, options, &rows, &groups);
    control.check()?;
    let p = prepared.columns;
    let mut triangle = Triangle::new(p);
    triangle.absorb_rows(&prepared.x, &prepared.y);
    let mut penalised = false;
    if let Some(shrinkage) = options.shrinkage {
        let mut row = vec![0.0; p];
        for j in 0..p {
            if shrinkage.penalty[j] > 0.0 {
                penalised = true;
                let root = shrinkage.penalty[j].sqrt();
                row[j] = root / prepared.scale[j];
                triangle.absorb_rows(&row, &[root * shrinkage.toward[j]]);
                row[j] = 0.0;
            }
        }
    }
    control.check()?;
    let dropped = triangle.reduce(&prepared.length);
    let kept: Vec<usize> = (0..p).filter(|j| !dropped.contains(j)).collect();
    let mut coefficients = vec![0.0; p];
    for (&j, b) in kept.iter().zip(triangle.solve()) {
        coefficients[j] = b / prepared.scale[j];
    }
    if coefficients.iter().any(|b| !b.is_finite()) {
        return Err(FitError::Invalid(
            "the columns' sizes are beyond arithmetic".into(),
        ));
    }
    let mut regression = Regression {
        names: design.names.clone(),
        coefficients,
        dropped,
        observations: rows.len(),
        left_out: y.len() - rows.len(),
        parameters: (kept.len() + groups.len()) as f64,
        squares: 0.0,
        sigma2: 0.0,
        r2: 0.0,
        residuals: Vec::new(),
        rows,
        groups,
        kept,
        triangle,
        prepared,
    };
    if penalised {
        regression.parameters = regression.leverages().iter().sum();
    }
    regression.settle();
    if regression.sigma2.is_finite() && regression.r2.is_finite() {
        Ok(regression)
    } else {
        Err(FitError::Invalid("the target's size is beyond arithmetic".into()))
    }
}

fn check(design: &Design, y: &[f64], options: &Options<'_>) -> Result<(), FitError> {
    let refuse = |what: String| Err(FitError::Invalid(what));
    if design.columns.is_empty() {
        return refuse("a regression wants at least one column".into());
    }
    let p = design.columns.len();
    for (name, column) in design.names.iter().zip(&design.columns) {
        if column.len() != y.len() {
            return refuse(format!(
                "column '{name}' has {} rows, the target {}",
                column.len(),
                y.len()
            ));
        }
        if column.iter().any(|value| value.is_infinite()) {
            return refuse(format!("column '{name}' holds an infinite value"));
        }
    }
    if y.iter().any(|value| value.is_infinite()) {
        return refuse("the target holds an infinite value".into());
    }
    if let Some(weights) = options.weights
        && (weights.len() != y.len() || weights.iter().any(|w| !(*w >= 0.0 && w.is_finite())))
    {
        return refuse("a regression wants one finite weight per row, none negative".into());
    }
    if options.groups.is_some_and(|groups| groups.len() != y.len()) {
        return refuse("a regression wants one group per row".into());
    }
    if let Some(shrinkage) = options.shrinkage
        && (shrinkage.toward.len() != p
            || shrinkage.penalty.len() != p
            || shrinkage.toward.iter().any(|b| !b.is_finite())
            || shrinkage.penalty.iter().any(|l| !(*l >= 0.0 && l.is_finite())))
    {
        return refuse(
            "shrinkage wants one finite target and penalty per column, no penalty negative".into(),
        );
    }
    Ok(())
}

impl Regression {
    /// Residuals and what follows from them.
    fn settle(&mut self) {
        let p = self.prepared.columns;
        let scaled: Vec<f64> = self
            .coefficients
            .iter()
            .zip(&self.prepared.scale)
            .map(|(b, scale)| b * scale)
            .collect();
        self.residuals = self
            .prepared
            .x
            .chunks_exact(p)
            .zip(&self.prepared.y)
            .zip(&self.prepared.root)
            .map(|((x, y), root)| (y - dot(x, &scaled)) / root)
            .collect();
        self.squares = self
            .residuals
            .iter()
            .zip(&self.prepared.root)
            .map(|(e, root)| (e * root) * (e * root))
            .sum();
        let degrees = self.degrees();
        self.sigma2 = if degrees > 0.0 {
            self.squares / degrees
        } else {
            0.0
        };
        let total = self.prepared.total_squares;
        self.r2 = if total > 0.0 {
            1.0 - self.squares / total
        } else {
            0.0
        };
    }

    /// Degrees of freedom of the residuals: observations less parameters, 0 at the least.
    pub fn degrees(&self) -> f64 {
        (self.observations as f64 - self.parameters).max(0.0)
    }

    /// The coefficient of a column by name; `None` for a dropped or unknown one.
    pub fn coefficient(&self, name: &str) -> Option<f64> {
        let j = self.names.iter().position(|other| other == name)?;
        (!self.dropped.contains(&j)).then(|| self.coefficients[j])
    }

    /// What is expected at `row` (one value per column), without group effects.
    pub fn predict(&self, row: &[f64]) -> f64 {
        dot(row, &self.coefficients)
    }

    /// The effect of a group that was swept out: the constant its rows have; `None` for a group never seen.
    pub fn effect(&self, group: u32) -> Option<f64> {
        self.groups
            .get(&group)
            .map(|group| group.y - dot(&group.x, &self.coefficients))
    }

    /// Every group seen with its effect, by number.
    pub fn effects(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.groups
            .iter()
            .map(|(&number, group)| (number, group.y - dot(&group.x, &self.coefficients)))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
