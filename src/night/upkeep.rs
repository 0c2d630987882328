//! Housekeeping, as a job: what is no longer kept goes, free pages return to the disk in small steps, the planner's
//! statistics are refreshed, and the file is checked. A damaged file fails the job, loudly.

use crate::fit::Control;
use crate::pipeline::UpkeepOptions;
use crate::store::Shop;
use anyhow::{Result, bail};

/// Returns what was done, in words.
pub(super) fn run(shop: &Shop, options: &UpkeepOptions, now: i64, control: &Control) -> Result<String> {
    let keep = shop.settings()?.keep;
    let swept = shop.sweep(keep)?;
    control.check()?;
    let before = now - i64::from(options.keep_runs_days) * 86_400;
    let runs = shop.prune_runs(before)?;
    let days = shop.prune_report(before.div_euclid(86_400))?;
    let shelf = match shop.mend_shelf()? {
        0 => String::new(),
        rows => format!("{rows} products whose place in the lists was wrong put right, "),
    };
    shop.prune_void_drafts()?;
    shop.prune_day()?;
    control.check()?;
    shop.optimize()?;
    let free = shop.free_pages()?;
    for step in 0..free.div_ceil(200) {
        control.check()?;
        control.progress(
            "giving space back",
            u64::from(step),
            u64::from(free.div_ceil(200)),
        );
        shop.vacuum_some(200)?;
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    shop.checkpoint()?;
    let problems = shop.check_integrity(false)?;
    if let Some(first) = problems.first() {
        bail!("the database is damaged: {first}; run `nightclerk doctor`, then restore a backup");
    }
    Ok(format!(
        "{} rows of old generations, {runs} old runs and {days} lines of the report card removed, {shelf}{free} pages freed, \
         the file is sound",
        swept.rows
    ))
}
