//! What a model counts in a text.
//!
//! Two blocks of features. Block 0 holds words and pairs of neighbouring words, CJK characters and pairs; block 1, on
//! request, the character n-grams inside a word (2 to 5, the word padded with a space on either side, as in
//! scikit-learn's `char_wb`) and the CJK n-grams of 2 and 3 characters. The blocks are weighed apart, so that the
//! many character n-grams do not drown the few words.

use serde::{Deserialize, Serialize};

use super::analyze::{Run, walk};

/// Which features a vectoriser counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Features {
    /// The search tokens: words, CJK pairs and lone CJK characters.
    Search,
    /// Words and pairs of words; CJK characters and pairs.
    Words,
    /// `Words`, and a second block of character n-grams.
    WordsAndCharacters,
}

impl Features {
    /// Calls `each` with (block, feature) for every occurrence of every feature of `text`.
    pub(crate) fn count(self, text: &str, each: &mut impl FnMut(usize, &str)) {
        let mut buffer = Buffer::default();
        walk(text, |run| match run {
            Run::Word { text, .. } => {
                each(0, text);
                if self != Features::Search {
                    if !buffer.pair.is_empty() {
                        buffer.pair.push(' ');
                        buffer.pair.push_str(text);
                        each(0, &buffer.pair);
                    }
                    buffer.pair.clear();
                    buffer.pair.push_str(text);
                }
                if self == Features::WordsAndCharacters {
                    buffer.pad(text);
                    inside_word(&buffer.padded, &buffer.bounds, each);
                }
            }
            Run::Cjk(glyphs) => {
                buffer.pair.clear();
                buffer.load(glyphs.iter().map(|glyph| glyph.folded));
                if self != Features::Search || glyphs.len() == 1 {
                    grams(&buffer, 1, 0, each);
                }
                grams(&buffer, 2, 0, each);
                if self == Features::WordsAndCharacters {
                    grams(&buffer, 2, 1, each);
                    grams(&buffer, 3, 1, each);
                }
            }
        });
    }
}

/// Scratch space of one text: the previous word, and a run with the bounds of its characters.
#[derive(Default)]
struct Buffer {
    pair: String,
    padded: String,
    bounds: Vec<usize>,
}

impl Buffer {
    fn pad(&mut self, word: &str) {
        self.load(
            std::iter::once(' ')
                .chain(word.chars())
                .chain(std::iter::once(' ')),
        );
    }

    fn load(&mut self, characters: impl Iterator<Item = char>) {
        self.padded.clear();
        self.bounds.clear();
        for c in characters {
            self.bounds.push(self.padded.len());
            self.padded.push(c);
        }
        self.bounds.push(self.padded.len());
    }
}

/// All n-grams of exactly `n` characters of the loaded run.
fn grams(buffer: &Buffer, n: usize, block: usize, each: &mut impl FnMut(usize, &str)) {
    for window in buffer.bounds.windows(n + 1) {
        each(block, &buffer.padded[window[0]..window[n]]);
    }
}

/// The 2- to 5-grams of a padded word; a word shorter than n counts once, whole, and ends the series.
fn inside_word(padded: &str, bounds: &[usize], each: &mut impl FnMut(usize, &str)) {
    for n in 2..=5 {
        if bounds.len() <= n + 1 {
            each(1, padded);
            return;
        }
        for window in bounds.windows(n + 1) {
            each(1, &padded[window[0]..window[n]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(features: Features, text: &str) -> Vec<(usize, String)> {
        let mut all = Vec::new();
        features.count(text, &mut |block, feature| all.push((block, feature.to_owned())));
        all
    }

    fn block(features: Features, text: &str, wanted: usize) -> Vec<String> {
        of(features, text)
            .into_iter()
            .filter(|(block, _)| *block == wanted)
            .map(|(_, f)| f)
            .collect()
    }

    #[test]
    fn words_pairs_and_characters() {
        assert_eq!(
            block(Features::Words, "Where is 我的单 it now", 0),
            [
                "where", "is", "where is", "我", "的", "单", "我的", "的单", "it", "now", "it now"
            ]
        );
        assert_eq!(
            block(Features::Search, "is it 我的单 好", 0),
            ["is", "it", "我的", "的单", "好"]
        );
        assert!(block(Features::Words, "abc", 1).is_empty());
    }

    /// Reference: scikit-learn's CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)) on "ab" and "abcd".
    #[test]
    fn character_n_grams_are_those_of_char_wb() {
        assert_eq!(
            block(Features::WordsAndCharacters, "ab", 1),
            [" a", "ab", "b ", " ab", "ab ", " ab "]
        );
        assert_eq!(
            block(Features::WordsAndCharacters, "abcd", 1),
            [
                " a", "ab", "bc", "cd", "d ", " ab", "abc", "bcd", "cd ", " abc", "abcd", "bcd ", " abcd",
                "abcd "
            ]
        );
        assert_eq!(
            block(Features::WordsAndCharacters, "我的单", 1),
            ["我的", "的单", "我的单"]
        );
    }
}
