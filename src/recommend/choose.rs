//! Choosing: every candidate on the same cut, beside the naive answer and last night's numbers.
//!
//! The order of things keeps the figures honest: numbers are tuned on an inner cut of the training part, judged once on
//! the outer cut, and the winner is fitted again on everything. A personal model is used only if its NDCG@10 beats
//! the 30-day popularity on the same users; last night's numbers win over tonight's where tonight's are
//! significantly worse (paired 90 % interval below 0), so a night never throws away what worked.

use super::content::ContentCosine;
use super::cuts::Cut;
use super::log::{Log, Strengths};
use super::measure::{Judged, judge};
use super::models::{ForAll, ItemCosine, MixSettings, Scorer};
use super::neighbours::Neighbours;
use super::profile::Decay;
use super::purpose::{Parts, Purpose};
use super::tune::{TuneOptions, Tuned, tune};
use crate::fit::{Control, FitError};
use crate::text::Csr;

/// Names in `scores.model` and in the lists.
pub const POPULARITY: &str = "popularity_30d";
/// Popularity of all time, for comparison.
pub const POPULARITY_EVER: &str = "popularity_ever";
/// Plain item cosine, k = 100.
pub const ITEM_COSINE: &str = "item_cosine";
/// The article's content cosine.
pub const CONTENT_COSINE: &str = "content_cosine";
/// [`super::models::Mix`] with tonight's numbers.
pub const MIX: &str = "mix";
/// The same with the numbers kept with the published generation, so that a night is judged beside the one before it. The
/// other models have no numbers to keep: they stand beside tonight's anyway.
pub const PUBLISHED: &str = "mix, last night's numbers";

/// Neighbours that the plain item cosine listens to.
const PLAIN_K: usize = 100;
/// Users that must be tested before a personal model may win.
pub const LEAST_USERS: usize = 20;
/// Bootstrap draws of an interval.
pub const DRAWS: usize = 500;

/// What a night learned before it was judged.
#[derive(Debug)]
pub struct Trial {
    /// The outer cut.
    pub cut: Cut,
    /// Fitted on its training part.
    pub parts: Parts,
    /// Chosen on the inner cut.
    pub tuned: Tuned,
}

impl Trial {
    /// Tunes on the inner cut and fits on the outer training part.
    ///
    /// # Errors
    /// Those of [`tune`].
    pub fn fit(
        log: &Log,
        strengths: &Strengths,
        content: &Neighbours,
        purpose: Purpose,
        published: Option<MixSettings>,
        options: &TuneOptions,
        control: &Control,
    ) -> Result<Trial, FitError> {
        let cut = purpose.cut(log, strengths);
        let inner = purpose.inner(&cut, log, strengths);
        control.check()?;
        let start = published.unwrap_or_default();
        let tuned = tune(
            &inner,
            &Parts::fit(&inner.train, purpose),
            content,
            start,
            options,
            control,
        )?;
        control.check()?;
        let parts = Parts::fit(&cut.train, purpose);
        Ok(Trial { cut, parts, tuned })
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
    /// The winner's numbers, where the winner is a mix.
    pub settings: MixSettings,
    /// Why it won, in plain words.
    pub why: String,
}

/// Judges all candidates on the outer cut and chooses.
///
/// # Errors
/// [`FitError::Stopped`] when the night is stopped between two candidates.
pub fn choose(
    trial: &Trial,
    vectors: &Csr,
    content: &Neighbours,
    published: Option<MixSettings>,
    seed: u64,
    control: &Control,
) -> Result<Verdict, FitError> {
    let users = trial.cut.tested();
    let parts = &trial.parts;
    let (k, decay) = (PLAIN_K, Decay::flat());
    let mut models: Vec<(&'static str, Box<dyn Scorer + '_>)> = vec![
        (
            POPULARITY,
            Box::new(ForAll {
                scores: parts.recent.clone(),
            }),
        ),
        (
            POPULARITY_EVER,
            Box::new(ForAll {
                scores: parts.popularity.total.clone(),
            }),
        ),
        (
            ITEM_COSINE,
            Box::new(ItemCosine {
                neighbours: &parts.behaviour,
                k,
                decay,
            }),
        ),
        (
            CONTENT_COSINE,
            Box::new(ContentCosine::new(vectors.clone(), decay)),
        ),
        (MIX, Box::new(parts.mix(content, trial.tuned.settings))),
    ];
    if let Some(settings) = published.filter(|settings| *settings != trial.tuned.settings) {
        models.push((PUBLISHED, Box::new(parts.mix(content, settings))));
    }
    let mut candidates = Vec::with_capacity(models.len());
    for (name, model) in &models {
        control.check()?;
        candidates.push(Candidate {
            name,
            judged: judge(model.as_ref(), &trial.cut, &users),
        });
    }
    let (winner, why) = winner(&candidates, seed);
    let settings = if winner == PUBLISHED {
        published.unwrap_or_default()
    } else {
        trial.tuned.settings
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
    // Ties go to the earlier, simpler model.
    let personal = [ITEM_COSINE, CONTENT_COSINE, MIX].into_iter().filter_map(of);
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
    parts: &'a Parts,
    vectors: &Csr,
    content: &'a Neighbours,
) -> Option<Box<dyn Scorer + 'a>> {
    let decay = Decay::flat();
    match verdict.winner {
        ITEM_COSINE => Some(Box::new(ItemCosine {
            neighbours: &parts.behaviour,
            k: PLAIN_K,
            decay,
        })),
        CONTENT_COSINE => Some(Box::new(ContentCosine::new(vectors.clone(), decay))),
        MIX | PUBLISHED => Some(Box::new(parts.mix(content, verdict.settings))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &'static str, ndcg: f32, users: usize) -> Candidate {
        Candidate {
            name,
            judged: Judged {
                of_users: vec![[ndcg; 5]; users],
                coverage: 0.5,
            },
        }
    }

    #[test]
    fn a_personal_model_that_loses_to_popularity_is_not_used() {
        let all = [
            candidate(POPULARITY, 0.2, 50),
            candidate(ITEM_COSINE, 0.1, 50),
            candidate(MIX, 0.15, 50),
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
            candidate(MIX, 0.3, 50),
        ];
        assert_eq!(winner(&all, 1).0, MIX);
        all.push(candidate(PUBLISHED, 0.4, 50));
        let (name, why) = winner(&all, 1);
        assert_eq!(name, PUBLISHED);
        assert!(why.contains("last night"), "{why}");
        all[2] = candidate(MIX, 0.4, 50);
        assert_eq!(winner(&all, 1).0, MIX);
    }

    #[test]
    fn few_users_get_the_naive_answer() {
        let all = [candidate(POPULARITY, 0.1, 3), candidate(MIX, 0.9, 3)];
        let (name, why) = winner(&all, 1);
        assert_eq!(name, POPULARITY);
        assert!(why.contains("too little data"), "{why}");
    }
}
