//! `nightclerk demo`: a seeded shop, its first night, and what came out of it, in a minute.

mod fill;
mod show;

use self::fill::fill;
use self::show::show;
use super::screen::{Terminal, bar};
use super::{Failure, Global, Out, cancel_flag, init, jobs_folder};
use crate::demo;
use crate::night::{self, Orders, Screen};
use crate::store::{RunStatus, Shop};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where and how large.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// A folder of its own
    #[arg(value_name = "DIR", default_value = "nightclerk-demo")]
    dir: PathBuf,
    /// Multiplies 2,000 users, 100,000 events and 3,000 tickets; 1,000 products grow more slowly past 1 (20,000 at 50)
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Only writes the shop; run its jobs with `nightclerk run`
    #[arg(long)]
    no_run: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.001..=1000.0).contains(&x) => Ok(x),
        _ => Err("a number from 0.001 to 1000 was expected".into()),
    }
}

/// Makes the shop, runs the night, shows the results.
pub fn run(args: &DemoArgs, global: &Global) -> Result<()> {
    let out = Out::new(global);
    let database = args.dir.join("shop.db");
    make_room(&args.dir, &database)?;

    let rows = demo::shop(global.seed, args.scale);
    let shop = Shop::create(&database)?;
    shop.instance()?;
    shop.set(MARK, &count(&rows).to_string())?;
    init::write_jobs(&jobs_folder(&database))?;
    let bar = bar(global.quiet, 100);
    bar.set_prefix("demo shop");
    fill(&shop, &rows, &|table, percent| {
        bar.set_position(percent);
        bar.set_message(table.to_owned());
    })?;
    bar.finish_and_clear();
    out.say(&format!(
        "{}: a shop of {} products, {} users, {} events, {} prices and {} tickets, the same for every seed {}\n",
        database.display(),
        rows.products.len(),
        rows.users.len(),
        rows.events.len(),
        rows.prices.len(),
        rows.tickets.len(),
        global.seed
    ))?;

    if args.no_run {
        return out.say(&format!("next:\n  nightclerk --db {} run", database.display()));
    }
    let orders = Orders {
        jobs: Vec::new(),
        as_of: None,
        publish: false,
        dry_run: false,
        seed: global.seed,
        cancel: cancel_flag(),
    };
    let screen: Arc<dyn Screen> = Arc::new(Terminal::new(global));
    let ran = night::run(&shop, &jobs_folder(&database), &orders, &screen)?;
    show(&shop, &rows, &out)?;
    if let Some(bad) = ran.iter().find(|r| r.status != RunStatus::Done) {
        return Err(Failure::Some(format!(
            "job {} is {}: {}",
            bad.job,
            bad.status.as_str(),
            bad.said
        ))
        .into());
    }
    let shown = database.display();
    out.say(&format!(
        "\nnext:\n  sqlite3 {shown} \"SELECT * FROM recommendations WHERE user_id = 'U00001' ORDER BY rank LIMIT 5\"\n  \
         nightclerk --db {shown} search 'refund -invoice'\n  nightclerk --db {shown} ask 'my parcel never arrived'\n  \
         nightclerk --db {shown} scores\n  docs/tutorial.md does the same with a real shop's files"
    ))
}

/// The setting that tells a demo from a shop: how many rows it wrote, all input tables together.
const MARK: &str = "demo";

fn count(rows: &demo::DemoShop) -> usize {
    rows.products.len()
        + rows.users.len()
        + rows.events.len()
        + rows.prices.len()
        + rows.tickets.len()
        + rows.replies.len()
        + rows.articles.len()
}

/// Whether a file holds the rows of a demo and nothing more: somebody may have gone on with it in earnest.
const UNTOUCHED: &str = "SELECT 1 FROM settings WHERE name = ?1
    AND (SELECT count(*) FROM products) + (SELECT count(*) FROM users) + (SELECT count(*) FROM events)
      + (SELECT count(*) FROM prices) + (SELECT count(*) FROM tickets) + (SELECT count(*) FROM replies)
      + (SELECT count(*) FROM articles) <= CAST(value AS INTEGER)";

/// A folder without a database is taken; an earlier demo is made anew; anything else is left alone.
fn make_room(dir: &Path, database: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    for entry in std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let path = entry?.path();
        if path != database
            && path
                .extension()
                .is_some_and(|e| e == "db" || e == "sqlite" || e == "sqlite3")
        {
            return Err(refused(dir, &path));
        }
    }
    if !database.exists() {
        return Ok(());
    }
    let ours = Shop::open_read_only(database).and_then(|s| s.select(UNTOUCHED, &[MARK]));
    if !ours.is_ok_and(|t| !t.rows.is_empty()) {
        return Err(refused(dir, database));
    }
    let Ok(_leader) = night::Leader::try_take(database, "demo")? else {
        return Err(Failure::Usage(format!("{} is in use by another nightclerk", database.display())).into());
    };
    for suffix in ["", "-wal", "-shm"] {
        let path = crate::store::beside(database, suffix);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused(dir: &Path, found: &Path) -> anyhow::Error {
    Failure::Usage(format!(
        "{} holds a database with more in it than a demo wrote ({}); name another folder: nightclerk demo DIR",
        dir.display(),
        found.display()
    ))
    .into()
}
