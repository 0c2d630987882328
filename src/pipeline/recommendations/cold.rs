//! How well new products find their customers: the text encoder beside the article's content cosine.
//!
//! On the outer cut the products that nobody had bought before it are ranked among themselves for every known customer who
//! bought one after it, by their words alone. The encoder's two numbers are chosen on an inner cut; both cuts' figures go to
//! `scores`, slice 'new products'.

use anyhow::Result;

use super::scores::Page;
use crate::pipeline::Night;
use crate::recommend::choose::{DRAWS, Ground, Trial};
use crate::recommend::cold::{COLD_METRICS, ColdJudged, Texts, choose, judge};
use crate::recommend::cuts::Cut;
use crate::recommend::factors::Als;
use crate::recommend::fitted::als_options;
use crate::recommend::matrix::by_user;
use crate::recommend::measure::bootstrap;
use crate::recommend::profile::Decay;
use crate::recommend::settings::ALS;
use crate::store::Score;
use crate::text::{Features, TfIdf, TfIdfOptions};

/// Where more products than this are new, those with fewer than [`PROVEN`] buyers are left out: what hardly anybody wants
/// cannot be told well by anything.
const MANY: usize = 500;
const PROVEN: usize = 5;

/// The figures of the inner and of the outer cut.
#[derive(Debug)]
pub(super) struct Cold {
    cuts: Vec<(&'static str, ColdJudged)>,
}

/// Buyers that a new product of this cut must have.
fn least(cut: &Cut) -> usize {
    let mut new: Vec<u32> = cut.cold_test.iter().flatten().copied().collect();
    new.sort_unstable();
    new.dedup();
    if new.len() > MANY { PROVEN } else { 1 }
}

impl Cold {
    /// Chooses on the inner cut and measures on both.
    pub(super) fn fit(
        texts: &[String],
        ground: &Ground<'_>,
        trial: &Trial,
        night: &Night<'_>,
    ) -> Result<Cold> {
        let control = &night.control;
        let inner = ground.purpose.inner(&trial.cut, ground.log, &trial.strengths);
        let asked = |cut: &Cut| cut.cold_test.iter().any(|new| !new.is_empty());
        if !asked(&inner) || !asked(&trial.cut) {
            return Ok(Cold { cuts: Vec::new() });
        }
        let (_, features) = TfIdf::fit(
            texts,
            &TfIdfOptions {
                features: Features::WordsAndCharacters,
                ..TfIdfOptions::default()
            },
        );
        let texts = Texts {
            words: ground.vectors,
            features: &features,
        };
        let settings = &trial.tuned.settings;
        let decay = |models_from| Decay {
            tau_days: settings.tau_days[ALS],
            from: models_from,
        };
        let from = crate::recommend::fitted::age_from(&inner, ground.purpose);
        let rows = by_user(&inner.train, decay(from));
        let factors = Als::fit(&rows, &als_options(settings, ground.limits), control)?;
        let (chosen, _) = choose(&inner, &texts, &factors, &decay(from), least(&inner), control)?;
        let inside = judge(
            &inner,
            &texts,
            &factors,
            &decay(from),
            &chosen,
            least(&inner),
            control,
        )?;
        let from = trial.models.age_from;
        let (cut, factors) = (&trial.cut, &trial.models.als);
        let outside = judge(cut, &texts, factors, &decay(from), &chosen, least(cut), control)?;
        Ok(Cold {
            cuts: vec![
                ("inner cut, new products", inside),
                ("outer cut, new products", outside),
            ],
        })
    }

    /// Both ways on both cuts.
    pub(super) fn scores(&self, seed: u64) -> Vec<Score> {
        let mut scores = Vec::new();
        for (split, judged) in &self.cuts {
            for (model, rows) in [
                ("content_cosine", &judged.content),
                ("text_encoder", &judged.encoder),
            ] {
                let page = Page {
                    result: "recommendations",
                    model,
                    slice: "new products",
                    split,
                    chosen: false,
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
