//! More like this: a document as a query.
//!
//! The words that say most about a document, by how often it has them and how rare they are elsewhere (tf-idf, the
//! selection of Lucene's MoreLikeThis), become a query of which one word must be there; the document itself is left out.

use std::collections::BTreeMap;

use tantivy::schema::Value;
use tantivy::{DocAddress, Searcher, TantivyDocument, Term};

use super::document::{Fields, Key, Kind};
use super::query::{Alternative, Clause, Leaf, Query, Words};
use crate::text::each_token;

/// Words of the query.
const WORDS: usize = 25;
/// Bytes of a document's text that are looked at.
const LOOK: usize = 1 << 15;

/// Where the document with a key lies.
pub(super) fn lies_at(
    searcher: &Searcher,
    fields: &Fields,
    key: &Key,
) -> tantivy::Result<Option<DocAddress>> {
    let term = Term::from_field_text(fields.key, &key.term());
    for (segment, reader) in searcher.segment_readers().iter().enumerate() {
        let postings = reader
            .inverted_index(fields.key)?
            .read_block_postings(&term, tantivy::schema::IndexRecordOption::Basic)?;
        let Some(mut postings) = postings else { continue };
        // A document that was replaced is there until its segment is merged.
        while !postings.docs().is_empty() {
            if let Some(&doc) = postings.docs().iter().find(|&&doc| !reader.is_deleted(doc)) {
                return Ok(Some(DocAddress::new(segment as u32, doc)));
            }
            postings.advance();
        }
    }
    Ok(None)
}

/// A query for documents like the one at an address.
pub(super) fn like(
    searcher: &Searcher,
    fields: &Fields,
    kind: Kind,
    address: DocAddress,
) -> tantivy::Result<Query> {
    let document: TantivyDocument = searcher.doc(address)?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut left = LOOK;
    for (field, times) in [(fields.subject, 2), (fields.body, 1), (fields.replies, 1)] {
        for text in document.get_all(field).filter_map(|value| value.as_str()) {
            let mut end = text.len().min(left);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            left -= end;
            each_token(&text[..end], |token| {
                // The last character of a run is in the pair before it already.
                if !token.last {
                    match counts.get_mut(token.text) {
                        Some(count) => *count += times,
                        None => {
                            counts.insert(token.text.to_owned(), times);
                        }
                    }
                }
            });
        }
    }
    let all = searcher.num_docs().max(1) as f64;
    let mut ranked: Vec<(f64, String)> = Vec::with_capacity(counts.len());
    for (word, count) in counts {
        let documents = searcher.doc_freq(&fields.word(kind, &word))? as f64;
        // A word of this document alone leads nowhere.
        if documents > 1.0 {
            let rarity = (1.0 + all / documents).ln();
            ranked.push((f64::from(count).sqrt() * rarity, word));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.truncate(WORDS);
    let any: Vec<Alternative> = ranked
        .into_iter()
        .map(|(_, word)| Alternative {
            not: false,
            weight: 1.0,
            leaf: Leaf::Words(Words {
                folded: word.clone(),
                quoted: true,
                notes: false,
                terms: vec![(0, word)],
                prefix: false,
            }),
        })
        .collect();
    let clauses = if any.is_empty() {
        Vec::new()
    } else {
        vec![Clause { any }]
    };
    Ok(Query { clauses })
}
