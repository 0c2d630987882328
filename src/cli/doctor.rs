//! `nightclerk doctor`: looks at the database, its index and its jobs, and says the remedy for what is wrong. It
//! changes nothing.

use super::{Failure, Global, Out, jobs_folder};
use crate::night::{self, Leader};
use crate::pipeline;
use crate::search::Reader;
use crate::store::{Shop, Table, Value, beside, now, schema_version};
use anyhow::Result;

/// How deep to look.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Also compare every index with its table (slow on large files)
    #[arg(long)]
    thorough: bool,
}

struct Findings(Vec<Vec<Value>>, bool);

impl Findings {
    fn ok(&mut self, check: &str, found: impl Into<String>) {
        self.add(check, "ok", found.into(), "");
    }
    fn warn(&mut self, check: &str, found: impl Into<String>, remedy: &str) {
        self.add(check, "warning", found.into(), remedy);
    }
    fn bad(&mut self, check: &str, found: impl Into<String>, remedy: &str) {
        self.1 = true;
        self.add(check, "bad", found.into(), remedy);
    }
    fn add(&mut self, check: &str, state: &str, found: String, remedy: &str) {
        self.0.push(
            [check, state, &found, remedy]
                .map(|t| Value::Text(t.to_owned()))
                .to_vec(),
        );
    }
}

/// Looks; exit code 1 when something is bad.
pub fn run(args: &DoctorArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    let mut f = Findings(Vec::new(), false);
    f.ok("schema", format!("version {}", schema_version()));

    // A file too damaged to be checked is a finding, not a failure to find.
    let problems = shop
        .check_integrity(args.thorough)
        .unwrap_or_else(|e| vec![e.to_string()]);
    match problems.first() {
        None => f.ok(
            "integrity",
            if args.thorough {
                "integrity_check ok"
            } else {
                "quick_check ok"
            },
        ),
        Some(first) => f.bad(
            "integrity",
            first,
            "restore a backup; keep this file, `sqlite3 FILE .recover` may save rows",
        ),
    }

    let wal = beside(shop.path(), "-wal");
    let size = std::fs::metadata(&wal).map_or(0, |m| m.len());
    if size > 256 << 20 {
        let remedy = "some reader holds a transaction open: end it, then nightclerk run upkeep";
        f.warn("write-ahead log", format!("{} MB", size >> 20), remedy);
    } else {
        f.ok("write-ahead log", format!("{} KB", size >> 10));
    }

    match std::fs::metadata(shop.path()).map(|m| m.permissions().readonly()) {
        Ok(false) => f.ok("permissions", "the file can be written"),
        _ => f.bad(
            "permissions",
            "the file cannot be written by this user",
            "give this user write permission on file and folder",
        ),
    }

    match shop.settings().map_err(anyhow::Error::from).and_then(|s| {
        let zone = crate::pipeline::zone(&s.time_zone)?;
        crate::pipeline::support::check_working_hours(zone, s.working_hours.as_deref())?;
        Ok(zone)
    }) {
        Ok(zone) => f.ok("settings", format!("days are counted in {}", zone.name())),
        Err(e) => f.bad(
            "settings",
            format!("{e:#}"),
            "correct the row in table settings; jobs fail until then",
        ),
    }
    // A damaged table is a finding of its own, and the rest is looked at all the same.
    type Look = fn(&Shop, &mut Findings) -> Result<()>;
    let looks: [(&str, Look); 8] = [
        ("published", published),
        ("erasure", erasure),
        ("rules", rules),
        ("agents", desk),
        ("search index", index),
        ("last runs", runs),
        ("daemon", daemon),
        ("clock", clock),
    ];
    for (check, look) in looks {
        if let Err(e) = look(&shop, &mut f) {
            f.bad(
                check,
                format!("cannot be looked at: {e:#}"),
                "see integrity: restore a backup",
            );
        }
    }
    jobs(global, &mut f);
    lead(global, &mut f)?;

    let out = Out::new(global);
    out.table(&Table {
        columns: ["check", "state", "found", "remedy"].map(String::from).to_vec(),
        rows: f.0,
    })?;
    if f.1 {
        return Err(Failure::Some("something is wrong; the remedies stand beside it".into()).into());
    }
    Ok(())
}

