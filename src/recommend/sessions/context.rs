//! Context: what stood close to the last product in those sessions that are most like this one.
//!
//! A window knows the last product alone; VS-kNN knows the whole path, but not where in a session its products stood. Here
//! every session that holds the last product speaks for the products around it, `worth · overlap^1.5 / distance`, where the
//! overlap is what it shares with the path, `Σ 1 / steps back`. It is the sequence-aware session kNN of Ludewig and Jannach
//! 2018 with closeness in the old session in place of its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sessions;
use super::rules::{around, worth};

/// Latest sessions holding the last product that speak.
pub(super) const SAMPLE: usize = 1000;
/// Products of the path that are compared, the latest.
const LATEST: usize = 20;
/// How much more likeness counts than in proportion.
const OVERLAP: f32 = 1.5;

/// The sessions, findable by product and place.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) paths: Arc<Vec<Vec<u32>>>,
    /// Where each product stands: (session, place), the latest session first.
    holding: Vec<Vec<(u32, u32)>>,
    pub(super) worth: Vec<f32>,
}

impl Context {
    /// Remembers all sessions.
    pub fn fit(sessions: &Sessions) -> Context {
        let worth = worth(sessions.all.len());
        Context::over(Arc::new(sessions.all.clone()), sessions.products, worth)
    }

    /// Remembers these sessions, the oldest first; `worth`: of every session.
    pub(super) fn over(paths: Arc<Vec<Vec<u32>>>, products: usize, worth: Vec<f32>) -> Context {
        let mut holding = vec![Vec::new(); products];
        for (number, path) in paths.iter().enumerate().rev() {
            for (place, &product) in path.iter().enumerate() {
                let of: &mut Vec<(u32, u32)> = &mut holding[product as usize];
                if of.len() < SAMPLE {
                    of.push((number as u32, place as u32));
                }
            }
        }
        Context {
            paths,
            holding,
            worth,
        }
    }

    /// Votes for what comes after `path`, by product; its own products may be among them.
    pub fn votes(&self, path: &[u32]) -> Vec<(u32, f32)> {
        let Some(&last) = path.last() else {
            return Vec::new();
        };
        let latest: Vec<u32> = path.iter().rev().take(LATEST).copied().collect();
        let mut votes: BTreeMap<u32, f32> = BTreeMap::new();
        for &(session, place) in &self.holding[last as usize] {
            let other = &self.paths[session as usize];
            let overlap: f32 = (1u16..)
                .zip(&latest)
                .filter(|(_, product)| other.contains(product))
                .map(|(back, _)| 1.0 / f32::from(back))
                .sum();
            let weight = overlap.powf(OVERLAP) * self.worth[session as usize];
            around(other, place as usize, |product, distance| {
                *votes.entry(product).or_default() += weight / distance as f32;
            });
        }
        votes.into_iter().collect()
    }
}
