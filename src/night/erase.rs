//! Forgetting a customer everywhere, from the rows to the last byte.
//!
//! The order matters. (1) A mark is set that an erasure is under way and a new index is asked for. (2) What the shop wrote goes,
//! again until a look finds nothing: an application may write while we read. (3) What was derived goes: older generations,
//! lists, answers that quote, models of words. (4) The index is built anew into a new folder. (5) The file is written
//! anew and its log emptied. (6) The mark goes. Dead at any step: the mark is still there, and the next erasure goes
//! through all of them again; what is done already finds nothing to do.

use super::Unusable;
use super::leader::Leader;
use super::requests;
use super::watch::Screen;
use crate::fit::Control;
use crate::pipeline;
use crate::store::Shop;
use crate::store::erase::{CHECKPOINTS, Customers, DERIVED, INPUTS, MODELS, Place, Truncated};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

/// Looks at the inputs before we say that somebody keeps writing them.
const LOOKS: u32 = 3;
/// How long a reader may keep the log from being emptied before we say so.
const READER: Duration = Duration::from_secs(10);

/// Rows of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The table or view.
    pub place: Cow<'static, str>,
    /// Rows that went, or would go.
    pub rows: u64,
}

/// What an erasure did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Erased {
    /// By place.
    pub told: Vec<Told>,
    /// Whether it went on with one that had been interrupted.
    pub resumed: bool,
    /// Whether the models of tickets had to go: tickets wait for the next night of support.
    pub models_gone: bool,
    /// Bytes of the file before and after.
    pub size: (u64, u64),
    /// Why it is not at its end; the next erasure goes on there.
    pub unfinished: Option<String>,
    /// Copies of the file made before an upgrade: not touched, and the customer may be in them.
    pub left: Vec<PathBuf>,
}

impl Erased {
    fn add(&mut self, place: &'static str, rows: u64) {
        match self.told.iter_mut().find(|told| told.place == place) {
            Some(told) => told.rows += rows,
            None => self.told.push(Told {
                place: place.into(),
                rows,
            }),
        }
    }
}

/// Counts what [`erase`] would take away; changes nothing.
///
/// # Errors
/// [`Unusable`] for customers of whom nothing is known.
pub fn would_erase(shop: &Shop, ids: &[String]) -> Result<Vec<Told>> {
    let mut customers = Customers::new(ids);
    known(shop, &customers)?;
    shop.look_for_tickets(&mut customers)?;
    let mut told = Erased::default();
    let learned = models_must_go(shop, &customers);
    for place in INPUTS.iter().chain(&DERIVED).chain(&MODELS).chain(&CHECKPOINTS) {
        if place.name == MODELS[0].name && !learned {
            told.add(place.name, 0);
        } else {
            told.add(place.name, shop.count_rows_of(&customers, place)?);
        }
    }
    Ok(told.told)
}

/// Forgets the customers with these ids. A daemon that leads does it on request, other leaders are waited for; `screen` hears
/// of both.
///
/// # Errors
/// [`Unusable`] for customers of whom nothing is known, unless an erasure that was interrupted is to be finished; those of
/// the store and the index, after which the next erasure goes on.
pub fn erase(shop: &mut Shop, ids: &[String], control: &Control, screen: &dyn Screen) -> Result<Erased> {
    known(shop, &Customers::new(ids))?;
    if requests::daemon_leads(shop.path())?
        && let Some(erased) = requests::follow_erasure(shop, ids, control, screen)?
    {
        return Ok(erased);
    }
    shop.be_patient()?;
    let waiting = |holder: &str| screen.say(&format!("waiting for {holder} to finish ..."));
    let _leader = Leader::take(shop.path(), "erase", waiting, || Ok(control.check()?))?;
    erase_led(shop, ids, control)
}

/// The same for whoever leads, or acts for the leader.
pub(super) fn erase_led(shop: &mut Shop, ids: &[String], control: &Control) -> Result<Erased> {
    let mut customers = Customers::new(ids);
    known(shop, &customers)?;
    shop.be_patient()?;
    let mut erased = Erased {
        resumed: shop.is_erasing()?,
        size: (shop.size(), shop.size()),
        ..Erased::default()
    };
    shop.begin_erasing()?;
    let mut unfinished = inputs(shop, &mut customers, control, &mut erased)?;
    derived(shop, &customers, control, &mut erased)?;
    shop.outbox_start_anew()?;
    unfinished = unfinished.or(index(shop, control, &mut erased)?);
    erased.left = shop.backups_beside();
    erased.unfinished = match unfinished {
        Some(why) => Some(why),
        None => traces(shop, control)?,
    };
    erased.size.1 = shop.size();
    if erased.unfinished.is_none() {
        shop.end_erasing()?;
    }
    Ok(erased)
}

