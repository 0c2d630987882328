//! How far prices move from day to day, for the volatilities of price_stats.
//!
//! Whatever the steps of the forecasts are, volatility is a matter of days: every history with rows enough is looked at as
//! one price a day over the longest time that daily models look at. Most histories of a shop have too few rows and cost
//! nothing.

use super::collect::Prepared;
use super::local::Local;
use crate::pipeline::Night;
use crate::price::frequency::Frequency;
use crate::price::garch::{CHANGES, Movement, movement};
use crate::price::series::{Life, Series, mend};
use crate::price::subject::Source;
use crate::store::Score;
use anyhow::Result;
use rayon::prelude::*;

/// The movement of every series; still where the offer has ended.
pub(super) fn movements(prepared: &Prepared, night: &Night<'_>) -> Result<Vec<Movement>> {
    let days = Frequency::Daily.past(night.as_of, Frequency::Daily.longest() + 1, &Local(night.zone));
    let quiet = night.control.quiet();
    let found: Result<Vec<Movement>, _> = (0..prepared.count())
        .into_par_iter()
        .map(|s| {
            quiet.check()?;
            let rows = prepared.rows(s);
            if rows.len() <= CHANGES {
                return Ok(Movement::Still);
            }
            let (rows, _) = mend(&rows);
            let series = Series::build(&rows, prepared.own(s), &days);
            if series.life != Life::Offered {
                return Ok(Movement::Still);
            }
            movement(&series.values, &quiet)
        })
        .collect::<Result<_, crate::fit::Stopped>>();
    Ok(found?)
}

/// How many prices changed often enough, the share of them that has a volatility, and the share of their days whose moves
/// were within what the model expected; nothing where no price did.
pub(super) fn scores(movements: &[Movement]) -> Vec<Score> {
    let (mut changing, mut found, mut within) = (0u32, 0u32, 0.0);
    for movement in movements {
        changing += u32::from(*movement != Movement::Still);
        if let Movement::Volatile(volatility) = movement {
            found += 1;
            within += volatility.within;
        }
    }
    if changing == 0 {
        return Vec::new();
    }
    let score = |metric: &str, value: Option<f64>| Score {
        result: "price_stats",
        model: "GARCH".to_owned(),
        slice: String::new(),
        metric: metric.to_owned(),
        value,
        lo90: None,
        hi90: None,
        split: format!("{changing} prices that changed on {CHANGES} days or more of the last three years"),
        chosen: true,
    };
    vec![
        score("fitted", Some(f64::from(found) / f64::from(changing))),
        score("within95", (found > 0).then(|| within / f64::from(found))),
    ]
}
