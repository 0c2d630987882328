//! A published generation's lists, read back by text ids: what the report card judges a past night by. As written that
//! night, whatever has been hidden or sold out since.

use super::error::Result;
use super::open::Shop;
use rusqlite::{OptionalExtension, Params, params};

/// Lists of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfCustomer {
    /// recommendations.
    Recommendations,
    /// buy_again.
    BuyAgain,
}

/// Lists of product pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfPage {
    /// similar_products.
    Similar,
    /// bought_together.
    Together,
    /// next_products.
    Next,
}

/// One generation's lists.
#[derive(Debug)]
pub struct Published<'s> {
    shop: &'s Shop,
    generation: i64,
    /// The instant it was computed as of.
    pub as_of: i64,
    /// Whether it leaves out what customers have bought.
    pub exclude_bought: bool,
}

impl Shop {
    /// The lists that readers of a family's views see now; `None` = nothing is published.
    pub fn published_lists(&self, family: &str) -> Result<Option<Published<'_>>> {
        let row = self
            .conn()
            .query_row(
                "SELECT v.generation, v.as_of, v.exclude_bought FROM clerk_published AS g
                 JOIN clerk_generations AS v USING (generation) WHERE g.family = ?1 AND v.as_of IS NOT NULL",
                [family],
                |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
            )
            .optional()?;
        Ok(row.map(|(generation, as_of, exclude_bought)| Published {
            shop: self,
            generation,
            as_of,
            exclude_bought,
        }))
    }
}

impl Published<'_> {
    /// The first `most` products of a customer's list; empty where there is none.
    pub fn of_customer(&self, list: OfCustomer, user_id: &str, most: usize) -> Result<Vec<String>> {
        let table = match list {
            OfCustomer::Recommendations => "clerk_recommendations",
            OfCustomer::BuyAgain => "clerk_buy_again",
        };
        let from = format!(
            "user_keys AS k CROSS JOIN {table} AS r ON r.generation = ?1 AND r.user_key = k.user_key
             CROSS JOIN product_keys AS p ON p.product_key = r.product_key WHERE k.user_id = ?3"
        );
        self.products(&from, params![self.generation, most as i64, user_id])
    }

    /// The first `most` products of a page's list.
    pub fn of_page(&self, list: OfPage, product_id: &str, most: usize) -> Result<Vec<String>> {
        let table = match list {
            OfPage::Similar => "clerk_similar_products",
            OfPage::Together => "clerk_bought_together",
            OfPage::Next => "clerk_next_products",
        };
        let from = format!(
            "product_keys AS k CROSS JOIN {table} AS r ON r.generation = ?1 AND r.product_key = k.product_key
             CROSS JOIN product_keys AS p ON p.product_key = r.other_key WHERE k.product_id = ?3"
        );
        self.products(&from, params![self.generation, most as i64, product_id])
    }

    /// The first `most` products of the list for strangers from a place, '' = any.
    pub fn of_place(&self, country: &str, language: &str, most: usize) -> Result<Vec<String>> {
        let from =
            "clerk_visitor_recommendations AS r CROSS JOIN product_keys AS p ON p.product_key = r.product_key
                    WHERE r.generation = ?1 AND r.country = ?3 AND r.language = ?4";
        self.products(from, params![self.generation, most as i64, country, language])
    }

    /// The first `most` popular products of the whole shop: the naive list.
    pub fn popular(&self, most: usize) -> Result<Vec<String>> {
        let from = "clerk_popular_products AS r CROSS JOIN product_keys AS p ON p.product_key = r.product_key
                    WHERE r.generation = ?1 AND r.category = ''";
        self.products(from, params![self.generation, most as i64])
    }

    fn products(&self, from: &str, values: impl Params) -> Result<Vec<String>> {
        let sql = format!("SELECT p.product_id FROM {from} ORDER BY r.rank LIMIT ?2");
        let mut statement = self.shop.conn().prepare_cached(&sql)?;
        let rows = statement.query_map(values, |r| r.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::{BoughtTogether, PopularProduct, Recommendation, VisitorRecommendation};
    use super::super::{GenerationWriter, Keys, NewGeneration};
    use super::*;

    #[test]
    fn lists_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        assert!(shop.published_lists("recommendations").unwrap().is_none());
        let product = shop.keys(Keys::Product, &["a", "b", "c"]).unwrap();
        let user = shop.keys(Keys::User, &["ann"]).unwrap()[0];
        let new = NewGeneration {
            family: "recommendations",
            run_id: 1,
            as_of: 77,
            exclude_bought: true,
        };
        let mut writer = GenerationWriter::begin(&shop, &new).unwrap();
        let recommendation = |rank: i64, product_key| Recommendation {
            user_key: user,
            rank,
            product_key,
            score: 1.0,
            model_key: 1,
            because_key: None,
        };
        writer
            .write([recommendation(1, product[2]), recommendation(2, product[0])])
            .unwrap();
        writer
            .write([BoughtTogether {
                product_key: product[0],
                rank: 1,
                other_key: product[1],
                baskets: 3,
                lift: 2.0,
            }])
            .unwrap();
        writer
            .write([VisitorRecommendation {
                country: "DE".into(),
                language: String::new(),
                rank: 1,
                product_key: product[1],
                score: 1.0,
            }])
            .unwrap();
        writer
            .write([PopularProduct {
                category: String::new(),
                rank: 1,
                product_key: product[0],
                score: 1.0,
            }])
            .unwrap();
        writer.publish("test").unwrap();
        let published = shop.published_lists("recommendations").unwrap().unwrap();
        assert_eq!((published.as_of, published.exclude_bought), (77, true));
        let of = |most| {
            published
                .of_customer(OfCustomer::Recommendations, "ann", most)
                .unwrap()
        };
        assert_eq!(
            (of(9), of(1)),
            (vec!["c".to_owned(), "a".to_owned()], vec!["c".to_owned()])
        );
        assert!(
            published
                .of_customer(OfCustomer::BuyAgain, "ann", 9)
                .unwrap()
                .is_empty()
        );
        assert_eq!(published.of_page(OfPage::Together, "a", 9).unwrap(), ["b"]);
        assert!(published.of_page(OfPage::Similar, "a", 9).unwrap().is_empty());
        assert_eq!(published.of_place("DE", "", 9).unwrap(), ["b"]);
        assert!(published.of_place("FR", "", 9).unwrap().is_empty());
        assert_eq!(published.popular(9).unwrap(), ["a"]);
    }
}
