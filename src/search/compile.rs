//! From the tree of a query to the engine's own.
//!
//! A word is one term of one field, so that the engine's short cuts apply: the best documents of terms that must all
//! be there, or of which one must, are found without scoring the others. Exact values and days select and do not
//! score. Conditions are part of the query, so they act before the limit.

use std::ops::Bound;

use chrono::{Days, NaiveDate};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhrasePrefixQuery, PhraseQuery,
    Query as Engine, RangeQuery, TermQuery,
};
use tantivy::schema::IndexRecordOption;

use super::beginning::Beginning;
use super::collected::Collected;
use super::document::{Fields, Kind};
use super::query::{Alternative, Clause, ExactField, Leaf, Query, Words};

/// Terms that the prefix at the end of a phrase stands for, at most. A prefix alone has no limit.
const PHRASE_EXPANSIONS: u32 = 1024;

/// What a query is compiled for.
pub(super) struct Target<'a> {
    pub(super) kind: Kind,
    pub(super) fields: &'a Fields,
    /// The first second of a local day.
    pub(super) day_start: &'a dyn Fn(NaiveDate) -> i64,
}

impl Target<'_> {
    /// Compiles the query.
    pub(super) fn compile(&self, query: &Query) -> Box<dyn Engine> {
        if query.clauses.is_empty() {
            return Box::new(EmptyQuery);
        }
        let mut all: Vec<(Occur, Box<dyn Engine>)> = Vec::new();
        // The terms of the text are of one kind already.
        if !query.clauses.iter().any(speaks_of_text) {
            let term = Term::from_field_text(self.fields.kind, self.kind.as_str());
            all.push((Occur::Must, exact(term)));
        }
        for (i, clause) in query.clauses.iter().enumerate() {
            if query.clauses[..i].contains(clause) {
                continue;
            }
            all.push(match clause.any.as_slice() {
                [only] if only.not => (Occur::MustNot, Box::new(Collected(self.leaf(&only.leaf)))),
                [only] => (Occur::Must, self.weighed(only)),
                several => {
                    let mut any: Vec<(Occur, Box<dyn Engine>)> = Vec::new();
                    for (i, alternative) in several.iter().enumerate() {
                        if !several[..i].contains(alternative) {
                            any.push((Occur::Should, self.weighed(alternative)));
                        }
                    }
                    (Occur::Must, together(any))
                }
            });
        }
        match all.as_slice() {
            [(Occur::Must, only)] => only.box_clone(),
            _ => Box::new(BooleanQuery::new(all)),
        }
    }

    fn weighed(&self, alternative: &Alternative) -> Box<dyn Engine> {
        let inner = self.leaf(&alternative.leaf);
        if alternative.not {
            without(inner)
        } else if alternative.weight == 1.0 {
            inner
        } else {
            Box::new(BoostQuery::new(inner, alternative.weight))
        }
    }

    fn leaf(&self, leaf: &Leaf) -> Box<dyn Engine> {
        match leaf {
            Leaf::Words(words) => self.words(words),
            Leaf::All(several) => {
                let all = several.iter().map(|words| (Occur::Must, self.words(words)));
                together(all.collect())
            }
            Leaf::Value { field, value } => {
                let field = match field {
                    ExactField::Status => self.fields.status,
                    ExactField::Category => self.fields.category,
                    ExactField::Team => self.fields.team,
                    ExactField::AgentId => self.fields.agent_id,
                    ExactField::Language => self.fields.language,
                };
                exact(Term::from_field_text(
                    field,
                    &self.fields.comparable(field, value),
                ))
            }
            Leaf::Days { from, to } => self.days(*from, *to),
        }
    }

    fn days(&self, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Box<dyn Engine> {
        let at = |day| Term::from_field_i64(self.fields.created_at, (self.day_start)(day));
        let lower = from.map_or(Bound::Unbounded, |day| Bound::Included(at(day)));
        // The last day ends where the next begins; the calendar's own last day ends never.
        let after = to.and_then(|day| day.checked_add_days(Days::new(1)));
        let upper = after.map_or(Bound::Unbounded, |day| Bound::Excluded(at(day)));
        match (&lower, &upper) {
            (Bound::Unbounded, Bound::Unbounded) => silent(Box::new(AllQuery)),
            _ => silent(Box::new(RangeQuery::new(lower, upper))),
        }
    }

    /// A word, phrase or prefix.
    fn words(&self, words: &Words) -> Box<dyn Engine> {
        let term = |text: &String| {
            if words.notes {
                Term::from_field_text(self.fields.notes, text)
            } else {
                self.fields.word(self.kind, text)
            }
        };
        let mut terms: Vec<(usize, Term)> = words
            .terms
            .iter()
            .map(|(offset, text)| (*offset as usize, term(text)))
            .collect();
        match (words.prefix, terms.len()) {
            (true, 1) => Box::new(Beginning::new(&terms.remove(0).1)),
            (true, _) => {
                let mut query = PhrasePrefixQuery::new_with_offset(terms);
                query.set_max_expansions(PHRASE_EXPANSIONS);
                Box::new(query)
            }
            (false, 1) => Box::new(TermQuery::new(terms.remove(0).1, IndexRecordOption::WithFreqs)),
            (false, _) => Box::new(PhraseQuery::new_with_offset(terms)),
        }
    }
}

/// Whether only documents of the kind can satisfy the clause.
fn speaks_of_text(clause: &Clause) -> bool {
    clause.any.iter().all(|alternative| {
        let text = match &alternative.leaf {
            Leaf::Words(words) => !words.notes,
            Leaf::All(_) => true,
            Leaf::Value { .. } | Leaf::Days { .. } => false,
        };
        text && !alternative.not
    })
}

/// One query of several; a single one is itself, or the engine would not see what it is.
fn together(mut several: Vec<(Occur, Box<dyn Engine>)>) -> Box<dyn Engine> {
    if several.len() == 1 {
        several.remove(0).1
    } else {
        Box::new(BooleanQuery::new(several))
    }
}

fn exact(term: Term) -> Box<dyn Engine> {
    silent(Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
}

/// The same documents, without a score.
fn silent(query: Box<dyn Engine>) -> Box<dyn Engine> {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

/// All other documents, without a score.
fn without(query: Box<dyn Engine>) -> Box<dyn Engine> {
    Box::new(BooleanQuery::new(vec![
        (Occur::Must, silent(Box::new(AllQuery))),
        (Occur::MustNot, Box::new(Collected(query))),
    ]))
}
