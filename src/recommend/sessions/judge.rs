//! Judging session models on sessions that began later than all they were fitted on.
//!
//! Every next product of a tested session is asked for, given what came before it in the session; all products are ranked
//! but those of the session so far. HR@20 is the share of steps whose product is among the first 20, MRR@20 the mean of 1
//! over its rank there. Intervals are bootstraps over steps. What is published is judged beside tonight's and stays where
//! tonight's is significantly worse; a night that rests on an earlier one's weights (see [`crate::recommend::memory`]) judges it
//! and the naive answer alone, on fewer sessions.

use super::Sessions;
use super::asked::{Asked, inverse, ranked, tuned};
use super::blend::{EARLIER, Fitted, NAMES, NETWORK, POPULARITY, Weights};
use super::deep::{Deep, Kind, Purpose};
use super::network::Network;
use crate::fit::{Control, FitError};
use crate::recommend::measure::{Figure, bootstrap};
use crate::recommend::neighbours::Neighbours;

/// What is published, fitted on tonight's sessions.
pub const PUBLISHED: &str = "published";
/// The blend's name in `scores`.
pub const BLEND: &str = "session_blend";
/// The share of the sessions that trains.
const TRAIN_SHARE: f64 = 0.8;
/// Next products that are asked about at the most, of sessions drawn by the seed; for tuning fewer.
const TESTED: usize = 20_000;
const TUNED: usize = 10_000;
/// Those of a night that tunes nothing.
const RESTED: usize = 5000;
/// What a network must add to the figure of the best counting model, as a share, to be worth its learning and its memory.
const WORTH_IT: f64 = 0.01;
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

/// A network that takes part in what is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Deeper {
    /// Which.
    pub kind: Kind,
    /// Learned from the sessions before the outer cut: where tonight's goes on, and the next night's.
    pub past: Network,
    /// When the first session after that cut began, in seconds of Unix time.
    pub until: i64,
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
    /// The tuned weights of the blend, with the network where one was learned; `None` where nothing could be tuned.
    pub tuned: Option<Weights>,
    /// The network in the winner.
    pub deeper: Option<Deeper>,
    /// Steps that session networks learned, and why none did where that is so.
    pub learned: Result<u64, String>,
    /// Steps asked about.
    pub steps: usize,
    /// Why it won, in plain words.
    pub why: String,
}

/// Some sessions drawn by the seed, with `most` steps or hardly more in all; all of them where they have no more.
fn sample(sessions: &[Vec<u32>], most: usize, seed: u64) -> Vec<&[u32]> {
    let mut numbers: Vec<usize> = (0..sessions.len()).collect();
    let steps = |number: usize| sessions[number].len() - 1;
    if numbers.iter().map(|&number| steps(number)).sum::<usize>() > most {
        fastrand::Rng::with_seed(seed).shuffle(&mut numbers);
        let mut left = most;
        let taken = numbers.iter().take_while(|&&number| {
            let more = left > 0;
            left = left.saturating_sub(steps(number));
            more
        });
        let taken = taken.count();
        numbers.truncate(taken);
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
        let networks = Kind::ALL.into_iter().flat_map(|kind| [kind.name(), kind.blend()]);
        let names = NAMES.into_iter().chain([BLEND]).chain(networks);
        let known = names.into_iter().find(|&name| name == model)?;
        Some(Published {
            model: known,
            weights,
            tuned,
            rest,
        })
    }
}

