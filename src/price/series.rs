//! From the rows of one (product, seller) to one price per step.
//!
//! A price holds until the seller's next row. The shop's own prices hold to the as-of instant; another seller's at
//! most 30 days after it was last seen, then the steps are missing. A row without price ends the offer. Steps are
//! counted back from the as-of instant, so none is cut short: the newest value is the price in force as of the night,
//! the one before it the price a day (week, month, hour) earlier.

const DAY: i64 = 86_400;
/// How long another seller's price is believed after it was last seen.
pub const BELIEVED: i64 = 30 * DAY;

/// One row of the table `prices`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posted {
    /// Unix seconds.
    pub at: i64,
    /// The price, or `None` where the offer ended.
    pub price: Option<f64>,
    /// Whether it was a promotion.
    pub promotion: bool,
}

/// What was left out or mended on the way, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Prices that are zero, negative or no number.
    pub not_a_price: u64,
    /// Rows later than the as-of instant.
    pub later: u64,
    /// Rows of an instant that already had one; the later row of the input counts.
    pub duplicates: u64,
}

impl std::ops::AddAssign for Repairs {
    fn add_assign(&mut self, other: Self) {
        self.not_a_price += other.not_a_price;
        self.later += other.later;
        self.duplicates += other.duplicates;
    }
}

/// The usable rows up to `as_of` in order of time, and what was left out.
pub fn clean(rows: &[Posted], as_of: i64) -> (Vec<Posted>, Repairs) {
    let mut repairs = Repairs::default();
    let mut kept: Vec<Posted> = Vec::with_capacity(rows.len());
    for row in rows {
        if row.at > as_of {
            repairs.later += 1;
        } else if row.price.is_some_and(|price| !(price.is_finite() && price > 0.0)) {
            repairs.not_a_price += 1;
        } else {
            kept.push(*row);
        }
    }
    kept.sort_by_key(|row| row.at);
    let before = kept.len();
    // Of equal instants the last one stays: the sort is stable, so it is the last of the input.
    kept.reverse();
    kept.dedup_by_key(|row| row.at);
    kept.reverse();
    repairs.duplicates = (before - kept.len()) as u64;
    (kept, repairs)
}

/// A price this many times its two neighbours, or this many times below them, is a slip of the pen.
const SLIP: f64 = 5.0;
/// Neighbours of a slip agree within this factor.
const AGREE: f64 = 1.5;

/// A slip stands no longer than this, or than a row and a half of those who write regularly, if that is longer.
const STANDS: i64 = 7 * DAY;
/// Nor longer than this, however seldom rows come.
const STANDS_AT_MOST: i64 = 46 * DAY;

/// Rows as models should see them: slips left out, so that the price before holds on, and how many those were. A row is
/// a slip if it is no promotion and its price is five times that of both neighbours, or a fifth, while those agree, and it
/// was soon set right: within a week, or by the next row of a seller who writes weekly or monthly. What somebody asked for
/// months was a price. Where more than one row in fifty looks like that, the price is wild and nothing is mended.
/// Statistics keep every row: what was posted was asked.
pub fn mend(rows: &[Posted]) -> (Vec<Posted>, usize) {
    let length = |i: usize| rows[i + 1].at - rows[i].at;
    let shortest = (0..rows.len().saturating_sub(1)).map(length).min().unwrap_or(0);
    let longest = (shortest + shortest / 2).clamp(STANDS, STANDS_AT_MOST);
    let slip = |i: usize| {
        let neighbours = (
            i.checked_sub(1).and_then(|j| rows[j].price),
            rows.get(i + 1).and_then(|row| row.price),
        );
        match (neighbours, rows[i].price) {
            ((Some(before), Some(after)), Some(price)) => {
                let (low, high) = (before.min(after), before.max(after));
                !rows[i].promotion
                    && length(i) <= longest
                    && high <= low * AGREE
                    && (price >= high * SLIP || price * SLIP <= low)
            }
            _ => false,
        }
    };
    let slips = (0..rows.len()).filter(|&i| slip(i)).count();
    if slips == 0 || slips > (rows.len() / 50).max(1) {
        return (rows.to_vec(), 0);
    }
    let kept = (0..rows.len()).filter(|&i| !slip(i)).map(|i| rows[i]).collect();
    (kept, slips)
}

/// Whether a series goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// There is a price as of the night.
    Offered,
    /// The seller's last row says that the offer ended.
    Ended,
    /// Another seller whose last price is older than 30 days.
    Silent,
}

/// One price per step, the newest last.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Prices; `NaN` where there was none. The first is never missing.
    pub values: Vec<f64>,
    /// Whether it goes on; only an offered series is forecast.
    pub life: Life,
}

