//! The network against itself step by step, its gradients against differences of its loss, and a small shop it learns from.

use super::batch::Example;
use super::network::{Loss, Work};
use super::pieces::SPECIAL;
use super::shape::GATES;
use super::*;
use crate::fit::Gradient;
use std::collections::BTreeSet;

fn text(dice: &mut fastrand::Rng, most: usize, pieces: u32) -> Text {
    // Some are names, from `pieces` on, which all look alike.
    let numbers: Vec<u32> = (0..dice.usize(1..most))
        .map(|_| dice.u32(SPECIAL..pieces + 4))
        .collect();
    let seen = |number: &u32| if *number < pieces { *number } else { pieces::FIGURE };
    Text {
        seen: numbers.iter().map(seen).collect(),
        pieces: numbers,
    }
}

fn small() -> (Shape, Vec<f32>, Vec<Spelled>) {
    let size = Size {
        pieces: 24,
        width: 7,
        encoder: 5,
        decoder: 9,
        copies: true,
    };
    let shape = Shape::new(size);
    let mut params = shape.init(3);
    let mut dice = fastrand::Rng::with_seed(8);
    params
        .iter_mut()
        .for_each(|value| *value += 0.6 * (dice.f32() - 0.5));
    let mut dialogues: Vec<Spelled> = (0..5)
        .map(|row| Spelled {
            ticket: text(&mut dice, 9, 24),
            reply: text(&mut dice, 8, 24),
            near: (0..row).map(|other| (other, 0.2 * other as f32)).collect(),
        })
        .collect();
    dialogues[1].ticket = Text::default();
    (shape, params, dialogues)
}

fn run(shape: &Shape, params: &[f32], dialogues: &[Spelled], gradient: Option<&mut Gradient>) -> Loss {
    let sources: Vec<_> = (0..dialogues.len() as u32)
        .map(|row| learn::sources(dialogues, row))
        .collect();
    let batch: Vec<Example<'_>> = dialogues
        .iter()
        .zip(&sources)
        .map(|(one, sources)| Example {
            ticket: &one.ticket,
            reply: &one.reply,
            sources,
        })
        .collect();
    shape.run(params, &batch, None, gradient, &mut Work::default())
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let (shape, params, dialogues) = small();
    let mut gradient = Gradient::new(params.len(), &[]).unwrap();
    let loss = run(&shape, &params, &dialogues, Some(&mut gradient));
    assert!(loss.pieces > 10 && loss.nowhere > 0, "{loss:?}");
    let plain = run(&shape, &params, &dialogues, None);
    assert_eq!(plain, loss);
    let at = |params: &[f32]| {
        let loss = run(&shape, params, &dialogues, None);
        loss.sum / loss.pieces as f64
    };
    for tensor in shape.layout.tensors() {
        let range = tensor.start..tensor.start + tensor.len();
        let slopes = &gradient.as_slice()[range.clone()];
        let norm = slopes.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        assert!(norm > 1e-4, "{} learns nothing", tensor.name);
        let moved = |by: f64| {
            let mut params = params.clone();
            for (value, slope) in params[range.clone()].iter_mut().zip(slopes) {
                *value += (by * f64::from(*slope) / norm) as f32;
            }
            at(&params)
        };
        let step = 0.01;
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        assert!(
            (slope - norm).abs() < 0.01 * norm + 2e-4,
            "{}: {slope} against {norm}",
            tensor.name
        );
    }
}

#[test]
fn probabilities_sum_to_one_and_are_those_it_learned_with() {
    let (shape, params, dialogues) = small();
    let ready = Ready::new(shape.clone(), params.clone());
    for (row, one) in dialogues.iter().enumerate() {
        let sources = learn::sources(&dialogues, row as u32);
        let steps = ready.probabilities(&one.ticket, &sources, &one.reply, 24 + 4);
        let mut sum = 0.0;
        for (p, wanted) in steps.iter().zip(&one.reply.pieces) {
            let all: f64 = p.iter().map(|p| f64::from(*p)).sum();
            assert!((all - 1.0).abs() < 1e-5, "{all}");
            assert!(p.iter().all(|p| *p >= 0.0));
            // The vocabulary says neither beginnings nor figures of its own.
            assert_eq!(p[pieces::BEGIN as usize] + p[pieces::FIGURE as usize], 0.0);
            if p[*wanted as usize] > 0.0 {
                sum -= f64::from(p[*wanted as usize]).ln();
            }
        }
        let mut alone = dialogues.clone();
        alone
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| *at != row)
            .for_each(|(_, other)| other.reply = Text::default());
        // Old replies are still those of all.
        let batch = [Example {
            ticket: &one.ticket,
            reply: &one.reply,
            sources: &sources,
        }];
        let loss = shape.run(&params, &batch, None, None, &mut Work::default());
        assert!((loss.sum - sum).abs() < 1e-3, "{} against {sum}", loss.sum);
        let shares: f64 = loss.shares.iter().sum();
        assert!((shares - loss.pieces as f64).abs() < 1e-3 && GATES == 3);
    }
}

