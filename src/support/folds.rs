//! Folds for judging a model on tickets it has not seen, where labels carry no time: seeded, stratified, and with
//! near-identical texts in one fold. A shop's history is full of the same message sent twice; a copy on the other side
//! of the cut would be remembered, not understood.
//!
//! A group that is most of its class is no copy but the class itself: tickets of a web form differ in their numbers alone,
//! and so will tomorrow's. In one fold it would leave the others without an example of the class, so it is dealt text by
//! text.

use crate::text::tokens;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Texts share a group when their sets of words overlap at least this much (Jaccard).
const SAME: f64 = 0.8;
/// Rows of a band and number of bands of the signatures: at an overlap of 0.9 a pair is compared with a probability
/// of 0.99, at 0.5 of 0.2.
const ROWS: usize = 4;
const BANDS: usize = 4;
/// A bucket larger than this is compared with its first texts only, which bounds the work on boilerplate.
const BUCKET: usize = 64;

/// Groups near-identical texts: for each text the index of the first of its group. Digits count as one digit, so that
/// two messages that differ in their order number are the same message.
pub fn near_identical<S: AsRef<str>>(texts: &[S]) -> Vec<usize> {
    let sets: Vec<Vec<u64>> = texts.iter().map(|text| word_set(text.as_ref())).collect();
    let mut parents: Vec<usize> = (0..texts.len()).collect();
    for band in 0..BANDS {
        let mut buckets: HashMap<[u64; ROWS], Vec<usize>> = HashMap::new();
        for (text, set) in sets.iter().enumerate().filter(|(_, set)| !set.is_empty()) {
            let key = std::array::from_fn(|row| smallest(set, (band * ROWS + row) as u64));
            let bucket = buckets.entry(key).or_default();
            for &other in bucket.iter() {
                let (a, b) = (root(&mut parents, other), root(&mut parents, text));
                if a != b && overlap(set, &sets[other]) >= SAME {
                    parents[a.max(b)] = a.min(b);
                }
            }
            if bucket.len() < BUCKET {
                bucket.push(text);
            }
        }
    }
    (0..texts.len()).map(|text| root(&mut parents, text)).collect()
}

/// Deals groups to `count` folds: for each text its fold. Every class is spread as evenly as its groups allow; which
/// group goes where depends on the seed and the groups' order only. A group that holds more of its class than a fold should
/// is dealt text by text.
///
/// `labels[i]` is the class of text `i`, `groups[i]` the first text of its group.
pub fn folds(labels: &[u32], groups: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (text, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(text);
    }
    for group in too_large(labels, &members, count) {
        for text in members.remove(&group).unwrap_or_default() {
            members.insert(text, vec![text]); // a group bears the name of its first text: the names are free
        }
    }
    let mut order: Vec<usize> = members.keys().copied().collect();
    // Large groups first, while there is room to even them out.
    order.sort_by_key(|group| {
        let chance = xxh3_64_with_seed(&(*group as u64).to_le_bytes(), seed);
        (std::cmp::Reverse(members[group].len()), chance, *group)
    });
    let mut of_class: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut total = vec![0usize; count];
    let mut fold_of = vec![0; labels.len()];
    for group in order {
        let class = of_class.entry(labels[group]).or_insert_with(|| vec![0; count]);
        let fold = (0..count)
            .min_by_key(|&fold| (class[fold], total[fold], fold))
            .unwrap_or(0);
        class[fold] += members[&group].len();
        total[fold] += members[&group].len();
        for &text in &members[&group] {
            fold_of[text] = fold;
        }
    }
    fold_of
}

