//! Replies found piece by piece: beam search over the mixture, with length normalisation.
//!
//! Kept are the few beginnings with the largest probability. A beginning that may not be said ([`super::spoken`]) is not kept, nor one
//! that says six pieces again as it said them before. A reply that has ended is worth
//! `log P / ((5 + length) / 6)^α` (Wu et al. 2016): without that, short replies would always win.

use super::batch::{SOURCES, Text, replies_memory, ticket_memory};
use super::memory::{Memory, agree_first, agree_next};
use super::network::lend;
use super::pieces::{BEGIN, END, Names, Pieces};
use super::shape::{GATES, LEVELS, Shape, WINDOW};
use super::spoken::Sayable;
use crate::neural::kernels::functions::{Function, apply};
use crate::neural::kernels::gemm::{Begin, Packed, row_product};
use crate::neural::kernels::rows::{dots, softmax};
use serde::{Deserialize, Serialize};

/// How replies are sought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Beginnings kept at each step.
    pub beams: usize,
    /// The α of length normalisation: larger, longer.
    pub length: f64,
    /// No reply ends before this share of the length that the old replies at hand have in the mean, weighed by similarity.
    pub least: f64,
    /// Pieces at the most.
    pub most: usize,
}

/// Chosen on tickets that were checked on, in two languages (docs/networks.md).
impl Default for Search {
    fn default() -> Search {
        Search {
            beams: 4,
            length: 3.0,
            least: 0.6,
            most: 200,
        }
    }
}

/// A reply that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its text.
    pub text: String,
    /// The geometric mean of the probabilities of its pieces, its end included: how sure of itself it is, 0 to 1.
    pub confidence: f64,
    /// What it is worth: the logarithm of its probability by its length.
    pub worth: f64,
}

/// A network ready to answer: what does not depend on the ticket is computed once.
#[derive(Debug)]
pub(super) struct Ready {
    pub shape: Shape,
    pub params: Vec<f32>,
    lent: Vec<f32>,
}

/// What one ticket's answer starts from.
struct Desk<'a> {
    ready: &'a Ready,
    memories: [Memory; 2],
    first: Vec<f32>,
}

/// A beginning.
#[derive(Debug, Clone)]
struct Beam {
    said: Vec<u32>,
    last: u32,
    state: Vec<f32>,
    levels: [Vec<u8>; 2],
    log: f64,
    tail: String,
}

/// Work space of a step.
#[derive(Default)]
struct Bench {
    gru: Vec<f32>,
    question: Vec<f32>,
    scores: Vec<f32>,
    together: Vec<f32>,
    word: Vec<f32>,
    p: Vec<f32>,
}

/// Pieces that are not said twice in a row of so many.
const AGAIN: usize = 6;

impl Ready {
    pub(super) fn new(shape: Shape, params: Vec<f32>) -> Ready {
        let mut lent = vec![0.0; shape.size.pieces * WINDOW * shape.size.key()];
        shape.keys.forward(
            &params,
            shape.pieces.table.of(&params),
            &mut lent,
            &mut Packed::new(),
        );
        Ready { shape, params, lent }
    }

