//! The keys of a job file, taken one by one, with what to say of a key that is wrong or unknown.

use super::duration;
use chrono::NaiveTime;
use serde::de::DeserializeOwned;
use std::time::Duration;
use toml::{Table, Value};

/// The keys of a file, taken one by one: what is left at the end is unknown.
pub(super) struct Keys<'a> {
    pub(super) file: &'a str,
    pub(super) table: Table,
}

impl Keys<'_> {
    /// Takes a key; `read` gives None for what was not `expected`.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => read(&value)
                .map(Some)
                .ok_or_else(|| self.wrong(key, &value, expected)),
        }
    }

    /// Takes a key that holds a text.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        self.read(key, "a text in quotes", |v| v.as_str().map(str::to_owned))
    }

    /// The message: file, key, value, and what was expected.
    pub(super) fn wrong(&self, key: &str, value: &Value, expected: &str) -> String {
        format!("{}: {key} = {value}; {expected} was expected", self.file)
    }

    /// The options of a kind; serde's message is turned into ours.
    pub(super) fn options<T: DeserializeOwned>(&self, table: &str, options: Table) -> Result<T, String> {
        let file = self.file;
        // One key at a time, so that the message can name key and value.
        for (key, value) in &options {
            let one: Table = [(key.clone(), value.clone())].into_iter().collect();
            if let Err(e) = one.try_into::<T>() {
                let message = e.message().to_owned();
                if message.starts_with("unknown field") {
                    // Between backticks: the name, then the known ones. Another name than the key's is one inside its table.
                    let mut names = message.split('`').skip(1).step_by(2);
                    let name = names.next().unwrap_or(key);
                    let within = if name == key {
                        table.to_owned()
                    } else {
                        format!("{table}.{key}")
                    };
                    let known: Vec<&str> = names.collect();
                    return Err(format!(
                        "{file}: [{within}] has no option `{name}`{}",
                        nearest(name, &known)
                    ));
                }
                return Err(format!("{file}: [{table}] {key} = {value}; {message}"));
            }
        }
        options
            .try_into()
            .map_err(|e| format!("{file}: [{table}]: {}", e.message()))
    }
}

/// "; did you mean `x`?", when something is near enough.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    let distance = |a: &str, b: &str| {
        // Levenshtein over bytes: the names are ASCII.
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.bytes().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.bytes().enumerate() {
                let above = row[j + 1];
                row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
                diagonal = above;
            }
        }
        row[b.len()]
    };
    let best = known
        .iter()
        .filter(|k| !k.is_empty())
        .min_by_key(|k| distance(word, k));
    match best {
        Some(best) if distance(word, best) <= best.len().div_ceil(2) => format!("; did you mean `{best}`?"),
        Some(_) => {
            let all: Vec<&str> = known.iter().copied().filter(|k| !k.is_empty()).collect();
            format!("; known are {}", all.join(", "))
        }
        None => "; it has none".into(),
    }
}

/// A length of time; a whole number is seconds.
pub(super) fn length(value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(seconds) => duration::parse(&seconds.to_string()),
        other => duration::parse(other.as_str()?),
    }
}

/// Two times of day, the first not the second.
pub(super) fn window(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let (from, to) = text.split_once('-')?;
    let time = |t: &str| NaiveTime::parse_from_str(t.trim(), "%H:%M").ok();
    let (from, to) = (time(from)?, time(to)?);
    (from != to).then_some((from, to))
}
