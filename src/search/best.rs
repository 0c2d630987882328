//! The best documents, whatever the segments they lie in.
//!
//! The engine's own collector breaks ties by where a document happens to lie, which another merge changes. This one
//! orders equal scores by the document's key, and so it must see every document that reaches the score of the last one
//! kept: the threshold it hands back to the engine lies just below that score. Blocks and documents that cannot reach
//! it are still skipped; what the engine holds for the best of a block is not always that, so blocks are skipped by a threshold
//! that is lower by as much as it may be wrong ([`super::segment`]).
//!
//! What one segment has reached the next has to reach: the best scores of all segments so far are handed on, so that of the
//! later ones little is scored at all.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::query::Weight;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::segment::Segments;

/// Collects the best documents by score, equal ones by key.
pub(super) struct Best {
    limit: usize,
    segments: Arc<Segments>,
    reached: Arc<Mutex<Reached>>,
}

impl Best {
    /// The best `limit` documents, at least one, of the segments of a searcher.
    pub(super) fn new(limit: usize, segments: Arc<Segments>) -> Best {
        Best {
            limit,
            segments,
            reached: Arc::default(),
        }
    }
}

/// The best scores of some segments, as many as documents are asked for at most; the worst of them first.
#[derive(Default, Clone)]
struct Reached(BinaryHeap<Reverse<Level>>);

/// A score, in the order of scores.
#[derive(Clone, Copy, PartialEq)]
struct Level(Score);

impl Eq for Level {}

impl Ord for Level {
    fn cmp(&self, other: &Level) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Level) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Reached {
    fn add(&mut self, score: Score, limit: usize) {
        if self.0.len() < limit {
            self.0.push(Reverse(Level(score)));
        } else if let Some(mut worst) = self.0.peek_mut()
            && worst.0.0 < score
        {
            worst.0 = Level(score);
        }
    }

    /// Scores up to this one are of no interest.
    fn threshold(&self, limit: usize) -> Score {
        match self.0.peek() {
            // An equal score counts where the key comes first.
            Some(Reverse(worst)) if self.0.len() == limit => worst.0.next_down(),
            _ => Score::MIN,
        }
    }
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
    segments: Arc<Segments>,
    heap: BinaryHeap<Candidate>,
    /// Of this segment and those before it.
    reached: Reached,
    handed_on: Arc<Mutex<Reached>>,
    /// Scores up to this one are of no interest.
    threshold: Score,
}

/// A document found: its score, its key and where it lies.
pub(super) type Ranked = (Score, String, DocAddress);

impl Collector for Best {
    type Fruit = Vec<Ranked>;
    type Child = OfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<OfSegment> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = reached.clone();
        Ok(OfSegment {
            segment,
            limit: self.limit,
            segments: Arc::clone(&self.segments),
            heap: BinaryHeap::new(),
            threshold: reached.threshold(self.limit),
            reached,
            handed_on: Arc::clone(&self.reached),
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
        let understated = self.segments.understated[segment as usize];
        let threshold = |best: &OfSegment| match best.threshold {
            // A little lower still, for the rounding of what is compared with it.
            sure if understated > 1.0 && sure > 0.0 => sure / understated * (1.0 - 1e-6),
            sure => sure,
        };
        weight.for_each_pruning(threshold(&best), reader, &mut |doc, score| {
            if score > best.threshold && alive.is_none_or(|alive| alive.is_alive(doc)) {
                best.offer(doc, score);
            }
            threshold(&best)
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
            Ok(self.segments.each[*segment as usize].key(one.ordinal)?)
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
        let ordinals = self.segments.each[self.segment as usize].ordinals();
        let ordinal = ordinals.first(doc).unwrap_or(u64::MAX);
        let new = Candidate { score, ordinal, doc };
        if self.heap.len() < self.limit {
            self.heap.push(new);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && new < *worst
        {
            *worst = new;
        }
        self.reached.add(score, self.limit);
        self.threshold = self.reached.threshold(self.limit);
    }
}

impl SegmentCollector for OfSegment {
    type Fruit = (SegmentOrdinal, Vec<Candidate>);

    fn collect(&mut self, doc: DocId, score: Score) {
        self.offer(doc, score);
    }

    fn harvest(self) -> (SegmentOrdinal, Vec<Candidate>) {
        let mut reached = self.handed_on.lock().unwrap_or_else(PoisonError::into_inner);
        // Segments are searched one after another; were they not, either would be true.
        if self.threshold > reached.threshold(self.limit) || reached.0.len() < self.reached.0.len() {
            *reached = self.reached;
        }
        let mut best = self.heap.into_vec();
        best.retain(|one| one.score > self.threshold);
        (self.segment, best)
    }
}
