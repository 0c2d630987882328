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
        self.write_report(
            rows,
            "INSERT OR REPLACE INTO clerk_report_card (day, result, slice, metric, value, naive, observations)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
    }

    /// The same for a night that saw a part of the day: of two reports on one day the one with more observations stays, of
    /// equals the later. A night at half past two judges yesterday from the small hours on and today's small hours; the next
    /// one judges the rest of today, and that is what today's line should say.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn record_part_of_day(&self, rows: &[ReportRow]) -> Result<()> {
        self.write_report(
            rows,
            "INSERT INTO clerk_report_card (day, result, slice, metric, value, naive, observations)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (day, result, slice, metric) DO UPDATE
             SET value = excluded.value, naive = excluded.naive, observations = excluded.observations
             WHERE excluded.observations >= clerk_report_card.observations",
        )
    }

    fn write_report(&self, rows: &[ReportRow], sql: &str) -> Result<()> {
        let transaction = self.write()?;
        for row in rows {
            transaction.prepare_cached(sql)?.execute(params![
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_part_of_a_day_stays_and_old_days_go() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let row = |day, value, observations| ReportRow {
            day,
            result: "recommendations",
            slice: String::new(),
            metric: "hr@10".to_owned(),
            value: Some(value),
            naive: Some(0.1),
            observations,
        };
        let told = || {
            let sql = "SELECT day, value, observations FROM clerk_report_card ORDER BY day";
            let mut statement = shop.conn().prepare(sql).unwrap();
            let rows = statement
                .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
                .unwrap();
            rows.collect::<rusqlite::Result<Vec<(i64, f64, i64)>>>().unwrap()
        };
        shop.record_part_of_day(&[row(5, 0.5, 10), row(6, 0.2, 3)])
            .unwrap();
        shop.record_part_of_day(&[row(5, 0.9, 9), row(6, 0.4, 30)])
            .unwrap();
        assert_eq!(told(), [(5, 0.5, 10), (6, 0.4, 30)]);
        shop.record_part_of_day(&[row(6, 0.3, 30)]).unwrap();
        shop.record_report(&[row(5, 0.7, 1)]).unwrap();
        assert_eq!(told(), [(5, 0.7, 1), (6, 0.3, 30)]);
        assert_eq!(shop.prune_report(6).unwrap(), 1);
        assert_eq!(told(), [(6, 0.3, 30)]);
    }
}
