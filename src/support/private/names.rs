//! Names: in what a customer says of themselves, in a text that mentions them, and in signatures.

use super::greeting::{ANYBODY, TITLES};
use crate::text::{CLOSINGS, is_cjk};
use std::ops::Range;

/// Formulas after which a customer gives a name.
const SELVES: [&str; 12] = [
    "my name is ",
    "my name's ",
    "mein name ist ",
    "ich heiße ",
    "je m'appelle ",
    "me llamo ",
    "mi nombre es ",
    "mi chiamo ",
    "meu nome é ",
    "chamo-me ",
    "我叫",
    "我的名字是",
];
/// Whether a line is a closing formula and nothing else.
pub(crate) fn closes(line: &str) -> bool {
    let line = line
        .trim()
        .trim_end_matches([',', '.', '!', '，', '。', '！', '~'])
        .trim_end()
        .to_lowercase();
    CLOSINGS.iter().any(|closing| closing.0 == line)
}

/// Names that a customer's message gives as the customer's own.
pub fn introduced(message: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let lower = message.to_lowercase();
    // Offsets of the folded text only hold where folding changed no length.
    if lower.len() == message.len() {
        for self_ in SELVES {
            for (at, _) in lower.match_indices(self_) {
                names.extend(name_at(&message[at + self_.len()..], false));
            }
        }
    }
    let lines: Vec<&str> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    for (at, line) in lines.iter().enumerate().skip(lines.len().saturating_sub(8)) {
        if closes(line) {
            names.extend(lines.get(at + 1).and_then(|next| name_at(next, true)));
        } else if let Some(after) = CLOSINGS.iter().find_map(|(closing, _)| {
            // "Best regards, Anna Smith" on one line.
            let head: String = line.chars().take(closing.chars().count()).collect();
            (head.to_lowercase() == **closing).then(|| &line[head.len()..])
        }) && after.starts_with([',', '，'])
        {
            names.extend(name_at(after.trim_start_matches([',', '，', ' ']), true));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The name at the beginning of a text: one to three capitalised words, or two to four CJK characters.
fn name_at(text: &str, whole: bool) -> Option<String> {
    let text = text.trim_start();
    let cjk: String = text.chars().take_while(|&c| is_cjk(c)).collect();
    if (2..=4).contains(&cjk.chars().count()) {
        return Some(cjk);
    }
    let line = text.lines().next().unwrap_or_default();
    let mut end = 0;
    let mut count = 0;
    for word in line.split_inclusive([' ', '\u{a0}']) {
        let bare = word.trim().trim_end_matches(['.', ',', '!', ';']);
        let inner = bare
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
            && !bare.is_empty();
        if !inner
            || !bare.starts_with(char::is_uppercase)
            || ANYBODY.contains(&bare.to_lowercase().as_str())
            || count == 3
        {
            break;
        }
        let from = line.len() - line[end..].len();
        count += 1;
        end = from + word.len();
        if bare.len() < word.trim().len() {
            end = from + word.find(bare).unwrap_or(0) + bare.len();
            break;
        }
    }
    let name = line[..end].trim();
    let rest = line[end..].trim();
    let fits = count > 0 && (!whole || rest.is_empty() || rest.starts_with([',', '.', '!']));
    (fits && name.chars().count() >= 2).then(|| name.to_owned())
}

/// Where a reply mentions one of the names: the whole of it, or one of its words.
pub(super) fn mentions(reply: &str, names: &[String]) -> Vec<Range<usize>> {
    let mut wanted: Vec<&str> = Vec::new();
    for name in names {
        wanted.push(name);
        for word in name.split_whitespace() {
            let bare = word.trim_matches(['.', ',']);
            if bare.chars().count() >= 3 && !TITLES.contains(&bare.to_lowercase().as_str()) {
                wanted.push(bare);
            }
        }
    }
    wanted.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut found: Vec<Range<usize>> = Vec::new();
    for name in wanted.into_iter().filter(|name| name.chars().count() >= 2) {
        for (at, _) in reply.match_indices(name) {
            let end = at + name.len();
            let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_cjk(c));
            let latin = !name.starts_with(is_cjk);
            let apart =
                !latin || !(joins(reply[..at].chars().next_back()) || joins(reply[end..].chars().next()));
            if apart && found.iter().all(|one| end <= one.start || one.end <= at) {
                found.push(at..end);
            }
        }
    }
    found.sort_by_key(|at| at.start);
    found
}

/// Where a known agent's name stands in the closing lines.
pub(super) fn signed(reply: &str, agents: &[String]) -> Vec<Range<usize>> {
    let mut from = reply.len().saturating_sub(160);
    while !reply.is_char_boundary(from) {
        from += 1;
    }
    let tail = reply[from..].to_lowercase();
    let Some(closing) = CLOSINGS.iter().filter_map(|closing| tail.rfind(closing.0)).max() else {
        return Vec::new();
    };
    if tail.len() != reply.len() - from {
        return Vec::new(); // folding moved the letters
    }
    let whole: Vec<String> = agents
        .iter()
        .filter(|name| name.chars().count() >= 2)
        .cloned()
        .collect();
    mentions(&reply[from + closing..], &whole)
        .into_iter()
        .map(|at| at.start + from + closing..at.end + from + closing)
        .collect()
}
