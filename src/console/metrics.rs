//! The figures in Prometheus' text format 0.0.4: a name, its help and type once, then a line for each label.

use crate::night::daemon::{Part, Pulse};
use crate::store::{Shop, beside};
use anyhow::Result;
use std::fmt::Write;
use std::path::Path;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All figures of now.
pub(super) fn write(database: &Path, pulse: &Pulse) -> Result<String> {
    let shop = Shop::open_read_only(database)?;
    let mut page = Page(String::new());
    page.one(
        "nightclerk_up",
        "gauge",
        "1 while every part is well",
        f64::from(u8::from(pulse.problems().is_empty())),
    );
    let silent = Part::ALL.map(|part| (part.as_str(), pulse.silent_for(part).as_secs_f64()));
    page.many(
        "nightclerk_silent_seconds",
        "gauge",
        "Since a part's last sign of life",
        "part",
        silent,
    );
    let counts = pulse.counts();
    for (name, help, value) in [
        (
            "nightclerk_index_documents_total",
            "Documents put into the search index or taken from it",
            counts.indexed,
        ),
        (
            "nightclerk_index_rebuilds_total",
            "Times the search index was built anew",
            counts.rebuilt,
        ),
        (
            "nightclerk_tickets_answered_total",
            "Tickets routed and drafted between nights",
            counts.answered,
        ),
    ] {
        page.one(name, "counter", help, value as f64);
    }
    page.one(
        "nightclerk_ticket_answer_slowest_seconds",
        "gauge",
        "The longest a ticket waited for its route since the start",
        counts.slowest_answer_ms as f64 / 1000.0,
    );
    let jobs = shop.job_figures()?;
    page.many(
        "nightclerk_job_last_success_timestamp_seconds",
        "gauge",
        "When a run of the job was last done",
        "job",
        jobs.iter()
            .filter_map(|job| Some((job.job.as_str(), job.last_done_at? as f64))),
    );
    page.many(
        "nightclerk_job_last_duration_seconds",
        "gauge",
        "How long that run took",
        "job",
        jobs.iter()
            .filter_map(|job| Some((job.job.as_str(), job.last_seconds? as f64))),
    );
    page.many(
        "nightclerk_job_failing",
        "gauge",
        "1 while the job's last run failed or its file cannot be used",
        "job",
        jobs.iter()
            .map(|job| (job.job.as_str(), f64::from(u8::from(job.failing)))),
    );
    page.many(
        "nightclerk_job_next_run_timestamp_seconds",
        "gauge",
        "When the job is due next",
        "job",
        jobs.iter()
            .filter_map(|job| Some((job.job.as_str(), job.next_run_at? as f64))),
    );
    page.many(
        "nightclerk_runs",
        "gauge",
        "Runs in the book, by status",
        "status",
        shop.runs_by_status()?
            .iter()
            .map(|(status, n)| (status.as_str(), *n as f64)),
    );
    page.many(
        "nightclerk_published_timestamp_seconds",
        "gauge",
        "When a family's results were published",
        "family",
        shop.publications()?
            .iter()
            .map(|(family, at)| (family.as_str(), *at as f64)),
    );
    let (waiting, _) = shop.outbox_waiting(0)?;
    page.one(
        "nightclerk_index_waiting",
        "gauge",
        "Changes that wait for the search index",
        waiting as f64,
    );
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0.0, |file| file.len() as f64);
    page.one(
        "nightclerk_database_bytes",
        "gauge",
        "Size of the database",
        bytes(database),
    );
    page.one(
        "nightclerk_wal_bytes",
        "gauge",
        "Size of its write-ahead log",
        bytes(&beside(database, "-wal")),
    );
    Ok(page.0)
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn many<'t>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'t str, f64)>,
    ) {
        self.head(name, kind, help);
        for (of, value) in values {
            let of = of.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }
}
