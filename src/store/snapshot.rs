//! One consistent look at the inputs: a read transaction on a connection of its own, open only while a night
//! collects. A reader that stays open pins the WAL, so nothing is computed in here: rows are handed over and
//! the snapshot is dropped.
//!
//! Any program writes the inputs, and some write bytes that are no text into a text column. One such row must not
//! cost a night: it is left out and counted ([`Snapshot::left_out`]), like everything else a night cannot use.

use super::digest::Digest;
use super::error::Result;
use super::inputs::{Agent, Article, Event, Price, Product, Reply, Rule, Ticket, User};
use super::open::Shop;
use super::settings::Settings;
use rusqlite::{Connection, Row};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Every method reads the same instant of the file.
#[derive(Debug)]
pub struct Snapshot {
    shop: Shop,
    left_out: RefCell<BTreeMap<(&'static str, &'static str), u64>>,
    digest: Digest,
}

impl Snapshot {
    /// Begins a read transaction on a new connection.
    pub fn begin(shop: &Shop) -> Result<Snapshot> {
        let shop = Shop::open_read_only(shop.path())?;
        // Deferred: the first SELECT fixes the instant.
        shop.conn()
            .execute_batch("BEGIN; SELECT count(*) FROM settings")?;
        Ok(Snapshot {
            shop,
            left_out: RefCell::default(),
            digest: Digest::default(),
        })
    }

    pub(super) fn conn(&self) -> &Connection {
        self.shop.conn()
    }

    /// Rows that could not be read, by table and reason.
    pub fn left_out(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.left_out
            .borrow()
            .iter()
            .map(|((table, reason), rows)| (*table, *reason, *rows))
            .collect()
    }

    pub(super) fn leave_out(&self, table: &'static str, reason: &'static str) {
        *self.left_out.borrow_mut().entry((table, reason)).or_default() += 1;
    }

    /// The same for a table that is read more than once: so many rows, however often they were met.
    pub(super) fn leave_out_of_each_reading(&self, table: &'static str, reason: &'static str, rows: u64) {
        let mut left_out = self.left_out.borrow_mut();
        if rows > 0 {
            let known = left_out.entry((table, reason)).or_default();
            *known = rows.max(*known);
        }
    }

    /// A hash over every row of the input tables that was read so far, and over what was asked: equal readings of equal rows
    /// have equal digests. Rules are read as of an instant, so one that comes into force changes it.
    pub fn digest(&self) -> u128 {
        self.digest.value()
    }

    /// The settings of the shop.
    pub fn settings(&self) -> Result<Settings> {
        Settings::read(self.conn())
    }

    /// The newest `events.at` not after `now`; None = no events.
    pub fn newest_event_at(&self, now: i64) -> Result<Option<i64>> {
        self.newest("SELECT max(at) FROM events WHERE at <= ?1", now)
    }

    /// The newest `prices.at` not after `now`; None = no prices.
    pub fn newest_price_at(&self, now: i64) -> Result<Option<i64>> {
        self.newest("SELECT max(at) FROM prices WHERE at <= ?1", now)
    }

