//! Replies by a network, a language each: what it learns from, what it goes on from, and where its replies are wanted.
//!
//! A ticket's key says once and for all whether it is learned from: of twenty, one is checked on while learning (and chooses how
//! the network's replies are used), one judges them, eighteen are learned from. So a network that goes on from last night's is still
//! judged by tickets it has never seen. The budget is counted: steps of 32 replies a night and language; what a language has
//! beyond that waits for another night's draw.
//!
//! The network is kept with the generation it was learned in, whether its replies join or not, so that the next night can
//! go on from it; with it the tickets whose words it ever met, because forgetting a customer takes it away.

use super::super::{Night, SupportOptions};
use super::collect::{Old, Prepared};
use super::draft;
use super::written::{Network, Networks, Tonight, readable, write};
use crate::fit::{Checkpoint, FitError, Stopped};
use crate::support::{AT_HAND, Dialogue, Drafting, Example, Lesson, Part, Public, Seq2Seq, Solved};
use anyhow::Result;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Answered tickets of a language without which no network is learned: with fewer, copying the nearest reply is all it learns.
pub(super) const FEWEST: usize = 2000;
/// Replies a step.
const STEP: usize = 32;
/// Tickets that are checked on, and as many that judge, at the most.
const APART: usize = 200;
/// A vocabulary serves until there are half as many tickets more than it was made from.
const GROWN: f64 = 1.5;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Learn,
    Check,
    Judge,
}

fn use_of(ticket_id: &str) -> Use {
    match xxh3_64(ticket_id.as_bytes()) % 20 {
        0 => Use::Check,
        1 => Use::Judge,
        _ => Use::Learn,
    }
}

/// Learns a network for every language that has the tickets, and lets `drafting` judge it.
pub(super) fn learn(
    prepared: &Prepared,
    solved: &Solved,
    languages: &[Option<String>],
    public: &Public,
    drafting: &mut Drafting,
    options: &SupportOptions,
    night: &Night<'_>,
) -> Result<Networks> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, language) in languages.iter().enumerate() {
        if let Some(language) = language.as_deref().filter(|language| *language != "und") {
            rows.entry(language).or_default().push(row);
        }
    }
    let steps = options.network_steps;
    let mut networks = Networks::default();
    for (language, rows) in rows {
        let skipped = match (steps, rows.len()) {
            (0, _) => Some("network_steps is 0".to_owned()),
            (_, few) if few < FEWEST => Some(format!("{few} answered tickets of the {FEWEST} it takes")),
            _ => None,
        };
        let (mut skipped, mut begun) = (skipped, None);
        let learning = match skipped {
            Some(_) => None,
            None => {
                let school = School {
                    prepared,
                    solved,
                    languages,
                    public,
                    language,
                    signers: draft::signers(&prepared.agents),
                };
                match school.learn(&rows, steps, night)? {
                    Ok((network, anew)) => {
                        let above = options.suggest_above_chance;
                        school.judge(&rows, &network.seq2seq, (drafting, above), night)?;
                        let learning = network.seq2seq.learning;
                        networks.kept.insert(language.to_owned(), network);
                        begun = anew;
                        Some(learning)
                    }
                    Err(why) => {
                        skipped = Some(why);
                        None
                    }
                }
            }
        };
        let tonight = Tonight {
            learning,
            anew: begun,
            skipped,
            answered: rows.len(),
        };
        networks.tonight.insert(language.to_owned(), tonight);
    }
    Ok(networks)
}

/// One language's dialogues.
struct School<'a> {
    prepared: &'a Prepared,
    solved: &'a Solved,
    languages: &'a [Option<String>],
    public: &'a Public,
    language: &'a str,
    signers: Vec<String>,
}

