//! `nightclerk demo`: a seeded shop, its first night, and what came out of it, in a minute.

use super::screen::{Terminal, bar};
use super::{Failure, Global, Out, cancel_flag, init, jobs_folder};
use crate::demo::{self, DemoShop};
use crate::night::{self, Orders, Screen};
use crate::store::{RunStatus, Shop, Table, Value};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where and how large.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// A folder of its own
    #[arg(value_name = "DIR", default_value = "nightclerk-demo")]
    dir: PathBuf,
    /// Multiplies 1,000 products, 2,000 users, 100,000 events and 3,000 tickets
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = scale)]
    scale: f64,
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

    let shop = Shop::create(&database)?;
    shop.instance()?;
    shop.set(MARK, &format!("seed {}, scale {}", global.seed, args.scale))?;
    init::write_jobs(&jobs_folder(&database))?;
    let bar = bar(global.quiet, 100);
    bar.set_prefix("demo shop");
    let rows = demo::shop(global.seed, args.scale);
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

/// The setting that tells a demo from a shop.
const MARK: &str = "demo";

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
    let ours = Shop::open(database).and_then(|s| s.select("SELECT 1 FROM settings WHERE name = ?1", &[MARK]));
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
        "{} holds a database that is no demo ({}); name another folder: nightclerk demo DIR",
        dir.display(),
        found.display()
    ))
    .into()
}

/// Writes the rows of every input table.
fn fill(shop: &Shop, rows: &DemoShop, done: &dyn Fn(&str, u64)) -> Result<()> {
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

/// Sample rows of each family, and the scores of what was chosen beside the naive answer.
fn show(shop: &Shop, rows: &DemoShop, out: &Out) -> Result<()> {
    // Somebody with a history: the customer with the most purchases.
    let mut bought = vec![0u32; rows.users.len()];
    for event in rows.events.iter().filter(|e| e.kind == "purchase") {
        if let Some(user) = event.user {
            bought[user as usize] += 1;
        }
    }
    let best = (0..bought.len())
        .max_by_key(|u| (bought[*u], std::cmp::Reverse(*u)))
        .unwrap_or(0);
    let user = rows.users[best].user_id.as_str();
    let mut shown = Vec::new();
    for (title, sql) in [
        (
            format!("What to show customer {user} (recommendations):"),
            "SELECT rank, r.product_id, p.title, round(score, 3) AS score, model, because_product_id
             FROM recommendations AS r JOIN products AS p USING (product_id) WHERE user_id = ?1 ORDER BY rank LIMIT 5",
        ),
        (
            "Bought together:".into(),
            "SELECT p.title, q.title AS with_title, baskets, round(lift, 1) AS lift FROM bought_together AS b
             JOIN products AS p USING (product_id) JOIN products AS q ON q.product_id = b.other_product_id
             WHERE ?1 <> '' AND rank = 1 ORDER BY baskets DESC, p.product_id LIMIT 5",
        ),
        (
            "Where prices are going (price_forecasts, the last step of each):".into(),
            "SELECT product_id, day, round(price, 2) AS price, round(lo80, 2) AS lo80, round(hi80, 2) AS hi80, model
             FROM price_forecasts WHERE ?1 <> '' AND seller = '' AND step = 28 ORDER BY hi80 - lo80 DESC, product_id LIMIT 5",
        ),
        (
            "Where open tickets belong (ticket_routes):".into(),
            "SELECT r.ticket_id, t.subject, decision, r.category, round(category_confidence, 2) AS confidence, r.team
             FROM ticket_routes AS r JOIN tickets AS t USING (ticket_id) WHERE ?1 <> '' ORDER BY r.ticket_id DESC LIMIT 6",
        ),
        (
            "What the clerk would answer (ticket_drafts):".into(),
            "SELECT ticket_id, decision, round(confidence, 2) AS confidence, reply FROM ticket_drafts
             WHERE ?1 <> '' AND decision <> 'none' ORDER BY confidence DESC, ticket_id LIMIT 3",
        ),
        (
            "How the chosen models did on data they had not seen (scores):".into(),
            "SELECT result, model, metric, round(value, 4) AS value, split, chosen FROM scores WHERE ?1 <> '' AND slice = ''
             AND metric IN ('ndcg@10', 'mase', 'accuracy', 'coverage', 'rouge_l') ORDER BY result, metric, value DESC",
        ),
    ] {
        let table = shop.select(sql, &[user])?;
        if out.json() {
            shown.push((title, table));
        } else {
            out.say(&format!("\n{title}"))?;
            out.table(&table)?;
        }
    }
    if out.json() {
        // One array for programs: what each family published.
        let table: Table = shop.select(
            "SELECT family, generation, rows, as_of, why FROM generations WHERE status = 'published'",
            &[],
        )?;
        out.table(&table)?;
    }
    Ok(())
}
