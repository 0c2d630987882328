//! Judging session models on sessions that began later than all they were fitted on.
//!
//! Every next product of a tested session is asked for, given what came before it in the session; all products are ranked
//! but those of the session so far. HR@20 is the share of steps whose product is among the first 20, MRR@20 the mean of 1
//! over its rank there. Intervals are bootstraps over steps. What is published is judged beside tonight's and stays where
//! tonight's is significantly worse; a night that rests on an earlier one's weights (see [`crate::recommend::memory`]) judges it
//! and the naive answer alone, on fewer sessions.

use super::Sessions;
use super::blend::{COMPONENTS, EARLIER, Fitted, NAMES, NETWORK, POPULARITY, Weights, ranks, steps, tune};
use super::network::{Network, Options};
use crate::fit::{Control, FitError};
use crate::recommend::measure::{Figure, bootstrap};
use crate::recommend::neighbours::Neighbours;

/// What is published, fitted on tonight's sessions.
pub const PUBLISHED: &str = "published";
/// The blend's name in `scores`.
pub const BLEND: &str = "session_blend";
/// The share of the sessions that trains.
const TRAIN_SHARE: f64 = 0.8;
/// Sessions that are asked about, a seeded sample; for tuning fewer.
const TESTED: usize = 800;
const TUNED: usize = 400;
/// Sessions of a night that tunes nothing.
const RESTED: usize = 200;
/// Sessions from which a network may learn.
const LEAST_LEARNED: usize = 500;
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
    /// The name of the winner's model.
    pub model: &'static str,
    /// The winner's weights.
    pub weights: Weights,
    /// The tuned weights of the blend; `None` where nothing could be tuned.
    pub tuned: Option<Weights>,
    /// The network that took part, learned from the first sessions: where the one for tonight's lists goes on.
    pub network: Option<Network>,
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
        .map(|rank| rank.map_or(0.0, |rank| 1.0 / rank as f64))
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

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The name of its model.
    pub model: &'static str,
    /// Its weights.
    pub weights: Weights,
    /// The tuned weights of the blend.
    pub tuned: Weights,
    /// Whether the night rests on them.
    pub rest: bool,
}

impl Published {
    /// From a name read back; `None` for one that no model has.
    pub fn new(model: &str, weights: Weights, tuned: Weights, rest: bool) -> Option<Published> {
        let known = NAMES.into_iter().chain([BLEND]).find(|&name| name == model)?;
        Some(Published {
            model: known,
            weights,
            tuned,
            rest,
        })
    }
}

/// Tunes on an inner cut, judges on the outer one, and chooses. With `deep` a [network](super::network) takes part: it is
/// learned on the inner cut, and from there on the outer one.
///
/// # Errors
/// The night was stopped.
pub fn choose(
    sessions: &Sessions,
    words: &Neighbours,
    published: Option<Published>,
    deep: Option<&Options>,
    seed: u64,
    control: &Control,
) -> Result<Verdict, FitError> {
    let (train, later) = sessions.split(TRAIN_SHARE);
    let (known, inner) = train.split(TRAIN_SHARE);
    if later.len() < LEAST || inner.len() < LEAST {
        return Ok(Verdict {
            candidates: Vec::new(),
            winner: NAMES[0],
            model: NAMES[0],
            weights: only(0),
            tuned: None,
            network: None,
            steps: 0,
            why: format!(
                "too little data: {} sessions could be tested and {LEAST} are needed, so next come the followers of each \
                 product, and what is like it where it has none",
                later.len().min(inner.len())
            ),
        });
    }
    let rest = published.filter(|published| published.rest);
    // Where there are too few sessions for a network, the counting models stay among themselves.
    let deep = deep.filter(|_| known.all.len() >= LEAST_LEARNED);
    let learn = |sessions: &Sessions, start: Option<&Network>| match deep {
        Some(options) => {
            let start = start.map(|network| network.params().to_vec());
            Network::learn(sessions, options, start, control).map(Some)
        }
        None => Ok(None),
    };
    let (tuned, learned) = match rest {
        Some(rest) => (rest.tuned, None),
        None => {
            let network = learn(&known, None)?;
            let fitted = Fitted::fit(&known, words, network.as_ref());
            control.check()?;
            let steps = steps(&fitted, &sample(inner, TUNED, seed));
            (
                tune(&steps, published.map(|before| before.tuned), control)?,
                network,
            )
        }
    };
    let network = learn(&train, learned.as_ref())?;
    let fitted = Fitted::fit(&train, words, network.as_ref());
    control.check()?;
    // The rules of earlier products are no model of their own.
    let mut asked: Vec<(&'static str, Weights)> = (0..COMPONENTS)
        .filter(|&number| number != EARLIER && (number != NETWORK || network.is_some()))
        .map(|number| (NAMES[number], only(number)))
        .collect();
    asked.push((BLEND, tuned));
    if let Some(rest) = rest {
        asked.retain(|&(name, _)| name == NAMES[POPULARITY] || name == rest.model);
    }
    let of_tonight = asked.len();
    if let Some(before) = published
        && !asked.contains(&(before.model, before.weights))
    {
        asked.push((PUBLISHED, before.weights));
    }
    let weights: Vec<Weights> = asked.iter().map(|&(_, weights)| weights).collect();
    let tested = if rest.is_some() { RESTED } else { TESTED };
    let ranks = ranks(&fitted, &sample(later, tested, seed), &weights);
    let of = |place: usize| ranks.iter().map(move |step| step[place]);
    let candidates: Vec<Candidate> = asked
        .iter()
        .enumerate()
        .map(|(place, &(name, _))| figures(name, of(place), seed))
        .collect();
    let worth = |place: usize| candidates[place].reciprocal_rank.value;
    // Ties go to the earlier, simpler one.
    let mut best = (0..of_tonight).reduce(|best, next| if worth(next) > worth(best) { next } else { best });
    let mut kept = "";
    if let (Some(tonight), true) = (best, asked.len() > of_tonight) {
        let inverse = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / rank as f64);
        let both = of(of_tonight).zip(of(tonight));
        let gains: Vec<f64> = both.map(|(before, now)| inverse(before) - inverse(now)).collect();
        if bootstrap(&gains, DRAWS, seed).lo90 > 0.0 {
            best = Some(of_tonight);
            kept = ", which stays because tonight's choice is significantly worse";
        }
    }
    let best = best.unwrap_or(0);
    let (winner, value) = (candidates[best].name, worth(best));
    let model = match published {
        Some(before) if winner == PUBLISHED => before.model,
        _ => winner,
    };
    Ok(Verdict {
        winner,
        model,
        weights: weights[best],
        tuned: Some(tuned),
        network,
        steps: ranks.len(),
        why: format!(
            "{winner} reaches MRR@20 {value:.4} on {} next products of later sessions{kept}",
            ranks.len()
        ),
        candidates,
    })
}
