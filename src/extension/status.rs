//! `nightclerk_status()`: what a connection would be answered from, as JSON. Whatever is not there is said, not an error.

use anyhow::Result;
use serde_json::{Value, json};

use super::cache;
use super::clerk::{Clerk, Guest};
use super::host;

/// The families whose results are published.
const FAMILIES: [&str; 3] = ["recommendations", "prices", "support"];

/// All there is to say.
pub(super) fn told(clerk: &Clerk, schema: Option<&str>) -> Result<String> {
    let version = host::version();
    let mut told = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "sqlite": host::written(version),
    });
    if host::has_wal_bug(version) {
        told["sqlite_warning"] =
            "this SQLite can damage a database in WAL mode when two connections write and checkpoint at \
                                  the same instant; 3.51.3, 3.50.7 and 3.44.6 cannot"
                .into();
    }
    let of_file = clerk
        .locate(schema)
        .and_then(|path| Ok((path, clerk.ask(schema, of_guest)?)));
    match of_file {
        Ok((path, of_file)) => {
            told["file"] = path.display().to_string().into();
            if let (Value::Object(all), Value::Object(more)) = (&mut told, of_file) {
                all.extend(more);
            }
            let kept = cache::kept(&path).into_iter();
            told["loaded"] = kept
                .map(|(kind, generation, bytes)| {
                    json!({ "models": kind.as_str(), "generation": generation, "bytes": bytes })
                })
                .collect();
        }
        Err(error) => told["problem"] = format!("{error:#}").into(),
    }
    Ok(told.to_string())
}

fn of_guest(guest: &mut Guest) -> Result<Value> {
    let mut published = serde_json::Map::new();
    for family in FAMILIES {
        let key = guest.shop().models_key(family, "")?;
        let key = key.map(|key| {
            json!({ "generation": key.generation, "as_of": key.as_of, "published_at": key.published_at })
        });
        published.insert(family.into(), key.unwrap_or(Value::Null));
    }
    let index = match guest.index() {
        Ok((documents, waiting)) => json!({ "documents": documents, "changes_waiting": waiting }),
        Err(error) => json!({ "problem": format!("{error:#}") }),
    };
    Ok(json!({ "published": published, "index": index }))
}
