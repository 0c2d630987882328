//! The second round: weights, lift and popularity of the blend, over the sheets of all inner cuts.

use super::{TuneOptions, WEIGHT, Walk};
use crate::fit::{Control, FitError, NelderMead, nelder_mead};
use crate::recommend::demand::WINDOWS;
use crate::recommend::settings::{ALS, BASKETS, COMPONENTS, COSINE, EASE, Settings, WORDS};
use crate::recommend::sheet::Sheet;

const POWER: (f64, f64) = (1e-2, 3.0);
const PRIOR: (f64, f64) = (0.1, 50.0);
/// A component stays only if it is worth this much NDCG on the inner cuts.
const WORTH: f64 = 2e-4;

/// Sets the blend's numbers in `settings`; returns their mean NDCG@10 over the sheets.
pub(super) fn tune(
    sheets: &[Sheet<'_>],
    quiet: bool,
    settings: &mut Settings,
    evaluations: &mut u64,
    options: &TuneOptions,
    control: &Control,
) -> Result<f64, FitError> {
    let ndcg = |settings: &Settings| {
        sheets.iter().map(|sheet| sheet.ndcg(settings)).sum::<f64>() / sheets.len() as f64
    };
    let mut best = ndcg(settings);
    for lift_window in 0..WINDOWS.len() as u8 {
        for popularity_window in 0..WINDOWS.len() as u8 {
            control.check()?;
            let trial = Settings {
                lift_window,
                popularity_window,
                ..*settings
            };
            let found = ndcg(&trial);
            if found > best {
                (best, *settings) = (found, trial);
            }
        }
    }
    let live: Vec<usize> = (0..COMPONENTS.len())
        .filter(|&number| settings.weights[number] > 0.0 || (number != WORDS && quiet))
        .collect();
    let base = *settings;
    let at = |x: &[f64]| {
        let bounded = |x: f64, bounds: (f64, f64)| x.exp().clamp(bounds.0, bounds.1);
        let mut found = base;
        for (&number, &x) in live.iter().zip(x) {
            found.weights[number] = bounded(x, WEIGHT);
        }
        let rest = &x[live.len()..];
        found.lift_power = bounded(rest[0], POWER);
        found.lift_prior = bounded(rest[1], PRIOR);
        found.popularity = bounded(rest[2], WEIGHT);
        found
    };
    let ln = |x: f64, bounds: (f64, f64)| x.clamp(bounds.0, bounds.1).ln();
    let mut start: Vec<f64> = live
        .iter()
        .map(|&number| ln(base.weights[number].max(0.05), WEIGHT))
        .collect();
    start.extend([
        ln(base.lift_power, POWER),
        ln(base.lift_prior, PRIOR),
        ln(base.popularity, WEIGHT),
    ]);
    let walk = NelderMead {
        max_iterations: if quiet {
            options.blend_iterations / 3
        } else {
            options.blend_iterations
        },
        tolerance: 2e-5,
        step: if quiet { 0.3 } else { 0.8 },
        checkpoint: None,
    };
    let found = nelder_mead(&Walk(|x: &[f64]| -ndcg(&at(x))), start, &walk, control)?;
    let tried = found.evaluations + (WINDOWS.len() * WINDOWS.len() + COMPONENTS.len()) as u64;
    if -found.cost > best {
        best = -found.cost;
        *settings = at(&found.params);
    }
    // The dearest first: what is left out is not fitted.
    for number in [BASKETS, WORDS, COSINE, ALS, EASE] {
        control.check()?;
        let mut trial = *settings;
        trial.weights[number] = 0.0;
        if trial.weights.iter().all(|&w| w == 0.0) || settings.weights[number] == 0.0 {
            continue;
        }
        let found = ndcg(&trial);
        if found >= best - WORTH {
            (best, *settings) = (found, trial);
        }
    }
    *evaluations += tried;
    Ok(best)
}
