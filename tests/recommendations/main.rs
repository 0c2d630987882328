//! The family recommendations from the input tables to the views, as an application sees it: rows go in by plain
//! SQL, the five steps run, rows come out by plain SQL.

#![cfg(feature = "daemon")]

mod card;
mod day;
mod memory;
mod networks;
mod night;
mod quiet;
mod rules;
mod wanted;
mod window;
