//! Sentences exchanged: the changes of one draft, tried in the order of what they can bring at most.

use super::super::lcs::{Pattern, meet};
use super::{Table, overlap};

/// Replies, the best first, that lend sentences.
const LENDERS: usize = 10;
/// How far from its own place, as a share of the text, a sentence may stand.
const REACH: f64 = 0.35;
/// Sentences this alike say the same: ROUGE-L, or the share of the shorter one that the longer one contains.
const ALIKE: f64 = 0.6;
const CONTAINED: f64 = 0.8;
/// Sentences that may be lent.
const LENT: usize = 400;
/// Changes tried in full in a round.
const TRIED: usize = 1000;

/// A sentence that may be used.
struct Lent {
    words: Vec<u32>,
    /// (candidate, sentence).
    source: (usize, usize),
    /// Its place in its text, 0 to 1.
    place: f64,
    /// Words it has in common with each guess.
    common: Vec<f64>,
}

/// Where a sentence goes.
#[derive(Clone, Copy)]
enum Change {
    Insert(usize, usize),
    Replace(usize, usize),
    Delete(usize),
}

pub(super) struct Kitchen<'t> {
    table: &'t Table,
    beta: f64,
    pool: Vec<Lent>,
}

impl<'t> Kitchen<'t> {
    /// `order`: candidates, the best first.
    pub(super) fn new(table: &'t Table, order: &[usize], beta: f64) -> Kitchen<'t> {
        let mut pool: Vec<Lent> = Vec::new();
        for &candidate in order.iter().take(LENDERS) {
            let text = &table.texts[candidate];
            for (at, words) in text.iter().enumerate() {
                let known = pool.iter().any(|lent| lent.words == *words);
                if pool.len() >= LENT || (known && pool[0].source.0 != candidate) {
                    continue;
                }
                pool.push(Lent {
                    words: words.clone(),
                    source: (candidate, at),
                    place: (at as f64 + 0.5) / text.len() as f64,
                    common: (table.guesses.iter())
                        .map(|guess| guess.front.common(words.iter().copied()) as f64)
                        .collect(),
                });
            }
        }
        Kitchen { table, beta, pool }
    }

    /// The sentences of the best candidate, each once.
    pub(super) fn own(&self, candidate: usize) -> Vec<usize> {
        let own = (0..self.pool.len()).filter(|&at| self.pool[at].source.0 == candidate);
        own.filter(|&at| {
            !self.pool[..at]
                .iter()
                .any(|other| other.words == self.pool[at].words)
        })
        .collect()
    }

    /// Which (candidate, sentence) a sentence of the pool is.
    pub(super) fn source(&self, at: usize) -> (usize, usize) {
        self.pool[at].source
    }

    /// Expected ROUGE-L of a draft, by the usual weights.
    pub(super) fn expected(&self, draft: &[usize]) -> f64 {
        let words = || draft.iter().flat_map(|&at| self.pool[at].words.iter().copied());
        let length = words().count() as f64;
        let guesses = self.table.guesses.iter();
        guesses
            .map(|guess| guess.usual * overlap(guess.front.common(words()) as f64, length, guess.length, 1.0))
            .sum()
    }

    /// Expected overlap of a draft of `length` words with what it has in common with each guess.
    fn sum(&self, length: f64, beta: f64, common: impl Fn(usize) -> f64) -> f64 {
        self.table
            .guesses
            .iter()
            .enumerate()
            .map(|(at, guess)| guess.weight * overlap(common(at), length, guess.length, beta))
            .sum()
    }

    /// Makes the best change, if one is worth it.
    pub(super) fn improve(&self, draft: &mut Vec<usize>) -> bool {
        let state = State::new(self, draft);
        let guesses = self.table.guesses.len();
        let lengths: Vec<f64> = draft.iter().map(|&at| self.pool[at].words.len() as f64).collect();
        let length: f64 = lengths.iter().sum();
        let now = self.sum(length, self.beta, |guess| state.whole[guess]);
        let mut best: (f64, Option<Change>) = (now + 1e-9, None);
        if draft.len() > 1 {
            for (at, own) in lengths.iter().enumerate() {
                let value = self.sum(length - own, self.beta, |guess| {
                    state.without[at * guesses + guess]
                });
                if value > best.0 {
                    best = (value, Some(Change::Delete(at)));
                }
            }
        }
        // A sentence adds at most what it has in common with a guess: an upper bound, so that few changes are tried.
        let mut changes: Vec<(f64, Change)> = Vec::new();
        let sentences = draft.len() as f64;
        for (at, lent) in self.pool.iter().enumerate() {
            let size = lent.words.len() as f64;
            for place in 0..=lengths.len() {
                let own = lengths.get(place);
                if (place as f64 / sentences - lent.place).abs() <= REACH {
                    let bound = self.sum(length + size, self.beta, |guess| {
                        (state.whole[guess] + lent.common[guess]).min(self.table.guesses[guess].length)
                    });
                    changes.push((bound, Change::Insert(at, place)));
                }
                if let Some(own) = own
                    && ((place as f64 + 0.5) / sentences - lent.place).abs() <= REACH
                {
                    let bound = self.sum(length - own + size, self.beta, |guess| {
                        let without = state.without[place * guesses + guess];
                        (without + lent.common[guess]).min(self.table.guesses[guess].length)
                    });
                    changes.push((bound, Change::Replace(at, place)));
                }
            }
        }
        changes.retain(|change| change.0 > best.0);
        changes.sort_by(|a, b| b.0.total_cmp(&a.0)); // stable: equals stay in the order of the pool
        let mut buffers = (Vec::new(), Vec::new());
        for &(bound, change) in changes.iter().take(TRIED) {
            if bound <= best.0 {
                break;
            }
            let (lent, from, to) = match change {
                Change::Insert(lent, place) => (lent, place, place),
                Change::Replace(lent, place) => (lent, place, place + 1),
                Change::Delete(_) => continue,
            };
            let size = length - lengths[from..to].iter().sum::<f64>() + self.pool[lent].words.len() as f64;
            // The bound shrinks to the value guess by guess; most changes are out after a few.
            let mut value = bound;
            for (at, guess) in self.table.guesses.iter().enumerate() {
                let kept = if from == to {
                    state.whole[at]
                } else {
                    state.without[from * guesses + at]
                };
                let most = (kept + self.pool[lent].common[at]).min(guess.length);
                let common = state.between(self, at, from, to, lent, &mut buffers);
                value -= guess.weight * overlap(most - common, size, guess.length, self.beta);
                if value <= best.0 {
                    break;
                }
            }
            let mut others = draft[..from].iter().chain(&draft[to..]);
            if value > best.0 && !others.any(|&other| self.alike(lent, other)) {
                best = (value, Some(change));
            }
        }
        match best.1 {
            None => return false,
            Some(Change::Delete(at)) => {
                draft.remove(at);
            }
            Some(Change::Insert(lent, place)) => draft.insert(place, lent),
            Some(Change::Replace(lent, place)) => draft[place] = lent,
        }
        true
    }

    /// Whether two sentences say the same.
    fn alike(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.pool[a].words, &self.pool[b].words);
        let common = Pattern::new(a.iter().copied(), self.table.vocabulary).common(b.iter().copied()) as f64;
        let (shorter, both) = (a.len().min(b.len()) as f64, (a.len() + b.len()) as f64);
        2.0 * common >= ALIKE * both || (shorter >= 4.0 && common >= CONTAINED * shorter)
    }
}

