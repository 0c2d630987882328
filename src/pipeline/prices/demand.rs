//! fit, evaluate and publish, the money side: what buyers do, what other prices would bring, the price to set.

use super::market::{Market, Standing};
use crate::pipeline::Night;
use crate::pipeline::options::{Goal as Wanted, PriceOptions};
use crate::price::demand::advice::{Advice, Bounds, Decision, Goal, Situation, advise, prices_to_ask};
use crate::price::demand::endings::Endings;
use crate::price::demand::panel::Panel;
use crate::price::demand::trial::{Errors, Total, WINDOW};
use crate::price::demand::whatif::{Spread, WhatIf, whatif};
use crate::price::demand::{Answer, Demand, Found, demand};
use crate::store::results::{PriceAdvice, PriceElasticity, PriceWhatIf};
use crate::store::{GenerationWriter, Keys, Score};
use anyhow::Result;
use rayon::prelude::*;

/// The demand of the market, and the advice that follows.
#[derive(Debug)]
pub struct Money {
    pub(super) demand: Demand,
    /// One per product of the market.
    pub(super) advice: Vec<Advice>,
    bounds: Bounds,
}

/// The model's name in `scores`.
const DEMAND: &str = "demand";

/// Explains units, looks 28 days ahead, advises.
pub(super) fn money(market: &Market, options: &PriceOptions, night: &Night<'_>) -> Result<Money> {
    let mut planned = vec![None; market.panel.items.len()];
    for standing in &market.products {
        if let Some(item) = standing.item {
            planned[item] = standing.regular;
        }
    }
    let demand = demand(&market.panel, &planned, &night.control)?;
    let prices: Vec<f64> = market
        .products
        .iter()
        .filter_map(|standing| standing.regular)
        .collect();
    let bounds = Bounds {
        goal: match options.goal {
            Wanted::Margin => Goal::Margin,
            Wanted::Revenue => Goal::Revenue,
        },
        // Job files hold nothing else than a fraction between 0 and 1.
        max_change: options.max_change,
        endings: Endings::of(&prices),
    };
    let unknown = Answer::default();
    let advice = market
        .products
        .par_iter()
        .with_min_len(64)
        .map(|standing| {
            let answer = standing.item.map_or(&unknown, |item| &demand.answers[item]);
            let lenders = standing.item.and_then(|item| lenders(&market.panel, item));
            let situation = Situation {
                price_now: standing.price_now,
                sellable: standing.sellable,
                settled: standing.settled.clone(),
                cost: standing.cost,
                weeks: standing.weeks,
                answer,
                trusted: found(&demand, answer).is_some_and(Found::trusted),
                pooled_with: lenders.as_deref(),
            };
            advise(&situation, &bounds)
        })
        .collect();
    Ok(Money {
        demand,
        advice,
        bounds,
    })
}

fn found<'a>(demand: &'a Demand, answer: &Answer) -> Option<&'a Found> {
    answer.kind.and_then(|kind| demand.found(kind))
}

/// Whose evidence helped: its brand and its category where it has them, else the whole shop; `None` where it is alone.
fn lenders(panel: &Panel, item: usize) -> Option<String> {
    let item = &panel.items[item];
    let brand = item
        .brand
        .map(|brand| format!("brand {}", panel.brands[brand as usize]));
    let category = item
        .category
        .map(|category| format!("category {}", panel.categories[category as usize]));
    match (brand, category) {
        (Some(brand), Some(category)) => Some(format!("{brand}, {category}")),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => (panel.items.len() > 1).then(|| "the whole shop".into()),
    }
}

/// How well units are foretold: by kind of product, and over all of them.
pub(super) fn scores(money: &Money) -> Vec<Score> {
    let mut scores = Vec::new();
    let mut score =
        |result, model: &str, slice: &str, metric: &str, value: Option<f64>, split: &str, chosen| {
            scores.push(Score {
                result,
                model: model.to_owned(),
                slice: slice.to_owned(),
                metric: metric.to_owned(),
                value,
                lo90: None,
                hi90: None,
                split: split.to_owned(),
                chosen,
            });
        };
    let weekly = format!("units of the last {WINDOW} weeks, week by week, prices and drivers known");
    let total = format!("units of 4 weeks within the last {WINDOW}, what others did not known");
    let mut all: (Errors, Vec<Total>, bool) = (Errors::default(), Vec::new(), false);
    let mut of_slice = |slice: &str, errors: &Errors, totals: &[Total], chosen: bool| {
        let (typical8, typical) = match slice {
            "steady" => ("median of 8 weeks", "median of all weeks"),
            "slow" => ("mean of 8 weeks", "mean of all weeks"),
            _ => ("typical of 8 weeks", "typical of all weeks"),
        };
        for (model, error) in [
            (DEMAND, errors.demand),
            ("last week", errors.last),
            (typical8, errors.typical8),
            (typical, errors.typical),
        ] {
            let chosen = chosen && model == DEMAND;
            score(
                "price_elasticities",
                model,
                slice,
                "wape",
                errors.wape(error),
                &weekly,
                chosen,
            );
        }
        let sold: f64 = totals.iter().map(|total| total.sold).sum();
        let wape =
            |error: fn(&Total) -> f64| (sold > 0.0).then(|| totals.iter().map(error).sum::<f64>() / sold);
        let expected = wape(|total| (total.sold - total.expected).abs());
        let before = wape(|total| (total.sold - total.before).abs());
        score("price_whatif", DEMAND, slice, "wape", expected, &total, chosen);
        score(
            "price_whatif",
            "last 4 weeks",
            slice,
            "wape",
            before,
            &total,
            false,
        );
    };
    let mut covered = (0.0, 0.0);
    let mut extra = Vec::new();
    for found in &money.demand.kinds {
        let Some(trials) = &found.trials else { continue };
        let slice = found.kind.name();
        of_slice(
            slice,
            &trials.judging.errors,
            &trials.judging.totals,
            found.trusted(),
        );
        all.0.add(&trials.judging.errors);
        all.1.extend(&trials.judging.totals);
        all.2 |= found.trusted();
        let older: Vec<&[Total]> = trials
            .choosing
            .iter()
            .map(|trial| trial.totals.as_slice())
            .collect();
        if let Some(spread) = Spread::new(&older).filter(|_| !trials.judging.totals.is_empty()) {
            let count = trials.judging.totals.len() as f64;
            covered.0 += spread.covers(&trials.judging.totals) * count;
            covered.1 += count;
        }
        extra.push((slice, found.inflation));
    }
    if all.0.observations > 0 {
        of_slice("", &all.0, &all.1, all.2);
    }
    if covered.1 > 0.0 {
        let share = Some(covered.0 / covered.1);
        score("price_whatif", DEMAND, "", "coverage80", share, &total, all.2);
    }
    for (slice, inflation) in extra {
        score(
            "price_elasticities",
            DEMAND,
            slice,
            "vif of the price",
            inflation,
            "all weeks",
            true,
        );
    }
    scores
}

