//! Words that begin with something, as one term.
//!
//! The documents of all terms with a prefix are ranked as if those terms were one: its frequency in a document is the
//! sum of theirs, its rarity that of the documents that hold any. (The engine's own range query scores all alike, so that
//! the first of thousands were of no more use than any other.) Every term counts, however many there are; what keeps
//! this cheap is that a posting is read once and a document costs one byte.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::query::{Bm25Weight, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

/// Finds the documents with a word that begins so.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    field: Field,
    /// As the terms of the field are written.
    prefix: Vec<u8>,
}

impl Beginning {
    /// `prefix` is a term of the field, cut.
    pub(super) fn new(prefix: &Term) -> Beginning {
        Beginning {
            field: prefix.field(),
            prefix: prefix.serialized_value_bytes().to_vec(),
        }
    }

    /// The documents of one segment with their frequencies.
    fn gather(&self, reader: &SegmentReader, scored: bool) -> tantivy::Result<Found> {
        let inverted = reader.inverted_index(self.field)?;
        // Terms are UTF-8, where no byte is 255: the last one can be raised.
        let mut end = self.prefix.clone();
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        let mut terms = Vec::new();
        let mut stream = inverted
            .terms()
            .range()
            .without_keys()
            .ge(&self.prefix)
            .lt(&end)
            .into_stream()?;
        while stream.advance() {
            terms.push(stream.value().clone());
        }
        let option = if scored {
            IndexRecordOption::WithFreqs
        } else {
            IndexRecordOption::Basic
        };
        let postings: usize = terms.iter().map(|term| term.doc_freq as usize).sum();
        let mut few = Vec::new();
        let mut many = Vec::new();
        if postings < reader.max_doc() as usize / FEW {
            few.reserve(postings);
        } else {
            many.resize(reader.max_doc() as usize, 0u8);
        }
        let mut block = None;
        for term in &terms {
            let block = match &mut block {
                None => block.insert(inverted.read_block_postings_from_terminfo(term, option)?),
                Some(block) => {
                    inverted.reset_block_postings_from_terminfo(term, block)?;
                    block
                }
            };
            loop {
                let docs = block.docs();
                if docs.is_empty() {
                    break;
                }
                match (many.is_empty(), scored) {
                    (true, true) => few.extend(docs.iter().copied().zip(block.freqs().iter().copied())),
                    (true, false) => few.extend(docs.iter().map(|&doc| (doc, 1))),
                    (false, true) => {
                        for (&doc, &frequency) in docs.iter().zip(block.freqs()) {
                            let sum = &mut many[doc as usize];
                            *sum = sum.saturating_add(u8::try_from(frequency).unwrap_or(u8::MAX));
                        }
                    }
                    (false, false) => docs.iter().for_each(|&doc| many[doc as usize] = 1),
                }
                block.advance();
            }
        }
        few.sort_unstable();
        few.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 = first.1.saturating_add(next.1);
            }
            same
        });
        let documents = if many.is_empty() {
            few.len()
        } else {
            many.iter().filter(|&&frequency| frequency > 0).count()
        };
        Ok(Found {
            few,
            many,
            documents: documents as u64,
        })
    }
}

/// One posting in so many documents is few: they are kept as a list.
const FEW: usize = 64;
/// Documents that are passed over at a time.
const STRETCH: usize = 64;

/// The documents of one segment: a list, or a byte for every document.
#[derive(Debug, Default)]
struct Found {
    few: Vec<(DocId, u32)>,
    many: Vec<u8>,
    documents: u64,
}

impl Found {
    /// The first document not before `from`, its frequency, and where to go on.
    fn next(&self, mut from: usize) -> Option<(DocId, u32, usize)> {
        if self.many.is_empty() {
            let &(doc, frequency) = self.few.get(from)?;
            return Some((doc, frequency, from + 1));
        }
        // Eight empty ones at a time.
        while let Some(eight) = self.many.get(from..from + 8) {
            if eight.iter().any(|&frequency| frequency > 0) {
                break;
            }
            from += 8;
        }
        let ahead = self.many.get(from..)?.iter().position(|&f| f > 0)?;
        let at = from + ahead;
        Some((at as DocId, u32::from(self.many[at]), at + 1))
    }

    /// Where [`Found::next`] begins so as to find nothing before `target`.
    fn place(&self, target: DocId) -> usize {
        if self.many.is_empty() {
            self.few.partition_point(|&(doc, _)| doc < target)
        } else {
            target as usize
        }
    }
}

