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

/// Where the walk goes: the weights of all components, power and prior of the lift, weight of popularity, all in logarithms.
struct Space {
    base: Settings,
    live: Vec<usize>,
}

/// The weight from which a component that was left out before is tried again.
const FORGOTTEN: f64 = 0.05;

fn bounded(x: f64, bounds: (f64, f64)) -> f64 {
    x.exp().clamp(bounds.0, bounds.1)
}

impl Space {
    /// Around these numbers. Every component is in it, those that earlier nights left out too: a shop changes. Only words are
    /// not where no product has any.
    fn new(base: Settings, words: bool) -> Space {
        let live = (0..COMPONENTS.len()).filter(|&number| number != WORDS || words);
        Space {
            base,
            live: live.collect(),
        }
    }

    fn start(&self) -> Vec<f64> {
        let ln = |x: f64, bounds: (f64, f64)| x.clamp(bounds.0, bounds.1).ln();
        let weights = self
            .live
            .iter()
            .map(|&number| self.base.weights[number].max(FORGOTTEN));
        weights
            .map(|weight| ln(weight, WEIGHT))
            .chain([
                ln(self.base.lift_power, POWER),
                ln(self.base.lift_prior, PRIOR),
                ln(self.base.popularity, WEIGHT),
            ])
            .collect()
    }

    fn settings(&self, x: &[f64]) -> Settings {
        let mut found = self.base;
        let (weights, rest) = x.split_at(self.live.len());
        for (&number, &x) in self.live.iter().zip(weights) {
            found.weights[number] = bounded(x, WEIGHT);
        }
        found.lift_power = bounded(rest[0], POWER);
        found.lift_prior = bounded(rest[1], PRIOR);
        found.popularity = bounded(rest[2], WEIGHT);
        found
    }
}

/// Sets the blend's numbers in `settings` (`words`: whether products have texts to be alike in); returns their mean NDCG@10 over the sheets.
pub(super) fn tune(
    sheets: &[Sheet<'_>],
    words: bool,
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
    let space = Space::new(*settings, words);
    let (at, start) = (|x: &[f64]| space.settings(x), space.start());
    let walk = NelderMead {
        max_iterations: options.blend_iterations,
        tolerance: 2e-5,
        step: 0.8,
        checkpoint: None,
    };
    let found = nelder_mead(&Walk(|x: &[f64]| -ndcg(&at(x))), start, &walk, control)?;
    let tried = found.evaluations + (WINDOWS.len() * WINDOWS.len() + COMPONENTS.len()) as u64;
    if -found.cost > best {
        best = -found.cost;
        *settings = at(&found.params);
    }
    // The dearest first: what is left out scores no customer.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::purpose::Purpose;

    #[test]
    fn what_an_earlier_night_left_out_may_come_back() {
        let mut before = Settings::start(Purpose::NextWeeks);
        before.weights = [1.0, 0.0, 0.5, 0.0, 0.0];
        let space = Space::new(before, true);
        let found = space.settings(&space.start());
        assert!(found.weights.iter().all(|&weight| weight > 0.0), "{found:?}");
        assert!((found.weights[0] - 1.0).abs() < 1e-12 && (found.weights[3] - FORGOTTEN).abs() < 1e-12);
        let kept = (found.lift_power, found.lift_prior, found.popularity);
        for (found, before) in [
            (kept.0, before.lift_power),
            (kept.1, before.lift_prior),
            (kept.2, before.popularity),
        ] {
            assert!((found - before).abs() < 1e-12);
        }
        // Without texts there are no words to come back to.
        let space = Space::new(before, false);
        assert_eq!(space.settings(&space.start()).weights[WORDS], 0.0);
    }
}
