//! The mirror of the job files for the view `jobs`: written at every run, read by applications and monitors.

use super::error::Result;
use super::open::Shop;
use rusqlite::params;

/// One job as its file says, or why it cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// File name without `.toml`.
    pub job: String,
    /// recommendations, prices, support, search or upkeep; None = the file could not be read.
    pub kind: Option<String>,
    /// Five-field cron.
    pub schedule: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Whether it runs at all.
    pub enabled: bool,
    /// The job it waits for.
    pub after: Option<String>,
    /// Next due instant, Unix seconds.
    pub next_run_at: Option<i64>,
    /// The same, as a clock in the job's zone shows it.
    pub next_run_local: Option<String>,
    /// What is wrong with the file, or that it is switched off.
    pub disabled_reason: Option<String>,
}

impl Shop {
    /// Replaces the mirror.
    pub fn mirror_jobs(&self, jobs: &[JobRow]) -> Result<()> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM clerk_jobs", [])?;
        for j in jobs {
            transaction
                .prepare_cached(
                    "INSERT INTO clerk_jobs (job, kind, schedule, time_zone, enabled, after, next_run_at, next_run_local,
                                             disabled_reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    j.job, j.kind, j.schedule, j.time_zone, j.enabled, j.after, j.next_run_at, j.next_run_local, j.disabled_reason
                ])?;
        }
        Ok(transaction.commit()?)
    }
}