impl School<'_> {
    /// The nearest others answered in the language.
    fn near(&self, row: usize) -> Vec<(usize, f32)> {
        let near = draft::answered(self.languages, self.language, |look| {
            self.solved.nearest_others(row, look)
        });
        near.iter()
            .take(AT_HAND)
            .map(|near| (near.row as usize, near.similarity))
            .collect()
    }

    fn old(&self, row: usize) -> (&Old, &str) {
        let old = &self.prepared.old[row];
        (old, old.reply.as_ref().map_or("", |(_, body)| body.as_str()))
    }

    fn dialogue(&self, row: usize, part: Part) -> Dialogue {
        let (old, reply) = self.old(row);
        let read = |text: &str| readable(text, self.language, &old.names, &self.signers, self.public);
        Dialogue {
            customer: old.customer.clone(),
            ticket: if part == Part::Lend {
                String::new()
            } else {
                read(&old.text)
            },
            reply: read(reply),
            near: Vec::new(),
            part,
        }
    }

    /// Tonight's dialogues: what is learned from and checked on, then what they need at hand.
    fn dialogues(
        &self,
        rows: &[usize],
        steps: u64,
        night: &Night<'_>,
    ) -> Result<(Vec<usize>, Vec<Dialogue>), Stopped> {
        let mut drawn = rows.to_vec();
        fastrand::Rng::with_seed(night.seed ^ night.as_of as u64).shuffle(&mut drawn);
        let of = |which: Use, most: usize| {
            let fits = |row: &usize| use_of(&self.prepared.old[*row].ticket_id) == which;
            let mut rows: Vec<usize> = drawn.iter().copied().filter(fits).take(most).collect();
            rows.sort_unstable();
            rows
        };
        let most = usize::try_from(steps).unwrap_or(usize::MAX).saturating_mul(STEP);
        let mut parts: Vec<(usize, Part)> = of(Use::Learn, most)
            .into_iter()
            .map(|row| (row, Part::Learn))
            .collect();
        parts.extend(of(Use::Check, APART).into_iter().map(|row| (row, Part::Check)));
        let control = &night.control;
        let near: Vec<Vec<(usize, f32)>> = parts
            .par_iter()
            .map(|&(row, _)| {
                control.check()?;
                Ok(self.near(row))
            })
            .collect::<Result<_, Stopped>>()?;
        let mut place: BTreeMap<usize, u32> = parts.iter().map(|(row, _)| *row).zip(0..).collect();
        for (row, _) in near.iter().flatten() {
            let next = place.len() as u32;
            if *place.entry(*row).or_insert(next) == next {
                parts.push((*row, Part::Lend));
            }
        }
        let mut dialogues: Vec<Dialogue> = parts
            .par_iter()
            .map(|&(row, part)| self.dialogue(row, part))
            .collect();
        for (dialogue, near) in dialogues.iter_mut().zip(near) {
            dialogue.near = near
                .into_iter()
                .map(|(row, similarity)| (place[&row], similarity))
                .collect();
        }
        Ok((parts.into_iter().map(|(row, _)| row).collect(), dialogues))
    }

    /// Tonight's network and why it did not go on from last night's, if it did not; or why there is none.
    fn learn(
        &self,
        rows: &[usize],
        steps: u64,
        night: &Night<'_>,
    ) -> Result<Result<(Network, Option<String>), String>> {
        let (used, dialogues) = self.dialogues(rows, steps, night)?;
        night.control.check()?;
        let (mut last, mut anew) = match Network::of_last_night(self.language, night)? {
            Ok(last) if rows.len() as f64 >= GROWN * last.seq2seq.vocabulary_of() as f64 => {
                let of = last.seq2seq.vocabulary_of();
                (None, Some(format!("its vocabulary was that of {of} replies")))
            }
            Ok(last) => (Some(last), None),
            Err(why) => (None, Some(why)),
        };
        let control = night.control_with_checkpoints("support")?;
        loop {
            let (before, mut learned) = last.map_or((None, BTreeSet::new()), |last: Network| {
                (Some(last.seq2seq), last.learned)
            });
            let goes_on = before.is_some();
            learned.extend(used.iter().map(|&row| self.prepared.old[row].ticket_id.clone()));
            let lesson = Lesson {
                steps,
                seed: night.seed,
                of: rows.len() as u64,
                checkpoint: Some(Checkpoint {
                    name: format!("replies {}", self.language),
                    fingerprint: fingerprint(&dialogues, steps, night.seed, before.as_ref()),
                    every: 1,
                }),
                ..Lesson::default()
            };
            return match Seq2Seq::learn(&dialogues, &lesson, before, &control) {
                // Numbers beyond measure cannot be learned away. Routes and quotes do not wait for it.
                Ok(seq2seq) if goes_on && seq2seq.is_lost() => {
                    (last, anew) = (None, Some("last night's makes no sense".to_owned()));
                    continue;
                }
                Err(FitError::NoFiniteCost { .. }) if goes_on => {
                    (last, anew) = (None, Some("last night's makes no sense".to_owned()));
                    continue;
                }
                Ok(seq2seq) => Ok(Ok((Network { seq2seq, learned }, anew))),
                Err(FitError::NoFiniteCost { .. }) => Ok(Err("it found no finite loss".to_owned())),
                Err(FitError::Invalid(why)) => Ok(Err(why)),
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Lets drafting judge the network on tickets that it has not learned from.
    fn judge(
        &self,
        rows: &[usize],
        network: &Seq2Seq,
        (drafting, above): (&mut Drafting, f64),
        night: &Night<'_>,
    ) -> Result<()> {
        let control = &night.control;
        let of = |which: Use| -> Result<Vec<Example>, Stopped> {
            let fits = |row: &&usize| use_of(&self.prepared.old[**row].ticket_id) == which;
            let rows: Vec<usize> = rows.iter().filter(fits).take(APART).copied().collect();
            let other = |at: usize| rows[(at + 1 + at % 7) % rows.len()];
            let one = |(at, &row): (usize, &usize)| {
                control.check()?;
                Ok(self.example(row, other(at), network))
            };
            rows.par_iter().enumerate().map(one).collect()
        };
        let (choosing, judging) = (of(Use::Check)?, of(Use::Judge)?);
        drafting.judge_network(self.language, &choosing, &judging, above, || {
            Ok(night.control.check()?)
        })
    }

    fn example(&self, row: usize, other: usize, network: &Seq2Seq) -> Example {
        let nearest = |look| self.solved.nearest_others(row, look);
        let near = draft::answered(self.languages, self.language, nearest);
        let mut example = draft::example(
            self.prepared,
            (row, self.language, other),
            &near,
            &self.signers,
            self.public,
        );
        let ticket = self.dialogue(row, Part::Check).ticket;
        example.written = write(
            network,
            &ticket,
            &example.quotes,
            self.language,
            &self.signers,
            self.public,
        );
        example
    }
}

/// Of everything that shapes the lesson.
fn fingerprint(dialogues: &[Dialogue], steps: u64, seed: u64, before: Option<&Seq2Seq>) -> u128 {
    let mut hash = Xxh3::new();
    for one in dialogues {
        for text in [&one.ticket, &one.reply] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        for (row, similarity) in &one.near {
            hash.update(&row.to_le_bytes());
            hash.update(&similarity.to_le_bytes());
        }
        hash.update(format!("{:?}", one.part).as_bytes());
    }
    hash.update(&steps.to_le_bytes());
    hash.update(&seed.to_le_bytes());
    hash.update(&before.map(Seq2Seq::to_bytes).unwrap_or_default());
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.digest128()
}
