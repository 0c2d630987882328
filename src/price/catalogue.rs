//! The models by number: which a series may get, and which parts make the combination of its frequency.

use super::arima::{Arima, AutoArima, Yearly};
use super::deseasonal::StlTrend;
use super::driven::DriverRegression;
use super::ets::{AutoEts, DampedTrend};
use super::frequency::Frequency;
use super::model::{Fit, LastPrice, OnLogs};
use super::promotion::{PromotionPlan, TwoStates};
use super::ridge::{RidgeAutoregression, Scale};
use super::seasonal::{Median, SeasonalNaive};
use super::smoothing::Ses;
use super::subject::{Source, Subject};
use super::theta::{DynamicTheta, Theta};

/// The number of a model; it indexes [`NAMES`].
pub type Model = usize;

/// The naive answer, the first of all.
pub const LAST_PRICE: Model = 0;
/// Half way from the last price to the median of eight.
pub const HALF_MEDIAN: Model = 1;
/// Regular price and promotions by their usual length.
pub const TWO_STATES: Model = 2;
/// Promotions known ahead.
pub const PLAN: Model = 3;
/// The weighted mean of the parts.
pub const COMBINATION: Model = 4;
const DYNAMIC_THETA: Model = 5;
const ETS: Model = 6;
const ARIMA: Model = 7;
const STL: Model = 8;
const RIDGE: Model = 9;
const LOG_RIDGE: Model = 10;
const SEASONAL_NAIVE: Model = 11;
const SMOOTHING: Model = 12;
const DAMPED_TREND: Model = 13;
const THETA: Model = 14;
/// The last price, moved by drivers known ahead.
pub const REGRESSION: Model = 15;
/// The network over all series.
pub const LSTM: Model = 16;

/// The names in the results, by number.
pub const NAMES: [&str; 17] = [
    "last price",
    "half way to the median",
    "two states",
    "promotion plan",
    "combination",
    "dynamic optimised Theta",
    "ETS",
    "ARIMA",
    "STL with damped trend",
    "ridge autoregression",
    "ridge autoregression of logarithms",
    "seasonal naive",
    "simple exponential smoothing",
    "damped trend",
    "Theta",
    "regression",
    "lstm",
];

/// What may answer for a posted price: the naive answer, those that have to beat it (the network last: ties go to the simpler),
/// the plan, and the regression.
pub const POSTED: [Model; 6] = [LAST_PRICE, HALF_MEDIAN, TWO_STATES, PLAN, REGRESSION, LSTM];

/// Measured beside the combination on averaged prices, never published: what the field compares with.
pub const BENCHMARKS: [Model; 4] = [SEASONAL_NAIVE, SMOOTHING, DAMPED_TREND, THETA];

/// Newest values whose median is looked at.
const MEDIAN_OF: usize = 8;

/// The lags of the ridge autoregression: the newest steps and the neighbourhood of whole seasons.
fn lags(frequency: Frequency) -> (&'static [usize], Scale) {
    match frequency {
        Frequency::Hourly => (&[1, 2, 3, 23, 24, 25, 48, 144, 167, 168, 169], Scale::Levels),
        Frequency::Daily => (&[1, 2, 3, 6, 7, 8, 14, 21, 28], Scale::Levels),
        Frequency::Weekly => (
            &[1, 2, 3, 4, 13, 26, 48, 49, 50, 51, 52, 53, 54, 55, 56],
            Scale::LogChanges,
        ),
        Frequency::Monthly => (&[1, 2, 3, 11, 12, 13], Scale::Levels),
    }
}

/// The ridge's penalty, in units of the regressors' variance: enough to tell collinear lags apart, too little to bend
/// the forecasts. On four origins of 207 hourly series 1e-4 did as well as 1e-5 and better than 1e-3.
const PENALTY: f64 = 1e-4;

/// Weeks in a year.
const WEEKS_A_YEAR: f64 = 365.25 / 7.0;
/// Pairs of sine and cosine for it.
const PAIRS: usize = 2;

/// The parts of the combination for a series of `length` steps.
///
/// An hourly series long enough for a week's lags has two seasons in one, which exponential smoothing and ARIMA of one
/// season cannot follow: they would cost most of the night and get next to no weight.
///
/// The network, where the night has one, is the last of them; whether it counts is decided for the whole shop
/// ([`super::combine::Ratios`]).
pub fn parts(frequency: Frequency, length: usize, network: bool) -> &'static [Model] {
    let (lags, _) = lags(frequency);
    let long = length >= lags[lags.len() - 1] + 4 * lags.len();
    let all: &[Model] = match (frequency, long) {
        (Frequency::Hourly, true) => &[DYNAMIC_THETA, STL, RIDGE, LOG_RIDGE, LSTM],
        (_, true) => &[DYNAMIC_THETA, ETS, ARIMA, STL, RIDGE, LSTM],
        (_, false) => &[DYNAMIC_THETA, ETS, ARIMA, STL, LSTM],
    };
    &all[..all.len() - usize::from(!network)]
}

