//! Cold products: who will want what nobody has bought yet, told from the text alone.
//!
//! Two voices speak for a new product. The *content* voice is the article's cosine between the product's words and the
//! words of what a user has ([`super::content`]): it knows what the user's own products are called. The *encoder*'s
//! ([`super::encoder`]) is the score of the vector that the text promises: it knows what other people's purchases say
//! about words the user never met. [`Newcomers`] adds both, each scaled over the new products to mean 0 and variance 1
//! per user, `encoder + content weight · content`.
//!
//! [`judge`] measures this on a cut: the products that nobody in the training part has are ranked among themselves,
//! for every known user who bought one after the cut. The content cosine alone stands beside it. [`choose`] sets the two
//! numbers on an inner cut.

use rayon::prelude::*;

use super::cuts::Cut;
use super::encoder::{Encoder, EncoderOptions};
use super::factors::Als;
use super::profile::Decay;
use super::rank::best;
use crate::fit::{Control, FitError};
use crate::text::Csr;

/// What is chosen on an inner cut.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ColdSettings {
    /// The ridge of the encoder.
    pub alpha: f32,
    /// The weight of the content voice beside the encoder's.
    pub content: f32,
}

impl Default for ColdSettings {
    fn default() -> ColdSettings {
        ColdSettings {
            alpha: 1.0,
            content: 0.4,
        }
    }
}

/// What [`choose`] tries.
const ALPHAS: [f32; 4] = [0.3, 1.0, 3.0, 10.0];
const CONTENTS: [f32; 5] = [0.0, 0.2, 0.4, 0.6, 0.8];

/// The metrics of [`ColdJudged`], in this order.
pub const COLD_METRICS: [&str; 3] = ["ndcg@10", "hr@10", "hr@20"];

/// The texts of all products, one row each, in the two forms that the voices read. Rows must be of unit length or
/// empty, as [`crate::text::TfIdf`] makes them.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// Words, for the content voice.
    pub words: &'a Csr,
    /// Words and characters, or the same again, for the encoder.
    pub features: &'a Csr,
}

/// The new products of a shop with all that is needed to score them.
#[derive(Debug, Clone)]
pub struct Newcomers {
    products: Vec<u32>,
    vectors: Vec<f32>,
    width: usize,
    content: f32,
}

impl Newcomers {
    /// Encodes `products` (ascending) after learning from the `known` ones.
    ///
    /// # Errors
    /// Those of [`Encoder::fit`].
    pub fn fit(
        products: Vec<u32>,
        texts: &Texts<'_>,
        factors: &Als,
        known: &[bool],
        settings: &ColdSettings,
        control: &Control,
    ) -> Result<Newcomers, FitError> {
        let options = EncoderOptions {
            alpha: settings.alpha,
            ..EncoderOptions::default()
        };
        let encoder = Encoder::fit(texts.features, factors, known, &options, control)?;
        Ok(Newcomers {
            vectors: encoder.vectors(texts.features, &products),
            products,
            width: factors.width(),
            content: settings.content,
        })
    }

    /// The products, ascending.
    pub fn products(&self) -> &[u32] {
        &self.products
    }

    /// The vector that the text of product number `place` promises; on the scale of [`Als::item`].
    pub fn vector(&self, place: usize) -> &[f32] {
        &self.vectors[place * self.width..][..self.width]
    }

    /// The score of every new product for a profile of (product, weight). Only the order means something.
    pub fn scores(&self, words: &Csr, factors: &Als, profile: &[(u32, f32)]) -> Vec<f32> {
        let mut scores = self.encoded(&factors.fold_in(profile));
        standardise(&mut scores);
        if self.content == 0.0 {
            return scores;
        }
        let mut content = content(words, profile, &self.products);
        standardise(&mut content);
        both(&scores, self.content, &content)
    }

