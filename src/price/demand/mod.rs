//! What buyers do when the price changes: units by week explained by price, promotion, season and rivals.
//!
//! Forecasting the shop's own price is forecasting its own decision. The money is in the other question: how many units
//! at which price. On weekly orange-juice sales of 83 stores the last price is hardly beaten by any model, while a
//! regression of units on price, promotions and rivals' prices misses 38 % of the units where the best answer without a
//! model misses 57 %. From it follow the elasticity of each product, what other prices would bring ([`whatif`]), and the
//! price to set ([`advice`]).
//!
//! | file | subject |
//! |---|---|
//! | [`weeks`] | weeks of seven local days, prices by week, feasts |
//! | [`panel`] | all products and weeks, drivers, rivals |
//! | [`columns`] | the regressors |
//! | [`block`] | one product's rows; logarithms or counts |
//! | [`pooled`], `variance`, [`level`] | the regression over all products, how much they differ, and where each stands now |
//! | [`clustered`] | standard errors by week |
//! | [`trial`] | past windows: settings, error, spread |
//! | [`whatif`], [`advice`], [`endings`] | other prices, the price to set, prices as the shop writes them |
//!
//! What it cannot know: weeks without stock look like weeks without demand; the elasticity is that of the weeks in which
//! prices moved, and if a shop cuts prices only when demand is falling, it is too small.

pub mod advice;
pub mod block;
pub mod clustered;
pub mod columns;
pub mod endings;
pub mod level;
pub mod panel;
pub mod pooled;
pub mod trial;
mod variance;
pub mod weeks;
pub mod whatif;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_advice;
#[cfg(test)]
mod tests_shops;

use crate::fit::{Control, Stopped};
use block::Kind;
use clustered::{Elasticity, elasticities};
use columns::Knowledge;
use panel::Panel;
use pooled::Model;
use rayon::prelude::*;
use trial::{Trials, members, trials};
use weeks::AHEAD;
use whatif::{Plan, Spread};

/// What is known of one item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// How its units are modelled; `None` = too few weeks, or never sold.
    pub kind: Option<Kind>,
    /// Its elasticity; `None` also where its price never changed.
    pub elasticity: Option<Elasticity>,
    /// Whether its price changed in the weeks that count.
    pub moved: bool,
    /// The next 28 days at the planned price.
    pub plan: Option<Plan>,
}

/// What is known of one kind of products.
#[derive(Debug, Clone)]
pub struct Found {
    /// The kind.
    pub kind: Kind,
    /// How many products.
    pub products: usize,
    /// The past windows; `None` with too little history.
    pub trials: Option<Trials>,
    /// The spread of past totals; `None` with too few.
    pub spread: Option<Spread>,
    /// Names of the regressors.
    pub columns: Vec<String>,
    /// How much the other regressors inflate the variance of the price's coefficient: above 10 they can hardly be told
    /// apart. `None` where no price changed.
    pub inflation: Option<f64>,
}

impl Found {
    /// Whether its forecasts of units may be used: they beat what needs no model on past windows.
    pub fn trusted(&self) -> bool {
        self.spread.is_some() && self.trials.as_ref().is_some_and(Trials::trusted)
    }
}

/// The demand of a shop.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    /// One per item of the panel.
    pub answers: Vec<Answer>,
    /// One per kind that has products.
    pub kinds: Vec<Found>,
}

impl Demand {
    /// What was found about a kind.
    pub fn found(&self, kind: Kind) -> Option<&Found> {
        self.kinds.iter().find(|found| found.kind == kind)
    }
}

/// Explains the units of all items and looks 28 days ahead. `planned[i]` is the price of item `i` that its plan stands
/// on; `None` = it is not on sale.
///
/// # Errors
/// Stopped by the control.
pub fn demand(panel: &Panel, planned: &[Option<f64>], control: &Control) -> Result<Demand, Stopped> {
    let past = panel.weeks.past();
    let mut all = Demand {
        answers: vec![Answer::default(); panel.items.len()],
        kinds: Vec::new(),
    };
    for kind in [Kind::Steady, Kind::Slow] {
        let members = members(panel, kind, past);
        if members.is_empty() {
            continue;
        }
        for &i in &members {
            all.answers[i].kind = Some(kind);
        }
        let trials = trials(panel, kind, control)?;
        let settings = trials.as_ref().map_or(trial::USUAL, |trials| trials.settings);
        let spread = trials.as_ref().and_then(|trials| Spread::new(&trials.totals()));
        control.progress("demand: elasticities", 0, 1);
        let Some(model) = Model::fit(panel, &members, kind, settings, past, control)? else {
            continue;
        };
        let elasticities = elasticities(panel, &members, &model, control)?;
        let plans: Vec<Option<Plan>> = members
            .par_iter()
            .enumerate()
            .with_min_len(32)
            .map(|(slot, &i)| plan(panel, &model, i, slot, planned[i]?))
            .collect();
        for ((slot, &i), (elasticity, plan)) in members
            .iter()
            .enumerate()
            .zip(elasticities.into_iter().zip(plans))
        {
            let answer = &mut all.answers[i];
            answer.elasticity = elasticity;
            answer.plan = plan;
            answer.moved = model.items[slot]
                .as_ref()
                .is_some_and(|fit| fit.price_squares > 0.0);
        }
        all.kinds.push(Found {
            kind,
            products: members.len(),
            trials,
            spread,
            columns: model.columns.iter().map(|column| column.name(panel)).collect(),
            inflation: model.inflation(),
        });
    }
    Ok(all)
}

/// The next four weeks of an item at a price.
fn plan(panel: &Panel, model: &Model, item: usize, slot: usize, price: f64) -> Option<Plan> {
    let weeks = panel.weeks.past()..panel.weeks.past() + AHEAD;
    let logs = model.forecast(
        panel,
        &panel.items[item],
        slot,
        weeks,
        Knowledge::Planned(price.ln()),
    )?;
    let smear = model.items[slot].as_ref()?.smear;
    let units = smear * logs.iter().map(|log| log.exp()).sum::<f64>();
    units.is_finite().then_some(Plan { price, units })
}