/// What a draft has in common with the guesses, whole and in parts.
struct State {
    /// Per guess.
    whole: Vec<f64>,
    /// Per sentence and guess: without the sentence.
    without: Vec<f64>,
    /// Per guess: the row after each number of sentences from the front.
    front: Vec<Vec<Vec<u64>>>,
    /// Per guess: the steps of the sentences from each on, read backwards.
    back: Vec<Vec<Vec<u64>>>,
}

impl State {
    fn new(kitchen: &Kitchen<'_>, draft: &[usize]) -> State {
        let guesses = &kitchen.table.guesses;
        let words = |at: usize| kitchen.pool[draft[at]].words.iter().copied();
        let (mut front, mut back) = (Vec::new(), Vec::new());
        for guess in guesses {
            let mut rows = vec![guess.front.fresh()];
            for at in 0..draft.len() {
                let mut row = rows[at].clone();
                guess.front.read(&mut row, words(at));
                rows.push(row);
            }
            let mut row = guess.back.fresh();
            let mut steps = vec![vec![0u64; guess.back.blocks()]; draft.len() + 1];
            for at in (0..draft.len()).rev() {
                guess.back.read(&mut row, words(at).rev());
                guess.back.steps_back(&row, &mut steps[at]);
            }
            front.push(rows);
            back.push(steps);
        }
        let mut state = State {
            whole: Vec::new(),
            without: Vec::new(),
            front,
            back,
        };
        state.whole = (guesses.iter().enumerate())
            .map(|(at, guess)| guess.front.grown(&state.front[at][draft.len()]) as f64)
            .collect();
        for at in 0..draft.len() {
            for (number, guess) in guesses.iter().enumerate() {
                let mut steps = vec![0u64; guess.front.blocks()];
                guess.front.steps(&state.front[number][at], &mut steps);
                state
                    .without
                    .push(meet(&steps, &state.back[number][at + 1]) as f64);
            }
        }
        state
    }

    /// Words in common with a guess when a sentence stands between those before `from` and those from `to` on.
    fn between(
        &self,
        kitchen: &Kitchen<'_>,
        guess: usize,
        from: usize,
        to: usize,
        lent: usize,
        (row, steps): &mut (Vec<u64>, Vec<u64>),
    ) -> f64 {
        let pattern = &kitchen.table.guesses[guess].front;
        row.clear();
        row.extend_from_slice(&self.front[guess][from]);
        steps.resize(pattern.blocks(), 0);
        pattern.read(row, kitchen.pool[lent].words.iter().copied());
        pattern.steps(row, steps);
        meet(steps, &self.back[guess][to]) as f64
    }
}
