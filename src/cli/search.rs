//! `nightclerk search`: full-text search of tickets, articles or products, as fresh as the index.

use super::{Failure, Global, Out};
use crate::pipeline::zone;
use crate::search::{Hit, Kind, LARGEST_LIMIT, Reader};
use crate::store::{Shop, Table, Value};
use anyhow::Result;
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use std::io::IsTerminal;

/// What to look for, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All words must be there. \"a phrase\", -without, begin*, this OR that, and \
    status: category: team: agent_id: language: created_at:2026-11-01..2026-11-23 note: \
    narrow it down. A query that begins with '-' goes after '--'."
)]
pub struct SearchArgs {
    /// The query; several words may stand without quotation marks, one that begins with - after --
    #[arg(value_name = "QUERY", required = true)]
    query: Vec<String>,
    /// Where to look
    #[arg(long = "in", value_enum, default_value_t = Place::Tickets)]
    place: Place,
    /// At most this many hits
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=LARGEST_LIMIT as i64))]
    limit: u16,
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
    let zone = zone(&shop.settings()?.time_zone)?;
    let reader = Reader::open(&shop.beside(".search"))?.with_days(move |day| first_second(day, zone));
    let waiting = waiting(&shop, &reader)?;
    let kind = match args.place {
        Place::Tickets => Kind::Ticket,
        Place::Articles => Kind::Article,
        Place::Products => Kind::Product,
    };
    let hits = reader.search(kind, &args.query.join(" "), args.limit.into())?;
    if !global.json && std::io::stdout().is_terminal() {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        for hit in &hits {
            out.line(&shown(hit, colour))?;
        }
    } else {
        out.table(&table(&hits, global.json))?;
    }
    if hits.is_empty() {
        out.say("nothing found")?;
    }
    if waiting > 0 {
        out.say(&format!(
            "{waiting} changes are not in the index yet: nightclerk run search"
        ))?;
    }
    Ok(())
}

/// How many changes the index does not hold yet; an error when it is the index of another file.
fn waiting(shop: &Shop, reader: &Reader) -> Result<u64> {
    let of_file = shop.select("SELECT value FROM settings WHERE name = 'instance'", &[])?;
    let of_file = match of_file.rows.first().map(|row| &row[0]) {
        Some(Value::Text(instance)) => Some(instance.as_str()),
        _ => None,
    };
    let state = reader.state()?;
    let seq = match &state {
        Some((instance, seq)) if Some(instance.as_str()) == of_file && *seq <= shop.outbox_newest()? => *seq,
        _ => {
            let folder = shop.beside(".search");
            return Err(Failure::Some(format!(
                "the search index in {} was made from another database or a newer copy of this one: nightclerk run \
                 search builds it anew",
                folder.display()
            ))
            .into());
        }
    };
    Ok(shop.outbox_waiting(seq)?.0)
}

/// The first second of a local day; where the clock is set forward over midnight, the first there is.
fn first_second(day: NaiveDate, zone: Tz) -> i64 {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..48)
        .find_map(|half| {
            zone.from_local_datetime(&(midnight + TimeDelta::minutes(30 * half)))
                .earliest()
        })
        .map_or_else(|| midnight.and_utc().timestamp(), |first| first.timestamp())
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
        };
        assert_eq!(shown(&hit, false), "x?[2J  1.00\n    a &lt; <b> \"'");
        assert!(shown(&hit, true).contains("\u{1b}[1;33ma\u{1b}[0m"));
        assert!(matches!(&table(&[hit], true).rows[0][2], Value::Text(t) if t == html));
    }

    #[test]
    fn days_begin_where_the_clock_says() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        // 2026-11-01 is day 20758 after 1970-01-01; Berlin is an hour ahead of UTC in November.
        assert_eq!(first_second(day(2026, 11, 1), chrono_tz::UTC), 20_758 * 86_400);
        assert_eq!(
            first_second(day(2026, 11, 1), chrono_tz::Europe::Berlin),
            20_758 * 86_400 - 3600
        );
        // Sao Paulo had no midnight on 2018-11-04 (day 17839): the day began at 01:00, three hours behind UTC less one.
        assert_eq!(
            first_second(day(2018, 11, 4), chrono_tz::America::Sao_Paulo),
            17_839 * 86_400 + 3 * 3600
        );
    }
}
