//! TF-IDF: texts to sparse vectors.
//!
//! The default weighting is `(1 + ln tf) * (ln((1 + N) / (1 + df)) + 1)`, every block scaled to unit length and the
//! whole row to unit length again (two full blocks thus weigh `1/sqrt(2)` each). On unit vectors
//! `|a - b|^2 = 2 - 2 a.b`: Euclidean neighbours are cosine neighbours. The literal `n_td * ln(N / n_d)` of the
//! textbooks is there to be compared with; its neighbours are mostly short texts (see [`Weighting`]).
//!
//! Columns are sorted by (block, feature text), so a vocabulary depends on the set of texts and not on their order.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::csr::Csr;
use super::features::Features;
use super::stored::Compact;
use super::terms::{Index, Terms, hash};

/// How counts become weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weighting {
    /// Sublinear term frequency, smoothed inverse document frequency, unit length.
    Unit,
    /// `n_td * ln(N / n_d)`, nothing normalised: the formula as it is usually printed.
    Literal,
}

/// Options of [`TfIdf::fit`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TfIdfOptions {
    /// Which features are counted.
    pub features: Features,
    /// How counts become weights.
    pub weighting: Weighting,
    /// Features found in fewer texts are left out. 1 keeps all.
    pub min_df: u32,
    /// At most this many features a block: those in the most texts, ties by text. `None`: no limit.
    pub max_features: Option<usize>,
}

impl Default for TfIdfOptions {
    /// Words, unit length, every feature.
    fn default() -> TfIdfOptions {
        TfIdfOptions {
            features: Features::Words,
            weighting: Weighting::Unit,
            min_df: 1,
            max_features: None,
        }
    }
}

/// A fitted vocabulary with its document frequencies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Compact", try_from = "Compact")]
pub struct TfIdf {
    pub(super) options: TfIdfOptions,
    pub(super) documents: u64,
    pub(super) terms: Terms,
    /// Columns before this one belong to block 0.
    pub(super) split: usize,
    pub(super) df: Vec<u32>,
    idf: Vec<f32>,
    index: Index,
}

/// Texts a parallel task handles at a time.
const CHUNK: usize = 256;

impl TfIdf {
    /// Learns the vocabulary of `texts` and returns it with their matrix, one row a text.
    ///
    /// No text, or none with a feature left, gives a matrix without columns; nothing fails.
    pub fn fit<S: AsRef<str> + Sync>(texts: &[S], options: &TfIdfOptions) -> (TfIdf, Csr) {
        let chunks: Vec<Counted> = texts
            .par_chunks(CHUNK)
            .map(|texts| Counted::of(texts, options.features))
            .collect();

        // One vocabulary from the chunks' own. Sums of counts: the order of the chunks does not matter.
        let mut index = Index::default();
        let mut df: Vec<u32> = Vec::new();
        let mut first: Vec<(u32, u32)> = Vec::new(); // chunk and local id where a feature was seen first
        let mut global: Vec<Vec<u32>> = Vec::with_capacity(chunks.len());
        for (number, chunk) in chunks.iter().enumerate() {
            let ids = chunk.hashes.iter().enumerate().map(|(local, &hash)| {
                let id = *index.entry(hash).or_insert_with(|| {
                    df.push(0);
                    first.push((number as u32, local as u32));
                    df.len() as u32 - 1
                });
                df[id as usize] += chunk.df[local];
                id
            });
            global.push(ids.collect());
        }
        let key = |id: &u32| {
            let (chunk, local) = first[*id as usize];
            chunks[chunk as usize].feature(local as usize)
        };
        let mut kept: Vec<u32> = (0..df.len() as u32)
            .filter(|&id| df[id as usize] >= options.min_df)
            .collect();
        if let Some(most) = options.max_features {
            kept = most_frequent(kept, most, &df, &key);
        }
        kept.par_sort_unstable_by(|a, b| key(a).cmp(&key(b)));

        let mut column_of = vec![u32::MAX; df.len()];
        let mut terms = Terms::default();
        let mut split = 0;
        for (column, id) in kept.iter().enumerate() {
            column_of[*id as usize] = column as u32;
            let (block, text) = key(id);
            terms.push(text);
            split += usize::from(block == 0);
        }
        let df: Vec<u32> = kept.iter().map(|&id| df[id as usize]).collect();
        let model = TfIdf::assemble(options.clone(), texts.len() as u64, terms, split, df);

        // Every chunk goes as its rows come.
        let parts: Vec<Csr> = chunks
            .into_par_iter()
            .zip(global)
            .map(|(chunk, ids)| {
                let rows = chunk.rows().map(|row| {
                    let counts = row
                        .iter()
                        .map(|&(local, tf)| (column_of[ids[local as usize] as usize], tf));
                    model.weigh(counts.filter(|&(column, _)| column != u32::MAX).collect())
                });
                Csr::from_rows(model.vocabulary_len(), rows)
            })
            .collect();
        let matrix = Csr::stacked(model.vocabulary_len(), parts);
        (model, matrix)
    }

    /// The vectors of further texts; features outside the vocabulary count for nothing.
    pub fn transform<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Csr {
        let rows: Vec<Vec<(u32, f32)>> = texts.par_iter().map(|text| self.vector(text.as_ref())).collect();
        Csr::from_rows(self.vocabulary_len(), rows)
    }

