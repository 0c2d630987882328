//! Pairs of symbols that occur often, made into one: byte-pair encoding over characters (Sennrich, Haddow and Birch 2016).
//!
//! Deterministic: the most frequent pair is merged first, ties by the smaller pair. Counts are kept up to date word by word, so
//! learning costs about one look at each word for every pair of it that was merged.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// Which pairs were merged, in that order: pair number n became symbol `first + n`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Merges {
    first: u32,
    pairs: Vec<(u32, u32)>,
    rank: HashMap<(u32, u32), u32>,
}

/// Pairs rarer than this are not merged.
const SELDOM: u64 = 3;

/// A pair's count, and the words that may hold it.
#[derive(Default)]
struct Seen {
    count: u64,
    words: Vec<u32>,
}

impl Merges {
    /// Merges made elsewhere.
    pub(super) fn new(first: u32, pairs: Vec<(u32, u32)>) -> Merges {
        let rank = pairs.iter().copied().zip(0..).collect();
        Merges { first, pairs, rank }
    }

    /// The pairs in their order.
    pub(super) fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// Learns up to `most` merges from words of symbols below `first` with their counts. `joined(a, b)` says whether two
    /// symbols may become one, and learns so of each new one.
    pub(super) fn learn(
        first: u32,
        words: &BTreeMap<Vec<u32>, u64>,
        most: usize,
        mut joined: impl FnMut(u32, u32) -> bool,
    ) -> Merges {
        let mut texts: Vec<(Vec<u32>, u64)> =
            words.iter().map(|(word, count)| (word.clone(), *count)).collect();
        let mut pairs: HashMap<(u32, u32), Seen> = HashMap::new();
        for ((word, count), at) in texts.iter().zip(0..) {
            for pair in word.windows(2) {
                let seen = pairs.entry((pair[0], pair[1])).or_default();
                seen.count += count;
                if seen.words.last() != Some(&at) {
                    seen.words.push(at);
                }
            }
        }
        let mut heap: BinaryHeap<(u64, Reverse<(u32, u32)>)> = pairs
            .iter()
            .map(|(pair, seen)| (seen.count, Reverse(*pair)))
            .collect();
        let mut merged = Vec::new();
        while merged.len() < most {
            let Some((count, Reverse(pair))) = heap.pop() else {
                break;
            };
            let now = pairs.get(&pair).map_or(0, |seen| seen.count);
            if now != count {
                // It has become rarer since it was noted.
                if now >= SELDOM {
                    heap.push((now, Reverse(pair)));
                }
                continue;
            }
            if count < SELDOM {
                break;
            }
            if !joined(pair.0, pair.1) {
                pairs.remove(&pair);
                continue;
            }
            let symbol = first + merged.len() as u32;
            merged.push(pair);
            let mut holders = pairs.remove(&pair).unwrap_or_default().words;
            holders.sort_unstable();
            holders.dedup();
            for at in holders {
                let (word, count) = &mut texts[at as usize];
                let new = merge(word, pair, symbol);
                if new.len() == word.len() {
                    continue;
                }
                for old in word.windows(2) {
                    if let Some(seen) = pairs.get_mut(&(old[0], old[1])) {
                        seen.count -= *count;
                    }
                }
                for new in new.windows(2) {
                    let pair = (new[0], new[1]);
                    let fresh = pair.0 == symbol || pair.1 == symbol;
                    // A pair that may not be merged is forgotten for good.
                    if let Some(seen) = pairs.get_mut(&pair) {
                        seen.count += *count;
                        seen.words.push(at);
                    } else if fresh {
                        pairs.insert(
                            pair,
                            Seen {
                                count: *count,
                                words: vec![at],
                            },
                        );
                    }
                    if fresh {
                        heap.push((pairs[&pair].count, Reverse(pair)));
                    }
                }
                *word = new;
            }
        }
        Merges::new(first, merged)
    }

    /// A word's symbols, merged as far as they go, earlier merges first.
    pub(super) fn apply(&self, mut word: Vec<u32>) -> Vec<u32> {
        loop {
            let best = word
                .windows(2)
                .filter_map(|pair| self.rank.get(&(pair[0], pair[1])))
                .min();
            let Some(&rank) = best else { return word };
            word = merge(&word, self.pairs[rank as usize], self.first + rank);
        }
    }
}

/// Every occurrence of `pair`, from the left, as `symbol`.
fn merge(word: &[u32], pair: (u32, u32), symbol: u32) -> Vec<u32> {
    let mut new = Vec::with_capacity(word.len());
    let mut at = 0;
    while at < word.len() {
        if at + 1 < word.len() && (word[at], word[at + 1]) == pair {
            new.push(symbol);
            at += 2;
        } else {
            new.push(word[at]);
            at += 1;
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[(&str, u64)]) -> BTreeMap<Vec<u32>, u64> {
        texts
            .iter()
            .map(|(text, count)| (text.chars().map(u32::from).collect(), *count))
            .collect()
    }

    /// The example of Sennrich, Haddow and Birch (2016), figure 1, whose first merges are e s, es t, and l o.
    #[test]
    fn merges_are_those_of_the_paper() {
        let words = words(&[("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)]);
        let merges = Merges::learn(1000, &words, 3, |_, _| true);
        let of = u32::from;
        assert_eq!(
            merges.pairs(),
            [(of('e'), of('s')), (1000, of('t')), (of('l'), of('o'))]
        );
        let lowest: Vec<u32> = "lowest".chars().map(u32::from).collect();
        assert_eq!(merges.apply(lowest), [1002, of('w'), 1001]);
        assert_eq!(Merges::new(1000, merges.pairs().to_vec()), merges);
    }

    /// Kept counts against counting again from the beginning.
    #[test]
    fn counts_are_kept_right() {
        let mut dice = fastrand::Rng::with_seed(3);
        let words: BTreeMap<Vec<u32>, u64> = (0..300)
            .map(|_| {
                (
                    (0..dice.usize(1..12)).map(|_| dice.u32(..5)).collect(),
                    dice.u64(1..9),
                )
            })
            .collect();
        let merges = Merges::learn(100, &words, 60, |_, _| true);
        let mut slow = words.clone();
        for (n, pair) in merges.pairs().iter().enumerate() {
            let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
            for (word, count) in &slow {
                for pair in word.windows(2) {
                    *counts.entry((pair[0], pair[1])).or_default() += count;
                }
            }
            let best = counts
                .iter()
                .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
                .unwrap();
            assert_eq!(best.0, pair, "merge {n}");
            let mut next = BTreeMap::new();
            for (word, count) in slow {
                *next.entry(merge(&word, *pair, 100 + n as u32)).or_default() += count;
            }
            slow = next;
        }
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert_eq!(Merges::learn(7, &BTreeMap::new(), 9, |_, _| true).pairs(), []);
        let never = Merges::learn(1000, &words(&[("aaaa", 9)]), 9, |_, _| false);
        assert_eq!(never.pairs(), []);
        assert_eq!(never.apply(vec![1, 2]), [1, 2]);
    }
}
