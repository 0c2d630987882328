//! What a column takes: from a cell of any format to the value that is stored, or the fault it has.
//!
//! Numbers are finite and inside a stated range: NaN, infinities and prices past [`MOST_MONEY`] are faults,
//! as are formulas (`=1+1`) where a number belongs. Text columns keep such text as it is. A NUL character is
//! refused everywhere: C programs that read the file would see half the text.

use super::row::Cell;
use super::times;
use chrono_tz::Tz;
use std::borrow::Cow;

/// The largest amount of money: a million millions of major units.
pub const MOST_MONEY: f64 = 1e12;
/// The longest id, in bytes.
pub const ID_BYTES: usize = 1000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Text of up to [`ID_BYTES`] bytes; '' is no id, that is NULL.
    Id,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in a range, both ends included.
    Whole(i64, i64),
    /// A number in a range, both ends included.
    Number(f64, f64),
    /// A number above the first and up to the second.
    Above(f64, f64),
    /// An amount of money, from 0 to [`MOST_MONEY`].
    Money,
    /// 0 or 1.
    Flag,
    /// An instant in Unix seconds.
    Time,
    /// A calendar day, YYYY-MM-DD.
    Day,
    /// A JSON object.
    Object,
    /// A JSON array.
    List,
}

/// A value ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL; the caller knows what an empty cell of the column means.
    Null,
    /// An INTEGER.
    Integer(i64),
    /// A REAL.
    Real(f64),
    /// A TEXT.
    Text(Cow<'a, str>),
}

/// Turns one cell into what a column of `kind` stores. `text` is the row's text; times without an offset are
/// local to `zone`. The error says what is wrong as the rest of a sentence begun by the column's name.
pub fn check<'a>(kind: Kind, cell: Cell, text: &'a str, zone: Tz) -> Result<Value<'a>, Cow<'static, str>> {
    match kind {
        _ if matches!(cell, Cell::Null | Cell::Absent) => Ok(Value::Null),
        Kind::Text => plain(cell, text).map(Value::Text),
        Kind::Id => {
            let id = plain(cell, text)?;
            match id.len() {
                0 => Ok(Value::Null),
                1..=ID_BYTES => Ok(Value::Text(id)),
                _ => Err("longer than 1000 bytes".into()),
            }
        }
        Kind::OneOf(words) => {
            let word = plain(cell, text)?;
            if words.contains(&word.as_ref()) {
                return Ok(Value::Text(word));
            }
            let lower = word.trim().to_lowercase();
            match words.iter().find(|known| **known == lower) {
                Some(known) => Ok(Value::Text(Cow::Borrowed(known))),
                None => Err(format!("not one of {}", words.join(", ")).into()),
            }
        }
        Kind::Whole(low, high) => {
            let value = whole(cell, text)?;
            if (low..=high).contains(&value) {
                return Ok(Value::Integer(value));
            }
            Err(format!("not between {low} and {high}").into())
        }
        Kind::Number(low, high) => {
            let value = number(cell, text)?;
            if (low..=high).contains(&value) {
                return Ok(Value::Real(value));
            }
            Err(format!("not between {low} and {high}").into())
        }
        Kind::Above(low, high) => {
            let value = number(cell, text)?;
            if value > low && value <= high {
                return Ok(Value::Real(value));
            }
            Err(format!("not above {low} and up to {high}").into())
        }
        Kind::Money => match number(cell, text)? {
            value if value < 0.0 => Err("negative".into()),
            value if value > MOST_MONEY => {
                Err("more than 1000000000000, the most money that is stored".into())
            }
            value => Ok(Value::Real(value + 0.0)), // -0.0 becomes 0.0
        },
        Kind::Flag => flag(cell, text).map(Value::Integer),
        Kind::Time => instant(cell, text, zone)
            .map(Value::Integer)
            .map_err(Cow::Borrowed),
        Kind::Day => {
            let day = plain(cell, text)?;
            match times::day_of_text(&day) {
                Ok(found) if found.len() == day.len() => Ok(Value::Text(day)),
                Ok(found) => Ok(Value::Text(Cow::Owned(found.to_string()))),
                Err(fault) => Err(fault.into()),
            }
        }
        Kind::Object => json(cell, text, b'{', "not a JSON object; write {\"colour\": \"red\"}"),
        Kind::List => json(cell, text, b'[', "not a JSON array; write [\"en\", \"zh\"]"),
    }
}

