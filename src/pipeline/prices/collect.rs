//! collect and prepare: price rows as of one instant, cleaned and packed as they are read, and one grid of steps.
//!
//! Rows are packed history by history ([`Packed`]), so that the memory of a night is a few bytes a row; series are built
//! from them whenever a model looks ([`Source`]).

use super::local::Local;
use super::outside::{Entered, Outside};
use super::plans::{Flags, Plans};
use super::sales::Sales;
use crate::pipeline::Night;
use crate::pipeline::options::{Frequency as Wanted, PriceOptions};
use crate::price::calendar::Calendar;
use crate::price::frequency::{Frequency, Rhythm};
use crate::price::packed::Packed;
use crate::price::series::{Posted, Repairs, Series, clean, mend};
use crate::price::stats::{Stats, stats};
use crate::price::subject::{Groups, Source, Subject};
use crate::store::Snapshot;
use anyhow::Result;
use rayon::prelude::*;

/// Rows as read, cleaned.
#[derive(Debug, Default)]
pub struct Collected {
    /// (product, seller) in text order, each with a price at least once up to the night.
    names: Vec<(String, String)>,
    /// Their rows, in order of time.
    histories: Packed,
    /// Category and brand of each, '' without.
    shelves: Vec<(String, String)>,
    rhythm: Rhythm,
    flags: Flags,
    entered: Entered,
}

/// One series per (product, seller), in text order.
#[derive(Debug)]
pub struct Prepared {
    pub(super) names: Vec<(String, String)>,
    pub(super) histories: Packed,
    pub(super) stats: Vec<Stats>,
    pub(super) groups: Groups,
    pub(super) frequency: Frequency,
    /// Instant and local day of each step ahead.
    pub(super) ahead: Vec<(i64, i32)>,
    /// The instants of the steps up to the night, the newest first.
    pub(super) instants: Vec<i64>,
    plans: Plans,
    outside: Outside,
}

/// Cleans the rows of one history as it ends, counts what is left out, and packs the rest.
struct Reader<'a> {
    collected: Collected,
    repairs: Repairs,
    never: u64,
    as_of: i64,
    night: &'a Night<'a>,
}

impl Reader<'_> {
    fn end(&mut self, name: Option<(String, String)>, rows: &[Posted]) {
        let Some(name) = name else { return };
        let (kept, repairs) = clean(rows, self.as_of);
        self.repairs += repairs;
        if kept.iter().all(|row| row.price.is_none()) {
            self.never += kept.len() as u64;
            return;
        }
        self.collected.rhythm.add(&kept);
        self.collected.histories.push(&kept);
        self.collected.names.push(name);
    }

    fn finish(self) -> Collected {
        let (night, repairs) = (self.night, self.repairs);
        night.drop_rows(
            "prices",
            "price is zero, negative or no number",
            repairs.not_a_price,
        );
        night.drop_rows("prices", "later than the night", repairs.later);
        night.drop_rows("prices", "another row of the same instant", repairs.duplicates);
        night.drop_rows(
            "prices",
            "never a price of this product and seller up to the night",
            self.never,
        );
        self.collected
    }
}

/// The rows of every product and seller, in text order, and what else a series needs to know.
pub(super) fn collect(snapshot: &Snapshot, night: &Night<'_>, sales: &mut Sales) -> Result<Collected> {
    let mut reader = Reader {
        collected: Collected::default(),
        repairs: Repairs::default(),
        never: 0,
        as_of: night.as_of,
        night,
    };
    let (mut name, mut rows): (Option<(String, String)>, Vec<Posted>) = (None, Vec::new());
    snapshot.prices(|price| {
        if !name
            .as_ref()
            .is_some_and(|(product, seller)| product == price.product_id && seller == price.seller)
        {
            reader.end(name.take(), &rows);
            rows.clear();
            name = Some((price.product_id.to_owned(), price.seller.to_owned()));
        }
        // Ahead of the night, and of whoever runs it as of a day that is over: what has come meanwhile was no plan.
        if price.at > night.as_of.max(night.now) && price.seller.is_empty() {
            sales.plan(price.product_id, price.at, price.price);
        }
        rows.push(Posted {
            at: price.at,
            price: price.price,
            promotion: price.promotion,
        });
    })?;
    reader.end(name.take(), &rows);
    let mut collected = reader.finish();
    collected.shelves = vec![(String::new(), String::new()); collected.names.len()];
    // Both are in text order: one walk.
    let mut next = 0;
    snapshot.shelves(|product, category, brand| {
        while next < collected.names.len() && collected.names[next].0.as_str() < product {
            next += 1;
        }
        while next < collected.names.len() && collected.names[next].0 == product {
            collected.shelves[next] = (category.to_owned(), brand.to_owned());
            next += 1;
        }
    })?;
    collected.flags = Flags::read(snapshot, night)?;
    collected.entered = Entered::read(snapshot, night)?;
    Ok(collected)
}