impl Query for Beginning {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let searcher = scoring
            .searcher()
            .ok_or_else(|| TantivyError::InvalidArgument("a prefix needs a searcher".into()))?;
        let mut segments = HashMap::new();
        let mut documents = 0;
        for reader in searcher.segment_readers() {
            let found = self.gather(reader, scoring.is_scoring_enabled())?;
            documents += found.documents;
            segments.insert(reader.segment_id(), Arc::new(found));
        }
        let bm25 = match scoring {
            EnableScoring::Enabled {
                statistics_provider: all,
                ..
            } => {
                let (tokens, docs) = (all.total_num_tokens(self.field)?, all.total_num_docs()?);
                let length = tokens as Score / docs.max(1) as Score;
                Some(Bm25Weight::for_one_term_without_explain(documents, docs, length))
            }
            EnableScoring::Disabled { .. } => None,
        };
        Ok(Box::new(OfQuery {
            field: self.field,
            segments,
            bm25,
        }))
    }
}

struct OfQuery {
    field: Field,
    segments: HashMap<SegmentId, Arc<Found>>,
    bm25: Option<Bm25Weight>,
}

impl OfQuery {
    fn documents(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Documents> {
        let found = self.segments.get(&reader.segment_id()).cloned();
        let norms = match reader.fieldnorms_readers().get_field(self.field)? {
            Some(norms) => norms,
            None => FieldNormReader::constant(reader.max_doc(), 1),
        };
        let mut documents = Documents {
            found: found.ok_or_else(|| TantivyError::InvalidArgument("a segment nobody searched".into()))?,
            at: 0,
            doc: TERMINATED,
            frequency: 0,
            norms,
            bm25: self.bm25.as_ref().map(|bm25| bm25.boost_by(boost)),
            boost,
        };
        documents.advance();
        Ok(documents)
    }
}

impl Weight for OfQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(self.documents(reader, boost)?))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut documents = self.documents(reader, 1.0)?;
        if documents.doc() > doc || documents.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!(
                "document {doc} does not match"
            )));
        }
        Ok(Explanation::new("Beginning", documents.score()))
    }

    fn for_each_pruning(
        &self,
        mut threshold: Score,
        reader: &SegmentReader,
        callback: &mut dyn FnMut(DocId, Score) -> Score,
    ) -> tantivy::Result<()> {
        let mut documents = self.documents(reader, 1.0)?;
        let found = Arc::clone(&documents.found);
        if found.many.is_empty() || self.bm25.is_none() {
            while documents.doc != TERMINATED {
                let score = documents.score();
                if score > threshold {
                    threshold = callback(documents.doc, score);
                }
                documents.advance();
            }
            return Ok(());
        }
        // What a frequency is worth in the shortest document: below the least one that can pass the threshold, no
        // document's length is looked at, and where a stretch has none of them no document is.
        let bm25 = self.bm25.iter();
        let worth: Vec<Score> = bm25
            .flat_map(|bm25| (0..=255).map(|frequency| bm25.score(0, frequency)))
            .collect();
        let least = |threshold: Score| worth.partition_point(|&worth| worth <= threshold).max(1);
        let mut enough = least(threshold);
        for (i, stretch) in found.many.chunks(STRETCH).enumerate() {
            let most = stretch.iter().copied().max().unwrap_or(0);
            if usize::from(most) < enough {
                continue;
            }
            for (j, &frequency) in stretch.iter().enumerate() {
                if usize::from(frequency) < enough {
                    continue;
                }
                documents.doc = (i * STRETCH + j) as DocId;
                documents.frequency = u32::from(frequency);
                let score = documents.score();
                if score > threshold {
                    threshold = callback(documents.doc, score);
                    enough = least(threshold);
                }
            }
        }
        Ok(())
    }
}

/// The documents of one segment, one after another.
struct Documents {
    found: Arc<Found>,
    /// Where [`Found::next`] goes on.
    at: usize,
    doc: DocId,
    frequency: u32,
    norms: FieldNormReader,
    bm25: Option<Bm25Weight>,
    boost: Score,
}

impl DocSet for Documents {
    fn advance(&mut self) -> DocId {
        match self.found.next(self.at) {
            Some((doc, frequency, at)) => (self.doc, self.frequency, self.at) = (doc, frequency, at),
            None => self.doc = TERMINATED,
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.at = self.found.place(target);
            self.advance();
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.found.documents).unwrap_or(u32::MAX)
    }
}

impl Scorer for Documents {
    fn score(&mut self) -> Score {
        match &self.bm25 {
            Some(bm25) => bm25.score(self.norms.fieldnorm_id(self.doc), self.frequency),
            None => self.boost,
        }
    }
}
