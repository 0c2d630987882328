//! BLEU-4 of a set of drafts against the replies that were sent (Papineni et al. 2002), without smoothing.

use std::collections::HashMap;

/// Sums over pairs of (draft, reply), both as [`super::rouge_words`] of one dictionary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bleu {
    /// By length of the word groups, 1 to 4: groups of the drafts found in the replies.
    found: [u64; 4],
    /// Groups of the drafts.
    said: [u64; 4],
    draft: u64,
    reply: u64,
}

impl Bleu {
    /// Takes in a pair.
    pub fn add(&mut self, draft: &[u32], reply: &[u32]) {
        self.draft += draft.len() as u64;
        self.reply += reply.len() as u64;
        for size in 1..=4 {
            let mut left: HashMap<&[u32], u64> = HashMap::new();
            for group in reply.windows(size) {
                *left.entry(group).or_default() += 1;
            }
            for group in draft.windows(size) {
                self.said[size - 1] += 1;
                if let Some(left) = left.get_mut(group).filter(|left| **left > 0) {
                    *left -= 1;
                    self.found[size - 1] += 1;
                }
            }
        }
    }

    /// 0 to 1: the geometric mean of the four precisions times the penalty for being shorter than the replies.
    pub fn value(&self) -> f64 {
        if self.found.contains(&0) {
            return 0.0;
        }
        let logs = self
            .found
            .iter()
            .zip(&self.said)
            .map(|(&found, &said)| (found as f64 / said as f64).ln());
        let short = (1.0 - self.reply as f64 / self.draft as f64).min(0.0);
        (short + logs.sum::<f64>() / 4.0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut bleu = Bleu::default();
        assert_eq!(bleu.value(), 0.0);
        // Words 5 of 6, pairs 4 of 5, threes 3 of 4, fours 2 of 3; as long as the reply.
        bleu.add(&[1, 2, 3, 4, 5, 9], &[1, 2, 3, 4, 5, 6]);
        let hand = (5.0f64 / 6.0 * (4.0 / 5.0) * (3.0 / 4.0) * (2.0 / 3.0)).powf(0.25);
        assert!((bleu.value() - hand).abs() < 1e-12);
        // A word counts as often as the reply has it; a draft shorter than the reply pays exp(1 - 12/10).
        bleu.add(&[7, 7, 7, 7], &[7, 8, 7, 8, 1, 2]);
        let hand = (7.0f64 / 10.0 * (4.0 / 8.0) * (3.0 / 6.0) * (2.0 / 4.0)).powf(0.25)
            * (1.0f64 - 12.0 / 10.0).exp();
        assert!((bleu.value() - hand).abs() < 1e-12, "{} {hand}", bleu.value());
    }
}
