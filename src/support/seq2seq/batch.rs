//! Examples, and batches of them laid side by side.

use super::memory::Memory;
use super::pieces::{BEGIN, END, NOTHING, Names, Pieces};

/// Pieces read of a ticket.
pub(super) const TICKET: usize = 200;
/// Pieces learned and read of a reply.
pub(super) const REPLY: usize = 200;
/// Old replies that are attended.
pub const SOURCES: usize = 5;

/// A text in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// Numbers of pieces and names: what can be copied.
    pub pieces: Vec<u32>,
    /// What they look like to the network.
    pub seen: Vec<u32>,
}

impl Text {
    /// Spells a text, up to `most` pieces.
    pub(super) fn new(text: &str, most: usize, pieces: &Pieces, names: &mut Names) -> Text {
        let mut spelled = pieces.spell(text, names);
        spelled.truncate(most);
        let seen = spelled.iter().map(|&number| pieces.seen(number, names)).collect();
        Text {
            pieces: spelled,
            seen,
        }
    }

    /// Spells a reply and closes it, unless it goes on.
    pub(super) fn reply(text: &str, pieces: &Pieces, names: &mut Names) -> Text {
        let mut new = Text::new(text, REPLY, pieces, names);
        if new.pieces.len() < REPLY {
            new.pieces.push(END);
            new.seen.push(END);
        }
        new
    }
}

/// What a reply is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Example<'a> {
    pub ticket: &'a Text,
    /// The reply to be said; empty where it is to be found.
    pub reply: &'a Text,
    /// Old replies, nearest first, with the similarities of their tickets.
    pub sources: &'a [(&'a Text, f32)],
}

/// Numbers around the places of the sources: what their keys are made of.
pub(super) type Window = [u32; super::shape::WINDOW];

/// The memory of a ticket, without its keys.
pub(super) fn ticket_memory(ticket: &Text) -> Memory {
    // Something can always be looked at.
    let empty = ticket.pieces.is_empty();
    let pieces = if empty {
        vec![NOTHING]
    } else {
        ticket.pieces.clone()
    };
    Memory {
        before: before(&pieces),
        similarity: vec![0.0; pieces.len()],
        keys: Vec::new(),
        pieces,
    }
}

/// The memory of old replies, without its keys, and the windows that they are made of.
pub(super) fn replies_memory(sources: &[(&Text, f32)]) -> (Memory, Vec<Window>) {
    let mut memory = Memory::default();
    let mut windows = Vec::new();
    let nothing = Text {
        pieces: vec![END],
        seen: vec![END],
    };
    let none = [(&nothing, 0.0)];
    let sources = if sources.is_empty() { &none } else { sources };
    for (text, similarity) in sources {
        let seen = |at: Option<usize>| match at {
            None => BEGIN,
            Some(at) => text.seen.get(at).copied().unwrap_or(NOTHING),
        };
        memory.before.extend(before(&text.pieces));
        memory.pieces.extend(&text.pieces);
        memory.similarity.extend(text.pieces.iter().map(|_| *similarity));
        for at in 0..text.pieces.len() {
            windows.push([
                seen(at.checked_sub(2)),
                seen(at.checked_sub(1)),
                seen(Some(at)),
                seen(Some(at + 1)),
            ]);
        }
    }
    (memory, windows)
}

fn before(pieces: &[u32]) -> Vec<u32> {
    let mut before = vec![BEGIN];
    before.extend(pieces);
    before.pop();
    before
}
