//! Greetings: whom a reply greets.
//!
//! Another customer's name in a draft is worse than a lost word, so whatever stands between a greeting and the mark that
//! ends it is a name unless every word of it is known to be nobody's.

use super::chinese::{chinese, net_names, quoted, titled};
use super::vocative::{small_name, vocative};
use super::words::{ANYBODY, GREETINGS, PEOPLE, STARTERS, TITLES};
use std::ops::Range;

/// The first name that a reply greets, with its title, without greeting and comma.
#[cfg(test)]
pub(super) fn greeted(reply: &str) -> Option<Range<usize>> {
    names(reply).into_iter().next()
}

/// Every name that a reply greets or gives a title, in order, none overlapping another.
pub(super) fn names(reply: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = reply.len() - reply.trim_start().len();
    found.extend(quoted(reply, start).or_else(|| vocative(reply, start)));
    // The greeting may stand below a line of thanks or a reference.
    for line in reply[start..].split_inclusive('\n').take(4) {
        let from = start + line.len() - line.trim_start().len();
        if from < reply.len() {
            found.extend(chinese(reply, from).or_else(|| western(reply, from)));
        }
        start += line.len();
    }
    found.extend(titled(reply));
    found.extend(net_names(reply));
    found.sort_by_key(|at| (at.start, std::cmp::Reverse(at.end)));
    let mut end = 0;
    found.retain(|at| {
        let apart = at.start >= end;
        if apart {
            end = at.end;
        }
        apart
    });
    found
}

/// Whether a sentence is a greeting and nothing else.
pub(crate) fn opens(sentence: &str) -> bool {
    let text = sentence.trim();
    let words = text.split_whitespace().count();
    let western = greeting(&format!("{text} ")).or_else(|| {
        let bare = text.trim_end_matches([',', '!', '.', ':', ' ']);
        greeting(&format!("{bare} "))
    });
    let size = text.chars().count();
    (western.is_some_and(|one| !one.0.contains("thank"))
        && words <= 6
        && text.ends_with([',', '!', ':', '.', ']']))
        || (size <= 16 && ["您好", "你好"].iter().any(|hello| text.contains(hello)))
}

/// Whether a sentence thanks for a message, as replies begin.
pub(crate) fn thanks(sentence: &str) -> bool {
    let lower = sentence.trim().to_lowercase();
    [
        "thank you for",
        "thanks for",
        "vielen dank für",
        "merci pour",
        "gracias por",
        "感谢您的",
        "谢谢您的",
    ]
    .iter()
    .any(|thanks| lower.starts_with(thanks))
}

pub(super) fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

pub(super) fn nobody(word: &str) -> bool {
    let word = bare(word);
    word.is_empty() || ANYBODY.contains(&word.as_str()) || STARTERS.contains(&word.as_str())
}

/// The greeting that a text begins with, in bytes of the text.
pub(super) fn greeting(text: &str) -> Option<(&'static str, usize)> {
    let lower = text.chars().take(40).collect::<String>().to_lowercase();
    let thanks = ["thank you", "thanks", "many thanks"];
    let word = GREETINGS
        .iter()
        .chain(&thanks)
        .filter(|greeting| {
            lower
                .strip_prefix(**greeting)
                .is_some_and(|rest| rest.starts_with([' ', ',', '\u{a0}']))
        })
        .max_by_key(|greeting| greeting.len())?;
    // The greeting in lower case has as many characters as the one written.
    let skip = text.chars().take(word.chars().count()).map(char::len_utf8).sum();
    Some((word, skip))
}