/// The money side of the night in a sentence; nothing where nothing was sold.
pub(super) fn summary(market: &Market, money: &Money) -> Option<String> {
    let known = money
        .demand
        .answers
        .iter()
        .filter(|answer| answer.elasticity.is_some())
        .count();
    if known == 0 {
        return None;
    }
    let count = |decision| {
        let listed = market.products.iter().zip(&money.advice);
        listed
            .filter(|(standing, advice)| standing.listed && advice.decision == decision)
            .count()
    };
    Some(format!(
        "elasticities for {known} products; advice: raise {}, lower {}, keep {}, none {}",
        count(Decision::Raise),
        count(Decision::Lower),
        count(Decision::Keep),
        count(Decision::None)
    ))
}

/// Writes price_elasticities, price_whatif and price_advice.
pub(super) fn write(
    market: &Market,
    money: &Money,
    generation: &mut GenerationWriter<'_>,
    night: &Night<'_>,
) -> Result<()> {
    let names: Vec<&str> = market
        .products
        .iter()
        .map(|standing| standing.product.as_str())
        .collect();
    let keys = night.shop.keys(Keys::Product, &names)?;
    // What is no longer in the catalogue lends evidence, and has no price to set.
    let mut order: Vec<usize> = (0..names.len()).filter(|&p| market.products[p].listed).collect();
    order.sort_unstable_by_key(|&p| keys[p]);
    let answer = |p: usize| {
        market.products[p]
            .item
            .map(|item| (item, &money.demand.answers[item]))
    };

    generation.write(order.iter().filter_map(|&p| {
        let (item, answer) = answer(p)?;
        let elasticity = answer.elasticity?;
        Some(PriceElasticity {
            product_key: keys[p],
            elasticity: elasticity.value,
            std_error: elasticity.std_error,
            lo95: elasticity.lo95,
            hi95: elasticity.hi95,
            observations: i64::from(elasticity.weeks),
            pooled_with: lenders(&market.panel, item),
        })
    }))?;
    night.control.check()?;
    generation.write(
        order
            .iter()
            .flat_map(|&p| {
                let rows =
                    answer(p).map(|(_, answer)| asked(&market.products[p], answer, &money.advice[p], money));
                rows.unwrap_or_default().into_iter().map(move |row| (p, row))
            })
            .map(|(p, row)| PriceWhatIf {
                product_key: keys[p],
                price: row.price,
                units: row.units,
                units_lo80: row.lo80,
                units_hi80: row.hi80,
                revenue: row.revenue,
                margin: row.margin,
            }),
    )?;
    night.control.check()?;
    generation.write(order.iter().map(|&p| {
        let advice = &money.advice[p];
        PriceAdvice {
            product_key: keys[p],
            decision: advice.decision.name().into(),
            price_now: advice.price_now,
            price_advised: advice.price_advised,
            units_change: advice.units_change,
            revenue_change: advice.revenue_change,
            margin_change: advice.margin_change,
            revenue_change_lo80: advice.revenue_change_80.map(|ends| ends.0),
            revenue_change_hi80: advice.revenue_change_80.map(|ends| ends.1),
            goal: money.bounds.goal.name().into(),
            why: advice.why.clone(),
        }
    }))?;
    Ok(())
}

/// The what-if rows of a product: none where units cannot be foretold, where its buyers' reaction is not known, or where
/// they would seem to like higher prices.
fn asked(standing: &Standing, answer: &Answer, advice: &Advice, money: &Money) -> Vec<WhatIf> {
    let spread = found(&money.demand, answer)
        .filter(|found| found.trusted())
        .and_then(|found| found.spread.as_ref());
    let (Some(plan), Some(elasticity), Some(spread)) = (answer.plan, answer.elasticity, spread) else {
        return Vec::new();
    };
    if elasticity.value >= 0.0 || !standing.sellable {
        return Vec::new();
    }
    let tried = standing.tried.unwrap_or((plan.price, plan.price));
    let prices = prices_to_ask(plan.price, advice.price_advised, tried, &money.bounds);
    whatif(plan, &prices, &elasticity, spread, standing.cost)
}
