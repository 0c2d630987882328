//! Where prices go: models over one price per step, chosen by how they did against the last price.
//!
//! A posted price is a step function. It holds until somebody changes it, and most steps change nothing, so the last
//! price is hard to beat: it is always a candidate, every other model is measured against it, and one that does not
//! beat it is not used.
//!
//! The words: a *series* is the history of one product at one seller, brought onto regular *steps* by carrying the
//! price forward ([`series`]). An *origin* is a step in the past from which the following steps are forecast, knowing
//! nothing of them ([`backtest`]). The *gate* decides per category which model its series get ([`choose`]), *intervals*
//! come from the errors made at past origins ([`intervals`]). [`stats`] are the figures people read first and need no
//! model at all.
//!
//! | file | subject |
//! |---|---|
//! | [`calendar`] | local days, without knowing time zones |
//! | [`series`] | irregular rows to regular steps |
//! | [`model`] | the two traits, the last price, models on logarithms |
//! | [`smoothing`], [`arima`] | the models |
//! | [`garch`] | volatility |
//! | [`regression`] | least squares, shrinkage, robust and clustered errors |
//! | [`backtest`], [`choose`], [`intervals`] | how each did, which is used, how sure it is |
//! | [`outlook`] | the answer for every series, put together |
//! | [`stats`] | last, lowest, average, the price before the promotion |
//!
//! Prices are positive numbers in the shop's currency; a step without a price is `NaN` in here and never leaves this
//! room as one. Everything runs in parallel over series and gives the same bits for any number of threads.

pub mod arima;
pub mod backtest;
pub mod calendar;
pub mod choose;
pub mod garch;
pub mod intervals;
pub mod model;
pub mod outlook;
pub mod regression;
pub mod series;
pub mod smoothing;
pub mod stats;
