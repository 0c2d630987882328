//! prepare, the money side: every product's weeks on one panel, and what is known of it tonight.

use super::collect::Prepared;
use super::local::Local;
use super::sales::{SILENCE, Sales, Sold};
use crate::pipeline::Night;
use crate::price::calendar::{Calendar, day_text};
use crate::price::demand::advice::Settled;
use crate::price::demand::panel::{Driver, Item, Panel, Week};
use crate::price::demand::weeks::{AHEAD, HALF, Weeks, weekly};
use crate::price::series::{Posted, mend};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// Weeks whose prices count as tried.
const TRIED: usize = 104;

/// The panel, and each product's standing.
#[derive(Debug)]
pub struct Market {
    pub(super) panel: Panel,
    /// The shop's own products, in text order.
    pub(super) products: Vec<Standing>,
}

/// What is known of one of the shop's products tonight.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) product: String,
    /// Its item in the panel, if it was ever sold while its price was known.
    pub(super) item: Option<usize>,
    /// Whether it is in the catalogue, or the shop keeps none.
    pub(super) listed: bool,
    /// The price in force.
    pub(super) price_now: Option<f64>,
    /// The price a plan stands on: the regular one while a promotion runs.
    pub(super) regular: Option<f64>,
    pub(super) settled: Option<Settled>,
    pub(super) cost: Option<f64>,
    pub(super) sellable: bool,
    /// Weeks on sale since its first sale.
    pub(super) weeks: usize,
    /// Lowest and highest price of two years.
    pub(super) tried: Option<(f64, f64)>,
}

/// Puts sales, prices and drivers together.
pub(super) fn market(sales: Sales, prepared: &Prepared, night: &Night<'_>) -> Market {
    let weeks = &sales.weeks;
    let (as_of, calendar) = (night.as_of, Local(night.zone));
    // The series of each product: the shop's own and the other sellers', next to each other in text order.
    let groups: Vec<std::ops::Range<usize>> = {
        let names = &prepared.names;
        let mut starts: Vec<usize> = (0..names.len())
            .filter(|&s| s == 0 || names[s].0 != names[s - 1].0)
            .collect();
        starts.push(names.len());
        starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    };
    let mut found: Vec<(Standing, Option<Item>)> = groups
        .into_par_iter()
        .with_min_len(64)
        .filter_map(|series| {
            // The seller '' is the first.
            let own = Some(series.start).filter(|&s| prepared.own(s))?;
            let product = &prepared.names[own].0;
            let (rows, _) = mend(&prepared.rows(own));
            let mut standing = standing(product, &prepared.rows(own), &sales, as_of, calendar);
            let item = sales.sold.get(product).and_then(|sold| {
                let mut item = item(sold, &rows, weeks)?;
                let others: Vec<Vec<Posted>> = series.skip(1).map(|s| prepared.rows(s)).collect();
                item.sellers = sellers(&others, &item, weeks);
                Some(item)
            });
            if let Some(item) = &item {
                standing.weeks = item.on_sale(weeks.past()).count();
                let recent = item.on_sale(weeks.past()).rev().take(TRIED);
                standing.tried = recent
                    .map(|(_, week)| f64::from(week.log_price).exp())
                    .map(|price| (price, price))
                    .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            }
            Some((standing, item))
        })
        .collect();

    // What is in the catalogue and never had a price of the shop's own has nothing to say, and says so.
    let priced: HashSet<&String> = found.iter().map(|(standing, _)| &standing.product).collect();
    let unpriced: Vec<(Standing, Option<Item>)> = sales
        .offers
        .iter()
        .filter(|(product, _)| !priced.contains(product))
        .map(|(product, offer)| {
            let standing = Standing {
                product: product.clone(),
                listed: true,
                cost: offer.cost,
                sellable: offer.sellable,
                ..Standing::default()
            };
            (standing, None)
        })
        .collect();
    found.extend(unpriced);
    found.sort_by(|(a, _), (b, _)| a.product.cmp(&b.product));

    let names = |of: fn(&super::sales::Offered) -> Option<&String>| {
        let mut index: BTreeMap<String, u32> = BTreeMap::new();
        for (standing, item) in &found {
            if let (Some(_), Some(offer)) = (item, sales.offers.get(&standing.product))
                && let Some(name) = of(offer)
            {
                index.entry(name.clone()).or_default();
            }
        }
        index.values_mut().zip(0..).for_each(|(place, i)| *place = i);
        index
    };
    let brands = names(|offer| offer.brand.as_ref());
    let categories = names(|offer| offer.category.as_ref());
    let mut items = Vec::new();
    let mut products = Vec::new();
    for (mut standing, item) in found.drain(..) {
        if let Some(mut item) = item {
            let offer = sales.offers.get(&standing.product);
            let of = |index: &BTreeMap<String, u32>, name: Option<&String>| {
                name.and_then(|name| index.get(name).copied())
            };
            item.brand = of(&brands, offer.and_then(|offer| offer.brand.as_ref()));
            item.category = of(&categories, offer.and_then(|offer| offer.category.as_ref()));
            item.product = products.len();
            item.drivers = sales
                .drivers
                .values()
                .enumerate()
                .filter_map(|(d, values)| Some((d, values.own.get(&standing.product)?.clone())))
                .collect();
            standing.item = Some(items.len());
            items.push(item);
        }
        products.push(standing);
    }
    let drivers = sales
        .drivers
        .into_iter()
        .map(|(name, values)| Driver {
            name,
            specific: !values.own.is_empty(),
            general: values.general,
        })
        .collect();
    Market {
        panel: Panel::new(
            sales.weeks,
            items,
            drivers,
            brands.into_keys().collect(),
            categories.into_keys().collect(),
        ),
        products,
    }
}

