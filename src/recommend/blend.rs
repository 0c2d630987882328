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
        ALS => Box::new(models.als.as_ref()),
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

    /// What recent demand multiplies the score of every product by.
    pub(super) fn lift(&self) -> &[f32] {
        &self.lift
    }

    /// The factor that brings a component's scores to at most 1: over products outside the history, 0 where nothing is
    /// positive.
    pub(super) fn scale(history: &[Signal], scores: &mut [f32]) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::super::cuts::Cut;
    use super::super::fitted::Limits;
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::super::models::NO_REASON;
    use super::super::purpose::Purpose;
    use super::*;
    use crate::fit::Control;

    /// Thirty people of two tastes over twelve products; product 11 is nobody's.
    fn log() -> Log {
        let mut random = fastrand::Rng::with_seed(5);
        let mut events = Vec::new();
        for user in 0..30u32 {
            for line in 0..6 {
                let product = if random.f32() < 0.8 { user % 2 * 5 } else { 0 } + random.u32(0..6);
                events.push(Interaction {
                    user: Some(user),
                    product,
                    kind: Kind::Purchase,
                    quantity: 1.0,
                    rating: 0.0,
                    at: i64::from(line) * 900_000 + i64::from(user),
                    basket: user * 10 + line / 2,
                    line: user * 10 + line,
                });
            }
        }
        Log::new(31, 12, events)
    }

    fn models(log: &Log, cut: &Cut, settings: &Settings) -> Models {
        let limits = Limits::full(100);
        Models::fit(
            log,
            cut,
            Purpose::NextWeeks,
            settings,
            limits,
            &Control::unbounded(),
        )
        .unwrap()
    }

    #[test]
    fn every_component_reaches_its_weight_and_popularity_is_added() {
        let (log, words) = (log(), Neighbours::from_rows(1, vec![Vec::new(); 12]));
        let cut = Cut::none(&log, &Strengths::default());
        let only = |number: usize| {
            let mut settings = Settings::start(Purpose::NextWeeks);
            settings.weights = [0.0; COMPONENTS.len()];
            settings.weights[number] = 2.0;
            (settings.lift_power, settings.popularity) = (0.0, 0.0);
            settings
        };
        for number in [EASE, BASKETS, ALS, COSINE] {
            let settings = only(number);
            let models = models(&log, &cut, &settings);
            let history = cut.train.of(0);
            let mut scores = vec![0.0; 12];
            Blend::new(&models, &words, &settings).score(history, &mut scores);
            let outside = (0..12u32).filter(|p| history.iter().all(|s| s.product != *p));
            let largest = outside.map(|p| scores[p as usize]).fold(0.0, f32::max);
            assert!((largest - 1.0).abs() < 1e-5, "{}: {largest}", COMPONENTS[number]);
        }
        // Who has no history hears popularity alone, at its full size.
        let settings = Settings::start(Purpose::NextWeeks);
        let models = models(&log, &cut, &settings);
        let mut scores = vec![0.0; 12];
        Blend::new(&models, &words, &settings).score(cut.train.of(30), &mut scores);
        assert_eq!(
            scores,
            models.demand.popularity(usize::from(settings.popularity_window))
        );
    }

    #[test]
    fn the_reason_is_the_speaker_without_whom_the_score_falls_most() {
        let (log, words) = (log(), Neighbours::from_rows(1, vec![vec![(0, 0.5)]; 12]));
        let cut = Cut::none(&log, &Strengths::default());
        let mut settings = Settings::start(Purpose::NextWeeks);
        settings.weights[ALS] = 0.0; // of the others each speaker's share does not hang on who else speaks
        let models = models(&log, &cut, &settings);
        let blend = Blend::new(&models, &words, &settings);
        let history = cut.train.of(3);
        let memo = blend.score(history, &mut [0.0; 12]);
        let everything: Vec<u32> = (0..12).collect();
        let reasons = blend.reasons(history, &everything, &memo);
        for (product, &reason) in reasons.iter().enumerate() {
            let share = |signal: &Signal| {
                let mut sum = 0.0;
                for (voice, factor) in blend.voices.iter().zip(&memo) {
                    let mut own = vec![0.0; 12];
                    voice
                        .model
                        .add_scores(&[(signal.product, 1.0)], *factor, &mut own);
                    sum += own[product];
                }
                sum
            };
            let best = history.iter().map(share).fold(0.0f32, f32::max);
            match history.iter().find(|signal| signal.product == reason) {
                Some(signal) => assert!((share(signal) - best).abs() < 1e-5),
                None => assert!(reason == NO_REASON && best <= 1e-6),
            }
        }
    }
}
