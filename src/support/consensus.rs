//! The reply on which the nearest old replies agree, and its sentences exchanged for better ones.
//!
//! Each of the nearest replies is a guess at what an agent would write now, as likely as its ticket is near: weight
//! `softmax(similarity / temperature)`. The draft is the reply whose expected overlap with that guess is the largest
//! (minimum Bayes risk decoding, Kumar and Byrne 2004), overlap being ROUGE-L. Then single sentences of the best replies
//! are put in, exchanged or taken out, as long as the expected overlap rises: at most [`ROUNDS`] times, the best change
//! each time, a sentence only where it stood in its own reply (about as far from the beginning), and never one that says
//! what the draft says already.
//!
//! The overlap is F with `beta`: `(1 + beta²) L / (m + beta² n)` for a common subsequence of L words, a draft of m and a
//! reply of n. With beta = 1 long replies in scripts without spaces come out too short; what is best is measured
//! ([`super::reply`]).

mod exchange;
#[cfg(test)]
mod tests;

use super::lcs::Pattern;
use exchange::Kitchen;

/// A text that can be drafted, and evidence of what would be written if it has a similarity.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Its sentences as numbers of words (see [`super::rouge_words`]).
    pub sentences: &'a [Vec<u32>],
    /// Cosine of its ticket with the one to be answered; none = an old text that may be quoted but is no evidence.
    pub similarity: Option<f64>,
    /// How likely it is among the replies that a network wrote ([`super::seq2seq`]); none = it is an old text.
    pub written: Option<f64>,
}

/// How replies are weighed against each other.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Weighing {
    /// Nearest replies asked.
    pub replies: usize,
    /// Smaller: the nearest counts for more.
    pub temperature: f64,
    /// Above 1: what is left out weighs more than what is said too much.
    pub beta: f64,
    /// Share of the evidence that replies written by a network are, where there are any; 0 = they are not looked at.
    pub written: f64,
}

/// A draft: sentences of candidates, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// (candidate, sentence of it).
    pub parts: Vec<(usize, usize)>,
    /// Expected ROUGE-L (F1), 0 to 1, by the weights of [`SURENESS`] whatever temperature wrote the draft: a low one
    /// makes every draft look sure of itself.
    pub expected: f64,
}

/// Changes at the most.
pub const ROUNDS: usize = 4;
/// The temperature at which drafts say how sure they are.
const SURENESS: f64 = 0.1;
/// Words or characters read of a candidate; the rest of a longer one counts for nothing. The cost of a draft rises faster than
/// the square of it.
const WORDS: usize = 400;

/// A reply that drafts are compared with.
struct Guess {
    weight: f64,
    /// The weight by [`SURENESS`].
    usual: f64,
    length: f64,
    front: Pattern,
    back: Pattern,
}

/// Weights of the guesses: `softmax(similarity / temperature)`, summing to 1.
pub fn weights(similarities: &[f64], temperature: f64) -> Vec<f64> {
    let top = similarities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raw: Vec<f64> = similarities
        .iter()
        .map(|similarity| ((similarity - top) / temperature).exp())
        .collect();
    let all: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / all).collect()
}

/// F of a common subsequence of `common` words, a draft of `draft` and a reply of `reply`; 0 when both are empty.
pub fn overlap(common: f64, draft: f64, reply: f64, beta: f64) -> f64 {
    let square = beta * beta;
    let below = draft + square * reply;
    if below > 0.0 {
        (1.0 + square) * common / below
    } else {
        0.0
    }
}

