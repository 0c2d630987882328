//! Cold products: who will want what nobody has bought yet, told from the text alone.
//!
//! Two voices speak for a new product. The *content* voice is the article's cosine between the product's words and the
//! words of what a user has ([`super::content`]): it knows what the user's own products are called. The *encoder*'s
//! ([`super::encoder`]) is the score of the vector that the text promises: it knows what other people's purchases say
//! about words the user never met. [`Newcomers`] adds both, each scaled over the new products to mean 0 and variance 1
//! per user, `encoder + content weight · content`.
//!
//! Beside them stand the content voice alone, the *nearest* text: a new product is worth what the likest text of anything
//! the user has is like it ([`super::content::nearest`]), and the *network* ([`super::cnn`]) in the encoder's place. Which [`Voice`]
//! speaks in the lists, and with which numbers, [`choose`] decides on an inner cut; [`judge`] measures them all on any cut: the products that nobody in the training part has
//! are ranked among themselves, for every known user who bought one after the cut.

mod newcomers;

use rayon::prelude::*;

use super::cnn::{Reading, TextOptions};
use super::cuts::Cut;
use super::factors::Als;
use super::neighbours::Neighbours;
use super::profile::Decay;
use super::rank::best;
use crate::fit::{Control, FitError};
use crate::text::Csr;
pub use newcomers::{Newcomers, content, nearest};
use newcomers::{both, standardise};

/// What is chosen on an inner cut.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ColdSettings {
    /// The ridge of the encoder.
    pub alpha: f32,
    /// The weight of the content voice beside the encoder's.
    pub content: f32,
    /// The same beside the network's.
    pub network_content: f32,
}

impl Default for ColdSettings {
    fn default() -> ColdSettings {
        ColdSettings {
            alpha: 1.0,
            content: 0.4,
            network_content: 0.4,
        }
    }
}

/// Who speaks for new products in the lists, the simpler first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Voice {
    /// The nearest text of anything the customer has.
    Nearest,
    /// The article's content cosine.
    Content,
    /// [`Newcomers`] by the encoder.
    Encoder,
    /// [`Newcomers`] by the network.
    Network,
}

impl Voice {
    /// All, the simpler first.
    pub const ALL: [Voice; 4] = [Voice::Nearest, Voice::Content, Voice::Encoder, Voice::Network];

    /// Its name in `scores`.
    pub fn name(self) -> &'static str {
        match self {
            Voice::Nearest => "nearest_text",
            Voice::Content => "content_cosine",
            Voice::Encoder => "text_encoder",
            Voice::Network => "cnn",
        }
    }
}

/// What an inner cut chose.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// Who speaks.
    pub voice: Voice,
    /// The numbers of encoder and network, whether they speak or not.
    pub settings: ColdSettings,
}

impl Choice {
    /// Whether the numbers can be used: what is read back from a file is not trusted.
    pub fn is_sane(&self) -> bool {
        let ColdSettings {
            alpha,
            content,
            network_content,
        } = self.settings;
        let weight = |x: f32| x >= 0.0 && x.is_finite();
        alpha > 0.0 && alpha.is_finite() && weight(content) && weight(network_content)
    }
}

/// Users that must be asked before anything but the nearest text may speak.
const LEAST_USERS: usize = 20;

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
    /// The nearest texts of every product.
    pub nearest: &'a Neighbours,
    /// As the network reads them, and how it learns; none = it is not asked.
    pub network: Option<(&'a [Reading], &'a TextOptions)>,
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
    /// The same by the nearest text.
    pub nearest: Vec<[f32; 3]>,
    /// The same by the network; nothing where it was not asked.
    pub network: Vec<[f32; 3]>,
}

impl ColdJudged {
    /// The rows of one voice.
    pub fn of(&self, voice: Voice) -> &[[f32; 3]] {
        match voice {
            Voice::Nearest => &self.nearest,
            Voice::Content => &self.content,
            Voice::Encoder => &self.encoder,
            Voice::Network => &self.network,
        }
    }

