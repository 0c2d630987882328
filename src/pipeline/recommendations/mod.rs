//! Recommendations: the five steps of this family.
//!
//! `collect` reads and prepares, the pure functions of [`crate::recommend`] fit and judge, `write` publishes.
//! A personal model that does not beat the 30-day popularity is not used: then everybody gets the popular
//! products, and `why` says so.

mod again;
mod cold;
mod collect;
mod next;
mod pages;
mod report;
mod scores;
mod wishes;
mod write;

use std::collections::BTreeMap;

use anyhow::Result;

use self::cold::Cold;
use self::collect::text;
pub use self::collect::{Collected, Prepared};
use self::next::Next;
use self::scores::Page;
use super::{AlreadyBought, Family, Night, RecommendationOptions, Verdict};
use crate::recommend::choose::{self, Ground, Trial};
use crate::recommend::content;
use crate::recommend::fitted::Limits;
use crate::recommend::log::{Log, Strengths};
use crate::recommend::measure::METRICS;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::purpose::Purpose;
use crate::recommend::settings::Settings;
use crate::recommend::visitors::{self, Visitors};
use crate::store::{self, GenerationWriter, Score, Snapshot};
use crate::text::{Csr, TfIdf, TfIdfOptions};

/// Neighbours by words that are kept per product.
const NEAREST_WORDS: usize = 100;
/// Words in more than this share of the texts say nothing about likeness.
const COMMON_WORDS: f64 = 0.2;
/// The tuned numbers, kept with their generation.
const SETTINGS: &str = "blend_settings";
/// Version of their bytes.
const SETTINGS_FORMAT: i64 = 1;

/// The family, with the options of its job file.
#[derive(Debug, Clone, Default)]
pub struct Recommendations {
    /// `[recommendations]`.
    pub options: RecommendationOptions,
}

/// Rows left out, by table and reason.
type Drops = BTreeMap<(&'static str, &'static str), u64>;

/// What was learned.
#[derive(Debug)]
pub struct Learned {
    published: Option<Settings>,
    /// Why last night's numbers could not be read.
    unread: Option<String>,
    vectors: Csr,
    words: Neighbours,
    trial: Trial,
    visitors: Visitors,
    next: Next,
    cold: Cold,
    again: again::BuyingAgain,
}

/// What the night decided. The models of the trial are gone: what is published is fitted on everything, and both at once would
/// take twice the memory.
#[derive(Debug)]
pub struct Judged {
    vectors: Csr,
    words: Neighbours,
    /// What every kind of event counts.
    strengths: Strengths,
    verdict: choose::Verdict,
    visitors: Visitors,
    next: Next,
    again: again::BuyingAgain,
}

impl Recommendations {
    fn purpose(&self) -> Purpose {
        match self.options.purpose {
            super::Purpose::NextWeeks => Purpose::NextWeeks,
            super::Purpose::Basket => Purpose::Basket,
        }
    }

    /// What every cut of the night stands on.
    fn ground<'a>(
        &self,
        log: &'a Log,
        vectors: &'a Csr,
        words: &'a Neighbours,
        night: &Night<'_>,
    ) -> Ground<'a> {
        Ground {
            log,
            vectors,
            words,
            purpose: self.purpose(),
            limits: Limits::full(self.options.ease_products),
            seed: night.seed,
        }
    }

    /// The numbers of last night's models: tonight's start, and a candidate beside tonight's. Where they cannot be read
    /// (damaged, or of another version) the night starts without them and says so: to fail would be to fail for ever,
    /// because only a night replaces them.
    fn kept<T: serde::de::DeserializeOwned>(
        night: &Night<'_>,
        name: &str,
        format: i64,
        sane: impl Fn(&T) -> bool,
    ) -> Result<Result<Option<T>, String>> {
        let Some(generation) = night.shop.published(Self::NAME)? else {
            return Ok(Ok(None));
        };
        match night.shop.artefact(generation.generation, name, format) {
            Ok(None) => Ok(Ok(None)),
            Ok(Some(bytes)) => Ok(match postcard::from_bytes::<T>(&bytes) {
                Ok(numbers) if sane(&numbers) => Ok(Some(numbers)),
                Ok(_) => Err("they are no numbers a model could use".to_owned()),
                Err(e) => Err(e.to_string()),
            }),
            Err(e @ store::Error::Artefact { .. }) => Ok(Err(e.to_string())),
            Err(e) => Err(e.into()),
        }
    }

    fn scores(&self, verdict: &choose::Verdict, seed: u64) -> Vec<Score> {
        let mut scores = Vec::new();
        for candidate in &verdict.candidates {
            let page = Page {
                result: "recommendations",
                model: candidate.name,
                slice: "",
                split: self.purpose().split(),
                chosen: candidate.name == verdict.winner,
            };
            for (number, metric) in METRICS.iter().enumerate() {
                scores.push(page.figure(metric, candidate.judged.figure(number, choose::DRAWS, seed)));
            }
            let coverage = candidate.judged.coverage(choose::DRAWS, seed);
            scores.push(page.figure("coverage@10", coverage));
            scores.push(page.count("users", candidate.judged.of_users.len() as f64));
        }
        scores
    }
}

