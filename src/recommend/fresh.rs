//! New products: how what nobody has bought yet is found by people.
//!
//! A model of behaviour cannot know a new product, and a list that is never shown it never learns. So a small share of the
//! places below the first ten is kept for new products: the first of them is place 11, then one of every `1 / share`.
//! Each customer gets the new products that their own history speaks for, by the voice that found the buyers of new products
//! best on the shop's own past ([`super::cold`]), with the product that speaks loudest as the reason; who liked nothing of the
//! kind (or is a visitor) gets one after the other, each customer beginning with another one, so that every new product is
//! shown to somebody. The first ten are the model's alone: what was measured there is what is shown.

use std::sync::Arc;

use super::cold::{Newcomers, content};
use super::factors::Als;
use super::history::Signal;
use super::lists::{From, Person, Row};
use super::models::NO_REASON;
use super::neighbours::Neighbours;
use super::picker::BEFORE_NEW;
use super::profile::Decay;
use crate::text::Csr;

/// Days after its creation in which a product is new.
pub const NEW_DAYS: i64 = 60;
/// Customers whose interest ends the time of being new.
pub const KNOWN_FROM: u32 = 5;
/// New products of a customer that come with a reason: more than a list has places for.
const REASONED: usize = 40;

/// Who speaks for new products.
#[derive(Debug, Clone)]
pub enum Ear<'a> {
    /// The nearest text of anything the customer likes.
    Nearest(&'a Neighbours),
    /// The article's content cosine, over the words of all products.
    Content(&'a Csr),
    /// The text encoder.
    Encoder(Box<Encoded<'a>>),
}

/// The text encoder, learned from everything.
#[derive(Debug, Clone)]
pub struct Encoded<'a> {
    /// The new products with the vectors their texts promise.
    pub newcomers: Newcomers,
    /// The words of all products.
    pub words: &'a Csr,
    /// The factors behind the vectors.
    pub factors: Arc<Als>,
    /// How histories fade.
    pub decay: Decay,
}

/// The new products of a night and their places.
#[derive(Debug, Clone)]
pub struct Fresh<'a> {
    new: Vec<u32>,
    /// The same, ascending.
    sorted: Vec<u32>,
    ear: Ear<'a>,
    step: usize,
}

