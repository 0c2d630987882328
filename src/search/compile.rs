//! From the tree of a query to the engine's own.
//!
//! Each word must be in one of the text fields; its score is the sum of BM25 over them, weighed by field. Exact values
//! and days select and do not score. Conditions are part of the query, so they act before the limit.

use std::ops::Bound;

use chrono::{Days, NaiveDate};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, InvertedIndexRangeQuery, Occur,
    PhrasePrefixQuery, PhraseQuery, Query as Engine, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::collected::Collected;
use super::document::{Fields, Kind};
use super::query::{Alternative, ExactField, Leaf, Query, Words};

/// Terms that the prefix at the end of a phrase stands for, at most. A prefix alone has no limit.
const PHRASE_EXPANSIONS: u32 = 4096;

/// Weight of the text fields: a hit in the subject says more than one in a long exchange of replies.
const SUBJECT: f32 = 2.0;
const BODY: f32 = 1.0;
const REPLIES: f32 = 0.5;
/// The document's own id was typed: this document is meant.
const IDENT: f32 = 3.0;

/// Compiles the query for documents of one kind. `day_start` gives the first second of a local day.
pub(super) fn compile(
    query: &Query,
    kind: Kind,
    fields: &Fields,
    day_start: &dyn Fn(NaiveDate) -> i64,
) -> Box<dyn Engine> {
    if query.clauses.is_empty() {
        return Box::new(EmptyQuery);
    }
    let kind = Box::new(TermQuery::new(
        Term::from_field_text(fields.kind, kind.as_str()),
        IndexRecordOption::Basic,
    ));
    let mut all: Vec<(Occur, Box<dyn Engine>)> = vec![(Occur::Must, silent(kind))];
    for clause in &query.clauses {
        match clause.any.as_slice() {
            [
                Alternative {
                    not: true,
                    leaf: only,
                },
            ] => all.push((Occur::MustNot, Box::new(Collected(leaf(only, fields, day_start))))),
            [
                Alternative {
                    not: false,
                    leaf: only,
                },
            ] => all.push((Occur::Must, leaf(only, fields, day_start))),
            several => {
                let any = several.iter().map(|alternative| {
                    let inner = leaf(&alternative.leaf, fields, day_start);
                    let inner = if alternative.not { without(inner) } else { inner };
                    (Occur::Should, inner)
                });
                all.push((Occur::Must, Box::new(BooleanQuery::new(any.collect()))));
            }
        }
    }
    Box::new(BooleanQuery::new(all))
}

fn leaf(leaf: &Leaf, fields: &Fields, day_start: &dyn Fn(NaiveDate) -> i64) -> Box<dyn Engine> {
    match leaf {
        Leaf::Words(words) if words.notes => text(words, fields.notes),
        Leaf::Words(words) => {
            let weighed = [
                (fields.subject, SUBJECT),
                (fields.body, BODY),
                (fields.replies, REPLIES),
                (fields.ident, IDENT),
            ];
            let any = weighed.map(|(field, weight)| {
                (
                    Occur::Should,
                    Box::new(BoostQuery::new(text(words, field), weight)) as Box<dyn Engine>,
                )
            });
            Box::new(BooleanQuery::new(any.into()))
        }
        Leaf::Value { field, value } => {
            let field = match field {
                ExactField::Status => fields.status,
                ExactField::Category => fields.category,
                ExactField::Team => fields.team,
                ExactField::AgentId => fields.agent_id,
                ExactField::Language => fields.language,
            };
            let term = Term::from_field_text(field, &fields.comparable(field, value));
            silent(Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
        }
        Leaf::Days { from, to } => {
            let at = |at: i64| Term::from_field_i64(fields.created_at, at);
            let lower = from.map_or(Bound::Unbounded, |day| Bound::Included(at(day_start(day))));
            // The last day ends where the next begins; the calendar's own last day ends never.
            let after = to.and_then(|day| day.checked_add_days(Days::new(1)));
            let upper = after.map_or(Bound::Unbounded, |day| Bound::Excluded(at(day_start(day))));
            match (&lower, &upper) {
                (Bound::Unbounded, Bound::Unbounded) => silent(Box::new(AllQuery)),
                _ => silent(Box::new(RangeQuery::new(lower, upper))),
            }
        }
    }
}

/// A word, phrase or prefix in one field.
fn text(words: &Words, field: Field) -> Box<dyn Engine> {
    let mut terms: Vec<(usize, Term)> = words
        .terms
        .iter()
        .map(|(offset, text)| (*offset as usize, Term::from_field_text(field, text)))
        .collect();
    match (words.prefix, terms.len()) {
        (true, 1) => {
            let prefix = &words.terms[0].1;
            let upper = Term::from_field_text(field, &format!("{prefix}{}", char::MAX));
            let lower = Bound::Included(terms.remove(0).1);
            Box::new(InvertedIndexRangeQuery::new(lower, Bound::Included(upper)))
        }
        (true, _) => {
            let mut query = PhrasePrefixQuery::new_with_offset(terms);
            query.set_max_expansions(PHRASE_EXPANSIONS);
            Box::new(query)
        }
        (false, 1) => Box::new(TermQuery::new(terms.remove(0).1, IndexRecordOption::WithFreqs)),
        (false, _) => Box::new(PhraseQuery::new_with_offset(terms)),
    }
}

/// The same documents, without a score.
fn silent(query: Box<dyn Engine>) -> Box<dyn Engine> {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

/// All other documents, without a score.
fn without(query: Box<dyn Engine>) -> Box<dyn Engine> {
    Box::new(BooleanQuery::new(vec![
        (Occur::Must, silent(Box::new(AllQuery))),
        (Occur::MustNot, query),
    ]))
}