/// What readers see is there.
fn published(shop: &Shop, f: &mut Findings) -> Result<()> {
    let lost = shop.select(
        "SELECT p.family FROM clerk_published AS p LEFT JOIN clerk_generations AS g USING (generation)
         WHERE g.status IS NOT 'published' OR g.swept <> 0 OR g.family <> p.family",
        &[],
    )?;
    match lost.rows.first() {
        None => f.ok("published", "every family points to a whole generation"),
        Some(_) => f.bad(
            "published",
            "a family points to a generation that is gone",
            "nightclerk run",
        ),
    }
    Ok(())
}

fn erasure(shop: &Shop, f: &mut Findings) -> Result<()> {
    if shop.is_erasing()? {
        let remedy = "nightclerk erase USER again, for the same USER: it goes on where it stopped";
        f.bad("erasure", "one was begun and has not come to its end", remedy);
    }
    Ok(())
}

/// Whether a daemon died, and what of an older index lies about.
fn daemon(shop: &Shop, f: &mut Findings) -> Result<()> {
    match shop.leader()? {
        None => f.ok(
            "daemon",
            "none has served this file; jobs run by hand or from cron",
        ),
        Some(leader) if leader.ended_at.is_some() => f.ok("daemon", "it was stopped in good order"),
        Some(leader) if now() - leader.beat_at > 60 => f.bad(
            "daemon",
            format!(
                "process {} on {} has given no sign of life for {} min: it died or is stuck",
                leader.process,
                leader.host,
                (now() - leader.beat_at) / 60
            ),
            "start it again (nightclerk serve); it goes on where it was",
        ),
        Some(leader) => f.ok(
            "daemon",
            format!("process {} on {} serves", leader.process, leader.host),
        ),
    }
    if let Some(old) = pipeline::index::left_over(shop)?.first() {
        f.warn(
            "daemon",
            format!(
                "{} is an old search index that could not be removed",
                old.display()
            ),
            "correct its permissions and delete it",
        );
    }
    Ok(())
}

/// Whether the machine's clock can be right, and which SQLite this is.
fn clock(shop: &Shop, f: &mut Findings) -> Result<()> {
    // What a program writes now bears now: more than a minute ahead of this clock, one of the two is wrong.
    let ahead = shop.select(
        "SELECT max(started_at, coalesce(finished_at, 0)) FROM clerk_runs WHERE started_at IS NOT NULL
         ORDER BY run_id DESC LIMIT 1",
        &[],
    )?;
    match ahead.rows.first().map(|row| &row[0]) {
        Some(Value::Integer(at)) if *at > now() + 60 => f.warn(
            "clock",
            format!("the last run is {} min in the future", (at - now()) / 60),
            "set this machine's clock; jobs go on by themselves then",
        ),
        _ => f.ok("clock", "no run lies in the future"),
    }
    let version = shop.select("SELECT sqlite_version()", &[])?;
    if let Some(Value::Text(version)) = version.rows.first().map(|row| &row[0]) {
        f.ok(
            "SQLite",
            format!("{version} in this program; an application's own should not be older than 3.37"),
        );
    }
    Ok(())
}

/// Rules of the shop people that the last night could not follow.
fn rules(shop: &Shop, f: &mut Findings) -> Result<()> {
    let unfit = shop.select(
        "SELECT d.reason FROM run_drops AS d JOIN jobs AS j ON j.last_run_id = d.run_id
         WHERE d.table_name = 'rules' ORDER BY 1",
        &[],
    )?;
    for row in &unfit.rows {
        if let Value::Text(reason) = &row[0] {
            f.warn(
                "rules",
                reason.as_str(),
                "correct the rule; it acts on no list until then",
            );
        }
    }
    if unfit.rows.is_empty() {
        f.ok("rules", "the last night left out none");
    }
    Ok(())
}

