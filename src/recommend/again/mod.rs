//! Buying again: what a customer bought and will soon need once more.
//!
//! The question is a ranking of each customer's own past products by the chance that they are bought again within the next
//! four weeks ([`facts::HORIZON`]). The way through the folder:
//!
//! 1. [`visits`]: the log becomes orders and visits, and tells what was known at any instant; returns take visits away.
//! 2. [`facts`]: each product's and customer's sums of an instant; the rhythm from which a due day follows.
//! 3. [`features`]: numbers that speak for a pair, and for a customer's coming back.
//! 4. [`examples`]: pairs of past instants with what followed; [`logistic`] learns from a bounded sample of them
//!    (`model`).
//! 5. [`choose`]: recipe on an earlier cut, verdict on the last four weeks ([`judge`]) beside plain frequency, the winner
//!    learned again from everything; [`list`] makes the rows.
//!
//! How often somebody bought a thing is a strong answer (Hu, He, Gao, Zhang 2020, "Modeling personalized item frequency
//! information for next-basket recommendation"), and a rhythm made by hand loses to it: gaps, decays and rebuy rates help only
//! with fitted weights. So the model must beat frequency on the shop's own last weeks, or frequency is what is published.

pub mod choose;
pub mod dues;
pub mod examples;
pub mod facts;
pub mod features;
pub mod judge;
pub mod list;
pub mod logistic;
mod model;
pub mod visits;

#[cfg(test)]
mod tests;
