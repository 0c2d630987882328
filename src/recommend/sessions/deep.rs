//! The networks of a night: 'rnn', and 'cnn+rnn', which reads the products' texts as well.
//!
//! [`super::network`] learns a vector a product from sessions alone, so it says little of what few have met and nothing of what is new.
//! 'cnn+rnn' is the same network with vectors that lean on the text: a [convolutional encoder](crate::recommend::cnn) learns from
//! the products that were met five times what the network made of them, and the vector of a product met n times becomes
//! `(n v + S t) / (n + S)`, v being its own, t the one its text promises and S = 5.
//!
//! A night learns up to three pairs: on the inner cut (from nothing, because it tunes by sessions that an older network may
//! know), on the outer cut, which judges, and on everything. Each of the latter two goes on from the one before it; a night that
//! tunes nothing goes on from [the past one](super::past) of the night before. What goes on learns half of the steps.

use super::Sessions;
use super::network::{Network, Options};
use crate::fit::{Control, FitError};
use crate::neural::random::mix;
use crate::recommend::cnn::{Reading, TextNetwork, TextOptions, teaches};

/// Sessions from which a network may learn.
pub const LEAST: usize = 500;
/// Products that a network has room for: its parameters and their moments would take more memory than a night may have.
pub const MOST_PRODUCTS: usize = 100_000;
/// Meetings from which a product's vector is one to learn from.
const KNOWN: u32 = 5;
/// So many meetings weigh as much as the text does.
const LEAN: f32 = 5.0;

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sessions alone.
    Sessions,
    /// Sessions and texts.
    Texts,
}

impl Kind {
    /// Both, the simpler first.
    pub const ALL: [Kind; 2] = [Kind::Sessions, Kind::Texts];

    /// Its name in `scores`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sessions => "rnn",
            Kind::Texts => "cnn+rnn",
        }
    }

    /// The name of the blend in which it takes part.
    pub fn blend(self) -> &'static str {
        match self {
            Kind::Sessions => "session_blend+rnn",
            Kind::Texts => "session_blend+cnn+rnn",
        }
    }

    /// Which network a model of this name wants.
    pub fn of_model(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| [kind.name(), kind.blend()].contains(&name))
    }
}

/// How the networks of a night are learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Deep<'a> {
    /// The session network.
    pub rnn: Options,
    /// The products' texts and how they are learned from; none = no 'cnn+rnn'.
    pub texts: Option<(&'a [Reading], TextOptions)>,
    /// What the night may go on from: when the first session began that it does not know, and its parameters.
    pub past: Option<(i64, Vec<f32>)>,
}

/// What a pair is learned for; names its checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Tuning.
    Inner,
    /// Judging.
    Past,
    /// Tonight's lists.
    Tonight,
}

impl Purpose {
    fn checkpoint(self, kind: Kind) -> String {
        let cut = match self {
            Purpose::Inner => "the inner cut",
            Purpose::Past => "the past",
            Purpose::Tonight => "tonight",
        };
        format!("{} of {cut}", kind.name())
    }
}

/// A learned pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Networks {
    /// Of sessions alone; what another goes on from.
    pub rnn: Network,
    /// With the texts, if they were asked for and there was enough to learn from.
    pub texts: Option<Network>,
}

impl Networks {
    /// The network of a kind.
    pub fn get(&self, kind: Kind) -> Option<&Network> {
        match kind {
            Kind::Sessions => Some(&self.rnn),
            Kind::Texts => self.texts.as_ref(),
        }
    }

    /// The network of a kind, for good.
    pub fn into_network(self, kind: Kind) -> Option<Network> {
        match kind {
            Kind::Sessions => Some(self.rnn),
            Kind::Texts => self.texts,
        }
    }
}