/// Tickets of three matters with numbers and names of their own, answered by template.
fn shop(n: usize) -> Vec<Dialogue> {
    let mut dice = fastrand::Rng::with_seed(1);
    let rows: Vec<(usize, String, String)> = (0..n)
        .map(|at| {
            let matter = dice.usize(..3);
            let code = format!("{}-{}", ["A", "B", "C"][dice.usize(..3)], dice.u32(100..999));
            let (ticket, reply) = match matter {
                0 => (
                    format!("Where is my parcel {code}? I wait for it."),
                    format!("Your parcel {code} is on its way. It arrives tomorrow."),
                ),
                1 => (
                    format!("I want my money back for {code}, please."),
                    format!("We have sent back the money for {code}. Sorry for that!"),
                ),
                _ => (
                    format!("{code} 什么时候发货？"),
                    format!("您好，{code} 今天发货，请放心。"),
                ),
            };
            (at, ticket, reply)
        })
        .collect();
    let matter = |ticket: &str| (ticket.contains("parcel"), ticket.contains("money"));
    rows.iter()
        .map(|(at, ticket, reply)| {
            let others = rows
                .iter()
                .filter(|other| other.0 != *at && matter(&other.1) == matter(ticket));
            Dialogue {
                customer: at.to_string(),
                ticket: ticket.clone(),
                reply: reply.clone(),
                near: others.take(3).map(|other| (other.0 as u32, 0.5)).collect(),
                part: if at % 10 == 0 { Part::Check } else { Part::Learn },
            }
        })
        .collect()
}

fn lesson(steps: u64) -> Lesson {
    Lesson {
        steps,
        pieces: 200,
        rate: 4e-3,
        ..Lesson::default()
    }
}

#[test]
fn a_shop_is_learned_and_no_number_invented() {
    let dialogues = shop(200);
    let network = Seq2Seq::learn(&dialogues, &lesson(60), None, &Control::unbounded()).unwrap();
    let learning = network.learning;
    assert!(
        learning.perplexity.1 < 1.3 && learning.perplexity.1 < learning.perplexity.0 / 2.0,
        "{learning:?}"
    );
    assert!((learning.shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    let parcel = dialogues.iter().find(|one| one.reply.starts_with("Your"));
    let sources = [(parcel.unwrap().reply.as_str(), 0.5)];
    let found = network.write(
        "Where is my parcel Q-4711? I wait for it.",
        &sources,
        &Search::default(),
    );
    // Whether the last full stop is worth its step is a close call after so short a lesson.
    assert_eq!(
        found[0].text.trim_end_matches('.'),
        "Your parcel Q-4711 is on its way. It arrives tomorrow",
        "{found:?}"
    );
    assert!(found[0].confidence > 0.5 && found[0].confidence <= 1.0);
    assert!(found.windows(2).all(|pair| pair[0].worth >= pair[1].worth));
    let sent = dialogues.iter().find(|one| one.reply.starts_with("您好"));
    let of_sent = [(sent.unwrap().reply.as_str(), 0.5)];
    let found = network.write("Z-12 什么时候发货？", &of_sent, &Search::default());
    assert_eq!(
        found[0].text.trim_end_matches('。'),
        "您好，Z-12 今天发货，请放心",
        "{found:?}"
    );
    // Without anything to copy from it may have nothing to say, but nothing wrong.
    for one in network.write("Z-12 什么时候发货？", &[], &Search::default()) {
        assert!(
            one.text.is_empty() || !one.text.contains("Q-4711"),
            "{}",
            one.text
        );
    }
    // Whatever is asked, however hard it is pressed: no digits but those at hand.
    let digits = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !c.is_numeric())
            .filter(|run| !run.is_empty())
            .map(String::from)
            .collect()
    };
    for ticket in [
        "",
        "7 77 777 A B- -7",
        "parcel parcel parcel",
        "money 1.5 2,5 3-5 3-4711 x9y",
        "\u{0}\n\n🙂",
    ] {
        for one in network.write(
            ticket,
            &sources,
            &Search {
                beams: 8,
                length: 0.0,
                least: 2.0,
                most: 30,
            },
        ) {
            let known = &digits(ticket) | &digits(sources[0].0);
            assert!(digits(&one.text).is_subset(&known), "{ticket}: {}", one.text);
        }
    }
}

