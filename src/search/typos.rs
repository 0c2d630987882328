//! What a misspelt word may have meant.
//!
//! The words of the index that differ from the word asked for by one letter added, left out, changed or exchanged with
//! its neighbour; by two from eight letters on, by none below four or above [`LONGEST`]. Never a word with a digit, which is a number or a code,
//! where another is another order; never a script without spaces, where another character is another word; never what
//! stands in quotation marks, begins a word, is negated or searched in the notes.
//!
//! Such words are looked for only after what was written has been, and only where that did not give as many documents
//! as were asked for. They are found by a walk through the dictionary of each segment, or, where that has been done so often that
//! it pays, among its words in order ([`super::vocabulary`]): the same words.

use std::collections::BTreeMap;
use std::sync::Arc;

use tantivy::query::{DfaWrapper, FuzzyTermQuery};
use tantivy::{InvertedIndexReader, Searcher, TantivyError};

use super::document::{Fields, Kind};
use super::query::{Alternative, Leaf, Query, Words};
use super::segment::Segment;
use crate::text::is_cjk;

/// Words of a query that are looked at.
const MOST_WORDS: usize = 8;
/// Letters of the longest word that is corrected: what costs is to prepare for two mistakes in so many letters.
pub(super) const LONGEST: usize = 40;
/// What a word may have meant, at most; nearer ones before frequent ones.
const MOST_MEANT: usize = 12;

/// The first character of the scripts without spaces ([`crate::text::is_cjk`]).
pub(super) const FIRST_CJK: char = '\u{1100}';

/// The query with what its words may have meant, or none if that adds nothing.
pub(super) fn tolerant(
    query: &Query,
    searcher: &Searcher,
    segments: &[Arc<Segment>],
    fields: &Fields,
    kind: Kind,
) -> tantivy::Result<Option<Query>> {
    let mut tolerant = query.clone();
    let (mut words_left, mut added) = (MOST_WORDS, false);
    let mut dictionaries = Dictionaries {
        searcher,
        segments,
        fields,
        kind,
        may_order: true,
    };
    for clause in &mut tolerant.clauses {
        for i in 0..clause.any.len() {
            let one = &clause.any[i];
            // A synonym was written by the shop, and `weight` tells it from what was asked.
            let Leaf::Words(words) = &one.leaf else { continue };
            let Some(distance) = allowed(words) else { continue };
            if one.not || one.weight != 1.0 || words_left == 0 {
                continue;
            }
            words_left -= 1;
            for (word, distance) in dictionaries.meant(&words.terms[0].1, distance)? {
                added = true;
                clause.any.push(Alternative {
                    not: false,
                    weight: 1.0 / (1 + distance) as f32,
                    leaf: Leaf::Words(Words {
                        folded: word.clone(),
                        quoted: false,
                        notes: false,
                        terms: vec![(0, word)],
                        prefix: false,
                    }),
                });
            }
        }
    }
    Ok(added.then_some(tolerant))
}

/// How many letters a word may be wrong by; none means that it is taken as it is.
fn allowed(words: &Words) -> Option<usize> {
    let [(_, word)] = words.terms.as_slice() else {
        return None;
    };
    if words.quoted || words.prefix || words.notes || word.chars().any(|c| c.is_numeric() || is_cjk(c)) {
        return None;
    }
    match word.chars().count() {
        0..4 => None,
        4..8 => Some(1),
        8..=LONGEST => Some(2),
        _ => None,
    }
}

/// Whether a word of the index can be what a misspelt one means.
pub(super) fn can_be_meant(word: &str) -> bool {
    !word.chars().any(|c| c.is_numeric() || is_cjk(c))
}

/// Where words are looked for.
struct Dictionaries<'a> {
    searcher: &'a Searcher,
    segments: &'a [Arc<Segment>],
    fields: &'a Fields,
    kind: Kind,
    /// Whether a segment's words may be put in order.
    may_order: bool,
}

