//! Choosing: every candidate on the same cut, beside the naive answer and what is published.
//!
//! The order of things keeps the figures honest: numbers are tuned on inner cuts of the training part, judged once on
//! the outer cut, and the winner is fitted again on everything. A personal model is used only if its NDCG@10 beats
//! the 30-day popularity on the same users. What is published, whichever model that is, wins over tonight's choice where
//! tonight's is significantly worse (paired 90 % interval below 0), so a night never throws away what worked. A night that
//! rests on an earlier one's numbers (see [`super::memory`]) judges what is published and the naive answers alone, and beside a
//! published network the blend without it. A list by a network wins only where it is surely better than every one that counts.
//!
//! The best of ten is chosen by the very figures that are reported, and the best of ten is lucky. So the choice is
//! judged as well: made on one half of the customers and measured on the other, both ways ([`Verdict::choice`]).

use super::blend::{Blend, component};
use super::content::ContentCosine;
use super::demand::MONTH;
use super::fitted::{Limits, Models};
use super::log::Log;
use super::measure::{Figure, Judged, judge};
use super::models::{Alone, ForAll, Memo, Scorer};
use super::neighbours::{Nearest, Neighbours};
use super::profile::Decay;
use super::purpose::Purpose;
use super::recurrent::{self, BLEND_RNN, RNN, Together};
use super::settings::{ALS, BASKETS, COMPONENTS, COSINE, EASE, Settings};
use super::trial::Trial;
use super::tune::sample;
use super::users::UserCosine;
use super::weighting::Weighting;
use crate::fit::{Control, FitError};
use crate::text::Csr;
use winner::{choice, winner};

mod winner;

/// Names in `scores.model` and in the lists.
pub const POPULARITY: &str = "popularity_30d";
/// Popularity of all time, for comparison.
pub const POPULARITY_EVER: &str = "popularity_ever";
/// The article's content cosine.
pub const CONTENT_COSINE: &str = "content_cosine";
/// The article's user cosine.
pub const USER_COSINE: &str = "user_cosine";
/// Item cosine, k = 100.
pub const ITEM_COSINE: &str = COMPONENTS[COSINE];
/// Item cosine over TF-IDF weights.
pub const ITEM_COSINE_TFIDF: &str = "item_cosine_tfidf";
/// Item similarity over BM25 weights.
pub const ITEM_COSINE_BM25: &str = "item_cosine_bm25";
/// [`super::blend::Blend`] with tonight's numbers.
pub const BLEND: &str = "blend";
/// What is published, model and numbers, fitted on tonight's data: a night is judged beside the one before it.
pub const PUBLISHED: &str = "published";
/// The choice between the candidates, made on one half of the customers and measured on the other.
pub const CHOICE: &str = "choice, cross-fitted";

/// The personal models that may win, the simpler first: ties go to the earlier.
pub const PERSONAL: [&str; 10] = [
    ITEM_COSINE,
    ITEM_COSINE_TFIDF,
    ITEM_COSINE_BM25,
    CONTENT_COSINE,
    USER_COSINE,
    COMPONENTS[EASE],
    COMPONENTS[BASKETS],
    COMPONENTS[ALS],
    BLEND,
    BLEND_RNN,
];

/// Neighbours that the cosines listen to.
const K: usize = 100;
/// Users that must be tested before a personal model may win.
pub const LEAST_USERS: usize = 20;
/// Users that are judged at most, a seeded sample; each by full ranking.
pub const MOST_USERS: usize = 5000;
/// Bootstrap draws of an interval.
pub const DRAWS: usize = 500;

/// What does not change from one cut to the next.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// All events.
    pub log: &'a Log,
    /// TF-IDF rows of the products' texts.
    pub vectors: &'a Csr,
    /// The nearest texts of every product.
    pub words: &'a Neighbours,
    /// What the lists are for.
    pub purpose: Purpose,
    /// How large models may grow.
    pub limits: Limits,
    /// Seed of samples and intervals.
    pub seed: u64,
}