impl Deep<'_> {
    /// Why these sessions teach no network; none if they do.
    pub fn hindrance(sessions: &Sessions) -> Option<String> {
        if sessions.all.len() < LEAST {
            return Some(format!(
                "{} sessions to learn from, and {LEAST} are needed",
                sessions.all.len()
            ));
        }
        (sessions.products > MOST_PRODUCTS).then(|| {
            format!(
                "{} products, and there is room for {MOST_PRODUCTS}",
                sessions.products
            )
        })
    }

    /// Whether a network of this kind can be learned from these sessions (and so from more of them).
    pub fn can(&self, kind: Kind, sessions: &Sessions) -> bool {
        let known = || -> Vec<bool> { met(sessions).iter().map(|&n| n >= KNOWN).collect() };
        match (kind, &self.texts) {
            (Kind::Sessions, _) => true,
            (Kind::Texts, Some((readings, _))) => teaches(readings, &known()),
            (Kind::Texts, None) => false,
        }
    }

    /// Where the network of a night that tunes nothing goes on: the past one, if it knows nothing from `until` on.
    pub fn start(&self, until: i64) -> Option<Vec<f32>> {
        let past = self.past.as_ref().filter(|_| self.goes_on(until));
        past.map(|(_, params)| params.clone())
    }

    /// Whether there is such a past one.
    pub fn goes_on(&self, until: i64) -> bool {
        self.past.as_ref().is_some_and(|(own, _)| *own <= until)
    }

    /// Learns from these sessions, from `start` or from nothing; the texts only if they are wanted.
    ///
    /// # Errors
    /// Stopped, or nothing to learn from.
    pub fn learn(
        &self,
        sessions: &Sessions,
        start: Option<Vec<f32>>,
        texts: bool,
        purpose: Purpose,
        control: &Control,
    ) -> Result<Networks, FitError> {
        let mut options = self.rnn.clone();
        options.checkpoint = Some(purpose.checkpoint(Kind::Sessions));
        options.seed = mix(options.seed, purpose as u64);
        if start.is_some() {
            options.steps = options.steps.div_ceil(2);
        }
        let rnn = Network::learn(sessions, &options, start, control)?;
        let texts = match &self.texts {
            Some((readings, options)) if texts && self.can(Kind::Texts, sessions) => {
                let met = met(sessions);
                let known: Vec<bool> = met.iter().map(|&n| n >= KNOWN).collect();
                let options = TextOptions {
                    checkpoint: Some(purpose.checkpoint(Kind::Texts)),
                    ..options.clone()
                };
                let (vectors, width) = rnn.vectors();
                let encoder = TextNetwork::learn(readings, vectors, width, &known, &options, control)?;
                let all: Vec<&Reading> = readings.iter().collect();
                Some(rnn.leaning_on(&encoder.vectors(&all), &met, LEAN))
            }
            _ => None,
        };
        Ok(Networks { rnn, texts })
    }
}

/// How often every product was met.
fn met(sessions: &Sessions) -> Vec<u32> {
    let mut met = vec![0u32; sessions.products];
    let products = sessions.all.iter().flatten();
    products.for_each(|&product| met[product as usize] += 1);
    met
}

impl Network {
    /// The vectors of all products, one after the other, and their width.
    fn vectors(&self) -> (&[f32], usize) {
        let items = &self.shape.items;
        (items.table.of(&self.params), items.width)
    }

    /// The same network, the vector of a product met n times being `(n v + lean t) / (n + lean)`, t from `texts`.
    fn leaning_on(&self, texts: &[f32], met: &[u32], lean: f32) -> Network {
        let mut network = self.clone();
        let items = &network.shape.items;
        let vectors = items
            .table
            .of_mut(&mut network.params)
            .chunks_exact_mut(items.width);
        for ((vector, text), &n) in vectors.zip(texts.chunks_exact(items.width)).zip(met) {
            let own = n as f32 / (n as f32 + lean);
            for (v, t) in vector.iter_mut().zip(text) {
                *v = own * *v + (1.0 - own) * t;
            }
        }
        network
    }
}
