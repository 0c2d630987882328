//! Judging session models on sessions that began later than all they were fitted on.
//!
//! Every next product of a tested session is asked for, given what came before it in the session; all products are ranked
//! but those of the session so far. HR@20 is the share of steps whose product is among the first 20, MRR@20 the mean of 1
//! over its rank there. Intervals are bootstraps over steps.

use super::Sessions;
use super::blend::{COMPONENTS, EARLIER, Fitted, NAMES, POPULARITY, Weights, ranks, steps, tune};
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

/// Figures from the rank of every step.
fn figures(name: &'static str, ranks: impl Iterator<Item = Option<usize>>, seed: u64) -> Candidate {
    let inverse: Vec<f64> = ranks
        .map(|rank| {
            rank.filter(|&rank| rank <= 20)
                .map_or(0.0, |rank| 1.0 / rank as f64)
        })
        .collect();
    let hits: Vec<f64> = inverse.iter().map(|&x| f64::from(u8::from(x > 0.0))).collect();
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
    // The rules of earlier products are no model of their own.
    let mut asked: Vec<(&'static str, Weights)> = (0..COMPONENTS)
        .filter(|&number| number != EARLIER)
        .map(|number| (NAMES[number], only(number)))
        .collect();
    asked.push((BLEND, tuned));
    let weights: Vec<Weights> = asked.iter().map(|&(_, weights)| weights).collect();
    let ranks = ranks(&fitted, &sample(later, TESTED, seed), &weights);
    let of = |place: usize| ranks.iter().map(move |step| step[place]);
    let candidates: Vec<Candidate> = asked
        .iter()
        .enumerate()
        .map(|(place, &(name, _))| figures(name, of(place), seed))
        .collect();
    // Ties go to the earlier, simpler one.
    let mut best = 0;
    for (number, candidate) in candidates.iter().enumerate() {
        if candidate.reciprocal_rank.value > candidates[best].reciprocal_rank.value {
            best = number;
        }
    }
    let (winner, value) = (candidates[best].name, candidates[best].reciprocal_rank.value);
    let weights = weights[best];
    Ok(Verdict {
        winner,
        weights,
        steps: ranks.len(),
        why: format!(
            "{winner} reaches MRR@20 {value:.4} on {} next products of later sessions",
            ranks.len()
        ),
        candidates,
    })
}
