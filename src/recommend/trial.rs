//! Trial: numbers tuned on the inner cuts, or taken from an earlier night, and models fitted with them on the outer cut.

use std::sync::Arc;

use super::choose::Ground;
use super::cuts::Cut;
use super::fitted::Models;
use super::log::Strengths;
use super::recurrent::{self, Learning};
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
    /// What became of the [network](super::recurrent).
    pub learned: Learned,
}

/// What became of a night's networks over histories.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Steps they learned before tonight's.
    pub steps: u64,
    /// How they began and what they added, or why none did, in plain words.
    pub why: String,
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
        learning: Option<&Learning>,
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
        let mut tuned = if rested {
            Tuned {
                settings: start,
                inner: None,
                network: None,
            }
        } else {
            let inner = purpose.inner_cuts(&cut, log, &strengths);
            let mut tuned = tune(
                log,
                &inner,
                purpose,
                ground.words,
                start,
                &options,
                learning,
                control,
            )?;
            tuned.settings.signs = signs;
            tuned
        };
        let mut models = Models::fit(log, &cut, purpose, &tuned.settings, ground.limits, control)?;
        let learned = learn(learning, &mut tuned, rested, &cut, &mut models, control)?;
        Ok(Trial {
            cut,
            models,
            tuned,
            rested,
            strengths,
            learned,
        })
    }
}

/// Learns the network of the outer cut where the one of the inner cut promises something, or one is published.
fn learn(
    learning: Option<&Learning>,
    tuned: &mut Tuned,
    rested: bool,
    cut: &Cut,
    models: &mut Models,
    control: &Control,
) -> Result<Learned, FitError> {
    let none = |why: String| Ok(Learned { steps: 0, why });
    let Some(learning) = learning else {
        return none("skipped: none is asked for".to_owned());
    };
    if let Some(why) = recurrent::hindrance(&cut.train) {
        return none(format!("skipped: {why}"));
    }
    let before = tuned.network.take();
    if before.is_none() && !learning.published {
        return none(match rested {
            true => "none is in what is published, and the night tunes nothing".to_owned(),
            false => "skipped: too few customers of the inner cut to choose its weight".to_owned(),
        });
    }
    let (mut steps, mut why) = (0, String::new());
    let start = match before {
        Some((network, weighed)) => {
            steps = network.steps;
            why = format!(
                "NDCG@10 {:.4} with it on the inner cut, {:.4} without",
                weighed.with, weighed.without
            );
            if !weighed.is_worth_it() && !learning.published {
                why.push_str(", so it learned no further");
                return Ok(Learned { steps, why });
            }
            Some(network.into_params())
        }
        None => {
            let start = learning.start(cut.hidden_from());
            why.push_str(match start {
                Some(_) => "went on from last night's",
                None => "begun anew",
            });
            start
        }
    };
    let network = learning.learn(&cut.train, start, "the outer cut", control)?;
    steps += network.steps;
    models.network = Some(Arc::new(network));
    Ok(Learned { steps, why })
}
