//! Words in order of what they are with letters left out.
//!
//! Two words that differ by `n` mistakes become equal when up to `n` letters of each are left out, whatever the mistakes were
//! (a letter added, left out or changed, two exchanged). So each word is filed under every text it becomes that way, and a
//! misspelt word is looked up under every text that it becomes: Mor and Fraenkel, A hash code method for detecting and
//! correcting spelling errors (CACM 1982). What is found so is compared in full.
//!
//! Of a word that may hold two mistakes only the first [`BEGINNING`] letters are taken. Where two words are aligned, the
//! alignment leaves the square of their beginnings after `c` mistakes with one beginning used up and `k <= c` letters of the other
//! left over; leaving these and the mistaken ones out takes at most `c` of each.

use std::io;

use tantivy::InvertedIndexReader;

use super::document::Kind;
use super::segment::Texts;
use super::typos::{FIRST_CJK, LONGEST, can_be_meant, distance};

/// Letters of the words that may hold two mistakes; the shortest of them has as many.
const BEGINNING: usize = 6;
/// Words of a segment that are put in order, at most.
const MOST_WORDS: usize = 250_000;
/// Words under one bucket, on average.
const TOGETHER: usize = 4;

/// The words of one kind of documents in one segment, for one number of mistakes.
pub(super) struct Vocabulary {
    mistakes: usize,
    words: Texts,
    marks: Vec<Mark>,
    /// Numbers of the words, bucket by bucket, and where each bucket ends.
    filed: Vec<u32>,
    ends: Vec<u32>,
}

/// What can be told of a word at a glance.
#[derive(Clone, Copy)]
struct Mark {
    /// A bit for each letter, several letters to a bit.
    letters: u32,
    /// How many letters it has.
    length: u32,
    /// Documents of the segment that hold it.
    documents: u32,
}

impl Mark {
    fn of(letters: &[char], documents: u32) -> Mark {
        let bit = |&letter: &char| 1 << (u32::from(letter).wrapping_mul(0x9E37_79B1) >> 27);
        Mark {
            letters: letters.iter().map(bit).fold(0, |all: u32, one: u32| all | one),
            length: letters.len() as u32,
            documents,
        }
    }

    /// Whether so many mistakes could make one of the other: each changes two bits at most and one place of the length.
    fn may_be(self, other: Mark, mistakes: usize) -> bool {
        (self.letters ^ other.letters).count_ones() as usize <= 2 * mistakes
            && self.length.abs_diff(other.length) as usize <= mistakes
    }
}

impl Vocabulary {
    /// The words of a kind, as far as a word that is looked up can be one of them with one or two mistakes; none if they are too
    /// many.
    pub(super) fn of(
        inverted: &InvertedIndexReader,
        kind: Kind,
        mistakes: usize,
    ) -> io::Result<Option<Vocabulary>> {
        let letter = kind.letter();
        let (from, to) = (format!("{letter}a"), format!("{letter}{FIRST_CJK}"));
        let mut words = Texts::default();
        let mut marks = Vec::new();
        let mut places: Vec<(u32, u32)> = Vec::new();
        let mut letters: Vec<char> = Vec::new();
        let mut all = inverted.terms().range().ge(&from).lt(&to).into_stream()?;
        while all.advance() {
            let word = std::str::from_utf8(all.key())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a term that is no text"))?;
            let word = &word[letter.len_utf8()..];
            letters.clear();
            letters.extend(word.chars());
            if !lengths(mistakes).contains(&letters.len()) || !can_be_meant(word) {
                continue;
            }
            if words.len() == MOST_WORDS {
                return Ok(None);
            }
            let number = words.len() as u32;
            words.push(word);
            marks.push(Mark::of(&letters, all.value().doc_freq));
            shortened(beginning(&letters, mistakes), mistakes, |hash| {
                places.push((hash, number));
            });
        }
        let bits = (places.len() / TOGETHER).max(2).ilog2();
        let mut vocabulary = Vocabulary {
            mistakes,
            words,
            marks,
            filed: vec![0; places.len()],
            ends: vec![0; 1 << bits],
        };
        // Sorted by counting: where each bucket begins, and then every word into its own.
        for (hash, _) in &places {
            let bucket = vocabulary.bucket(*hash);
            vocabulary.ends[bucket] += 1;
        }
        let mut begin = 0;
        for end in &mut vocabulary.ends {
            (*end, begin) = (begin, begin + *end);
        }
        for (hash, number) in places {
            let bucket = vocabulary.bucket(hash);
            let at = vocabulary.ends[bucket] as usize;
            vocabulary.filed[at] = number;
            vocabulary.ends[bucket] += 1;
        }
        Ok(Some(vocabulary))
    }

    fn bucket(&self, hash: u32) -> usize {
        (hash >> (32 - self.ends.len().ilog2())) as usize
    }

    /// Calls `each` with every word that is another word than this one and differs from it by the mistakes at most, and the
    /// number of its documents.
    pub(super) fn each_near(&self, word: &str, mut each: impl FnMut(&str, u32)) {
        let letters: Vec<char> = word.chars().collect();
        let mark = Mark::of(&letters, 0);
        let mut found: Vec<u32> = Vec::new();
        shortened(beginning(&letters, self.mistakes), self.mistakes, |hash| {
            let bucket = self.bucket(hash);
            let begin = bucket.checked_sub(1).map_or(0, |before| self.ends[before]);
            let filed = &self.filed[begin as usize..self.ends[bucket] as usize];
            let may_be = |number: &u32| self.marks[*number as usize].may_be(mark, self.mistakes);
            found.extend(filed.iter().copied().filter(may_be));
        });
        found.sort_unstable();
        found.dedup();
        let mut other: Vec<char> = Vec::new();
        for number in found {
            let text = self.words.get(number as usize).unwrap_or_default();
            other.clear();
            other.extend(text.chars());
            if text != word && distance(&letters, &other) <= self.mistakes {
                each(text, self.marks[number as usize].documents);
            }
        }
    }
}

/// How many letters a word has that can be meant by one with so many mistakes ([`super::typos`] has from where to where).
fn lengths(mistakes: usize) -> std::ops::RangeInclusive<usize> {
    match mistakes {
        1 => 3..=8,
        _ => 6..=LONGEST + 2,
    }
}

fn beginning(letters: &[char], mistakes: usize) -> &[char] {
    match mistakes {
        1 => letters,
        _ => &letters[..letters.len().min(BEGINNING)],
    }
}

/// Hashes of all that letters become when one, or two, or none of them are left out.
fn shortened(letters: &[char], most: usize, mut each: impl FnMut(u32)) {
    let none = letters.len();
    let hash = |without: usize, or: usize| {
        let kept = letters
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != without && *at != or);
        let hash = kept.fold(0x811C_9DC5_u32, |hash, (_, &letter)| {
            (hash ^ u32::from(letter))
                .wrapping_mul(0x0100_0193)
                .rotate_left(5)
        });
        // The upper bits choose the bucket.
        (hash ^ (hash >> 15)).wrapping_mul(0x9E37_79B1)
    };
    each(hash(none, none));
    for without in 0..letters.len() {
        each(hash(without, none));
        if most > 1 {
            for or in without + 1..letters.len() {
                each(hash(without, or));
            }
        }
    }
}
