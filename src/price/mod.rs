//! Where prices go: models over one price per step, chosen by how they did against the last price.
//!
//! A posted price is a step function. It holds until somebody changes it, and most steps change nothing, so the last
//! price is hard to beat: it is always a candidate, every other model is measured against it, and one that does not
//! beat it is not used.
//!
//! That holds for prices that somebody sets. Averaged prices, such as an index, move at every step; there models win, and
//! their mean wins most. [`profile`] tells the two apart.
//!
//! The words: a *series* is the history of one product at one seller, brought onto regular *steps* by carrying the
//! price forward ([`series`]). An *origin* is a step in the past from which the following steps are forecast, knowing
//! nothing of them ([`backtest`]). The *gate* decides per category which model its series get ([`choose`]), *intervals*
//! come from the errors made at past origins ([`intervals`]). [`stats`] are the figures people read first and need no
//! model at all.
//!
//! | file | subject |
//! |---|---|
//! | [`calendar`], [`frequency`] | local days, without knowing time zones; the step of a series |
//! | [`series`], [`packed`] | irregular rows to regular steps; rows in a few bytes each |
//! | [`profile`], [`season`] | what a series is like: still, posted or averaged; its seasons |
//! | [`subject`] | one series with what is known beside it; whose evidence counts for whom |
//! | [`model`], [`catalogue`] | the traits, the last price, models on logarithms; the models by number |
//! | [`seasonal`], [`promotion`] | seasonal naive, medians; regular and promotional prices, plans known ahead |
//! | [`driven`] | the last price moved by costs, holidays and other drivers |
//! | [`smoothing`], [`ets`], [`theta`] | exponential smoothing in all its forms |
//! | [`stl`], [`deseasonal`], [`ridge`] | long seasons: decomposition, and regression on seasonal lags |
//! | [`arima`] | ARIMA by exact likelihood |
//! | [`lstm`] | one network over all series |
//! | [`garch`] | volatility that comes in clusters |
//! | [`regression`] | least squares, shrinkage, robust and clustered errors |
//! | [`backtest`], [`choose`], [`combine`], `judges` | how each did at past nights; the gate; the weighted mean |
//! | [`calibrate`], [`intervals`] | how sure a forecast is |
//! | [`outlook`], `path` | the answer for every series, put together; its prices to come |
//! | [`demand`] | units by price: elasticities, what other prices would bring, the price to set |
//! | [`stats`] | last, lowest, average, the price before the promotion |
//!
//! Prices are positive numbers in the shop's currency; a step without a price is `NaN` in here and never leaves this
//! room as one. Everything runs in parallel over series and gives the same bits for any number of threads.

pub mod arima;
pub mod backtest;
pub mod calendar;
pub mod calibrate;
pub mod catalogue;
pub mod choose;
pub mod combine;
pub mod demand;
pub mod deseasonal;
pub mod driven;
pub mod ets;
pub mod frequency;
pub mod garch;
pub mod intervals;
mod judges;
pub mod lstm;
pub mod model;
pub mod outlook;
pub mod packed;
mod path;
pub mod profile;
pub mod promotion;
pub mod regression;
pub mod ridge;
pub mod season;
pub mod seasonal;
pub mod series;
pub mod smoothing;
pub mod stats;
pub mod stl;
pub mod subject;
pub mod theta;
