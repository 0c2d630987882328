//! Where a ticket belongs and what to answer. Pure: texts, labels and options in, models and answers out.
//!
//! The words used here:
//!
//! - A **label** is what a PERSON decided about a ticket: its category, its team, its agent, its reply. What this
//!   program decided is never a label, or it would train on itself and praise itself; the caller sees to that.
//! - **Route** or **triage**: a category is acted on only where its confidence reaches a threshold at which answers
//!   were right often enough on tickets the model had not seen ([`Threshold`]); below it a person decides.
//! - **Evidence** are the nearest old tickets by Euclidean distance between unit TF-IDF vectors, which is the order of
//!   their cosine. A linear model decides the category, because it is better at it; neighbours show why, know the
//!   agents, and lend their replies.
//!
//! | file | subject |
//! |---|---|
//! | `classify` | views, members, recipes, classifiers |
//! | `classify/hinge` | one-vs-rest squared hinge by dual coordinate descent, sixteen classes at a time |
//! | `classify/ratios` | log-count ratios, which make an NB-SVM of the hinge |
//! | `classify/logistic` | multinomial logistic regression by L-BFGS |
//! | `classify/centroid` | class means |
//! | `classify/linear` | what all of them end as: weights |
//! | `classify/stack` | weights of the members and temperature, by maximum likelihood |
//! | `contest` | which recipe: views, penalties, combinations, on folds |
//! | `contest/members` | what every member says about the fold it has not seen |
//! | `trial` | candidates judged on tickets they have not seen: later ones, or folds |
//! | `literal` | the textbook's TF-IDF and Euclidean k-nearest, to be compared with |
//! | `folds` | seeded stratified folds that keep near-identical texts together |
//! | `threshold` | confidence at which a stated precision holds, by class, with unknown tickets |
//! | `neighbours` | nearest solved tickets and their votes |
//! | `route` | team, priority and agent, nobody beyond capacity |
//! | `reply` | drafts from old replies, with a confidence measured on history |
//! | `quote` | old texts ready to be quoted, and the draft put together from them |
//! | `consensus` | the reply on which the nearest replies agree, its sentences exchanged for better ones |
//! | `seq2seq` | replies written word by word: a mixture of the nearest old ones, the ticket and a vocabulary |
//! | `private` | what an old reply says about its customer, found and replaced |
//! | `sentences`, `lcs`, `bleu` | where sentences end; how alike two texts are |
//! | `isotonic` | a monotone curve through noisy points |
//! | `measure` | accuracy, macro-F1, coverage, calibration, ROUGE-L |
//!
//! Invariants: results depend on neither the number of threads nor the order of hash maps; ties go to the lower index.

mod bleu;
mod classify;
mod consensus;
mod contest;
mod folds;
mod isotonic;
mod lcs;
mod literal;
mod measure;
mod neighbours;
mod private;
mod quote;
mod reply;
mod route;
mod sentences;
mod seq2seq;
mod threshold;
mod trial;

pub use classify::{Classifier, Member, Message, Recipe, VOTERS, View};
pub use contest::Effort;
pub use folds::{folds, near_identical};
pub use isotonic::Isotonic;
pub use literal::LITERAL;
pub use measure::{Judged, accuracy, calibration_error, coverage_at, macro_f1, rouge_l, rouge_words};
pub use neighbours::{Neighbour, Solved, votes};
pub use private::{Own, Public, introduced};
pub use quote::Quote;
pub use reply::{Draft, DraftDecision, DraftScores, Drafting, Example, NetworkScores, REPLIES, SAMPLE};
pub use route::{Agent, Assignment, PRIORITIES, Waiting, assign, urgency};
pub use seq2seq::{AT_HAND, Dialogue, Found, Learning, Lesson, Part, Search, Seq2Seq};
pub use threshold::{Threshold, Unknown};
pub use trial::{Candidate, SPLIT_FOLDS, SPLIT_LATER, Trial, try_classifiers};

/// How many nearest tickets vote and are shown.
pub const NEIGHBOURS: usize = 10;
