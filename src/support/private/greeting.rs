//! Greetings: whom a reply greets, and the greeting without the name.
//!
//! Another customer's name in a draft is worse than a lost word, so whatever stands between a greeting and the mark that
//! ends it is a name unless every word of it is known to be nobody's.

use crate::text::is_cjk;
use std::ops::Range;

/// Greetings before a name, in lower case, longer ones first where one begins another.
const GREETINGS: [&str; 41] = [
    "good day",
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
pub(super) const TITLES: [&str; 24] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "monsieur", "madame", "m",
    "mme", "señor", "señora", "sr", "sra", "signor", "signora", "sig", "senhor", "senhora",
];
/// Words in a greeting that are nobody's name.
pub(super) const ANYBODY: [&str; 44] = [
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
/// Words that begin a sentence after a greeting without a mark.
const STARTERS: [&str; 36] = [
    "i",
    "it",
    "this",
    "that",
    "unfortunately",
    "please",
    "as",
    "our",
    "to",
    "for",
    "sorry",
    "in",
    "on",
    "if",
    "with",
    "regarding",
    "and",
    "a",
    "an",
    "welcome",
    "from",
    "have",
    "is",
    "what",
    "or",
    "shopper",
    "buyer",
    "traveller",
    "reader",
    "resident",
    "citizen",
    "gentlemen",
    "ladies",
    "folks",
    "both",
    "user",
];
/// Words before a comma at the beginning of a reply that are no name; those in -ly are none either.
const OPENERS: [&str; 36] = [
    "yes",
    "no",
    "however",
    "sure",
    "okay",
    "ok",
    "first",
    "today",
    "yesterday",
    "tomorrow",
    "indeed",
    "well",
    "apologies",
    "great",
    "good",
    "perfect",
    "also",
    "then",
    "hi",
    "hello",
    "hey",
    "regards",
    "done",
    "right",
    "understood",
    "moreover",
    "therefore",
    "meanwhile",
    "otherwise",
    "finally",
    "alas",
    "ja",
    "nein",
    "oui",
    "non",
    "leider",
];
/// Words that follow the name in "Leon, thanks for writing".
const ADDRESSED: [&str; 16] = [
    "thank",
    "thanks",
    "we",
    "your",
    "you",
    "i",
    "it",
    "the",
    "this",
    "sorry",
    "our",
    "please",
    "unfortunately",
    "many",
    "danke",
    "vielen",
];
/// Family names of one character, the common ones; words that are as common as something else are left out.
const SURNAMES: &str = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜戚谢邹窦章苏潘葛范彭鲁韦马苗\
方俞任袁柳鲍唐费薛雷贺倪汤滕殷罗毕郝安傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄贝臧戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季\
贾路江童颜郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房丁邓洪包左石崔龚程邢裴陆翁荀甄曲封靳段焦谷车侯宓全郗班秋仲伊宫宁\
仇甘武符刘景詹龙叶黎白蒲卓蔺乔谭姬申冉桑温庄晏柴瞿阎慕连习艾向古易廖文欧沃利蔚越隆师巩聂敖冷辛简饶曾关查佟游权盖岳帅付肖涂尤";
/// Family names of two characters.
const COMPOUND: [&str; 11] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "东方", "尉迟", "公孙", "慕容", "令狐",
];
/// Titles behind a Chinese name.
const BEHIND: [&str; 4] = ["先生", "女士", "小姐", "同志"];
/// Chinese words for anybody.
const ANYONE: [&str; 14] = [
    "网友", "客户", "顾客", "用户", "朋友", "亲", "市民", "网民", "同志", "领导", "买家", "会员", "先生",
    "女士",
];

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

/// A name in quotation marks, with what stands around it: none when it is long or has a mark of a sentence.
fn in_quotes(text: &str) -> Option<(Range<usize>, usize)> {
    let mut letters = text.char_indices();
    let (_, mark) = letters.next()?;
    if !matches!(mark, '“' | '"' | '「' | '‘' | '”' | '【') {
        return None;
    }
    let from = mark.len_utf8();
    let end = from + text[from..].find(['”', '"', '」', '’', '“', '】'])?;
    let name = &text[from..end];
    let short =
        (1..=20).contains(&name.chars().count()) && !name.contains(|c: char| "，。！？,!?".contains(c));
    short.then(|| {
        (
            from..end,
            end + text[end..].chars().next().map_or(0, char::len_utf8),
        )
    })
}

