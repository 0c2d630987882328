//! Street addresses: a house number beside the name of a street, with the postcode and town that follow.

use crate::text::is_cjk;
use std::ops::Range;

/// Words that end the name of a street in English.
const STREETS: [&str; 24] = [
    "street",
    "st",
    "road",
    "rd",
    "avenue",
    "ave",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "way",
    "court",
    "ct",
    "square",
    "sq",
    "place",
    "pl",
    "terrace",
    "crescent",
    "close",
    "highway",
    "parkway",
];
/// Words that begin one in French, Spanish, Italian and Portuguese.
const VIAS: [&str; 14] = [
    "rue",
    "avenue",
    "boulevard",
    "calle",
    "avenida",
    "via",
    "viale",
    "piazza",
    "rua",
    "travessa",
    "plaza",
    "paseo",
    "chemin",
    "allée",
];
/// Endings of one in German.
const ENDINGS: [&str; 8] = [
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring",
];

/// All addresses, in order.
pub(super) fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = chinese(text);
    let words = words(text);
    let mut i = 0;
    while i < words.len() {
        match english(&words, i)
            .or_else(|| german(&words, i))
            .or_else(|| romance(&words, i))
            .or_else(|| post_box(&words, i))
        {
            Some(end) => {
                let end = town(&words, end);
                // "Lange Straße": the name stands before.
                let alone = ENDINGS.contains(&words[i].text.to_lowercase().as_str());
                let start =
                    i - usize::from(alone && i > 0 && capital(words[i - 1].text) && !words[i - 1].pause);
                let whole = words[start].at.start..words[end - 1].at.end;
                found.push(whole.start..whole.start + text[whole].trim_end_matches('.').len());
                i = end;
            }
            None => i += 1,
        }
    }
    found.sort_by_key(|at| at.start);
    found
}

struct Word<'a> {
    text: &'a str,
    at: Range<usize>,
    /// Whether a comma or a line's end stands behind it.
    pause: bool,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() && !is_cjk(c) || matches!(c, '-' | '\'' | '’' | '.' | 'ß');
        match (inside, from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                let word = text[start..at].trim_matches(['-', '\'', '’']);
                if !word.is_empty() {
                    words.push(Word {
                        text: word,
                        at: start..start + text[start..at].trim_end_matches(['-', '\'', '’']).len(),
                        pause: matches!(c, ',' | '\n' | '，'),
                    });
                }
                from = None;
            }
            _ => {}
        }
    }
    words
}

/// 221B, 12, 12-14.
fn house(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    (1..=5).contains(&digits)
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .trim_end_matches('.')
            .chars()
            .all(|c| c.is_ascii_digit() || c == '-' || c == '/' || c.is_ascii_alphabetic())
        && word.bytes().filter(u8::is_ascii_alphabetic).count() <= 1
}

