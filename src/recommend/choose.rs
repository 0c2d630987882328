//! Choosing: every candidate on the same cut, beside the naive answer and last night's numbers.
//!
//! The order of things keeps the figures honest: numbers are tuned on an inner cut of the training part, judged once on
//! the outer cut, and the winner is fitted again on everything. A personal model is used only if its NDCG@10 beats
//! the 30-day popularity on the same users; last night's numbers win over tonight's where tonight's are
//! significantly worse (paired 90 % interval below 0), so a night never throws away what worked.

use super::blend::{Blend, component};
use super::content::ContentCosine;
use super::cuts::Cut;
use super::demand::MONTH;
use super::fitted::{Limits, Models};
use super::log::{Log, Strengths};
use super::measure::{Judged, judge};
use super::models::{Alone, ForAll, Memo, Scorer};
use super::neighbours::{Nearest, Neighbours};
use super::profile::Decay;
use super::purpose::Purpose;
use super::settings::{ALS, BASKETS, COMPONENTS, COSINE, EASE, Settings};
use super::tune::{TuneOptions, Tuned, sample, tune, tune_signs};
use super::users::UserCosine;
use super::weighting::Weighting;
use crate::fit::{Control, FitError};
use crate::text::Csr;

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
/// The same with the numbers kept with the published generation, so that a night is judged beside the one before it.
pub const PUBLISHED: &str = "blend, last night's numbers";

/// The personal models that may win, the simpler first: ties go to the earlier.
const PERSONAL: [&str; 9] = [
    ITEM_COSINE,
    ITEM_COSINE_TFIDF,
    ITEM_COSINE_BM25,
    CONTENT_COSINE,
    USER_COSINE,
    COMPONENTS[EASE],
    COMPONENTS[BASKETS],
    COMPONENTS[ALS],
    BLEND,
];

/// Neighbours that the cosines listen to.
const K: usize = 100;
/// Users that must be tested before a personal model may win.
pub const LEAST_USERS: usize = 20;
/// Users that are judged at most, a seeded sample; each by full ranking.
pub const MOST_USERS: usize = 5000;
/// Bootstrap draws of an interval.
pub const DRAWS: usize = 500;

/// What a night learned before it was judged.
#[derive(Debug)]
pub struct Trial {
    /// The outer cut.
    pub cut: Cut,
    /// Fitted on its training part.
    pub models: Models,
    /// Chosen on the inner cuts.
    pub tuned: Tuned,
    /// What every kind of event counts, as chosen.
    pub strengths: Strengths,
}

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

impl Trial {
    /// Tunes on the inner cuts and fits on the outer training part. `strengths` are the shop's, before the factor
    /// that tuning chooses.
    ///
    /// # Errors
    /// Those of [`tune`].
    pub fn fit(
        ground: &Ground<'_>,
        strengths: &Strengths,
        published: Option<Settings>,
        control: &Control,
    ) -> Result<Trial, FitError> {
        let Ground { log, purpose, .. } = *ground;
        let options = TuneOptions::new(ground.seed, ground.limits);
        let start = published.unwrap_or_else(|| Settings::start(purpose));
        let signs = match published {
            Some(before) if before.is_fresh() => before.signs,
            _ => tune_signs(log, strengths, purpose, start.signs, &options, control)?,
        };
        let strengths = strengths.with_signs(signs);
        let cut = purpose.cut(log, &strengths);
        let inner = purpose.inner_cuts(&cut, log, &strengths);
        control.check()?;
        let mut tuned = tune(log, &inner, purpose, ground.words, published, &options, control)?;
        tuned.settings.signs = signs;
        drop(inner);
        let models = Models::fit(log, &cut, purpose, &tuned.settings, ground.limits, control)?;
        Ok(Trial {
            cut,
            models,
            tuned,
            strengths,
        })
    }
}

/// One candidate's figures.
#[derive(Debug)]
pub struct Candidate {
    /// Its name in `scores`.
    pub name: &'static str,
    /// Its figures on the outer cut.
    pub judged: Judged,
}

