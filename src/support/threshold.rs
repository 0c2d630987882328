//! The confidence from which answers are acted on.
//!
//! One **common** confidence is chosen so that the answers as sure or surer were right with the stated precision on
//! tickets the model had not seen, with a margin for chance: the lower end of Wilson's interval must reach it, because the
//! best of many cuts is luckier than the next night. A class that the common confidence does not serve (thirty answers
//! or more, right less often than stated beyond chance) is **raised**: it gets a confidence of its own, or is never acted
//! on. Rare classes are judged with the others only, so there is a **floor** for all: below a confidence of one half an answer
//! is likelier wrong than right by the model's own word, and the good ones above must not carry it.
//!
//! **Unknown** tickets are those that people marked as none of the categories. They are a class that is never acted on;
//! answered as anything else they are errors. A shop's stream holds more of them on some days than on others, so they
//! count with half as much weight again as they were observed with, and the precision aimed at is nearer to one.

use super::Judged;
use serde::{Deserialize, Serialize};

/// A confidence and what it does on the tickets it was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Answers at least this sure are acted on. Infinite: none is.
    pub confidence: f64,
    /// Classes with a higher confidence of their own, by class.
    pub raised: Vec<(u32, f64)>,
    /// The class of tickets that are none of the others; never acted on.
    pub unknown: Option<u32>,
    /// The precision it was chosen for, as stated.
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
/// No answer less sure than this is acted on.
const FLOOR: f64 = 0.5;
/// Log odds are sums of single precision: an answer whose odds lack this share of those needed is as sure. Tickets of one web
/// form are all equally sure, and the next one must not fail in the ninth digit.
const SLACK: f64 = 1e-5;
/// A class is raised on so many answers or more.
const CLASS: usize = 30;
/// Standard errors by which the precision must be exceeded: five chances of six that it holds. One confidence for all
/// classes has less to be lucky with and needs half of that.
const MARGIN: f64 = 1.0;
const MARGIN_OF_ONE: f64 = 0.5;
/// In the first round a class is raised only where this many standard errors speak against it, in later ones [`MARGIN`].
const SURELY: f64 = 2.0;
/// A later round must act so much oftener: more confidences are more chances to have been lucky.
const GAIN: f64 = 1.1;
/// Rounds of raising classes and lowering the common confidence.
const ROUNDS: usize = 4;
/// With unknown tickets: how far from the stated precision to one is aimed, and how much oftener than observed they may
/// come.
const HIGHER: f64 = 0.1;
const OFTENER: f64 = 1.5;

/// Unknown tickets among the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unknown {
    /// Their class.
    pub class: u32,
    /// Their share of the recent tickets that people decided.
    pub share: f64,
}

impl Threshold {
    /// Nothing is acted on.
    pub fn never(precision: f64) -> Threshold {
        Threshold {
            confidence: f64::INFINITY,
            raised: Vec::new(),
            unknown: None,
            aimed: precision,
            precision: 0.0,
            coverage: 0.0,
            measured_on: 0,
        }
    }

