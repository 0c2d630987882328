//! Recommendations: the five steps of this family.
//!
//! `collect` reads and prepares, the pure functions of [`crate::recommend`] fit and judge, `write` publishes.
//! A personal model that does not beat the 30-day popularity is not used: then everybody gets the popular
//! products, and `why` says so.

mod collect;
mod write;

use std::collections::BTreeMap;

use self::collect::{Prepared, text};
use crate::fit::Control;
use crate::recommend::choose::{self, Trial, Verdict};
use crate::recommend::content;
use crate::recommend::log::Strengths;
use crate::recommend::measure::METRICS;
use crate::recommend::models::MixSettings;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::purpose::Purpose;
use crate::recommend::tune::TuneOptions;
use crate::store::Score;
use crate::text::{Csr, TfIdf, TfIdfOptions};

/// Neighbours by words that are kept per product.
const NEAREST_WORDS: usize = 100;
/// Words in more than this share of the texts say nothing about likeness.
const COMMON_WORDS: f64 = 0.2;
/// The tuned numbers, kept with their generation.
const SETTINGS: &str = "mix_settings";
/// Version of their bytes.
const SETTINGS_FORMAT: i64 = 1;

/// The options of the job file, `[recommendations]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows written per customer, 100; more than a page shows, so that what is hidden at SELECT time leaves
    /// no short list.
    pub per_user: usize,
    /// `already_bought = "allow"`: what was bought may be recommended again.
    pub allow_bought: bool,
    /// What the lists are for.
    pub purpose: Purpose,
    /// Seed of samples and intervals.
    pub seed: u64,
}

type Drops = BTreeMap<(&'static str, &'static str), u64>;

/// What was learned.
#[derive(Debug)]
pub struct Learned {
    strengths: Strengths,
    published: Option<MixSettings>,
    vectors: Csr,
    words: Neighbours,
    trial: Trial,
}

fn learn(
    prepared: &Prepared,
    published: Option<MixSettings>,
    options: &Options,
    control: &Control,
) -> anyhow::Result<Learned> {
    let texts: Vec<String> = prepared.products.iter().map(text).collect();
    let (_, vectors) = TfIdf::fit(&texts, &TfIdfOptions::default());
    control.check()?;
    let words = content::nearest(&vectors, NEAREST_WORDS, COMMON_WORDS);
    control.check()?;
    let strengths = Strengths::default();
    let tuning = TuneOptions {
        seed: options.seed,
        ..TuneOptions::default()
    };
    let purpose = options.purpose;
    let trial = Trial::fit(
        &prepared.log,
        &strengths,
        &words,
        purpose,
        published,
        &tuning,
        control,
    )?;
    Ok(Learned {
        strengths,
        published,
        vectors,
        words,
        trial,
    })
}

fn judge(learned: &Learned, options: &Options, control: &Control) -> anyhow::Result<(Verdict, Vec<Score>)> {
    let Learned {
        trial,
        vectors,
        words,
        published,
        ..
    } = learned;
    let verdict = choose::choose(trial, vectors, words, *published, options.seed, control)?;
    let mut scores = Vec::new();
    for candidate in &verdict.candidates {
        let score = |metric: &str, value: f64, ends: Option<(f64, f64)>| Score {
            result: "recommendations",
            model: candidate.name.to_owned(),
            slice: String::new(),
            metric: metric.to_owned(),
            value: Some(value),
            lo90: ends.map(|ends| ends.0),
            hi90: ends.map(|ends| ends.1),
            split: options.purpose.split().to_owned(),
            chosen: candidate.name == verdict.winner,
        };
        for (number, metric) in METRICS.iter().enumerate() {
            let figure = candidate.judged.figure(number, choose::DRAWS, options.seed);
            scores.push(score(metric, figure.value, Some((figure.lo90, figure.hi90))));
        }
        scores.push(score("coverage@10", candidate.judged.coverage, None));
        scores.push(score("users", candidate.judged.of_users.len() as f64, None));
    }
    Ok((verdict, scores))
}

#[cfg(test)]
mod scratch {
    use super::*;
    use crate::store::*;
    #[test]
    fn scratch() {
        let path = std::path::PathBuf::from(std::env::var("SCRATCH_DB").unwrap());
        let shop = Shop::open(&path).unwrap();
        for purpose in [Purpose::Basket, Purpose::NextWeeks] {
            let t = std::time::Instant::now();
            let o = Options {
                per_user: 100,
                allow_bought: false,
                purpose,
                seed: 1,
            };
            let snapshot = Snapshot::begin(&shop).unwrap();
            let as_of = snapshot.newest_event_at(now()).unwrap().unwrap();
            let collected = collect::collect(&snapshot, as_of).unwrap();
            drop(snapshot);
            let (prepared, drops) = collect::prepare(collected);
            println!("{drops:?} {:?}", t.elapsed());
            let control = Control::unbounded();
            let learned = learn(&prepared, None, &o, &control).unwrap();
            println!("{:?} {:?}", learned.trial.tuned, t.elapsed());
            let (verdict, scores) = judge(&learned, &o, &control).unwrap();
            println!("{} {:?}", verdict.why, t.elapsed());
            for s in scores {
                println!(
                    "{:24} {:12} {:.4} {:?} {:?} {}",
                    s.model,
                    s.metric,
                    s.value.unwrap(),
                    s.lo90,
                    s.hi90,
                    s.chosen
                );
            }
            let mut w = GenerationWriter::begin(
                &shop,
                &NewGeneration {
                    family: "recommendations",
                    run_id: 1,
                    as_of,
                    exclude_bought: true,
                },
            )
            .unwrap();
            write::write(&prepared, &learned, &verdict, &o, &shop, &mut w, &control).unwrap();
            println!("{} rows {:?}", w.rows(), t.elapsed());
            w.publish(&verdict.why).unwrap();
            println!("{:?}", t.elapsed());
        }
    }
    #[test]
    fn create() {
        Shop::create(std::path::Path::new(&std::env::var("SCRATCH_DB").unwrap())).unwrap();
    }
}
