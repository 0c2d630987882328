//! Something that is attended and copied from: the ticket, or the old replies.
//!
//! For each step of a reply and each place of the memory there is a score: how well the step's question meets the place's
//! key, what the similarity of the place's source is worth, and what it is worth that the pieces just before the place are
//! those just said (*agreement*, in [`LEVELS`]: what makes copying go on). Their softmax says where the step looks; the mean of the keys, so
//! weighed, is what it reads; and the weights of the places that hold a piece, summed, are the probability of that
//! piece if the memory speaks.

use super::shape::LEVELS;
use crate::neural::kernels::gemm::{Begin, Left, Packed, product};
use crate::neural::kernels::rows::softmax;

/// A memory of one example.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The piece at each place.
    pub pieces: Vec<u32>,
    /// The piece before each place.
    pub before: Vec<u32>,
    /// The similarity of each place's source; 0 in the ticket.
    pub similarity: Vec<f32>,
    /// Places by key values.
    pub keys: Vec<f32>,
}

/// What looking left behind.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Steps by places: agreement.
    pub levels: Vec<u8>,
    /// Steps by places: where the steps look.
    pub weights: Vec<f32>,
    /// A step each: the mean of the exponentials of its scores, as a logarithm.
    pub evidence: Vec<f32>,
    /// A step each: the weight of the places that hold the piece to be said.
    pub mass: Vec<f32>,
    pack: Packed,
    slopes: Vec<f32>,
}

/// What scores are made of, beside keys and questions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth<'a> {
    /// Of agreement, a level each.
    pub agree: &'a [f32],
    /// Of similarity.
    pub similar: f32,
}

/// Gradients of what scores are made of.
#[derive(Debug, Default)]
pub(super) struct WorthSlopes {
    pub agree: [f32; LEVELS],
    pub similar: f32,
}

/// Agreement at the next step from that at this one, when `said` is said: the level at a place grows by one from the place
/// before if that holds the piece.
pub(super) fn agree_next(before: &[u32], said: u32, levels: &[u8], next: &mut [u8]) {
    let mut past = 0;
    for ((next, before), level) in next.iter_mut().zip(before).zip(levels) {
        *next = if *before == said {
            (1 + past).min(LEVELS as u8 - 1)
        } else {
            0
        };
        past = *level;
    }
}

/// Agreement at the first step, when nothing but the beginning was said.
pub(super) fn agree_first(before: &[u32], said: u32, levels: &mut [u8]) {
    for (level, before) in levels.iter_mut().zip(before) {
        *level = u8::from(*before == said);
    }
}

impl Memory {
    pub(super) fn places(&self) -> usize {
        self.pieces.len()
    }

    /// Looks from `steps` questions, `stride` apart; `said[t]` is the piece before step t and `wanted[t]` the one to be said. What
    /// is read goes to `read`, rows `read_stride` apart.
    pub(super) fn look(
        &self,
        questions: &[f32],
        stride: usize,
        said: &[u32],
        wanted: &[u32],
        worth: Worth<'_>,
        read: &mut [f32],
        read_stride: usize,
        looked: &mut Looked,
    ) {
        let (steps, places) = (said.len(), self.places());
        let key = self.keys.len() / places.max(1);
        let scale = 1.0 / (key as f32).sqrt();
        looked.levels.clear();
        looked.levels.resize(steps * places, 0);
        for step in 0..steps {
            let (done, rest) = looked.levels.split_at_mut(step * places);
            let levels = &mut rest[..places];
            match step {
                0 => agree_first(&self.before, said[step], levels),
                _ => agree_next(&self.before, said[step], &done[(step - 1) * places..], levels),
            }
        }
        looked.weights.resize(steps * places, 0.0);
        looked.pack.turned(&self.keys, key, key, places);
        let left = Left::Rows(questions, stride);
        product(
            left,
            steps,
            &looked.pack,
            Begin::Zero,
            &mut looked.weights,
            places,
        );
        looked.evidence.clear();
        looked.mass.clear();
        let rows = looked
            .weights
            .chunks_exact_mut(places.max(1))
            .zip(looked.levels.chunks_exact(places.max(1)));
        for ((row, levels), wanted) in rows.zip(wanted) {
            for ((score, level), similarity) in row.iter_mut().zip(levels).zip(&self.similarity) {
                *score = *score * scale + worth.agree[*level as usize] + worth.similar * similarity;
            }
            looked.evidence.push(softmax(row) - (places as f32).ln());
            let held = row.iter().zip(&self.pieces).filter(|one| one.1 == wanted);
            looked.mass.push(held.map(|one| *one.0).sum());
        }
        looked.pack.rows(&self.keys, key, places, key);
        product(
            Left::Rows(&looked.weights, places),
            steps,
            &looked.pack,
            Begin::Zero,
            read,
            read_stride,
        );
    }

    /// The way back. For each step, `d_read` (rows `read_stride` apart) is the loss's gradient by what was read, `spoke` what the
    /// gate gave the memory and `did` the share of the probability that came from it, both times the weight of the
    /// step. Overwrites `d_questions` (rows `stride` apart), adds to `d_keys` and `slopes`.
    pub(super) fn look_back(
        &self,
        looked: &mut Looked,
        questions: &[f32],
        stride: usize,
        wanted: &[u32],
        (spoke, did): (&[f32], &[f32]),
        d_read: &[f32],
        read_stride: usize,
        d_questions: &mut [f32],
        d_keys: &mut [f32],
        slopes: &mut WorthSlopes,
    ) {
        let (steps, places) = (wanted.len(), self.places());
        let key = self.keys.len() / places.max(1);
        let scale = 1.0 / (key as f32).sqrt();
        // By the weights, through what was read.
        looked.slopes.resize(steps * places, 0.0);
        looked.pack.turned(&self.keys, key, key, places);
        let left = Left::Rows(d_read, read_stride);
        product(left, steps, &looked.pack, Begin::Zero, &mut looked.slopes, places);
        // d keys += weights' · d read.
        let mut own = Packed::new();
        own.rows(d_read, read_stride, steps, key);
        product(
            Left::Turned(&looked.weights, places),
            places,
            &own,
            Begin::There,
            d_keys,
            key,
        );
        for step in 0..steps {
            let weights = &looked.weights[step * places..][..places];
            let levels = &looked.levels[step * places..][..places];
            let row = &mut looked.slopes[step * places..][..places];
            let mean: f32 = row
                .iter()
                .zip(weights)
                .map(|(slope, weight)| slope * weight)
                .sum();
            let from = if looked.mass[step] > 0.0 {
                did[step] / looked.mass[step]
            } else {
                0.0
            };
            for (at, slope) in row.iter_mut().enumerate() {
                let held = if self.pieces[at] == wanted[step] {
                    from
                } else {
                    0.0
                };
                *slope = weights[at] * (*slope - mean + spoke[step] - held);
                slopes.agree[levels[at] as usize] += *slope;
                slopes.similar += *slope * self.similarity[at];
                *slope *= scale;
            }
        }
        looked.pack.rows(&self.keys, key, places, key);
        product(
            Left::Rows(&looked.slopes, places),
            steps,
            &looked.pack,
            Begin::Zero,
            d_questions,
            stride,
        );
        own.rows(questions, stride, steps, key);
        product(
            Left::Turned(&looked.slopes, places),
            places,
            &own,
            Begin::There,
            d_keys,
            key,
        );
    }
}
