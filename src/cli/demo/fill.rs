//! The demo shop's rows into the input tables.

use crate::demo::DemoShop;
use crate::store::{Shop, Value};
use anyhow::Result;

/// Writes the rows of every input table; `done` hears which one and the percentage before it.
pub(super) fn fill(shop: &Shop, rows: &DemoShop, done: &dyn Fn(&str, u64)) -> Result<()> {
    fn list(words: &[&'static str]) -> Value {
        if words.is_empty() {
            Value::Null
        } else {
            Value::Text(serde_json::json!(words).to_string())
        }
    }
    macro_rules! row {
        ($($value:expr),* $(,)?) => { vec![$(Value::from($value)),*] };
    }
    done("settings", 0);
    for (name, value) in &rows.settings {
        shop.set(name, value)?;
    }
    done("products", 2);
    let columns = [
        "product_id",
        "group_id",
        "title",
        "description",
        "category",
        "brand",
        "properties",
        "price",
        "cost",
        "currency",
        "in_stock",
        "hidden",
        "created_at",
    ];
    shop.fill(
        "products",
        &columns,
        rows.products.iter().map(|p| {
            row![
                p.product_id.as_str(),
                p.group_id.as_str(),
                p.title.as_str(),
                p.description.as_str(),
                p.category.as_str(),
                p.brand.as_str(),
                p.properties.as_str(),
                p.price,
                p.cost,
                p.currency,
                p.in_stock,
                i64::from(p.hidden),
                p.created_at
            ]
        }),
    )?;
    done("users", 5);
    shop.fill(
        "users",
        &["user_id", "country", "language", "created_at"],
        rows.users
            .iter()
            .map(|u| row![u.user_id.as_str(), u.country, u.language, u.created_at]),
    )?;
    done("events", 8);
    let columns = [
        "user_id",
        "session_id",
        "order_id",
        "product_id",
        "kind",
        "quantity",
        "price",
        "rating",
        "at",
    ];
    shop.fill(
        "events",
        &columns,
        rows.events.iter().map(|e| {
            row![
                rows.user_id(e),
                e.session_id(),
                e.order_id(),
                rows.product_id(e.product),
                e.kind,
                f64::from(e.quantity),
                e.price,
                e.rating.map(f64::from),
                e.at
            ]
        }),
    )?;
    done("prices", 60);
    shop.fill(
        "prices",
        &["product_id", "seller", "at", "price", "promotion"],
        rows.prices.iter().map(|p| {
            row![
                rows.product_id(p.product),
                p.seller,
                p.at,
                p.price,
                i64::from(p.promotion)
            ]
        }),
    )?;
    done("drivers", 70);
    shop.fill(
        "drivers",
        &["name", "product_id", "day", "value"],
        rows.drivers
            .iter()
            .map(|d| row![d.name, d.product_id.as_str(), d.day.as_str(), d.value]),
    )?;
    done("agents", 72);
    let columns = [
        "agent_id",
        "name",
        "team",
        "languages",
        "skills",
        "capacity",
        "active",
    ];
    shop.fill(
        "agents",
        &columns,
        rows.agents.iter().map(|a| {
            row![
                a.agent_id.as_str(),
                a.name,
                a.team,
                list(&a.languages),
                list(&a.skills),
                a.capacity,
                i64::from(a.active)
            ]
        }),
    )?;
    done("tickets", 75);
    let columns = [
        "ticket_id",
        "user_id",
        "subject",
        "body",
        "language",
        "channel",
        "status",
        "category",
        "team",
        "agent_id",
        "priority",
        "created_at",
        "first_reply_at",
        "closed_at",
    ];
    shop.fill(
        "tickets",
        &columns,
        rows.tickets.iter().map(|t| {
            row![
                t.ticket_id.as_str(),
                t.user_id.as_deref(),
                t.subject.as_str(),
                t.body.as_str(),
                t.language,
                t.channel,
                t.status,
                t.category,
                t.team,
                t.agent_id.as_deref(),
                t.priority,
                t.created_at,
                t.first_reply_at,
                t.closed_at
            ]
        }),
    )?;
    done("replies", 90);
    shop.fill(
        "replies",
        &["ticket_id", "author", "agent_id", "body", "at"],
        rows.replies.iter().map(|r| {
            row![
                r.ticket_id.as_str(),
                r.author,
                r.agent_id.as_deref(),
                r.body.as_str(),
                r.at
            ]
        }),
    )?;
    done("articles", 97);
    let columns = [
        "article_id",
        "title",
        "body",
        "category",
        "language",
        "updated_at",
    ];
    shop.fill(
        "articles",
        &columns,
        rows.articles.iter().map(|a| {
            row![
                a.article_id.as_str(),
                a.title,
                a.body,
                a.category,
                a.language,
                a.updated_at
            ]
        }),
    )?;
    shop.fill(
        "synonyms",
        &["term", "also"],
        rows.synonyms.iter().map(|(a, b)| row![*a, *b]),
    )?;
    done("", 100);
    Ok(())
}