    /// The encoder's voice alone, `x'ŷ` for a user's vector.
    fn encoded(&self, vector: &[f32]) -> Vec<f32> {
        self.vectors
            .chunks_exact(self.width)
            .map(|promised| promised.iter().zip(vector).map(|(y, x)| x * y).sum())
            .collect()
    }
}

/// The content cosine between a profile and each of `products`, for rows of unit length.
pub fn content(words: &Csr, profile: &[(u32, f32)], products: &[u32]) -> Vec<f32> {
    let mut own = vec![0.0f32; words.columns];
    for &(product, weight) in profile {
        let (features, values) = words.row(product as usize);
        for (&feature, &value) in features.iter().zip(values) {
            own[feature as usize] += weight * value;
        }
    }
    let length = own
        .iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum::<f64>()
        .sqrt() as f32;
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    let cosine = |&product: &u32| {
        let (features, values) = words.row(product as usize);
        let dot: f32 = features
            .iter()
            .zip(values)
            .map(|(&f, &value)| own[f as usize] * value)
            .sum();
        scale * dot
    };
    products.iter().map(cosine).collect()
}

/// To mean 0 and variance 1; scores that are all alike become 0.
fn standardise(scores: &mut [f32]) {
    let n = scores.len().max(1) as f64;
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / n;
    let variance = scores.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum::<f64>() / n;
    let scale = if variance > 1e-18 {
        1.0 / variance.sqrt()
    } else {
        0.0
    };
    for score in scores {
        *score = ((f64::from(*score) - mean) * scale) as f32;
    }
}

/// The figures of a cut.
#[derive(Debug, Clone)]
pub struct ColdJudged {
    /// The products that were ranked.
    pub products: usize,
    /// The users that were asked, ascending.
    pub users: Vec<usize>,
    /// [`COLD_METRICS`] of every user by content cosine alone.
    pub content: Vec<[f32; 3]>,
    /// The same by [`Newcomers`].
    pub encoder: Vec<[f32; 3]>,
}

impl ColdJudged {
    /// The means of metric number `metric`: content, encoder. 0 without users.
    pub fn means(&self, metric: usize) -> (f64, f64) {
        (mean(&self.content, metric), mean(&self.encoder, metric))
    }
}

fn mean(rows: &[[f32; 3]], metric: usize) -> f64 {
    rows.iter().map(|row| f64::from(row[metric])).sum::<f64>() / rows.len().max(1) as f64
}

/// What a cut asks about its new products.
struct Questions {
    products: Vec<u32>,
    users: Vec<usize>,
    /// Of every user, the places in `products` of what was bought.
    bought: Vec<Vec<u32>>,
}

impl Questions {
    /// New products with at least `least` buyers after the cut.
    fn of(cut: &Cut, least: usize) -> Questions {
        let mut buyers = vec![0usize; cut.train.products];
        cut.cold_test
            .iter()
            .flatten()
            .for_each(|&product| buyers[product as usize] += 1);
        let products: Vec<u32> = (0..buyers.len() as u32)
            .filter(|&product| buyers[product as usize] >= least.max(1))
            .collect();
        let place = |product: &u32| products.binary_search(product).ok().map(|place| place as u32);
        let asked = cut.cold_test.iter().enumerate().filter_map(|(user, bought)| {
            let places: Vec<u32> = bought.iter().filter_map(place).collect();
            (!places.is_empty()).then_some((user, places))
        });
        let (users, bought) = asked.unzip();
        Questions {
            products,
            users,
            bought,
        }
    }

    /// The metrics of every user, from the scores over `products` for the user of each place in `users`.
    fn answered(&self, scores: impl Fn(usize) -> Vec<f32> + Sync) -> Vec<[f32; 3]> {
        let judged =
            |(asked, bought): (usize, &Vec<u32>)| of_list(&best(&scores(asked), 20, |_| true), bought);
        self.bought.par_iter().enumerate().map(judged).collect()
    }
}

