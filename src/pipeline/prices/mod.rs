//! Prices, step by step: joins the store to the models of [`crate::price`].
//!
//! Results: price_forecasts, price_models, price_stats. The last price is always a candidate, so a shop with a single
//! price has a forecast; what has ended has statistics only.
//!
//! `collect` reads and prepares, in the `local` days of the shop, with the `plans` that are known ahead; the pure functions
//! of [`crate::price`] fit and judge; `report` says how well, `write` publishes.

mod collect;
mod local;
mod plans;
mod report;
#[cfg(test)]
mod tests;
mod write;

pub use self::collect::{Collected, Prepared};
use super::family::{Family, Verdict};
use super::night::Night;
use super::options::PriceOptions;
use crate::price::backtest::{Plan, Record, backtest};
use crate::price::catalogue::POSTED;
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
}

impl Family for Prices {
    const NAME: &'static str = "prices";
    type Collected = Collected;
    type Prepared = Prepared;
    type Fitted = Fitted;
    type Judged = Outlooks;

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        Ok(snapshot.newest_price_at(now)?)
    }

    fn nothing_to_show(&self) -> Option<&'static str> {
        Some("there is no price up to the night's instant: import prices, or set products.price")
    }

    fn collect(&self, snapshot: &Snapshot, night: &Night<'_>) -> Result<Collected> {
        collect::collect(snapshot, night)
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        collect::prepare(&self.options, collected, night)
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Fitted> {
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
        let records = backtest(prepared, &plan, &POSTED, &night.control)?;
        Ok(Fitted { plan, records })
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        fitted: Fitted,
        night: &Night<'_>,
    ) -> Result<(Outlooks, Verdict)> {
        let found = outlooks(
            prepared,
            &fitted.records,
            &fitted.plan,
            self.options.horizon,
            &night.control,
        )?;
        let scores = report::scores(prepared, &fitted, &found);
        let why = report::summary(prepared, &found);
        Ok((
            found,
            Verdict {
                publish: true,
                why,
                scores,
            },
        ))
    }

    fn publish(
        &self,
        prepared: &Prepared,
        judged: &Outlooks,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        write::write(prepared, judged, generation, night)
    }
}
