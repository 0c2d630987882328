//! The analyzer: from text to folded runs, and from runs to search tokens.
//!
//! Folding maps what a reader takes for the same letter to the same letter: lower case, Unicode compatibility
//! composition (NFKC: full-width `Ａ`, half-width `ｶ`, ligatures), then Latin, Greek and Cyrillic letters lose their
//! accents (`é`, `ё`, `ά`), and the letters that Unicode does not decompose get their usual spelling (`ß` = `ss`,
//! `ø` = `o`, `æ` = `ae`, `ł` = `l`).
//!
//! A CJK run of n characters becomes n-1 overlapping pairs, each at the position of its first character, and the last
//! character alone. So a query of two characters is one term, of three or more an exact phrase, and of one a prefix:
//! every character of the text begins a token.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// The longest word, in folded characters. What follows is still part of the word (its offsets cover all of it) but
/// not of the token's text: a pasted attachment must not become a megabyte of index key.
pub const LONGEST_WORD: usize = 128;

/// Which kind of run a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    /// A word of a script that separates its words, or a number, or a code such as `85123A`.
    Word,
    /// One or two characters of a run of Chinese, Japanese or Korean.
    Cjk,
}

/// One search token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The folded text.
    pub text: String,
    /// Where it begins in the original text, in bytes.
    pub from: usize,
    /// Where it ends in the original text, in bytes (exclusive).
    pub to: usize,
    /// Its place: words count one, a CJK run counts one per character.
    pub position: u32,
    /// The kind of run it comes from.
    pub script: Script,
    /// Whether this is the extra single character that ends a CJK run of two or more. A lone CJK character is an
    /// ordinary token.
    pub last: bool,
}

/// One character of a CJK run: its folded form and its bytes in the original.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyph {
    pub(crate) folded: char,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// A run, as [`walk`] hands it out.
pub(crate) enum Run<'a> {
    /// A folded word and its bytes in the original.
    Word { text: &'a str, from: usize, to: usize },
    /// A CJK run, never empty.
    Cjk(&'a [Glyph]),
}

/// A search token as [`each_token`] hands it out: a [`Token`] whose text is only lent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent<'a> {
    pub(crate) text: &'a str,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) position: u32,
    pub(crate) script: Script,
    pub(crate) last: bool,
}

/// Splits a text into search tokens, in the order of their positions.
///
/// The pairs and the last character of a CJK run each keep the position of their first character, so phrases are
/// exact. Offsets are bytes of `text`.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::with_capacity(text.len() / 5 + 1);
    each_token(text, |token| {
        found.push(Token {
            text: token.text.to_owned(),
            from: token.from,
            to: token.to,
            position: token.position,
            script: token.script,
            last: token.last,
        });
    });
    found
}

/// Splits one text after another without giving each token, or each text, memory of its own: an index is built of
/// millions of them.
#[derive(Default)]
pub(crate) struct Splitter {
    state: State,
    pair: String,
}

impl Splitter {
    /// Calls `each` for every token of [`tokens`], in order.
    pub(crate) fn each_token(&mut self, text: &str, mut each: impl FnMut(Lent<'_>)) {
        let mut position = 0u32;
        let pair = &mut self.pair;
        walk_with(&mut self.state, text, |run| match run {
            Run::Word { text, from, to } => {
                each(Lent {
                    text,
                    from,
                    to,
                    position,
                    script: Script::Word,
                    last: false,
                });
                position += 1;
            }
            Run::Cjk(glyphs) => {
                for (i, glyph) in glyphs.iter().enumerate() {
                    pair.clear();
                    pair.push(glyph.folded);
                    let mut to = glyph.to;
                    if let Some(next) = glyphs.get(i + 1) {
                        pair.push(next.folded);
                        to = next.to;
                    }
                    each(Lent {
                        text: pair,
                        from: glyph.from,
                        to,
                        position,
                        script: Script::Cjk,
                        last: glyphs.len() > 1 && i + 1 == glyphs.len(),
                    });
                    position += 1;
                }
            }
        });
    }
}

/// Calls `each` for every token of [`tokens`], in order.
pub(crate) fn each_token(text: &str, each: impl FnMut(Lent<'_>)) {
    Splitter::default().each_token(text, each);
}

/// The folded text with single spaces between runs: what two texts that read alike have in common.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    walk(text, |run| {
        if !folded.is_empty() {
            folded.push(' ');
        }
        match run {
            Run::Word { text, .. } => folded.push_str(text),
            Run::Cjk(glyphs) => folded.extend(glyphs.iter().map(|glyph| glyph.folded)),
        }
    });
    folded
}

