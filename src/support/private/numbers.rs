//! Mail addresses, links, and every kind of number that can belong to one person.

use super::currencies::glued;
use super::money::is_money;
use super::{Found, Kind};
use crate::text::is_cjk;
use std::ops::Range;

/// Words before the number of a thing that belongs to somebody, in lower case.
const THINGS: [&str; 56] = [
    "order",
    "invoice",
    "ticket",
    "case",
    "reference",
    "ref",
    "tracking",
    "parcel",
    "shipment",
    "account",
    "customer",
    "policy",
    "contract",
    "booking",
    "reservation",
    "serial",
    "#",
    "bestellung",
    "bestell",
    "rechnung",
    "rechnungs",
    "kunden",
    "sendung",
    "sendungs",
    "vorgangs",
    "konto",
    "bestellnummer",
    "rechnungsnummer",
    "kundennummer",
    "sendungsnummer",
    "auftrag",
    "auftrags",
    "commande",
    "facture",
    "suivi",
    "client",
    "pedido",
    "factura",
    "cliente",
    "ordine",
    "fattura",
    "encomenda",
    "fatura",
    "iban",
    "订单",
    "单",
    "运单",
    "快递",
    "工单",
    "发票",
    "账",
    "帐",
    "编",
    "会员",
    "身份证",
    "受理",
];
/// Words that may stand between those and the number.
const BETWEEN: [&str; 22] = [
    "number", "numbers", "no", "nr", "num", "id", "is", "code", "nummer", "ist", "numéro", "numero",
    "número", "est", "es", "de", "n°", "号码", "号", "码", "为", "是",
];
/// Words before a telephone number.
const CALLS: [&str; 25] = [
    "tel",
    "telephone",
    "phone",
    "mobile",
    "cell",
    "call",
    "fax",
    "hotline",
    "at",
    "on",
    "telefon",
    "handy",
    "unter",
    "rufnummer",
    "téléphone",
    "teléfono",
    "telefono",
    "telefone",
    "电话",
    "手机",
    "致电",
    "拨打",
    "热线",
    "联系",
    "传真",
];

/// Mail addresses, and links whether personal or not.
pub(super) fn links_and_mails(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let mut from = 0;
    while from < text.len() {
        let rest = &text[from..];
        let Some(next) = ["http://", "https://", "www."]
            .iter()
            .filter_map(|start| rest.find(start))
            .min()
        else {
            break;
        };
        let at = from + next;
        let end =
            text[at..].find(|c: char| c.is_whitespace() || is_cjk(c) || "<>\"'，。；）)】”".contains(c));
        let end = end.map_or(text.len(), |end| at + end);
        let end = at
            + text[at..end]
                .trim_end_matches(['.', ',', ';', ':', '!', '?'])
                .len();
        found.push(Found {
            kind: Kind::Link,
            at: at..end,
        });
        from = end.max(at + 4);
    }
    for (at, _) in text.match_indices('@') {
        let before = text[..at].rfind(|c| !word(c)).map_or(0, |before| {
            before + text[before..].chars().next().map_or(1, char::len_utf8)
        });
        let after = text[at + 1..].find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        let after = at + 1 + after.unwrap_or(text.len() - at - 1);
        let domain = text[at + 1..after].trim_end_matches(['.', '-']);
        let range = before..at + 1 + domain.len();
        let in_link = found.iter().any(|one| one.at.start <= at && at < one.at.end);
        if before < at && domain.contains('.') && !in_link {
            found.push(Found {
                kind: Kind::Mail,
                at: range,
            });
        }
    }
    found
}

/// Whether a link leads to something personal: a long number, a long code or a query in it.
pub(super) fn is_personal(link: &str) -> bool {
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    link.contains(['?', '@'])
        || link
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|part| digits(part) >= 5 || (part.len() >= 20 && digits(part) > 0))
}

/// Numbers and codes, in order.
pub(super) fn numbers(text: &str) -> Vec<Found> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < letters.len() {
        let (from, c) = letters[i];
        let (end, has_letters) = code_end(&letters, i);
        let currency = currency(&letters[i..end]);
        if c.is_ascii_alphabetic() && currency.is_some() {
            i += currency.unwrap_or(1);
        } else if c.is_ascii_alphabetic() || (c.is_ascii_digit() && has_letters && currency.is_none()) {
            let to = letters.get(end).map_or(text.len(), |one| one.0);
            if has_letters && is_code(text, from..to) {
                found.push(Found {
                    kind: Kind::Number,
                    at: from..to,
                });
            }
            i = end;
        } else if c.is_ascii_digit()
            || ((c == '+' || c == '(') && letters.get(i + 1).is_some_and(|one| one.1.is_ascii_digit()))
        {
            let end = number_end(&letters, i);
            let to = letters.get(end).map_or(text.len(), |one| one.0);
            let next = letters.get(end).map(|one| one.1);
            if let Some(kind) = kind_of(text, from..to, next) {
                found.push(Found { kind, at: from..to });
            }
            i = end;
        } else {
            i += 1;
        }
    }
    found
}

