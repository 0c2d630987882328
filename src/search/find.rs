//! One search: from a query to hits.

use std::collections::HashSet;
use std::sync::Arc;

use tantivy::schema::Field;
use tantivy::schema::document::{DeserializeError, DocumentDeserialize, DocumentDeserializer};
use tantivy::{DocAddress, Searcher};

use super::best::{Best, Ranked};
use super::compile::Target;
use super::document::{Key, Kind};
use super::error::{SearchError, guarded};
use super::facets::{Counting, Counts};
use super::like;
use super::query::{self, Query};
use super::reader::{Generation, Reader};
use super::snippet::{Marker, Texts};
use super::typos;

/// The most hits one search returns.
pub const LARGEST_LIMIT: usize = 10_000;

/// The longest id that is looked up when a query may be one, in bytes.
const LONGEST_ID: usize = 256;

/// One document found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// BM25 of the words, larger is better; conditions without words score 0. A hit by a corrected word scores less than
    /// every hit by the words as written.
    pub score: f64,
    /// An excerpt as HTML: text escaped, hits in `<mark>`. Empty if none was asked for.
    pub snippet: String,
    /// Whether it was found by correcting a word only.
    pub corrected: bool,
}

/// What a search is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Hits at most; never more than [`LARGEST_LIMIT`].
    pub limit: usize,
    /// Whether the last word of the query may be unfinished: it is searched as the beginning of a word.
    pub typing: bool,
    /// Whether words that may be misspelt are corrected, where the words as written give fewer hits than the limit.
    pub typos: bool,
    /// Whether synonyms are searched.
    pub synonyms: bool,
    /// Whether all documents found are counted by team, status, category and language.
    pub counts: bool,
    /// Whether hits carry snippets. Without them no text is read.
    pub snippets: bool,
}

impl Default for Options {
    /// 20 hits with snippets, typos and synonyms; no counts.
    fn default() -> Options {
        Options {
            limit: 20,
            typing: false,
            typos: true,
            synonyms: true,
            counts: false,
            snippets: true,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The best documents, best first, equal scores by id.
    pub hits: Vec<Hit>,
    /// If they were asked for: the numbers of all documents found by the words as written, or, where there is none, by
    /// the corrected words.
    pub counts: Option<Counts>,
    /// What the searcher should know about the query, in words: a range of days that ends before it begins.
    pub remarks: Vec<String>,
}

/// The stored texts of a document.
struct Stored(Vec<(Field, String)>);

impl DocumentDeserialize for Stored {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut stored: D) -> Result<Stored, DeserializeError> {
        let mut texts = Vec::with_capacity(4);
        while let Some(one) = stored.next_field()? {
            texts.push(one);
        }
        Ok(Stored(texts))
    }
}

impl Reader {
    /// The `limit` best documents of a kind for a query as it is written: see [`Reader::find`], without its tolerance of
    /// typos.
    pub fn search(&self, kind: Kind, query: &str, limit: usize) -> Result<Vec<Hit>, SearchError> {
        let options = Options {
            limit,
            typos: false,
            ..Options::default()
        };
        Ok(self.find(kind, query, &options)?.hits)
    }

    /// The best documents of a kind for a query ([`query`] has the language), best first, equal scores by id. A document
    /// whose id is the whole query comes first.
    ///
    /// No query is an error: what does not parse is searched as plain words. A query without any word or condition
    /// finds nothing.
    pub fn find(&self, kind: Kind, query: &str, options: &Options) -> Result<Found, SearchError> {
        let mut parsed = if options.typing {
            query::parse_typing(query)
        } else {
            query::parse(query)
        };
        let remarks = parsed.remarks();
        if options.synonyms {
            self.synonyms.expand(&mut parsed);
        }
        let named = Key {
            kind,
            id: query.trim().to_owned(),
        };
        let found =
            self.guard(|generation| self.searched(generation, kind, &parsed, Some(&named), options))?;
        Ok(Found { remarks, ..found })
    }

    /// The documents most like one of the same kind, without itself; none if there is no such document.
    pub fn like(&self, kind: Kind, id: &str, options: &Options) -> Result<Option<Found>, SearchError> {
        let key = Key {
            kind,
            id: id.to_owned(),
        };
        self.guard(|generation| {
            let searcher = &generation.searcher;
            let Some(address) = like::lies_at(searcher, self.fields(), &key)? else {
                return Ok(None);
            };
            let query = like::like(searcher, self.fields(), kind, address)?;
            let limit = options.limit.min(LARGEST_LIMIT);
            let one_more = Options {
                limit: limit + 1,
                typos: false,
                ..options.clone()
            };
            let mut found = self.searched(generation, kind, &query, None, &one_more)?;
            found.hits.retain(|hit| hit.id != id);
            found.hits.truncate(limit);
            Ok(Some(found))
        })
    }

    /// Runs what reads the index; what goes wrong in it is damage.
    fn guard<T>(&self, read: impl FnOnce(&Generation) -> tantivy::Result<T>) -> Result<T, SearchError> {
        let generation = self.current()?;
        guarded(|| read(&generation))
            .and_then(|found| found.map_err(|error| error.to_string()))
            .map_err(|what| SearchError::Damaged {
                folder: self.folder().to_owned(),
                what,
            })
    }

