//! collect, the money side: units by week, drivers by week, costs, what people said of earlier advice.
//!
//! Purchases are added up as they are read, so a night keeps one number for each product and week, however many orders
//! there were. Of each week's purchases the price of the smallest is kept as well: where a shop's posted prices begin
//! later than its orders, it stands in for them, because quantity discounts belong to large ones.

use super::local::Local;
use crate::pipeline::Night;
use crate::price::demand::weeks::{HISTORY, Weeks};
use crate::store::Snapshot;
use anyhow::Result;
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, HashMap};

/// Rows as read, by week.
#[derive(Debug)]
pub struct Sales {
    pub(super) weeks: Weeks,
    pub(super) sold: HashMap<String, Sold>,
    pub(super) drivers: BTreeMap<String, Values>,
    pub(super) offers: HashMap<String, Offered>,
    /// When advice on a product was rejected, where that is the last word on it.
    pub(super) rejected: HashMap<String, i64>,
    /// The shop's own first coming change of a price: when, and to what.
    pub(super) planned: HashMap<String, (i64, Option<f64>)>,
}

/// The purchases of one product.
#[derive(Debug, Default)]
pub(super) struct Sold {
    /// The week of the first entry.
    pub(super) from: usize,
    pub(super) weeks: Vec<Bought>,
}

/// The purchases of one product in one week.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bought {
    pub(super) units: f32,
    /// Unit price of the smallest purchase with a price; 0 = none had one.
    pub(super) paid: f32,
    smallest: f32,
}

/// What the catalogue says.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub(super) brand: Option<String>,
    pub(super) category: Option<String>,
    pub(super) cost: Option<f64>,
    pub(super) sellable: bool,
}

/// A driver by week, past and ahead: the mean of its seven days, a day without a row counting as 0.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) general: Vec<f32>,
    pub(super) own: BTreeMap<String, Vec<f32>>,
    /// Weeks in which some row is not 0, over all products.
    said: u64,
}

/// Days that rejected advice is not repeated.
pub(super) const SILENCE: i64 = 28 * 86_400;
/// Drivers at most: each is a column of every regression.
const DRIVERS: usize = 16;

impl Sales {
    /// Reads it as of the night.
    pub(super) fn read(snapshot: &Snapshot, night: &Night<'_>) -> Result<Sales> {
        let weeks = Weeks::new(night.as_of, HISTORY, &Local(night.zone));
        let mut sales = Sales {
            sold: HashMap::new(),
            drivers: drivers(snapshot, night, &weeks)?,
            offers: HashMap::new(),
            rejected: HashMap::new(),
            planned: HashMap::new(),
            weeks,
        };
        let (mut unusable, mut older, mut unfinished) = (0, 0, 0);
        snapshot.purchases(night.as_of, |purchase| {
            if !(purchase.quantity.is_finite() && purchase.quantity > 0.0 && purchase.quantity < 1e12) {
                unusable += 1;
                return;
            }
            match sales.weeks.of(purchase.at) {
                Some(week) if week < sales.weeks.past() => sales.add(
                    purchase.product_id,
                    week,
                    purchase.quantity as f32,
                    purchase.price.filter(|price| price.is_finite() && *price > 0.0),
                ),
                Some(_) => unfinished += 1,
                None => older += 1,
            }
        })?;
        night.drop_rows(
            "events",
            "purchase of a quantity that is no positive number",
            unusable,
        );
        night.drop_rows(
            "events",
            format!("purchase older than {HISTORY} weeks: not used for elasticities"),
            older,
        );
        night.drop_rows(
            "events",
            "purchase of the day that is not over: its week is not counted",
            unfinished,
        );
        snapshot.offers(|offer| {
            sales.offers.insert(
                offer.product_id.to_owned(),
                Offered {
                    brand: offer.brand.filter(|name| !name.is_empty()).map(str::to_owned),
                    category: offer.category.filter(|name| !name.is_empty()).map(str::to_owned),
                    cost: offer.cost.filter(|cost| cost.is_finite() && *cost >= 0.0),
                    sellable: offer.sellable,
                },
            );
        })?;
        // A verdict is somebody's word, like a rule: as of now, however old the data.
        let now = night.rules_at();
        for verdict in snapshot.verdicts("price_advice", now - SILENCE, now)? {
            if verdict.rejected {
                sales.rejected.insert(verdict.subject_id, verdict.at);
            } else {
                sales.rejected.remove(&verdict.subject_id);
            }
        }
        Ok(sales)
    }

