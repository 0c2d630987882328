//! The gate: which model the series of a category get.
//!
//! A candidate replaces the last price only if, over the series of a category, it wins at each of three past origins
//! and by 5 % on average. Choosing series by series, or by one origin, loses more often than it wins on posted prices.
//! A category with too few series follows the decision of the whole shop.
//!
//! The measure is the mean absolute scaled error (Hyndman and Koehler, 2006): the error in units of the mean absolute
//! step before the origin. A price that never moved has no such unit; it is left out, never infinite.

use super::backtest::{Backtest, ORIGINS};

/// By how much a candidate has to win on average.
pub const MARGIN: f64 = 0.05;
/// Series with a scale, at each origin, that a category needs to decide for itself.
pub const SERIES_TO_DECIDE: u32 = 8;

/// How a model did over a group of series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Mean scaled error per origin, newest first; `None` where no series had a scale.
    pub mase: [Option<f64>; ORIGINS],
    /// Mean absolute error per origin, in money; `None` where no series took part.
    pub mae: [Option<f64>; ORIGINS],
    /// Series with a scale, per origin.
    pub series: [u32; ORIGINS],
    /// Fits that failed and were answered by the last price.
    pub failed: u32,
}

/// The mean of the values that are there; `None` when none is.
pub fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, count) = values
        .iter()
        .flatten()
        .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// How each model did over the series `members`.
pub fn standings(backtests: &[Backtest], members: &[usize], models: usize) -> Vec<Standing> {
    (0..models)
        .map(|model| standing(backtests, members, |_| model))
        .collect()
}

/// How a mix did in which series `s` is answered by model `model_of(s)`.
pub fn standing(backtests: &[Backtest], members: &[usize], model_of: impl Fn(usize) -> usize) -> Standing {
    let mut standing = Standing::default();
    let Standing {
        mase,
        mae,
        series,
        failed,
    } = &mut standing;
    for (k, series) in series.iter_mut().enumerate() {
        let (mut scaled, mut plain, mut taking_part) = (0.0, 0.0, 0u32);
        for &s in members {
            let Some(origin) = &backtests[s][k] else { continue };
            let trial = &origin.trials[model_of(s)];
            plain += trial.mae;
            taking_part += 1;
            *failed += u32::from(trial.failed);
            if let Some(scale) = origin.scale {
                scaled += trial.mae / scale;
                *series += 1;
            }
        }
        mae[k] = (taking_part > 0).then(|| plain / f64::from(taking_part));
        mase[k] = (*series > 0).then(|| scaled / f64::from(*series));
    }
    standing
}

/// Skill at each origin: 1 - error / error of the last price; `None` where that is not defined.
pub fn skills(standing: &Standing, naive: &Standing) -> [Option<f64>; ORIGINS] {
    std::array::from_fn(|k| match (standing.mase[k], naive.mase[k]) {
        (Some(mase), Some(naive)) if naive > 0.0 => Some(1.0 - mase / naive),
        _ => None,
    })
}

/// What the gate decided for a group of series.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Index of the model.
    pub model: usize,
    /// The reason in plain words.
    pub why: String,
}

