//! The query language, from text to a tree. It knows no engine and cannot fail.
//!
//! | written | finds |
//! |---|---|
//! | `refund late` | documents with all the words, anywhere in them |
//! | `"not arrived"` | the words side by side |
//! | `-voucher`, `NOT voucher` | documents without the word |
//! | `refund AND late` | the same as without the AND |
//! | `refun*` | words that begin so; [`parse_typing`] reads the last word so without the star |
//! | `refund OR return late` | `late`, and one of the two: OR binds closer than the space |
//! | `status:open` | an exact value, also of `category`, `team`, `agent_id`, `language`; quotes allow spaces |
//! | `created_at:2026-11-01..2026-11-23` | both days included; either end may be left out, one day alone is that day |
//! | `note:lawyer` | a word, phrase or prefix in the internal notes, which are searched in no other way |
//!
//! A stretch without spaces that the analyzer takes apart is a phrase: `A-1234` is `a` followed by `1234`, and
//! `我的订单` the pairs of its characters in order. A CJK character alone, at the end of such a stretch, is a prefix.
//!
//! What does not parse is searched as plain words: an unknown field, a date that is none, an OR, AND or NOT without
//! neighbours.
//! A quotation mark without a partner is punctuation, and so are brackets.
//!
//! A query is cut at [`LONGEST_QUERY`] bytes and [`MOST_TERMS`] terms, and only the first [`MOST_PREFIXES`] prefixes
//! are prefixes, so that no query takes long.

mod tree;

use chrono::NaiveDate;

pub use tree::{Alternative, Clause, ExactField, Leaf, Query, Words};

use crate::text::{Script, fold, is_cjk, tokens};

/// Bytes of a query that are read.
pub const LONGEST_QUERY: usize = 4096;
/// Terms of a query that are searched, the words of its phrases counted one by one.
pub const MOST_TERMS: usize = 64;
/// Prefixes of a query that are searched as prefixes.
pub const MOST_PREFIXES: usize = 16;

/// What stands before a colon.
#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    Exact(ExactField),
    CreatedAt,
    Note,
}

const PREFIXES: [(&str, Prefix); 7] = [
    ("status", Prefix::Exact(ExactField::Status)),
    ("category", Prefix::Exact(ExactField::Category)),
    ("team", Prefix::Exact(ExactField::Team)),
    ("agent_id", Prefix::Exact(ExactField::AgentId)),
    ("language", Prefix::Exact(ExactField::Language)),
    ("created_at", Prefix::CreatedAt),
    ("note", Prefix::Note),
];

/// Parses a query.
pub fn parse(query: &str) -> Query {
    let mut end = query.len().min(LONGEST_QUERY);
    while !query.is_char_boundary(end) {
        end -= 1;
    }
    let items = items(&query[..end]);
    let mut builder = Builder::default();
    let mut not_next = false;
    for (i, item) in items.iter().enumerate() {
        match item {
            // OR and AND stand between two conditions, NOT before one; anywhere else they are words.
            Item::Or if builder.holds_condition && is_condition(&items[i + 1..]) => builder.join = true,
            Item::And if builder.holds_condition && is_condition(&items[i + 1..]) => {}
            Item::Not if is_condition(&items[i..]) => not_next = true,
            Item::Or => builder.words("OR", false, false, false),
            Item::And => builder.words("AND", false, false, false),
            Item::Not => builder.words("NOT", false, false, false),
            Item::Condition {
                not,
                prefix,
                text,
                quoted,
            } => {
                builder.condition(*not || not_next, *prefix, text, *quoted);
                not_next = false;
            }
        }
    }
    Query {
        clauses: builder.clauses,
    }
}

/// Parses a query that is still being typed: the last word, if the query ends with it, is the beginning of a word. A
/// pair of CJK characters is found in longer words as it is.
pub fn parse_typing(text: &str) -> Query {
    let mut query = parse(text);
    let last = query.clauses.last_mut().and_then(|clause| clause.any.last_mut());
    if text.chars().next_back().is_some_and(char::is_alphanumeric)
        && text.len() <= LONGEST_QUERY
        && let Some(Alternative {
            not: false,
            leaf: Leaf::Words(words),
            ..
        }) = last
        && !words.quoted
        && !words.folded.chars().next_back().is_some_and(is_cjk)
    {
        words.prefix = true;
    }
    query
}

/// A piece of the query between spaces.
enum Item {
    Or,
    And,
    Not,
    Condition {
        not: bool,
        prefix: Option<Prefix>,
        text: String,
        quoted: bool,
    },
}

/// Whether items begin with a condition, or with NOT and one.
fn is_condition(items: &[Item]) -> bool {
    match items {
        [Item::Not, Item::Condition { text, prefix, .. }, ..]
        | [Item::Condition { text, prefix, .. }, ..] => {
            matches!(prefix, Some(Prefix::Exact(_) | Prefix::CreatedAt)) || !tokens(text).is_empty()
        }
        _ => false,
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '＂' | '„' | '「' | '」')
}

