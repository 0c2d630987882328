//! Names in chats: what stands behind WeChat, WhatsApp, Telegram, QQ, LINE and the like, and `@handles`.
//!
//! Such a name may be letters alone (`加我微信abcdefgh`), so in Chinese any Latin word right behind the chat's is one. In scripts
//! with spaces a word of letters alone is one only where a sign says so: a colon, "id", "live", "my WeChat is".

use super::numbers::latin;
use crate::text::is_cjk;
use std::ops::Range;

/// Chats, in lower case.
const CHATS: [&str; 34] = [
    "微信",
    "薇信",
    "威信",
    "扣扣",
    "企鹅号",
    "抖音",
    "小红书",
    "陌陌",
    "钉钉",
    "wechat",
    "weixin",
    "wx",
    "vx",
    "whatsapp",
    "whats app",
    "telegram",
    "qq",
    "line",
    "skype",
    "signal",
    "discord",
    "viber",
    "kakaotalk",
    "kakao",
    "messenger",
    "instagram",
    "facebook",
    "snapchat",
    "zalo",
    "tiktok",
    "threema",
    "加v",
    "加q",
    "飞信",
];
/// Chats whose names are words of their own: in capitals, or with "id" behind.
const WORDS: [&str; 3] = ["line", "signal", "messenger"];
/// Words between a chat and the name, in lower case; those that say that a name follows come first.
const SIGNS: [&str; 18] = [
    "id",
    "live",
    "handle",
    "username",
    "user name",
    "nickname",
    "nick",
    "account",
    "name",
    "number",
    "no.",
    "nr.",
    "号码",
    "账号",
    "帐号",
    "号",
    "账户",
    "用户名",
];
/// Words that say nothing yet.
const FILLERS: [&str; 17] = [
    "me", "us", "at", "as", "on", "under", "is", "to", "the", "contact", "是", "为", "：", "加", "我",
    "搜索", "搜",
];
/// Latin words behind a chat's that are no names.
const OTHERS: [&str; 14] = [
    "iphone", "android", "windows", "support", "service", "business", "message", "channel", "group",
    "desktop", "email", "mobile", "official", "login",
];

/// The first character of a name and those inside.
fn inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Every name in a chat, in order.
pub(super) fn chats(text: &str) -> Vec<Range<usize>> {
    // Folding ASCII alone moves nothing.
    let lower = text.to_ascii_lowercase();
    let mut found = handles(text);
    for chat in CHATS {
        for (at, _) in lower.match_indices(chat) {
            let end = at + chat.len();
            let joined = |c: Option<char>| c.is_some_and(|c| latin(c) && chat.is_ascii());
            let small = WORDS.contains(&chat) && text[at..end].bytes().all(|byte| byte.is_ascii_lowercase());
            if joined(text[..at].chars().next_back()) || joined(text[end..].chars().next()) {
                continue;
            }
            let called = ["id", "handle", "username"]
                .iter()
                .any(|sign| lower[end..].trim_start().starts_with(sign));
            if small && !called {
                continue;
            }
            let own = ["my ", "your ", "his ", "her ", "our "]
                .iter()
                .any(|whose| lower[..at].ends_with(whose));
            let asian = !chat.is_ascii();
            found.extend(named(text, &lower, end, own, asian));
        }
    }
    found.sort_by_key(|at| (at.start, std::cmp::Reverse(at.end)));
    found.dedup_by(|next, last| next.start < last.end);
    found
}

/// The name behind a chat that ends at `end`. `own`: "my" stands before the chat; `asian`: the
/// chat is written in Chinese.
fn named(text: &str, lower: &str, end: usize, own: bool, asian: bool) -> Option<Range<usize>> {
    let (mut from, mut sign) = (end, false);
    for _ in 0..6 {
        let rest = &text[from..];
        let past = rest
            .trim_start_matches(|c: char| c == ' ' || c == '\u{a0}' || ":：=,，(（“\"'「【@-~".contains(c));
        sign |= rest[..rest.len() - past.len()].contains([':', '：', '=', '@']);
        from += rest.len() - past.len();
        let word = |words: &[&'static str]| {
            words
                .iter()
                .copied()
                .filter(|word| {
                    lower[from..].strip_prefix(word).is_some_and(|rest| {
                        !(word.starts_with(latin) && rest.starts_with(inside) && !rest.starts_with('.'))
                    })
                })
                .max_by_key(|word| word.len())
        };
        if let Some(announced) = word(&SIGNS) {
            (from, sign) = (from + announced.len(), true);
        } else if let Some(filler) = word(&FILLERS) {
            sign |= own && filler == "is";
            from += filler.len();
        } else {
            break;
        }
    }
    let rest = &text[from..];
    // A telephone number, its groups apart.
    let groups = rest
        .find(|c: char| !(c.is_ascii_digit() || " +-()".contains(c)))
        .unwrap_or(rest.len());
    let number = rest[..groups].trim_end_matches(|c: char| !c.is_ascii_digit());
    let word = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
    let word = rest[..word].trim_end_matches(['.', '-', '_']);
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    if number.len() >= word.len() {
        return (digits(number) >= 5).then(|| from..from + number.len());
    }
    let size = word.len();
    let mixed = size >= 5
        && (digits(word) > 0 && word.contains(|c: char| c.is_ascii_alphabetic()) || word.contains('_'));
    let folded = &lower[from..from + size];
    let ordinary = OTHERS.contains(&folded) || CHATS.contains(&folded);
    let participle = !asian
        && ["ed", "ing", "able"]
            .iter()
            .any(|ending| folded.ends_with(ending))
        && !sign_only(text, from);
    let announced = (sign || asian) && size >= 3 && (sign || size >= 5) && !ordinary && !participle;
    let many = digits(word) >= 5;
    (mixed || announced || many || word.starts_with("wxid_")).then(|| from..from + size)
}

/// Whether a mark, not a word, stands before a name.
fn sign_only(text: &str, from: usize) -> bool {
    text[..from].trim_end().ends_with([':', '：', '=', '@', '"', '“'])
}

/// `@anna_smith` that is no mail address.
fn handles(text: &str) -> Vec<Range<usize>> {
    text.match_indices('@')
        .filter_map(|(at, _)| {
            // Behind a mask or a template's hole it is the rest of a mail address.
            let before = text[..at].chars().next_back();
            let alone =
                before.is_none_or(|c| c.is_whitespace() || is_cjk(c) || ":：,，、。(（“\"'「【/".contains(c));
            let rest = &text[at + 1..];
            let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
            let name = rest[..end].trim_end_matches(['.', '-']);
            (alone && name.len() >= 4 && name.starts_with(|c: char| c.is_ascii_alphabetic()))
                .then(|| at..at + 1 + name.len())
        })
        .chain(text.match_indices("wxid_").map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
            at..at + rest[..end].trim_end_matches(['.', '-']).len()
        }))
        .collect()
}
