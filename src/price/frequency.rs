//! The step of a shop's series: an hour, a day, a week or a month, and what seasons such steps may have.

use super::calendar::{Calendar, add_months};
use super::series::Posted;

const DAY: i64 = 86_400;

/// The length of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// 3,600 seconds.
    Hourly,
    /// A local day.
    Daily,
    /// Seven local days.
    Weekly,
    /// A calendar month.
    Monthly,
}

impl Frequency {
    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The frequency of that name; `None` for any other, "auto" included.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hourly, Self::Daily, Self::Weekly, Self::Monthly]
            .into_iter()
            .find(|f| f.name() == name)
    }

    /// The lengths of the seasons such steps may have, the one every model looks at first.
    pub fn seasons(self) -> &'static [usize] {
        match self {
            Self::Hourly => &[24, 168],
            Self::Daily => &[7, 365],
            Self::Weekly => &[52],
            Self::Monthly => &[12],
        }
    }

    /// Newest steps of a series that models look at: three months of hours, three years of days, ten years of weeks, twenty
    /// of months.
    pub fn longest(self) -> usize {
        match self {
            Self::Hourly => 2184,
            Self::Daily => 1096,
            Self::Weekly => 520,
            Self::Monthly => 240,
        }
    }

    /// The instants of the newest `count` steps up to `as_of`, newest first.
    pub fn past(self, as_of: i64, count: usize, calendar: &dyn Calendar) -> Vec<i64> {
        (0..count as i32)
            .map(|step| self.instant(as_of, -step, calendar))
            .collect()
    }

    /// The instant of the step `step` steps after `as_of` (before, when negative): the last second of its local day;
    /// hours count from `as_of` itself. Step 0 is `as_of`.
    pub fn instant(self, as_of: i64, step: i32, calendar: &dyn Calendar) -> i64 {
        if step == 0 {
            return as_of;
        }
        let today = calendar.day_of(as_of);
        match self {
            Self::Hourly => as_of + i64::from(step) * 3600,
            Self::Daily => calendar.end_of(today + step),
            Self::Weekly => calendar.end_of(today + 7 * step),
            Self::Monthly => calendar.end_of(add_months(today, step)),
        }
    }
}

/// Rows a series must have before its gaps can make a shop hourly: a day's worth. Two nights on one day, or a correction
/// an hour after a mistake, are no rhythm.
const HOURLY_ROWS: usize = 24;

/// What the gaps between the rows of a shop say of its frequency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rhythm {
    gaps: u64,
    hourly: u64,
    weekly: u64,
    monthly: u64,
}

impl Rhythm {
    /// Adds the rows of one product at one seller, in order of time.
    pub fn add(&mut self, rows: &[Posted]) {
        for pair in rows.windows(2) {
            let gap = pair[1].at - pair[0].at;
            self.gaps += 1;
            self.hourly += u64::from(gap <= 2 * 3600 && rows.len() >= HOURLY_ROWS);
            // A summer time change may move a row by an hour.
            self.weekly += u64::from(gap > 3 * DAY && (gap + DAY / 4) % (7 * DAY) <= DAY / 2);
            let days = gap as f64 / DAY as f64;
            let months = (days / 30.44).round();
            self.monthly += u64::from(months >= 1.0 && (days - months * 30.44).abs() <= 2.5);
        }
    }

    /// The frequency that fits: four fifths of the gaps decide. Prices written only when they change, or at no rhythm at
    /// all, are daily.
    pub fn frequency(&self) -> Frequency {
        let most = |count: u64| self.gaps > 0 && count * 5 >= self.gaps * 4;
        if most(self.hourly) {
            Frequency::Hourly
        } else if most(self.weekly) {
            Frequency::Weekly
        } else if most(self.monthly) {
            Frequency::Monthly
        } else {
            Frequency::Daily
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64) -> Posted {
        Posted {
            at,
            price: Some(1.0),
            promotion: false,
        }
    }

    #[test]
    fn the_rhythm_of_the_rows_is_found() {
        let every = |seconds: i64| (0..30).map(|i| row(i * seconds)).collect::<Vec<_>>();
        let detect = |rows: Vec<Posted>| {
            let mut rhythm = Rhythm::default();
            rhythm.add(&rows);
            rhythm.frequency()
        };
        assert_eq!(detect(every(3600)), Frequency::Hourly);
        let corrected = every(3600)[..2].to_vec();
        let mut rhythm = Rhythm::default();
        (0..500).for_each(|_| rhythm.add(&corrected));
        assert_eq!(rhythm.frequency(), Frequency::Daily);
        assert_eq!(detect(every(DAY)), Frequency::Daily);
        assert_eq!(detect(every(7 * DAY)), Frequency::Weekly);
        assert_eq!(detect(every(14 * DAY)), Frequency::Weekly);
        assert_eq!(detect(every(30 * DAY + DAY / 2)), Frequency::Monthly);
        assert_eq!(detect(every(17 * DAY)), Frequency::Daily);
        assert_eq!(detect(vec![]), Frequency::Daily);
    }
}
