//! Which language a text is written in: the script where it says so, else a vote of the commonest words.
//!
//! Meant for choosing an agent who can read a ticket, so it prefers silence to a guess: a text without one of the
//! listed words, or with a draw, is `und` (BCP 47, undetermined). The words are the commonest function words of each
//! language, those shared by several left out or voting for all of them.

use super::analyze::{Run, is_cjk, walk};

/// Function words of a language, folded (no accents), sorted.
const VOTES: [(&str, &[&str]); 6] = [
    (
        "de",
        &[
            "aber", "auch", "auf", "bei", "bin", "bitte", "das", "dass", "dem", "den", "der", "des", "die",
            "ein", "eine", "einen", "einer", "es", "fur", "habe", "haben", "hat", "ich", "ihr", "ihre",
            "ihren", "im", "ist", "kann", "konnen", "mein", "meine", "meinen", "mich", "mir", "mit", "nach",
            "nicht", "noch", "nur", "oder", "sehr", "sich", "sie", "sind", "uber", "um", "und", "uns",
            "unser", "unsere", "von", "vor", "warum", "wenn", "werden", "wie", "wir", "wird", "wurde", "zu",
            "zum", "zur",
        ],
    ),
    (
        "en",
        &[
            "a", "about", "after", "am", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
            "cant", "could", "did", "didn", "do", "does", "doesn", "don", "for", "from", "get", "had", "has",
            "have", "hello", "help", "how", "i", "if", "im", "in", "is", "it", "just", "make", "me", "my",
            "need", "not", "of", "on", "or", "our", "out", "please", "s", "so", "still", "t", "than", "that",
            "the", "their", "then", "there", "they", "this", "to", "up", "use", "want", "was", "we", "were",
            "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
        ],
    ),
    (
        "es",
        &[
            "al", "como", "con", "cuando", "de", "del", "donde", "el", "ella", "en", "es", "esta", "este",
            "esto", "ha", "hay", "he", "hola", "la", "las", "lo", "los", "mas", "me", "mi", "mis", "muy",
            "no", "nos", "nuestra", "nuestro", "para", "pero", "por", "porque", "que", "se", "si", "sin",
            "sobre", "son", "su", "sus", "tambien", "tengo", "un", "una", "usted", "y", "ya", "yo",
        ],
    ),
    (
        "fr",
        &[
            "au", "aux", "avec", "bonjour", "c", "ce", "ces", "cette", "dans", "de", "des", "du", "elle",
            "en", "est", "et", "etre", "il", "j", "je", "l", "la", "le", "les", "leur", "lors", "ma", "mais",
            "me", "mes", "mon", "n", "ne", "nos", "notre", "nous", "on", "ou", "par", "pas", "plus", "pour",
            "pourquoi", "qu", "que", "qui", "s", "sa", "ses", "son", "sont", "sur", "un", "une", "vos",
            "votre", "vous",
        ],
    ),
    (
        "it",
        &[
            "a", "ai", "al", "alla", "anche", "che", "chi", "ci", "come", "con", "cosa", "da", "dal", "dei",
            "del", "della", "di", "e", "ed", "gli", "grazie", "ha", "ho", "i", "il", "in", "io", "la", "le",
            "lo", "ma", "mi", "mia", "mio", "ne", "nel", "nella", "non", "nostro", "o", "per", "perche",
            "piu", "quando", "questa", "questo", "se", "si", "sono", "su", "sul", "un", "una", "vorrei",
        ],
    ),
    (
        "pt",
        &[
            "a", "ao", "aos", "as", "com", "como", "da", "das", "de", "do", "dos", "e", "ela", "ele", "em",
            "esta", "este", "eu", "foi", "ha", "isso", "isto", "ja", "mais", "mas", "me", "meu", "meus",
            "minha", "muito", "na", "nao", "nas", "no", "nos", "nossa", "nosso", "o", "obrigado", "os", "ou",
            "para", "pela", "pelo", "por", "porque", "qual", "quando", "que", "se", "sem", "seu", "sua",
            "tambem", "tem", "um", "uma", "voce",
        ],
    ),
];

/// The language of a text: `zh`, `ja`, `ko`, `en`, `de`, `fr`, `es`, `pt`, `it`, or `und` when nothing speaks.
///
/// Half of the letters (a CJK character counts as two) decide between the scripts, so a Chinese sentence with an
/// English product name is Chinese; Kana make it Japanese and Hangul Korean.
pub fn language_of(text: &str) -> &'static str {
    let (mut han, mut kana, mut hangul, mut letters) = (0usize, 0usize, 0usize, 0usize);
    let mut votes = [0usize; VOTES.len()];
    walk(text, |run| match run {
        Run::Cjk(glyphs) => {
            for glyph in glyphs {
                match glyph.folded {
                    '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' => kana += 1,
                    c if is_hangul(c) => hangul += 1,
                    c => han += usize::from(is_cjk(c)),
                }
            }
        }
        Run::Word { text, .. } => {
            letters += text.chars().filter(|c| c.is_alphabetic()).count();
            for (votes, (_, words)) in votes.iter_mut().zip(&VOTES) {
                *votes += usize::from(words.binary_search(&text).is_ok());
            }
        }
    });
    let cjk = han + kana + hangul;
    if cjk > 0 && 2 * cjk >= letters {
        return if hangul * 2 >= cjk {
            "ko"
        } else if kana * 5 >= cjk {
            "ja"
        } else {
            "zh"
        };
    }
    let most = votes.iter().copied().max().unwrap_or(0);
    let mut leaders = votes.iter().zip(&VOTES).filter(|(count, _)| **count == most);
    match (most, leaders.next(), leaders.next()) {
        (1.., Some((_, (language, _))), None) => language,
        _ => "und",
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{A960}'..='\u{A97C}' | '\u{AC00}'..='\u{D7FB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_are_sorted_and_folded() {
        for (language, words) in VOTES {
            assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "{language}");
            assert!(
                words.iter().all(|word| crate::text::fold(word) == *word),
                "{language}"
            );
        }
    }

    #[test]
    fn languages_are_told_apart() {
        for (language, text) in [
            ("en", "Where is my order? It was shipped a week ago."),
            ("en", "I am still waiting on my card?"), // banking77, CC BY 4.0
            ("de", "Ich habe meine Bestellung noch nicht erhalten."),
            ("fr", "Je n'ai pas reçu ma commande, pouvez-vous m'aider ?"),
            (
                "es",
                "Hola, todavía no he recibido el pedido y necesito una respuesta.",
            ),
            ("it", "Buongiorno, non ho ancora ricevuto il mio ordine."),
            (
                "pt",
                "Olá, ainda não recebi o meu pedido e preciso de uma resposta.",
            ),
            ("zh", "我的订单 A1234 还没有发货, please refund"),
            ("zh", "iPhone 15 Pro Max 手机壳什么时候发货"),
            ("ja", "注文した商品がまだ届きません"),
            ("ja", "ｷｬﾝｾﾙしたい"),
            ("ko", "주문한 상품이 아직 도착하지 않았습니다"),
            ("und", ""),
            ("und", "85123A 12.50"),
            ("und", "SKU zebra"),
        ] {
            assert_eq!(language_of(text), language, "{text}");
        }
    }
}