fn capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// "PO Box 8170", "P.O. Box 12", "Postfach 1234", with the town behind a comma.
fn post_box(words: &[Word<'_>], from: usize) -> Option<usize> {
    let word = |at: usize| words.get(at).map(|word| word.text.to_lowercase());
    let number = |at: usize| {
        words
            .get(at)
            .is_some_and(|word| word.text.starts_with(|c: char| c.is_ascii_digit()))
    };
    let after = match word(from)?.as_str() {
        "po" | "p.o" | "p.o." if word(from + 1).is_some_and(|next| next == "box") => from + 2,
        "postfach" | "apartado" => from + 1,
        "boîte" if word(from + 1).is_some_and(|next| next == "postale") => from + 2,
        _ => return None,
    };
    if !number(after) {
        return None;
    }
    let town = words[after].pause && words.get(after + 1).is_some_and(|town| capital(town.text));
    Some(after + 1 + usize::from(town))
}

/// "221B Baker Street": a house number, one to three capitalised words, a word for street.
fn english(words: &[Word<'_>], from: usize) -> Option<usize> {
    if !house(words[from].text) {
        return None;
    }
    for end in from + 2..=from + 4 {
        let street = words.get(end)?;
        let name = words[end - 1].text;
        // "5th St".
        let ordinal = name.starts_with(|c: char| c.is_ascii_digit())
            && ["st", "nd", "rd", "th"]
                .iter()
                .any(|ending| name.ends_with(ending));
        if !capital(name) && !ordinal {
            return None;
        }
        let name = street.text.trim_end_matches('.').to_lowercase();
        if capital(street.text) && STREETS.contains(&name.as_str()) {
            return Some(end + 1);
        }
    }
    None
}

/// "Lange Straße 5", "Hauptstr. 12a".
fn german(words: &[Word<'_>], from: usize) -> Option<usize> {
    let street = words[from].text.to_lowercase();
    let named = capital(words[from].text) && ENDINGS.iter().any(|ending| street.ends_with(ending));
    (named && words.get(from + 1).is_some_and(|next| house(next.text))).then_some(from + 2)
}

/// "12 rue de la Paix", "Calle Mayor 5".
fn romance(words: &[Word<'_>], from: usize) -> Option<usize> {
    let via = |at: usize| {
        words
            .get(at)
            .is_some_and(|word: &Word<'_>| VIAS.contains(&word.text.to_lowercase().as_str()))
    };
    if house(words[from].text) && via(from + 1) {
        let end = (from + 2..words.len().min(from + 7)).find(|&at| capital(words[at].text))?;
        return Some(end + 1);
    }
    if via(from) && capital(words[from].text) {
        let end = (from + 2..words.len().min(from + 6)).find(|&at| house(words[at].text))?;
        return Some(end + 1);
    }
    None
}

/// Takes in postcode and town that follow a street after a comma or a line's end: at most five words with capitals or
/// digits, if there is a postcode among them.
fn town(words: &[Word<'_>], street_end: usize) -> usize {
    if !words[street_end - 1].pause {
        return street_end;
    }
    let mut end = street_end;
    while end < words.len() && end < street_end + 5 {
        let word = words[end].text;
        let digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if !capital(word) && !digit {
            break;
        }
        end += 1;
        if word.ends_with('.') {
            break;
        }
    }
    // A postcode: 10115, NW1 6XE.
    let digits = words[street_end..end]
        .iter()
        .flat_map(|word| word.text.bytes())
        .filter(u8::is_ascii_digit)
        .count();
    if digits >= 2 { end } else { street_end }
}

/// "湘江路12号3栋502室": a road and a house number, with what stands before and behind.
fn chinese(text: &str) -> Vec<Range<usize>> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let digits = |from: usize| {
        (from..letters.len())
            .take_while(|&at| letters[at].1.is_ascii_digit())
            .count()
    };
    let mut at = 0;
    while at < letters.len() {
        let number = digits(at + 1);
        let behind = letters.get(at + 1 + number).map(|one| one.1);
        let road = "路街道巷弄".contains(letters[at].1) && behind == Some('号');
        // A building of an estate: 小区69号楼, 科技园48栋.
        let room = digits(at + 2 + number);
        let house = is_cjk(letters[at].1)
            && (behind.is_some_and(|unit| "栋幢座".contains(unit))
                || (behind == Some('号')
                    && letters
                        .get(at + 2 + number)
                        .is_some_and(|one| "楼栋幢院".contains(one.1)))
                || (behind.is_some_and(|unit| "室".contains(unit)) && room == 0 && number >= 3));
        if !(1..=5).contains(&number) || !(road || house) {
            at += 1;
            continue;
        }
        let mut end = at + 2 + number;
        if behind == Some('号') && letters.get(end).is_some_and(|one| "楼栋幢院".contains(one.1)) {
            end += 1;
        }
        loop {
            // 3栋, 2单元, 502室
            let number = digits(end);
            let unit = letters.get(end + number).map(|one| one.1);
            if number == 0 {
                break;
            }
            if !unit.is_some_and(|unit| "栋幢座楼号室层户单".contains(unit)) {
                // 48栋302
                end += if (2..=5).contains(&number) { number } else { 0 };
                break;
            }
            end += number + 1 + usize::from(unit == Some('单'));
        }
        let end = end.min(letters.len());
        let mut start = at;
        while start > 0
            && at - start < 16
            && is_cjk(letters[start - 1].1)
            && !"在到至往从于为是的寄送".contains(letters[start - 1].1)
        {
            start -= 1;
        }
        let from = letters[start].0;
        if found.last().is_none_or(|last| last.end <= from) {
            found.push(from..letters.get(end).map_or(text.len(), |one| one.0));
        }
        at = end.max(at + 1);
    }
    found
}