/// Tunes on an inner cut, judges on the outer one, and chooses. With `deep` the [networks](super::deep) take part; a model with
/// one wins only where it is surely better than every counting model (its gain's 90 % interval above 0), and by one in a hundred.
///
/// # Errors
/// The night was stopped.
pub fn choose(
    sessions: &Sessions,
    words: &Neighbours,
    published: Option<Published>,
    deep: Option<&Deep<'_>>,
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
            deeper: None,
            learned: Err("too few sessions to judge anything".to_owned()),
            steps: 0,
            why: format!(
                "too little data: {} sessions could be tested and {LEAST} are needed, so next come the followers of each \
                 product, and what is like it where it has none",
                later.len().min(inner.len())
            ),
        });
    }
    // Sessions of one instant may lie on both sides of the cut; what knows one of them knows of that instant.
    let until = sessions.began[train.all.len()];
    let until = until + i64::from(train.began.last() == Some(&until));
    let hindrance = match deep {
        Some(_) => Deep::hindrance(&known),
        None => Some("none is asked for".to_owned()),
    };
    let deep = deep.filter(|_| hindrance.is_none());
    let start = published.map(|before| before.tuned);
    // What holds a network that nobody may learn any more can be neither rested on nor kept.
    let can = |kind: Kind| deep.is_some_and(|deep| deep.can(kind, &train));
    let published = published.filter(|before| Asked::new(before.model, before.weights).kind.is_none_or(can));
    let rest = published.filter(|published| published.rest);
    let mut steps_learned = 0;
    let mut asked: Vec<Asked> = Vec::new();
    let (networks, tuned_to) = match rest {
        Some(rest) => {
            asked.push(Asked::new(NAMES[POPULARITY], only(POPULARITY)));
            let model = Asked::new(rest.model, rest.weights);
            let networks = match deep.zip(model.kind) {
                Some((deep, kind)) => {
                    let texts = kind == Kind::Texts;
                    Some(deep.learn(&train, deep.start(until), texts, Purpose::Past, control)?)
                }
                None => None,
            };
            if model.name != NAMES[POPULARITY] {
                asked.push(model);
            }
            (networks, rest.tuned)
        }
        None => {
            let before = match deep {
                Some(deep) => Some(deep.learn(&known, None, true, Purpose::Inner, control)?),
                None => None,
            };
            let inner = sample(inner, TUNED, seed);
            let tuned = tuned(&known, &inner, words, before.as_ref(), start, control)?;
            steps_learned += before.as_ref().map_or(0, |networks| networks.rnn.steps);
            let networks = match (deep, before) {
                (Some(deep), Some(before)) => {
                    let start = Some(before.rnn.into_params());
                    Some(deep.learn(&train, start, true, Purpose::Past, control)?)
                }
                _ => None,
            };
            // The rules of earlier products are no model of their own.
            let counting = (0..NETWORK).filter(|&number| number != EARLIER);
            asked.extend(counting.map(|number| Asked::new(NAMES[number], only(number))));
            asked.push(Asked::new(BLEND, tuned.counting));
            let kinds = Kind::ALL.into_iter();
            let there = kinds.filter(|&kind| networks.as_ref().is_some_and(|all| all.get(kind).is_some()));
            asked.extend(there.map(|kind| Asked::new(kind.name(), only(NETWORK))));
            asked.extend(
                tuned
                    .with
                    .map(|(kind, weights)| Asked::new(kind.blend(), weights)),
            );
            (
                networks,
                tuned.with.map_or(tuned.counting, |(_, weights)| weights),
            )
        }
    };
    steps_learned += networks.as_ref().map_or(0, |networks| networks.rnn.steps);
    let of_tonight = asked.len();
    if let Some(before) = published
        && !asked
            .iter()
            .any(|own| (own.name, own.weights) == (before.model, before.weights))
    {
        let kind = Asked::new(before.model, before.weights).kind;
        asked.push(Asked {
            name: PUBLISHED,
            weights: before.weights,
            kind,
        });
    }
    let mut fitted = Fitted::fit(&train, words, None);
    control.check()?;
    let tested = if rest.is_some() { RESTED } else { TESTED };
    let ranks = ranked(
        &mut fitted,
        networks.as_ref(),
        &sample(later, tested, seed),
        &asked,
    );
    drop(fitted);
    control.check()?;
    let steps = ranks.first().map_or(0, Vec::len);
    let candidates: Vec<Candidate> = asked
        .iter()
        .zip(&ranks)
        .map(|(asked, ranks)| figures(asked.name, ranks.iter().copied(), seed))
        .collect();
    let worth = |place: usize| candidates[place].reciprocal_rank.value;
    let surely = |better: usize, worse: usize| {
        let both = ranks[better].iter().zip(&ranks[worse]);
        let gains: Vec<f64> = both.map(|(&a, &b)| inverse(a) - inverse(b)).collect();
        bootstrap(&gains, DRAWS, seed).lo90 > 0.0
    };
    // Ties go to the earlier, simpler one.
    let best_of = |places: &mut dyn Iterator<Item = usize>| {
        places.reduce(|best, next| if worth(next) > worth(best) { next } else { best })
    };
    let (mut best, mut told) = match rest {
        Some(_) => (best_of(&mut (0..of_tonight)).unwrap_or(0), String::new()),
        None => {
            let counting = best_of(&mut (0..of_tonight).filter(|&at| asked[at].kind.is_none())).unwrap_or(0);
            match best_of(&mut (0..of_tonight).filter(|&at| asked[at].kind.is_some())) {
                Some(deep) if surely(deep, counting) && worth(deep) >= (1.0 + WORTH_IT) * worth(counting) => {
                    (deep, format!(", {} {:.4}", asked[counting].name, worth(counting)))
                }
                Some(deep) => (
                    counting,
                    format!(
                        ", {} {:.4}, which is not better enough",
                        asked[deep].name,
                        worth(deep)
                    ),
                ),
                None => (counting, String::new()),
            }
        }
    };
    if asked.len() > of_tonight && surely(of_tonight, best) {
        best = of_tonight;
        told = ", which stays because tonight's choice is significantly worse".to_owned();
    }
    let (winner, kind) = (candidates[best].name, asked[best].kind);
    let model = match published {
        Some(before) if winner == PUBLISHED => before.model,
        _ => winner,
    };
    Ok(Verdict {
        winner,
        model,
        weights: asked[best].weights,
        tuned: Some(tuned_to),
        deeper: networks.zip(kind).map(|(networks, kind)| Deeper {
            kind,
            past: networks.rnn,
            until,
        }),
        learned: match hindrance {
            Some(why) => Err(why),
            None => Ok(steps_learned),
        },
        steps,
        why: format!(
            "{winner} reaches MRR@20 {:.4} on {steps} next products of later sessions{told}",
            worth(best)
        ),
        candidates,
    })
}