/// The verdict of a night.
#[derive(Debug)]
pub struct Verdict {
    /// All candidates, in the order they are written to `scores`.
    pub candidates: Vec<Candidate>,
    /// The name of the winner.
    pub winner: &'static str,
    /// The winner's numbers.
    pub settings: Settings,
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
        BLEND | PUBLISHED => Box::new(Blend::new(models, ground.words, settings)),
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

/// Judges all candidates on the outer cut and chooses.
///
/// # Errors
/// The night was stopped between two candidates, or last night's numbers fit nothing tonight.
pub fn choose(
    trial: &Trial,
    ground: &Ground<'_>,
    published: Option<Settings>,
    control: &Control,
) -> Result<Verdict, FitError> {
    let Trial {
        cut, models, tuned, ..
    } = trial;
    let users = sample(cut.tested(), MOST_USERS, ground.seed);
    let mut candidates = Vec::new();
    let mut hear = |name: &'static str, model: &dyn Scorer| {
        control.check()?;
        control.progress(
            "judging models",
            candidates.len() as u64,
            PERSONAL.len() as u64 + 3,
        );
        candidates.push(Candidate {
            name,
            judged: judge(model, cut, &users),
        });
        Ok::<_, FitError>(())
    };
    hear(
        POPULARITY,
        &ForAll {
            scores: models.demand.popularity(MONTH),
        },
    )?;
    hear(
        POPULARITY_EVER,
        &ForAll {
            scores: models.demand.ever().to_vec(),
        },
    )?;
    for name in PERSONAL {
        if let Some(model) = personal(name, ground, models, &cut.train, &tuned.settings) {
            hear(name, model.as_ref())?;
        }
    }
    if let Some(settings) = published.filter(|settings| !settings.answers_like(&tuned.settings)) {
        let again;
        let models = if settings.fits_like(&tuned.settings) {
            models
        } else {
            again = Models::fit(ground.log, cut, ground.purpose, &settings, ground.limits, control)?;
            &again
        };
        hear(PUBLISHED, &Blend::new(models, ground.words, &settings))?;
    }
    let (winner, why) = winner(&candidates, ground.seed);
    let settings = if winner == PUBLISHED {
        published.unwrap_or(tuned.settings)
    } else {
        tuned.settings
    };
    Ok(Verdict {
        candidates,
        winner,
        settings,
        why,
    })
}

fn winner(candidates: &[Candidate], seed: u64) -> (&'static str, String) {
    let of = |name: &str| candidates.iter().find(|candidate| candidate.name == name);
    let ndcg = |candidate: &Candidate| candidate.judged.mean(0);
    let Some(naive) = of(POPULARITY) else {
        return (POPULARITY, "nothing was judged".to_owned());
    };
    let tested = naive.judged.of_users.len();
    if tested < LEAST_USERS {
        let why = format!(
            "too little data: {tested} customers could be tested and {LEAST_USERS} are needed, so everybody gets the \
             popular products of the last 30 days"
        );
        return (POPULARITY, why);
    }
    let personal = PERSONAL.into_iter().filter_map(of);
    let Some(mut best) = personal.reduce(|best, next| if ndcg(next) > ndcg(best) { next } else { best })
    else {
        return (POPULARITY, "no personal model was fitted".to_owned());
    };
    let mut kept = "";
    if let Some(before) = of(PUBLISHED)
        && best.judged.gain_over(&before.judged, 0, DRAWS, seed).hi90 < 0.0
    {
        best = before;
        kept = ", with last night's numbers because tonight's are significantly worse";
    }
    if ndcg(best) <= ndcg(naive) {
        let why = format!(
            "the best personal model ({}, NDCG@10 {:.4}) does not beat the popularity of 30 days ({:.4}) on {tested} \
             customers, so everybody gets the popular products",
            best.name,
            ndcg(best),
            ndcg(naive)
        );
        return (POPULARITY, why);
    }
    let why = format!(
        "{} reaches NDCG@10 {:.4} on {tested} customers, the popularity of 30 days {:.4}{kept}",
        best.name,
        ndcg(best),
        ndcg(naive)
    );
    (best.name, why)
}

/// The winner fitted on everything; `None` for popularity, which needs no model.
pub fn refitted<'a>(
    verdict: &Verdict,
    ground: &Ground<'a>,
    models: &'a Models,
    train: &super::history::Histories,
) -> Option<Box<dyn Scorer + 'a>> {
    personal(verdict.winner, ground, models, train, &verdict.settings)
}

#[cfg(test)]
mod tests {
    use super::super::measure::METRICS;
    use super::*;

    fn candidate(name: &'static str, ndcg: f32, users: usize) -> Candidate {
        Candidate {
            name,
            judged: Judged {
                of_users: vec![[ndcg; METRICS.len()]; users],
                first: vec![Vec::new(); users],
                ranked: 1,
            },
        }
    }

    #[test]
    fn a_personal_model_that_loses_to_popularity_is_not_used() {
        let all = [
            candidate(POPULARITY, 0.2, 50),
            candidate(ITEM_COSINE, 0.1, 50),
            candidate(BLEND, 0.15, 50),
        ];
        let (name, why) = winner(&all, 1);
        assert_eq!(name, POPULARITY);
        assert!(why.contains("does not beat"), "{why}");
    }

    #[test]
    fn the_best_wins_and_last_night_stays_where_tonight_is_worse() {
        let mut all = vec![
            candidate(POPULARITY, 0.1, 50),
            candidate(ITEM_COSINE, 0.2, 50),
            candidate(BLEND, 0.3, 50),
        ];
        assert_eq!(winner(&all, 1).0, BLEND);
        all.push(candidate(PUBLISHED, 0.4, 50));
        let (name, why) = winner(&all, 1);
        assert_eq!(name, PUBLISHED);
        assert!(why.contains("last night"), "{why}");
        all[2] = candidate(BLEND, 0.4, 50);
        assert_eq!(winner(&all, 1).0, BLEND);
    }

    #[test]
    fn few_users_get_the_naive_answer() {
        let all = [candidate(POPULARITY, 0.1, 3), candidate(BLEND, 0.9, 3)];
        let (name, why) = winner(&all, 1);
        assert_eq!(name, POPULARITY);
        assert!(why.contains("too little data"), "{why}");
    }
}