    fn searched(
        &self,
        generation: &Generation,
        kind: Kind,
        query: &Query,
        named: Option<&Key>,
        options: &Options,
    ) -> tantivy::Result<Found> {
        let limit = options.limit.min(LARGEST_LIMIT + 1);
        if query.clauses.is_empty() || (limit == 0 && !options.counts) {
            return Ok(Found {
                hits: Vec::new(),
                counts: options.counts.then(Counts::default),
                remarks: Vec::new(),
            });
        }
        let searcher = &generation.searcher;
        let (exact, mut counts) = self.ranked(generation, kind, query, limit, options.counts)?;
        let mut hits = self.hits(searcher, &exact, query, options)?;
        if let Some(key) = named {
            self.put_first(searcher, key, query, options, &mut hits)?;
            hits.truncate(limit);
        }
        let tolerant = if options.typos && hits.len() < limit {
            typos::tolerant(query, searcher, &generation.segments.each, self.fields(), kind)?
        } else {
            None
        };
        if let Some(tolerant) = &tolerant {
            let nothing = options.counts && hits.is_empty();
            let (more, counted) = self.ranked(generation, kind, tolerant, limit, nothing)?;
            if nothing {
                counts = counted;
            }
            // Below every hit by the words as written, in their own order.
            let floor = hits.last().map(|hit| hit.score);
            let known: HashSet<DocAddress> = exact.iter().map(|(_, _, address)| *address).collect();
            let more: Vec<Ranked> = more
                .into_iter()
                .filter(|(_, _, address)| !known.contains(address))
                .take(limit - hits.len())
                .collect();
            for mut hit in self.hits(searcher, &more, tolerant, options)? {
                hit.corrected = true;
                if let Some(floor) = floor {
                    hit.score = floor * hit.score / (1.0 + hit.score);
                }
                hits.push(hit);
            }
        }
        Ok(Found {
            hits,
            counts,
            ..Found::default()
        })
    }

    /// The best documents and, if `counted`, the numbers of all that match.
    fn ranked(
        &self,
        generation: &Generation,
        kind: Kind,
        query: &Query,
        limit: usize,
        counted: bool,
    ) -> tantivy::Result<(Vec<Ranked>, Option<Counts>)> {
        let target = Target {
            kind,
            fields: self.fields(),
            day_start: &*self.day_start,
        };
        let (searcher, compiled) = (&generation.searcher, target.compile(query));
        let best = Best::new(limit, Arc::clone(&generation.segments));
        // What a prefix stands for is gathered before anything is ranked: once is enough.
        if counted && query.has_prefix() {
            let (ranked, counts) = searcher.search(&compiled, &(best, Counting))?;
            return Ok((ranked, Some(counts)));
        }
        let counts = if counted {
            Some(searcher.search(&compiled, &Counting)?)
        } else {
            None
        };
        let ranked = if limit == 0 {
            Vec::new()
        } else {
            searcher.search(&compiled, &best)?
        };
        Ok((ranked, counts))
    }

    fn hits(
        &self,
        searcher: &Searcher,
        ranked: &[Ranked],
        query: &Query,
        options: &Options,
    ) -> tantivy::Result<Vec<Hit>> {
        let mut marker = options.snippets.then(|| Marker::of(query));
        let hit = |(score, key, address): &Ranked| {
            Ok(Hit {
                id: Key::id_of(key).to_owned(),
                score: f64::from(*score),
                snippet: match &mut marker {
                    Some(marker) => self.snippet(searcher, *address, marker)?,
                    None => String::new(),
                },
                corrected: false,
            })
        };
        ranked.iter().map(hit).collect()
    }

    fn snippet(
        &self,
        searcher: &Searcher,
        address: DocAddress,
        marker: &mut Marker<'_>,
    ) -> tantivy::Result<String> {
        let Stored(stored) = searcher.doc(address)?;
        let all = |field| {
            let values = stored.iter().filter(move |(of, _)| *of == field);
            values.map(|(_, text)| text.as_str())
        };
        Ok(marker.snippet(&Texts {
            subject: all(self.fields().subject).next().unwrap_or_default(),
            body: all(self.fields().body).next().unwrap_or_default(),
            replies: all(self.fields().replies).collect(),
            notes: all(self.fields().notes).collect(),
        }))
    }

    /// Somebody who types an id means that document: it comes first, with the best score there is.
    fn put_first(
        &self,
        searcher: &Searcher,
        key: &Key,
        query: &Query,
        options: &Options,
        hits: &mut Vec<Hit>,
    ) -> tantivy::Result<()> {
        if key.id.is_empty() || key.id.len() > LONGEST_ID || hits.first().is_none_or(|hit| hit.id == key.id) {
            return Ok(());
        }
        let best = hits[0].score;
        if let Some(at) = hits.iter().position(|hit| hit.id == key.id) {
            let mut named = hits.remove(at);
            named.score = best;
            hits.insert(0, named);
        } else if let Some(address) = like::lies_at(searcher, self.fields(), key)? {
            let ranked = [(best as f32, key.term(), address)];
            let named = self.hits(searcher, &ranked, query, options)?;
            hits.splice(0..0, named);
        }
        Ok(())
    }
}