impl Dictionaries<'_> {
    /// The words of the index within the distance, nearest first, then the most frequent.
    fn meant(&mut self, word: &str, most: usize) -> tantivy::Result<Vec<(String, usize)>> {
        let mut automaton: Option<DfaWrapper> = None;
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        let mut add = |text: &str, documents: u32| match found.get_mut(text) {
            Some(sum) => *sum += u64::from(documents),
            None => {
                found.insert(text.to_owned(), u64::from(documents));
            }
        };
        for (reader, segment) in self.searcher.segment_readers().iter().zip(self.segments) {
            let inverted = reader.inverted_index(self.fields.text)?;
            if word.starts_with(|c| c < FIRST_CJK)
                && let Some(words) = segment.words(&inverted, self.kind, most, &mut self.may_order)?
            {
                words.each_near(word, &mut add);
                continue;
            }
            let automaton = match &mut automaton {
                Some(automaton) => automaton,
                none => none.insert(
                    FuzzyTermQuery::new(self.fields.word(self.kind, word), most as u8, true).automaton()?,
                ),
            };
            walk(&inverted, automaton, self.kind, word, &mut add)?;
        }
        let letters: Vec<char> = word.chars().collect();
        let mut ranked: Vec<(usize, u64, String)> = found
            .into_iter()
            .map(|(text, documents)| {
                let other: Vec<char> = text.chars().collect();
                (distance(&letters, &other), documents, text)
            })
            .collect();
        ranked.sort_by(|a, b| (a.0, b.1, &a.2).cmp(&(b.0, a.1, &b.2)));
        ranked.truncate(MOST_MEANT);
        Ok(ranked
            .into_iter()
            .map(|(distance, _, text)| (text, distance))
            .collect())
    }
}

/// Calls `each` with the words of a segment that the automaton of a word accepts, and the number of their documents.
pub(super) fn walk(
    inverted: &InvertedIndexReader,
    automaton: &DfaWrapper,
    kind: Kind,
    word: &str,
    mut each: impl FnMut(&str, u32),
) -> tantivy::Result<()> {
    // Folded words begin with a letter. Where the word asked for is of a script that comes before CJK, as nearly all
    // with spaces do, the walk ends there: else every pair of characters would be looked at.
    let letter = kind.letter();
    let after = if word.starts_with(|c| c < FIRST_CJK) {
        FIRST_CJK
    } else {
        char::MAX
    };
    let (from, to) = (format!("{letter}a"), format!("{letter}{after}"));
    let mut matches = inverted
        .terms()
        .search(automaton)
        .ge(&from)
        .lt(&to)
        .into_stream()?;
    while matches.advance() {
        let text = std::str::from_utf8(matches.key())
            .map_err(|_| TantivyError::InternalError("a term that is no text".into()))?;
        let text = &text[letter.len_utf8()..];
        if text != word && can_be_meant(text) {
            each(text, matches.value().doc_freq);
        }
    }
    Ok(())
}

/// Letters added, left out, changed or exchanged with their neighbour (optimal string alignment).
pub(super) fn distance(a: &[char], b: &[char]) -> usize {
    // The rows of the table that a step looks at: two above, one above, its own.
    let mut rows = [
        vec![0; b.len() + 1],
        (0..=b.len()).collect(),
        vec![0; b.len() + 1],
    ];
    for i in 1..=a.len() {
        let [before, above, row] = &mut rows;
        row[0] = i;
        for j in 1..=b.len() {
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("refund", "refund", 0),
            ("refnud", "refund", 1),
            ("refun", "refund", 1),
            ("rfunds", "refund", 2),
            ("", "abc", 3),
            ("größe", "grösse", 2),
            ("ca", "abc", 3),
        ] {
            let [one, other] = [a, b].map(|word| word.chars().collect::<Vec<char>>());
            assert_eq!(distance(&one, &other), expected, "{a} {b}");
            assert_eq!(distance(&other, &one), expected, "{b} {a}");
        }
    }

    #[test]
    fn who_may_be_wrong() {
        let allowed = |text: &str| match &parse(text).clauses[0].any[0].leaf {
            Leaf::Words(words) => allowed(words),
            _ => None,
        };
        for (text, expected) in [
            ("fee", None),
            ("lamp", Some(1)),
            ("voucher", Some(1)),
            ("delivery", Some(2)),
            ("Größe", Some(1)),
            ("a1234567", None),
            ("订单", None),
            ("优惠券码", None),
            ("\"lamp\"", None),
            ("lamp*", None),
            ("note:lamp", None),
            ("t-shirt", None),
            ("donaudampfschifffahrtsgesellschaft", Some(2)),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", None),
        ] {
            assert_eq!(allowed(text), expected, "{text}");
        }
    }
}