    fn add(&mut self, product: &str, week: usize, quantity: f32, paid: Option<f64>) {
        if !self.sold.contains_key(product) {
            self.sold.insert(
                product.to_owned(),
                Sold {
                    from: week,
                    weeks: Vec::new(),
                },
            );
        }
        let Some(sold) = self.sold.get_mut(product) else {
            return;
        };
        if week < sold.from {
            let missing = sold.from - week;
            sold.weeks
                .splice(0..0, std::iter::repeat_n(Bought::default(), missing));
            sold.from = week;
        }
        let place = week - sold.from;
        if place >= sold.weeks.len() {
            sold.weeks.resize(place + 1, Bought::default());
        }
        let bought = &mut sold.weeks[place];
        bought.units += quantity;
        if let Some(paid) = paid
            && (bought.paid == 0.0 || quantity <= bought.smallest)
        {
            (bought.paid, bought.smallest) = (paid as f32, quantity);
        }
    }

    /// Notes a row of the shop's own that lies ahead of the night; rows come in order of time.
    pub(super) fn plan(&mut self, product: &str, at: i64, price: Option<f64>) {
        if !self.planned.contains_key(product) {
            self.planned.insert(product.to_owned(), (at, price));
        }
    }
}

impl Sold {
    /// A week's purchases.
    pub(super) fn week(&self, week: usize) -> Bought {
        week.checked_sub(self.from)
            .and_then(|place| self.weeks.get(place))
            .copied()
            .unwrap_or_default()
    }
}

/// 'YYYY-MM-DD' as days since 1970-01-01.
fn day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.num_days_from_ce() - NaiveDate::default().num_days_from_ce())
}

fn drivers(snapshot: &Snapshot, night: &Night<'_>, weeks: &Weeks) -> Result<BTreeMap<String, Values>> {
    let mut all: BTreeMap<String, Values> = BTreeMap::new();
    let mut unusable = 0;
    snapshot.drivers(|driver| {
        if !driver.value.is_finite() || driver.value.abs() > 1e12 {
            unusable += 1;
            return;
        }
        // Days that are no days are counted where promotions are read.
        let Some(week) = day(driver.day).and_then(|day| weeks.of_day(day)) else {
            return;
        };
        if !all.contains_key(driver.name) {
            let none = vec![0.0; weeks.all()];
            all.insert(
                driver.name.to_owned(),
                Values {
                    general: none,
                    ..Values::default()
                },
            );
        }
        let Some(values) = all.get_mut(driver.name) else {
            return;
        };
        let of_weeks = if driver.product_id.is_empty() {
            &mut values.general
        } else {
            if !values.own.contains_key(driver.product_id) {
                values
                    .own
                    .insert(driver.product_id.to_owned(), vec![0.0; weeks.all()]);
            }
            let Some(own) = values.own.get_mut(driver.product_id) else {
                return;
            };
            own
        };
        of_weeks[week] += (driver.value / 7.0) as f32;
        values.said += u64::from(driver.value != 0.0);
    })?;
    night.drop_rows("drivers", "value is no number", unusable);
    let mut said: Vec<(u64, String)> = all
        .iter()
        .map(|(name, values)| (values.said, name.clone()))
        .collect();
    said.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    for (rows, name) in said.into_iter().skip(DRIVERS) {
        all.remove(&name);
        night.drop_rows(
            "drivers",
            format!("more than {DRIVERS} names: those with the fewest rows explain no demand"),
            rows,
        );
    }
    Ok(all)
}