/// Agents whom the clerk cannot give tickets to, and tickets that wait for somebody who is not there.
fn desk(shop: &Shop, f: &mut Findings) -> Result<()> {
    let unreadable = shop.select(
        "SELECT agent_id FROM agents WHERE active AND NOT (json_valid(coalesce(skills, '[]')) AND json_valid(coalesce(languages, '[]')))
         ORDER BY agent_id",
        &[],
    )?;
    let kept = shop.select(
        "SELECT q.ticket_id FROM ticket_queue AS q JOIN agents AS a ON a.agent_id = q.agent_id WHERE NOT a.active ORDER BY 1",
        &[],
    )?;
    let named = |table: &Table| {
        let names = table.rows.iter().take(5).filter_map(|row| match &row[0] {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let more = if table.rows.len() > 5 { ", ..." } else { "" };
        names.collect::<Vec<_>>().join(", ") + more
    };
    if !unreadable.rows.is_empty() {
        f.warn(
            "agents",
            format!("skills or languages of {} are no JSON", named(&unreadable)),
            "write arrays such as [\"refund\"]; they get no ticket until then",
        );
    }
    if !kept.rows.is_empty() {
        f.warn(
            "agents",
            format!(
                "{} open ticket(s) are with agents who are not active: {}",
                kept.rows.len(),
                named(&kept)
            ),
            "give tickets.agent_id to somebody else, or set it to NULL for the next night",
        );
    }
    if unreadable.rows.is_empty() && kept.rows.is_empty() {
        f.ok("agents", "every open ticket is with somebody who is there");
    }
    Ok(())
}

fn index(shop: &Shop, f: &mut Findings) -> Result<()> {
    let folder = shop.beside(".search");
    let instance = shop.known_instance()?.unwrap_or_default();
    let remedy = "nightclerk run search";
    let (seq, documents) = match Reader::open(&folder).and_then(|r| Ok((r.state()?, r.documents()?))) {
        Err(e) => {
            f.warn("search index", e.to_string(), remedy);
            return Ok(());
        }
        Ok((Some((found, ..)), _)) if found != instance => {
            f.warn("search index", "it belongs to another database", remedy);
            return Ok(());
        }
        Ok((Some((_, _, mark)), _)) if !shop.index_marks()?.contains(&mark) => {
            f.warn(
                "search index",
                "it and the database are not of one time: one of them was restored from a copy",
                remedy,
            );
            return Ok(());
        }
        Ok((None, _)) => {
            f.warn("search index", "it was never completed", remedy);
            return Ok(());
        }
        Ok((Some((_, seq, _)), documents)) => (seq, documents),
    };
    let (waiting, rebuild) = shop.outbox_waiting(seq)?;
    if seq > shop.outbox_newest()? {
        f.warn(
            "search index",
            "it is ahead of the database: an older copy was restored",
            remedy,
        );
    } else if rebuild || waiting > 10_000 {
        f.warn("search index", format!("{waiting} changes wait"), remedy);
    } else {
        f.ok(
            "search index",
            format!("{documents} documents, {waiting} changes wait"),
        );
    }
    Ok(())
}

fn jobs(global: &Global, f: &mut Findings) {
    let folder = jobs_folder(&global.db);
    if !folder.exists() {
        f.warn(
            "job files",
            format!("{} is not there; the shipped defaults are used", folder.display()),
            "nightclerk init",
        );
        return;
    }
    match night::load(&folder) {
        Err(e) => f.bad(
            "job files",
            format!("{}: {e}", folder.display()),
            "correct the folder's permissions",
        ),
        Ok(listing) => {
            for bad in &listing.bad {
                f.bad(
                    "job files",
                    &bad.reason,
                    "correct the file; its job does not run until then",
                );
            }
            if listing.bad.is_empty() {
                f.ok("job files", format!("{} read well", listing.jobs.len()));
            }
        }
    }
}

fn lead(global: &Global, f: &mut Findings) -> Result<()> {
    match Leader::holder(&global.db)? {
        None => f.ok("leader", "nobody leads"),
        Some(holder) => f.ok("leader", format!("{holder} leads")),
    }
    Ok(())
}

fn runs(shop: &Shop, f: &mut Findings) -> Result<()> {
    let failed = shop.select(
        "SELECT j.job, r.run_id, coalesce(r.error, r.why) FROM jobs AS j JOIN runs AS r ON r.run_id = j.last_run_id
         WHERE r.status IN ('failed', 'timeout')",
        &[],
    )?;
    for row in &failed.rows {
        if let [Value::Text(job), Value::Integer(run), Value::Text(error)] = row.as_slice() {
            f.warn(
                "last runs",
                format!("{job}: {error}"),
                &format!("nightclerk runs {run}"),
            );
        }
    }
    if failed.rows.is_empty() {
        f.ok("last runs", "none failed");
    }
    Ok(())
}
