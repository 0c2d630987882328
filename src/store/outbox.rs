//! What changed for search: the outbox the triggers fill (schema/0004_search.sql), and the documents as they are
//! now. The index is written first and remembers the last number it holds; only then does the outbox forget.
//! A number may therefore be delivered twice, never lost, and putting a document again changes nothing.

use super::error::{Error, Result};
use super::inputs::{Article, Product, Reply, Ticket};
use super::open::Shop;
use super::snapshot;
use rusqlite::{OptionalExtension, params};

/// One change to take into the index.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A ticket with its messages, as they are now.
    Ticket(Box<Ticket>, Vec<Reply>),
    /// A help article.
    Article(Article),
    /// A product.
    Product(Box<Product>),
    /// The document is gone: kind ('ticket', 'article', 'product') and id.
    Gone(String, String),
}

impl Shop {
    /// What names this database to the index: one that holds another database's documents must be rebuilt.
    /// Made once, when first asked for.
    pub fn instance(&self) -> Result<String> {
        if let Some(instance) = self.known_instance()? {
            return Ok(instance);
        }
        self.conn().execute(
            "INSERT INTO settings (name, value) VALUES ('instance', lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING",
            [],
        )?;
        Ok(self.known_instance()?.expect("just written"))
    }

    /// The same for whoever only reads; none = it was never asked for, so no index is this file's.
    pub fn known_instance(&self) -> Result<Option<String>> {
        Ok(self
            .conn()
            .query_row("SELECT value FROM settings WHERE name = 'instance'", [], |r| {
                r.get(0)
            })
            .optional()?)
    }