/// One candidate's figures.
#[derive(Debug)]
pub struct Candidate {
    /// Its name in `scores`.
    pub name: &'static str,
    /// Its figures on the outer cut.
    pub judged: Judged,
    /// What it was fitted on, where that was not every product: "EASE on the 8,000 most bought of 20,000".
    pub fitted_on: Option<String>,
}

/// What is published, tuned for tonight's purpose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The name of its model.
    pub model: &'static str,
    /// Its numbers.
    pub settings: Settings,
}

impl Published {
    /// From a name read back; `None` for one that no model has.
    pub fn new(model: &str, settings: Settings) -> Option<Published> {
        let known = PERSONAL
            .into_iter()
            .chain([POPULARITY])
            .find(|&name| name == model);
        known.map(|model| Published { model, settings })
    }
}

/// The verdict of a night.
#[derive(Debug)]
pub struct Verdict {
    /// All candidates, in the order they are written to `scores`.
    pub candidates: Vec<Candidate>,
    /// The name of the winner in `scores`; [`PUBLISHED`] where what is published stays.
    pub winner: &'static str,
    /// The name of the winner's model.
    pub model: &'static str,
    /// The winner's numbers.
    pub settings: Settings,
    /// NDCG@10 of the choice between the candidates itself, over customers who had no part in it; `None` where nothing was
    /// chosen.
    pub choice: Option<Figure>,
    /// Why it won, in plain words.
    pub why: String,
}

/// The model of that name over fitted models; `None` for one that is not personal.
fn personal<'a>(
    name: &str,
    ground: &Ground<'a>,
    models: &'a Models,
    train: &super::history::Histories,
    settings: &Settings,
) -> Option<Box<dyn Scorer + 'a>> {
    let alone = |number: usize| Alone {
        model: component(models, ground.words, number),
        decay: Decay {
            tau_days: settings.tau_days[number],
            from: models.age_from,
        },
    };
    let weighted = |weighting| Owned(Neighbours::weighted(train, K, weighting));
    Some(match name {
        ITEM_COSINE => Box::new(Alone {
            model: Nearest {
                lists: &models.behaviour,
                k: K,
            },
            decay: Decay::flat(),
        }),
        ITEM_COSINE_TFIDF => Box::new(weighted(Weighting::TfIdf)),
        ITEM_COSINE_BM25 => Box::new(weighted(Weighting::Bm25)),
        CONTENT_COSINE => Box::new(ContentCosine::new(ground.vectors.clone(), Decay::flat())),
        USER_COSINE => Box::new(UserCosine::new(train, K)),
        BLEND => Box::new(Blend::new(models, ground.words, settings)),
        RNN => Box::new(recurrent::Alone(models.network.as_deref()?)),
        BLEND_RNN => Box::new(Together {
            network: models.network.as_deref().filter(|_| settings.network > 0.0)?,
            blend: Blend::new(models, ground.words, settings),
            weight: settings.network,
        }),
        name => {
            let number = [EASE, BASKETS, ALS]
                .into_iter()
                .find(|&number| COMPONENTS[number] == name)?;
            Box::new(alone(number))
        }
    })
}

/// Neighbours that live as long as the candidate they serve.
struct Owned(Neighbours);

impl Scorer for Owned {
    fn score(&self, history: &[super::history::Signal], scores: &mut [f32]) -> Memo {
        self.alone().score(history, scores)
    }

    fn reasons(&self, history: &[super::history::Signal], products: &[u32], memo: &Memo) -> Vec<u32> {
        self.alone().reasons(history, products, memo)
    }
}

impl Owned {
    fn alone(&self) -> Alone<Nearest<'_>> {
        Alone {
            model: Nearest { lists: &self.0, k: K },
            decay: Decay::flat(),
        }
    }
}

