//! Forecasts of prices that wait for their day: kept small, judged once, gone a few days later.

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::params;

/// One forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedForecast {
    /// The local day it is about, days since 1970-01-01.
    pub day: i64,
    /// Steps ahead.
    pub step: i64,
    /// Product.
    pub product_key: i64,
    /// Seller.
    pub seller_key: i64,
    /// The instant it is about, Unix seconds.
    pub at: i64,
    /// The price in force when it was made.
    pub last_price: f64,
    /// The forecast.
    pub price: f64,
    /// 80 % from.
    pub lo80: f64,
    /// 80 % to.
    pub hi80: f64,
    /// 95 % from.
    pub lo95: f64,
    /// 95 % to.
    pub hi95: f64,
}

impl Shop {
    /// Keeps forecasts; one of the same day, step, product and seller is replaced, so that a night run twice keeps one.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn archive_forecasts(&self, forecasts: impl Iterator<Item = ArchivedForecast>) -> Result<u64> {
        paced(self, &Pace::default(), forecasts, |conn, f| {
            conn.prepare_cached(
                "INSERT OR REPLACE INTO clerk_price_archive
                 (day, step, product_key, seller_key, at, last_price, price, lo80, hi80, lo95, hi95)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                f.day,
                f.step,
                f.product_key,
                f.seller_key,
                f.at,
                f.last_price,
                f.price,
                f.lo80,
                f.hi80,
                f.lo95,
                f.hi95
            ])?;
            Ok(1)
        })
    }

    /// The forecasts whose instant is not after `as_of`, with the names they are about: (product_id, seller, forecast), by
    /// day, step, product and seller.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn forecasts_due(&self, as_of: i64) -> Result<Vec<(String, String, ArchivedForecast)>> {
        let mut statement = self.conn().prepare(
            "SELECT p.product_id, s.seller, a.day, a.step, a.product_key, a.seller_key, a.at, a.last_price, a.price,
                    a.lo80, a.hi80, a.lo95, a.hi95
             FROM clerk_price_archive AS a
             CROSS JOIN product_keys AS p ON p.product_key = a.product_key
             CROSS JOIN seller_keys AS s ON s.seller_key = a.seller_key
             WHERE a.at <= ?1
             ORDER BY a.day, a.step, a.product_key, a.seller_key",
        )?;
        let rows = statement.query_map([as_of], |r| {
            Ok((
                r.get(0)?,
                r.get(1)?,
                ArchivedForecast {
                    day: r.get(2)?,
                    step: r.get(3)?,
                    product_key: r.get(4)?,
                    seller_key: r.get(5)?,
                    at: r.get(6)?,
                    last_price: r.get(7)?,
                    price: r.get(8)?,
                    lo80: r.get(9)?,
                    hi80: r.get(10)?,
                    lo95: r.get(11)?,
                    hi95: r.get(12)?,
                },
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets the forecasts about days before `day`: each day in one transaction, so that a day is there as a whole or
    /// not at all, and what is reported of it never rests on a part.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn forget_forecasts_before(&self, day: i64) -> Result<u64> {
        let mut statement = self
            .conn()
            .prepare("SELECT DISTINCT day FROM clerk_price_archive WHERE day < ?1 ORDER BY day")?;
        let days: Vec<i64> = statement
            .query_map([day], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let one_a_transaction = Pace {
            rows: 1,
            ..Pace::default()
        };
        paced(self, &one_a_transaction, days.into_iter(), |conn, day| {
            Ok(conn
                .prepare_cached("DELETE FROM clerk_price_archive WHERE day = ?1")?
                .execute([day])? as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Keys;
    use super::*;

    #[test]
    fn forecasts_wait_are_due_and_go_day_by_day() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let product = shop.keys(Keys::Product, &["tea"]).unwrap()[0];
        let seller = shop.keys(Keys::Seller, &[""]).unwrap()[0];
        let about = |day: i64, price: f64| ArchivedForecast {
            day,
            step: 1,
            product_key: product,
            seller_key: seller,
            at: day * 86_400 + 86_399,
            last_price: 5.0,
            price,
            lo80: 4.0,
            hi80: 6.0,
            lo95: 3.0,
            hi95: 7.0,
        };
        let keep = |forecasts: Vec<ArchivedForecast>| shop.archive_forecasts(forecasts.into_iter()).unwrap();
        assert_eq!(keep(vec![about(10, 5.0), about(11, 5.0), about(12, 5.0)]), 3);
        assert_eq!(keep(vec![about(12, 5.5)]), 1);
        assert!(shop.forecasts_due(10 * 86_400).unwrap().is_empty());
        let due = shop.forecasts_due(12 * 86_400 + 86_399).unwrap();
        assert_eq!(due.len(), 3);
        assert_eq!(
            due[2],
            ("tea".into(), String::new(), about(12, 5.5)),
            "the newer word counts"
        );
        assert_eq!(shop.forecasts_due(12 * 86_400).unwrap().len(), 2);
        assert_eq!(shop.forget_forecasts_before(12).unwrap(), 2);
        assert_eq!(shop.forecasts_due(i64::MAX).unwrap().len(), 1);
        assert_eq!(shop.forget_forecasts_before(12).unwrap(), 0);
    }
}
