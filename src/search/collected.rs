//! A query whose documents are collected before they are compared with anything.
//!
//! Negation needs it: the engine asks an excluded phrase whether it holds a document that lies before the phrase's
//! first hit, which the phrase's scorer does not allow (an assertion in debug builds of Tantivy 0.27). A set of
//! documents can be asked anything. Collecting costs one pass over the matches.

use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TantivyError};

/// Matches what the inner query matches, with the score 1.
#[derive(Debug)]
pub(super) struct Collected(pub(super) Box<dyn Query>);

impl Clone for Collected {
    fn clone(&self) -> Collected {
        Collected(self.0.box_clone())
    }
}

impl Query for Collected {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let silent = match scoring {
            EnableScoring::Enabled { searcher, .. } => EnableScoring::disabled_from_searcher(searcher),
            disabled => disabled,
        };
        Ok(Box::new(CollectedWeight(self.0.weight(silent)?)))
    }
}

struct CollectedWeight(Box<dyn Weight>);

impl Weight for CollectedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut all = BitSet::with_max_value(reader.max_doc());
        self.0.for_each_no_score(reader, &mut |docs: &[DocId]| {
            for &doc in docs {
                all.insert(doc);
            }
        })?;
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(all), boost)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!(
                "document {doc} does not match"
            )));
        }
        Ok(Explanation::new("Collected", 1.0))
    }
}
