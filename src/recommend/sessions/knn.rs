//! VS-kNN: the sessions most like the one so far vote for what came up in them.
//!
//! Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms", with its usual numbers: among the
//! `SAMPLE` latest sessions that share a product, the `K` most similar, where the latest products of the session
//! count most (weights falling linearly over it); a session's vote is its similarity times how late in the session the
//! latest shared product stands, and rare products count more by their idf.

use std::collections::HashMap;
use std::sync::Arc;

use super::Sessions;
use crate::recommend::neighbours::keep_best;

/// Sessions that vote.
const K: usize = 100;
/// Latest sessions among which they are looked for.
pub(super) const SAMPLE: usize = 1000;
/// Products of a session that are looked at, the latest.
const LATEST: usize = 20;

/// The sessions, findable by product.
#[derive(Debug, Clone)]
pub struct Knn {
    paths: Arc<Vec<Vec<u32>>>,
    /// The latest sessions of each product, at most [`SAMPLE`], the latest first.
    holding: Vec<Vec<u32>>,
    pub(super) idf: Vec<f32>,
}

impl Knn {
    /// Remembers all sessions.
    pub fn fit(sessions: &Sessions) -> Knn {
        let mut held = vec![0usize; sessions.products];
        for &product in sessions.all.iter().flatten() {
            held[product as usize] += 1;
        }
        let all = sessions.all.len().max(1) as f32;
        let idf = held.iter().map(|&held| (all / held.max(1) as f32).ln());
        Knn::over(Arc::new(sessions.all.clone()), idf.collect())
    }

    /// Remembers these sessions, the oldest first; `idf`: of every product.
    pub(super) fn over(paths: Arc<Vec<Vec<u32>>>, idf: Vec<f32>) -> Knn {
        let mut holding = vec![Vec::new(); idf.len()];
        for (number, path) in paths.iter().enumerate().rev() {
            for &product in path {
                let of: &mut Vec<u32> = &mut holding[product as usize];
                if of.len() < SAMPLE {
                    of.push(number as u32);
                }
            }
        }
        Knn { paths, holding, idf }
    }

    /// Votes for what comes after `path`, in no order; its own products are left out.
    pub fn votes(&self, path: &[u32]) -> Vec<(u32, f32)> {
        let latest = &path[path.len().saturating_sub(LATEST)..];
        let weight = |place: usize| (place + 1) as f32 / latest.len() as f32;
        // The latest sessions that hold any of them, each with its summed weights and the place of the latest product shared.
        let mut near: HashMap<u32, (f32, usize)> = HashMap::new();
        for (place, &product) in latest.iter().enumerate() {
            for &session in &self.holding[product as usize] {
                let entry = near.entry(session).or_insert((0.0, 0));
                entry.0 += weight(place);
                entry.1 = place;
            }
        }
        let mut near: Vec<(u32, (f32, usize))> = near.into_iter().collect();
        near.sort_unstable_by_key(|&(session, _)| std::cmp::Reverse(session));
        near.truncate(SAMPLE);
        let shared: HashMap<u32, usize> = near
            .iter()
            .map(|&(session, (_, place))| (session, place))
            .collect();
        let similarity = |&(session, (sum, _)): &(u32, (f32, usize))| {
            let length = self.paths[session as usize].len() as f32;
            (session, sum / (length * latest.len() as f32).sqrt())
        };
        let mut similar: Vec<(u32, f32)> = near.iter().map(similarity).collect();
        keep_best(&mut similar, K);
        let mut votes: HashMap<u32, f32> = HashMap::new();
        for (session, similarity) in similar {
            let late = weight(shared[&session]);
            for &product in self.paths[session as usize].iter().filter(|p| !path.contains(p)) {
                *votes.entry(product).or_default() += similarity * late * self.idf[product as usize];
            }
        }
        let mut votes: Vec<(u32, f32)> = votes.into_iter().collect();
        votes.sort_unstable_by_key(|&(product, _)| product);
        votes
    }
}
