//! The rows a night writes: one type for each result table, with its INSERT. Keys are those of
//! [`super::Keys`]; days are counted from 1970-01-01 in the shop's time zone.

mod prices;
mod recommendations;
mod support;

pub use prices::*;
pub use recommendations::*;
pub use support::*;

use rusqlite::Statement;

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
