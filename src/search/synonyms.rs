//! Words that mean the same: a shop's own list, read into a query.
//!
//! Each pair holds in both directions and is not handed on: of `sofa` = `couch` and `couch` = `settee`, a query for
//! `sofa` finds couches and no settees. A side may be several words. Those of a query need not stand in quotation marks
//! (`credit note` asks for both words, or for the other side); the other side's are looked for side by side. In scripts
//! without spaces an expression is also found inside a longer one: with `退款` = `退钱`, `申请退款` finds `申请退钱`.
//!
//! What was asked for weighs more than what means the same. Nothing is added to a phrase in quotation marks, to the
//! beginning of a word, to a negation or to `note:`.

use std::collections::HashMap;

use super::query::{Alternative, Clause, Leaf, Query, Words};
use crate::text::{fold, is_cjk};

/// What a synonym's score is multiplied by.
const WEIGHT: f32 = 0.8;
/// Alternatives that are added to a query, at most.
const MOST: usize = 64;

/// A list of synonyms, ready to be looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Synonyms {
    /// From an expression, folded, to what means the same, as it was written.
    also: HashMap<String, Vec<String>>,
    /// Those of scripts without spaces, in order.
    unspaced: Vec<String>,
    /// Words of the longest expression.
    longest: usize,
}

impl Synonyms {
    /// From the pairs of the table.
    pub(super) fn new(pairs: &[(String, String)]) -> Synonyms {
        let mut synonyms = Synonyms::default();
        for (one, other) in pairs {
            for (from, to) in [(one, other), (other, one)] {
                let folded = fold(from);
                if folded.is_empty() || folded == fold(to) {
                    continue;
                }
                synonyms.longest = synonyms.longest.max(folded.split(' ').count());
                let also = synonyms.also.entry(folded).or_default();
                if !also.contains(to) {
                    also.push(to.clone());
                }
            }
        }
        let unspaced = synonyms.also.keys().filter(|key| key.chars().all(is_cjk));
        synonyms.unspaced = unspaced.cloned().collect();
        synonyms.unspaced.sort();
        synonyms
    }

    /// Adds to a query what means the same.
    pub(super) fn expand(&self, query: &mut Query) {
        if self.also.is_empty() {
            return;
        }
        let mut left = MOST;
        let clauses = std::mem::take(&mut query.clauses);
        let mut at = 0;
        while at < clauses.len() {
            let (mut clause, taken) = self.longest_at(&clauses[at..]);
            let asked = clause.any.len();
            for i in 0..asked {
                let added = self.meaning_the_same(&clause.any[i]);
                let added: Vec<_> = added.into_iter().take(left).collect();
                left -= added.len();
                clause.any.extend(added);
            }
            query.clauses.push(clause);
            at += taken;
        }
    }

    /// The first clauses as one, if their words are an expression of several; else the first.
    fn longest_at(&self, clauses: &[Clause]) -> (Clause, usize) {
        for taken in (2..=self.longest.min(clauses.len())).rev() {
            let words: Option<Vec<Words>> = clauses[..taken].iter().map(one_word).collect();
            if let Some(words) = words
                && self.also.contains_key(&folded(&words))
            {
                let all = Alternative {
                    not: false,
                    weight: 1.0,
                    leaf: Leaf::All(words),
                };
                return (Clause { any: vec![all] }, taken);
            }
        }
        (clauses[0].clone(), 1)
    }

    fn meaning_the_same(&self, asked: &Alternative) -> Vec<Alternative> {
        let expression = match &asked.leaf {
            _ if asked.not => return Vec::new(),
            Leaf::Words(words) if is_plain(words) => words.folded.clone(),
            Leaf::All(words) => folded(words),
            _ => return Vec::new(),
        };
        let mut texts: Vec<String> = self.also.get(&expression).cloned().unwrap_or_default();
        if expression.chars().all(is_cjk) {
            for inside in self.unspaced.iter().filter(|key| **key != expression) {
                if expression.contains(inside.as_str()) {
                    let also = self.also.get(inside).into_iter().flatten();
                    texts.extend(also.map(|also| expression.replacen(inside.as_str(), also, 1)));
                }
            }
        }
        let words = texts.iter().filter_map(|text| Words::phrase(text));
        words
            .map(|words| Alternative {
                not: false,
                weight: WEIGHT,
                leaf: Leaf::Words(words),
            })
            .collect()
    }
}