    /// The shop's words that mean the same, in pairs, in order.
    pub fn synonyms(&self) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .conn()
            .prepare("SELECT term, also FROM synonyms ORDER BY term, also")?;
        // Bytes that are no text cost their own word, not every search.
        let text = |r: &rusqlite::Row<'_>, at| -> rusqlite::Result<String> {
            Ok(String::from_utf8_lossy(r.get_ref(at)?.as_bytes()?).into_owned())
        };
        let pairs = statement.query_map([], |r| Ok((text(r, 0)?, text(r, 1)?)))?;
        Ok(pairs.collect::<rusqlite::Result<_>>()?)
    }

    /// A new mark for the next commit of the index, written down before that commit: see [`index_marks`](Shop::index_marks).
    pub fn index_announced(&self) -> Result<String> {
        let transaction = self.write()?;
        transaction.execute(
            "INSERT INTO settings (name, value) VALUES ('index_announced', lower(hex(randomblob(16))))
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [],
        )?;
        let mark = transaction.query_row(
            "SELECT value FROM settings WHERE name = 'index_announced'",
            [],
            |r| r.get(0),
        )?;
        transaction.commit()?;
        Ok(mark)
    }

    /// The announced mark is that of a commit that happened.
    pub fn index_committed(&self) -> Result<()> {
        self.conn().execute(
            "INSERT INTO settings (name, value) SELECT 'index_committed', value FROM settings WHERE name = 'index_announced'
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [],
        )?;
        Ok(())
    }

    /// The marks that the last commit of this file's index can bear: that of the commit that is known to have happened, and
    /// of the one that was announced after it, in case the process died between the two. An index with another one is of
    /// another time than the file.
    pub fn index_marks(&self) -> Result<Vec<String>> {
        let mut statement = self.conn().prepare_cached(
            "SELECT value FROM settings WHERE name IN ('index_announced', 'index_committed') AND value IS NOT NULL",
        )?;
        Ok(statement
            .query_map([], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The newest number ever given out by the outbox.
    pub fn outbox_newest(&self) -> Result<i64> {
        Ok(self.conn().query_row(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)",
            [],
            |r| r.get(0),
        )?)
    }

    /// How many changes wait, and whether one of them is a rebuild mark past `after`.
    pub fn outbox_waiting(&self, after: i64) -> Result<(u64, bool)> {
        Ok(self.conn().query_row(
            "SELECT count(*), coalesce(max(kind = 'rebuild'), 0) FROM outbox WHERE seq > ?1",
            [after],
            |r| Ok((r.get::<_, i64>(0)? as u64, r.get(1)?)),
        )?)
    }

    /// The next changes after number `after`, at most `limit` numbers, one change a document, with the last number
    /// they reach to; that number itself = nothing waits. None = one of them is a rebuild mark: changes were lost, only
    /// indexing everything again makes the index right.
    pub fn outbox_changes(&self, after: i64, limit: usize) -> Result<Option<(Vec<Change>, i64)>> {
        // One read transaction: the number and the documents must be of the same instant.
        let transaction = self.conn().unchecked_transaction()?;
        let mut statement = transaction
            .prepare_cached("SELECT seq, kind, id FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let mut last = after;
        let mut ids = std::collections::BTreeSet::new();
        let mut rows = statement.query(params![after, limit as i64])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            if let (Ok(kind), Ok(id)) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str()) {
                ids.insert((kind.to_owned(), id.to_owned()));
            }
        }
        drop(rows);
        drop(statement);
        let mut changes = Vec::with_capacity(ids.len());
        for (kind, id) in ids {
            if kind == "rebuild" {
                return Ok(None);
            }
            changes.push(self.document(&kind, &id)?.unwrap_or(Change::Gone(kind, id)));
        }
        Ok(Some((changes, last)))
    }

    /// Every document there is, page by page, for a rebuild. No long transaction: what changes meanwhile is in the
    /// outbox, past the number noted before the first page.
    pub fn documents(&self) -> impl Iterator<Item = Result<Change>> + '_ {
        const PAGES: [(&str, &str); 3] = [
            (
                "ticket",
                "SELECT rowid, ticket_id FROM tickets WHERE rowid > ?1 ORDER BY rowid LIMIT 500",
            ),
            (
                "article",
                "SELECT rowid, article_id FROM articles WHERE rowid > ?1 ORDER BY rowid LIMIT 500",
            ),
            (
                "product",
                "SELECT rowid, product_id FROM products WHERE rowid > ?1 ORDER BY rowid LIMIT 500",
            ),
        ];
        PAGES.into_iter().flat_map(move |(kind, sql)| {
            let mut last = i64::MIN;
            let mut read = move || -> Result<Option<Vec<String>>> {
                let mut statement = self.conn().prepare_cached(sql)?;
                let mut rows = statement.query([last])?;
                let (mut ids, mut any) = (Vec::new(), false);
                while let Some(row) = rows.next()? {
                    (last, any) = (row.get(0)?, true);
                    ids.extend(row.get_ref(1)?.as_str().ok().map(str::to_owned)); // an id that is no text is no id
                }
                Ok(any.then_some(ids))
            };
            let mut failed = false;
            let pages = std::iter::from_fn(move || {
                if failed {
                    return None;
                }
                match read() {
                    Ok(page) => page.map(|ids| ids.into_iter().map(Ok).collect::<Vec<_>>()),
                    Err(e) => {
                        failed = true;
                        Some(vec![Err(e)])
                    }
                }
            });
            pages
                .flatten()
                .filter_map(move |id| id.and_then(|id| self.document(kind, &id)).transpose())
        })
    }

    /// How many documents there are, for progress.
    pub fn count_documents(&self) -> Result<u64> {
        Ok(self.conn().query_row(
            "SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM articles) + (SELECT count(*) FROM products)",
            [],
            |r| r.get::<_, i64>(0),
        )? as u64)
    }

    /// Forgets the changes up to number `seq`, which the index holds durably. In chunks; returns how many.
    pub fn outbox_forget(&self, seq: i64) -> Result<u64> {
        let mut forgotten = 0;
        loop {
            let rows = self.conn().execute(
                "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE seq <= ?1 ORDER BY seq LIMIT 1000)",
                [seq],
            )?;
            forgotten += rows as u64;
            if rows < 1000 {
                return Ok(forgotten);
            }
            std::thread::sleep(super::pace::Pace::default().pause);
        }
    }

    fn document(&self, kind: &str, id: &str) -> Result<Option<Change>> {
        let found = match kind {
            "ticket" => self.ticket_document(id),
            "article" => self.article_document(id),
            _ => self.product_document(id),
        };
        match found {
            // Bytes that are no text: nothing to find there, and no reason to stop.
            Err(Error::Sqlite(e)) if snapshot::is_no_text(&e) => Ok(None),
            found => found,
        }
    }

    fn ticket_document(&self, id: &str) -> Result<Option<Change>> {
        let ticket = self
            .conn()
            .prepare_cached(
                "SELECT ticket_id, user_id, subject, body, language, status, category, team, agent_id, priority,
                        decided_by = 'person', created_at, closed_at FROM tickets WHERE ticket_id = ?1",
            )?
            .query_row([id], snapshot::ticket)
            .optional()?;
        let Some(ticket) = ticket else { return Ok(None) };
        let mut statement = self.conn().prepare_cached(
            "SELECT reply_id, ticket_id, author, agent_id, body, at FROM replies WHERE ticket_id = ?1 ORDER BY at, reply_id",
        )?;
        let replies = statement
            .query_map([id], snapshot::reply)?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(Change::Ticket(Box::new(ticket), replies)))
    }

    fn article_document(&self, id: &str) -> Result<Option<Change>> {
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT article_id, title, body, category, language FROM articles WHERE article_id = ?1",
            )?
            .query_row([id], snapshot::article)
            .optional()?
            .map(Change::Article))
    }

    fn product_document(&self, id: &str) -> Result<Option<Change>> {
        Ok(self
            .conn()
            .prepare_cached(
                "SELECT product_id, group_id, title, description, category, brand, properties, price, cost,
                        hidden = 0 AND in_stock > 0, created_at FROM products WHERE product_id = ?1",
            )?
            .query_row([id], snapshot::product)
            .optional()?
            .map(|p| Change::Product(Box::new(p))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_leaves_one_row_and_drained_numbers_never_return() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        assert_eq!(
            shop.outbox_waiting(0).unwrap(),
            (1, true),
            "a new file asks for a whole index"
        );
        let start = shop.outbox_newest().unwrap();
        shop.conn()
            .execute_batch(
                "INSERT INTO tickets (ticket_id, subject) VALUES ('t', 'hello');
                 INSERT INTO replies (ticket_id, body) VALUES ('t', 'answer');
                 UPDATE tickets SET user_id = 'u';
                 INSERT INTO products (product_id, title) VALUES ('p', 'lamp');
                 UPDATE products SET in_stock = 0;
                 INSERT INTO articles (article_id) VALUES ('a');
                 DELETE FROM articles;",
            )
            .unwrap();
        let (changes, last) = shop.outbox_changes(start, 100).unwrap().unwrap();
        assert_eq!(changes.len(), 3, "{changes:?}");
        assert!(matches!(&changes[0], Change::Gone(kind, id) if kind == "article" && id == "a"));
        assert!(matches!(&changes[1], Change::Product(p) if p.title == "lamp" && !p.sellable));
        assert!(matches!(&changes[2], Change::Ticket(t, r) if t.subject == "hello" && r.len() == 1));
        assert_eq!(last, shop.outbox_newest().unwrap());
        shop.outbox_forget(last).unwrap();
        shop.conn()
            .execute("UPDATE tickets SET subject = 'again'", [])
            .unwrap();
        assert_eq!(shop.outbox_newest().unwrap(), last + 1);
        let seen = shop.documents().map(Result::unwrap).count();
        assert_eq!(seen, 2);
    }

    #[test]
    fn an_undrained_outbox_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        shop.outbox_forget(i64::MAX).unwrap();
        shop.conn()
            .execute_batch(
                "INSERT INTO outbox (kind, id)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000050)
                 SELECT 'ticket', i FROM n;",
            )
            .unwrap();
        let (waiting, rebuild) = shop.outbox_waiting(0).unwrap();
        assert!(rebuild && waiting < 100, "{waiting}");
    }
}