/// Splits a query into items. Runs over the text once: a missing partner of a quotation mark is looked for once only.
fn items(query: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = query;
    let mut quotes_left = query.chars().filter(|&c| is_quote(c)).count();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return items;
        };
        let mut not = false;
        let mut body = rest;
        if matches!(first, '-' | '－') && rest[first.len_utf8()..].starts_with(|c: char| !c.is_whitespace())
        {
            not = true;
            body = &rest[first.len_utf8()..];
        }
        let mut prefix = None;
        if let Some((found, after)) = field(body) {
            prefix = Some(found);
            body = after;
        }
        let opening = body.chars().next().filter(|&c| is_quote(c));
        if let Some(quote) = opening {
            quotes_left -= 1;
            let inside = &body[quote.len_utf8()..];
            if quotes_left > 0
                && let Some(length) = inside.find(is_quote)
            {
                quotes_left -= 1;
                let closing = inside[length..].chars().next().map_or(0, char::len_utf8);
                items.push(Item::Condition {
                    not,
                    prefix,
                    text: inside[..length].to_owned(),
                    quoted: true,
                });
                rest = &inside[length + closing..];
                // `"two words"*` : the star after a phrase.
                if rest.starts_with(['*', '＊'])
                    && let Some(Item::Condition { text, .. }) = items.last_mut()
                {
                    text.push('*');
                }
                continue;
            }
            body = inside;
        }
        let length = body
            .find(|c: char| c.is_whitespace() || is_quote(c))
            .unwrap_or(body.len());
        let text = &body[..length];
        rest = &body[length..];
        items.push(match text {
            "OR" if !not && prefix.is_none() => Item::Or,
            "AND" if !not && prefix.is_none() => Item::And,
            "NOT" if !not && prefix.is_none() => Item::Not,
            _ => Item::Condition {
                not,
                prefix,
                text: text.to_owned(),
                quoted: false,
            },
        });
    }
}

/// A known field name and its colon at the beginning, with something after it.
fn field(text: &str) -> Option<(Prefix, &str)> {
    let colon = text.find([':', '：'])?;
    let after = text[colon..]
        .char_indices()
        .nth(1)
        .map_or("", |(i, _)| &text[colon + i..]);
    let (_, prefix) = PREFIXES.iter().find(|(name, _)| *name == &text[..colon])?;
    after
        .starts_with(|c: char| !c.is_whitespace())
        .then_some((*prefix, after))
}

/// Collects clauses within the limits.
#[derive(Default)]
struct Builder {
    clauses: Vec<Clause>,
    /// The next condition joins the last clause.
    join: bool,
    /// The last item gave a condition, so that OR has something on its left.
    holds_condition: bool,
    terms: usize,
    prefixes: usize,
}

impl Words {
    /// A text as a phrase, as somebody else than the searcher wrote it; none if it has no word.
    pub(super) fn phrase(text: &str) -> Option<Words> {
        let mut builder = Builder::default();
        builder.words(text, false, false, true);
        match builder.clauses.pop()?.any.pop()?.leaf {
            Leaf::Words(words) => Some(words),
            _ => None,
        }
    }
}

impl Builder {
    fn condition(&mut self, not: bool, prefix: Option<Prefix>, text: &str, quoted: bool) {
        match prefix {
            Some(Prefix::Exact(field)) => {
                let value = text.trim();
                if value.is_empty() {
                    self.holds_condition = false;
                } else if self.terms < MOST_TERMS {
                    self.terms += 1;
                    self.push(
                        not,
                        Leaf::Value {
                            field,
                            value: value.to_owned(),
                        },
                    );
                }
            }
            Some(Prefix::CreatedAt) => match days(text) {
                Some((from, to)) if self.terms < MOST_TERMS => {
                    self.terms += 1;
                    self.push(not, Leaf::Days { from, to });
                }
                _ => {
                    self.words("created_at", not, false, false);
                    self.words(text, not, false, quoted);
                }
            },
            Some(Prefix::Note) => self.words(text, not, true, quoted),
            // A colon that ends no field name parts two words.
            None if !quoted && text.contains([':', '：']) => {
                text.split([':', '：'])
                    .for_each(|part| self.words(part, not, false, false));
            }
            None => self.words(text, not, false, quoted),
        }
    }

    /// A word or phrase, as far as the analyzer finds one.
    fn words(&mut self, text: &str, not: bool, notes: bool, quoted: bool) {
        let starred = text.ends_with(['*', '＊']);
        let mut found = tokens(text);
        let lone = found
            .last()
            .is_some_and(|last| last.script == Script::Cjk && !last.last);
        // The last character of a run is in the pair before it already.
        found.retain(|token| !token.last);
        let whole = found.len() <= MOST_TERMS - self.terms;
        found.truncate(MOST_TERMS - self.terms);
        let Some(first) = found.first().map(|token| token.position) else {
            self.holds_condition = false;
            return;
        };
        let ends_in_pair = found.last().is_some_and(|last| last.script == Script::Cjk) && !lone;
        let wanted = (starred && !ends_in_pair) || lone;
        let prefix = wanted && whole && self.prefixes < MOST_PREFIXES;
        self.prefixes += usize::from(prefix);
        self.terms += found.len();
        let terms = found
            .into_iter()
            .map(|token| (token.position - first, token.text))
            .collect();
        let words = Words {
            folded: fold(text),
            quoted,
            notes,
            terms,
            prefix,
        };
        self.push(not, Leaf::Words(words));
    }

    fn push(&mut self, not: bool, leaf: Leaf) {
        let alternative = Alternative {
            not,
            weight: 1.0,
            leaf,
        };
        match self.clauses.last_mut() {
            Some(clause) if self.join => clause.any.push(alternative),
            _ => self.clauses.push(Clause {
                any: vec![alternative],
            }),
        }
        self.join = false;
        self.holds_condition = true;
    }
}

/// `2026-11-01..2026-11-23`, `2026-11-01..`, `..2026-11-23` or `2026-11-01`.
fn days(text: &str) -> Option<(Option<NaiveDate>, Option<NaiveDate>)> {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let Some((from, to)) = text.split_once("..") else {
        return day(text).map(|day| (Some(day), Some(day)));
    };
    match (from, to) {
        ("", "") => None,
        ("", to) => Some((None, Some(day(to)?))),
        (from, "") => Some((Some(day(from)?), None)),
        (from, to) => Some((Some(day(from)?), Some(day(to)?))),
    }
}

#[cfg(test)]
mod tests;
