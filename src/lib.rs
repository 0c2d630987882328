//! Nightclerk, the night clerk of a shop.
//!
//! By day an application writes products, prices, behaviour and tickets into one SQLite file. By
//! night this crate fits models on them and writes tables that any application reads with a plain
//! `SELECT`. The rooms, from the street to the cellar; nothing imports upwards:
//!
//! | room | what happens there |
//! |---|---|
//! | `cli` | one file per verb of the command line |
//! | `console` | the daemon's page for monitors |
//! | `night` | job files, their schedule and order, the run of one night, the daemon |
//! | `pipeline` | the five steps, one file per family joining `store` to the models |
//! | [`recommend`] | models of what belongs to whom: popularity, neighbours, content |
//! | [`price`] | models of where prices go |
//! | [`support`] | models of where a ticket belongs and what to answer |
//! | [`search`] | the Tantivy full-text index |
//! | [`store`] | the SQLite file: the only room that speaks SQL |
//! | [`neural`] | layers of networks with their gradients, kernels for the processor at hand |
//! | [`fit`] | argmin: every optimisation of every model |
//! | [`text`] | one analyzer for search and models, TF-IDF |
//! | `demo` | a seeded shop with believable structure |
//! | `extension` | the loadable SQLite extension (feature `extension`) |

#[cfg(all(feature = "daemon", feature = "extension"))]
compile_error!(
    "features `daemon` and `extension` exclude each other: the binary carries its own SQLite, the extension uses its \
     host's. Build one at a time: `cargo build --release`, or `cargo build --release --no-default-features --features \
     extension`; never `--all-features`"
);

#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod console;
#[cfg(feature = "daemon")]
pub mod demo;
#[cfg(feature = "extension")]
pub mod extension;
pub mod fit;
pub mod neural;
#[cfg(feature = "daemon")]
pub mod night;
pub mod pipeline;
pub mod price;
pub mod recommend;
pub mod search;
pub mod store;
pub mod support;
pub mod text;
