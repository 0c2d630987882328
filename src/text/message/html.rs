//! HTML mail as text: lines where a reader sees lines, nothing of styles, scripts and quoted threads.

/// Tags that tell HTML from a text with angle brackets.
const SURE: [&str; 22] = [
    "html",
    "body",
    "head",
    "div",
    "p",
    "br",
    "table",
    "td",
    "tr",
    "span",
    "a",
    "ul",
    "ol",
    "li",
    "b",
    "i",
    "strong",
    "em",
    "font",
    "img",
    "blockquote",
    "style",
];
/// Tags that begin or end a line.
const BLOCKS: [&str; 20] = [
    "br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section",
    "article", "header", "footer", "pre",
];
/// Tags whose content nobody sees, or somebody else wrote.
const SKIPPED: [&str; 6] = ["script", "style", "head", "title", "blockquote", "svg"];

/// Whether a text has a tag of HTML.
pub(super) fn is_html(text: &str) -> bool {
    text.match_indices('<')
        .any(|(at, _)| tag(&text[at..]).is_some_and(|tag| SURE.contains(&tag.name.as_str())))
}

struct Tag {
    name: String,
    closing: bool,
    /// Bytes from `<` to behind `>`.
    length: usize,
    /// `<div class="gmail_quote">` and its like.
    quotes: bool,
}

/// The tag that a text begins with; a comment is a tag without name.
fn tag(text: &str) -> Option<Tag> {
    if let Some(comment) = text.strip_prefix("<!--") {
        let length = comment.find("-->").map_or(text.len(), |end| end + 7);
        return Some(Tag {
            name: String::new(),
            closing: false,
            length,
            quotes: false,
        });
    }
    let inside = text.strip_prefix('<')?;
    let closing = inside.starts_with('/');
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let inside = inside.strip_prefix('!').unwrap_or(inside);
    let length = inside
        .find(|c: char| !c.is_ascii_alphanumeric() && c != ':')
        .unwrap_or(inside.len());
    let (name, rest) = inside.split_at(length);
    // A tag ends somewhere near; an attribute may hold a link.
    let end = rest
        .char_indices()
        .take(4000)
        .find(|(_, c)| *c == '>')
        .map(|(at, _)| at)?;
    let first = rest.chars().next()?;
    if name.is_empty()
        || !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !(first.is_whitespace() || matches!(first, '>' | '/'))
    {
        return None;
    }
    let attributes = rest[..end].to_lowercase();
    Some(Tag {
        name: name.to_ascii_lowercase(),
        closing,
        length: text.len() - rest.len() + end + 1,
        quotes: attributes.contains("gmail_quote")
            || attributes.contains("yahoo_quoted")
            || attributes.contains("moz-cite-prefix"),
    })
}

/// The text of HTML. Unknown tags stay as they are written, so that `<name>` is not lost.
pub(super) fn text(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut at = 0;
    while at < html.len() {
        let rest = &html[at..];
        let next = rest.find(['<', '&']).unwrap_or(rest.len());
        words(&rest[..next], &mut text);
        at += next;
        let rest = &html[at..];
        if rest.starts_with('&') {
            let (letter, length) = entity(rest);
            text.push(letter);
            at += length;
        } else if let Some(tag) = tag(rest).filter(|tag| tag.name.is_empty() || is_known(&tag.name)) {
            at += tag.length;
            if !tag.closing && (SKIPPED.contains(&tag.name.as_str()) || tag.quotes) {
                at += skipped(&html[at..], &tag.name);
            }
            if BLOCKS.contains(&tag.name.as_str()) && !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            } else if matches!(tag.name.as_str(), "td" | "th") && !text.ends_with([' ', '\n']) {
                text.push(' ');
            }
        } else if !rest.is_empty() {
            text.push('<');
            at += 1;
        }
    }
    text
}

fn is_known(name: &str) -> bool {
    SURE.contains(&name)
        || BLOCKS.contains(&name)
        || SKIPPED.contains(&name)
        || name.contains(':') // o:p of word processors
        || ["meta", "link", "th", "thead", "tbody", "tfoot", "u", "s", "small", "big", "center", "code", "sup", "sub", "doctype", "col", "colgroup", "base", "label", "button", "input", "form", "main", "nav", "figure", "picture", "source", "video", "audio", "iframe", "dl", "dt", "dd", "wbr", "mark", "del", "ins", "q", "cite", "abbr", "address"]
            .contains(&name)
}

/// White space of HTML is one space.
fn words(part: &str, text: &mut String) {
    for letter in part.chars() {
        match letter.is_whitespace() && letter != '\u{a0}' {
            true if text.is_empty() || text.ends_with([' ', '\n']) => {}
            true => text.push(' '),
            false => text.push(letter),
        }
    }
}

/// Bytes up to behind the tag that closes the one just read; all that is left if none does.
fn skipped(rest: &str, name: &str) -> usize {
    let mut depth = 1;
    let mut at = 0;
    while let Some(next) = rest[at..].find('<') {
        at += next;
        match tag(&rest[at..]) {
            Some(tag) => {
                at += tag.length;
                if tag.name == name {
                    depth += if tag.closing { -1 } else { 1 };
                    if depth == 0 {
                        return at;
                    }
                }
            }
            None => at += 1,
        }
    }
    rest.len()
}

/// The letter an entity stands for, and its length in bytes; `&` alone stands for itself.
fn entity(text: &str) -> (char, usize) {
    let Some(end) = text.bytes().take(12).position(|byte| byte == b';') else {
        return ('&', 1);
    };
    let name = &text[1..end];
    let letter = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "euro" => Some('€'),
        "pound" => Some('£'),
        "copy" => Some('©'),
        "hellip" => Some('…'),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "lsquo" => Some('‘'),
        "rsquo" => Some('’'),
        "ldquo" => Some('“'),
        "rdquo" => Some('”'),
        "auml" => Some('ä'),
        "ouml" => Some('ö'),
        "uuml" => Some('ü'),
        "Auml" => Some('Ä'),
        "Ouml" => Some('Ö'),
        "Uuml" => Some('Ü'),
        "szlig" => Some('ß'),
        "eacute" => Some('é'),
        "egrave" => Some('è'),
        "agrave" => Some('à'),
        "ccedil" => Some('ç'),
        "ntilde" => Some('ñ'),
        name => {
            let number = name
                .strip_prefix('#')
                .and_then(|number| match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => number.parse().ok(),
                });
            number.and_then(char::from_u32).filter(|letter| *letter != '\0')
        }
    };
    letter.map_or(('&', 1), |letter| (letter, end + 1))
}