/// "Dear Ms. Anna Smith,", "Hi hugo - ", "Hello Leon.": what stands between a greeting and its mark; without a mark nearby,
/// the capitalised words right behind the greeting.
fn western(reply: &str, start: usize) -> Option<Range<usize>> {
    let (word, skip) = greeting(&reply[start..])?;
    let from = start + skip + reply[start + skip..].find(|c: char| !c.is_whitespace() && c != ',')?;
    if reply[start + skip..from].contains('\n') {
        return None;
    }
    let line = reply[from..].split('\n').next().unwrap_or_default();
    if let Some(hole) = template(line) {
        return Some(from..from + hole);
    }
    let mut words: Vec<(Range<usize>, bool)> = Vec::new();
    let mut ended = false;
    let mut at = 0;
    for piece in line.split_inclusive(char::is_whitespace) {
        let text = piece.trim_end();
        if matches!(text, "-" | "–" | "—" | "|" | "/") {
            ended = true;
            break;
        }
        let mark = text.find([',', '!', ':', ';', '，', '！', '：', '?', '。', '~']);
        let stop =
            text.ends_with('.') && !TITLES.contains(&bare(text).as_str()) && bare(text).chars().count() > 1;
        let end = mark.unwrap_or(text.trim_end_matches('.').len());
        if end > 0 {
            words.push((at..at + end, text.starts_with(char::is_uppercase)));
        }
        if mark.is_some() || stop {
            ended = true;
            break;
        }
        if words.len() > 5 {
            break;
        }
        at += piece.len();
    }
    // A name alone on its line needs no mark.
    ended |= words.len() <= 5;
    let thanked = word.contains("thank");
    let title = |at: &Range<usize>| TITLES.contains(&bare(&line[at.clone()]).as_str());
    let small = words.iter().filter(|one| !one.1).count();
    let known = |at: &Range<usize>| nobody(&line[at.clone()]);
    // A whole sentence in small letters is no name.
    let sentence = small > 2 && words.iter().any(|one| known(&one.0));
    let chosen: Vec<&Range<usize>> = if ended && words.len() <= 5 && !thanked && !sentence {
        words
            .iter()
            .map(|one| &one.0)
            .filter(|at| !known(at) || title(at))
            .collect()
    } else {
        leading(line, &words, thanked)
    };
    let named = chosen
        .iter()
        .any(|at| !title(at) && line[(*at).clone()].chars().any(char::is_alphabetic));
    let (first, last) = (chosen.first()?, chosen.last()?);
    let anybody = chosen.iter().all(|at| nobody(&line[(*at).clone()]) || title(at));
    (named && !anybody && !line[first.start..last.end].starts_with('['))
        .then(|| from + first.start..from + last.end)
}

/// Bytes of a template's own hole that a text begins with, where it has two words or more: "[Your Name]".
fn template(line: &str) -> Option<usize> {
    let close = match line.chars().next()? {
        '[' => ']',
        '<' => '>',
        '{' => '}',
        _ => return None,
    };
    let end = line.find(close)? + 1;
    let hole = &line[..end];
    (hole.contains(' ') && hole.chars().count() <= 32).then_some(end)
}

/// The words of a name that a sentence follows without a mark: those with capitals, else one or two in small letters before a
/// word that begins a sentence. `thanked`: behind thanks, where capitals alone tell a name.
fn leading<'a>(line: &str, words: &'a [(Range<usize>, bool)], thanked: bool) -> Vec<&'a Range<usize>> {
    let text = |at: &Range<usize>| &line[at.clone()];
    let title = |at: &Range<usize>| TITLES.contains(&bare(text(at)).as_str());
    let skipped = words
        .iter()
        .take_while(|one| {
            !thanked && !title(&one.0) && ANYBODY[..PEOPLE].contains(&bare(text(&one.0)).as_str())
        })
        .count();
    let words = &words[skipped..];
    let capitals: Vec<&Range<usize>> = words
        .iter()
        .take_while(|one| one.1 && (!nobody(text(&one.0)) || title(&one.0)))
        .take(4)
        .map(|one| &one.0)
        .collect();
    if !capitals.is_empty() || thanked {
        return capitals;
    }
    let names = words.iter().take_while(|one| small_name(text(&one.0))).count();
    let follows = words.get(names).is_some_and(|one| nobody(text(&one.0)));
    match names {
        1 | 2 if follows => words[..names].iter().map(|one| &one.0).collect(),
        _ => Vec::new(),
    }
}