/// End of a token of ASCII letters, digits and inner hyphens, and whether it has letters.
fn code_end(letters: &[(usize, char)], from: usize) -> (usize, bool) {
    let (mut end, mut has_letters) = (from, false);
    while let Some(&(_, c)) = letters.get(end) {
        let inner = matches!(c, '-' | '_' | '/')
            && letters
                .get(end + 1)
                .is_some_and(|one| one.1.is_ascii_alphanumeric());
        if !c.is_ascii_alphanumeric() && !inner {
            break;
        }
        has_letters |= c.is_ascii_alphabetic();
        end += 1;
    }
    (end, has_letters)
}

/// Where the number begins in `EUR11`, where the currency in `129kr`; none when letters and digits are anything else.
fn currency(token: &[(usize, char)]) -> Option<usize> {
    let first = token.first()?.1.is_ascii_digit();
    let turn = token.iter().position(|one| one.1.is_ascii_digit() != first)?;
    let (head, tail) = token.split_at(turn);
    let (letters, digits) = if first { (tail, head) } else { (head, tail) };
    let word: String = letters.iter().map(|one| one.1).collect();
    (digits.iter().all(|one| one.1.is_ascii_digit()) && glued(&word)).then_some(turn)
}

/// End of digits with single separators between their groups.
fn number_end(letters: &[(usize, char)], from: usize) -> usize {
    let digit = |at: usize| letters.get(at).is_some_and(|one| one.1.is_ascii_digit());
    let mut end = from + 1;
    loop {
        if digit(end) {
            end += 1;
            continue;
        }
        let Some(&(_, c)) = letters.get(end) else {
            return end;
        };
        let pair = matches!(c, ')' | ' ' | '-' | '/')
            && letters
                .get(end + 1)
                .is_some_and(|one| matches!(one.1, ' ' | '(' | '-'));
        if matches!(
            c,
            ' ' | '-' | '.' | ',' | '/' | ')' | '\u{2010}' | '\u{2011}' | '\u{2013}'
        ) && digit(end + 1)
        {
            end += 2;
        } else if pair && digit(end + 2) {
            end += 3;
        } else {
            return end;
        }
    }
}

/// Whether letters and digits together name a thing of somebody: many digits, or some after a word that says so.
fn is_code(text: &str, at: Range<usize>) -> bool {
    let written = &text[at.clone()];
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    digits >= 5 || (digits >= 3 && follows(text, at.start, &THINGS, &BETWEEN))
}

/// What a number of digit groups is; none = nobody's.
fn kind_of(text: &str, at: Range<usize>, next: Option<char>) -> Option<Kind> {
    let written = &text[at.clone()];
    let groups: Vec<&str> = written
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let digits: String = groups.concat();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let called = follows(text, at.start, &CALLS, &BETWEEN);
    let thing = follows(text, at.start, &THINGS, &BETWEEN);
    let date = matches!(sizes[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 2 | 4] | [4, 1..=2]);
    let spoken = !called && !thing;
    // Before 元, 平方米, 人 and the like it is an amount, and with . or , between threes as well.
    let amount = next.is_some_and(|next| "元块平米公个人户万亿吨年月天次℃%％€$£".contains(next))
        || (written.contains(['.', ','])
            && sizes.len() > 1
            && (sizes[1..].iter().all(|&size| size == 3) || sizes[sizes.len() - 1] <= 2));
    if (13..=19).contains(&digits.len()) && luhn(&digits) && !amount {
        return Some(Kind::Card);
    }
    if is_money(text, at.clone(), thing) {
        return Some(Kind::Amount);
    }
    if written.starts_with('+') && (7..=15).contains(&digits.len()) {
        return Some(Kind::Phone);
    }
    if date && !thing && !(called && digits.len() >= 9) || (amount && spoken) {
        return None;
    }
    let mobile = digits.len() == 11 && digits.starts_with('1') && digits.as_bytes()[1] >= b'3';
    let trunk = (9..=12).contains(&digits.len()) && digits.starts_with('0') && !digits.starts_with("00000");
    if mobile || trunk || (called && (7..=15).contains(&digits.len())) {
        return Some(Kind::Phone);
    }
    match (sizes.len(), digits.len()) {
        (_, 3..) if thing => Some(Kind::Number),
        (1, 7..) => Some(Kind::Number),
        (3.., 9..=15) => Some(Kind::Phone),
        (_, 16..) => Some(Kind::Number),
        _ => None,
    }
}

/// Whether one of the words stands right before, at most such words as "number is" between.
pub(super) fn follows(text: &str, at: usize, words: &[&str], between: &[&str]) -> bool {
    let mut from = at.saturating_sub(60);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..at].to_lowercase();
    let mut before = before.as_str();
    for _ in 0..4 {
        before = before.trim_end_matches(|c: char| c.is_whitespace() || ":：.,()（“\"'№-".contains(c));
        if words.iter().any(|word| ends_with_word(before, word)) {
            return true;
        }
        match between.iter().find(|word| ends_with_word(before, word)) {
            Some(word) => before = &before[..before.len() - word.len()],
            None => return false,
        }
    }
    false
}

/// Whether a letter is of a script with spaces.
pub(super) fn latin(c: char) -> bool {
    c.is_alphabetic() && !is_cjk(c)
}

/// Whether a text ends with a word: in Latin script a whole one.
pub(super) fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word)
        .is_some_and(|rest| !word.starts_with(latin) || !rest.ends_with(latin))
}

/// The check digit of payment cards (ISO/IEC 7812-1, annex B).
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0') << (at % 2);
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10) && digits.bytes().any(|digit| digit != b'0')
}
