//! `nightclerk scores`: how each candidate of the published runs did on data it had not seen, beside the naive answer.

use super::{Failure, Global, Out};
use crate::store::{Shop, Value};
use anyhow::Result;

/// Which scores.
#[derive(Debug, clap::Args)]
pub struct ScoresArgs {
    /// Only this result, for example recommendations
    #[arg(value_name = "RESULT")]
    result: Option<String>,
    /// Those of this run instead of the published ones
    #[arg(long, value_name = "ID")]
    run: Option<u32>,
}

/// Prints the view `scores`.
pub fn run(args: &ScoresArgs, global: &Global) -> Result<()> {
    let shop = Shop::open_read_only(&global.db)?;
    let out = Out::new(global);
    let result = args.result.as_deref().unwrap_or("");
    let run = args.run.map(|r| r.to_string()).unwrap_or_default();
    let table = shop.select(
        "SELECT result, model, slice, metric, value, lo90, hi90, split, chosen, run_id FROM scores AS s
         WHERE (?1 = '' OR result = ?1)
           AND run_id = CASE WHEN ?2 <> '' THEN CAST(?2 AS INTEGER)
               ELSE coalesce((SELECT g.run_id FROM generations AS g
                              WHERE g.status = 'published' AND g.family = CASE WHEN s.result LIKE 'price%' THEN 'prices'
                                    WHEN s.result LIKE 'ticket%' THEN 'support' ELSE 'recommendations' END),
                             (SELECT max(t.run_id) FROM scores AS t WHERE t.result = s.result)) END
         ORDER BY result, slice, metric, chosen DESC, model",
        &[result, &run],
    )?;
    if table.rows.is_empty() && !result.is_empty() {
        let known = shop.select("SELECT DISTINCT result FROM scores ORDER BY result", &[])?;
        let known: Vec<&str> = known
            .rows
            .iter()
            .filter_map(|row| match &row[0] {
                Value::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        return Err(Failure::Usage(format!(
            "no scores of {result:?}; there are scores of {}",
            known.join(", ")
        ))
        .into());
    }
    out.table(&table)
}
