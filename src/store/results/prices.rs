//! Rows of the results of the price family.

use super::ResultRow;
use rusqlite::{Statement, params};

/// A row of `price_forecasts`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceForecast {
    /// Product.
    pub product_key: i64,
    /// Seller.
    pub seller_key: i64,
    /// From 1.
    pub step: i64,
    /// Unix seconds.
    pub at: i64,
    /// Local day, days since 1970-01-01.
    pub day: i64,
    /// Forecast.
    pub price: f64,
    /// 80 % from.
    pub lo80: f64,
    /// 80 % to.
    pub hi80: f64,
    /// 95 % from.
    pub lo95: f64,
    /// 95 % to.
    pub hi95: f64,
    /// Model.
    pub model_key: i64,
    /// 90 % from.
    pub lo90: f64,
    /// 90 % to.
    pub hi90: f64,
}

impl ResultRow for PriceForecast {
    const TABLE: &'static str = "clerk_price_forecasts";
    const INSERT: &'static str = "INSERT INTO clerk_price_forecasts (generation, product_key, seller_key, step, at, day, price, lo80, hi80, lo95, hi95, model_key, lo90, hi90) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.seller_key,
            self.step,
            self.at,
            self.day,
            self.price,
            self.lo80,
            self.hi80,
            self.lo95,
            self.hi95,
            self.model_key,
            self.lo90,
            self.hi90
        ])
    }
}

/// A row of `price_models`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceModel {
    /// Product.
    pub product_key: i64,
    /// Seller.
    pub seller_key: i64,
    /// Model.
    pub model_key: i64,
    /// JSON object.
    pub parameters: String,
    /// Periods fitted on.
    pub observations: i64,
    /// 1 - error / error of the last price.
    pub skill: Option<f64>,
    /// Share inside the 95 % interval.
    pub coverage95: Option<f64>,
    /// Why this model, in plain words.
    pub why: String,
}

impl ResultRow for PriceModel {
    const TABLE: &'static str = "clerk_price_models";
    const INSERT: &'static str = "INSERT INTO clerk_price_models (generation, product_key, seller_key, model_key, parameters, observations, skill, coverage95, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.seller_key,
            self.model_key,
            self.parameters,
            self.observations,
            self.skill,
            self.coverage95,
            self.why
        ])
    }
}

/// A row of `price_stats`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceStats {
    /// Product.
    pub product_key: i64,
    /// Seller.
    pub seller_key: i64,
    /// Last known price.
    pub last_price: Option<f64>,
    /// Last row, Unix seconds.
    pub last_seen_at: Option<i64>,
    /// Day it last changed.
    pub last_change_day: Option<i64>,
    /// Lowest of 30 days.
    pub min30: Option<f64>,
    /// Lowest of the 30 days before the running promotion.
    pub min30_before_promotion: Option<f64>,
    /// Time-weighted mean of 30 days.
    pub avg30: Option<f64>,
    /// Time-weighted mean of 90 days.
    pub avg90: Option<f64>,
    /// Lowest ever.
    pub min_ever: Option<f64>,
    /// When.
    pub min_ever_day: Option<i64>,
    /// Highest ever.
    pub max_ever: Option<f64>,
    /// When.
    pub max_ever_day: Option<i64>,
    /// A promotion runs.
    pub on_promotion: bool,
    /// Standard deviation of one day's return.
    pub volatility_1d: Option<f64>,
    /// The same over 30 days.
    pub volatility_30d: Option<f64>,
}

impl ResultRow for PriceStats {
    const TABLE: &'static str = "clerk_price_stats";
    const INSERT: &'static str = "INSERT INTO clerk_price_stats (generation, product_key, seller_key, last_price, last_seen_at, last_change_day, min30, min30_before_promotion, avg30, avg90, min_ever, min_ever_day, max_ever, max_ever_day, on_promotion, volatility_1d, volatility_30d) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.seller_key,
            self.last_price,
            self.last_seen_at,
            self.last_change_day,
            self.min30,
            self.min30_before_promotion,
            self.avg30,
            self.avg90,
            self.min_ever,
            self.min_ever_day,
            self.max_ever,
            self.max_ever_day,
            self.on_promotion,
            self.volatility_1d,
            self.volatility_30d
        ])
    }
}

/// A row of `price_elasticities`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceElasticity {
    /// Product.
    pub product_key: i64,
    /// % units per % price.
    pub elasticity: f64,
    /// Its standard error.
    pub std_error: f64,
    /// 95 % from.
    pub lo95: f64,
    /// 95 % to.
    pub hi95: f64,
    /// Periods.
    pub observations: i64,
    /// Whose evidence helped.
    pub pooled_with: Option<String>,
}

impl ResultRow for PriceElasticity {
    const TABLE: &'static str = "clerk_price_elasticities";
    const INSERT: &'static str = "INSERT INTO clerk_price_elasticities (generation, product_key, elasticity, std_error, lo95, hi95, observations, pooled_with) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.elasticity,
            self.std_error,
            self.lo95,
            self.hi95,
            self.observations,
            self.pooled_with
        ])
    }
}

/// A row of `price_whatif`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceWhatIf {
    /// Product.
    pub product_key: i64,
    /// At this price.
    pub price: f64,
    /// 28-day units.
    pub units: f64,
    /// 80 % from.
    pub units_lo80: f64,
    /// 80 % to.
    pub units_hi80: f64,
    /// 28-day revenue.
    pub revenue: f64,
    /// 28-day margin.
    pub margin: Option<f64>,
}

impl ResultRow for PriceWhatIf {
    const TABLE: &'static str = "clerk_price_whatif";
    const INSERT: &'static str = "INSERT INTO clerk_price_whatif (generation, product_key, price, units, units_lo80, units_hi80, revenue, margin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.price,
            self.units,
            self.units_lo80,
            self.units_hi80,
            self.revenue,
            self.margin
        ])
    }
}

/// A row of `price_advice`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceAdvice {
    /// Product.
    pub product_key: i64,
    /// raise, lower, keep or none.
    pub decision: String,
    /// Now.
    pub price_now: Option<f64>,
    /// Advised.
    pub price_advised: Option<f64>,
    /// Fraction.
    pub units_change: Option<f64>,
    /// Fraction.
    pub revenue_change: Option<f64>,
    /// Fraction.
    pub margin_change: Option<f64>,
    /// 80 % from.
    pub revenue_change_lo80: Option<f64>,
    /// 80 % to.
    pub revenue_change_hi80: Option<f64>,
    /// margin or revenue.
    pub goal: String,
    /// Plain words.
    pub why: String,
}

impl ResultRow for PriceAdvice {
    const TABLE: &'static str = "clerk_price_advice";
    const INSERT: &'static str = "INSERT INTO clerk_price_advice (generation, product_key, decision, price_now, price_advised, units_change, revenue_change, margin_change, revenue_change_lo80, revenue_change_hi80, goal, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.decision,
            self.price_now,
            self.price_advised,
            self.units_change,
            self.revenue_change,
            self.margin_change,
            self.revenue_change_lo80,
            self.revenue_change_hi80,
            self.goal,
            self.why
        ])
    }
}
