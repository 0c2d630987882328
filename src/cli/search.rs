//! `nightclerk search`: full-text search of tickets, articles or products, as fresh as the index.

use super::{Failure, Global, Out};
use crate::pipeline::finder::{self, Lore};
use crate::search::{Counts, Facet, Found, Hit, Kind, LARGEST_LIMIT, Options};
use crate::store::{Shop, Table, Value};
use anyhow::Result;
use std::io::IsTerminal;

/// What to look for, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All words must be there. \"a phrase\", -without or NOT without, begin*, this OR that, and \
    status: category: team: agent_id: language: created_at:2026-11-01..2026-11-23 note: \
    narrow it down. A query that begins with '-' goes after '--'. docs/search.md has the whole language."
)]
pub struct SearchArgs {
    /// The query; several words may stand without quotation marks, one that begins with - after --
    #[arg(value_name = "QUERY", required_unless_present = "like")]
    query: Vec<String>,
    /// Where to look
    #[arg(long = "in", value_enum, default_value_t = Place::Tickets)]
    place: Place,
    /// At most this many hits
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=LARGEST_LIMIT as i64))]
    limit: u16,
    /// Find the documents most like the one with this id, instead of a query's
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "typing"])]
    like: Option<String>,
    /// Count all documents found by team, status, category and language, instead of listing the best
    #[arg(long)]
    facets: bool,
    /// The last word is still being typed: search it as the beginning of a word
    #[arg(long)]
    typing: bool,
    /// Search the words as written: no synonyms, no correction of typos
    #[arg(long)]
    exact: bool,
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Place {
    /// Tickets with their replies
    Tickets,
    /// Help articles
    Articles,
    /// Products
    Products,
}

/// Searches and prints the hits, best first.
pub fn run(args: &SearchArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    let out = Out::new(global);
    let reader = Lore::read(&shop)?.given_to(finder::open(&shop)?);
    let waiting = finder::waiting(&shop, &reader)?;
    let kind = match args.place {
        Place::Tickets => Kind::Ticket,
        Place::Articles => Kind::Article,
        Place::Products => Kind::Product,
    };
    let options = Options {
        // Counting needs to know only whether anything was found as written.
        limit: if args.facets { 1 } else { args.limit.into() },
        typing: args.typing,
        typos: !args.exact,
        synonyms: !args.exact,
        counts: args.facets,
        snippets: !args.facets,
    };
    let found = match &args.like {
        None => reader.find(kind, &args.query.join(" "), &options)?,
        Some(id) => reader.like(kind, id, &options)?.ok_or_else(|| {
            Failure::Usage(format!(
                "there is no {} {id:?} in the search index: its id has to be written as in the database",
                kind.as_str()
            ))
        })?,
    };
    print(&found, args, global, &out)?;
    for remark in &found.remarks {
        out.say(remark)?;
    }
    if waiting > 0 {
        out.say(&format!(
            "{waiting} changes are not in the index yet: nightclerk run search"
        ))?;
    }
    Ok(())
}

/// The hits, or their numbers by facet, for people or for programs.
fn print(found: &Found, args: &SearchArgs, global: &Global, out: &Out) -> Result<()> {
    if let Some(counts) = found.counts.as_ref().filter(|_| args.facets) {
        return out.table(&facets(counts));
    }
    if !global.json && std::io::stdout().is_terminal() {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        for hit in &found.hits {
            out.line(&shown(hit, colour))?;
        }
    } else {
        out.table(&table(&found.hits, global.json))?;
    }
    if found.hits.is_empty() {
        out.say("nothing found")?;
    } else if let Some(first) = found.hits.iter().position(|hit| hit.corrected) {
        out.say(&match first {
            0 => "nothing has the words as written; these have words like them".to_owned(),
            first => format!("the first {first} have the words as written, the others words like them"),
        })?;
    }
    Ok(())
}

/// One row for all documents found, then one for each value.
fn facets(counts: &Counts) -> Table {
    let row = |facet: &str, value: Value, documents: u64| {
        vec![
            Value::Text(facet.to_owned()),
            value,
            Value::Integer(i64::try_from(documents).unwrap_or(i64::MAX)),
        ]
    };
    let mut rows = vec![row("all", Value::Null, counts.documents)];
    for (facet, values) in Facet::ALL.into_iter().zip(&counts.values) {
        for (value, documents) in values {
            rows.push(row(facet.as_str(), Value::Text(value.clone()), *documents));
        }
    }
    Table {
        columns: ["facet", "value", "documents"].map(String::from).to_vec(),
        rows,
    }
}

fn table(hits: &[Hit], html: bool) -> Table {
    let row = |hit: &Hit| {
        let snippet = if html {
            hit.snippet.clone()
        } else {
            plain(&hit.snippet, "", "")
        };
        vec![
            Value::Text(hit.id.clone()),
            Value::Real(hit.score),
            Value::Text(snippet),
        ]
    };
    Table {
        columns: ["id", "score", "snippet"].map(String::from).to_vec(),
        rows: hits.iter().map(row).collect(),
    }
}

/// Two lines for a terminal, the hits in bold. Control characters are not sent: an id is whatever a shop wrote.
fn shown(hit: &Hit, colour: bool) -> String {
    let (on, off) = if colour {
        ("\u{1b}[1;33m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    let id: String = hit
        .id
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("{id}  {:.2}\n    {}", hit.score, plain(&hit.snippet, on, off))
}

/// A snippet's HTML as text, with other marks. Its only tags are the marks, its only references these five.
fn plain(html: &str, on: &str, off: &str) -> String {
    html.replace("<mark>", on)
        .replace("</mark>", off)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_become_text() {
        let html = "<mark>a</mark> &amp;lt; &lt;b&gt; &quot;&#39;";
        assert_eq!(plain(html, "[", "]"), "[a] &lt; <b> \"'");
        let hit = Hit {
            id: "x\u{1b}[2J".into(),
            score: 1.0,
            snippet: html.into(),
            corrected: false,
        };
        assert_eq!(shown(&hit, false), "x?[2J  1.00\n    a &lt; <b> \"'");
        assert!(shown(&hit, true).contains("\u{1b}[1;33ma\u{1b}[0m"));
        assert!(matches!(&table(&[hit], true).rows[0][2], Value::Text(t) if t == html));
    }
}