/// NDCG@10, HR@10 and HR@20 of a list against what was bought (ascending).
fn of_list(list: &[(u32, f32)], bought: &[u32]) -> [f32; 3] {
    let hit: Vec<bool> = list
        .iter()
        .map(|(place, _)| bought.binary_search(place).is_ok())
        .collect();
    let discount = |rank: usize| 1.0 / (rank as f32 + 2.0).log2();
    let gained: f32 = (0..hit.len().min(10))
        .filter(|&rank| hit[rank])
        .map(discount)
        .sum();
    let perfect: f32 = (0..bought.len().min(10)).map(discount).sum();
    let any = |depth: usize| {
        if hit.iter().take(depth).any(|&h| h) {
            1.0
        } else {
            0.0
        }
    };
    [gained / perfect, any(10), any(20)]
}

/// Measures both ways on the new products of a cut that have at least `least` buyers after it, with factors fitted on
/// its training part and profiles decayed by `decay`; the content cosine takes them flat, as the article does.
///
/// # Errors
/// Those of [`Newcomers::fit`].
pub fn judge(
    cut: &Cut,
    texts: &Texts<'_>,
    factors: &Als,
    decay: &Decay,
    settings: &ColdSettings,
    least: usize,
    control: &Control,
) -> Result<ColdJudged, FitError> {
    let questions = Questions::of(cut, least);
    let known = cut.train.seen_products();
    let newcomers = Newcomers::fit(
        questions.products.clone(),
        texts,
        factors,
        &known,
        settings,
        control,
    )?;
    let flat = Decay::flat();
    let history = |asked: usize| cut.train.of(questions.users[asked]);
    let by_content = |asked| content(texts.words, &flat.profile(history(asked)), &questions.products);
    let by_both = |asked| newcomers.scores(texts.words, factors, &decay.profile(history(asked)));
    Ok(ColdJudged {
        content: questions.answered(by_content),
        encoder: questions.answered(by_both),
        products: questions.products.len(),
        users: questions.users,
    })
}

/// Chooses the settings with the best NDCG@10 on an inner cut and returns them with it; ties to the smaller
/// numbers. Without a new product the defaults stand, with an NDCG of 0.
///
/// # Errors
/// Those of [`Newcomers::fit`].
pub fn choose(
    cut: &Cut,
    texts: &Texts<'_>,
    factors: &Als,
    decay: &Decay,
    least: usize,
    control: &Control,
) -> Result<(ColdSettings, f64), FitError> {
    let questions = Questions::of(cut, least);
    let mut best = (ColdSettings::default(), 0.0);
    if questions.users.is_empty() {
        return Ok(best);
    }
    let known = cut.train.seen_products();
    // What no alpha changes: the people's vectors, and the content voice.
    let told: Vec<(Vec<f32>, Vec<f32>)> = questions
        .users
        .par_iter()
        .map(|&user| {
            let profile = decay.profile(cut.train.of(user));
            let mut content = content(texts.words, &profile, &questions.products);
            standardise(&mut content);
            (factors.fold_in(&profile), content)
        })
        .collect();
    for alpha in ALPHAS {
        let settings = ColdSettings { alpha, content: 0.0 };
        let newcomers = Newcomers::fit(
            questions.products.clone(),
            texts,
            factors,
            &known,
            &settings,
            control,
        )?;
        let encoded: Vec<Vec<f32>> = told
            .par_iter()
            .map(|(vector, _)| {
                let mut scores = newcomers.encoded(vector);
                standardise(&mut scores);
                scores
            })
            .collect();
        for content in CONTENTS {
            control.check()?;
            let rows = questions.answered(|asked| both(&encoded[asked], content, &told[asked].1));
            let ndcg = mean(&rows, 0);
            if ndcg > best.1 {
                best = (ColdSettings { alpha, content }, ndcg);
            }
        }
    }
    Ok(best)
}

/// The encoder's voice with the other beside it.
fn both(encoder: &[f32], weight: f32, content: &[f32]) -> Vec<f32> {
    encoder.iter().zip(content).map(|(e, c)| e + weight * c).collect()
}

#[cfg(test)]
mod tests;
