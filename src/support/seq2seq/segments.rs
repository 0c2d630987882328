//! Cuts of a text: a word, a run of characters of a script without spaces, a mark, the end of a line, a hole such as
//! `[order number]`, a *figure*.
//!
//! A figure is whatever has a digit in it, with the letters and marks inside: `10432`, `A-17`, `2.5`, `24/7`.

use crate::text::is_cjk;

/// A cut of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Letters, spelled in sub-words.
    Word(&'a str),
    /// One symbol: a mark, a line's end, a hole.
    Symbol(&'a str),
    /// Something with a digit: one symbol that can only be copied.
    Figure(&'a str),
}

impl<'a> Segment<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Segment::Word(text) | Segment::Symbol(text) | Segment::Figure(text) => text,
        }
    }
}

/// Cuts a text; `each` also hears whether a space stood before the segment.
pub(super) fn cut<'a>(text: &'a str, mut each: impl FnMut(bool, Segment<'a>)) {
    let mut rest = text.trim();
    let mut space = false;
    while let Some(letter) = rest.chars().next() {
        if letter.is_whitespace() {
            let end = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            let lines = rest[..end].matches('\n').count();
            space = lines == 0;
            if lines > 0 {
                each(false, Segment::Symbol(if lines == 1 { "\n" } else { "\n\n" }));
            }
            rest = &rest[end..];
            continue;
        }
        let (end, segment): (usize, fn(&'a str) -> Segment<'a>) = if let Some(end) = hole(rest) {
            (end, Segment::Symbol)
        } else if is_cjk(letter) {
            (rest.find(|c| !is_cjk(c)).unwrap_or(rest.len()), Segment::Word)
        } else if letter.is_alphanumeric() {
            run(rest)
        } else {
            (letter.len_utf8(), Segment::Symbol)
        };
        each(std::mem::take(&mut space), segment(&rest[..end]));
        rest = &rest[end..];
    }
}

/// The end of a word or figure that begins here. Marks belong to a figure only between its letters and digits.
fn run<'a>(rest: &'a str) -> (usize, fn(&'a str) -> Segment<'a>) {
    let apart = |c: char| !c.is_alphanumeric() || is_cjk(c);
    let mut letters = rest.char_indices().peekable();
    let mut end = 0;
    let (mut word, mut figure) = (None, false);
    while let Some((at, letter)) = letters.next() {
        if !apart(letter) {
            figure |= letter.is_numeric();
            end = at + letter.len_utf8();
            continue;
        }
        let inside = letters.peek().is_some_and(|&(_, next)| !apart(next));
        let joins = matches!(
            letter,
            '\'' | '’' | '-' | '_' | '/' | '.' | ':' | ',' | '@' | '#' | '&' | '+' | '*' | '·'
        );
        if !inside || !joins {
            break;
        }
        // A word keeps its apostrophe; at any other mark it has ended, unless a digit comes.
        if !matches!(letter, '\'' | '’') {
            word.get_or_insert(at);
        }
    }
    match (figure, word) {
        (true, _) => (end, Segment::Figure),
        (false, Some(end)) => (end, Segment::Word),
        (false, None) => (end, Segment::Word),
    }
}

/// The end of a hole such as `[order number]`, `<name>` or `{order}` without a digit that begins here.
pub(super) fn hole(rest: &str) -> Option<usize> {
    let close = match rest.as_bytes()[0] {
        b'[' => ']',
        b'<' => '>',
        b'{' => '}',
        _ => return None,
    };
    let inside = &rest[1..];
    let end = inside.char_indices().take(41).find(|(_, c)| *c == close)?.0;
    let inside = &inside[..end];
    let fits = |c: char| c.is_alphabetic() || " _'’.-".contains(c);
    (inside.starts_with(char::is_alphabetic) && inside.chars().all(fits)).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(text: &str) -> Vec<(bool, Segment<'_>)> {
        let mut found = Vec::new();
        cut(text, |space, segment| found.push((space, segment)));
        found
    }

    #[test]
    fn segments_are_words_marks_holes_and_figures() {
        use Segment::{Figure, Symbol, Word};
        assert_eq!(
            cuts("Dear [name], it's A-17/b (2.5 kg).\n\n \nwell-known <tel_num>"),
            [
                (false, Word("Dear")),
                (true, Symbol("[name]")),
                (false, Symbol(",")),
                (true, Word("it's")),
                (true, Figure("A-17/b")),
                (true, Symbol("(")),
                (false, Figure("2.5")),
                (true, Word("kg")),
                (false, Symbol(")")),
                (false, Symbol(".")),
                (false, Symbol("\n\n")),
                (false, Word("well")),
                (false, Symbol("-")),
                (false, Word("known")),
                (true, Symbol("<tel_num>")),
            ]
        );
        assert_eq!(
            cuts("您好，2019年5月 A市"),
            [
                (false, Word("您好")),
                (false, Symbol("，")),
                (false, Figure("2019")),
                (false, Word("年")),
                (false, Figure("5")),
                (false, Word("月")),
                (true, Word("A")),
                (false, Word("市")),
            ]
        );
        assert_eq!(
            cuts("[x1] a, 1٣"),
            [
                (false, Symbol("[")),
                (false, Figure("x1")),
                (false, Symbol("]")),
                (true, Word("a")),
                (false, Symbol(",")),
                (true, Figure("1٣")),
            ]
        );
        assert!(cuts(" \n ").is_empty() && cuts("").is_empty());
    }
}
