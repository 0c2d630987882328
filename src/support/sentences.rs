//! Sentences: where one ends, in scripts with spaces and without.
//!
//! A sentence ends at a line's end, after `。！？…` and after `. ! ?` before a space, but not after an
//! initial, an abbreviation such as `Dr.` or a number that a list begins with. Closing quotes and brackets stay with
//! it. A reply is a list of sentences, each with the gap that followed it, so that joining all gives the reply again.

/// A sentence and what stood between it and the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// The sentence, without white space around it.
    pub text: &'a str,
    /// White space after it.
    pub gap: &'a str,
}

/// Words with a full stop that ends no sentence, in lower case.
const ABBREVIATIONS: [&str; 30] = [
    "approx", "art", "bzw", "ca", "co", "d.h", "dr", "e.g", "etc", "evtl", "ext", "fig", "i.e", "inc",
    "inkl", "ltd", "mr", "mrs", "ms", "nr", "no", "p.s", "prof", "sr", "sra", "st", "str", "tel", "vs",
    "z.b",
];

/// Cuts a text into its sentences; white space before the first is dropped.
pub fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let text = text.trim();
    let mut found = Vec::new();
    let mut from = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let mut end = at + letter.len_utf8();
        if !matches!(letter, '\n' | '。' | '！' | '？' | '…' | '.' | '!' | '?') {
            continue;
        }
        // Further marks and what closes.
        while let Some(&(next, mark)) = letters.peek() {
            if letter == '\n'
                || !matches!(
                    mark,
                    '.' | '!'
                        | '?'
                        | '。'
                        | '！'
                        | '？'
                        | '…'
                        | '"'
                        | '\''
                        | ')'
                        | ']'
                        | '”'
                        | '’'
                        | '」'
                        | '』'
                        | '）'
                        | '》'
                )
            {
                break;
            }
            end = next + mark.len_utf8();
            letters.next();
        }
        let next = letters.peek().map(|&(_, next)| next);
        let wide = matches!(letter, '。' | '！' | '？' | '…' | '\n');
        if !wide && !next.is_none_or(char::is_whitespace) {
            continue; // 2.5, a.b@c.de, example.com
        }
        if letter == '.' && next.is_some() && !closes(&text[from..at]) {
            continue;
        }
        let body = text[from..end].trim_end();
        let mut past = from + body.len();
        while let Some(space) = text[past..].chars().next().filter(|next| next.is_whitespace()) {
            past += space.len_utf8();
        }
        if !body.is_empty() {
            found.push(Sentence {
                text: body,
                gap: &text[from + body.len()..past],
            });
        }
        while letters.peek().is_some_and(|&(next, _)| next < past) {
            letters.next();
        }
        from = past;
    }
    if from < text.len() {
        found.push(Sentence {
            text: &text[from..],
            gap: "",
        });
    }
    found
}

/// Whether a full stop after `before` can end a sentence.
fn closes(before: &str) -> bool {
    let word = before
        .rsplit(|letter: char| letter.is_whitespace() || letter == '(')
        .next()
        .unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let number = before.trim() == word && !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    !initial && !number && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn sentences_end_where_readers_say() {
        assert_eq!(
            texts(
                "Dear Dr. Meyer, it weighs 2.5 kg. See e.g. example.com! \"Really?\" Yes.\nBest, A. B. Clark"
            ),
            [
                "Dear Dr. Meyer, it weighs 2.5 kg.",
                "See e.g. example.com!",
                "\"Really?\"",
                "Yes.",
                "Best, A. B. Clark"
            ]
        );
        assert_eq!(
            texts("您好！来信收悉。“为什么？”现回复如下：\n1. 明天发货…… 谢谢"),
            [
                "您好！",
                "来信收悉。",
                "“为什么？”",
                "现回复如下：",
                "1. 明天发货……",
                "谢谢"
            ]
        );
        assert!(texts("").is_empty() && texts(" \n ").is_empty());
        assert_eq!(texts("..."), ["..."]);
    }

    #[test]
    fn joining_gives_the_text_again() {
        for text in [
            "A b. C!\n\nD? e.",
            "您好！ 谢谢。再见",
            "no end",
            "x.\u{3000}y. 🙂 z",
        ] {
            let joined: String = sentences(text)
                .iter()
                .flat_map(|one| [one.text, one.gap])
                .collect();
            assert_eq!(joined, text);
        }
    }
}
