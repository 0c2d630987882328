//! The best documents, whatever the segments they lie in.
//!
//! The engine's own collector breaks ties by where a document happens to lie, which another merge changes. This one
//! orders equal scores by the document's key, and so it must see every document that reaches the score of the last one
//! kept: the threshold it hands back to the engine lies just below that score. Blocks and documents that cannot reach
//! it are still skipped.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::query::Weight;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentOrdinal, SegmentReader};

/// The column of the keys, for each segment of a searcher.
pub(super) type Keys = Arc<Vec<StrColumn>>;

/// Opens the keys of a searcher's segments.
pub(super) fn keys(searcher: &Searcher) -> tantivy::Result<Keys> {
    let columns = searcher.segment_readers().iter().map(|segment| {
        segment
            .fast_fields()
            .str("key")?
            .ok_or_else(|| tantivy::TantivyError::InternalError("a segment without keys".into()))
    });
    Ok(Arc::new(columns.collect::<tantivy::Result<Vec<_>>>()?))
}

/// Collects the best documents by score, equal ones by key.
pub(super) struct Best {
    pub(super) limit: usize,
    pub(super) keys: Keys,
}

/// A document among the best of its segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    score: Score,
    /// Rank of its key among those of the segment.
    ordinal: u64,
    doc: DocId,
}

impl Eq for Candidate {}

/// The worse document is the greater one, so that a heap offers it for replacement.
impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.ordinal.cmp(&other.ordinal))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best of one segment.
pub(super) struct OfSegment {
    segment: SegmentOrdinal,
    limit: usize,
    ordinals: Column<u64>,
    heap: BinaryHeap<Candidate>,
    /// Scores up to this one are of no interest.
    threshold: Score,
}

/// A document found: its score, its key and where it lies.
pub(super) type Ranked = (Score, String, DocAddress);

impl Collector for Best {
    type Fruit = Vec<Ranked>;
    type Child = OfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<OfSegment> {
        Ok(OfSegment {
            segment,
            limit: self.limit,
            ordinals: self.keys[segment as usize].ords().clone(),
            heap: BinaryHeap::new(),
            threshold: Score::MIN,
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn collect_segment(
        &self,
        weight: &dyn Weight,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<(SegmentOrdinal, Vec<Candidate>)> {
        let mut best = self.for_segment(segment, reader)?;
        let alive = reader.alive_bitset();
        weight.for_each_pruning(Score::MIN, reader, &mut |doc, score| {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                best.offer(doc, score);
            }
            best.threshold
        })?;
        Ok(best.harvest())
    }

    fn merge_fruits(&self, segments: Vec<(SegmentOrdinal, Vec<Candidate>)>) -> tantivy::Result<Vec<Ranked>> {
        let mut all: Vec<(SegmentOrdinal, Candidate)> = segments
            .into_iter()
            .flat_map(|(segment, best)| best.into_iter().map(move |one| (segment, one)))
            .collect();
        all.sort_by(|(of_a, a), (of_b, b)| {
            b.score
                .total_cmp(&a.score)
                .then(of_a.cmp(of_b))
                .then(a.ordinal.cmp(&b.ordinal))
        });
        let mut ranked = Vec::with_capacity(all.len().min(self.limit));
        for equals in all.chunk_by(|(_, a), (_, b)| a.score.total_cmp(&b.score).is_eq()) {
            if ranked.len() == self.limit {
                break;
            }
            self.merge(equals, &mut ranked)?;
        }
        Ok(ranked)
    }
}

impl Best {
    /// Takes equal scores, by segment and there by key, in order of their keys. Reading a key costs more than all else here, so
    /// only those are read that are kept, and one more of each segment.
    fn merge(&self, equals: &[(SegmentOrdinal, Candidate)], ranked: &mut Vec<Ranked>) -> tantivy::Result<()> {
        let key = |(segment, one): &(SegmentOrdinal, Candidate)| -> tantivy::Result<String> {
            let mut key = String::new();
            self.keys[*segment as usize].ord_to_str(one.ordinal, &mut key)?;
            Ok(key)
        };
        let mut next = BinaryHeap::new();
        for of_segment in equals.chunk_by(|(a, _), (b, _)| a == b) {
            next.push(Reverse((key(&of_segment[0])?, of_segment)));
        }
        while let Some(Reverse((found, of_segment))) = next.pop() {
            let ((segment, one), rest) = (of_segment[0], &of_segment[1..]);
            ranked.push((one.score, found, DocAddress::new(segment, one.doc)));
            if ranked.len() == self.limit {
                break;
            }
            if let Some(first) = rest.first() {
                next.push(Reverse((key(first)?, rest)));
            }
        }
        Ok(())
    }
}

impl OfSegment {
    fn offer(&mut self, doc: DocId, score: Score) {
        if score <= self.threshold {
            return;
        }
        let ordinal = self.ordinals.first(doc).unwrap_or(u64::MAX);
        let new = Candidate { score, ordinal, doc };
        if self.heap.len() < self.limit {
            self.heap.push(new);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && new < *worst
        {
            *worst = new;
        }
        if self.heap.len() == self.limit
            && let Some(worst) = self.heap.peek()
        {
            self.threshold = worst.score.next_down();
        }
    }
}

impl SegmentCollector for OfSegment {
    type Fruit = (SegmentOrdinal, Vec<Candidate>);

    fn collect(&mut self, doc: DocId, score: Score) {
        self.offer(doc, score);
    }

    fn harvest(self) -> (SegmentOrdinal, Vec<Candidate>) {
        (self.segment, self.heap.into_vec())
    }
}
