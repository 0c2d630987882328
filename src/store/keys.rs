//! Integer keys of text ids. Narrow results are keyed by them, so a million rows are megabytes. Keys are handed
//! out in text order, in small transactions, never reused and never taken back: an old generation stays readable
//! through rollback. (Only [`super::erase`] takes a customer's back, after every row that bears it.) Models never see them: they work on dense indices in text order, so the order in which ids
//! reached the shop cannot change a night.

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::OptionalExtension;

/// Which ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// product_id.
    Product,
    /// user_id; '' is the visitor nobody knows.
    User,
    /// seller; '' is the shop itself.
    Seller,
    /// Names of models.
    Model,
}

impl Keys {
    fn sql(self) -> (&'static str, &'static str) {
        match self {
            Keys::Product => (
                "SELECT product_key FROM product_keys WHERE product_id = ?1",
                "INSERT INTO product_keys (product_id) VALUES (?1) ON CONFLICT DO NOTHING",
            ),
            Keys::User => (
                "SELECT user_key FROM user_keys WHERE user_id = ?1",
                "INSERT INTO user_keys (user_id) VALUES (?1) ON CONFLICT DO NOTHING",
            ),
            Keys::Seller => (
                "SELECT seller_key FROM seller_keys WHERE seller = ?1",
                "INSERT INTO seller_keys (seller) VALUES (?1) ON CONFLICT DO NOTHING",
            ),
            Keys::Model => (
                "SELECT model_key FROM model_keys WHERE model = ?1",
                "INSERT INTO model_keys (model) VALUES (?1) ON CONFLICT DO NOTHING",
            ),
        }
    }
}

impl Shop {
    /// The keys of `ids`, in their order; ids without one get the next ones, in text order.
    pub fn keys<S: AsRef<str>>(&self, of: Keys, ids: &[S]) -> Result<Vec<i64>> {
        let (select, insert) = of.sql();
        let mut keys: Vec<Option<i64>> = Vec::with_capacity(ids.len());
        {
            let mut statement = self.conn().prepare_cached(select)?;
            for id in ids {
                keys.push(statement.query_row([id.as_ref()], |r| r.get(0)).optional()?);
            }
        }
        let mut missing: Vec<&str> = ids
            .iter()
            .zip(&keys)
            .filter(|(_, key)| key.is_none())
            .map(|(id, _)| id.as_ref())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        paced(self, &Pace::default(), missing.into_iter(), |conn, id| {
            conn.prepare_cached(insert)?.execute([id])?;
            Ok(1)
        })?;
        let mut statement = self.conn().prepare_cached(select)?;
        ids.iter()
            .zip(keys)
            .map(|(id, key)| match key {
                Some(key) => Ok(key),
                None => Ok(statement.query_row([id.as_ref()], |r| r.get(0))?),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_given_in_text_order_and_stay() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        assert_eq!(shop.keys(Keys::Product, &["b", "a", "b"]).unwrap(), [2, 1, 2]);
        assert_eq!(shop.keys(Keys::Product, &["0", "a"]).unwrap(), [3, 1]);
        assert_eq!(shop.keys(Keys::User, &[""]).unwrap(), [1]);
    }
}
