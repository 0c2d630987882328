//! Housekeeping of the file: old history, the shop's own price changes, statistics for the query planner.

use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::params;

/// The setting that says that an erasure has begun and not come to its end. It names nobody.
pub(super) const ERASING: &str = "erasing";

impl Shop {
    /// Whether an erasure was begun and has not come to its end.
    pub fn is_erasing(&self) -> Result<bool> {
        Ok(self
            .conn()
            .prepare_cached("SELECT 1 FROM settings WHERE name = ?1")?
            .exists([ERASING])?)
    }

    /// Removes the books of runs that ended before `before` (Unix seconds), except those that built a generation
    /// which is still kept. Returns how many runs went.
    pub fn prune_runs(&self, before: i64) -> Result<u64> {
        let mut statement = self.conn().prepare(
            "SELECT run_id FROM clerk_runs WHERE finished_at < ?1
             AND run_id NOT IN (SELECT run_id FROM clerk_generations WHERE swept = 0 AND run_id IS NOT NULL)",
        )?;
        let old: Vec<i64> = statement
            .query_map([before], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let runs = old.len() as u64;
        self.conn().execute(
            "DELETE FROM run_requests WHERE run_id IS NOT NULL AND requested_at < ?1",
            [before],
        )?;
        paced(
            self,
            &Pace {
                rows: 50,
                ..Pace::default()
            },
            old.into_iter(),
            |conn, run| {
                conn.prepare_cached("DELETE FROM clerk_run_drops WHERE run_id = ?1")?
                    .execute([run])?;
                conn.prepare_cached("DELETE FROM clerk_scores WHERE run_id = ?1")?
                    .execute([run])?;
                Ok(conn
                    .prepare_cached("DELETE FROM clerk_runs WHERE run_id = ?1")?
                    .execute([run])? as u64)
            },
        )?;
        Ok(runs)
    }

    /// Removes lines of the report card about days before `before` (from 1970-01-01). Returns how many.
    pub fn prune_report(&self, before: i64) -> Result<u64> {
        let mut statement = self
            .conn()
            .prepare("SELECT DISTINCT day FROM clerk_report_card WHERE day < ?1")?;
        let old: Vec<i64> = statement
            .query_map([before], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        paced(self, &Pace::default(), old.into_iter(), |conn, day| {
            Ok(conn
                .prepare_cached("DELETE FROM clerk_report_card WHERE day = ?1")?
                .execute([day])? as u64)
        })
    }

    /// Forgets that drafts are void which are gone. Returns how many.
    pub fn prune_void_drafts(&self) -> Result<u64> {
        Ok(self.conn().execute(
            "DELETE FROM clerk_void_drafts
             WHERE at < coalesce((SELECT min(drafted_at) FROM clerk_ticket_drafts), 10000000000)",
            [],
        )? as u64)
    }

    /// Puts the shelf right where it differs from products and keys, which its triggers prevent unless somebody wrote without
    /// triggers. Returns how many rows were wrong.
    pub fn mend_shelf(&self) -> Result<u64> {
        let transaction = self.write()?;
        let gone = transaction.execute(
            "DELETE FROM clerk_shelf WHERE NOT EXISTS (
                 SELECT 1 FROM product_keys AS k JOIN products AS c ON c.product_id = k.product_id
                 WHERE k.product_key = clerk_shelf.product_key AND c.hidden = 0 AND c.in_stock > 0
                   AND c.product_id = clerk_shelf.product_id AND c.category IS clerk_shelf.category
                   AND nullif(c.group_id, '') IS clerk_shelf.group_id)",
            [],
        )?;
        let missing = transaction.execute(
            "INSERT INTO clerk_shelf (product_key, product_id, category, group_id)
             SELECT k.product_key, k.product_id, c.category, nullif(c.group_id, '') FROM product_keys AS k
             JOIN products AS c ON c.product_id = k.product_id
             WHERE c.hidden = 0 AND c.in_stock > 0
               AND k.product_key NOT IN (SELECT product_key FROM clerk_shelf)",
            [],
        )?;
        transaction.commit()?;
        Ok(gone.max(missing) as u64)
    }

    /// Writes `products.price` into `prices` (seller '') where it differs from the last price there: the history a
    /// shop that keeps only today's price would otherwise never have. Returns how many.
    pub fn append_changed_prices(&self, now: i64) -> Result<u64> {
        let mut statement = self.conn().prepare(
            "SELECT product_id, price FROM products AS p WHERE price > 0 AND price < 1e12 AND price IS NOT
                (SELECT q.price FROM prices AS q WHERE q.product_id = p.product_id AND q.seller = '' AND q.at <= ?1
                 ORDER BY q.at DESC LIMIT 1)
             ORDER BY product_id",
        )?;
        let changed: Vec<(String, f64)> = statement
            .query_map([now], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        paced(
            self,
            &Pace::default(),
            changed.into_iter(),
            |conn, (product, price)| {
                conn.prepare_cached(
                    "INSERT INTO prices (product_id, seller, at, price) VALUES (?1, '', ?2, ?3)
                 ON CONFLICT DO UPDATE SET price = excluded.price",
                )?
                .execute(params![product, now, price])?;
                Ok(1)
            },
        )
    }

    /// `PRAGMA optimize`: refreshes the planner's statistics where they are stale.
    pub fn optimize(&self) -> Result<()> {
        let mut statement = self.conn().prepare("PRAGMA optimize")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_appended_only_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        shop.conn()
            .execute_batch(
                "INSERT INTO products (product_id, price) VALUES ('a', 2.5), ('b', NULL), ('c', 3)",
            )
            .unwrap();
        assert_eq!(shop.append_changed_prices(100).unwrap(), 2);
        assert_eq!(shop.append_changed_prices(200).unwrap(), 0);
        shop.conn()
            .execute("UPDATE products SET price = 2 WHERE product_id = 'a'", [])
            .unwrap();
        assert_eq!(shop.append_changed_prices(300).unwrap(), 1);
        // A planned price is not today's.
        shop.conn()
            .execute(
                "INSERT INTO prices (product_id, at, price) VALUES ('a', 1000, 9)",
                [],
            )
            .unwrap();
        assert_eq!(shop.append_changed_prices(400).unwrap(), 0);
        shop.conn()
            .execute("UPDATE products SET price = 9e999 WHERE product_id = 'c'", [])
            .unwrap();
        assert_eq!(shop.append_changed_prices(500).unwrap(), 0);
        let n: i64 = shop
            .conn()
            .query_row("SELECT count(*) FROM prices", [], |r| r.get(0))
            .unwrap();
        assert_eq!(n, 4);
    }

    #[test]
    fn the_shelf_follows_every_way_of_writing_products() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let conn = shop.conn();
        let shelf = || {
            let sql = "SELECT product_id || coalesce(':' || category, '') || coalesce('/' || group_id, '')
                       FROM clerk_shelf ORDER BY product_id";
            let mut statement = conn.prepare(sql).unwrap();
            let rows = statement.query_map([], |r| r.get(0)).unwrap();
            rows.collect::<rusqlite::Result<Vec<String>>>().unwrap().join(" ")
        };
        let execute = |sql: &str| conn.execute_batch(sql).unwrap();
        execute("INSERT INTO products (product_id, category) VALUES ('a', 'x'), ('b', NULL), ('c', 'y')");
        assert_eq!(shelf(), "", "no key, no list");
        shop.keys(crate::store::Keys::Product, &["a", "b", "c", "d"])
            .unwrap();
        for (sql, expected) in [
            ("SELECT 1", "a:x b c:y"),
            ("UPDATE products SET in_stock = 0 WHERE product_id = 'a'", "b c:y"),
            (
                "UPDATE products SET in_stock = 3 WHERE product_id = 'a'",
                "a:x b c:y",
            ),
            ("UPDATE products SET in_stock = in_stock - 1", "a:x"),
            ("UPDATE products SET in_stock = 1", "a:x b c:y"),
            ("UPDATE products SET hidden = 1 WHERE product_id = 'b'", "a:x c:y"),
            (
                "UPDATE products SET category = 'z' WHERE product_id = 'a'",
                "a:z c:y",
            ),
            (
                "UPDATE products SET group_id = 'g' WHERE product_id = 'c'",
                "a:z c:y/g",
            ),
            (
                "UPDATE products SET group_id = '' WHERE product_id = 'c'",
                "a:z c:y",
            ),
            ("INSERT INTO products (product_id) VALUES ('d')", "a:z c:y d"),
            (
                "INSERT OR REPLACE INTO products (product_id, in_stock) VALUES ('d', 0)",
                "a:z c:y",
            ),
            (
                "REPLACE INTO products (product_id, category, group_id) VALUES ('d', 'w', 'g')",
                "a:z c:y d:w/g",
            ),
            ("UPDATE products SET group_id = NULL", "a:z c:y d:w"),
            (
                "INSERT OR IGNORE INTO products (product_id, hidden) VALUES ('d', 1)",
                "a:z c:y d:w",
            ),
            (
                "INSERT INTO products (product_id, hidden) VALUES ('d', 1)
                 ON CONFLICT (product_id) DO UPDATE SET hidden = excluded.hidden",
                "a:z c:y",
            ),
            (
                "UPDATE OR REPLACE products SET product_id = 'd' WHERE product_id = 'a'",
                "c:y d:z",
            ),
            ("DELETE FROM products WHERE product_id = 'd'", "c:y"),
            ("DELETE FROM products", ""),
        ] {
            execute(sql);
            assert_eq!(shelf(), expected, "{sql}");
            assert_eq!(shop.mend_shelf().unwrap(), 0, "{sql}");
        }
        execute(
            "INSERT INTO products (product_id) VALUES ('a'), ('b'); DELETE FROM clerk_shelf; INSERT INTO clerk_shelf VALUES (3, 'c', NULL, NULL)",
        );
        assert_eq!(shop.mend_shelf().unwrap(), 2);
        assert_eq!(shelf(), "a b");
    }
}
