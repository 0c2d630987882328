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

    /// For every product the history product with the largest exact contribution to its personal score, ties to the
    /// older signal; `u32::MAX` where no product of the history speaks for it.
    pub fn reasons(&self, history: &[Signal]) -> Vec<u32> {
        let products = self.behaviour.products();
        let mut best = vec![0.0f32; products];
        let mut reason = vec![u32::MAX; products];
        let mut own = vec![0.0f32; products];
        for &(product, weight) in &self.decay().profile(history) {
            let speaker = [(product, weight)];
            self.behaviour
                .add_scores(&speaker, self.settings.k as usize, 1.0, &mut own);
            if self.settings.content > 0.0 {
                self.content
                    .add_scores(&speaker, usize::MAX, self.settings.content as f32, &mut own);
            }
            let k = self.settings.k as usize;
            let behaviour = self.behaviour.spoken_for(product as usize, k);
            let touched = || {
                behaviour
                    .iter()
                    .chain(self.content.spoken_for(product as usize, usize::MAX))
            };
            for j in touched().map(|voice| voice.product as usize) {
                if own[j] > best[j] {
                    best[j] = own[j];
                    reason[j] = product;
                }
            }
            touched().for_each(|voice| own[voice.product as usize] = 0.0);
        }
        reason
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
}
