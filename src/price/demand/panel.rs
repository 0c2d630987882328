//! What is known of every product's weeks: units, price, promotion, drivers, and what its rivals asked.
//!
//! An *item* is a product of the shop with at least one week on sale. Its *rivals* are the other products of its
//! category: their mean and lowest price, their promotions. A *specific* driver says something of single products (a
//! place in the leaflet), a *general* one of all (a holiday). Numbers are single precision: a hundred thousand products
//! of three years fit into memory, and no price or quantity has more than six digits that matter here.

use super::weeks::Weeks;

/// One week of one product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Week {
    /// Units sold; 0 is a week on sale without a sale.
    pub units: f32,
    /// Mean of ln(price); `NaN` where it was not on sale, or for less than half of the week.
    pub log_price: f32,
    /// Share of the time that was a promotion.
    pub promotion: f32,
}

impl Week {
    /// A week that tells nothing.
    pub const UNKNOWN: Week = Week {
        units: 0.0,
        log_price: f32::NAN,
        promotion: 0.0,
    };

    /// Whether it was on sale.
    pub fn on_sale(&self) -> bool {
        !self.log_price.is_nan()
    }
}

/// One product.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The caller's number of it.
    pub product: usize,
    /// Index of its brand, if it has one.
    pub brand: Option<u32>,
    /// Index of its category, if it has one.
    pub category: Option<u32>,
    /// The first of `weeks`.
    pub from: usize,
    /// From its first week with a sale to the newest week.
    pub weeks: Vec<Week>,
    /// ln of the lowest price that other sellers asked, for the same weeks; `NaN` = nobody did. Empty = never anybody.
    pub sellers: Vec<f32>,
    /// Its own values of drivers, by index: one for every week, past and ahead.
    pub drivers: Vec<(usize, Vec<f32>)>,
}

impl Item {
    /// A past week; one before its first sale is unknown.
    pub fn week(&self, week: usize) -> Week {
        week.checked_sub(self.from)
            .and_then(|i| self.weeks.get(i))
            .copied()
            .unwrap_or(Week::UNKNOWN)
    }

    /// Weeks on sale before week `until`.
    pub fn on_sale(&self, until: usize) -> impl DoubleEndedIterator<Item = (usize, Week)> + '_ {
        let count = until.saturating_sub(self.from).min(self.weeks.len());
        self.weeks[..count]
            .iter()
            .enumerate()
            .filter(|(_, week)| week.on_sale())
            .map(|(i, week)| (self.from + i, *week))
    }
}

/// A covariate of the table `drivers`, by week.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// What it is for products it says nothing of themselves: one value for every week, past and ahead.
    pub general: Vec<f32>,
    /// Whether single products have values of their own.
    pub specific: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The weeks.
    pub weeks: Weeks,
    /// The products, in the caller's order.
    pub items: Vec<Item>,
    /// Covariates.
    pub drivers: Vec<Driver>,
    /// Names of brands.
    pub brands: Vec<String>,
    /// Names of categories.
    pub categories: Vec<String>,
    rivals: Vec<Rivals>,
}

/// One category, week by week, all products together.
#[derive(Debug, Clone, PartialEq)]
struct Rivals {
    weeks: Vec<Market>,
    /// Sums of the specific drivers, `specific * week + i`.
    drivers: Vec<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Market {
    count: f32,
    log_prices: f64,
    lowest: f32,
    second: f32,
    promotions: f32,
}

impl Panel {
    /// Puts the items of all products together and adds up what rivals asked.
    pub fn new(
        weeks: Weeks,
        items: Vec<Item>,
        drivers: Vec<Driver>,
        brands: Vec<String>,
        categories: Vec<String>,
    ) -> Self {
        let specific: Vec<usize> = (0..drivers.len()).filter(|&d| drivers[d].specific).collect();
        let none = Market {
            count: 0.0,
            log_prices: 0.0,
            lowest: f32::INFINITY,
            second: f32::INFINITY,
            promotions: 0.0,
        };
        let mut rivals = vec![
            Rivals {
                weeks: vec![none; weeks.past()],
                drivers: vec![0.0; weeks.past() * specific.len()],
            };
            categories.len()
        ];
        let mut panel = Self {
            weeks,
            items,
            drivers,
            brands,
            categories,
            rivals: Vec::new(),
        };
        for item in &panel.items {
            let Some(category) = item.category else { continue };
            let rivals = &mut rivals[category as usize];
            for (t, week) in item.on_sale(panel.weeks.past()) {
                let market = &mut rivals.weeks[t];
                market.count += 1.0;
                market.log_prices += f64::from(week.log_price);
                market.promotions += week.promotion;
                market.second = market.second.min(week.log_price.max(market.lowest));
                market.lowest = market.lowest.min(week.log_price);
                for (i, &d) in specific.iter().enumerate() {
                    rivals.drivers[specific.len() * t + i] += panel.driver(item, d, t);
                }
            }
        }
        panel.rivals = rivals;
        panel
    }