    /// Reads a ticket and old replies.
    fn desk(&self, ticket: &Text, sources: &[(&Text, f32)]) -> Desk<'_> {
        let (shape, params) = (&self.shape, self.params.as_slice());
        let half = shape.size.encoder;
        let mut memory = ticket_memory(ticket);
        let places = memory.places();
        memory.keys = vec![0.0; places * 2 * half];
        let mut work = Vec::new();
        let mut last = vec![0.0; 2 * half];
        for (gru, back) in [(shape.ahead, false), (shape.back, true)] {
            let state = &mut last[usize::from(back) * half..][..half];
            for step in 0..places {
                let at = if back { places - 1 - step } else { step };
                let seen = ticket.seen.get(at).copied().unwrap_or_default();
                gru.serve(params, shape.pieces.row(params, seen), state, &mut work);
                memory.keys[at * 2 * half + usize::from(back) * half..][..half].copy_from_slice(state);
            }
        }
        let mut first = vec![0.0; shape.size.decoder];
        shape.bridge.serve(params, &last, &mut first);
        apply(Function::Tanh, &mut first);
        let (mut replies, windows) = replies_memory(&sources[..sources.len().min(SOURCES)]);
        replies.keys = lend(&windows, &self.lent, 2 * half);
        Desk {
            ready: self,
            memories: [memory, replies],
            first,
        }
    }

    /// The probabilities of everything, `numbers` in all, at each step of a reply that is given.
    #[cfg(test)]
    pub(super) fn probabilities(
        &self,
        ticket: &Text,
        sources: &[(&Text, f32)],
        reply: &Text,
        numbers: usize,
    ) -> Vec<Vec<f32>> {
        let desk = self.desk(ticket, sources);
        let (mut beam, mut bench) = (desk.begin(), Bench::default());
        let mut steps = Vec::new();
        for (piece, seen) in reply.pieces.iter().zip(&reply.seen) {
            desk.step(&mut beam, numbers, &mut bench);
            steps.push(bench.p.clone());
            desk.say(&mut beam, *piece, *seen);
        }
        steps
    }

    /// The best replies to a ticket, best first; `texts` are the ticket and the old replies, out of which figures and names may be
    /// copied.
    pub(super) fn write(
        &self,
        ticket: &Text,
        sources: &[(&Text, f32)],
        sayable: &Sayable<'_>,
        pieces: &Pieces,
        names: &Names,
        search: &Search,
    ) -> Vec<Found> {
        let desk = self.desk(ticket, sources);
        let mut bench = Bench::default();
        let mut beams = vec![desk.begin()];
        let mut ended: Vec<(f64, Beam)> = Vec::new();
        let worth = |log: f64, length: usize| log / ((5.0 + length as f64) / 6.0).powf(search.length);
        let least = search.least * usual_length(sources);
        for said in 0..search.most {
            let early = (said as f64) < least;
            let mut next: Vec<(f64, usize, u32)> = Vec::new();
            for (at, beam) in beams.iter_mut().enumerate() {
                desk.step(beam, pieces.len() + names.len(), &mut bench);
                let mut best: Vec<u32> = (0..bench.p.len() as u32)
                    .filter(|&y| bench.p[y as usize] > 1e-7)
                    .collect();
                let order = |a: &u32, b: &u32| {
                    bench.p[*b as usize]
                        .total_cmp(&bench.p[*a as usize])
                        .then(a.cmp(b))
                };
                // Some of the best may not be said.
                let most = 8 * search.beams;
                if best.len() > most {
                    best.select_nth_unstable_by(most, order);
                    best.truncate(most);
                }
                best.sort_by(order);
                let fits = |y: &u32| {
                    let mut tail = beam.tail.clone();
                    let piece = (*y != END).then(|| pieces.text(*y, names));
                    !(early && *y == END) && sayable.follow(&mut tail, piece) && !beam.again(*y)
                };
                let fine = best.into_iter().filter(fits).take(2 * search.beams);
                next.extend(fine.map(|y| (beam.log + f64::from(bench.p[y as usize]).ln(), at, y)));
            }
            next.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            let mut alive = Vec::new();
            for (log, at, y) in next {
                if alive.len() == search.beams {
                    break;
                }
                let mut beam = beams[at].clone();
                beam.log = log;
                if y == END {
                    ended.push((worth(log, beam.said.len() + 1), beam));
                    continue;
                }
                sayable.follow(&mut beam.tail, Some(pieces.text(y, names)));
                desk.say(&mut beam, y, pieces.seen(y, names));
                alive.push(beam);
            }
            beams = alive;
            ended.sort_by(|a, b| b.0.total_cmp(&a.0));
            ended.truncate(search.beams);
            if beams.is_empty() || ended.len() == search.beams {
                break;
            }
        }
        let found = |(worth, beam): &(f64, Beam)| Found {
            text: pieces.read(&beam.said, names),
            confidence: (beam.log / (beam.said.len() + 1) as f64).exp(),
            worth: *worth,
        };
        let mut found: Vec<Found> = ended.iter().map(found).collect();
        found.retain(|one| !one.text.is_empty());
        found
    }
}

/// Pieces of the old replies in the mean, weighed by similarity; 0 without any.
fn usual_length(sources: &[(&Text, f32)]) -> f64 {
    let weights = || sources.iter().map(|one| f64::from(one.1.max(0.0)));
    let all: f64 = weights().sum();
    if all <= 0.0 {
        return 0.0;
    }
    let sum: f64 = sources
        .iter()
        .zip(weights())
        .map(|(one, weight)| one.0.pieces.len() as f64 * weight)
        .sum();
    sum / all
}

