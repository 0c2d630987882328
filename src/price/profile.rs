//! What a series is like, told before any model is fitted.
//!
//! Most of a catalogue costs microseconds: a price that never moved, or was seen for fewer than twenty steps, gets the last
//! price. The rest are of two kinds. A *posted* price stands still in a fifth of its steps or more, because somebody sets
//! it; there the last price is hard to beat and models have to prove themselves for a whole category
//! ([`super::choose`]). An *averaged* price (an index, a mean over shops or buyers, an exchange's quotation) moves at
//! every step; there models win, and their mean wins most ([`super::combine`]). The two are far apart: of 1,112 series of
//! the M3 and M4 competitions 96 % stand still in fewer than 10 % of their steps, of 913 orange-juice prices none in fewer
//! than 20 %.

use super::season::{is_seasonal, moving_average};
use super::series::constant;

/// Values a series needs before any model but the last price is tried.
pub const ENOUGH: usize = 20;

/// The share of steps without change from which a price is posted.
pub const POSTED: f64 = 0.2;

/// The kinds of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Too short for a model, or never moved.
    Still,
    /// Somebody sets it.
    Posted,
    /// It moves at every step.
    Averaged,
}

/// Whether a series is worth a model: enough values, and not all the same.
pub fn screened_out(values: &[f64]) -> bool {
    super::series::observed(values) < ENOUGH || constant(values)
}

/// The share of steps without a change; `None` where no two neighbours were seen.
pub fn zero_steps(values: &[f64]) -> Option<f64> {
    let (mut still, mut count) = (0u32, 0u32);
    for pair in values.windows(2) {
        if !(pair[0].is_nan() || pair[1].is_nan()) {
            count += 1;
            still += u32::from(constant(pair));
        }
    }
    (count > 0).then(|| f64::from(still) / f64::from(count))
}

/// The kind of a series.
pub fn kind(values: &[f64]) -> Kind {
    if screened_out(values) {
        Kind::Still
    } else if zero_steps(values).is_none_or(|share| share >= POSTED) {
        Kind::Posted
    } else {
        Kind::Averaged
    }
}

/// Number of classes.
pub const CLASSES: usize = 5;

/// How often a price moves, by its share of steps without a change: 0 is under a half, then under four fifths, under
/// 19 of 20, under all of them; 4 never moved. Errors of one class are alike, whatever the category.
pub fn class(values: &[f64]) -> usize {
    match zero_steps(values) {
        Some(share) if share < 1.0 => [0.5, 0.8, 0.95].iter().filter(|bound| share >= **bound).count(),
        _ => 4,
    }
}

/// The mean absolute change over `lag` steps, the unit of the mean absolute scaled error (Hyndman and Koehler,
/// International Journal of Forecasting 22, 2006); `None` where the price never moved.
pub fn scale(values: &[f64], lag: usize) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for t in lag..values.len() {
        let change = (values[t] - values[t - lag]).abs();
        if !change.is_nan() {
            sum += change;
            count += 1;
        }
    }
    (sum > 0.0 && !constant(values)).then(|| sum / f64::from(count))
}

/// The lengths among `candidates` at which a season stands out, once what moves slowly is taken away.
pub fn seasons(values: &[f64], candidates: &[usize]) -> Vec<usize> {
    candidates
        .iter()
        .copied()
        .filter(|&period| {
            let level = moving_average(values, period);
            let rest: Vec<f64> = values
                .iter()
                .zip(&level)
                .filter(|(_, level)| !level.is_nan())
                .map(|(value, level)| value - level)
                .collect();
            is_seasonal(&rest, period)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_steps_that_stand_still() {
        let walk: Vec<f64> = (0..40).map(|i| 10.0 + f64::from(i * 7 % 11)).collect();
        assert_eq!(kind(&walk), Kind::Averaged);
        let posted: Vec<f64> = (0..40).map(|i| 10.0 + f64::from(i / 4)).collect();
        assert_eq!((kind(&posted), class(&posted)), (Kind::Posted, 1));
        assert_eq!(kind(&[5.0; 40]), Kind::Still);
        assert_eq!(kind(&walk[..19]), Kind::Still);
        let holes: Vec<f64> = (0..60)
            .map(|i| if i % 2 == 0 { f64::from(i) } else { f64::NAN })
            .collect();
        assert_eq!(
            (kind(&holes), zero_steps(&holes)),
            (Kind::Posted, None),
            "nothing says that it moves"
        );
    }

    #[test]
    fn rounding_is_no_change_of_price() {
        let mut values = vec![3.57; 40];
        for i in (0..40).step_by(3) {
            values[i] = 3.57 * (1.0 + 4e-16);
        }
        assert!(values[0] != values[1]);
        assert!(screened_out(&values));
        assert_eq!((scale(&values, 1), class(&values)), (None, 4));
        values[5] = 3.58;
        assert!(scale(&values, 1).is_some_and(|scale| scale > 1e-4));
    }

    #[test]
    fn seasons_stand_out_of_a_trend() {
        let mut random = fastrand::Rng::with_seed(4);
        let values: Vec<f64> = (0..140)
            .map(|t| 100.0 + f64::from(t) + 9.0 * f64::from(t % 7) + 3.0 * random.f64())
            .collect();
        assert_eq!(seasons(&values, &[7, 365]), [7]);
        let noise: Vec<f64> = (0..140)
            .map(|t| 100.0 + f64::from(t) + 9.0 * random.f64())
            .collect();
        assert_eq!(seasons(&noise, &[7]), Vec::<usize>::new());
        assert_eq!(scale(&[1.0, 5.0, 2.0, 8.0], 2), Some(2.0));
    }
}
