//! Our side of `benches/run networks-replies`: a network learns from the training pairs and answers the test tickets.
//!
//! `replies PAIRS LANGUAGE STEPS mixture|plain`: `PAIRS` is a JSON object with `train` and `test`, lists of [subject, body,
//! reply]. Prints one JSON object: how learning went, CPU seconds, and each test ticket's reply with its confidence and what it
//! had at hand.

#![allow(clippy::print_stdout)] // its output is the comparison

use nightclerk::fit::Control;
use nightclerk::support::{
    AT_HAND, Dialogue, Lesson, Own, Part, Public, Quote, Search, Seq2Seq, Solved, introduced,
};
use nightclerk::text::{TfIdf, TfIdfOptions, plain, unquoted, written};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use std::error::Error;

/// Training pairs that are not learned from: their loss says when to stop.
const CHECK: usize = 150;
/// Letters read of a text.
const LETTERS: usize = 20_000;

struct Pair {
    ticket: String,
    raw: String,
    reply: String,
    names: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [file, language, steps, kind] = given.as_slice() else {
        return Err("replies PAIRS LANGUAGE STEPS mixture|plain".into());
    };
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let pairs = |part: &str| -> Vec<Pair> {
        let rows = all[part].as_array().into_iter().flatten();
        rows.map(|row| {
            let field = |at: usize| row[at].as_str().unwrap_or_default();
            Pair {
                ticket: format!(
                    "{}\n{}",
                    plain(field(0), LETTERS).trim(),
                    written(field(1), LETTERS)
                ),
                raw: field(1).to_owned(),
                reply: unquoted(field(2), LETTERS),
                names: introduced(&unquoted(field(1), LETTERS)),
            }
        })
        .collect()
    };
    let (train, test) = (pairs("train"), pairs("test"));
    let texts: Vec<&str> = train.iter().map(|pair| pair.ticket.as_str()).collect();
    let (words, rows) = TfIdf::fit(&texts, &TfIdfOptions::default());
    let solved = Solved::new(&rows);
    let mut public = Public::default();
    for (row, pair) in train.iter().enumerate() {
        public.told(&row.to_string(), &pair.reply);
    }
    let public = public.settled();
    let clean = |text: &str, names: &[String]| Quote::reply(text, language, names, &[], &public).whole();
    let dialogues: Vec<Dialogue> = train
        .iter()
        .enumerate()
        .map(|(row, pair)| Dialogue {
            customer: row.to_string(),
            ticket: clean(&pair.ticket, &pair.names),
            reply: clean(&pair.reply, &pair.names),
            near: solved
                .nearest_others(row, AT_HAND)
                .iter()
                .map(|near| (near.row, near.similarity))
                .collect(),
            part: if row < CHECK { Part::Check } else { Part::Learn },
        })
        .collect();
    let lesson = Lesson {
        steps: steps.parse()?,
        plain: kind == "plain",
        ..Lesson::default()
    };
    let begun = cpu();
    let network = Seq2Seq::learn(&dialogues, &lesson, None, &Control::unbounded())?;
    let learned = cpu();
    let drafts: Vec<serde_json::Value> = test
        .iter()
        .map(|pair| {
            let (columns, values): (Vec<u32>, Vec<f32>) = words.vector(&pair.ticket).into_iter().unzip();
            let near = match lesson.plain {
                true => Vec::new(),
                false => solved.nearest(&columns, &values, AT_HAND),
            };
            let sources: Vec<(&str, f32)> = near
                .iter()
                .map(|near| (dialogues[near.row as usize].reply.as_str(), near.similarity))
                .collect();
            let search = Search {
                least: if lesson.plain {
                    0.0
                } else {
                    Search::default().least
                },
                ..Search::default()
            };
            let found = network.write(&clean(&pair.ticket, &pair.names), &sources, &search);
            let best = found.first();
            let text = best.map_or(String::new(), |best| Own::of(&[&pair.raw], None).fill(&best.text));
            let at_hand: Vec<&str> = sources.iter().map(|source| source.0).collect();
            json!({"reply": text, "confidence": best.map_or(0.0, |best| best.confidence), "at_hand": at_hand})
        })
        .collect();
    let each = 1000.0 * (cpu() - learned) / test.len().max(1) as f64;
    let out = json!({
        "learning": network.learning,
        "cpu": learned - begun,
        "ms": each,
        "drafts": drafts,
    });
    println!("{out}");
    Ok(())
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
