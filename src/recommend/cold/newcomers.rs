//! Newcomers: the scores of new products for one history, by each voice, and the reasons for them.

use super::{ColdSettings, Texts};
use crate::fit::{Control, FitError};
use crate::recommend::cnn::{Reading, TextNetwork, teaches};
use crate::recommend::encoder::{Encoder, EncoderOptions};
use crate::recommend::factors::Als;
use crate::recommend::models::loudest;
use crate::recommend::neighbours::Neighbours;
use crate::text::Csr;

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

    /// The same by the network; `None` where it is not asked for or has too little to learn from.
    ///
    /// # Errors
    /// Those of [`TextNetwork::learn`].
    pub fn by_network(
        products: Vec<u32>,
        texts: &Texts<'_>,
        factors: &Als,
        known: &[bool],
        settings: &ColdSettings,
        control: &Control,
    ) -> Result<Option<Newcomers>, FitError> {
        let Some((readings, options)) = texts.network.filter(|(readings, _)| teaches(readings, known)) else {
            return Ok(None);
        };
        let width = factors.width();
        let vectors: Vec<f32> = (0..factors.products())
            .flat_map(|product| factors.item(product))
            .copied()
            .collect();
        let network = TextNetwork::learn(readings, &vectors, width, known, options, control)?;
        let asked: Vec<&Reading> = products
            .iter()
            .map(|&product| &readings[product as usize])
            .collect();
        Ok(Some(Newcomers {
            vectors: network.vectors(&asked),
            products,
            width,
            content: settings.network_content,
        }))
    }

    /// The same with another weight of the content voice.
    pub(super) fn beside(&self, content: f32) -> Newcomers {
        Newcomers {
            content,
            ..self.clone()
        }
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

    /// For each of `places` (of [`Newcomers::products`]) the product of the profile with the largest exact contribution to its
    /// score; [`NO_REASON`](crate::recommend::models::NO_REASON) where none speaks for it.
    pub fn reasons(&self, words: &Csr, factors: &Als, profile: &[(u32, f32)], places: &[usize]) -> Vec<u32> {
        let targets: Vec<&[f32]> = places.iter().map(|&place| self.vector(place)).collect();
        let mut table = vec![0.0f32; profile.len() * places.len()];
        let (_, scale) = moments(&self.encoded(&factors.fold_in(profile)));
        factors.add_contributions_to(&targets, profile, scale as f32, &mut table);
        if self.content > 0.0 {
            let (own, length) = own_words(words, profile);
            let (_, scale) = moments(&cosines(words, &own, length, &self.products));
            let factor = self.content * length * scale as f32;
            for (speaker, &(product, weight)) in profile.iter().enumerate() {
                for (at, &place) in places.iter().enumerate() {
                    let alike = words.dot(product as usize, self.products[place] as usize);
                    table[speaker * places.len() + at] += factor * weight * alike;
                }
            }
        }
        loudest(profile, places.len(), &table)
    }

    /// The encoder's voice alone, `x'ŷ` for a user's vector.
    pub(super) fn encoded(&self, vector: &[f32]) -> Vec<f32> {
        self.vectors
            .chunks_exact(self.width)
            .map(|promised| promised.iter().zip(vector).map(|(y, x)| x * y).sum())
            .collect()
    }
}

/// The content cosine between a profile and each of `products`, for rows of unit length.
pub fn content(words: &Csr, profile: &[(u32, f32)], products: &[u32]) -> Vec<f32> {
    let (own, length) = own_words(words, profile);
    cosines(words, &own, length, products)
}

/// The words of a profile, and 1 over the length of that vector (0 where it has none).
fn own_words(words: &Csr, profile: &[(u32, f32)]) -> (Vec<f32>, f32) {
    let mut own = vec![0.0f32; words.columns];
    for &(product, weight) in profile {
        let (features, values) = words.row(product as usize);
        for (&feature, &value) in features.iter().zip(values) {
            own[feature as usize] += weight * value;
        }
    }
    let squares = own.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
    let length = squares.sqrt() as f32;
    (own, if length > 0.0 { 1.0 / length } else { 0.0 })
}

fn cosines(words: &Csr, own: &[f32], scale: f32, products: &[u32]) -> Vec<f32> {
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

/// The likeness of each of `products` (ascending) to the text of the profile's that is nearest to it.
pub fn nearest(texts: &Neighbours, profile: &[(u32, f32)], products: &[u32]) -> Vec<f32> {
    let mut scores = vec![0.0f32; products.len()];
    for &(product, _) in profile.iter().filter(|&&(_, weight)| weight > 0.0) {
        for voice in texts.spoken_for(product as usize, usize::MAX) {
            if let Ok(place) = products.binary_search(&voice.product) {
                scores[place] = scores[place].max(voice.similarity);
            }
        }
    }
    scores
}

/// The mean, and 1 over the standard deviation; 0 for the latter where all are alike.
fn moments(scores: &[f32]) -> (f64, f64) {
    let n = scores.len().max(1) as f64;
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / n;
    let variance = scores.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum::<f64>() / n;
    (
        mean,
        if variance > 1e-18 {
            1.0 / variance.sqrt()
        } else {
            0.0
        },
    )
}

/// To mean 0 and variance 1; scores that are all alike become 0.
pub(super) fn standardise(scores: &mut [f32]) {
    let (mean, scale) = moments(scores);
    for score in scores {
        *score = ((f64::from(*score) - mean) * scale) as f32;
    }
}

/// The encoder's voice with the other beside it.
pub(super) fn both(encoder: &[f32], weight: f32, content: &[f32]) -> Vec<f32> {
    encoder.iter().zip(content).map(|(e, c)| e + weight * c).collect()
}
