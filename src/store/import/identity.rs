//! Ids for rows that bring none: from what the row says.
//!
//! The id of an event or a reply without one is `row:`, its time in nine hexadecimal digits, the 128-bit xxh3
//! hash of its values in 22 characters, and from the second of several identical rows of one file on its count:
//! `row:04ee20858-Qm9yaW5nIGJ1dCB0cnVl-2`. The values are those that are stored (a time in seconds, whatever its
//! spelling in the file), column by column; NULLs and defaults are left out, so that a file with an empty
//! column more says the same. The time stands in front because files mostly run along it: the index then
//! grows at its end instead of everywhere.

use super::seen::ContentKey;
use super::table::Table;
use xxhash_rust::xxh3::xxh3_128;

/// Where the table's time stands: the column `at`.
pub fn time_column(table: &Table) -> usize {
    table.position("at").unwrap_or(table.columns.len() - 1)
}

/// Appends an integer of column `at`.
pub fn push_integer(bytes: &mut Vec<u8>, at: usize, value: i64) {
    bytes.extend_from_slice(&[at as u8, b'i']);
    bytes.extend_from_slice(&value.to_le_bytes());
}

/// Appends a real of column `at`.
pub fn push_real(bytes: &mut Vec<u8>, at: usize, value: f64) {
    bytes.extend_from_slice(&[at as u8, b'r']);
    bytes.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Appends a text of column `at`, with its length, so that no two rows run together.
pub fn push_text(bytes: &mut Vec<u8>, at: usize, text: &str) {
    bytes.extend_from_slice(&[at as u8, b't']);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The key of content put together by the functions above.
pub fn content_key(bytes: &[u8]) -> ContentKey {
    let hash = xxh3_128(bytes);
    ((hash >> 64) as u64, hash as u64)
}

/// Appends the id of a row of this time, content and count.
pub fn push_source_id(text: &mut String, at: i64, key: ContentKey, count: u32) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~";
    text.push_str("row:");
    for place in (0..9).rev() {
        let digit = (at >> (4 * place)) & 15;
        text.push(char::from_digit(digit as u32, 16).unwrap_or('0'));
    }
    text.push('-');
    let mut hash = (u128::from(key.0) << 64) | u128::from(key.1);
    for _ in 0..22 {
        text.push(char::from(DIGITS[(hash & 63) as usize]));
        hash >>= 6;
    }
    if count > 1 {
        text.push('-');
        text.push_str(&count.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_and_stay_what_they_are() {
        let mut a = Vec::new();
        push_text(&mut a, 1, "ab");
        push_text(&mut a, 2, "c");
        let mut b = Vec::new();
        push_text(&mut b, 1, "a");
        push_text(&mut b, 2, "bc");
        assert_ne!(content_key(&a), content_key(&b));
        let mut id = String::new();
        push_source_id(&mut id, 1_323_435_000, content_key(&a), 1);
        // Files imported by an older version must find their rows again: this id may never change.
        assert_eq!(id, "row:04ee203f8-nIhNaOh1u40LDKez_JrrnD");
        // The hash of nothing as xxHash's own documentation of XXH3_128bits gives it.
        assert_eq!(content_key(b""), (0x99aa_06d3_0147_98d8, 0x6001_c324_468d_497f));
        push_source_id(&mut id, 9_999_999_999, (u64::MAX, u64::MAX), 12);
        assert!(id.ends_with("row:2540be3ff-~~~~~~~~~~~~~~~~~~~~~D-12"), "{id}");
    }
}