impl<'a> Fresh<'a> {
    /// `new`: the new products that may be shown, the newest first. `share`: of the places below the first ten, above 0. An
    /// encoder's newcomers must be exactly those products.
    pub fn new(new: Vec<u32>, share: f64, ear: Ear<'a>) -> Fresh<'a> {
        let mut sorted = new.clone();
        sorted.sort_unstable();
        Fresh {
            new,
            sorted,
            ear,
            step: ((1.0 / share).round() as usize).max(1),
        }
    }

    /// From one place of a new product to the next.
    pub fn step(&self) -> usize {
        self.step
    }

    /// How many places a list of `rows` has for new products.
    pub fn places(&self, rows: usize) -> usize {
        rows.saturating_sub(BEFORE_NEW).div_ceil(self.step)
    }

    /// The new products for a person, best first: those that their history speaks for, then the others in turn.
    pub fn of<'s>(&'s self, person: &Person<'_>) -> impl Iterator<Item = Row> + 's {
        let liked: Vec<Signal> = person
            .history
            .iter()
            .filter(|s| s.strength > 0.0)
            .copied()
            .collect();
        let near = if liked.is_empty() || self.new.is_empty() {
            Vec::new()
        } else {
            self.spoken_for(&liked)
        };
        let mut named: Vec<u32> = near.iter().map(|entry| entry.0).collect();
        named.sort_unstable();
        let row = |product, because| Row {
            product,
            score: 0.0,
            from: From::New,
            because,
        };
        let turn = person.number.checked_rem(self.new.len()).unwrap_or(0);
        let others = self.new[turn..].iter().chain(&self.new[..turn]).copied();
        let others = others.filter(move |product| named.binary_search(product).is_err());
        near.into_iter()
            .map(move |(product, because)| row(product, Some(because)))
            .chain(others.map(move |product| row(product, None)))
    }

    /// (new product, the product of the history that speaks loudest for it), best first; those that none speaks for are not in it.
    fn spoken_for(&self, history: &[Signal]) -> Vec<(u32, u32)> {
        match &self.ear {
            Ear::Nearest(texts) => {
                let mut near: Vec<(u32, f32, u32)> = Vec::new();
                for signal in history {
                    for voice in texts.spoken_for(signal.product as usize, usize::MAX) {
                        if self.sorted.binary_search(&voice.product).is_ok() {
                            near.push((voice.product, voice.similarity, signal.product));
                        }
                    }
                }
                // Per product its nearest reason, then the nearest products first.
                near.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                near.dedup_by_key(|entry| entry.0);
                near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                near.into_iter()
                    .map(|(product, _, because)| (product, because))
                    .collect()
            }
            Ear::Content(words) => {
                let profile = Decay::flat().profile(history);
                let scores = content(words, &profile, &self.sorted);
                let loudest = |place: usize| {
                    let given = |&(product, weight): &(u32, f32)| {
                        (
                            product,
                            weight * words.dot(product as usize, self.sorted[place] as usize),
                        )
                    };
                    let mut best = (NO_REASON, 0.0);
                    for (product, given) in profile.iter().map(given) {
                        if given > best.1 {
                            best = (product, given);
                        }
                    }
                    best.0
                };
                self.reasoned(&scores, |places| {
                    places.iter().map(|&place| loudest(place)).collect()
                })
            }
            Ear::Encoder(encoded) => {
                let Encoded {
                    newcomers,
                    words,
                    factors,
                    decay,
                } = &**encoded;
                let profile = decay.profile(history);
                let scores = newcomers.scores(words, factors, &profile);
                self.reasoned(&scores, |places| {
                    newcomers.reasons(words, factors, &profile, places)
                })
            }
        }
    }

    /// The best by `scores` (of [`Fresh::sorted`]), with the reasons of their places.
    fn reasoned(&self, scores: &[f32], reasons: impl Fn(&[usize]) -> Vec<u32>) -> Vec<(u32, u32)> {
        let best = super::rank::best(scores, REASONED, |_| true);
        let places: Vec<usize> = best.iter().map(|&(place, _)| place as usize).collect();
        let told = places.iter().zip(reasons(&places));
        told.filter(|&(_, because)| because != NO_REASON)
            .map(|(&place, because)| (self.sorted[place], because))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::Signal;
    use super::*;

    #[test]
    fn the_nearest_by_words_first_then_everybody_begins_elsewhere() {
        // 3, 4 and 5 are new; 4 reads like 0, 3 a little like 1.
        let words = Neighbours::from_rows(
            2,
            vec![
                vec![],
                vec![],
                vec![],
                vec![(1, 0.3)],
                vec![(0, 0.8), (1, 0.1)],
                vec![],
            ],
        );
        let fresh = Fresh::new(vec![5, 3, 4], 0.05, Ear::Nearest(&words));
        assert_eq!(
            (
                fresh.places(10),
                fresh.places(11),
                fresh.places(31),
                fresh.places(125)
            ),
            (0, 1, 2, 6)
        );
        let liked = |product| Signal {
            product,
            strength: 1.0,
            first: 0,
            line: 0,
            last: 0,
            bought: true,
            dismissed: false,
        };
        let history = [liked(0), liked(1)];
        let person = Person {
            history: &history,
            ..Person::default()
        };
        let found = |person: &Person<'_>| {
            let rows = fresh.of(person);
            rows.map(|row| (row.product, row.because)).collect::<Vec<_>>()
        };
        assert_eq!(found(&person), [(4, Some(0)), (3, Some(1)), (5, None)]);
        let visitor = Person {
            number: 1,
            ..Person::default()
        };
        assert_eq!(found(&visitor), [(3, None), (4, None), (5, None)]);
        assert_eq!(
            Fresh::new(vec![], 0.05, Ear::Nearest(&words)).of(&person).count(),
            0
        );
    }
}
