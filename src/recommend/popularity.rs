//! Popularity: how many people began with a product, lately and ever, in the whole shop and per category.
//!
//! The naive answer of the family. Counts are of pairs, so one wholesaler who orders weekly counts once. The
//! window counts the pairs whose first time lies in the last `days` before `now`; order is by the window's count,
//! then by the count of all time, then by index, so a list never runs short where anything was ever sold.

use super::history::Histories;

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// Days of the window of the naive answer.
pub const WINDOW_DAYS: i64 = 30;

/// Counts of pairs per product.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    /// Interest that began inside the window, summed as strength (a purchase counts 1).
    pub recent: Vec<f32>,
    /// Interest of all time.
    pub total: Vec<f32>,
}

impl Popularity {
    /// Counts the pairs of the last `days` before and including `now`, and all pairs up to then.
    pub fn count(histories: &Histories, now: i64, days: i64) -> Popularity {
        let mut recent = vec![0.0f64; histories.products];
        let mut total = vec![0.0f64; histories.products];
        let from = now.saturating_sub(days.saturating_mul(DAY));
        for signal in histories
            .all()
            .iter()
            .filter(|s| s.strength > 0.0 && s.first <= now)
        {
            total[signal.product as usize] += f64::from(signal.strength);
            if signal.first > from {
                recent[signal.product as usize] += f64::from(signal.strength);
            }
        }
        let narrow = |wide: Vec<f64>| wide.into_iter().map(|x| x as f32).collect();
        Popularity {
            recent: narrow(recent),
            total: narrow(total),
        }
    }

    /// The products among `candidates`, best first: by the window, then by all time, then by index. At most `n`.
    pub fn top(&self, candidates: impl Iterator<Item = u32>, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = candidates.collect();
        order.sort_unstable_by(|&a, &b| {
            let (i, j) = (a as usize, b as usize);
            let lately = self.recent[j].total_cmp(&self.recent[i]);
            lately
                .then(self.total[j].total_cmp(&self.total[i]))
                .then(a.cmp(&b))
        });
        order.truncate(n);
        order
    }

    /// One number per product that falls along [`Popularity::top`]'s order, at most 1: the window's count plus a tie
    /// break by the count of all time that is always less than one unit of the window, over the largest.
    pub fn scores(&self) -> Vec<f32> {
        let ever = self.total.iter().copied().fold(0.0, f32::max) + 1.0;
        let raw: Vec<f32> = self
            .recent
            .iter()
            .zip(&self.total)
            .map(|(r, t)| r + t / ever * 0.01)
            .collect();
        let largest = raw.iter().copied().fold(0.0, f32::max);
        if largest <= 0.0 {
            return raw;
        }
        raw.into_iter().map(|x| x / largest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::*;

    #[test]
    fn the_window_comes_first_and_all_time_breaks_ties() {
        let buy = |user, product, day: i64| Interaction {
            user: Some(user),
            product,
            kind: Kind::Purchase,
            quantity: 1.0,
            rating: 0.0,
            at: day * DAY,
            basket: 0,
            line: day as u32,
        };
        let log = Log::new(
            3,
            4,
            vec![
                buy(0, 0, 1),
                buy(1, 0, 2),
                buy(2, 0, 3),
                buy(0, 1, 50),
                buy(1, 1, 51),
                buy(0, 2, 52),
                buy(1, 3, 4),
            ],
        );
        let histories = Histories::build(&log, &Strengths::default(), |_| true);
        let popularity = Popularity::count(&histories, 52 * DAY, 30);
        assert_eq!(popularity.recent, [0.0, 2.0, 1.0, 0.0]);
        assert_eq!(popularity.top(0..4, 10), [1, 2, 0, 3]);
        let scores = popularity.scores();
        assert!(scores[1] > scores[2] && scores[2] > scores[0] && scores[0] > scores[3] && scores[3] > 0.0);
        assert_eq!(scores[1], 1.0);
    }
}
