//! How sure a forecast is: split-conformal quantiles (Vovk, Gammerman and Shafer, 2005).
//!
//! The signed errors that the chosen models made at past origins are pooled per step ahead; the forecast's bound that a
//! price stays above with 90 % is the forecast plus their 10 % quantile. No distribution is assumed: posted prices jump
//! rarely and far, and a bell curve covers 96 % where it says 80. Each bound is one-sided by itself, so `lo80` is what
//! nine prices of ten stay above, and `hi80` what nine of ten stay below; between both lie eight of ten. A bound is never
//! below zero, and never on the wrong side of the forecast.
//!
//! *Averaged* prices count errors in units of their mean absolute (seasonal) step, over the whole shop and three origins.
//! *Posted* prices count them as logarithms, over origins all along recent weeks, by how often a price moves
//! ([`super::profile::class`]). Why classes and not categories: a chain's promotion moves a whole category at once, so a
//! category's past nights say little about its next one, however many series it has. Measured on weekly orange-juice
//! prices of 83 stores, pools by brand covered 79 and 89 % on average over three test nights where 80 and 95 were promised,
//! these classes 82 and 96 %.
//!
//! A class with fewer than [`ERRORS_TO_CALIBRATE`] errors at a step takes the shop's; a shop with too few borrows from
//! neighbouring steps; one with too few at all takes the series' own steps as a random walk, the only place where a bell
//! curve stands in.
//!
//! However many errors there are, they say little if one night made them all: what moved prices that night moved them
//! together. A pool of fewer than so many distinct nights counts as none. Steps beyond the last one that has them get its
//! quantiles, grown with the root of the distance, and [`Table::measured`] says where that begins.

use std::collections::BTreeSet;

/// Errors a pool needs for its own quantiles.
pub const ERRORS_TO_CALIBRATE: usize = 60;

/// The levels of the intervals, the widest first.
pub const LEVELS: [f64; 3] = [0.95, 0.90, 0.80];

/// What to add to a forecast for each of [`LEVELS`]: below it, and above.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quantiles {
    /// Never above zero, nor above those of a narrower level.
    pub below: [f64; 3],
    /// Never below zero.
    pub above: [f64; 3],
}

impl Quantiles {
    fn scaled(self, factor: f64) -> Self {
        Self {
            below: self.below.map(|x| x * factor),
            above: self.above.map(|x| x * factor),
        }
    }
}

/// Errors of one class at one step, and the nights that made them.
#[derive(Debug, Clone, Default)]
struct Pool {
    errors: Vec<f32>,
    origins: BTreeSet<usize>,
}

/// Errors by class and step.
#[derive(Debug, Clone)]
pub struct Pools {
    classes: Vec<Vec<Pool>>,
    /// Distinct nights that a pool needs.
    nights: usize,
}

impl Pools {
    /// Empty pools, each of which will need errors of so many nights.
    pub fn new(classes: usize, horizon: usize, nights: usize) -> Self {
        Self {
            classes: vec![vec![Pool::default(); horizon]; classes],
            nights,
        }
    }

    /// Adds an error (actual less forecast) `step` steps ahead (0 is one step) of the night that lies `origin` steps back;
    /// `NaN` is none.
    pub fn push(&mut self, class: usize, step: usize, origin: usize, error: f32) {
        if !error.is_nan()
            && let Some(pool) = self.classes[class].get_mut(step)
        {
            pool.errors.push(error);
            pool.origins.insert(origin);
        }
    }

    /// Quantiles of every pool.
    pub fn table(self) -> Table {
        let horizon = self.classes.first().map_or(0, Vec::len);
        // Errors of all classes at each step; none where too few nights made them.
        let all: Vec<Vec<f32>> = (0..horizon)
            .map(|step| {
                let pools = || self.classes.iter().map(|class| &class[step]);
                let nights: BTreeSet<usize> = pools().flat_map(|pool| pool.origins.iter().copied()).collect();
                if nights.len() < self.nights {
                    return Vec::new();
                }
                pools().flat_map(|pool| pool.errors.iter().copied()).collect()
            })
            .collect();
        let measured = all
            .iter()
            .rposition(|errors| !errors.is_empty())
            .map_or(0, |last| last + 1);
        let mut shop: Vec<Option<Quantiles>> = (0..measured)
            .map(|step| {
                // The nearest steps that together have enough.
                (0..measured).find_map(|reach| {
                    let near = step.saturating_sub(reach)..(step + reach + 1).min(measured);
                    quantiles(all[near].concat())
                })
            })
            .collect();
        shop.resize(horizon, None);
        let nights = self.nights;
        let classes = self
            .classes
            .into_iter()
            .map(|steps| {
                let enough = |pool: Pool| {
                    (pool.origins.len() >= nights)
                        .then(|| quantiles(pool.errors))
                        .flatten()
                };
                steps.into_iter().map(enough).collect()
            })
            .collect();
        let measured = shop.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        Table {
            classes,
            shop,
            measured,
        }
    }
}