/// What the parts of a model were fitted on, where that was not every product.
fn fitted_on(name: &str, models: &Models, settings: &Settings) -> Option<String> {
    let blended = [BLEND, BLEND_RNN].contains(&name);
    let uses = |number: usize| name == COMPONENTS[number] || (blended && settings.weights[number] > 0.0);
    let ease = models.ease.cut().filter(|_| uses(EASE));
    let baskets = models.baskets.cut().filter(|_| uses(BASKETS));
    let told = [("EASE", ease), ("EASE over baskets", baskets)];
    let told: Vec<String> = told
        .into_iter()
        .filter_map(|(part, cut)| Some(format!("{part} on the {}", cut?)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// Judges the candidates on the outer cut and chooses: all of them, or, where the night rested, what is published alone.
///
/// # Errors
/// The night was stopped between two candidates, or what is published fits nothing tonight.
pub fn choose(
    trial: &Trial,
    ground: &Ground<'_>,
    published: Option<Published>,
    control: &Control,
) -> Result<Verdict, FitError> {
    let Trial {
        cut, models, tuned, ..
    } = trial;
    let users = sample(cut.tested(), MOST_USERS, ground.seed);
    let mut candidates = Vec::new();
    let mut hear = |name: &'static str, model: &dyn Scorer, fitted_on: Option<String>| {
        control.check()?;
        control.progress(
            "judging models",
            candidates.len() as u64,
            PERSONAL.len() as u64 + 4,
        );
        candidates.push(Candidate {
            name,
            judged: judge(model, cut, &users),
            fitted_on,
        });
        Ok::<_, FitError>(())
    };
    let for_all = |scores| ForAll { scores };
    hear(POPULARITY, &for_all(models.demand.popularity(MONTH)), None)?;
    hear(POPULARITY_EVER, &for_all(models.demand.ever().to_vec()), None)?;
    // Where a network is published, what it joins is judged beside it every night.
    let rests_on = published
        .filter(|_| trial.rested)
        .map(|published| published.model);
    let asked = |name: &str| match rests_on {
        Some(model) => name == model || (name == BLEND && model == BLEND_RNN),
        None => !trial.rested,
    };
    for name in PERSONAL.into_iter().chain([RNN]).filter(|name| asked(name)) {
        if let Some(model) = personal(name, ground, models, &cut.train, &tuned.settings) {
            hear(name, model.as_ref(), fitted_on(name, models, &tuned.settings))?;
        }
    }
    // With tonight's own numbers it is among the candidates already, and the naive answer always is.
    let before = published.filter(|before| before.settings != tuned.settings && before.model != POPULARITY);
    if let Some(Published { model, settings }) = before {
        let again;
        let models = if settings.fits_like(&tuned.settings) {
            models
        } else {
            let fitted = Models::fit(ground.log, cut, ground.purpose, &settings, ground.limits, control)?;
            again = Models {
                network: models.network.clone(),
                ..fitted
            };
            &again
        };
        if let Some(scorer) = personal(model, ground, models, &cut.train, &settings) {
            hear(PUBLISHED, scorer.as_ref(), fitted_on(model, models, &settings))?;
        }
    }
    let (winner, why) = winner(&candidates, ground.seed);
    let (model, settings) = match before {
        Some(before) if winner == PUBLISHED => (before.model, before.settings),
        _ => (winner, tuned.settings),
    };
    let choice = (!trial.rested)
        .then(|| choice(&candidates, ground.seed))
        .flatten();
    let why = match &choice {
        Some(choice) if winner != POPULARITY => format!(
            "{why} (chosen on one half of the customers and measured on the other: {:.4})",
            choice.value
        ),
        _ => why,
    };
    Ok(Verdict {
        candidates,
        winner,
        model,
        settings,
        choice,
        why,
    })
}

/// The winner fitted on everything; `None` for popularity, which needs no model.
pub fn refitted<'a>(
    verdict: &Verdict,
    ground: &Ground<'a>,
    models: &'a Models,
    train: &super::history::Histories,
) -> Option<Box<dyn Scorer + 'a>> {
    personal(verdict.model, ground, models, train, &verdict.settings)
}
