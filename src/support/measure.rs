//! How good answers were: accuracy, macro-F1, coverage at a precision, calibration, ROUGE-L.

use super::lcs::Pattern;
use crate::text::is_cjk;
use std::collections::HashMap;

/// One answer beside the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What people decided.
    pub truth: u32,
    /// What the model said.
    pub answer: u32,
    /// How sure it was, 0 to 1.
    pub confidence: f64,
}

impl Judged {
    /// Whether the answer was right.
    pub fn right(&self) -> bool {
        self.truth == self.answer
    }
}

/// Share of right answers; none without answers.
pub fn accuracy(judged: &[Judged]) -> Option<f64> {
    let right = judged.iter().filter(|one| one.right()).count();
    (!judged.is_empty()).then(|| right as f64 / judged.len() as f64)
}

/// Mean over the classes that occur of F1 = 2 hits / (said + true), as scikit-learn's `f1_score(average='macro')`.
pub fn macro_f1(judged: &[Judged], classes: usize) -> Option<f64> {
    let (mut hits, mut seen) = (vec![0u64; classes], vec![0u64; classes]);
    for one in judged {
        seen[one.truth as usize] += 1;
        seen[one.answer as usize] += 1;
        hits[one.truth as usize] += u64::from(one.right());
    }
    let scores: Vec<f64> = hits
        .iter()
        .zip(&seen)
        .filter(|(_, seen)| **seen > 0)
        .map(|(&hits, &seen)| 2.0 * hits as f64 / seen as f64)
        .collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// Share of the answers whose confidence reaches `threshold`, and how many of those were right (none without any).
pub fn coverage_at(judged: &[Judged], threshold: f64) -> (f64, Option<f64>) {
    let routed: Vec<Judged> = judged
        .iter()
        .copied()
        .filter(|one| one.confidence >= threshold)
        .collect();
    (
        routed.len() as f64 / judged.len().max(1) as f64,
        accuracy(&routed),
    )
}

/// Expected calibration error over ten bins of equal width: the mean distance between confidence and accuracy,
/// weighted by the bins' sizes (Naeini et al. 2015).
pub fn calibration_error(judged: &[Judged]) -> Option<f64> {
    let mut bins = [(0u64, 0f64, 0u64); 10];
    for one in judged {
        let bin = &mut bins[((one.confidence * 10.0) as usize).min(9)];
        *bin = (bin.0 + 1, bin.1 + one.confidence, bin.2 + u64::from(one.right()));
    }
    let off: f64 = bins
        .iter()
        .map(|&(_, sure, right)| (sure - right as f64).abs())
        .sum();
    (!judged.is_empty()).then(|| off / judged.len() as f64)
}

/// A text as ROUGE counts it: words in lower case, every CJK character, every other mark, each as a number.
/// Equal words get equal numbers within one `dictionary`.
pub fn rouge_words(text: &str, dictionary: &mut HashMap<String, u32>) -> Vec<u32> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut put = |word: &mut String, words: &mut Vec<u32>| {
        if !word.is_empty() {
            let next = dictionary.len() as u32;
            words.push(*dictionary.entry(std::mem::take(word)).or_insert(next));
        }
    };
    for letter in text.chars() {
        if letter.is_alphanumeric() && !is_cjk(letter) {
            word.extend(letter.to_lowercase());
            continue;
        }
        put(&mut word, &mut words);
        if !letter.is_whitespace() {
            word.push(letter);
            put(&mut word, &mut words);
        }
    }
    put(&mut word, &mut words);
    words
}

/// ROUGE-L F1 of two texts given as [`rouge_words`] of one dictionary (Lin 2004): 2 L / (m + n) with L the length of
/// their longest common subsequence. 0 when either is empty.
pub fn rouge_l(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    2.0 * common_subsequence(a, b) as f64 / (a.len() + b.len()) as f64
}

/// Length of the longest common subsequence of two texts of any words.
fn common_subsequence(a: &[u32], b: &[u32]) -> usize {
    let mut known = a.to_vec();
    known.sort_unstable();
    known.dedup();
    let number = |word: &u32| known.binary_search(word).ok().map(|at| at as u32);
    // Words that only the other text has are in no common subsequence.
    Pattern::new(a.iter().map(|word| number(word).unwrap_or_default()), known.len())
        .common(b.iter().filter_map(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[(u32, u32, f64)]) -> Vec<Judged> {
        rows.iter()
            .map(|&(truth, answer, confidence)| Judged {
                truth,
                answer,
                confidence,
            })
            .collect()
    }

    #[test]
    fn shares_and_means_by_hand() {
        let rows = judged(&[(0, 0, 0.9), (0, 1, 0.6), (1, 1, 0.8), (2, 2, 0.3)]);
        assert_eq!(accuracy(&rows), Some(0.75));
        // F1: class 0 2/3, class 1 2/3, class 2 1.
        assert!((macro_f1(&rows, 4).unwrap() - 7.0 / 9.0).abs() < 1e-12);
        assert_eq!(coverage_at(&rows, 0.7), (0.5, Some(1.0)));
        assert_eq!(coverage_at(&rows, 0.95), (0.0, None));
        // Bins 9, 6, 8, 3 hold one answer each: |.9-1| + |.6-0| + |.8-1| + |.3-1|, over 4.
        assert!((calibration_error(&rows).unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(accuracy(&[]), None);
    }

    #[test]
    fn rouge_counts_words_characters_and_marks() {
        let mut dictionary = HashMap::new();
        let mut words = |text| rouge_words(text, &mut dictionary);
        let (a, b) = (
            words("The police killed the gunman"),
            words("police KILL the gunman"),
        );
        // Lin 2004, section 3: the common subsequence is "police the gunman".
        assert!((rouge_l(&a, &b) - 6.0 / 9.0).abs() < 1e-12);
        let (a, b) = (words("您好,退款"), words("您好!退货"));
        assert_eq!((a.len(), rouge_l(&a, &b)), (5, 0.6));
        assert_eq!(rouge_l(&a, &[]), 0.0);
    }
}