/// The quantiles of a pool; `None` where it is too small.
fn quantiles(mut errors: Vec<f32>) -> Option<Quantiles> {
    if errors.len() < ERRORS_TO_CALIBRATE {
        return None;
    }
    errors.sort_unstable_by(f32::total_cmp);
    let n = errors.len();
    let mut found = Quantiles::default();
    for (i, level) in LEVELS.into_iter().enumerate() {
        // ceil((n + 1) (1 + level) / 2), counted from either end.
        let rank = ((0.5 + level / 2.0) * (n + 1) as f64 - 1e-9).ceil() as usize;
        let index = rank.clamp(1, n) - 1;
        found.above[i] = f64::from(errors[index]).max(0.0);
        found.below[i] = f64::from(errors[n - 1 - index]).min(0.0);
    }
    Some(found)
}

/// Quantiles by class and step.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    classes: Vec<Vec<Option<Quantiles>>>,
    shop: Vec<Option<Quantiles>>,
    measured: usize,
}

impl Table {
    /// How many steps ahead have errors of nights enough; the quantiles of later ones are grown from the last of these.
    pub fn measured(&self) -> usize {
        self.measured
    }

    /// The quantiles at `step` (0 is one step ahead): the class's, else the shop's. Beyond the steps that the past was
    /// asked for, or that too few past nights reached, the last ones grow with the root of the distance, as a random walk does.
    pub fn at(&self, class: usize, step: usize) -> Option<Quantiles> {
        let at = |step: usize| {
            let own = self.classes.get(class).and_then(|steps| steps.get(step).copied());
            own.flatten().or_else(|| self.shop.get(step).copied().flatten())
        };
        if let Some(found) = at(step) {
            return Some(found);
        }
        let last = (0..step.min(self.shop.len()))
            .rev()
            .find(|&earlier| at(earlier).is_some())?;
        at(last).map(|found| found.scaled(((step + 1) as f64 / (last + 1) as f64).sqrt()))
    }
}

/// The standard deviation of one step's logarithm in this series; 0 where it never moved.
pub fn step_deviation(values: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0u32);
    for pair in values.windows(2) {
        let change = (pair[1] / pair[0]).ln();
        if change.is_finite() {
            sum += change * change;
            count += 1;
        }
    }
    (sum / f64::from(count.max(1))).sqrt()
}

/// The quantiles of a random walk with such steps, on the log scale.
pub fn random_walk(deviation: f64, step: usize) -> Quantiles {
    let reach = deviation * ((step + 1) as f64).sqrt();
    let above = [1.959_963_984_540, 1.644_853_626_951, 1.281_551_565_545].map(|z| z * reach);
    Quantiles {
        below: above.map(|x| -x),
        above,
    }
}

/// One step ahead, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The forecast.
    pub price: f64,
    /// Lower bounds at each of [`LEVELS`].
    pub low: [f64; 3],
    /// Upper bounds.
    pub high: [f64; 3],
}

impl Step {
    /// Bounds around `price` by errors in money, `unit` of them.
    pub fn in_units(price: f64, unit: f64, quantiles: &Quantiles) -> Self {
        Self {
            price,
            low: quantiles.below.map(|x| (price + unit * x).max(0.0)),
            high: quantiles.above.map(|x| (price + unit * x).min(f64::MAX)),
        }
    }

    /// Bounds around `price` by errors of its logarithm.
    pub fn in_logs(price: f64, quantiles: &Quantiles) -> Self {
        Self {
            price,
            low: quantiles.below.map(|x| (price * x.exp()).max(0.0)),
            high: quantiles.above.map(|x| (price * x.exp()).min(f64::MAX)),
        }
    }
}

