//! Consensus against values worked out by hand and the long way.

use super::super::{rouge_l, rouge_words};
use super::*;
use std::collections::HashMap;

fn replies(texts: &[&[&str]]) -> Vec<Vec<Vec<u32>>> {
    let mut dictionary = HashMap::new();
    texts
        .iter()
        .map(|text| {
            text.iter()
                .map(|sentence| rouge_words(sentence, &mut dictionary))
                .collect()
        })
        .collect()
}

fn candidates<'a>(texts: &'a [Vec<Vec<u32>>], similarities: &[f64]) -> Vec<Candidate<'a>> {
    texts
        .iter()
        .zip(similarities)
        .map(|(sentences, &similarity)| Candidate {
            sentences,
            similarity: (similarity >= 0.0).then_some(similarity),
            written: None,
        })
        .collect()
}

const PLAIN: Weighing = Weighing {
    replies: 20,
    temperature: 0.1,
    beta: 1.0,
    written: 0.0,
};

#[test]
fn the_reply_most_like_the_others_wins_over_the_nearest() {
    let texts = replies(&[
        &["please call us at noon"],
        &["your parcel arrives tomorrow"],
        &["the parcel arrives tomorrow"],
        &["your parcel arrives today"],
    ]);
    let even = candidates(&texts, &[0.50, 0.5, 0.5, 0.5]);
    assert_eq!(compose(&even, &PLAIN, 0).unwrap().parts, [(1, 0)]);
    // A nearest far ahead of the rest is believed.
    let sure = candidates(&texts, &[0.9, 0.3, 0.3, 0.3]);
    let draft = compose(&sure, &PLAIN, 0).unwrap();
    assert_eq!(draft.parts, [(0, 0)]);
    // By hand: weights e^0 and e^-6, overlap 1 with itself and 0 with the others.
    let weights = weights(&[0.9, 0.3, 0.3, 0.3], 0.1);
    assert!((weights[0] - 1.0 / (1.0 + 3.0 * (-6.0f64).exp())).abs() < 1e-12);
    assert!((draft.expected - weights[0]).abs() < 1e-12);
}

#[test]
fn sentences_are_put_in_taken_out_and_never_said_twice() {
    // Every old reply but one has the middle sentence; the one most like the rest lacks it.
    let texts = replies(&[
        &[
            "we are sorry for the wait",
            "your money is back in three days",
            "have a nice day",
        ],
        &[
            "we are sorry for the long wait",
            "your money is back in three days",
            "have a nice evening",
        ],
        &["we are sorry for the wait", "have a nice day"],
        &[
            "we are sorry for this wait",
            "your money is back in three days",
            "have a nice day",
        ],
    ]);
    let near = candidates(&texts, &[0.50, 0.50, 0.51, 0.50]);
    let draft = compose(&near, &PLAIN, ROUNDS).unwrap();
    let words: Vec<&Vec<u32>> = draft
        .parts
        .iter()
        .map(|&(text, sentence)| &texts[text][sentence])
        .collect();
    assert_eq!(words.len(), 3, "{draft:?}");
    for (at, one) in words.iter().enumerate() {
        assert!(
            words[..at].iter().all(|other| rouge_l(one, other) < 0.6),
            "{draft:?}"
        );
    }
    let before = compose(&near, &PLAIN, 0).unwrap();
    assert!(draft.expected >= before.expected);
    // What an agent said twice is said once.
    let texts = replies(&[&["yes", "no no", "yes"], &["yes"]]);
    assert_eq!(
        compose(&candidates(&texts, &[0.9, 0.1]), &PLAIN, 0)
            .unwrap()
            .parts,
        [(0, 0), (0, 1)]
    );
}

