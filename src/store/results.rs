//! The rows a night writes: one type for each result table, with its INSERT. Keys are those of
//! [`super::Keys`]; days are counted from 1970-01-01 in the shop's time zone.

use rusqlite::{Statement, params};

/// A row of a result table.
pub trait ResultRow {
    /// The table, for error messages and sweeping.
    const TABLE: &'static str;
    /// Inserts with the generation as first parameter.
    const INSERT: &'static str;
    /// Binds and runs.
    #[doc(hidden)]
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize>;
}

/// One result table, as sweeping and rolling back see it.
#[derive(Debug, Clone, Copy)]
pub struct ResultTable {
    /// The table.
    pub table: &'static str,
    /// The view over it.
    pub view: &'static str,
    /// The family that writes it.
    pub family: &'static str,
    /// The column after `generation` in the primary key of a WITHOUT ROWID table; None = a rowid table.
    pub key: Option<&'static str>,
}

/// Every result table.
pub const TABLES: [ResultTable; 16] = [
    ResultTable {
        table: "clerk_recommendations",
        view: "recommendations",
        family: "recommendations",
        key: Some("user_key"),
    },
    ResultTable {
        table: "clerk_visitor_recommendations",
        view: "visitor_recommendations",
        family: "recommendations",
        key: None,
    },
    ResultTable {
        table: "clerk_similar_products",
        view: "similar_products",
        family: "recommendations",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_bought_together",
        view: "bought_together",
        family: "recommendations",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_next_products",
        view: "next_products",
        family: "recommendations",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_buy_again",
        view: "buy_again",
        family: "recommendations",
        key: Some("user_key"),
    },
    ResultTable {
        table: "clerk_popular_products",
        view: "popular_products",
        family: "recommendations",
        key: None,
    },
    ResultTable {
        table: "clerk_price_forecasts",
        view: "price_forecasts",
        family: "prices",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_price_models",
        view: "price_models",
        family: "prices",
        key: None,
    },
    ResultTable {
        table: "clerk_price_stats",
        view: "price_stats",
        family: "prices",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_price_elasticities",
        view: "price_elasticities",
        family: "prices",
        key: None,
    },
    ResultTable {
        table: "clerk_price_whatif",
        view: "price_whatif",
        family: "prices",
        key: Some("product_key"),
    },
    ResultTable {
        table: "clerk_price_advice",
        view: "price_advice",
        family: "prices",
        key: None,
    },
    ResultTable {
        table: "clerk_ticket_routes",
        view: "ticket_routes",
        family: "support",
        key: None,
    },
    ResultTable {
        table: "clerk_ticket_neighbours",
        view: "ticket_neighbours",
        family: "support",
        key: None,
    },
    ResultTable {
        table: "clerk_ticket_drafts",
        view: "ticket_drafts",
        family: "support",
        key: None,
    },
];

/// A row of `recommendations`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// [`Keys::User`](super::Keys).
    pub user_key: i64,
    /// From 1.
    pub rank: i64,
    /// [`Keys::Product`](super::Keys).
    pub product_key: i64,
    /// Larger is better.
    pub score: f64,
    /// [`Keys::Model`](super::Keys).
    pub model_key: i64,
    /// The history product that speaks loudest for it.
    pub because_key: Option<i64>,
}

impl ResultRow for Recommendation {
    const TABLE: &'static str = "clerk_recommendations";
    const INSERT: &'static str = "INSERT INTO clerk_recommendations (generation, user_key, rank, product_key, score, model_key, because_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.user_key,
            self.rank,
            self.product_key,
            self.score,
            self.model_key,
            self.because_key
        ])
    }
}

/// A row of `visitor_recommendations`.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitorRecommendation {
    /// '' = any.
    pub country: String,
    /// '' = any.
    pub language: String,
    /// From 1.
    pub rank: i64,
    /// Product shown.
    pub product_key: i64,
    /// Larger is better.
    pub score: f64,
}

impl ResultRow for VisitorRecommendation {
    const TABLE: &'static str = "clerk_visitor_recommendations";
    const INSERT: &'static str = "INSERT INTO clerk_visitor_recommendations (generation, country, language, rank, product_key, score) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.country,
            self.language,
            self.rank,
            self.product_key,
            self.score
        ])
    }
}

/// A row of `similar_products`.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarProduct {
    /// The page's product.
    pub product_key: i64,
    /// From 1.
    pub rank: i64,
    /// Product shown.
    pub other_key: i64,
    /// Larger is more alike.
    pub score: f64,
    /// Model.
    pub model_key: i64,
}

impl ResultRow for SimilarProduct {
    const TABLE: &'static str = "clerk_similar_products";
    const INSERT: &'static str = "INSERT INTO clerk_similar_products (generation, product_key, rank, other_key, score, model_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.rank,
            self.other_key,
            self.score,
            self.model_key
        ])
    }
}

/// A row of `bought_together`.
#[derive(Debug, Clone, PartialEq)]
pub struct BoughtTogether {
    /// The page's product.
    pub product_key: i64,
    /// From 1.
    pub rank: i64,
    /// Product shown.
    pub other_key: i64,
    /// Baskets holding both.
    pub baskets: i64,
    /// Times more often than chance.
    pub lift: f64,
}