/// The cell as text. Whole numbers that a file holds as REAL read as whole numbers: a spreadsheet's or a data
/// frame's 17850.0 is the id 17850.
fn plain<'a>(cell: Cell, text: &'a str) -> Result<Cow<'a, str>, Cow<'static, str>> {
    match cell {
        Cell::Text(from, to) | Cell::Json(from, to) => {
            let Some(text) = text.get(from..to) else {
                return Err("not UTF-8".into());
            };
            if text.as_bytes().contains(&0) {
                return Err("holds a NUL character".into());
            }
            Ok(Cow::Borrowed(text))
        }
        Cell::Integer(value) | Cell::Instant(value) => Ok(Cow::Owned(value.to_string())),
        Cell::Real(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Ok(Cow::Owned((value as i64).to_string()))
        }
        Cell::Real(value) => Ok(Cow::Owned(value.to_string())),
        Cell::Bool(value) => Ok(Cow::Borrowed(if value { "true" } else { "false" })),
        Cell::Null | Cell::Absent => Ok(Cow::Borrowed("")),
    }
}

fn number(cell: Cell, text: &str) -> Result<f64, Cow<'static, str>> {
    let value = match cell {
        Cell::Integer(value) => value as f64,
        Cell::Real(value) => value,
        Cell::Text(from, to) => {
            let text = text.get(from..to).unwrap_or("").trim();
            match text.parse::<f64>() {
                // "infinity" and "nan" parse; "1e999" becomes infinite.
                Ok(value) if value.is_finite() => value,
                Ok(_) => return Err("not a finite number".into()),
                Err(_) => return Err(not_a_number(text)),
            }
        }
        _ => return Err("not a number".into()),
    };
    if value.is_finite() {
        Ok(value)
    } else {
        Err("not a finite number".into())
    }
}

fn not_a_number(text: &str) -> Cow<'static, str> {
    if text.starts_with(['=', '@'])
        || (text.starts_with(['+', '-']) && text[1..].contains(['+', '*', '/', '(']))
    {
        "a formula, not a number; export values".into()
    } else if text.contains(',') && text.replace(',', "").parse::<f64>().is_ok() {
        "not a number; write a point for decimals and nothing between thousands".into()
    } else {
        "not a number".into()
    }
}

fn whole(cell: Cell, text: &str) -> Result<i64, Cow<'static, str>> {
    match cell {
        Cell::Integer(value) => Ok(value),
        Cell::Text(from, to)
            if text
                .get(from..to)
                .is_some_and(|t| t.trim().parse::<i64>().is_ok()) =>
        {
            text.get(from..to)
                .and_then(|t| t.trim().parse().ok())
                .ok_or("not a whole number".into())
        }
        other => match number(other, text)? {
            value if value.fract() == 0.0 && value.abs() < 9e15 => Ok(value as i64),
            _ => Err("not a whole number".into()),
        },
    }
}

fn flag(cell: Cell, text: &str) -> Result<i64, Cow<'static, str>> {
    const FAULT: &str = "not 0 or 1";
    match cell {
        Cell::Bool(value) => Ok(i64::from(value)),
        Cell::Integer(value @ 0..=1) => Ok(value),
        Cell::Real(0.0) => Ok(0),
        Cell::Real(1.0) => Ok(1),
        Cell::Text(from, to) => match text.get(from..to).unwrap_or("").trim() {
            "0" | "0.0" => Ok(0),
            "1" | "1.0" => Ok(1),
            word if word.eq_ignore_ascii_case("false") => Ok(0),
            word if word.eq_ignore_ascii_case("true") => Ok(1),
            _ => Err(FAULT.into()),
        },
        _ => Err(FAULT.into()),
    }
}