/// What is known of a product tonight, from its own rows, cleaned but not mended: what was posted was asked.
fn standing(product: &str, rows: &[Posted], sales: &Sales, as_of: i64, calendar: Local) -> Standing {
    let last = rows.last();
    let price_now = last.and_then(|row| row.price);
    let promoted = last.is_some_and(|row| row.promotion && row.price.is_some());
    let regular = if promoted {
        rows.iter()
            .rev()
            .filter(|row| !row.promotion)
            .find_map(|row| row.price)
            .or(price_now)
    } else {
        price_now
    };
    let offer = sales.offers.get(product);
    let text = |at: i64| day_text(calendar.day_of(at));
    let soon = as_of + 7 * AHEAD as i64 * 86_400;
    let settled = if promoted {
        Some(Settled::Promotion)
    } else if let Some(&(at, price)) = sales.planned.get(product).filter(|(at, _)| *at <= soon) {
        Some(Settled::Planned { price, day: text(at) })
    } else {
        sales.rejected.get(product).map(|&at| Settled::Rejected {
            day: text(at),
            until: text(at + SILENCE),
        })
    };
    Standing {
        product: product.to_owned(),
        listed: offer.is_some() || sales.offers.is_empty(),
        price_now,
        regular,
        settled,
        cost: offer.and_then(|offer| offer.cost),
        // Where there is no catalogue, nothing is hidden.
        sellable: offer.is_none_or(|offer| offer.sellable),
        ..Standing::default()
    }
}

/// The weeks of a product from its first sale; `None` where no week with a known price is left.
fn item(sold: &Sold, rows: &[Posted], weeks: &Weeks) -> Option<Item> {
    let asked = weekly(rows, true, weeks);
    let first = rows.first().map_or(i64::MAX, |row| row.at);
    let mut paid = 0.0f32;
    let all: Vec<Week> = (sold.from..weeks.past())
        .map(|week| {
            let bought = sold.week(week);
            if bought.paid > 0.0 {
                paid = bought.paid;
            }
            match asked[week] {
                Some(asked) if asked.offered >= HALF => Week {
                    units: bought.units,
                    log_price: asked.log_price as f32,
                    promotion: asked.promotion as f32,
                },
                // Before the first posted price: what was paid, and until somebody paid something else.
                None if weeks.bounds(week).1 < first && paid > 0.0 => Week {
                    units: bought.units,
                    log_price: paid.ln(),
                    promotion: 0.0,
                },
                _ => Week::UNKNOWN,
            }
        })
        .collect();
    let from = all.iter().position(|week| week.units > 0.0 && week.on_sale())?;
    Some(Item {
        product: 0,
        brand: None,
        category: None,
        from: sold.from + from,
        weeks: all[from..].to_vec(),
        sellers: Vec::new(),
        drivers: Vec::new(),
    })
}

/// ln of the lowest price of the other sellers, for the item's weeks.
fn sellers(others: &[Vec<Posted>], item: &Item, weeks: &Weeks) -> Vec<f32> {
    let mut lowest = vec![f32::NAN; item.weeks.len()];
    let mut anybody = false;
    for rows in others {
        for (place, asked) in weekly(&mend(rows).0, false, weeks)
            .iter()
            .skip(item.from)
            .enumerate()
        {
            if let Some(asked) = asked.filter(|asked| asked.offered >= HALF) {
                lowest[place] = lowest[place].min(asked.log_price as f32);
                anybody = true;
            }
        }
    }
    if anybody { lowest } else { Vec::new() }
}
