//! Counting the documents found by their team, status, category and language.

use std::collections::HashMap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

/// What the documents found are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// The team.
    Team,
    /// The status.
    Status,
    /// The category.
    Category,
    /// The language.
    Language,
}

impl Facet {
    /// All of them, in the order of their numbers.
    pub const ALL: [Facet; 4] = [Facet::Team, Facet::Status, Facet::Category, Facet::Language];

    /// The name before the colon in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Facet::Team => "team",
            Facet::Status => "status",
            Facet::Category => "category",
            Facet::Language => "language",
        }
    }

    /// The column of the values as they were written.
    pub(super) fn column(self) -> &'static str {
        match self {
            Facet::Team => "team_written",
            Facet::Status => "status_written",
            Facet::Category => "category_written",
            Facet::Language => "language_written",
        }
    }
}

/// How many documents were found, and how many of them have which value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All documents found, not only those within the limit.
    pub documents: u64,
    /// For each of [`Facet::ALL`], the values as they were written with their numbers of documents: the largest first,
    /// equal ones by value. A document without value is in none.
    pub values: [Vec<(String, u64)>; 4],
}

/// Collects [`Counts`].
pub(super) struct Counting;

/// The numbers of one segment, by the ordinals of its columns.
pub(super) struct InSegment {
    documents: u64,
    columns: Vec<Option<Counted>>,
}

struct Counted {
    column: StrColumn,
    ordinals: Column<u64>,
    documents: Vec<u64>,
}

impl Collector for Counting {
    type Fruit = Counts;
    type Child = InSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<InSegment> {
        let mut columns = Vec::with_capacity(Facet::ALL.len());
        for facet in Facet::ALL {
            let column = segment.fast_fields().str(facet.column())?;
            columns.push(column.map(|column| Counted {
                ordinals: column.ords().clone(),
                documents: vec![0; column.num_terms()],
                column,
            }));
        }
        Ok(InSegment {
            documents: 0,
            columns,
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Counts>>) -> tantivy::Result<Counts> {
        let mut documents = 0;
        let mut values: [HashMap<String, u64>; 4] = Default::default();
        for segment in segments {
            let segment = segment?;
            documents += segment.documents;
            for (sum, values) in values.iter_mut().zip(segment.values) {
                for (value, count) in values {
                    *sum.entry(value).or_default() += count;
                }
            }
        }
        let values = values.map(|values| {
            let mut values: Vec<_> = values.into_iter().collect();
            values.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
            values
        });
        Ok(Counts { documents, values })
    }
}

impl SegmentCollector for InSegment {
    type Fruit = tantivy::Result<Counts>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.documents += 1;
        for counted in self.columns.iter_mut().flatten() {
            if let Some(ordinal) = counted.ordinals.first(doc) {
                counted.documents[ordinal as usize] += 1;
            }
        }
    }

    fn harvest(self) -> tantivy::Result<Counts> {
        let mut counts = Counts {
            documents: self.documents,
            ..Counts::default()
        };
        for (values, counted) in counts.values.iter_mut().zip(self.columns) {
            let Some(counted) = counted else { continue };
            for (ordinal, &documents) in counted.documents.iter().enumerate() {
                if documents > 0 {
                    let mut value = String::new();
                    counted.column.ord_to_str(ordinal as u64, &mut value)?;
                    values.push((value, documents));
                }
            }
        }
        Ok(counts)
    }
}
