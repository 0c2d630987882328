//! A table function: rows for arguments.
//!
//! SQLite knows table functions as virtual tables whose last columns are hidden: `f(a, b)` is a scan of `f` with the
//! constraints `first hidden = a` and `second hidden = b`. So the same constraints may be written in WHERE, and the first of a
//! search as MATCH. All our table functions are this one table over a [`Function`]; what it says to the planner
//! ([`best_index`](Table::best_index)):
//!
//! - An argument that is there but cannot be used yet (it comes from a table further in) makes the plan impossible, not
//!   wrong; a required argument that is not there at all is an error that says how to call.
//! - Arguments are consumed: no test of them is left to SQLite, which could not do MATCH.
//! - Rows come in one order; an ORDER BY of just that column and direction is consumed, any other is SQLite's.
//! - LIMIT is taken as a bound on the rows only where every row we give is one that counts: nothing but arguments is asked
//!   for, and the order is none or ours. SQLite offers it in other cases too (`score > 1 LIMIT 5`, ascending order), where
//!   the first rows are not the right ones. SQLite applies it all the same, so to know of it only saves work.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::Result;
use rusqlite::types::{Null, Value};
use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConfig, VTabConnection, VTabCursor,
    sqlite3_vtab, sqlite3_vtab_cursor,
};

use super::arguments::owned;
use super::clerk::Clerk;
use super::guard::{failed, guarded, let_go};

/// What a table function is.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called, for people.
    pub usage: &'static str,
    /// Its columns, the hidden ones last.
    pub declaration: &'static CStr,
    /// How many are not hidden.
    pub visible: usize,
    /// How many hidden ones there are.
    pub arguments: usize,
    /// The first so many must be given.
    pub required: usize,
    /// Whether MATCH is another word for the first one.
    pub matches: bool,
    /// The column that its rows come in the order of, and whether descending.
    pub order: (c_int, bool),
    /// The rows.
    pub rows: fn(&Clerk, &Call) -> Result<Vec<Vec<Value>>>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// Beside the hidden columns; none = not given.
    pub arguments: Vec<Option<Value>>,
    /// The most rows that are looked at, where that is known.
    pub limit: Option<usize>,
    /// Which of the columns are asked for, by bit.
    columns: u64,
}

impl Call {
    /// Whether a column is asked for.
    pub(super) fn wants(&self, column: usize) -> bool {
        self.columns & (1 << column) != 0
    }
}

/// What a table is made for: its function and whose it is.
pub(super) type Made = (&'static Function, Arc<Clerk>);

/// The module of all our tables.
pub(super) const MODULE: &Module<'static, Table> = &Module::eponymous_only_module();

/// Bits of a plan's number above those of its arguments.
const LIMIT: c_int = 1 << 8;
const OFFSET: c_int = 1 << 9;
/// The columns asked for, from this bit.
const COLUMNS: u32 = 10;

/// A table function as SQLite holds it.
#[repr(C)]
pub(super) struct Table {
    base: sqlite3_vtab,
    function: &'static Function,
    clerk: Option<Arc<Clerk>>,
}

// SAFETY: `repr(C)`, and the base comes first.
unsafe impl<'vtab> VTab<'vtab> for Table {
    type Aux = Made;
    type Cursor = Scan<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        made: Option<&Made>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        _: &[&[u8]],
    ) -> rusqlite::Result<(Cow<'static, CStr>, Table)> {
        let (function, clerk) =
            made.ok_or_else(|| failed("nightclerk: a table without its function".into()))?;
        guarded(function.name, "connect", || {
            // A view or trigger of a hostile file must not be able to search and ask.
            db.config(VTabConfig::DirectOnly)?;
            Ok::<_, rusqlite::Error>((
                Cow::Borrowed(function.declaration),
                Table {
                    base: sqlite3_vtab::default(),
                    function,
                    clerk: Some(Arc::clone(clerk)),
                },
            ))
        })
    }

    fn best_index(&self, info: &mut IndexInfo) -> rusqlite::Result<bool> {
        guarded(self.function.name, "best_index", || plan(self.function, info))
    }

    fn open(&'vtab mut self) -> rusqlite::Result<Scan<'vtab>> {
        guarded(self.function.name, "open", || {
            Ok::<_, String>(Scan {
                base: sqlite3_vtab_cursor::default(),
                function: self.function,
                clerk: self.clerk.clone(),
                call: None,
                rows: Vec::new(),
                at: 0,
                broken: RefCell::default(),
                table: PhantomData,
            })
        })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let_go(self.function.name, "disconnect", self.clerk.take());
    }
}

/// Fills in how a query is to be answered; false = not in this way.
fn plan(function: &Function, info: &mut IndexInfo) -> Result<bool, String> {
    let mut places: Vec<Option<usize>> = vec![None; function.arguments];
    let (mut limit, mut offset) = (None, None);
    let mut unusable = vec![false; function.arguments];
    let mut all_consumed = true;
    for (at, constraint) in info.constraints().enumerate() {
        let argument = usize::try_from(constraint.column())
            .ok()
            .and_then(|column| column.checked_sub(function.visible));
        let given = match constraint.operator() {
            IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LIMIT => {
                limit = constraint.is_usable().then_some(at);
                continue;
            }
            IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_OFFSET => {
                offset = Some((at, constraint.is_usable()));
                continue;
            }
            IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ => argument,
            IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_MATCH if function.matches => {
                argument.filter(|argument| *argument == 0)
            }
            _ => None,
        };
        match given {
            Some(argument) if !constraint.is_usable() => unusable[argument] = true,
            Some(argument) if places[argument].is_none() => places[argument] = Some(at),
            _ => all_consumed = false,
        }
    }
    let impossible = (0..function.arguments).any(|at| unusable[at] && places[at].is_none());
    if let Some(missing) = places[..function.required].iter().position(Option::is_none) {
        if impossible {
            return Ok(false);
        }
        return Err(format!("argument {} is missing: {}", missing + 1, function.usage));
    }
    if impossible {
        return Ok(false);
    }
    let orders: Vec<(c_int, bool)> = info
        .order_bys()
        .map(|order| (order.column(), order.is_order_by_desc()))
        .collect();
    let ordered = orders == [function.order];
    if ordered {
        info.set_order_by_consumed(true);
    }
    let bounded = all_consumed && (orders.is_empty() || ordered) && offset.is_none_or(|(_, usable)| usable);
    let (mut number, mut next) = (0, 1);
    let mut pass = |info: &mut IndexInfo, at: usize, omit: bool, bit: c_int| {
        let mut usage = info.constraint_usage(at);
        usage.set_argv_index(next);
        usage.set_omit(omit);
        next += 1;
        number |= bit;
    };
    for (argument, place) in places.iter().enumerate() {
        if let Some(at) = place {
            pass(info, *at, true, 1 << argument);
        }
    }
    if let (true, Some(at)) = (bounded, limit) {
        pass(info, at, false, LIMIT);
        if let Some((at, _)) = offset {
            pass(info, at, false, OFFSET);
        }
    }
    let columns = info.col_used() & ((1 << function.visible) - 1);
    info.set_idx_num(number | ((columns as c_int) << COLUMNS));
    // A handful of rows, dearer than a look-up in a table: joined tables are looked up from them, not the other way about.
    info.set_estimated_cost(1000.0);
    info.set_estimated_rows(20);
    Ok(true)
}

/// A scan of the rows of one call after another.
#[repr(C)]
pub(super) struct Scan<'vtab> {
    base: sqlite3_vtab_cursor,
    function: &'static Function,
    clerk: Option<Arc<Clerk>>,
    call: Option<Call>,
    rows: Vec<Vec<Value>>,
    at: usize,
    /// Why a callback failed that cannot say so.
    broken: RefCell<Option<String>>,
    table: PhantomData<&'vtab Table>,
}

