//! The store: the shop's SQLite file, and the only room that speaks SQL.
//!
//! Three groups of tables live in the file. **Inputs** belong to the shop: anybody writes them, a night reads
//! them in one transaction ([`Snapshot`]). **Results** belong to the clerk: a [`GenerationWriter`] fills a new
//! generation in small transactions while readers keep seeing the published one, and one pointer row makes it
//! visible. **Books** record what happened: runs, drops, scores, generations.
//!
//! Words: a *family* is one of recommendations, prices, support. A *generation* is everything one run of one
//! family wrote. A *key* is the dense integer that stands for a text id in result tables. An *artefact* is a
//! fitted model kept with its generation.
//!
//! Invariants: no write transaction of a night lasts longer than a few milliseconds ([`pace`]); a generation is
//! published only when all its rows are written; what an application reads needs none of our code.

mod agenda;
mod artefacts;
mod checkpoints;
pub mod clock;
#[cfg(feature = "daemon")]
pub mod copies;
mod day;
mod day_rows;
mod desk;
mod digest;
#[cfg(feature = "daemon")]
pub mod erase;
mod error;
mod fill;
mod generations;
mod guest;
mod health;
#[cfg(feature = "daemon")]
pub mod import;
mod inputs;
mod jobs;
mod keys;
mod migrate;
mod open;
mod outbox;
pub mod pace;
mod price_archive;
mod published;
mod report;
mod requests;
pub mod results;
mod runs;
mod sales;
mod settings;
mod snapshot;
mod support_archive;
mod surroundings;
mod sweep;
mod upkeep;
mod views;
mod writer;

pub use agenda::{Attempt, Queued, Standing, Turn, Turns};
pub use checkpoints::StoredCheckpoints;
pub use clock::now;
pub use day::{DayLook, DayTicket, DeskNow, InLine, Shown};
pub use day_rows::{DayAnswer, DayWritten};
pub use error::{Error, Result};
pub use generations::{Generation, family_of_result};
pub use guest::{ForecastStep, ModelsKey, Shown as ShownNext};
pub use health::JobFigures;
pub use inputs::{Agent, Article, Driver, Event, Price, Product, Reply, Rule, Ticket, User};
pub use jobs::JobRow;
pub use keys::Keys;
pub use migrate::{known as schema_version, pending as pending_migrations};
pub use open::{APPLICATION_ID, Shop, beside};
pub use outbox::Change;
pub use price_archive::ArchivedForecast;
pub use published::{OfCustomer, OfPage, Published};
pub use report::ReportRow;
pub use requests::{LeaderRow, Request};
pub use runs::{Run, RunStatus, Score};
pub use sales::{Judgement, Offer, Purchase};
pub use settings::Settings;
pub use snapshot::Snapshot;
pub use support_archive::{ArchivedDraft, ArchivedRoute, Held};
pub use sweep::Swept;
pub use views::{Table, Value};
pub use writer::{GenerationWriter, NewGeneration};