    /// The vector of one text as (column, value), columns ascending.
    pub fn vector(&self, text: &str) -> Vec<(u32, f32)> {
        let mut columns: Vec<u32> = Vec::new();
        self.options.features.count(text, &mut |block, feature| {
            if let Some(&column) = self.index.get(&hash(block, feature)) {
                columns.push(column);
            }
        });
        self.weigh(tally(&mut columns).collect())
    }

    /// Number of columns.
    pub fn vocabulary_len(&self) -> usize {
        self.df.len()
    }

    /// The feature of a column: a word, a pair of words, or characters.
    pub fn feature(&self, column: usize) -> &str {
        self.terms.get(column)
    }

    /// In how many of the fitted texts the feature of a column occurs.
    pub fn document_frequency(&self, column: usize) -> u32 {
        self.df[column]
    }

    /// How many texts the vocabulary was learned from.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Computes the weights and the index of a vocabulary.
    pub(super) fn assemble(
        options: TfIdfOptions,
        documents: u64,
        terms: Terms,
        split: usize,
        df: Vec<u32>,
    ) -> TfIdf {
        let n = documents as f64;
        let idf = df.iter().map(|&df| match options.weighting {
            Weighting::Unit => (((1.0 + n) / (1.0 + f64::from(df))).ln() + 1.0) as f32,
            Weighting::Literal => (n / f64::from(df)).ln() as f32,
        });
        let idf = idf.collect();
        let index = (0..df.len())
            .map(|c| (hash(usize::from(c >= split), terms.get(c)), c as u32))
            .collect();
        TfIdf {
            options,
            documents,
            terms,
            split,
            df,
            idf,
            index,
        }
    }

    /// Turns the counts of one text into its row.
    fn weigh(&self, mut counts: Vec<(u32, u32)>) -> Vec<(u32, f32)> {
        counts.sort_unstable_by_key(|&(column, _)| column);
        let literal = self.options.weighting == Weighting::Literal;
        let mut row: Vec<(u32, f32)> = counts
            .into_iter()
            .map(|(column, tf)| {
                let tf = if literal {
                    tf as f32
                } else {
                    1.0 + (tf as f32).ln()
                };
                (column, tf * self.idf[column as usize])
            })
            .collect();
        if !literal {
            let border = row.partition_point(|&(column, _)| (column as usize) < self.split);
            let (words, characters) = row.split_at_mut(border);
            scale_to_unit(words);
            scale_to_unit(characters);
            if !words.is_empty() && !characters.is_empty() {
                row.iter_mut()
                    .for_each(|(_, value)| *value *= std::f32::consts::FRAC_1_SQRT_2);
            }
        }
        row
    }
}

fn scale_to_unit(row: &mut [(u32, f32)]) {
    let square: f64 = row
        .iter()
        .map(|&(_, value)| f64::from(value) * f64::from(value))
        .sum();
    if square > 0.0 {
        let scale = 1.0 / square.sqrt();
        row.iter_mut()
            .for_each(|(_, value)| *value = (f64::from(*value) * scale) as f32);
    }
}

/// The `most` features of each block that occur in the most texts, ties by text.
fn most_frequent<'a>(
    kept: Vec<u32>,
    most: usize,
    df: &[u32],
    key: &(impl Fn(&u32) -> (usize, &'a str) + Sync),
) -> Vec<u32> {
    let (mut words, mut characters): (Vec<u32>, Vec<u32>) = kept.into_iter().partition(|id| key(id).0 == 0);
    for block in [&mut words, &mut characters] {
        block.par_sort_unstable_by(|a, b| {
            df[*b as usize]
                .cmp(&df[*a as usize])
                .then_with(|| key(a).1.cmp(key(b).1))
        });
        block.truncate(most);
    }
    words.extend(characters);
    words
}

/// Counts equal numbers, ascending.
fn tally(ids: &mut [u32]) -> impl Iterator<Item = (u32, u32)> {
    ids.sort_unstable();
    ids.chunk_by(|a, b| a == b)
        .map(|same| (same[0], same.len() as u32))
}

/// The counts of one chunk of texts over a vocabulary of its own.
struct Counted {
    hashes: Vec<u64>,
    /// Block 0 or 1 of each feature.
    blocks: Vec<u8>,
    terms: Terms,
    df: Vec<u32>,
    /// (local id, occurrences), text after text: small blocks by the ten thousand would not go back to the system.
    counts: Vec<(u32, u32)>,
    /// Where each text ends in them.
    ends: Vec<usize>,
}

impl Counted {
    fn of<S: AsRef<str>>(texts: &[S], features: Features) -> Counted {
        let mut index = Index::default();
        let mut counted = Counted {
            hashes: vec![],
            blocks: vec![],
            terms: Terms::default(),
            df: vec![],
            counts: vec![],
            ends: vec![],
        };
        let mut ids = Vec::new();
        for text in texts {
            ids.clear();
            features.count(text.as_ref(), &mut |block, feature| {
                let hash = hash(block, feature);
                ids.push(*index.entry(hash).or_insert_with(|| {
                    counted.hashes.push(hash);
                    counted.blocks.push(block as u8);
                    counted.terms.push(feature);
                    counted.df.push(0);
                    counted.df.len() as u32 - 1
                }));
            });
            for (id, times) in tally(&mut ids) {
                counted.df[id as usize] += 1;
                counted.counts.push((id, times));
            }
            counted.ends.push(counted.counts.len());
        }
        counted
    }

    /// The counts of every text.
    fn rows(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.counts[start..end])
    }

    fn feature(&self, local: usize) -> (usize, &str) {
        (usize::from(self.blocks[local]), self.terms.get(local))
    }
}

#[cfg(test)]
mod tests;
