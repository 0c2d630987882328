//! A text whose customer's name is not known: greetings and thanks are said without one. Anywhere else the hole stays, for a
//! sentence without its name is no sentence.

use super::chinese::ANYONE;
use super::greeting::{bare, greeting};
use super::vocative::courteous_before;
use super::words::{ADDRESSED, ANYBODY, PEOPLE, PLAIN, TITLES};
use crate::text::is_cjk;

/// Marks that end a greeting.
const MARKS: [char; 17] = [
    ',', '，', '!', '！', ':', '：', '.', '。', ';', '；', '-', '–', '—', '~', '～', '?', '、',
];
/// Chinese greetings, and words that stand for anybody before a name.
const HELLOS: [&str; 20] = [
    "您好",
    "你好",
    "亲",
    "亲亲",
    "嗨",
    "哈喽",
    "早上好",
    "上午好",
    "中午好",
    "下午好",
    "晚上好",
    "网友",
    "网民",
    "市民",
    "客户",
    "用户",
    "顾客",
    "会员",
    "感谢",
    "谢谢",
];
/// Those among them that are no greeting.
const CALLED: [&str; 5] = ["网友", "网名", "网民", "市民", "用户"];
/// How far into a line a greeting's name may stand, in characters.
const NEAR: usize = 24;

/// The text without the `hole` of a name that it greets or thanks: "Dear [name], your" becomes "Hello, your".
pub(super) fn without_name(text: &str, hole: &str) -> String {
    let mut plain = without_vocative(text, hole);
    let mut from = 0;
    for _ in 0..4 {
        let line = plain[from..].split('\n').next().unwrap_or_default();
        let end = from + line.len();
        let near = line.find(hole).filter(|&at| line[..at].chars().count() <= NEAR);
        let changed = near.and_then(|at| ungreeted(line[..at].trim_end(), &line[at + hole.len()..]));
        if let Some(changed) = changed {
            plain.replace_range(from..end, &changed);
            if from == 0 && changed.is_empty() {
                plain = capitalised(plain.trim_start());
            }
            break;
        }
        from = end + 1;
        if from >= plain.len() {
            break;
        }
    }
    plain
}

/// "Thanks for writing, [name]." becomes "Thanks for writing."
fn without_vocative(text: &str, hole: &str) -> String {
    let mut plain = text.to_owned();
    let called = format!(", {hole}");
    let mut from = 0;
    while let Some(at) = plain[from..].find(&called).map(|at| from + at) {
        let end = at + called.len();
        let ended = plain[end..].is_empty() || plain[end..].starts_with(['.', '!', '?', ',', '\n', ';']);
        if ended && courteous_before(&plain[..at]) {
            plain.replace_range(at..end, "");
            from = at;
        } else {
            from = end;
        }
    }
    plain
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text without the marks that it begins with.
fn head(text: &str) -> &str {
    text.trim_start_matches(|c: char| c == ' ' || MARKS.contains(&c))
}

fn marked(after: &str) -> bool {
    let after = after.trim_start();
    after.is_empty() || after.starts_with(MARKS)
}

fn hails(after: &str) -> bool {
    HELLOS[..11]
        .iter()
        .any(|hello| after.trim_start().starts_with(hello))
}

/// A line without the name that stands between `before` and `after`; none when that is no greeting.
fn ungreeted(before: &str, after: &str) -> Option<String> {
    if let Some(open) = before.strip_suffix(['“', '"', '「', '‘', '”', '【']) {
        let closed = after.trim_start_matches(['”', '"', '」', '’', '“', '】']);
        let called = |text: &str, behind: bool| {
            CALLED.iter().any(|word| {
                if behind {
                    text.ends_with(word)
                } else {
                    text.starts_with(word)
                }
            })
        };
        if called(open.trim_end_matches([' ', ':', '：']), true) || called(closed.trim_start(), false) {
            return Some(format!("{open}{closed}"));
        }
        // A name in quotation marks at the head of a line is a greeting.
        return match open.trim_end() {
            "" => Some(capitalised(head(closed))),
            open => ungreeted(open, closed),
        };
    }
    if before.is_empty() {
        let next = after.split_whitespace().next().unwrap_or_default().to_lowercase();
        let addressed = after.starts_with(' ') && ADDRESSED.contains(&next.as_str());
        if !(marked(after) || hails(after) || addressed) {
            return None;
        }
        return Some(capitalised(head(after)));
    }
    if before.ends_with("尊敬的") || before.ends_with("亲爱的") {
        return Some(format!("{before}客户{after}"));
    }
    if before.ends_with(is_cjk) || before.ends_with(['，', '！', '、']) {
        return asian(before, after);
    }
    western(before, after)
}

/// 您好[姓名]，您的; 亲，[姓名]，您的; 感谢[姓名]的来信.
fn asian(before: &str, after: &str) -> Option<String> {
    let said = before.trim_end_matches(|c: char| c == ' ' || MARKS.contains(&c));
    if ["感谢", "谢谢"].contains(&said) && after.starts_with('的') {
        return Some(format!("{said}您{after}"));
    }
    let dear = ["尊敬的", "亲爱的", "您好", "你好"]
        .iter()
        .any(|head| said.starts_with(head))
        && ANYONE.iter().any(|word| said.ends_with(word))
        && said.chars().count() <= 10;
    if !(dear || HELLOS.contains(&said)) {
        return None;
    }
    let hello = HELLOS[..11].contains(&said);
    if marked(after) {
        Some(format!("{said}{after}"))
    } else if hails(after) && !hello {
        Some(format!("{said}{}", after.trim_start()))
    } else if hello {
        Some(format!("{said}，{}", after.trim_start()))
    } else {
        None
    }
}

/// Whether a word between a greeting and a name stands for a person, too.
fn person(word: &str) -> bool {
    let word = bare(word);
    let known = [&ANYBODY[..PEOPLE], &TITLES, &["", "and", "welcome"]];
    known.iter().any(|words| words.contains(&word.as_str()))
}

/// "Dear Customer [name], your", "Hi [name] your".
fn western(before: &str, after: &str) -> Option<String> {
    let (word, skip) =
        greeting(before).or_else(|| greeting(&format!("{before} ")).map(|one| (one.0, before.len())))?;
    let skip = skip.min(before.len());
    let between = before[skip..].split_whitespace();
    if between.clone().count() > 3 || !between.clone().all(person) {
        return None;
    }
    let before = before.trim_end_matches([',', ' ']);
    let said = PLAIN
        .iter()
        .find(|one| before.len() == skip && one.0 == word)
        .map_or(before, |one| one.1);
    let comma = if marked(after) || word.contains("thank") {
        ""
    } else {
        ","
    };
    Some(format!("{said}{comma}{after}"))
}
