//! Replies written word by word: a GRU encoder-decoder whose output is a mixture of the nearest old replies, the ticket and
//! a vocabulary.
//!
//! `P(y_t | y_<t, x) = Σ_k π_tk P(y_t | y_<t, x, k)`: component 0 is the vocabulary, component 1 copies from the ticket, and
//! the others copy from one old reply each, found by [`super::neighbours`]. A learned gate says at each step how much each is
//! believed ([`network`]). This is a pointer network (See, Liu and Manning 2017) over retrieved texts (Lewis et al. 2020);
//! what it learns from is the shop's own dialogues, and it takes some thousands of them to be worth anything.
//!
//! Invariants:
//!
//! - The probabilities of all that can be said sum to one at every step.
//! - No figure (anything with a digit) and no word that fewer than
//!   [`Public::CUSTOMERS`](super::private::Public::CUSTOMERS) customers have read in a reply comes out unless it stands in
//!   the ticket or in an old reply that was at hand ([`spoken`]). The vocabulary holds neither.
//! - Texts come in cleaned ([`super::private`]): of customers who are named, it learns placeholders.
//! - Learning is [`adam`](crate::fit::adam()) with its checkpoints, and gives the same bits each time.
//!
//! | file | subject |
//! |---|---|
//! | `segments`, `pieces`, `merges` | cuts of a text; sub-words of both scripts, learned by byte-pair encoding |
//! | `batch` | examples side by side |
//! | `shape`, `network`, `memory` | parameters, the way through the network, what is attended and copied from |
//! | `loss`, `way_back` | what is minimised, and its slopes |
//! | `learn` | batches of an epoch, the loss that counts |
//! | `write`, `spoken` | beam search, and what may be said |

mod batch;
mod learn;
mod loss;
mod memory;
mod merges;
mod network;
mod pieces;
mod segments;
mod shape;
mod spoken;
#[cfg(test)]
mod tests;
mod way_back;
mod write;

pub use batch::SOURCES as AT_HAND;
pub use write::{Found, Search};

use self::batch::Text;
use self::learn::{Lessons, Spelled};
use self::pieces::{Names, Pieces, Told};
use self::shape::{Shape, Size};
use self::spoken::Sayable;
use self::write::Ready;
use crate::fit::{self, Adam, Checkpoint, Control, Fall, FitError, Schedule, Stochastic};
use crate::neural::file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a dialogue is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To learn from.
    Learn,
    /// Its loss says when to stop.
    Check,
    /// Neither: its reply is at hand for others.
    Lend,
}

/// A ticket and the reply to it, cleaned.
#[derive(Debug, Clone)]
pub struct Dialogue {
    /// Whose it is.
    pub customer: String,
    /// What the customer wrote.
    pub ticket: String,
    /// What was answered.
    pub reply: String,
    /// Rows of the nearest other dialogues, nearest first, with their similarities.
    pub near: Vec<(u32, f32)>,
    /// What it is for.
    pub part: Part,
}

/// How a network learns.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// Steps (batches of 32 replies) at the most.
    pub steps: u64,
    /// Pieces of the vocabulary at the most.
    pub pieces: usize,
    /// Dialogues that there are, of which these were drawn.
    pub of: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// The full learning rate.
    pub rate: f64,
    /// A plain decoder without old replies and copying, to compare with; never kept.
    pub plain: bool,
    /// The checkpoint, if one is wanted.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Lesson {
    fn default() -> Lesson {
        Lesson {
            steps: 1000,
            pieces: 4000,
            of: 0,
            seed: 0,
            rate: 2e-3,
            plain: false,
            checkpoint: None,
        }
    }
}

/// How learning went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// Steps made.
    pub steps: u64,
    /// Epochs made.
    pub epochs: u64,
    /// Perplexity of a piece on the dialogues of [`Part::Check`] before and after.
    pub perplexity: (f64, f64),
    /// What vocabulary, ticket and old replies gave of the probability there.
    pub shares: [f64; 3],
    /// Share of the pieces there that none of the three holds.
    pub nowhere: f64,
}

/// A network that has learned to reply.
#[derive(Debug)]
pub struct Seq2Seq {
    pieces: Pieces,
    /// Dialogues that there were when the vocabulary was made.
    vocabulary_of: u64,
    ready: Ready,
    /// How it learned last.
    pub learning: Learning,
}

