//! The functions that give one value, JSON where it is more than a word.

use std::sync::Arc;

use anyhow::{Result, bail};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value;

use super::arguments::{owned, text};
use super::clerk::{Clerk, Guest};
use super::guard::guarded;
use super::status;

/// A function of a text that reads the shop.
struct Asking {
    name: &'static str,
    usage: &'static str,
    /// Whether the language of the text may be given before the schema.
    language: bool,
    answer: fn(&mut Guest, &str, Option<&str>) -> Result<String>,
}

const ASKING: [Asking; 3] = [
    Asking {
        name: "classify_ticket",
        usage: "classify_ticket('text' [, schema])",
        language: false,
        answer: |guest, text, _| guest.classify(text),
    },
    Asking {
        name: "route_ticket",
        usage: "route_ticket('text' [, language [, schema]])",
        language: true,
        answer: Guest::route,
    },
    Asking {
        name: "draft_reply",
        usage: "draft_reply('text' [, language [, schema]])",
        language: true,
        answer: Guest::draft,
    },
];

/// Registers them on a connection.
pub(super) fn register(conn: &Connection, clerk: &Arc<Clerk>) -> rusqlite::Result<()> {
    // What reads the shop may be called from top-level SQL only: a view or trigger of a hostile file must not ask.
    let reads = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    for asking in &ASKING {
        let clerk = Arc::clone(clerk);
        conn.create_scalar_function(asking.name, -1, reads, move |context| {
            guarded(asking.name, "call", || ask(asking, &clerk, &arguments(context)?))
        })?;
    }
    let of_status = Arc::clone(clerk);
    conn.create_scalar_function("nightclerk_status", -1, reads, move |context| {
        guarded("nightclerk_status", "call", || {
            let given = arguments(context)?;
            if given.len() > 1 {
                bail!("it is called nightclerk_status([schema])");
            }
            let schema = text(given.first(), "the schema").map_err(anyhow::Error::msg)?;
            status::told(&of_status, schema.as_deref())
        })
    })?;
    let harmless =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("nightclerk_version", 0, harmless, |_| {
        guarded("nightclerk_version", "call", || {
            Ok::<_, String>(env!("CARGO_PKG_VERSION"))
        })
    })
}

fn arguments(context: &Context<'_>) -> Result<Vec<Value>> {
    let values = (0..context.len()).map(|at| owned(context.get_raw(at)).map_err(anyhow::Error::msg));
    values.collect()
}

fn ask(asking: &Asking, clerk: &Clerk, given: &[Value]) -> Result<Option<String>> {
    let most = if asking.language { 3 } else { 2 };
    if given.is_empty() || given.len() > most {
        bail!("it is called {}", asking.usage);
    }
    let as_text = |at: usize, what: &str| text(given.get(at), what).map_err(anyhow::Error::msg);
    let language = match asking.language {
        true => as_text(1, "the language")?.filter(|tag| !tag.is_empty()),
        false => None,
    };
    let schema = as_text(most - 1, "the schema")?;
    let Some(words) = as_text(0, "the text")? else {
        return Ok(None);
    };
    clerk
        .ask(schema.as_deref(), |guest| {
            (asking.answer)(guest, &words, language.as_deref())
        })
        .map(Some)
}
