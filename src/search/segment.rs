//! What is kept of a segment beside what the engine keeps: its keys as plain text, and its words ready to be corrected.
//!
//! Both can be had from the index itself, one at a time and dearly: a key by unpacking a block of keys, the words like a misspelt
//! one by a walk through the dictionary. A process that asks once is served best so. One that goes on asking soon has paid for
//! something better, and then it is made ([`Later`]). Segments never change, so what was made of one is good for as long as
//! there are commits that hold it.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{InvertedIndexReader, Score, Searcher, TantivyError};

use super::document::{Fields, Kind};
use super::vocabulary::Vocabulary;

/// Single keys that cost as much to read as so many in a row.
const ROW: usize = 128;
/// Bytes of the keys of a segment that are held, at most.
const MOST_BYTES: usize = 64 << 20;
/// Walks through a segment's dictionary before its words are put in order, which costs as much as some hundred.
const WALKS: usize = 16;

/// What is kept of one segment.
pub(super) struct Segment {
    id: SegmentId,
    column: StrColumn,
    keys: Later<Option<Texts>>,
    /// By kind and by the number of mistakes.
    words: [[Later<Option<Vocabulary>>; 2]; 3],
}

/// The segments of a searcher.
pub(super) struct Segments {
    pub(super) each: Vec<Arc<Segment>>,
    /// How far each of them may understate what its documents score: see [`understated`].
    pub(super) understated: Vec<Score>,
}

/// The segments of a searcher; those that were there before are taken over with all that was made of them.
pub(super) fn segments(
    searcher: &Searcher,
    fields: &Fields,
    before: &[Arc<Segment>],
) -> tantivy::Result<Segments> {
    let each = searcher.segment_readers().iter().map(|reader| {
        let id = reader.segment_id();
        if let Some(known) = before.iter().find(|known| known.id == id) {
            return Ok(Arc::clone(known));
        }
        let column = reader.fast_fields().str("key")?;
        let without = || TantivyError::InternalError("a segment without keys".into());
        Ok(Arc::new(Segment {
            id,
            column: column.ok_or_else(without)?,
            keys: Later::default(),
            words: Default::default(),
        }))
    });
    Ok(Segments {
        each: each.collect::<tantivy::Result<_>>()?,
        understated: understated(searcher, fields)?,
    })
}

/// By which factor at most a document of each segment scores more than the engine holds for the best of its block.
///
/// The engine skips a block of documents that cannot reach a score, and knows that from the one of them that was best when
/// the segment was written: by `tf / (tf + 0.3 + 0.9 l / a)` with the average length `a` of that segment. It scores by the average
/// `b` of all segments, by which another document may be the best. Lengths count between not at all and in full, so what comes
/// before `tf` in the divisor changes by a factor between 1 and `b / a`, and with it the order of any two documents; and a score
/// grows by no more than the part under it does.
fn understated(searcher: &Searcher, fields: &Fields) -> tantivy::Result<Vec<Score>> {
    let readers = searcher.segment_readers();
    let mut factors = vec![1.0; readers.len()];
    for field in [fields.text, fields.notes] {
        let (mut tokens, mut documents) = (0, 0);
        let mut lengths = Vec::with_capacity(readers.len());
        for reader in readers {
            let of_segment = reader.inverted_index(field)?.total_num_tokens();
            tokens += of_segment;
            documents += u64::from(reader.max_doc());
            lengths.push(of_segment as Score / reader.max_doc() as Score);
        }
        let all = tokens as Score / documents as Score;
        for (factor, of_segment) in factors.iter_mut().zip(lengths) {
            let ratio = (of_segment / all).max(all / of_segment);
            // A field that is empty holds no block.
            if ratio.is_finite() && ratio > *factor {
                *factor = ratio;
            }
        }
    }
    Ok(factors)
}

impl Segment {
    /// The rank of each document's key among those of the segment.
    pub(super) fn ordinals(&self) -> &Column<u64> {
        self.column.ords()
    }