/// Groups that hold more than their share, one of `count`, of the class most of their texts bear.
fn too_large(labels: &[u32], members: &BTreeMap<usize, Vec<usize>>, count: usize) -> Vec<usize> {
    let mut of_class: HashMap<u32, usize> = HashMap::new();
    labels
        .iter()
        .for_each(|&label| *of_class.entry(label).or_default() += 1);
    let large = |texts: &Vec<usize>| {
        let mut own: BTreeMap<u32, usize> = BTreeMap::new();
        texts
            .iter()
            .for_each(|&text| *own.entry(labels[text]).or_default() += 1);
        let most = own
            .into_iter()
            .max_by_key(|&(class, n)| (n, std::cmp::Reverse(class)));
        texts.len() > 1 && most.is_some_and(|(class, n)| n > of_class[&class].div_ceil(count))
    };
    let found = members.iter().filter(|(_, texts)| large(texts));
    found.map(|(&group, _)| group).collect()
}

/// Hashes of the words of a text, sorted, each once.
fn word_set(text: &str) -> Vec<u64> {
    let hash = |word: &str| {
        let word: String = word
            .chars()
            .map(|letter| if letter.is_numeric() { '0' } else { letter })
            .collect();
        xxh3_64(word.as_bytes())
    };
    tokens(text)
        .iter()
        .map(|token| hash(&token.text))
        .collect::<BTreeSet<u64>>()
        .into_iter()
        .collect()
}

/// The word that comes first when words are shuffled by `shuffle`: two sets agree with the probability of their
/// overlap (Broder 1997).
fn smallest(words: &[u64], shuffle: u64) -> u64 {
    words
        .iter()
        .map(|word| xxh3_64_with_seed(&word.to_le_bytes(), shuffle))
        .min()
        .unwrap_or(0)
}

/// Size of the intersection over size of the union of two sorted sets.
fn overlap(a: &[u64], b: &[u64]) -> f64 {
    let both = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    both as f64 / (a.len() + b.len() - both).max(1) as f64
}

/// The first text of a group, with the path to it shortened.
fn root(parents: &mut [usize], mut text: usize) -> usize {
    while parents[text] != text {
        parents[text] = parents[parents[text]];
        text = parents[text];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_numbers_case_and_a_word_are_one_group() {
        let texts = [
            "Where is my order 10017? It should have come on Monday, I am waiting.",
            "How do I reset my password",
            "WHERE is my order 22999? It should have come on Monday, I am waiting!",
            "where is my order 3? it should have come on monday, i am still waiting",
            "",
            "",
            "您好,退款什么时候到账",
        ];
        assert_eq!(near_identical(&texts), vec![0, 1, 0, 0, 4, 5, 6]);
    }

    #[test]
    fn folds_are_even_keep_groups_and_follow_the_seed() {
        let labels: Vec<u32> = (0..300).map(|i| i % 5).collect();
        let groups: Vec<usize> = (0..300).map(|i| if i % 10 == 5 { i - 5 } else { i }).collect();
        let fold_of = folds(&labels, &groups, 3, 1);
        for (text, &group) in groups.iter().enumerate() {
            assert_eq!(fold_of[text], fold_of[group]);
        }
        for class in 0..5 {
            for fold in 0..3 {
                let here = (0..300)
                    .filter(|&i| labels[i] == class && fold_of[i] == fold)
                    .count();
                assert!((18..=22).contains(&here), "class {class} fold {fold}: {here}");
            }
        }
        assert_eq!(fold_of, folds(&labels, &groups, 3, 1));
        assert_ne!(fold_of, folds(&labels, &groups, 3, 2));
    }

    #[test]
    fn a_group_that_is_its_class_is_dealt_and_a_smaller_one_is_kept() {
        // Class 0 is one web form; class 1 holds a message sent ten times among thirty.
        let labels: Vec<u32> = (0..60).map(|i| i / 30).collect();
        let groups: Vec<usize> = (0..60)
            .map(|i| match i {
                0..30 => 0,
                30..40 => 30,
                _ => i,
            })
            .collect();
        let fold_of = folds(&labels, &groups, 3, 1);
        for class in 0..2 {
            for fold in 0..3 {
                let here = (0..60).filter(|&i| labels[i] == class && fold_of[i] == fold);
                assert_eq!(here.count(), 10, "class {class} fold {fold}");
            }
        }
        assert!((30..40).all(|i| fold_of[i] == fold_of[30]));
    }
}
