//! Where the parameters lie, and how large the network is.

use super::pieces::{END, SPECIAL};
use crate::neural::kernels::rows::softmax;
use crate::neural::layout::{Layout, Slot};
use crate::neural::random::Init;
use crate::neural::{Dense, Embedding, Gru};
use serde::{Deserialize, Serialize};

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size {
    /// Pieces of the vocabulary.
    pub pieces: usize,
    /// Values of a piece's vector.
    pub width: usize,
    /// Values of the encoder's state, each way; keys have twice as many.
    pub encoder: usize,
    /// Values of the decoder's state.
    pub decoder: usize,
    /// Whether it copies; if not, it is a plain decoder, to be compared with.
    pub copies: bool,
}

impl Size {
    /// The usual sizes.
    pub(super) fn usual(pieces: usize) -> Size {
        Size {
            pieces,
            width: 128,
            encoder: 96,
            decoder: 192,
            copies: true,
        }
    }

    /// Values of a key, of a query and of what was read.
    pub(super) fn key(&self) -> usize {
        2 * self.encoder
    }
}

/// Pieces around a place of an old reply that make its key: two before it, itself, one after.
pub(super) const WINDOW: usize = 4;
/// Levels of agreement: how many pieces before a place are those just said, 4 = four or more.
pub(super) const LEVELS: usize = 5;
/// Components of the gate: vocabulary, ticket, old replies.
pub(super) const GATES: usize = 3;

/// The layers.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub size: Size,
    pub layout: Layout,
    /// Vectors of the pieces, of what is read and of what is said alike.
    pub pieces: Embedding,
    /// How usual each piece is.
    pub usual: Slot,
    pub ahead: Gru,
    pub back: Gru,
    /// The encoder's last states to the decoder's first.
    pub bridge: Dense,
    pub decoder: Gru,
    pub ask_ticket: Dense,
    pub ask_replies: Dense,
    /// Vectors of pieces to their shares of a key, one for each place of the window.
    pub keys: Dense,
    /// State and what was read, to what is said.
    pub say: Dense,
    pub gate: Dense,
    /// What agreement is worth in the ticket and in old replies, a level each.
    pub agree: [Slot; 2],
    /// What a source's similarity is worth.
    pub similar: Slot,
}

impl Shape {
    pub(super) fn new(size: Size) -> Shape {
        let mut layout = Layout::new();
        let l = &mut layout;
        let (key, state) = (size.key(), size.decoder);
        Shape {
            size,
            pieces: Embedding::dense(l, "pieces", size.pieces, size.width, Init::Normal(0.08)),
            usual: l.add("usual", &[size.pieces], Init::Zero),
            ahead: Gru::new(l, "ahead", size.width, size.encoder),
            back: Gru::new(l, "back", size.width, size.encoder),
            bridge: Dense::new(l, "bridge", key, state),
            decoder: Gru::new(l, "decoder", size.width, state),
            ask_ticket: Dense::without_bias(l, "ask.ticket", state, key),
            ask_replies: Dense::without_bias(l, "ask.replies", state, key),
            keys: Dense::without_bias(l, "keys", size.width, WINDOW * key),
            say: Dense::new(l, "say", state + 2 * key, size.width),
            gate: Dense::new(l, "gate", size.width, GATES),
            agree: [
                l.add("agree.ticket", &[LEVELS], Init::Zero),
                l.add("agree.replies", &[LEVELS], Init::Zero),
            ],
            similar: l.add("similar", &[1], Init::Constant(1.0)),
            layout,
        }
    }

    /// First parameters: agreement counts from the beginning.
    pub(super) fn init(&self, seed: u64) -> Vec<f32> {
        let mut params = self.layout.init(seed);
        for slot in self.agree {
            let values = slot.of_mut(&mut params);
            values
                .iter_mut()
                .zip(0u8..)
                .for_each(|(value, level)| *value = f32::from(level));
        }
        params
    }

    /// Turns the gate's logits into what each component is believed, given the evidence of both memories.
    pub(super) fn open(&self, gates: &mut [f32], evidence: [f32; 2]) {
        for (gate, evidence) in gates[1..].iter_mut().zip(evidence) {
            *gate = if self.size.copies {
                *gate + evidence
            } else {
                f32::NEG_INFINITY
            };
        }
        softmax(gates);
    }

    /// Whether the vocabulary may say a piece: all but the special ones, of which it may say the end. One that is never
    /// helped by copying may say that a figure or a name comes, though not which.
    pub(super) fn sayable(&self, number: usize) -> bool {
        number >= SPECIAL as usize || number == END as usize || !self.size.copies && number > END as usize
    }

    /// Takes from the vocabulary what it may not say.
    pub(super) fn mute(&self, logits: &mut [f32]) {
        for number in (0..logits.len().min(SPECIAL as usize)).filter(|&number| !self.sayable(number)) {
            logits[number] = f32::NEG_INFINITY;
        }
    }
}
