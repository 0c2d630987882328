//! The report card: how a past night's answers fared, beside the naive answer on the same observations.

use super::{Result, Shop};
use rusqlite::params;

/// One line of the report card.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// The local day whose happenings judge the answers, days since 1970-01-01.
    pub day: i64,
    /// Result view.
    pub result: &'static str,
    /// '' = all.
    pub slice: String,
    /// What is measured.
    pub metric: String,
    /// The published answers' figure; None = could not be told.
    pub value: Option<f64>,
    /// The naive answer's figure on the same observations.
    pub naive: Option<f64>,
    /// How many observations both rest on.
    pub observations: u64,
}

impl Shop {
    /// Writes lines of the report card; a line of the same day, result, slice and metric is replaced, so that a night
    /// run twice reports once.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn record_report(&self, rows: &[ReportRow]) -> Result<()> {
        let transaction = self.write()?;
        for row in rows {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO clerk_report_card (day, result, slice, metric, value, naive, observations)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    row.day,
                    row.result,
                    row.slice,
                    row.metric,
                    row.value,
                    row.naive,
                    row.observations as i64
                ])?;
        }
        Ok(transaction.commit()?)
    }
}
