//! Rules: what followed a product, and what stood beside it.
//!
//! A sequential rule weighs `i -> j` by `Σ 1 / distance` over the sessions in which j came at most [`REACH`] places after i,
//! over the number of sessions with i: the chance of the next step where every path is short. A pair weighs i and j by
//! `n_ij / √(n_i n_j)`, whichever came first. A window stands between the two: `Σ 1 / distance`, before or after alike, because
//! most baskets are filled shelf by shelf and a shelf is walked both ways. In all of them a session counts half as much as
//! one that came [`HALVED`] of all sessions later, because shops have seasons. Lists are cut at [`KEPT`].

use rayon::prelude::*;

use super::Sessions;
use crate::recommend::neighbours::keep_best;

/// Places that a sequential rule looks ahead, and a window to both sides.
pub const REACH: usize = 10;
/// Entries kept per product.
pub const KEPT: usize = 150;
/// The share of all sessions after which one counts half.
pub const HALVED: f32 = 0.25;

/// Per product its followers or partners, the strongest first.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Rules(pub Vec<Vec<(u32, f32)>>);

impl Rules {
    /// The entries of one product.
    pub fn of(&self, product: u32) -> &[(u32, f32)] {
        self.0.get(product as usize).map_or(&[], Vec::as_slice)
    }
}

/// Where each product stands: (session, place).
fn places(sessions: &Sessions) -> Vec<Vec<(u32, u32)>> {
    let mut places = vec![Vec::new(); sessions.products];
    for (number, path) in sessions.all.iter().enumerate() {
        for (place, &product) in path.iter().enumerate() {
            places[product as usize].push((number as u32, place as u32));
        }
    }
    places
}

/// What each of so many sessions counts, the oldest first.
pub(super) fn worth(sessions: usize) -> Vec<f32> {
    let all = sessions as f32;
    (0..sessions)
        .map(|number| (-(all - number as f32) / (all * HALVED)).exp2())
        .collect()
}

fn lists(
    sessions: &Sessions,
    each: impl Fn(&[u32], usize, &mut dyn FnMut(u32, f32)) + Sync,
    scale: impl Fn(f32, f32) -> f32 + Sync,
) -> Rules {
    let places = places(sessions);
    let worth = worth(sessions.all.len());
    let counts: Vec<f32> = places
        .iter()
        .map(|of| of.iter().map(|&(session, _)| worth[session as usize]).sum())
        .collect();
    let rows = (0..sessions.products)
        .into_par_iter()
        .map_init(
            || (vec![0.0f32; sessions.products], Vec::<u32>::new(), Vec::new()),
            |(sums, touched, row), product| {
                for &(session, place) in &places[product] {
                    each(
                        &sessions.all[session as usize],
                        place as usize,
                        &mut |other, weight| {
                            if sums[other as usize] == 0.0 {
                                touched.push(other);
                            }
                            sums[other as usize] += weight * worth[session as usize];
                        },
                    );
                }
                row.clear();
                row.extend(touched.drain(..).map(|other| {
                    let sum = std::mem::take(&mut sums[other as usize]);
                    (other, sum * scale(counts[product], counts[other as usize]))
                }));
                keep_best(row, KEPT);
                row.clone() // as long as the list, not as all that was found
            },
        )
        .collect();
    Rules(rows)
}

/// What came after each product.
pub fn sequential(sessions: &Sessions) -> Rules {
    let after = |path: &[u32], place: usize, give: &mut dyn FnMut(u32, f32)| {
        for (distance, &next) in (1u32..).zip(&path[place + 1..]).take(REACH) {
            give(next, 1.0 / distance as f32);
        }
    };
    lists(sessions, after, |own, _| 1.0 / own)
}

/// What stood beside each product.
pub fn pairs(sessions: &Sessions) -> Rules {
    let beside = |path: &[u32], place: usize, give: &mut dyn FnMut(u32, f32)| {
        for (at, &other) in path.iter().enumerate() {
            if at != place {
                give(other, 1.0);
            }
        }
    };
    lists(sessions, beside, |own, other| 1.0 / (own * other).sqrt())
}

/// What stood close to each product, before it or after it.
pub fn window(sessions: &Sessions) -> Rules {
    let close = |path: &[u32], place: usize, give: &mut dyn FnMut(u32, f32)| {
        around(path, place, |other, distance| give(other, 1.0 / distance as f32));
    };
    lists(sessions, close, |own, _| 1.0 / own)
}

/// The products at most [`REACH`] places from `place`, each with its distance.
pub(super) fn around(path: &[u32], place: usize, mut give: impl FnMut(u32, u32)) {
    let end = (place + REACH + 1).min(path.len());
    for (at, &other) in path
        .iter()
        .enumerate()
        .take(end)
        .skip(place.saturating_sub(REACH))
    {
        if at != place {
            give(other, at.abs_diff(place) as u32);
        }
    }
}