impl ResultRow for BoughtTogether {
    const TABLE: &'static str = "clerk_bought_together";
    const INSERT: &'static str = "INSERT INTO clerk_bought_together (generation, product_key, rank, other_key, baskets, lift) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.rank,
            self.other_key,
            self.baskets,
            self.lift
        ])
    }
}

/// A row of `next_products`.
#[derive(Debug, Clone, PartialEq)]
pub struct NextProduct {
    /// Just looked at.
    pub product_key: i64,
    /// From 1.
    pub rank: i64,
    /// Product shown.
    pub other_key: i64,
    /// Larger is likelier.
    pub score: f64,
}

impl ResultRow for NextProduct {
    const TABLE: &'static str = "clerk_next_products";
    const INSERT: &'static str = "INSERT INTO clerk_next_products (generation, product_key, rank, other_key, score) VALUES (?1, ?2, ?3, ?4, ?5)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.product_key,
            self.rank,
            self.other_key,
            self.score
        ])
    }
}

/// A row of `buy_again`.
#[derive(Debug, Clone, PartialEq)]
pub struct BuyAgain {
    /// Customer.
    pub user_key: i64,
    /// From 1.
    pub rank: i64,
    /// Product.
    pub product_key: i64,
    /// Larger is likelier.
    pub score: f64,
    /// Days since 1970-01-01.
    pub due_day: Option<i64>,
}

impl ResultRow for BuyAgain {
    const TABLE: &'static str = "clerk_buy_again";
    const INSERT: &'static str = "INSERT INTO clerk_buy_again (generation, user_key, rank, product_key, score, due_day) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.user_key,
            self.rank,
            self.product_key,
            self.score,
            self.due_day
        ])
    }
}

/// A row of `popular_products`.
#[derive(Debug, Clone, PartialEq)]
pub struct PopularProduct {
    /// '' = the whole shop.
    pub category: String,
    /// From 1.
    pub rank: i64,
    /// Product.
    pub product_key: i64,
    /// Larger is more popular.
    pub score: f64,
}

impl ResultRow for PopularProduct {
    const TABLE: &'static str = "clerk_popular_products";
    const INSERT: &'static str = "INSERT INTO clerk_popular_products (generation, category, rank, product_key, score) VALUES (?1, ?2, ?3, ?4, ?5)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.category,
            self.rank,
            self.product_key,
            self.score
        ])
    }
}

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
}

impl ResultRow for PriceForecast {
    const TABLE: &'static str = "clerk_price_forecasts";
    const INSERT: &'static str = "INSERT INTO clerk_price_forecasts (generation, product_key, seller_key, step, at, day, price, lo80, hi80, lo95, hi95, model_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
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
            self.model_key
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
    /// Price now; None = no longer offered.
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

/// A row of `ticket_routes`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketRoute {
    /// Ticket.
    pub ticket_id: String,
    /// route or triage.
    pub decision: String,
    /// Best guess.
    pub category: Option<String>,
    /// Probability.
    pub category_confidence: Option<f64>,
    /// None with triage.
    pub team: Option<String>,
    /// None with triage.
    pub agent_id: Option<String>,
    /// Probability.
    pub agent_confidence: Option<f64>,
    /// low to urgent.
    pub priority: Option<String>,
    /// Tag.
    pub language: Option<String>,
    /// First answer due.
    pub due_at: Option<i64>,
    /// Plain words.
    pub why: String,
    /// Wall clock.
    pub routed_at: i64,
}

impl ResultRow for TicketRoute {
    const TABLE: &'static str = "clerk_ticket_routes";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_routes (generation, ticket_id, decision, category, category_confidence, team, agent_id, agent_confidence, priority, language, due_at, why, routed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.decision,
            self.category,
            self.category_confidence,
            self.team,
            self.agent_id,
            self.agent_confidence,
            self.priority,
            self.language,
            self.due_at,
            self.why,
            self.routed_at
        ])
    }
}

/// A row of `ticket_neighbours`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketNeighbour {
    /// Ticket.
    pub ticket_id: String,
    /// From 1.
    pub rank: i64,
    /// Solved ticket.
    pub neighbour_ticket_id: String,
    /// Euclidean, unit vectors.
    pub distance: f64,
}

impl ResultRow for TicketNeighbour {
    const TABLE: &'static str = "clerk_ticket_neighbours";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_neighbours (generation, ticket_id, rank, neighbour_ticket_id, distance) VALUES (?1, ?2, ?3, ?4, ?5)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.rank,
            self.neighbour_ticket_id,
            self.distance
        ])
    }
}

/// A row of `ticket_drafts`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketDraft {
    /// Ticket.
    pub ticket_id: String,
    /// Message answered.
    pub reply_to: Option<i64>,
    /// Messages other than notes when drafted: one more and the draft vanishes.
    pub replies_seen: i64,
    /// send, suggest or none.
    pub decision: String,
    /// None when 'none'.
    pub reply: Option<String>,
    /// Probability or expected overlap.
    pub confidence: f64,
    /// JSON array of {table, id}.
    pub sources: String,
    /// Wall clock.
    pub drafted_at: i64,
}

impl ResultRow for TicketDraft {
    const TABLE: &'static str = "clerk_ticket_drafts";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_drafts (generation, ticket_id, reply_to, replies_seen, decision, reply, confidence, sources, drafted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.reply_to,
            self.replies_seen,
            self.decision,
            self.reply,
            self.confidence,
            self.sources,
            self.drafted_at
        ])
    }
}
