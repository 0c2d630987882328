//! The values that SQL gave us, as what they are meant to be.

use rusqlite::types::{Value, ValueRef};

/// A text; numbers are written out, NULL is none.
pub(super) fn text(value: Option<&Value>, what: &str) -> Result<Option<String>, String> {
    Ok(match value {
        None | Some(Value::Null) => None,
        Some(Value::Text(text)) => Some(text.clone()),
        Some(Value::Integer(number)) => Some(number.to_string()),
        Some(Value::Real(number)) => Some(number.to_string()),
        Some(Value::Blob(_)) => return Err(format!("{what} is a blob; a text was expected")),
    })
}

/// A number of rows, from 0 to `most`; `usual` where none is given.
pub(super) fn count(value: Option<&Value>, usual: usize, most: usize) -> Result<usize, String> {
    let wrong = || format!("k is a whole number from 0 to {most}");
    match value {
        None | Some(Value::Null) => Ok(usual),
        Some(Value::Integer(number)) => usize::try_from(*number)
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(wrong),
        // JavaScript has no other numbers.
        Some(Value::Real(number)) if (0.0..=most as f64).contains(number) && number.fract() == 0.0 => {
            Ok(*number as usize)
        }
        Some(_) => Err(wrong()),
    }
}

/// A value that outlives the call; text that is no UTF-8 is an error.
pub(super) fn owned(value: ValueRef<'_>) -> Result<Value, String> {
    Value::try_from(value).map_err(|_| "a text that is not UTF-8".to_owned())
}