/// Lays the steps, counts what models do without, and finds out which drivers are promotions known ahead.
pub(super) fn prepare(options: &PriceOptions, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
    let (calendar, as_of) = (Local(night.zone), night.as_of);
    let frequency = match options.frequency {
        Wanted::Auto => collected.rhythm.frequency(),
        Wanted::Hourly => Frequency::Hourly,
        Wanted::Daily => Frequency::Daily,
        Wanted::Weekly => Frequency::Weekly,
        Wanted::Monthly => Frequency::Monthly,
    };
    let Collected {
        names,
        histories,
        shelves,
        flags,
        entered,
        ..
    } = collected;
    let ahead: Vec<(i64, i32)> = (1..=options.horizon as i32)
        .map(|step| frequency.instant(as_of, step, &calendar))
        .map(|at| (at, calendar.day_of(at)))
        .collect();
    let instants = frequency.past(as_of, frequency.longest(), &calendar);
    // One step more than is looked at, so that the oldest has a beginning.
    let days: Vec<i32> = frequency
        .past(as_of, frequency.longest() + 1, &calendar)
        .into_iter()
        .map(|at| calendar.day_of(at))
        .collect();
    let oldest = instants.last().copied().unwrap_or(as_of);
    // (statistics, slips, missing steps, rows before the oldest step)
    let found: Vec<(Option<Stats>, usize, usize, usize)> = (0..names.len())
        .into_par_iter()
        .map(|s| {
            let own = names[s].1.is_empty();
            let rows = histories.unpack(s);
            let (mended, slips) = mend(&rows);
            let series = Series::build(&mended, own, &instants);
            let missing = series.values.len() - series.observed();
            // The newest of the older ones still holds at the oldest step.
            let before = rows.partition_point(|row| row.at <= oldest).saturating_sub(1);
            (stats(&rows, own, as_of, &calendar), slips, missing, before)
        })
        .collect();
    type Found = (Option<Stats>, usize, usize, usize);
    let sum = |of: fn(&Found) -> usize| found.iter().map(of).sum::<usize>() as u64;
    night.drop_rows(
        "prices",
        "a slip of the pen: five times both neighbours, or a fifth, and soon set right; left out by models, not by statistics",
        sum(|f| f.1),
    );
    night.drop_rows(
        "prices",
        format!(
            "older than the newest {} {} steps; left out by models, not by statistics",
            frequency.longest(),
            frequency.name()
        ),
        sum(|f| f.3),
    );
    night.drop_rows(
        "prices",
        "no row: a step without a price in force, missing to models",
        sum(|f| f.2),
    );
    let stats: Vec<Stats> = found.into_iter().filter_map(|(stats, _, _, _)| stats).collect();
    anyhow::ensure!(
        stats.len() == names.len(),
        "a product without any price got past the cleaning of rows"
    );
    let mut prepared = Prepared {
        names,
        histories,
        stats,
        groups: Groups::new(&shelves),
        frequency,
        ahead,
        instants,
        plans: Plans::default(),
        outside: Outside::default(),
    };
    let days_ahead: Vec<i32> = prepared.ahead.iter().map(|(_, day)| *day).collect();
    prepared.plans = Plans::find(flags, days.clone(), days_ahead.clone(), &prepared);
    prepared.outside = Outside::find(entered, prepared.plans.names(), &days, &days_ahead, night);
    Ok(prepared)
}

impl Prepared {
    /// The rows of series `s`, cleaned, in order of time.
    pub(super) fn rows(&self, s: usize) -> Vec<Posted> {
        self.histories.unpack(s)
    }

    /// Whether series `s` is the shop's own price.
    pub(super) fn own(&self, s: usize) -> bool {
        self.names[s].1.is_empty()
    }
}

impl Source for Prepared {
    fn count(&self) -> usize {
        self.names.len()
    }

    fn subject(&self, s: usize) -> Subject {
        let (rows, _) = mend(&self.rows(s));
        let series = Series::build(&rows, self.own(s), &self.instants);
        let steps = series.values.len();
        let promoted = Series::promotions(&rows, steps, &self.instants);
        let plan = self.plans.of(&self.names[s], steps);
        Subject {
            values: series.values,
            life: series.life,
            promoted,
            plan,
            outside: self.outside.of(&self.names[s].0, steps),
            shelf: self.groups.shelf(s),
        }
    }

    fn groups(&self) -> &Groups {
        &self.groups
    }

    fn frequency(&self) -> Frequency {
        self.frequency
    }
}