impl Family for Recommendations {
    const NAME: &'static str = "recommendations";
    type Collected = Collected;
    type Prepared = Prepared;
    type Fitted = Learned;
    type Judged = Judged;

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        Ok(snapshot.newest_event_at(now)?)
    }

    fn exclude_bought(&self) -> bool {
        self.options.already_bought != AlreadyBought::Allow
    }

    fn nothing_to_show(&self) -> Option<&'static str> {
        Some("no product can be shown: there are none, or all are hidden, out of stock or blocked by a rule")
    }

    fn repeats(&self) -> Option<String> {
        Some(format!("{:?}", self.options))
    }

    fn collect(&self, snapshot: &Snapshot, night: &Night<'_>) -> Result<Collected> {
        Ok(collect::collect(
            snapshot,
            night.as_of,
            night.rules_at(),
            night.settings.history_days,
            night
                .shop
                .published(Self::NAME)?
                .and_then(|published| published.as_of),
        )?)
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        let (prepared, drops) = collect::prepare(collected);
        for ((table, reason), rows) in drops {
            night.drop_rows(table, reason, rows);
        }
        report::write(&prepared, night)?;
        Ok(prepared)
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Learned> {
        let control = &night.control;
        let (published, unread) = match Self::kept(night, SETTINGS, SETTINGS_FORMAT, Settings::is_sane)? {
            Ok(published) => (published, None),
            Err(why) => (None, Some(why)),
        };
        let texts: Vec<String> = prepared.products.iter().map(text).collect();
        let (_, vectors) = TfIdf::fit(&texts, &TfIdfOptions::default());
        control.check()?;
        let words = content::nearest(&vectors, NEAREST_WORDS, COMMON_WORDS);
        control.check()?;
        let ground = self.ground(&prepared.log, &vectors, &words, night);
        let strengths = self.options.strengths();
        let trial = Trial::fit(&ground, &strengths, published, control)?;
        let visitors = visitors::fit(
            &prepared.log,
            &trial.strengths,
            &prepared.places,
            choose::DRAWS,
            night.seed,
            control,
        )?;
        let next = Next::fit(prepared, &words, night)?;
        let cold = Cold::fit(&texts, &ground, &trial, night)?;
        let again = again::BuyingAgain::fit(prepared, night)?;
        Ok(Learned {
            published,
            unread,
            vectors,
            words,
            trial,
            visitors,
            next,
            cold,
            again,
        })
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        learned: Learned,
        night: &Night<'_>,
    ) -> Result<(Judged, Verdict)> {
        let Learned {
            published,
            unread,
            vectors,
            words,
            trial,
            visitors,
            next,
            cold,
            again,
        } = learned;
        let ground = self.ground(&prepared.log, &vectors, &words, night);
        let verdict = choose::choose(&trial, &ground, published, &night.control)?;
        let mut scores = self.scores(&verdict, night.seed);
        scores.extend(scores::of_visitors(&visitors));
        scores.extend(next.scores());
        scores.extend(cold.scores(night.seed));
        // There is always something to publish: where no personal model wins, the popular products.
        let why = match unread {
            None => verdict.why.clone(),
            Some(unread) => format!("{}; tuned without last night's numbers: {unread}", verdict.why),
        };
        scores.extend(again.scores());
        let why = format!("{why}; {}; {}; {}", visitors.why, next.why(), again.why());
        let judged = Judged {
            vectors,
            words,
            strengths: trial.strengths,
            verdict,
            visitors,
            next,
            again,
        };
        let verdict = Verdict {
            publish: true,
            why,
            scores,
        };
        Ok((judged, verdict))
    }

    fn publish(
        &self,
        prepared: &Prepared,
        judged: &Judged,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        write::write(self, prepared, judged, generation, night)
    }
}
