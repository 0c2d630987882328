//! Models: everything that turns one history into one score per product.
//!
//! [`Scorer`] is the one shape they share, so that measuring, tuning and writing lists never ask which model they
//! hold. A scorer sees a history, not a user number: a model fitted last night can score a history that grew since.

use super::history::Signal;
use super::neighbours::Neighbours;
use super::profile::{AgeFrom, Decay};

/// A fitted model.
pub trait Scorer: Sync {
    /// Adds this model's score of every product to `scores`, which come in as zeros. Larger is better; 0 means
    /// that the model has nothing to say.
    fn score(&self, history: &[Signal], scores: &mut [f32]);

    /// For every product the history product with the largest exact contribution to its score, ties to the older
    /// signal; [`NO_REASON`] where no product of the history speaks for it.
    fn reasons(&self, history: &[Signal]) -> Vec<u32>;
}

/// No product of the history speaks for this one.
pub const NO_REASON: u32 = u32::MAX;

/// Finds the loudest speaker per product. `votes` lists what one speaker gives to whom.
pub(super) fn loudest(
    products: usize,
    profile: &[(u32, f32)],
    mut votes: impl FnMut(u32, f32, &mut Vec<(u32, f32)>),
) -> Vec<u32> {
    let mut best = vec![0.0f32; products];
    let mut reasons = vec![NO_REASON; products];
    let mut given = Vec::new();
    for &(speaker, weight) in profile {
        given.clear();
        votes(speaker, weight, &mut given);
        for &(product, vote) in &given {
            if vote > best[product as usize] {
                best[product as usize] = vote;
                reasons[product as usize] = speaker;
            }
        }
    }
    reasons
}

/// The same scores for everybody: a popularity.
#[derive(Debug, Clone)]
pub struct ForAll {
    /// One score per product.
    pub scores: Vec<f32>,
}

impl Scorer for ForAll {
    fn score(&self, _history: &[Signal], scores: &mut [f32]) {
        scores.copy_from_slice(&self.scores);
    }

    fn reasons(&self, _history: &[Signal]) -> Vec<u32> {
        vec![NO_REASON; self.scores.len()]
    }
}

/// Plain item cosine: the sum of similarities to the history (Sarwar et al. 2001).
#[derive(Debug, Clone)]
pub struct ItemCosine<'a> {
    /// The nearest of every product.
    pub neighbours: &'a Neighbours,
    /// How many of them count.
    pub k: usize,
    /// How the history is weighted.
    pub decay: Decay,
}

impl Scorer for ItemCosine<'_> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) {
        self.neighbours
            .add_scores(&self.decay.profile(history), self.k, 1.0, scores);
    }

    fn reasons(&self, history: &[Signal]) -> Vec<u32> {
        loudest(
            self.neighbours.products(),
            &self.decay.profile(history),
            |speaker, weight, given| {
                let voices = self.neighbours.spoken_for(speaker as usize, self.k);
                given.extend(
                    voices
                        .iter()
                        .map(|voice| (voice.product, weight * voice.similarity)),
                );
            },
        )
    }
}

/// What the tuning decides about a [`Mix`].
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MixSettings {
    /// Neighbours of each product by behaviour that count.
    pub k: u32,
    /// The decay of the profile, in days.
    pub tau_days: f64,
    /// Weight of the text's similarity beside the behaviour's.
    pub content: f64,
    /// Weight of recent popularity beside the personal score; both scaled to at most 1.
    pub popularity: f64,
}

impl Default for MixSettings {
    fn default() -> MixSettings {
        MixSettings {
            k: 100,
            tau_days: 60.0,
            content: 0.1,
            popularity: 0.1,
        }
    }
}

/// Item cosine over a decayed profile, with content beside it and recent popularity added.
///
/// `personal(j) = Σ_i w_i (cos(i, j) + content · text(i, j))` over the history's products i, and
/// `score(j) = personal(j) / max personal + popularity · recent(j)`. Without any personal score the popularity alone
/// remains.
#[derive(Debug, Clone)]
pub struct Mix<'a> {
    /// Nearest by behaviour.
    pub behaviour: &'a Neighbours,
    /// Nearest by text; without text, lists that are all empty.
    pub content: &'a Neighbours,
    /// Recent popularity, at most 1.
    pub popularity: &'a [f32],
    /// The tuned numbers.
    pub settings: MixSettings,
    /// From where the age of a signal counts.
    pub age_from: AgeFrom,
}

impl Mix<'_> {
    fn decay(&self) -> Decay {
        Decay {
            tau_days: self.settings.tau_days,
            from: self.age_from,
        }
    }

    /// The personal part of the scores, unscaled, and its largest value.
    pub fn personal(&self, history: &[Signal], scores: &mut [f32]) -> f32 {
        let profile = self.decay().profile(history);
        self.behaviour
            .add_scores(&profile, self.settings.k as usize, 1.0, scores);
        if self.settings.content > 0.0 {
            self.content
                .add_scores(&profile, usize::MAX, self.settings.content as f32, scores);
        }
        scores.iter().copied().fold(0.0, f32::max)
    }
}

impl Scorer for Mix<'_> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) {
        let largest = self.personal(history, scores);
        let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
        let weight = if largest > 0.0 {
            self.settings.popularity as f32
        } else {
            1.0
        };
        for (score, &recent) in scores.iter_mut().zip(self.popularity) {
            *score = *score * scale + weight * recent;
        }
    }

    fn reasons(&self, history: &[Signal]) -> Vec<u32> {
        // A product may hear one speaker twice, by behaviour and by text: the sum is gathered before it is compared.
        let mut own = vec![0.0f32; self.behaviour.products()];
        loudest(
            own.len(),
            &self.decay().profile(history),
            |speaker, weight, given| {
                let text = if self.settings.content > 0.0 {
                    usize::MAX
                } else {
                    0
                };
                let behaviour = self
                    .behaviour
                    .spoken_for(speaker as usize, self.settings.k as usize)
                    .iter();
                let content = self.content.spoken_for(speaker as usize, text).iter();
                let voices = behaviour
                    .map(|voice| (voice, 1.0))
                    .chain(content.map(|v| (v, self.settings.content as f32)));
                for (voice, factor) in voices.clone() {
                    own[voice.product as usize] += weight * factor * voice.similarity;
                }
                for (voice, _) in voices {
                    let vote = std::mem::take(&mut own[voice.product as usize]);
                    given.push((voice.product, vote));
                }
            },
        )
    }
}