impl Seq2Seq {
    /// Learns from dialogues; goes on from `before` where there is a network of another night.
    ///
    /// # Errors
    /// [`FitError`]: stopped; nothing to learn from or to check on; a failing checkpoint store.
    pub fn learn(
        dialogues: &[Dialogue],
        lesson: &Lesson,
        before: Option<Seq2Seq>,
        control: &Control,
    ) -> Result<Seq2Seq, FitError> {
        let told = dialogues.iter().filter(|one| one.part != Part::Check);
        let pieces = match &before {
            Some(before) => before.pieces.clone(),
            None => {
                let told = told.flat_map(|one| {
                    let of = |text, reply| Told {
                        customer: one.customer.as_str(),
                        text,
                        reply,
                    };
                    [of(one.ticket.as_str(), false), of(one.reply.as_str(), true)]
                });
                Pieces::learn(&told.collect::<Vec<_>>(), lesson.pieces)
            }
        };
        control.check()?;
        let mut names = Names::default();
        let mut spelled: Vec<Spelled> = dialogues
            .iter()
            .map(|one| Spelled {
                ticket: Text::new(&one.ticket, batch::TICKET, &pieces, &mut names),
                reply: Text::reply(&one.reply, &pieces, &mut names),
                near: one.near.clone(),
            })
            .collect();
        let rows = |part: Part| -> Vec<u32> {
            (0..)
                .zip(dialogues)
                .filter(|(_, one)| one.part == part)
                .map(|(row, _)| row)
                .collect()
        };
        let (learn, check) = (rows(Part::Learn), rows(Part::Check));
        let mut size = Size::usual(pieces.len());
        if lesson.plain {
            size.copies = false;
            for one in &mut spelled {
                one.near.clear();
                one.reply.pieces.clone_from(&one.reply.seen);
            }
        }
        let shape = Shape::new(size);
        let vocabulary_of = before.as_ref().map_or(lesson.of, |before| before.vocabulary_of);
        let start = match before {
            Some(before) => before.ready.params,
            None => shape.init(lesson.seed),
        };
        let mut lessons = Lessons::new(&shape, &spelled, &learn, &check, lesson.seed);
        let options = Adam {
            rate: lesson.rate,
            schedule: Schedule {
                warm_up: 50.min(lesson.steps / 4),
                fall: Fall::Cosine(0.05),
            },
            clip: Some(1.0),
            max_epochs: lesson.steps.div_ceil(lessons.batches().max(1)).max(1),
            max_steps: Some(lesson.steps),
            patience: Some(3),
            checkpoint: lesson.checkpoint.clone(),
            ..Adam::default()
        };
        let learned = fit::adam(&mut lessons, start, &options, control)?;
        let loss = lessons.measure(&learned.params, &check);
        let pieces_checked = loss.pieces.max(1) as f64;
        let learning = Learning {
            steps: learned.steps,
            epochs: learned.epochs.len() as u64,
            perplexity: (learned.start.exp(), learned.loss.exp()),
            shares: loss.shares.map(|share| share / pieces_checked),
            nowhere: loss.nowhere as f64 / (pieces_checked + loss.nowhere as f64),
        };
        Ok(Seq2Seq {
            pieces,
            vocabulary_of,
            ready: Ready::new(shape, learned.params),
            learning,
        })
    }

    /// Dialogues that there were when its vocabulary was made.
    pub fn vocabulary_of(&self) -> u64 {
        self.vocabulary_of
    }

    /// Whether it is far worse than one that finds every piece equally likely, which is where learning begins: its numbers are beyond
    /// measure, and no further night would mend them.
    pub fn is_lost(&self) -> bool {
        self.learning.perplexity.1 > 10.0 * self.pieces.len() as f64
    }

    /// As bytes for [`Seq2Seq::from_bytes`]: vocabulary, then parameters ([`crate::neural::file`]).
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = (
            self.vocabulary_of,
            &self.ready.shape.size,
            &self.learning,
            &self.pieces,
        );
        let head = postcard::to_stdvec(&head).expect("a vocabulary and some numbers can be written");
        let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
        bytes.extend(head);
        bytes.extend(file::write(
            &self.ready.shape.layout,
            &self.ready.params,
            &BTreeMap::new(),
        ));
        bytes
    }

    /// A network from bytes.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Seq2Seq, String> {
        let cut = || "the bytes end too early".to_owned();
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (head, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let (vocabulary_of, size, learning, pieces): (u64, Size, Learning, Pieces) =
            postcard::from_bytes(head).map_err(|_| "the vocabulary cannot be read".to_owned())?;
        if !pieces.is_sound() || size != Size::usual(pieces.len()) {
            return Err("vocabulary and network do not belong together".into());
        }
        let shape = Shape::new(size);
        let saved = file::read(rest).map_err(|e| e.to_string())?;
        let params = saved.params(&shape.layout).map_err(|e| e.to_string())?;
        Ok(Seq2Seq {
            pieces,
            vocabulary_of,
            ready: Ready::new(shape, params),
            learning,
        })
    }

    /// The best replies to a cleaned ticket from cleaned old replies, nearest first, with the similarities of their tickets;
    /// best first.
    pub fn write(&self, ticket: &str, sources: &[(&str, f32)], search: &Search) -> Vec<Found> {
        let mut names = Names::default();
        let text = Text::new(ticket, batch::TICKET, &self.pieces, &mut names);
        let replies: Vec<(Text, f32)> = sources
            .iter()
            .take(batch::SOURCES)
            .map(|(reply, similarity)| (Text::reply(reply, &self.pieces, &mut names), *similarity))
            .collect();
        let sources: Vec<(&Text, f32)> = replies
            .iter()
            .map(|(reply, similarity)| (reply, *similarity))
            .collect();
        let read = |text: &Text| self.pieces.read(&text.pieces, &names);
        let at_hand: Vec<String> = std::iter::once(read(&text))
            .chain(sources.iter().map(|one| read(one.0)))
            .collect();
        let sayable = Sayable::new(self.pieces.lexicon(), at_hand.iter().map(String::as_str));
        self.ready
            .write(&text, &sources, &sayable, &self.pieces, &names, search)
    }
}
