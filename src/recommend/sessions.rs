//! Sessions: what comes next to those who just looked at this.
//!
//! A *session* is one basket's products in the order they were met, each once: an order, a visit, or one person's minute
//! (see [`Interaction::basket`](super::log::Interaction)). Given its beginning, every product gets a score for being the
//! next; several counting models give one and are blended, as tested on later sessions:
//!
//! - [`rules`]: sequential rules, `Σ 1 / distance` over the sessions in which j came after i; windows, the same to both sides;
//!   and plain pairs;
//! - [`context`]: the window of the last product in the sessions that share more than it;
//! - [`knn`]: VS-kNN, the sessions most like this one (Ludewig and Jannach 2018);
//! - popularity of the latest sessions, and likeness of words;
//! - [`network`]: a recurrent network, in a shop with sessions enough; [`deep`] gives it the products' texts as well.
//!
//! The counting models beat recurrent networks on most public click logs (same source), cost seconds, and their lists are
//! small enough to answer from inside a database; blended with them a network adds what they cannot count, and is published only
//! where it does. [`blend`] tunes their weights, [`judge`] tells HR@20 and MRR@20 on sessions that came later, [`kept`] is the
//! model as it is published, for whoever asks about a session under way, [`past`] is what the next night's network goes on from.

mod asked;
pub mod blend;
pub mod context;
pub mod deep;
pub mod judge;
pub mod kept;
pub mod knn;
pub mod network;
pub mod past;
pub mod rules;

use super::log::{Kind, Log};

/// Sessions longer than this are cut: a wholesaler's order is a catalogue, not a path.
pub const LONGEST: usize = 200;

/// The sessions of a shop, by the time they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// Number of products; product indices are below it.
    pub products: usize,
    /// Each at least two products long, the oldest first.
    pub all: Vec<Vec<u32>>,
    /// When each of them began, in seconds of Unix time, ascending.
    pub began: Vec<i64>,
}

impl Sessions {
    /// Sessions that began one second after the other.
    pub fn new(products: usize, all: Vec<Vec<u32>>) -> Sessions {
        Sessions {
            products,
            began: (0..all.len() as i64).collect(),
            all,
        }
    }

    /// Gathers what was looked at, wished for, put into carts or bought, by basket.
    pub fn of(log: &Log) -> Sessions {
        let mut events: Vec<(u32, i64, u32, u32)> = log
            .events()
            .iter()
            .filter(|e| matches!(e.kind, Kind::View | Kind::Wish | Kind::Cart | Kind::Purchase))
            .map(|e| (e.basket, e.at, e.line, e.product))
            .collect();
        events.sort_unstable();
        let mut found: Vec<((i64, u32), Vec<u32>)> = Vec::new();
        let mut met = std::collections::HashSet::new();
        for basket in events.chunk_by(|a, b| a.0 == b.0) {
            met.clear();
            let path = basket.iter().map(|e| e.3).filter(|&product| met.insert(product));
            let path: Vec<u32> = path.take(LONGEST).collect();
            if path.len() >= 2 {
                found.push(((basket[0].1, basket[0].2), path));
            }
        }
        found.sort_unstable_by_key(|(began, _)| *began);
        let (began, all) = found.into_iter().map(|((began, _), path)| (began, path)).unzip();
        Sessions {
            products: log.products,
            all,
            began,
        }
    }

    /// The first `share` of the sessions, and the rest: what a model may know, and what it is asked about.
    pub fn split(&self, share: f64) -> (Sessions, &[Vec<u32>]) {
        let known = (self.all.len() as f64 * share) as usize;
        let before = Sessions {
            products: self.products,
            all: self.all[..known].to_vec(),
            began: self.began[..known].to_vec(),
        };
        (before, &self.all[known..])
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_network;
