//! Prices, step by step: joins the store to the models of [`crate::price`].
//!
//! Results: price_forecasts, price_models, price_stats. The last price is always a candidate, so a shop with a single
//! price has a forecast; what has ended has statistics only.
//!
//! `collect` reads and prepares, in the `local` days of the shop; the pure functions of [`crate::price`] fit and judge;
//! `report` says how well, `write` publishes.

mod collect;
mod local;
mod report;
#[cfg(test)]
mod tests;
mod write;

pub use self::collect::{Collected, Prepared};
use super::family::{Family, Verdict};
use super::night::Night;
use super::options::PriceOptions;
use crate::price::backtest::{Backtest, backtest, backtest_horizon};
use crate::price::model::{Fit, candidates};
use crate::price::outlook::{Outlooks, outlooks};
use crate::store::{GenerationWriter, Snapshot};
use anyhow::Result;

/// The family `prices`.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    /// The options of the job.
    pub options: PriceOptions,
}

/// What the candidates would have said in the past.
pub struct Fitted {
    models: Vec<Box<dyn Fit>>,
    backtests: Vec<Backtest>,
    horizon: usize,
}

impl std::fmt::Debug for Fitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fitted")
            .field("horizon", &self.horizon)
            .finish_non_exhaustive()
    }
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

    fn collect(&self, snapshot: &Snapshot, _: &Night<'_>) -> Result<Collected> {
        collect::collect(snapshot)
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        Ok(collect::prepare(&self.options, collected, night))
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Fitted> {
        let models = candidates();
        let lengths: Vec<usize> = prepared.series.iter().map(|series| series.values.len()).collect();
        let horizon = backtest_horizon(&lengths, self.options.horizon.max(1));
        let values: Vec<&[f64]> = prepared
            .series
            .iter()
            .map(|series| series.values.as_slice())
            .collect();
        let backtests = backtest(&values, &models, horizon, &night.control)?;
        Ok(Fitted {
            models,
            backtests,
            horizon,
        })
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        fitted: Fitted,
        night: &Night<'_>,
    ) -> Result<(Outlooks, Verdict)> {
        let found = outlooks(
            &prepared.series,
            &prepared.category_of,
            &prepared.categories,
            &fitted.models,
            &fitted.backtests,
            fitted.horizon,
            self.options.horizon,
            &night.control,
        )?;
        let scores = report::scores(prepared, &fitted, &found);
        let why = report::summary(prepared, &fitted, &found);
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
