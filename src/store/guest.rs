//! What a guest looks up ([`Shop::open_as_guest`]): which models are published, and what may be shown this moment.

use super::error::Result;
use super::open::Shop;
use rusqlite::{OptionalExtension, params};

/// The published models of a family as one can tell them from any others: a file that was restored from a copy may give a
/// number out a second time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelsKey {
    /// The generation.
    pub generation: i64,
    /// When it went live.
    pub published_at: Option<i64>,
    /// The run that made it.
    pub run_id: Option<i64>,
    /// The instant it was computed as of.
    pub as_of: Option<i64>,
    /// Parts of its models; 0 = they are gone, with a customer who was erased.
    pub parts: i64,
}

/// One step of a price forecast, as the view `price_forecasts` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastStep {
    /// From 1.
    pub step: i64,
    /// Unix seconds.
    pub at: i64,
    /// YYYY-MM-DD.
    pub day: String,
    /// The price and its bounds: price, lo80, hi80, lo95, hi95.
    pub prices: [f64; 5],
}

/// A product that may be shown now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub product_id: String,
    /// The article it is a variant of.
    pub group_id: Option<String>,
}

/// As the view `next_products` has it, for a list that stands on a product's page (`?2`, none = on no page).
const SHOWN_NEXT: &str = "
    SELECT c.product_id, d.group_id FROM clerk_shelf AS c
    LEFT JOIN products AS d ON d.product_id = c.product_id
    WHERE c.product_key = ?1
      AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                      WHERE x.product_id = c.product_id
                        AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                        AND (x.result IS NULL OR x.result = 'next_products')
                        AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = ?2))
      AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                      WHERE x.product_id IS NULL
                        AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                        AND (x.result IS NULL OR x.result = 'next_products')
                        AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = ?2))
      AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                      WHERE x.product_id = ?2
                        AND (x.other_product_id = c.product_id OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                        AND (x.result IS NULL OR x.result = 'next_products')
                        AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = ?2))
      AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                      LEFT JOIN products AS q ON q.product_id = ?2
                      WHERE x.product_id = c.product_id
                        AND (x.other_product_id = ?2 OR x.category = q.category OR substr(q.category, 1, length(x.category) + 3) = x.category || ' > ')
                        AND (x.result IS NULL OR x.result = 'next_products')
                        AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = ?2))";

impl Shop {
    /// The published generation of a family with its models; none = nothing is published.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn models_key(&self, family: &str, model: &str) -> Result<Option<ModelsKey>> {
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT g.generation, v.published_at, v.run_id, v.as_of,
                        (SELECT count(*) FROM clerk_artefacts AS a WHERE a.generation = g.generation AND a.name = ?2)
                 FROM clerk_published AS g JOIN clerk_generations AS v USING (generation) WHERE g.family = ?1",
            )?
            .query_row([family, model], |r| {
                Ok(ModelsKey {
                    generation: r.get(0)?,
                    published_at: r.get(1)?,
                    run_id: r.get(2)?,
                    as_of: r.get(3)?,
                    parts: r.get(4)?,
                })
            })
            .optional()?)
    }

    /// The key of a product and the article it is a variant of; none = no night has met it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn product_met(&self, product_id: &str) -> Result<Option<(i64, Option<String>)>> {
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT k.product_key, p.group_id FROM product_keys AS k LEFT JOIN products AS p USING (product_id)
                 WHERE k.product_id = ?1",
            )?
            .query_row([product_id], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?)
    }

    /// A product by its key, if it may be shown now as one that comes next on the page of `page`.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn shown_next(&self, product_key: i64, page: Option<&str>) -> Result<Option<Shown>> {
        Ok(self
            .conn()
            .prepare_cached(SHOWN_NEXT)?
            .query_row(params![product_key, page], |r| {
                Ok(Shown {
                    product_id: r.get(0)?,
                    group_id: r.get(1)?,
                })
            })
            .optional()?)
    }

    /// The published forecast of a product at a seller ('' = the shop itself), step by step; empty where there is none.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn forecast(&self, product_id: &str, seller: &str) -> Result<Vec<ForecastStep>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT step, at, day, price, lo80, hi80, lo95, hi95 FROM price_forecasts
             WHERE product_id = ?1 AND seller = ?2 ORDER BY step",
        )?;
        let rows = statement.query_map([product_id, seller], |r| {
            Ok(ForecastStep {
                step: r.get(0)?,
                at: r.get(1)?,
                day: r.get(2)?,
                prices: [r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?],
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