/// Whether a character is written without spaces between words: Han, Hiragana, Katakana, Hangul, Bopomofo.
pub fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11FF}'        // Hangul Jamo
        | '\u{3005}'..='\u{3007}'      // iteration mark, closing mark, zero
        | '\u{3021}'..='\u{3029}'      // Hangzhou numerals
        | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' // Hiragana
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' // Katakana and its length mark
        | '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' // Bopomofo
        | '\u{3131}'..='\u{318E}'      // Hangul compatibility Jamo
        | '\u{31F0}'..='\u{31FF}'      // Katakana phonetic extensions
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' // Han
        | '\u{A960}'..='\u{A97C}'      // Hangul Jamo extended A
        | '\u{AC00}'..='\u{D7A3}'      // Hangul syllables
        | '\u{D7B0}'..='\u{D7FB}'      // Hangul Jamo extended B
        | '\u{F900}'..='\u{FAFF}'      // Han compatibility
        | '\u{FF66}'..='\u{FF9D}' | '\u{FFA0}'..='\u{FFDC}' // half-width Katakana and Hangul
        | '\u{1B000}'..='\u{1B16F}'    // historic Kana
        | '\u{20000}'..='\u{323AF}') // Han extensions
}

/// Calls `each` for every run of `text`, in order.
pub(crate) fn walk(text: &str, each: impl FnMut(Run<'_>)) {
    walk_with(&mut State::default(), text, each);
}

/// [`walk`] with memory that was used before; it is left as it was found, with no run open.
fn walk_with(state: &mut State, text: &str, mut each: impl FnMut(Run<'_>)) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while from < bytes.len() {
        if bytes[from].is_ascii() {
            // Most text is ASCII: its letters are taken a stretch at a time.
            let stretch = bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric());
            let to = from + stretch.count();
            if to > from {
                state.stretch(&text[from..to], from, &mut each);
                from = to;
            } else {
                state.flush(&mut each);
                from += 1;
            }
            continue;
        }
        let Some(c) = text[from..].chars().next() else {
            break;
        };
        let to = from + c.len_utf8();
        if matches!(c, '\u{4E00}'..='\u{9FFF}') {
            // Folding changes none of the common Han characters: most of Chinese and Japanese needs no look-up.
            state.flush_word(&mut each);
            state.glyphs.push(Glyph { folded: c, from, to });
        } else if is_mark(c) {
            state.mark(c, to);
        } else if is_invisible(c) {
            // A soft hyphen or a joiner belongs to no letter and parts no word.
        } else if is_cjk(c) || is_cjk_symbol(c) || c.is_alphanumeric() {
            state.fold(c, from, to, &mut each);
        } else {
            state.flush(&mut each);
        }
        from = to;
    }
    state.flush(&mut each);
}

/// The run being read: at most one of the two is open.
#[derive(Default)]
struct State {
    word: String,
    length: usize,
    from: usize,
    to: usize,
    glyphs: Vec<Glyph>,
}

