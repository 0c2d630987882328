//! publish: forecasts, models and statistics, each in the order of its table's keys.

use super::Judged;
use super::collect::Prepared;
use crate::pipeline::Night;
use crate::price::catalogue::NAMES;
use crate::price::garch::Movement;
use crate::store::results::{PriceForecast, PriceModel, PriceStats};
use crate::store::{GenerationWriter, Keys};
use anyhow::Result;

/// Writes all result tables of the family.
pub(super) fn write(
    prepared: &Prepared,
    judged: &Judged,
    generation: &mut GenerationWriter<'_>,
    night: &Night<'_>,
) -> Result<()> {
    let products: Vec<&str> = prepared
        .names
        .iter()
        .map(|(product, _)| product.as_str())
        .collect();
    let sellers: Vec<&str> = prepared.names.iter().map(|(_, seller)| seller.as_str()).collect();
    let products = night.shop.keys(Keys::Product, &products)?;
    let sellers = night.shop.keys(Keys::Seller, &sellers)?;
    let models = night.shop.keys(Keys::Model, &NAMES)?;
    // In the order of the tables' keys.
    let mut order: Vec<usize> = (0..prepared.names.len()).collect();
    order.sort_unstable_by_key(|&s| (products[s], sellers[s]));

    generation.write(order.iter().flat_map(|&s| {
        let model_key = models[judged.outlooks.series[s].model];
        let (product_key, seller_key) = (products[s], sellers[s]);
        judged
            .outlooks
            .steps(s)
            .zip(&prepared.ahead)
            .enumerate()
            .map(move |(i, (step, &(at, day)))| PriceForecast {
                product_key,
                seller_key,
                step: i as i64 + 1,
                at,
                day: i64::from(day),
                price: step.price,
                lo80: step.low[2],
                hi80: step.high[2],
                lo95: step.low[0],
                hi95: step.high[0],
                model_key,
                lo90: step.low[1],
                hi90: step.high[1],
            })
    }))?;
    night.control.check()?;
    generation.write(order.iter().map(|&s| {
        let outlook = &judged.outlooks.series[s];
        PriceModel {
            product_key: products[s],
            seller_key: sellers[s],
            model_key: models[outlook.model],
            parameters: outlook.parameters.clone(),
            observations: outlook.observations as i64,
            skill: outlook.skill,
            coverage95: outlook.coverage95,
            why: outlook.why.to_string(),
        }
    }))?;
    night.control.check()?;
    generation.write(order.iter().map(|&s| {
        let stats = &prepared.stats[s];
        let volatility = match judged.movements[s] {
            Movement::Volatile(volatility) => Some(volatility),
            Movement::Still | Movement::Unexplained => None,
        };
        PriceStats {
            product_key: products[s],
            seller_key: sellers[s],
            last_price: Some(stats.last_price),
            last_seen_at: Some(stats.last_seen_at),
            last_change_day: stats.last_change_day.map(i64::from),
            min30: stats.min30,
            min30_before_promotion: stats.min30_before_promotion,
            avg30: stats.avg30,
            avg90: stats.avg90,
            min_ever: Some(stats.min_ever),
            min_ever_day: Some(i64::from(stats.min_ever_day)),
            max_ever: Some(stats.max_ever),
            max_ever_day: Some(i64::from(stats.max_ever_day)),
            on_promotion: stats.on_promotion,
            volatility_1d: volatility.map(|v| v.one_day),
            volatility_30d: volatility.map(|v| v.thirty_days),
        }
    }))?;
    Ok(())
}