#[test]
fn equal_lessons_give_equal_bits_and_later_ones_go_on() {
    let dialogues = shop(120);
    let learn = |before: Option<Seq2Seq>| {
        Seq2Seq::learn(&dialogues, &lesson(8), before, &Control::unbounded()).unwrap()
    };
    let pool = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    let one = pool(1).install(|| learn(None));
    let other = pool(3).install(|| learn(None));
    assert_eq!(one.ready.params, other.ready.params);
    let bytes = one.to_bytes();
    let again = Seq2Seq::from_bytes(&bytes).unwrap();
    assert_eq!(
        (again.ready.params.as_slice(), &again.pieces),
        (one.ready.params.as_slice(), &one.pieces)
    );
    let before = one.learning.perplexity.1;
    let later = learn(Some(again));
    assert!((later.learning.perplexity.0 - before).abs() < 1e-6 * before);
    assert!(later.learning.perplexity.1 < before);
    for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        assert!(Seq2Seq::from_bytes(&bytes[..cut]).is_err());
    }
}

/// Bytes as an enemy would change them, with every checksum made right again: an error, or a network that answers something.
#[test]
fn altered_bytes_give_an_error_or_a_network() {
    let network = Seq2Seq::learn(&shop(60), &lesson(2), None, &Control::unbounded()).unwrap();
    let bytes = network.to_bytes();
    let head = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let sealed = |mut bytes: Vec<u8>| {
        let from = head + 32;
        if bytes.len() > from {
            let sum = xxhash_rust::xxh3::xxh3_128(&bytes[from..]).to_le_bytes();
            bytes[head + 16..from].copy_from_slice(&sum);
        }
        bytes
    };
    let table = head + 40..head + 40 + 1500;
    let mut dice = fastrand::Rng::with_seed(6);
    let mut answered = 0;
    for trial in 0..count() {
        let mut other = bytes.clone();
        for _ in 0..dice.usize(1..4) {
            let at = match trial % 4 {
                0 => dice.usize(..8),
                1 => dice.usize(..head),
                2 => dice.usize(table.clone()),
                _ => dice.usize(head..other.len()),
            };
            other[at] = match dice.u8(..4) {
                0 => dice.u8(..),
                1 => 0xff,
                2 => other[at] ^ 1 << dice.u8(..8),
                _ => other[at].wrapping_add(1),
            };
        }
        if trial % 16 == 3 {
            other.truncate(dice.usize(..other.len()));
        }
        if let Ok(network) = Seq2Seq::from_bytes(&sealed(other)) {
            answered += 1;
            let search = Search {
                most: 6,
                ..Search::default()
            };
            for one in network.write(
                "Where is my parcel A-17? 什么时候发货？",
                &[("Your parcel.", 0.5)],
                &search,
            ) {
                assert!(
                    !one.confidence.is_nan() && !one.text.contains(char::is_numeric)
                        || one.text.contains("17")
                );
            }
        }
    }
    assert!(answered > 0, "no change was ever read: the trial shows nothing");
}

/// `NIGHTCLERK_HOSTILE` asks for more of them.
fn count() -> usize {
    let set = std::env::var("NIGHTCLERK_HOSTILE").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(120)
}

/// Numbers as large as there are: the network says nothing, and is no start for another night.
#[test]
fn numbers_beyond_measure_are_no_panic() {
    let dialogues = shop(60);
    let mut network = Seq2Seq::learn(&dialogues, &lesson(2), None, &Control::unbounded()).unwrap();
    assert!(!network.is_lost(), "{:?}", network.learning);
    for huge in [f32::MAX, -f32::MAX, 1e20] {
        for (at, value) in network.ready.params.iter_mut().enumerate() {
            *value = if at % 2 == 0 { huge } else { -huge };
        }
        let network = Seq2Seq::from_bytes(&network.to_bytes()).unwrap();
        for one in network.write("parcel A-17", &[("Your parcel.", 0.5)], &Search::default()) {
            assert!((0.0..=1.0).contains(&one.confidence), "{one:?}");
        }
        let learned = Seq2Seq::learn(&dialogues, &lesson(2), Some(network), &Control::unbounded());
        if let Ok(network) = &learned {
            assert!(
                network.learning.perplexity.1.is_finite(),
                "{:?}",
                network.learning
            );
        }
    }
}

#[test]
fn nothing_is_learned_from_nothing() {
    let none = Seq2Seq::learn(&[], &lesson(5), None, &Control::unbounded());
    assert!(matches!(none, Err(FitError::Invalid(_))), "{none:?}");
    let mut dialogues = shop(40);
    dialogues
        .iter_mut()
        .for_each(|one| (one.ticket, one.reply) = (String::new(), String::new()));
    let network = Seq2Seq::learn(&dialogues, &lesson(2), None, &Control::unbounded()).unwrap();
    assert_eq!(network.write("", &[], &Search::default()), []);
}
