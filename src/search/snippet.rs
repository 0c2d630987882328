//! Excerpts with the hits marked.
//!
//! Hits are found again in the stored text with our own tokens, so that a mark lies on what the query means: a whole
//! word, the beginning of a word for a prefix, one character of Chinese where one was asked for, all of a phrase and
//! no word of it elsewhere. The result is HTML: text escaped, white space single, hits in `<mark>`.

use std::ops::Range;

use super::query::{Leaf, Query, Words};
use crate::text::Splitter;

/// Bytes of a text that are looked at; a hit beyond is not shown. Every word of the text is compared with every word of the query, so of
/// the longer queries fewer: whoever writes a ticket must not decide how long a search takes.
const LOOK: usize = 1 << 18;
const LOOK_TIMES_WORDS: usize = 1 << 20;
/// Places of a word of a phrase that are looked at.
const PLACES: usize = 4096;
/// Characters of an excerpt of the text.
const EXCERPT: usize = 160;
/// Characters of an excerpt of the subject.
const SUBJECT: usize = 80;
/// Characters shown before the first hit of an excerpt.
const LEAD: usize = 30;

/// The texts of one document, as stored.
#[derive(Debug, Default)]
pub(super) struct Texts<'a> {
    pub(super) subject: &'a str,
    pub(super) body: &'a str,
    pub(super) replies: Vec<&'a str>,
    pub(super) notes: Vec<&'a str>,
}

/// What of a query is marked, in one text after another.
pub(super) struct Marker<'a> {
    plain: Vec<&'a Words>,
    noted: Vec<&'a Words>,
    /// Bytes of a text that are looked at.
    look: usize,
    splitter: Splitter,
}