fn instant(cell: Cell, text: &str, zone: Tz) -> Result<i64, times::Fault> {
    match cell {
        Cell::Integer(value) | Cell::Instant(value) => times::instant_of_number(value),
        Cell::Real(value) if value.is_finite() && value.abs() < 9e18 => {
            times::instant_of_number(value.floor() as i64)
        }
        Cell::Text(from, to) => times::instant_of_text(text.get(from..to).unwrap_or(""), zone),
        _ => times::instant_of_text("", zone),
    }
}

/// Checks that a cell is JSON beginning with `open`; parsed, not only looked at.
fn json<'a>(
    cell: Cell,
    text: &'a str,
    open: u8,
    fault: &'static str,
) -> Result<Value<'a>, Cow<'static, str>> {
    let (Cell::Text(from, to) | Cell::Json(from, to)) = cell else {
        return Err(fault.into());
    };
    let text = text.get(from..to).unwrap_or("").trim();
    let good = text.as_bytes().first() == Some(&open)
        && !text.as_bytes().contains(&0)
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if good {
        Ok(Value::Text(Cow::Borrowed(text)))
    } else {
        Err(fault.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Result<Value<'_>, String> {
        check(kind, Cell::Text(0, text.len()), text, Tz::UTC).map_err(Cow::into_owned)
    }

    #[test]
    fn money_is_finite_and_in_range() {
        assert_eq!(of(Kind::Money, " 2.55 "), Ok(Value::Real(2.55)));
        assert_eq!(of(Kind::Money, "1e12"), Ok(Value::Real(1e12)));
        assert_eq!(of(Kind::Money, "-0"), Ok(Value::Real(0.0)));
        for (text, fault) in [
            ("-1", "negative"),
            ("1e13", "most money"),
            ("1e999", "finite"),
            ("NaN", "finite"),
            ("-inf", "finite"),
            ("=1+1", "formula"),
            ("+1+1", "formula"),
            ("@SUM(A1)", "formula"),
            ("1,50", "point for decimals"),
            ("£3", "not a number"),
            ("", "not a number"),
        ] {
            let error = of(Kind::Money, text).unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }

    #[test]
    fn text_keeps_formulas_and_refuses_nul() {
        assert_eq!(of(Kind::Text, "=1+1"), Ok(Value::Text("=1+1".into())));
        assert!(of(Kind::Text, "a\0b").is_err());
        assert!(of(Kind::Id, &"x".repeat(1001)).is_err());
    }

    #[test]
    fn typed_cells_become_what_the_column_holds() {
        let at = |kind, cell| check(kind, cell, "", Tz::UTC).map_err(Cow::into_owned);
        assert_eq!(at(Kind::Id, Cell::Real(17850.0)), Ok(Value::Text("17850".into())));
        assert_eq!(at(Kind::Id, Cell::Integer(42)), Ok(Value::Text("42".into())));
        assert_eq!(at(Kind::Flag, Cell::Bool(true)), Ok(Value::Integer(1)));
        assert_eq!(at(Kind::Time, Cell::Real(1000.9)), Ok(Value::Integer(1000)));
        assert!(at(Kind::Money, Cell::Real(f64::NAN)).is_err());
        assert!(at(Kind::Money, Cell::Bool(true)).is_err());
        assert!(at(Kind::Time, Cell::Real(f64::INFINITY)).is_err());
    }

    #[test]
    fn words_whole_numbers_flags_and_json() {
        const SIZES: Kind = Kind::OneOf(&["small", "large"]);
        assert_eq!(of(SIZES, "Large "), Ok(Value::Text("large".into())));
        assert!(of(SIZES, "huge").unwrap_err().contains("small, large"));
        assert_eq!(of(Kind::Whole(1, 10), "10.0"), Ok(Value::Integer(10)));
        assert!(of(Kind::Whole(1, 10), "2.5").is_err());
        assert!(of(Kind::Whole(1, 10), "99999999999999999999").is_err());
        assert_eq!(of(Kind::Flag, "TRUE"), Ok(Value::Integer(1)));
        assert!(of(Kind::Flag, "yes").is_err());
        assert!(of(Kind::Object, "{\"a\": 1}").is_ok());
        assert!(of(Kind::Object, "[1]").is_err());
        assert!(of(Kind::List, "[\"en\"").is_err());
        assert!(of(Kind::Above(0.0, 9.0), "0").is_err());
    }
}
