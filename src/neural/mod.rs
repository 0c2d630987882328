//! Small networks for small machines: layers with their gradients, over plain `f32` slices.
//!
//! No graph and no tape: a layer is a few numbers that say where its parameters lie, with a forward and a backward function. A
//! network is a struct of layers that calls them one after the other and, for learning, implements
//! [`Stochastic`](crate::fit::Stochastic); [`adam`](crate::fit::adam()) does the rest.
//!
//! Conventions:
//!
//! - All parameters of a network are one flat vector, laid out by a [`Layout`]; gradients have the same layout. A backward
//!   function *adds* to the gradients of parameters and *overwrites* those of inputs.
//! - Matrices are row-major; weights are inputs by outputs (the transpose of PyTorch's). Sequences are time-major: steps by
//!   batch by features, so that one step of all sequences lies in one piece. Shorter sequences are filled at the end; what a
//!   recurrent layer computes there reaches no earlier step, so it is enough to ask no loss of it.
//! - Work space lives in the caller's buffers and *tapes*, which grow to the largest batch and are used again.
//! - What is drawn at random (first weights, dropout, order) is a function of seeds ([`random`]).
//! - Equal input, equal bits, whatever the number of threads: see [`kernels`].
//!
//! | module | what |
//! |---|---|
//! | [`layout`] | names, shapes and places of parameters |
//! | [`mod@file`] | parameters as one blob |
//! | [`dense`], [`embedding`], [`conv`] | layers without memory |
//! | [`lstm`], [`gru`] | recurrent layers |
//! | [`attention`] | weighted looks at another sequence |
//! | [`dropout`] | noise against learning by heart |
//! | [`loss`], [`classes`], [`sampled`] | what is minimised |

pub mod attention;
pub mod classes;
pub mod conv;
pub mod dense;
pub mod dropout;
pub mod embedding;
pub mod file;
pub mod gru;
pub mod kernels;
pub mod layout;
pub mod loss;
pub mod lstm;
#[cfg(test)]
mod pytorch;
pub mod random;
pub mod sampled;
#[cfg(test)]
pub(crate) mod testing;

pub use attention::{Attention, AttentionTape};
pub use conv::{Conv, ConvTape};
pub use dense::Dense;
pub use embedding::Embedding;
pub use gru::{Gru, GruTape};
pub use layout::{Layout, Slot, Tensor};
pub use lstm::{Lstm, LstmTape};