#[test]
fn the_value_of_a_change_is_the_value_of_the_changed_draft() {
    let mut dice = fastrand::Rng::with_seed(4);
    for round in 0..60 {
        let texts: Vec<Vec<Vec<u32>>> = (0..dice.usize(1..12))
            .map(|_| {
                (0..dice.usize(1..7))
                    .map(|_| (0..dice.usize(1..40)).map(|_| dice.u32(..30)).collect())
                    .collect()
            })
            .collect();
        let similarities: Vec<f64> = texts
            .iter()
            .map(|_| if dice.u8(..5) == 0 { -1.0 } else { dice.f64() })
            .collect();
        let near = candidates(&texts, &similarities);
        let weighing = Weighing {
            beta: [1.0, 1.3][round % 2],
            ..PLAIN
        };
        let drafts: Vec<Composed> = (0..=ROUNDS)
            .filter_map(|rounds| compose(&near, &weighing, rounds))
            .collect();
        for draft in &drafts {
            // The expected overlap, computed the long way from the words.
            let said: Vec<u32> = draft
                .parts
                .iter()
                .flat_map(|&(text, at)| texts[text][at].clone())
                .collect();
            let evidence: Vec<usize> = (0..texts.len()).filter(|&at| similarities[at] >= 0.0).collect();
            let known: Vec<f64> = evidence.iter().map(|&at| similarities[at]).collect();
            let expected: f64 = weights(&known, weighing.temperature)
                .iter()
                .zip(&evidence)
                .map(|(weight, &at)| weight * rouge_l(&said, &texts[at].concat()))
                .sum();
            assert!(
                (draft.expected - expected).abs() < 1e-9,
                "{} {expected}",
                draft.expected
            );
        }
        if weighing.beta == 1.0 {
            assert!(
                drafts
                    .windows(2)
                    .all(|pair| pair[0].expected <= pair[1].expected + 1e-12)
            );
        }
    }
}

#[test]
fn nothing_comes_of_nothing() {
    assert_eq!(compose(&[], &PLAIN, ROUNDS), None);
    let texts = replies(&[&[], &["an article"]]);
    assert_eq!(
        compose(&candidates(&texts, &[0.9, -1.0]), &PLAIN, ROUNDS),
        None,
        "an article alone is no evidence"
    );
    // A thousand sentences are bounded.
    let long: Vec<Vec<Vec<u32>>> = vec![(0..3000).map(|i| vec![i % 7, i % 11, i % 13]).collect(); 3];
    let draft = compose(&candidates(&long, &[0.5, 0.4, 0.3]), &PLAIN, 1).unwrap();
    assert!(!draft.parts.is_empty() && draft.parts.len() <= 401);
}

#[test]
fn the_rest_of_a_long_reply_is_not_read() {
    let sentences: Vec<Vec<u32>> = (0..300).map(|at| vec![2 * at, 2 * at + 1]).collect();
    let long = Candidate {
        sentences: &sentences,
        similarity: Some(0.5),
        written: None,
    };
    let weighing = Weighing {
        replies: 20,
        temperature: 0.1,
        beta: 1.0,
        written: 0.0,
    };
    let draft = compose(&[long.clone(), long], &weighing, ROUNDS).unwrap();
    assert_eq!(draft.parts.len(), WORDS / 2);
}

#[test]
fn replies_that_were_written_are_their_share_of_the_evidence() {
    let texts = replies(&[
        &["please call us at noon"],
        &["your parcel arrives tomorrow"],
        &["your parcel arrives today"],
    ]);
    let mut near = candidates(&texts, &[0.5, 0.4, -1.0]);
    near[2].written = Some(0.25);
    let with = |written: f64| compose(&near, &Weighing { written, ..PLAIN }, 0).unwrap();
    let first = 1.0 / (1.0 + (-1.0f64).exp());
    // Without a share it is no evidence, and the nearest wins.
    assert_eq!(with(0.0).parts, [(0, 0)]);
    assert!((with(0.0).expected - first).abs() < 1e-12);
    // Three of four words of the other two agree.
    let half = with(0.5);
    assert_eq!(half.parts, [(2, 0)]);
    assert!((half.expected - (0.5 + 0.5 * 0.75 * (1.0 - first))).abs() < 1e-12);
    // Alone it is no evidence of what agents write.
    near.drain(..2);
    assert_eq!(
        compose(
            &near,
            &Weighing {
                written: 0.5,
                ..PLAIN
            },
            0
        ),
        None
    );
}
