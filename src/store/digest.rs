//! What a night has read, as one number.
//!
//! Counters and time stamps miss an UPDATE that keeps the count, or a row deleted and another inserted; so the rows
//! themselves are hashed as they are read: table by table, column by column, with type and length, so that no two different
//! readings look alike but by the chance of 2^-128. It costs a fraction of the reading.

use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};
use std::cell::RefCell;
use xxhash_rust::xxh3::Xxh3;

/// A growing hash over rows.
#[derive(Default)]
pub(super) struct Digest {
    state: RefCell<Xxh3>,
    /// A row's bytes: one update a row instead of one a column.
    buffer: RefCell<Vec<u8>>,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({:032x})", self.value())
    }
}

impl Digest {
    /// A reading begins: its SQL says which columns, of which rows, in which order.
    pub(super) fn begin(&self, statement: &Statement<'_>) {
        let sql = statement.expanded_sql().unwrap_or_default();
        let mut state = self.state.borrow_mut();
        state.update(&(sql.len() as u64).to_le_bytes());
        state.update(sql.as_bytes());
    }

    /// A row was read.
    pub(super) fn row(&self, row: &Row<'_>, columns: usize) -> rusqlite::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        for column in 0..columns {
            let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(i) => (1, &i.to_le_bytes()),
                ValueRef::Real(x) => (2, &x.to_bits().to_le_bytes()),
                ValueRef::Text(text) => (3, text),
                ValueRef::Blob(blob) => (4, blob),
            };
            buffer.push(kind);
            buffer.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            buffer.extend_from_slice(bytes);
        }
        self.state.borrow_mut().update(&buffer);
        Ok(())
    }

    /// The hash of everything so far.
    pub(super) fn value(&self) -> u128 {
        self.state.borrow().digest128()
    }
}
