//! Names: in what a customer says of themselves, in a text that mentions them, and in signatures.

use super::words::{ANYBODY, TITLES};
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
pub(super) fn is_closing(line: &str) -> bool {
    let line = line
        .trim()
        .trim_end_matches([',', '.', '!', '，', '。', '！', '~'])
        .trim_end()
        .to_lowercase();
    CLOSINGS.iter().any(|closing| closing.0 == line)
}

/// Whether a sentence closes a reply: a formula, alone or with at most five words or characters behind its mark. Thanks
/// for something are none.
pub(crate) fn closes(sentence: &str) -> bool {
    let lower = sentence.trim().to_lowercase();
    is_closing(&lower)
        || CLOSINGS.iter().any(|closing| {
            lower.strip_prefix(closing.0).is_some_and(|after| {
                let name = after.trim_start_matches([',', '.', '!', '，', '。', '！', '\n', ' ']);
                after.starts_with([',', '!', '，', '！', '\n', ' '])
                    && (after.starts_with([',', '!', '，', '！', '\n']) || name.starts_with('['))
                    && name.chars().count() <= 24
            })
        })
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
        if is_closing(line) {
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

/// Bytes at the end of a reply in which it is signed.
const SIGNED: usize = 120;

/// Where the agent signs: a known agent's name, whole or one word of it, in the last lines, and whatever name stands behind
/// a closing formula.
pub(super) fn signed(reply: &str, agents: &[String]) -> Vec<Range<usize>> {
    let mut from = reply.len().saturating_sub(SIGNED);
    while !reply.is_char_boundary(from) {
        from += 1;
    }
    let tail = &reply[from..];
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut add = |at: Range<usize>| {
        if found.iter().all(|one| at.end <= one.start || one.end <= at.start) {
            found.push(at);
        }
    };
    // Two sentences or lines at the most: an agent named in the text is no signature.
    let last = last_sentences(tail);
    let mut names: Vec<String> = agents
        .iter()
        .filter(|name| name.chars().count() >= 2)
        .cloned()
        .collect();
    let parts = agents.iter().flat_map(|name| name.split_whitespace());
    names.extend(parts.filter(|part| part.chars().count() >= 2).map(str::to_owned));
    names.sort();
    names.dedup();
    for at in mentions(&tail[last..], &names) {
        add(from + last + at.start..from + last + at.end);
    }
    let lower = tail.to_lowercase();
    if lower.len() == tail.len() {
        // The last formula, the longest that ends there.
        let closing = CLOSINGS
            .iter()
            .filter_map(|closing| Some((lower.rfind(closing.0)?, closing.0.len())))
            .filter(|&(at, len)| {
                let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_cjk(c));
                !joins(lower[..at].chars().next_back()) && !joins(lower[at + len..].chars().next())
            })
            .map(|(at, len)| at + len)
            .max();
        if let Some(end) = closing {
            let after = &tail[end..];
            let name = after.trim_start_matches(|c: char| c.is_whitespace() || ",.!，。！~-–—".contains(c));
            let at = from + end + after.len() - name.len();
            let marked = name.len() < after.len();
            if let Some(name) = name_at(name, true).filter(|_| marked)
                && name
                    .split_whitespace()
                    .all(|word| !HOUSES.contains(&word.to_lowercase().as_str()))
                && reply[at + name.len()..].trim().chars().count() <= 30
            {
                add(at..at + name.len());
            }
        }
    }
    found.sort_by_key(|at| at.start);
    // "Grace" beside "Lin": one signature.
    found.dedup_by(|next, last| {
        let joined = reply[last.end..next.start].chars().all(|c| c == ' ');
        if joined {
            last.end = next.end;
        }
        joined
    });
    found
}

/// Words of a signature that name no person.
const HOUSES: [&str; 16] = [
    "team",
    "support",
    "customer",
    "service",
    "care",
    "shop",
    "store",
    "desk",
    "help",
    "gmbh",
    "ltd",
    "inc",
    "company",
    "department",
    "office",
    "kundenservice",
];

/// Where the last two sentences or lines of a text begin.
fn last_sentences(text: &str) -> usize {
    let trimmed = text.trim_end();
    let ends: Vec<usize> = trimmed
        .char_indices()
        .filter(|&(at, c)| {
            let next = trimmed[at + c.len_utf8()..].chars().next();
            matches!(c, '\n' | '。' | '！') || (matches!(c, '.' | '!') && next == Some(' '))
        })
        .map(|(at, c)| at + c.len_utf8())
        .collect();
    ends.len().checked_sub(2).map_or(0, |at| ends[at])
}