/// Composes a draft; none when no candidate is evidence or none has a word.
pub fn compose(candidates: &[Candidate<'_>], weighing: &Weighing, rounds: usize) -> Option<Composed> {
    let table = Table::new(candidates, weighing)?;
    let utilities = table.utilities(weighing.beta);
    let mut order: Vec<usize> = (0..candidates.len())
        .filter(|&at| !table.texts[at].is_empty())
        .collect();
    order.sort_by(|&a, &b| utilities[b].total_cmp(&utilities[a]).then(a.cmp(&b)));
    let best = *order.first()?;
    let kitchen = Kitchen::new(&table, &order, weighing.beta);
    let mut draft: Vec<usize> = Vec::new();
    for at in kitchen.own(best) {
        // An agent may repeat a sentence; a draft does not.
        if !draft.contains(&at) {
            draft.push(at);
        }
    }
    for _ in 0..rounds {
        if !kitchen.improve(&mut draft) {
            break;
        }
    }
    let expected = kitchen.expected(&draft);
    Some(Composed {
        parts: draft.iter().map(|&at| kitchen.source(at)).collect(),
        expected,
    })
}

/// All candidates in one small vocabulary, and the guesses.
pub struct Table {
    /// Sentences of each candidate.
    texts: Vec<Vec<Vec<u32>>>,
    guesses: Vec<Guess>,
    vocabulary: usize,
}

impl Table {
    /// Prepares the guesses; none without any.
    pub fn new(candidates: &[Candidate<'_>], weighing: &Weighing) -> Option<Table> {
        let mut known: Vec<u32> = candidates
            .iter()
            .flat_map(|one| one.sentences.iter().flatten().copied())
            .collect();
        known.sort_unstable();
        known.dedup();
        let texts: Vec<Vec<Vec<u32>>> = candidates
            .iter()
            .map(|one| {
                let mut left = WORDS;
                one.sentences
                    .iter()
                    .map(|sentence| {
                        let taken = &sentence[..sentence.len().min(left)];
                        left -= taken.len();
                        taken
                            .iter()
                            .map(|word| known.partition_point(|other| other < word) as u32)
                            .collect::<Vec<u32>>()
                    })
                    .take_while(|sentence: &Vec<u32>| !sentence.is_empty())
                    .collect()
            })
            .collect();
        let known_words = known.len();
        let guess = |at: usize, weight: f64, usual: f64| {
            let words: Vec<u32> = texts[at].iter().flatten().copied().collect();
            Guess {
                weight,
                usual,
                length: words.len() as f64,
                front: Pattern::new(words.iter().copied(), known_words),
                back: Pattern::new(words.iter().rev().copied(), known_words),
            }
        };
        let of = |value: fn(&Candidate<'_>) -> Option<f64>| {
            let all = candidates
                .iter()
                .enumerate()
                .filter_map(move |(at, one)| Some((at, value(one)?)));
            all.filter(|(at, _)| !texts[*at].is_empty())
                .unzip::<_, _, Vec<usize>, Vec<f64>>()
        };
        let (mut old, mut similarities) = of(|one| one.similarity);
        old.truncate(weighing.replies);
        similarities.truncate(weighing.replies);
        if old.is_empty() {
            return None;
        }
        let (written, likely) = of(|one| one.written);
        let all: f64 = likely.iter().sum();
        let share = if all > 0.0 { weighing.written } else { 0.0 };
        let by = |temperature| weights(&similarities, temperature);
        let mut guesses: Vec<Guess> = (old.iter().zip(by(weighing.temperature)).zip(by(SURENESS)))
            .map(|((&at, weight), usual)| guess(at, (1.0 - share) * weight, (1.0 - share) * usual))
            .collect();
        if share > 0.0 {
            let parts = written.iter().zip(&likely);
            guesses.extend(parts.map(|(&at, likely)| guess(at, share * likely / all, share * likely / all)));
        }
        Some(Table {
            texts,
            guesses,
            vocabulary: known.len(),
        })
    }

    /// Expected overlap of each candidate.
    fn utilities(&self, beta: f64) -> Vec<f64> {
        self.texts
            .iter()
            .map(|text| {
                let length: usize = text.iter().map(Vec::len).sum();
                self.guesses
                    .iter()
                    .map(|guess| {
                        let common = guess.front.common(text.iter().flatten().copied());
                        guess.weight * overlap(common as f64, length as f64, guess.length, beta)
                    })
                    .sum()
            })
            .collect()
    }
}
