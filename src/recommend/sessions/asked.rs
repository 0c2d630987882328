//! Asking session models about sessions of a cut: each by its own weights, and each with the network it wants.
//!
//! Counting models need no network; 'rnn' and 'cnn+rnn' are two, and a blend holds one of them. So the models are asked in
//! groups, one for each network, over the same fitted counts.

use std::borrow::Cow;

use super::Sessions;
use super::blend::{Fitted, NETWORK, Weights, ranks, steps, tune};
use super::deep::{Kind, Networks};
use super::judge::only;
use crate::fit::{Control, FitError};
use crate::recommend::neighbours::Neighbours;

/// A model that is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    pub(super) weights: Weights,
    /// The network it wants.
    pub(super) kind: Option<Kind>,
}

impl Asked {
    pub(super) fn new(name: &'static str, weights: Weights) -> Asked {
        Asked {
            name,
            weights,
            kind: Kind::of_model(name).filter(|_| weights[NETWORK] > 0.0),
        }
    }
}

/// The ranks that each of some models gives to what came, `[model][step]`; `networks` are those of the cut.
pub(super) fn ranked<'a>(
    fitted: &mut Fitted<'a>,
    networks: Option<&'a Networks>,
    sessions: &[&[u32]],
    asked: &[Asked],
) -> Vec<Vec<Option<usize>>> {
    let mut found = vec![Vec::new(); asked.len()];
    for kind in [None, Some(Kind::Sessions), Some(Kind::Texts)] {
        let own: Vec<usize> = (0..asked.len()).filter(|&at| asked[at].kind == kind).collect();
        if own.is_empty() {
            continue;
        }
        let network = networks.zip(kind).and_then(|(networks, kind)| networks.get(kind));
        fitted.network = network.map(Cow::Borrowed);
        let weights: Vec<Weights> = own.iter().map(|&at| asked[at].weights).collect();
        for step in ranks(fitted, sessions, &weights) {
            own.iter().zip(step).for_each(|(&at, rank)| found[at].push(rank));
        }
    }
    fitted.network = None;
    found
}

pub(super) fn inverse(rank: Option<usize>) -> f64 {
    rank.map_or(0.0, |rank| 1.0 / rank as f64)
}

/// Tuned weights: of the counting models among themselves, and with the better network.
pub(super) struct Tuned {
    pub(super) counting: Weights,
    pub(super) with: Option<(Kind, Weights)>,
}

/// Tunes on sessions that came after all that `known` holds.
pub(super) fn tuned(
    known: &Sessions,
    inner: &[&[u32]],
    words: &Neighbours,
    networks: Option<&Networks>,
    start: Option<Weights>,
    control: &Control,
) -> Result<Tuned, FitError> {
    let mut fitted = Fitted::fit(known, words, None);
    control.check()?;
    // Which network takes part is told by its own answers; ties go to the simpler.
    let alone: Vec<Asked> = Kind::ALL
        .into_iter()
        .filter(|&kind| networks.is_some_and(|networks| networks.get(kind).is_some()))
        .map(|kind| Asked::new(kind.name(), only(NETWORK)))
        .collect();
    let worth = |ranks: &Vec<Option<usize>>| -> f64 { ranks.iter().map(|&rank| inverse(rank)).sum() };
    let worths: Vec<f64> = ranked(&mut fitted, networks, inner, &alone)
        .iter()
        .map(worth)
        .collect();
    let better = (0..alone.len()).reduce(|best, next| if worths[next] > worths[best] { next } else { best });
    let kind = better.and_then(|at| alone[at].kind);
    let network = networks.zip(kind).and_then(|(networks, kind)| networks.get(kind));
    fitted.network = network.map(Cow::Borrowed);
    let steps = steps(&fitted, inner);
    let counting = tune(&steps, start, false, control)?;
    let with = match kind {
        Some(kind) => {
            let mut from = counting;
            from[NETWORK] = start.map_or(0.0, |start| start[NETWORK]);
            Some((kind, tune(&steps, Some(from), true, control)?))
        }
        None => None,
    };
    Ok(Tuned { counting, with })
}