    /// A driver's value for a product in a week, past or ahead.
    pub fn driver(&self, item: &Item, driver: usize, week: usize) -> f32 {
        let own = item.drivers.iter().find(|(d, _)| *d == driver);
        own.map_or_else(|| self.drivers[driver].general[week], |(_, values)| values[week])
    }

    /// What an item's rivals did in a past week; `None` where it has none on sale.
    pub fn rivals(&self, item: &Item, week: usize) -> Option<RivalWeek> {
        let market = self.rivals[item.category? as usize].weeks[week];
        let own = item.week(week);
        let mine = own.on_sale();
        let count = market.count - f32::from(u8::from(mine));
        if count < 0.5 {
            return None;
        }
        let mut rival = RivalWeek {
            mean: market.log_prices / f64::from(count),
            low: f64::from(market.lowest),
            promotion: f64::from(market.promotions / count),
        };
        if mine {
            rival.mean = (market.log_prices - f64::from(own.log_price)) / f64::from(count);
            rival.promotion = f64::from((market.promotions - own.promotion) / count);
            if own.log_price <= market.lowest {
                rival.low = f64::from(market.second);
            }
        }
        Some(rival)
    }

    /// The mean of a specific driver over an item's rivals in a past week; `place` counts the specific drivers.
    pub fn rival_driver(&self, item: &Item, driver: usize, place: usize, week: usize) -> Option<f64> {
        let rivals = &self.rivals[item.category? as usize];
        let specific = rivals.drivers.len() / rivals.weeks.len().max(1);
        let mine = item.week(week).on_sale();
        let count = rivals.weeks[week].count - f32::from(u8::from(mine));
        if count < 0.5 {
            return None;
        }
        let own = if mine {
            self.driver(item, driver, week)
        } else {
            0.0
        };
        Some(f64::from((rivals.drivers[specific * week + place] - own) / count))
    }
}

/// What an item's rivals did in a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RivalWeek {
    /// Mean of ln(price).
    pub mean: f64,
    /// ln of the lowest price.
    pub low: f64,
    /// Share of them on promotion.
    pub promotion: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::calendar::Utc;

    fn item(product: usize, category: Option<u32>, from: usize, prices: &[f32]) -> Item {
        Item {
            product,
            brand: None,
            category,
            from,
            weeks: prices
                .iter()
                .map(|price| Week {
                    units: 1.0,
                    log_price: if *price > 0.0 { price.ln() } else { f32::NAN },
                    promotion: f32::from(u8::from(*price == 2.0)),
                })
                .collect(),
            sellers: Vec::new(),
            drivers: Vec::new(),
        }
    }

    #[test]
    fn rivals_are_the_other_products_of_the_category() {
        let weeks = Weeks::new(28 * 86_400 - 1, 4, &Utc);
        let mut items = vec![
            item(0, Some(0), 0, &[4.0, 2.0, 2.0, 0.0]),
            item(1, Some(0), 1, &[8.0, 2.0, 6.0]),
            item(2, None, 0, &[1.0; 4]),
            item(3, Some(1), 0, &[1.0; 4]),
        ];
        items[1].drivers = vec![(0, vec![1.0; 8])];
        let driver = Driver {
            name: "leaflet".into(),
            general: vec![0.0; 8],
            specific: true,
        };
        let panel = Panel::new(
            weeks,
            items,
            vec![driver],
            vec![],
            vec!["tea".into(), "pots".into()],
        );
        let of = |i: usize, week| panel.rivals(&panel.items[i], week);
        assert_eq!(of(0, 0), None, "alone on sale that week");
        let rival = of(0, 1).unwrap();
        assert!((rival.mean - 8f64.ln()).abs() < 1e-6 && (rival.low - 8f64.ln()).abs() < 1e-6);
        assert_eq!(rival.promotion, 0.0);
        // Both ask 2: each one's cheapest rival asks 2, too.
        assert!((of(0, 2).unwrap().low - 2f64.ln()).abs() < 1e-6);
        assert_eq!(of(0, 2).unwrap().promotion, 1.0);
        // Not on sale itself: all others are rivals.
        assert!((of(0, 3).unwrap().mean - 6f64.ln()).abs() < 1e-6);
        assert_eq!((of(2, 0), of(3, 0)), (None, None));
        assert_eq!(panel.rival_driver(&panel.items[0], 0, 0, 1), Some(1.0));
        assert_eq!(panel.rival_driver(&panel.items[1], 0, 0, 1), Some(0.0));
        assert_eq!(panel.items[0].on_sale(4).count(), 3);
        assert!(!panel.items[1].week(0).on_sale());
    }
}
