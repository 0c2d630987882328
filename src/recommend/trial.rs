//! Trial: numbers tuned on the inner cuts, or taken from an earlier night, and models fitted with them on the outer cut.

use super::choose::Ground;
use super::cuts::Cut;
use super::fitted::Models;
use super::log::Strengths;
use super::settings::Settings;
use super::tune::{TuneOptions, Tuned, tune, tune_signs};
use crate::fit::{Control, FitError};

/// What a night learned before it was judged.
#[derive(Debug)]
pub struct Trial {
    /// The outer cut.
    pub cut: Cut,
    /// Fitted on its training part.
    pub models: Models,
    /// Chosen on the inner cuts.
    pub tuned: Tuned,
    /// Whether the night rested on the numbers of an earlier one.
    pub rested: bool,
    /// What every kind of event counts, as chosen.
    pub strengths: Strengths,
}

/// Where a night's numbers come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum From {
    /// Tuned from where every shop starts.
    Nothing,
    /// Tuned from those of an earlier night.
    Before(Settings),
    /// Those of an earlier night, as they are.
    Rest(Settings),
}

impl Trial {
    /// Tunes on the inner cuts where the night does not rest, and fits on the outer training part. `strengths` are the shop's,
    /// before the factor that tuning chooses.
    ///
    /// # Errors
    /// Those of [`tune`].
    pub fn fit(
        ground: &Ground<'_>,
        strengths: &Strengths,
        from: From,
        control: &Control,
    ) -> Result<Trial, FitError> {
        let Ground { log, purpose, .. } = *ground;
        let options = TuneOptions::new(ground.seed, ground.limits);
        let start = match from {
            From::Nothing => Settings::start(purpose),
            From::Before(settings) | From::Rest(settings) => settings,
        };
        let rested = matches!(from, From::Rest(_));
        let signs = match rested {
            true => start.signs,
            false => tune_signs(log, strengths, purpose, start.signs, &options, control)?,
        };
        let strengths = strengths.with_signs(signs);
        let cut = purpose.cut(log, &strengths);
        control.check()?;
        let tuned = if rested {
            Tuned {
                settings: start,
                inner: None,
            }
        } else {
            let inner = purpose.inner_cuts(&cut, log, &strengths);
            let mut tuned = tune(log, &inner, purpose, ground.words, start, &options, control)?;
            tuned.settings.signs = signs;
            tuned
        };
        let models = Models::fit(log, &cut, purpose, &tuned.settings, ground.limits, control)?;
        Ok(Trial {
            cut,
            models,
            tuned,
            rested,
            strengths,
        })
    }
}
