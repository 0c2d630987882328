//! New products: how what nobody has bought yet is found by people.
//!
//! A model of behaviour cannot know a new product, and a list that is never shown it never learns. So a small share of the
//! places below the first ten is kept for new products: the first of them is place 11, then one of every `1 / share`.
//! Each customer gets the new products whose words are nearest to what they liked, with that product as the reason; who
//! liked nothing of the kind (or is a visitor) gets one after the other, each customer beginning with another one, so that
//! every new product is shown to somebody. The first ten are the model's alone: what was measured there is what is shown.

use super::lists::{From, Person, Row};
use super::neighbours::Neighbours;
use super::picker::BEFORE_NEW;

/// Days after its creation in which a product is new.
pub const NEW_DAYS: i64 = 60;
/// Customers whose interest ends the time of being new.
pub const KNOWN_FROM: u32 = 5;

/// The new products of a night and their places.
#[derive(Debug, Clone)]
pub struct Fresh<'a> {
    new: Vec<u32>,
    is_new: Vec<bool>,
    words: &'a Neighbours,
    step: usize,
}

impl<'a> Fresh<'a> {
    /// `new`: the new products that may be shown, the newest first. `share`: of the places below the first ten, above 0.
    pub fn new(new: Vec<u32>, share: f64, words: &'a Neighbours) -> Fresh<'a> {
        let mut is_new = vec![false; words.products()];
        new.iter().for_each(|&product| is_new[product as usize] = true);
        Fresh {
            new,
            is_new,
            words,
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

    /// The new products for a person, best first: those nearest by words to what they like, then the others in turn.
    pub fn of<'s>(&'s self, person: &Person<'_>) -> impl Iterator<Item = Row> + 's {
        let mut near: Vec<(u32, f32, u32)> = Vec::new();
        for signal in person.history.iter().filter(|s| s.strength > 0.0) {
            for voice in self.words.spoken_for(signal.product as usize, usize::MAX) {
                if self.is_new[voice.product as usize] {
                    near.push((voice.product, voice.similarity, signal.product));
                }
            }
        }
        // Per product its nearest reason, then the nearest products first.
        near.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        near.dedup_by_key(|entry| entry.0);
        let named: Vec<u32> = near.iter().map(|entry| entry.0).collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
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
            .map(move |(product, _, because)| row(product, Some(because)))
            .chain(others.map(move |product| row(product, None)))
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
        let fresh = Fresh::new(vec![5, 3, 4], 0.05, &words);
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
        assert_eq!(Fresh::new(vec![], 0.05, &words).of(&person).count(), 0);
    }
}
