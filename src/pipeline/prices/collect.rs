//! collect and prepare: price rows as of one instant, cleaned, and laid on one grid of steps.

use super::local::Local;
use crate::pipeline::Night;
use crate::pipeline::options::{Frequency as Wanted, PriceOptions};
use crate::price::calendar::Calendar;
use crate::price::series::{Frequency, Posted, Repairs, Series, clean, detect_frequency};
use crate::price::stats::{Stats, stats};
use crate::store::Snapshot;
use anyhow::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Steps of a series that are looked at, the newest: three years of days.
const MAX_STEPS: usize = 1096;

/// Rows as read.
#[derive(Debug, Default)]
pub struct Collected {
    /// (product, seller) in text order, with its rows in order of time.
    histories: Vec<History>,
    category_of_product: BTreeMap<String, String>,
}

/// The rows of one product at one seller.
#[derive(Debug)]
struct History {
    product: String,
    seller: String,
    rows: Vec<Posted>,
}

/// One series per (product, seller), in text order.
#[derive(Debug)]
pub struct Prepared {
    pub(super) names: Vec<(String, String)>,
    pub(super) series: Vec<Series>,
    pub(super) stats: Vec<Stats>,
    pub(super) categories: Vec<String>,
    pub(super) category_of: Vec<usize>,
    pub(super) frequency: Frequency,
    /// Instant and local day of each step ahead.
    pub(super) ahead: Vec<(i64, i32)>,
}

/// The rows of every product and seller, in text order.
pub(super) fn collect(snapshot: &Snapshot) -> Result<Collected> {
    let mut histories: Vec<History> = Vec::new();
    snapshot.prices(|price| {
        let row = Posted {
            at: price.at,
            price: price.price,
            promotion: price.promotion,
        };
        match histories.last_mut() {
            Some(last) if last.product == price.product_id && last.seller == price.seller => {
                last.rows.push(row)
            }
            _ => histories.push(History {
                product: price.product_id.to_owned(),
                seller: price.seller.to_owned(),
                rows: vec![row],
            }),
        }
    })?;
    let category_of_product = snapshot
        .products()?
        .into_iter()
        .filter_map(|product| Some((product.product_id, product.category?)))
        .collect();
    Ok(Collected {
        histories,
        category_of_product,
    })
}

/// Cleans, counts what is left out, and builds one series per product and seller.
pub(super) fn prepare(options: &PriceOptions, collected: Collected, night: &Night<'_>) -> Prepared {
    let (calendar, as_of) = (Local(night.zone), night.as_of);
    let cleaned: Vec<(Vec<Posted>, Repairs)> = collected
        .histories
        .par_iter()
        .map(|history| clean(&history.rows, as_of))
        .collect();
    let mut repairs = Repairs::default();
    cleaned.iter().for_each(|(_, found)| repairs += *found);
    night.drop_rows(
        "prices",
        "price is zero, negative or no number",
        repairs.not_a_price,
    );
    night.drop_rows("prices", "later than the night", repairs.later);
    night.drop_rows("prices", "another row of the same instant", repairs.duplicates);

    let frequency = match options.frequency {
        Wanted::Auto => detect_frequency(cleaned.iter().map(|(rows, _)| rows.as_slice())),
        Wanted::Hourly => Frequency::Hourly,
        Wanted::Daily => Frequency::Daily,
        Wanted::Weekly => Frequency::Weekly,
        Wanted::Monthly => Frequency::Monthly,
    };
    let instants = frequency.past(as_of, MAX_STEPS, &calendar);
    let ahead = (1..=options.horizon as i32)
        .map(|step| frequency.instant(as_of, step, &calendar))
        .map(|at| (at, calendar.day_of(at)))
        .collect();

    let built: Vec<Option<(Series, Stats)>> = collected
        .histories
        .par_iter()
        .zip(&cleaned)
        .map(|(history, (rows, _))| {
            let own = history.seller.is_empty();
            stats(rows, own, as_of, &calendar).map(|stats| (Series::build(rows, own, &instants), stats))
        })
        .collect();
    let category = |product: &str| {
        collected
            .category_of_product
            .get(product)
            .cloned()
            .unwrap_or_default()
    };
    let kept = || {
        collected
            .histories
            .iter()
            .zip(&built)
            .filter(|(_, built)| built.is_some())
    };
    let mut categories: Vec<String> = kept().map(|(history, _)| category(&history.product)).collect();
    let of_each = categories.clone();
    categories.sort_unstable();
    categories.dedup();
    let category_of = of_each
        .iter()
        .map(|name| categories.partition_point(|other| other < name))
        .collect();
    let never = built
        .iter()
        .zip(&cleaned)
        .filter(|(built, _)| built.is_none())
        .map(|(_, (rows, _))| rows.len());
    night.drop_rows(
        "prices",
        "never a price of this product and seller up to the night",
        never.sum::<usize>() as u64,
    );
    let names = kept()
        .map(|(history, _)| (history.product.clone(), history.seller.clone()))
        .collect();
    let (series, stats) = built.into_iter().flatten().unzip();
    Prepared {
        names,
        series,
        stats,
        categories,
        category_of,
        frequency,
        ahead,
    }
}
