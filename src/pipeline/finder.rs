//! What a search needs besides the index: the shop's days and synonyms, and whether index and file belong together.
//!
//! The command line and the SQLite extension search through the same few lines here, so that they find the same.

use crate::search::{Reader, SearchError};
use crate::store::Shop;
use anyhow::{Result, bail};
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// What the shop's own tables say about how to search, as of one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Lore {
    /// Where days begin.
    zone: Tz,
    /// Words that mean the same, in pairs.
    synonyms: Vec<(String, String)>,
}

impl Lore {
    /// Reads it.
    ///
    /// # Errors
    /// A time zone nobody knows; those of SQLite.
    pub fn read(shop: &Shop) -> Result<Lore> {
        Ok(Lore {
            zone: super::zone(&shop.settings()?.time_zone)?,
            synonyms: shop.synonyms()?,
        })
    }

    /// Lets a reader search by it.
    pub fn given_to(&self, reader: Reader) -> Reader {
        let zone = self.zone;
        reader
            .with_days(move |day| first_second(day, zone))
            .with_synonyms(&self.synonyms)
    }
}

/// How many changes the index does not hold yet.
///
/// # Errors
/// It is the index of another file, or of another time of this one.
pub fn waiting(shop: &Shop, reader: &Reader) -> Result<u64> {
    let state = reader.state()?; // before the file is read: a commit's mark is in the file before the commit is in the index
    match belongs(shop, state.as_ref())? {
        Some(seq) => Ok(shop.outbox_waiting(seq)?.0),
        None => bail!(foreign(shop)),
    }
}

/// The identity of an index's file, the last change in it and the mark of its last commit, as [`Reader::state`] gives them.
pub type State = (String, i64, String);

/// The last change in an index of that state, if it is an index of this file as it is now. Ask for the state first.
///
/// # Errors
/// Those of SQLite.
pub fn belongs(shop: &Shop, state: Option<&State>) -> Result<Option<i64>> {
    let of_file = shop.known_instance()?;
    Ok(match state {
        Some((instance, seq, mark))
            if Some(instance) == of_file.as_ref()
                && *seq <= shop.outbox_newest()?
                && shop.index_marks()?.contains(mark) =>
        {
            Some(*seq)
        }
        _ => None,
    })
}

/// What to say of an index that does not belong to the file.
pub fn foreign(shop: &Shop) -> String {
    let folder = shop.beside(".search");
    format!(
        "the search index in {} was made from another database or a newer copy of this one: nightclerk run \
         search builds it anew",
        folder.display()
    )
}

/// The index beside a file.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn open(shop: &Shop) -> Result<Reader, SearchError> {
    Reader::open(&shop.beside(".search"))
}

/// The first second of a local day; where the clock is set forward over midnight, the first there is.
fn first_second(day: NaiveDate, zone: Tz) -> i64 {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..48)
        .find_map(|half| {
            zone.from_local_datetime(&(midnight + TimeDelta::minutes(30 * half)))
                .earliest()
        })
        .map_or_else(|| midnight.and_utc().timestamp(), |first| first.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_where_the_clock_says() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        // 2026-11-01 is day 20758 after 1970-01-01; Berlin is an hour ahead of UTC in November.
        assert_eq!(first_second(day(2026, 11, 1), chrono_tz::UTC), 20_758 * 86_400);
        assert_eq!(
            first_second(day(2026, 11, 1), chrono_tz::Europe::Berlin),
            20_758 * 86_400 - 3600
        );
        // Sao Paulo had no midnight on 2018-11-04 (day 17839): the day began at 01:00, three hours behind UTC less one.
        assert_eq!(
            first_second(day(2018, 11, 4), chrono_tz::America::Sao_Paulo),
            17_839 * 86_400 + 3 * 3600
        );
    }
}
