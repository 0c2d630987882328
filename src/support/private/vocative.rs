//! Names by which a sentence calls its reader: at its very beginning, or at the end of a word of courtesy.

use super::greeting::{bare, greeting, nobody};
use super::names::is_closing;
use super::words::{ADDRESSED, COMMON, LY, OPENERS, TITLES};
use crate::text::is_cjk;
use std::ops::Range;

/// How sentences begin that thank, regret or wish, in lower case. What they end with behind a comma is a name.
const COURTESIES: [&str; 54] = [
    "thank",
    "thanks",
    "many thanks",
    "sorry",
    "so sorry",
    "apologies",
    "my apologies",
    "our apologies",
    "we apologise",
    "we apologize",
    "i apologise",
    "i apologize",
    "we are sorry",
    "we're sorry",
    "i am sorry",
    "i'm sorry",
    "please accept",
    "no problem",
    "no worries",
    "you're welcome",
    "you are welcome",
    "welcome",
    "good news",
    "great news",
    "bad news",
    "hello",
    "hi",
    "hey",
    "good morning",
    "good afternoon",
    "good evening",
    "of course",
    "have a",
    "take care",
    "all the best",
    "danke",
    "vielen dank",
    "herzlichen dank",
    "besten dank",
    "entschuldigung",
    "tut uns leid",
    "es tut uns leid",
    "es tut mir leid",
    "merci",
    "désolé",
    "nous sommes désolés",
    "gracias",
    "lo siento",
    "lo sentimos",
    "grazie",
    "mi dispiace",
    "obrigado",
    "obrigada",
    "desculpe",
];

/// Words before the last of a list.
const AND: [&str; 11] = [
    "and", "or", "as", "und", "oder", "sowie", "et", "ou", "y", "o", "e",
];

/// Whether the last, unfinished sentence of a text is one of courtesy.
pub(super) fn courteous_before(text: &str) -> bool {
    let start = text
        .char_indices()
        .rfind(|&(at, c)| {
            c == '\n'
                || "。！？".contains(c)
                || (matches!(c, '.' | '!' | '?') && text[at + 1..].starts_with(' '))
        })
        .map_or(0, |(at, c)| at + c.len_utf8());
    let sentence: String = text[start..]
        .trim_start()
        .chars()
        .take(24)
        .collect::<String>()
        .to_lowercase();
    let sentence = sentence.replace('’', "'");
    COURTESIES.iter().any(|opener| {
        sentence
            .strip_prefix(opener)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// A word that may be part of a name.
fn lettered(word: &str) -> bool {
    !word.starts_with(is_cjk)
        && word
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
}

/// Words that only look like a name.
fn unnamed(word: &str) -> bool {
    let bare = bare(word);
    nobody(word) || OPENERS.contains(&bare.as_str()) || (bare.ends_with("ly") && !LY.contains(&bare.as_str()))
}

/// Whether a word in small letters can be a name: no word that sentences begin with.
pub(super) fn small_name(word: &str) -> bool {
    let size = word.chars().count();
    let verb = word.ends_with("ing") && size >= 6 && word != "sterling";
    (2..=14).contains(&size)
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\''))
        && !word.starts_with(is_cjk)
        && !verb
        && !unnamed(word)
        && !COMMON.contains(&word)
}

/// "Thanks for writing, Leon.", "Sorry about that, Hugo!": the names.
pub(super) fn courteous(reply: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in reply.match_indices(", ") {
        let from = at + 2;
        let line = reply[from..].split('\n').next().unwrap_or_default();
        let (mut end, mut count, mut ended, mut small) = (0, 0, false, false);
        for piece in line.split_inclusive(' ') {
            let word = piece.trim_end();
            let stop = word.ends_with([',', '!', '?', ';'])
                || (word.ends_with('.') && !TITLES.contains(&bare(word).as_str()));
            let name = word.trim_end_matches([',', '!', '?', ';', '.']);
            let title = TITLES.contains(&bare(word).as_str());
            let capital = name.starts_with(char::is_uppercase) && lettered(name) && (title || !unnamed(name));
            small = count == 0 && !capital && small_name(name);
            if !(capital || small) || count == 4 {
                break;
            }
            let start = line[end..].len();
            end = line.len() - start + piece.len();
            count += 1;
            if stop || end == line.len() {
                end = end - piece.len() + name.len();
                ended = true;
                break;
            }
            if small {
                break;
            }
        }
        let last = reply[from + end..].trim().trim_matches(['.', '!']).is_empty();
        let sentence = reply[..at]
            .rsplit(['\n', '.', '!', '?'])
            .next()
            .unwrap_or_default();
        let lowly = sentence.trim_start().starts_with(char::is_lowercase);
        // "Thanks, Martin" at the very end is signed by the agent.
        let signed = last && is_closing(sentence);
        // "Windows, Linux, and": a list.
        let behind = reply[from + end..].strip_prefix(',');
        let next = behind.and_then(|rest| rest.split_whitespace().next()).map(bare);
        let joined = next.is_some_and(|next| AND.contains(&next.as_str()));
        let list = behind.is_some() && (joined || sentence.contains(','));
        if ended && !signed && !list && (!small || lowly) && courteous_before(&reply[..at]) {
            found.push(from..from + end);
        }
    }
    found
}

/// "Leon, thanks for writing": a name before a comma at the very beginning.
pub(super) fn vocative(reply: &str, start: usize) -> Option<Range<usize>> {
    if greeting(&reply[start..]).is_some() {
        return None;
    }
    let line = reply[start..].split('\n').next()?;
    let end = line.find([',', '!', '，'])?;
    let words: Vec<&str> = line[..end].split_whitespace().collect();
    let named = (1..=3).contains(&words.len())
        && words
            .iter()
            .all(|word| word.starts_with(char::is_uppercase) && lettered(word) && !unnamed(word));
    let mark = line[end..].chars().next().map_or(0, char::len_utf8);
    let next = bare(line[end + mark..].split_whitespace().next().unwrap_or_default());
    let addressed = next.is_empty() || ADDRESSED.contains(&next.as_str());
    let lead = line.len() - line.trim_start().len();
    (named && addressed).then(|| start + lead..start + line[..end].trim_end().len())
}