    /// The mean of metric number `metric`. 0 without users.
    pub fn mean(&self, voice: Voice, metric: usize) -> f64 {
        mean(self.of(voice), metric)
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

/// The new products of a cut by a network that learned from its training part, for [`choose`] and [`judge`]; `None` where it is not
/// asked for, or has nothing to learn from or to tell.
///
/// # Errors
/// Those of [`Newcomers::by_network`].
pub fn network(
    cut: &Cut,
    texts: &Texts<'_>,
    factors: &Als,
    least: usize,
    control: &Control,
) -> Result<Option<Newcomers>, FitError> {
    let products = Questions::of(cut, least).products;
    if products.is_empty() {
        return Ok(None);
    }
    let (known, settings) = (cut.train.seen_products(), ColdSettings::default());
    Newcomers::by_network(products, texts, factors, &known, &settings, control)
}

/// Measures all voices that are asked on the new products of a cut that have at least `least` buyers after it, with factors fitted on
/// its training part and profiles decayed by `decay`; the content cosine takes them flat, as the article does, and so does the
/// nearest text.
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
    network: Option<&Newcomers>,
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
    let network = network.map(|newcomers| newcomers.beside(settings.network_content));
    let flat = Decay::flat();
    let history = |asked: usize| cut.train.of(questions.users[asked]);
    let by_content = |asked| content(texts.words, &flat.profile(history(asked)), &questions.products);
    let by_nearest = |asked| nearest(texts.nearest, &flat.profile(history(asked)), &questions.products);
    let by_both = |asked| newcomers.scores(texts.words, factors, &decay.profile(history(asked)));
    let by_network = |newcomers: &Newcomers| {
        questions.answered(|asked| newcomers.scores(texts.words, factors, &decay.profile(history(asked))))
    };
    Ok(ColdJudged {
        network: network.as_ref().map(by_network).unwrap_or_default(),
        content: questions.answered(by_content),
        encoder: questions.answered(by_both),
        nearest: questions.answered(by_nearest),
        products: questions.products.len(),
        users: questions.users,
    })
}

/// Chooses the voice and the numbers with the best NDCG@10 on an inner cut and returns them with that; ties to the
/// simpler voice and the smaller numbers. `None` where too few users bought a new product there to choose by.
///
/// # Errors
/// Those of [`Newcomers::fit`].
pub fn choose(
    cut: &Cut,
    texts: &Texts<'_>,
    factors: &Als,
    decay: &Decay,
    least: usize,
    network: Option<&Newcomers>,
    control: &Control,
) -> Result<Option<(Choice, f64)>, FitError> {
    let questions = Questions::of(cut, least);
    let mut best = (ColdSettings::default(), 0.0);
    if questions.users.len() < LEAST_USERS {
        return Ok(None);
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
    // By the content weight that suits these newcomers best.
    let weighed = |newcomers: &Newcomers| -> Result<(f32, f64), FitError> {
        let encoded: Vec<Vec<f32>> = told
            .par_iter()
            .map(|(vector, _)| {
                let mut scores = newcomers.encoded(vector);
                standardise(&mut scores);
                scores
            })
            .collect();
        let mut best = (0.0, 0.0);
        for content in CONTENTS {
            control.check()?;
            let rows = questions.answered(|asked| both(&encoded[asked], content, &told[asked].1));
            let ndcg = mean(&rows, 0);
            if ndcg > best.1 {
                best = (content, ndcg);
            }
        }
        Ok(best)
    };
    for alpha in ALPHAS {
        let settings = ColdSettings { alpha, ..best.0 };
        let newcomers = Newcomers::fit(
            questions.products.clone(),
            texts,
            factors,
            &known,
            &settings,
            control,
        )?;
        let (content, ndcg) = weighed(&newcomers)?;
        if ndcg > best.1 {
            best = (ColdSettings { content, ..settings }, ndcg);
        }
    }
    let network = match network {
        Some(newcomers) => weighed(newcomers)?,
        None => (best.0.network_content, 0.0),
    };
    best.0.network_content = network.0;
    let flat = |asked: usize| Decay::flat().profile(cut.train.of(questions.users[asked]));
    let products = &questions.products;
    let nearest = mean(
        &questions.answered(|asked| nearest(texts.nearest, &flat(asked), products)),
        0,
    );
    let content = mean(
        &questions.answered(|asked| content(texts.words, &flat(asked), products)),
        0,
    );
    let (settings, encoder) = best;
    let mut found = (Voice::Nearest, nearest);
    let others = [
        (Voice::Content, content),
        (Voice::Encoder, encoder),
        (Voice::Network, network.1),
    ];
    for (voice, ndcg) in others {
        if ndcg > found.1 {
            found = (voice, ndcg);
        }
    }
    let (voice, ndcg) = found;
    Ok(Some((Choice { voice, settings }, ndcg)))
}

#[cfg(test)]
mod tests;