impl Scan<'_> {
    fn whole(&self) -> Result<(), String> {
        self.broken.borrow().clone().map_or(Ok(()), Err)
    }
}

// SAFETY: `repr(C)`, and the base comes first.
unsafe impl VTabCursor for Scan<'_> {
    fn filter(&mut self, plan: c_int, _: Option<&str>, values: &Filters<'_>) -> rusqlite::Result<()> {
        let (function, clerk) = (self.function, self.clerk.clone());
        (self.rows, self.at, self.call) = (Vec::new(), 0, None);
        *self.broken.borrow_mut() = None;
        let (call, rows) = guarded(function.name, "filter", || {
            let mut values = values.iter();
            let mut given = |bit: c_int| match plan & bit {
                0 => Ok(None),
                _ => values.next().map(owned).transpose(),
            };
            let arguments = (0..function.arguments).map(|argument| given(1 << argument));
            let arguments: Vec<Option<Value>> =
                arguments.collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;
            let number = |value: Option<Value>| match value {
                Some(Value::Integer(number)) => usize::try_from(number).ok(),
                _ => None,
            };
            let limit = given(LIMIT).map_err(anyhow::Error::msg)?;
            let offset = given(OFFSET).map_err(anyhow::Error::msg)?;
            let limit = match (number(limit), offset) {
                (Some(limit), None) => Some(limit),
                // A negative offset is none; what is no number is no bound.
                (Some(limit), Some(Value::Integer(offset))) => {
                    limit.checked_add(usize::try_from(offset).unwrap_or(0))
                }
                _ => None, // a negative limit is none
            };
            let call = Call {
                arguments,
                limit,
                columns: (plan >> COLUMNS) as u64,
            };
            let clerk = clerk.ok_or_else(|| anyhow::anyhow!("the connection is closing"))?;
            let rows = (function.rows)(&clerk, &call)?;
            Ok::<_, anyhow::Error>((call, rows))
        })?;
        (self.call, self.rows) = (Some(call), rows);
        Ok(())
    }

    fn next(&mut self) -> rusqlite::Result<()> {
        guarded(self.function.name, "next", || {
            self.whole()?;
            self.at += 1;
            Ok::<_, String>(())
        })
    }

    fn eof(&self) -> bool {
        let end = guarded(self.function.name, "eof", || {
            Ok::<_, String>(self.at >= self.rows.len())
        });
        // It cannot say that it failed: the next callback does.
        end.unwrap_or_else(|error| {
            *self.broken.borrow_mut() = Some(error.to_string());
            false
        })
    }

    fn column(&self, context: &mut Context, column: c_int) -> rusqlite::Result<()> {
        guarded(self.function.name, "column", || {
            self.whole().map_err(failed)?;
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            let argument = || {
                let argument = column.checked_sub(self.function.visible)?;
                self.call.as_ref()?.arguments.get(argument)?.as_ref()
            };
            match self
                .rows
                .get(self.at)
                .and_then(|row| row.get(column))
                .or_else(argument)
            {
                Some(value) => context.set_result(value),
                None => context.set_result(Null),
            }
        })
    }

    fn rowid(&self) -> rusqlite::Result<i64> {
        guarded(self.function.name, "rowid", || {
            self.whole()?;
            i64::try_from(self.at + 1).map_err(|error| error.to_string())
        })
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        let left = (
            self.clerk.take(),
            std::mem::take(&mut self.rows),
            self.call.take(),
        );
        let_go(self.function.name, "close", left);
    }
}
