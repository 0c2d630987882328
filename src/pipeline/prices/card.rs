//! The report card of prices: what earlier nights said of days that are over now, beside the last price they knew.

use super::collect::Prepared;
use super::local::Local;
use crate::pipeline::Night;
use crate::price::calendar::Calendar;
use crate::price::outlook::Outlooks;
use crate::price::series::in_force;
use crate::store::{ArchivedForecast, Keys, ReportRow};
use anyhow::Result;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Steps that are kept for later.
const STEPS: [usize; 3] = [1, 7, 28];
/// Series that are kept, the same ones every night.
const SERIES: usize = 1000;
/// Days that a judged forecast stays, so that prices imported late still count.
const LATE: i64 = 3;

/// The series to keep forecasts of: those with the smallest hashes, whatever else joins or leaves the shop.
fn sample(names: &[(String, String)]) -> Vec<usize> {
    let mut hashed: Vec<(u64, usize)> = names
        .iter()
        .enumerate()
        .map(|(s, (product, seller))| (xxh3_64(format!("{product}\0{seller}").as_bytes()), s))
        .collect();
    hashed.sort_unstable();
    let mut sample: Vec<usize> = hashed.into_iter().take(SERIES).map(|(_, s)| s).collect();
    sample.sort_unstable();
    sample
}

/// Sums over the forecasts of one day and step.
#[derive(Debug, Default)]
struct Sums {
    forecast: f64,
    naive: f64,
    inside80: u64,
    inside95: u64,
    count: u64,
}

/// Judges what is due, writes it to the report card, and forgets what was judged some days ago.
pub(super) fn judge(prepared: &Prepared, night: &Night<'_>) -> Result<()> {
    let due = night.shop.forecasts_due(night.as_of)?;
    let mut sums: BTreeMap<(i64, i64), Sums> = BTreeMap::new();
    for (product, seller, forecast) in &due {
        let Some(actual) = price_at(prepared, product, seller, forecast.at) else {
            continue; // no longer offered that day: there was nothing to foretell
        };
        let sum = sums.entry((forecast.day, forecast.step)).or_default();
        sum.forecast += (actual - forecast.price).abs() / actual;
        sum.naive += (actual - forecast.last_price).abs() / actual;
        sum.inside80 += u64::from((forecast.lo80..=forecast.hi80).contains(&actual));
        sum.inside95 += u64::from((forecast.lo95..=forecast.hi95).contains(&actual));
        sum.count += 1;
    }
    let rows: Vec<ReportRow> = sums
        .iter()
        .flat_map(|(&(day, step), sum)| {
            let n = sum.count as f64;
            let row = move |metric: &str, value: f64, naive: Option<f64>| ReportRow {
                day,
                result: "price_forecasts",
                slice: String::new(),
                metric: format!("{metric}@{step}"),
                value: Some(value),
                naive,
                observations: sum.count,
            };
            [
                row("ape", sum.forecast / n, Some(sum.naive / n)),
                row("coverage80", sum.inside80 as f64 / n, None),
                row("coverage95", sum.inside95 as f64 / n, None),
            ]
        })
        .collect();
    night.shop.record_report(&rows)?;
    let today = i64::from(Local(night.zone).day_of(night.as_of));
    night.shop.forget_forecasts_before(today - LATE)?;
    Ok(())
}

/// The price of a product at a seller at an instant that is over.
fn price_at(prepared: &Prepared, product: &str, seller: &str, at: i64) -> Option<f64> {
    let name = |s: usize| (prepared.names[s].0.as_str(), prepared.names[s].1.as_str());
    let (mut low, mut high) = (0, prepared.names.len());
    while low < high {
        let middle = (low + high) / 2;
        if name(middle) < (product, seller) {
            low = middle + 1
        } else {
            high = middle
        }
    }
    if low == prepared.names.len() || name(low) != (product, seller) {
        return None;
    }
    let rows = prepared.rows(low);
    let row = rows.partition_point(|row| row.at <= at).checked_sub(1)?;
    in_force(&rows[row], at, seller.is_empty())
}

/// Keeps a night's forecasts of a few steps until their days have come.
pub(super) fn keep(prepared: &Prepared, found: &Outlooks, night: &Night<'_>) -> Result<()> {
    let sample = sample(&prepared.names);
    let of = |part: fn(&(String, String)) -> &str| -> Vec<&str> {
        sample.iter().map(|&s| part(&prepared.names[s])).collect()
    };
    let products = night.shop.keys(Keys::Product, &of(|name| &name.0))?;
    let sellers = night.shop.keys(Keys::Seller, &of(|name| &name.1))?;
    let forecasts = sample.iter().enumerate().flat_map(|(i, &s)| {
        let (product_key, seller_key) = (products[i], sellers[i]);
        found
            .steps(s)
            .zip(&prepared.ahead)
            .enumerate()
            .filter(|(i, _)| STEPS.contains(&(i + 1)))
            .map(move |(i, (step, &(at, day)))| ArchivedForecast {
                day: i64::from(day),
                step: i as i64 + 1,
                product_key,
                seller_key,
                at,
                last_price: prepared.stats[s].last_price,
                price: step.price,
                lo80: step.low[2],
                hi80: step.high[2],
                lo95: step.low[0],
                hi95: step.high[0],
            })
    });
    night.shop.archive_forecasts(forecasts)?;
    Ok(())
}
