//! `nightclerk import`: files into an input table, with every row that was not taken accounted for.

use super::output::complain;
use super::{Failure, Global, Out, screen};
use crate::store::import::{Format, ImportError, ImportOptions, ImportReport, Input, Progress, import};
use crate::store::{Shop, Table, Value};
use anyhow::Result;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What to import, and how.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct ImportArgs {
    /// The table: settings, products, users, events, prices, drivers, agents, tickets, replies, articles, synonyms,
    /// rules or verdicts
    #[arg(value_name = "TABLE")]
    table: String,
    /// CSV, TSV, JSON lines or Parquet files, gzip or not; '-' is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A SELECT over the file, staged as table `input`; its columns are matched by name
    #[arg(long, value_name = "SQL")]
    select: Option<String>,
    /// Take nothing unless every row of every file is good
    #[arg(long)]
    strict: bool,
    /// The files' encoding [default: UTF-8, or UTF-16 with a byte order mark]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The files' format [default: by content and name]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,
}

const HELP: &str = "\
Columns are matched by name, in any order and any capitals. Only the columns present change on rows that exist; an \
empty CSV field is NULL. Times are Unix seconds or ISO 8601, without an offset in settings.time_zone.

A file imported twice changes nothing the second time. Rows of events and replies without a key get one from their \
content and their count among identical rows of the file; each file counts for itself. Of rows with the same key in \
one file the first stands, a later one that says something else is rejected.

In --select, columns of CSV files are TEXT: compare numbers as `Quantity + 0 > 0`. `rowid` is the line in the file; a \
result column called `line` gives rejected rows their line. For example:

  nightclerk import events shop.csv --select \"SELECT rowid AS line, Invoice AS order_id, Sku AS product_id, \
'purchase' AS kind, Date AS at FROM input WHERE Quantity + 0 > 0\"";

/// The names of the formats.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatName {
    /// Comma separated, or semicolon
    Csv,
    /// Tab separated
    Tsv,
    /// One JSON object a line
    Jsonl,
    /// Apache Parquet
    Parquet,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Csv => Format::Csv,
            FormatName::Tsv => Format::Tsv,
            FormatName::Jsonl => Format::JsonLines,
            FormatName::Parquet => Format::Parquet,
        }
    }
}

/// Imports and says what became of the rows.
pub fn run(args: &ImportArgs, global: &Global) -> Result<()> {
    let shop = Shop::open(&global.db)?;
    let inputs: Vec<Input> = args
        .files
        .iter()
        .map(|path| {
            if path.as_os_str() == "-" {
                Input::Stdin
            } else {
                Input::File(path.clone())
            }
        })
        .collect();
    let options = ImportOptions {
        select: args.select.clone(),
        strict: args.strict,
        encoding: args.encoding.clone(),
        format: args.format.map(Format::from),
    };
    let begun = Instant::now();
    let mut bar = None;
    let mut progress = |at: &Progress| {
        if begun.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = bar.get_or_insert_with(|| {
            let bar = screen::bar(global.quiet, 1000);
            bar.set_prefix(args.table.clone());
            bar
        });
        if let Some(total) = at.total {
            bar.set_position((at.done as f64 / total.max(1) as f64 * 1000.0) as u64);
        }
        let which = if inputs.len() > 1 {
            format!(", file {} of {}", at.file + 1, inputs.len())
        } else {
            String::new()
        };
        bar.set_message(format!("{} rows{which}", at.rows));
    };
    let outcome = import(&shop, &args.table, &inputs, &options, &mut progress);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let report = outcome.map_err(|error| match error {
        ImportError::Input(what) => anyhow::Error::from(Failure::Usage(what)),
        database => database.into(),
    })?;
    tell(&Out::new(global), &args.table, &inputs, &report, begun.elapsed())?;
    if report.rolled_back {
        let what = format!(
            "nothing was taken: --strict, and {} rows were rejected",
            report.rejected
        );
        return Err(Failure::Usage(what).into());
    }
    if report.read > 0 && report.rejected >= report.read {
        return Err(Failure::Usage("nothing was taken: every row was rejected".into()).into());
    }
    Ok(())
}

fn tell(out: &Out, table: &str, inputs: &[Input], report: &ImportReport, took: Duration) -> Result<()> {
    if out.json() {
        let count = |n: u64| Value::Integer(n as i64);
        let columns = [
            "table",
            "staged",
            "read",
            "inserted",
            "changed",
            "unchanged",
            "rejected",
            "seconds",
        ];
        let row = vec![
            Value::Text(table.to_owned()),
            report.staged.map_or(Value::Null, count),
            count(report.read),
            count(report.inserted),
            count(report.changed),
            count(report.unchanged),
            count(report.rejected),
            Value::Real(took.as_secs_f64()),
        ];
        out.table(&Table {
            columns: columns.map(String::from).to_vec(),
            rows: vec![row],
        })?;
    }
    let staged = report
        .staged
        .map_or(String::new(), |rows| format!("{rows} rows staged, "));
    out.say(&format!(
        "{table}: {staged}{} rows read: {} new, {} changed, {} unchanged, {} rejected ({:.1} s)",
        report.read,
        report.inserted,
        report.changed,
        report.unchanged,
        report.rejected,
        took.as_secs_f64()
    ))?;
    if report.rejected == 0 || out.json() {
        return Ok(());
    }
    let mut reasons: Vec<(&String, &u64)> = report.by_reason.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (reason, rows) in reasons.iter().take(20) {
        complain(&format!("{rows:>9} rejected: {reason}"));
    }
    if reasons.len() > 20 {
        complain(&format!("          and {} more reasons", reasons.len() - 20));
    }
    let sources: Vec<String> = inputs
        .iter()
        .map(|input| format!("'{}'", input.name().replace('\'', "''")))
        .collect();
    if report.rejected_kept < report.rejected {
        complain(&format!(
            "          {} of them were kept, the others only counted",
            report.rejected_kept
        ));
    }
    complain(&format!(
        "          SELECT line, reason, raw FROM rejected_rows WHERE table_name = '{table}' AND source IN ({});",
        sources.join(", ")
    ));
    Ok(())
}
