//! From a design to the rows that are decomposed: group means out, times the root of the weight, columns scaled.

use super::{Design, Options};
use std::collections::BTreeMap;

/// The means of a group whose effect was swept out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) weight: f64,
    pub(super) x: Vec<f64>,
    pub(super) y: f64,
}

/// The rows as they were decomposed: complete, without group means, times the root of the weight, columns scaled.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// Row-major.
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) columns: usize,
    /// The power of two each column was divided by, so that scaling rounds nothing.
    pub(super) scale: Vec<f64>,
    /// The lengths of the scaled columns before group means left them.
    pub(super) length: Vec<f64>,
    /// Scaled sums of squares around the mean, for variance inflation.
    pub(super) spread: Vec<f64>,
    /// The root of the weight per row.
    pub(super) root: Vec<f64>,
    /// Leverage of the group mean per row; empty without groups.
    pub(super) group_leverage: Vec<f64>,
    pub(super) total_squares: f64,
    pub(super) intercept: bool,
}

pub(super) fn group_means(
    design: &Design,
    y: &[f64],
    options: &Options<'_>,
    rows: &[usize],
) -> BTreeMap<u32, Group> {
    let mut groups: BTreeMap<u32, Group> = BTreeMap::new();
    let Some(of) = options.groups else { return groups };
    let p = design.columns.len();
    for &i in rows {
        let w = options.weights.map_or(1.0, |weights| weights[i]);
        let group = groups.entry(of[i]).or_insert_with(|| Group {
            weight: 0.0,
            x: vec![0.0; p],
            y: 0.0,
        });
        // Running means: exact for constant columns, which must vanish under them.
        group.weight += w;
        let share = w / group.weight;
        for (mean, column) in group.x.iter_mut().zip(&design.columns) {
            *mean += share * (column[i] - *mean);
        }
        group.y += share * (y[i] - group.y);
    }
    groups
}

pub(super) fn prepare(
    design: &Design,
    y: &[f64],
    options: &Options<'_>,
    rows: &[usize],
    groups: &BTreeMap<u32, Group>,
) -> Prepared {
    let p = design.columns.len();
    let root: Vec<f64> = rows
        .iter()
        .map(|&i| options.weights.map_or(1.0, |weights| weights[i].sqrt()))
        .collect();
    let weight: f64 = root.iter().map(|root| root * root).sum();
    let of: Vec<Option<&Group>> = rows
        .iter()
        .map(|&i| options.groups.map(|of| &groups[&of[i]]))
        .collect();
    let centred = design.intercept || options.groups.is_some();
    let mut prepared = Prepared {
        x: vec![0.0; rows.len() * p],
        y: Vec::with_capacity(rows.len()),
        columns: p,
        scale: Vec::with_capacity(p),
        length: Vec::with_capacity(p),
        spread: Vec::with_capacity(p),
        group_leverage: Vec::new(),
        total_squares: 0.0,
        intercept: design.intercept,
        root,
    };
    for (j, column) in design.columns.iter().enumerate() {
        let largest = rows
            .iter()
            .fold(0.0f64, |largest, &i| largest.max(column[i].abs()));
        let scale = power_of_two(largest);
        let (mut length, mut mean) = (0.0, 0.0);
        for (k, &i) in rows.iter().enumerate() {
            let (value, root) = (column[i] / scale, prepared.root[k]);
            length += value * value * root * root;
            mean += value * root * root;
            let inner = of[k].map_or(value, |group| (column[i] - group.x[j]) / scale);
            prepared.x[k * p + j] = inner * root;
        }
        mean = if centred { mean / weight } else { 0.0 };
        let spread = (0..rows.len())
            .map(|k| {
                let inner = prepared.x[k * p + j]
                    - if options.groups.is_some() {
                        0.0
                    } else {
                        mean * prepared.root[k]
                    };
                inner * inner
            })
            .sum();
        prepared.scale.push(scale);
        prepared.length.push(f64::sqrt(length));
        prepared.spread.push(spread);
    }
    let mut mean = 0.0;
    for (k, &i) in rows.iter().enumerate() {
        let root = prepared.root[k];
        prepared
            .y
            .push((y[i] - of[k].map_or(0.0, |group| group.y)) * root);
        mean += y[i] * root * root / weight;
    }
    if !centred {
        mean = 0.0;
    }
    for (k, &i) in rows.iter().enumerate() {
        let off = (y[i] - mean) * prepared.root[k];
        prepared.total_squares += off * off;
    }
    if options.groups.is_some() {
        prepared.group_leverage = (0..rows.len())
            .map(|k| of[k].map_or(0.0, |group| prepared.root[k] * prepared.root[k] / group.weight))
            .collect();
    }
    prepared
}

/// The power of two at or below a size; 1 for nothing.
fn power_of_two(size: f64) -> f64 {
    if size > 0.0 {
        size.log2().floor().clamp(-1000.0, 1000.0).exp2()
    } else {
        1.0
    }
}
