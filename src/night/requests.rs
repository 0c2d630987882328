//! Verbs under a daemon: `run` and `erase` of the command line become requests in the file, which the daemon answers with runs;
//! whoever asked follows those in the book. Nothing but the file is needed for it, so that an application may ask the same way.

use super::erase::Erased;
use super::job::Listing;
use super::leader::Leader;
use super::runner::{self, Orders, Ran};
use super::watch::Screen;
use super::{Unusable, order};
use crate::fit::{self, Control};
use crate::store::{Queued, RunStatus, Shop, Standing, now};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// How often whoever asked looks at the book.
const LOOK: Duration = Duration::from_millis(200);

/// How a requested run differs from a plain one: `run_requests.orders`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunOrders {
    /// `--as-of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// `--publish`.
    #[serde(skip_serializing_if = "is_false")]
    pub publish: bool,
    /// `--dry-run`.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// `--seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Customers to forget instead of a job to run; the process that does it writes over them first of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erase: Vec<String>,
}

const WRONG_ORDERS: &str = "run_requests.orders is no object of as_of, publish, dry_run and seed";

fn is_false(value: &bool) -> bool {
    !value
}

impl RunOrders {
    /// Reads `run_requests.orders`.
    pub fn parse(text: Option<&str>) -> Result<RunOrders, String> {
        match text {
            None => Ok(RunOrders::default()),
            // serde would take an array for a struct as well.
            Some(text) if !text.trim_start().starts_with('{') => {
                let begins: String = text.chars().take(40).collect();
                Err(format!("{WRONG_ORDERS}: {begins:?}"))
            }
            Some(text) => serde_json::from_str(text).map_err(|e| format!("{WRONG_ORDERS}: {e}")),
        }
    }

    /// As `runs` and `run_requests` keep it; None = a plain run.
    pub(super) fn text(&self) -> Result<Option<String>> {
        if *self == RunOrders::default() {
            return Ok(None);
        }
        Ok(Some(serde_json::to_string(self)?))
    }
}

/// The job name under which an erasure stands in the book.
pub(super) const ERASE: &str = "erase";

/// Whether what waits is an erasure, which is no job's run. (Of whom stands in the request only, and goes first of all.)
pub(super) fn is_erasure(run: &Queued) -> bool {
    run.orders.as_deref() == Some(ERASE)
}

/// Asks the daemon that leads for a night and follows it; None = it is gone before it began, and nothing was done.
pub(super) fn follow_night(
    shop: &Shop,
    listing: &Listing,
    orders: &Orders,
    control: &Control,
    screen: &dyn Screen,
) -> Result<Option<Vec<Ran>>> {
    let (chosen, mut ran) = runner::choose(listing, &orders.jobs)?;
    let places = match order::order(&chosen) {
        Ok(places) => places,
        Err(circle) => bail!("jobs {} wait for one another", circle.join(", ")),
    };
    let names: Vec<&str> = places.into_iter().map(|at| chosen[at].name.as_str()).collect();
    let asked = RunOrders {
        as_of: orders.as_of.clone(),
        publish: orders.publish,
        dry_run: orders.dry_run,
        seed: (orders.seed != 1).then_some(orders.seed),
        erase: Vec::new(),
    };
    let requests = shop.request_runs(&names, asked.text()?.as_deref())?;
    for (name, request) in names.iter().zip(&requests) {
        match follow(shop, name, *request, control, screen)? {
            Some(one) => ran.push(one),
            None => {
                let mut unanswered = true;
                for request in &requests {
                    unanswered &=
                        shop.withdraw_request(*request)? || shop.run_of_request(*request)?.is_none();
                }
                if unanswered {
                    return Ok(None);
                }
                bail!("the daemon ended before the jobs did; `nightclerk runs` says how far they came");
            }
        }
    }
    for request in requests {
        shop.forget_request(request)?;
    }
    Ok(Some(ran))
}

