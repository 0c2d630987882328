//! What a reply may say: words that several customers have read, and what stands in the ticket or in the old replies at hand.
//!
//! A reply grows piece by piece, and two pieces side by side can make what neither was: `1` and `7` make 17, `A` and `-17` a code.
//! So the letters, digits and marks since the last space (or character of a script without spaces) are cut again as they
//! stand, and each figure and word in them must be one that may be said.

use super::segments::{Segment, cut, hole};
use crate::text::is_cjk;
use std::collections::BTreeSet;

/// The words and figures of one ticket and its old replies, beside the shop's.
#[derive(Debug, Clone, Default)]
pub(super) struct Sayable<'a> {
    lexicon: &'a [String],
    words: BTreeSet<String>,
    figures: BTreeSet<String>,
}

impl<'a> Sayable<'a> {
    /// What may be said with a sorted lexicon and these texts at hand.
    pub(super) fn new<'t>(lexicon: &'a [String], texts: impl Iterator<Item = &'t str>) -> Sayable<'a> {
        let mut new = Sayable {
            lexicon,
            ..Sayable::default()
        };
        for text in texts {
            cut(text, |_, segment| {
                match segment {
                    Segment::Word(word) => new.words.insert(word.to_owned()),
                    Segment::Figure(figure) => new.figures.insert(figure.to_owned()),
                    Segment::Symbol(_) => false,
                };
            });
        }
        new
    }

    fn word(&self, word: &str) -> bool {
        let known = |other: &String| other.as_str().cmp(word);
        word.starts_with(is_cjk) || self.words.contains(word) || self.lexicon.binary_search_by(known).is_ok()
    }

    /// Whether some word begins so.
    fn begins(&self, word: &str) -> bool {
        let at = self.lexicon.partition_point(|other| other.as_str() < word);
        word.starts_with(is_cjk)
            || self.lexicon.get(at).is_some_and(|other| other.starts_with(word))
            || self
                .words
                .range(word.to_owned()..)
                .next()
                .is_some_and(|other| other.starts_with(word))
    }

    /// Whether what was said since the last space may be followed by `piece`; none is the end of the reply. `tail` then holds
    /// what was said since the last space.
    pub(super) fn follow(&self, tail: &mut String, piece: Option<&str>) -> bool {
        let mut fine = true;
        let Some(piece) = piece else {
            return self.whole(tail);
        };
        let bare = piece.trim_start();
        if !bare.is_empty() && hole(bare) == Some(bare.len()) {
            // A hole is one thing, whatever words it is made of.
            let fine = self.whole(tail);
            tail.clear();
            return fine;
        }
        for letter in piece.chars() {
            if letter.is_whitespace() || is_cjk(letter) {
                fine &= self.whole(tail);
                tail.clear();
            } else {
                tail.push(letter);
            }
        }
        fine && self.part(tail)
    }

    fn whole(&self, tail: &str) -> bool {
        let mut fine = true;
        cut(tail, |_, segment| {
            fine &= match segment {
                Segment::Word(word) => self.word(word),
                Segment::Figure(figure) => self.figures.contains(figure),
                Segment::Symbol(_) => true,
            };
        });
        fine
    }

    /// The same for what may still grow: its last word must begin one, its last figure too.
    fn part(&self, tail: &str) -> bool {
        let mut found: Vec<Segment<'_>> = Vec::new();
        cut(tail, |_, segment| found.push(segment));
        let last = found.len().saturating_sub(1);
        found.into_iter().enumerate().all(|(at, segment)| match segment {
            Segment::Word(word) if at == last => self.word(word) || self.begins(word),
            Segment::Word(word) => self.word(word),
            Segment::Figure(figure) => {
                let mut from = self.figures.range(figure.to_owned()..);
                from.next().is_some_and(|other| {
                    if at == last {
                        other.starts_with(figure)
                    } else {
                        other == figure
                    }
                })
            }
            Segment::Symbol(_) => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(sayable: &Sayable<'_>, pieces: &[&str]) -> bool {
        let mut tail = String::new();
        pieces.iter().all(|piece| sayable.follow(&mut tail, Some(piece))) && sayable.follow(&mut tail, None)
    }

    #[test]
    fn figures_and_names_are_not_put_together() {
        let lexicon: Vec<String> = ["Dear", "Order", "order", "parcel", "the"]
            .map(String::from)
            .to_vec();
        let sayable = Sayable::new(
            &lexicon,
            ["I am Zoë, order 17 and A-18.", "2 or 24/7 您好"].into_iter(),
        );
        assert!(says(
            &sayable,
            &["Dear", " Zoë", ",", " the", " order", " 17", "."]
        ));
        assert!(says(
            &sayable,
            &["Dear", " Z", "oë", " 24/7", "\n\n", "the", " par", "cel"]
        ));
        assert!(says(&sayable, &["Dear", " [full name]", ",", "\n", "<tel_num>"]));
        assert!(says(&sayable, &["您好", "，", "17", "年", "2", "月"]));
        for wrong in [
            &["Dear", " Anna"][..],
            &[" 1", "7"],
            &[" 17", "2"],
            &[" 2", "17"],
            &["2", "-", "17"],
            &["A", "-", "17"],
            &[" order", "17"],
            &[" 17", "th"],
            &[" 17", "order"],
            &["the", "order"],
            &[" par"],
            &[" 19"],
            &["3", "月"],
            &["#", "18"],
            &["2", ".", "17", " the"],
        ] {
            // "1" begins 17 and may grow; what it may not is stay.
            let fine = says(&sayable, wrong);
            assert_eq!(fine, wrong == [" 1", "7"], "{wrong:?}");
        }
    }
}
