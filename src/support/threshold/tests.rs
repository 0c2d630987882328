//! Thresholds on made answers: what holds, what has no support, classes and unknown tickets.

use super::*;

fn line(n: u32, right: impl Fn(u32) -> bool) -> Vec<Judged> {
    (0..n)
        .map(|i| Judged {
            truth: u32::from(!right(i)),
            answer: 0,
            confidence: 1.0 - f64::from(i) / f64::from(n),
        })
        .collect()
}

#[test]
fn it_is_the_lowest_that_holds_beyond_chance() {
    // The first 800 are right, then every second one.
    let judged = line(2000, |i| i < 800 || i % 2 == 0);
    let threshold = Threshold::measure(&judged, 0.95, None);
    let routed: Vec<&Judged> = judged
        .iter()
        .filter(|one| threshold.passes(0, one.confidence))
        .collect();
    let share = routed.iter().filter(|one| one.right()).count() as f64 / routed.len() as f64;
    // Without the margin 889 answers would pass, 95.0 % of them right.
    assert!((800..889).contains(&routed.len()), "{}", routed.len());
    assert!(share > 0.95 && share < 0.97, "{share}");
}

#[test]
fn without_support_nothing_passes() {
    assert!(!Threshold::measure(&line(10, |_| true), 0.5, None).passes(0, 1.0));
    assert!(!Threshold::measure(&line(100, |_| false), 0.5, None).passes(1, 1.0));
    assert!(!Threshold::measure(&line(20, |_| true), 0.99, None).passes(0, 1.0)); // twenty are no proof of 99 %
    assert!(!Threshold::measure(&[], 0.95, None).passes(0, 1.0));
}

#[test]
fn what_is_likelier_wrong_than_right_never_passes() {
    // A rare class, less sure than one half and always wrong, behind a thousand right answers.
    let mut judged = line(1000, |_| true);
    judged.retain(|one| one.confidence >= 0.5);
    judged.extend((0..20).map(|_| Judged {
        truth: 0,
        answer: 1,
        confidence: 0.3,
    }));
    let threshold = Threshold::measure(&judged, 0.9, None);
    assert!(
        threshold.passes(0, 0.5) && !threshold.passes(1, 0.3),
        "{threshold:?}"
    );
}

#[test]
fn an_equally_sure_answer_passes_whatever_its_last_digits() {
    let judged = [Judged {
        truth: 0,
        answer: 0,
        confidence: 0.993_828_740,
    }; 40];
    let threshold = Threshold::measure(&judged, 0.95, None);
    assert!(
        threshold.passes(0, 0.993_828_739) && !threshold.passes(0, 0.9938),
        "{threshold:?}"
    );
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
    assert!(!Threshold::measure(&judged, 0.9, None).passes(0, 0.7));
}

#[test]
fn a_class_that_is_wrong_too_often_is_raised_and_the_others_are_not() {
    // Class 0 is always right; class 1 is right where it is surer than 0.8.
    let judged: Vec<Judged> = (0..2000)
        .map(|i| {
            let (answer, confidence) = (i % 10 / 9, 0.5 + f64::from(i) / 4000.0);
            let right = answer == 0 || confidence > 0.8;
            Judged {
                truth: if right { answer } else { 2 },
                answer,
                confidence,
            }
        })
        .collect();
    let threshold = Threshold::measure(&judged, 0.9, None);
    assert!(threshold.passes(0, 0.51), "{threshold:?}");
    assert!(
        !threshold.passes(1, 0.7) && threshold.passes(1, 0.9),
        "{threshold:?}"
    );
    assert_eq!(threshold.raised.len(), 1);
}

#[test]
fn unknown_tickets_never_pass_and_raise_the_bar_for_all() {
    // Errors are unknown tickets answered as class 0, more of them the less sure the answer.
    let judged: Vec<Judged> = (0..4000u32)
        .map(|i| Judged {
            truth: if i * 7919 % 4000 < i / 5 { 9 } else { 0 },
            answer: 0,
            confidence: 1.0 - f64::from(i) / 8000.0,
        })
        .chain((0..400).map(|_| Judged {
            truth: 9,
            answer: 9,
            confidence: 0.99,
        }))
        .collect();
    let plain = Threshold::measure(&judged, 0.9, None);
    let share = judged.iter().filter(|one| one.truth == 9).count() as f64 / 4400.0;
    let unknown = |share| Some(Unknown { class: 9, share });
    let seen = Threshold::measure(&judged, 0.9, unknown(share));
    let many = Threshold::measure(&judged, 0.9, unknown(2.0 * share));
    assert!(plain.confidence < seen.confidence && seen.confidence < many.confidence);
    assert!(!seen.passes(9, 1.0) && seen.passes(0, 1.0));
    assert!(plain.passes(9, 1.0));
}