impl<'a> Marker<'a> {
    /// For the words of a query that are wanted.
    pub(super) fn of(query: &'a Query) -> Marker<'a> {
        let all = query
            .clauses
            .iter()
            .flat_map(|clause| &clause.any)
            .filter(|alternative| !alternative.not);
        let words = all.flat_map(|alternative| match &alternative.leaf {
            Leaf::Words(words) => std::slice::from_ref(words),
            Leaf::All(several) => several.as_slice(),
            _ => &[],
        });
        let (plain, noted): (Vec<&Words>, Vec<&Words>) = words.partition(|words| !words.notes);
        let words: usize = plain.iter().chain(&noted).map(|words| words.terms.len()).sum();
        Marker {
            plain,
            noted,
            look: LOOK.min(LOOK_TIMES_WORDS / words.max(1)),
            splitter: Splitter::default(),
        }
    }

    /// The subject, and the best excerpt of the rest: of the body where it has a hit, else of the first reply that has
    /// one, else the beginning of the body. Notes are quoted only where the query asked for them.
    pub(super) fn snippet(&mut self, texts: &Texts<'_>) -> String {
        let Marker {
            plain,
            noted,
            look,
            splitter,
        } = self;
        let cut = |text| cut(text, *look);
        let mut parts: Vec<String> = Vec::with_capacity(3);
        let subject = cut(texts.subject);
        if !is_blank(subject) {
            parts.push(html(subject, &hits(subject, plain, splitter), SUBJECT));
        }
        let mut marked = |text, words: &[&Words]| {
            let text = cut(text);
            let hits = hits(text, words, splitter);
            (!hits.is_empty()).then(|| html(text, &hits, EXCERPT))
        };
        let rest = || std::iter::once(texts.body).chain(texts.replies.iter().copied());
        let begun = || {
            let first = rest().map(cut).find(|text| !is_blank(text))?;
            Some(html(first, &[], EXCERPT))
        };
        parts.extend(rest().find_map(|text| marked(text, plain)).or_else(begun));
        parts.extend(texts.notes.iter().find_map(|note| marked(note, noted)));
        parts.join(" · ")
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

fn cut(text: &str, look: usize) -> &str {
    let mut end = text.len().min(look);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Where a term of a phrase stands.
struct Place {
    position: u32,
    from: usize,
    to: usize,
}

/// The byte ranges of all hits, ascending, none touching another.
fn hits(text: &str, words: &[&Words], splitter: &mut Splitter) -> Vec<Range<usize>> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<Range<usize>> = Vec::new();
    // Of each phrase where each of its terms stands.
    let several = |words: &&Words| {
        if words.terms.len() > 1 {
            words.terms.len()
        } else {
            0
        }
    };
    let mut places: Vec<Vec<Vec<Place>>> = words
        .iter()
        .map(|words| (0..several(words)).map(|_| Vec::new()).collect())
        .collect();
    splitter.each_token(text, |token| {
        for (words, places) in words.iter().zip(&mut places) {
            for (at, (_, term)) in words.terms.iter().enumerate() {
                let beginning = words.prefix && at + 1 == words.terms.len();
                let to = if token.text == term {
                    token.to
                } else if beginning && token.text.starts_with(term.as_str()) {
                    token.from + begun(&text[token.from..token.to], token.text, term)
                } else {
                    continue;
                };
                match places.get_mut(at) {
                    Some(places) if places.len() < PLACES => places.push(Place {
                        position: token.position,
                        from: token.from,
                        to,
                    }),
                    Some(_) => {}
                    None => hits.push(token.from..to),
                }
            }
        }
    });
    for (words, places) in words.iter().zip(&places) {
        let ([(_, _), .., (distance, _)], [first, .., last]) = (words.terms.as_slice(), places.as_slice())
        else {
            continue;
        };
        for end in last {
            let Some(position) = end.position.checked_sub(*distance) else {
                continue;
            };
            let find = |places: &[Place], position: u32| {
                let at = places
                    .binary_search_by_key(&position, |place| place.position)
                    .ok()?;
                Some(places[at].from)
            };
            let Some(from) = find(first, position) else {
                continue;
            };
            let mut between = words.terms.iter().zip(places).skip(1);
            if between.all(|((distance, _), places)| find(places, position + distance).is_some()) {
                hits.push(from..end.to);
            }
        }
    }
    hits.sort_by_key(|hit| (hit.start, hit.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for hit in hits {
        match apart.last_mut() {
            Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
            _ => apart.push(hit),
        }
    }
    apart
}

/// Bytes of the beginning of a word: of as many of its characters as the prefix has. Where folding changed their number
/// (`ß`, ligatures) the whole word is marked.
fn begun(original: &str, folded: &str, prefix: &str) -> usize {
    if original.chars().count() != folded.chars().count() {
        return original.len();
    }
    let mut places = original.char_indices();
    places
        .nth(prefix.chars().count())
        .map_or(original.len(), |(at, _)| at)
}

/// An excerpt of about `length` characters around the hits, as HTML.
fn html(text: &str, hits: &[Range<usize>], length: usize) -> String {
    let window = window(text, hits, length);
    let mut out = String::with_capacity(window.len() + 32);
    if window.start > 0 {
        out.push('…');
    }
    let mut at = window.start;
    for hit in hits
        .iter()
        .filter(|hit| hit.start < window.end && hit.end > window.start)
    {
        let (from, to) = (hit.start.max(window.start), hit.end.min(window.end));
        escape(&text[at..from], &mut out);
        out.push_str("<mark>");
        escape(&text[from..to], &mut out);
        out.push_str("</mark>");
        at = to;
    }
    escape(&text[at..window.end], &mut out);
    if window.end < text.len() {
        out.push('…');
    }
    out
}

/// The stretch of `length` characters with the most hits (the first of equals), a little before the first of them,
/// widened to whole words where those are short.
fn window(text: &str, hits: &[Range<usize>], length: usize) -> Range<usize> {
    if text.len() <= length {
        return 0..text.len();
    }
    let bounds: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let characters = bounds.len() - 1;
    if characters <= length {
        return 0..text.len();
    }
    let character = |byte: usize| bounds.partition_point(|&bound| bound < byte);
    let starts: Vec<usize> = hits.iter().map(|hit| character(hit.start)).collect();
    let (mut best, mut most, mut end) = (0, 0, 0);
    for (i, &start) in starts.iter().enumerate() {
        while end < starts.len() && starts[end] < start + length - LEAD {
            end += 1;
        }
        if end - i > most {
            (best, most) = (i, end - i);
        }
    }
    let first = starts.get(best).copied().unwrap_or(0);
    let mut from = first.saturating_sub(LEAD).min(characters - length);
    let mut to = from + length;
    let space = |i: usize| text[bounds[i]..].starts_with(char::is_whitespace);
    // Not in the middle of a word, if a space is near; text without spaces is cut where it is.
    if from > 0
        && let Some(near) = (from..(from + 12).min(first)).find(|&i| space(i))
    {
        from = near;
    }
    if to < characters
        && let Some(near) = (to.saturating_sub(12)..=to).rev().find(|&i| space(i))
        && starts.iter().all(|&start| start < near || start >= to)
    {
        to = near;
    }
    bounds[from]..bounds[to]
}

/// Escapes text for HTML, quotation marks included, and makes white space and control characters single spaces.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_whitespace() || c.is_control() => {
                if !out.ends_with([' ', '…']) && !out.is_empty() {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse;

    fn snippet(texts: &Texts<'_>, query: &Query) -> String {
        Marker::of(query).snippet(texts)
    }

    fn body(text: &str, query: &str) -> String {
        snippet(
            &Texts {
                body: text,
                ..Default::default()
            },
            &parse(query),
        )
    }

    #[test]
    fn marks_lie_on_what_was_asked() {
        assert_eq!(
            body("Where is my Réfund?", "refund"),
            "Where is my <mark>Réfund</mark>?"
        );
        assert_eq!(
            body("refunds and refunding", "refund*"),
            "<mark>refund</mark>s and <mark>refund</mark>ing"
        );
        assert_eq!(
            body("not here, not arrived", "\"not arrived\""),
            "not here, <mark>not arrived</mark>"
        );
        assert_eq!(
            body("code A-1234, A 99", "A-1234"),
            "code <mark>A-1234</mark>, A 99"
        );
        assert_eq!(body("no voucher", "-voucher no"), "<mark>no</mark> voucher");
        assert_eq!(body("Straßenbahn", "stras*"), "<mark>Straßenbahn</mark>");
    }

    #[test]
    fn a_long_text_costs_a_long_query_no_more() {
        let text = "a ".repeat(120_000);
        for words in [1, 2, 16, 60] {
            let query = parse(&format!("\"{}\"", vec!["a"; words].join(" ")));
            let marker = Marker::of(&query);
            let terms = marker.plain[0].terms.len();
            assert!(terms == words && marker.look * terms <= LOOK_TIMES_WORDS.max(LOOK));
            assert!(body(&text, &format!("\"{}\"", vec!["a"; words].join(" "))).contains("<mark>a"));
        }
        // What is looked at less far is still quoted.
        let far = format!("{}needle", "hay ".repeat(70_000));
        assert!(!body(&far, "needle").contains("<mark>") && body(&far, "needle").starts_with("hay"));
    }

    #[test]
    fn marks_lie_on_chinese_characters() {
        assert_eq!(body("我的订单没有发货", "订单"), "我的<mark>订单</mark>没有发货");
        assert_eq!(body("我的订单没有发货", "单"), "我的订<mark>单</mark>没有发货");
        assert_eq!(body("我的订单没有发货", "货"), "我的订单没有发<mark>货</mark>");
        assert_eq!(
            body("我的订单没有发货", "订单没有"),
            "我的<mark>订单没有</mark>发货"
        );
        assert_eq!(
            body("买T恤衫 please refund", "T恤 refund"),
            "买<mark>T恤</mark>衫 please <mark>refund</mark>"
        );
    }

    #[test]
    fn text_is_escaped_and_marks_are_not() {
        assert_eq!(
            body("<script>alert(\"x\") & 'y'</script>\n\nrefund", "alert"),
            "&lt;script&gt;<mark>alert</mark>(&quot;x&quot;) &amp; &#39;y&#39;&lt;/script&gt; refund"
        );
    }

    #[test]
    fn long_texts_are_cut_around_the_hits() {
        let long = format!("{}refund late {}", "word ".repeat(500), "other ".repeat(500));
        let cut = body(&long, "refund late");
        assert!(cut.contains("<mark>refund</mark> <mark>late</mark>"), "{cut}");
        assert!(
            cut.starts_with('…') && cut.ends_with('…') && cut.chars().count() < 220,
            "{cut}"
        );
        let chinese = "我".repeat(900) + "退款" + &"好".repeat(900);
        assert!(body(&chinese, "退款").contains("<mark>退款</mark>"));
    }

    #[test]
    fn notes_are_quoted_only_on_request() {
        let texts = Texts {
            subject: "A",
            body: "b",
            replies: vec!["the reply"],
            notes: vec!["lawyer wrote"],
        };
        assert_eq!(snippet(&texts, &parse("reply")), "A · the <mark>reply</mark>");
        assert_eq!(
            snippet(&texts, &parse("note:lawyer")),
            "A · b · <mark>lawyer</mark> wrote"
        );
        assert_eq!(snippet(&texts, &parse("lawyer")), "A · b");
    }

    #[test]
    fn any_text_and_query_give_balanced_marks() {
        let mut random = fastrand::Rng::with_seed(3);
        let alphabet: Vec<char> = "ab -é\u{301}ß我订ｶﾞ㈱<&\"*:\u{AD}😀\n".chars().collect();
        let mut make = |n: usize| -> String {
            (0..random.usize(..n))
                .map(|_| alphabet[random.usize(..alphabet.len())])
                .collect()
        };
        for _ in 0..2000 {
            let (text, query) = (make(600), make(12));
            let made = body(&text, &query);
            let plain = made.replace("<mark>", "").replace("</mark>", "");
            assert!(!plain.contains(['<', '"']), "{text:?} {query:?}");
            assert_eq!(made.matches("<mark>").count(), made.matches("</mark>").count());
        }
    }
}
