//! Greetings: whom a reply greets, and the greeting without the name.
//!
//! Another customer's name in a draft is worse than a lost word, so whatever stands between a greeting and the mark that
//! ends it is a name unless every word of it is known to be nobody's.

use super::chinese::{chinese, net_names, quoted, titled};
use super::words::{ADDRESSED, ANYBODY, GREETINGS, OPENERS, PLAIN, STARTERS, TITLES};
use crate::text::is_cjk;
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

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

fn nobody(word: &str) -> bool {
    let word = bare(word);
    word.is_empty() || ANYBODY.contains(&word.as_str()) || STARTERS.contains(&word.as_str())
}

/// The greeting that a text begins with, in bytes of the text.
fn greeting(text: &str) -> Option<(&'static str, usize)> {
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
    let chosen: Vec<&Range<usize>> = if ended && words.len() <= 5 && !thanked {
        let small = words.iter().filter(|one| !one.1).count();
        let known = |at: &Range<usize>| nobody(&line[at.clone()]);
        // A whole sentence in small letters is no name.
        if small > 2 && words.iter().any(|one| known(&one.0)) {
            return None;
        }
        words
            .iter()
            .map(|one| &one.0)
            .filter(|at| !known(at) || title(at))
            .collect()
    } else {
        words
            .iter()
            .take_while(|one| one.1 && (!nobody(&line[one.0.clone()]) || title(&one.0)))
            .take(4)
            .map(|one| &one.0)
            .collect()
    };
    let named = chosen
        .iter()
        .any(|at| !title(at) && line[(*at).clone()].chars().any(char::is_alphabetic));
    let (first, last) = (chosen.first()?, chosen.last()?);
    let anybody = chosen.iter().all(|at| nobody(&line[(*at).clone()]) || title(at));
    (named && !anybody && !line[first.start..last.end].starts_with('['))
        .then(|| from + first.start..from + last.end)
}

/// "Leon, thanks for writing": a name before a comma at the very beginning.
fn vocative(reply: &str, start: usize) -> Option<Range<usize>> {
    if greeting(&reply[start..]).is_some() {
        return None;
    }
    let line = reply[start..].split('\n').next()?;
    let end = line.find([',', '!', '，'])?;
    let words: Vec<&str> = line[..end].split_whitespace().collect();
    let named = (1..=3).contains(&words.len())
        && words.iter().all(|word| {
            let bare = bare(word);
            word.starts_with(char::is_uppercase)
                && !word.starts_with(is_cjk)
                && !nobody(word)
                && !OPENERS.contains(&bare.as_str())
                && !bare.ends_with("ly")
                && word
                    .chars()
                    .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
        });
    let mark = line[end..].chars().next().map_or(0, char::len_utf8);
    let next = bare(line[end + mark..].split_whitespace().next().unwrap_or_default());
    let addressed = next.is_empty() || ADDRESSED.contains(&next.as_str());
    let lead = line.len() - line.trim_start().len();
    (named && addressed).then(|| start + lead..start + line[..end].trim_end().len())
}

/// A text whose first lines greet a `hole`, without the hole: "Dear [name], your" becomes "Hello, your". Holes further
/// down stay.
pub(super) fn without_name(text: &str, hole: &str) -> String {
    let mut plain = text.to_owned();
    let mut from = 0;
    for _ in 0..4 {
        let line = plain[from..].split('\n').next().unwrap_or_default();
        let next = from + line.len() + 1;
        let near = line.find(hole).filter(|&at| line[..at].chars().count() <= 24);
        let Some(at) = near else {
            if next >= plain.len() {
                break;
            }
            from = next;
            continue;
        };
        let before = line[..at].trim_end();
        let after = &line[at + hole.len()..];
        let cjk = before.ends_with(is_cjk) || before.is_empty() && after.contains(is_cjk);
        let changed = if let Some(open) = before.strip_suffix(['“', '"', '「', '‘', '”', '【']) {
            let closed = after.trim_start_matches(['”', '"', '」', '’', '“', '】']);
            format!("{open}{closed}")
        } else if before.ends_with("尊敬的") || before.ends_with("亲爱的") {
            format!("{before}客户{after}")
        } else if before.is_empty() {
            let after = after.trim_start_matches([',', '，', ' ', '!', '：', ':', '！']);
            let mut letters = after.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        } else if cjk {
            let after = if after.starts_with(is_cjk) {
                format!("，{after}")
            } else {
                after.to_owned()
            };
            format!("{before}{after}")
        } else if let Some((word, skip)) =
            greeting(before).or_else(|| greeting(&format!("{before} ")).map(|one| (one.0, before.len())))
        {
            let alone = before.len() == skip;
            let said = PLAIN
                .iter()
                .find(|one| alone && one.0 == word)
                .map_or(before, |one| one.1);
            format!("{said}{after}")
        } else {
            from = next.min(plain.len());
            if from >= plain.len() {
                break;
            }
            continue;
        };
        let end = from + line.len();
        plain.replace_range(from..end, &changed);
        break;
    }
    plain
}