/// How many of the errors made lie within what `quantiles_at` a step says: at 80 %, at 95 %, and of how many.
pub fn covered(errors: &[f32], quantiles_at: impl Fn(usize) -> Option<Quantiles>) -> [u32; 3] {
    let mut found = [0; 3];
    for (step, error) in errors.iter().enumerate().filter(|(_, error)| !error.is_nan()) {
        if let Some(q) = quantiles_at(step) {
            // A bound is kept in f64 and was an f32 error: compare where they were one.
            let error = f64::from(*error);
            found[0] += u32::from(q.below[2] <= error && error <= q.above[2]);
            found[1] += u32::from(q.below[0] <= error && error <= q.above[0]);
            found[2] += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_split_conformal() {
        let errors: Vec<f32> = (-40..=40).map(|x| x as f32).collect();
        let found = quantiles(errors).unwrap();
        // n = 81: ranks ceil(82 * 0.975) = 80, ceil(82 * 0.95) = 78, ceil(82 * 0.9) = 74 of -40 .. 40.
        assert_eq!(found.above, [39.0, 37.0, 33.0]);
        assert_eq!(found.below, [-39.0, -37.0, -33.0]);
        assert_eq!(quantiles(vec![1.0; ERRORS_TO_CALIBRATE - 1]), None);
        let one_sided = quantiles(vec![1.0; ERRORS_TO_CALIBRATE]).unwrap();
        assert_eq!(
            (one_sided.below, one_sided.above),
            ([0.0; 3], [1.0; 3]),
            "a forecast lies in its interval"
        );
    }

    #[test]
    fn exchangeable_errors_are_covered_as_promised_on_each_side() {
        let mut random = fastrand::Rng::with_seed(7);
        // Skewed, heavy errors: the shape must not matter.
        let mut draw = || (-random.f64().ln() * random.f64().powi(3) - 0.1) as f32;
        let mut pools = Pools::new(2, 1, 3);
        (0..6000).for_each(|i| pools.push(1, 0, i % 5, draw()));
        let table = pools.table();
        let q = table.at(1, 0).unwrap();
        assert_eq!(table.at(0, 0), Some(q), "an empty class takes the shop's");
        let fresh: Vec<f32> = (0..8000).map(|_| draw()).collect();
        let share = |test: &dyn Fn(f64) -> bool| {
            fresh.iter().filter(|e| test(f64::from(**e))).count() as f64 / fresh.len() as f64
        };
        for (i, level) in LEVELS.into_iter().enumerate() {
            let side = 0.5 + level / 2.0;
            assert!((share(&|e| e >= q.below[i]) - side).abs() < 0.01, "{level}");
            assert!((share(&|e| e <= q.above[i]) - side).abs() < 0.01, "{level}");
        }
        let [in80, in95, count] = covered(&fresh, |_| Some(q));
        assert!(
            (f64::from(in80) / f64::from(count) - 0.80).abs() < 0.015,
            "{in80}"
        );
        assert!(
            (f64::from(in95) / f64::from(count) - 0.95).abs() < 0.010,
            "{in95}"
        );
        assert_eq!(covered(&[f32::NAN, 0.0], |_| None), [0; 3]);
    }

    #[test]
    fn small_pools_borrow_and_far_steps_widen() {
        let mut pools = Pools::new(1, 4, 3);
        for step in 0..4 {
            for i in 0..25 {
                pools.push(0, step, i, (step * 100 + i) as f32);
            }
        }
        let table = pools.table();
        // 25 a step: step 1 takes steps 0 to 2, the last takes 1 to 3, which are 75 each.
        assert!(table.at(0, 1).unwrap().above[0] < 225.0 && table.at(0, 3).unwrap().above[0] > 300.0);
        let last = table.at(0, 3).unwrap().above[0];
        assert!((table.at(0, 15).unwrap().above[0] - 2.0 * last).abs() < 1e-9);
        assert_eq!(
            (table.measured(), Pools::new(3, 2, 3).table().at(0, 1)),
            (4, None)
        );
        assert_eq!(Pools::new(3, 0, 3).table().at(0, 0), None);
    }

    #[test]
    fn two_nights_are_no_evidence_however_many_errors_they_made() {
        let mut pools = Pools::new(2, 6, 3);
        for step in 0..6 {
            for i in 0..400 {
                // Steps 0 to 3 by four nights; 4 and 5 by two, which happened to be quiet. Class 1 saw two nights only.
                let (nights, size) = if step < 4 { (4, 1.0) } else { (2, 0.01) };
                pools.push(0, step, i % nights, size * if i % 2 == 0 { 1.0 } else { -1.0 });
                pools.push(1, step, i % 2, 0.5);
            }
        }
        let table = pools.table();
        assert_eq!(table.measured(), 4);
        assert_eq!(table.at(0, 3).unwrap().above[0], 1.0);
        assert_eq!(table.at(1, 3), table.at(1, 0), "the shop's");
        for step in [4, 5, 9] {
            let grown = ((step + 1) as f64 / 4.0).sqrt();
            assert!(
                (table.at(0, step).unwrap().above[0] - grown).abs() < 1e-9,
                "{step}"
            );
        }
    }

    #[test]
    fn a_bound_is_never_below_zero_and_never_infinite() {
        let wide = Quantiles {
            below: [-1e6; 3],
            above: [1e6; 3],
        };
        let step = Step::in_logs(10.0, &wide);
        assert_eq!((step.low, step.high), ([0.0; 3], [f64::MAX; 3]));
        assert_eq!(Step::in_units(10.0, 2.0, &wide).low, [0.0; 3]);
        assert_eq!(step_deviation(&[3.0, 3.0, f64::NAN]), 0.0);
        let walk = random_walk(step_deviation(&[1.0, 2.0, 1.0]), 3);
        assert!((walk.above[0] - 1.959_963_984_540 * 2.0 * 2.0f64.ln()).abs() < 1e-9);
        assert!(walk.below[0] < walk.below[1] && walk.below[1] < walk.below[2]);
    }
}
