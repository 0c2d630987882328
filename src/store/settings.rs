//! The settings table as a typed value, read once a run.

use super::error::{Error, Result};
use super::open::Shop;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Settings with their defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// IANA name; days are counted in it. Default 'UTC'.
    pub time_zone: String,
    /// ISO 4217, for display.
    pub currency: Option<String>,
    /// The shop's own language.
    pub language: Option<String>,
    /// Retired generations kept beside the published one. Default 2.
    pub keep: usize,
    /// Days of events a night reads; None = all.
    pub history_days: Option<i64>,
    /// Hours to the first answer by priority (low 72, medium 24, high 8, urgent 2).
    pub sla_hours: BTreeMap<String, f64>,
    /// 'HH:MM-HH:MM', or None = around the clock.
    pub working_hours: Option<String>,
}

/// Ten years: longer is a slip of the pen.
const LONGEST_SLA: f64 = 87_600.0;

impl Settings {
    pub(crate) fn read(conn: &Connection) -> Result<Settings> {
        let mut statement =
            conn.prepare_cached("SELECT name, value FROM settings WHERE value IS NOT NULL")?;
        let mut values: BTreeMap<String, String> = statement
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut sla_hours: BTreeMap<String, f64> =
            [("low", 72.0), ("medium", 24.0), ("high", 8.0), ("urgent", 2.0)]
                .map(|(k, v)| (k.to_owned(), v))
                .into();
        if let Some(json) = values.remove("sla_hours") {
            let own: BTreeMap<String, f64> = serde_json::from_str(&json).map_err(|e| {
                wrong(
                    "sla_hours",
                    &json,
                    &format!("a JSON object of hours by priority ({e})"),
                )
            })?;
            if let Some((priority, hours)) = own.iter().find(|(_, h)| !(0.0..=LONGEST_SLA).contains(*h)) {
                let expected =
                    format!("hours from 0 to {LONGEST_SLA} for priority {priority} instead of {hours}");
                return Err(wrong("sla_hours", &json, &expected));
            }
            sla_hours.extend(own);
        }
        let mut number = |name: &'static str| -> Result<Option<i64>> {
            values
                .remove(name)
                .map(|v| {
                    v.trim()
                        .parse::<i64>()
                        .ok()
                        .filter(|n| *n >= 0)
                        .ok_or_else(|| wrong(name, &v, "a whole number from 0"))
                })
                .transpose()
        };
        Ok(Settings {
            keep: number("keep")?.unwrap_or(2) as usize,
            history_days: number("history_days")?,
            time_zone: values.remove("time_zone").unwrap_or_else(|| "UTC".into()),
            currency: values.remove("currency"),
            language: values.remove("language"),
            working_hours: values.remove("working_hours"),
            sla_hours,
        })
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::Value {
        table: "settings",
        what: format!("{name} is {value:?}; {expected} was expected"),
    }
}

impl Shop {
    /// The settings now.
    pub fn settings(&self) -> Result<Settings> {
        Settings::read(self.conn())
    }

    /// Sets one setting, or overwrites it.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        self.conn().execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_to_an_answer_that_nobody_can_mean_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        for wrong in [
            r#"{"low":1e300}"#,
            r#"{"low":-5}"#,
            r#"{"low":87601}"#,
            r#"{"low":"soon"}"#,
            "[]",
        ] {
            shop.set("sla_hours", wrong).unwrap();
            let error = shop.settings().unwrap_err().to_string();
            assert!(error.contains("sla_hours"), "{error}");
        }
        shop.set("sla_hours", r#"{"low":0.5}"#).unwrap();
        assert_eq!(shop.settings().unwrap().sla_hours["low"], 0.5);
    }
}