impl State {
    fn flush(&mut self, each: &mut impl FnMut(Run<'_>)) {
        self.flush_word(each);
        self.flush_cjk(each);
    }

    fn flush_word(&mut self, each: &mut impl FnMut(Run<'_>)) {
        if !self.word.is_empty() {
            each(Run::Word {
                text: &self.word,
                from: self.from,
                to: self.to,
            });
            self.word.clear();
            self.length = 0;
        }
    }

    fn flush_cjk(&mut self, each: &mut impl FnMut(Run<'_>)) {
        if !self.glyphs.is_empty() {
            each(Run::Cjk(&self.glyphs));
            self.glyphs.clear();
        }
    }

    /// Appends ASCII letters and digits to the open word, or opens one.
    fn stretch(&mut self, letters: &str, from: usize, each: &mut impl FnMut(Run<'_>)) {
        self.flush_cjk(each);
        if self.word.is_empty() {
            self.from = from;
        }
        self.to = from + letters.len();
        let taken = letters.len().min(LONGEST_WORD - self.length);
        let begin = self.word.len();
        self.word.push_str(&letters[..taken]);
        self.length += taken;
        if let Some(added) = self.word.get_mut(begin..) {
            added.make_ascii_lowercase();
        }
    }

    /// Appends one folded letter or digit to the open word, or opens one.
    fn word(&mut self, folded: char, from: usize, to: usize, each: &mut impl FnMut(Run<'_>)) {
        self.flush_cjk(each);
        if self.word.is_empty() {
            self.from = from;
        }
        self.to = to;
        if self.length < LONGEST_WORD {
            self.word.push(folded);
            self.length += 1;
        }
    }

    /// A combining mark: it joins the open run, is dropped where accents are, and means nothing on its own.
    fn mark(&mut self, mark: char, to: usize) {
        let mark = match mark {
            '\u{FF9E}' => '\u{3099}',
            '\u{FF9F}' => '\u{309A}',
            mark => mark,
        };
        if let Some(glyph) = self.glyphs.last_mut() {
            glyph.to = to;
            if let Some(composed) = compose(glyph.folded, mark) {
                glyph.folded = composed;
            }
        } else if !self.word.is_empty() {
            self.to = to;
            if !is_dropped(mark) && self.length < LONGEST_WORD {
                self.word.push(mark);
                self.length += 1;
            }
        }
    }

    /// Folds one character outside ASCII; it may stand for several, each with the bytes of the whole.
    fn fold(&mut self, c: char, from: usize, to: usize, each: &mut impl FnMut(Run<'_>)) {
        for composed in std::iter::once(c).nfkc() {
            if is_cjk(composed) {
                self.flush_word(each);
                // Decomposed Hangul: a vowel or a final consonant joins the syllable before it.
                if let Some(previous) = self.glyphs.last_mut()
                    && let Some(syllable) = compose(previous.folded, composed)
                {
                    previous.folded = syllable;
                    previous.to = to;
                } else {
                    self.glyphs.push(Glyph {
                        folded: composed,
                        from,
                        to,
                    });
                }
                continue;
            }
            for part in std::iter::once(composed).nfd().flat_map(char::to_lowercase) {
                if is_combining_mark(part) {
                    self.mark(part, to);
                } else if let Some(spelling) = spelled(part) {
                    spelling
                        .chars()
                        .for_each(|letter| self.word(letter, from, to, each));
                } else if part.is_alphanumeric() {
                    self.word(part, from, to, each);
                } else {
                    self.flush(each);
                }
            }
        }
    }
}

/// A mark that combines with the character before it; the half-width voicing marks of Katakana are two of them in
/// all but name.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{FF9E}' | '\u{FF9F}' | '\u{3099}' | '\u{309A}') || is_combining_mark(c)
}

/// The accents of Latin, Greek and Cyrillic letters, and the selectors of a glyph's shape.
fn is_dropped(mark: char) -> bool {
    matches!(mark, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20F0}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Characters that show nothing and part nothing: soft hyphen, joiners, word joiner, byte order mark, directions.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
}

/// Squared and enclosed CJK: symbols to Unicode, words to a reader (`㈱`, `㍿`, `㌔`).
fn is_cjk_symbol(c: char) -> bool {
    matches!(c, '\u{3200}'..='\u{33FF}')
}

/// The usual spelling of letters that Unicode does not take apart.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
