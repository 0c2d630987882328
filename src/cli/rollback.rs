//! `nightclerk rollback`: readers see an older generation again, from the next SELECT on.

use super::{Failure, Global, Out};
use crate::store::{Error, Shop, Table, Value};
use anyhow::Result;

/// What to roll back.
#[derive(Debug, clap::Args)]
pub struct RollbackArgs {
    /// A result view, for example recommendations: its whole family goes back together
    #[arg(value_name = "RESULT")]
    result: String,
    /// The generation to publish [default: the newest kept one before the published]
    #[arg(long, value_name = "GENERATION")]
    to: Option<i64>,
}

/// Moves the pointer.
pub fn run(args: &RollbackArgs, global: &Global) -> Result<()> {
    let shop = Shop::open(&global.db)?;
    let (family, from, to) = shop.roll_back(&args.result, args.to).map_err(|e| match e {
        Error::Refused(why) => anyhow::Error::from(Failure::Usage(why)),
        other => other.into(),
    })?;
    let out = Out::new(global);
    if out.json() {
        return out.table(&Table {
            columns: ["family", "generation", "instead_of"].map(String::from).to_vec(),
            rows: vec![vec![Value::from(family), Value::from(to), Value::from(from)]],
        });
    }
    out.say(&format!(
        "{family}: generation {to} is published again instead of {from}; the next `nightclerk run` publishes a new one, unless the \
         input is that of generation {to} still"
    ))
}