/// Nobody is erased by a slip of the pen.
fn known(shop: &Shop, customers: &Customers) -> Result<()> {
    if customers.ids().iter().any(String::is_empty) {
        return Err(Unusable("USER is empty: the id of a customer was expected".into()).into());
    }
    let unknown = shop.unknown_customers(customers)?;
    if unknown.is_empty() || shop.is_erasing()? {
        return Ok(());
    }
    Err(Unusable(format!(
        "no row of {} names {}: ids are compared to the letter; nothing was changed",
        shop.path().display(),
        unknown
            .iter()
            .map(|id| format!("{id:?}"))
            .collect::<Vec<_>>()
            .join(" or ")
    ))
    .into())
}

/// What the shop wrote. Says why when the application kept writing it.
fn inputs(
    shop: &Shop,
    customers: &mut Customers,
    control: &Control,
    erased: &mut Erased,
) -> Result<Option<String>> {
    for look in 0..LOOKS {
        shop.look_for_tickets(customers)?;
        let mut rows = 0;
        for (at, place) in INPUTS.iter().enumerate() {
            rows += one(shop, customers, place, (at, INPUTS.len()), control, erased)?;
        }
        if look > 0 && rows == 0 {
            return Ok(None);
        }
    }
    Ok(Some(
        "an application kept writing rows of this customer while they were erased: let it forget the customer first, then \
         erase again"
            .into(),
    ))
}

/// What nights made of it.
fn derived(shop: &Shop, customers: &Customers, control: &Control, erased: &mut Erased) -> Result<()> {
    control.check()?;
    control.progress("older generations", 0, 1);
    let swept = shop.sweep(0)?;
    erased.add("older generations", swept.rows);
    // Of an erasure that was interrupted nobody knows any more whether tickets were in it.
    erased.models_gone = erased.resumed || models_must_go(shop, customers);
    let steps = DERIVED.len() + 2;
    for (at, place) in DERIVED.iter().chain(&CHECKPOINTS).enumerate() {
        one(shop, customers, place, (at, steps), control, erased)?;
    }
    if erased.models_gone {
        let parts = one(shop, customers, &MODELS[0], (steps, steps), control, erased)?;
        erased.models_gone = parts > 0;
    } else {
        erased.add(MODELS[0].name, 0);
    }
    shop.forget_samples()?;
    Ok(())
}

/// Whether the published models of tickets learned from a ticket that goes or is gone; ones that cannot be read do.
fn models_must_go(shop: &Shop, customers: &Customers) -> bool {
    customers.have_tickets()
        || pipeline::support::learned_from(shop)
            .and_then(|ids| match ids {
                Some(ids) => Ok(shop.lacks_any_ticket(&ids)?),
                None => Ok(false),
            })
            .unwrap_or(true)
}

fn one(
    shop: &Shop,
    customers: &Customers,
    place: &Place,
    (at, of): (usize, usize),
    control: &Control,
    erased: &mut Erased,
) -> Result<u64> {
    control.check()?;
    control.progress(place.name, at as u64, of as u64);
    let rows = shop
        .erase_rows_of(customers, place)
        .with_context(|| format!("erasing from {}", place.name))?;
    erased.add(place.name, rows);
    Ok(rows)
}

/// The index anew, where there is one. Says which old one could not be removed.
fn index(shop: &Shop, control: &Control, erased: &mut Erased) -> Result<Option<String>> {
    let folder = shop.beside(".search");
    if !folder.exists() {
        return Ok(None);
    }
    control.check()?;
    let drained = pipeline::index::drain(shop, control)?;
    erased.add("search index built anew", drained.documents);
    Ok(pipeline::index::left_over(shop)?.first().map(|path| {
        format!(
            "{} is an old search index that cannot be removed: let go of it or correct the permissions, delete it, then \
             erase again",
            path.display()
        )
    }))
}

/// The bytes of what was deleted. Says what is left where a reader holds it.
fn traces(shop: &mut Shop, control: &Control) -> Result<Option<String>> {
    let stop = || control.check().is_err();
    // First what a reader holds: while it does, writing the file anew would only make the log larger.
    if let Some(held) = emptied(shop.truncate_wal(READER, stop)?, shop) {
        control.check()?;
        return Ok(Some(held));
    }
    control.check()?;
    control.progress("writing the file anew", 0, 1);
    let control_inside = control.quiet();
    shop.write_anew(move || control_inside.check().is_err())?;
    let held = emptied(shop.truncate_wal(READER, stop)?, shop);
    if held.is_some() {
        control.check()?;
    }
    Ok(held)
}

/// What is to be said when the log could not be emptied.
fn emptied(truncated: Truncated, shop: &Shop) -> Option<String> {
    match truncated {
        Truncated::Yes => None,
        Truncated::Held(bytes) => Some(format!(
            "the rows are gone from every table, but a program that began reading before still holds the pages as they were: \
             {} ({} KB) and the free parts of {} can still contain them. End that program's transaction (or the program), then \
             erase again: it goes on here",
            shop.beside("-wal").display(),
            bytes.div_ceil(1024),
            shop.path().display()
        )),
    }
}
