//! The regressors of demand: which there are in this shop, and their values for one product.
//!
//! The first column is always ln(price): its coefficient is the elasticity. A column that could only be constant in
//! this shop (no promotion ever, a category of one product, a driver that is always 0) is not made.

use super::panel::{Item, Panel};
use super::weeks::FEASTS;
use std::ops::Range;

/// One regressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// ln of the own price.
    Price,
    /// Share of the week on promotion.
    Promotion,
    /// A driver.
    Driver(usize),
    /// Promotion times a specific driver: a promotion in the leaflet is more than the two.
    PromotionAndDriver(usize),
    /// Mean of the rivals' ln(price).
    RivalMean,
    /// ln of the lowest rival price.
    RivalLow,
    /// Share of the rivals on promotion.
    RivalPromotion,
    /// Mean of a specific driver over the rivals, and its place among the specific ones.
    RivalDriver(usize, usize),
    /// ln of the lowest price of other sellers.
    Sellers,
    /// A wave over the year.
    Wave(Wave),
    /// A feast of the calendar.
    Feast(usize),
    /// Years before the newest week.
    Trend,
}

/// A yearly wave: its number of periods a year, and sine or cosine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wave {
    periods: u8,
    cosine: bool,
}

/// What is decided about columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Periods of the finest wave over the year; 0 = no season.
    pub season: u8,
    /// Whether the calendar's feasts are in.
    pub feasts: bool,
    /// Whether a trend is in.
    pub trend: bool,
    /// Whether rivals and other sellers are in.
    pub rivals: bool,
}

/// Values needed before a yearly column means anything: a year of weeks.
const YEAR: usize = 52;

impl Column {
    /// The columns of a shop, judged by the weeks before `until`.
    pub fn all(panel: &Panel, members: &[usize], choice: Choice, until: usize) -> Vec<Column> {
        let items = || members.iter().map(|&i| &panel.items[i]);
        let mut columns = vec![Column::Price];
        let promoted = items().any(|item| item.on_sale(until).any(|(_, week)| week.promotion > 0.0));
        if promoted {
            columns.push(Column::Promotion);
        }
        let oldest = items().map(|item| item.from).min().unwrap_or(until);
        let mut place = 0;
        let mut rivalling = Vec::new();
        for (d, driver) in panel.drivers.iter().enumerate() {
            let own = || items().flat_map(|item| item.drivers.iter().filter(|(i, _)| *i == d));
            let varies = varies(&driver.general[oldest.min(until)..until])
                || own().any(|(_, values)| {
                    varies(&values[oldest.min(until)..until]) || values[..until] != driver.general[..until]
                });
            if varies {
                columns.push(Column::Driver(d));
                if driver.specific && promoted {
                    columns.push(Column::PromotionAndDriver(d));
                }
                if driver.specific {
                    rivalling.push(Column::RivalDriver(d, place));
                }
            }
            place += usize::from(driver.specific);
        }
        if choice.rivals {
            let mut counts = vec![0; panel.categories.len()];
            items()
                .filter_map(|item| item.category)
                .for_each(|c| counts[c as usize] += 1);
            if counts.iter().any(|count| *count > 1) {
                columns.extend([Column::RivalMean, Column::RivalLow]);
                if promoted {
                    columns.push(Column::RivalPromotion);
                }
                columns.extend(rivalling);
            }
            if items().any(|item| !item.sellers.is_empty()) {
                columns.push(Column::Sellers);
            }
        }
        let long = until.saturating_sub(oldest) >= YEAR;
        for periods in 1..=choice.season {
            if long {
                columns.extend([false, true].map(|cosine| Column::Wave(Wave { periods, cosine })));
            }
        }
        if choice.feasts {
            columns.extend((0..FEASTS.len()).filter_map(|feast| {
                let seen = (oldest..until).any(|week| panel.weeks.feasts(week)[feast] > 0.0);
                seen.then_some(Column::Feast(feast))
            }));
        }
        if choice.trend && long {
            columns.push(Column::Trend);
        }
        columns
    }

    /// Its name, for people.
    pub fn name(self, panel: &Panel) -> String {
        match self {
            Column::Price => "price".into(),
            Column::Promotion => "promotion".into(),
            Column::Driver(d) => panel.drivers[d].name.clone(),
            Column::PromotionAndDriver(d) => format!("promotion with {}", panel.drivers[d].name),
            Column::RivalMean => "mean price in the category".into(),
            Column::RivalLow => "lowest price in the category".into(),
            Column::RivalPromotion => "promotions in the category".into(),
            Column::RivalDriver(d, _) => format!("{} in the category", panel.drivers[d].name),
            Column::Sellers => "lowest price of other sellers".into(),
            Column::Wave(wave) => format!("season, {} a year", wave.periods),
            Column::Feast(feast) => FEASTS[feast].into(),
            Column::Trend => "trend".into(),
        }
    }