impl Beam {
    /// Whether `y` would end a row of pieces that was said before.
    fn again(&self, y: u32) -> bool {
        let Some(from) = (self.said.len() + 1).checked_sub(AGAIN) else {
            return false;
        };
        let row = &self.said[from..];
        self.said
            .windows(AGAIN)
            .any(|said| said[..AGAIN - 1] == *row && said[AGAIN - 1] == y)
    }
}

impl Desk<'_> {
    fn begin(&self) -> Beam {
        let levels = self.memories.each_ref().map(|memory| {
            let mut levels = vec![0; memory.places()];
            agree_first(&memory.before, BEGIN, &mut levels);
            levels
        });
        Beam {
            said: Vec::new(),
            last: BEGIN,
            state: self.first.clone(),
            levels,
            log: 0.0,
            tail: String::new(),
        }
    }

    /// Notes that a piece was said.
    fn say(&self, beam: &mut Beam, piece: u32, seen: u32) {
        beam.said.push(piece);
        beam.last = seen;
        for (memory, levels) in self.memories.iter().zip(&mut beam.levels) {
            let mut grown = vec![0; levels.len()];
            agree_next(&memory.before, piece, levels, &mut grown);
            *levels = grown;
        }
    }

    /// Moves a beginning's state on, and leaves in `bench.p` the probability of each piece and name, `numbers` in all, to be said
    /// next.
    fn step(&self, beam: &mut Beam, numbers: usize, bench: &mut Bench) {
        let (shape, params) = (&self.ready.shape, self.ready.params.as_slice());
        let (state, key) = (shape.size.decoder, shape.size.key());
        shape.decoder.serve(
            params,
            shape.pieces.row(params, beam.last),
            &mut beam.state,
            &mut bench.gru,
        );
        bench.together.resize(state + 2 * key, 0.0);
        bench.together[..state].copy_from_slice(&beam.state);
        bench.question.resize(key, 0.0);
        bench.scores.clear();
        let mut evidence = [0.0; 2];
        for (which, memory) in self.memories.iter().enumerate() {
            let ask = if which == 0 {
                shape.ask_ticket
            } else {
                shape.ask_replies
            };
            ask.serve(params, &beam.state, &mut bench.question);
            let from = bench.scores.len();
            bench.scores.resize(from + memory.places(), 0.0);
            let scores = &mut bench.scores[from..];
            dots(&bench.question, &memory.keys, scores);
            let (worth, scale) = (shape.worth(params, which), 1.0 / (key as f32).sqrt());
            for ((score, level), similarity) in
                scores.iter_mut().zip(&beam.levels[which]).zip(&memory.similarity)
            {
                *score = *score * scale + worth.agree[*level as usize % LEVELS] + worth.similar * similarity;
            }
            evidence[which] = softmax(scores) - (memory.places() as f32).ln();
            let read = &mut bench.together[state + which * key..][..key];
            row_product(scores, &memory.keys, Begin::Zero, read);
        }
        bench.word.resize(shape.size.width, 0.0);
        shape.say.serve(params, &bench.together, &mut bench.word);
        apply(Function::Tanh, &mut bench.word);
        let mut gates = [0.0; GATES];
        shape.gate.serve(params, &bench.word, &mut gates);
        shape.open(&mut gates, evidence);
        bench.p.clear();
        bench.p.resize(numbers, 0.0);
        let vocabulary = &mut bench.p[..shape.size.pieces];
        dots(&bench.word, shape.pieces.table.of(params), vocabulary);
        vocabulary
            .iter_mut()
            .zip(shape.usual.of(params))
            .for_each(|(logit, usual)| *logit += usual);
        shape.mute(vocabulary);
        softmax(vocabulary);
        vocabulary.iter_mut().for_each(|p| *p *= gates[0]);
        let mut from = 0;
        for (memory, gate) in self.memories.iter().zip(&gates[1..]) {
            for (number, weight) in memory.pieces.iter().zip(&bench.scores[from..]) {
                bench.p[*number as usize] += gate * weight;
            }
            from += memory.places();
        }
    }
}