/// Decides for a group; `None` when it has too few series. Model 0 is the last price.
pub fn decide(standings: &[Standing], names: &[&str], place: &str) -> Option<Decision> {
    if standings[0]
        .series
        .iter()
        .any(|series| *series < SERIES_TO_DECIDE)
    {
        return None;
    }
    // (model, mean skill, wins at every origin); ties go to the earlier, simpler model.
    let mut best: Option<(usize, f64)> = None;
    let mut nearest: Option<(usize, f64)> = None;
    for (model, standing) in standings.iter().enumerate().skip(1) {
        let skills = skills(standing, &standings[0]);
        let Some(average) = mean(&skills) else { continue };
        if nearest.is_none_or(|(_, other)| average > other) {
            nearest = Some((model, average));
        }
        let everywhere = skills.iter().all(|skill| skill.is_some_and(|skill| skill > 0.0));
        if everywhere && average >= MARGIN && best.is_none_or(|(_, other)| average > other) {
            best = Some((model, average));
        }
    }
    Some(match (best, nearest) {
        (Some((model, skill)), _) => Decision {
            model,
            why: format!(
                "{} beat the last price at each of {ORIGINS} past nights {place}, by {} on average",
                names[model],
                percent(skill)
            ),
        },
        (None, Some((model, skill))) => Decision {
            model: 0,
            why: format!(
                "no model beat the last price at each of {ORIGINS} past nights and by 5 % on average {place} \
                 (nearest: {} with {})",
                names[model],
                percent(skill)
            ),
        },
        (None, None) => Decision {
            model: 0,
            why: format!("no price moved {place}"),
        },
    })
}

/// A fraction as people read it; never "-0.0 %".
fn percent(fraction: f64) -> String {
    let tenths = (fraction * 1000.0).round() / 10.0;
    format!("{:.1} %", if tenths == 0.0 { 0.0 } else { tenths })
}

#[cfg(test)]
mod tests {
    use super::super::backtest::{Origin, Trial};
    use super::*;

    /// A series whose two models made these errors at the three origins.
    fn series(scale: Option<f64>, maes: [[f64; 2]; ORIGINS]) -> Backtest {
        maes.map(|models| {
            let trials = models
                .map(|mae| Trial {
                    mae,
                    log_errors: vec![],
                    failed: false,
                })
                .to_vec();
            Some(Origin {
                class: 0,
                scale,
                trials,
            })
        })
    }

    fn decided(maes: [[f64; 2]; ORIGINS], count: usize) -> Option<Decision> {
        let all: Vec<Backtest> = (0..count).map(|_| series(Some(2.0), maes)).collect();
        let members: Vec<usize> = (0..count).collect();
        decide(
            &standings(&all, &members, 2),
            &["last price", "other"],
            "in category 'tea'",
        )
    }

    #[test]
    fn a_winner_wins_at_every_origin_and_by_five_per_cent() {
        let clear = decided([[10.0, 9.0], [10.0, 9.5], [10.0, 9.0]], 8).unwrap();
        assert_eq!(clear.model, 1);
        assert_eq!(
            clear.why,
            "other beat the last price at each of 3 past nights in category 'tea', by 8.3 % on average"
        );
        assert_eq!(
            decided([[10.0, 5.0], [10.0, 5.0], [10.0, 10.1]], 8)
                .unwrap()
                .model,
            0,
            "lost once"
        );
        assert_eq!(
            decided([[10.0, 9.6], [10.0, 9.6], [10.0, 9.6]], 8).unwrap().model,
            0,
            "4 % only"
        );
        assert_eq!(
            decided([[10.0, 5.0], [0.0, 0.0], [10.0, 5.0]], 8).unwrap().model,
            0,
            "nothing to win once"
        );
        assert_eq!(decided([[10.0, 1.0]; 3], 7), None, "too few series");
    }

    #[test]
    fn a_price_without_scale_is_left_out() {
        let mut all: Vec<Backtest> = (0..8).map(|_| series(Some(2.0), [[4.0, 2.0]; 3])).collect();
        all.push(series(None, [[0.0, 100.0]; 3]));
        let members: Vec<usize> = (0..9).collect();
        let standings = standings(&all, &members, 2);
        assert_eq!(standings[1].mase, [Some(1.0); 3]);
        assert_eq!(standings[1].series, [8; 3]);
        assert_eq!(standings[0].mae[0], Some(32.0 / 9.0));
        assert_eq!(skills(&standings[1], &standings[0]), [Some(0.5); 3]);
        let mix = standing(&all, &members, |s| usize::from(s < 4));
        assert_eq!(mix.mase[0], Some(1.5));
    }
}