impl Series {
    /// Brings cleaned rows onto steps.
    ///
    /// `own` is true for the shop's own prices, which hold to the as-of instant. `instants` are the steps, newest
    /// first and beginning with the as-of instant (`Frequency::past`); at most that many are made.
    pub fn build(rows: &[Posted], own: bool, instants: &[i64]) -> Self {
        let (Some(first), Some(&as_of)) = (rows.first(), instants.first()) else {
            return Self {
                values: Vec::new(),
                life: Life::Silent,
            };
        };
        let mut values = Vec::new();
        let mut row = rows.len();
        for &instant in instants {
            if instant < first.at {
                break;
            }
            while row > 0 && rows[row - 1].at > instant {
                row -= 1;
            }
            values.push(
                row.checked_sub(1)
                    .and_then(|r| in_force(&rows[r], instant, own))
                    .unwrap_or(f64::NAN),
            );
        }
        while values.last().is_some_and(|value| value.is_nan()) {
            values.pop();
        }
        values.reverse();
        let last = rows[rows.len() - 1];
        let life = match (last.price, in_force(&last, as_of, own)) {
            (None, _) => Life::Ended,
            (Some(_), None) => Life::Silent,
            (Some(_), Some(_)) => Life::Offered,
        };
        Self { values, life }
    }

    /// Steps with a price.
    pub fn observed(&self) -> usize {
        observed(&self.values)
    }

    /// Whether the price in force at each of the newest `steps` steps was flagged a promotion: 0 or 1, the newest last;
    /// `None` where the flag was never set.
    pub fn promotions(rows: &[Posted], steps: usize, instants: &[i64]) -> Option<Vec<f64>> {
        if !rows.iter().any(|row| row.promotion) {
            return None;
        }
        let mut row = rows.len();
        let mut flags: Vec<f64> = instants
            .iter()
            .take(steps)
            .map(|&instant| {
                while row > 0 && rows[row - 1].at > instant {
                    row -= 1;
                }
                f64::from(u8::from(row > 0 && rows[row - 1].promotion))
            })
            .collect();
        flags.reverse();
        Some(flags)
    }
}

/// The price of `row` as it holds at `instant`, if it does.
pub fn in_force(row: &Posted, instant: i64, own: bool) -> Option<f64> {
    row.price.filter(|_| own || instant - row.at <= BELIEVED)
}

/// How many values are there.
pub fn observed(values: &[f64]) -> usize {
    values.iter().filter(|value| !value.is_nan()).count()
}

/// The smallest relative difference that is a change of price. Prices that were averaged or converted differ from each
/// other by rounding alone (1e-16), and a scale made of rounding would make every error look enormous.
pub const RELATIVE_CHANGE: f64 = 1e-9;

/// Whether all values that are there are the same price.
pub fn constant(values: &[f64]) -> bool {
    let (low, high) = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    low > high || high - low <= high.abs() * RELATIVE_CHANGE
}

