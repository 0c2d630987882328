//! How much more often a feature occurs in a class than elsewhere: the naive Bayes half of an NB-SVM.
//!
//! `r = ln((1 + p) / |1 + p|) - ln((1 + q) / |1 + q|)` with `p` the sum of the feature's values over the rows of the
//! class and `q` over all other rows, `|v|` the sum over features (Wang and Manning, "Baselines and Bigrams", ACL 2012,
//! with TF-IDF values in the place of counts).

use super::hinge::LANES;
use crate::text::Csr;

/// The ratios of all classes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::support) struct LogRatios {
    classes: usize,
    columns: usize,
    /// Feature by feature, a feature's classes side by side.
    ratios: Vec<f32>,
}

impl LogRatios {
    /// Counts the rows of every class.
    pub(in crate::support) fn count(rows: &Csr, labels: &[u32], classes: usize) -> LogRatios {
        let columns = rows.columns;
        let mut inside = vec![0f64; columns * classes];
        let mut all = vec![0f64; columns];
        for (row, &label) in labels.iter().enumerate() {
            let (features, values) = rows.row(row);
            for (&column, &value) in features.iter().zip(values) {
                inside[column as usize * classes + label as usize] += f64::from(value);
                all[column as usize] += f64::from(value);
            }
        }
        let whole: f64 = all.iter().sum();
        let mut within = vec![0f64; classes];
        for row in inside.chunks_exact(classes.max(1)) {
            within.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let smooth = columns as f64;
        let ratio = |at: usize, inside: f64| {
            let (column, class) = (at / classes, at % classes);
            let p = (1.0 + inside) / (smooth + within[class]);
            let q = (1.0 + all[column] - inside) / (smooth + whole - within[class]);
            (p / q).ln() as f32
        };
        let ratios = inside
            .iter()
            .enumerate()
            .map(|(at, &inside)| ratio(at, inside))
            .collect();
        LogRatios {
            classes,
            columns,
            ratios,
        }
    }

    /// Squares of the ratios of the classes from `from`, sixteen side by side, nothing where there is no class.
    pub(in crate::support) fn squares(&self, from: usize) -> Vec<[f32; LANES]> {
        let lanes = LANES.min(self.classes - from);
        (0..self.columns)
            .map(|column| {
                let mut squares = [0f32; LANES];
                let at = column * self.classes + from;
                for (square, ratio) in squares.iter_mut().zip(&self.ratios[at..at + lanes]) {
                    *square = ratio * ratio;
                }
                squares
            })
            .collect()
    }
}