/// Follows one request to the end of its run; None = nobody leads any more and no run answers it.
fn follow(
    shop: &Shop,
    job: &str,
    request: i64,
    control: &Control,
    screen: &dyn Screen,
) -> Result<Option<Ran>> {
    let (mut begun, mut shown) = (false, None);
    loop {
        if let Err(stopped) = control.check() {
            let taken_back = shop.withdraw_request(request)?;
            let what = if taken_back {
                "the request was taken back"
            } else {
                "the daemon goes on with it; `nightclerk runs` shows how it ends"
            };
            return Err(anyhow::Error::from(stopped).context(what));
        }
        let run_id = match shop.run_of_request(request)? {
            None => bail!("the request is not in run_requests any more"),
            Some(run_id) => run_id,
        };
        let led = Leader::holder(shop.path())?.is_some();
        let Some(run_id) = run_id else {
            if !led {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
            continue;
        };
        let standing = shop
            .standing(run_id)?
            .context("the run is not in the book any more")?;
        if !begun {
            screen.begin(job);
            begun = true;
        }
        if let Some(status) = final_status(&standing.status) {
            let one = ran(job, run_id, status, &standing);
            screen.end(&one);
            return Ok(Some(one));
        }
        if !led {
            bail!("the daemon ended before run {run_id} did; the next one begins it again (nightclerk runs)");
        }
        let stage = standing.stage.clone().unwrap_or(standing.status);
        if shown.replace((stage.clone(), standing.progress)) != Some((stage.clone(), standing.progress)) {
            screen.stage(job, &stage, standing.progress);
        }
        std::thread::sleep(LOOK);
    }
}

fn ran(job: &str, run_id: i64, status: RunStatus, standing: &Standing) -> Ran {
    let (from, to) = standing.times;
    Ran {
        job: job.into(),
        run_id: Some(run_id),
        status,
        rows: standing.rows.unwrap_or(0) as u64,
        said: standing.said.clone().unwrap_or_default(),
        seconds: (to.unwrap_or_else(now) - from.unwrap_or_else(now)) as f64,
    }
}

fn final_status(word: &str) -> Option<RunStatus> {
    Some(match word {
        "done" => RunStatus::Done,
        "failed" => RunStatus::Failed,
        "timeout" => RunStatus::Timeout,
        "interrupted" => RunStatus::Interrupted,
        "skipped" => RunStatus::Skipped,
        _ => return None,
    })
}

/// Asks the daemon that leads to forget customers and follows it; None = it is gone, and nothing was done.
pub(super) fn follow_erasure(
    shop: &Shop,
    ids: &[String],
    control: &Control,
    screen: &dyn Screen,
) -> Result<Option<Erased>> {
    let orders = RunOrders {
        erase: ids.to_vec(),
        ..RunOrders::default()
    };
    let requests = shop.request_runs(&[ERASE], orders.text()?.as_deref())?;
    let Some(&request) = requests.first() else {
        bail!("the request was not written");
    };
    let followed = follow(shop, ERASE, request, control, screen);
    // What the process that erased left there instead of the ids.
    let told = shop.orders_of_request(request)?;
    let withdrawn = shop.withdraw_request(request)?;
    match followed {
        Ok(Some(ran)) => {
            shop.forget_request(request)?;
            if ran.status != RunStatus::Done {
                bail!("the daemon could not erase: {}", ran.said);
            }
            let told = told.context("the daemon did not say what it erased")?;
            Ok(Some(serde_json::from_str(&told)?))
        }
        Ok(None) if withdrawn => Ok(None),
        Ok(None) => bail!("the daemon ended before it had erased; erase again, it goes on where it stopped"),
        Err(e) => Err(e),
    }
}

/// Erases on behalf of a daemon: takes the ids from the request, writes over them, and leaves there what was done.
///
/// # Errors
/// Those of an erasure, after the row in the book was closed with them.
pub fn erase_under_leader(shop: &mut Shop, request: i64, run: i64, control: &Control) -> Result<()> {
    let run = crate::store::Run { run_id: run };
    let done = (|| -> Result<Erased> {
        let orders = RunOrders::parse(shop.orders_of_request(request)?.as_deref()).map_err(Unusable)?;
        shop.set_orders(request, None)?;
        super::erase::erase_led(shop, &orders.erase, control)
    })();
    let (status, said) = match &done {
        Ok(erased) => {
            shop.set_orders(request, Some(&serde_json::to_string(erased)?))?;
            let rows: u64 = erased.told.iter().map(|told| told.rows).sum();
            match &erased.unfinished {
                None => (RunStatus::Done, format!("a customer was erased: {rows} rows")),
                Some(why) => (RunStatus::Done, format!("not at its end: {why}")),
            }
        }
        Err(e) if fit::stopped(e.chain()).is_some() => (
            RunStatus::Interrupted,
            "stopped before its end; erase again, it goes on where it stopped".into(),
        ),
        Err(e) => (RunStatus::Failed, format!("{e:#}")),
    };
    shop.end_run(run, status, None, &said)?;
    done.map(drop)
}

/// Whether whoever leads `database` is a daemon, which answers requests.
pub(super) fn daemon_leads(database: &Path) -> Result<bool> {
    Ok(Leader::holder(database)?.is_some_and(|holder| holder.starts_with(super::leader::SERVE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        let orders = RunOrders {
            as_of: Some("2026-11-01".into()),
            dry_run: true,
            seed: Some(7),
            ..RunOrders::default()
        };
        let text = orders.text().unwrap().unwrap();
        assert_eq!(text, r#"{"as_of":"2026-11-01","dry_run":true,"seed":7}"#);
        assert_eq!(RunOrders::parse(Some(&text)).unwrap(), orders);
        assert_eq!(RunOrders::default().text().unwrap(), None);
        assert_eq!(RunOrders::parse(None).unwrap(), RunOrders::default());
        for wrong in ["", "[]", r#"{"asof":"2026-11-01"}"#, r#"{"seed":-1}"#] {
            assert!(
                RunOrders::parse(Some(wrong)).unwrap_err().contains("orders"),
                "{wrong}"
            );
        }
    }
}
