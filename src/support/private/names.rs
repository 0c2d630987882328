//! Names: in the greeting of a reply, in what a customer says of themselves, and in signatures.

use crate::text::is_cjk;
use std::ops::Range;

/// Greetings before a name, in lower case, longer ones first where one begins another.
const GREETINGS: [&str; 40] = [
    "good morning",
    "good afternoon",
    "good evening",
    "dear",
    "hello",
    "hey",
    "hi",
    "greetings",
    "guten morgen",
    "guten tag",
    "guten abend",
    "sehr geehrte",
    "sehr geehrter",
    "hallo",
    "lieber",
    "liebe",
    "moin",
    "bonjour",
    "bonsoir",
    "chère",
    "cher",
    "estimado",
    "estimada",
    "querido",
    "querida",
    "buenos días",
    "buenas tardes",
    "hola",
    "gentile",
    "egregio",
    "buongiorno",
    "buonasera",
    "caro",
    "cara",
    "salve",
    "prezado",
    "prezada",
    "olá",
    "bom dia",
    "boa tarde",
];
/// Titles that belong to a name.
const TITLES: [&str; 24] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "monsieur", "madame", "m",
    "mme", "señor", "señora", "sr", "sra", "signor", "signora", "sig", "senhor", "senhora",
];
/// Words in a greeting that are nobody's name.
const ANYBODY: [&str; 44] = [
    "customer",
    "customers",
    "client",
    "user",
    "team",
    "support",
    "sir",
    "madam",
    "all",
    "there",
    "everyone",
    "friend",
    "valued",
    "sirs",
    "service",
    "colleague",
    "colleagues",
    "subscriber",
    "guest",
    "member",
    "kunde",
    "kundin",
    "kunden",
    "damen",
    "herren",
    "und",
    "zusammen",
    "cliente",
    "clienti",
    "monsieur",
    "madame",
    "tous",
    "équipe",
    "equipo",
    "usuario",
    "todos",
    "utente",
    "again",
    "your",
    "you",
    "the",
    "thank",
    "thanks",
    "we",
];
/// Chinese words for anybody.
const ANYONE: [&str; 14] = [
    "网友", "客户", "顾客", "用户", "朋友", "亲", "市民", "网民", "同志", "领导", "买家", "会员", "先生",
    "女士",
];

/// The name that a reply greets, with its title, without greeting and comma.
pub fn greeted(reply: &str) -> Option<Range<usize>> {
    let start = reply.len() - reply.trim_start().len();
    quoted(reply, start)
        .or_else(|| chinese(reply, start))
        .or_else(|| western(reply, start))
}

/// "Dear Ms. Anna Smith,": up to four capitalised words after a greeting, ended by a mark or the line.
fn western(reply: &str, start: usize) -> Option<Range<usize>> {
    let lower = reply[start..].chars().take(40).collect::<String>().to_lowercase();
    let greeting = GREETINGS
        .iter()
        .filter(|greeting| {
            lower
                .strip_prefix(**greeting)
                .is_some_and(|rest| rest.starts_with([' ', ',', '\u{a0}']))
        })
        .max_by_key(|greeting| greeting.len())?;
    // The greeting in lower case has as many characters as the one written.
    let skip: usize = reply[start..]
        .chars()
        .take(greeting.chars().count())
        .map(char::len_utf8)
        .sum();
    let from = start + skip + reply[start + skip..].find(|c: char| !c.is_whitespace() && c != ',')?;
    let line = &reply[from..];
    let end = line.find([',', '!', ':', '\n', ';', '，', '！', '：', '?'])?;
    let line = line[..end].trim_end_matches(['-', '–', '—', ' ', '.']);
    let words: Vec<&str> = line.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(['.', ',']).to_lowercase();
    let nobody = words
        .iter()
        .all(|word| ANYBODY.contains(&bare(word).as_str()) || TITLES.contains(&bare(word).as_str()));
    let named = (1..=5).contains(&words.len())
        && words.iter().all(|word| {
            word.starts_with(char::is_uppercase)
                || ["von", "van", "de", "da", "di", "del"].contains(word)
                || TITLES.contains(&bare(word).as_str())
        })
        && !words
            .iter()
            .any(|word| ANYBODY.contains(&bare(word).as_str()) && !TITLES.contains(&bare(word).as_str()));
    (named && !nobody).then(|| from..from + line.len())
}

/// 网友“UU0082205”: a name in quotation marks at the very beginning.
fn quoted(reply: &str, start: usize) -> Option<Range<usize>> {
    let head: String = reply[start..].chars().take(30).collect();
    let (open, mark) = head
        .char_indices()
        .find(|(_, c)| matches!(c, '“' | '"' | '「' | '‘' | '”'))?;
    if head[..open].chars().count() > 6 || !head[..open].chars().all(|c| is_cjk(c) || c.is_whitespace()) {
        return None;
    }
    let from = open + mark.len_utf8();
    let end = head[from..].find(['”', '"', '」', '’', '“'])?;
    let name = &head[from..from + end];
    let short =
        (1..=20).contains(&name.chars().count()) && !name.contains(|c: char| "，。！？,!?".contains(c));
    (short && (is_cjk(head.chars().next()?) || open == 0)).then(|| start + from..start + from + end)
}

/// 尊敬的王先生： the characters between the address and the mark, unless they are anybody.
fn chinese(reply: &str, start: usize) -> Option<Range<usize>> {
    let rest = &reply[start..];
    let head = ["尊敬的", "亲爱的"]
        .iter()
        .find(|head| rest.starts_with(**head))?;
    let from = start + head.len();
    let end = reply[from..].find(|c: char| "，,：:！! 您你\n".contains(c))?;
    let name = &reply[from..from + end];
    let anyone = ANYONE.contains(&name) || ANYONE[..12].iter().any(|word| name.contains(word));
    ((1..=8).contains(&name.chars().count()) && !anyone).then(|| from..from + end)
}

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
/// Formulas that close a message, in lower case.
pub(crate) const CLOSINGS: [&str; 40] = [
    "best regards",
    "kind regards",
    "warm regards",
    "with regards",
    "regards",
    "best wishes",
    "best",
    "sincerely",
    "sincerely yours",
    "yours sincerely",
    "yours faithfully",
    "yours truly",
    "yours",
    "cheers",
    "thanks",
    "many thanks",
    "thank you",
    "thanks in advance",
    "mit freundlichen grüßen",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "liebe grüße",
    "mfg",
    "vielen dank",
    "cordialement",
    "bien à vous",
    "saludos",
    "saludos cordiales",
    "atentamente",
    "un saludo",
    "cordiali saluti",
    "distinti saluti",
    "atenciosamente",
    "cumprimentos",
    "此致",
    "敬礼",
    "祝好",
    "谢谢",
    "敬上",
];

/// Whether a line is a closing formula and nothing else.
pub(crate) fn closes(line: &str) -> bool {
    let line = line
        .trim()
        .trim_end_matches([',', '.', '!', '，', '。', '！', '~'])
        .trim_end()
        .to_lowercase();
    CLOSINGS.contains(&line.as_str())
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
        } else if let Some(after) = CLOSINGS.iter().find_map(|closing| {
            // "Best regards, Anna Smith" on one line.
            let head: String = line.chars().take(closing.chars().count()).collect();
            (head.to_lowercase() == *closing).then(|| &line[head.len()..])
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
    let Some(closing) = CLOSINGS.iter().filter_map(|closing| tail.rfind(closing)).max() else {
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
