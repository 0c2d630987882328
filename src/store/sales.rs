//! What the demand for products is told from, beside their prices: purchases, costs, people's verdicts.

use super::error::Result;
use super::snapshot::{NO_TEXT, Snapshot, is_no_text, text};

/// A purchase, lent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase<'a> {
    /// The product, known or not.
    pub product_id: &'a str,
    /// Unix seconds.
    pub at: i64,
    /// Units, as stored.
    pub quantity: f64,
    /// Unit price paid, as stored.
    pub price: Option<f64>,
}

/// What the catalogue says of selling a product, lent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer<'a> {
    /// The product.
    pub product_id: &'a str,
    /// Brand, or nothing.
    pub brand: Option<&'a str>,
    /// Category, or nothing.
    pub category: Option<&'a str>,
    /// What one costs the shop, as stored.
    pub cost: Option<f64>,
    /// In stock and not hidden.
    pub sellable: bool,
}

/// A person's verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What it is about.
    pub subject_id: String,
    /// Whether it was rejected; else accepted, perhaps with a change.
    pub rejected: bool,
    /// Unix seconds.
    pub at: i64,
}

impl Snapshot {
    /// Lends every purchase up to `as_of` to `each`, in the order of event_id.
    pub fn purchases(&self, as_of: i64, mut each: impl FnMut(Purchase<'_>)) -> Result<()> {
        let mut statement = self.conn().prepare(
            "SELECT product_id, at, quantity, price FROM events WHERE kind = 'purchase' AND at <= ?1 ORDER BY event_id",
        )?;
        let mut rows = statement.query([as_of])?;
        while let Some(r) = rows.next()? {
            let row = (|| {
                Ok(Purchase {
                    product_id: text(r, 0)?.unwrap_or_default(),
                    at: r.get(1)?,
                    quantity: r.get(2)?,
                    price: r.get(3)?,
                })
            })();
            match row {
                Ok(row) => each(row),
                Err(e) if is_no_text(&e) => self.leave_out("events", NO_TEXT),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Lends the offer of every product to `each`, by product_id.
    pub fn offers(&self, mut each: impl FnMut(Offer<'_>)) -> Result<()> {
        let mut statement = self.conn().prepare(
            "SELECT product_id, brand, category, cost, hidden = 0 AND in_stock > 0 FROM products ORDER BY product_id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            let row = (|| {
                Ok(Offer {
                    product_id: text(r, 0)?.unwrap_or_default(),
                    brand: text(r, 1)?,
                    category: text(r, 2)?,
                    cost: r.get(3)?,
                    sellable: r.get(4)?,
                })
            })();
            match row {
                Ok(row) => each(row),
                Err(e) if is_no_text(&e) => self.leave_out("products", NO_TEXT),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// The verdicts on a result's answers after `from` and not after `to`, oldest first.
    pub fn verdicts(&self, result: &str, from: i64, to: i64) -> Result<Vec<Judgement>> {
        self.rows(
            "verdicts",
            "SELECT subject_id, verdict = 'rejected', at FROM verdicts
             WHERE result = ?1 AND at > ?2 AND at <= ?3 ORDER BY at, verdict_id",
            rusqlite::params![result, from, to],
            |r| {
                Ok(Judgement {
                    subject_id: r.get(0)?,
                    rejected: r.get(1)?,
                    at: r.get(2)?,
                })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shop;
    use super::*;

    #[test]
    fn purchases_offers_and_verdicts_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        shop.conn()
            .execute_batch(
                "INSERT INTO products (product_id, brand, cost, in_stock, hidden) VALUES
                   ('a', 'oak', 2.5, 3, 0), ('b', NULL, NULL, 0, 0), ('c', NULL, 1, 1, 1),
                   ('d', CAST(x'FF' AS TEXT), 1, 1, 0);
                 INSERT INTO events (product_id, kind, quantity, price, at) VALUES
                   ('a', 'purchase', 2, 4.5, 100), ('a', 'view', 1, NULL, 100), ('b', 'purchase', 1, NULL, 90),
                   ('a', 'purchase', 1, 4.5, 101), (CAST(x'FF' AS TEXT), 'purchase', 1, NULL, 90);
                 INSERT INTO verdicts (result, subject_id, verdict, at) VALUES
                   ('price_advice', 'a', 'rejected', 50), ('price_advice', 'a', 'accepted', 60),
                   ('price_advice', 'b', 'rejected', 10), ('ticket_drafts', 'a', 'rejected', 55),
                   ('price_advice', 'b', 'edited', 101);",
            )
            .unwrap();
        let snapshot = Snapshot::begin(&shop).unwrap();
        let mut bought = Vec::new();
        snapshot
            .purchases(100, |p| {
                bought.push((p.product_id.to_owned(), p.at, p.quantity, p.price))
            })
            .unwrap();
        assert_eq!(
            bought,
            [("a".into(), 100, 2.0, Some(4.5)), ("b".into(), 90, 1.0, None)]
        );
        let mut offers = Vec::new();
        snapshot
            .offers(|o| {
                offers.push((
                    o.product_id.to_owned(),
                    o.brand.map(str::to_owned),
                    o.cost,
                    o.sellable,
                ))
            })
            .unwrap();
        assert_eq!(
            offers,
            [
                ("a".into(), Some("oak".into()), Some(2.5), true),
                ("b".into(), None, None, false),
                ("c".into(), None, Some(1.0), false)
            ]
        );
        let verdicts = snapshot.verdicts("price_advice", 10, 100).unwrap();
        let seen: Vec<_> = verdicts
            .iter()
            .map(|v| (v.subject_id.as_str(), v.rejected, v.at))
            .collect();
        assert_eq!(seen, [("a", true, 50), ("a", false, 60)]);
        assert_eq!(
            snapshot.left_out(),
            [("events", NO_TEXT, 1), ("products", NO_TEXT, 1)]
        );
    }
}