    /// Whether its values ahead are not known, only expected: what others will do.
    fn others(self) -> bool {
        matches!(
            self,
            Column::RivalMean
                | Column::RivalLow
                | Column::RivalPromotion
                | Column::RivalDriver(..)
                | Column::Sellers
        )
    }

    /// Its value in a past week; `NaN` where there is none.
    fn past(self, panel: &Panel, item: &Item, week: usize) -> f64 {
        let own = item.week(week);
        match self {
            Column::Price => f64::from(own.log_price),
            Column::Promotion => f64::from(own.promotion),
            Column::PromotionAndDriver(d) => f64::from(own.promotion * panel.driver(item, d, week)),
            Column::RivalMean => panel.rivals(item, week).map_or(f64::NAN, |rival| rival.mean),
            Column::RivalLow => panel.rivals(item, week).map_or(f64::NAN, |rival| rival.low),
            Column::RivalPromotion => panel.rivals(item, week).map_or(f64::NAN, |rival| rival.promotion),
            Column::RivalDriver(d, place) => panel.rival_driver(item, d, place, week).unwrap_or(f64::NAN),
            Column::Sellers => week
                .checked_sub(item.from)
                .and_then(|i| item.sellers.get(i))
                .map_or(f64::NAN, |price| f64::from(*price)),
            _ => self.calendar(panel, item, week),
        }
    }

    /// Its value in any week, where it is known long before.
    fn calendar(self, panel: &Panel, item: &Item, week: usize) -> f64 {
        match self {
            Column::Driver(d) => f64::from(panel.driver(item, d, week)),
            Column::Wave(Wave { periods, cosine }) => {
                let middle = f64::from(panel.weeks.first_day(week)) + 3.5;
                let angle = std::f64::consts::TAU * f64::from(periods) * middle / 365.2425;
                if cosine { angle.cos() } else { angle.sin() }
            }
            Column::Feast(feast) => panel.weeks.feasts(week)[feast],
            Column::Trend => (week as f64 + 1.0 - panel.weeks.past() as f64) / 52.1775,
            _ => f64::NAN,
        }
    }
}

fn varies(values: &[f32]) -> bool {
    values.windows(2).any(|pair| pair[0] != pair[1])
}

/// What is taken as known of a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Knowledge {
    /// Everything as it was.
    AsItWas,
    /// The own price and promotion as they were; what others do as in the eight weeks before this one.
    OthersAsOf(usize),
    /// This ln(price) without promotion, what others do as in the newest eight weeks: a week ahead.
    Planned(f64),
}

/// Weeks whose mean stands for what rivals will do.
const LATELY: usize = 8;

/// Fills one row per week into `rows` (row-major, one entry per column); `NaN` where a value is missing.
pub fn fill(
    columns: &[Column],
    panel: &Panel,
    item: &Item,
    weeks: impl Iterator<Item = usize>,
    knowledge: Knowledge,
    rows: &mut Vec<f64>,
) {
    let origin = match knowledge {
        Knowledge::AsItWas => None,
        Knowledge::OthersAsOf(origin) => Some(origin),
        Knowledge::Planned(_) => Some(panel.weeks.past()),
    };
    let expected: Vec<f64> = columns
        .iter()
        .map(|column| match origin {
            Some(origin) if column.others() => {
                mean(*column, panel, item, origin.saturating_sub(LATELY)..origin)
            }
            _ => f64::NAN,
        })
        .collect();
    for week in weeks {
        for (column, expected) in columns.iter().zip(&expected) {
            rows.push(match (knowledge, column) {
                (Knowledge::OthersAsOf(_) | Knowledge::Planned(_), column) if column.others() => *expected,
                (Knowledge::Planned(price), Column::Price) => price,
                (Knowledge::Planned(_), Column::Promotion | Column::PromotionAndDriver(_)) => 0.0,
                (Knowledge::Planned(_), column) => column.calendar(panel, item, week),
                (_, column) => column.past(panel, item, week),
            });
        }
    }
}

fn mean(column: Column, panel: &Panel, item: &Item, weeks: Range<usize>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in weeks.map(|week| column.past(panel, item, week)) {
        if !value.is_nan() {
            sum += value;
            count += 1.0;
        }
    }
    sum / count // NaN where there is none
}
