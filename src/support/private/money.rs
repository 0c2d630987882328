//! Sums of money: a number with a currency right before or behind it, or with two decimals beside a word of paying.
//!
//! A number behind "refund of" or before "was charged" needs no currency, but two decimals and nothing between but small
//! words: dates (11.04) and times (10.30) look the same.

use super::currencies::{Currency, begins, ends};
use super::numbers::{follows, latin};
use std::ops::Range;

/// What may stand between a number and its currency.
const WHOSE: [&str; 24] = [
    "us",
    "us-",
    "u.s.",
    "canadian",
    "australian",
    "swiss",
    "british",
    "danish",
    "swedish",
    "norwegian",
    "singapore",
    "hong kong",
    "new zealand",
    "million",
    "mio.",
    "mio",
    "mn",
    "k",
    "thousand",
    "tsd.",
    "万",
    "千",
    "百",
    "多",
];
/// Words of paying that stand before a sum.
const PAYING: [&str; 83] = [
    "refund",
    "refunds",
    "refunded",
    "refunding",
    "reimbursed",
    "reimbursement",
    "charge",
    "charged",
    "charges",
    "overcharged",
    "surcharge",
    "fee",
    "fees",
    "paid",
    "pay",
    "payment",
    "debited",
    "credited",
    "credit",
    "deducted",
    "billed",
    "transferred",
    "amount",
    "total",
    "sum",
    "balance",
    "cost",
    "costs",
    "price",
    "deposit",
    "compensation",
    "discount",
    "voucher",
    "erstattung",
    "rückerstattung",
    "erstattet",
    "gutschrift",
    "gutgeschrieben",
    "betrag",
    "gebühr",
    "abgebucht",
    "berechnet",
    "überwiesen",
    "summe",
    "preis",
    "remboursement",
    "remboursé",
    "frais",
    "montant",
    "débité",
    "reembolso",
    "importe",
    "cobrado",
    "cargo",
    "rimborso",
    "addebito",
    "importo",
    "valor",
    "退款",
    "退费",
    "退还",
    "退回",
    "退",
    "扣款",
    "扣费",
    "扣除",
    "扣",
    "费用",
    "手续费",
    "运费",
    "金额",
    "收费",
    "收取",
    "押金",
    "支付",
    "付款",
    "差价",
    "补偿",
    "赔付",
    "共计",
    "余额",
    "价格",
    "返现",
];
/// Words that may stand between those and the sum.
const BETWEEN: [&str; 30] = [
    "of", "was", "is", "for", "by", "with", "about", "the", "a", "you", "your", "been", "has", "card", "von",
    "über", "in", "höhe", "wurden", "de", "di", "du", "了", "为", "是", "共", "您", "的", "约", "给",
];
/// Words that may stand between a sum and a word of paying behind it.
const LINKS: [&str; 19] = [
    "have",
    "has",
    "had",
    "been",
    "was",
    "were",
    "will",
    "be",
    "is",
    "are",
    "wurde",
    "wurden",
    "sind",
    "已",
    "已经",
    "将",
    "的",
    "会",
    "已为您",
];
/// Words of paying that stand behind a sum.
const PAID: [&str; 27] = [
    "refunded",
    "refund",
    "charged",
    "charge",
    "credited",
    "credit",
    "debited",
    "deducted",
    "billed",
    "paid",
    "reimbursed",
    "transferred",
    "fee",
    "discount",
    "voucher",
    "deposit",
    "erstattet",
    "gutgeschrieben",
    "abgebucht",
    "überwiesen",
    "退",
    "扣",
    "到账",
    "到帐",
    "返还",
    "手续费",
    "运费",
];

fn skip(text: &str) -> &str {
    text.trim_start_matches([' ', '\u{a0}', '\u{202f}', '(', '（'])
}

/// Whether a number of digit groups is a sum of money. `thing`: it stands behind "order" or the like.
pub(super) fn is_money(text: &str, at: Range<usize>, thing: bool) -> bool {
    let written = &text[at.clone()];
    let (before, rest) = (&text[..at.start], &text[at.end..]);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let long = written.bytes().filter(u8::is_ascii_digit).count() >= 3;
    let decimals = two_decimals(written);
    let sure = |one: Currency, behind: bool| one == Currency::Sure || decimals || (behind && long);
    // 129,- and 129:-
    let dash = [",-", ",–", ".-", ".–", ":-"]
        .iter()
        .find_map(|dash| rest.strip_prefix(*dash));
    if dash.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)) {
        return true;
    }
    // 2500元（2018年: a year.
    let dated = rest.starts_with(['年', '月', '日', '天']);
    if !dated && ends(before).is_some_and(|one| sure(one, false)) {
        return true;
    }
    let mut behind = skip(rest);
    if let Some(found) = begins(behind).or_else(|| {
        let lower = behind.get(..16.min(behind.len())).map(str::to_ascii_lowercase);
        let folded = lower.as_deref().unwrap_or(behind);
        let whose = WHOSE
            .iter()
            .filter(|whose| folded.starts_with(**whose))
            .max_by_key(|whose| whose.len())?;
        behind = behind[whose.len()..].trim_start_matches([' ', '-', '\u{a0}']);
        begins(behind)
    }) {
        // "Order 10432 EUR 11.49": the currency is the next number's.
        let next = skip(found.1).starts_with(|c: char| c.is_ascii_digit());
        if sure(found.0, true) && !(thing && next && !decimals) {
            return true;
        }
    }
    let share = skip(rest).starts_with(['%', '％']);
    decimals && !share && (follows(text, at.start, &PAYING, &BETWEEN) || paid(rest))
}

/// "was refunded", "已退": whether what stands behind a number says that it was paid.
fn paid(rest: &str) -> bool {
    let head: String = rest.chars().take(40).collect::<String>().to_lowercase();
    let mut head = head.as_str();
    for _ in 0..4 {
        head = head.trim_start();
        let first = |words: &[&'static str]| {
            words
                .iter()
                .copied()
                .filter(|word| {
                    head.strip_prefix(word)
                        .is_some_and(|rest| !(word.starts_with(latin) && rest.starts_with(latin)))
                })
                .max_by_key(|word| word.len())
        };
        if first(&PAID).is_some() {
            return true;
        }
        match first(&LINKS) {
            Some(link) => head = &head[link.len()..],
            None => return false,
        }
    }
    false
}

/// 11.49, 1.137,49: groups of three and two decimals.
fn two_decimals(written: &str) -> bool {
    let groups: Vec<&str> = written.split(['.', ',', ' ', '\u{a0}']).collect();
    let [whole @ .., last] = groups.as_slice() else {
        return false;
    };
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    last.len() == 2
        && !whole.is_empty()
        && groups.iter().all(digits)
        && whole[1..].iter().all(|group| group.len() == 3)
        && written[..written.len() - 2].ends_with(['.', ','])
}
