//! The table functions.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::arguments::{count, text};
use super::clerk::Clerk;
use super::table::{Call, Function, MODULE};
use crate::search::{Kind, LARGEST_LIMIT};

/// Rows where nobody says how many.
const USUAL: usize = 20;

const TICKETS: Function = Function {
    name: "ticket_search",
    usage: "ticket_search('words' [, k [, schema]]), or WHERE ticket_search MATCH 'words'",
    declaration:
        c"CREATE TABLE x(id TEXT, score REAL, snippet TEXT, ticket_search HIDDEN, k HIDDEN, schema HIDDEN)",
    visible: 3,
    arguments: 3,
    required: 1,
    matches: true,
    order: (1, true),
    rows: |clerk, call| search(clerk, call, Kind::Ticket),
};

const ARTICLES: Function = Function {
    name: "article_search",
    usage: "article_search('words' [, k [, schema]]), or WHERE article_search MATCH 'words'",
    declaration:
        c"CREATE TABLE x(id TEXT, score REAL, snippet TEXT, article_search HIDDEN, k HIDDEN, schema HIDDEN)",
    rows: |clerk, call| search(clerk, call, Kind::Article),
    ..TICKETS
};

const PRODUCTS: Function = Function {
    name: "product_search",
    usage: "product_search('words' [, k [, schema]]), or WHERE product_search MATCH 'words'",
    declaration:
        c"CREATE TABLE x(id TEXT, score REAL, snippet TEXT, product_search HIDDEN, k HIDDEN, schema HIDDEN)",
    rows: |clerk, call| search(clerk, call, Kind::Product),
    ..TICKETS
};

const SESSION: Function = Function {
    name: "recommend_session",
    usage: "recommend_session('[\"product\", \"the latest\"]' [, k [, schema]])",
    declaration:
        c"CREATE TABLE x(rank INTEGER, product_id TEXT, score REAL, products HIDDEN, k HIDDEN, schema HIDDEN)",
    visible: 3,
    arguments: 3,
    required: 1,
    matches: false,
    order: (0, false),
    rows: session,
};

const FORECAST: Function = Function {
    name: "forecast_price",
    usage: "forecast_price('product' [, seller [, schema]])",
    declaration: c"CREATE TABLE x(step INTEGER, at INTEGER, day TEXT, price REAL, lo80 REAL, hi80 REAL, lo95 REAL, hi95 REAL, product_id HIDDEN, seller HIDDEN, schema HIDDEN)",
    visible: 8,
    arguments: 3,
    required: 1,
    matches: false,
    order: (0, false),
    rows: forecast,
};

static ALL: [Function; 5] = [TICKETS, ARTICLES, PRODUCTS, SESSION, FORECAST];

/// Registers them on a connection.
pub(super) fn register(conn: &Connection, clerk: &Arc<Clerk>) -> rusqlite::Result<()> {
    for function in &ALL {
        conn.create_module(function.name, MODULE, Some((function, Arc::clone(clerk))))?;
    }
    Ok(())
}

/// An argument that is a text.
fn given(call: &Call, at: usize, what: &str) -> Result<Option<String>> {
    let value = call.arguments.get(at).and_then(Option::as_ref);
    text(value, what).map_err(anyhow::Error::msg)
}

fn rows_asked_for(call: &Call) -> Result<usize> {
    let k = count(call.arguments[1].as_ref(), USUAL, LARGEST_LIMIT).map_err(anyhow::Error::msg)?;
    Ok(call.limit.map_or(k, |limit| limit.min(k)))
}

fn search(clerk: &Clerk, call: &Call, kind: Kind) -> Result<Vec<Vec<Value>>> {
    let schema = given(call, 2, "the schema")?;
    let k = rows_asked_for(call)?;
    let Some(query) = given(call, 0, "the query")? else {
        return Ok(Vec::new());
    };
    let hits = clerk.ask(schema.as_deref(), |guest| {
        guest.search(kind, &query, k, call.wants(2))
    })?;
    let row = |hit: crate::search::Hit| vec![hit.id.into(), hit.score.into(), hit.snippet.into()];
    Ok(hits.into_iter().map(row).collect())
}

fn session(clerk: &Clerk, call: &Call) -> Result<Vec<Vec<Value>>> {
    let schema = given(call, 2, "the schema")?;
    let k = rows_asked_for(call)?;
    let Some(products) = given(call, 0, "the session")? else {
        return Ok(Vec::new());
    };
    let met = products_in(&products)?;
    let rows = clerk.ask(schema.as_deref(), |guest| guest.recommend(&met, k))?;
    let row =
        |(rank, (product, score)): (i64, (String, f64))| vec![rank.into(), product.into(), score.into()];
    Ok((1..).zip(rows).map(row).collect())
}

/// The product ids of a JSON array; numbers are ids as well.
fn products_in(json: &str) -> Result<Vec<String>> {
    let wrong = || anyhow!("the session is a JSON array of product ids, the latest last: '[\"a\", \"b\"]'");
    let values: Vec<serde_json::Value> = serde_json::from_str(json).map_err(|_| wrong())?;
    values
        .into_iter()
        .map(|value| match value {
            serde_json::Value::String(id) => Ok(id),
            serde_json::Value::Number(id) => Ok(id.to_string()),
            _ => Err(wrong()),
        })
        .collect()
}

fn forecast(clerk: &Clerk, call: &Call) -> Result<Vec<Vec<Value>>> {
    let schema = given(call, 2, "the schema")?;
    let seller = given(call, 1, "the seller")?.unwrap_or_default();
    let Some(product) = given(call, 0, "the product")? else {
        return Ok(Vec::new());
    };
    let steps = clerk.ask(schema.as_deref(), |guest| {
        guest
            .shop()
            .forecast(&product, &seller)
            .context("the forecast cannot be read")
    })?;
    let row = |one: crate::store::ForecastStep| {
        let mut row: Vec<Value> = vec![one.step.into(), one.at.into(), one.day.into()];
        row.extend(one.prices.map(Value::from));
        row
    };
    Ok(steps.into_iter().map(row).collect())
}
