//! One consistent look at the inputs: a read transaction on a connection of its own, open only while a night
//! collects. A reader that stays open pins the WAL, so nothing is computed in here: rows are handed over and
//! the snapshot is dropped.

use super::error::{Error, Result};
use super::inputs::{Agent, Article, Event, Price, Product, Reply, Rule, Ticket, User};
use super::open::Shop;
use super::settings::Settings;
use rusqlite::{Connection, Row};

/// Every method reads the same instant of the file.
#[derive(Debug)]
pub struct Snapshot {
    shop: Shop,
}

impl Snapshot {
    /// Begins a read transaction on a new connection.
    pub fn begin(shop: &Shop) -> Result<Snapshot> {
        let shop = Shop::open_read_only(shop.path())?;
        // Deferred: the first SELECT fixes the instant.
        shop.conn()
            .execute_batch("BEGIN; SELECT count(*) FROM settings")?;
        Ok(Snapshot { shop })
    }

    fn conn(&self) -> &Connection {
        self.shop.conn()
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
            "SELECT product_id, group_id, title, description, category, brand, properties, price, cost,
                    hidden = 0 AND in_stock > 0, created_at FROM products ORDER BY product_id",
            product,
        )
    }

    /// All users, by user_id.
    pub fn users(&self) -> Result<Vec<User>> {
        self.rows(
            "SELECT user_id, country, language FROM users ORDER BY user_id",
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
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            each(Event {
                event_id: r.get(0)?,
                user_id: text(r, 1, "events")?,
                session_id: text(r, 2, "events")?,
                order_id: text(r, 3, "events")?,
                product_id: text(r, 4, "events")?.unwrap_or_default(),
                kind: text(r, 5, "events")?.unwrap_or_default(),
                quantity: r.get(6)?,
                price: r.get(7)?,
                rating: r.get(8)?,
                shown_by: text(r, 9, "events")?,
                at: r.get(10)?,
            });
        }
        Ok(())
    }

    /// Lends every price to `each`, in the order (product_id, seller, at).
    pub fn prices(&self, mut each: impl FnMut(Price<'_>)) -> Result<()> {
        let mut statement = self.conn().prepare(
            "SELECT product_id, seller, at, price, promotion FROM prices ORDER BY product_id, seller, at",
        )?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            each(Price {
                product_id: text(r, 0, "prices")?.unwrap_or_default(),
                seller: text(r, 1, "prices")?.unwrap_or_default(),
                at: r.get(2)?,
                price: r.get(3)?,
                promotion: r.get::<_, i64>(4)? != 0,
            });
        }
        Ok(())
    }

    /// All agents, by agent_id. A JSON column that is no array of texts is an error that names the agent.
    pub fn agents(&self) -> Result<Vec<Agent>> {
        let list = |id: &str, column: &str, json: Option<String>| -> Result<Option<Vec<String>>> {
            json.map(|j| {
                serde_json::from_str(&j).map_err(|_| Error::Value {
                    table: "agents",
                    what: format!(
                        "agent {id}: {column} is {j:?}; a JSON array of texts was expected, [\"en\", \"zh\"]"
                    ),
                })
            })
            .transpose()
        };
        self.rows(
            "SELECT agent_id, name, team, languages, skills, capacity, active FROM agents ORDER BY agent_id",
            |r| {
                let id: String = r.get(0)?;
                Ok((
                    id,
                    r.get(1)?,
                    r.get(2)?,
                    r.get(3)?,
                    r.get(4)?,
                    r.get(5)?,
                    r.get::<_, i64>(6)? != 0,
                ))
            },
        )?
        .into_iter()
        .map(|(agent_id, name, team, languages, skills, capacity, active)| {
            Ok(Agent {
                languages: list(&agent_id, "languages", languages)?,
                skills: list(&agent_id, "skills", skills)?,
                agent_id,
                name,
                team,
                capacity,
                active,
            })
        })
        .collect()
    }

    /// All tickets, by ticket_id.
    pub fn tickets(&self) -> Result<Vec<Ticket>> {
        self.rows(
            "SELECT ticket_id, user_id, subject, body, language, status, category, team, agent_id, priority,
                    decided_by = 'person', created_at, closed_at FROM tickets ORDER BY ticket_id",
            ticket,
        )
    }

    /// All replies, by (ticket_id, at, reply_id).
    pub fn replies(&self) -> Result<Vec<Reply>> {
        self.rows(
            "SELECT reply_id, ticket_id, author, agent_id, body, at FROM replies ORDER BY ticket_id, at, reply_id",
            reply,
        )
    }

    /// All help articles, by article_id.
    pub fn articles(&self) -> Result<Vec<Article>> {
        self.rows(
            "SELECT article_id, title, body, category, language FROM articles ORDER BY article_id",
            article,
        )
    }

    /// Synonyms as (term, also).
    pub fn synonyms(&self) -> Result<Vec<(String, String)>> {
        self.rows("SELECT term, also FROM synonyms ORDER BY term, also", |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
    }

    /// The rules enabled and in force at `at`, by rule_id.
    pub fn rules(&self, at: i64) -> Result<Vec<Rule>> {
        let mut statement = self.conn().prepare(
            "SELECT kind, result, user_id, for_product_id, product_id, other_product_id, category, value FROM rules
             WHERE enabled = 1 AND coalesce(from_at, 0) <= ?1 AND coalesce(until_at, 9999999999) > ?1 ORDER BY rule_id",
        )?;
        let rows = statement.query_map([at], |r| {
            Ok(Rule {
                kind: r.get(0)?,
                result: r.get(1)?,
                user_id: r.get(2)?,
                for_product_id: r.get(3)?,
                product_id: r.get(4)?,
                other_product_id: r.get(5)?,
                category: r.get(6)?,
                value: r.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn rows<T>(&self, sql: &str, row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut statement = self.conn().prepare(sql)?;
        let rows = statement.query_map([], row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// A text column, lent. A host can write bytes that are no UTF-8 into a TEXT column: named, not a panic.
fn text<'r>(row: &'r Row<'_>, column: usize, table: &'static str) -> Result<Option<&'r str>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        rusqlite::types::ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| Error::Value {
            table,
            what: format!(
                "column {}: {:?} is not UTF-8; find it with SELECT * FROM {table} and correct or delete the row",
                row.as_ref().column_name(column).unwrap_or("?"),
                String::from_utf8_lossy(bytes)
            ),
        }),
        other => Err(Error::Value { table, what: format!("column {column} holds {:?}", other.data_type()) }),
    }
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

pub(super) fn article(r: &Row<'_>) -> rusqlite::Result<Article> {
    Ok(Article {
        article_id: r.get(0)?,
        title: r.get(1)?,
        body: r.get(2)?,
        category: r.get(3)?,
        language: r.get(4)?,
    })
}
