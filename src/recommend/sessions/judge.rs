//! Judging session models on sessions that began later than all they were fitted on.
//!
//! Every next product of a tested session is asked for, given what came before it in the session; all products are ranked
//! but those of the session so far. HR@20 is the share of steps whose product is among the first 20, MRR@20 the mean of 1
//! over its rank there. Intervals are bootstraps over steps.

use super::Sessions;
use super::blend::{COMPONENTS, Fitted, NAMES, POPULARITY, Step, Weights, steps, tune};
use crate::fit::{Control, FitError};
use crate::recommend::measure::{Figure, bootstrap};
use crate::recommend::neighbours::Neighbours;

/// The blend's name in `scores`.
pub const BLEND: &str = "session_blend";
/// The share of the sessions that trains.
const TRAIN_SHARE: f64 = 0.8;
/// Sessions that are asked about, a seeded sample; for tuning fewer.
const TESTED: usize = 800;
const TUNED: usize = 400;
/// Sessions that must be tested before anything may beat popularity.
const LEAST: usize = 20;
/// Bootstrap draws.
const DRAWS: usize = 300;

/// A candidate's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name in `scores`.
    pub name: &'static str,
    /// HR@20 over steps.
    pub hit_rate: Figure,
    /// MRR@20 over steps.
    pub reciprocal_rank: Figure,
}

/// What was found out about session models.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// All candidates; empty where too few sessions could be tested.
    pub candidates: Vec<Candidate>,
    /// The name of the winner.
    pub winner: &'static str,
    /// The winner's weights.
    pub weights: Weights,
    /// Steps asked about.
    pub steps: usize,
    /// Why it won, in plain words.
    pub why: String,
}

fn sample(sessions: &[Vec<u32>], most: usize, seed: u64) -> Vec<&[u32]> {
    let mut numbers: Vec<usize> = (0..sessions.len()).collect();
    if numbers.len() > most {
        fastrand::Rng::with_seed(seed).shuffle(&mut numbers);
        numbers.truncate(most);
        numbers.sort_unstable();
    }
    numbers.into_iter().map(|n| sessions[n].as_slice()).collect()
}

fn figures(name: &'static str, steps: &[Step], weights: &Weights, seed: u64) -> Candidate {
    let ranks: Vec<Option<usize>> = steps
        .iter()
        .map(|step| step.rank(weights).filter(|&rank| rank <= 20))
        .collect();
    let hits: Vec<f64> = ranks
        .iter()
        .map(|rank| f64::from(u8::from(rank.is_some())))
        .collect();
    let inverse: Vec<f64> = ranks
        .iter()
        .map(|rank| rank.map_or(0.0, |r| 1.0 / r as f64))
        .collect();
    Candidate {
        name,
        hit_rate: bootstrap(&hits, DRAWS, seed),
        reciprocal_rank: bootstrap(&inverse, DRAWS, seed),
    }
}

/// Only component number `number`.
pub fn only(number: usize) -> Weights {
    std::array::from_fn(|other| f64::from(u8::from(other == number)))
}

/// Tunes on an inner cut, judges on the outer one, and chooses.
///
/// # Errors
/// The night was stopped.
pub fn choose(
    sessions: &Sessions,
    words: &Neighbours,
    published: Option<Weights>,
    seed: u64,
    control: &Control,
) -> Result<Verdict, FitError> {
    let (train, later) = sessions.split(TRAIN_SHARE);
    let (known, inner) = train.split(TRAIN_SHARE);
    if later.len() < LEAST || inner.len() < LEAST {
        return Ok(Verdict {
            candidates: Vec::new(),
            winner: NAMES[POPULARITY],
            weights: published.unwrap_or_else(|| only(0)),
            steps: 0,
            why: format!(
                "too little data: {} sessions could be tested and {LEAST} are needed, so next come the followers of each \
                 product, and the popular products where it has none",
                later.len().min(inner.len())
            ),
        });
    }
    let tuned = {
        let fitted = Fitted::fit(&known, words);
        control.check()?;
        tune(&steps(&fitted, &sample(inner, TUNED, seed)), published, control)?
    };
    let fitted = Fitted::fit(&train, words);
    control.check()?;
    let asked = steps(&fitted, &sample(later, TESTED, seed));
    let mut candidates: Vec<Candidate> = (0..COMPONENTS)
        .filter(|&number| number != 1) // the rules of earlier products are no model of their own
        .map(|number| figures(NAMES[number], &asked, &only(number), seed))
        .collect();
    candidates.push(figures(BLEND, &asked, &tuned, seed));
    // Ties go to the earlier, simpler one.
    let mut best = 0;
    for (number, candidate) in candidates.iter().enumerate() {
        if candidate.reciprocal_rank.value > candidates[best].reciprocal_rank.value {
            best = number;
        }
    }
    let (winner, value) = (candidates[best].name, candidates[best].reciprocal_rank.value);
    let weights = match NAMES.iter().position(|&name| name == winner) {
        Some(number) => only(number),
        None => tuned,
    };
    Ok(Verdict {
        winner,
        weights,
        steps: asked.len(),
        why: format!(
            "{winner} reaches MRR@20 {value:.4} on {} next products of later sessions",
            asked.len()
        ),
        candidates,
    })
}