/// The newest value that is there.
pub fn last_value(values: &[f64]) -> Option<f64> {
    values.iter().rev().copied().find(|value| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Utc;
    use super::super::frequency::Frequency;
    use super::*;

    fn row(day: i64, price: f64) -> Posted {
        Posted {
            at: day * DAY + 3600,
            price: Some(price),
            promotion: false,
        }
    }

    fn daily(rows: &[Posted], own: bool, day: i64) -> Series {
        Series::build(rows, own, &Frequency::Daily.past(day * DAY + 7200, 1000, &Utc))
    }

    #[test]
    fn a_price_is_carried_forward_to_the_as_of_instant() {
        let series = daily(&[row(10, 5.0), row(12, 6.0)], true, 15);
        assert_eq!(series.values, [5.0, 5.0, 6.0, 6.0, 6.0, 6.0]);
        assert_eq!(series.life, Life::Offered);
        // Of two prices of a day the last one stands for it.
        let twice = [
            row(10, 5.0),
            Posted {
                at: 10 * DAY + 4000,
                ..row(0, 4.0)
            },
            row(11, 6.0),
        ];
        assert_eq!(daily(&twice, true, 11).values, [4.0, 6.0]);
    }

    #[test]
    fn another_seller_is_believed_for_thirty_days() {
        let series = daily(&[row(0, 5.0), row(40, 6.0)], false, 41);
        assert_eq!(series.values.len(), 42);
        assert_eq!(series.values[29], 5.0);
        assert!(
            series.values[30].is_nan(),
            "the end of day 30 is more than 30 days after the first hour of day 0"
        );
        assert!(series.values[39].is_nan());
        assert_eq!(&series.values[40..], [6.0, 6.0]);
        assert_eq!(series.life, Life::Offered);
        assert_eq!(daily(&[row(0, 5.0)], false, 41).life, Life::Silent);
        assert_eq!(daily(&[row(0, 5.0)], true, 41).life, Life::Offered);
    }

    #[test]
    fn a_row_without_price_ends_the_offer() {
        let gone = Posted {
            price: None,
            ..row(3, 0.0)
        };
        let series = daily(&[row(0, 5.0), gone], true, 5);
        assert_eq!(series.life, Life::Ended);
        assert_eq!(series.observed(), 3);
        let back = daily(&[row(0, 5.0), gone, row(5, 7.0)], true, 6);
        assert_eq!(back.life, Life::Offered);
        assert_eq!(
            (back.values[2], back.values[5], back.values[3].is_nan()),
            (5.0, 7.0, true)
        );
        assert_eq!(
            daily(&[], true, 5),
            Series {
                values: vec![],
                life: Life::Silent
            }
        );
    }

    #[test]
    fn weeks_months_and_hours_count_back_from_the_as_of_instant() {
        let rows: Vec<Posted> = (0..100).map(|day| row(day, 1.0 + day as f64)).collect();
        let weekly = Series::build(&rows, true, &Frequency::Weekly.past(99 * DAY + 7200, 1000, &Utc));
        assert_eq!(weekly.values[weekly.values.len() - 3..], [86.0, 93.0, 100.0]);
        // As of 1970-04-10; a month earlier is March 10, day 68; then February 10, day 40; then January 10, day 9.
        let monthly = Series::build(&rows, true, &Frequency::Monthly.past(99 * DAY + 7200, 1000, &Utc));
        assert_eq!(monthly.values, [10.0, 41.0, 69.0, 100.0]);
        let hourly = Series::build(&rows, true, &Frequency::Hourly.past(99 * DAY + 7200, 30, &Utc));
        assert_eq!(hourly.values.len(), 30);
        assert_eq!(
            (hourly.values[3], hourly.values[4], hourly.values[29]),
            (98.0, 99.0, 100.0)
        );
    }

    #[test]
    fn what_cannot_be_used_is_counted() {
        let mut rows = vec![
            row(5, 5.0),
            row(1, 0.0),
            row(2, -1.0),
            row(3, f64::NAN),
            row(9, 5.0),
            row(1, 3.0),
        ];
        rows.push(row(1, 4.0));
        let (kept, repairs) = clean(&rows, 6 * DAY);
        assert_eq!(
            repairs,
            Repairs {
                not_a_price: 3,
                later: 1,
                duplicates: 1
            }
        );
        assert_eq!(kept, [row(1, 4.0), row(5, 5.0)]);
    }

    #[test]
    fn a_slip_of_the_pen_is_left_out_for_models_only() {
        let rows: Vec<Posted> = [19.9, 19.9, 1990.0, 21.9, 21.9, 2.0, 40.0, 40.0]
            .iter()
            .enumerate()
            .map(|(day, price)| row(day as i64, *price))
            .collect();
        let (kept, slips) = mend(&rows);
        assert_eq!(
            (kept.len(), slips),
            (7, 1),
            "of prices that disagree, who knows which is wrong"
        );
        assert_eq!(kept[2], rows[3]);
        let mut promoted = rows.clone();
        promoted[2].promotion = true;
        assert_eq!(mend(&promoted).1, 0);
        let wild: Vec<Posted> = (0..40)
            .map(|day| row(day, [10.0, 100.0][day as usize % 2]))
            .collect();
        assert_eq!(mend(&wild), (wild.clone(), 0));
        assert_eq!(mend(&[]), (vec![], 0));
        // Asked for eight months: a price. For a week of a weekly writer, a month of a monthly one: a slip.
        assert_eq!(mend(&[row(0, 10.0), row(100, 1.0), row(340, 10.0)]).1, 0);
        assert_eq!(mend(&[row(0, 10.0), row(300, 1.0), row(540, 10.0)]).1, 0);
        for (step, slips) in [(1, 1), (7, 1), (31, 1), (90, 0)] {
            let prices = [10.0, 10.0, 1.0, 10.0, 10.0];
            let rows: Vec<Posted> = (0..5).map(|i| row(i * step, prices[i as usize])).collect();
            assert_eq!(mend(&rows).1, slips, "rows every {step} days");
        }
    }

    #[test]
    fn flags_stand_beside_the_steps() {
        let mut rows = vec![row(0, 5.0), row(2, 4.0), row(3, 5.0)];
        let instants = Frequency::Daily.past(5 * DAY + 7200, 1000, &Utc);
        assert_eq!(Series::promotions(&rows, 6, &instants), None);
        rows[1].promotion = true;
        assert_eq!(
            Series::promotions(&rows, 6, &instants),
            Some(vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        );
    }
}
