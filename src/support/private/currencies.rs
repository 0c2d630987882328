//! Currencies: the codes of ISO 4217, signs and words; and whether a text begins or ends with one.
//!
//! Codes that are words of another kind in capitals (`ALL`, `PHP`) are [`Currency::Double`]: more must speak of money.

use super::numbers::latin;

/// Codes of ISO 4217 in lower case, with CNH and RMB.
const CODES: &str = "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd cad cdf \
chf clp cnh cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl hrk htg huf \
idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mru \
mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar rmb ron rsd rub rwf sar sbd scr sdg sek sgd \
shp sle sos srd ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx usd uyu uzs ved ves vnd vuv wst xaf xcd xcg xof \
xpf yer zar zmw zwg";
/// Codes that mean something else as well, even in capitals.
const DOUBLE: [&str; 19] = [
    "all", "amd", "bam", "bob", "cop", "cup", "cve", "gel", "lak", "mad", "mop", "pen", "php", "ron", "scr",
    "sdg", "sos", "top", "try",
];
/// Currencies of more or fewer letters, in lower case.
const WORDS: [&str; 62] = [
    "euro", "euros", "dollar", "dollars", "pound", "pounds", "quid", "bucks", "cent", "cents", "pence", "kr",
    "kr.", "kronor", "kroner", "kronen", "krona", "krone", "sfr", "sfr.", "franken", "francs", "franc",
    "franchi", "zł", "zl", "zloty", "złoty", "kč", "koruna", "forint", "lei", "leva", "лв", "руб", "руб.",
    "грн", "yen", "yuan", "renminbi", "rupee", "rupees", "rs.", "rubles", "roubles", "reais", "pesos",
    "peso", "dirham", "dirhams", "baht", "ringgit", "rand", "shekel", "shekels", "rupiah", "riyal", "riyals",
    "dinar", "dinars", "lira", "liras",
];
/// Currencies that are written so and not otherwise.
const EXACT: [&str; 3] = ["Rs", "Ft", "RM"];
/// Signs, and words of scripts without spaces.
const SIGNS: [&str; 42] = [
    "€",
    "$",
    "£",
    "¥",
    "￥",
    "＄",
    "￡",
    "₹",
    "₽",
    "₩",
    "₺",
    "₴",
    "₫",
    "฿",
    "₪",
    "₦",
    "₱",
    "₲",
    "₡",
    "₸",
    "₼",
    "₾",
    "₵",
    "₭",
    "₮",
    "元",
    "块",
    "圆",
    "円",
    "欧元",
    "美元",
    "日元",
    "港币",
    "港元",
    "加元",
    "澳元",
    "韩元",
    "台币",
    "英镑",
    "卢布",
    "法郎",
    "人民币",
];
/// How a currency is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Currency {
    /// Nothing else is written so.
    Sure,
    /// A code that may be something else.
    Double,
}

/// What a word of Latin letters is as a currency.
fn word(written: &str) -> Option<Currency> {
    let lower = written.to_lowercase();
    if WORDS.contains(&lower.as_str()) || EXACT.contains(&written) {
        return Some(Currency::Sure);
    }
    let code = written.len() == 3 && CODES.split(' ').any(|code| code == lower);
    if DOUBLE.contains(&lower.as_str()) {
        return written
            .bytes()
            .all(|byte| byte.is_ascii_uppercase())
            .then_some(Currency::Double);
    }
    code.then_some(Currency::Sure)
}

/// Whether letters glued to a number are a currency: `EUR11.49`, `129kr`.
pub(super) fn glued(letters: &str) -> bool {
    word(letters) == Some(Currency::Sure)
}

/// The currency that a text ends with.
pub(super) fn ends(before: &str) -> Option<Currency> {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || ":：(（-−~".contains(c));
    let open = before
        .rfind(|c: char| !(latin(c) || c == '.'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    if SIGNS.iter().any(|sign| before.ends_with(sign)) {
        return Some(Currency::Sure);
    }
    word(&before[open..]).or_else(|| word(before[open..].trim_end_matches('.')))
}

/// The currency that a text begins with, and what is behind it.
pub(super) fn begins(behind: &str) -> Option<(Currency, &str)> {
    if let Some(sign) = SIGNS.iter().find(|sign| behind.starts_with(**sign)) {
        let rest = &behind[sign.len()..];
        // 元旦, 元素: no money.
        let other = *sign == "元" && rest.starts_with(['旦', '素', '件', '宵', '月']);
        return (!other).then_some((Currency::Sure, rest));
    }
    let end = behind.find(|c: char| !latin(c)).unwrap_or(behind.len());
    word(&behind[..end]).map(|one| (one, &behind[end..]))
}