/// 网友“UU0082205”: a name in quotation marks at the very beginning.
fn quoted(reply: &str, start: usize) -> Option<Range<usize>> {
    let head: String = reply[start..].chars().take(30).collect();
    let (open, _) = head
        .char_indices()
        .find(|(_, c)| matches!(c, '“' | '"' | '「' | '‘' | '”'))?;
    if head[..open].chars().count() > 6 || !head[..open].chars().all(|c| is_cjk(c) || c.is_whitespace()) {
        return None;
    }
    let (name, _) = in_quotes(&head[open..])?;
    (is_cjk(head.chars().next()?) || open == 0).then(|| start + open + name.start..start + open + name.end)
}

/// 网友“农夫”, “农夫”网友, anywhere.
fn net_names(reply: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in reply.char_indices() {
        let Some((name, end)) = in_quotes(&reply[at..]) else {
            continue;
        };
        let called = ["网友", "网民", "市民", "用户"];
        let before = reply[..at].trim_end_matches([' ', ':', '：']);
        let after = reply[at + end..].trim_start();
        if called
            .iter()
            .any(|word| before.ends_with(word) || after.starts_with(word))
        {
            found.push(at + name.start..at + name.end);
        }
    }
    found
}

/// Bytes of the family name that a text begins with.
fn surname(text: &str) -> Option<usize> {
    COMPOUND
        .iter()
        .find(|name| text.starts_with(**name))
        .map(|name| name.len())
        .or_else(|| {
            text.chars()
                .next()
                .filter(|&c| SURNAMES.contains(c))
                .map(char::len_utf8)
        })
}

/// 卫女士, 王小明先生: a family name and at most two characters before a title, anywhere.
fn titled(reply: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for title in BEHIND {
        for (at, _) in reply.match_indices(title) {
            let before: Vec<usize> = reply[..at]
                .char_indices()
                .rev()
                .take_while(|one| is_cjk(one.1))
                .take(4)
                .map(|one| one.0)
                .collect();
            let start = before.iter().enumerate().rev().find(|&(back, &from)| {
                let long = surname(&reply[from..at]).map(|len| len > 3);
                long.is_some_and(|long| long || back < 3)
            });
            if let Some((_, &from)) = start {
                found.push(from..at + title.len());
            }
        }
    }
    found
}

/// 尊敬的王先生：, 李小明，您好, 您好李小明：.
fn chinese(reply: &str, start: usize) -> Option<Range<usize>> {
    let rest = &reply[start..];
    if let Some(head) = ["尊敬的", "亲爱的"].iter().find(|head| rest.starts_with(**head)) {
        let from = start + head.len();
        let end = reply[from..].find(|c: char| "，,：:！! 您你\n".contains(c))?;
        let name = &reply[from..from + end];
        let anyone = ANYONE.contains(&name) || ANYONE[..12].iter().any(|word| name.contains(word));
        return ((1..=8).contains(&name.chars().count()) && !anyone).then(|| from..from + end);
    }
    let hello = ["您好", "你好"].iter().find(|hello| rest.starts_with(**hello));
    let from = hello.map_or(start, |hello| {
        let after = &rest[hello.len()..];
        start + hello.len() + after.len() - after.trim_start_matches(['，', ',', ' ', '！']).len()
    });
    let name: String = reply[from..]
        .chars()
        .take_while(|&c| is_cjk(c) && !"您你".contains(c))
        .take(5)
        .collect();
    let after = reply[from + name.len()..].trim_start_matches(['，', ',', '：', ':', ' ', '！']);
    let marked = after.len() < reply.len() - from - name.len();
    let ends = if hello.is_some() {
        marked
    } else {
        after.starts_with("您好") || after.starts_with("你好")
    };
    let size = name.chars().count();
    (ends && (2..=4).contains(&size) && surname(&name).is_some()).then(|| from..from + name.len())
}

/// Greetings that need a name, and what is said without one.
const PLAIN: [(&str, &str); 16] = [
    ("dear", "Hello"),
    ("sehr geehrte", "Guten Tag"),
    ("sehr geehrter", "Guten Tag"),
    ("lieber", "Hallo"),
    ("liebe", "Hallo"),
    ("chère", "Bonjour"),
    ("cher", "Bonjour"),
    ("estimado", "Hola"),
    ("estimada", "Hola"),
    ("querido", "Hola"),
    ("querida", "Hola"),
    ("gentile", "Buongiorno"),
    ("egregio", "Buongiorno"),
    ("caro", "Buongiorno"),
    ("cara", "Buongiorno"),
    ("prezado", "Olá"),
];

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
