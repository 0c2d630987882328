//! Who speaks for new products in the lists: the nearest text, the article's content cosine, the text encoder or the network.
//!
//! On a cut the products that nobody had bought before it are ranked among themselves for every known customer who bought one
//! after it, by their words alone. The inner cut chooses the voice and the encoder's two numbers, the outer one measures
//! them all; the figures go to `scores`, slice 'new products'. A night that rests on an earlier one's choice measures on the
//! outer cut alone, and the network only where it speaks.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::Recommendations;
use super::next::text_options;
use super::scores::Page;
use crate::fit::Control;
use crate::pipeline::{Family, Night, RecommendationOptions};
use crate::recommend::choose::{DRAWS, Ground};
use crate::recommend::cnn::{Reading, TextOptions};
use crate::recommend::cold::{
    COLD_METRICS, Choice, ColdJudged, Newcomers, Texts, Voice, choose, judge, network,
};
use crate::recommend::cuts::Cut;
use crate::recommend::factors::Als;
use crate::recommend::fitted::{Models, age_from, als_options};
use crate::recommend::fresh::{Ear, Encoded};
use crate::recommend::history::Histories;
use crate::recommend::matrix::by_user;
use crate::recommend::measure::bootstrap;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::profile::Decay;
use crate::recommend::settings::{ALS, Settings};
use crate::recommend::trial::Trial;
use crate::store::Score;
use crate::text::{Csr, Features, TfIdf, TfIdfOptions};

/// Where more products than this are new, those with fewer than [`PROVEN`] buyers are left out: what hardly anybody wants
/// cannot be told well by anything.
const MANY: usize = 500;
const PROVEN: usize = 5;

/// The choice, and the figures of the cuts.
#[derive(Debug)]
pub(super) struct Cold {
    /// Words and characters of all products, for the encoder.
    features: Csr,
    /// The texts as the network reads them, and how tonight's learns; none = it is not asked.
    network: Option<(Vec<Reading>, TextOptions)>,
    choice: Option<Choice>,
    cuts: Vec<(&'static str, usize, ColdJudged)>,
}

/// Buyers that a new product of this cut must have.
fn least(cut: &Cut) -> usize {
    let mut new: Vec<u32> = cut.cold_test.iter().flatten().copied().collect();
    new.sort_unstable();
    new.dedup();
    if new.len() > MANY { PROVEN } else { 1 }
}

impl Cold {
    /// Chooses on the inner cut, or takes the choice the night rests on, and measures.
    pub(super) fn fit(
        texts: &[String],
        ground: &Ground<'_>,
        trial: &Trial,
        rest: Option<Choice>,
        options: &RecommendationOptions,
        night: &Night<'_>,
    ) -> Result<Cold> {
        let control = &night.control_with_checkpoints(Recommendations::NAME)?;
        // A network that may not learn any more is no choice to rest on.
        let kept = rest.filter(|choice| options.cnn_steps > 0 || choice.voice != Voice::Network);
        let tunes = kept.is_none() && (rest.is_some() || !trial.rested);
        let rest = kept;
        let asked_for = options.cnn_steps > 0 && rest.is_none_or(|choice| choice.voice == Voice::Network);
        let readings: Option<Vec<Reading>> =
            asked_for.then(|| texts.par_iter().map(|text| Reading::of(text)).collect());
        let learning = |of: &str| TextOptions {
            checkpoint: Some(format!("cnn of {of}")),
            ..text_options(options, night)
        };
        let of_features = TfIdfOptions {
            features: Features::WordsAndCharacters,
            ..TfIdfOptions::default()
        };
        let (_, features) = TfIdf::fit(texts, &of_features);
        let [of_inner, of_past, of_tonight] = ["the inner cut", "the past", "tonight"].map(learning);
        let texts = |network| Texts {
            words: ground.vectors,
            features: &features,
            nearest: ground.words,
            network: readings.as_deref().zip(Some(network)),
        };
        let settings = &trial.tuned.settings;
        let asked = |cut: &Cut| cut.cold_test.iter().any(|new| !new.is_empty());
        let (mut cuts, mut choice) = (Vec::new(), rest);
        if tunes {
            let inner = ground.purpose.inner(&trial.cut, ground.log, &trial.strengths);
            if asked(&inner) {
                let decay = Decay {
                    tau_days: settings.tau_days[ALS],
                    from: age_from(&inner, ground.purpose),
                };
                let rows = by_user(&inner.train, decay);
                let factors = Als::fit(&rows, &als_options(settings, ground.limits), control)?;
                let least = least(&inner);
                let texts = texts(&of_inner);
                let heard = network(&inner, &texts, &factors, least, control)?;
                let heard = heard.as_ref();
                let found = choose(&inner, &texts, &factors, &decay, least, heard, control)?;
                choice = found.map(|(choice, _)| choice);
                if let Some(choice) = choice {
                    let numbers = &choice.settings;
                    let judged = judge(&inner, &texts, &factors, &decay, numbers, least, heard, control)?;
                    cuts.push(("inner cut, new products", least, judged));
                }
            }
        }
        if let Some(choice) = choice
            && asked(&trial.cut)
        {
            let decay = Decay {
                tau_days: settings.tau_days[ALS],
                from: trial.models.age_from,
            };
            let (cut, factors, least) = (&trial.cut, &trial.models.als, least(&trial.cut));
            let texts = texts(&of_past);
            let heard = network(cut, &texts, factors, least, control)?;
            let (numbers, heard) = (&choice.settings, heard.as_ref());
            let judged = judge(cut, &texts, factors, &decay, numbers, least, heard, control)?;
            cuts.push(("outer cut, new products", least, judged));
        }
        Ok(Cold {
            network: readings.map(|readings| (readings, of_tonight)),
            features,
            choice,
            cuts,
        })
    }

