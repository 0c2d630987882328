//! Models: everything that turns one history into one score per product.
//!
//! [`Scorer`] is the one shape they share, so that measuring, tuning and writing lists never ask which model they
//! hold. A scorer sees a history, not a user number: a model fitted last night can score a history that grew since.

use super::history::Signal;
use super::profile::Decay;

/// A fitted model.
pub trait Scorer: Sync {
    /// Adds this model's score of every product to `scores`, which come in as zeros. Larger is better; 0 means
    /// that the model has nothing to say. Returns what [`Scorer::reasons`] wants to know again about this history, so
    /// that telling reasons does not score anew.
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo;

    /// For each of `products` the history product with the largest exact contribution to its score, ties to the older
    /// signal; [`NO_REASON`] where no product of the history speaks for it. Asked for the rows of one list, not for the
    /// catalogue.
    fn reasons(&self, history: &[Signal], products: &[u32], memo: &Memo) -> Vec<u32>;
}

/// What scoring a history found out that its reasons rest on: a factor per component of a blend, nothing for others.
pub type Memo = Vec<f32>;

/// A model whose score is a sum over the products of the history, so that each product's share of it can be told.
///
/// A profile is (product, weight), every product once.
pub trait Linear: Sync {
    /// Adds the score of every product, times `factor`, to `scores`.
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]);

    /// Adds what each speaker of the profile gives to each of `products`, times `factor`:
    /// `table[speaker * products.len() + place]`. Over the speakers these sum up to the scores.
    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]);
}

/// No product of the history speaks for this one.
pub const NO_REASON: u32 = u32::MAX;

/// The loudest speaker of each product from a table of contributions (see [`Linear::add_contributions`]); ties to the
/// earlier speaker, and only a contribution above 0 is a reason.
pub fn loudest(profile: &[(u32, f32)], products: usize, table: &[f32]) -> Vec<u32> {
    (0..products)
        .map(|place| {
            let mut best = (NO_REASON, 0.0f32);
            for (speaker, &(product, _)) in profile.iter().enumerate() {
                let given = table[speaker * products + place];
                if given > best.1 {
                    best = (product, given);
                }
            }
            best.0
        })
        .collect()
}

/// The reasons of a model that is [`Linear`] over one profile.
pub(super) fn reasons_of(model: &impl Linear, profile: &[(u32, f32)], products: &[u32]) -> Vec<u32> {
    let mut table = vec![0.0f32; profile.len() * products.len()];
    model.add_contributions(profile, 1.0, products, &mut table);
    loudest(profile, products.len(), &table)
}

/// The same scores for everybody: a popularity.
#[derive(Debug, Clone)]
pub struct ForAll {
    /// One score per product.
    pub scores: Vec<f32>,
}

impl Scorer for ForAll {
    fn score(&self, _history: &[Signal], scores: &mut [f32]) -> Memo {
        scores.copy_from_slice(&self.scores);
        Memo::new()
    }

    fn reasons(&self, _history: &[Signal], products: &[u32], _: &Memo) -> Vec<u32> {
        vec![NO_REASON; products.len()]
    }
}

/// A linear model over one profile of the history.
#[derive(Debug, Clone, Copy)]
pub struct Alone<M> {
    /// The model.
    pub model: M,
    /// How the history is weighted.
    pub decay: Decay,
}

impl<M: Linear> Scorer for Alone<M> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        self.model.add_scores(&self.decay.profile(history), 1.0, scores);
        Memo::new()
    }

    fn reasons(&self, history: &[Signal], products: &[u32], _: &Memo) -> Vec<u32> {
        reasons_of(&self.model, &self.decay.profile(history), products)
    }
}

impl<M: Linear + ?Sized> Linear for &M {
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]) {
        (**self).add_scores(profile, factor, scores);
    }

    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]) {
        (**self).add_contributions(profile, factor, products, table);
    }
}

impl<M: Linear + ?Sized> Linear for Box<M> {
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]) {
        (**self).add_scores(profile, factor, scores);
    }

    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]) {
        (**self).add_contributions(profile, factor, products, table);
    }
}
