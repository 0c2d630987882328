//! The blend: several personal models, the lift of recent demand multiplied in, recent popularity added.
//!
//! `personal(u, j) = Σ_m w_m s_m(u, j) / max_j s_m(u, j)` over the components m, each over its own faded profile of the
//! history, the maxima over products that are not in it; then
//! `score(u, j) = personal(u, j) lift(j) / max_j(…) + w_pop pop(j)`.
//! Dividing by the user's own maximum makes models comparable that speak in different units, and makes one set of weights fit
//! users of long and of short histories. Without any personal score the popularity alone remains.

use super::fitted::Models;
use super::history::Signal;
use super::models::{Linear, Memo, Scorer, loudest};
use super::neighbours::{Nearest, Neighbours};
use super::profile::Decay;
use super::settings::{ALS, BASKETS, COMPONENTS, COSINE, EASE, Settings, WORDS};

/// Neighbours of each product that vote in the item cosine.
const COSINE_K: usize = 100;

/// One component: a linear model over its own profile.
struct Voice<'a> {
    weight: f32,
    decay: Decay,
    model: Box<dyn Linear + 'a>,
}

/// The component number `number` over fitted models and the nearest texts.
pub fn component<'a>(models: &'a Models, words: &'a Neighbours, number: usize) -> Box<dyn Linear + 'a> {
    match number {
        EASE => Box::new(&models.ease),
        BASKETS => Box::new(&models.baskets),
        ALS => Box::new(&models.als),
        COSINE => Box::new(Nearest {
            lists: &models.behaviour,
            k: COSINE_K,
        }),
        WORDS => Box::new(Nearest {
            lists: words,
            k: usize::MAX,
        }),
        _ => unreachable!("COMPONENTS names all"),
    }
}

/// A blend of fitted models with its numbers.
pub struct Blend<'a> {
    voices: Vec<Voice<'a>>,
    lift: Vec<f32>,
    popularity: Vec<f32>,
    popularity_weight: f32,
}

impl std::fmt::Debug for Blend<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weights: Vec<f32> = self.voices.iter().map(|voice| voice.weight).collect();
        f.debug_struct("Blend")
            .field("weights", &weights)
            .finish_non_exhaustive()
    }
}

impl<'a> Blend<'a> {
    /// Components of weight 0 are left out and cost nothing.
    pub fn new(models: &'a Models, words: &'a Neighbours, settings: &Settings) -> Blend<'a> {
        let voices = (0..COMPONENTS.len())
            .filter(|&number| settings.weights[number] > 0.0)
            .map(|number| Voice {
                weight: settings.weights[number] as f32,
                decay: Decay {
                    tau_days: settings.tau_days[number],
                    from: models.age_from,
                },
                model: component(models, words, number),
            });
        Blend {
            voices: voices.collect(),
            lift: models.demand.lift(
                usize::from(settings.lift_window),
                settings.lift_prior,
                settings.lift_power,
            ),
            popularity: models.demand.popularity(usize::from(settings.popularity_window)),
            popularity_weight: settings.popularity as f32,
        }
    }

    /// The factor that brings a component's scores to at most 1: over products outside the history, 0 where nothing is
    /// positive.
    fn scale(history: &[Signal], scores: &mut [f32]) -> f32 {
        let own: Vec<f32> = history
            .iter()
            .map(|signal| std::mem::replace(&mut scores[signal.product as usize], 0.0))
            .collect();
        let largest = scores.iter().copied().fold(0.0, f32::max);
        for (signal, score) in history.iter().zip(own) {
            scores[signal.product as usize] = score;
        }
        if largest > 0.0 && largest.is_finite() {
            1.0 / largest
        } else {
            0.0
        }
    }
}

impl Scorer for Blend<'_> {
    fn score(&self, history: &[Signal], scores: &mut [f32]) -> Memo {
        let mut own = vec![0.0f32; scores.len()];
        let mut memo = Memo::with_capacity(self.voices.len());
        for voice in &self.voices {
            own.fill(0.0);
            voice
                .model
                .add_scores(&voice.decay.profile(history), 1.0, &mut own);
            let factor = voice.weight * Blend::scale(history, &mut own);
            if factor > 0.0 {
                for (score, &x) in scores.iter_mut().zip(&own) {
                    *score += factor * x;
                }
            }
            memo.push(factor);
        }
        for (score, &lift) in scores.iter_mut().zip(&self.lift) {
            *score *= lift;
        }
        let scale = Blend::scale(history, scores);
        let weight = if scale > 0.0 { self.popularity_weight } else { 1.0 };
        for (score, &popularity) in scores.iter_mut().zip(&self.popularity) {
            *score = *score * scale + weight * popularity;
        }
        memo
    }

    /// Lift multiplies all contributions to a product alike and decides nothing here.
    fn reasons(&self, history: &[Signal], products: &[u32], memo: &Memo) -> Vec<u32> {
        let speakers: Vec<(u32, f32)> = history
            .iter()
            .filter(|signal| signal.strength > 0.0)
            .map(|signal| (signal.product, signal.strength))
            .collect();
        let mut table = vec![0.0f32; speakers.len() * products.len()];
        for (voice, &factor) in self.voices.iter().zip(memo) {
            // Every profile lists the same products in the same order, only faded differently.
            let profile = voice.decay.profile(history);
            if factor > 0.0 {
                voice
                    .model
                    .add_contributions(&profile, factor, products, &mut table);
            }
        }
        loudest(&speakers, products.len(), &table)
    }
}