    /// What the next night gets to know.
    pub(super) fn choice(&self) -> Option<Choice> {
        self.choice
    }

    /// The chosen voice over everything known tonight, for these `new` products.
    pub(super) fn ear<'a>(
        &'a self,
        new: &[u32],
        words: &'a Csr,
        nearest: &'a Neighbours,
        models: &Models,
        histories: &Histories,
        settings: &Settings,
        control: &Control,
    ) -> Result<Ear<'a>> {
        let Some(Choice {
            voice,
            settings: numbers,
        }) = self.choice
        else {
            return Ok(Ear::Nearest(nearest));
        };
        Ok(match voice {
            Voice::Nearest => Ear::Nearest(nearest),
            Voice::Content => Ear::Content(words),
            Voice::Encoder | Voice::Network => {
                let mut products = new.to_vec();
                products.sort_unstable();
                let texts = Texts {
                    words,
                    features: &self.features,
                    nearest,
                    network: self
                        .network
                        .as_ref()
                        .map(|(readings, options)| (&**readings, options)),
                };
                let known = histories.seen_products();
                let factors = &models.als;
                let by_network = match voice {
                    Voice::Network => {
                        Newcomers::by_network(products.clone(), &texts, factors, &known, &numbers, control)?
                    }
                    _ => None,
                };
                // Where the network finds too little to learn from after all, its neighbour speaks.
                let newcomers = match by_network {
                    Some(newcomers) => newcomers,
                    None => Newcomers::fit(products, &texts, factors, &known, &numbers, control)?,
                };
                Ear::Encoder(Box::new(Encoded {
                    newcomers,
                    words,
                    factors: Arc::clone(factors),
                    decay: Decay {
                        tau_days: settings.tau_days[ALS],
                        from: models.age_from,
                    },
                }))
            }
        })
    }

    /// Every voice on every cut.
    pub(super) fn scores(&self, seed: u64) -> Vec<Score> {
        let mut scores = Vec::new();
        for (split, least, judged) in &self.cuts {
            let split = match least {
                1 => (*split).to_owned(),
                least => format!("{split} with {least} buyers or more"),
            };
            for voice in Voice::ALL {
                let rows = judged.of(voice);
                if rows.is_empty() {
                    continue;
                }
                let page = Page {
                    result: "recommendations",
                    model: voice.name(),
                    slice: "new products",
                    split: &split,
                    chosen: self.choice.is_some_and(|choice| choice.voice == voice),
                };
                for (number, metric) in COLD_METRICS.iter().enumerate() {
                    let values: Vec<f64> = rows.iter().map(|row| f64::from(row[number])).collect();
                    scores.push(page.figure(metric, bootstrap(&values, DRAWS, seed)));
                }
                scores.push(page.count("users", judged.users.len() as f64));
                scores.push(page.count("products", judged.products as f64));
            }
        }
        scores
    }
}