    /// The newest instant of a ticket or reply not after `now`; None = no tickets.
    pub fn newest_support_at(&self, now: i64) -> Result<Option<i64>> {
        self.newest(
            "SELECT max(at) FROM (SELECT max(created_at) AS at FROM tickets WHERE created_at <= ?1
                                  UNION ALL SELECT max(closed_at) FROM tickets WHERE closed_at <= ?1
                                  UNION ALL SELECT max(at) FROM replies WHERE at <= ?1)",
            now,
        )
    }

    fn newest(&self, sql: &str, now: i64) -> Result<Option<i64>> {
        Ok(self.conn().query_row(sql, [now], |r| r.get(0))?)
    }

    /// All products, by product_id.
    pub fn products(&self) -> Result<Vec<Product>> {
        self.rows(
            "products",
            "SELECT product_id, group_id, title, description, category, brand, properties, price, cost,
                    hidden = 0 AND in_stock > 0, created_at FROM products ORDER BY product_id",
            [],
            product,
        )
    }

    /// All users, by user_id.
    pub fn users(&self) -> Result<Vec<User>> {
        self.rows(
            "users",
            "SELECT user_id, country, language FROM users ORDER BY user_id",
            [],
            |r| {
                Ok(User {
                    user_id: r.get(0)?,
                    country: r.get(1)?,
                    language: r.get(2)?,
                })
            },
        )
    }

    /// Lends every event to `each`, in order of event_id, those later than any instant included.
    pub fn events(&self, mut each: impl FnMut(Event<'_>)) -> Result<()> {
        let mut statement = self.conn().prepare(
            "SELECT event_id, user_id, session_id, order_id, product_id, kind, quantity, price, rating, shown_by, at
             FROM events ORDER BY event_id",
        )?;
        self.digest.begin(&statement);
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            self.digest.row(r, columns)?;
            let row = (|| {
                Ok(Event {
                    event_id: r.get(0)?,
                    user_id: text(r, 1)?,
                    session_id: text(r, 2)?,
                    order_id: text(r, 3)?,
                    product_id: text(r, 4)?.unwrap_or_default(),
                    kind: text(r, 5)?.unwrap_or_default(),
                    quantity: r.get(6)?,
                    price: r.get(7)?,
                    rating: r.get(8)?,
                    shown_by: text(r, 9)?,
                    at: r.get(10)?,
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

    /// Lends every price to `each`, in the order (product_id, seller, at).
    pub fn prices(&self, mut each: impl FnMut(Price<'_>)) -> Result<()> {
        let mut statement = self.conn().prepare(
            "SELECT product_id, seller, at, price, promotion FROM prices ORDER BY product_id, seller, at",
        )?;
        self.digest.begin(&statement);
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            self.digest.row(r, columns)?;
            let row = (|| {
                Ok(Price {
                    product_id: text(r, 0)?.unwrap_or_default(),
                    seller: text(r, 1)?.unwrap_or_default(),
                    at: r.get(2)?,
                    price: r.get(3)?,
                    promotion: r.get::<_, i64>(4)? != 0,
                })
            })();
            match row {
                Ok(row) => each(row),
                Err(e) if is_no_text(&e) => self.leave_out("prices", NO_TEXT),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// All agents, by agent_id. One whose languages or skills are no JSON array of texts is left out: to guess would
    /// give somebody work they cannot do.
    pub fn agents(&self) -> Result<Vec<Agent>> {
        let rows = self.rows("agents", AGENTS, [], agent)?;
        rows.iter()
            .filter(|agent| agent.is_none())
            .for_each(|_| self.leave_out("agents", "languages or skills are no JSON array of texts"));
        Ok(rows.into_iter().flatten().collect())
    }

    /// All tickets, by ticket_id.
    pub fn tickets(&self) -> Result<Vec<Ticket>> {
        self.rows(
            "tickets",
            "SELECT ticket_id, user_id, subject, body, language, status, category, team, agent_id, priority,
                    decided_by = 'person', created_at, closed_at FROM tickets ORDER BY ticket_id",
            [],
            ticket,
        )
    }

    /// All replies, by (ticket_id, at, reply_id).
    pub fn replies(&self) -> Result<Vec<Reply>> {
        self.rows(
            "replies",
            "SELECT reply_id, ticket_id, author, agent_id, body, at FROM replies ORDER BY ticket_id, at, reply_id",
            [],
            reply,
        )
    }

    /// All help articles, by article_id.
    pub fn articles(&self) -> Result<Vec<Article>> {
        self.rows(
            "articles",
            "SELECT article_id, title, body, category, language FROM articles ORDER BY article_id",
            [],
            article,
        )
    }

    /// The rules enabled and in force at `at`, by rule_id.
    pub fn rules(&self, at: i64) -> Result<Vec<Rule>> {
        self.rows(
            "rules",
            "SELECT rule_id, kind, result, user_id, for_product_id, product_id, other_product_id, category, value FROM rules
             WHERE enabled = 1 AND coalesce(from_at, 0) <= ?1 AND coalesce(until_at, 9999999999) > ?1 ORDER BY rule_id",
            [at],
            |r| {
                Ok(Rule {
                    rule_id: r.get(0)?,
                    kind: r.get(1)?,
                    result: r.get(2)?,
                    user_id: r.get(3)?,
                    for_product_id: r.get(4)?,
                    product_id: r.get(5)?,
                    other_product_id: r.get(6)?,
                    category: r.get(7)?,
                    value: r.get(8)?,
                })
            },
        )
    }

    /// Owned rows of a table; those with bytes that are no text are left out.
    pub(super) fn rows<T>(
        &self,
        table: &'static str,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn().prepare(sql)?;
        self.digest.begin(&statement);
        let columns = statement.column_count();
        let mut rows = statement.query(parameters)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            self.digest.row(row, columns)?;
            match read(row) {
                Ok(one) => all.push(one),
                Err(e) if is_no_text(&e) => self.leave_out(table, NO_TEXT),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(all)
    }
}

/// The reason of rows with bytes that are no text.
pub(super) const NO_TEXT: &str = "a text that is not UTF-8";

pub(super) fn is_no_text(error: &rusqlite::Error) -> bool {
    // STRICT tables hold the right types: what is left to fail is the encoding.
    match error {
        rusqlite::Error::Utf8Error(..) => true,
        rusqlite::Error::FromSqlConversionFailure(_, kind, _) => *kind == rusqlite::types::Type::Text,
        _ => false,
    }
}

/// A text column, lent; NULL is None.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    let value = row.get_ref(column)?;
    value.as_str_or_null().map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
    })
}

// One function a table: the snapshot and the outbox read the same columns in the same order.

pub(super) fn product(r: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        product_id: r.get(0)?,
        group_id: r.get(1)?,
        title: r.get(2)?,
        description: r.get(3)?,
        category: r.get(4)?,
        brand: r.get(5)?,
        properties: r.get(6)?,
        price: r.get(7)?,
        cost: r.get(8)?,
        sellable: r.get(9)?,
        created_at: r.get(10)?,
    })
}

pub(super) fn ticket(r: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        ticket_id: r.get(0)?,
        user_id: r.get(1)?,
        subject: r.get(2)?,
        body: r.get(3)?,
        language: r.get(4)?,
        status: r.get(5)?,
        category: r.get(6)?,
        team: r.get(7)?,
        agent_id: r.get(8)?,
        priority: r.get(9)?,
        by_person: r.get(10)?,
        created_at: r.get(11)?,
        closed_at: r.get(12)?,
    })
}

pub(super) fn reply(r: &Row<'_>) -> rusqlite::Result<Reply> {
    Ok(Reply {
        reply_id: r.get(0)?,
        ticket_id: r.get(1)?,
        author: r.get(2)?,
        agent_id: r.get(3)?,
        body: r.get(4)?,
        at: r.get(5)?,
    })
}

pub(super) const AGENTS: &str =
    "SELECT agent_id, name, team, languages, skills, capacity, active FROM agents ORDER BY agent_id";

/// None = languages or skills are no JSON array of texts.
pub(super) fn agent(r: &Row<'_>) -> rusqlite::Result<Option<Agent>> {
    let list = |json: Option<String>| -> std::result::Result<Option<Vec<String>>, serde_json::Error> {
        json.map(|json| serde_json::from_str(&json)).transpose()
    };
    let (Ok(languages), Ok(skills)) = (list(r.get(3)?), list(r.get(4)?)) else {
        return Ok(None);
    };
    Ok(Some(Agent {
        agent_id: r.get(0)?,
        name: r.get(1)?,
        team: r.get(2)?,
        languages,
        skills,
        capacity: r.get(5)?,
        active: r.get::<_, i64>(6)? != 0,
    }))
}

pub(super) fn article(r: &Row<'_>) -> rusqlite::Result<Article> {
    Ok(Article {
        article_id: r.get(0)?,
        title: r.get(1)?,
        body: r.get(2)?,
        category: r.get(3)?,
        language: r.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unreadable_row_costs_itself_only() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        shop.conn()
            .execute_batch(
                "INSERT INTO products (product_id, title) VALUES ('a', 'lamp'), ('b', CAST(x'FFFE' AS TEXT));
                 INSERT INTO events (user_id, product_id, kind) VALUES ('u', 'a', 'view'), (CAST(x'80' AS TEXT), 'a', 'view');
                 INSERT INTO prices (product_id, at, price) VALUES ('a', 1, 2), (CAST(x'C3' AS TEXT), 1, 2);
                 INSERT INTO drivers (name, day, value) VALUES ('rain', '2026-01-01', 1), ('rain', CAST(x'FF' AS TEXT), 1);
                 INSERT INTO tickets (ticket_id, body) VALUES ('t', 'x'), ('s', CAST(x'FF' AS TEXT));
                 INSERT INTO agents (agent_id, languages) VALUES ('ann', '[\"en\"]'), ('bob', 'English'), ('cy', NULL);",
            )
            .unwrap();
        let snapshot = Snapshot::begin(&shop).unwrap();
        let (mut events, mut prices) = (0, 0);
        snapshot.events(|_| events += 1).unwrap();
        snapshot.prices(|_| prices += 1).unwrap();
        // Read by more than one: what cannot be read is counted once.
        for _ in 0..2 {
            let mut drivers = 0;
            snapshot.drivers(|_| drivers += 1).unwrap();
            assert_eq!(drivers, 1);
        }
        let agents: Vec<String> = snapshot
            .agents()
            .unwrap()
            .into_iter()
            .map(|a| a.agent_id)
            .collect();
        assert_eq!(
            (
                snapshot.products().unwrap().len(),
                snapshot.tickets().unwrap().len()
            ),
            (1, 1)
        );
        assert_eq!((events, prices, agents.join(" ").as_str()), (1, 1, "ann cy"));
        let expected = [
            ("agents", "languages or skills are no JSON array of texts", 1),
            ("drivers", NO_TEXT, 1),
            ("events", NO_TEXT, 1),
            ("prices", NO_TEXT, 1),
            ("products", NO_TEXT, 1),
            ("tickets", NO_TEXT, 1),
        ];
        assert_eq!(snapshot.left_out(), expected);
        // And the search index takes the rest.
        let documents: Vec<_> = shop.documents().collect::<Result<_>>().unwrap();
        assert_eq!(documents.len(), 2, "{documents:?}");
    }
}
