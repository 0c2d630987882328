//! Rows of the results of the recommend family.

use super::ResultRow;
use rusqlite::{Statement, params};

/// A row of `recommendations`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// [`Keys::User`](crate::store::Keys).
    pub user_key: i64,
    /// From 1.
    pub rank: i64,
    /// [`Keys::Product`](crate::store::Keys).
    pub product_key: i64,
    /// Larger is better.
    pub score: f64,
    /// [`Keys::Model`](crate::store::Keys).
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