/// The season that scales errors and that models of one season take: that of the frequency, but none for weeks, whose
/// year is too long to carry as states.
pub fn season(frequency: Frequency) -> usize {
    match frequency {
        Frequency::Weekly => 1,
        other => other.seasons()[0],
    }
}

/// The model of a number for one series of a source. ARIMA's search begins at `start`; the network answers as it would have at
/// a judged origin, or as `tonight`.
pub fn model_for<'a>(
    number: Model,
    source: &'a dyn Source,
    subject: &'a Subject,
    start: Option<Arima>,
    tonight: bool,
) -> Option<Box<dyn Fit + 'a>> {
    match number {
        LSTM => Some(Box::new(source.networks()?.of(subject, tonight))),
        number => model_from(number, source.frequency(), start),
    }
}

/// The model of a number; the combination is none by itself, and the network none without its night ([`model_for`]).
pub fn model(number: Model, frequency: Frequency) -> Option<Box<dyn Fit>> {
    model_from(number, frequency, None)
}

/// The same, ARIMA's search beginning at the order that an earlier one found. On 121 monthly series of which that one knew all
/// but 18 months, this takes two thirds of the time; the criterion is the same for 95 of them, lower for 16 and higher for
/// 10.
pub fn model_from(number: Model, frequency: Frequency, start: Option<Arima>) -> Option<Box<dyn Fit>> {
    let period = season(frequency);
    let ridge = || {
        let (lags, scale) = lags(frequency);
        RidgeAutoregression {
            lags: lags.to_vec(),
            scale,
            penalty: PENALTY,
            window: frequency.longest(),
        }
    };
    Some(match number {
        LAST_PRICE => Box::new(LastPrice),
        HALF_MEDIAN => Box::new(Median {
            window: MEDIAN_OF,
            share: 0.5,
        }),
        TWO_STATES => Box::new(TwoStates),
        PLAN => Box::new(PromotionPlan),
        DYNAMIC_THETA => Box::new(DynamicTheta { period }),
        ETS => Box::new(AutoEts { period }),
        ARIMA => match frequency {
            Frequency::Weekly => Box::new(OnLogs(Yearly {
                search: AutoArima {
                    start,
                    ..AutoArima::new(1)
                },
                period: WEEKS_A_YEAR,
                pairs: PAIRS,
            })),
            _ => Box::new(OnLogs(AutoArima {
                start,
                ..AutoArima::new(period)
            })),
        },
        STL => Box::new(OnLogs(StlTrend {
            period: match frequency {
                Frequency::Hourly => 168,
                other => other.seasons()[0],
            },
        })),
        RIDGE => Box::new(ridge()),
        LOG_RIDGE => Box::new(OnLogs(ridge())),
        SEASONAL_NAIVE => Box::new(SeasonalNaive {
            period: frequency.seasons()[0],
        }),
        SMOOTHING => Box::new(Ses),
        DAMPED_TREND => Box::new(DampedTrend),
        THETA => Box::new(Theta { period }),
        REGRESSION => Box::new(DriverRegression),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_model_and_every_part_its_number() {
        for frequency in [
            Frequency::Hourly,
            Frequency::Daily,
            Frequency::Weekly,
            Frequency::Monthly,
        ] {
            for (number, name) in NAMES.iter().enumerate() {
                match model(number, frequency) {
                    Some(model) => assert!(name.starts_with(model.name()), "{name}"),
                    None => assert!([COMBINATION, LSTM].contains(&number)),
                }
            }
            for length in [0, 30, 5000] {
                assert!(
                    parts(frequency, length, true)
                        .iter()
                        .all(|part| *part > COMBINATION)
                );
            }
        }
        assert!(!parts(Frequency::Weekly, 115, false).contains(&RIDGE));
        assert!(parts(Frequency::Weekly, 116, false).contains(&RIDGE));
        assert!(!parts(Frequency::Weekly, 116, false).contains(&LSTM));
        assert_eq!(parts(Frequency::Weekly, 116, true).last(), Some(&LSTM));
    }
}
