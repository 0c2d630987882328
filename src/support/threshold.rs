//! The confidence from which answers are acted on.

use super::Judged;
use serde::{Deserialize, Serialize};

/// A confidence and what it does on the tickets it was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Answers at least this sure are acted on. Infinite: none is.
    pub confidence: f64,
    /// The precision it was chosen for.
    pub aimed: f64,
    /// Share of right ones among the answers acted on; 0 when there are none.
    pub precision: f64,
    /// Share of all answers that are acted on.
    pub coverage: f64,
    /// Answers it was measured on.
    pub measured_on: usize,
}

/// A threshold supported by fewer answers than this is chance.
const FEWEST: usize = 20;

impl Threshold {
    /// The smallest confidence at which the answers as sure or surer were right with at least the `precision` stated.
    /// `judged` are answers about tickets the model had not seen. Nothing is acted on where no confidence reaches it on
    /// at least twenty answers.
    pub fn measure(judged: &[Judged], precision: f64) -> Threshold {
        let mut sorted: Vec<&Judged> = judged.iter().collect();
        sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let mut best = Threshold {
            confidence: f64::INFINITY,
            aimed: precision,
            precision: 0.0,
            coverage: 0.0,
            measured_on: judged.len(),
        };
        let mut right = 0usize;
        for (at, one) in sorted.iter().enumerate() {
            right += usize::from(one.right());
            let last_of_equals = sorted
                .get(at + 1)
                .is_none_or(|next| next.confidence < one.confidence);
            let so_far = right as f64 / (at + 1) as f64;
            if last_of_equals && at + 1 >= FEWEST && so_far >= precision {
                best.confidence = one.confidence;
                best.precision = so_far;
                best.coverage = (at + 1) as f64 / judged.len() as f64;
            }
        }
        best
    }

    /// Whether an answer this sure is acted on.
    pub fn passes(&self, confidence: f64) -> bool {
        confidence >= self.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u32, right: impl Fn(u32) -> bool) -> Vec<Judged> {
        (0..n)
            .map(|i| Judged {
                truth: 0,
                answer: u32::from(!right(i)),
                confidence: 1.0 - f64::from(i) / f64::from(n),
            })
            .collect()
    }

    #[test]
    fn it_is_the_smallest_that_holds() {
        // The first 80 are right, then every second one: 95 % holds as long as errors <= 5 % of the rows so far.
        let judged = line(200, |i| i < 80 || i % 2 == 0);
        let threshold = Threshold::measure(&judged, 0.95);
        let routed = judged
            .iter()
            .filter(|one| threshold.passes(one.confidence))
            .count();
        assert_eq!(routed, 89); // 80 + 9 with four errors: 85/89 = 95.5 %; ten of 91 and on fall below
        assert!(threshold.precision >= 0.95 && (threshold.coverage - 0.445).abs() < 1e-9);
    }

    #[test]
    fn without_support_nothing_passes() {
        assert!(!Threshold::measure(&line(10, |_| true), 0.95).passes(1.0));
        assert!(!Threshold::measure(&line(100, |_| false), 0.5).passes(1.0));
        assert!(Threshold::measure(&line(20, |_| true), 0.95).passes(0.06));
    }

    #[test]
    fn equal_confidences_are_taken_or_left_together() {
        let judged: Vec<Judged> = (0..40)
            .map(|i| Judged {
                truth: 0,
                answer: u32::from(i >= 25),
                confidence: 0.7,
            })
            .collect();
        assert!(!Threshold::measure(&judged, 0.9).passes(0.7));
    }
}