/// Whether it is a word or an expression as such. A CJK character alone at its end is looked for as a beginning, and is none
/// that anybody asked for.
fn is_plain(words: &Words) -> bool {
    let alone = |(_, term): &(u32, String)| term.chars().count() == 1 && term.chars().all(is_cjk);
    let beginning = words.prefix && !words.terms.last().is_some_and(alone);
    !words.quoted && !beginning && !words.notes
}

/// The word of a clause that asks for one and nothing else.
fn one_word(clause: &Clause) -> Option<Words> {
    match clause.any.as_slice() {
        [
            Alternative {
                not: false,
                leaf: Leaf::Words(words),
                ..
            },
        ] if is_plain(words) => Some(words.clone()),
        _ => None,
    }
}

fn folded(words: &[Words]) -> String {
    let words: Vec<&str> = words.iter().map(|words| words.folded.as_str()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse;

    fn shown(pairs: &[(&str, &str)], text: &str) -> String {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let mut query = parse(text);
        Synonyms::new(&pairs).expand(&mut query);
        let leaf = |leaf: &Leaf| match leaf {
            Leaf::Words(words) => words.folded.clone(),
            Leaf::All(words) => words
                .iter()
                .map(|w| w.folded.clone())
                .collect::<Vec<_>>()
                .join("&"),
            other => format!("{other:?}"),
        };
        let clause = |clause: &Clause| {
            let any = clause.any.iter().map(|one| leaf(&one.leaf));
            any.collect::<Vec<_>>().join("|")
        };
        query.clauses.iter().map(clause).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn both_directions_and_no_further() {
        let pairs = [("sofa", "Couch"), ("couch", "settee"), ("credit note", "voucher")];
        for (query, tree) in [
            ("sofa", "sofa|couch"),
            ("Couch late", "couch|sofa|settee,late"),
            ("settee", "settee|couch"),
            ("credit note lost", "credit&note|voucher,lost"),
            ("lost credit", "lost,credit"),
            ("note credit", "note,credit"),
            ("VOUCHER", "voucher|credit note"),
            ("sofa OR bed", "sofa|bed|couch"),
            ("\"sofa\" sof* -sofa", "sofa,sof,sofa"),
            ("bed", "bed"),
        ] {
            assert_eq!(shown(&pairs, query), tree, "{query}");
        }
    }

    #[test]
    fn scripts_without_spaces() {
        let pairs = [("退款", "退钱"), ("T恤", "短袖"), ("包裹", "parcel")];
        for (query, tree) in [
            ("退款", "退款|退钱"),
            ("申请退款", "申请退款|申请退钱"),
            ("parcel", "parcel|包裹"),
            ("包裹", "包裹|parcel"),
            ("t恤", "t 恤|短袖"),
            ("短袖", "短袖|t 恤"),
            ("退货", "退货"),
        ] {
            assert_eq!(shown(&pairs, query), tree, "{query}");
        }
    }

    #[test]
    fn odd_lists_do_no_harm() {
        assert_eq!(
            shown(&[("", "x"), ("...", "y"), ("a", "A"), ("b", "!")], "a b"),
            "a,b"
        );
        let many: Vec<(String, String)> = (0..500).map(|i| ("a".to_owned(), format!("w{i}"))).collect();
        let mut query = parse("a");
        Synonyms::new(&many).expand(&mut query);
        assert_eq!(query.clauses[0].any.len(), 1 + MOST);
    }
}