    /// The key of a rank.
    pub(super) fn key(&self, ordinal: u64) -> io::Result<String> {
        let dictionary = self.column.dictionary();
        let made = self
            .keys
            .get(1, dictionary.num_terms() / ROW, || Texts::of(&self.column))?;
        if let Some(Some(keys)) = made
            && let Some(key) = usize::try_from(ordinal).ok().and_then(|at| keys.get(at))
        {
            return Ok(key.to_owned());
        }
        let mut key = String::new();
        self.column.ord_to_str(ordinal, &mut key)?;
        Ok(key)
    }

    /// The words of a kind that can be a word with so many mistakes, if it is time to have them in order. That takes so long
    /// that a search does it once at most: `may` says whether it still may.
    pub(super) fn words(
        &self,
        inverted: &InvertedIndexReader,
        kind: Kind,
        mistakes: usize,
        may: &mut bool,
    ) -> io::Result<Option<&Vocabulary>> {
        let Some(words) = mistakes
            .checked_sub(1)
            .and_then(|at| self.words[kind as usize].get(at))
        else {
            return Ok(None);
        };
        let after = if *may { WALKS } else { usize::MAX };
        let mut making = false;
        let made = words.get(1, after, || {
            making = true;
            Vocabulary::of(inverted, kind, mistakes)
        })?;
        *may &= !making;
        Ok(made.and_then(Option::as_ref))
    }
}

/// Something that is made when as much was spent for want of it as it costs.
struct Later<T> {
    spent: AtomicUsize,
    making: Mutex<()>,
    made: OnceLock<T>,
}

impl<T> Default for Later<T> {
    fn default() -> Later<T> {
        Later {
            spent: AtomicUsize::new(0),
            making: Mutex::default(),
            made: OnceLock::new(),
        }
    }
}

impl<T> Later<T> {
    /// What was made, if it was or if it is time now. Nobody waits for somebody else who is making it.
    fn get(
        &self,
        spending: usize,
        cost: usize,
        make: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Option<&T>> {
        if let Some(made) = self.made.get() {
            return Ok(Some(made));
        }
        if self.spent.fetch_add(spending, Ordering::Relaxed) < cost {
            return Ok(None);
        }
        // A panic of another thread that was making it: it stays unmade.
        let Ok(_alone) = self.making.try_lock() else {
            return Ok(None);
        };
        if self.made.get().is_none() {
            let _ = self.made.set(make()?);
        }
        Ok(self.made.get())
    }
}

/// Texts one after another.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        // Nobody lets it grow beyond `MOST_BYTES`.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(Range { start, end })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of a column, if they are not too many.
    fn of(column: &StrColumn) -> io::Result<Option<Texts>> {
        let mut texts = Texts::default();
        let mut all = column.dictionary().stream()?;
        while all.advance() {
            let key = std::str::from_utf8(all.key())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a key that is no text"))?;
            if texts.text.len() + key.len() > MOST_BYTES {
                return Ok(None);
            }
            texts.push(key);
        }
        texts.text.shrink_to_fit();
        Ok(Some(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_not_before_it_pays() {
        let later: Later<u8> = Later::default();
        for _ in 0..3 {
            assert_eq!(later.get(1, 3, || panic!("too early")).unwrap(), None);
        }
        let failed = || Err(io::Error::other("no"));
        assert!(
            later.get(1, 3, failed).is_err(),
            "an error is told and tried again"
        );
        assert_eq!(later.get(1, 3, || Ok(7)).unwrap(), Some(&7));
        assert_eq!(later.get(1, 3, || panic!("twice")).unwrap(), Some(&7));
    }

    #[test]
    fn nobody_waits() {
        let later: Later<u8> = Later::default();
        let made = later.get(1, 0, || {
            assert_eq!(later.get(1, 0, || panic!("two at once")).unwrap(), None);
            Ok(1)
        });
        assert_eq!(made.unwrap(), Some(&1));
    }

    #[test]
    fn texts_are_what_was_put_in() {
        let mut texts = Texts::default();
        for text in ["ab", "", "é订"] {
            texts.push(text);
        }
        assert_eq!(
            [0, 1, 2, 3].map(|at| texts.get(at)),
            [Some("ab"), Some(""), Some("é订"), None]
        );
    }
}