    /// Measures on answers about tickets the model had not seen. Nothing is acted on where no confidence reaches the
    /// `precision` on at least twenty answers.
    pub fn measure(judged: &[Judged], precision: f64, unknown: Option<Unknown>) -> Threshold {
        let mut best = Threshold {
            unknown: unknown.map(|unknown| unknown.class),
            measured_on: judged.len(),
            ..Threshold::never(precision)
        };
        let weight = weight(judged, unknown);
        let aim = match unknown {
            Some(_) => precision + HIGHER * (1.0 - precision),
            None => precision,
        };
        let mut sorted: Vec<&Judged> = judged.iter().collect();
        sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence)); // stable: ties in the order given
        // Round after round: without the answers that the raised classes lose, the common confidence may sink, which may
        // fail further classes. Each round is a whole answer; a later one wins if it acts noticeably oftener.
        let mut next = best.clone();
        for round in 0..ROUNDS {
            let (doubt, margin) = if round == 0 {
                (SURELY, MARGIN_OF_ONE)
            } else {
                (MARGIN, MARGIN)
            };
            next.confidence = lowest(
                sorted.iter().filter(|one| next.admits(one)).copied(),
                aim,
                margin,
                &weight,
            );
            let failing = next.failing(&sorted, aim, doubt, &weight);
            let settled = failing.is_empty() && round > 0;
            next.raised
                .retain(|(class, _)| !failing.iter().any(|(other, _)| other == class));
            next.raised.extend(failing);
            next.raised.sort_unstable_by_key(|(class, _)| *class);
            let mut acted = Sum::default();
            for one in judged
                .iter()
                .filter(|one| next.passes(one.answer, one.confidence))
            {
                acted.add(one.right(), weight(one));
            }
            next.coverage = acted.rows as f64 / judged.len().max(1) as f64;
            if acted.rows >= FEWEST && acted.interval(margin).0 >= aim && next.coverage > GAIN * best.coverage
            {
                let right = |one: &&Judged| next.passes(one.answer, one.confidence) && one.right();
                next.precision = judged.iter().filter(right).count() as f64 / acted.rows as f64;
                best = next.clone();
            }
            if settled {
                break;
            }
        }
        best
    }

    /// Whether an answer this sure is acted on.
    pub fn passes(&self, class: u32, confidence: f64) -> bool {
        confidence >= self.needed(class)
    }

    /// The confidence a class needs; infinite for what is never acted on.
    pub fn needed(&self, class: u32) -> f64 {
        if self.unknown == Some(class) {
            return f64::INFINITY;
        }
        let own = self.raised.binary_search_by_key(&class, |(class, _)| *class);
        own.map_or(self.confidence, |at| self.raised[at].1.max(self.confidence))
    }

    /// Whether the class's own confidence, if it has one, lets an answer through.
    fn admits(&self, one: &Judged) -> bool {
        let own = self.raised.iter().find(|(class, _)| *class == one.answer);
        self.unknown != Some(one.answer) && own.is_none_or(|(_, needed)| one.confidence >= *needed)
    }

    /// Classes whose answers, as sure as needed, were right less often than aimed beyond chance, with the confidence from
    /// which nothing speaks against them any more.
    fn failing(
        &self,
        sorted: &[&Judged],
        aim: f64,
        doubt: f64,
        weight: &impl Fn(&Judged) -> f64,
    ) -> Vec<(u32, f64)> {
        let mut classes: Vec<u32> = sorted.iter().map(|one| one.answer).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut found = Vec::new();
        for class in classes {
            let answers = || sorted.iter().filter(|one| one.answer == class).copied();
            if answers().count() < CLASS || self.unknown == Some(class) {
                continue;
            }
            let mut acted = Sum::default();
            answers()
                .filter(|one| self.passes(class, one.confidence))
                .for_each(|one| acted.add(one.right(), weight(one)));
            if acted.rows > 0 && acted.interval(doubt).1 < aim {
                found.push((class, lowest(answers(), aim, -doubt, weight)));
            }
        }
        found
    }
}

/// What an answer counts: more than one for an unknown ticket where they are rarer here than they may come.
fn weight(judged: &[Judged], unknown: Option<Unknown>) -> impl Fn(&Judged) -> f64 {
    let factor = unknown.map(|unknown| {
        let here = judged.iter().filter(|one| one.truth == unknown.class).count() as f64;
        let others = judged.len() as f64 - here;
        let share = (OFTENER * unknown.share).clamp(0.0, 0.9);
        let factor = if here > 0.0 {
            share / (1.0 - share) * others / here
        } else {
            1.0
        };
        (unknown.class, factor.max(1.0))
    });
    move |one| match factor {
        Some((class, factor)) if one.truth == class => factor,
        _ => 1.0,
    }
}

/// Answers and the right ones among them, weighted.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    rows: usize,
    all: f64,
    right: f64,
    squares: f64,
}

impl Sum {
    fn add(&mut self, right: bool, weight: f64) {
        self.rows += 1;
        self.all += weight;
        self.right += if right { weight } else { 0.0 };
        self.squares += weight * weight;
    }

    /// Wilson's interval (1927) at `z` standard errors, with Kish's effective number of rows.
    fn interval(&self, z: f64) -> (f64, f64) {
        let n = self.all * self.all / self.squares;
        let share = self.right / self.all;
        let middle = share + z * z / (2.0 * n);
        let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        ((middle - half) / scale, (middle + half) / scale)
    }
}

/// The lowest confidence at which the answers as sure or surer (`sorted`, surest first) reach the aim with `z` standard
/// errors to spare (below zero: lacking), not below [`FLOOR`]; infinite where none does on enough answers.
fn lowest<'a>(
    sorted: impl Iterator<Item = &'a Judged>,
    aim: f64,
    z: f64,
    weight: &impl Fn(&Judged) -> f64,
) -> f64 {
    let (mut sum, mut best) = (Sum::default(), f64::INFINITY);
    let mut sorted = sorted.take_while(|one| one.confidence >= FLOOR).peekable();
    while let Some(one) = sorted.next() {
        sum.add(one.right(), weight(one));
        let last_of_equals = sorted.peek().is_none_or(|next| next.confidence < one.confidence);
        if last_of_equals && sum.rows >= FEWEST && sum.interval(z).0 >= aim {
            best = one.confidence * (1.0 - SLACK * (1.0 - one.confidence));
        }
    }
    best
}

#[cfg(test)]
mod tests;
