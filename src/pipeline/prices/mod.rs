//! Prices, step by step: joins the store to the models of [`crate::price`].
//!
//! Results: price_forecasts, price_models, price_stats; and, where something was sold, price_elasticities, price_whatif
//! and price_advice. The last price is always a candidate, so a shop with a single price has a forecast; what has ended
//! has statistics only.
//!
//! `collect` reads and prepares, in the `local` days of the shop, with the `plans` and what else is known `outside` and ahead; the pure functions
//! of [`crate::price`] fit and judge; `report` says how well, `write` publishes.
//!
//! Beside them the money side walks the same steps: `sales` reads, `market` prepares, `demand` explains units, advises and
//! publishes. `network` teaches the network over all series. `volatility` says how far prices move from day to day. `card` keeps a few forecasts until their day has come and says how they fared.

mod card;
mod collect;
mod demand;
mod local;
mod market;
mod network;
mod outside;
mod plans;
mod report;
mod sales;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_drivers;
#[cfg(test)]
mod tests_money;
#[cfg(test)]
mod tests_network;
#[cfg(test)]
mod tests_odd;
mod volatility;
mod write;

pub use self::collect::{Collected, Prepared};
pub use self::demand::Money;
pub use self::market::Market;
use self::network::Seeing;
pub use self::sales::Sales;
use super::family::{Family, Verdict};
use super::night::Night;
use super::options::PriceOptions;
use crate::price::backtest::{Plan, Record, backtest};
use crate::price::catalogue::POSTED;
use crate::price::garch::Movement;
use crate::price::lstm::night::Lessons;
use crate::price::outlook::{Outlooks, outlooks};
use crate::price::profile::{Kind, kind};
use crate::price::subject::Source;
use crate::store::{GenerationWriter, Snapshot};
use anyhow::Result;
use rayon::prelude::*;

/// The family `prices`.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    /// The options of the job.
    pub options: PriceOptions,
}

/// What the candidates would have said in the past.
#[derive(Debug)]
pub struct Fitted {
    plan: Plan,
    records: Vec<Record>,
    movements: Vec<Movement>,
    lessons: Lessons,
}

/// What is written of prices.
#[derive(Debug)]
pub struct Judged {
    outlooks: Outlooks,
    movements: Vec<Movement>,
    lessons: Lessons,
}

/// The family's name.
const FAMILY: &str = "prices";

impl Family for Prices {
    const NAME: &'static str = FAMILY;
    type Collected = (Collected, Sales);
    type Prepared = (Prepared, Market);
    type Fitted = (Fitted, Money);
    type Judged = (Judged, Money);

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        // A shop may keep its prices for months: its newest sale says that they were still in force.
        let (price, event) = (snapshot.newest_price_at(now)?, snapshot.newest_event_at(now)?);
        Ok(price.map(|price| event.map_or(price, |event| event.max(price))))
    }

    fn nothing_to_show(&self) -> Option<&'static str> {
        Some("there is no price up to the night's instant: import prices, or set products.price")
    }

    fn collect(&self, snapshot: &Snapshot, night: &Night<'_>) -> Result<(Collected, Sales)> {
        let mut sales = Sales::read(snapshot, night)?;
        Ok((collect::collect(snapshot, night, &mut sales)?, sales))
    }

    fn prepare(
        &self,
        (collected, sales): (Collected, Sales),
        night: &Night<'_>,
    ) -> Result<(Prepared, Market)> {
        let prepared = collect::prepare(&self.options, collected, night)?;
        let market = market::market(sales, &prepared, night);
        Ok((prepared, market))
    }

    fn fit(&self, (prepared, market): &(Prepared, Market), night: &Night<'_>) -> Result<(Fitted, Money)> {
        let shapes: Vec<(usize, Kind)> = (0..prepared.count())
            .into_par_iter()
            .map(|s| {
                let values = prepared.subject(s).values;
                (values.len(), kind(&values))
            })
            .collect();
        let lengths: Vec<usize> = shapes.iter().map(|(length, _)| *length).collect();
        let averaged = shapes.iter().filter(|(_, kind)| *kind == Kind::Averaged).count();
        let plan = Plan::new(&lengths, averaged, self.options.horizon.max(1));
        let lessons = network::learn(prepared, &plan, &self.options, night)?;
        let seeing = Seeing {
            prepared,
            lessons: &lessons,
        };
        let records = backtest(&seeing, &plan, &POSTED, &night.control)?;
        let movements = volatility::movements(prepared, night)?;
        let money = demand::money(market, &self.options, night)?;
        let fitted = Fitted {
            plan,
            records,
            movements,
            lessons,
        };
        Ok((fitted, money))
    }

    fn evaluate(
        &self,
        (prepared, market): &(Prepared, Market),
        (fitted, money): (Fitted, Money),
        night: &Night<'_>,
    ) -> Result<((Judged, Money), Verdict)> {
        let seeing = Seeing {
            prepared,
            lessons: &fitted.lessons,
        };
        let found = outlooks(
            &seeing,
            &fitted.records,
            &fitted.plan,
            self.options.horizon,
            &night.control,
        )?;
        let mut scores = report::scores(prepared, &fitted, &found);
        let admission = found.admission.as_ref();
        scores.extend(network::scores(
            prepared,
            &fitted.lessons,
            admission,
            &fitted.plan,
            night,
        )?);
        scores.extend(volatility::scores(&fitted.movements));
        scores.extend(demand::scores(&money));
        let mut why = report::summary(prepared, &found);
        why.push_str(&network::summary(&fitted.lessons, admission));
        if let Some(money) = demand::summary(market, &money) {
            why = format!("{why}; {money}");
        }
        let judged = Judged {
            outlooks: found,
            movements: fitted.movements,
            lessons: fitted.lessons,
        };
        Ok((
            (judged, money),
            Verdict {
                publish: true,
                why,
                scores,
            },
        ))
    }

    fn publish(
        &self,
        (prepared, market): &(Prepared, Market),
        (judged, money): &(Judged, Money),
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        write::write(prepared, judged, generation, night)?;
        network::keep(&judged.lessons, generation)?;
        demand::write(market, money, generation, night)?;
        card::judge(prepared, night)?;
        card::keep(prepared, &judged.outlooks, night)
    }
}
