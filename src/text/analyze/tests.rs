//! What the analyzer makes of words, accents, scripts without spaces and odd bytes.

use super::*;

fn texts(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.text).collect()
}

#[test]
fn mixed_text_keeps_words_codes_and_pairs() {
    assert_eq!(
        texts("我的订单 A1234 还没有发货, please refund"),
        [
            "我的", "的订", "订单", "单", "a1234", "还没", "没有", "有发", "发货", "货", "please", "refund"
        ]
    );
    assert_eq!(texts("A-1234 and 85123A"), ["a", "1234", "and", "85123a"]);
    assert_eq!(texts("T恤"), ["t", "恤"]);
    assert!(texts(" ,.!?—。！").is_empty());
}

#[test]
fn positions_count_characters_of_a_run() {
    let all = tokens("订单号 ab 好");
    let places: Vec<_> = all
        .iter()
        .map(|t| (t.text.as_str(), t.position, t.last))
        .collect();
    assert_eq!(
        places,
        [
            ("订单", 0, false),
            ("单号", 1, false),
            ("号", 2, true),
            ("ab", 3, false),
            ("好", 4, false)
        ]
    );
}

#[test]
fn folding_makes_alike_what_reads_alike() {
    assert_eq!(texts("ＡＢＣ１２３"), ["abc123"]);
    assert_eq!(texts("Crème BRÛLÉE"), ["creme", "brulee"]);
    assert_eq!(texts("cre\u{300}me"), ["creme"]);
    assert_eq!(texts("Straße STRASSE"), ["strasse", "strasse"]);
    assert_eq!(
        texts("Ёлка Όμηρος İstanbul ﬁne"),
        ["елка", "ομηροσ", "istanbul", "fine"]
    );
    assert_eq!(texts("Smørre\u{AD}brød Łódź"), ["smorrebrod", "lodz"]);
    assert_eq!(texts("Nike™ m²"), ["nike", "m2"]);
    // Half-width and decomposed Katakana, and decomposed Hangul, are the ordinary ones.
    assert_eq!(texts("ｶﾞｽ"), texts("ガス"));
    assert_eq!(texts("カ\u{3099}ス"), texts("ガス"));
    assert_eq!(
        texts("\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"),
        texts("한글")
    );
    assert_eq!(texts("㈱山田"), ["株", "山田", "田"]);
    assert_eq!(fold("  Grüße,\n订单 42 "), "grusse 订单 42");
}

#[test]
fn words_of_other_scripts_keep_their_vowel_signs() {
    assert_eq!(texts("हिन्दी"), ["हिन्दी"]);
    assert_eq!(texts("שלום عربي"), ["שלום", "عربي"]);
}

#[test]
fn offsets_lie_on_the_original() {
    let text = "Crème: ｶﾞｽ㈱ 我的T恤 cafe\u{301}!";
    for token in tokens(text) {
        assert!(
            text.is_char_boundary(token.from) && text.is_char_boundary(token.to),
            "{token:?}"
        );
        assert!(token.from < token.to);
    }
    let cafe = tokens(text).pop().unwrap();
    assert_eq!(&text[cafe.from..cafe.to], "cafe\u{301}");
}

#[test]
fn any_bytes_give_ordered_tokens() {
    let mut random = fastrand::Rng::with_seed(11);
    let alphabet: Vec<char> = "aZ9 .-é\u{301}ß我订単ｶﾞ한ᄒ\u{1161}ㄱ㈱™\u{AD}\u{200D}😀ि\u{FE0F}½İ"
        .chars()
        .collect();
    for _ in 0..2000 {
        let text: String = (0..random.usize(..40))
            .map(|_| alphabet[random.usize(..alphabet.len())])
            .collect();
        let all = tokens(&text);
        for (i, token) in all.iter().enumerate() {
            assert_eq!(token.position as usize, i, "{text:?}");
            assert!(
                text.get(token.from..token.to).is_some_and(|s| !s.is_empty()),
                "{text:?} {token:?}"
            );
            assert!(i == 0 || all[i - 1].from <= token.from, "{text:?}");
            // Folding is a fixed point: a token analysed again is itself.
            let again = fold(&token.text);
            assert_eq!(again.replace(' ', ""), token.text.replace(' ', ""), "{text:?}");
        }
    }
}

#[test]
fn a_pasted_attachment_is_one_short_token() {
    let long = "x".repeat(1 << 20);
    let all = tokens(&long);
    assert_eq!(
        (all.len(), all[0].text.len(), all[0].to),
        (1, LONGEST_WORD, 1 << 20)
    );
}

#[test]
fn common_han_characters_fold_to_themselves() {
    for c in '\u{4E00}'..='\u{9FFF}' {
        assert!(std::iter::once(c).nfkc().eq([c]) && is_cjk(c), "{c}");
        assert!(compose('\u{1100}', c).is_none() && compose('我', c).is_none());
    }
}
