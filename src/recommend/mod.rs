//! Recommendations: what belongs to whom.
//!
//! Pure functions over dense indices: a user is a row number, a product a column number, a text a sparse row. The way
//! of a night through the room:
//!
//! 1. [`log`]: events become a sorted [`log::Log`]; [`history`] folds it into one signal per (user, product).
//! 2. [`cuts`]: the end of the time line is hidden, for tuning and for the honest figure.
//! 3. The models: [`demand`] (popularity, the naive answer, and lift), [`neighbours`] (item cosine), [`ease`] (a linear model in closed
//!    form), [`factors`] (ALS), [`content`] (text), joined by [`blend::Blend`] over a decayed [`profile`], and by [`recurrent`], a network over the order of a history. Each is a
//!    [`models::Scorer`] (a history in, a score per product out) or the [`models::Linear`] part of one. What nobody has
//!    bought yet gets a vector from its text by [`encoder`]; [`cold`] measures that.
//! 4. [`tune`] sets the few numbers on an inner cut; [`measure`] judges on the outer one, and [`choose`] chooses; what one night found is the
//!    next one's [`memory`].
//! 5. [`lists`] writes what people see, by the shop people's [`rules`], one of an article's [`variants`], some [`fresh`]
//!    products among them and as much [`diversity`] as asked for; [`visitors`] decides what strangers are shown, [`similar`]
//!    what stands on a product's page, [`pairs`] what is bought together.
//!
//! Invariants: nothing here reads a file, a clock or SQL; equal input and seed give equal bytes whatever the number of
//! threads (parallel only over independent outputs, sums in a fixed order, ties by index).

pub mod again;
pub mod blend;
pub mod choose;
pub mod cnn;
pub mod cold;
pub mod content;
pub mod cuts;
pub mod demand;
pub mod diversity;
pub mod due;
pub mod ease;
pub mod encoder;
pub mod factors;
pub mod fitted;
pub mod fresh;
pub mod history;
pub mod kernels;
pub mod lists;
pub mod log;
pub mod matrix;
pub mod measure;
pub mod memory;
pub mod models;
pub mod neighbours;
pub mod pairs;
pub mod picker;
pub mod places;
pub mod profile;
pub mod purpose;
pub mod rank;
pub mod recurrent;
pub mod report;
mod rows;
pub mod rules;
pub mod sessions;
pub mod settings;
pub mod sheet;
pub mod similar;
pub mod trial;
pub mod tune;
pub mod users;
pub mod variants;
pub mod visitors;
pub mod weighting;
